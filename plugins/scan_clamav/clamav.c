#include "clamav.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION     "0.1.0"
#define CHUNK       65536
#define NAME_BYTES  200 /* of what was found, and of the engine, as the contract has it */
#define TOO_LONG    "INSTREAM size limit exceeded"
#define LIMITS      "Heuristics.Limits.Exceeded" /* with clamd's AlertExceedsMax: not looked at whole */
#define STREAM      "stream: "
#define FOUND       " FOUND"
#define LEAST_BYTES 240

static fwp_rc refuse(fwp_reply *reply, fwp_rc rc, const char *reason)
{
    reply->reason = reason;
    return rc;
}

void clamav_answer(const fwp_instance *self, fwp_call *call, json_t *o, fwp_reply *reply)
{
    size_t n = json_dumpb(o, NULL, 0, JSON_COMPACT);
    char *body = self->host->alloc(call, n);

    json_dumpb(o, body, n, JSON_COMPACT);
    json_decref(o);
    reply->body = (fwp_str){body, n};
}

/* ---- settings ---- */

static fwp_rc check_config(const fwp_host *host, const fwp_kv *config, size_t n, fwp_call *call,
                           fwp_reply *reply)
{
    fwp_instance trial = {.host = host};
    const char *why = clamav_configure(&trial, config, n, call);

    clamav_forget(&trial);
    return why ? refuse(reply, FWP_MISCONFIGURED, why) : FWP_OK;
}

static void destroy(fwp_instance *self)
{
    clamav_forget(self);
    free(self);
}

static fwp_rc create(const fwp_host *host, const fwp_kv *config, size_t n, fwp_call *call,
                     fwp_instance **self, fwp_reply *reply)
{
    fwp_instance *i = calloc(1, sizeof(*i));
    const char *why;

    if (!i)
        return refuse(reply, FWP_TEMPFAIL, "no memory");
    i->host = host;
    why = clamav_configure(i, config, n, call);
    if (why) {
        destroy(i);
        return refuse(reply, FWP_MISCONFIGURED, why);
    }
    *self = i;
    return FWP_OK;
}

/* ---- scan ---- */

/* A scan under way. */
typedef struct scan {
    fwp_instance *self;
    fwp_call *call;
    clamav_link link;
    const char *name; /* of the file of the call */
    int64_t size;
    const char *engine, *verdict; /* clamd's answers */
} scan;

static bool fail(scan *s, const char *why)
{
    s->link.why = why;
    return false;
}

/* The whole file in chunks, and the end. What clamd will not take, its answer tells. */
static bool send_file(scan *s)
{
    char *chunk = s->self->host->alloc(s->call, CHUNK);
    int64_t at = 0;

    while (at < s->size && !s->link.broken) {
        int64_t n = s->self->host->file_read(s->call, s->name, at, chunk, CHUNK);

        if (n <= 0)
            return fail(s, "the file of the call cannot be read to its end");
        if (!clamav_link_chunk(&s->link, chunk, (size_t)n))
            return false;
        at += n;
    }
    return clamav_link_chunk(&s->link, NULL, 0);
}

