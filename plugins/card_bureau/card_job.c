#include "card.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

/* ---- a document that goes out ---- */

static void set(xmlNode *node, const char *name, const char *value)
{
    if (value)
        xmlNewProp(node, (const xmlChar *)name, (const xmlChar *)value);
}

/* The object's members of these names, as attributes in this order: the same request is the same bytes. */
static void copy(xmlNode *node, const json_t *o, const char *const *names)
{
    for (; *names; names++)
        set(node, *names, json_string_value(json_object_get(o, *names)));
}

static xmlNode *add(xmlNode *parent, const char *name)
{
    return xmlNewChild(parent, NULL, (const xmlChar *)name, NULL);
}

static xmlNode *begin(const char *name)
{
    xmlDoc *doc = xmlNewDoc((const xmlChar *)"1.0");
    xmlNode *root = xmlNewDocNode(doc, NULL, (const xmlChar *)name, NULL);

    xmlDocSetRootElement(doc, root);
    xmlSetNs(root, xmlNewNs(root, (const xmlChar *)CARD_NAMESPACE, NULL));
    set(root, "version", "1");
    return root;
}

/* Its text, if it is as the schema has it: a request may say what XML cannot. */
static fwp_str finish(const fwp_instance *self, fwp_call *call, xmlNode *root, const char **why)
{
    kit_xml_fault *fault = self->host->alloc(call, sizeof(*fault));
    fwp_str out = {NULL, 0};
    xmlChar *text = NULL;
    xmlDoc *read;
    int n = 0;

    xmlDocDumpFormatMemoryEnc(root->doc, &text, &n, "UTF-8", 1);
    read = kit_xml_read((fwp_str){(const char *)text, text && n > 0 ? (size_t)n : 0}, fault);
    *why = fault->text;
    if (read && text && kit_xml_schema_holds(self->job, read, (const char *)root->name, fault)) {
        char *copied = self->host->alloc(call, (size_t)n);

        memcpy(copied, text, (size_t)n);
        out = (fwp_str){copied, (size_t)n};
    }
    xmlFreeDoc(read);
    xmlFree(text);
    xmlFreeDoc(root->doc);
    return out;
}

/* ---- the job ---- */

const char *card_file_name(const fwp_instance *self, fwp_call *call, const json_t *request,
                           size_t n)
{
    const json_t *file = json_array_get(json_object_get(request, "files"), n);
    char *name;

    if (json_equal(json_object_get(file, "name"), json_object_get(request, "photo")))
        return "photo.jpg";
    name = self->host->alloc(call, 16);
    snprintf(name, 16, "file-%u", (unsigned)(n + 1));
    return name;
}

static void add_file(xmlNode *job, const char *called, const json_t *file)
{
    xmlNode *node = add(job, strcmp(called, "photo.jpg") == 0 ? "photo" : "file");
    char size[24];

    snprintf(size, sizeof(size), "%" JSON_INTEGER_FORMAT,
             json_integer_value(json_object_get(file, "size")));
    set(node, "name", called);
    set(node, "size", size);
    set(node, "sha256", json_string_value(json_object_get(file, "sha256")));
}

/* The photo before the others, as the schema has it. */
static void add_files(const fwp_instance *self, fwp_call *call, xmlNode *job, const json_t *request)
{
    const json_t *files = json_object_get(request, "files"), *file;
    size_t i;

    for (int photo = 1; photo >= 0; photo--) {
        json_array_foreach(files, i, file)
        {
            const char *called = card_file_name(self, call, request, i);

            if (photo == (strcmp(called, "photo.jpg") == 0))
                add_file(job, called, file);
        }
    }
}

fwp_str card_job_xml(const fwp_instance *self, fwp_call *call, const json_t *request,
                     const char **why)
{
    static const char *const of_job[] = {"job_no",     "case_no", "permit_no", "replaces",
                                         "deliver_to", "due",     NULL};
    static const char *const of_card[] = {"reason",   "employer_name", "address", "valid_from",
                                          "valid_to", "issued",        "place",   NULL};
    static const char *const of_person[] = {"name_latin",  "name_native", "name_zh",
                                            "passport_no", "nationality", "birth",
                                            "sex",         "ui_no",       NULL};
    const json_t *card = json_object_get(request, "card");
    xmlNode *job = begin("job"), *node = add(job, "card");

    copy(job, request, of_job);
    copy(node, card, of_card);
    copy(add(node, "person"), json_object_get(card, "person"), of_person);
    add_files(self, call, job, request);
    return finish(self, call, job, why);
}

fwp_str card_cancel_xml(const fwp_instance *self, fwp_call *call, const json_t *request,
                        const char **why)
{
    static const char *const names[] = {"job_no", "reason", NULL};
    xmlNode *cancel = begin("cancel");

    copy(cancel, request, names);
    return finish(self, call, cancel, why);
}

/* ---- SHA256SUMS ---- */

#define LINE_BYTES 96

static void digest_of(fwp_str bytes, char hex[65])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    EVP_Digest(bytes.p, bytes.n, digest, &n, EVP_sha256(), NULL);
    for (unsigned i = 0; i < n && i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

/* As sha256sum writes it and reads it with -c. */
fwp_str card_sums(const fwp_instance *self, fwp_call *call, const json_t *request, fwp_str job)
{
    const json_t *files = json_object_get(request, "files"), *file;
    size_t room = (json_array_size(files) + 1) * LINE_BYTES, n, i;
    char *text = self->host->alloc(call, room);
    char hex[65];

    digest_of(job, hex);
    n = (size_t)snprintf(text, room, "%s  job.xml\n", hex);
    json_array_foreach(files, i, file) n += (size_t)snprintf(
        text + n, room - n, "%.64s  %s\n", json_string_value(json_object_get(file, "sha256")),
        card_file_name(self, call, request, i));
    return (fwp_str){text, n};
}
