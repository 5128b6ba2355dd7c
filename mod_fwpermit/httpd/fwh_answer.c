#include "fw_config.h"
#include "fwh.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_file_name.h"

APLOG_USE_MODULE(fwpermit);

#define LANG_COOKIE_S 31536000

fw_show fwh_show(const fwh_req *q)
{
    fw_show s = {q->desk, q->db, &q->actor, q->lang, q->desk->now(), q->pool};

    return s;
}

/* ---- headers ---- */

static void set_headers(fwh_req *q)
{
    apr_table_t *h = q->r->headers_out;
    const char *also = q->form_action ? q->form_action : "";

    apr_table_setn(h, "Cache-Control", "no-store");
    apr_table_setn(h, "X-Content-Type-Options", "nosniff");
    apr_table_setn(h, "Referrer-Policy", "same-origin");
    apr_table_setn(h, "X-Frame-Options", "DENY");
    apr_table_setn(h, "Cross-Origin-Opener-Policy", "same-origin");
    apr_table_setn(h, "Permissions-Policy", "geolocation=(), microphone=(), camera=(self)");
    apr_table_setn(h, "Vary", "Accept, Accept-Language, Cookie");
    apr_table_setn(h, "Content-Security-Policy",
                   apr_pstrcat(q->pool,
                               "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; "
                               "base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
                               *also ? " " : "", also, NULL));
}

static void send_bytes(fwh_req *q, const char *type, const char *bytes, apr_size_t n)
{
    fwh_db_give(q);
    set_headers(q);
    q->r->status = q->status ? q->status : HTTP_OK;
    ap_set_content_type(q->r, type);
    ap_set_content_length(q->r, (apr_off_t)n);
    if (!q->r->header_only)
        ap_rwrite(bytes, (int)n, q->r);
}

const fw_err *fwh_bytes(fwh_req *q, const char *type, const char *bytes, apr_size_t n)
{
    send_bytes(q, type, bytes, n);
    return NULL;
}

static const fw_err *send_json(fwh_req *q, const char *type, fw_value o)
{
    const char *text = NULL;
    apr_size_t n = 0;

    FW_TRY(fw_value_json(o, &text, &n, q->pool));
    return fwh_bytes(q, type, text, n);
}

/* ---- pages ---- */

/* A form that is shown again with what is wrong shows what was loaded as any page does. */
static bool is_read(const fwh_req *q, const char *template)
{
    return (q->kase || q->worker || q->payment || q->account) && strcmp(template, "problem") != 0 &&
           q->r->method_number == M_POST;
}

static const fw_err *fill(fwh_req *q, const char *template, fw_value model)
{
    const char *html = NULL;
    apr_size_t n = 0;

    if (is_read(q, template))
        FW_TRY(fwh_note_read(q));
    fwh_chrome(q, model, template);
    FW_TRY(fw_template_render(q->child->templates, template, model, q->lang, &html, &n, q->pool));
    send_bytes(q, "text/html; charset=utf-8", html, n);
    return NULL;
}

const fw_err *fwh_page(fwh_req *q, const char *template, fw_value model)
{
    if (!fw_is(model))
        return FW_ERR(q->pool, FW_E_INTERNAL, 0, "page %s has no model", template);
    /* Of all models problems alone have a type. */
    if (q->json)
        return send_json(
            q, fw_is(fw_get(model, "type")) ? "application/problem+json" : "application/json",
            model);
    return fill(q, template, model);
}

const fw_err *fwh_redirect(fwh_req *q, const char *href, const char *notice)
{
    const char *anchor = strchr(href, '#'), *to = href;

    if (anchor)
        href = apr_pstrmemdup(q->pool, href, (apr_size_t)(anchor - href));
    if (notice)
        to = apr_pstrcat(q->pool, href, strchr(href, '?') ? "&" : "?", "done=", notice, anchor,
                         NULL);
    set_headers(q);
    apr_table_setn(q->r->headers_out, "Location", to);
    q->r->status = HTTP_SEE_OTHER;
    ap_set_content_type(q->r, "text/plain; charset=utf-8");
    ap_set_content_length(q->r, 0);
    return NULL;
}

/* ---- results ---- */

