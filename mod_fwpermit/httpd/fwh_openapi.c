#include "fw_config.h"
#include "fwh.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_json.h"

#include "fw_access.h"

/* OpenAPI 3.1 of all routes and forms, from the route table and the services. */

/* # and * become {p1}, {p2}, ... */
static const char *template_path(const char *path, json_t *parameters, apr_pool_t *pool)
{
    const char *out = "";
    int n = 0;

    for (const char *p = path; *p; p++) {
        if (*p != '#' && *p != '*') {
            out = apr_psprintf(pool, "%s%c", out, *p);
            continue;
        }
        n++;
        out = apr_psprintf(pool, "%s{p%d}", out, n);
        json_array_append_new(parameters,
                              json_pack("{s:s, s:s, s:b, s:{s:s, s:s}}", "name",
                                        apr_psprintf(pool, "p%d", n), "in", "path", "required", 1,
                                        "schema", "type", "string", "pattern",
                                        *p == '#' ? "^[0-9]{1,19}$" : "^[^/]+$"));
    }
    return out;
}

static json_t *roles_of(const char *access)
{
    size_t n;
    const fw_access *table = fw_access_table(&n);
    json_t *list = json_array();
    unsigned roles = 0;

    for (size_t i = 0; i < n; i++) {
        if (strcmp(table[i].what, access) == 0)
            roles |= table[i].roles & ~(unsigned)FW_ROLE_SYSTEM;
    }
    for (unsigned bit = 1; bit <= FW_ROLE_ANYONE; bit <<= 1) {
        if (roles & bit)
            json_array_append_new(list, json_string(fw_role_name((fw_role_e)bit)));
    }
    return list;
}

static json_t *schema_of(const fw_service *s)
{
    json_t *properties = json_object(), *required = json_array();

    for (int i = 0; i < s->n_fields; i++) {
        const fw_field *f = &s->fields[i];
        json_t *o;

        if (fw_field_is_file(f))
            continue;
        o = json_pack("{s:s, s:s, s:s}", "type", "string", "title", fw_label_text(&f->label, "en"),
                      "x-type", fw_field_type_name(f->type));
        if (f->max > 0)
            json_object_set_new(o, "maxLength", json_integer(f->max));
        if (f->n_choices > 0) {
            json_t *choices = json_array();

            for (int k = 0; k < f->n_choices; k++)
                json_array_append_new(choices, json_string(f->choices[k].value));
            json_object_set_new(o, "enum", choices);
        }
        json_object_set_new(properties, f->name, o);
        if (f->required && f->n_conditions == 0)
            json_array_append_new(required, json_string(f->name));
    }
    return json_pack("{s:s, s:s, s:o, s:o}", "type", "object", "title",
                     fw_label_text(&s->title, "en"), "properties", properties, "required",
                     required);
}

static json_t *operation_of(const fwh_route *r, json_t *parameters)
{
    json_t *o = json_pack("{s:s, s:o, s:o}", "summary", r->access, "x-roles", roles_of(r->access),
                          "parameters", parameters);
    json_t *responses = json_pack("{s:{s:s}, s:{s:s}}", "200", "description", "the model",
                                  "default", "description", "application/problem+json");

    json_object_set_new(o, "responses", responses);
    if (!(r->flags & FWH_OPEN))
        json_object_set_new(o, "security", json_pack("[{s:[]}]", "session"));
    return o;
}

static json_t *paths_of(apr_pool_t *pool)
{
    json_t *paths = json_object();
    size_t n;
    const fwh_route *all = fwh_routes(&n);

    for (size_t i = 0; i < n; i++) {
        json_t *parameters = json_array(), *item;
        const char *path = template_path(all[i].path, parameters, pool);

        item = json_object_get(paths, path);
        if (!item) {
            item = json_object();
            json_object_set_new(paths, path, item);
        }
        json_object_set_new(item, all[i].method == M_GET ? "get" : "post",
                            operation_of(&all[i], parameters));
    }
    return paths;
}

const fw_err *fwh_do_openapi(fwh_req *q)
{
    json_t *schemas = json_object(), *all;

    for (int i = 0; i < fw_services_count(q->desk->services); i++) {
        const fw_service *s = fw_services_at(q->desk->services, i);

        if (fw_desk_offers(q->desk, s))
            json_object_set_new(schemas, s->code, schema_of(s));
    }
    json_object_set_new(schemas, "worker", schema_of(q->desk->worker_form));
    q->json = true;
    all = json_pack("{s:s, s:{s:s, s:s}, s:[{s:s}], s:o, s:{s:o, s:{s:{s:s, s:s, s:s}}}}",
                    "openapi", "3.1.0", "info", "title", "fwpermit", "version", FW_VERSION,
                    "servers", "url", q->desk->settings->base_url, "paths", paths_of(q->pool),
                    "components", "schemas", schemas, "securitySchemes", "session", "type",
                    "apiKey", "in", "cookie", "name", fwh_session_cookie(q));
    return fwh_page(q, "", fw_of_json(fw_json_keep(all, q->pool), q->pool));
}
