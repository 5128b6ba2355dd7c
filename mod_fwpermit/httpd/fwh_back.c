#include "fw_config.h"
#include "fwh.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "fw_show_refund.h"
#include "fw_store_audit.h"
#include "fw_store_payment.h"

/* The dispatcher's, cashier's and auditor's pages. */

#define LIST_ROWS    50
#define RECEIPT_ROWS 200
#define AUDIT_ROWS   100

/* ---- dispatch ---- */

static int by_station(const void *a, const void *b)
{
    const fw_officer *x = a, *y = b;
    int order = strcmp(x->station, y->station);

    return order ? order : (x->id > y->id) - (x->id < y->id);
}

/* The initial reviewers of every station that has any. */
static const fw_err *list_officers(fwh_req *q, fw_value *out)
{
    fw_show s = fwh_show(q);
    apr_array_header_t *officers = NULL;

    *out = fw_list(q->pool);
    FW_TRY(fw_case_officers(q->db, NULL, &officers, q->pool));
    qsort(officers->elts, (size_t)officers->nelts, sizeof(fw_officer), by_station);
    for (int i = 0; i < officers->nelts; i++) {
        const fw_officer *o = &APR_ARRAY_IDX(officers, i, fw_officer);

        fw_add(*out, fw_pack(q->pool, "{s:o, s:s, s:i, s:s}", "id", fw_show_id(&s, o->id), "label",
                             apr_psprintf(q->pool, "%s (%s)", o->name, o->station), "open", o->open,
                             "station", o->station));
    }
    return NULL;
}

/* What waits, what could be handed on, and what is held: the first is the plain page. */
static const char *const dispatch_states[] = {"submitted", "initial_review", "held"};
#define DISPATCH_STATES ((int)(sizeof(dispatch_states) / sizeof(dispatch_states[0])))

static int dispatch_state(const char *asked)
{
    for (int i = 0; asked && i < DISPATCH_STATES; i++) {
        if (strcmp(dispatch_states[i], asked) == 0)
            return i;
    }
    return 0;
}

static fw_value one_tab(const fwh_req *q, const char *href, const char *key, bool current)
{
    return fw_pack(q->pool, "{s:s, s:s, s:b}", "href", href, "label",
                   fw_locale_text(q->desk->locale, q->lang, key), "current", current);
}

static fw_value dispatch_tabs(const fwh_req *q, int current)
{
    fw_value tabs = fw_list(q->pool);

    for (int i = 0; i < DISPATCH_STATES; i++)
        fw_add(tabs,
               one_tab(q,
                       i ? apr_pstrcat(q->pool, "/dispatch?state=", dispatch_states[i], NULL)
                         : "/dispatch",
                       apr_pstrcat(q->pool, "state.", dispatch_states[i], NULL), i == current));
    return tabs;
}

const fw_err *fwh_do_dispatch(fwh_req *q)
{
    int tab = dispatch_state(fwh_take(q, "state"));
    bool held = strcmp(dispatch_states[tab], "held") == 0;
    fw_show s = fwh_show(q);
    fw_case_ask ask = {.list = FW_LIST_STATE,
                       .state = dispatch_states[tab],
                       .after_due = fwh_take_id(q, "after_due"),
                       .after = fwh_take_id(q, "after"),
                       .limit = LIST_ROWS};
    fw_value lines = {0}, next = {0}, officers = {0}, line;

    FW_TRY(fw_show_case_page(&s, &ask, apr_psprintf(q->pool, "/dispatch?state=%s&", ask.state),
                             &lines, &next));
    fw_each(lines, i, line)
    {
        bool waits = tab == 0 && fw_get(line, "unchecked").as.number > 0;

        if (held || waits)
            fw_set(line, "assign_action", fw_null());
        else
            fw_show_set(line, &s, "assign_action", "/dispatch/%s/assign",
                        fw_chars(fw_get(line, "id")));
    }
    FW_TRY(fw_show_identities(&s, lines));
    FW_TRY(list_officers(q, &officers));
    return fwh_page(q, "dispatch",
                    fw_pack(q->pool, "{s:o, s:o, s:o, s:o, s:b}", "tabs", dispatch_tabs(q, tab),
                            "cases", lines, "officers", officers, "next", next, "is_assigned",
                            strcmp(ask.state, "initial_review") == 0));
}

const fw_err *fwh_do_dispatch_assign(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_CASE_ASSIGN, q->kase->id);
    fw_result result = {0};

    cmd.officer_id = fwh_take_id(q, "officer");
    FW_TRY(fwh_take_version(q, &cmd.version));
    FW_TRY(fwh_fields_end(q));
    FW_TRY(fwh_perform(q, &cmd, &result));
    return fwh_result(q, &result, "/dispatch", "assigned");
}

/* ---- arrivals of nobody ---- */

const fw_err *fwh_do_arrivals(fwh_req *q)
{
    fw_show s = fwh_show(q);
    fw_value lines = {0};

    FW_TRY(fw_show_arrivals(&s, LIST_ROWS, &lines));
    return fwh_page(q, "arrivals", fw_pack(q->pool, "{s:o}", "arrivals", lines));
}