int fwh_status_of(fw_code_e code)
{
    switch (code) {
    case FW_E_INPUT:
        return HTTP_UNPROCESSABLE_ENTITY;
    case FW_E_NOTFOUND:
        return HTTP_NOT_FOUND;
    case FW_E_FORBIDDEN:
        return HTTP_FORBIDDEN;
    case FW_E_CONFLICT:
        return HTTP_CONFLICT;
    case FW_E_LIMIT:
        return HTTP_REQUEST_ENTITY_TOO_LARGE;
    case FW_E_BUSY:
    case FW_E_UNAVAILABLE:
        return HTTP_SERVICE_UNAVAILABLE;
    case FW_E_INTERNAL:
    case FW_E_CONFIG:
    case FW_E_CORRUPT:
        break;
    }
    return HTTP_INTERNAL_SERVER_ERROR;
}

fw_value fwh_errors(const fwh_req *q, const fw_refusal *refusals, int n)
{
    fw_show s = fwh_show(q);
    fw_value list = fw_list(q->pool);

    for (int i = 0; i < n; i++)
        fw_add(list, fw_pack(q->pool, "{s:s?, s:s, s:s}", "field", refusals[i].field, "key",
                             refusals[i].key, "reason", fw_show_reason(&s, &refusals[i])));
    return list;
}

/* A reason as the summary at the top of a page tells it, far from its field: "Sex: Please choose one". A rule's own words,
 * and a box to tick, name their field already. */
static const char *summary_of(const fwh_req *q, const fw_refusal *r, const char *reason)
{
    const fw_services *all = q->desk->services;

    for (int i = 0; r->field && strcmp(r->key, "field.rule") != 0 && i < fw_services_count(all);
         i++) {
        const fw_field *f = fw_service_field(fw_services_at(all, i), r->field);

        if (f && f->type != FW_FIELD_CONFIRM)
            return apr_pstrcat(q->pool, fw_label_text(&f->label, q->lang),
                               strncmp(q->lang, "en", 2) == 0 ? ": " : "：", reason, NULL);
    }
    return reason;
}

void fwh_form_errors(fwh_req *q, const fw_result *result)
{
    fw_show s = fwh_show(q);

    q->status = fwh_status_of(result->code);
    q->errors = fw_list(q->pool);
    for (int i = 0; i < result->n_refusals; i++) {
        const fw_refusal *r = &result->refusals[i];
        fw_value o = fw_pack(q->pool, "{s:s}", "text", summary_of(q, r, fw_show_reason(&s, r)));

        if (r->field)
            fw_show_set(o, &s, "href", "#f-%s", r->field);
        fw_add(q->errors, o);
    }
}

static const char *title_of(const fwh_req *q, int status)
{
    return fw_locale_text(q->desk->locale, q->lang,
                          apr_psprintf(q->pool, "problem.title.%d", status));
}

static bool is_plain_path(const char *path)
{
    const char *p = path;

    while (*p > 0x20 && *p < 0x7f && *p != '\\')
        p++;
    return path[0] == '/' && path[1] != '/' && !*p;
}

/* The page of ours that led here, where it is another than this one. */
static const char *back_of(const fwh_req *q)
{
    const char *from = apr_table_get(q->r->headers_in, "Referer");
    const char *base = q->desk->settings->base_url;
    size_t n = strlen(base);

    if (!from || strncmp(from, base, n) != 0 || !is_plain_path(from + n))
        return "/";
    if (q->r->method_number == M_GET && strcmp(from + n, q->r->unparsed_uri) == 0)
        return "/";
    return from + n;
}

/* Of the request, in both logs: what a person may read out to who looks into them. "": mod_unique_id is not loaded. */
static const char *log_id(const fwh_req *q)
{
    const char *id = apr_table_get(q->r->subprocess_env, "UNIQUE_ID");

    return id ? id : "";
}

const fw_err *fwh_problem(fwh_req *q, int status, const char *key, fw_value errors)
{
    const char *detail = fw_locale_text(q->desk->locale, q->lang, key),
               *title = title_of(q, status);
    fw_value o;

    q->status = status;
    if (status == HTTP_SERVICE_UNAVAILABLE)
        apr_table_setn(q->r->headers_out, "Retry-After", "2");
    if (status == HTTP_UNAUTHORIZED)
        apr_table_setn(q->r->headers_out, "WWW-Authenticate", "FwPermit realm=\"/login\"");
    if (q->json) {
        o = fw_pack(q->pool, "{s:s, s:s, s:i, s:s, s:s}", "type",
                    apr_pstrcat(q->pool, "/problems/", key, NULL), "title", title, "status", status,
                    "detail", detail, "log_id", log_id(q));
        fw_set(o, "errors", fw_is(errors) ? errors : fw_list(q->pool));
        return send_json(q, "application/problem+json", o);
    }
    o = fw_pack(q->pool, "{s:i, s:s, s:s, s:s, s:s, s:s}", "status", status, "problem_title", title,
                "detail", detail, "hint", "", "back", back_of(q), "log_id", log_id(q));
    if (fw_size(errors) > 0)
        fw_set(o, "reasons", errors);
    return fwh_page(q, "problem", o);
}

