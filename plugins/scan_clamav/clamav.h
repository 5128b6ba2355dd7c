#ifndef SCAN_CLAMAV_H
#define SCAN_CLAMAV_H

#include "clamav_link.h"

#include <jansson.h>

typedef struct clamav_settings {
    const char *socket, *host, *port, *allow_plain, *signature_days;
} clamav_settings;

struct fwp_instance {
    const fwp_host *host;
    clamav_settings s; /* copies */
    clamav_peer peer;
    int signature_days; /* older ones are old */
};

/* Fills an instance out of its settings. NULL, or what is wrong with them; clamav_forget() follows in any case. */
const char *clamav_configure(fwp_instance *self, const fwp_kv *config, size_t n, fwp_call *call);
void clamav_forget(fwp_instance *self);

/* Moves a new JSON object into the reply. */
void clamav_answer(const fwp_instance *self, fwp_call *call, json_t *o, fwp_reply *reply);

fwp_rc clamav_probe(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);

#endif
