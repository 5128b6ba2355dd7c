#include "fw_config.h"
#include "fwh.h"

#include <string.h>
#include <strings.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "fw_cookie.h"
#include "fw_fields.h"
#include "fw_sha256.h"

APLOG_USE_MODULE(fwpermit);

#define PIECE_BYTES   8192
#define REQUEST_CHARS 64 /* of an idempotency key */

/* `field` may go before the request does. */
static const fw_err *input(fwh_req *q, fw_code_e code, const char *field, const char *key)
{
    return fw_err_told(q->pool, code, apr_pstrdup(q->pool, field), key);
}

/* ---- bytes ---- */

static const fw_err *read_piece(fwh_req *q, apr_bucket_brigade *bb, apr_off_t *sum, apr_off_t most,
                                fwh_piece_fn each, void *baton, bool *ended)
{
    apr_status_t rv =
        ap_get_brigade(q->r->input_filters, bb, AP_MODE_READBYTES, APR_BLOCK_READ, PIECE_BYTES);

    if (rv)
        return rv == AP_FILTER_ERROR || APR_STATUS_IS_ENOSPC(rv)
                   ? input(q, FW_E_LIMIT, NULL, "body.too_long")
                   : input(q, FW_E_INPUT, NULL, "body.cut_off");
    for (apr_bucket *b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb);
         b = APR_BUCKET_NEXT(b)) {
        const char *data;
        apr_size_t n;

        if (APR_BUCKET_IS_EOS(b)) {
            *ended = true;
            break;
        }
        if (APR_BUCKET_IS_METADATA(b))
            continue;
        if (apr_bucket_read(b, &data, &n, APR_BLOCK_READ) != APR_SUCCESS)
            return input(q, FW_E_INPUT, NULL, "body.cut_off");
        *sum += (apr_off_t)n;
        if (*sum > most)
            return input(q, FW_E_LIMIT, NULL, "body.too_long");
        FW_TRY(each(baton, data, n));
    }
    return NULL;
}

/* Nothing is read of a body that says itself that it is too long. */
static bool announced_too_long(const fwh_req *q, apr_off_t most)
{
    const char *text = apr_table_get(q->r->headers_in, "Content-Length");
    apr_off_t n = 0;
    char *end;

    return text && apr_strtoff(&n, text, &end, 10) == APR_SUCCESS && n > most;
}

const fw_err *fwh_body_stream(fwh_req *q, apr_off_t most, fwh_piece_fn each, void *baton)
{
    apr_bucket_brigade *bb = apr_brigade_create(q->pool, q->r->connection->bucket_alloc);
    apr_off_t sum = 0;
    bool ended = false;

    if (announced_too_long(q, most)) {
        q->r->connection->keepalive = AP_CONN_CLOSE;
        return input(q, FW_E_LIMIT, NULL, "body.too_long");
    }
    while (!ended) {
        const fw_err *err = read_piece(q, bb, &sum, most, each, baton, &ended);

        apr_brigade_cleanup(bb);
        if (err) {
            /* What is left of the body is not read: the connection ends with this answer. */
            q->r->connection->keepalive = AP_CONN_CLOSE;
            return err;
        }
    }
    return NULL;
}

typedef struct heap {
    char *bytes;
    apr_size_t n, room;
    apr_pool_t *pool;
} heap;

static const fw_err *add_piece(void *baton, const char *data, apr_size_t n)
{
    heap *h = baton;

    if (h->n + n + 1 > h->room) {
        apr_size_t room = 2 * (h->n + n + 1);
        char *bytes = apr_palloc(h->pool, room);

        memcpy(bytes, h->bytes, h->n);
        h->bytes = bytes;
        h->room = room;
    }
    memcpy(h->bytes + h->n, data, n);
    h->n += n;
    h->bytes[h->n] = '\0';
    return NULL;
}

const fw_err *fwh_body_bytes(fwh_req *q, apr_size_t most, const char **bytes, apr_size_t *n)
{
    heap h = {apr_pcalloc(q->pool, PIECE_BYTES), 0, PIECE_BYTES, q->pool};

    FW_TRY(fwh_body_stream(q, (apr_off_t)most, add_piece, &h));
    *bytes = h.bytes;
    *n = h.n;
    return NULL;
}

