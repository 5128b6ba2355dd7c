/* A plugin that does what it is told, right or wrong. What it is, macros of the compiler say; what it does, the
 * setting "create" and the request's "do". */
#include "fwpermit_plugin.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef MAJOR
#define MAJOR FWP_ABI_MAJOR
#endif
#ifndef MINOR
#define MINOR FWP_ABI_MINOR
#endif
#ifndef PORT
#define PORT FWP_PORT_NOTIFY
#endif
#ifndef SIZE
#define SIZE sizeof(fwp_plugin)
#endif
#ifndef OPS_SIZE
#define OPS_SIZE sizeof(fwp_notify_ops)
#endif
#ifndef ENTRY
#define ENTRY fwpermit_plugin
#endif

struct fwp_instance {
    const fwp_host *host;
    int calls;
};

static fwp_rc answer(fwp_reply *reply, fwp_rc rc, const char *body, const char *reason)
{
    reply->body.p = body;
    reply->body.n = body ? strlen(body) : 0;
    reply->reason = reason;
    return rc;
}

static void crash(void)
{
    raise(SIGSEGV);
}

static void hang(void)
{
    for (;;)
        pause();
}

static fwp_rc create(const fwp_host *host, const fwp_kv *config, size_t n, fwp_call *call, fwp_instance **self,
                     fwp_reply *reply)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(config[i].key.p, "create") != 0)
            continue;
        if (strcmp(config[i].value.p, "crash") == 0)
            crash();
        if (strcmp(config[i].value.p, "hang") == 0)
            hang();
        if (strcmp(config[i].value.p, "later") == 0)
            return answer(reply, FWP_TEMPFAIL, NULL, "not yet");
        if (strcmp(config[i].value.p, "wrong") == 0)
            return answer(reply, FWP_MISCONFIGURED, NULL, "option create is wrong\nand this is a second line");
    }
    host->log(call, FWP_LOG_INFO, "made with %d settings\nand a second line", (int)n);
    *self = calloc(1, sizeof(**self));
    (*self)->host = host;
    return FWP_OK;
}

static void destroy(fwp_instance *self)
{
    fprintf(stderr, "destroyed after %d calls\n", self->calls);
    free(self);
}

/* Whether the request has "do":"what". */
static int wants(fwp_str request, const char *what)
{
    char text[64];

    snprintf(text, sizeof(text), "\"do\":\"%s\"", what);
    return memmem(request.p, request.n, text, strlen(text)) != NULL;
}

static fwp_rc big(fwp_instance *self, fwp_call *call, fwp_reply *reply, size_t n)
{
    char *text = self->host->alloc(call, n + 1);

    memset(text, 'x', n);
    memcpy(text, "{\"a\":\"", 6);
    memcpy(text + n - 2, "\"}", 2);
    reply->body = (fwp_str){text, n};
    return FWP_OK;
}

/* JSON that is longer when it is written anew: 1e9 becomes 1000000000.0. */
static fwp_rc swell(fwp_instance *self, fwp_call *call, fwp_reply *reply)
{
    size_t n = 1000000, at = 6;
    char *text = self->host->alloc(call, n);

    memcpy(text, "{\"a\":[", 6);
    while (at + 6 < n) {
        memcpy(text + at, "1e9,", 4);
        at += 4;
    }
    memcpy(text + at - 1, "]}", 2);
    reply->body = (fwp_str){text, at + 1};
    return FWP_OK;
}

static fwp_rc wait_softly(fwp_instance *self, fwp_call *call, fwp_reply *reply)
{
    while (self->host->remaining_ms(call) > 0)
        usleep(1000);
    return answer(reply, FWP_CANCELLED, NULL, "time is over");
}

static fwp_rc tell_all(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    char *text = self->host->alloc(call, 300);

    snprintf(text, 300, "{\"calls\":%d,\"key\":\"%s\",\"left\":%d,\"bytes\":%lu,\"zero\":%d,\"size\":%d,\"minor\":%d}",
             self->calls, self->host->idempotency_key(call), self->host->remaining_ms(call),
             (unsigned long)request.n, ((char *)self->host->alloc(call, 0))[0], self->host->size == sizeof(fwp_host),
             (int)(self->host->abi & 0xffff));
    return answer(reply, FWP_OK, text, NULL);
}

static fwp_rc take_memory(fwp_instance *self, fwp_call *call, fwp_reply *reply, int parts)
{
    for (int i = 0; i < parts; i++)
        memset(self->host->alloc(call, 1 << 20), 1, 1 << 20);
    return answer(reply, FWP_OK, NULL, NULL);
}

