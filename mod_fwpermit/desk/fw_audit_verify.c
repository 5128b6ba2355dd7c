#include "fw_config.h"
#include "fw_audit_verify.h"

#include <string.h>

#include <apr_strings.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#define SEALS_ROWS 500

typedef struct verifying {
    fw_db *db;
    const fw_audit_check *check;
    fw_audit_report *report;
    apr_pool_t *pool, *scratch; /* scratch: of one record or seal */
    /* records */
    const char *aggregate;
    apr_pool_t *chain; /* of what is kept from one record to the next */
    int64_t seq;
    const char *hash;
    int64_t last_seal; /* that a record names */
    /* seals */
    fw_anchor *anchor;
} verifying;

static bool same(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

/* Notes the first fault; the error ends the walk and goes no further than fw_audit_verify(). */
static const fw_err *found(verifying *v, fw_audit_fault_e fault, fw_id record, int64_t seal,
                           const char *text)
{
    v->report->fault = fault;
    v->report->record = record;
    v->report->seal = seal;
    v->report->text = apr_pstrdup(v->pool, text);
    return FW_ERR(v->pool, FW_E_CORRUPT, 0, "%s", text);
}

/* ---- records ---- */

static const char *name_record(verifying *v, const fw_audit *r)
{
    return apr_psprintf(v->scratch, "record %" APR_INT64_T_FMT " of %s (id %" APR_INT64_T_FMT ")",
                        r->seq, r->aggregate, r->id);
}

static const fw_err *check_place(verifying *v, const fw_audit *r)
{
    if (r->seq > v->seq + 1)
        return found(v, FW_AUDIT_REMOVED, r->id, r->seal,
                     apr_psprintf(v->scratch,
                                  "before %s, %" APR_INT64_T_FMT " of its records are missing",
                                  name_record(v, r), r->seq - v->seq - 1));
    if (r->seq != v->seq + 1)
        return found(v, FW_AUDIT_INSERTED, r->id, r->seal,
                     apr_psprintf(v->scratch, "%s has no place in its chain", name_record(v, r)));
    if (!same(r->hash, fw_audit_hash(r, v->scratch)))
        return found(v, FW_AUDIT_EDITED, r->id, r->seal,
                     apr_psprintf(v->scratch, "%s was edited", name_record(v, r)));
    if (!same(r->prev, v->hash))
        return found(v, FW_AUDIT_EDITED, r->id, r->seal,
                     apr_psprintf(v->scratch,
                                  "%s does not follow from the one before: that one was rewritten",
                                  name_record(v, r)));
    return NULL;
}

static const fw_err *check_record(void *baton, const fw_audit *r)
{
    verifying *v = baton;

    v->report->records++;
    v->report->waiting += r->seal == 0;
    if (!same(v->aggregate, r->aggregate)) {
        v->seq = 0;
        v->hash = "";
    }
    FW_TRY(check_place(v, r));
    if (r->seal > v->last_seal)
        v->last_seal = r->seal;
    if (r->seal < 0)
        return found(v, FW_AUDIT_INSERTED, r->id, r->seal,
                     apr_psprintf(v->scratch, "%s is of no seal", name_record(v, r)));
    apr_pool_clear(v->chain);
    v->aggregate = apr_pstrdup(v->chain, r->aggregate);
    v->hash = apr_pstrdup(v->chain, r->hash);
    v->seq = r->seq;
    apr_pool_clear(v->scratch);
    return NULL;
}

/* ---- seals ---- */

static const fw_err *found_seal(verifying *v, fw_audit_fault_e fault, int64_t n, const char *what)
{
    return found(v, fault, 0, n, apr_psprintf(v->scratch, "seal %" APR_INT64_T_FMT " %s", n, what));
}

static const fw_err *check_members(verifying *v, const fw_seal *s)
{
    apr_array_header_t *hashes = NULL;

    FW_TRY(fw_seal_records(v->db, s->n, &hashes, v->scratch));
    if (same(s->hash, fw_seal_hash(s, hashes, v->scratch)))
        return NULL;
    if (hashes->nelts < s->records)
        return found_seal(
            v, FW_AUDIT_REMOVED, s->n,
            apr_psprintf(v->scratch, "was over %" APR_INT64_T_FMT " records, of which %d are there",
                         s->records, hashes->nelts));
    if (hashes->nelts > s->records)
        return found_seal(v, FW_AUDIT_INSERTED, s->n,
                          apr_psprintf(v->scratch,
                                       "was over %" APR_INT64_T_FMT " records, and %d are there",
                                       s->records, hashes->nelts));
    return found_seal(v, FW_AUDIT_SEAL_BROKEN, s->n, "does not fit its records");
}

static const fw_err *check_anchor(verifying *v, const fw_seal *s)
{
    fw_anchor_line line;
    bool any = false;

    if (!v->anchor)
        return NULL;
    FW_TRY(fw_anchor_next(v->anchor, &line, &any, v->pool));
    if (!any)
        return NULL; /* sealed and not noted yet */
    v->report->anchored++;
    if (line.n == s->n && same(line.hash, s->hash) && same(line.signature, s->signature))
        return NULL;
    return found_seal(v, FW_AUDIT_UNLIKE_ANCHOR, s->n, "is not the one that the anchor noted");
}

static const fw_err *check_seal(verifying *v, const fw_seal *s, const char *before)
{
    if (s->n != v->report->seals + 1)
        return found_seal(v, FW_AUDIT_SEAL_GONE, v->report->seals + 1, "is missing");
    v->report->seals++;
    if (!same(s->prev, before))
        return found_seal(v, FW_AUDIT_SEAL_BROKEN, s->n, "does not follow from the one before");
    FW_TRY(check_members(v, s));
    if (v->check->is_signed && !v->check->is_signed(v->check->baton, s->hash, s->signature))
        return found_seal(v, FW_AUDIT_FORGED, s->n, "is not signed by the key");
    return check_anchor(v, s);
}

static const fw_err *check_seals(verifying *v)
{
    apr_array_header_t *list = NULL;
    const char *before = "";
    apr_pool_t *page, *next;

    apr_pool_create(&page, v->pool);
    do {
        apr_pool_create(&next, v->pool);
        FW_TRY(fw_seal_list(v->db, v->report->seals, SEALS_ROWS, &list, next));
        for (int i = 0; i < list->nelts; i++) {
            const fw_seal *s = &APR_ARRAY_IDX(list, i, fw_seal);

            FW_TRY(check_seal(v, s, before));
            before = s->hash;
            apr_pool_clear(v->scratch);
        }
        apr_pool_destroy(page); /* `before` lies in `next` by now, or nothing was found */
        page = next;
    } while (list->nelts > 0);
    return NULL;
}

/* Seals that somebody names and that are not there. */
static const fw_err *check_tail(verifying *v)
{
    fw_anchor_line line;
    bool any = false;

    if (v->last_seal > v->report->seals)
        return found_seal(v, FW_AUDIT_SEAL_GONE, v->last_seal, "is missing, and records name it");
    if (v->anchor)
        FW_TRY(fw_anchor_next(v->anchor, &line, &any, v->pool));
    if (any)
        return found_seal(v, FW_AUDIT_SEAL_GONE, line.n,
                          "is missing, and the anchor noted it: the tail was cut");
    return NULL;
}

/* No file is as good as an empty one while there is nothing to note. */
static const fw_err *open_anchor(verifying *v)
{
    apr_array_header_t *list = NULL;
    const fw_err *err;

    if (!v->check->anchor)
        return NULL;
    err = fw_anchor_open(&v->anchor, v->check->anchor, v->pool);
    if (!err || err->code != FW_E_NOTFOUND)
        return err;
    FW_TRY(fw_seal_list(v->db, 0, 1, &list, v->pool));
    return list->nelts ? FW_ERR(v->pool, FW_E_CONFIG, 0, "there are seals, and no anchor at %s",
                                v->check->anchor)
                       : NULL;
}

/* Records first, then the seals, and the anchor as it was before both: what is written meanwhile is no fault. */
static const fw_err *verify(verifying *v)
{
    FW_TRY(open_anchor(v));
    FW_TRY(fw_audit_walk(v->db, check_record, v, v->pool));
    FW_TRY(check_seals(v));
    return check_tail(v);
}

const fw_err *fw_audit_verify(fw_db *db, const fw_audit_check *check, fw_audit_report *report,
                              apr_pool_t *pool)
{
    verifying v = {.db = db, .check = check, .report = report, .pool = pool, .hash = ""};
    const fw_err *err;

    *report = (fw_audit_report){0};
    apr_pool_create(&v.scratch, pool);
    apr_pool_create(&v.chain, pool);
    err = verify(&v);
    if (v.anchor)
        fw_anchor_close(v.anchor);
    return report->fault ? NULL : err;
}

const char *fw_audit_fault_name(fw_audit_fault_e fault)
{
    static const char *const names[] = {"whole",     "edited",      "removed", "inserted",
                                        "seal_gone", "seal_broken", "forged",  "unlike_anchor"};

    return (unsigned)fault < sizeof(names) / sizeof(names[0]) ? names[fault] : "?";
}

/* ---- the public keys ---- */

struct fw_audit_key {
    apr_array_header_t *keys; /* of EVP_PKEY * */
};

static apr_status_t free_keys(void *data)
{
    apr_array_header_t *keys = data;

    while (keys->nelts)
        EVP_PKEY_free(*(EVP_PKEY **)apr_array_pop(keys));
    return APR_SUCCESS;
}

static bool is_p256(EVP_PKEY *key)
{
    char group[32] = "";

    return key &&
           EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group),
                                          NULL) == 1 &&
           strcmp(group, SN_X9_62_prime256v1) == 0;
}

