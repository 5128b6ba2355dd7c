#ifndef CARD_BUREAU_H
#define CARD_BUREAU_H

#include "card_link.h"
#include "kit/kit_xml.h"

#include <jansson.h>

#define CARD_NAMESPACE     "urn:fwpermit:card:1"
#define CARD_MESSAGE_BYTES 65536 /* of one state or inventory, as a file */
#define CARD_PATH_BYTES    512
#define CARD_WHY_BYTES     480 /* room for a reason */
#define CARD_RETRY_MS      5000

typedef struct card_settings {
    const char *host, *port, *user, *key, *host_key;
    const char *folder_in, *folder_out, *folder_books, *schemas;
} card_settings;

struct fwp_instance {
    const fwp_host *host;
    card_settings s; /* copies */
    card_peer peer;
    card_link link;
    const char *in, *out, *books; /* folders at the bureau */
    kit_xml_schema *job, *state, *stock;
};

/* ---- card_settings.c ---- */

/* Fills an instance out of its settings. NULL, or what is wrong with them; card_forget() follows in any case. */
const char *card_configure(fwp_instance *self, const fwp_kv *config, size_t n, fwp_call *call);
void card_forget(fwp_instance *self);

/* ---- card.c ---- */

fwp_rc card_refuse(fwp_reply *reply, fwp_rc rc, const char *reason);
/* The same with more words, from the call's memory. */
fwp_rc card_refuse_with(const fwp_instance *self, fwp_call *call, fwp_reply *reply, fwp_rc rc,
                        const char *what, const char *detail);
/* FWP_OK, with a new JSON object moved into the reply. */
fwp_rc card_answer(const fwp_instance *self, fwp_call *call, json_t *o, fwp_reply *reply);
/* Why something at the bureau was not done, where nothing there was to be changed or nothing was. */
fwp_rc card_failed(const fwp_instance *self, fwp_call *call, card_end end, const char *what,
                   fwp_reply *reply);
/* A path at the bureau, from the call's memory. */
const char *card_path(const fwp_instance *self, fwp_call *call, const char *folder,
                      const char *name);

/* ---- card_job.c: what goes out, from the call's memory. n is 0: `why` tells what of the request is wrong. ---- */

fwp_str card_job_xml(const fwp_instance *self, fwp_call *call, const json_t *request,
                     const char **why);
fwp_str card_cancel_xml(const fwp_instance *self, fwp_call *call, const json_t *request,
                        const char **why);
/* The name in the package of the n-th file of the request. */
const char *card_file_name(const fwp_instance *self, fwp_call *call, const json_t *request,
                           size_t n);
/* SHA256SUMS of the package. */
fwp_str card_sums(const fwp_instance *self, fwp_call *call, const json_t *request, fwp_str job);

/* ---- card_state.c: what comes back ---- */

/* {"job": {…}} of a state, {"shelves": […]} of an inventory, verified; new. NULL: `why` tells. */
json_t *card_said(const fwp_instance *self, fwp_call *call, fwp_str bytes, const char **why);

/* ---- operations ---- */

fwp_rc card_order(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);
fwp_rc card_find(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);
fwp_rc card_cancel(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);
fwp_rc card_stock(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);
fwp_rc card_poll(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);
fwp_rc card_ack(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);
fwp_rc card_message(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);
fwp_rc card_health(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);
fwp_rc card_probe(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);

#endif
