/* Bodies and queries of forms: what decodes, what does not, the limit, and encoding. */
#include "fw_config.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <check.h>

#include "fw_urlencoded.h"
#include "pool.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The pairs as "name=value;" or the error as "!key field". The text has no NUL behind it. */
static const char *outcome(const char *text, apr_size_t n, int most)
{
    apr_array_header_t *pairs = NULL;
    const char *all = "";
    char *copy = malloc(n + !n);
    const fw_err *err;

    memcpy(copy, text, n);
    err = fw_urlencoded_parse(&pairs, copy, n, most, pool);
    free(copy);
    if (err)
        return apr_psprintf(pool, "!%d %s %s", (int)err->code, err->user_key,
                            err->field ? err->field : "-");
    for (int i = 0; i < pairs->nelts; i++) {
        fw_pair p = APR_ARRAY_IDX(pairs, i, fw_pair);

        all = apr_pstrcat(pool, all, p.name, "=", p.value, ";", NULL);
    }
    return all;
}

START_TEST(what_decodes)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"a=1", "a=1;"},
        {"a=1&b=2&a=3", "a=1;b=2;a=3;"},
        {"a", "a=;"},
        {"a=", "a=;"},
        {"=1", "=1;"},
        {"&&a=1&", "a=1;"},
        {"a=b=c", "a=b=c;"},
        {"a+b=c+d%2B", "a b=c d+;"},
        {"%61%3d=%26%3D", "a==&=;"},
        {"n=%E7%8E%8B%20%F0%9F%98%80", "n=王 😀;"},
        {"n=王", "n=王;"},
        {"a=1%0D%0A2%0D3%0A%0A4%0D%0D%0A", "a=1\n2\n3\n\n4\n\n;"},
        {"a;b=1;c=2", "a;b=1;c=2;"},
        {"a=%2525", "a=%25;"},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        ck_assert_str_eq(outcome(rows[i][0], strlen(rows[i][0]), 10), rows[i][1]);
}
END_TEST

START_TEST(what_does_not)
{
    static const char *const rows[][2] = {
        {"a=%", "a"},          {"a=%4", "a"},           {"a=%4&b=1", "a"},       {"a=%G1", "a"},
        {"a=%1G", "a"},        {"a=%%41", "a"},         {"a=%-1", "a"},          {"%=1", "-"},
        {"a=%00", "a"},        {"%00=a", "-"},          {"a=%FF", "a"},          {"a=%C0%AF", "a"},
        {"a=%E7%8E", "a"},     {"a=%ED%A0%80", "a"},    {"a=\xE7", "a"},         {"\xFF=1", "-"},
        {"b=1&a=%u0041", "a"}, {"a=%F5%80%80%80", "a"}, {"a=%E7&b=%8E%8B", "a"},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        ck_assert_str_eq(outcome(rows[i][0], strlen(rows[i][0]), 10),
                         apr_psprintf(pool, "!%d body.malformed %s", FW_E_INPUT, rows[i][1]));
    ck_assert_str_eq(outcome("a=1\0", 4, 10),
                     apr_psprintf(pool, "!%d body.malformed a", FW_E_INPUT));
}
END_TEST

START_TEST(limit_of_fields)
{
    const char *too_many = apr_psprintf(pool, "!%d body.too_many_fields -", FW_E_LIMIT);
    char *text = apr_palloc(pool, 2 * (FW_PAIRS_MAX + 1));

    ck_assert_str_eq(outcome("a&b", 3, 2), "a=;b=;");
    ck_assert_str_eq(outcome("a&b&", 4, 2), "a=;b=;");
    ck_assert_str_eq(outcome("a&b&c", 5, 2), too_many);
    ck_assert_str_eq(outcome("", 0, 0), "");
    ck_assert_str_eq(outcome("a", 1, 0), too_many);
    for (int i = 0; i < 2 * (FW_PAIRS_MAX + 1); i++)
        text[i] = i % 2 ? '&' : 'a';
    ck_assert_uint_eq(strlen(outcome(text, 2 * FW_PAIRS_MAX, FW_PAIRS_MAX)), 3 * FW_PAIRS_MAX);
    ck_assert_str_eq(outcome(text, 2 * (FW_PAIRS_MAX + 1), FW_PAIRS_MAX), too_many);
}
END_TEST

START_TEST(encoding)
{
    char all[256];
    const char *coded;

    ck_assert_str_eq(fw_urlencode("", pool), "");
    ck_assert_str_eq(fw_urlencode("aZ09-._~", pool), "aZ09-._~");
    ck_assert_str_eq(fw_urlencode("a b+c&d=e/%王", pool), "a%20b%2Bc%26d%3De%2F%25%E7%8E%8B");
    for (int i = 1; i < 128; i++)
        all[i - 1] = (char)i;
    all[127] = '\0';
    coded = apr_pstrcat(pool, "a=", fw_urlencode(all, pool), NULL);
    for (int i = 1; i < 128; i++)
        all[i - 1] = (char)(i == '\r' ? '\n' : i);
    ck_assert_str_eq(outcome(coded, strlen(coded), 1), apr_pstrcat(pool, "a=", all, ";", NULL));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("urlencoded");
    TCase *t = tcase_create("urlencoded");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, what_decodes);
    tcase_add_test(t, what_does_not);
    tcase_add_test(t, limit_of_fields);
    tcase_add_test(t, encoding);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
