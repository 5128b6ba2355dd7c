#include "fw_config.h"
#include "fw_plugin_settings.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#define SECRET_MAX 65536

/* Without the line's end that an editor leaves. */
static json_t *read_secret(const char *path, const char **missing, apr_pool_t *pool)
{
    char *bytes = apr_palloc(pool, SECRET_MAX);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, bytes, SECRET_MAX) : -1;

    if (n < 0 && missing && !*missing)
        *missing = apr_psprintf(pool, "%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    while (n > 0 && (bytes[n - 1] == '\n' || bytes[n - 1] == '\r'))
        n--;
    return json_stringn(bytes, n > 0 ? (size_t)n : 0);
}

json_t *fw_plugin_settings(const fw_settings *s, const fw_plugin_conf *p, const char **missing,
                           apr_pool_t *pool)
{
    json_t *secrets = json_object(), *options = json_object(), *value;
    const char *key;

    if (missing)
        *missing = NULL;
    json_object_foreach(p->secrets, key, value)
        json_object_set_new(secrets, key, read_secret(json_string_value(value), missing, pool));
    json_object_foreach(p->options, key, value)
    {
        if (strncmp(key, "inbox.", 6) != 0)
            json_object_set(options, key, value);
    }
    return json_pack("{s:s, s:s, s:s, s:o, s:o}", "name", p->name, "path", p->path, "dir",
                     s->plugin_dir, "options", options, "secrets", secrets);
}
