#include "fw_config.h"
#include "fw_settings.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "fw_json.h"
#include "fw_utf8.h"

static const fw_directive table[] = {
#define X(member, name, type, otherwise, min, max, help) \
    {name, FW_SET_##type, offsetof(fw_settings, member), otherwise, min, max, help},
    FW_DIRECTIVES(X)
#undef X
};
#define ROWS ((int)FW_SETTINGS)

const fw_directive *fw_directives(int *n)
{
    *n = ROWS;
    return table;
}

static const char **text_at(fw_settings *s, const fw_directive *d)
{
    return (const char **)(void *)((char *)s + d->offset);
}

static int *int_at(fw_settings *s, const fw_directive *d)
{
    return (int *)(void *)((char *)s + d->offset);
}

static bool is_number(const fw_directive *d)
{
    return d->type == FW_SET_INT || d->type == FW_SET_FLAG;
}

static const char *take_flag(int *out, const fw_directive *d, const char *value, apr_pool_t *pool)
{
    if (strcasecmp(value, "on") != 0 && strcasecmp(value, "off") != 0)
        return apr_psprintf(pool, "%s is On or Off", d->name);
    *out = strcasecmp(value, "on") == 0;
    return NULL;
}

static const char *take_int(int *out, const fw_directive *d, const char *value, apr_pool_t *pool)
{
    size_t n = strlen(value);
    apr_int64_t v = apr_strtoi64(value, NULL, 10);

    if (n == 0 || n > 10 || strspn(value, "0123456789") != n || v < d->min || v > d->max)
        return apr_psprintf(pool, "%s is a number from %d to %d", d->name, d->min, d->max);
    *out = (int)v;
    return NULL;
}

static const char *set_value(fw_settings *s, const fw_directive *d, const char *value,
                             apr_pool_t *pool)
{
    if (!fw_utf8_valid(value))
        return apr_psprintf(pool, "%s is not UTF-8", d->name);
    switch (d->type) {
    case FW_SET_FLAG:
        return take_flag(int_at(s, d), d, value, pool);
    case FW_SET_INT:
        return take_int(int_at(s, d), d, value, pool);
    case FW_SET_PATH:
        if (*value != '/')
            return apr_psprintf(pool, "%s is an absolute path", d->name);
        break;
    case FW_SET_TEXT:
        if (!*value)
            return apr_psprintf(pool, "%s is empty", d->name);
        break;
    }
    *text_at(s, d) = apr_pstrdup(pool, value);
    return NULL;
}

fw_settings *fw_settings_make(apr_pool_t *pool)
{
    fw_settings *s = apr_pcalloc(pool, sizeof(*s));

    for (int i = 0; i < ROWS; i++) {
        if (table[i].otherwise)
            set_value(s, &table[i], table[i].otherwise, pool);
    }
    s->plugins = apr_array_make(pool, 2, sizeof(fw_plugin_conf));
    return s;
}

const char *fw_settings_take(fw_settings *s, const fw_directive *d, const char *value,
                             apr_pool_t *pool)
{
    const char *why = set_value(s, d, value, pool);
    int row = (int)(d - table);

    if (!why)
        s->set[row / 64] |= (uint64_t)1 << (row % 64);
    return why;
}

/* ---- plugins ---- */

fw_plugin_conf *fw_settings_plugin_named(const fw_settings *s, const char *name)
{
    for (int i = 0; name && i < s->plugins->nelts; i++) {
        fw_plugin_conf *p = &APR_ARRAY_IDX(s->plugins, i, fw_plugin_conf);

        if (strcmp(p->name, name) == 0)
            return p;
    }
    return NULL;
}

fw_plugin_conf *fw_settings_plugin_of(const fw_settings *s, const char *port)
{
    for (int i = 0; port && i < s->plugins->nelts; i++) {
        fw_plugin_conf *p = &APR_ARRAY_IDX(s->plugins, i, fw_plugin_conf);

        if (strcmp(p->port, port) == 0)
            return p;
    }
    return NULL;
}

const char *fw_settings_plugin(fw_settings *s, const char *name, const char *port, const char *path,
                               apr_pool_t *pool)
{
    size_t n = strlen(name);
    fw_plugin_conf *p;

    if (n == 0 || n > 32 || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != n)
        return "a plugin's name is 1 to 32 of a-z, 0-9, _ and -";
    if (fw_settings_plugin_named(s, name))
        return apr_psprintf(pool, "plugin %s is there already", name);
    if (*path != '/')
        return apr_psprintf(pool, "plugin %s: its path is absolute", name);
    if (!fw_utf8_valid(port) || !fw_utf8_valid(path))
        return apr_psprintf(pool, "plugin %s: its port or path is not UTF-8", name);
    p = apr_array_push(s->plugins);
    p->name = apr_pstrdup(pool, name);
    p->port = apr_pstrdup(pool, port);
    p->path = apr_pstrdup(pool, path);
    p->options = fw_json_keep(json_object(), pool);
    p->secrets = fw_json_keep(json_object(), pool);
    return NULL;
}

const char *fw_settings_plugin_option(fw_settings *s, bool secret, const char *name,
                                      const char *key, const char *value, apr_pool_t *pool)
{
    fw_plugin_conf *p = fw_settings_plugin_named(s, name);

    if (!p)
        return apr_psprintf(pool, "no plugin %s: FwPermitPlugin comes first", name);
    if (secret && *value != '/')
        return apr_psprintf(pool, "a secret of plugin %s is the absolute path of its file", name);
    if (json_object_get(p->options, key) || json_object_get(p->secrets, key))
        return apr_psprintf(pool, "plugin %s: %s is given twice", name, key);
    if (!fw_utf8_valid(key) || !fw_utf8_valid(value))
        return apr_psprintf(pool, "plugin %s: an option is not UTF-8", name);
    json_object_set_new(secret ? p->secrets : p->options, key, json_string(value));
    return NULL;
}

/* ---- merging, checking ---- */

fw_settings *fw_settings_merge(const fw_settings *base, const fw_settings *over, apr_pool_t *pool)
{
    fw_settings *s = apr_pmemdup(pool, over, sizeof(*s));

    for (int i = 0; i < ROWS; i++) {
        const fw_directive *d = &table[i];

        if (over->set[i / 64] >> (i % 64) & 1)
            continue;
        if (is_number(d))
            *int_at(s, d) = *int_at((fw_settings *)(uintptr_t)base, d);
        else
            *text_at(s, d) = *text_at((fw_settings *)(uintptr_t)base, d);
    }
    s->set[0] |= base->set[0];
    s->set[1] |= base->set[1];
    s->plugins = over->plugins->nelts ? over->plugins : base->plugins;
    return s;
}

const char *fw_settings_check(const fw_settings *s, apr_pool_t *pool)
{
    size_t n;

    for (int i = 0; i < ROWS; i++) {
        if (!is_number(&table[i]) && !*text_at((fw_settings *)(uintptr_t)s, &table[i]))
            return apr_psprintf(pool, "%s is missing", table[i].name);
    }
    n = strlen(s->base_url);
    if (strncmp(s->base_url, "http://", 7) != 0 && strncmp(s->base_url, "https://", 8) != 0)
        return "FwPermitBaseURL begins with http:// or https://";
    if (s->base_url[n - 1] == '/')
        return "FwPermitBaseURL has no slash at its end";
    if (strcmp(s->db_driver, "sqlite3") != 0 && strcmp(s->db_driver, "pgsql") != 0)
        return "FwPermitDatabaseDriver is sqlite3 or pgsql";
    if (strlen(s->seal_signer) != 4 || strspn(s->seal_signer, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 4)
        return "FwPermitSealSigner is four capital letters: the country's two, the agency's two";
    if (s->cookie_secure && strncmp(s->base_url, "https://", 8) != 0)
        return "FwPermitCookieSecure On and a FwPermitBaseURL without https do not go together";
    return NULL;
}

/* ---- for the workers ---- */

json_t *fw_settings_json(const fw_settings *s)
{
    json_t *o = json_object(), *plugins = json_array();

    for (int i = 0; i < ROWS; i++) {
        const fw_directive *d = &table[i];
        fw_settings *mine = (fw_settings *)(uintptr_t)s;

        if (is_number(d))
            json_object_set_new(o, d->name, json_integer(*int_at(mine, d)));
        else if (*text_at(mine, d))
            json_object_set_new(o, d->name, json_string(*text_at(mine, d)));
    }
    for (int i = 0; i < s->plugins->nelts; i++) {
        const fw_plugin_conf *p = &APR_ARRAY_IDX(s->plugins, i, fw_plugin_conf);

        json_array_append_new(plugins, json_pack("{s:s, s:s, s:s, s:O, s:O}", "name", p->name,
                                                 "port", p->port, "path", p->path, "options",
                                                 p->options, "secrets", p->secrets));
    }
    json_object_set_new(o, "plugins", plugins);
    return o;
}

fw_settings *fw_settings_from_json(const json_t *o, apr_pool_t *pool)
{
    fw_settings *s = fw_settings_make(pool);
    const json_t *plugins = json_object_get(o, "plugins");

    for (int i = 0; i < ROWS; i++) {
        const json_t *v = json_object_get(o, table[i].name);

        if (json_is_integer(v) && is_number(&table[i]))
            *int_at(s, &table[i]) = (int)json_integer_value(v);
        else if (json_is_string(v) && !is_number(&table[i]))
            *text_at(s, &table[i]) = apr_pstrdup(pool, json_string_value(v));
    }
    for (size_t i = 0; i < json_array_size(plugins); i++) {
        const json_t *p = json_array_get(plugins, i);
        fw_plugin_conf *conf = apr_array_push(s->plugins);

        conf->name = apr_pstrdup(pool, json_string_value(json_object_get(p, "name")));
        conf->port = apr_pstrdup(pool, json_string_value(json_object_get(p, "port")));
        conf->path = apr_pstrdup(pool, json_string_value(json_object_get(p, "path")));
        conf->options = fw_json_keep(json_object(), pool);
        conf->secrets = fw_json_keep(json_object(), pool);
        json_object_update(conf->options, json_object_get(p, "options"));
        json_object_update(conf->secrets, json_object_get(p, "secrets"));
    }
    return s;
}
