#include "fw_config.h"
#include "fw_perform_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_random.h"
#include "fw_store_account.h"
#include "fw_store_audit.h"
#include "fw_store_card.h"
#include "fw_store_case.h"
#include "fw_store_outbox.h"
#include "fw_store_party.h"
#include "fw_store_payment.h"
#include "fw_store_question.h"
#include "fw_store_record.h"
#include "fw_store_refund.h"
#include "fw_store_settlement.h"

#define RECEIPTS_A_YEAR 100000000 /* a receipt's number: ROC year, then eight digits */

/* The columns that the service names by index= follow the document. */
static void index_case(const fw_performing *p, fw_case *c)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): what changes a case has it loaded */
    json_t *data = c->data ? json_loads(c->data, 0, NULL) : NULL;
    const struct {
        const char *name;
        const char **column;
    } columns[] = {{"passport_no", &c->passport_no},
                   {"nationality", &c->nationality},
                   {"name_latin", &c->name_latin},
                   {"name_native", &c->name_native},
                   {"birth", &c->birth},
                   {"permit_letter", &c->permit_letter}};

    for (int i = 0; data && i < p->service->n_fields; i++) {
        const fw_field *f = &p->service->fields[i];
        const char *value = json_string_value(json_object_get(data, f->name));

        for (size_t k = 0; f->index && k < sizeof(columns) / sizeof(columns[0]); k++) {
            if (strcmp(columns[k].name, f->index) == 0)
                *columns[k].column = value ? apr_pstrdup(p->pool, value) : NULL;
        }
    }
    json_decref(data);
}

static const fw_err *draw_numbers(fw_performing *p)
{
    int year = fw_date_roc_year(fw_date_of(p->now));
    int64_t n = 0;

    if (p->out.draw & FW_DRAW_CASE_NO) {
        FW_TRY(fw_counter_draw(p->db, apr_psprintf(p->pool, "case:%d", year), 1, &n, p->pool));
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): who draws its number has it loaded */
        p->view.kase->case_no = apr_psprintf(p->pool, "%d%07d", year, (int)n);
    }
    if (p->out.draw & FW_DRAW_RECEIPT_NO) {
        FW_TRY(fw_counter_draw(p->db, apr_psprintf(p->pool, "receipt:%d", year), 1, &n, p->pool));
        p->view.payment->receipt_no = (int64_t)year * RECEIPTS_A_YEAR + n;
    }
    return NULL;
}

static const fw_err *keep_cases(fw_performing *p)
{
    if (!(p->out.changed & FW_CH_CASE))
        return NULL;
    if (p->cmd->kind == FW_CMD_CASE_OPEN) {
        index_case(p, p->view.kase);
        return fw_case_put(p->db, p->view.kase, p->pool);
    }
    for (int i = 0; i < p->view.n_cases; i++) {
        if (p->view.n_cases == 1 && p->service)
            index_case(p, p->view.cases[i]);
        FW_TRY(fw_case_put(p->db, p->view.cases[i], p->pool));
    }
    return NULL;
}

static const fw_err *keep_permits(fw_performing *p)
{
    /* Those in force go first: two are never in force at once. */
    FW_TRY(fw_perform_card_keep(p));
    if (p->out.changed & FW_CH_LIVE)
        FW_TRY(fw_permit_put(p->db, p->view.live, p->pool));
    if (p->out.changed & FW_CH_PERMIT)
        FW_TRY(fw_permit_put(p->db, p->view.permit, p->pool));
    return NULL;
}

static const fw_err *keep_party(fw_performing *p)
{
    if (p->out.changed & FW_CH_WORKER)
        FW_TRY(fw_worker_put(p->db, p->view.worker, p->pool));
    if (p->adopts)
        FW_TRY(fw_record_adopt(p->db, p->view.worker, p->pool));
    if (p->out.changed & FW_CH_RECORD)
        FW_TRY(fw_record_put(p->db, p->view.record, p->pool));
    if (p->out.changed & FW_CH_QUESTION)
        FW_TRY(fw_question_put(p->db, p->view.question, p->pool));
    if (p->out.changed & FW_CH_ORG)
        FW_TRY(fw_org_put(p->db, p->view.org, p->pool));
    if (p->out.changed & FW_CH_ACCOUNT)
        FW_TRY(fw_account_put(p->db, p->view.account, p->pool));
    if (p->out.changed & FW_CH_DELEGATION)
        FW_TRY(fw_delegation_put(p->db, p->view.delegation, p->pool));
    if (fw_perform_is_link(p->cmd->kind))
        FW_TRY(fw_perform_link_keep(p));
    return NULL;
}

/* Replaced by another attempt, or some of it goes back. */
static bool is_changed(const fw_performing *p, const fw_payment *prior)
{
    return prior->state == FW_PAY_EXPIRED ||
           (p->out.changed & FW_CH_REFUND && p->view.refund->payment_id == prior->id);
}

