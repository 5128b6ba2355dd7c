#include "kit_xml.h"
#include "kit_answer.h"

#include <stdlib.h>
#include <string.h>

static const kit_xml_shape *shape_of(const kit_xml_shape *shape, const char *name)
{
    for (; shape->name; shape++)
        if (strcmp(shape->name, name) == 0)
            return shape;
    return NULL;
}

/* ---- XML to JSON ---- */

static xmlNode *next_element(xmlNode *node)
{
    while (node && node->type != XML_ELEMENT_NODE)
        node = node->next;
    return node;
}

static json_t *list_of(const xmlNode *element, const kit_xml_shape *shape)
{
    json_t *out = json_array();

    for (xmlNode *c = next_element(element->children); c; c = next_element(c->next))
        json_array_append_new(out, kit_xml_to_json(c, shape));
    return out;
}

static json_t *object_of(const xmlNode *element, const kit_xml_shape *shape)
{
    json_t *out = json_object();

    for (xmlNode *c = next_element(element->children); c; c = next_element(c->next))
        json_object_set_new(out, (const char *)c->name, kit_xml_to_json(c, shape));
    return out;
}

/* The text without white space around it, which schemas let pass around dates and numbers. */
static json_t *trimmed(const char *s)
{
    static const char white[] = " \t\r\n";
    size_t n;

    s += strspn(s, white);
    for (n = strlen(s); n > 0 && strchr(white, s[n - 1]); n--)
        ;
    return json_stringn(s, n);
}

static json_t *leaf_of(const xmlNode *element, const kit_xml_shape *how)
{
    xmlChar *text = xmlNodeGetContent(element);
    const char *s = text ? (const char *)text : "";
    json_t *out;

    if (how && how->kind == KIT_XML_INTEGER)
        out = json_integer(strtoll(s, NULL, 10));
    else if (how)
        out = json_boolean(strstr(s, "true") || strchr(s, '1'));
    else
        out = trimmed(s);
    xmlFree(text);
    return out;
}

json_t *kit_xml_to_json(const xmlNode *element, const kit_xml_shape *shape)
{
    const kit_xml_shape *how = shape_of(shape, (const char *)element->name);

    if (how && how->kind == KIT_XML_LIST)
        return list_of(element, shape);
    if (next_element(element->children))
        return object_of(element, shape);
    return leaf_of(element, how);
}

/* ---- JSON to XML ---- */

static void fill(xmlNode *element, const json_t *value, const kit_xml_shape *shape);

static void add(xmlNode *parent, const char *name, const json_t *value, const kit_xml_shape *shape)
{
    fill(xmlNewChild(parent, parent->ns, (const xmlChar *)name, NULL), value, shape);
}

static void add_text(xmlNode *element, const char *text)
{
    xmlNodeAddContent(element, (const xmlChar *)text);
}

static void add_items(xmlNode *element, const json_t *list, const kit_xml_shape *shape)
{
    const kit_xml_shape *how = shape_of(shape, (const char *)element->name);
    json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
        add(element, how && how->item ? how->item : "item", item, shape);
}

static void fill(xmlNode *element, const json_t *value, const kit_xml_shape *shape)
{
    char number[24];
    const char *name;
    json_t *member;

    if (json_is_string(value)) {
        add_text(element, json_string_value(value));
    } else if (json_is_integer(value)) {
        snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
        add_text(element, number);
    } else if (json_is_boolean(value)) {
        add_text(element, json_is_true(value) ? "true" : "false");
    } else if (json_is_array(value)) {
        add_items(element, value, shape);
    } else {
        json_object_foreach((json_t *)(uintptr_t)value, name, member)
            add(element, name, member, shape);
    }
}

xmlDoc *kit_xml_of_json(const char *ns, const char *element, const json_t *object,
                        const kit_xml_shape *shape)
{
    xmlDoc *doc = xmlNewDoc((const xmlChar *)"1.0");
    xmlNode *root = xmlNewDocNode(doc, NULL, (const xmlChar *)element, NULL);

    xmlDocSetRootElement(doc, root);
    xmlSetNs(root, xmlNewNs(root, (const xmlChar *)ns, NULL));
    fill(root, object, shape);
    return doc;
}

/* ---- small things ---- */

fwp_str kit_xml_bytes(const fwp_host *host, fwp_call *call, xmlDoc *doc)
{
    xmlChar *bytes = NULL;
    int n = 0;
    fwp_str out;

    xmlDocDumpMemoryEnc(doc, &bytes, &n, "UTF-8");
    out = kit_copy(host, call, (const char *)bytes, n > 0 ? (size_t)n : 0);
    xmlFree(bytes);
    return out;
}

xmlNode *kit_xml_child(const xmlNode *parent, size_t n)
{
    xmlNode *c = parent ? next_element(parent->children) : NULL;

    while (c && n-- > 0)
        c = next_element(c->next);
    return c;
}

const char *kit_xml_text(const fwp_host *host, fwp_call *call, const xmlNode *element)
{
    xmlChar *text = xmlNodeGetContent(element);
    const char *s = text ? (const char *)text : "";
    fwp_str out = kit_copy(host, call, s, strlen(s));

    xmlFree(text);
    return out.p;
}

bool kit_xml_is(const xmlNode *element, const char *ns, const char *name)
{
    return element && element->type == XML_ELEMENT_NODE && element->ns && element->ns->href &&
           strcmp((const char *)element->ns->href, ns) == 0 &&
           strcmp((const char *)element->name, name) == 0;
}
