#include "fw_config.h"
#include "fw_decide_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_lifecycle.h"

static void add_document(fw_deciding *d, fw_id case_id)
{
    fw_document *doc = &d->out->document_added;

    *doc = *d->cmd->document;
    doc->id = fw_decide_id(d);
    doc->case_id = case_id;
    doc->created = d->now;
    d->out->answer = doc->id;
}

void fw_decide_document(fw_deciding *d)
{
    if (!d->view->kase) {
        fw_decide_refuse(d, FW_E_NOTFOUND, NULL, "case.unknown");
        return;
    }
    if (d->view->taken)
        return; /* the same document, delivered again */
    /* The case itself stays as it is, and its version: a paper that comes makes nobody's open page stale. */
    add_document(d, d->view->kase->id);
    fw_decide_event(d, d->view->kase, "document.add", d->view->kase->state,
                    apr_psprintf(d->pool, "{\"kind\":\"%s\"}", d->cmd->document->kind));
}

/* One permit in force for a worker and kind: the earlier one is superseded at once. */
static void supersede(fw_deciding *d, const fw_permit *by)
{
    fw_permit *live = d->view->live;

    if (!live || live->id == by->id)
        return;
    live->state = "superseded";
    live->ended = d->now;
    fw_decide_tell_border(d, live, by);
    d->out->changed |= FW_CH_LIVE;
}

static void issue(fw_deciding *d)
{
    fw_case *kase = d->view->kase;
    fw_permit *permit = d->view->permit;

    if (!kase || !d->cmd->permit || !fw_lifecycle_find(kase->state, FW_CMD_PERMIT_ISSUE)) {
        fw_decide_refuse(d, FW_E_CONFLICT, NULL, "case.state");
        return;
    }
    if (fw_decide_no_term(d->cmd->permit->valid_from, d->cmd->permit->valid_to)) {
        fw_decide_refuse(d, FW_E_CONFLICT, NULL, "case.no_term");
        return;
    }
    *permit = *d->cmd->permit;
    permit->id = fw_decide_id(d);
    permit->version = 0;
    permit->case_id = kase->id;
    permit->worker_id = kase->worker_id;
    permit->state = "valid";
    permit->issued = d->now;
    kase->permit_id = permit->id;
    supersede(d, permit);
    fw_decide_tell_border(d, permit, NULL);
    add_document(d, kase->id);
    fw_decide_move(d, kase, FW_CMD_PERMIT_ISSUE, NULL);
    d->out->changed |= FW_CH_PERMIT;
    d->out->answer = permit->id;
}

static void end_permit(fw_deciding *d)
{
    fw_permit *permit = d->view->permit;

    if (!permit || (strcmp(permit->state, "valid") != 0 && strcmp(permit->state, "waiting") != 0)) {
        fw_decide_refuse(d, FW_E_CONFLICT, NULL, "permit.not_valid");
        return;
    }
    if (!d->cmd->reason || !*d->cmd->reason) {
        fw_decide_refuse(d, FW_E_INPUT, "reason", "case.reason_missing");
        return;
    }
    permit->state = "revoked";
    permit->reason = d->cmd->reason;
    permit->ended = d->now;
    fw_decide_tell_border(d, permit, NULL);
    d->out->changed |= FW_CH_PERMIT;
    if (d->view->kase) {
        d->out->changed |= FW_CH_CASE;
        fw_decide_event(d, d->view->kase, "permit.revoke", d->view->kase->state, d->view->detail);
    }
}

void fw_decide_permit(fw_deciding *d)
{
    if (d->cmd->kind == FW_CMD_PERMIT_ISSUE)
        issue(d);
    else
        end_permit(d);
}
