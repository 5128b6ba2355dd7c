#include "fw_config.h"
#include "fwh.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_store_audit.h"
#include "fw_store_payment.h"

/* The dispatcher's, cashier's and auditor's pages. */

#define LIST_ROWS    50
#define ACCOUNTS_MAX 1000
#define RECEIPT_ROWS 200
#define AUDIT_ROWS   100
#define STATIONS_MAX 64

/* ---- dispatch ---- */

static bool seen(const char **stations, int n, const char *station)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(stations[i], station) == 0)
            return true;
    }
    return false;
}

static const fw_err *add_officers(fwh_req *q, json_t *list, const char *station)
{
    apr_array_header_t *officers = NULL;

    FW_TRY(fw_case_officers(q->db, station, &officers, q->pool));
    for (int i = 0; i < officers->nelts; i++) {
        const fw_officer *o = &APR_ARRAY_IDX(officers, i, fw_officer);

        json_array_append_new(list,
                              json_pack("{s:o, s:s, s:i, s:s}", "id", fw_show_id(o->id), "label",
                                        apr_psprintf(q->pool, "%s (%s)", o->name, station), "open",
                                        o->open, "station", station));
    }
    return NULL;
}

/* The initial reviewers of every station that has any. */
static const fw_err *list_officers(fwh_req *q, json_t **out)
{
    apr_array_header_t *accounts = NULL;
    const char *stations[STATIONS_MAX];
    int n = 0;

    *out = json_array();
    FW_TRY(fw_account_list(q->db, ACCOUNTS_MAX, &accounts, q->pool));
    for (int i = 0; i < accounts->nelts; i++) {
        const fw_account *a = &APR_ARRAY_IDX(accounts, i, fw_account);

        if (!a->station || !(a->roles & FW_ROLE_INITIAL) || n == STATIONS_MAX ||
            seen(stations, n, a->station))
            continue;
        stations[n++] = a->station;
        FW_TRY(add_officers(q, *out, a->station));
    }
    return NULL;
}

/* What waits, and what could be handed on. */
static json_t *dispatch_tabs(const fwh_req *q, bool assigned)
{
    const fw_locale *l = q->desk->locale;

    return json_pack("[{s:s, s:s, s:b}, {s:s, s:s, s:b}]", "href", "/dispatch", "label",
                     fw_locale_text(l, q->lang, "state.submitted"), "current", !assigned, "href",
                     "/dispatch?state=initial_review", "label",
                     fw_locale_text(l, q->lang, "state.initial_review"), "current", assigned);
}

const fw_err *fwh_do_dispatch(fwh_req *q)
{
    const char *state = fwh_take(q, "state");
    bool assigned = state && strcmp(state, "initial_review") == 0;
    fw_show s = fwh_show(q);
    fw_case_ask ask = {.list = FW_LIST_STATE,
                       .state = assigned ? "initial_review" : "submitted",
                       .after_due = fwh_take_id(q, "after_due"),
                       .after = fwh_take_id(q, "after"),
                       .limit = LIST_ROWS};
    json_t *lines = NULL, *next = NULL, *officers = NULL, *line;
    size_t i;

    FW_TRY(fw_show_case_page(&s, &ask, apr_psprintf(q->pool, "/dispatch?state=%s&", ask.state),
                             &lines, &next));
    json_array_foreach(lines, i, line) fw_show_set(line, &s, "assign_action", "/dispatch/%s/assign",
                                                   json_string_value(json_object_get(line, "id")));
    FW_TRY(list_officers(q, &officers));
    return fwh_page(q, "dispatch",
                    json_pack("{s:o, s:o, s:o, s:o, s:b}", "tabs", dispatch_tabs(q, assigned),
                              "cases", lines, "officers", officers, "next", next, "is_assigned",
                              assigned));
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

/* ---- receipts ---- */

const fw_err *fwh_do_receipts(fwh_req *q)
{
    fw_show s = fwh_show(q);
    apr_array_header_t *list = NULL;
    json_t *receipts = json_array();

    FW_TRY(fw_payment_receipts(q->db, RECEIPT_ROWS, &list, q->pool));
    for (int i = 0; i < list->nelts; i++) {
        const fw_payment *p = &APR_ARRAY_IDX(list, i, fw_payment);
        const char *number = apr_psprintf(q->pool, "%" APR_INT64_T_FMT, p->receipt_no);
        fw_document *doc = NULL;
        json_t *o;

        FW_TRY(fw_document_by_number(q->db, "receipt", number, &doc, q->pool));
        o = json_pack("{s:s, s:o, s:I, s:s, s:s, s:s?, s:b, s:n}", "number", number, "when",
                      fw_show_time(&s, p->paid), "amount", (json_int_t)p->amount, "method",
                      fw_show_text(&s, apr_pstrcat(q->pool, "method.", p->method, NULL)),
                      "order_no", p->order_no, "gateway_no", p->gateway_no, "refund_due",
                      p->reason && strcmp(p->reason, "refund_due") == 0, "href");
        if (doc)
            fw_show_set(o, &s, "href", "/review/%" APR_INT64_T_FMT "/documents/%" APR_INT64_T_FMT,
                        doc->case_id, doc->id);
        json_array_append_new(receipts, o);
    }
    return fwh_page(q, "receipts", json_pack("{s:o}", "receipts", receipts));
}

/* ---- audit ---- */

const fw_err *fwh_do_audit(fwh_req *q)
{
    fw_show s = fwh_show(q);
    apr_array_header_t *list = NULL;
    json_t *o = json_object(), *records = json_array();
    int64_t newest = 0;

    FW_TRY(fw_audit_recent(q->db, fwh_take_id(q, "before"), AUDIT_ROWS, &list, q->pool));
    for (int i = 0; i < list->nelts; i++) {
        const fw_audit *a = &APR_ARRAY_IDX(list, i, fw_audit);

        if (a->seal > newest)
            newest = a->seal;
        json_array_append_new(records,
                              json_pack("{s:o, s:s, s:s, s:s, s:s?, s:b, s:s}", "when",
                                        fw_show_time(&s, a->at), "who", a->actor ? a->actor : "",
                                        "what", a->command, "about", a->aggregate, "data", a->data,
                                        "sealed", a->seal != 0, "hash", a->hash));
    }
    json_object_set_new(o, "records", records);
    json_object_set_new(o, "seals", json_pack("{s:I, s:n}", "n", (json_int_t)newest, "when"));
    if (list->nelts == AUDIT_ROWS)
        fw_show_set(o, &s, "next", "/audit?before=%" APR_INT64_T_FMT,
                    APR_ARRAY_IDX(list, list->nelts - 1, fw_audit).id);
    else
        json_object_set_new(o, "next", json_null());
    return fwh_page(q, "audit", o);
}
