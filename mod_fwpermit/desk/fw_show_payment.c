#include "fw_config.h"
#include "fw_show.h"

#include <string.h>

#include <apr_strings.h>
#include <openssl/crypto.h>

#include "fw_json.h"
#include "fw_show_refund.h"
#include "fw_show_system.h"
#include "fw_store_payment.h"

#define REFRESH_S 3 /* how often a page that waits looks again */

static const char *const methods[] = {"card", "atm", "cvs"};

static fw_value method_list(const fw_show *s)
{
    fw_value list = fw_list(s->pool);

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        fw_add(
            list,
            fw_pack(s->pool, "{s:s, s:s, s:s}", "code", methods[i], "label",
                    fw_show_text(s, apr_pstrcat(s->pool, "method.", methods[i], NULL)), "hint",
                    fw_show_text(s, apr_pstrcat(s->pool, "method.", methods[i], ".hint", NULL))));
    return list;
}

const fw_err *fw_show_pay(const fw_show *s, const fw_case *const *cases, int n, fw_value *model)
{
    fw_value lines = fw_show_lines_of(s, cases, n), line;
    int64_t total = 0;

    fw_each(lines, i, line) total += fw_get(line, "fee").as.number;
    *model = fw_pack(s->pool, "{s:o, s:I, s:o, s:s}", "cases", lines, "total", total, "methods",
                     method_list(s), "action", "/payments");
    return fw_show_link(s, *model, "payment", true);
}

/* The gateway's form: {"action","method","fields": [[name, value]]} as the plugin gave it. */
static fw_value redirect_of(const fw_show *s, const fw_payment *p)
{
    fw_value from, pair, fields = fw_list(s->pool);

    if (p->state != FW_PAY_BEGUN || !p->redirect)
        return fw_null();
    from = fw_of_json(fw_json_parse(p->redirect, s->pool), s->pool);
    fw_each(fw_get(from, "fields"), i, pair) fw_add(
        fields, fw_pack(s->pool, "{s:o, s:o}", "name", fw_at(pair, 0), "value", fw_at(pair, 1)));
    return fw_pack(s->pool, "{s:o, s:o, s:o}", "action", fw_get(from, "action"), "method",
                   fw_get(from, "method"), "fields", fields);
}

static fw_value code_of(const fw_show *s, const fw_payment *p)
{
    fw_value o;

    if (p->state != FW_PAY_CODE || !p->code)
        return fw_null();
    o = fw_of_json(fw_json_parse(p->code, s->pool), s->pool);
    fw_set(o, "expires", fw_time(p->expires));
    return o;
}

static const fw_err *receipt_of(const fw_show *s, const fw_payment *p, fw_value *out)
{
    const char *number = apr_psprintf(s->pool, "%" APR_INT64_T_FMT, p->receipt_no);
    fw_document *doc = NULL;

    *out = fw_null();
    if (!p->receipt_no)
        return NULL;
    FW_TRY(fw_document_by_number(s->db, "receipt", number, &doc, s->pool));
    *out = fw_pack(s->pool, "{s:s}", "number", number);
    if (doc)
        fw_show_set(*out, s, "href", "/cases/%" APR_INT64_T_FMT "/documents/%" APR_INT64_T_FMT,
                    p->cases[0], doc->id);
    else
        fw_set(*out, "href", fw_null());
    return NULL;
}

static bool all_are(const fw_case *const *cases, int n, fw_state_e state)
{
    for (int i = 0; i < n; i++) {
        if (!cases[i] || cases[i]->state != state)
            return false;
    }
    return true;
}

