#include "fw_config.h"
#include "fww_press.h"
#include "fww_statement.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_json.h"
#include "fw_random.h"
#include "fw_store_case.h"
#include "fw_store_party.h"
#include "fw_store_payment.h"

#define KEY_PERMIT  "permit"
#define KEY_RECEIPT "receipt" /* of receipts, of money and of filing */
#define CODE_CHARS  16
#define CASES_MOST  1000

const fw_err *fww_subject_load(fww_subject *s, fww_turn *t, fw_id case_id)
{
    apr_array_header_t *files = NULL;
    fw_case *kase = NULL;
    fw_org *employer = NULL;

    *s = (fww_subject){.t = t};
    FW_TRY(fw_case_load(t->db, case_id, &kase, t->pool));
    FW_TRY(fw_desk_service(t->pump->desk, t->db, kase->service, kase->service_hash, &s->service,
                           t->pool));
    FW_TRY(fw_org_load(t->db, kase->employer_id, &employer, t->pool));
    FW_TRY(fw_file_list(t->db, kase->id, false, &files, t->pool));
    s->kase = kase;
    s->employer = employer;
    s->files = (const fw_file *)files->elts;
    s->n_files = files->nelts;
    s->data = fw_json_parse(kase->data, t->pool);
    if (!s->data)
        return FW_ERR(t->pool, FW_E_CORRUPT, 0, "the case's document is not JSON");
    return NULL;
}

const char *fww_subject_value(const fww_subject *s, fw_field_e type)
{
    for (int i = 0; i < s->service->n_fields; i++) {
        const fw_field *f = &s->service->fields[i];
        const char *value = json_string_value(json_object_get(s->data, f->name));

        if (f->type == type && value && *value)
            return value;
    }
    return NULL;
}

static const fw_err *is_there(fww_turn *t, const char *kind, const char *number, bool *there)
{
    fw_document *doc = NULL;

    FW_TRY(fw_document_by_number(t->db, kind, number, &doc, t->pool));
    *there = doc != NULL;
    return NULL;
}

/* A refused paper leaves no file behind; one whose outcome is not known may be named by a row, and is left to the
 * clock's sweep. */
static const fw_err *keep(fww_turn *t, fw_command *cmd, const fw_document *doc, fww_end *end)
{
    const char *refused = NULL;
    bool there = false;

    FW_TRY(fww_perform(t, cmd, &refused));
    if (!refused)
        return NULL;
    FW_TRY(fw_vault_remove(t->pump->desk->vault, doc->vault, t->pool));
    FW_TRY(is_there(t, doc->kind, doc->number, &there)); /* another attempt was faster */
    if (!there)
        fww_end_set(end, FWW_END_DEAD, refused);
    return NULL;
}

/* ---- the receipt of filing ---- */

const fw_err *fww_press_filing(fww_turn *t, const fw_delivery *d, fww_end *end)
{
    fw_document doc = {.kind = "filing"};
    fw_command cmd = {.kind = FW_CMD_DOCUMENT_ADD, .document = &doc};
    fww_pressing p = {.key = KEY_RECEIPT};
    fww_subject s;
    bool there = false;

    FW_TRY(fww_subject_load(&s, t, fww_payload_id(t, d, "case")));
    fww_end_set(end, FWW_END_DONE, NULL);
    if (!s.kase->case_no)
        return FW_ERR(t->pool, FW_E_CORRUPT, 0, "a filed case without a number");
    doc.number = s.kase->case_no;
    FW_TRY(is_there(t, doc.kind, doc.number, &there));
    if (there)
        return NULL;
    p.reason = apr_pstrcat(t->pool, "Receipt of filing ", doc.number, NULL);
    p.model = fww_paper_filing(&s);
    p.statement = fww_statement_filing(&s);
    FW_TRY(fww_press_make(t, &p, &doc));
    cmd.target = s.kase->id;
    return keep(t, &cmd, &doc, end);
}

/* ---- the permit ---- */

const char *fww_subject_photo(const fww_subject *s)
{
    for (int i = 0; i < s->n_files; i++) {
        const fw_field *f = fw_service_field(s->service, s->files[i].slot);

        if (f && f->type == FW_FIELD_PHOTO)
            return s->files[i].vault;
    }
    return NULL;
}

/* The number is the case's, which is unique and has no gap, under the service's letters: a repeated pressing makes
 * no second one. Spans are reckoned by the law of now. */
static const fw_err *make_permit(const fww_subject *s, apr_time_t now, fw_permit *out)
{
    const fw_desk *desk = s->t->pump->desk;
    apr_pool_t *pool = s->t->pool;
    fw_terms terms = {0};

    fw_terms_reckon(&terms, desk->rules, desk->calendar, s->service, s->kase->data, now, pool);
    *out = (fw_permit){.permit_no = apr_pstrcat(pool, s->service->prefix, s->kase->case_no, NULL),
                       .kind = s->service->kind,
                       .valid_from = terms.valid_from,
                       .valid_to = terms.valid_to};
    return fw_code_draw(&out->code, CODE_CHARS, pool);
}

