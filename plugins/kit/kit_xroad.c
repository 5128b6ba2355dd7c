#include "kit_xroad_int.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

#define RETRY_MOST_S   3600
#define CODE_MOST      100
#define MESSAGE_BASE64 699052

/* ---- the end ---- */

bool kit_xroad_is_protocol(const char *v)
{
    return strcmp(v, "rest") == 0 || strcmp(v, "soap") == 0;
}

const char *kit_xroad_open(kit_xroad *x, const fwp_host *host, fwp_call *call,
                           const kit_xroad_settings *s, const kit_xroad_dialect *dialect)
{
    const char *path = s->schema ? s->schema : dialect->schema;
    kit_xml_fault fault;

    *x = (kit_xroad){.host = host, .s = *s, .dialect = dialect};
    x->schema = kit_xml_schema_open(path, dialect->ns, &fault);
    return x->schema ? NULL : kit_say(host, call, "schema %.100s: %s", path, fault.text);
}

void kit_xroad_close(kit_xroad *x)
{
    kit_xml_schema_close(x->schema);
    x->schema = NULL;
}

/* ---- outcomes ---- */

static bool is(const char *value, const char *otherwise, const char *wanted)
{
    return strcmp(value ? value : otherwise, wanted) == 0;
}

fwp_rc kit_xroad_open_end(kit_xroad_trip *t, const char *reason)
{
    bool safe = !t->ask->changes || is(t->x->s.remembers, "yes", "yes");
    return kit_refuse(t->reply, safe ? FWP_TEMPFAIL : FWP_UNKNOWN, reason);
}

/* For an operator: printable, and not too long. */
static const char *clean_code(kit_xroad_trip *t, const char *code)
{
    size_t n = strnlen(code, CODE_MOST);
    char *out = (char *)(uintptr_t)kit_copy(t->x->host, t->call, code, n).p;

    for (char *c = out; *c; c++)
        if (*c <= 0x20 || *c >= 0x7f)
            *c = '?';
    return out;
}

static bool begins(const char *code, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncasecmp(code, prefix, n) == 0 && (code[n] == '\0' || code[n] == '.');
}

fwp_rc kit_xroad_error(kit_xroad_trip *t, const char *code)
{
    const fwp_host *host = t->x->host;
    const char *shown = clean_code(t, code);

    if (begins(code, "client"))
        return kit_refuse(t->reply, FWP_MISCONFIGURED,
                          kit_say(host, t->call, "X-Road does not take our request: %s", shown));
    if (begins(code, "server.clientproxy"))
        return kit_xroad_open_end(
            t, kit_say(host, t->call, "X-Road, at our security server: %s", shown));
    if (begins(code, "server.serverproxy"))
        return kit_xroad_open_end(
            t, kit_say(host, t->call, "X-Road, at their security server: %s", shown));
    return kit_xroad_open_end(t, kit_say(host, t->call, "X-Road: %s", shown));
}

/* Seconds, of which a wait is made that is not without end. */
static void take_retry_after(kit_xroad_trip *t)
{
    const char *text = kit_xroad_header(t, "Retry-After");
    size_t n = text ? strspn(text, "0123456789") : 0;
    long seconds = n > 0 && n < 9 && !text[n] ? strtol(text, NULL, 10) : 0;

    t->reply->retry_after_ms = (uint32_t)(seconds < RETRY_MOST_S ? seconds : RETRY_MOST_S) * 1000u;
}

fwp_rc kit_xroad_by_status(kit_xroad_trip *t)
{
    int status = t->http.status;
    const char *what = kit_say(t->x->host, t->call, "the other side answers HTTP %d", status);

    if (status == 401 || status == 403 || status == 404)
        return kit_refuse(t->reply, FWP_MISCONFIGURED, what);
    if (status == 429 || status == 503)
        take_retry_after(t);
    if (status == 429)
        return kit_refuse(t->reply, FWP_TEMPFAIL, what);
    if (status == 408 || status >= 500 || status < 300)
        return kit_xroad_open_end(t, what);
    return kit_refuse(t->reply, FWP_PERMFAIL, what);
}

/* ---- there and back ---- */

