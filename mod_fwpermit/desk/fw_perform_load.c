#include "fw_config.h"
#include "fw_perform_int.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "fw_store_account.h"
#include "fw_store_case.h"
#include "fw_store_party.h"
#include "fw_store_payment.h"
#include "fw_store_refund.h"
#include "fw_store_settlement.h"

/* What a command declares that it needs. */
enum {
    NEED_CASE = 1 << 0,        /* target is a case */
    NEED_CASES = 1 << 1,       /* cmd->cases */
    NEED_PRIORS = 1 << 2,      /* the attempts to pay that the cases have */
    NEED_PAYMENT = 1 << 3,     /* target is a payment; its cases come along */
    NEED_WORKER = 1 << 4,      /* cmd->worker_id, or the target */
    NEED_OFFICERS = 1 << 5,    /* of the case's station */
    NEED_PERMIT = 1 << 6,      /* room for one, and the one in force */
    NEED_ENDING = 1 << 7,      /* target is a permit; its case comes along */
    NEED_ACCOUNT = 1 << 8,     /* target is an account */
    NEED_FILES = 1 << 9,       /* of the case */
    NEED_NEW = 1 << 10,        /* room for the new thing */
    NEED_RECORD = 1 << 11,     /* what is told, and whom it is about */
    NEED_DUTY = 1 << 12,       /* the case's worker, where the service fulfils the duty to apply */
    NEED_FINES = 1 << 13,      /* what the fines system knows of the cases */
    NEED_JOB = 1 << 14,        /* target is a card's job; its case comes along */
    NEED_CARD = 1 << 15,       /* the case's job, or what was told of it */
    NEED_REFUND = 1 << 16,     /* target is a refund; its payment and its cases come along */
    NEED_SETTLEMENT = 1 << 17, /* of cmd->day */
    NEED_LETTER = 1 << 18      /* what the labour agency is asked about, or has answered */
};

