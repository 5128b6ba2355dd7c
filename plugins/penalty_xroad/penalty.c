#include "kit/kit_agency.h"

#include <stdbool.h>
#include <string.h>

#define VERSION "0.1.0"
#define NS      "urn:fwpermit:penalty:1"
#define SCHEMA  "/usr/share/fwpermit/contracts/penalty-1.xsd"

struct fwp_instance {
    kit_agency agency;
};

static const kit_option options[] = {KIT_AGENCY_OPTIONS};

static const kit_xml_shape shape[] = {
    {"fines", KIT_XML_LIST, "fine"},   {"messages", KIT_XML_LIST, "message"},
    {"ids", KIT_XML_LIST, "id"},       {"version", KIT_XML_INTEGER, NULL},
    {"amount", KIT_XML_INTEGER, NULL}, {"days_late", KIT_XML_INTEGER, NULL},
    {"max", KIT_XML_INTEGER, NULL},    {"pending", KIT_XML_BOOLEAN, NULL},
    {NULL, KIT_XML_INTEGER, NULL},
};

/* ---- fines ---- */

/* What cannot be about a fine that the schema lets through; NULL: nothing. */
static const char *absurd(const json_t *fine)
{
    const char *set = kit_text(fine, "set"), *pay_by = kit_text(fine, "pay_by");
    bool paid = strcmp(kit_text(fine, "state"), "paid") == 0;

    if (paid != (kit_text(fine, "paid_at") != NULL))
        return paid ? "paid_at: missing, but the state is paid"
                    : "paid_at: but the state is not paid";
    if (pay_by && strcmp(pay_by, set) < 0)
        return "pay_by: before set";
    return NULL;
}

static bool is_named_before(const json_t *fines, size_t n)
{
    const char *no = kit_text(json_array_get(fines, n), "fine_no");

    for (size_t i = 0; i < n; i++)
        if (strcmp(kit_text(json_array_get(fines, i), "fine_no"), no) == 0)
            return true;
    return false;
}

/* What is wrong with one of them, in the call's memory; NULL: nothing. `case_no`: all must be of that case, or NULL. */
static const char *judge_of_case(const fwp_instance *self, fwp_call *call, const json_t *fines,
                                 const char *case_no)
{
    const json_t *fine;
    size_t i;

    json_array_foreach(fines, i, fine)
    {
        const char *why = absurd(fine);
        if (!why && is_named_before(fines, i))
            why = "fine_no: twice";
        if (!why && case_no && strcmp(kit_text(fine, "case_no"), case_no) != 0)
            why = "case_no: another case than was asked for";
        if (why)
            return kit_say(self->agency.xroad.host, call, "fine %zu, %s", i + 1, why);
    }
    return NULL;
}

static fwp_rc ask_about(fwp_instance *self, fwp_call *call, const char *service, const json_t *r,
                        fwp_reply *reply)
{
    const char *case_no = kit_text(r, "case_no");
    kit_xroad_ask ask = {.service = service, .issue = case_no, .body = r};
    json_t *answer;
    const char *wrong;
    fwp_rc rc = kit_xroad_ask_for(&self->agency.xroad, call, &ask, &answer, reply);

    if (rc != FWP_OK)
        return rc;
    wrong = judge_of_case(self, call, json_object_get(answer, "fines"), case_no);
    if (!json_object_get(answer, "pending"))
        return kit_agency_answer(&self->agency, call, answer, wrong, reply);
    json_decref(answer);
    return kit_refuse(reply, FWP_PENDING, "the fines come by a message");
}

/* An older or the same version changes nothing there, so a lost answer may be asked for again: it only reads, so to speak. */
static fwp_rc put(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *r = kit_request(request);
    fwp_rc rc = ask_about(self, call, "putCase", r, reply);

    json_decref(r);
    return rc;
}

static fwp_rc find(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *r = kit_request(request);
    fwp_rc rc = ask_about(self, call, "findFines", r, reply);

    json_decref(r);
    return rc;
}

static const char *judge(const fwp_instance *self, fwp_call *call, const json_t *fines)
{
    return judge_of_case(self, call, fines, NULL);
}

/* ---- the door ---- */

static const kit_agency_kind kind = {.dialect = {.ns = NS, .schema = SCHEMA, .shape = shape},
                                     .options = options,
                                     .n_options = sizeof(options) / sizeof(options[0]),
                                     .instance = sizeof(struct fwp_instance),
                                     .poll = "pollFines",
                                     .ack = "ackFines",
                                     .message = "fineMessage",
                                     .list = "fines",
                                     .fact = "fine",
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
    static const fwp_penalty_ops ops = {.size = sizeof(ops),
                                        .put = put,
                                        .find = find,
                                        .poll = kit_agency_poll,
                                        .ack = kit_agency_ack,
                                        .message = kit_agency_message};
    static const fwp_plugin plugin = {.size = sizeof(plugin),
                                      .abi = FWP_ABI,
                                      .port = FWP_PORT_PENALTY,
                                      .name = "penalty_xroad",
                                      .version = VERSION,
                                      .create = create,
                                      .destroy = kit_agency_destroy,
                                      .health = kit_agency_health,
                                      .ops = &ops,
                                      .check_config = check_config,
                                      .probe = kit_agency_probe};

    return host_abi >> 16 == FWP_ABI_MAJOR ? &plugin : NULL;
}
