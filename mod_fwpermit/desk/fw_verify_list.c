#include "fw_config.h"
#include "fw_verify_int.h"

#include <stdio.h>
#include <string.h>

#include <apr_encode.h>
#include <apr_strings.h>
#include <openssl/err.h>

#include "fw_es256.h"
#include "fw_json.h"

#define FORMAT      "fwpermit-revocations/1"
#define TYPE        "fwpermit-revocations"
#define HEADER_MOST 65536u

typedef struct list {
    const char *text; /* header.payload, which the signature covers */
    size_t n;
    json_t *header, *payload;
    const unsigned char *signature;
    size_t n_signature;
} list;

static const fw_err *bad(apr_pool_t *pool, const char *what)
{
    return FW_ERR(pool, FW_E_INPUT, 0, "the revocation list: %s", what);
}

static const void *decode(const char *text, size_t n, apr_size_t *out, apr_pool_t *pool)
{
    return apr_pdecode_base64_binary(pool, apr_pstrmemdup(pool, text, n), APR_ENCODE_STRING,
                                     APR_ENCODE_NONE, out);
}

static json_t *decode_json(const char *text, size_t n, apr_pool_t *pool)
{
    apr_size_t length = 0;
    const char *bytes = decode(text, n, &length, pool);

    return bytes ? fw_json_keep(json_loadb(bytes, length, JSON_REJECT_DUPLICATES, NULL), pool)
                 : NULL;
}

static const fw_err *take_apart(list *l, const char *jws, apr_pool_t *pool)
{
    size_t n = strlen(jws);
    const char *first = strchr(jws, '.'), *second = first ? strchr(first + 1, '.') : NULL;

    while (n > 0 && (jws[n - 1] == '\n' || jws[n - 1] == '\r'))
        n--;
    if (n > FW_VERIFY_LIST_MAX || !second || (size_t)(first - jws) > HEADER_MOST ||
        memchr(second + 1, '.', n - (size_t)(second + 1 - jws)))
        return bad(pool, "it is not of three parts");
    l->text = jws;
    l->n = (size_t)(second - jws);
    l->header = decode_json(jws, (size_t)(first - jws), pool);
    l->payload = decode_json(first + 1, (size_t)(second - first - 1), pool);
    l->signature = decode(second + 1, n - (size_t)(second + 1 - jws), &l->n_signature, pool);
    if (!l->header || !l->payload || !l->signature)
        return bad(pool, "a part of it cannot be read");
    return NULL;
}

static bool is_text(const json_t *o, const char *name, const char *wanted)
{
    const char *text = json_string_value(json_object_get(o, name));

    return text && strcmp(text, wanted) == 0;
}

static apr_status_t free_cert(void *cert)
{
    X509_free(cert);
    return APR_SUCCESS;
}

static X509 *read_leaf(const list *l, apr_pool_t *pool)
{
    const char *text = json_string_value(json_array_get(json_object_get(l->header, "x5c"), 0));
    apr_size_t n = 0;
    const unsigned char *der = text ? decode(text, strlen(text), &n, pool) : NULL;
    X509 *cert = der ? d2i_X509(NULL, &der, (long)n) : NULL;

    ERR_clear_error();
    if (cert)
        apr_pool_cleanup_register(pool, cert, free_cert, apr_pool_cleanup_null);
    return cert;
}

static apr_time_t time_of(const list *l, const char *name)
{
    return fw_time_parse(json_string_value(json_object_get(l->payload, name)));
}

static const fw_err *check_signature(const list *l, const fw_trust *trust, apr_time_t issued,
                                     apr_pool_t *pool)
{
    X509 *cert = read_leaf(l, pool);
    const fw_signer *signer = cert ? fw_trust_signer(trust, cert) : NULL;

    if (!is_text(l->header, "alg", "ES256") || !is_text(l->header, "typ", TYPE) || !cert)
        return bad(pool, "its header is another one");
    if (!signer || strcmp(signer->use, "permit") != 0 ||
        !fw_trust_chains(trust, cert, NULL, issued))
        return bad(pool, "its signer is not in the trust list");
    if (!fw_es256_holds(cert, l->text, l->n, l->signature, l->n_signature))
        return bad(pool, "it was altered");
    return NULL;
}

const fw_err *fw_ended_read(fw_ended **out, const char *jws, const fw_trust *trust,
                            apr_pool_t *pool)
{
    fw_ended *ended = apr_pcalloc(pool, sizeof(*ended));
    list l = {0};

    FW_TRY(take_apart(&l, jws, pool));
    ended->issued = time_of(&l, "issued");
    ended->next_update = time_of(&l, "next_update");
    ended->permits = json_object_get(l.payload, "permits");
    FW_TRY(check_signature(&l, trust, ended->issued, pool));
    if (!is_text(l.payload, "format", FORMAT) || !ended->issued || !ended->next_update ||
        !json_is_array(ended->permits))
        return bad(pool, "it is not of the form " FORMAT);
    *out = ended;
    return NULL;
}
