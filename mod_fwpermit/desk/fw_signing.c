#include "fw_config.h"
#include "fw_signing.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_escape.h>
#include <apr_file_info.h>
#include <apr_strings.h>

#define HEX "0123456789abcdef"

const char *const fw_signing_names[FW_SIGNING_KEYS] = {"permit", "receipt", "audit", "seal"};

static void add_file(json_t *o, const char *what, const char *base, const char *ending,
                     apr_pool_t *pool)
{
    const char *path = apr_pstrcat(pool, base, ending, NULL);

    if (access(path, F_OK) == 0)
        json_object_set_new(o, what, json_string(path));
}

/* "permit-0123456789abcdef.crt" */
static bool is_retired(const char *file, const char *name)
{
    size_t n = strlen(name);

    return strncmp(file, name, n) == 0 && file[n] == '-' &&
           strspn(file + n + 1, HEX) == FW_SIGNING_KID_CHARS &&
           strcmp(file + n + 1 + FW_SIGNING_KID_CHARS, ".crt") == 0;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

apr_array_header_t *fw_signing_retired(const char *dir, const char *name, apr_pool_t *pool)
{
    apr_array_header_t *list = apr_array_make(pool, 4, sizeof(const char *));
    apr_finfo_t info;
    apr_dir_t *d;

    if (apr_dir_open(&d, dir, pool) != APR_SUCCESS)
        return list;
    while (apr_dir_read(&info, APR_FINFO_NAME, d) == APR_SUCCESS) {
        if (is_retired(info.name, name))
            APR_ARRAY_PUSH(list, const char *) = apr_pstrcat(pool, dir, "/", info.name, NULL);
    }
    apr_dir_close(d);
    qsort(list->elts, (size_t)list->nelts, sizeof(const char *), by_path);
    return list;
}

static json_t *retired_of(const char *dir, const char *name, apr_pool_t *pool)
{
    const apr_array_header_t *list = fw_signing_retired(dir, name, pool);
    json_t *out = json_array();

    for (int i = 0; i < list->nelts; i++) {
        const char *path = APR_ARRAY_IDX(list, i, const char *);
        json_t *one = json_pack("{s:s}", "cert", path);

        add_file(one, "chain", apr_pstrndup(pool, path, strlen(path) - strlen(".crt")), ".chain",
                 pool);
        json_array_append_new(out, one);
    }
    return out;
}

static json_t *files_of(const char *dir, const char *name, apr_pool_t *pool)
{
    const char *base = apr_pstrcat(pool, dir, "/", name, NULL);
    json_t *one =
        json_pack("{s:s+, s:o}", "key", base, ".key", "retired", retired_of(dir, name, pool));
    json_t *next = json_object();

    add_file(one, "cert", base, ".crt", pool);
    add_file(one, "chain", base, ".chain", pool);
    add_file(one, "pin", base, ".pin", pool);
    add_file(next, "cert", base, ".next.crt", pool);
    add_file(next, "chain", base, ".next.chain", pool);
    json_object_set_new(one, "next", next);
    return one;
}

json_t *fw_signing_files(const char *dir, apr_pool_t *pool)
{
    json_t *keys = json_object(), *ca = json_array();
    const char *root = apr_pstrcat(pool, dir, "/ca.crt", NULL);

    for (int i = 0; i < FW_SIGNING_KEYS; i++)
        json_object_set_new(keys, fw_signing_names[i], files_of(dir, fw_signing_names[i], pool));
    if (access(root, F_OK) == 0)
        json_array_append_new(ca, json_string(root));
    return json_pack("{s:o, s:o}", "keys", keys, "ca", ca);
}

void fw_signing_kid(const X509 *cert, char kid[FW_SIGNING_KID_CHARS + 1])
{
    unsigned char digest[EVP_MAX_MD_SIZE] = {0};

    X509_digest(cert, EVP_sha256(), digest, NULL);
    apr_escape_hex(kid, digest, FW_SIGNING_KID_CHARS / 2, 0, NULL);
}