static bool add_key(fw_audit_key *k, EVP_PKEY *key)
{
    if (key)
        APR_ARRAY_PUSH(k->keys, EVP_PKEY *) = key;
    return is_p256(key);
}

/* All certificates of the file, or one public key. */
static bool read_keys(fw_audit_key *k, BIO *in)
{
    X509 *cert = PEM_read_bio_X509(in, NULL, NULL, NULL);
    bool ok = true;

    if (!cert)
        return BIO_reset(in) == 0 && add_key(k, PEM_read_bio_PUBKEY(in, NULL, NULL, NULL));
    while (cert) {
        ok = add_key(k, X509_get_pubkey(cert)) && ok;
        X509_free(cert);
        cert = PEM_read_bio_X509(in, NULL, NULL, NULL);
    }
    return ok;
}

const fw_err *fw_audit_key_add(fw_audit_key *k, const char *path, apr_pool_t *pool)
{
    BIO *in = BIO_new_file(path, "r");
    bool ok = in && read_keys(k, in);

    BIO_free(in);
    ERR_clear_error();
    return ok ? NULL
              : FW_ERR(pool, FW_E_CONFIG, 0, "%s: no certificate or public key of ECDSA over P-256",
                       path);
}

const fw_err *fw_audit_key_load(fw_audit_key **out, const char *path, apr_pool_t *pool)
{
    fw_audit_key *k = apr_pcalloc(pool, sizeof(*k));

    k->keys = apr_array_make(pool, 2, sizeof(EVP_PKEY *));
    apr_pool_cleanup_register(pool, k->keys, free_keys, apr_pool_cleanup_null);
    *out = k;
    return fw_audit_key_add(k, path, pool);
}