const char *kit_xroad_header(const kit_xroad_trip *t, const char *name)
{
    for (size_t i = 0; i < t->http.n_headers; i++)
        if (strcasecmp(t->http.headers[i].key.p, name) == 0)
            return t->http.headers[i].value.p;
    return NULL;
}

fwp_rc kit_xroad_send(kit_xroad_trip *t, const char *url, const fwp_kv *headers, size_t n,
                      fwp_str body)
{
    fwp_http_request q = {.size = sizeof(q),
                          .method = "POST",
                          .url = url,
                          .headers = headers,
                          .n_headers = n,
                          .body = body};
    int came;

    t->http = (fwp_http_response){.size = sizeof(t->http)};
    came = t->x->host->http(t->call, &q, &t->http);
    if (came == FWP_HTTP_OK) {
        t->ask->reach = KIT_XROAD_SERVER;
        return FWP_OK;
    }
    if (came == FWP_HTTP_NOT_SENT)
        return kit_refuse(t->reply, FWP_TEMPFAIL, t->http.error);
    if (came == FWP_HTTP_REFUSED)
        return kit_refuse(t->reply, FWP_MISCONFIGURED,
                          kit_say(t->x->host, t->call, "url: %.200s", t->http.error));
    return kit_xroad_open_end(t, t->http.error);
}

/* The request's document, as the schema has it. */
static const char *make_request(kit_xroad_trip *t)
{
    const kit_xroad_dialect *d = t->x->dialect;
    kit_xml_fault fault;
    xmlDoc *made = kit_xml_of_json(d->ns, t->ask->service, t->ask->body, d->shape);

    /* As the other side will read it: the builder lets characters through that no document may have. */
    t->request = kit_xml_read(kit_xml_bytes(t->x->host, t->call, made), &fault);
    xmlFreeDoc(made);
    if (t->request && kit_xml_schema_holds(t->x->schema, t->request, t->ask->service, &fault))
        return NULL;
    return kit_say(t->x->host, t->call, "the request: %s", fault.text);
}

static void set_off(kit_xroad_trip *t)
{
    const fwp_host *host = t->x->host;
    const char *key = host->idempotency_key(t->call);
    kit_xroad_subsystem us;

    kit_xroad_decode(t->x->s.client, &us);
    t->client = kit_xroad_encode(host, t->call, &us);
    t->user = kit_say(host, t->call, "TW%.64s", t->ask->user ? t->ask->user : KIT_XROAD_USER);
    t->element = kit_say(host, t->call, "%.64sResponse", t->ask->service);
    if (!*key)
        key = kit_say(host, t->call, "at %lld", (long long)host->now(t->call));
    kit_xroad_uuid(t->client, t->ask->service, key, t->id);
}

/* The id by which both security servers know it, for whoever looks into their logs. */
static void note(const kit_xroad_trip *t, fwp_rc rc)
{
    t->x->host->log(t->call, rc == FWP_OK ? FWP_LOG_DEBUG : FWP_LOG_INFO, "X-Road %s, id %s: %s",
                    t->ask->service, t->id, rc == FWP_OK ? "ok" : t->reply->reason);
}

fwp_rc kit_xroad_ask_for(kit_xroad *x, fwp_call *call, kit_xroad_ask *ask, json_t **answer,
                         fwp_reply *reply)
{
    kit_xroad_trip t = {.x = x, .call = call, .ask = ask, .reply = reply};
    const char *why;
    fwp_rc rc;

    *answer = NULL;
    ask->reach = KIT_XROAD_NOWHERE;
    set_off(&t);
    why = make_request(&t);
    if (why)
        rc = kit_refuse(reply, FWP_PERMFAIL, why);
    else
        rc = is(x->s.protocol, "rest", "soap") ? kit_xroad_soap(&t, answer)
                                               : kit_xroad_rest(&t, answer);
    note(&t, rc);
    xmlFreeDoc(t.request);
    return rc;
}

/* ---- what the answer says ---- */

static fwp_rc reject(kit_xroad_trip *t, const json_t *fault)
{
    const char *code = kit_text(fault, "faultCode");

    t->ask->reach = KIT_XROAD_SERVED;
    return kit_refuse(t->reply, FWP_REJECTED,
                      kit_say(t->x->host, t->call, "the other side refuses: %s",
                              clean_code(t, code ? code : "")));
}