const fw_err *fwh_do_arrival_link(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_MOVEMENT_LINK, apr_strtoi64(q->arg[0], NULL, 10));
    fw_result result = {0};

    cmd.worker_id = fwh_take_id(q, "worker");
    FW_TRY(fwh_fields_end(q));
    FW_TRY(fwh_perform(q, &cmd, &result));
    return fwh_result(q, &result, "/arrivals", "linked");
}

/* ---- receipts ---- */

static fw_value receipt_tabs(const fwh_req *q, bool held)
{
    fw_value tabs = fw_list(q->pool);

    fw_add(tabs, one_tab(q, "/receipts", "receipts.all", !held));
    fw_add(tabs, one_tab(q, "/receipts?list=held", "state.held", held));
    return tabs;
}

/* Paid, or without a fee, and held for a fine: what the cashier is asked about. */
static const fw_err *held_cases(fwh_req *q)
{
    fw_show s = fwh_show(q);
    fw_case_ask ask = {.list = FW_LIST_STATE,
                       .state = "held",
                       .after_due = fwh_take_id(q, "after_due"),
                       .after = fwh_take_id(q, "after"),
                       .limit = LIST_ROWS};
    fw_value lines = {0}, next = {0};

    FW_TRY(fw_show_case_page(&s, &ask, "/receipts?list=held&", &lines, &next));
    return fwh_page(q, "receipts",
                    fw_pack(q->pool, "{s:o, s:n, s:o, s:o}", "tabs", receipt_tabs(q, true),
                            "receipts", "cases", lines, "next", next));
}

const fw_err *fwh_do_receipts(fwh_req *q)
{
    const char *which = fwh_take(q, "list");
    fw_show s = fwh_show(q);
    apr_array_header_t *list = NULL;
    fw_value receipts = fw_list(q->pool);

    if (which && strcmp(which, "held") == 0)
        return held_cases(q);
    FW_TRY(fw_payment_receipts(q->db, RECEIPT_ROWS, &list, q->pool));
    for (int i = 0; i < list->nelts; i++) {
        const fw_receipt_line *l = &APR_ARRAY_IDX(list, i, fw_receipt_line);
        const fw_payment *p = &l->payment;
        const char *number =
            apr_psprintf(q->pool, "%" APR_INT64_T_FMT, l->void_no ? l->void_no : p->receipt_no);
        fw_value o;

        o = fw_pack(q->pool, "{s:s, s:o, s:I, s:s, s:s, s:s?, s:n}", "number", number, "when",
                    fw_time(p->paid), "amount", (int64_t)p->amount, "method",
                    fw_show_text(&s, apr_pstrcat(q->pool, "method.", p->method, NULL)), "order_no",
                    p->order_no, "gateway_no", p->gateway_no, "href");
        fw_show_refunded(o, p);
        fw_set(o, "replaced", fw_null());
        if (l->void_no)
            fw_set(o, "replaced",
                   fw_pack(q->pool, "{s:s, s:s}", "by",
                           apr_psprintf(q->pool, "%" APR_INT64_T_FMT, p->receipt_no), "reason",
                           l->why));
        fw_show_set(o, &s, "refund_href", "/refunds/payments/%" APR_INT64_T_FMT, p->id);
        if (l->document)
            fw_show_set(o, &s, "href", "/review/%" APR_INT64_T_FMT "/documents/%" APR_INT64_T_FMT,
                        l->kase, l->document);
        fw_add(receipts, o);
    }
    return fwh_page(q, "receipts",
                    fw_pack(q->pool, "{s:o, s:o, s:n, s:n}", "tabs", receipt_tabs(q, false),
                            "receipts", receipts, "cases", "next"));
}

/* ---- audit ---- */

const fw_err *fwh_do_audit(fwh_req *q)
{
    fw_show s = fwh_show(q);
    apr_array_header_t *list = NULL;
    fw_value o = fw_object(q->pool), records = fw_list(q->pool);
    int64_t newest = 0;

    FW_TRY(fw_audit_recent(q->db, fwh_take_id(q, "before"), AUDIT_ROWS, &list, q->pool));
    for (int i = 0; i < list->nelts; i++) {
        const fw_audit *a = &APR_ARRAY_IDX(list, i, fw_audit);

        if (a->seal > newest)
            newest = a->seal;
        fw_add(records,
               fw_pack(q->pool, "{s:o, s:s, s:s, s:s, s:s?, s:b, s:s}", "when", fw_time(a->at),
                       "who", a->actor ? a->actor : "", "what", a->command, "about", a->aggregate,
                       "data", a->data, "sealed", a->seal != 0, "hash", a->hash));
    }
    fw_set(o, "records", records);
    fw_set(o, "seals", fw_pack(q->pool, "{s:I, s:n}", "n", (int64_t)newest, "when"));
    if (list->nelts == AUDIT_ROWS)
        fw_show_set(o, &s, "next", "/audit?before=%" APR_INT64_T_FMT,
                    APR_ARRAY_IDX(list, list->nelts - 1, fw_audit).id);
    else
        fw_set(o, "next", fw_null());
    return fwh_page(q, "audit", o);
}
