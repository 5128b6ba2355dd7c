/* An Accept-Language header: one of the languages that are there, whatever comes; the first of equals. */
#include "fw_config.h"
#include "fuzz.h"

#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"
#include "fw_locale.h"
#include "mo.h"

static fw_locale *locale;

void fuzz_setup(apr_pool_t *pool)
{
    static const char *const rows[][2] = {{"", MO_HEAD}};
    static const char *const langs[] = {"en", "zh-Hant", "vi", "id", "th"};
    const char *dir = apr_psprintf(pool, "/tmp/fuzz-language-%d", (int)getpid());
    mo_bytes mo;

    fuzz_want(mkdir(dir, 0700) == 0, dir);
    mo_make(&mo, rows, 1, false);
    for (size_t i = 0; i < sizeof(langs) / sizeof(langs[0]); i++)
        fuzz_want(mo_put(&mo, apr_pstrcat(pool, dir, "/", langs[i], ".mo", NULL)), "a catalogue");
    fuzz_want(!fw_locale_load(&locale, dir, pool), "they load");
    remove_folder(dir);
}

void fuzz_one(const uint8_t *data, size_t n, apr_pool_t *pool)
{
    const char *asked = apr_pstrmemdup(pool, (const char *)data, n);
    const char *lang = fw_locale_pick(locale, asked);

    fuzz_want(fw_locale_has(locale, lang), "a language that is there");
    fuzz_want(fw_locale_pick(locale, apr_pstrcat(pool, asked, ",", asked, NULL)) == lang,
              "said twice it means the same");
    fuzz_want(fw_locale_pick(locale, apr_pstrcat(pool, "xx, \t", asked, ",en;q=0", NULL)) == lang,
              "what is not there, or not wanted, changes nothing");
    fuzz_want(strcmp(fw_locale_pick(locale, apr_pstrcat(pool, "th,", asked, NULL)), "th") == 0,
              "nothing is wanted more than what is wanted most");
}
