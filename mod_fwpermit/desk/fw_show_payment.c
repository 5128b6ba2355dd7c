#include "fw_config.h"
#include "fw_show.h"

#include <string.h>

#include <apr_strings.h>
#include <openssl/crypto.h>

#include "fw_store_payment.h"

#define REFRESH_S 3 /* how often a page that waits looks again */

static const char *const methods[] = {"card", "atm", "cvs"};

static json_t *method_list(const fw_show *s)
{
    json_t *list = json_array();

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        json_array_append_new(
            list,
            json_pack("{s:s, s:s, s:s}", "code", methods[i], "label",
                      fw_show_text(s, apr_pstrcat(s->pool, "method.", methods[i], NULL)), "hint",
                      fw_show_text(s, apr_pstrcat(s->pool, "method.", methods[i], ".hint", NULL))));
    return list;
}

const fw_err *fw_show_pay(const fw_show *s, const fw_id *cases, int n, json_t **model)
{
    json_t *lines = NULL, *line;
    json_int_t total = 0;
    size_t i;

    FW_TRY(fw_show_lines_of(s, cases, n, &lines));
    json_array_foreach(lines, i, line) total += json_integer_value(json_object_get(line, "fee"));
    *model = json_pack("{s:o, s:I, s:o, s:s}", "cases", lines, "total", total, "methods",
                       method_list(s), "action", "/payments");
    return NULL;
}

/* The gateway's form: {"action","method","fields": [[name, value]]} as the plugin gave it. */
static json_t *redirect_of(const fw_payment *p)
{
    json_t *from, *pair, *fields = json_array(), *o;
    size_t i;

    if (p->state != FW_PAY_BEGUN || !p->redirect)
        return json_null();
    from = json_loads(p->redirect, 0, NULL);
    json_array_foreach(json_object_get(from, "fields"), i, pair)
        json_array_append_new(fields, json_pack("{s:O, s:O}", "name", json_array_get(pair, 0),
                                                "value", json_array_get(pair, 1)));
    o = json_pack("{s:O, s:O, s:o}", "action", json_object_get(from, "action"), "method",
                  json_object_get(from, "method"), "fields", fields);
    json_decref(from);
    return o ? o : json_null();
}

static json_t *code_of(const fw_show *s, const fw_payment *p)
{
    json_t *o;

    if (p->state != FW_PAY_CODE || !p->code)
        return json_null();
    o = json_loads(p->code, 0, NULL);
    json_object_set_new(o, "expires", fw_show_time(s, p->expires));
    return o;
}

static const fw_err *receipt_of(const fw_show *s, const fw_payment *p, json_t **out)
{
    const char *number = apr_psprintf(s->pool, "%" APR_INT64_T_FMT, p->receipt_no);
    fw_document *doc = NULL;

    *out = json_null();
    if (!p->receipt_no)
        return NULL;
    FW_TRY(fw_document_by_number(s->db, "receipt", number, &doc, s->pool));
    *out = json_pack("{s:s}", "number", number);
    if (doc)
        fw_show_set(*out, s, "href", "/cases/%" APR_INT64_T_FMT "/documents/%" APR_INT64_T_FMT,
                    p->cases[0], doc->id);
    else
        json_object_set_new(*out, "href", json_null());
    return NULL;
}

const fw_err *fw_show_payment(const fw_show *s, const fw_payment *p, json_t **model)
{
    bool ended = p->state == FW_PAY_FAILED || p->state == FW_PAY_EXPIRED;
    json_t *o = json_object(), *part = NULL;
    const char *again = "/pay?";

    *model = o;
    for (int i = 0; i < p->n_cases; i++)
        again =
            apr_psprintf(s->pool, "%s%scase=%" APR_INT64_T_FMT, again, i ? "&" : "", p->cases[i]);
    json_object_set_new(o, "id", fw_show_id(p->id));
    json_object_set_new(o, "state", fw_show_state(s, "pay", fw_pay_state_name(p->state)));
    json_object_set_new(o, "amount", json_integer(p->amount));
    json_object_set_new(
        o, "method",
        json_string(fw_show_text(s, apr_pstrcat(s->pool, "method.", p->method, NULL))));
    json_object_set_new(o, "order_no", json_string(p->order_no));
    FW_TRY(fw_show_lines_of(s, p->cases, p->n_cases, &part));
    json_object_set_new(o, "cases", part);
    json_object_set_new(o, "is_waiting", json_boolean(p->state == FW_PAY_WANTED));
    json_object_set_new(o, "redirect", redirect_of(p));
    json_object_set_new(o, "code", code_of(s, p));
    json_object_set_new(o, "is_paid", json_boolean(p->state == FW_PAY_PAID));
    FW_TRY(receipt_of(s, p, &part));
    json_object_set_new(o, "receipt", part);
    json_object_set_new(o, "is_ended", json_boolean(ended));
    json_object_set_new(o, "again_href", json_string(again));
    json_object_set_new(o, "refresh_s", json_integer(REFRESH_S));
    return NULL;
}

/* ---- the public page ---- */

static bool same_code(const char *a, const char *b)
{
    size_t n = strlen(a);

    return strlen(b) == n && CRYPTO_memcmp(a, b, n) == 0;
}

/* As people type it: without spaces and dashes, upper case, O for 0 and I or L for 1 (Crockford). */
static const char *clean_code(const char *text, apr_pool_t *pool)
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

static json_t *found(const fw_show *s, const fw_permit *p)
{
    const char *today = fw_date_text(fw_date_of(s->now), s->pool);
    bool expired = strcmp(today, p->valid_to) > 0;
    bool valid = strcmp(p->state, "valid") == 0;
    const char *state = valid && expired ? "expired" : p->state;
    const fw_service *service = fw_services_find(s->desk->services, p->kind);
    json_t *o = json_pack("{s:s, s:s, s:o, s:s, s:s, s:o}", "permit_no", p->permit_no, "kind",
                          service ? fw_label_text(&service->doc_title, s->lang) : p->kind, "state",
                          fw_show_state(s, "permit", state), "valid_from", p->valid_from,
                          "valid_to", p->valid_to, "checked", fw_show_time(s, s->now));

    json_object_set_new(o, "is_valid", json_boolean(valid && !expired));
    json_object_set_new(o, "begins_later", json_boolean(valid && strcmp(today, p->valid_from) < 0));
    json_object_set_new(o, "is_expired", json_boolean(valid && expired));
    json_object_set_new(o, "is_superseded", json_boolean(strcmp(p->state, "superseded") == 0));
    json_object_set_new(o, "is_revoked", json_boolean(strcmp(p->state, "revoked") == 0));
    return o;
}

const fw_err *fw_show_verify(const fw_show *s, const char *no, const char *code, json_t **model)
{
    bool asked = no && *no && code && *code;
    fw_permit *p = NULL;
    const fw_err *err = NULL;
    const char *clean_no = "";
    bool right = false;

    if (asked) {
        clean_no = clean_code(no, s->pool);
        err = fw_permit_by_no(s->db, apr_pstrdup(s->pool, no), &p, s->pool);
        if (err && err->code == FW_E_NOTFOUND && strcmp(clean_no, no) != 0)
            err = fw_permit_by_no(s->db, clean_no, &p, s->pool);
        if (err && err->code != FW_E_NOTFOUND)
            return err;
        right = !err && same_code(p->code, clean_code(code, s->pool));
    }
    *model = json_pack("{s:s, s:s, s:b, s:o}", "no", no ? no : "", "code", code ? code : "",
                       "asked", asked, "found", right ? found(s, p) : json_null());
    return NULL;
}
