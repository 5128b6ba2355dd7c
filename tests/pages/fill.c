/* Fills the templates with models: fill PAGES LOCALE OUT MODEL.json ... writes OUT/<name of the model>.html. A model has the
 * members "_template" and "_lang" beside those of its page. Ends 1 where a template or a model is wrong. */
#include "fw_config.h"

#include <stdio.h>
#include <stdlib.h>

#include <apr_general.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "fw_locale.h"
#include "fw_template.h"

static int complain(const fw_err *e, apr_pool_t *pool)
{
    fprintf(stderr, "%s\n", fw_err_text(e, pool));
    return 1;
}

static int keep(const char *dir, const char *model, const char *html, apr_size_t n,
                apr_pool_t *pool)
{
    const char *base = apr_filepath_name_get(model);
    const char *path = apr_psprintf(pool, "%s/%.*s.html", dir, (int)(strlen(base) - 5), base);
    FILE *out = fopen(path, "w");

    if (!out || fwrite(html, 1, n, out) != n || fclose(out) != 0) {
        perror(path);
        return 1;
    }
    return 0;
}

static int fill(const fw_templates *all, const char *dir, const char *path, apr_pool_t *pool)
{
    json_error_t where;
    json_t *model = json_load_file(path, JSON_REJECT_DUPLICATES, &where);
    const char *name = json_string_value(json_object_get(model, "_template"));
    const char *lang = json_string_value(json_object_get(model, "_lang"));
    const fw_err *e;
    const char *html;
    apr_size_t n;

    if (!name || !lang) {
        fprintf(stderr, "%s:%d: %s\n", path, where.line, model ? "no _template" : where.text);
        return 1;
    }
    e = fw_template_render(all, name, fw_of_json(model, pool), lang, &html, &n, pool);
    return e ? complain(e, pool) : keep(dir, path, html, n, pool);
}

int main(int argc, const char *const *argv)
{
    apr_pool_t *pool;
    fw_locale *locale;
    fw_templates *all;
    const fw_err *e;
    int bad = 0;

    if (argc < 4 || apr_app_initialize(&argc, &argv, NULL) || apr_pool_create(&pool, NULL))
        return 2;
    e = fw_locale_load(&locale, argv[2], pool);
    if (!e)
        e = fw_templates_load(&all, argv[1], locale, pool);
    if (e)
        return complain(e, pool);
    for (int i = 4; i < argc; i++)
        bad |= fill(all, argv[3], argv[i], pool);
    return bad;
}