/* A card is made elsewhere. */
static const fw_err *order_card(const fww_subject *s, apr_time_t now, fww_end *end)
{
    fw_permit permit;
    fw_command cmd = {.kind = FW_CMD_CARD_ORDER, .target = s->kase->id, .permit = &permit};
    const char *refused = NULL;

    FW_TRY(make_permit(s, now, &permit));
    FW_TRY(fww_perform(s->t, &cmd, &refused));
    if (refused)
        fww_end_set(end, FWW_END_DEAD, refused);
    return NULL;
}

const fw_err *fww_press_permit(fww_turn *t, const fw_delivery *d, fww_end *end)
{
    apr_time_t now = t->pump->desk->now();
    fw_document doc = {.kind = "permit"};
    fw_permit permit;
    fw_command cmd = {.kind = FW_CMD_PERMIT_ISSUE, .document = &doc, .permit = &permit};
    fww_pressing p = {.key = KEY_PERMIT};
    const char *seal = NULL;
    fww_subject s;

    FW_TRY(fww_subject_load(&s, t, fww_payload_id(t, d, "case")));
    fww_end_set(end, FWW_END_DONE, NULL);
    if (s.kase->permit_id)
        return NULL;
    if (s.kase->state != FW_STATE_PRODUCING) {
        fww_end_set(end, FWW_END_DEAD, "the case is not to be produced");
        return NULL;
    }
    if (strcmp(s.service->kind, "card") == 0)
        return order_card(&s, now, end);
    FW_TRY(make_permit(&s, now, &permit));
    doc.number = permit.permit_no;
    p.reason = apr_pstrcat(t->pool, "Permit ", doc.number, NULL);
    p.photo = fww_subject_photo(&s);
    FW_TRY(fww_paper_seal(&s, &permit, now, &seal));
    p.model = fww_paper_permit(&s, &permit, seal, now);
    p.statement = fww_statement_permit(&s, &permit, seal);
    FW_TRY(fww_press_make(t, &p, &doc));
    cmd.target = s.kase->id;
    return keep(t, &cmd, &doc, end);
}

/* ---- the receipt of money ---- */

static const fw_err *load_payer(fww_turn *t, const fw_payment *p, const fww_subject *first,
                                const fw_org **out)
{
    fw_org *org = NULL;

    *out = first->employer;
    if (!p->org_id)
        return NULL;
    FW_TRY(fw_org_load(t->db, p->org_id, &org, t->pool));
    *out = org;
    return NULL;
}

static const fw_err *load_subjects(fww_turn *t, const fw_payment *p, fww_subject **out)
{
    fww_subject *list;

    if (p->n_cases < 1 || p->n_cases > CASES_MOST)
        return FW_ERR(t->pool, FW_E_CORRUPT, 0, "a payment for %d cases", p->n_cases);
    list = apr_pcalloc(t->pool, sizeof(*list) * (apr_size_t)p->n_cases);
    for (int i = 0; i < p->n_cases; i++)
        FW_TRY(fww_subject_load(&list[i], t, p->cases[i]));
    *out = list;
    return NULL;
}

static const fw_err *find_replaced(fww_turn *t, const fw_payment *p, int64_t *out)
{
    apr_array_header_t *voids = NULL;

    FW_TRY(fw_receipt_voids(t->db, p->id, &voids, t->pool));
    *out = voids->nelts ? APR_ARRAY_IDX(voids, 0, fw_receipt_void).number : 0;
    return NULL;
}

const fw_err *fww_press_receipt(fww_turn *t, const fw_delivery *d, fww_end *end)
{
    fw_document doc = {.kind = "receipt"};
    fw_command cmd = {.kind = FW_CMD_DOCUMENT_ADD, .document = &doc};
    fww_pressing making = {.key = KEY_RECEIPT};
    const fw_org *payer = NULL;
    fww_subject *subjects = NULL;
    fw_payment *p = NULL;
    int64_t replaced = 0;
    bool there = false;

    FW_TRY(fw_payment_load(t->db, fww_payload_id(t, d, "payment"), &p, t->pool));
    fww_end_set(end, FWW_END_DONE, NULL);
    if (!p->receipt_no)
        return FW_ERR(t->pool, FW_E_CORRUPT, 0, "a paid payment without a receipt's number");
    doc.number = apr_psprintf(t->pool, "%" APR_INT64_T_FMT, p->receipt_no);
    FW_TRY(is_there(t, doc.kind, doc.number, &there));
    if (there)
        return NULL;
    FW_TRY(find_replaced(t, p, &replaced));
    FW_TRY(load_subjects(t, p, &subjects));
    FW_TRY(load_payer(t, p, &subjects[0], &payer));
    making.reason = apr_pstrcat(t->pool, "Receipt ", doc.number, NULL);
    making.model = fww_paper_receipt(subjects, p->n_cases, p, replaced, payer);
    making.statement = fww_statement_receipt(subjects, p->n_cases, p);
    FW_TRY(fww_press_make(t, &making, &doc));
    doc.payment_id = p->id;
    cmd.target = p->cases[0];
    return keep(t, &cmd, &doc, end);
}
