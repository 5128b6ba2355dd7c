#include "fw_config.h"
#include "fww_token.h"

#include <string.h>

#include <apr_file_io.h>
#include <apr_strings.h>
#include <libp11.h>
#include <openssl/err.h>

#define PIN_MAX     256
#define MODULES_MAX 8

/* What C_Login answers (PKCS #11, section 6.1). */
#define PIN_INCORRECT 0xA0
#define PIN_INVALID   0xA1
#define PIN_LEN_RANGE 0xA2
#define PIN_LOCKED    0xA4

struct fww_token {
    const char *module, *label, *serial, *object, *id;
    const char *pin_file, *pin;
    const char *barred; /* why no PIN is tried again; NULL: it may be */
};

/* A PKCS#11 module is one for the whole process. */
static struct module {
    const char *path;
    PKCS11_CTX *ctx;
    PKCS11_SLOT *slots;
    unsigned n_slots;
} modules[MODULES_MAX];

static const fw_err *fail(const char *what, const char *which, apr_pool_t *pool)
{
    const char *why = ERR_reason_error_string(ERR_peek_last_error());

    ERR_clear_error();
    return FW_ERR(pool, FW_E_UNAVAILABLE, 0, "%s%s%s%s%s", what, which ? " " : "",
                  which ? which : "", why ? ": " : "", why ? why : "");
}

/* ---- the URI ---- */

static int hex_of(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Without its %XX; NULL: one is cut short or is NUL. */
static const char *decode(const char *text, size_t n, apr_pool_t *pool)
{
    char *out = apr_pcalloc(pool, n + 1), *to = out;

    for (size_t i = 0; i < n; i++) {
        if (text[i] != '%') {
            *to++ = text[i];
            continue;
        }
        if (i + 2 >= n || hex_of(text[i + 1]) < 0 || hex_of(text[i + 2]) < 0)
            return NULL;
        *to = (char)(hex_of(text[i + 1]) * 16 + hex_of(text[i + 2]));
        if (!*to++)
            return NULL;
        i += 2;
    }
    return out;
}

static const char **place_of(fww_token *t, const char *name)
{
    const struct {
        const char *name, **at;
    } all[] = {{"token", &t->label},
               {"serial", &t->serial},
               {"object", &t->object},
               {"id", &t->id},
               {"module-path", &t->module}};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (strcmp(name, all[i].name) == 0)
            return all[i].at;
    }
    return NULL;
}

static const fw_err *read_part(fww_token *t, const char *part, size_t n, apr_pool_t *pool)
{
    const char *equals = memchr(part, '=', n);
    const char *name = apr_pstrmemdup(pool, part, equals ? (size_t)(equals - part) : n);
    const char **at = place_of(t, name);

    if (equals && strcmp(name, "type") == 0)
        return NULL;
    if (!equals || !at || *at)
        return FW_ERR(pool, FW_E_CONFIG, 0, "the URI's \"%s\" is not known, or there twice", name);
    *at = decode(equals + 1, n - (size_t)(equals + 1 - part), pool);
    return *at ? NULL
               : FW_ERR(pool, FW_E_CONFIG, 0, "the URI's \"%s\" has a %% that is no %%XX", name);
}

static const fw_err *read_uri(fww_token *t, const char *uri, apr_pool_t *pool)
{
    const char *p = uri + strlen("pkcs11:");

    while (*p) {
        size_t n = strcspn(p, ";?&");

        FW_TRY(read_part(t, p, n, pool));
        p += n + (p[n] != '\0');
    }
    if (!t->module || (!t->label && !t->serial) || (!t->object && !t->id))
        return FW_ERR(pool, FW_E_CONFIG, 0,
                      "the URI lacks module-path, token (or serial), or object (or id)");
    return NULL;
}

static const fw_err *read_pin(fww_token *t, apr_pool_t *pool)
{
    char text[PIN_MAX] = "";
    apr_size_t n = sizeof(text) - 1;
    apr_status_t rv;
    apr_file_t *f;

    rv = apr_file_open(&f, t->pin_file, APR_READ, 0, pool);
    if (rv == APR_SUCCESS) {
        rv = apr_file_read(f, text, &n);
        apr_file_close(f);
    }
    if (rv != APR_SUCCESS)
        return FW_ERR(pool, FW_E_CONFIG, rv, "%s: no PIN", t->pin_file);
    text[n] = '\0';
    t->pin = apr_pstrndup(pool, text, strcspn(text, "\r\n"));
    OPENSSL_cleanse(text, sizeof(text));
    return NULL;
}

const fw_err *fww_token_make(fww_token **out, const char *uri, const char *pin, apr_pool_t *pool)
{
    fww_token *t = apr_pcalloc(pool, sizeof(*t));

    FW_TRY(read_uri(t, uri, pool));
    t->pin_file = pin;
    if (pin)
        FW_TRY(read_pin(t, pool));
    *out = t;
    return NULL;
}

