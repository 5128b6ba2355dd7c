#ifndef CARD_XML_H
#define CARD_XML_H

#include <stdbool.h>
#include <stddef.h>

#include <libxml/tree.h>
#include <libxml/xmlschemas.h>

/* XML of another system: nothing of it is believed. UTF-8 alone, whatever it says of itself; without a DOCTYPE, so without
 * entities; nothing is fetched; no element lies deeper than libxml2's 256. How many bytes there may be is the caller's. */

#define CARD_WHY_BYTES 240 /* room for a reason */

/* A document, for xmlFreeDoc(); NULL: `why` (of CARD_WHY_BYTES) tells what is wrong, without a value of it. */
xmlDoc *card_xml_read(const char *bytes, size_t n, char *why);

/* A schema, and the document that it was read from, which it needs as long as it lives. */
typedef struct card_schema {
    xmlSchema *schema;
    xmlDoc *doc;
} card_schema;

/* Reads the schema in that file, a trusted one; false: `why` tells. card_xml_forget() follows in any case. */
bool card_xml_schema(card_schema *out, const char *path, char *why);
void card_xml_forget(card_schema *s);

/* Whether the document is as the schema has it; false: `why` tells line, element, attribute and libxml2's rule, without a value. */
bool card_xml_valid(xmlDoc *doc, const card_schema *schema, char *why);

#endif
