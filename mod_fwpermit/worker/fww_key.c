#include "fw_config.h"
#include "fww_key.h"
#include "fww_token.h"

#include <string.h>
#include <sys/stat.h>

#include <apr_file_io.h>
#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#define RSA_BITS_MIN 2048
#define EC_BITS_MIN  256
#define CHAIN_MAX    8
#define URI          "pkcs11:"
#define URI_MAX      1024

/* An error with the newest reason that OpenSSL left, and none left behind. */
static const fw_err *fail(apr_pool_t *pool, const char *path, const char *what)
{
    const char *why = ERR_reason_error_string(ERR_peek_last_error());

    ERR_clear_error();
    return FW_ERR(pool, FW_E_CONFIG, 0, "%s: %s%s%s", path, what, why ? ": " : "", why ? why : "");
}

/* Nobody is there to type a password. */
static int no_password(char *buf, int size, int writing, void *data)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)data;
    return -1;
}

/* ---- certificates ---- */

static apr_status_t free_cert(void *data)
{
    fww_cert *c = data;

    X509_free(c->cert);
    sk_X509_pop_free(c->chain, X509_free);
    *c = (fww_cert){0};
    return APR_SUCCESS;
}

static const fw_err *read_cert(fww_cert *c, const char *path, apr_pool_t *pool)
{
    BIO *in = BIO_new_file(path, "r");

    if (in)
        c->cert = PEM_read_bio_X509(in, NULL, no_password, NULL);
    BIO_free(in);
    return c->cert ? NULL : fail(pool, path, "no certificate");
}

static const fw_err *read_chain(fww_cert *c, const char *path, apr_pool_t *pool)
{
    BIO *in = BIO_new_file(path, "r");
    X509 *cert = NULL;

    if (!in)
        return fail(pool, path, "no chain");
    do {
        cert = PEM_read_bio_X509(in, NULL, no_password, NULL);
        if (cert && X509_cmp(cert, c->cert) == 0)
            X509_free(cert);
        else if (cert)
            sk_X509_push(c->chain, cert);
    } while (cert && sk_X509_num(c->chain) <= CHAIN_MAX);
    BIO_free(in);
    ERR_clear_error();
    if (sk_X509_num(c->chain) == 0 || sk_X509_num(c->chain) > CHAIN_MAX)
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s: not 1 to %d certificates", path, CHAIN_MAX);
    return NULL;
}

const fw_err *fww_cert_load(fww_cert *c, const char *cert, const char *chain, apr_pool_t *pool)
{
    *c = (fww_cert){.chain = sk_X509_new_null()};
    apr_pool_cleanup_register(pool, c, free_cert, apr_pool_cleanup_null);
    FW_TRY(read_cert(c, cert, pool));
    return chain ? read_chain(c, chain, pool) : NULL;
}

/* ---- keys ---- */

static apr_status_t free_key(void *data)
{
    fww_key_close(data);
    return APR_SUCCESS;
}

const fw_err *fww_key_check(const fww_key *k, const char *where, apr_pool_t *pool)
{
    int bits = EVP_PKEY_get_bits(k->key);
    bool rsa = EVP_PKEY_is_a(k->key, "RSA") && bits >= RSA_BITS_MIN;
    bool ec = EVP_PKEY_is_a(k->key, "EC") && bits >= EC_BITS_MIN;

    if (!rsa && !ec)
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s: neither EC from %d bits nor RSA from %d on", where,
                      EC_BITS_MIN, RSA_BITS_MIN);
    if (k->now.cert && X509_check_private_key(k->now.cert, k->key) != 1)
        return fail(pool, where, "the certificate is not the key's");
    return NULL;
}

static const fw_err *check_closed(const char *path, apr_pool_t *pool)
{
    struct stat facts;

    if (stat(path, &facts) != 0 || !S_ISREG(facts.st_mode))
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s: no such file", path);
    if (facts.st_mode & (S_IRWXO | S_IWGRP))
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s: a secret that others may open", path);
    return NULL;
}

/* The line of a file that begins as a URI does, or NULL. */
static const char *read_uri(const char *path, apr_pool_t *pool)
{
    char text[URI_MAX] = "";
    apr_file_t *f;
    apr_size_t n = sizeof(text) - 1;

    if (apr_file_open(&f, path, APR_READ, 0, pool) != APR_SUCCESS)
        return NULL;
    if (apr_file_read(f, text, &n) != APR_SUCCESS)
        n = 0;
    apr_file_close(f);
    text[n] = '\0';
    if (strncmp(text, URI, strlen(URI)) != 0)
        return NULL;
    return apr_pstrndup(pool, text, strcspn(text, "\r\n"));
}

static const fw_err *read_key(fww_key *k, const char *path, const char *pin, apr_pool_t *pool)
{
    const char *uri;
    BIO *in;

    FW_TRY(check_closed(path, pool));
    uri = read_uri(path, pool);
    if (uri) {
        if (pin)
            FW_TRY(check_closed(pin, pool));
        return fww_token_make(&k->token, uri, pin, pool);
    }
    in = BIO_new_file(path, "r");
    if (in)
        k->key = PEM_read_bio_PrivateKey(in, NULL, no_password, NULL);
    BIO_free(in);
    return k->key ? fww_key_check(k, path, pool) : fail(pool, path, "no private key");
}

static const char *file_of(const json_t *files, const char *name)
{
    return json_string_value(json_object_get(files, name));
}

static bool fits(const fww_key *k)
{
    bool yes = !k->key || X509_check_private_key(k->now.cert, k->key) == 1;

    ERR_clear_error();
    return yes;
}

/* A rotation that was broken off may have left the certificate of the new key as the next one. */
static const fw_err *read_certs(fww_key *k, const json_t *files, apr_pool_t *pool)
{
    const json_t *next = json_object_get(files, "next");
    const char *cert = file_of(files, "cert"), *other = file_of(next, "cert");
    const char *chain;

    if (!cert)
        return NULL;
    FW_TRY(fww_cert_load(&k->now, cert, file_of(files, "chain"), pool));
    if (fits(k))
        return NULL;
    if (!other)
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s: not the key's", cert);
    apr_pool_cleanup_run(pool, &k->now, free_cert);
    chain = file_of(next, "chain");
    FW_TRY(fww_cert_load(&k->now, other, chain ? chain : file_of(files, "chain"), pool));
    return fits(k) ? NULL : FW_ERR(pool, FW_E_CONFIG, 0, "%s, %s: not the key's", cert, other);
}

const fw_err *fww_key_load(fww_key *k, const json_t *files, apr_pool_t *pool)
{
    const fw_err *err, *certs;

    *k = (fww_key){0};
    apr_pool_cleanup_register(pool, k, free_key, apr_pool_cleanup_null);
    if (!file_of(files, "key"))
        return FW_ERR(pool, FW_E_CONFIG, 0, "no file \"key\" is named");
    err = read_key(k, file_of(files, "key"), file_of(files, "pin"), pool);
    certs = read_certs(k, files, pool);
    return err ? err : certs;
}

const fw_err *fww_key_open(fww_key *k, apr_pool_t *pool)
{
    const fw_err *err;

    if (k->key)
        return NULL;
    FW_TRY(fww_token_open(k->token, &k->key, pool));
    err = fww_key_check(k, "the token's key", pool);
    if (err)
        fww_key_close(k);
    return err;
}

void fww_key_close(fww_key *k)
{
    EVP_PKEY_free(k->key);
    k->key = NULL;
}
