#include "card_xml.h"

#include <stdio.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/xmlerror.h>

#define NAMES   "abcdefghijklmnopqrstuvwxyz_0123456789"
#define OPTIONS (XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOBLANKS)

static bool say(char *why, const char *what)
{
    snprintf(why, CARD_WHY_BYTES, "%s", what);
    return false;
}

/* ---- documents ---- */

/* As the parser reads UTF-8, these bytes can mean nothing else, wherever they stand. */
static bool has_doctype(const char *bytes, size_t n)
{
    static const char word[] = "<!DOCTYPE";
    const size_t m = sizeof(word) - 1;

    for (size_t i = 0; i + m <= n; i++) {
        if (memcmp(bytes + i, word, m) == 0)
            return true;
    }
    return false;
}

static void tell_parser(xmlParserCtxt *ctxt, char *why)
{
    const xmlError *e = xmlCtxtGetLastError(ctxt);

    if (e)
        snprintf(why, CARD_WHY_BYTES, "no XML: line %d, libxml2's error %d", e->line, e->code);
    else
        say(why, "no XML");
}

xmlDoc *card_xml_read(const char *bytes, size_t n, char *why)
{
    xmlParserCtxt *ctxt;
    xmlDoc *doc;

    say(why, "no XML: empty");
    if (n == 0 || n > INT32_MAX)
        return NULL;
    if (has_doctype(bytes, n)) {
        say(why, "a DOCTYPE, which is refused");
        return NULL;
    }
    ctxt = xmlNewParserCtxt();
    if (!ctxt)
        return NULL;
    doc = xmlCtxtReadMemory(ctxt, bytes, (int)n, NULL, "UTF-8", OPTIONS);
    if (!doc)
        tell_parser(ctxt, why);
    xmlFreeParserCtxt(ctxt);
    return doc;
}

/* ---- schemas ---- */

/* The name that libxml2's words bring behind `before`, in quotes; its length in *n, 0: there is none. */
static const char *name_behind(const char *words, const char *before, int *n)
{
    const char *at = words ? strstr(words, before) : NULL;

    if (at)
        at += strlen(before);
    *n = at ? (int)strspn(at, NAMES) : 0;
    if (*n > 40 || (at && at[*n] != '\''))
        *n = 0;
    return at;
}

/* The first complaint is the one that counts. libxml2's words quote values, so no more than names is taken of them. */
static void note(void *baton, xmlError *e)
{
    const xmlNode *node = e->node;
    char *why = baton;
    const char *attribute;
    int n;

    if (*why)
        return;
    attribute = name_behind(e->message, ", attribute '", &n);
    snprintf(why, CARD_WHY_BYTES, "not as the schema has it: line %d, element %.40s%s%.*s: rule %d",
             e->line, node && node->name ? (const char *)node->name : "?", n ? ", attribute " : "",
             n, attribute, e->code);
}

/* Where a schema is not one, its file is to blame, so libxml2's words may be told. */
static void note_words(void *baton, xmlError *e)
{
    char *why = baton;

    if (!*why && e->message)
        snprintf(why, CARD_WHY_BYTES, "line %d: %.180s", e->line, e->message);
    why[strcspn(why, "\r\n")] = '\0';
}

bool card_xml_schema(card_schema *out, const char *path, char *why)
{
    xmlSchemaParserCtxt *ctxt;

    *out = (card_schema){.doc = xmlReadFile(path, NULL, OPTIONS)};
    ctxt = out->doc ? xmlSchemaNewDocParserCtxt(out->doc) : NULL;
    if (!ctxt)
        return say(why, "no such file, or no XML");
    *why = '\0';
    xmlSchemaSetParserStructuredErrors(ctxt, note_words, why);
    out->schema = xmlSchemaParse(ctxt);
    xmlSchemaFreeParserCtxt(ctxt);
    return out->schema != NULL || (*why ? false : say(why, "no schema"));
}

void card_xml_forget(card_schema *s)
{
    xmlSchemaFree(s->schema);
    xmlFreeDoc(s->doc);
    *s = (card_schema){NULL, NULL};
}

bool card_xml_valid(xmlDoc *doc, const card_schema *schema, char *why)
{
    xmlSchemaValidCtxt *ctxt = xmlSchemaNewValidCtxt(schema->schema);
    int rc;

    if (!ctxt)
        return say(why, "no memory");
    *why = '\0';
    xmlSchemaSetValidStructuredErrors(ctxt, note, why);
    rc = xmlSchemaValidateDoc(ctxt, doc);
    xmlSchemaFreeValidCtxt(ctxt);
    if (rc != 0 && !*why)
        say(why, "not as the schema has it");
    return rc == 0;
}
