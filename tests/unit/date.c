/* Days, instants in Taiwan, and what is taken for a date. The C library's own calendar is the judge. */
#include "fw_config.h"

#include <stdlib.h>
#include <time.h>

#include <check.h>

#include "fw_date.h"
#include "pool.h"

static fw_date day(const char *iso)
{
    fw_date date = {0, 0, 0};

    ck_assert_msg(fw_date_parse(iso, &date), "%s", iso);
    return date;
}

START_TEST(parse_takes_real_days_alone)
{
    static const char *const good[] = {"1900-01-01", "2200-12-31", "2024-02-29",
                                       "2000-02-29", "2026-11-24", "1970-01-01"};
    static const char *const bad[] = {
        "",           "2026-11-2",  "2026-11-244", "2026-1-24",   "26-11-24",       "2026/11/24",
        "2026-02-29", "1900-02-29", "2100-02-29",  "2026-13-01",  "2026-00-01",     "2026-01-00",
        "2026-04-31", "1899-12-31", "2201-01-01",  " 2026-11-24", "2026-11-24 ",    "2026-11-24T",
        "+026-11-24", "2026-11- 4", "2026-11-+4",  "0x26-11-24",  "２０２６-11-24", "2026",
        "2026-",      "2026-11",    "2026-11-"};

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        ck_assert_str_eq(fw_date_text(day(good[i]), pool), good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        fw_date date = {1, 2, 3};

        ck_assert_msg(!fw_date_parse(bad[i], &date), "%s", bad[i]);
        ck_assert(date.y == 1 && date.m == 2 && date.d == 3);
    }
    ck_assert(!fw_date_parse(NULL, &(fw_date){0, 0, 0}));
}
END_TEST

START_TEST(days_agree_with_the_library)
{
    long first = fw_date_days(day("1900-01-01")), last = fw_date_days(day("2200-12-31"));

    ck_assert_int_eq(first, -25567);
    ck_assert_int_eq(fw_date_days(day("1970-01-01")), 0);
    for (long n = first; n <= last; n++) {
        time_t t = (time_t)n * 86400;
        struct tm tm;
        fw_date date = fw_date_from_days(n);

        gmtime_r(&t, &tm);
        ck_assert_int_eq(date.y, tm.tm_year + 1900);
        ck_assert_int_eq(date.m, tm.tm_mon + 1);
        ck_assert_int_eq(date.d, tm.tm_mday);
        ck_assert_int_eq(fw_date_weekday(date), tm.tm_wday);
        ck_assert_int_eq(fw_date_days(date), n);
        ck_assert(fw_date_real(date));
    }
}
END_TEST

START_TEST(real_days)
{
    ck_assert(fw_date_real((fw_date){1, 1, 1}));
    ck_assert(fw_date_real((fw_date){9999, 12, 31}));
    ck_assert(!fw_date_real((fw_date){0, 1, 1}));
    ck_assert(!fw_date_real((fw_date){10000, 1, 1}));
    ck_assert(!fw_date_real((fw_date){2026, 0, 1}));
    ck_assert(!fw_date_real((fw_date){2026, 13, 1}));
    ck_assert(!fw_date_real((fw_date){2026, 6, 31}));
    ck_assert(!fw_date_real((fw_date){2026, 6, -1}));
}
END_TEST

START_TEST(order)
{
    ck_assert_int_lt(fw_date_compare(day("2025-12-31"), day("2026-01-01")), 0);
    ck_assert_int_lt(fw_date_compare(day("2026-01-31"), day("2026-02-01")), 0);
    ck_assert_int_lt(fw_date_compare(day("2026-02-01"), day("2026-02-02")), 0);
    ck_assert_int_gt(fw_date_compare(day("2026-02-02"), day("2025-12-31")), 0);
    ck_assert_int_eq(fw_date_compare(day("2026-02-02"), day("2026-02-02")), 0);
}
END_TEST

