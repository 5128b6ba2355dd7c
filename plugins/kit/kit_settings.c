#include "kit_settings.h"
#include "kit_answer.h"

#include <stdlib.h>
#include <string.h>

#define URL_BYTES  200
#define PATH_BYTES 400
#define LINE_BYTES 400

static const char **slot(const kit_option *o, void *into)
{
    return (const char **)(void *)((char *)into + o->at);
}

static const char *take(const kit_option *o, const fwp_host *host, fwp_call *call, const fwp_kv *kv,
                        void *into)
{
    if (o->secret != !!(kv->flags & FWP_KV_SECRET))
        return kit_say(host, call, "secret and option mixed up: %s", o->name);
    if (*slot(o, into))
        return kit_say(host, call, "option stands twice: %s", o->name);
    if (kv->value.n == 0 || strlen(kv->value.p) != kv->value.n || !o->good(kv->value.p))
        return kit_say(host, call, "not a good value of %s", o->name);
    *slot(o, into) = kv->value.p;
    return NULL;
}

static const kit_option *find(const kit_option *options, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    return NULL;
}

const char *kit_settings_read(const kit_option *options, size_t n_options, const fwp_host *host,
                              fwp_call *call, const fwp_kv *config, size_t n, void *into)
{
    for (size_t i = 0; i < n; i++) {
        const kit_option *o = find(options, n_options, config[i].key.p);
        const char *why = o ? take(o, host, call, &config[i], into)
                            : kit_say(host, call, "no such option: %.60s", config[i].key.p);
        if (why)
            return why;
    }
    for (size_t i = 0; i < n_options; i++)
        if (options[i].needed && !*slot(&options[i], into))
            return kit_say(host, call, "missing %s %s", options[i].secret ? "secret" : "option",
                           options[i].name);
    return NULL;
}

bool kit_settings_keep(const kit_option *options, size_t n_options, void *into)
{
    bool whole = true;

    for (size_t i = 0; i < n_options; i++) {
        const char **at = slot(&options[i], into);
        if (*at) {
            *at = strdup(*at);
            whole = whole && *at;
        }
    }
    if (!whole)
        kit_settings_forget(options, n_options, into);
    return whole;
}

void kit_settings_forget(const kit_option *options, size_t n_options, void *into)
{
    for (size_t i = 0; i < n_options; i++) {
        const char **at = slot(&options[i], into);
        if (*at && options[i].secret)
            explicit_bzero((char *)(uintptr_t)*at, strlen(*at));
        free((char *)(uintptr_t)*at);
        *at = NULL;
    }
}

/* ---- forms ---- */

bool kit_is_line(const char *v)
{
    if (strlen(v) > LINE_BYTES)
        return false;
    for (; *v; v++)
        if ((unsigned char)*v < 0x20 || *v == 0x7f)
            return false;
    return true;
}

bool kit_is_base_url(const char *v)
{
    size_t n = strlen(v);
    bool web =
        (strncmp(v, "https://", 8) == 0 && n > 8) || (strncmp(v, "http://", 7) == 0 && n > 7);

    return web && n <= URL_BYTES && kit_is_line(v) && !strpbrk(v, " ;|`\"<>\\?#@") &&
           v[n - 1] != '/';
}

bool kit_is_path(const char *v)
{
    return v[0] == '/' && strlen(v) <= PATH_BYTES && kit_is_line(v);
}

bool kit_is_yes_no(const char *v)
{
    return strcmp(v, "yes") == 0 || strcmp(v, "no") == 0;
}
