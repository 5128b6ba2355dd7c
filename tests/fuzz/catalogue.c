/* A message catalogue, as both languages. */
#include "fw_config.h"
#include "fuzz.h"

#include <sys/stat.h>
#include <unistd.h>

#include "fw_locale.h"
#include "folder.h"

static char dir[64];

static void remove_dir(void)
{
    remove_folder(dir);
}

void fuzz_setup(apr_pool_t *pool)
{
    const char *target = fuzz_file("", 0, pool);

    snprintf(dir, sizeof(dir), "/tmp/fuzz-catalogue-%d", (int)getpid());
    fuzz_want(mkdir(dir, 0700) == 0, dir);
    atexit(remove_dir);
    fuzz_want(symlink(target, apr_pstrcat(pool, dir, "/en.mo", NULL)) == 0 &&
                  symlink(target, apr_pstrcat(pool, dir, "/zh-Hant.mo", NULL)) == 0,
              "links");
}

void fuzz_one(const uint8_t *data, size_t n, apr_pool_t *pool)
{
    fw_locale *locale = NULL;
    json_t *args;

    fuzz_file(data, n, pool);
    if (fw_locale_load(&locale, dir, pool))
        return;
    args = json_pack("{s:s, s:i}", "name", "{name}", "n", 7);
    fw_locale_format(locale, "en", "greet", fw_of_json(args, pool), pool);
    fw_locale_format(locale, "zh-Hant", "a", fw_of_json(args, pool), pool);
    json_decref(args);
    fw_locale_pick(locale, apr_pstrmemdup(pool, (const char *)data, n));
}
