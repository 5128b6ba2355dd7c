#include "fw_config.h"
#include "fw_status_int.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "fw_date.h"
#include "fw_file.h"
#include "fw_utf8.h"

#define TEXT_BYTES 500
#define HOST_BYTES 64
#define FAULT_MOST 65536

json_t *fw_status_iso(apr_time_t t, apr_pool_t *pool)
{
    return t ? json_string(fw_time_iso(t, pool)) : json_null();
}

json_t *fw_status_short(const char *text)
{
    json_t *out;

    if (!text)
        return json_null();
    out = json_stringn(text, fw_utf8_fit(text, TEXT_BYTES));
    return out ? out : json_string("a text that is not UTF-8");
}

const char *fw_status_fault_file(const char *run_dir, const char *plugin, apr_pool_t *pool)
{
    return apr_pstrcat(pool, run_dir, "/plugin-", plugin, ".fault", NULL);
}

const char *fw_status_fault(const fw_collecting *c, const char *plugin)
{
    const char *path = fw_status_fault_file(c->ask->desk->run_dir, plugin, c->pool);
    char *text = NULL;

    return fw_file_read(&text, NULL, path, FAULT_MOST, c->pool) ? NULL : text;
}

apr_time_t fw_status_time(const json_t *o, const char *name)
{
    return fw_time_parse(json_string_value(json_object_get(o, name)));
}

static const char *host_name(apr_pool_t *pool)
{
    char host[HOST_BYTES + 1] = "";

    if (gethostname(host, HOST_BYTES) != 0 || !*host)
        return "localhost";
    return apr_pstrdup(pool, host);
}

const char *fw_status_node(const char *run_dir, apr_pool_t *pool)
{
    return apr_pstrcat(pool, host_name(pool), ":", run_dir, NULL);
}

json_t *fw_status_last(const fw_desk *desk, apr_pool_t *pool)
{
    const char *path = apr_pstrcat(pool, desk->run_dir, "/status.json", NULL);
    json_t *o = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);

    if (json_is_object(o))
        return o;
    json_decref(o);
    return NULL;
}

static const json_t *part_before(const fw_collecting *c, const char *name)
{
    json_t *parts = json_object_get(c->ask->before, "parts"), *part;
    size_t i;

    json_array_foreach(parts, i, part)
    {
        const char *other = json_string_value(json_object_get(part, "name"));

        if (other && strcmp(other, name) == 0)
            return part;
    }
    return NULL;
}

void fw_status_part(fw_collecting *c, const char *name, const char *state, const char *error,
                    const char *advice)
{
    const json_t *before = part_before(c, name);
    const char *was = json_string_value(json_object_get(before, "state"));
    apr_time_t since = was && strcmp(was, state) == 0 ? fw_status_time(before, "since") : 0;

    json_array_append_new(json_object_get(c->out, "parts"),
                          json_pack("{s:s, s:s, s:o, s:o, s:s?}", "name", name, "state", state,
                                    "since", fw_status_iso(since ? since : c->now, c->pool),
                                    "error", fw_status_short(error), "advice", advice));
}

json_t *fw_status_collect(const fw_status_ask *ask, apr_pool_t *pool)
{
    fw_collecting c = {ask, apr_time_now(), json_object(), pool};
    const char *why = ask->db_error;
    const fw_err *err = NULL;

    json_object_set_new(c.out, "at", fw_status_iso(c.now, pool));
    json_object_set_new(c.out, "node", json_string(host_name(pool)));
    json_object_set_new(c.out, "parts", json_array());
    json_object_set_new(c.out, "links", json_array());
    json_object_set_new(c.out, "queues", json_array());
    if (ask->db)
        err = fw_status_numbers(&c);
    if (err)
        why = err->msg;
    fw_status_parts(&c);
    if (ask->db && !err)
        fw_status_part(&c, "database", "up", NULL, NULL);
    else
        fw_status_part(&c, "database", "down", why ? why : "it is away", "database.down");
    return c.out;
}