static bool ask(scan *s)
{
    clamav_link *l = &s->link;

    return clamav_link_open(l, s->self->host, s->call, &s->self->peer) &&
           clamav_link_ask(l, "VERSION") && clamav_link_hear(l, &s->engine) &&
           clamav_link_ask(l, "INSTREAM") && send_file(s) && clamav_link_hear(l, &s->verdict);
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

/* Why that answer is no verdict. */
static fwp_rc refuse_verdict(const scan *s, fwp_reply *reply)
{
    char *why = s->self->host->alloc(s->call, LEAST_BYTES + NAME_BYTES);

    if (strstr(s->verdict, TOO_LONG))
        snprintf(why, LEAST_BYTES, "a file of %lld bytes is longer than clamd's StreamMaxLength",
                 (long long)s->size);
    else if (strstr(s->verdict, LIMITS))
        snprintf(why, LEAST_BYTES + NAME_BYTES,
                 "clamd's limits keep it from looking into the whole file: %.200s", s->verdict);
    else
        snprintf(why, LEAST_BYTES + NAME_BYTES, "clamd does not judge: %.200s", s->verdict);
    return refuse(reply, FWP_TEMPFAIL, why);
}

static json_t *text_of(const char *text, size_t n)
{
    return json_stringn(text, n < NAME_BYTES ? n : NAME_BYTES);
}

/* Clean is one answer alone, after the whole file was taken; whatever is neither that nor a finding is none. */
static fwp_rc judge(const scan *s, fwp_reply *reply)
{
    json_t *engine = text_of(s->engine, strlen(s->engine)), *o = NULL;
    const char *at = s->verdict + sizeof(STREAM) - 1;

    if (strcmp(s->verdict, STREAM "OK") == 0 && !s->link.broken)
        o = json_pack("{s:s, s:O}", "verdict", "clean", "engine", engine);
    else if (strncmp(s->verdict, STREAM, sizeof(STREAM) - 1) == 0 && ends_with(at, FOUND) &&
             strlen(at) > sizeof(FOUND) - 1 && strncmp(at, LIMITS, sizeof(LIMITS) - 1) != 0)
        o = json_pack("{s:s, s:o, s:O}", "verdict", "found", "name",
                      text_of(at, strlen(at) - (sizeof(FOUND) - 1)), "engine", engine);
    json_decref(engine);
    if (!o)
        return refuse_verdict(s, reply);
    clamav_answer(s->self, s->call, o, reply);
    return FWP_OK;
}

static fwp_rc scan_file(scan *s, fwp_reply *reply)
{
    bool done;

    if (s->size < 0)
        return refuse(reply, FWP_PERMFAIL, "the file that is named did not come with the call");
    if (s->self->host->remaining_ms(s->call) < 2)
        return refuse(reply, FWP_CANCELLED, "no time left");
    done = ask(s);
    clamav_link_close(&s->link);
    return done ? judge(s, reply) : refuse(reply, FWP_TEMPFAIL, s->link.why);
}

/* The first version of the host has no files. */
static bool has_files(const fwp_host *host)
{
    return host->size >= offsetof(fwp_host, file_write) && host->file_size && host->file_read;
}

static fwp_rc scan_op(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *r = json_loadb(request.p, request.n, JSON_REJECT_DUPLICATES, NULL);
    const json_t *files = json_object_get(r, "files");
    scan s = {.self = self, .call = call, .link = {.fd = -1}};
    fwp_rc rc;

    s.name = json_string_value(json_object_get(json_array_get(files, 0), "name"));
    if (json_array_size(files) != 1 || !s.name) {
        rc = refuse(reply, FWP_PERMFAIL, "a request without its one file");
    } else if (!has_files(self->host)) {
        rc = refuse(reply, FWP_PERMFAIL, "this host has no files of a call");
    } else {
        s.size = self->host->file_size(call, s.name);
        rc = scan_file(&s, reply);
    }
    json_decref(r);
    return rc;
}

static fwp_rc health(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    clamav_link link;
    const char *answer = "";
    bool there = clamav_link_open(&link, self->host, call, &self->peer) &&
                 clamav_link_ask(&link, "PING") && clamav_link_hear(&link, &answer);

    (void)request;
    clamav_link_close(&link);
    if (!there)
        return refuse(reply, FWP_TEMPFAIL, link.why);
    return strcmp(answer, "PONG") == 0 ? FWP_OK : refuse(reply, FWP_TEMPFAIL, "clamd says no PONG");
}

const fwp_plugin *fwpermit_plugin(uint32_t host_abi)
{
    static const fwp_scan_ops ops = {.size = sizeof(ops), .scan = scan_op};
    static const fwp_plugin plugin = {.size = sizeof(plugin),
                                      .abi = FWP_ABI,
                                      .port = FWP_PORT_SCAN,
                                      .name = "scan_clamav",
                                      .version = VERSION,
                                      .create = create,
                                      .destroy = destroy,
                                      .health = health,
                                      .ops = &ops,
                                      .check_config = check_config,
                                      .probe = clamav_probe};

    return host_abi >> 16 == FWP_ABI_MAJOR ? &plugin : NULL;
}
