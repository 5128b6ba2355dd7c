#include "fw_config.h"
#include "fw_decide.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_decide_int.h"

typedef void (*decider)(fw_deciding *d);

static const decider deciders[FW_CMDS] = {
    [FW_CMD_CASE_OPEN] = fw_decide_case_open,
    [FW_CMD_CASE_SAVE] = fw_decide_case_edit,
    [FW_CMD_CASE_ATTACH] = fw_decide_case_edit,
    [FW_CMD_CASE_DETACH] = fw_decide_case_edit,
    [FW_CMD_CASE_CORRECT] = fw_decide_case_edit,
    [FW_CMD_CASE_ASSIGN] = fw_decide_case_assign,
    [FW_CMD_CASE_SUBMIT] = fw_decide_case_turn,
    [FW_CMD_CASE_RETURN] = fw_decide_case_turn,
    [FW_CMD_CASE_APPROVE] = fw_decide_case_turn,
    [FW_CMD_CASE_CONFIRM] = fw_decide_case_turn,
    [FW_CMD_CASE_SEND_BACK] = fw_decide_case_turn,
    [FW_CMD_CASE_REJECT] = fw_decide_case_turn,
    [FW_CMD_CASE_WITHDRAW] = fw_decide_case_turn,
    [FW_CMD_CASE_EXPIRE] = fw_decide_case_turn,
    [FW_CMD_PAYMENT_BEGIN] = fw_decide_payment,
    [FW_CMD_PAYMENT_BEGUN] = fw_decide_payment,
    [FW_CMD_PAYMENT_CODE] = fw_decide_payment,
    [FW_CMD_PAYMENT_SETTLE] = fw_decide_payment,
    [FW_CMD_PAYMENT_FAIL] = fw_decide_payment,
    [FW_CMD_PAYMENT_EXPIRE] = fw_decide_payment,
    [FW_CMD_PAYMENT_CHECK] = fw_decide_payment,
    [FW_CMD_PERMIT_ISSUE] = fw_decide_permit,
    [FW_CMD_PERMIT_REVOKE] = fw_decide_permit,
    [FW_CMD_PERMIT_TELL] = fw_decide_border,
    [FW_CMD_DOCUMENT_ADD] = fw_decide_document,
    [FW_CMD_WORKER_REGISTER] = fw_decide_party,
    [FW_CMD_WORKER_UPDATE] = fw_decide_party,
    [FW_CMD_ORG_CREATE] = fw_decide_party,
    [FW_CMD_ACCOUNT_CREATE] = fw_decide_party,
    [FW_CMD_ACCOUNT_UPDATE] = fw_decide_party,
    [FW_CMD_ACCOUNT_PASSWORD] = fw_decide_party,
    [FW_CMD_ACCOUNT_UNLOCK] = fw_decide_party,
    [FW_CMD_DELEGATION_GRANT] = fw_decide_party,
    [FW_CMD_DELEGATION_REVOKE] = fw_decide_party,
    [FW_CMD_OUTBOX_REPLAY] = fw_decide_link,
    [FW_CMD_OUTBOX_MEND] = fw_decide_link,
    [FW_CMD_OUTBOX_DROP] = fw_decide_link,
    [FW_CMD_INBOX_REPLAY] = fw_decide_link,
    [FW_CMD_PLUGIN_PAUSE] = fw_decide_link,
    [FW_CMD_PLUGIN_RESUME] = fw_decide_link,
    [FW_CMD_WORKER_REMIND] = fw_decide_record,
    [FW_CMD_MOVEMENT_TAKE] = fw_decide_record,
    [FW_CMD_MOVEMENT_LINK] = fw_decide_record,
    [FW_CMD_LETTER_TAKE] = fw_decide_record,
    [FW_CMD_LETTER_ASK] = fw_decide_letter,
    [FW_CMD_LETTER_ANSWER] = fw_decide_letter,
    [FW_CMD_FINE_TAKE] = fw_decide_fine,
    [FW_CMD_FINE_ASK] = fw_decide_fine,
    [FW_CMD_CARD_ORDER] = fw_decide_card,
    [FW_CMD_CARD_STEP] = fw_decide_card,
    [FW_CMD_CARD_ARRIVE] = fw_decide_card,
    [FW_CMD_CARD_COLLECT] = fw_decide_card,
    [FW_CMD_CARD_CHECK] = fw_decide_card,
    [FW_CMD_CARD_AGAIN] = fw_decide_card,
    [FW_CMD_CARD_CANCEL] = fw_decide_card,
    [FW_CMD_CARD_CANCELLED] = fw_decide_card,
    [FW_CMD_CARD_LATE] = fw_decide_card,
    [FW_CMD_CARD_LOST] = fw_decide_card,
    [FW_CMD_CARD_STOCK] = fw_decide_card,
    [FW_CMD_FILE_JUDGE] = fw_decide_file_judge,
    [FW_CMD_RECEIPT_RENEW] = fw_decide_payment,
    [FW_CMD_REFUND_ASK] = fw_decide_refund,
    [FW_CMD_REFUND_AGAIN] = fw_decide_refund,
    [FW_CMD_REFUND_SENT] = fw_decide_refund,
    [FW_CMD_REFUND_BACK] = fw_decide_refund,
    [FW_CMD_REFUND_DONE] = fw_decide_refund,
    [FW_CMD_REFUND_FAIL] = fw_decide_refund,
    [FW_CMD_REFUND_PAY_OUT] = fw_decide_refund,
    [FW_CMD_SETTLEMENT_ASK] = fw_decide_settlement,
    [FW_CMD_SETTLEMENT_CLOSE] = fw_decide_settlement,
    [FW_CMD_SETTLEMENT_FAIL] = fw_decide_settlement,
};

