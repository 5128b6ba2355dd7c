#include "exposition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define VERSION "0.1.0"
#define TYPE    "text/plain; version=0.0.4; charset=utf-8"

struct fwp_instance {
    const fwp_host *host;
};

static fwp_rc refuse(fwp_reply *reply, fwp_rc rc, const char *reason)
{
    reply->reason = reason;
    return rc;
}

static fwp_rc check_config(const fwp_host *host, const fwp_kv *config, size_t n, fwp_call *call,
                           fwp_reply *reply)
{
    char *why;

    if (n == 0)
        return FWP_OK;
    why = host->alloc(call, 120);
    snprintf(why, 120, "no such option: %.60s", config[0].key.p);
    return refuse(reply, FWP_MISCONFIGURED, why);
}

static fwp_rc create(const fwp_host *host, const fwp_kv *config, size_t n, fwp_call *call,
                     fwp_instance **self, fwp_reply *reply)
{
    fwp_rc rc = check_config(host, config, n, call, reply);

    if (rc != FWP_OK)
        return rc;
    *self = calloc(1, sizeof(**self));
    if (!*self)
        return refuse(reply, FWP_TEMPFAIL, "out of memory");
    (*self)->host = host;
    return FWP_OK;
}

static void destroy(fwp_instance *self)
{
    free(self);
}

/* The reply's JSON, moved into the call's memory. */
static fwp_rc answer(fwp_instance *self, fwp_call *call, const char *text, fwp_reply *reply)
{
    json_t *o = json_pack("{s:{s:s, s:s}}", "page", "type", TYPE, "text", text);
    size_t n = o ? json_dumpb(o, NULL, 0, JSON_COMPACT) : 0;
    char *body;

    if (n == 0 || n > FWP_MAX_BODY) {
        json_decref(o);
        return refuse(reply, FWP_PERMFAIL, "the page is too long");
    }
    body = self->host->alloc(call, n);
    json_dumpb(o, body, n, JSON_COMPACT);
    json_decref(o);
    reply->body = (fwp_str){body, n};
    return FWP_OK;
}

static fwp_rc report(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *state = json_loadb(request.p, request.n, JSON_REJECT_DUPLICATES, NULL);
    char *text;
    fwp_rc rc;

    if (self->host->remaining_ms(call) == 0) {
        json_decref(state);
        return refuse(reply, FWP_CANCELLED, "no time left");
    }
    if (!json_is_object(state)) {
        json_decref(state);
        return refuse(reply, FWP_PERMFAIL, "the report is not a JSON object");
    }
    text = exposition_make(state);
    json_decref(state);
    if (!text)
        return refuse(reply, FWP_TEMPFAIL, "out of memory");
    rc = answer(self, call, text, reply);
    free(text);
    return rc;
}

const fwp_plugin *fwpermit_plugin(uint32_t host_abi)
{
    static const fwp_monitor_ops ops = {.size = sizeof(ops), .report = report};
    static const fwp_plugin plugin = {.size = sizeof(plugin),
                                      .abi = FWP_ABI,
                                      .port = FWP_PORT_MONITOR,
                                      .name = "monitor_prometheus",
                                      .version = VERSION,
                                      .create = create,
                                      .destroy = destroy,
                                      .check_config = check_config,
                                      .ops = &ops};

    return host_abi >> 16 == FWP_ABI_MAJOR ? &plugin : NULL;
}
