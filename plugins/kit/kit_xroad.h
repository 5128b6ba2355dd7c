#ifndef KIT_XROAD_H
#define KIT_XROAD_H

#include "kit_answer.h"
#include "kit_settings.h"
#include "kit_xml.h"

/* An X-Road client (message protocol for REST 1.0, for SOAP 4.0) over host->http: our side is JSON, theirs is XML of one
 * namespace held to one schema, both ways. One operation is one service of the other side: its request is an element of
 * the service's name, its answer is one of that name with "Response" behind it, and these two are the same by REST (POST,
 * the element is the body) and by SOAP (the element is the child of Body). docs/integrators/xroad.md has the wire.
 *
 * THE RULES
 *
 * Mutual TLS   is the host's: http.cert_file, http.key_file, http.ca_file, http.crl_file.
 * One id       X-Road-Id is a UUID made of client, service and idempotency key: the same for each repetition of one
 *              operation, another for another one. A call without a key (health, probe) has one of the second.
 * Repeats      Nothing is repeated here: the answer says whether the platform may. What cannot have reached the other side
 *              is FWP_TEMPFAIL. What may have reached it (lost, errors of a proxy, 5xx, an answer that cannot be
 *              read or belongs to another request) is FWP_TEMPFAIL where the request only reads, or where the other side
 *              remembers results by (client, id): `remembers yes`. Else it is FWP_UNKNOWN.
 * Errors       X-Road's own (header X-Road-Error, or a SOAP fault of that code) are told by prefix, in any case:
 *              "client" is FWP_MISCONFIGURED (identifiers, headers: nothing reached the other side), "server.clientproxy"
 *              is ours, "server.serverproxy" is theirs, and both may have come after the deed. The rest of the code
 *              is for the operator.
 *              The other side's: `fault` in the answer's element is FWP_REJECTED with its faultCode as the reason,
 *              by HTTP 2xx or 4xx alike; 401, 403, 404 without one are FWP_MISCONFIGURED; 429 and 503 carry Retry-After
 *              on; other 4xx and 3xx are FWP_PERMFAIL.
 * Ours         An answer counts only with our X-Road-Id (REST), with all our headers in their order (SOAP).
 * Log          One line for each exchange, with the id: level info where it was not ok, else debug.
 * Privacy      A reason names place and kind, never a value of request or answer; faultCode is all that is taken over,
 *              and it is letters, digits, '_', '.', '-'. */

/* The settings, the same in each plugin. Texts of create's list, or kit_settings_keep()'s copies. */
typedef struct kit_xroad_settings {
    const char *url; /* our security server's */
    const char *
        client; /* our subsystem: INSTANCE/CLASS/MEMBER/SUBSYSTEM, each part percent-encoded where it must */
    const char *provider;  /* their subsystem, likewise */
    const char *protocol;  /* "rest" (default) or "soap" */
    const char *schema;    /* path of the XSD; has a default */
    const char *remembers; /* "yes" (default) or "no": see Repeats */
} kit_xroad_settings;

/* Their rows in a table of kit_option: `type` is the plugin's struct of texts, `at` its member of this struct. */
#define KIT_XROAD_OPTIONS(type, at)                                                     \
    {"url", true, false, kit_is_base_url, offsetof(type, at.url)},                      \
        {"client", true, false, kit_xroad_is_subsystem, offsetof(type, at.client)},     \
        {"provider", true, false, kit_xroad_is_subsystem, offsetof(type, at.provider)}, \
        {"protocol", false, false, kit_xroad_is_protocol, offsetof(type, at.protocol)}, \
        {"schema", false, false, kit_is_path, offsetof(type, at.schema)},               \
    {                                                                                   \
        "remembers", false, false, kit_is_yes_no, offsetof(type, at.remembers)          \
    }
bool kit_xroad_is_subsystem(const char *v);
bool kit_xroad_is_protocol(const char *v);

/* What a plugin brings, static. */
typedef struct kit_xroad_dialect {
    const char *ns;             /* of the schema */
    const char *schema;         /* its file, where no setting names one */
    const kit_xml_shape *shape; /* kit_xml.h */
} kit_xroad_dialect;

/* One end. */
typedef struct kit_xroad {
    const fwp_host *host;
    kit_xroad_settings s; /* borrowed */
    const kit_xroad_dialect *dialect;
    kit_xml_schema *schema;
} kit_xroad;

/* Opens it over settings that outlive it. NULL, or what is wrong, with the option's name (FWP_MISCONFIGURED). Sends nothing.
 * kit_xroad_close() follows in any case. */
const char *kit_xroad_open(kit_xroad *x, const fwp_host *host, fwp_call *call,
                           const kit_xroad_settings *s, const kit_xroad_dialect *dialect);
void kit_xroad_close(kit_xroad *x);

/* How far a request came, for a probe. */
typedef enum kit_xroad_reach {
    KIT_XROAD_NOWHERE, /* our security server was not reached */
    KIT_XROAD_SERVER,  /* it answered; X-Road did not carry the request */
    KIT_XROAD_CARRIED, /* the other side answered, but not as agreed */
    KIT_XROAD_SERVED   /* it served */
} kit_xroad_reach;

/* One operation. */
typedef struct kit_xroad_ask {
    const char *service; /* the service's code, which is the request's element */
    bool changes; /* something at the other side: see Repeats. A request that only reads does not */
    const char *user;      /* who asks, without country; NULL: the platform itself */
    const char *issue;     /* the case's number, or NULL */
    const json_t *body;    /* the request's members */
    kit_xroad_reach reach; /* out */
} kit_xroad_ask;

/* Asks. FWP_OK: *answer is the answer element's JSON object, held to the schema (json_decref). Otherwise reply->reason tells,
 * and *answer is NULL. A request that the schema does not have is FWP_PERMFAIL, and nothing is sent. */
fwp_rc kit_xroad_ask_for(kit_xroad *x, fwp_call *call, kit_xroad_ask *ask, json_t **answer,
                         fwp_reply *reply);

/* What a message says that was polled, byte for byte in "body_base64" of `request`: its JSON where the root is `element` and
 * the whole is as the schema has it (json_decref); else FWP_REJECTED. A channel other than "poll" is rejected: whoever
 * pushes has not shown who it is. */
fwp_rc kit_xroad_message(kit_xroad *x, fwp_call *call, const json_t *request, const char *element,
                         json_t **message, fwp_reply *reply);

/* Operation `probe` by one request that only reads: tells step by step how far it came. */
fwp_rc kit_xroad_probe(kit_xroad *x, fwp_call *call, kit_xroad_ask *ask, fwp_reply *reply);

#endif
