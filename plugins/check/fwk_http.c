#include "fw_config.h"
#include "fwk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <apr_strings.h>

/* host->http, answered out of the recorded exchanges. */

#define HEADERS_MAX 32 /* as in the platform's process */

typedef struct fwk_exchange {
    fwp_call *call;
    apr_pool_t *pool;
    fwp_http_request in;
    fwp_http_response out;
    size_t number; /* from 1 */
} fwk_exchange;

static const char *fill(const fwk_exchange *x, const char *text)
{
    const fwk_trial *t = x->call->child->t;
    return fwk_fill(t->k, text, x->call->key, t->far.port, x->pool);
}

static void *keep(fwk_exchange *x, const char *p, size_t n)
{
    char *copy = fwk_host(false)->alloc(x->call, n + 1);
    if (p && n > 0)
        memcpy(copy, p, n);
    return copy;
}

/* ---- is it the request that was recorded? ---- */

static void differs(const fwk_exchange *x, const char *what, const char *got, const char *wanted)
{
    fwk_fault(x->call, "request %d: %s is %.150s, the recorded one %.150s", (int)x->number, what,
              got, wanted);
}

static const fwp_kv *header_of(const fwk_exchange *x, const char *name)
{
    for (size_t i = 0; i < x->in.n_headers; i++)
        if (x->in.headers[i].key.n == strlen(name) &&
            strncasecmp(x->in.headers[i].key.p, name, strlen(name)) == 0)
            return &x->in.headers[i];
    return NULL;
}

static void match_headers(const fwk_exchange *x, json_t *wanted)
{
    const char *name;
    json_t *value;

    json_object_foreach(wanted, name, value)
    {
        const char *right = fill(x, json_string_value(value));
        const fwp_kv *h = header_of(x, name);
        const char *got = h ? apr_pstrmemdup(x->pool, h->value.p, h->value.n) : "missing";
        if (strcmp(got, right) != 0)
            differs(x, name, got, right);
    }
}

/* The recorded body as JSON, with what is to be filled in. New. */
static json_t *filled(const fwk_exchange *x, const json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);
    json_t *out = json_loads(fill(x, text), JSON_DECODE_ANY, NULL);

    free(text);
    return out;
}

static void match_json(const fwk_exchange *x, const json_t *wanted)
{
    json_t *right = filled(x, wanted);
    json_t *got = json_loadb(x->in.body.p ? x->in.body.p : "", x->in.body.n,
                             JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);

    if (!got || !json_equal(got, right)) {
        char *text = json_dumps(right, JSON_COMPACT | JSON_ENCODE_ANY);
        differs(x, "the body",
                apr_pstrmemdup(x->pool, x->in.body.p ? x->in.body.p : "", x->in.body.n), text);
        free(text);
    }
    json_decref(got);
    json_decref(right);
}

static void match_body(const fwk_exchange *x, const json_t *expect)
{
    const char *got = apr_pstrmemdup(x->pool, x->in.body.p ? x->in.body.p : "", x->in.body.n);
    json_t *wanted = json_object_get(expect, "body");
    json_t *part;
    size_t i;

    if (json_is_string(wanted) && strcmp(got, fill(x, json_string_value(wanted))) != 0)
        differs(x, "the body", got, fill(x, json_string_value(wanted)));
    else if (wanted && !json_is_string(wanted))
        match_json(x, wanted);
    json_array_foreach(json_object_get(expect, "body_has"), i, part)
    {
        if (!strstr(got, fill(x, json_string_value(part))))
            differs(x, "the body", got, fill(x, json_string_value(part)));
    }
}

static void match(const fwk_exchange *x, const json_t *expect)
{
    const char *method = json_string_value(json_object_get(expect, "method"));
    const char *url = json_string_value(json_object_get(expect, "url"));

    if (method && strcmp(method, x->in.method) != 0)
        differs(x, "the method", x->in.method, method);
    if (url && strcmp(fill(x, url), x->in.url) != 0)
        differs(x, "the address", x->in.url, fill(x, url));
    match_headers(x, json_object_get(expect, "headers"));
    match_body(x, expect);
}

/* ---- the far side ---- */

static void take_note(const fwk_exchange *x)
{
    const char *text = apr_psprintf(x->pool, "%s %s\n", x->in.method, x->in.url);
    size_t n;
    char *all;

    for (size_t i = 0; i < x->in.n_headers; i++)
        text = apr_pstrcat(
            x->pool, text, apr_pstrmemdup(x->pool, x->in.headers[i].key.p, x->in.headers[i].key.n),
            ": ", apr_pstrmemdup(x->pool, x->in.headers[i].value.p, x->in.headers[i].value.n), "\n",
            NULL);
    n = strlen(text);
    all = apr_palloc(x->pool, n + 1 + x->in.body.n);
    memcpy(all, text, n);
    all[n] = '\n';
    if (x->in.body.n > 0)
        memcpy(all + n + 1, x->in.body.p, x->in.body.n);
    fwk_note(x->call->child->t->line.book, all, n + 1 + x->in.body.n);
}

static void wait_out(const fwp_call *call)
{
    while (fwk_clock_ms() <= call->due)
        usleep(500);
}

static int nothing(fwk_exchange *x, int how, const char *why)
{
    x->out.error = why;
    return how;
}

static int respond(fwk_exchange *x, int status, const char *type, const char *body, size_t n)
{
    size_t most = x->in.max_response;

    if (most == 0 || most > FWP_MAX_BODY)
        most = FWP_MAX_BODY;
    if (n > most)
        return nothing(x, FWP_HTTP_LOST, "response too long");
    x->out.status = status;
    x->out.type = keep(x, type, strlen(type));
    x->out.body = (fwp_str){keep(x, body, n), n};
    return FWP_HTTP_OK;
}

