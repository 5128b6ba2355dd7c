/* The directives: each has a default or must be given, is taken, merged, told to the workers and read from a file. The
 * tests go over the table, so a new directive is tested by being there. */
#include "fw_config.h"

#include <stdlib.h>
#include <string.h>

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>

#include "fw_settings.h"

static apr_pool_t *pool;
static const fw_directive *table;
static int rows;

static void setup(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    table = fw_directives(&rows);
}

static void teardown(void)
{
    apr_pool_destroy(pool);
    apr_terminate();
}

static bool is_number(const fw_directive *d)
{
    return d->type == FW_SET_INT || d->type == FW_SET_FLAG;
}

static int number_of(const fw_settings *s, const fw_directive *d)
{
    return *(const int *)(const void *)((const char *)s + d->offset);
}

static const char *text_of(const fw_settings *s, const fw_directive *d)
{
    return *(const char *const *)(const void *)((const char *)s + d->offset);
}

/* A value that is not the default. */
static const char *other_value(const fw_directive *d)
{
    switch (d->type) {
    case FW_SET_FLAG:
        return strcmp(d->otherwise, "On") == 0 ? "Off" : "On";
    case FW_SET_INT:
        return apr_itoa(pool, d->max);
    case FW_SET_PATH:
        return apr_psprintf(pool, "/elsewhere/%s", d->name);
    case FW_SET_TEXT:
        break;
    }
    return apr_psprintf(pool, "other %s", d->name);
}

static void take(fw_settings *s, const fw_directive *d, const char *value)
{
    const char *why = fw_settings_take(s, d, value, pool);

    ck_assert_msg(!why, "%s %s: %s", d->name, value, why ? why : "");
}

static void has(const fw_settings *s, const fw_directive *d, const char *value)
{
    if (d->type == FW_SET_FLAG)
        ck_assert_msg(number_of(s, d) == (strcasecmp(value, "on") == 0), "%s", d->name);
    else if (d->type == FW_SET_INT)
        ck_assert_msg(number_of(s, d) == atoi(value), "%s: %d", d->name, number_of(s, d));
    else
        ck_assert_msg(strcmp(text_of(s, d), value) == 0, "%s: %s", d->name, text_of(s, d));
}

START_TEST(each_has_its_default)
{
    fw_settings *s = fw_settings_make(pool);

    ck_assert_int_eq(rows, FW_SETTINGS);
    for (int i = 0; i < rows; i++) {
        ck_assert(strncmp(table[i].name, "FwPermit", 8) == 0 && *table[i].help);
        for (int k = 0; k < i; k++)
            ck_assert_str_ne(table[i].name, table[k].name);
        if (table[i].otherwise)
            has(s, &table[i], table[i].otherwise);
        else
            ck_assert(is_number(&table[i]) || !text_of(s, &table[i]));
    }
}
END_TEST

START_TEST(each_is_merged)
{
    for (int i = 0; i < rows; i++) {
        const fw_directive *d = &table[i];
        fw_settings *base = fw_settings_make(pool), *over = fw_settings_make(pool), *both;

        take(base, d, other_value(d));
        both = fw_settings_merge(base, over, pool);
        has(both, d, other_value(d));
        /* and counts as given from then on */
        has(fw_settings_merge(fw_settings_make(pool), both, pool), d, other_value(d));
        /* what is given last counts, also where it is the default again */
        take(over, d, d->otherwise ? d->otherwise : "/x");
        both = fw_settings_merge(base, over, pool);
        has(both, d, d->otherwise ? d->otherwise : "/x");
        has(fw_settings_merge(both, fw_settings_make(pool), pool), d,
            d->otherwise ? d->otherwise : "/x");
        for (int k = 0; k < rows; k++) {
            if (k != i && table[k].otherwise)
                has(both, &table[k], table[k].otherwise);
        }
    }
}
END_TEST

