#include "fw_config.h"
#include "fw_decide_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_lifecycle.h"

/* What a scanner's verdict on a file means for its case. */

bool fw_decide_refuse_unchecked(fw_deciding *d)
{
    if (d->view->n_unchecked == 0)
        return false;
    fw_decide_refuse(d, FW_E_CONFLICT, NULL, "case.files_unchecked");
    return true;
}

void fw_decide_scan(fw_deciding *d, fw_file *file)
{
    const char *payload = apr_psprintf(
        d->pool, "{\"file\":\"%" APR_INT64_T_FMT "\",\"case\":\"%" APR_INT64_T_FMT "\"}", file->id,
        file->case_id);

    file->scan = d->view->scans ? FW_SCAN_PENDING : FW_SCAN_NONE;
    /* A file that cannot be judged holds up no other: each is an aggregate of its own. */
    if (d->view->scans)
        fw_decide_send(d, "scan", "scan.scan", file->id, file->id, payload, true);
}

static bool is_marked(const fw_view *v, const char *slot)
{
    for (int i = 0; i < v->n_marked; i++) {
        if (strcmp(v->marked[i], slot) == 0)
            return true;
    }
    return false;
}

/* With the applicant already: what is infected can be replaced, whatever was marked before. */
static void mark_more(fw_deciding *d, fw_case *kase)
{
    if (!is_marked(d->view, d->out->file_judged.slot)) {
        kase->marks = d->view->marks;
        d->out->changed |= FW_CH_CASE;
    }
    fw_decide_notify(d, kase, "file.infected");
}

/* Filed already: the case goes back to the applicant, for that file. */
static void give_back(fw_deciding *d, fw_case *kase)
{
    kase->return_to = kase->state;
    kase->marks = d->view->marks;
    fw_decide_move(d, kase, FW_CMD_FILE_JUDGE,
                   apr_psprintf(d->pool, "{\"marks\":%s,\"abroad\":false}", d->view->marks));
}

static void find_infected(fw_deciding *d, fw_case *kase)
{
    if (fw_lifecycle_find(kase->state, FW_CMD_FILE_JUDGE))
        give_back(d, kase);
    else if (kase->state == FW_STATE_RETURNED)
        mark_more(d, kase);
    else if (kase->state == FW_STATE_DRAFT)
        fw_decide_notify(d, kase, "file.infected");
}

void fw_decide_file_judge(fw_deciding *d)
{
    fw_case *kase = d->view->kase;
    const fw_file *file = d->view->file;
    fw_scan_e verdict = d->cmd->file ? d->cmd->file->scan : FW_SCAN_NONE;
    bool infected = verdict == FW_SCAN_INFECTED;

    if (!kase || !file || file->case_id != kase->id) {
        fw_decide_refuse(d, FW_E_NOTFOUND, NULL, "file.unknown");
        return;
    }
    if (file->scan != FW_SCAN_PENDING || (!infected && verdict != FW_SCAN_CLEAN)) {
        fw_decide_refuse(d, FW_E_CONFLICT, NULL, "file.judged");
        return;
    }
    d->out->file_judged = *file;
    d->out->file_judged.scan = verdict;
    d->view->n_unchecked -= file->current;
    fw_decide_event(d, kase, infected ? "file.infected" : "file.clean", kase->state,
                    d->view->detail);
    /* Of a file that was replaced meanwhile nobody need do anything. */
    if (infected && file->current)
        find_infected(d, kase);
    else if (fw_decide_assign_ready(d, kase))
        d->out->changed |= FW_CH_CASE;
}
