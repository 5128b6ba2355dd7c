#include "fw_config.h"
#include "fw_service.h"

#include <string.h>

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_strings.h>
#include <libxml/relaxng.h>

#include "fw_service_int.h"

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

static void keep_complaint(void *data, xmlErrorPtr e)
{
    fw_xml_complaint *c = data;

    if (c->line || !e->message)
        return;
    c->line = e->line ? e->line : 1;
    apr_cpystrn(c->text, e->message, sizeof(c->text));
    for (char *p = c->text; *p; p++) {
        if (*p == '\n')
            *p = *p && p[1] ? ' ' : '\0';
    }
}

static apr_status_t free_schema(void *data)
{
    xmlRelaxNGFree(data);
    return APR_SUCCESS;
}

static const fw_err *load_schema(fw_services *all, const char *rng, apr_pool_t *pool)
{
    fw_xml_complaint c = {0, ""};
    xmlRelaxNGParserCtxtPtr ctx = xmlRelaxNGNewParserCtxt(rng);

    if (!ctx)
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s cannot be read", rng);
    xmlRelaxNGSetParserStructuredErrors(ctx, keep_complaint, &c);
    all->schema = xmlRelaxNGParse(ctx);
    xmlRelaxNGFreeParserCtxt(ctx);
    if (!all->schema)
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s:%d: %s", rng, c.line, c.text);
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
    if (rc)
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s:%d: %s", name, c.line, c.text);
    return NULL;
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
    fw_xml_complaint c = {0, ""};
    const fw_err *err = NULL;
    xmlParserCtxtPtr ctx;
    xmlDocPtr doc;

    if (n > XML_MAX_BYTES)
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s: longer than %d bytes", name, XML_MAX_BYTES);
    ctx = xmlNewParserCtxt();
    xmlSetStructuredErrorFunc(&c, keep_complaint);
    doc = xmlCtxtReadMemory(ctx, xml, (int)n, name, "UTF-8",
                            XML_PARSE_NONET | XML_PARSE_NOWARNING | XML_PARSE_NOBLANKS);
    xmlSetStructuredErrorFunc(NULL, NULL);
    if (!doc)
        err = FW_ERR(pool, FW_E_CONFIG, 0, "%s:%d: %s", name, c.line, c.text);
    xmlFreeParserCtxt(ctx);
    if (err)
        return err;
    err = read_doc(all, doc, out, name, pool);
    xmlFreeDoc(doc);
    if (!err) {
        fw_service *s = (fw_service *)(uintptr_t)*out;

        s->xml = apr_pstrmemdup(pool, xml, n);
        s->hash = fw_service_hash(xml, n, pool);
    }
    return err;
}

static const fw_err *load_file(fw_services *all, const char *path, apr_pool_t *pool)
{
    const fw_service *s = NULL;
    apr_file_t *f;
    apr_finfo_t info;
    char *text;
    apr_status_t rv = apr_file_open(&f, path, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, pool);

    if (!rv)
        rv = apr_file_info_get(&info, APR_FINFO_SIZE, f);
    if (rv || info.size > XML_MAX_BYTES)
        return FW_ERR(pool, FW_E_CONFIG, rv, "%s cannot be read, or is too long", path);
    text = apr_palloc(pool, (apr_size_t)info.size + 1);
    rv = apr_file_read_full(f, text, (apr_size_t)info.size, NULL);
    apr_file_close(f);
    if (rv)
        return FW_ERR(pool, FW_E_CONFIG, rv, "%s cannot be read", path);
    FW_TRY(fw_service_parse(all, &s, text, (apr_size_t)info.size, path, pool));
    if (s->n_doc_rows == 0 || s->clock_hours == 0)
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s:1: an application has fee, clock, validity, document",
                      path);
    if (fw_services_find(all, s->code))
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s:1: service \"%s\" is there already", path, s->code);
    APR_ARRAY_PUSH(all->list, const fw_service *) = s;
    return NULL;
}

const fw_err *fw_services_load(fw_services **out, const char *dir, const char *rng,
                               apr_pool_t *pool)
{
    fw_services *all = apr_pcalloc(pool, sizeof(*all));
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

        if (n > 4 && strcmp(info.name + n - 4, ".xml") == 0)
            FW_TRY(load_file(all, apr_pstrcat(pool, dir, "/", info.name, NULL), pool));
    }
    apr_dir_close(d);
    if (all->list->nelts == 0)
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s holds no service", dir);
    *out = all;
    return NULL;
}