/* The recorded headers of the response, with what is to be filled in. */
static void add_headers(fwk_exchange *x, json_t *recorded)
{
    fwp_kv *all = keep(x, NULL, json_object_size(recorded) * sizeof(*all));
    size_t n = 0;
    const char *name;
    json_t *value;

    json_object_foreach(recorded, name, value)
    {
        const char *text = fill(x, json_string_value(value));
        all[n++] = (fwp_kv){{keep(x, name, strlen(name)), strlen(name)},
                            {keep(x, text, strlen(text)), strlen(text)},
                            0};
    }
    x->out.headers = all;
    x->out.n_headers = n;
}

static int respond_as(fwk_exchange *x, const json_t *how)
{
    const char *word = json_string_value(how);
    json_t *body = json_object_get(how, "body");
    const char *type = json_string_value(json_object_get(how, "type"));
    int status = (int)json_integer_value(json_object_get(how, "status"));
    char *text;
    int sent;

    if (word)
        return nothing(x, strcmp(word, "lost") == 0 ? FWP_HTTP_LOST : FWP_HTTP_NOT_SENT,
                       "recorded so");
    add_headers(x, json_object_get(how, "headers"));
    if (!type)
        type = json_is_string(body) ? "text/plain" : "application/json";
    if (!body || json_is_string(body)) {
        const char *plain = fill(x, body ? json_string_value(body) : "");
        return respond(x, status, type, plain, strlen(plain));
    }
    text = json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);
    word = fill(x, text);
    sent = respond(x, status, type, word, strlen(word));
    free(text);
    return sent;
}

/* Tells the checker that the far side has the request, and waits to be killed or let go. */
static void show_and_wait(const fwk_exchange *x)
{
    const fwk_line *line = &x->call->child->t->line;
    char byte = 0;

    if (write(line->taken, "t", 1) == 1)
        while (read(line->go, &byte, 1) < 0)
            usleep(1000);
}

/* The trouble of this trial; -1: none, the recorded answer comes. */
static int trouble(fwk_exchange *x)
{
    switch (x->number > 1 ? FWK_PLAIN : x->call->mode) {
    case FWK_NOT_SENT:
        return nothing(x, FWP_HTTP_NOT_SENT, "could not connect");
    case FWK_SLOW:
        wait_out(x->call);
        return nothing(x, FWP_HTTP_NOT_SENT, "connecting took too long");
    case FWK_LOST:
        return nothing(x, FWP_HTTP_LOST, "the connection was lost");
    case FWK_MUTE:
        wait_out(x->call);
        return nothing(x, FWP_HTTP_LOST, "no answer in time");
    case FWK_ERROR:
        return respond(x, 500, "text/plain", "internal error", 14);
    case FWK_NONSENSE:
        return respond(x, 200, "application/json", "\xff{]\0nonsense", 13);
    case FWK_KILL:
    case FWK_HOLD:
        show_and_wait(x);
        return -1;
    case FWK_PLAIN:
        break;
    }
    return -1;
}

static bool line_break(fwp_str s)
{
    return s.n > 0 && (memchr(s.p, '\r', s.n) || memchr(s.p, '\n', s.n) || memchr(s.p, 0, s.n));
}

/* NULL, or why the host does not allow the request. */
static const char *not_allowed(const fwk_exchange *x)
{
    if (!x->in.method || !x->in.url || x->in.n_headers > HEADERS_MAX)
        return "no method, no address, or too many headers";
    if (strncmp(x->in.url, "https://", 8) != 0 && strncmp(x->in.url, "http://", 7) != 0)
        return "neither https nor http";
    for (size_t i = 0; i < x->in.n_headers; i++)
        if (line_break(x->in.headers[i].key) || line_break(x->in.headers[i].value))
            return "line break in a header";
    return NULL;
}

static int exchange(fwk_exchange *x)
{
    const json_t *recorded =
        x->call->c ? json_array_get(json_object_get(x->call->c->all, "http"), x->number - 1) : NULL;
    const char *why = not_allowed(x);
    bool reached = x->call->mode != FWK_NOT_SENT && x->call->mode != FWK_SLOW;
    int came;

    if (why)
        return nothing(x, FWP_HTTP_REFUSED, why);
    if (fwk_host(false)->remaining_ms(x->call) == 0)
        return nothing(x, FWP_HTTP_NOT_SENT, "no time left");
    if (!x->call->quiet && reached)
        take_note(x);
    came = trouble(x);
    if (came >= 0)
        return came;
    if (!recorded) {
        if (x->call->mode == FWK_PLAIN)
            fwk_fault(x->call, "request %d was not recorded: %s %.200s", (int)x->number,
                      x->in.method, x->in.url);
        return nothing(x, FWP_HTTP_NOT_SENT, "not recorded");
    }
    if (x->call->mode == FWK_PLAIN)
        match(x, json_object_get(recorded, "expect"));
    return respond_as(x, json_object_get(recorded, "respond"));
}

int fwk_http(fwp_call *call, const fwp_http_request *request, fwp_http_response *response)
{
    fwk_exchange x = {.call = call, .number = ++call->exchange};
    size_t n = response->size < sizeof(x.out) ? response->size : sizeof(x.out);
    int came;

    if (request->size < 2 * sizeof(void *) || response->size < 2 * sizeof(void *)) {
        fwk_fault(call, "it did not set the size of host->http's structs");
        return FWP_HTTP_REFUSED;
    }
    apr_pool_create(&x.pool, NULL);
    memcpy(&x.in, request, request->size < sizeof(x.in) ? request->size : sizeof(x.in));
    came = exchange(&x);
    x.out.size = response->size;
    memcpy(response, &x.out, n);
    apr_pool_destroy(x.pool);
    return came;
}
