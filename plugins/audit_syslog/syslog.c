#include "syslog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION "0.1.0"

static fwp_rc refuse(fwp_reply *reply, fwp_rc rc, const char *reason)
{
    reply->reason = reason;
    return rc;
}

void syslog_answer(const fwp_instance *self, fwp_call *call, json_t *o, fwp_reply *reply)
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
    const char *why = syslog_configure(&trial, config, n, call);

    syslog_forget(&trial);
    return why ? refuse(reply, FWP_MISCONFIGURED, why) : FWP_OK;
}

static void destroy(fwp_instance *self)
{
    syslog_forget(self);
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
    why = syslog_configure(i, config, n, call);
    if (why) {
        destroy(i);
        return refuse(reply, FWP_MISCONFIGURED, why);
    }
    *self = i;
    return FWP_OK;
}

/* ---- records ---- */

/* NULL, or what is wrong with the request. */
static const char *find_fault(const json_t *r)
{
    const json_t *records = json_object_get(r, "records"), *record;
    const char *why = syslog_seal_fault(json_object_get(r, "seal"));
    size_t i;

    if (!why && (!json_is_boolean(json_object_get(r, "last")) || json_array_size(records) == 0))
        why = "a part without last or records";
    json_array_foreach(records, i, record)
    {
        if (!why)
            why = syslog_record_fault(record);
    }
    return why;
}

static bool send_message(void *baton, const char *bytes, size_t n)
{
    return syslog_link_send(baton, bytes, n);
}

static bool send_all(syslog_writer *w, const json_t *r)
{
    const json_t *seal = json_object_get(r, "seal"), *record;
    size_t i;

    json_array_foreach(json_object_get(r, "records"), i, record)
    {
        if (!syslog_write_record(w, seal, record))
            return false;
    }
    return !json_is_true(json_object_get(r, "last")) || syslog_write_seal(w, seal);
}

/* A certificate of ours that has ended is the likeliest reason, whatever the receiver says of it. */
static const char *reason_of(const fwp_instance *self, fwp_call *call, const char *why)
{
    static const char ended[] = "our certificate, cert_file, is expired or not yet valid; ";
    size_t n = sizeof(ended) + strlen(why);
    char *text;

    if (syslog_own_in_force(self, call))
        return why;
    text = self->host->alloc(call, n);
    snprintf(text, n, "%s%s", ended, why);
    return text;
}

static fwp_rc deliver(fwp_instance *self, fwp_call *call, const json_t *r, fwp_reply *reply)
{
    syslog_link link;
    syslog_writer w = {.origin = &self->origin, .take = send_message, .baton = &link};
    bool done = syslog_link_open(&link, self->host, call, &self->peer) &&
                syslog_link_secure(&link) && send_all(&w, r) && syslog_link_finish(&link);

    syslog_end(&w);
    syslog_link_close(&link);
    if (!done)
        return refuse(reply, FWP_TEMPFAIL, reason_of(self, call, link.why));
    syslog_answer(self, call, json_pack("{s:i}", "messages", w.written), reply);
    return FWP_OK;
}

static fwp_rc records(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *r = json_loadb(request.p, request.n, JSON_REJECT_DUPLICATES, NULL);
    const char *why = find_fault(r);
    fwp_rc rc;

    if (why)
        rc = refuse(reply, FWP_PERMFAIL, why);
    else if (self->host->remaining_ms(call) < 2)
        rc = refuse(reply, FWP_CANCELLED, "no time left");
    else
        rc = deliver(self, call, r, reply);
    json_decref(r);
    return rc;
}

/* Connects, through TLS, and leaves. */
static fwp_rc health(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    syslog_link link;
    bool there = syslog_link_open(&link, self->host, call, &self->peer) &&
                 syslog_link_secure(&link) && syslog_link_finish(&link);

    (void)request;
    syslog_link_close(&link);
    return there ? FWP_OK : refuse(reply, FWP_TEMPFAIL, reason_of(self, call, link.why));
}

const fwp_plugin *fwpermit_plugin(uint32_t host_abi)
{
    static const fwp_audit_ops ops = {.size = sizeof(ops), .records = records};
    static const fwp_plugin plugin = {.size = sizeof(plugin),
                                      .abi = FWP_ABI,
                                      .port = FWP_PORT_AUDIT,
                                      .name = "audit_syslog",
                                      .version = VERSION,
                                      .create = create,
                                      .destroy = destroy,
                                      .health = health,
                                      .ops = &ops,
                                      .check_config = check_config,
                                      .probe = syslog_probe};

    return host_abi >> 16 == FWP_ABI_MAJOR ? &plugin : NULL;
}
