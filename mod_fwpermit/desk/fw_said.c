#include "fw_config.h"
#include "fw_said.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_date.h"
#include "fw_json.h"
#include "fw_store_payment.h"
#include "fw_store_record.h"

#define RECORDS_MOST 50 /* of a worker, the newest */
#define PART_BYTES   32 /* of a path */

static const char *text_of(const json_t *o, const char *name)
{
    return json_string_value(json_object_get(o, name));
}

static bool is(const json_t *o, const char *name, const char *value)
{
    const char *text = text_of(o, name);

    return text && strcmp(text, value) == 0;
}

static void take_movement(fw_said *said, const fw_record *r, json_t *o, apr_pool_t *pool)
{
    if (said->border || !is(o, "direction", "arrival") || strcmp(r->state, "current") != 0)
        return;
    json_object_set_new(o, "entered", json_string(fw_date_text(fw_date_of(r->at), pool)));
    said->border = o;
}

static void take_one(fw_said *said, fw_told *told, const fw_record *r, apr_pool_t *pool)
{
    json_t *o = fw_json_parse(r->data, pool);

    *told = (fw_told){r, o};
    if (strcmp(r->kind, "movement") == 0)
        take_movement(said, r, o, pool);
    else if (!said->labour && strcmp(r->state, "valid") == 0)
        said->labour = o;
}

const fw_err *fw_said_agencies(fw_said *out, fw_db *db, fw_id worker, apr_pool_t *pool)
{
    apr_array_header_t *list = NULL;
    fw_told *told;

    FW_TRY(fw_record_of_worker(db, worker, RECORDS_MOST, &list, pool));
    told = apr_pcalloc(pool, sizeof(*told) * (apr_size_t)(list->nelts + 1));
    *out = (fw_said){.told = told, .n_told = list->nelts};
    for (int i = 0; i < list->nelts; i++)
        take_one(out, &told[i], &APR_ARRAY_IDX(list, i, fw_record), pool);
    return NULL;
}

const fw_err *fw_said_load(fw_said *out, fw_db *db, fw_id worker, apr_pool_t *pool)
{
    FW_TRY(fw_said_agencies(out, db, worker, pool));
    FW_TRY(fw_permit_form(db, worker, &out->permit_case, pool));
    out->permit = out->permit_case ? fw_json_parse(out->permit_case->data, pool) : NULL;
    return NULL;
}

static const json_t *source_of(const fw_said *said, const char *name)
{
    if (strcmp(name, "border") == 0)
        return said->border;
    if (strcmp(name, "labour") == 0)
        return said->labour;
    return strcmp(name, "permit") == 0 ? said->permit : NULL;
}

const char *fw_said_text(const fw_said *said, const char *path)
{
    const json_t *at = NULL;
    bool first = true;

    while (*path) {
        char part[PART_BYTES];
        size_t n = strcspn(path, ".");

        if (n >= sizeof(part))
            return NULL;
        memcpy(part, path, n);
        part[n] = '\0';
        at = first ? source_of(said, part) : json_object_get(at, part);
        first = false;
        path += path[n] == '.' ? n + 1 : n;
    }
    return json_string_value(at);
}

const char *fw_said_first(const fw_said *said, const json_t *known, const char *from,
                          apr_pool_t *pool)
{
    char *rest = from ? apr_pstrdup(pool, from) : NULL, *last = NULL;
    const char *value = NULL;

    for (char *path = rest ? apr_strtok(rest, " ", &last) : NULL; path && !value;
         path = apr_strtok(NULL, " ", &last))
        value = strchr(path, '.') ? fw_said_text(said, path)
                                  : json_string_value(json_object_get(known, path));
    return value;
}

const json_t *fw_said_letter(const fw_said *said, const char *letter_no)
{
    for (int i = 0; i < said->n_told; i++) {
        const fw_record *r = said->told[i].record;

        if (strcmp(r->kind, "letter") == 0 && strcmp(r->name, letter_no) == 0)
            return said->told[i].data;
    }
    return NULL;
}

/* The form's number of a letter, as kept; NULL: it asks for none, or none is given. */
static const char *letter_in(const fw_service *service, const json_t *data)
{
    const fw_field *f = fw_service_field_of(service, FW_FIELD_PERMIT_LETTER);

    return f ? json_string_value(json_object_get(data, f->name)) : NULL;
}

json_t *fw_said_fill(const fw_said *said, const fw_service *service, const json_t *data,
                     const fw_form_env *env)
{
    const char *letter_no = letter_in(service, data);
    json_t *filled = fw_json_keep(json_object(), env->pool);
    fw_said of = *said;

    of.labour = letter_no ? fw_said_letter(said, letter_no) : NULL;
    for (int i = 0; of.labour && i < service->n_fields; i++) {
        const fw_field *f = &service->fields[i];
        const char *there = json_string_value(json_object_get(data, f->name));
        const char *value = there && *there ? NULL : fw_said_first(&of, NULL, f->from, env->pool);

        value = value ? fw_form_normalise(env, f, value) : NULL;
        if (value && !fw_form_check_value(env, f, value))
            json_object_set_new(filled, f->name, json_string(value));
    }
    return filled;
}

bool fw_said_wanted(const fw_service *service)
{
    for (int i = 0; i < service->n_fields; i++) {
        const fw_field *f = &service->fields[i];

        if ((f->from && strchr(f->from, '.')) || f->beside)
            return true;
    }
    return false;
}
