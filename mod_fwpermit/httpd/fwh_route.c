#include "fw_config.h"
#include "fwh.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_access.h"
#include "fw_json.h"
#include "fw_store_payment.h"
#include "fw_urlencoded.h"
#include "fw_utf8.h"

#define LANE_WAIT apr_time_from_sec(3)

APLOG_USE_MODULE(fwpermit);

/* ---- finding ---- */

static bool is_number(const char *s, size_t n)
{
    return n > 0 && n <= 19 && strspn(s, "0123456789") >= n;
}

/* Whether the path fits the pattern, segment by segment; what # and * stand for goes into arg. */
static bool fits(const char *pattern, const char *path, const char **arg, apr_pool_t *pool)
{
    int args = 0;

    while (*pattern && *path) {
        size_t n = strcspn(path + 1, "/"), m = strcspn(pattern + 1, "/");
        bool wild = m == 1 && (pattern[1] == '#' || pattern[1] == '*');

        if (wild) {
            if (n == 0 || (pattern[1] == '#' && !is_number(path + 1, n)) || args == FWH_ARGS)
                return false;
            arg[args++] = apr_pstrmemdup(pool, path + 1, n);
        } else if (n != m || memcmp(pattern + 1, path + 1, n) != 0) {
            return false;
        }
        path += n + 1;
        pattern += m + 1;
    }
    return !*pattern && !*path;
}

const fwh_route *fwh_route_find(int method, const char *path, const char **arg, const char **others,
                                apr_pool_t *pool)
{
    size_t n;
    const fwh_route *all = fwh_routes(&n);

    *others = NULL;
    for (size_t i = 0; i < n; i++) {
        if (!fits(all[i].path, path, arg, pool))
            continue;
        if (all[i].method == method)
            return &all[i];
        *others = all[i].method == M_GET ? "GET, HEAD" : "POST";
    }
    return NULL;
}

const char *fwh_routes_check(apr_pool_t *pool)
{
    size_t n;
    const fwh_route *all = fwh_routes(&n);

    for (size_t i = 0; i < n; i++) {
        if (!fw_access_known(all[i].access))
            return apr_psprintf(pool, "route %s has no row \"%s\" in the permissions table",
                                all[i].path, all[i].access);
    }
    return NULL;
}

/* ---- who may ---- */

/* What the actor is to the thing that was loaded. */
static unsigned relations(const fwh_req *q)
{
    const fw_actor *a = &q->actor;
    const fw_case *c = q->kase;

    switch (q->route->load) {
    case FWH_CASE: /* what was never filed is no station's */
        return fw_access_relations(a, c->employer_id, c->agency_id,
                                   c->submitted ? c->station : NULL, c->first_reviewer,
                                   c->second_reviewer);
    case FWH_WORKER:
        return fw_access_relations(a, q->worker->employer_id, q->worker->agency_id, NULL, 0, 0);
    case FWH_PAYMENT:
        if (a->org_id && q->payment->org_id == a->org_id)
            return FW_REL_OWN | FW_REL_DELEGATED;
        return FW_REL_OTHER;
    case FWH_ACCOUNT:
        return q->account->id == a->account_id ? FW_REL_OWN : FW_REL_OTHER;
    case FWH_SELF:
        return FW_REL_OWN;
    case FWH_NONE:
        break;
    }
    return FW_REL_ANY;
}

static const fw_err *load(fwh_req *q)
{
    fw_id id = fwh_id(q->arg[0]);

    switch (q->route->load) {
    case FWH_CASE:
        return fw_case_load(q->db, id, &q->kase, q->pool);
    case FWH_WORKER:
        return fw_worker_load(q->db, id, &q->worker, q->pool);
    case FWH_PAYMENT:
        return fw_payment_load(q->db, id, &q->payment, q->pool);
    case FWH_ACCOUNT:
        return fw_account_load(q->db, id, &q->account, q->pool);
    case FWH_SELF:
        return fw_account_load(q->db, q->actor.account_id, &q->account, q->pool);
    case FWH_NONE:
        break;
    }
    return NULL;
}

/* A thing that is missing and one that is another's give the same answer. */
static const fw_err *authorise(fwh_req *q, int *status)
{
    const fw_err *err;

    *status = 0;
    if (!fw_access_allowed(q->route->access, q->actor.roles, FW_REL_ANY)) {
        *status = HTTP_FORBIDDEN;
        return NULL;
    }
    err = load(q);
    if (err && err->code == FW_E_NOTFOUND) {
        *status = HTTP_NOT_FOUND;
        return NULL;
    }
    if (err)
        return err;
    if (!fw_access_allowed(q->route->access, q->actor.roles, relations(q)))
        *status = HTTP_NOT_FOUND;
    return NULL;
}

/* ---- on the way ---- */

static bool wants_json(const request_rec *r)
{
    const char *accept = apr_table_get(r->headers_in, "Accept");
    const char *type = apr_table_get(r->headers_in, "Content-Type");

    if (accept && strstr(accept, "application/json"))
        return true;
    return r->method_number == M_POST && type && strncmp(type, "application/json", 16) == 0 &&
           !(accept && strstr(accept, "text/html"));
}