static const unsigned needs[FW_CMDS] = {
    [FW_CMD_CASE_OPEN] = NEED_WORKER | NEED_NEW,
    [FW_CMD_CASE_SAVE] = NEED_CASE,
    [FW_CMD_CASE_ATTACH] = NEED_CASE | NEED_FILES,
    [FW_CMD_CASE_DETACH] = NEED_CASE | NEED_FILES,
    [FW_CMD_FILE_JUDGE] = NEED_CASE | NEED_FILES | NEED_OFFICERS,
    [FW_CMD_CASE_SUBMIT] = NEED_CASE | NEED_FILES | NEED_OFFICERS | NEED_DUTY | NEED_FINES,
    [FW_CMD_CASE_ASSIGN] = NEED_CASE | NEED_FILES | NEED_OFFICERS,
    [FW_CMD_CASE_CORRECT] = NEED_CASE | NEED_FILES,
    [FW_CMD_CASE_RETURN] = NEED_CASE,
    [FW_CMD_CASE_APPROVE] = NEED_CASE | NEED_FILES,
    [FW_CMD_CASE_CONFIRM] = NEED_CASE | NEED_FILES | NEED_FINES,
    [FW_CMD_CASE_SEND_BACK] = NEED_CASE,
    [FW_CMD_CASE_REJECT] = NEED_CASE | NEED_PRIORS | NEED_DUTY | NEED_FINES,
    [FW_CMD_CASE_WITHDRAW] = NEED_CASE | NEED_PRIORS | NEED_DUTY | NEED_FINES | NEED_CARD,
    [FW_CMD_CASE_EXPIRE] = NEED_CASE | NEED_PRIORS | NEED_DUTY | NEED_FINES,
    [FW_CMD_PAYMENT_BEGIN] = NEED_CASES | NEED_PRIORS | NEED_NEW,
    [FW_CMD_PAYMENT_BEGUN] = NEED_PAYMENT,
    [FW_CMD_PAYMENT_CODE] = NEED_PAYMENT,
    [FW_CMD_PAYMENT_SETTLE] = NEED_PAYMENT | NEED_FINES,
    [FW_CMD_PAYMENT_FAIL] = NEED_PAYMENT,
    [FW_CMD_PAYMENT_EXPIRE] = NEED_PAYMENT,
    [FW_CMD_PAYMENT_CHECK] = NEED_PAYMENT,
    [FW_CMD_RECEIPT_RENEW] = NEED_PAYMENT,
    [FW_CMD_REFUND_ASK] = NEED_PAYMENT | NEED_CARD,
    [FW_CMD_REFUND_AGAIN] = NEED_REFUND,
    [FW_CMD_REFUND_SENT] = NEED_REFUND,
    [FW_CMD_REFUND_BACK] = NEED_REFUND,
    [FW_CMD_REFUND_DONE] = NEED_REFUND | NEED_FINES,
    [FW_CMD_REFUND_FAIL] = NEED_REFUND,
    [FW_CMD_REFUND_PAY_OUT] = NEED_REFUND | NEED_FINES,
    [FW_CMD_SETTLEMENT_ASK] = NEED_SETTLEMENT,
    [FW_CMD_SETTLEMENT_CLOSE] = NEED_SETTLEMENT,
    [FW_CMD_SETTLEMENT_FAIL] = NEED_SETTLEMENT,
    [FW_CMD_PERMIT_ISSUE] = NEED_CASE | NEED_PERMIT,
    [FW_CMD_PERMIT_REVOKE] = NEED_ENDING,
    [FW_CMD_PERMIT_TELL] = NEED_ENDING,
    [FW_CMD_CARD_ORDER] = NEED_CASE | NEED_CARD,
    [FW_CMD_CARD_STEP] = NEED_JOB | NEED_CARD,
    [FW_CMD_CARD_ARRIVE] = NEED_JOB | NEED_CARD,
    [FW_CMD_CARD_COLLECT] = NEED_CASE | NEED_CARD,
    [FW_CMD_CARD_CHECK] = NEED_JOB,
    [FW_CMD_CARD_AGAIN] = NEED_CASE | NEED_CARD,
    [FW_CMD_CARD_CANCEL] = NEED_CASE | NEED_CARD,
    [FW_CMD_CARD_CANCELLED] = NEED_JOB | NEED_CARD | NEED_PRIORS | NEED_DUTY | NEED_FINES,
    [FW_CMD_CARD_LATE] = NEED_JOB,
    [FW_CMD_CARD_LOST] = NEED_CASE | NEED_CARD,
    [FW_CMD_CARD_STOCK] = NEED_CARD,
    [FW_CMD_DOCUMENT_ADD] = NEED_CASE,
    [FW_CMD_WORKER_REGISTER] = NEED_NEW,
    [FW_CMD_WORKER_UPDATE] = NEED_WORKER,
    [FW_CMD_WORKER_REMIND] = NEED_WORKER,
    [FW_CMD_MOVEMENT_TAKE] = NEED_RECORD,
    [FW_CMD_MOVEMENT_LINK] = NEED_RECORD,
    [FW_CMD_LETTER_TAKE] = NEED_RECORD,
    [FW_CMD_LETTER_ASK] = NEED_CASE | NEED_LETTER,
    [FW_CMD_LETTER_ANSWER] = NEED_LETTER,
    [FW_CMD_FINE_TAKE] = NEED_CASE | NEED_FINES,
    [FW_CMD_FINE_ASK] = NEED_CASE | NEED_FINES,
    [FW_CMD_ORG_CREATE] = NEED_NEW,
    [FW_CMD_ACCOUNT_CREATE] = NEED_NEW,
    [FW_CMD_ACCOUNT_UPDATE] = NEED_ACCOUNT,
    [FW_CMD_ACCOUNT_PASSWORD] = NEED_ACCOUNT,
    [FW_CMD_ACCOUNT_UNLOCK] = NEED_ACCOUNT,
    [FW_CMD_DELEGATION_GRANT] = NEED_NEW,
};

static const fw_err *found(const fw_err *err)
{
    return err && err->code == FW_E_NOTFOUND ? NULL : err;
}

static const fw_err *load_cases(fw_performing *p, const fw_id *ids, int n)
{
    fw_view *v = &p->view;

    v->cases = apr_pcalloc(p->pool, sizeof(fw_case *) * (apr_size_t)(n + 1));
    for (int i = 0; i < n; i++) {
        fw_case *kase = NULL;

        FW_TRY(found(fw_case_load(p->db, ids[i], &kase, p->pool)));
        if (kase)
            v->cases[v->n_cases++] = kase;
    }
    v->kase = v->n_cases ? v->cases[0] : NULL;
    if (v->kase)
        FW_TRY(fw_desk_service(p->desk, p->db, v->kase->service, v->kase->service_hash, &p->service,
                               p->pool));
    return NULL;
}

