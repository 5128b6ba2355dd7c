/* Values of a pool: members in their order, what JSON spells otherwise, instants, and what comes from JSON. */
#include "fw_config.h"

#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "fw_template.h"
#include "pool.h"

static void is_json(fw_value v, const char *wanted)
{
    const char *json = NULL;
    apr_size_t n = 0;

    ck_assert_ptr_null(fw_value_json(v, &json, &n, pool));
    ck_assert_str_eq(json, wanted);
    ck_assert_uint_eq(strlen(json), n);
}

START_TEST(members_stay_in_order)
{
    fw_value o = fw_object(pool);

    fw_set(o, "b", fw_number(1));
    fw_set(o, "a", fw_text("x"));
    fw_set(o, "none", fw_kind(FW_ABSENT));
    fw_set(o, "b", fw_number(-2));
    is_json(o, "{\"b\":-2,\"a\":\"x\"}");
    fw_unset(o, "b");
    fw_unset(o, "never");
    is_json(o, "{\"a\":\"x\"}");
    ck_assert(!fw_is(fw_get(o, "b")) && !fw_is(fw_get(fw_null(), "a")));
}
END_TEST

/* The same length, and the same first, middle and last letter. */
START_TEST(names_of_one_tag_are_two)
{
    fw_value o = fw_pack(pool, "{s:i, s:i}", "abcXe", 1, "axcYe", 2);

    ck_assert_int_eq(fw_get(o, "abcXe").as.number, 1);
    ck_assert_int_eq(fw_get(o, "axcYe").as.number, 2);
}
END_TEST

START_TEST(many_of_each)
{
    fw_value list = fw_list(pool), one;
    int sum = 0;

    for (int i = 0; i < 100; i++)
        fw_add(list, fw_number(i));
    fw_each(list, i, one) sum += (int)one.as.number;
    ck_assert_int_eq(sum, 4950);
    ck_assert(!fw_is(fw_at(list, 100)) && !fw_is(fw_at(list, -1)) && fw_size(fw_null()) == 0);
}
END_TEST

START_TEST(what_json_spells_otherwise)
{
    is_json(fw_text("a\"\\\b\f\n\r\t\x01\x1f/<é王"),
            "\"a\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f/<é王\"");
    is_json(fw_text(NULL), "null");
    is_json(fw_pack(pool, "{s:b, s:b, s:n, s:I, s:{s:s, s:s?}, s:o}", "t", 2, "f", 0, "n", "i",
                    INT64_MIN, "in", "x", "y", "z", NULL, "o", fw_list(pool)),
            "{\"t\":true,\"f\":false,\"n\":null,\"i\":-9223372036854775808,"
            "\"in\":{\"x\":\"y\",\"z\":null},\"o\":[]}");
}
END_TEST

START_TEST(an_instant_is_an_object_of_two)
{
    fw_value t = fw_time(APR_INT64_C(1764115200000000));

    is_json(t, "{\"iso\":\"2025-11-26T00:00:00Z\",\"text\":\"2025-11-26 08:00\"}");
    ck_assert_str_eq(fw_chars(fw_time_part(t, "text", pool)), "2025-11-26 08:00");
    ck_assert(!fw_is(fw_time_part(t, "other", pool)));
    is_json(fw_time(0), "null");
}
END_TEST

START_TEST(from_json_and_back)
{
    const char *text = "{\"a\":[1,true,null,\"\\u0000\"],\"b\":{\"c\":0.5}}";
    json_t *o = json_loads(text, JSON_ALLOW_NUL, NULL);
    fw_value v = fw_of_json(o, pool);

    json_decref(o);
    is_json(v, text);
    ck_assert(!fw_is(fw_of_json(NULL, pool)));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("value");
    TCase *t = tcase_create("value");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, members_stay_in_order);
    tcase_add_test(t, names_of_one_tag_are_two);
    tcase_add_test(t, many_of_each);
    tcase_add_test(t, what_json_spells_otherwise);
    tcase_add_test(t, an_instant_is_an_object_of_two);
    tcase_add_test(t, from_json_and_back);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
