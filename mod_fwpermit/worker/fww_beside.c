#include "fw_config.h"
#include "fww_beside.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

const char *fww_beside(const char *name, apr_pool_t *pool)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path));
    const char *last = n > 0 && (size_t)n < sizeof(path) ? memrchr(path, '/', (size_t)n) : NULL;

    return last ? apr_psprintf(pool, "%.*s/%s", (int)(last - path), path, name) : NULL;
}
