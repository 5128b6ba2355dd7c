/* Lines of {"file", "name", "value"} in; for each "" where the value is right, or what fw_schema says. */
#include "fw_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>

#include "fw_schema.h"

static fw_schema *schema_of(const char *path, apr_pool_t *pool)
{
    static fw_schema *last;
    static char last_path[4096];
    const fw_err *err;

    if (strcmp(path, last_path) == 0)
        return last;
    err = fw_schema_load(&last, path, pool);
    if (err) {
        fprintf(stderr, "%s\n", err->msg);
        exit(1);
    }
    snprintf(last_path, sizeof(last_path), "%s", path);
    return last;
}

int main(void)
{
    apr_pool_t *pool, *scratch;
    char *line = NULL;
    size_t room = 0;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    apr_pool_create(&scratch, pool);
    while (getline(&line, &room, stdin) > 0) {
        json_t *o = json_loads(line, 0, NULL);
        const char *path = json_string_value(json_object_get(o, "file"));
        const char *name = json_string_value(json_object_get(o, "name"));
        const fw_err *err;

        if (!path || !name)
            return 1;
        err = fw_schema_check(schema_of(path, pool), name, json_object_get(o, "value"), scratch);
        puts(err ? err->msg : "");
        json_decref(o);
        apr_pool_clear(scratch);
    }
    free(line);
    return 0;
}
