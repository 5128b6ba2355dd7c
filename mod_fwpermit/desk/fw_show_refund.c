#include "fw_config.h"
#include "fw_show_refund.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_access.h"
#include "fw_store_payment.h"
#include "fw_store_refund.h"

#define OPEN_SHOWN  200
#define ENDED_SHOWN 100
#define OF_ONE      100 /* refunds of one payment */

/* "gateway:card expired": who said what; "not_known": what we say ourselves. */
static const char *trouble_of(const fw_show *s, const fw_refund *r)
{
    const char *said = r->trouble ? strchr(r->trouble, ':') : NULL;
    const char *who;

    if (!r->trouble)
        return NULL;
    if (!said)
        return fw_show_text(s, apr_pstrcat(s->pool, "refund.trouble.", r->trouble, NULL));
    who = apr_pstrmemdup(s->pool, r->trouble, (apr_size_t)(said - r->trouble));
    return fw_locale_format(s->desk->locale, s->lang,
                            apr_pstrcat(s->pool, "refund.trouble.", who, NULL),
                            fw_pack(s->pool, "{s:s}", "text", said + 1), s->pool);
}

static fw_value line_of(const fw_show *s, const fw_refund *r)
{
    bool hand = r->state == FW_REFUND_DUE || r->state == FW_REFUND_MANUAL;
    fw_value o = fw_pack(s->pool, "{s:o, s:i, s:o, s:I, s:s, s:s?, s:s?, s:s?, s:s?, s:o, s:o}",
                         "id", fw_show_id(s, r->id), "version", r->version, "state",
                         fw_show_state(s, "refund", fw_refund_state_name(r->state)), "amount",
                         (int64_t)r->amount, "cause",
                         fw_show_text(s, apr_pstrcat(s->pool, "refund.cause.", r->cause, NULL)),
                         "reason", r->reason, "trouble", trouble_of(s, r), "gateway_no",
                         r->gateway_no, "reference", r->reference, "created", fw_time(r->created),
                         "ended", r->ended ? fw_time(r->ended) : fw_null());

    fw_set(o, "again", fw_null());
    fw_set(o, "pay_out", fw_null());
    fw_show_set(o, s, "href", "/refunds/payments/%" APR_INT64_T_FMT, r->payment_id);
    if (hand && (s->actor->roles & FW_ROLE_CASHIER)) {
        fw_show_set(o, s, "again", "/refunds/%" APR_INT64_T_FMT "/again", r->id);
        fw_show_set(o, s, "pay_out", "/refunds/%" APR_INT64_T_FMT "/pay-out", r->id);
    }
    return o;
}

static fw_value lines_of(const fw_show *s, const apr_array_header_t *list)
{
    fw_value lines = fw_list(s->pool);

    for (int i = 0; i < list->nelts; i++) {
        const fw_refund_line *l = &APR_ARRAY_IDX(list, i, fw_refund_line);
        fw_value o = line_of(s, &l->refund);

        fw_set(o, "order_no", fw_text(l->order_no));
        fw_set(o, "method",
               fw_text(fw_show_text(s, apr_pstrcat(s->pool, "method.", l->method, NULL))));
        fw_show_set(o, s, "receipt_no", "%" APR_INT64_T_FMT, l->receipt_no);
        fw_set(o, "paid", fw_number(l->paid));
        fw_add(lines, o);
    }
    return lines;
}

const fw_err *fw_show_refunds(const fw_show *s, fw_value *model)
{
    apr_array_header_t *open = NULL, *ended = NULL;

    FW_TRY(fw_refund_list(s->db, false, OPEN_SHOWN, &open, s->pool));
    FW_TRY(fw_refund_list(s->db, true, ENDED_SHOWN, &ended, s->pool));
    *model = fw_pack(s->pool, "{s:o, s:o}", "open", lines_of(s, open), "ended", lines_of(s, ended));
    return NULL;
}