/* ---- fields ---- */

static bool has_type(const fwh_req *q, const char *type)
{
    const char *given = apr_table_get(q->r->headers_in, "Content-Type");
    size_t n = strlen(type);

    return given && strncasecmp(given, type, n) == 0 &&
           (given[n] == '\0' || given[n] == ';' || apr_isspace(given[n]));
}

const fw_err *fwh_query_read(fwh_req *q)
{
    const char *args = q->r->args;

    return args ? fw_fields_urlencoded(q->fields, q->route->lists, args, strlen(args), q->pool)
                : NULL;
}

const fw_err *fwh_request_id(fwh_req *q, const char *typed)
{
    const char *id = apr_table_get(q->r->headers_in, "Idempotency-Key");
    size_t n;

    id = id ? id : typed;
    if (!id || !*id)
        return NULL;
    n = strlen(id);
    if (n > REQUEST_CHARS ||
        strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") != n)
        return input(q, FW_E_INPUT, "_request", "body.request_id");
    q->request_id = apr_pstrdup(q->pool, id);
    return NULL;
}

const char *fwh_body_hash(fwh_req *q, const char *bytes, apr_size_t n)
{
    apr_size_t at = strlen(q->path) + 1; /* with the NUL, which stands in no path */
    char *all = apr_palloc(q->pool, at + n);

    memcpy(all, q->path, at);
    memcpy(all + at, bytes, n);
    return fw_sha256_hex(all, at + n, q->pool);
}

const fw_err *fwh_body_read(fwh_req *q)
{
    const char *bytes = "";
    apr_size_t n = 0;

    FW_TRY(fwh_body_bytes(q, (apr_size_t)q->desk->settings->form_max, &bytes, &n));
    if (has_type(q, "application/json"))
        FW_TRY(fw_fields_json(q->fields, q->route->lists, bytes, n, q->pool));
    else if (n == 0 || has_type(q, "application/x-www-form-urlencoded"))
        FW_TRY(fw_fields_urlencoded(q->fields, q->route->lists, bytes, n, q->pool));
    else
        return input(q, FW_E_INPUT, NULL, "body.unknown_type");
    q->body_hash = fwh_body_hash(q, bytes, n);
    return fwh_request_id(q, fwh_take(q, "_request"));
}

const char *fwh_take(fwh_req *q, const char *name)
{
    const char *value = json_string_value(json_object_get(q->fields, name));

    if (!value)
        return NULL;
    value = apr_pstrdup(q->pool, value);
    json_object_del(q->fields, name);
    return value;
}

json_t *fwh_take_list(fwh_req *q, const char *name)
{
    json_t *list = json_object_get(q->fields, name);

    if (!json_is_array(list))
        return json_array();
    json_incref(list);
    json_object_del(q->fields, name);
    return list;
}

fw_id fwh_id(const char *text)
{
    size_t n = text ? strlen(text) : 0;

    if (n == 0 || n > 19 || strspn(text, "0123456789") != n)
        return 0;
    return apr_strtoi64(text, NULL, 10);
}

fw_id fwh_take_id(fwh_req *q, const char *name)
{
    return fwh_id(fwh_take(q, name));
}

const fw_err *fwh_take_version(fwh_req *q, int *out)
{
    const char *text = fwh_take(q, "version");

    *out = text && strlen(text) < 10 ? (int)fwh_id(text) : 0;
    return text && !*out ? input(q, FW_E_INPUT, "version", "field.number") : NULL;
}

const fw_err *fwh_need_version(fwh_req *q, int *out)
{
    FW_TRY(fwh_take_version(q, out));
    return *out ? NULL : input(q, FW_E_INPUT, "version", "problem.required");
}

const fw_err *fwh_fields_end(fwh_req *q)
{
    void *at = json_object_iter(q->fields);

    return at ? input(q, FW_E_INPUT, json_object_iter_key(at), "field.unknown") : NULL;
}

const char *fwh_cookie(const fwh_req *q, const char *name)
{
    return fw_cookie_find(apr_table_get(q->r->headers_in, "Cookie"), name, q->pool);
}
