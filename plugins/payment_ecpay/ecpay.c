#include "ecpay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION     "0.1.0"
#define URL_BYTES   200
#define VALUE_BYTES 400

/* ---- what the operations share ---- */

json_t *ecpay_request(fwp_str request)
{
    return json_loadb(request.p, request.n, JSON_REJECT_DUPLICATES, NULL);
}

const char *ecpay_text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

fwp_rc ecpay_answer(const fwp_host *host, fwp_call *call, fwp_reply *reply, fwp_rc rc,
                    json_t *object)
{
    size_t n = json_dumpb(object, NULL, 0, JSON_COMPACT);
    char *text = host->alloc(call, n + 1);

    json_dumpb(object, text, n, JSON_COMPACT);
    json_decref(object);
    reply->body = (fwp_str){text, n};
    return rc;
}

fwp_rc ecpay_refuse(fwp_reply *reply, fwp_rc rc, const char *reason)
{
    reply->reason = reason;
    return rc;
}

char *ecpay_copy(const fwp_host *host, fwp_call *call, const char *p, size_t n)
{
    char *copy = host->alloc(call, n + 1);
    if (n > 0)
        memcpy(copy, p, n);
    return copy;
}

bool ecpay_is_number(const char *p, size_t n)
{
    if (!p || n == 0 || n > 20)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'A' && p[i] <= 'Z') ||
              (p[i] >= 'a' && p[i] <= 'z')))
            return false;
    return true;
}

int64_t ecpay_amount(fwp_str text)
{
    int64_t v = 0;

    if (!text.p || text.n == 0 || text.n > 9)
        return -1;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return -1;
        v = v * 10 + (text.p[i] - '0');
    }
    return v <= ECPAY_AMOUNT_MAX ? v : -1;
}

const char *ecpay_method(fwp_str type)
{
    static const struct {
        const char *prefix, *method;
    } known[] = {{"Credit", "card"}, {"ATM", "atm"}, {"CVS", "cvs"}, {"BARCODE", "barcode"}};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        size_t n = strlen(known[i].prefix);
        if (type.n >= n && memcmp(type.p, known[i].prefix, n) == 0 &&
            (type.n == n || type.p[n] == '_'))
            return known[i].method;
    }
    return "other";
}

/* ---- settings ---- */

typedef struct ecpay_settings {
    const char *merchant_id, *api_url, *browser_url, *return_url, *info_url, *back_url, *trade_desc;
    const char *atm_days, *cvs_minutes, *hash_key, *hash_iv;
    const char *credit_check_code, *vendor_url;
} ecpay_settings;

static bool is_url(const char *v)
{
    size_t n = strlen(v);
    bool web = strncmp(v, "https://", 8) == 0 || strncmp(v, "http://", 7) == 0;
    return web && n <= URL_BYTES && !strpbrk(v, " ;|`\"<>\\\r\n\t");
}

static bool is_base(const char *v)
{
    return is_url(v) && v[strlen(v) - 1] != '/' && !strpbrk(v, "?#");
}

static bool is_merchant(const char *v)
{
    return strlen(v) <= 10 && strspn(v, "0123456789") == strlen(v);
}

static bool is_key(const char *v)
{
    return strlen(v) >= 8 && strlen(v) <= 64;
}

static bool is_text(const char *v)
{
    return strlen(v) <= VALUE_BYTES / 2;
}

static bool is_count(const char *v)
{
    return strlen(v) <= 5 && strspn(v, "0123456789") == strlen(v);
}

static bool is_code(const char *v)
{
    return strlen(v) <= 12 && strspn(v, "0123456789") == strlen(v);
}

/* Every option: its name, whether it must be there, its form, where it goes. */
static const struct {
    const char *name;
    bool needed, secret;
    bool (*good)(const char *);
    size_t at;
} options[] = {
#define OPTION(n, needed, secret, good)                       \
    {                                                         \
#n, needed, secret, good, offsetof(ecpay_settings, n) \
    }
    OPTION(merchant_id, true, false, is_merchant), OPTION(api_url, true, false, is_base),
    OPTION(browser_url, false, false, is_base),    OPTION(return_url, true, false, is_url),
    OPTION(info_url, true, false, is_url),         OPTION(back_url, true, false, is_url),
    OPTION(trade_desc, false, false, is_text),     OPTION(atm_days, false, false, is_count),
    OPTION(cvs_minutes, false, false, is_count),   OPTION(hash_key, true, true, is_key),
    OPTION(hash_iv, true, true, is_key),           OPTION(credit_check_code, false, true, is_code),
    OPTION(vendor_url, false, false, is_base),
#undef OPTION
};
#define OPTIONS (sizeof(options) / sizeof(options[0]))

static const char *complain(const fwp_host *host, fwp_call *call, const char *what,
                            const char *name)
{
    char *s = host->alloc(call, 120);
    snprintf(s, 120, "%s %.60s", what, name);
    return s;
}

static const char **slot(ecpay_settings *s, size_t option)
{
    return (const char **)(void *)((char *)s + options[option].at);
}

static const char *take(const fwp_host *host, fwp_call *call, ecpay_settings *s, const fwp_kv *kv)
{
    for (size_t o = 0; o < OPTIONS; o++) {
        if (strcmp(options[o].name, kv->key.p) != 0)
            continue;
        if (options[o].secret != !!(kv->flags & FWP_KV_SECRET))
            return complain(host, call, "secret and option mixed up:", options[o].name);
        if (kv->value.n == 0 || strlen(kv->value.p) != kv->value.n || !options[o].good(kv->value.p))
            return complain(host, call, "not a good value of", options[o].name);
        *slot(s, o) = kv->value.p;
        return NULL;
    }
    return complain(host, call, "no such option:", kv->key.p);
}

