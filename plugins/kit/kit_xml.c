#include "kit_xml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/xmlschemas.h>

#define NAMES \
    "abcdefghijklmnopqrstuvwxyz_0123456789" /* what attributes of our schemas are written with */

static void blame(kit_xml_fault *fault, const char *fmt, ...) FWP_PRINTF(2, 3);
static void blame(kit_xml_fault *fault, const char *fmt, ...)
{
    va_list args;

    if (fault->text[0])
        return; /* the first one tells */
    va_start(args, fmt);
    vsnprintf(fault->text, sizeof(fault->text), fmt, args);
    va_end(args);
}

/* ---- reading ---- */

/* What the parser is held to while it builds the tree. */
typedef struct limits {
    int depth, nodes;
    kit_xml_fault *fault;
} limits;

static limits *limits_of(void *ctx)
{
    return ((xmlParserCtxt *)ctx)->_private;
}

static void stop(void *ctx, const char *why)
{
    blame(limits_of(ctx)->fault, "line %d: %s", xmlSAX2GetLineNumber(ctx), why);
    xmlStopParser(ctx);
}

static void on_doctype(void *ctx, const xmlChar *name, const xmlChar *id, const xmlChar *system)
{
    (void)name, (void)id, (void)system;
    stop(ctx, "a DOCTYPE is not taken");
}

static void on_instruction(void *ctx, const xmlChar *target, const xmlChar *data)
{
    (void)target, (void)data;
    stop(ctx, "a processing instruction is not taken");
}

static void on_start(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int n_spaces, const xmlChar **spaces, int n_attributes, int n_defaulted,
                     const xmlChar **attributes)
{
    limits *l = limits_of(ctx);

    l->nodes += 1 + n_spaces + n_attributes;
    if (++l->depth > KIT_XML_DEPTH)
        stop(ctx, "elements lie too deep in each other");
    else if (l->nodes > KIT_XML_NODES)
        stop(ctx, "too many elements and attributes");
    else
        xmlSAX2StartElementNs(ctx, name, prefix, uri, n_spaces, spaces, n_attributes, n_defaulted,
                              attributes);
}

static void on_end(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    limits_of(ctx)->depth--;
    xmlSAX2EndElementNs(ctx, name, prefix, uri);
}

static void restrain(xmlParserCtxt *parser, limits *l)
{
    parser->_private = l;
    parser->sax->internalSubset = on_doctype;
    parser->sax->externalSubset = on_doctype;
    parser->sax->processingInstruction = on_instruction;
    parser->sax->comment = NULL;
    parser->sax->startElementNs = on_start;
    parser->sax->endElementNs = on_end;
}

static bool is_utf8(const xmlChar *encoding)
{
    return !encoding || xmlStrcasecmp(encoding, (const xmlChar *)"UTF-8") == 0;
}

static xmlDoc *parse(fwp_str bytes, kit_xml_fault *fault)
{
    xmlParserCtxt *parser = xmlCreateMemoryParserCtxt(bytes.p, (int)bytes.n);
    limits l = {.fault = fault};
    xmlDoc *doc;

    if (!parser) {
        blame(fault, "no memory");
        return NULL;
    }
    xmlCtxtUseOptions(parser, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                                  XML_PARSE_NOCDATA | XML_PARSE_COMPACT);
    restrain(parser, &l);
    xmlParseDocument(parser);
    doc = parser->myDoc;
    if (!doc || !parser->wellFormed || parser->errNo != XML_ERR_OK)
        blame(fault, "line %d: not well-formed XML", parser->lastError.line);
    else if (!is_utf8(doc->encoding))
        blame(fault, "line 1: the encoding is not UTF-8");
    xmlFreeParserCtxt(parser);
    return doc;
}

xmlDoc *kit_xml_read(fwp_str bytes, kit_xml_fault *fault)
{
    json_t *text;
    xmlDoc *doc;

    fault->text[0] = '\0';
    if (bytes.n == 0 || bytes.n > KIT_XML_BYTES) {
        blame(fault, bytes.n ? "the document is too long" : "the document is empty");
        return NULL;
    }
    text = json_stringn(bytes.p, bytes.n); /* NULL: not UTF-8 */
    if (!text || memchr(bytes.p, 0, bytes.n)) {
        json_decref(text);
        blame(fault, "the document is not UTF-8 text");
        return NULL;
    }
    json_decref(text);
    doc = parse(bytes, fault);
    if (!fault->text[0] && doc && xmlDocGetRootElement(doc))
        return doc;
    blame(fault, "not well-formed XML");
    xmlFreeDoc(doc);
    return NULL;
}

