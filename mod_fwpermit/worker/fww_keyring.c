#include "fw_config.h"
#include "fww_keyring.h"
#include "fww_token.h"

#include <string.h>
#include <time.h>

#include <apr_strings.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "fw_signing.h"

#define LOG_ERROR     3
#define LOG_WARNING   4
#define KEYS_MAX      32
#define EXPIRY_WARN_S (30 * 86400)
#define N_KEY         "FWP2301" /* a signing key cannot be had */

typedef struct entry {
    const char *name;
    fww_key key;
    const char *why;             /* it cannot be had; NULL: it can, or could be opened */
    apr_array_header_t *retired; /* of fww_cert * */
} entry;

struct fww_keyring {
    const fww_role_env *env;
    apr_array_header_t *entries; /* of entry * */
    apr_array_header_t *ca;      /* of fww_cert * */
};

/* ---- reading ---- */

static void tell(const fww_keyring *ring, const char *name, const fw_err *err)
{
    ring->env->log(LOG_ERROR, N_KEY " signer: key %s: %s", name, fw_err_text(err, ring->env->pool));
}

static void warn_of_expiry(const fww_keyring *ring, const entry *e)
{
    time_t soon = time(NULL) + EXPIRY_WARN_S;

    if (e->key.now.cert && X509_cmp_time(X509_get0_notAfter(e->key.now.cert), &soon) < 0)
        ring->env->log(LOG_WARNING, "signer: the certificate of %s ends within %d days", e->name,
                       EXPIRY_WARN_S / 86400);
}

static void add_cert(const fww_keyring *ring, apr_array_header_t *list, const char *name,
                     const char *cert, const char *chain)
{
    fww_cert *c = apr_pcalloc(ring->env->pool, sizeof(*c));
    const fw_err *err = fww_cert_load(c, cert, chain, ring->env->pool);

    if (err)
        tell(ring, name, err);
    else
        APR_ARRAY_PUSH(list, fww_cert *) = c;
}

static void load_one(const fww_keyring *ring, const char *name, const json_t *files)
{
    apr_pool_t *pool = ring->env->pool;
    entry *e = apr_pcalloc(pool, sizeof(*e));
    const fw_err *err = fww_key_load(&e->key, files, pool);
    const json_t *one;
    size_t i;

    *e = (entry){.name = apr_pstrdup(pool, name),
                 .key = e->key,
                 .why = err ? fw_err_text(err, pool) : NULL,
                 .retired = apr_array_make(pool, 2, sizeof(fww_cert *))};
    if (err)
        tell(ring, name, err);
    warn_of_expiry(ring, e);
    json_array_foreach(json_object_get(files, "retired"), i, one)
        add_cert(ring, e->retired, name, json_string_value(json_object_get(one, "cert")),
                 json_string_value(json_object_get(one, "chain")));
    APR_ARRAY_PUSH(ring->entries, entry *) = e;
}

const fw_err *fww_keyring_load(fww_keyring **out, const fww_role_env *env)
{
    fww_keyring *ring = apr_pcalloc(env->pool, sizeof(*ring));
    json_t *keys = json_object_get(env->settings, "keys"), *files;
    const char *name;
    size_t i;

    if (json_object_size(keys) == 0 || json_object_size(keys) > KEYS_MAX)
        return FW_ERR(env->pool, FW_E_CONFIG, 0, "signer: not 1 to %d keys", KEYS_MAX);
    ring->env = env;
    ring->entries = apr_array_make(env->pool, 8, sizeof(entry *));
    ring->ca = apr_array_make(env->pool, 1, sizeof(fww_cert *));
    json_object_foreach(keys, name, files) load_one(ring, name, files);
    json_array_foreach(json_object_get(env->settings, "ca"), i, files)
        add_cert(ring, ring->ca, "ca", json_string_value(files), NULL);
    *out = ring;
    return NULL;
}

void fww_keyring_open(const fww_keyring *ring)
{
    for (int i = 0; i < ring->entries->nelts; i++) {
        entry *e = APR_ARRAY_IDX(ring->entries, i, entry *);
        const fw_err *err = e->why ? NULL : fww_key_open(&e->key, ring->env->pool);

        if (err)
            tell(ring, e->name, err);
    }
}

int fww_keyring_count(const fww_keyring *ring)
{
    int n = 0;

    for (int i = 0; i < ring->entries->nelts; i++)
        n += APR_ARRAY_IDX(ring->entries, i, entry *)->key.key != NULL;
    return n;
}

/* ---- asking ---- */

