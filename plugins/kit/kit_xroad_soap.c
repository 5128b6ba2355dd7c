#include "kit_xroad_int.h"

#include <string.h>

/* Message protocol 4.0 over SOAP 1.1, document/literal wrapped. */

#define SOAP  "http://schemas.xmlsoap.org/soap/envelope/"
#define XROAD "http://x-road.eu/xsd/xroad.xsd"
#define IDS   "http://x-road.eu/xsd/identifiers"

/* ---- the request ---- */

typedef struct spaces {
    xmlNs *soap, *xroad, *ids;
} spaces;

static xmlNode *add(xmlNode *parent, xmlNs *ns, const char *name, const char *text)
{
    return xmlNewTextChild(parent, ns, (const xmlChar *)name, (const xmlChar *)text);
}

/* A client or, where there is a service's code, a service. */
static void add_identifier(xmlNode *header, const spaces *s, const char *name, const char *text,
                           const char *service)
{
    static const char *const parts[] = {"xRoadInstance", "memberClass", "memberCode",
                                        "subsystemCode"};
    xmlNode *one = add(header, s->xroad, name, NULL);
    kit_xroad_subsystem who;

    kit_xroad_decode(text, &who);
    xmlNewNsProp(one, s->ids, (const xmlChar *)"objectType",
                 (const xmlChar *)(service ? "SERVICE" : "SUBSYSTEM"));
    for (int i = 0; i < KIT_XROAD_PARTS; i++)
        add(one, s->ids, parts[i], who.part[i]);
    if (service)
        add(one, s->ids, "serviceCode", service);
}

static void add_headers(const kit_xroad_trip *t, xmlNode *header, const spaces *s)
{
    add_identifier(header, s, "client", t->x->s.client, NULL);
    add_identifier(header, s, "service", t->x->s.provider, t->ask->service);
    add(header, s->xroad, "userId", t->user);
    add(header, s->xroad, "id", t->id);
    if (t->ask->issue)
        add(header, s->xroad, "issue", t->ask->issue);
    add(header, s->xroad, "protocolVersion", "4.0");
}

static xmlDoc *make_envelope(const kit_xroad_trip *t)
{
    xmlDoc *doc = xmlNewDoc((const xmlChar *)"1.0");
    xmlNode *root = xmlNewDocNode(doc, NULL, (const xmlChar *)"Envelope", NULL);
    spaces s = {.soap = xmlNewNs(root, (const xmlChar *)SOAP, (const xmlChar *)"soapenv"),
                .xroad = xmlNewNs(root, (const xmlChar *)XROAD, (const xmlChar *)"xro"),
                .ids = xmlNewNs(root, (const xmlChar *)IDS, (const xmlChar *)"iden")};
    xmlNode *body;

    xmlSetNs(root, s.soap);
    xmlDocSetRootElement(doc, root);
    add_headers(t, add(root, s.soap, "Header", NULL), &s);
    body = add(root, s.soap, "Body", NULL);
    xmlAddChild(body, xmlDocCopyNode(xmlDocGetRootElement(t->request), doc, 1));
    return doc;
}

/* ---- are the answer's headers the request's? ---- */

static bool same_text(const xmlNode *a, const xmlNode *b)
{
    xmlChar *one = xmlNodeGetContent(a), *other = xmlNodeGetContent(b);
    bool same = xmlStrEqual(one, other) != 0;

    xmlFree(one);
    xmlFree(other);
    return same;
}

static bool same_type(const xmlNode *a, const xmlNode *b)
{
    xmlChar *one = xmlGetNsProp(a, (const xmlChar *)"objectType", (const xmlChar *)IDS);
    xmlChar *other = xmlGetNsProp(b, (const xmlChar *)"objectType", (const xmlChar *)IDS);
    bool same = xmlStrEqual(one, other) != 0;

    xmlFree(one);
    xmlFree(other);
    return same;
}

static bool same_element(const xmlNode *a, const xmlNode *b)
{
    size_t i = 0;

    if (!b || !kit_xml_is(b, (const char *)a->ns->href, (const char *)a->name) || !same_type(a, b))
        return false;
    for (; kit_xml_child(a, i); i++) /* an identifier's parts */
        if (!same_element(kit_xml_child(a, i), kit_xml_child(b, i)))
            return false;
    return !kit_xml_child(b, i) && (i > 0 || same_text(a, b));
}

/* The next header of X-Road from `node` on, without what the security server adds. */
static xmlNode *next_header(xmlNode *node)
{
    for (; node; node = node->next)
        if (node->type == XML_ELEMENT_NODE && node->ns &&
            xmlStrEqual(node->ns->href, (const xmlChar *)XROAD) &&
            !kit_xml_is(node, XROAD, "requestHash"))
            return node;
    return NULL;
}