START_TEST(each_reaches_the_workers)
{
    fw_settings *s = fw_settings_make(pool), *back;
    json_t *o;

    for (int i = 0; i < rows; i++)
        take(s, &table[i], other_value(&table[i]));
    ck_assert_ptr_null(fw_settings_plugin(s, "one", "notify", "/p/one.so", pool));
    ck_assert_ptr_null(fw_settings_plugin_option(s, false, "one", "url", "smtp://x", pool));
    ck_assert_ptr_null(fw_settings_plugin_option(s, true, "one", "password", "/s/one", pool));
    o = fw_settings_json(s);
    back = fw_settings_from_json(o, pool);
    json_decref(o);
    for (int i = 0; i < rows; i++)
        has(back, &table[i], other_value(&table[i]));
    ck_assert_int_eq(back->plugins->nelts, 1);
    ck_assert_str_eq(json_string_value(json_object_get(
                         APR_ARRAY_IDX(back->plugins, 0, fw_plugin_conf).secrets, "password")),
                     "/s/one");
}
END_TEST

START_TEST(bounds)
{
    fw_settings *s = fw_settings_make(pool);

    for (int i = 0; i < rows; i++) {
        const fw_directive *d = &table[i];
        static const char *const no_numbers[] = {"", "x", "1x", "-1", "+1", "1.5", "99999999999"};

        if (d->type == FW_SET_PATH)
            ck_assert_ptr_nonnull(fw_settings_take(s, d, "relative", pool));
        if (!is_number(d)) {
            ck_assert_ptr_nonnull(fw_settings_take(s, d, "", pool));
            continue;
        }
        for (size_t k = 0; k < sizeof(no_numbers) / sizeof(no_numbers[0]); k++)
            ck_assert_ptr_nonnull(fw_settings_take(s, d, no_numbers[k], pool));
        if (d->type == FW_SET_FLAG)
            continue;
        take(s, d, apr_itoa(pool, d->min));
        take(s, d, apr_itoa(pool, d->max));
        ck_assert_ptr_nonnull(fw_settings_take(s, d, apr_itoa(pool, d->max + 1), pool));
        if (d->min > 0)
            ck_assert_ptr_nonnull(fw_settings_take(s, d, apr_itoa(pool, d->min - 1), pool));
        has(s, d, apr_itoa(pool, d->max));
    }
}
END_TEST

START_TEST(plugins)
{
    fw_settings *base = fw_settings_make(pool), *over = fw_settings_make(pool);

    ck_assert_ptr_nonnull(fw_settings_plugin(base, "Big", "notify", "/x", pool));
    ck_assert_ptr_nonnull(fw_settings_plugin(base, "", "notify", "/x", pool));
    ck_assert_ptr_nonnull(fw_settings_plugin(base, "a", "notify", "x", pool));
    ck_assert_ptr_null(fw_settings_plugin(base, "a", "notify", "/x", pool));
    ck_assert_ptr_nonnull(fw_settings_plugin(base, "a", "notify", "/y", pool));
    ck_assert_ptr_nonnull(fw_settings_plugin_option(base, false, "b", "k", "v", pool));
    ck_assert_ptr_nonnull(fw_settings_plugin_option(base, true, "a", "k", "relative", pool));
    ck_assert_ptr_null(fw_settings_plugin_option(base, false, "a", "k", "v", pool));
    ck_assert_ptr_nonnull(fw_settings_plugin_option(base, true, "a", "k", "/v", pool));
    ck_assert_int_eq(fw_settings_merge(base, over, pool)->plugins->nelts, 1);
    ck_assert_ptr_null(fw_settings_plugin(over, "b", "payment", "/x", pool));
    ck_assert_str_eq(
        APR_ARRAY_IDX(fw_settings_merge(base, over, pool)->plugins, 0, fw_plugin_conf).name, "b");
}
END_TEST

static const char *check(const char *url, const char *secure)
{
    fw_settings *s = fw_settings_make(pool);

    if (url)
        take(s, &table[FW_AT_base_url], url);
    take(s, &table[FW_AT_cookie_secure], secure);
    return fw_settings_check(s, pool);
}

START_TEST(what_goes_together)
{
    ck_assert_ptr_null(check("https://a.example", "On"));
    ck_assert_ptr_null(check("http://a.example", "Off"));
    ck_assert_ptr_nonnull(strstr(check(NULL, "Off"), "FwPermitBaseURL is missing"));
    ck_assert_ptr_nonnull(check("http://a.example", "On"));
    ck_assert_ptr_nonnull(check("https://a.example/", "On"));
    ck_assert_ptr_nonnull(check("ftp://a.example", "Off"));
}
END_TEST

