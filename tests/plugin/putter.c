/* A plugin on the kit's transport whose one operation alters something at the other side: what of it may be repeated? */
#include "kit/kit_xroad.h"

#include <stdlib.h>

typedef struct settings {
    kit_xroad_settings xroad;
} settings;

struct fwp_instance {
    settings s;
    kit_xroad xroad;
};

static const kit_option options[] = {KIT_XROAD_OPTIONS(settings, xroad)};
#define OPTIONS (sizeof(options) / sizeof(options[0]))

static const kit_xml_shape shape[] = {{"permits", KIT_XML_LIST, "permit"}, {NULL, KIT_XML_LIST, NULL}};
static const kit_xroad_dialect dialect = {.ns = "urn:fwpermit:labour:1", .schema = "/nowhere.xsd", .shape = shape};

static fwp_rc put(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *r = kit_request(request), *answer;
    kit_xroad_ask ask = {.service = "findPermits", .changes = true, .body = r};
    fwp_rc rc = kit_xroad_ask_for(&self->xroad, call, &ask, &answer, reply);

    json_decref(r);
    return rc == FWP_OK ? kit_answer(self->xroad.host, call, answer, reply) : rc;
}

static void destroy(fwp_instance *self)
{
    kit_xroad_close(&self->xroad);
    kit_settings_forget(options, OPTIONS, &self->s);
    free(self);
}

static fwp_rc create(const fwp_host *host, const fwp_kv *config, size_t n, fwp_call *call, fwp_instance **self, fwp_reply *reply)
{
    fwp_instance *i = calloc(1, sizeof(*i));
    const char *why = kit_settings_read(options, OPTIONS, host, call, config, n, &i->s);

    if (!why && kit_settings_keep(options, OPTIONS, &i->s))
        why = kit_xroad_open(&i->xroad, host, call, &i->s.xroad, &dialect);
    *self = i;
    return why ? kit_refuse(reply, FWP_MISCONFIGURED, why) : FWP_OK;
}

const fwp_plugin *fwpermit_plugin(uint32_t host_abi)
{
    static const fwp_penalty_ops ops = {.size = sizeof(ops), .put = put};
    static const fwp_plugin plugin = {.size = sizeof(plugin), .abi = FWP_ABI, .port = FWP_PORT_PENALTY, .name = "penalty_putter",
                                      .version = "0.1.0", .create = create, .destroy = destroy, .ops = &ops};

    return host_abi >> 16 == FWP_ABI_MAJOR ? &plugin : NULL;
}
