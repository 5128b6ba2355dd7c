#include "fw_config.h"
#include "fww_plugin_http.h"
#include "fww_plugin_call.h"

#include <string.h>

#include <apr_strings.h>
#include <curl/curl.h>

typedef struct fww_exchange {
    fwp_call *call;
    CURL *curl;
    struct curl_slist *headers;
    fwp_http_request in;
    fwp_http_response out;
    char *body;
    size_t room, used;
    char why[CURL_ERROR_SIZE];
} fww_exchange;

static size_t take_body(char *p, size_t size, size_t n, void *ctx)
{
    fww_exchange *x = ctx;
    size_t take = size * n;

    if (take > x->room - x->used)
        return 0;
    memcpy(x->body + x->used, p, take);
    x->used += take;
    return take;
}

static int refuse(fww_exchange *x, const char *why)
{
    x->out.error = why;
    return FWP_HTTP_REFUSED;
}

static bool holds_line_break(fwp_str s)
{
    return s.n > 0 && (memchr(s.p, '\r', s.n) || memchr(s.p, '\n', s.n) || memchr(s.p, 0, s.n));
}

static bool set_headers(fww_exchange *x)
{
    apr_pool_t *pool = x->call->pool;

    x->headers = curl_slist_append(NULL, "Expect:");
    for (size_t i = 0; i < x->in.n_headers; i++) {
        fwp_str k = x->in.headers[i].key;
        fwp_str v = x->in.headers[i].value;
        if (holds_line_break(k) || holds_line_break(v))
            return false;
        x->headers = curl_slist_append(
            x->headers, apr_pstrcat(pool, apr_pstrmemdup(pool, k.p ? k.p : "", k.n), ": ",
                                    apr_pstrmemdup(pool, v.p ? v.p : "", v.n), NULL));
    }
    curl_easy_setopt(x->curl, CURLOPT_HTTPHEADER, x->headers);
    return true;
}

/* Whom we trust, and who we are. */
static void set_certificates(CURL *c, const fww_http_policy *policy)
{
    if (policy->ca_file)
        curl_easy_setopt(c, CURLOPT_CAINFO, policy->ca_file);
    if (policy->crl_file)
        curl_easy_setopt(c, CURLOPT_CRLFILE, policy->crl_file);
    if (policy->cert_file) {
        curl_easy_setopt(c, CURLOPT_SSLCERT, policy->cert_file);
        curl_easy_setopt(c, CURLOPT_SSLKEY,
                         policy->key_file ? policy->key_file : policy->cert_file);
        curl_easy_setopt(c, CURLOPT_KEYPASSWD, ""); /* or OpenSSL asks at a terminal */
    }
}

static void set_policy(fww_exchange *x, int left)
{
    const fww_http_policy *policy = x->call->http;
    CURL *c = x->curl;

    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, policy->allow_plain ? "http,https" : "https");
    curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(c, CURLOPT_PROXY, policy->proxy ? policy->proxy : "");
    set_certificates(c, policy);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)left);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(left < FWW_HTTP_CONNECT_MS ? left : FWW_HTTP_CONNECT_MS));
}

static void set_request(fww_exchange *x)
{
    CURL *c = x->curl;

    curl_easy_setopt(c, CURLOPT_URL, x->in.url);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "fwpermit/" FW_VERSION);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, x->why);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, x);
    if (strcmp(x->in.method, "GET") != 0) {
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->in.body.n);
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, x->in.body.n ? x->in.body.p : "");
        curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, x->in.method);
    }
}

static fwp_str copy_of(apr_pool_t *pool, const char *text)
{
    fwp_str s = {apr_pstrdup(pool, text), strlen(text)};
    return s;
}

/* False: there are too many. Those of the last response, without what came behind its body. */
static bool take_headers(fww_exchange *x)
{
    apr_pool_t *pool = x->call->pool;
    apr_array_header_t *all = apr_array_make(pool, 16, sizeof(fwp_kv));
    const unsigned int which = CURLH_HEADER;

    for (struct curl_header *h = curl_easy_nextheader(x->curl, which, -1, NULL); h;
         h = curl_easy_nextheader(x->curl, which, -1, h)) {
        if (all->nelts == FWW_HTTP_HEADERS_BACK)
            return false;
        APR_ARRAY_PUSH(all, fwp_kv) = (fwp_kv){copy_of(pool, h->name), copy_of(pool, h->value), 0};
    }
    x->out.headers = (const fwp_kv *)(const void *)all->elts;
    x->out.n_headers = (size_t)all->nelts;
    return true;
}

/* Runs what is set up, and says what came of it. */
static int exchange(fww_exchange *x)
{
    CURLcode rc = curl_easy_perform(x->curl);
    long sent = 0, status = 0;
    char *type = NULL;
    apr_pool_t *pool = x->call->pool;

    curl_easy_getinfo(x->curl, CURLINFO_REQUEST_SIZE, &sent);
    if (rc != CURLE_OK) {
        bool full = rc == CURLE_WRITE_ERROR;
        x->out.error = full ? "response too long"
                            : apr_pstrdup(pool, x->why[0] ? x->why : curl_easy_strerror(rc));
        if (rc == CURLE_UNSUPPORTED_PROTOCOL || rc == CURLE_URL_MALFORMAT)
            return FWP_HTTP_REFUSED;
        return sent > 0 ? FWP_HTTP_LOST : FWP_HTTP_NOT_SENT;
    }
    if (!take_headers(x)) {
        x->out.error = "too many headers";
        return FWP_HTTP_LOST;
    }
    curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(x->curl, CURLINFO_CONTENT_TYPE, &type);
    x->out.status = (int)status;
    x->out.type = type ? apr_pstrdup(pool, type) : "";
    x->out.body.p = apr_pstrmemdup(pool, x->body, x->used);
    x->out.body.n = x->used;
    return FWP_HTTP_OK;
}

static int run(fww_exchange *x)
{
    int left = fww_call_host()->remaining_ms(x->call);

    if (!x->in.method || !x->in.url || x->in.n_headers > FWW_HTTP_HEADERS)
        return refuse(x, "no method, no address, or too many headers");
    if (left == 0) {
        x->out.error = "no time left";
        return FWP_HTTP_NOT_SENT;
    }
    x->room = x->in.max_response;
    if (x->room == 0 || x->room > FWP_MAX_BODY)
        x->room = FWP_MAX_BODY;
    x->body = apr_palloc(x->call->pool, x->room);
    if (!set_headers(x))
        return refuse(x, "line break in a header");
    set_policy(x, left);
    set_request(x);
    return exchange(x);
}

int fww_plugin_http(fwp_call *call, const fwp_http_request *request, fwp_http_response *response)
{
    fww_exchange x = {.call = call};
    size_t n = response->size < sizeof(x.out) ? response->size : sizeof(x.out);
    int rc;

    memcpy(&x.in, request, request->size < sizeof(x.in) ? request->size : sizeof(x.in));
    x.curl = curl_easy_init();
    rc = x.curl ? run(&x) : refuse(&x, "libcurl does not start");
    curl_slist_free_all(x.headers);
    curl_easy_cleanup(x.curl);
    x.out.size = response->size;
    memcpy(response, &x.out, n);
    return rc;
}
