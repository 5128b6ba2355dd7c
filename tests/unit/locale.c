/* Message catalogues: the delivered ones, both byte orders, files with a fault, which language, which text. */
#include "fw_config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>

#include "fw_locale.h"
#include "folder.h"
#include "mo.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const zh_rows[][2] = {
    {"", MO_HEAD}, {"a", "甲"}, {"greet", "您好，{name}"}, {"only.zh", "只有中文"}};
static const char *const en_rows[][2] = {{"", MO_HEAD},
                                         {"a", "A"},
                                         {"braces", "{ {} {a {b.c} {N} {name}}{{name}"},
                                         {"greet", "Hello {name}, {n} cases"},
                                         {"only.en", "English alone"}};
static const char *const id_rows[][2] = {{"", MO_HEAD}, {"a", "Satu"}};

static apr_pool_t *pool;
static fw_locale *locale;
static char dir[64];
static mo_bytes mo;

static const char *path_of(const char *lang)
{
    return apr_pstrcat(pool, dir, "/", lang, ".mo", NULL);
}

static void put_small(void)
{
    mo_make(&mo, zh_rows, COUNT(zh_rows), false);
    ck_assert(mo_put(&mo, path_of("zh-Hant")));
    mo_make(&mo, en_rows, COUNT(en_rows), true);
    ck_assert(mo_put(&mo, path_of("en")));
}

static void setup(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    snprintf(dir, sizeof(dir), "/tmp/locale-test-%d", (int)getpid());
    ck_assert_int_eq(mkdir(dir, 0700), 0);
    put_small();
}

static void teardown(void)
{
    remove_folder(dir);
    apr_pool_destroy(pool);
    apr_terminate();
}

static void load(void)
{
    const fw_err *err = fw_locale_load(&locale, dir, pool);

    ck_assert_msg(!err, "%s", err ? fw_err_text(err, pool) : "");
}

static void refused(const char *file, const char *reason)
{
    const fw_err *err = fw_locale_load(&locale, dir, pool);

    ck_assert_msg(err != NULL, "taken: %s", reason);
    ck_assert_int_eq(err->code, FW_E_CONFIG);
    ck_assert_msg(strstr(err->msg, file) && strstr(err->msg, reason), "%s, not %s: %s", err->msg,
                  file, reason);
}

START_TEST(delivered)
{
    const char *b = getenv("B");
    int n;
    const fw_err *err =
        fw_locale_load(&locale, apr_pstrcat(pool, b ? b : "build", "/locale", NULL), pool);

    ck_assert_msg(!err, "%s", err ? fw_err_text(err, pool) : "");
    fw_locale_langs(locale, &n);
    ck_assert_int_ge(n, 2);
    ck_assert_str_eq(fw_locale_text(locale, "en", "body.malformed"),
                     "What was sent cannot be read. Nothing was changed; please go back and send "
                     "it again.");
    ck_assert_str_eq(fw_locale_text(locale, "zh-Hant", "body.malformed"),
                     "送出的內容無法讀取，資料未變更，請返回上一頁重新送出。");
}
END_TEST

START_TEST(texts_and_languages)
{
    int n;
    const char *const *langs;

    mo_make(&mo, id_rows, COUNT(id_rows), false);
    ck_assert(mo_put(&mo, path_of("id")));
    load();
    langs = fw_locale_langs(locale, &n);
    ck_assert_int_eq(n, 3);
    ck_assert_str_eq(langs[0], "en");
    ck_assert_str_eq(langs[1], "id");
    ck_assert_str_eq(langs[2], "zh-Hant");
    ck_assert_str_eq(fw_locale_text(locale, "zh-Hant", "a"), "甲");
    ck_assert_str_eq(fw_locale_text(locale, "en", "a"), "A");
    ck_assert_str_eq(fw_locale_text(locale, "id", "a"), "Satu");
    ck_assert_str_eq(fw_locale_text(locale, "zh-Hant", "only.en"), "English alone");
    ck_assert_str_eq(fw_locale_text(locale, "en", "only.zh"), "only.zh");
    ck_assert_str_eq(fw_locale_text(locale, "fr", "a"), "A");
    ck_assert_str_eq(fw_locale_text(locale, "en", "nowhere"), "nowhere");
    ck_assert_str_eq(fw_locale_text(locale, "en", ""), "");
    ck_assert(fw_locale_has(locale, "en") && fw_locale_has(locale, "zh-Hant"));
    ck_assert(!fw_locale_has(locale, "zh") && !fw_locale_has(locale, "") &&
              !fw_locale_has(locale, "en-GB"));
}
END_TEST

