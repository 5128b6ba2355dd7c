#include "clamav.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define HOST_BYTES 255
#define DAYS_MOST  365
#define DIGITS     "0123456789"

/* ---- single values ---- */

static bool is_path(const char *v)
{
    return v[0] == '/' && strlen(v) < sizeof(((struct sockaddr_un *)0)->sun_path);
}

static bool is_host(const char *v)
{
    size_t n = strlen(v);

    for (const char *p = v; *p; p++) {
        if (*p <= ' ' || *p > '~' || strchr("/[]@", *p))
            return false;
    }
    return n > 0 && n <= HOST_BYTES;
}

/* A number without leading zeros, 1 to `most`. */
static bool is_number(const char *v, long most)
{
    size_t n = strlen(v);
    long number;

    if (n == 0 || n > 6 || strspn(v, DIGITS) != n || v[0] == '0')
        return false;
    number = strtol(v, NULL, 10);
    return number <= most;
}

static bool is_port(const char *v)
{
    return is_number(v, 65535);
}

static bool is_days(const char *v)
{
    return is_number(v, DAYS_MOST);
}

static bool is_yes_no(const char *v)
{
    return strcmp(v, "yes") == 0 || strcmp(v, "no") == 0;
}

/* ---- all of them ---- */

static const struct {
    const char *name;
    bool (*good)(const char *);
    size_t at;
} options[] = {
#define OPTION(n, good)                        \
    {                                          \
#n, good, offsetof(clamav_settings, n) \
    }
    OPTION(socket, is_path),        OPTION(host, is_host),           OPTION(port, is_port),
    OPTION(allow_plain, is_yes_no), OPTION(signature_days, is_days),
#undef OPTION
};
#define OPTIONS (sizeof(options) / sizeof(options[0]))

static const char **slot(clamav_settings *s, size_t option)
{
    return (const char **)(void *)((char *)s + options[option].at);
}

static const char *complain(fwp_instance *self, fwp_call *call, const char *what, const char *name)
{
    char *why = self->host->alloc(call, 240);

    snprintf(why, 240, "%s %.120s", what, name);
    return why;
}

static const char *take(fwp_instance *self, fwp_call *call, const fwp_kv *kv)
{
    for (size_t o = 0; o < OPTIONS; o++) {
        const char **at = slot(&self->s, o);

        if (strcmp(options[o].name, kv->key.p) != 0)
            continue;
        if (kv->flags & FWP_KV_SECRET)
            return complain(self, call, "an option, not a secret:", options[o].name);
        if (*at || strlen(kv->value.p) != kv->value.n || !options[o].good(kv->value.p))
            return complain(self, call, "not a good value of", options[o].name);
        *at = strdup(kv->value.p);
        return *at ? NULL : "no memory";
    }
    return complain(self, call, "no such option:", kv->key.p);
}

static bool is_here(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 ||
           strcmp(host, "localhost") == 0;
}

/* What goes together, and the defaults. clamd knows neither TLS nor log-in: people's papers go to another machine only where
 * somebody means it. */
static const char *put_together(fwp_instance *self)
{
    const clamav_settings *s = &self->s;

    if (!s->socket && !s->host)
        return "missing option socket, or host";
    if (s->socket && (s->host || s->port))
        return "socket goes without host and port";
    if (s->host && !is_here(s->host) && (!s->allow_plain || strcmp(s->allow_plain, "yes") != 0))
        return "clamd at host is asked in the clear: only with allow_plain yes";
    self->peer =
        (clamav_peer){.socket = s->socket, .host = s->host, .port = s->port ? s->port : "3310"};
    self->signature_days = s->signature_days ? (int)strtol(s->signature_days, NULL, 10) : 3;
    return NULL;
}

const char *clamav_configure(fwp_instance *self, const fwp_kv *config, size_t n, fwp_call *call)
{
    const char *why = NULL;

    for (size_t i = 0; i < n && !why; i++)
        why = take(self, call, &config[i]);
    return why ? why : put_together(self);
}

void clamav_forget(fwp_instance *self)
{
    for (size_t o = 0; o < OPTIONS; o++)
        free((char *)(uintptr_t)*slot(&self->s, o));
}
