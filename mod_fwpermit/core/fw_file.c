#include "fw_config.h"
#include "fw_file.h"

#include <apr_file_info.h>
#include <apr_file_io.h>

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