START_TEST(which_language)
{
    static const char *const rows[][2] = {
        {NULL, "zh-Hant"},
        {"", "zh-Hant"},
        {"en", "en"},
        {"EN", "en"},
        {"zh-Hant", "zh-Hant"},
        {"zh-hant", "zh-Hant"},
        {"zh", "zh-Hant"},
        {"zh-TW", "zh-Hant"},
        {"zh-HK", "zh-Hant"},
        {"zh-Hant-TW", "zh-Hant"},
        {"en-US", "en"},
        {"en-US-x-more", "en"},
        {"e", "zh-Hant"},
        {"eng", "zh-Hant"},
        {"fr", "zh-Hant"},
        {"*", "zh-Hant"},
        {"fr, en", "en"},
        {"fr;q=1, en;q=0.001", "en"},
        {"en-US,en;q=0.9,zh-TW;q=0.8", "en"},
        {"zh-TW,zh;q=0.9,en-US;q=0.8", "zh-Hant"},
        {"en;q=0.8, zh;q=0.81", "zh-Hant"},
        {"zh;q=0.8, en;q=0.801", "en"},
        {"zh;q=0.8, en;q=0.8", "zh-Hant"},
        {"en;q=0.8, zh;q=0.8", "en"},
        {"en;q=0", "zh-Hant"},
        {"en;q=0.0, fr", "zh-Hant"},
        {"zh;q=0.5, en ; q=0.6", "en"},
        {" ,, en ,", "en"},
        {"zh;q=0.1, en;q=x", "zh-Hant"},
        {"zh;q=0.1, en;x=1", "zh-Hant"},
        {"zh;q=0.1, en;q=", "zh-Hant"},
        {";;;,-,--,q=1", "zh-Hant"},
    };

    load();
    for (size_t i = 0; i < COUNT(rows); i++)
        ck_assert_msg(strcmp(fw_locale_pick(locale, rows[i][0]), rows[i][1]) == 0, "%s: %s",
                      rows[i][0], fw_locale_pick(locale, rows[i][0]));
}
END_TEST

START_TEST(names_are_filled_in)
{
    json_t *args =
        json_pack("{s:s, s:i, s:n, s:b, s:f}", "name", "A{n}B", "n", 7, "null", "b", 1, "f", 1.5);

    load();
    ck_assert_str_eq(fw_locale_format(locale, "en", "greet", fw_of_json(args, pool), pool),
                     "Hello A{n}B, 7 cases");
    ck_assert_str_eq(fw_locale_format(locale, "zh-Hant", "greet", fw_of_json(args, pool), pool),
                     "您好，A{n}B");
    ck_assert_str_eq(fw_locale_format(locale, "en", "greet", fw_kind(FW_ABSENT), pool),
                     "Hello {name}, {n} cases");
    ck_assert_str_eq(fw_locale_format(locale, "en", "braces", fw_of_json(args, pool), pool),
                     "{ {} {a {b.c} {N} A{n}B}{A{n}B");
    ck_assert_str_eq(
        fw_locale_format(locale, "en", "x {n} {f} {b} {null}", fw_of_json(args, pool), pool),
        "x 7 1.5 {b} {null}");
    json_object_set_new(args, "n", json_integer(INT64_MIN));
    ck_assert_str_eq(fw_locale_format(locale, "en", "{n}", fw_of_json(args, pool), pool),
                     "-9223372036854775808");
    json_decref(args);
}
END_TEST