/* ---- modules ---- */

static void close_module(struct module *m)
{
    if (m->slots)
        PKCS11_release_all_slots(m->ctx, m->slots, m->n_slots);
    if (m->ctx) {
        PKCS11_CTX_unload(m->ctx);
        PKCS11_CTX_free(m->ctx);
    }
    *m = (struct module){0};
}

void fww_token_unload(void)
{
    for (int i = 0; i < MODULES_MAX; i++)
        close_module(&modules[i]);
    ERR_clear_error();
}

/* That of the path, or a free place. */
static struct module *module_of(const char *path)
{
    for (int i = 0; i < MODULES_MAX; i++) {
        if (!modules[i].path || strcmp(modules[i].path, path) == 0)
            return &modules[i];
    }
    return NULL;
}

static const fw_err *open_module(struct module **out, const char *path, apr_pool_t *pool)
{
    struct module *m = module_of(path);
    PKCS11_CTX *ctx;

    *out = m;
    if (!m)
        return FW_ERR(pool, FW_E_CONFIG, 0, "more than %d PKCS#11 modules", MODULES_MAX);
    if (m->path)
        return NULL;
    ctx = PKCS11_CTX_new();
    if (!ctx || PKCS11_CTX_load(ctx, path) != 0) {
        PKCS11_CTX_free(ctx);
        return fail("this PKCS#11 module cannot be loaded:", path, pool);
    }
    *m = (struct module){.path = path, .ctx = ctx};
    if (PKCS11_enumerate_slots(ctx, &m->slots, &m->n_slots) == 0)
        return NULL;
    close_module(m);
    return fail("no slots are told by", path, pool);
}

/* ---- a key ---- */

static bool is_same(const char *wanted, const char *found)
{
    return !wanted || (found && strcmp(wanted, found) == 0);
}

static PKCS11_SLOT *find_slot(const fww_token *t, const struct module *m)
{
    for (unsigned i = 0; i < m->n_slots; i++) {
        const PKCS11_TOKEN *one = m->slots[i].token;

        if (one && is_same(t->label, one->label) && is_same(t->serial, one->serialnr))
            return &m->slots[i];
    }
    return NULL;
}

static const fw_err *log_in(fww_token *t, PKCS11_SLOT *slot, apr_pool_t *pool)
{
    int already = 0, reason;

    if (t->barred)
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s: %s", t->pin_file, t->barred);
    if (!slot->token->loginRequired || (PKCS11_is_logged_in(slot, 0, &already) == 0 && already))
        return NULL;
    if (!t->pin)
        return FW_ERR(pool, FW_E_CONFIG, 0, "the token asks for a PIN, and there is no .pin");
    if (PKCS11_login(slot, 0, t->pin) == 0)
        return NULL;
    reason = ERR_GET_REASON(ERR_peek_last_error());
    if (reason == PIN_INCORRECT || reason == PIN_INVALID || reason == PIN_LEN_RANGE)
        t->barred = "the PIN is wrong; it is not tried again before the next start";
    else if (reason == PIN_LOCKED)
        t->barred = "the token has locked its PIN";
    if (!t->barred)
        return fail("the token takes no PIN:", t->pin_file, pool);
    ERR_clear_error();
    return FW_ERR(pool, FW_E_CONFIG, 0, "%s: %s", t->pin_file, t->barred);
}

static bool is_wanted(const fww_token *t, const PKCS11_KEY *k)
{
    size_t n = t->id ? strlen(t->id) : 0;

    return k->isPrivate && is_same(t->object, k->label) &&
           (!t->id || (k->id_len == n && memcmp(k->id, t->id, n) == 0));
}

static const fw_err *find_key(const fww_token *t, PKCS11_SLOT *slot, EVP_PKEY **out,
                              apr_pool_t *pool)
{
    PKCS11_KEY *keys = NULL;
    unsigned n = 0;

    if (PKCS11_enumerate_keys(slot->token, &keys, &n) != 0)
        return fail("the token's keys cannot be listed", NULL, pool);
    for (unsigned i = 0; i < n; i++) {
        if (is_wanted(t, &keys[i])) {
            *out = PKCS11_get_private_key(&keys[i]);
            return *out ? NULL : fail("the token's key cannot be used", t->object, pool);
        }
    }
    return fail("the token has no such private key:", t->object ? t->object : "(by its id)", pool);
}

const fw_err *fww_token_open(fww_token *t, EVP_PKEY **key, apr_pool_t *pool)
{
    struct module *m = NULL;
    PKCS11_SLOT *slot;

    ERR_clear_error();
    FW_TRY(open_module(&m, t->module, pool));
    slot = find_slot(t, m);
    if (!slot)
        return fail("there is no token", t->label ? t->label : t->serial, pool);
    FW_TRY(log_in(t, slot, pool));
    return find_key(t, slot, key, pool);
}