void fw_decide(fw_view *view, const fw_command *cmd, apr_time_t now, fw_ids *ids,
               const fw_terms *terms, fw_outcome *out, apr_pool_t *pool)
{
    fw_deciding d = {view, cmd, now, ids, terms, out, pool};

    out->verdict = FW_DONE;
    out->code = FW_E_INTERNAL;
    out->n_refusals = out->n_events = out->n_sends = 0;
    out->changed = out->draw = 0;
    out->file_added.id = out->file_dropped.id = out->file_judged.id = out->document_added.id = 0;
    out->slot_cleared = NULL;
    out->receipt_void.number = 0;
    out->blanks = (fw_blanks){0};
    out->answer = cmd->target;
    deciders[cmd->kind](&d);
}

fw_id fw_decide_id(fw_deciding *d)
{
    int n = d->ids->used++;

    /* Many cases at once need more than were drawn: those beside the drawn ones. */
    return d->ids->id[n % FW_IDS] + n / FW_IDS;
}

void fw_decide_refuse(fw_deciding *d, fw_code_e code, const char *field, const char *key)
{
    fw_outcome *out = d->out;

    out->verdict = FW_REFUSED;
    out->code = code;
    if (out->n_refusals < FW_MAX_REFUSALS)
        out->refusals[out->n_refusals++] = (fw_refusal){field, key, NULL};
}

bool fw_decide_refuse_problems(fw_deciding *d)
{
    for (int i = 0; i < d->view->n_problems; i++) {
        const fw_refusal *p = &d->view->problems[i];

        fw_decide_refuse(d, FW_E_INPUT, p->field, p->key);
        if (d->out->n_refusals)
            d->out->refusals[d->out->n_refusals - 1].args = p->args;
    }
    return d->view->n_problems > 0;
}

bool fw_decide_no_term(const char *from, const char *to)
{
    return from && to && strcmp(to, from) < 0;
}

void fw_decide_event(fw_deciding *d, const fw_case *kase, const char *kind, fw_state_e from,
                     const char *data)
{
    fw_event *e;

    if (d->out->n_events == FW_MAX_EVENTS)
        return;
    e = &d->out->events[d->out->n_events++];
    *e = (fw_event){0};
    e->id = fw_decide_id(d);
    e->case_id = kase->id;
    e->at = d->now;
    e->actor_id = d->cmd->actor->account_id;
    e->actor_name = d->cmd->actor->name;
    e->kind = kind;
    e->from = from;
    e->to = kase->state;
    e->data = data;
}

void fw_decide_send(fw_deciding *d, const char *port, const char *op, fw_id aggregate, fw_id once,
                    const char *payload, bool bulk)
{
    fw_send *s;

    if (d->out->n_sends == FW_MAX_SENDS)
        return;
    s = &d->out->sends[d->out->n_sends++];
    s->port = port;
    s->op = op;
    s->key = apr_psprintf(d->pool, "%s:%" APR_INT64_T_FMT, op, once);
    s->payload = payload;
    s->aggregate_id = aggregate;
    s->bulk = bulk;
    s->not_before = 0;
}

void fw_decide_notify(fw_deciding *d, const fw_case *kase, const char *what)
{
    const char *payload = apr_psprintf(
        d->pool, "{\"what\":\"%s\",\"case\":\"%" APR_INT64_T_FMT "\"}", what, kase->id);

    fw_decide_send(d, "notify", "notify.send", kase->id, fw_decide_id(d), payload, true);
}
