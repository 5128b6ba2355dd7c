#ifndef KIT_XML_H
#define KIT_XML_H

#include "fwpermit_plugin.h"

#include <stdbool.h>

#include <jansson.h>
#include <libxml/tree.h>

/* XML from and for a partner: one reader with limits, one schema, and JSON on our side of it. */

#define KIT_XML_BYTES 1048576u /* of a document */
#define KIT_XML_DEPTH 24       /* elements within elements */
#define KIT_XML_NODES 20000    /* elements and attributes */

/* Where something is wrong, and what, without any value of the document; an attribute as /permits/permit/@no. */
typedef struct kit_xml_fault {
    char text[200]; /* "line 7, /permits/permit/valid_to: is not as the schema has it" */
} kit_xml_fault;

/* Reads a document: UTF-8, within the limits above, without DOCTYPE, entity of its own and processing instruction;
 * comments are left out. Nothing is fetched, neither by network nor from a file. xmlFreeDoc. NULL: *fault tells. */
xmlDoc *kit_xml_read(fwp_str bytes, kit_xml_fault *fault);

/* A schema (XSD) for documents of one namespace. */
typedef struct kit_xml_schema kit_xml_schema;

/* Reads it from a file. NULL: *fault tells. */
kit_xml_schema *kit_xml_schema_open(const char *path, const char *ns, kit_xml_fault *fault);
void kit_xml_schema_close(kit_xml_schema *schema);

/* Whether the root is `element` of the schema's namespace and the whole is as the schema has it; if not, *fault tells. */
bool kit_xml_schema_holds(const kit_xml_schema *schema, xmlDoc *doc, const char *element,
                          kit_xml_fault *fault);

/* The JSON of a document by convention: an element with elements in it is an object, each once by its local name; any
 * other is a text. What is otherwise stands in a table: integers, booleans, and lists, whose elements are the items,
 * whatever their names. The table ends with a name that is NULL. */
typedef enum kit_xml_kind { KIT_XML_INTEGER, KIT_XML_BOOLEAN, KIT_XML_LIST } kit_xml_kind;
typedef struct kit_xml_shape {
    const char *name;
    kit_xml_kind kind;
    const char *item; /* of a list: the name of its items where JSON becomes XML */
} kit_xml_shape;

/* New. The document has been held to its schema, which is what makes the convention safe. */
json_t *kit_xml_to_json(const xmlNode *element, const kit_xml_shape *shape);

/* A document of one element of that namespace, made of a JSON object; xmlFreeDoc. */
xmlDoc *kit_xml_of_json(const char *ns, const char *element, const json_t *object,
                        const kit_xml_shape *shape);

/* Its bytes, in the call's memory. */
fwp_str kit_xml_bytes(const fwp_host *host, fwp_call *call, xmlDoc *doc);

/* The n-th child that is an element (from 0), or NULL; the text in an element, in the call's memory. */
xmlNode *kit_xml_child(const xmlNode *parent, size_t n);
const char *kit_xml_text(const fwp_host *host, fwp_call *call, const xmlNode *element);
/* Whether it is that element of that namespace. */
bool kit_xml_is(const xmlNode *element, const char *ns, const char *name);

#endif