static const fw_err *keep_payments(fw_performing *p)
{
    if (p->out.changed & FW_CH_PRIORS) {
        for (int i = 0; i < p->view.n_cases; i++) {
            fw_payment *prior = p->view.priors[i];
            bool again = false;

            for (int k = 0; k < i; k++)
                again = again || (prior && p->view.priors[k] && p->view.priors[k]->id == prior->id);
            if (prior && is_changed(p, prior) && !again)
                FW_TRY(fw_payment_put(p->db, prior, p->pool));
        }
    }
    if (p->out.changed & FW_CH_PAYMENT)
        FW_TRY(fw_payment_put(p->db, p->view.payment, p->pool));
    if (p->out.changed & FW_CH_REFUND)
        FW_TRY(fw_refund_put(p->db, p->view.refund, p->pool));
    if (p->out.changed & FW_CH_SETTLEMENT)
        FW_TRY(fw_settlement_put(p->db, p->view.settlement, p->pool));
    return NULL;
}

static const fw_err *keep_files(fw_performing *p)
{
    const fw_file *added = &p->out.file_added;

    FW_TRY(fw_perform_take_keep(p));
    if (p->out.slot_cleared)
        FW_TRY(fw_file_retire_slot(p->db, added->case_id, p->out.slot_cleared, p->pool));
    if (added->id)
        FW_TRY(fw_file_add(p->db, added, p->pool));
    if (p->out.file_dropped.id)
        FW_TRY(fw_file_retire(p->db, p->out.file_dropped.id, p->pool));
    if (p->out.file_judged.id)
        FW_TRY(fw_file_judge(p->db, &p->out.file_judged, p->pool));
    if (p->out.document_added.id)
        FW_TRY(fw_document_add(p->db, &p->out.document_added, p->pool));
    return NULL;
}

static const fw_err *keep_sends(fw_performing *p)
{
    fw_id id = 0;

    /* One draw for all, counted up: what was decided first is delivered first. */
    FW_TRY(fw_id_draw(&id, p->now, p->pool));
    for (int i = 0; i < p->out.n_sends; i++)
        FW_TRY(fw_outbox_put(p->db, id + i, &p->out.sends[i], p->now, p->pool));
    return NULL;
}

static const char *aggregate_of(const fw_performing *p)
{
    const fw_view *v = &p->view;
    const char *kind = NULL;
    fw_id id = 0;

    if (p->cmd->plugin)
        return apr_pstrcat(p->pool, "plugin:", p->cmd->plugin, NULL);
    if (v->settlement)
        return apr_pstrcat(p->pool, "settlement:", p->cmd->day, NULL);
    if (v->payment && v->payment->id)
        kind = "payment", id = v->payment->id;
    else if (v->kase)
        kind = "case", id = v->kase->id;
    else if (v->worker)
        kind = "worker", id = v->worker->id;
    else if (p->cmd->shelf)
        return apr_pstrcat(p->pool, "stock:", p->cmd->shelf->store, NULL);
    else if (v->record)
        kind = "record", id = v->record->id;
    else if (v->account)
        kind = "account", id = v->account->id;
    else if (v->delegation)
        kind = "delegation", id = v->delegation->id;
    else if (v->org)
        kind = "org", id = v->org->id;
    else
        kind = p->cmd->kind == FW_CMD_INBOX_REPLAY ? "inbox" : "outbox", id = p->cmd->target;
    return apr_psprintf(p->pool, "%s:%" APR_INT64_T_FMT, kind, id);
}

static const fw_err *keep_audit(fw_performing *p)
{
    fw_audit record = {.aggregate = aggregate_of(p),
                       .at = p->now,
                       .actor_id = p->cmd->actor->account_id,
                       .actor = p->cmd->actor->login,
                       .command = fw_cmd_name(p->cmd->kind),
                       .data = p->view.detail};

    FW_TRY(fw_id_draw(&record.id, p->now, p->pool));
    return fw_audit_add(p->db, &record, p->pool);
}

const fw_err *fw_perform_keep(fw_performing *p)
{
    bool fresh = p->view.kase && p->view.kase->version == 0;

    if (fresh)
        FW_TRY(keep_cases(p));
    FW_TRY(keep_party(p));
    FW_TRY(keep_files(p));
    if (p->out.receipt_void.number)
        FW_TRY(fw_receipt_void_add(p->db, &p->out.receipt_void, p->pool));
    if (!(p->out.draw & FW_DRAW_RECEIPT_NO))
        FW_TRY(keep_payments(p));
    FW_TRY(keep_permits(p));
    FW_TRY(fw_perform_fines_keep(p));
    for (int i = 0; i < p->out.n_events; i++)
        FW_TRY(fw_event_add(p->db, &p->out.events[i], p->pool));
    FW_TRY(keep_sends(p));
    FW_TRY(keep_audit(p));
    FW_TRY(fw_stock_count(p->db, &p->out.blanks, p->pool));
    /* The numbers without a gap come last: their counter is locked for the shortest time. */
    FW_TRY(draw_numbers(p));
    if (p->out.draw & FW_DRAW_RECEIPT_NO)
        FW_TRY(keep_payments(p));
    return fresh ? NULL : keep_cases(p);
}