static const fw_err *find(const fww_keyring *ring, const char *name, entry **out, apr_pool_t *pool)
{
    for (int i = 0; name && i < ring->entries->nelts; i++) {
        *out = APR_ARRAY_IDX(ring->entries, i, entry *);
        if (strcmp((*out)->name, name) == 0)
            return NULL;
    }
    return FW_ERR(pool, FW_E_NOTFOUND, 0, "no operation, or a key that is not known");
}

bool fww_keyring_reset(const fww_keyring *ring, const fww_key *k)
{
    if (!k->token)
        return false;
    for (int i = 0; i < ring->entries->nelts; i++) {
        entry *e = APR_ARRAY_IDX(ring->entries, i, entry *);

        if (e->key.token)
            fww_key_close(&e->key);
    }
    fww_token_unload();
    return true;
}

const fw_err *fww_keyring_get(const fww_keyring *ring, const char *name, const fww_key **out,
                              apr_pool_t *pool)
{
    const fw_err *err;
    entry *e = NULL;

    FW_TRY(find(ring, name, &e, pool));
    if (e->why)
        return FW_ERR(pool, FW_E_UNAVAILABLE, 0, "key %s: %s", name, e->why);
    err = fww_key_open(&e->key, pool);
    *out = &e->key;
    if (err && err->code == FW_E_UNAVAILABLE)
        fww_keyring_reset(ring, &e->key);
    return err ? FW_ERR(pool, FW_E_UNAVAILABLE, 0, "key %s: %s", name, err->msg) : NULL;
}

const fw_err *fww_keyring_cert(const fww_keyring *ring, const char *name, const fww_cert **out,
                               apr_pool_t *pool)
{
    entry *e = NULL;

    FW_TRY(find(ring, name, &e, pool));
    *out = &e->key.now;
    return NULL;
}

/* ---- all certificates ---- */

static json_t *pem_of(X509 *cert)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    long n = out && PEM_write_bio_X509(out, cert) == 1 ? BIO_get_mem_data(out, &bytes) : 0;
    json_t *text = json_stringn(bytes ? bytes : "", (size_t)n);

    BIO_free(out);
    return text;
}

static void add_root(json_t *roots, X509 *cert)
{
    json_t *pem = pem_of(cert), *one;
    size_t i;

    json_array_foreach(roots, i, one)
    {
        if (json_equal(one, pem)) {
            json_decref(pem);
            return;
        }
    }
    json_array_append_new(roots, pem);
}

/* Where nothing in a chain is self-signed, its last is what a reader can be given to trust. */
static void add_roots(json_t *roots, const fww_cert *c)
{
    int n = sk_X509_num(c->chain), found = 0;

    for (int i = 0; i < n; i++) {
        if (X509_self_signed(sk_X509_value(c->chain, i), 0) != 1)
            continue;
        add_root(roots, sk_X509_value(c->chain, i));
        found++;
    }
    if (n > 0 && found == 0)
        add_root(roots, sk_X509_value(c->chain, n - 1));
}

static void add_one(json_t *o, const entry *e, const fww_cert *c)
{
    json_t *chain = json_array(), *one;
    char kid[FW_SIGNING_KID_CHARS + 1];
    bool current = c == &e->key.now;

    if (!c->cert) {
        json_decref(chain);
        return;
    }
    for (int i = 0; i < sk_X509_num(c->chain); i++)
        json_array_append_new(chain, pem_of(sk_X509_value(c->chain, i)));
    fw_signing_kid(c->cert, kid);
    one = json_pack("{s:s, s:s, s:b, s:o, s:o}", "use", e->name, "kid", kid, "current", current,
                    "cert", pem_of(c->cert), "chain", chain);
    if (current)
        json_object_set_new(one, "ready", json_boolean(e->key.key != NULL && !e->why));
    json_array_append_new(json_object_get(o, "certs"), one);
    add_roots(json_object_get(o, "roots"), c);
}

json_t *fww_keyring_certs(const fww_keyring *ring)
{
    json_t *o = json_pack("{s:[], s:[]}", "certs", "roots");

    for (int i = 0; i < ring->ca->nelts; i++)
        add_root(json_object_get(o, "roots"), APR_ARRAY_IDX(ring->ca, i, fww_cert *)->cert);
    for (int i = 0; i < ring->entries->nelts; i++) {
        const entry *e = APR_ARRAY_IDX(ring->entries, i, entry *);

        add_one(o, e, &e->key.now);
        for (int k = 0; k < e->retired->nelts; k++)
            add_one(o, e, APR_ARRAY_IDX(e->retired, k, fww_cert *));
    }
    return o;
}
