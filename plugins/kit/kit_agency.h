#ifndef KIT_AGENCY_H
#define KIT_AGENCY_H

#include "kit_xroad.h"

/* A plugin whose other side is one agency behind X-Road: what all of them do alike, for the slots of the port. The plugin adds its
 * own operations, and what it knows of sense.
 *
 *   struct fwp_instance { kit_agency agency; ... };    the first member; what follows are texts of settings, or NULL
 *   static fwp_rc create(...) { return kit_agency_create(&kind, ...); }                       check_config likewise
 *   .destroy = kit_agency_destroy, .health = kit_agency_health, .probe = kit_agency_probe
 *   .poll = kit_agency_poll, .ack = kit_agency_ack, .message = kit_agency_message */

/* What is wrong with a list that the schema lets through, in the call's memory: "permit 2, valid_to: before valid_from";
 * NULL: nothing. */
typedef const char *(*kit_agency_judge)(const fwp_instance *self, fwp_call *call,
                                        const json_t *list);

/* What a plugin brings, static. */
typedef struct kit_agency_kind {
    kit_xroad_dialect dialect;
    const kit_option *options; /* offsets are within fwp_instance */
    size_t n_options;
    size_t instance;     /* sizeof(fwp_instance) */
    const char *poll;    /* service: {"max"}, {"messages"} */
    const char *ack;     /* service: {"ids"}, {}; twice is no error there */
    const char *message; /* the root of a message, */
    const char *list;    /* which has this list, */
    const char *fact;    /* of which each item is told as a fact of this name */
    kit_agency_judge judge;
} kit_agency_kind;

typedef struct kit_agency {
    const kit_agency_kind *kind;
    kit_xroad_settings s; /* copies */
    kit_xroad xroad;
} kit_agency;

/* The rows of kit_option that each of them has. */
#define KIT_AGENCY_OPTIONS KIT_XROAD_OPTIONS(struct fwp_instance, agency.s)

fwp_rc kit_agency_create(const kit_agency_kind *kind, const fwp_host *host, const fwp_kv *config,
                         size_t n, fwp_call *call, fwp_instance **self, fwp_reply *reply);
fwp_rc kit_agency_check(const kit_agency_kind *kind, const fwp_host *host, const fwp_kv *config,
                        size_t n, fwp_call *call, fwp_reply *reply);
void kit_agency_destroy(fwp_instance *self);

/* The slots. health is a poll of one, which changes nothing: it shows certificates, identifiers, rights and schema. */
fwp_rc kit_agency_poll(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);
fwp_rc kit_agency_ack(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);
fwp_rc kit_agency_message(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);
fwp_rc kit_agency_health(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);
fwp_rc kit_agency_probe(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);

/* Takes the answer of a question over as the reply; where `why` says what cannot be about it, FWP_PERMFAIL. */
fwp_rc kit_agency_answer(const kit_agency *a, fwp_call *call, json_t *answer, const char *why,
                         fwp_reply *reply);

#endif
