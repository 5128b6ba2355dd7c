#include "fw_config.h"
#include "fw_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_strings.h>

#include "fw_sha256.h"

#define PIECE 65536

const fw_err *fw_file_read(char **text, apr_size_t *n, const char *path, apr_size_t most,
                           apr_pool_t *pool)
{
    apr_file_t *f;
    apr_finfo_t info;
    apr_size_t got = 0;
    char *bytes = NULL;
    apr_status_t rv = apr_file_open(&f, path, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, pool);

    if (rv)
        return FW_ERR(pool, FW_E_CONFIG, rv, "%s cannot be read", path);
    rv = apr_file_info_get(&info, APR_FINFO_SIZE, f);
    if (!rv && info.size <= (apr_off_t)most) {
        bytes = apr_pcalloc(pool, (apr_size_t)info.size + 1);
        rv = info.size ? apr_file_read_full(f, bytes, (apr_size_t)info.size, &got) : APR_SUCCESS;
    }
    apr_file_close(f);
    if (rv)
        return FW_ERR(pool, FW_E_CONFIG, rv, "%s cannot be read", path);
    if (!bytes)
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s:1: longer than %" APR_SIZE_T_FMT " bytes", path,
                      most);
    *text = bytes;
    if (n)
        *n = got;
    return NULL;
}

static bool write_all(int fd, const char *text, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, text, n);

        if (done <= 0)
            return false;
        text += done;
        n -= (size_t)done;
    }
    return true;
}

static bool write_whole(int fd, const char *text)
{
    return write_all(fd, text, strlen(text)) && fsync(fd) == 0;
}

const fw_err *fw_file_put(const char *path, const char *text, int mode, apr_pool_t *pool)
{
    const char *fresh = apr_pstrcat(pool, path, ".new", NULL);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, (mode_t)mode);
    bool ok = fd >= 0 && fchmod(fd, (mode_t)mode) == 0 && write_whole(fd, text);

    if (fd >= 0)
        ok = close(fd) == 0 && ok;
    if (!ok || rename(fresh, path) != 0)
        return FW_ERR(pool, FW_E_UNAVAILABLE, errno, "%s cannot be written", path);
    return NULL;
}

const fw_err *fw_file_copy(int from, int to, const char **sha256, apr_pool_t *pool)
{
    EVP_MD_CTX *sha = EVP_MD_CTX_new();
    char piece[PIECE];
    ssize_t n = 1;
    bool ok = sha && EVP_DigestInit_ex(sha, EVP_sha256(), NULL);

    while (ok && n > 0) {
        n = read(from, piece, sizeof(piece));
        ok = n >= 0 && EVP_DigestUpdate(sha, piece, (size_t)n);
        if (ok && to >= 0)
            ok = write_all(to, piece, (size_t)n);
    }
    if (ok)
        *sha256 = fw_sha256_end(sha, pool);
    EVP_MD_CTX_free(sha);
    return ok ? NULL : FW_ERR(pool, FW_E_UNAVAILABLE, errno, "a file cannot be copied");
}
