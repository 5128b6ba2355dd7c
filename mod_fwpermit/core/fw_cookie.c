#include "fw_config.h"
#include "fw_cookie.h"

#include <string.h>

#include <apr_strings.h>

const char *fw_cookie_find(const char *header, const char *name, apr_pool_t *pool)
{
    size_t n = strlen(name);

    for (const char *p = header; p && *p; p = strchr(p, ';') ? strchr(p, ';') + 1 : NULL) {
        while (*p == ' ')
            p++;
        if (strncmp(p, name, n) == 0 && p[n] == '=')
            return apr_pstrmemdup(pool, p + n + 1, strcspn(p + n + 1, "; "));
    }
    return NULL;
}
