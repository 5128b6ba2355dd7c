#include "border.h"

#define VERSION "0.1.0"
#define NS      "urn:fwpermit:border:1"
#define SCHEMA  "/usr/share/fwpermit/contracts/border-1.xsd"

static const kit_option options[] = {KIT_AGENCY_OPTIONS};

static const kit_xml_shape shape[] = {
    {"movements", KIT_XML_LIST, "movement"},
    {"near", KIT_XML_LIST, "match"},
    {"differs", KIT_XML_LIST, "member"},
    {"messages", KIT_XML_LIST, "message"},
    {"ids", KIT_XML_LIST, "id"},
    {"version", KIT_XML_INTEGER, NULL},
    {"max", KIT_XML_INTEGER, NULL},
    {NULL, KIT_XML_INTEGER, NULL},
};

/* ---- permits ---- */

/* An older or the same version changes nothing there, so a lost answer may be asked for again: it only reads, so to speak. */
static fwp_rc permit(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *r = kit_request(request), *answer;
    kit_xroad_ask ask = {.service = "putPermit", .body = r};
    fwp_rc rc = kit_xroad_ask_for(&self->agency.xroad, call, &ask, &answer, reply);

    json_decref(r);
    return rc == FWP_OK ? kit_agency_answer(&self->agency, call, answer, NULL, reply) : rc;
}

/* ---- movements ---- */

/* The members of a request that the border gets. */
static json_t *question_of(const json_t *request)
{
    return json_pack("{s:O?, s:O*, s:O*}", "person", json_object_get(request, "person"), "from",
                     json_object_get(request, "from"), "to", json_object_get(request, "to"));
}

static fwp_rc movements(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *r = kit_request(request), *question = question_of(r), *answer;
    const json_t *why = json_object_get(r, "why");
    kit_xroad_ask ask = {.service = "findMovements",
                         .user = kit_text(why, "user"),
                         .issue = kit_text(why, "case_no"),
                         .body = question};
    fwp_rc rc = kit_xroad_ask_for(&self->agency.xroad, call, &ask, &answer, reply);

    if (rc == FWP_OK)
        rc = kit_agency_answer(&self->agency, call, answer,
                               border_misses(self, call, answer, question), reply);
    json_decref(question);
    json_decref(r);
    return rc;
}

static const char *judge(const fwp_instance *self, fwp_call *call, const json_t *list)
{
    const json_t *movement;
    size_t i;

    json_array_foreach(list, i, movement)
    {
        const char *why = border_absurd(self, call, movement);
        if (why)
            return kit_say(self->agency.xroad.host, call, "movement %zu, %s", i + 1, why);
    }
    return NULL;
}

/* ---- the door ---- */

static const kit_agency_kind kind = {.dialect = {.ns = NS, .schema = SCHEMA, .shape = shape},
                                     .options = options,
                                     .n_options = sizeof(options) / sizeof(options[0]),
                                     .instance = sizeof(struct fwp_instance),
                                     .poll = "pollMovements",
                                     .ack = "ackMovements",
                                     .message = "movementMessage",
                                     .list = "movements",
                                     .fact = "movement",
                                     .judge = judge};

static fwp_rc create(const fwp_host *host, const fwp_kv *config, size_t n, fwp_call *call,
                     fwp_instance **self, fwp_reply *reply)
{
    return kit_agency_create(&kind, host, config, n, call, self, reply);
}

static fwp_rc check_config(const fwp_host *host, const fwp_kv *config, size_t n, fwp_call *call,
                           fwp_reply *reply)
{
    return kit_agency_check(&kind, host, config, n, call, reply);
}

const fwp_plugin *fwpermit_plugin(uint32_t host_abi)
{
    static const fwp_border_ops ops = {.size = sizeof(ops),
                                       .permit = permit,
                                       .movements = movements,
                                       .poll = kit_agency_poll,
                                       .ack = kit_agency_ack,
                                       .message = kit_agency_message};
    static const fwp_plugin plugin = {.size = sizeof(plugin),
                                      .abi = FWP_ABI,
                                      .port = FWP_PORT_BORDER,
                                      .name = "border_xroad",
                                      .version = VERSION,
                                      .create = create,
                                      .destroy = kit_agency_destroy,
                                      .health = kit_agency_health,
                                      .ops = &ops,
                                      .check_config = check_config,
                                      .probe = kit_agency_probe};

    return host_abi >> 16 == FWP_ABI_MAJOR ? &plugin : NULL;
}
