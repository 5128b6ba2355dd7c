#include "kit_xroad_int.h"

#include <string.h>
#include <strings.h>

/* Message protocol for REST 1.0. */

#define XML "application/xml; charset=utf-8"

static fwp_kv header(const char *name, const char *value)
{
    return (fwp_kv){{name, strlen(name)}, {value, strlen(value)}, 0};
}

static const char *address(kit_xroad_trip *t, const char *provider)
{
    size_t room = strlen(t->x->s.url) + strlen(provider) + strlen(t->ask->service) + 8;
    char *out = t->x->host->alloc(t->call, room);
    const char *parts[] = {t->x->s.url, "/r1/", provider, "/", t->ask->service};
    char *to = out;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        size_t n = strlen(parts[i]);
        memcpy(to, parts[i], n);
        to += n;
    }
    return out;
}

static bool is_xml(const char *type)
{
    return strncasecmp(type, "application/xml", 15) == 0 || strncasecmp(type, "text/xml", 8) == 0;
}

/* Whether it echoes a header as we sent it. */
static bool echoes(const kit_xroad_trip *t, const char *name, const char *sent, bool must)
{
    const char *got = kit_xroad_header(t, name);
    return got ? strcasecmp(got, sent) == 0 : !must;
}

/* An answer of the service: its own by 2xx, and a refusal by 4xx. Others that say 4xx are told by their status. */
static fwp_rc judge_body(kit_xroad_trip *t, json_t **answer)
{
    bool refused = t->http.status >= 400, xml = is_xml(t->http.type);
    kit_xml_fault fault = {"is not XML by its type"};
    xmlDoc *doc = xml ? kit_xml_read(t->http.body, &fault) : NULL;

    if (doc && (!refused || kit_xml_schema_holds(t->x->schema, doc, t->element, &fault)))
        return kit_xroad_judge(t, doc, answer);
    xmlFreeDoc(doc);
    if (refused)
        return kit_xroad_by_status(t);
    return kit_xroad_open_end(t, kit_say(t->x->host, t->call, "the answer: %s", fault.text));
}

static fwp_rc judge(kit_xroad_trip *t, const char *service, json_t **answer)
{
    const char *error = kit_xroad_header(t, "X-Road-Error");
    int status = t->http.status;

    if (error)
        return kit_xroad_error(t, error);
    if (status >= 300 && status < 400)
        return kit_xroad_by_status(t);
    if (!echoes(t, "X-Road-Id", t->id, true) || !echoes(t, "X-Road-Client", t->client, false) ||
        !echoes(t, "X-Road-Service", service, false))
        return status < 300 ? kit_xroad_open_end(t, "the answer is to another request")
                            : kit_xroad_by_status(t);
    t->ask->reach = KIT_XROAD_CARRIED;
    if (status == 408 || status == 429 || status >= 500)
        return kit_xroad_by_status(t);
    return judge_body(t, answer);
}

fwp_rc kit_xroad_rest(kit_xroad_trip *t, json_t **answer)
{
    const fwp_host *host = t->x->host;
    kit_xroad_subsystem them;
    fwp_kv headers[6];
    const char *provider;
    size_t n = 0;
    fwp_rc rc;

    kit_xroad_decode(t->x->s.provider, &them);
    provider = kit_xroad_encode(host, t->call, &them);
    headers[n++] = header("Content-Type", XML);
    headers[n++] = header("Accept", "application/xml");
    headers[n++] = header("X-Road-Client", t->client);
    headers[n++] = header("X-Road-Id", t->id);
    headers[n++] = header("X-Road-UserId", t->user);
    if (t->ask->issue)
        headers[n++] = header("X-Road-Issue", t->ask->issue);
    rc = kit_xroad_send(t, address(t, provider), headers, n,
                        kit_xml_bytes(host, t->call, t->request));
    if (rc != FWP_OK)
        return rc;
    return judge(t, strstr(address(t, provider), "/r1/") + 4, answer);
}
