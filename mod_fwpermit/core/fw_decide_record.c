#include "fw_config.h"
#include "fw_decide_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_date.h"

/* What other agencies say, and the legal clock that an arrival starts. */

/* How far a thing has gone: a word that comes late does not bring it back. */
static int rank_of(const char *state)
{
    if (strcmp(state, "cancelled") == 0 || strcmp(state, "revoked") == 0)
        return 2;
    return strcmp(state, "ended") == 0 ? 1 : 0;
}

static const char *day_of(const fw_deciding *d, apr_time_t at)
{
    return fw_date_text(fw_date_of(at), d->pool);
}

/* Who holds a card already only comes back. What was filed in time before the arrival was told fulfils
 * the duty; what was filed later does not, and the next filing is late. */
void fw_decide_stay(fw_deciding *d, fw_worker *w)
{
    const fw_view *v = d->view;
    const char *day = v->movement && v->arrived ? day_of(d, v->movement->at) : NULL;

    if (day ? w->entered && strcmp(day, w->entered) == 0 : !w->entered)
        return;
    w->entered = day;
    w->file_by = day && !v->live ? d->terms->arrival_until : 0;
    w->filed = v->filed <= w->file_by ? v->filed : 0;
    w->reminded = 0;
    d->out->changed |= FW_CH_WORKER;
}

static bool refuse_absurd(fw_deciding *d, const fw_record *r)
{
    const char *key = NULL;

    if (r->at > d->now + (apr_time_t)86400 * APR_USEC_PER_SEC)
        key = "record.future";
    else if (r->birth && strcmp(day_of(d, r->at), r->birth) < 0)
        key = "record.before_birth";
    if (key)
        fw_decide_refuse(d, FW_E_INPUT, NULL, key);
    return key != NULL;
}

static void take_record(fw_deciding *d)
{
    fw_record *r = d->view->record;
    const fw_record *was = d->view->record_was;
    fw_worker *w = d->view->worker;

    if (refuse_absurd(d, r))
        return;
    if (was && (rank_of(was->state) > rank_of(r->state) || strcmp(was->data, r->data) == 0)) {
        d->out->answer = was->id;
        return;
    }
    r->id = was ? was->id : fw_decide_id(d);
    r->version = was ? was->version : 0;
    r->worker_id = w ? w->id : 0;
    r->heard = d->now;
    d->out->changed |= FW_CH_RECORD;
    d->out->answer = r->id;
    if (w && d->cmd->kind == FW_CMD_MOVEMENT_TAKE)
        fw_decide_stay(d, w);
}

/* An officer says who an arrival's passport is. */
static void link_record(fw_deciding *d)
{
    fw_record *r = d->view->record;

    if (r->worker_id || !d->view->worker) {
        fw_decide_refuse(d, FW_E_CONFLICT, "worker",
                         r->worker_id ? "record.linked" : "worker.unknown");
        return;
    }
    r->worker_id = d->view->worker->id;
    d->out->changed |= FW_CH_RECORD;
    fw_decide_stay(d, d->view->worker);
}

static void remind(fw_deciding *d)
{
    fw_worker *w = d->view->worker;

    if (!w->file_by || w->filed || w->reminded) {
        fw_decide_refuse(d, FW_E_CONFLICT, NULL, "worker.nothing_due");
        return;
    }
    w->reminded = d->now;
    d->out->changed |= FW_CH_WORKER;
    fw_decide_send(d, "notify", "notify.send", w->id, fw_decide_id(d),
                   apr_psprintf(d->pool,
                                "{\"what\":\"worker.due\",\"worker\":\"%" APR_INT64_T_FMT "\"}",
                                w->id),
                   true);
}

void fw_decide_record(fw_deciding *d)
{
    if (d->cmd->kind == FW_CMD_WORKER_REMIND)
        remind(d);
    else if (d->cmd->kind == FW_CMD_MOVEMENT_LINK)
        link_record(d);
    else
        take_record(d);
}
