#include "fw_config.h"
#include "fwc_restore.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_db_copy.h"
#include "fw_sha256.h"
#include "fw_store_vault.h"

static void fault(fwc_restoring *r, const char *name, const char *why)
{
    fwc_say(r->c, "%s: %s", name, why);
    r->faults++;
}

/* ---- rows ---- */

static const fw_err *check_counts(fwc_restoring *r)
{
    const json_t *counts = json_object_get(r->manifest, "counts");
    int64_t n[FW_COPY_TABLES] = {0};

    FW_TRY(fw_db_counts(r->c->db, n, r->pool));
    for (int i = 0; i < FW_COPY_TABLES; i++) {
        json_int_t was = json_integer_value(json_object_get(counts, fw_copy_tables[i]));

        if (was != n[i])
            fault(r, fw_copy_tables[i],
                  apr_psprintf(r->pool,
                               "%" APR_INT64_T_FMT " rows, the backup had %" APR_INT64_T_FMT, n[i],
                               (int64_t)was));
    }
    return NULL;
}

/* ---- files ---- */

static const fw_err *sum(fw_vault_reader *reader, const char **sha256, apr_pool_t *pool)
{
    EVP_MD_CTX *sha = EVP_MD_CTX_new();
    const unsigned char *data = NULL;
    const fw_err *err = NULL;
    size_t n = 1;

    EVP_DigestInit_ex(sha, EVP_sha256(), NULL);
    while (n > 0 && !err) {
        err = fw_vault_read(reader, &data, &n);
        EVP_DigestUpdate(sha, data, n);
    }
    if (!err)
        *sha256 = fw_sha256_end(sha, pool);
    EVP_MD_CTX_free(sha);
    return err;
}

/* Its head under the keys, its size; and all of its bytes where that was not declined. */
static const fw_err *open_file(fwc_restoring *r, const fw_vault_row *row, apr_pool_t *pool)
{
    fw_vault_reader *reader = NULL;
    const char *sha256 = row->sha256;

    FW_TRY(fw_vault_read_open(&reader, r->c->desk->vault, row->name, pool));
    if (!fwc_option(r->c, "quick"))
        FW_TRY(sum(reader, &sha256, pool));
    if (fw_vault_size(reader) != row->size || strcmp(sha256, row->sha256) != 0)
        return FW_ERR(pool, FW_E_CORRUPT, 0, "it is not what its row says");
    return NULL;
}

static const fw_err *check_file(void *baton, const fw_vault_row *row, apr_pool_t *scratch)
{
    fwc_restoring *r = baton;
    apr_pool_t *own;
    const fw_err *err;

    apr_pool_create(&own, scratch);
    err = open_file(r, row, own);
    if (err)
        fault(r, row->name, err->msg);
    apr_pool_destroy(own);
    return NULL;
}

const fw_err *fwc_restore_verify(fwc_restoring *r)
{
    FW_TRY(check_counts(r));
    return fw_vault_named(r->c->db, check_file, r, r->pool);
}
