#ifndef KIT_XROAD_INT_H
#define KIT_XROAD_INT_H

#include "kit_xroad.h"

/* What the files of the transport share. */

#define KIT_XROAD_PARTS 4   /* of a subsystem's identifier */
#define KIT_XROAD_PART  200 /* bytes of one, decoded */
#define KIT_XROAD_UUID  37  /* with its NUL */
#define KIT_XROAD_USER  "fwpermit"

/* A subsystem, decoded. */
typedef struct kit_xroad_subsystem {
    char part[KIT_XROAD_PARTS][KIT_XROAD_PART + 1];
} kit_xroad_subsystem;

bool kit_xroad_decode(const char *text, kit_xroad_subsystem *out);
/* "INSTANCE/CLASS/MEMBER/SUBSYSTEM", each part percent-encoded by itself, in the call's memory. */
const char *kit_xroad_encode(const fwp_host *host, fwp_call *call, const kit_xroad_subsystem *s);
void kit_xroad_uuid(const char *client, const char *service, const char *key,
                    char out[KIT_XROAD_UUID]);

/* One exchange under way. */
typedef struct kit_xroad_trip {
    kit_xroad *x;
    fwp_call *call;
    kit_xroad_ask *ask;
    fwp_reply *reply;
    char id[KIT_XROAD_UUID];
    const char *client;  /* encoded */
    const char *user;    /* with its country */
    const char *element; /* of the answer */
    xmlDoc *request;     /* its element alone */
    fwp_http_response http;
} kit_xroad_trip;

/* Sends it; FWP_OK: trip->http is a response. */
fwp_rc kit_xroad_send(kit_xroad_trip *t, const char *url, const fwp_kv *headers, size_t n,
                      fwp_str body);
/* A header of the response, or NULL. */
const char *kit_xroad_header(const kit_xroad_trip *t, const char *name);

/* What to answer where the other side may have acted. */
fwp_rc kit_xroad_open_end(kit_xroad_trip *t, const char *reason);
/* X-Road's own error: its code. */
fwp_rc kit_xroad_error(kit_xroad_trip *t, const char *code);
/* The answer by the response's status alone. */
fwp_rc kit_xroad_by_status(kit_xroad_trip *t);
/* Judges the document of the answer, which it frees: schema, fault, JSON. */
fwp_rc kit_xroad_judge(kit_xroad_trip *t, xmlDoc *doc, json_t **answer);

/* The two protocols. */
fwp_rc kit_xroad_rest(kit_xroad_trip *t, json_t **answer);
fwp_rc kit_xroad_soap(kit_xroad_trip *t, json_t **answer);

#endif