/* The path without ".json" at its end, which asks for the model. */
static void take_path(fwh_req *q)
{
    size_t n = strlen(q->r->uri);

    q->path = q->r->uri;
    if (n > 5 && strcmp(q->r->uri + n - 5, ".json") == 0 &&
        strcmp(q->r->uri, "/api/openapi.json") != 0) {
        q->path = apr_pstrmemdup(q->pool, q->r->uri, n - 5);
        q->json = true;
    }
}

static apr_status_t free_fields(void *fields)
{
    json_decref(fields);
    return APR_SUCCESS;
}

const fw_err *fwh_db_take(fwh_req *q)
{
    if (q->db)
        return NULL;
    FW_TRY(fw_db_acquire(&q->db, q->desk->dbs, q->pool));
    q->statements -= fw_db_statements(q->db);
    return NULL;
}

void fwh_db_give(fwh_req *q)
{
    if (!q->db)
        return;
    q->statements += fw_db_statements(q->db);
    fw_db_release(q->db);
    q->db = NULL;
}

const fw_err *fwh_lane_enter(fwh_req *q)
{
    fwh_db_give(q);
    return fw_lane_enter(q->child->lane, LANE_WAIT)
               ? NULL
               : FW_ERR(q->pool, FW_E_BUSY, 0, "the lane of passwords is full");
}

const fw_err *fwh_lane_leave(fwh_req *q)
{
    fw_lane_leave(q->child->lane);
    return fwh_db_take(q);
}

static void begin(fwh_req *q)
{
    const char *lang = fwh_cookie(q, "fwpermit_lang");

    q->fields = json_object();
    apr_pool_cleanup_register(q->pool, q->fields, free_fields, apr_pool_cleanup_null);
    if (lang && fw_locale_has(q->desk->locale, lang))
        q->lang = fw_locale_pick(q->desk->locale, lang);
    else
        q->lang =
            fw_locale_pick(q->desk->locale, apr_table_get(q->r->headers_in, "Accept-Language"));
    q->actor = (fw_actor){.roles = FW_ROLE_ANYONE, .lang = q->lang, .ip = q->ip};
}

static const fw_err *recognise(fwh_req *q)
{
    FW_TRY(fwh_db_take(q));
    FW_TRY(fw_login_who(q->desk, q->db, fwh_cookie(q, fwh_session_cookie(q)), q->ip,
                        (fw_who **)(uintptr_t)&q->who, q->pool));
    if (q->who)
        q->actor = q->who->actor;
    return NULL;
}

/* A change that another site's page sent is refused before anything else is read of it. */
static bool from_elsewhere(const fwh_req *q)
{
    const char *site = apr_table_get(q->r->headers_in, "Sec-Fetch-Site");
    const char *origin = apr_table_get(q->r->headers_in, "Origin");

    if (site)
        return strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
    return origin && strcmp(origin, q->desk->settings->base_url) != 0;
}

bool fwh_token_right(fwh_req *q, const char *typed)
{
    const char *header = apr_table_get(q->r->headers_in, "X-CSRF-Token");
    const char *given = header ? header : typed;
    unsigned char different = 0;

    if (!q->who || !given || strlen(given) != strlen(q->who->csrf))
        return false;
    for (size_t i = 0; given[i]; i++)
        different |= (unsigned char)(given[i] ^ q->who->csrf[i]);
    return different == 0;
}

/* The path with its query. */
static const char *address_of(const fwh_req *q)
{
    return q->r->args ? apr_pstrcat(q->pool, q->path, "?", q->r->args, NULL) : q->path;
}

static const fw_err *ask_login(fwh_req *q)
{
    fw_value resume = fw_null();

    if (q->json)
        return fwh_problem(q, HTTP_UNAUTHORIZED, "problem.log_in", fw_null());
    if (q->r->method_number == M_GET)
        return fwh_redirect(
            q, apr_pstrcat(q->pool, "/login?next=", fw_urlencode(address_of(q), q->pool), NULL),
            NULL);
    if (q->route->flags & FWH_RESUME) {
        json_object_del(q->fields, "_csrf");
        resume = fw_pack(q->pool, "{s:s, s:s}", "action", q->path, "fields",
                         fw_json_text(q->fields, JSON_COMPACT, q->pool));
    }
    q->status = HTTP_UNAUTHORIZED;
    return fwh_page(q, "login",
                    fw_pack(q->pool, "{s:s, s:s, s:o}", "login", "", "next", "", "resume", resume));
}

static const fw_err *read_body(fwh_req *q)
{
    if (q->r->method_number != M_POST)
        return fwh_query_read(q);
    return q->route->flags & FWH_RAW ? NULL : fwh_body_read(q);
}

