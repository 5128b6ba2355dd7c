/* A document of a partner: read within its limits, held to a schema, made JSON, and written again. */
#include "fw_config.h"
#include "fuzz.h"

#include "kit/kit_xml.h"

#define NS "urn:fwpermit:labour:1"

struct fwp_call {
    apr_pool_t *pool;
};

static kit_xml_schema *schema;

static void *take(fwp_call *call, size_t n)
{
    return apr_pcalloc(call->pool, n ? n : 1);
}

static const fwp_host host = {.size = sizeof(host), .abi = FWP_ABI, .alloc = take};

static const kit_xml_shape shape[] = {{"permits", KIT_XML_LIST, "permit"},
                                      {"nationalities", KIT_XML_LIST, "country"},
                                      {"quota", KIT_XML_INTEGER, NULL},
                                      {"used", KIT_XML_INTEGER, NULL},
                                      {NULL, KIT_XML_LIST, NULL}};

void fuzz_setup(apr_pool_t *pool)
{
    kit_xml_fault fault;

    (void)pool;
    schema = kit_xml_schema_open("docs/contracts/labour-1.xsd", NS, &fault);
    fuzz_want(schema, fault.text);
}

static int depth(const xmlNode *e)
{
    int deepest = 0;

    for (size_t i = 0; i < 3 && kit_xml_child(e, i); i++) {
        int d = depth(kit_xml_child(e, i));
        deepest = d > deepest ? d : deepest;
    }
    return 1 + deepest;
}

/* What is written of a document says the same. */
static void again(xmlDoc *doc, const json_t *json, fwp_call *call)
{
    kit_xml_fault fault;
    fwp_str bytes = kit_xml_bytes(&host, call, doc);
    xmlDoc *same = kit_xml_read(bytes, &fault);
    json_t *said;

    fuzz_want(same || bytes.n > KIT_XML_BYTES, "it reads what was written");
    if (!same)
        return;
    said = kit_xml_to_json(xmlDocGetRootElement(same), shape);
    fuzz_want(json_equal(said, json), "it reads as it is written");
    json_decref(said);
    xmlFreeDoc(same);
}

void fuzz_one(const uint8_t *data, size_t n, apr_pool_t *pool)
{
    fwp_call call = {pool};
    kit_xml_fault fault;
    char *copy = malloc(n + 1);
    xmlDoc *doc;
    json_t *json;

    memcpy(copy, data, n);
    copy[n] = '\0';
    doc = kit_xml_read((fwp_str){copy, n}, &fault);
    free(copy);
    fuzz_want(doc || fault.text[0], "a reason");
    if (!doc)
        return;
    fuzz_want(!doc->intSubset && !doc->extSubset, "no DOCTYPE");
    fuzz_want(depth(xmlDocGetRootElement(doc)) <= KIT_XML_DEPTH, "not too deep");
    json = kit_xml_to_json(xmlDocGetRootElement(doc), shape);
    fuzz_want(json, "there is JSON of it");
    again(doc, json, &call);
    if (kit_xml_schema_holds(schema, doc, "permitMessage", &fault))
        fuzz_want(json_is_array(json_object_get(json, "permits")), "it is as the schema has it");
    else
        fuzz_want(fault.text[0], "a reason");
    json_decref(json);
    xmlFreeDoc(doc);
}
