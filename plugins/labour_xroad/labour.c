#include "labour.h"

#include <string.h>

#define VERSION  "0.1.0"
#define NS       "urn:fwpermit:labour:1"
#define SCHEMA   "/usr/share/fwpermit/contracts/labour-1.xsd"
#define PREFIXES "勞動發事字第,勞動發管字第,勞職外字第,勞職管字第,勞職許字第"

/* ---- settings ---- */

static bool is_list(const char *v)
{
    return kit_is_line(v) && !strstr(v, ",,") && v[0] != ',' && v[strlen(v) - 1] != ',';
}

static const kit_option options[] = {
    KIT_AGENCY_OPTIONS,
    {"letter_prefixes", false, false, is_list, offsetof(struct fwp_instance, letter_prefixes)},
};

static const kit_xml_shape shape[] = {
    {"permits", KIT_XML_LIST, "permit"},   {"nationalities", KIT_XML_LIST, "country"},
    {"messages", KIT_XML_LIST, "message"}, {"ids", KIT_XML_LIST, "id"},
    {"quota", KIT_XML_INTEGER, NULL},      {"used", KIT_XML_INTEGER, NULL},
    {"max", KIT_XML_INTEGER, NULL},        {"more", KIT_XML_BOOLEAN, NULL},
    {NULL, KIT_XML_INTEGER, NULL},
};

const char *labour_prefixes(const fwp_instance *self)
{
    return self->letter_prefixes ? self->letter_prefixes : PREFIXES;
}

/* ---- permits ---- */

/* What is wrong with one of them, in the call's memory; NULL: nothing. Without a question each may be there. */
static const char *judge_permits(const fwp_instance *self, fwp_call *call, const json_t *permits,
                                 const json_t *question)
{
    const json_t *permit;
    size_t i;

    json_array_foreach(permits, i, permit)
    {
        const char *why = labour_absurd(self, permit);
        if (!why && question)
            why = labour_misses(permit, question);
        if (why)
            return kit_say(self->agency.xroad.host, call, "permit %zu, %s", i + 1, why);
    }
    return NULL;
}

/* The members of a request that the agency gets. */
static json_t *question_of(const json_t *request)
{
    static const char *const names[] = {"letter_no", "worker", "employer_id"};
    json_t *out = json_object();

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (json_object_get(request, names[i]))
            json_object_set(out, names[i], json_object_get(request, names[i]));
    return out;
}

/* NULL, or why nobody need be asked. */
static const char *vain(const fwp_instance *self, const json_t *request)
{
    const char *letter = kit_text(request, "letter_no");

    if (letter && !labour_is_letter_no(labour_prefixes(self), letter))
        return "letter_no: no number of a letter";
    return NULL;
}

static fwp_rc ask_find(fwp_instance *self, fwp_call *call, const json_t *request,
                       const json_t *question, fwp_reply *reply)
{
    const json_t *why = json_object_get(request, "why");
    kit_xroad_ask ask = {.service = "findPermits",
                         .user = kit_text(why, "user"),
                         .issue = kit_text(why, "case_no"),
                         .body = question};
    json_t *answer;
    const char *wrong;
    fwp_rc rc = kit_xroad_ask_for(&self->agency.xroad, call, &ask, &answer, reply);

    if (rc != FWP_OK)
        return rc;
    wrong = judge_permits(self, call, json_object_get(answer, "permits"), question);
    return kit_agency_answer(&self->agency, call, answer, wrong, reply);
}

static fwp_rc find(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *r = kit_request(request);
    json_t *question = question_of(r);
    const char *why = vain(self, r);
    fwp_rc rc =
        why ? kit_refuse(reply, FWP_PERMFAIL, why) : ask_find(self, call, r, question, reply);

    json_decref(question);
    json_decref(r);
    return rc;
}

static const char *judge(const fwp_instance *self, fwp_call *call, const json_t *permits)
{
    return judge_permits(self, call, permits, NULL);
}

/* ---- the door ---- */

static const kit_agency_kind kind = {.dialect = {.ns = NS, .schema = SCHEMA, .shape = shape},
                                     .options = options,
                                     .n_options = sizeof(options) / sizeof(options[0]),
                                     .instance = sizeof(struct fwp_instance),
                                     .poll = "pollPermits",
                                     .ack = "ackPermits",
                                     .message = "permitMessage",
                                     .list = "permits",
                                     .fact = "permit",
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
    static const fwp_labour_ops ops = {.size = sizeof(ops),
                                       .find = find,
                                       .poll = kit_agency_poll,
                                       .ack = kit_agency_ack,
                                       .message = kit_agency_message};
    static const fwp_plugin plugin = {.size = sizeof(plugin),
                                      .abi = FWP_ABI,
                                      .port = FWP_PORT_LABOUR,
                                      .name = "labour_xroad",
                                      .version = VERSION,
                                      .create = create,
                                      .destroy = kit_agency_destroy,
                                      .health = kit_agency_health,
                                      .ops = &ops,
                                      .check_config = check_config,
                                      .probe = kit_agency_probe};

    return host_abi >> 16 == FWP_ABI_MAJOR ? &plugin : NULL;
}
