#include "fw_config.h"
#include "fw_service.h"

#include <stdlib.h>
#include <string.h>

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_strings.h>
#include <libxml/relaxng.h>

#include "fw_file.h"
#include "fw_service_int.h"
#include "fw_sha256.h"

#define XML_MAX_BYTES 524288

const char *fw_label_text(const fw_label *label, const char *lang)
{
    const char *first = lang && strcmp(lang, "en") == 0 ? label->en : label->zh;
    const char *second = first == label->en ? label->zh : label->en;

    if (first && *first)
        return first;
    return second ? second : "";
}

const char *fw_field_type_name(fw_field_e type)
{
    static const char *const names[] = {
#define X(id, name) name,
        FW_FIELD_TYPES(X)
#undef X
    };

    return names[type];
}

const fw_field *fw_service_field(const fw_service *s, const char *name)
{
    for (int i = 0; i < s->n_fields; i++) {
        if (strcmp(s->fields[i].name, name) == 0)
            return &s->fields[i];
    }
    return NULL;
}

const fw_field *fw_service_field_of(const fw_service *s, fw_field_e type)
{
    for (int i = 0; i < s->n_fields; i++) {
        if (s->fields[i].type == type)
            return &s->fields[i];
    }
    return NULL;
}

const fw_service *fw_services_find(const fw_services *all, const char *code)
{
    for (int i = 0; i < all->list->nelts; i++) {
        const fw_service *s = APR_ARRAY_IDX(all->list, i, const fw_service *);

        if (code && strcmp(s->code, code) == 0)
            return s;
    }
    return NULL;
}

const fw_service *fw_services_by_hash(const fw_services *all, const char *hash)
{
    for (int i = 0; i < all->list->nelts; i++) {
        const fw_service *s = APR_ARRAY_IDX(all->list, i, const fw_service *);

        if (hash && strcmp(s->hash, hash) == 0)
            return s;
    }
    return NULL;
}

int fw_services_count(const fw_services *all)
{
    return all->list->nelts;
}

const fw_service *fw_services_at(const fw_services *all, int i)
{
    return APR_ARRAY_IDX(all->list, i, const fw_service *);
}

/* ---- libxml2's complaints, kept and not printed ---- */

/* Of several, the line of the first that has one, and all texts with "; " between. */
static void keep_complaint(void *data, xmlErrorPtr e)
{
    fw_xml_complaint *c = data;
    size_t used = strlen(c->text), n = e->message ? strcspn(e->message, "\n") : 0;

    if (!c->line)
        c->line = e->line;
    if (n > 0 && used + n + sizeof("; ") <= sizeof(c->text))
        apr_snprintf(c->text + used, sizeof(c->text) - used, "%s%.*s", used ? "; " : "", (int)n,
                     e->message);
}

static const fw_err *complain(const char *name, const fw_xml_complaint *c, apr_pool_t *pool)
{
    return FW_ERR(pool, FW_E_CONFIG, 0, "%s:%d: %s", name, c->line ? c->line : 1,
                  *c->text ? c->text : "cannot be read as XML");
}

/* Of one parser alone: what the process has set for all stays as it is. */
static void keep_parse_complaint(void *ctx, xmlErrorPtr e)
{
    keep_complaint(((xmlParserCtxtPtr)ctx)->_private, e);
}

static apr_status_t free_schema(void *data)
{
    xmlRelaxNGFree(data);
    return APR_SUCCESS;
}

static const fw_err *parse_xml(xmlDocPtr *doc, const char *xml, apr_size_t n, const char *name,
                               apr_pool_t *pool)
{
    fw_xml_complaint c = {0, ""};
    xmlParserCtxtPtr ctx;

    if (n > XML_MAX_BYTES)
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s:1: longer than %d bytes", name, XML_MAX_BYTES);
    ctx = xmlNewParserCtxt();
    ctx->_private = &c;
    ctx->sax->serror = keep_parse_complaint;
    *doc =
        xmlCtxtReadMemory(ctx, xml, (int)n, name, "UTF-8", XML_PARSE_NONET | XML_PARSE_NOWARNING);
    xmlFreeParserCtxt(ctx);
    return *doc ? NULL : complain(name, &c, pool);
}

