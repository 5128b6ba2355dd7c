#ifndef AUDIT_SYSLOG_H
#define AUDIT_SYSLOG_H

#include "syslog_link.h"
#include "syslog_text.h"

typedef struct syslog_settings {
    const char *host, *port, *tls, *allow_plain, *ca_file, *cert_file, *key, *server_name;
    const char *facility, *app_name, *hostname, *enterprise, *silence, *close;
} syslog_settings;

struct fwp_instance {
    const fwp_host *host;
    syslog_settings s; /* copies */
    syslog_origin origin;
    syslog_peer peer;
    char own_name[256]; /* of this machine */
};

/* Fills an instance out of its settings. NULL, or what is wrong with them; syslog_forget() follows in any case. */
const char *syslog_configure(fwp_instance *self, const fwp_kv *config, size_t n, fwp_call *call);
void syslog_forget(fwp_instance *self);

/* Moves a new JSON object into the reply. */
void syslog_answer(const fwp_instance *self, fwp_call *call, json_t *o, fwp_reply *reply);

/* Whether our certificate has begun and not ended; true without TLS. */
bool syslog_own_in_force(const fwp_instance *self, const fwp_call *call);
fwp_rc syslog_probe(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);

#endif
