#include "transfer.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define VERSION   "0.1.0"
#define DIGITS    "0123456789"
#define DAYS      3
#define DAYS_MOST 60
#define PATH_MOST 500

typedef struct settings {
    const char *bank, *prefix, *holder, *folder, *done, *days;
} settings;

static bool is_digits(const char *v, size_t n)
{
    return strlen(v) == n && strspn(v, DIGITS) == n;
}

static bool is_bank(const char *v)
{
    return is_digits(v, 3);
}

static bool is_prefix(const char *v)
{
    return is_digits(v, TRANSFER_PREFIX);
}

static bool is_holder(const char *v)
{
    return is_digits(v, TRANSFER_HOLDER);
}

static bool is_folder(const char *v)
{
    return v[0] == '/' && strlen(v) <= PATH_MOST && v[strlen(v) - 1] != '/';
}

static bool is_days(const char *v)
{
    return strlen(v) <= 2 && *v && strspn(v, DIGITS) == strlen(v) && strtol(v, NULL, 10) >= 1 &&
           strtol(v, NULL, 10) <= DAYS_MOST;
}

/* Every option: its name, whether it must be there, its form, where it goes. */
static const struct {
    const char *name;
    bool needed;
    bool (*good)(const char *);
    size_t at;
} options[] = {
#define OPTION(n, needed, good)                 \
    {                                           \
#n, needed, good, offsetof(settings, n) \
    }
    OPTION(bank, true, is_bank),     OPTION(prefix, true, is_prefix),
    OPTION(holder, true, is_holder), OPTION(folder, true, is_folder),
    OPTION(done, true, is_folder),   OPTION(days, false, is_days),
#undef OPTION
};
#define OPTIONS (sizeof(options) / sizeof(options[0]))

static const char *complain(const fwp_host *host, fwp_call *call, const char *what,
                            const char *name)
{
    struct fwp_instance self = {.host = host};

    return transfer_say(&self, call, "%s %.60s", what, name);
}

static const char **slot(settings *s, size_t option)
{
    return (const char **)(void *)((char *)s + options[option].at);
}

static const char *take(const fwp_host *host, fwp_call *call, settings *s, const fwp_kv *kv)
{
    for (size_t o = 0; o < OPTIONS; o++) {
        if (strcmp(options[o].name, kv->key.p) != 0)
            continue;
        if (kv->flags & FWP_KV_SECRET)
            return complain(host, call, "no secret:", options[o].name);
        if (kv->value.n == 0 || strlen(kv->value.p) != kv->value.n || !options[o].good(kv->value.p))
            return complain(host, call, "not a good value of", options[o].name);
        *slot(s, o) = kv->value.p;
        return NULL;
    }
    return complain(host, call, "no such option:", kv->key.p);
}

/* NULL, or what is wrong with the settings. */
static const char *read_settings(const fwp_host *host, fwp_call *call, const fwp_kv *config,
                                 size_t n, settings *s)
{
    for (size_t i = 0; i < n; i++) {
        const char *why = take(host, call, s, &config[i]);

        if (why)
            return why;
    }
    for (size_t o = 0; o < OPTIONS; o++)
        if (options[o].needed && !*slot(s, o))
            return complain(host, call, "missing option", options[o].name);
    return strcmp(s->folder, s->done) == 0 ? "folder and done must differ" : NULL;
}

static fwp_rc check_config(const fwp_host *host, const fwp_kv *config, size_t n, fwp_call *call,
                           fwp_reply *reply)
{
    settings s = {0};
    const char *why = read_settings(host, call, config, n, &s);

    return why ? transfer_refuse(reply, FWP_MISCONFIGURED, why) : FWP_OK;
}

/* ---- life ---- */

static void destroy(fwp_instance *self)
{
    const char *all[] = {self->bank, self->prefix, self->holder, self->folder, self->done};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        free((void *)(uintptr_t)all[i]);
    free(self->acked);
    free(self);
}

/* Copies of the settings, which the caller's memory does not outlive; false: no memory. */
static bool keep(fwp_instance *i, const settings *s)
{
    const struct {
        const char **to, *from;
    } all[] = {{&i->bank, s->bank},
               {&i->prefix, s->prefix},
               {&i->holder, s->holder},
               {&i->folder, s->folder},
               {&i->done, s->done}};

    for (size_t n = 0; n < sizeof(all) / sizeof(all[0]); n++) {
        /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): read_settings() misses none that is needed */
        *all[n].to = strdup(all[n].from);
        if (!*all[n].to)
            return false;
    }
    i->days = s->days ? (int)strtol(s->days, NULL, 10) : DAYS;
    return true;
}

static fwp_rc create(const fwp_host *host, const fwp_kv *config, size_t n, fwp_call *call,
                     fwp_instance **self, fwp_reply *reply)
{
    settings s = {0};
    const char *why = read_settings(host, call, config, n, &s);
    fwp_instance *i;

    if (why)
        return transfer_refuse(reply, FWP_MISCONFIGURED, why);
    i = calloc(1, sizeof(*i));
    if (!i)
        return transfer_refuse(reply, FWP_TEMPFAIL, "no memory");
    i->host = host;
    if (!keep(i, &s)) {
        destroy(i);
        return transfer_refuse(reply, FWP_TEMPFAIL, "no memory");
    }
    *self = i;
    return FWP_OK;
}

const fwp_plugin *fwpermit_plugin(uint32_t host_abi)
{
    static const fwp_payment_ops ops = {.size = sizeof(ops),
                                        .begin = transfer_begin,
                                        .message = transfer_message,
                                        .query = transfer_query,
                                        .poll = transfer_poll,
                                        .ack = transfer_ack};
    static const fwp_plugin plugin = {.size = sizeof(plugin),
                                      .abi = FWP_ABI,
                                      .port = FWP_PORT_PAYMENT,
                                      .name = "payment_transfer",
                                      .version = VERSION,
                                      .create = create,
                                      .destroy = destroy,
                                      .health = transfer_health,
                                      .ops = &ops,
                                      .check_config = check_config};

    return host_abi >> 16 == FWP_ABI_MAJOR ? &plugin : NULL;
}