static fwp_rc fetch(fwp_instance *self, fwp_call *call, fwp_reply *reply, const char *url, const char *header)
{
    fwp_kv kv = {{"X-Test", 6}, {header, strlen(header)}, 0};
    fwp_http_request q = {.size = sizeof(q), .method = "GET", .url = url, .headers = &kv, .n_headers = 1};
    fwp_http_response a = {.size = sizeof(a)};
    int rc = self->host->http(call, &q, &a);
    char *text = self->host->alloc(call, 300);

    snprintf(text, 300, "{\"http\":%d,\"status\":%d,\"error\":%d,\"bytes\":%lu}", rc, a.status, a.error != NULL,
             (unsigned long)a.body.n);
    return answer(reply, FWP_OK, text, NULL);
}

static fwp_rc send_odd(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    const char *url = getenv("ODD_URL");

    self->calls++;
    if (wants(request, "crash"))
        crash();
    if (wants(request, "hang"))
        hang();
    if (wants(request, "abort"))
        abort();
    if (wants(request, "wait"))
        return wait_softly(self, call, reply);
    if (wants(request, "big"))
        return big(self, call, reply, FWP_MAX_BODY);
    if (wants(request, "bigger"))
        return big(self, call, reply, FWP_MAX_BODY + 1);
    if (wants(request, "swell"))
        return swell(self, call, reply);
    if (wants(request, "half"))
        return take_memory(self, call, reply, 32);
    if (wants(request, "much"))
        return take_memory(self, call, reply, 65);
    if (wants(request, "list"))
        return answer(reply, FWP_OK, "[1]", NULL);
    if (wants(request, "no_json"))
        return answer(reply, FWP_OK, "{\"a\":", NULL);
    if (wants(request, "twice"))
        return answer(reply, FWP_OK, "{\"a\":1,\"a\":2}", NULL);
    if (wants(request, "no_utf8"))
        return answer(reply, FWP_OK, "{\"a\":\"\xff\"}", NULL);
    if (wants(request, "null")) {
        reply->body.n = 9;
        return FWP_OK;
    }
    if (wants(request, "nothing"))
        return FWP_OK;
    if (wants(request, "pending"))
        return answer(reply, FWP_PENDING, "{}", NULL);
    if (wants(request, "unknown"))
        return answer(reply, FWP_UNKNOWN, NULL, "who knows");
    if (wants(request, "rc99"))
        return answer(reply, (fwp_rc)99, "{}", NULL);
    if (wants(request, "bad_reason"))
        return answer(reply, FWP_REJECTED, NULL, "\xff\xfe");
    if (wants(request, "long_reason")) {
        char *text = self->host->alloc(call, 2000);
        memset(text, 'r', 1999);
        return answer(reply, FWP_REJECTED, NULL, text);
    }
    if (wants(request, "lines")) {
        self->host->log(call, 99, "one\ntwo\x1b[31m");
        return answer(reply, FWP_REJECTED, NULL, "one\ntwo");
    }
    if (wants(request, "later")) {
        reply->retry_after_ms = 1234;
        return answer(reply, FWP_TEMPFAIL, NULL, "later");
    }
    if (wants(request, "fetch"))
        return fetch(self, call, reply, url, "a");
    if (wants(request, "inject"))
        return fetch(self, call, reply, url, "a\r\nX-More: b");
    if (wants(request, "file"))
        return fetch(self, call, reply, "file:///etc/passwd", "a");
    if (wants(request, "echo")) {
        char *text = self->host->alloc(call, request.n + 1);
        memcpy(text, request.p, request.n);
        reply->body = (fwp_str){text, request.n};
        return FWP_OK;
    }
    return tell_all(self, call, request, reply);
}

#ifdef HEALTH
static fwp_rc health(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    (void)self, (void)call, (void)request;
    return answer(reply, FWP_TEMPFAIL, NULL, "the far side is down");
}
#define THEIR_HEALTH health
#else
#define THEIR_HEALTH NULL
#endif

FWP_EXPORT const fwp_plugin *ENTRY(uint32_t host_abi);
const fwp_plugin *ENTRY(uint32_t host_abi)
{
    static const fwp_notify_ops ops = {.size = OPS_SIZE, .send = send_odd};
    static const fwp_plugin plugin = {.size = SIZE,
                                      .abi = (uint32_t)MAJOR << 16 | MINOR,
                                      .port = PORT,
                                      .name = "odd",
                                      .version = "0.0.1",
                                      .create = create,
                                      .destroy = destroy,
                                      .health = THEIR_HEALTH,
                                      .ops = &ops};

#ifdef NONE
    (void)plugin;
    return NULL;
#endif
    return host_abi >> 16 == FWP_ABI_MAJOR ? &plugin : NULL;
}