static int by_number(const void *a, const void *b)
{
    fw_id x = *(const fw_id *)a, y = *(const fw_id *)b;

    return x < y ? -1 : x > y;
}

/* Many cases in the order of their identities, each once: one fixed order for all writers. */
static const fw_err *load_many(fw_performing *p)
{
    fw_id *ids = apr_pmemdup(p->pool, p->cmd->cases, sizeof(fw_id) * (apr_size_t)p->cmd->n_cases);

    qsort(ids, (size_t)p->cmd->n_cases, sizeof(fw_id), by_number);
    for (int i = 1; i < p->cmd->n_cases; i++) {
        if (ids[i] == ids[i - 1])
            ids[i] = 0;
    }
    return load_cases(p, ids, p->cmd->n_cases);
}

static const fw_err *load_priors(fw_performing *p)
{
    fw_view *v = &p->view;

    v->priors = apr_pcalloc(p->pool, sizeof(fw_payment *) * (apr_size_t)(v->n_cases + 1));
    for (int i = 0; i < v->n_cases; i++) {
        if (v->cases[i]->payment_id)
            FW_TRY(found(fw_payment_load(p->db, v->cases[i]->payment_id, &v->priors[i], p->pool)));
    }
    return NULL;
}

static const fw_err *load_payment(fw_performing *p)
{
    FW_TRY(found(fw_payment_load(p->db, p->cmd->target, &p->view.payment, p->pool)));
    if (!p->view.payment)
        return NULL;
    return load_cases(p, p->view.payment->cases, p->view.payment->n_cases);
}

static const fw_err *load_card(fw_performing *p)
{
    unsigned need = needs[p->cmd->kind];

    if (need & NEED_JOB)
        FW_TRY(fw_perform_job_load(p));
    if (p->view.job)
        FW_TRY(load_cases(p, &p->view.job->case_id, 1));
    return need & NEED_CARD ? fw_perform_card_load(p) : NULL;
}

static const fw_err *load_refund(fw_performing *p)
{
    fw_view *v = &p->view;

    FW_TRY(found(fw_refund_load(p->db, p->cmd->target, &v->refund, p->pool)));
    if (!v->refund)
        return NULL;
    FW_TRY(fw_payment_load(p->db, v->refund->payment_id, &v->payment, p->pool));
    return load_cases(p, v->refund->cases, v->refund->n_cases);
}

/* The day's, or room for it. */
static const fw_err *load_settlement(fw_performing *p)
{
    FW_TRY(found(
        fw_settlement_load(p->db, p->cmd->day ? p->cmd->day : "", &p->view.settlement, p->pool)));
    if (!p->view.settlement)
        p->view.settlement = apr_pcalloc(p->pool, sizeof(*p->view.settlement));
    return NULL;
}

static const fw_err *load_worker(fw_performing *p)
{
    bool meant = p->cmd->kind == FW_CMD_WORKER_UPDATE || p->cmd->kind == FW_CMD_WORKER_REMIND;
    fw_id id = meant ? p->cmd->target : p->cmd->worker_id;

    return found(fw_worker_load(p->db, id, &p->view.worker, p->pool));
}

static const fw_err *load_permits(fw_performing *p)
{
    fw_view *v = &p->view;
    bool ending = needs[p->cmd->kind] & NEED_ENDING;

    if (ending) {
        FW_TRY(found(fw_permit_load(p->db, p->cmd->target, &v->permit, p->pool)));
        return v->permit ? load_cases(p, &v->permit->case_id, 1) : NULL;
    }
    v->permit = apr_pcalloc(p->pool, sizeof(*v->permit));
    if (!v->kase || !p->cmd->permit)
        return NULL;
    return fw_permit_live(p->db, v->kase->worker_id, p->cmd->permit->kind, &v->live, p->pool);
}