fwp_rc kit_xroad_judge(kit_xroad_trip *t, xmlDoc *doc, json_t **answer)
{
    kit_xml_fault fault;
    json_t *said, *refusal;
    fwp_rc rc = FWP_OK;

    if (!kit_xml_schema_holds(t->x->schema, doc, t->element, &fault)) {
        xmlFreeDoc(doc);
        return kit_xroad_open_end(t, kit_say(t->x->host, t->call, "the answer: %s", fault.text));
    }
    said = kit_xml_to_json(xmlDocGetRootElement(doc), t->x->dialect->shape);
    xmlFreeDoc(doc);
    if (!json_is_object(said)) { /* an element without members */
        json_decref(said);
        said = json_object();
    }
    refusal = json_object_get(said, "fault");
    if (refusal) {
        rc = reject(t, refusal);
        json_decref(said);
        return rc;
    }
    t->ask->reach = KIT_XROAD_SERVED;
    *answer = said;
    return FWP_OK;
}

/* ---- messages ---- */

/* The bytes in the call's memory; p is NULL where it is no base64. */
static fwp_str decode_base64(const kit_xroad *x, fwp_call *call, const char *text)
{
    size_t n = text ? strlen(text) : 0, padding = 0;
    unsigned char *out;
    int got;

    if (n == 0 || n > MESSAGE_BASE64 || n % 4 != 0)
        return (fwp_str){NULL, 0};
    out = x->host->alloc(call, n / 4 * 3 + 1);
    got = EVP_DecodeBlock(out, (const unsigned char *)text, (int)n);
    for (; padding < 2 && text[n - 1 - padding] == '='; padding++)
        ;
    if (got < 0)
        return (fwp_str){NULL, 0};
    out[(size_t)got - padding] = '\0';
    return (fwp_str){(const char *)out, (size_t)got - padding};
}

fwp_rc kit_xroad_message(kit_xroad *x, fwp_call *call, const json_t *request, const char *element,
                         json_t **message, fwp_reply *reply)
{
    const char *channel = kit_text(request, "channel");
    fwp_str bytes = decode_base64(x, call, kit_text(request, "body_base64"));
    kit_xml_fault fault = {""};
    xmlDoc *doc;

    *message = NULL;
    if (!channel || strcmp(channel, "poll") != 0)
        return kit_refuse(reply, FWP_REJECTED, "messages are polled; nobody may push one");
    doc = kit_xml_read(bytes, &fault);
    if (doc && kit_xml_schema_holds(x->schema, doc, element, &fault))
        *message = kit_xml_to_json(xmlDocGetRootElement(doc), x->dialect->shape);
    xmlFreeDoc(doc);
    if (json_is_object(*message))
        return FWP_OK;
    json_decref(*message);
    *message = NULL;
    return kit_refuse(
        reply, FWP_REJECTED,
        kit_say(x->host, call, "the message: %s", fault.text[0] ? fault.text : "says nothing"));
}

/* ---- probe ---- */

static void add_step(json_t *steps, const char *name, bool ok, const char *detail)
{
    json_array_append_new(steps,
                          json_pack("{s:s, s:b, s:s}", "name", name, "ok", ok, "detail", detail));
}

fwp_rc kit_xroad_probe(kit_xroad *x, fwp_call *call, kit_xroad_ask *ask, fwp_reply *reply)
{
    static const char *const names[] = {"security server", "x-road", "service"};
    static const char *const well[] = {"answers, with certificates that both sides accept",
                                       "knows client and provider, and carries the request",
                                       "serves us as the schema has it"};
    fwp_reply found = {.size = sizeof(found)};
    json_t *steps = json_array(), *answer;
    fwp_rc rc = kit_xroad_ask_for(x, call, ask, &answer, &found);

    for (int i = 0; i < (int)KIT_XROAD_SERVED; i++) {
        bool ok = i < (int)ask->reach && (rc == FWP_OK || i + 1 < (int)KIT_XROAD_SERVED);
        add_step(steps, names[i], ok, ok ? well[i] : found.reason);
        if (!ok)
            break;
    }
    json_decref(answer);
    return kit_answer(x->host, call, json_pack("{s:o}", "steps", steps), reply);
}