static int count(const char *text, int otherwise)
{
    return text ? (int)strtol(text, NULL, 10) : otherwise;
}

/* NULL, or what is wrong with the settings. */
static const char *read_settings(const fwp_host *host, fwp_call *call, const fwp_kv *config,
                                 size_t n, ecpay_settings *s)
{
    int days, minutes;

    for (size_t i = 0; i < n; i++) {
        const char *why = take(host, call, s, &config[i]);
        if (why)
            return why;
    }
    for (size_t o = 0; o < OPTIONS; o++)
        if (options[o].needed && !*slot(s, o))
            return complain(host, call, options[o].secret ? "missing secret" : "missing option",
                            options[o].name);
    if (strcmp(s->return_url, s->info_url) == 0 || strcmp(s->return_url, s->back_url) == 0 ||
        strcmp(s->info_url, s->back_url) == 0)
        return "return_url, info_url and back_url must differ";
    days = count(s->atm_days, 3);
    minutes = count(s->cvs_minutes, 10080);
    if (days < 1 || days > 60)
        return "atm_days is 1 to 60";
    if (minutes < 1 || minutes > 43200)
        return "cvs_minutes is 1 to 43200";
    return NULL;
}

static fwp_rc check_config(const fwp_host *host, const fwp_kv *config, size_t n, fwp_call *call,
                           fwp_reply *reply)
{
    ecpay_settings s = {0};
    const char *why = read_settings(host, call, config, n, &s);
    return why ? ecpay_refuse(reply, FWP_MISCONFIGURED, why) : FWP_OK;
}

/* ---- life ---- */

static void destroy(fwp_instance *self)
{
    const char *all[] = {self->key.hash_key.p,    self->key.hash_iv.p, self->merchant_id,
                         self->api_url,           self->browser_url,   self->return_url,
                         self->info_url,          self->back_url,      self->trade_desc,
                         self->credit_check_code, self->vendor_url};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        free((void *)(uintptr_t)all[i]);
    json_decref(self->settled);
    free(self);
}

/* Copies of the settings, which the caller's memory does not outlive; false: no memory. */
static bool keep(fwp_instance *i, const ecpay_settings *s)
{
    const struct {
        const char **to, *from;
    } all[] = {{&i->key.hash_key.p, s->hash_key},
               {&i->key.hash_iv.p, s->hash_iv},
               {&i->merchant_id, s->merchant_id},
               {&i->api_url, s->api_url},
               {&i->browser_url, s->browser_url ? s->browser_url : s->api_url},
               {&i->return_url, s->return_url},
               {&i->info_url, s->info_url},
               {&i->back_url, s->back_url},
               {&i->trade_desc, s->trade_desc ? s->trade_desc : "居留證規費"}};

    const struct {
        const char **to, *from;
    } others[] = {{&i->credit_check_code, s->credit_check_code}, {&i->vendor_url, s->vendor_url}};

    for (size_t n = 0; n < sizeof(others) / sizeof(others[0]); n++) {
        *others[n].to = others[n].from ? strdup(others[n].from) : NULL;
        if (others[n].from && !*others[n].to)
            return false;
    }
    for (size_t n = 0; n < sizeof(all) / sizeof(all[0]); n++) {
        /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): read_settings() misses none that is needed */
        *all[n].to = strdup(all[n].from);
        if (!*all[n].to)
            return false;
    }
    i->key.hash_key.n = strlen(s->hash_key);
    i->key.hash_iv.n = strlen(s->hash_iv);
    return true;
}

static fwp_rc create(const fwp_host *host, const fwp_kv *config, size_t n, fwp_call *call,
                     fwp_instance **self, fwp_reply *reply)
{
    ecpay_settings s = {0};
    const char *why = read_settings(host, call, config, n, &s);
    fwp_instance *i;

    if (why)
        return ecpay_refuse(reply, FWP_MISCONFIGURED, why);
    i = calloc(1, sizeof(*i));
    if (!i)
        return ecpay_refuse(reply, FWP_TEMPFAIL, "no memory");
    i->host = host;
    if (!keep(i, &s)) {
        destroy(i);
        return ecpay_refuse(reply, FWP_TEMPFAIL, "no memory");
    }
    i->atm_days = count(s.atm_days, 3);
    i->cvs_minutes = count(s.cvs_minutes, 10080);
    *self = i;
    return FWP_OK;
}

/* ---- the door ---- */

const fwp_plugin *fwpermit_plugin(uint32_t host_abi)
{
    static const fwp_payment_ops ops = {.size = sizeof(ops),
                                        .begin = ecpay_begin,
                                        .message = ecpay_message,
                                        .query = ecpay_query,
                                        .refund = ecpay_refund,
                                        .settlement = ecpay_settlement};
    static const fwp_plugin plugin = {.size = sizeof(plugin),
                                      .abi = FWP_ABI,
                                      .port = FWP_PORT_PAYMENT,
                                      .name = "payment_ecpay",
                                      .version = VERSION,
                                      .create = create,
                                      .destroy = destroy,
                                      .ops = &ops,
                                      .check_config = check_config,
                                      .probe = ecpay_probe};

    return host_abi >> 16 == FWP_ABI_MAJOR ? &plugin : NULL;
}