START_TEST(years_and_months_end_where_the_law_says)
{
    static const struct {
        const char *from;
        int years, months;
        const char *to;
    } rows[] = {
        {"2024-02-29", 1, 0, "2025-02-28"},   {"2024-02-29", 4, 0, "2028-02-29"},
        {"2024-02-29", -1, 0, "2023-02-28"},  {"2026-11-24", 3, 0, "2029-11-24"},
        {"2026-01-31", 0, 1, "2026-02-28"},   {"2024-01-31", 0, 1, "2024-02-29"},
        {"2026-11-30", 0, 3, "2027-02-28"},   {"2026-12-15", 0, 1, "2027-01-15"},
        {"2026-01-15", 0, -1, "2025-12-15"},  {"2026-03-31", 0, -1, "2026-02-28"},
        {"2026-03-31", 0, -25, "2024-02-29"}, {"2026-05-31", 0, 24, "2028-05-31"},
        {"2026-08-31", 0, 0, "2026-08-31"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fw_date date = fw_date_add_years(day(rows[i].from), rows[i].years);

        ck_assert_str_eq(fw_date_text(fw_date_add_months(date, rows[i].months), pool), rows[i].to);
    }
}
END_TEST

START_TEST(taiwan_is_eight_hours_ahead)
{
    apr_time_t t = apr_time_from_sec(1795530600) + 999999; /* 2026-11-24T14:30:00.999999Z */

    ck_assert_str_eq(fw_time_iso(t, pool), "2026-11-24T14:30:00Z");
    ck_assert_str_eq(fw_time_taipei(t, pool), "2026-11-24 22:30");
    ck_assert_str_eq(fw_date_text(fw_date_of(t), pool), "2026-11-24");
    t += apr_time_from_sec(5400); /* midnight in Taiwan */
    ck_assert_str_eq(fw_date_text(fw_date_of(t), pool), "2026-11-25");
    ck_assert_str_eq(fw_time_taipei(t, pool), "2026-11-25 00:00");
    ck_assert_str_eq(fw_date_text(fw_date_of(t - apr_time_from_sec(1)), pool), "2026-11-24");
    ck_assert_str_eq(fw_time_iso(0, pool), "1970-01-01T00:00:00Z");
    ck_assert_str_eq(fw_time_iso(-1, pool), "1969-12-31T23:59:59Z");
    ck_assert_str_eq(fw_date_text(fw_date_of(-apr_time_from_sec(8 * 3600)), pool), "1970-01-01");
    ck_assert_str_eq(fw_date_text(fw_date_of(-apr_time_from_sec(8 * 3600) - 1), pool),
                     "1969-12-31");
}
END_TEST

START_TEST(a_day_begins_and_ends)
{
    fw_date date = day("2026-11-24");

    ck_assert_str_eq(fw_time_iso(fw_date_start(date), pool), "2026-11-23T16:00:00Z");
    ck_assert_str_eq(fw_time_iso(fw_date_end(date), pool), "2026-11-24T15:59:59Z");
    ck_assert_int_eq(fw_date_end(date) + 1, fw_date_start(day("2026-11-25")));
    ck_assert_int_eq(fw_date_compare(fw_date_of(fw_date_start(date)), date), 0);
    ck_assert_int_eq(fw_date_compare(fw_date_of(fw_date_end(date)), date), 0);
    date = day("1900-01-01");
    ck_assert_int_eq(fw_date_compare(fw_date_of(fw_date_start(date)), date), 0);
    ck_assert_int_eq(fw_date_compare(fw_date_of(fw_date_end(date)), date), 0);
}
END_TEST

START_TEST(instants_are_read_as_they_are_written)
{
    static const char *const none[] = {"",
                                       "2026-11-24",
                                       "2026-11-24T14:30:00",
                                       "2026-11-24T14:30:00z",
                                       "2026-11-24t14:30:00Z",
                                       "2026-11-24 14:30:00Z",
                                       "2026-11-24T14:30:00ZZ",
                                       "2026-11-24T14:30:00+08",
                                       "2026-02-29T14:30:00Z",
                                       "2026-11-24T24:00:00Z",
                                       "2026-11-24T14:60:00Z",
                                       "2026-11-24T14:30:61Z",
                                       "2026-11-24T+4:30:00Z",
                                       "2026-11-24T 4:30:00Z",
                                       "1899-12-31T23:59:59Z"};

    ck_assert_int_eq(fw_time_parse("2026-11-24T14:30:00Z"), apr_time_from_sec(1795530600));
    ck_assert_int_eq(fw_time_parse("1970-01-01T00:00:01Z"), apr_time_from_sec(1));
    ck_assert_int_eq(fw_time_parse("2200-12-31T23:59:59Z"), fw_date_end(day("2200-12-31")) + 1 -
                                                                apr_time_from_sec(1) +
                                                                apr_time_from_sec(8L * 3600));
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        ck_assert_msg(fw_time_parse(none[i]) == 0, "%s", none[i]);
    ck_assert_int_eq(fw_time_parse(NULL), 0);
}
END_TEST

START_TEST(republican_years)
{
    ck_assert_int_eq(fw_date_roc_year(day("2026-11-24")), 115);
    ck_assert_int_eq(fw_date_roc_year(day("1912-01-01")), 1);
    ck_assert_int_eq(fw_date_roc_year(day("1911-12-31")), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("date");
    TCase *t = tcase_create("date");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, parse_takes_real_days_alone);
    tcase_add_test(t, days_agree_with_the_library);
    tcase_add_test(t, real_days);
    tcase_add_test(t, order);
    tcase_add_test(t, years_and_months_end_where_the_law_says);
    tcase_add_test(t, taiwan_is_eight_hours_ahead);
    tcase_add_test(t, a_day_begins_and_ends);
    tcase_add_test(t, instants_are_read_as_they_are_written);
    tcase_add_test(t, republican_years);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