/* All of ours, in their order and values, and no other. */
static bool same_headers(const xmlNode *ours, const xmlNode *theirs)
{
    xmlNode *a = next_header(ours->children);
    xmlNode *b = theirs ? next_header(theirs->children) : NULL;

    while (a && b && same_element(a, b)) {
        a = next_header(a->next);
        b = next_header(b->next);
    }
    return !a && !b;
}

/* ---- the answer ---- */

/* The header (NULL where there is none) and the one element in the body; false: it is no such envelope. */
static bool open_envelope(xmlDoc *doc, xmlNode **header, xmlNode **content)
{
    xmlNode *root = xmlDocGetRootElement(doc);
    xmlNode *first = kit_xml_child(root, 0);
    bool has = kit_xml_is(first, SOAP, "Header");
    xmlNode *body = has ? kit_xml_child(root, 1) : first;

    if (!kit_xml_is(root, SOAP, "Envelope") || !kit_xml_is(body, SOAP, "Body") ||
        kit_xml_child(root, has ? 2 : 1))
        return false;
    *header = has ? first : NULL;
    *content = kit_xml_child(body, 0);
    return *content && !kit_xml_child(body, 1);
}

/* SOAP's own codes, without more behind them, are the other side's; X-Road's go on behind a dot. */
static fwp_rc judge_code(kit_xroad_trip *t, const char *code)
{
    if (strcmp(code, "Client") == 0) {
        t->ask->reach = KIT_XROAD_CARRIED;
        return kit_refuse(t->reply, FWP_PERMFAIL,
                          "the other side cannot read our request (SOAP fault Client)");
    }
    if (strcmp(code, "Server") == 0) {
        t->ask->reach = KIT_XROAD_CARRIED;
        return kit_xroad_open_end(t, "the other side failed (SOAP fault Server)");
    }
    return kit_xroad_error(t, code);
}

static fwp_rc judge_fault(kit_xroad_trip *t, const xmlNode *fault)
{
    const char *code = "no code", *colon;

    for (size_t i = 0; kit_xml_child(fault, i); i++)
        if (strcmp((const char *)kit_xml_child(fault, i)->name, "faultcode") == 0)
            code = kit_xml_text(t->x->host, t->call, kit_xml_child(fault, i));
    colon = strchr(code, ':');
    return judge_code(t, colon ? colon + 1 : code);
}

static xmlDoc *alone(xmlNode *content)
{
    xmlDoc *doc = xmlNewDoc((const xmlChar *)"1.0");
    xmlDocSetRootElement(doc, xmlDocCopyNode(content, doc, 1));
    return doc;
}

static fwp_rc judge(kit_xroad_trip *t, const xmlDoc *asked, xmlDoc *said, json_t **answer)
{
    xmlNode *root = xmlDocGetRootElement(asked), *header, *content;

    if (!open_envelope(said, &header, &content))
        return kit_xroad_open_end(t, "the answer is no SOAP envelope of one element");
    if (kit_xml_is(content, SOAP, "Fault"))
        return judge_fault(t, content);
    if (!same_headers(kit_xml_child(root, 0), header))
        return kit_xroad_open_end(t, "the answer is to another request");
    t->ask->reach = KIT_XROAD_CARRIED;
    return kit_xroad_judge(t, alone(content), answer);
}

static bool is_fault(xmlDoc *said)
{
    xmlNode *header, *content;
    return said && open_envelope(said, &header, &content) && kit_xml_is(content, SOAP, "Fault");
}

/* 200 brings an answer or a fault, 500 a fault or nothing of SOAP. */
static fwp_rc judge_response(kit_xroad_trip *t, const xmlDoc *asked, json_t **answer)
{
    int status = t->http.status;
    kit_xml_fault fault;
    xmlDoc *said;
    fwp_rc rc;

    if (status != 200 && status != 500)
        return kit_xroad_by_status(t);
    said = kit_xml_read(t->http.body, &fault);
    if (status == 500 && !is_fault(said))
        rc = kit_xroad_by_status(t);
    else if (!said)
        rc = kit_xroad_open_end(t, kit_say(t->x->host, t->call, "the answer: %s", fault.text));
    else
        rc = judge(t, asked, said, answer);
    xmlFreeDoc(said);
    return rc;
}

fwp_rc kit_xroad_soap(kit_xroad_trip *t, json_t **answer)
{
    static const fwp_kv headers[] = {{{"Content-Type", 12}, {"text/xml; charset=utf-8", 23}, 0},
                                     {{"SOAPAction", 10}, {"\"\"", 2}, 0}};
    const fwp_host *host = t->x->host;
    xmlDoc *asked = make_envelope(t);
    fwp_rc rc = kit_xroad_send(t, kit_say(host, t->call, "%s/", t->x->s.url), headers, 2,
                               kit_xml_bytes(host, t->call, asked));

    if (rc == FWP_OK)
        rc = judge_response(t, asked, answer);
    xmlFreeDoc(asked);
    return rc;
}