/* ---- files ---- */

static const char *write_file(const char *text)
{
    const char *folder = NULL;
    apr_file_t *f;
    apr_size_t n = strlen(text);
    char *path;

    ck_assert_int_eq(apr_temp_dir_get(&folder, pool), 0);
    path = apr_pstrcat(pool, folder, "/settings-XXXXXX", NULL);
    ck_assert_int_eq(apr_file_mktemp(&f, path, APR_FOPEN_WRITE | APR_FOPEN_CREATE, pool), 0);
    ck_assert_int_eq(apr_file_write_full(f, text, n, NULL), 0);
    apr_file_close(f);
    return path;
}

static const fw_err *read_text(const char *text, fw_settings **out)
{
    const char *path = write_file(text);
    const fw_err *err = fw_settings_read(out, path, pool);

    apr_file_remove(path, pool);
    return err;
}

START_TEST(a_file_is_read_as_httpd_reads_it)
{
    fw_settings *s = NULL;
    const fw_err *err = read_text("# FwPermitDemo On\nServerName x\n<IfModule fwpermit_module>\n"
                                  "\tfwpermitbaseurl  \"https://a.example\"\n"
                                  "FwPermitAgencyEn \"An \\\"agency\\\" here\"\n"
                                  "FwPermitDatabaseMax 3   \n"
                                  "FwPermitPlugin mail notify /p/m.so\n"
                                  "FwPermitPluginOption mail from_name \"A B\"\n</IfModule>\n",
                                  &s);

    ck_assert_ptr_null(err);
    ck_assert_str_eq(s->base_url, "https://a.example");
    ck_assert_str_eq(s->agency_en, "An \"agency\" here");
    ck_assert_int_eq(s->db_max, 3);
    ck_assert_int_eq(s->demo, 0);
    ck_assert_str_eq(
        json_string_value(json_object_get(
            APR_ARRAY_IDX(s->plugins, 0, fw_plugin_conf).options, "from_name")),
        "A B");
}
END_TEST

START_TEST(a_file_that_is_wrong_is_told_by_line)
{
    static const char *const bad[] = {
        "FwPermitNonsense On\n", "FwPermitDemo\n", "FwPermitDemo On Off\n", "FwPermitDemo \"On\n",
        "FwPermitDemo maybe\n",  "FwPermitPlugin a b\n", "FwPermitPluginOption none k v\n"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        fw_settings *s = NULL;
        const fw_err *err =
            read_text(apr_pstrcat(pool, "FwPermitBaseURL https://a.example\n\n", bad[i], NULL), &s);

        ck_assert_msg(err && err->code == FW_E_CONFIG, "%s", bad[i]);
        ck_assert_msg(strstr(err->msg, ":3: FwPermit"), "%s", err->msg);
    }
}
END_TEST

START_TEST(the_database_in_a_file_of_its_own)
{
    fw_settings *s = fw_settings_make(pool);
    const char *params = NULL, *path = write_file("# words\n\n  host=a  \ndbname=b password='c d'");

    take(s, &table[FW_AT_db_params], "host=plain");
    ck_assert_ptr_null(fw_settings_database(s, &params, pool));
    ck_assert_str_eq(params, "host=plain");
    take(s, &table[FW_AT_db_params], apr_pstrcat(pool, "file:", path, NULL));
    ck_assert_ptr_null(fw_settings_database(s, &params, pool));
    ck_assert_str_eq(params, "host=a dbname=b password='c d'");
    apr_file_remove(path, pool);
    ck_assert_int_eq(fw_settings_database(s, &params, pool)->code, FW_E_CONFIG);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("settings");
    TCase *t = tcase_create("settings");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, each_has_its_default);
    tcase_add_test(t, each_is_merged);
    tcase_add_test(t, each_reaches_the_workers);
    tcase_add_test(t, bounds);
    tcase_add_test(t, plugins);
    tcase_add_test(t, what_goes_together);
    tcase_add_test(t, a_file_is_read_as_httpd_reads_it);
    tcase_add_test(t, a_file_that_is_wrong_is_told_by_line);
    tcase_add_test(t, the_database_in_a_file_of_its_own);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