static const fw_err *load_files(fw_performing *p)
{
    apr_array_header_t *list = NULL;

    if (!p->view.kase)
        return NULL;
    FW_TRY(fw_file_list(p->db, p->view.kase->id, false, &list, p->pool));
    p->files = (const fw_file *)list->elts;
    p->n_files = list->nelts;
    for (int i = 0; i < p->n_files; i++)
        p->view.n_unchecked += p->files[i].scan == FW_SCAN_PENDING;
    return NULL;
}

const fw_err *fw_perform_officers(fw_performing *p, const char *station)
{
    apr_array_header_t *list = NULL;

    if (!station)
        return NULL;
    FW_TRY(fw_case_officers(p->db, station, &list, p->pool));
    p->view.officers = (const fw_officer *)list->elts;
    p->view.n_officers = list->nelts;
    return NULL;
}

const fw_err *fw_perform_worker_taken(fw_performing *p)
{
    const fw_worker *w = p->view.worker;
    fw_id other = 0;

    if (!w->passport_no || !w->nationality)
        return NULL;
    FW_TRY(fw_worker_by_passport(p->db, w->employer_id, w->nationality, w->passport_no, &other,
                                 p->pool));
    p->view.taken = other && other != w->id;
    return NULL;
}

static const fw_err *is_login_taken(fw_performing *p)
{
    fw_account *other = NULL;

    if (!p->cmd->account || !p->cmd->account->login)
        return NULL;
    FW_TRY(found(fw_account_by_login(p->db, p->cmd->account->login, &other, p->pool)));
    p->view.taken = other != NULL;
    return NULL;
}

static const fw_err *is_org_known(fw_performing *p)
{
    fw_org *other = NULL;

    if (!p->cmd->org || !p->cmd->org->ban)
        return NULL;
    FW_TRY(found(fw_org_by_ban(p->db, p->cmd->org->ban, &other, p->pool)));
    p->view.taken = other != NULL;
    return NULL;
}

static const fw_err *must_be(fw_performing *p, fw_id id, const char *kind)
{
    fw_org *org = NULL;

    FW_TRY(found(fw_org_load(p->db, id, &org, p->pool)));
    return org && strcmp(org->kind, kind) == 0 ? NULL : fw_err_field(p->pool, kind, "field.choice");
}

static const fw_err *is_delegated(fw_performing *p)
{
    fw_delegation *live = NULL;

    FW_TRY(must_be(p, p->cmd->employer_id, "employer"));
    FW_TRY(must_be(p, p->cmd->target, "agency"));
    FW_TRY(fw_delegation_live(p->db, p->cmd->employer_id, p->cmd->target, &live, p->pool));
    p->view.taken = live != NULL;
    return NULL;
}

/* Room for what comes into being, and whether what must be unique is there already. */
static const fw_err *make_room(fw_performing *p)
{
    fw_view *v = &p->view;

    switch ((int)p->cmd->kind) {
    case FW_CMD_CASE_OPEN:
        v->kase = apr_pcalloc(p->pool, sizeof(*v->kase));
        p->service = fw_services_find(p->desk->services, p->cmd->service);
        return NULL;
    case FW_CMD_PAYMENT_BEGIN:
        v->payment = apr_pcalloc(p->pool, sizeof(*v->payment));
        return NULL;
    case FW_CMD_WORKER_REGISTER:
        v->worker = apr_pcalloc(p->pool, sizeof(*v->worker));
        v->worker->employer_id = p->cmd->employer_id;
        if (p->cmd->actor->org_id != p->cmd->employer_id)
            v->worker->agency_id = p->cmd->actor->org_id;
        return NULL;
    case FW_CMD_ORG_CREATE:
        v->org = apr_pcalloc(p->pool, sizeof(*v->org));
        return is_org_known(p);
    case FW_CMD_ACCOUNT_CREATE:
        v->account = apr_pcalloc(p->pool, sizeof(*v->account));
        return is_login_taken(p);
    case FW_CMD_DELEGATION_GRANT:
        v->delegation = apr_pcalloc(p->pool, sizeof(*v->delegation));
        return is_delegated(p);
    default:
        return NULL;
    }
}

static const fw_err *load_judged(fw_performing *p)
{
    fw_file *file = NULL;

    FW_TRY(found(fw_file_load(p->db, p->cmd->file->id, &file, p->pool)));
    p->view.file = file;
    return NULL;
}