static fw_value cases_of(const fw_show *s, const fw_case *const *cases, int n)
{
    fw_value list = fw_list(s->pool);

    for (int i = 0; i < n; i++) {
        if (cases[i])
            fw_add(list, fw_pack(s->pool, "{s:s?, s:o, s:I}", "case_no", cases[i]->case_no, "state",
                                 fw_show_state(s, "state", fw_state_name(cases[i]->state)), "fee",
                                 (int64_t)cases[i]->fee));
    }
    return list;
}

/* Who may have the receipt made anew, and those that are void. */
static const fw_err *set_receipts(const fw_show *s, const fw_payment *p, fw_value o)
{
    apr_array_header_t *list = NULL;
    fw_value voids = fw_list(s->pool);

    FW_TRY(fw_receipt_voids(s->db, p->id, &list, s->pool));
    for (int i = 0; i < list->nelts; i++) {
        const fw_receipt_void *v = &APR_ARRAY_IDX(list, i, fw_receipt_void);

        fw_add(voids, fw_pack(s->pool, "{s:s, s:o, s:s}", "number",
                              apr_psprintf(s->pool, "%" APR_INT64_T_FMT, v->number), "when",
                              fw_time(v->at), "reason", v->reason));
    }
    fw_set(o, "voids", voids);
    fw_set(o, "version", fw_number(p->version));
    fw_set(o, "renew", fw_null());
    if (p->state == FW_PAY_PAID && p->receipt_no && p->refunded < p->amount)
        fw_show_set(o, s, "renew", "/receipts/payments/%" APR_INT64_T_FMT "/renew", p->id);
    return NULL;
}

const fw_err *fw_show_payment_refunds(const fw_show *s, const fw_payment *p, fw_value *model)
{
    const fw_case **cases = apr_palloc(s->pool, sizeof(*cases) * (apr_size_t)(p->n_cases + 1));
    fw_value o = fw_object(s->pool), lines = fw_list(s->pool);
    int64_t left = p->state == FW_PAY_PAID ? p->amount - p->promised : 0;
    apr_array_header_t *list = NULL;

    *model = o;
    FW_TRY(fw_refund_of_payment(s->db, p->id, OF_ONE, &list, s->pool));
    for (int i = 0; i < list->nelts; i++)
        fw_add(lines, line_of(s, &APR_ARRAY_IDX(list, i, fw_refund)));
    FW_TRY(fw_case_load_some(s->db, p->cases, p->n_cases, cases, s->pool));
    fw_show_set(o, s, "receipt_no", "%" APR_INT64_T_FMT, p->receipt_no);
    fw_set(o, "order_no", fw_text(p->order_no));
    fw_set(o, "gateway_no", fw_text(p->gateway_no));
    fw_set(o, "method", fw_text(fw_show_text(s, apr_pstrcat(s->pool, "method.", p->method, NULL))));
    fw_set(o, "paid", p->paid ? fw_time(p->paid) : fw_null());
    fw_set(o, "amount", fw_number(p->amount));
    fw_set(o, "promised", fw_number(p->promised));
    fw_set(o, "refunded", fw_number(p->refunded));
    fw_set(o, "left", fw_number(left));
    fw_set(o, "cases", cases_of(s, cases, p->n_cases));
    fw_set(o, "refunds", lines);
    FW_TRY(set_receipts(s, p, o));
    fw_set(o, "ask", fw_null());
    if (left > 0)
        fw_set(o, "ask",
               fw_pack(s->pool, "{s:s}", "action",
                       apr_psprintf(s->pool, "/refunds/payments/%" APR_INT64_T_FMT, p->id)));
    return fw_show_link(s, o, "payment", true);
}

void fw_show_refunded(fw_value o, const fw_payment *p)
{
    fw_set(o, "refunded", p->refunded > 0 ? fw_number(p->refunded) : fw_null());
    fw_set(o, "refund_due", fw_bool(p->promised > p->refunded));
    fw_set(o, "is_void", fw_bool(p->refunded > 0 && p->refunded == p->amount));
}
