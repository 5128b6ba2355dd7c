/* A template and, behind a byte 0x1E, a partial "b". What compiles shows no value that is not escaped, and its page reads as the
 * strict HTML that it was compiled as. */
#include "fw_config.h"
#include "fuzz.h"

#include "fw_template_int.h"

#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"
#include "mo.h"

#define MARK "\x1F"
#define EVIL MARK "<" MARK "\"" MARK "'" MARK ">" MARK "&"

static const fw_locale *locale;
static json_t *models[2]; /* all sections show something, and none does */

void fuzz_setup(apr_pool_t *pool)
{
    static const char *const rows[][2] = {{"", MO_HEAD}, {"k", "{v} <{l.v}> {"}, {"e", ""}};
    const char *dir = apr_psprintf(pool, "/tmp/fuzz-template-%d", (int)getpid());
    mo_bytes mo;
    fw_locale *loaded = NULL;

    fuzz_want(mkdir(dir, 0700) == 0, dir);
    mo_make(&mo, rows, 3, false);
    fuzz_want(mo_put(&mo, apr_pstrcat(pool, dir, "/en.mo", NULL)) &&
                  mo_put(&mo, apr_pstrcat(pool, dir, "/zh-Hant.mo", NULL)),
              "catalogues");
    fuzz_want(!fw_locale_load(&loaded, dir, pool), "they load");
    locale = loaded;
    remove_folder(dir);
    models[0] =
        json_pack("{s:s, s:[{s:s, s:[i,s]}, s, i, b, n], s:{s:s, s:{s:s}}, s:b, s:b, s:i, s:s}",
                  "v", EVIL, "l", "v", EVIL, "l", 1, EVIL, EVIL, 7, 1, "p", "v", EVIL, "p", "v",
                  EVIL, "t", 1, "f", 0, "n", -5, "e", "");
    models[1] = json_object();
    fuzz_want(models[0] != NULL, "the model");
}

static void judge(const char *html, apr_size_t n)
{
    fw_html h = {.state = FW_HTML_TEXT};

    for (apr_size_t i = 0; i < n; i++) {
        const char *why = fw_html_feed(&h, html[i]);

        fuzz_want(!why, why);
        fuzz_want(html[i] != *MARK || !strchr("<\"'>", html[i + 1]) || !html[i + 1],
                  "every value is escaped");
    }
    fuzz_want(!fw_html_end(&h), "the page ends in text");
}

void fuzz_one(const uint8_t *data, size_t n, apr_pool_t *pool)
{
    char *text = apr_pstrmemdup(pool, (const char *)data, n), *partial = strchr(text, 0x1E);
    fw_source a = {"a", text, 0}, b = {"b", "", 0};
    apr_hash_t *sources = apr_hash_make(pool);
    fw_program program;
    const char *html = NULL;
    apr_size_t length = 0;

    if (n > 4096 || strlen(text) != n || strchr(text, *MARK))
        return;
    if (partial) {
        *partial++ = '\0';
        b.text = partial;
    }
    a.n = strlen(a.text);
    b.n = strlen(b.text);
    apr_hash_set(sources, "a", APR_HASH_KEY_STRING, &a);
    apr_hash_set(sources, "b", APR_HASH_KEY_STRING, &b);
    if (fw_template_compile(&program, &a, sources, locale, pool))
        return;
    for (int i = 0; i < 2; i++) {
        const fw_err *err = fw_program_render(&program, locale, fw_of_json(models[i], pool), "en",
                                              &html, &length, pool);

        fuzz_want(!err || err->code == FW_E_LIMIT, "it can be shown, or is too long");
        if (!err)
            judge(html, length);
    }
}
