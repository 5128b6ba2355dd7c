#include "fw_config.h"
#include "fw_file_name.h"

#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "fw_urlencoded.h"
#include "fw_utf8.h"

static const char *last_part(const char *path)
{
    const char *base = path;

    for (const char *p = path; *p; p++) {
        if (*p == '/' || *p == '\\')
            base = p + 1;
    }
    return base;
}

/* In place. */
static void drop_hidden(char *name)
{
    char *o = name;

    for (const char *p = name; *p;) {
        const char *at = p;
        bool hidden = fw_utf8_hidden(fw_utf8_next(&p));

        if (!hidden) {
            memmove(o, at, (size_t)(p - at));
            o += p - at;
        }
    }
    *o = '\0';
}

const char *fw_file_name_clean(const char *sent, apr_pool_t *pool)
{
    char *name = apr_pstrdup(pool, last_part(sent));
    size_t n;

    drop_hidden(name);
    name += strspn(name, ". ");
    n = fw_utf8_fit(name, FW_FILE_NAME_MAX);
    while (n > 0 && strchr(". ", name[n - 1]))
        n--;
    name[n] = '\0';
    return n > 0 ? name : "file";
}

/* What may stand behind the last dot; the first is what is appended. NULL: any. */
static const char *const *extensions_of(const char *mime)
{
    static const char *const jpeg[] = {".jpg", ".jpeg", NULL}, *const png[] = {".png", NULL},
                             *const pdf[] = {".pdf", NULL};

    if (strcmp(mime, "image/jpeg") == 0)
        return jpeg;
    if (strcmp(mime, "image/png") == 0)
        return png;
    return strcmp(mime, "application/pdf") == 0 ? pdf : NULL;
}

static const char *with_extension(const char *name, const char *mime, apr_pool_t *pool)
{
    const char *const *list = extensions_of(mime), *dot = strrchr(name, '.');

    if (!list)
        return name;
    for (int i = 0; dot && list[i]; i++) {
        if (strcasecmp(dot, list[i]) == 0)
            return name;
    }
    return apr_pstrcat(pool, name, list[0], NULL);
}

const char *fw_file_name_disposition(const char *name, const char *mime, apr_pool_t *pool)
{
    const char *full = with_extension(name, mime, pool);
    char *ascii = apr_pstrdup(pool, full);

    for (char *p = ascii; *p; p++) {
        if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f || strchr("\"\\%;/", *p))
            *p = '_';
    }
    return apr_psprintf(pool, "attachment; filename=\"%s\"; filename*=UTF-8''%s", ascii,
                        fw_urlencode(full, pool));
}