const fw_err *fw_show_payment(const fw_show *s, const fw_payment *p, fw_value *model)
{
    bool ended = p->state == FW_PAY_FAILED || p->state == FW_PAY_EXPIRED;
    bool waits = !ended && p->state != FW_PAY_PAID;
    const fw_case **cases;
    fw_value o = fw_object(s->pool), part = {0};
    const char *again = "/pay?";

    *model = o;
    for (int i = 0; i < p->n_cases; i++)
        again =
            apr_psprintf(s->pool, "%s%scase=%" APR_INT64_T_FMT, again, i ? "&" : "", p->cases[i]);
    fw_set(o, "id", fw_show_id(s, p->id));
    fw_set(o, "state", fw_show_state(s, "pay", fw_pay_state_name(p->state)));
    fw_set(o, "amount", fw_number(p->amount));
    fw_set(o, "method", fw_text(fw_show_text(s, apr_pstrcat(s->pool, "method.", p->method, NULL))));
    fw_set(o, "order_no", fw_text(p->order_no));
    cases = apr_palloc(s->pool, sizeof(fw_case *) * (apr_size_t)(p->n_cases + 1));
    FW_TRY(fw_case_load_some(s->db, p->cases, p->n_cases, cases, s->pool));
    fw_set(o, "cases", fw_show_lines_of(s, cases, p->n_cases));
    fw_set(o, "is_waiting", fw_bool(p->state == FW_PAY_WANTED));
    fw_set(o, "redirect", redirect_of(s, p));
    fw_set(o, "code", code_of(s, p));
    fw_set(o, "is_paid", fw_bool(p->state == FW_PAY_PAID));
    fw_set(o, "is_issued", fw_bool(all_are(cases, p->n_cases, FW_STATE_ISSUED)));
    FW_TRY(receipt_of(s, p, &part));
    fw_set(o, "receipt", part);
    fw_show_refunded(o, p);
    fw_set(o, "is_ended", fw_bool(ended));
    fw_set(o, "again_href", fw_text(again));
    fw_set(o, "refresh_s", fw_number(REFRESH_S));
    return fw_show_link(s, o, "payment", waits);
}

/* ---- the public page ---- */

static bool same_code(const char *a, const char *b)
{
    size_t n = strlen(a);

    return strlen(b) == n && CRYPTO_memcmp(a, b, n) == 0;
}

const char *fw_show_clean_code(const char *text, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, strlen(text) + 1), *o = out;

    for (const char *p = text; *p; p++) {
        char c = *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;

        if (c == ' ' || c == '-')
            continue;
        *o++ = c == 'O' ? '0' : c == 'I' || c == 'L' ? '1' : c;
    }
    *o = '\0';
    return out;
}

static fw_value found(const fw_show *s, const fw_permit *p)
{
    const char *today = fw_date_text(fw_date_of(s->now), s->pool);
    bool expired = strcmp(today, p->valid_to) > 0;
    bool valid = strcmp(p->state, "valid") == 0;
    const char *state = valid && expired ? "expired" : p->state;
    const fw_service *service = fw_services_find(s->desk->services, p->kind);
    fw_value o = fw_pack(s->pool, "{s:s, s:s, s:o, s:s, s:s, s:o}", "permit_no", p->permit_no,
                         "kind", service ? fw_label_text(&service->doc_title, s->lang) : p->kind,
                         "state", fw_show_state(s, "permit", state), "valid_from", p->valid_from,
                         "valid_to", p->valid_to, "checked", fw_time(s->now));

    fw_set(o, "is_valid", fw_bool(valid && !expired));
    fw_set(o, "begins_later", fw_bool(valid && strcmp(today, p->valid_from) < 0));
    fw_set(o, "is_expired", fw_bool(valid && expired));
    fw_set(o, "is_superseded", fw_bool(strcmp(p->state, "superseded") == 0));
    fw_set(o, "by_card",
           fw_bool(p->reason && strcmp(p->state, "superseded") == 0 &&
                   strcmp(p->reason, "card") == 0));
    fw_set(o, "is_lost", fw_bool(p->reason && strcmp(p->reason, "card_lost") == 0));
    fw_set(o, "is_waiting", fw_bool(strcmp(p->state, "waiting") == 0));
    fw_set(o, "is_revoked", fw_bool(strcmp(p->state, "revoked") == 0));
    return o;
}

const fw_err *fw_show_verify(const fw_show *s, const char *no, const char *code, fw_value *model)
{
    bool asked = no && *no && code && *code;
    fw_permit *p = NULL;
    const fw_err *err = NULL;
    const char *clean_no = "";
    bool right = false;

    if (asked) {
        clean_no = fw_show_clean_code(no, s->pool);
        err = fw_permit_by_no(s->db, apr_pstrdup(s->pool, no), &p, s->pool);
        if (err && err->code == FW_E_NOTFOUND && strcmp(clean_no, no) != 0)
            err = fw_permit_by_no(s->db, clean_no, &p, s->pool);
        if (err && err->code != FW_E_NOTFOUND)
            return err;
        right = !err && same_code(p->code, fw_show_clean_code(code, s->pool));
    }
    *model = fw_pack(s->pool, "{s:s, s:s, s:b, s:o}", "no", no ? no : "", "code", code ? code : "",
                     "asked", asked, "found", right ? found(s, p) : fw_null());
    return NULL;
}