static const fw_err *load_schema(fw_services *all, const char *rng, apr_pool_t *pool)
{
    fw_xml_complaint c = {0, ""};
    char *text = NULL;
    apr_size_t n;
    xmlRelaxNGParserCtxtPtr ctx;
    xmlDocPtr doc;

    FW_TRY(fw_file_read(&text, &n, rng, XML_MAX_BYTES, pool));
    FW_TRY(parse_xml(&doc, text, n, rng, pool));
    ctx = xmlRelaxNGNewDocParserCtxt(doc);
    xmlRelaxNGSetParserStructuredErrors(ctx, keep_complaint, &c);
    all->schema = xmlRelaxNGParse(ctx);
    xmlRelaxNGFreeParserCtxt(ctx);
    xmlFreeDoc(doc);
    if (!all->schema)
        return complain(rng, &c, pool);
    apr_pool_cleanup_register(pool, all->schema, free_schema, apr_pool_cleanup_null);
    return NULL;
}

static const fw_err *validate(const fw_services *all, xmlDocPtr doc, const char *name,
                              apr_pool_t *pool)
{
    fw_xml_complaint c = {0, ""};
    xmlRelaxNGValidCtxtPtr ctx = xmlRelaxNGNewValidCtxt(all->schema);
    int rc;

    xmlRelaxNGSetValidStructuredErrors(ctx, keep_complaint, &c);
    rc = xmlRelaxNGValidateDoc(ctx, doc);
    xmlRelaxNGFreeValidCtxt(ctx);
    return rc ? complain(name, &c, pool) : NULL;
}

static const fw_err *read_doc(const fw_services *all, xmlDocPtr doc, const fw_service **out,
                              const char *name, apr_pool_t *pool)
{
    if (doc->intSubset || doc->extSubset)
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s:1: a DOCTYPE is not allowed", name);
    FW_TRY(validate(all, doc, name, pool));
    return fw_service_read(doc, out, name, pool);
}

const fw_err *fw_service_parse(const fw_services *all, const fw_service **out, const char *xml,
                               apr_size_t n, const char *name, apr_pool_t *pool)
{
    const fw_err *err;
    xmlDocPtr doc;

    FW_TRY(parse_xml(&doc, xml, n, name, pool));
    err = read_doc(all, doc, out, name, pool);
    xmlFreeDoc(doc);
    if (!err) {
        fw_service *s = (fw_service *)(uintptr_t)*out;

        s->xml = apr_pstrmemdup(pool, xml, n);
        s->hash = fw_sha256_hex(xml, n, pool);
    }
    return err;
}

static const fw_err *load_file(fw_services *all, const char *path, apr_pool_t *pool)
{
    const fw_service *s = NULL;
    char *text = NULL;
    apr_size_t n;

    FW_TRY(fw_file_read(&text, &n, path, XML_MAX_BYTES, pool));
    FW_TRY(fw_service_parse(all, &s, text, n, path, pool));
    if (s->n_doc_rows == 0 || s->clock_hours == 0)
        return FW_ERR(pool, FW_E_CONFIG, 0,
                      "%s:1: an application has fee, clock, validity, document", path);
    if (fw_services_find(all, s->code))
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s:1: service \"%s\" is there already", path, s->code);
    APR_ARRAY_PUSH(all->list, const fw_service *) = s;
    return NULL;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const fw_err *fw_services_load(fw_services **out, const char *dir, const char *rng,
                               apr_pool_t *pool)
{
    fw_services *all = apr_pcalloc(pool, sizeof(*all));
    apr_array_header_t *files = apr_array_make(pool, 8, sizeof(const char *));
    apr_dir_t *d;
    apr_finfo_t info;
    apr_status_t rv;

    xmlInitParser();
    all->list = apr_array_make(pool, 4, sizeof(const fw_service *));
    FW_TRY(load_schema(all, rng, pool));
    rv = apr_dir_open(&d, dir, pool);
    if (rv)
        return FW_ERR(pool, FW_E_CONFIG, rv, "%s cannot be opened", dir);
    while (apr_dir_read(&info, APR_FINFO_NAME, d) == APR_SUCCESS) {
        size_t n = strlen(info.name);

        if (n > 4 && info.name[0] != '.' && strcmp(info.name + n - 4, ".xml") == 0)
            APR_ARRAY_PUSH(files, const char *) = apr_pstrcat(pool, dir, "/", info.name, NULL);
    }
    apr_dir_close(d);
    qsort(files->elts, (size_t)files->nelts, sizeof(const char *), compare_texts);
    for (int i = 0; i < files->nelts; i++)
        FW_TRY(load_file(all, APR_ARRAY_IDX(files, i, const char *), pool));
    if (all->list->nelts == 0)
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s holds no service", dir);
    *out = all;
    return NULL;
}