/* What three commands need beside the table. */
static const fw_err *load_rest(fw_performing *p)
{
    fw_document *doc = NULL;

    if (p->cmd->kind == FW_CMD_FILE_JUDGE)
        return load_judged(p);
    if (p->cmd->kind == FW_CMD_DELEGATION_REVOKE)
        return found(fw_delegation_load(p->db, p->cmd->target, &p->view.delegation, p->pool));
    if (p->cmd->kind != FW_CMD_DOCUMENT_ADD)
        return NULL;
    FW_TRY(fw_document_by_number(p->db, p->cmd->document->kind, p->cmd->document->number, &doc,
                                 p->pool));
    p->view.taken = doc != NULL;
    return NULL;
}

/* A verdict changes a file and mostly not its case, whose version would tell of it: so what looks at the files waits for it. */
static const fw_err *hold_case(fw_performing *p, unsigned need)
{
    p->view.scans = p->desk->scan_plugin != NULL;
    return need & NEED_FILES && p->view.scans ? fw_case_hold(p->db, p->cmd->target, p->pool) : NULL;
}

static const fw_err *load_paid(fw_performing *p, unsigned need)
{
    return need & NEED_PAYMENT ? load_payment(p) : load_refund(p);
}

static const fw_err *load_money(fw_performing *p, unsigned need)
{
    if (need & NEED_SETTLEMENT)
        FW_TRY(load_settlement(p));
    return need & NEED_PRIORS ? load_priors(p) : NULL;
}

/* What is known of a worker for whom something is opened. */
static const fw_err *load_said(fw_performing *p)
{
    if (p->cmd->kind != FW_CMD_CASE_OPEN || !p->view.worker || !p->service ||
        !fw_said_wanted(p->service))
        return NULL;
    return fw_said_load(&p->said, p->db, p->view.worker->id, p->pool);
}

/* As the service's file is today: a draft may have been begun by an older one. */
static void find_offer(fw_performing *p)
{
    fw_cmd_e cmd = p->cmd->kind;
    const fw_service *today =
        p->service ? fw_services_find(p->desk->services, p->service->code) : NULL;

    if (today && (cmd == FW_CMD_CASE_OPEN || cmd == FW_CMD_CASE_SUBMIT))
        p->view.not_offered = !fw_desk_offers(p->desk, today);
}

const fw_err *fw_perform_load(fw_performing *p)
{
    unsigned need = needs[p->cmd->kind];

    p->view.tells_border = p->desk->border_plugin != NULL;
    FW_TRY(hold_case(p, need));
    if (need & NEED_CASE)
        FW_TRY(load_cases(p, &p->cmd->target, 1));
    if (need & NEED_CASES)
        FW_TRY(load_many(p));
    if (need & (NEED_PAYMENT | NEED_REFUND))
        FW_TRY(load_paid(p, need));
    if (need & (NEED_JOB | NEED_CARD))
        FW_TRY(load_card(p));
    FW_TRY(load_money(p, need));
    if (need & NEED_WORKER)
        FW_TRY(load_worker(p));
    if (need & NEED_DUTY && p->service && p->service->duty)
        FW_TRY(found(fw_worker_load(p->db, p->view.kase->worker_id, &p->view.worker, p->pool)));
    if (need & NEED_FINES)
        FW_TRY(fw_perform_fines_load(p));
    if (need & NEED_RECORD)
        FW_TRY(found(fw_perform_record_load(p)));
    if (need & NEED_LETTER)
        FW_TRY(found(fw_perform_letter_load(p)));
    if (need & NEED_ACCOUNT)
        FW_TRY(found(fw_account_load(p->db, p->cmd->target, &p->view.account, p->pool)));
    if (need & (NEED_PERMIT | NEED_ENDING))
        FW_TRY(load_permits(p));
    if (need & NEED_FILES)
        FW_TRY(load_files(p));
    if (need & NEED_NEW)
        FW_TRY(make_room(p));
    FW_TRY(load_rest(p));
    FW_TRY(load_said(p));
    find_offer(p);
    if (fw_perform_is_link(p->cmd->kind))
        FW_TRY(fw_perform_link_load(p));
    p->wants_officers = need & NEED_OFFICERS;
    return NULL;
}