START_TEST(files_with_a_fault)
{
    const char *const no_head[][2] = {{"a", "A"}};
    const char *const latin[][2] = {{"", "Content-Type: text/plain; charset=ISO-8859-1\n"}};
    const char *const bytes[][2] = {{"", MO_HEAD}, {"a", "\xFF"}};
    struct {
        size_t at;
        uint32_t word;
        const char *reason;
    } rows[] = {{0, 0x950412DF, "no message catalogue"}, {4, 0x20000, "no message catalogue"},
                {8, 0x7FFFFFFF, "tables lie outside"},   {8, 0xFFFFFFFF, "tables lie outside"},
                {12, 0xFFFFFFF0, "tables lie outside"},  {16, 0xFFFFFFF0, "tables lie outside"},
                {28, 0xFFFFFFFF, "text lies outside"},   {28, 1, "text lies outside"},
                {32, 0xFFFFFFFF, "text lies outside"}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        mo_make(&mo, en_rows, COUNT(en_rows), i % 2);
        mo_word(&mo, rows[i].at, rows[i].word, i % 2);
        ck_assert(mo_put(&mo, path_of("en")));
        refused("/en.mo", rows[i].reason);
    }
    mo_make(&mo, no_head, 1, false);
    ck_assert(mo_put(&mo, path_of("en")));
    refused("/en.mo", "charset=UTF-8");
    mo_make(&mo, latin, 1, false);
    ck_assert(mo_put(&mo, path_of("en")));
    refused("/en.mo", "charset=UTF-8");
    mo_make(&mo, bytes, 2, false);
    ck_assert(mo_put(&mo, path_of("en")));
    refused("/en.mo", "not UTF-8");
    mo_make(&mo, en_rows, COUNT(en_rows), false);
    mo.s[mo.n - 3] = '\0'; /* one translation, NUL, another: a plural */
    ck_assert(mo_put(&mo, path_of("en")));
    refused("/en.mo", "plural");
}
END_TEST

START_TEST(files_that_are_cut)
{
    mo_make(&mo, en_rows, COUNT(en_rows), false);
    for (size_t whole = mo.n; mo.n--;) {
        ck_assert(mo_put(&mo, path_of("en")));
        ck_assert_msg(fw_locale_load(&locale, dir, pool) != NULL, "%d of %d bytes", (int)mo.n,
                      (int)whole);
        if (mo.n == 0)
            break;
    }
}
END_TEST

START_TEST(files_that_are_missing)
{
    ck_assert_int_eq(unlink(path_of("en")), 0);
    refused("/en.mo", "is missing");
    put_small();
    ck_assert_int_eq(unlink(path_of("zh-Hant")), 0);
    refused("/zh-Hant.mo", "is missing");
    ck_assert_int_eq(fw_locale_load(&locale, "/tmp/no-such-folder", pool)->code, FW_E_CONFIG);
}
END_TEST

START_TEST(limits)
{
    mo_make(&mo, id_rows, COUNT(id_rows), false);
    for (int i = 2; i < FW_LOCALE_LANGS_MAX; i++)
        ck_assert(mo_put(&mo, path_of(apr_psprintf(pool, "x%d", i))));
    load();
    ck_assert(mo_put(&mo, path_of("one-more")));
    refused(dir, "one language too many");
    ck_assert_int_eq(unlink(path_of("one-more")), 0);
    ck_assert_int_eq(truncate(path_of("x2"), FW_LOCALE_BYTES_MAX), 0);
    load();
    ck_assert_int_eq(truncate(path_of("x2"), FW_LOCALE_BYTES_MAX + 1), 0);
    refused("x2.mo", "longer than");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("locale");
    TCase *t = tcase_create("locale");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, delivered);
    tcase_add_test(t, texts_and_languages);
    tcase_add_test(t, which_language);
    tcase_add_test(t, names_are_filled_in);
    tcase_add_test(t, files_with_a_fault);
    tcase_add_test(t, files_that_are_cut);
    tcase_add_test(t, files_that_are_missing);
    tcase_add_test(t, limits);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