/* Bytes of a base64 text, or 0. */
static size_t decode(const char *text, unsigned char *out, size_t most)
{
    size_t n = strlen(text), pad = 0;
    int got;

    if (n == 0 || n % 4 || n / 4 * 3 > most)
        return 0;
    while (pad < 2 && text[n - 1 - pad] == '=')
        pad++;
    got = EVP_DecodeBlock(out, (const unsigned char *)text, (int)n);
    return got > 0 ? (size_t)got - pad : 0;
}

static bool is_by(EVP_PKEY *key, const unsigned char *bytes, size_t n, const char *hash)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
              EVP_DigestVerify(ctx, bytes, n, (const unsigned char *)hash, strlen(hash)) == 1;

    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return ok;
}

bool fw_audit_key_signed(void *key, const char *hash, const char *signature)
{
    const apr_array_header_t *keys = ((fw_audit_key *)key)->keys;
    unsigned char bytes[FW_SEAL_SIGNATURE_CHARS / 4 * 3];
    size_t n = signature ? decode(signature, bytes, sizeof(bytes)) : 0;
    bool ok = false;

    for (int i = 0; n && !ok && i < keys->nelts; i++)
        ok = is_by(APR_ARRAY_IDX(keys, i, EVP_PKEY *), bytes, n, hash);
    return ok;
}