/* ---- the schema ---- */

struct kit_xml_schema {
    xmlSchema *all;
    char *ns;
};

/* Errors of libxml2 quote values; of them only place and kind go on. */
static void on_schema_error(void *ctx, xmlError *error)
{
    (void)error;
    blame(ctx, "is no schema: line %d", error ? error->line : 0);
}

/* "/permits/permit/valid_to", as far as there is room: the end of the path is what tells. */
static void write_path(const xmlNode *node, char *out, size_t room)
{
    char longer[160];

    out[0] = '\0';
    for (; node && node->type == XML_ELEMENT_NODE; node = node->parent) {
        int n = snprintf(longer, sizeof(longer), "/%.40s%s", (const char *)node->name, out);
        if (n < 0 || (size_t)n >= room)
            return;
        memcpy(out, longer, (size_t)n + 1);
    }
}

/* The attribute that libxml2's words name before they quote any value; its length in *n, 0: none. */
static const char *attribute_in(const char *words, int *n)
{
    static const char before[] = ", attribute '";
    const char *at = words ? strstr(words, before) : NULL;

    if (at)
        at += sizeof(before) - 1;
    *n = at ? (int)strspn(at, NAMES) : 0;
    if (*n > 40 || (at && at[*n] != '\''))
        *n = 0;
    return at;
}

static void on_document_error(void *ctx, xmlError *error)
{
    const xmlNode *node = error->node;
    char path[120] = "";
    int n;
    const char *attribute = attribute_in(error->message, &n);

    if (node && node->type == XML_ATTRIBUTE_NODE)
        node = node->parent;
    write_path(node, path, sizeof(path));
    blame(ctx, "line %d, %s%s%.*s: not as the schema has it (%d)", error->line, path, n ? "/@" : "",
          n, attribute, error->code);
}

static char *slurp(const char *path, size_t *n)
{
    FILE *in = fopen(path, "rbe");
    char *all = in ? malloc(KIT_XML_BYTES) : NULL;

    *n = all ? fread(all, 1, KIT_XML_BYTES, in) : 0;
    if (in)
        fclose(in);
    return all;
}

static xmlSchema *read_schema(const char *path, kit_xml_fault *fault)
{
    size_t n;
    char *bytes = slurp(path, &n);
    xmlSchemaParserCtxt *parser;
    xmlSchema *out = NULL;

    if (n == 0 || n == KIT_XML_BYTES) {
        blame(fault, "cannot be read, or is too long");
        free(bytes);
        return NULL;
    }
    parser = xmlSchemaNewMemParserCtxt(bytes, (int)n);
    if (parser) {
        xmlSchemaSetParserStructuredErrors(parser, (xmlStructuredErrorFunc)on_schema_error, fault);
        out = xmlSchemaParse(parser);
        xmlSchemaFreeParserCtxt(parser);
    }
    free(bytes);
    if (!out)
        blame(fault, "is no schema");
    return out;
}

kit_xml_schema *kit_xml_schema_open(const char *path, const char *ns, kit_xml_fault *fault)
{
    kit_xml_schema *s = calloc(1, sizeof(*s));

    fault->text[0] = '\0';
    xmlInitParser();
    if (s) {
        s->ns = strdup(ns);
        s->all = read_schema(path, fault);
    }
    if (s && s->ns && s->all)
        return s;
    blame(fault, "no memory");
    kit_xml_schema_close(s);
    return NULL;
}

void kit_xml_schema_close(kit_xml_schema *s)
{
    if (!s)
        return;
    xmlSchemaFree(s->all);
    free(s->ns);
    free(s);
}

bool kit_xml_schema_holds(const kit_xml_schema *s, xmlDoc *doc, const char *element,
                          kit_xml_fault *fault)
{
    const xmlNode *root = xmlDocGetRootElement(doc);
    xmlSchemaValidCtxt *judge;
    bool holds = false;

    fault->text[0] = '\0';
    if (!kit_xml_is(root, s->ns, element)) {
        blame(fault, "the root is not %.60s of %.80s", element, s->ns);
        return false;
    }
    judge = xmlSchemaNewValidCtxt(s->all);
    if (judge) {
        xmlSchemaSetValidStructuredErrors(judge, (xmlStructuredErrorFunc)on_document_error, fault);
        holds = xmlSchemaValidateDoc(judge, doc) == 0;
        xmlSchemaFreeValidCtxt(judge);
    }
    if (!holds)
        blame(fault, "not as the schema has it");
    return holds;
}