const fw_err *fwh_note_read(fwh_req *q)
{
    const char *about = q->path;

    if (q->noted || !q->who)
        return NULL;
    q->noted = true;
    if (q->kase)
        about = apr_psprintf(q->pool, "case:%" APR_INT64_T_FMT, q->kase->id);
    else if (q->worker)
        about = apr_psprintf(q->pool, "worker:%" APR_INT64_T_FMT, q->worker->id);
    else if (q->payment)
        about = apr_psprintf(q->pool, "payment:%" APR_INT64_T_FMT, q->payment->id);
    else if (q->account)
        about = apr_psprintf(q->pool, "account:%" APR_INT64_T_FMT, q->account->id);
    return fw_journal_note(q->child->journal, &q->actor, q->route->access, about, q->desk->now(),
                           q->pool);
}

static bool must_change_first(const fwh_req *q)
{
    return q->who && q->who->account->must_change && !(q->route->flags & (FWH_CHANGE | FWH_OPEN));
}

static const fw_err *serve(fwh_req *q)
{
    bool open = q->route->flags & FWH_OPEN, post = q->r->method_number == M_POST;
    const fw_err *unread = NULL;
    int status = 0;

    if (post && strcmp(q->route->access, "page.inbox") != 0 && from_elsewhere(q))
        return fwh_problem(q, HTTP_FORBIDDEN, "problem.cross_site", fw_null());
    unread = read_body(q);
    FW_TRY(recognise(q));
    FW_TRY(unread);
    if (!q->who && !open)
        return ask_login(q);
    if (post && !open && !(q->route->flags & FWH_RAW) && !fwh_token_right(q, fwh_take(q, "_csrf")))
        return fwh_problem(q, HTTP_FORBIDDEN, "problem.csrf", fw_null());
    if (!post)
        FW_TRY(fw_db_snapshot(q->db));
    FW_TRY(authorise(q, &status));
    if (status == HTTP_FORBIDDEN)
        return fwh_problem(q, status, "problem.forbidden", fw_null());
    if (status)
        return fwh_problem(q, status, "problem.not_found", fw_null());
    if (must_change_first(q))
        return q->json ? fwh_problem(q, HTTP_FORBIDDEN, "problem.change_password", fw_null())
                       : fwh_redirect(q, "/account", "change_password");
    if (q->route->flags & FWH_READS)
        FW_TRY(fwh_note_read(q));
    return q->route->run(q);
}

/* ---- the border: errors become answers ---- */

static const fw_err *tell_error(fwh_req *q, const fw_err *err)
{
    int status = fwh_status_of(err->code);
    const char *key = err->user_key;
    fw_refusal r = {err->field, key ? key : "", NULL};

    if (err->code == FW_E_INPUT && key && strncmp(key, "body.", 5) == 0)
        status =
            strcmp(key, "body.unknown_type") == 0 ? HTTP_UNSUPPORTED_MEDIA_TYPE : HTTP_BAD_REQUEST;
    if (status == HTTP_INTERNAL_SERVER_ERROR)
        fwh_log(ERR, q->r, "0101", "%s", fw_err_text(err, q->pool));
    else if (status == HTTP_SERVICE_UNAVAILABLE)
        fwh_log(WARNING, q->r, "0102", "%s", fw_err_text(err, q->pool));
    if (status == HTTP_SERVICE_UNAVAILABLE)
        return fwh_problem(
            q, status, err->code == FW_E_BUSY ? "problem.busy" : "problem.unavailable", fw_null());
    if (!key)
        return fwh_problem(q, status,
                           status == HTTP_NOT_FOUND ? "problem.not_found" : "problem.internal",
                           fw_null());
    return fwh_problem(q, status, "problem.input", fwh_errors(q, &r, 1));
}

/* A path goes into pages, statements and notes: it is text, or names nothing. */
static bool is_text(const char *path)
{
    for (const char *p = path; *p; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return false;
    }
    return fw_utf8_valid(path);
}

static const fw_err *route(fwh_req *q)
{
    const char *others = NULL;

    if (q->r->method_number != M_GET && q->r->method_number != M_POST)
        others = "GET, HEAD, POST";
    else if (is_text(q->path))
        q->route = fwh_route_find(q->r->method_number, q->path, q->arg, &others, q->pool);
    if (q->route)
        return serve(q);
    FW_TRY(recognise(q));
    if (!others)
        return fwh_problem(q, HTTP_NOT_FOUND, "problem.not_found", fw_null());
    apr_table_setn(q->r->headers_out, "Allow", others);
    return fwh_problem(q, HTTP_METHOD_NOT_ALLOWED, "problem.method", fw_null());
}

int fwh_serve(request_rec *r, const fwh_child *child)
{
    fwh_req *q = apr_pcalloc(r->pool, sizeof(*q));
    const fw_err *err;

    q->r = r;
    q->pool = r->pool;
    q->child = child;
    q->desk = child->desk;
    q->ip = r->useragent_ip;
    q->json = wants_json(r);
    take_path(q);
    begin(q);
    err = route(q);
    if (err)
        err = tell_error(q, err);
    fwh_db_give(q);
    apr_table_setn(r->notes, "fwpermit-statements",
                   apr_psprintf(q->pool, "%" APR_UINT64_T_FMT, q->statements));
    if (!err)
        return OK;
    fwh_log(ERR, r, "0103", "no answer could be made: %s", fw_err_text(err, q->pool));
    return HTTP_INTERNAL_SERVER_ERROR;
}