const fw_err *fwh_refused(fwh_req *q, const fw_result *result)
{
    const char *key = result->n_refusals > 0 ? result->refusals[0].key : "problem.input";
    int status = fwh_status_of(result->code);

    if (result->code == FW_E_INPUT && result->n_refusals > 0 && result->refusals[0].field)
        key = "problem.input";
    return fwh_problem(q, status, key, fwh_errors(q, result->refusals, result->n_refusals));
}

const fw_err *fwh_result(fwh_req *q, const fw_result *result, const char *href, const char *notice)
{
    fw_show s = fwh_show(q);
    fw_value o;

    if (result->verdict == FW_REFUSED)
        return fwh_refused(q, result);
    if (!q->json)
        return fwh_redirect(q, href, notice);
    o = fw_pack(q->pool, "{s:s, s:o, s:s}", "verdict",
                result->verdict == FW_ACCEPTED ? "accepted" : "done", "answer",
                fw_show_id(&s, result->answer), "href", href);
    if (result->state) {
        fw_value c = fw_pack(q->pool, "{s:s?, s:o, s:i}", "case_no", result->case_no, "state",
                             fw_show_state(&s, "state", result->state), "version", result->version);

        fw_set(o, "case", c);
    }
    q->status = result->verdict == FW_ACCEPTED ? HTTP_ACCEPTED : HTTP_OK;
    return fwh_page(q, "", o);
}

/* ---- files, cookies ---- */

const fw_err *fwh_vault_file(fwh_req *q, const char *vault, const char *mime, const char *name)
{
    fw_vault_reader *reader = NULL;
    const unsigned char *data;
    size_t n;

    FW_TRY(fw_vault_read_open(&reader, q->desk->vault, vault, q->pool));
    /* The first piece is read before anything is sent: what is corrupt from the start gets an error's answer. */
    FW_TRY(fw_vault_read(reader, &data, &n));
    fwh_db_give(q);
    set_headers(q);
    apr_table_setn(q->r->headers_out, "Content-Security-Policy", "default-src 'none'; sandbox");
    apr_table_setn(q->r->headers_out, "Content-Disposition",
                   fw_file_name_disposition(name, mime, q->pool));
    ap_set_content_type(q->r, apr_pstrdup(q->pool, mime));
    ap_set_content_length(q->r, fw_vault_size(reader));
    while (n > 0 && !q->r->header_only && !q->r->connection->aborted) {
        const fw_err *err;

        ap_rwrite(data, (int)n, q->r);
        err = fw_vault_read(reader, &data, &n);
        if (!err)
            continue;
        /* Too late for another answer: the connection is cut, and the length tells that bytes lack. */
        fwh_log(ERR, q->r, "0104", "a file of the vault fails its check: %s",
                fw_err_text(err, q->pool));
        q->r->connection->keepalive = AP_CONN_CLOSE;
        q->r->connection->aborted = 1;
        return NULL;
    }
    return NULL;
}

const char *fwh_session_cookie(const fwh_req *q)
{
    return q->desk->settings->cookie_secure ? "__Host-fwpermit" : "fwpermit";
}

void fwh_cookie_set(fwh_req *q, const char *name, const char *value, int max_age_s)
{
    const char *age = max_age_s < 0 ? "" : apr_psprintf(q->pool, "; Max-Age=%d", max_age_s);

    apr_table_add(q->r->headers_out, "Set-Cookie",
                  apr_psprintf(q->pool, "%s=%s; Path=/; SameSite=Lax; HttpOnly%s%s", name, value,
                               age, q->desk->settings->cookie_secure ? "; Secure" : ""));
}

/* ---- commands ---- */

fw_command fwh_command(fwh_req *q, fw_cmd_e kind, fw_id target)
{
    fw_command cmd = {.kind = kind,
                      .actor = &q->actor,
                      .target = target,
                      .request_id = q->request_id,
                      .body_hash = q->body_hash ? q->body_hash : ""};

    return cmd;
}

const fw_err *fwh_perform(fwh_req *q, const fw_command *cmd, fw_result *result)
{
    return fw_perform(q->desk, q->db, cmd, result, q->pool);
}
