#include "card.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION "0.1.0"

fwp_rc card_refuse(fwp_reply *reply, fwp_rc rc, const char *reason)
{
    reply->reason = reason;
    if (rc == FWP_UNKNOWN)
        reply->retry_after_ms = CARD_RETRY_MS;
    return rc;
}

fwp_rc card_refuse_with(const fwp_instance *self, fwp_call *call, fwp_reply *reply, fwp_rc rc,
                        const char *what, const char *detail)
{
    char *text = self->host->alloc(call, CARD_WHY_BYTES);

    snprintf(text, CARD_WHY_BYTES, "%.200s: %.200s", what, detail);
    return card_refuse(reply, rc, text);
}

fwp_rc card_answer(const fwp_instance *self, fwp_call *call, json_t *o, fwp_reply *reply)
{
    size_t n = json_dumpb(o, NULL, 0, JSON_COMPACT);
    char *body = self->host->alloc(call, n);

    json_dumpb(o, body, n, JSON_COMPACT);
    json_decref(o);
    reply->body = (fwp_str){body, n};
    return FWP_OK;
}

fwp_rc card_failed(const fwp_instance *self, fwp_call *call, card_end end, const char *what,
                   fwp_reply *reply)
{
    fwp_rc rc = end == CARD_NO_FILE || end == CARD_DENIED ? FWP_MISCONFIGURED : FWP_TEMPFAIL;

    return card_refuse_with(self, call, reply, rc, what, self->link.why);
}

const char *card_path(const fwp_instance *self, fwp_call *call, const char *folder,
                      const char *name)
{
    char *path = self->host->alloc(call, CARD_PATH_BYTES);

    snprintf(path, CARD_PATH_BYTES, "%s/%s", folder, name);
    return path;
}

/* ---- settings ---- */

static fwp_rc check_config(const fwp_host *host, const fwp_kv *config, size_t n, fwp_call *call,
                           fwp_reply *reply)
{
    fwp_instance trial = {.host = host};
    const char *why = card_configure(&trial, config, n, call);

    card_forget(&trial);
    return why ? card_refuse(reply, FWP_MISCONFIGURED, why) : FWP_OK;
}

static void destroy(fwp_instance *self)
{
    card_forget(self);
    free(self);
}

static fwp_rc create(const fwp_host *host, const fwp_kv *config, size_t n, fwp_call *call,
                     fwp_instance **self, fwp_reply *reply)
{
    fwp_instance *i;
    const char *why;

    if (host->size < offsetof(fwp_host, file_read) + sizeof(host->file_read))
        return card_refuse(reply, FWP_MISCONFIGURED, "this host has no files of a call");
    i = calloc(1, sizeof(*i));
    if (!i)
        return card_refuse(reply, FWP_TEMPFAIL, "no memory");
    i->host = host;
    why = card_configure(i, config, n, call);
    if (why) {
        destroy(i);
        return card_refuse(reply, FWP_MISCONFIGURED, why);
    }
    *self = i;
    return FWP_OK;
}

const fwp_plugin *fwpermit_plugin(uint32_t host_abi)
{
    static const fwp_card_ops ops = {.size = sizeof(ops),
                                     .order = card_order,
                                     .find = card_find,
                                     .cancel = card_cancel,
                                     .stock = card_stock,
                                     .poll = card_poll,
                                     .ack = card_ack,
                                     .message = card_message};
    static const fwp_plugin plugin = {.size = sizeof(plugin),
                                      .abi = FWP_ABI,
                                      .port = FWP_PORT_CARD,
                                      .name = "card_bureau",
                                      .version = VERSION,
                                      .create = create,
                                      .destroy = destroy,
                                      .health = card_health,
                                      .ops = &ops,
                                      .check_config = check_config,
                                      .probe = card_probe};

    return host_abi >> 16 == FWP_ABI_MAJOR ? &plugin : NULL;
}
