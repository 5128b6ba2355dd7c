/* The office calendar: the files that are delivered, files of other years and codes, files with a fault. */
#include "fw_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>

#include "fw_calendar.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define HEADER   "西元日期,星期,是否放假,備註\n"
#define BIG5                                                                              \
    "\xA6\xE8\xA4\xB8\xA4\xE9\xB4\xC1,\xAC\x50\xB4\xC1,\xAC\x4F\xA7\x5F\xA9\xF1\xB0\xB2," \
    "\xB3\xC6\xB5\xF9\n"

static apr_pool_t *pool;
static fw_calendar *cal;
static char dir[64];

static void setup(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    cal = NULL;
    snprintf(dir, sizeof(dir), "/tmp/calendar-test-%d", (int)getpid());
    ck_assert_int_eq(mkdir(dir, 0700), 0);
}

static void teardown(void)
{
    for (int y = 1800; y <= 2300; y++)
        unlink(apr_psprintf(pool, "%s/%04d.csv", dir, y));
    unlink(apr_pstrcat(pool, dir, "/notes.txt", NULL));
    rmdir(dir);
    apr_pool_destroy(pool);
    apr_terminate();
}

static fw_date day(const char *iso)
{
    fw_date date = {0, 0, 0};

    ck_assert_msg(fw_date_parse(iso, &date), "%s", iso);
    return date;
}

static const char *text(fw_date date)
{
    return fw_date_text(date, pool);
}

static void delivered(void)
{
    const fw_err *err = fw_calendar_load(&cal, "conf/calendar", pool);

    ck_assert_msg(!err, "%s", err ? fw_err_text(err, pool) : "");
}

static void put(const char *name, const char *content)
{
    FILE *f = fopen(apr_pstrcat(pool, dir, "/", name, NULL), "wb");

    ck_assert_ptr_nonnull(f);
    fputs(content, f);
    fclose(f);
}

/* The rows of a year in which weekends alone are off; `end` ends each line. */
static char *rows_of(int y, const char *end)
{
    static const char *const weekdays[] = {"日", "一", "二", "三", "四", "五", "六"};
    apr_array_header_t *rows = apr_array_make(pool, 400, sizeof(char *));

    for (fw_date d = {y, 1, 1}; d.y == y; d = fw_date_from_days(fw_date_days(d) + 1)) {
        int w = fw_date_weekday(d);

        APR_ARRAY_PUSH(rows, char *) = apr_psprintf(pool, "%04d%02d%02d,%s,%d,%s", d.y, d.m, d.d,
                                                    weekdays[w], w == 0 || w == 6 ? 2 : 0, end);
    }
    return apr_array_pstrcat(pool, rows, 0);
}

/* The text with the first `from` in it made `to`. */
static const char *with(const char *all, const char *from, const char *to)
{
    const char *at = strstr(all, from);

    ck_assert_msg(at != NULL, "%s", from);
    return apr_pstrcat(pool, apr_pstrndup(pool, all, (apr_size_t)(at - all)), to, at + strlen(from),
                       NULL);
}

static int days_off(int y)
{
    int n = 0;

    for (fw_date d = {y, 1, 1}; d.y == y; d = fw_date_from_days(fw_date_days(d) + 1))
        n += !fw_calendar_works(cal, d);
    return n;
}

START_TEST(published_years)
{
    static const struct {
        int year, off;
    } years[] = {{2024, 115}, {2025, 118}, {2026, 120}, {2027, 121}};

    delivered();
    for (size_t i = 0; i < COUNT(years); i++) {
        ck_assert(fw_calendar_knows(cal, years[i].year));
        ck_assert_int_eq(days_off(years[i].year), years[i].off);
    }
    ck_assert(!fw_calendar_knows(cal, 2023));
    ck_assert(!fw_calendar_knows(cal, 2028));
    ck_assert(!fw_calendar_knows(cal, -5));
    ck_assert(!fw_calendar_knows(cal, 9999));
}
END_TEST

START_TEST(published_days)
{
    static const struct {
        const char *day;
        bool works;
        const char *remark;
    } rows[] = {
        {"2024-02-17", true, "補行上班"}, /* Saturdays that make up for a bridge day */
        {"2025-02-08", true, "補行上班"},
        {"2024-02-16", true, ""},
        {"2024-02-14", false, "補假"},
        {"2024-02-29", true, ""},
        {"2024-04-04", false, "兒童節及民族掃墓節"},
        {"2024-05-01", true, ""},
        {"2024-12-31", true, ""},
        {"2025-01-27", false, "小年夜"},
        {"2025-05-01", true, ""},      /* before the law of 2025-05-28 */
        {"2025-09-29", false, "補假"}, /* days of the calendar as issued again */
        {"2025-10-24", false, "補假"},
        {"2025-12-25", false, "行憲紀念日"},
        {"2026-02-20", false, "補假"},
        {"2026-05-01", false, "勞動節"},
        {"2026-09-28", false, "孔子誕辰紀念日/教師節"},
        {"2026-10-09", false, "補假"},
        {"2026-10-26", false, "補假"},
        {"2026-11-24", true, ""},
        {"2026-11-28", false, ""},
        {"2027-12-31", false, "補假"},
    };

    delivered();
    for (size_t i = 0; i < COUNT(rows); i++) {
        ck_assert_msg(fw_calendar_works(cal, day(rows[i].day)) == rows[i].works, "%s", rows[i].day);
        ck_assert_str_eq(fw_calendar_remark(cal, day(rows[i].day)), rows[i].remark);
    }
}
END_TEST

START_TEST(since_2026_no_weekend_works)
{
    delivered();
    for (fw_date d = {2026, 1, 1}; d.y < 2028; d = fw_date_from_days(fw_date_days(d) + 1))
        if (fw_date_weekday(d) == 0 || fw_date_weekday(d) == 6)
            ck_assert_msg(!fw_calendar_works(cal, d), "%s", text(d));
}
END_TEST

START_TEST(beyond_the_files_weekdays_work)
{
    delivered();
    ck_assert(fw_calendar_works(cal, day("2028-01-03")));
    ck_assert(!fw_calendar_works(cal, day("2028-01-01")));
    ck_assert(!fw_calendar_works(cal, day("2028-01-02")));
    ck_assert(fw_calendar_works(cal, day("2023-10-10")));
    ck_assert(fw_calendar_works(cal, (fw_date){2201, 1, 1}));
    ck_assert_str_eq(fw_calendar_remark(cal, day("2028-01-01")), "");
}
END_TEST

START_TEST(periods)
{
    static const struct {
        const char *from;
        int n;
        const char *working, *legal;
    } rows[] = {
        {"2026-11-24", 1, "2026-11-25", "2026-11-25"},
        {"2026-11-24", 4, "2026-11-30", "2026-11-30"}, /* the 28th is a Saturday */
        {"2026-11-24", 0, "2026-11-24", "2026-11-24"},
        {"2026-02-13", 1, "2026-02-23", "2026-02-23"},  /* over the New Year */
        {"2026-02-13", 10, "2026-03-09", "2026-02-23"}, /* 02-27 is off as well */
        {"2024-02-16", 1, "2024-02-17", "2024-02-17"},  /* to a Saturday that works */
        {"2024-02-16", 2, "2024-02-19", "2024-02-19"},
        {"2026-09-24", 1, "2026-09-29", "2026-09-29"},
        {"2026-12-31", 1, "2027-01-04", "2027-01-04"},
        {"2027-12-30", 1, "2028-01-03", "2028-01-03"}, /* out of the files */
        {"2026-11-24", 15, "2026-12-15", "2026-12-09"},
        {"2026-11-24", 30, "2027-01-07", "2026-12-24"},
        {"2026-11-25", 30, "2027-01-08", "2026-12-28"}, /* the 25th is off, then a weekend */
        {"2026-11-28", 1, "2026-11-30", "2026-11-30"},
    };

    delivered();
    for (size_t i = 0; i < COUNT(rows); i++) {
        ck_assert_str_eq(text(fw_calendar_add_working_days(cal, day(rows[i].from), rows[i].n)),
                         rows[i].working);
        ck_assert_str_eq(text(fw_calendar_legal_last_day(cal, day(rows[i].from), rows[i].n)),
                         rows[i].legal);
    }
    ck_assert_str_eq(text(fw_calendar_add_working_days(cal, day("2026-11-28"), 0)), "2026-11-28");
    ck_assert_str_eq(text(fw_calendar_add_working_days(cal, day("2026-11-28"), -3)), "2026-11-28");
    ck_assert_str_eq(text(fw_calendar_legal_last_day(cal, day("2026-11-28"), 0)), "2026-11-30");
}
END_TEST

START_TEST(counting_undoes_adding)
{
    delivered();
    for (fw_date from = {2023, 12, 20}; from.y < 2028;
         from = fw_date_from_days(fw_date_days(from) + 3))
        for (int n = 1; n < 40; n += 6) {
            fw_date to = fw_calendar_add_working_days(cal, from, n);

            ck_assert_int_eq(fw_calendar_working_days_between(cal, from, to), n);
            ck_assert_int_eq(fw_calendar_working_days_between(cal, to, from), -n);
        }
    ck_assert_int_eq(fw_calendar_working_days_between(cal, day("2026-11-24"), day("2026-11-24")),
                     0);
    ck_assert_int_eq(fw_calendar_working_days_between(cal, day("2026-11-27"), day("2026-11-29")),
                     0);
}
END_TEST

START_TEST(years_before)
{
    /* 2017 and 2021 as published had Saturdays that work; the flag counts, not the remark */
    static const char *const works[] = {"2017-02-18", "2017-06-03", "2017-09-30", "2021-02-20",
                                        "2021-09-11"};
    const char *rows[2] = {rows_of(2017, "\r\n"), rows_of(2021, "\r\n")};

    for (size_t i = 0; i < COUNT(works); i++) {
        fw_date d = day(works[i]);
        const char *was = apr_psprintf(pool, "%04d%02d%02d,六,2,", d.y, d.m, d.d);
        const char *is =
            apr_psprintf(pool, "%04d%02d%02d,六,0,%s", d.y, d.m, d.d, i % 2 ? "調整上班" : "");

        rows[d.y == 2021] = with(rows[d.y == 2021], was, is);
    }
    put("2017.csv", apr_pstrcat(pool, HEADER, rows[0], NULL));
    put("2021.csv", apr_pstrcat(pool, "\xEF\xBB\xBF" HEADER, rows[1], NULL));
    ck_assert_ptr_null(fw_calendar_load(&cal, dir, pool));
    for (size_t i = 0; i < COUNT(works); i++)
        ck_assert_msg(fw_calendar_works(cal, day(works[i])), "%s", works[i]);
    ck_assert(!fw_calendar_works(cal, day("2021-02-13")));
}
END_TEST

START_TEST(forms_of_a_file)
{
    char *rows = rows_of(2022, "\n");
    const char *big5 = BIG5, *quoted = "\"西元日期\",\"星期\",\"是否放假\",\"備註\"\r\n";

    put("2022.csv", apr_pstrcat(pool, HEADER, rows, NULL));
    ck_assert_ptr_null(fw_calendar_load(&cal, dir, pool));
    put("2022.csv",
        apr_pstrcat(pool, quoted,
                    with(rows, "20220103,一,0,", "20220103,\"一\",\"0\",\"a, \"\"b\"\"\""), "\n\n",
                    NULL));
    ck_assert_ptr_null(fw_calendar_load(&cal, dir, pool));
    ck_assert_str_eq(fw_calendar_remark(cal, day("2022-01-03")), "a, \"b\"");
    put("2022.csv", apr_pstrcat(pool, "西元日期,星期,是否放假,備註,,\n", rows, NULL));
    ck_assert_ptr_null(fw_calendar_load(&cal, dir, pool));
    rows[strlen(rows) - 1] = '\0'; /* the last line without an end */
    put("2022.csv", apr_pstrcat(pool, HEADER, rows, NULL));
    put("notes.txt", "nothing");
    ck_assert_ptr_null(fw_calendar_load(&cal, dir, pool));
    put("2022.csv", apr_pstrcat(pool, big5, "20220101,\xA4\xBB,2,\n", NULL));
    ck_assert_ptr_nonnull(strstr(fw_calendar_load(&cal, dir, pool)->msg, "2022.csv:3: ends"));
}
END_TEST

START_TEST(faults_name_file_line_and_reason)
{
    const char *whole = apr_pstrcat(pool, HEADER, rows_of(2022, "\n"), NULL);
    const struct {
        const char *content, *where, *reason;
    } rows[] = {
        {"", "2022.csv:1:", "ends before the year"},
        {HEADER, "2022.csv:2:", "ends before the year"},
        {with(whole, "備註", "說明"), "2022.csv:1:", "說明"},
        {with(whole, "西元日期,", ""), "2022.csv:1:", "four columns"},
        {with(whole, "20220101", "20230101"), "2022.csv:2:", "expected the row of 20220101"},
        {with(whole, "20220105,三,0,\n", ""), "2022.csv:6:", "expected the row of 20220105"},
        {with(whole, "20220105", "2022-01-05"), "2022.csv:6:", "2022-01-05"},
        {with(whole, "20220105,三", "20220105,四"), "2022.csv:6:", "weekday"},
        {with(whole, "20220105,三,0", "20220105,三,1"), "2022.csv:6:", "0 or 2, not 1"},
        {with(whole, "20220105,三,0", "20220105,三,"), "2022.csv:6:", "0 or 2"},
        {with(whole, "20220105,三,0,", "20220105,三,0"), "2022.csv:6:", "four columns"},
        {with(whole, "20220105,三,0,", "20220105,三,0,a,b"), "2022.csv:6:", "four columns"},
        {with(whole, "20221231,六,2,\n", ""), "2022.csv:366:", "ends before the year"},
        {apr_pstrcat(pool, whole, "20230101,日,2,\n", NULL), "2022.csv:367:", "after the last day"},
        {with(whole, "20220105,三", "20220105,\xFF\xFF"), "2022.csv:6:", "neither UTF-8 nor Big5"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const fw_err *err;

        put("2022.csv", rows[i].content);
        err = fw_calendar_load(&cal, dir, pool);
        ck_assert_msg(err != NULL, "row %d is taken", (int)i);
        ck_assert_int_eq(err->code, FW_E_CONFIG);
        ck_assert_msg(strstr(err->msg, rows[i].where) && strstr(err->msg, rows[i].reason) &&
                          strstr(err->msg, dir),
                      "row %d: %s", (int)i, err->msg);
        ck_assert_ptr_null(cal);
    }
}
END_TEST

START_TEST(folders_and_files_that_are_none)
{
    const fw_err *err = fw_calendar_load(&cal, dir, pool);
    char *big = apr_pcalloc(pool, 300001);

    ck_assert_ptr_nonnull(strstr(err->msg, "has no YYYY.csv"));
    err = fw_calendar_load(&cal, "/nowhere/at/all", pool);
    ck_assert_int_eq(err->code, FW_E_CONFIG);
    ck_assert_int_ne(err->os, 0);
    memset(big, ',', 300000);
    put("2022.csv", big);
    ck_assert_ptr_nonnull(strstr(fw_calendar_load(&cal, dir, pool)->msg, "bytes"));
    put("2022.csv", "");
    ck_assert_int_eq(truncate(apr_pstrcat(pool, dir, "/2022.csv", NULL), 10), 0); /* zeros */
    ck_assert_ptr_nonnull(strstr(fw_calendar_load(&cal, dir, pool)->msg, "zero byte"));
    unlink(apr_pstrcat(pool, dir, "/2022.csv", NULL));
    put("1899.csv", HEADER);
    ck_assert_ptr_nonnull(strstr(fw_calendar_load(&cal, dir, pool)->msg, "no year"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("calendar");
    TCase *t = tcase_create("calendar");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, published_years);
    tcase_add_test(t, published_days);
    tcase_add_test(t, since_2026_no_weekend_works);
    tcase_add_test(t, beyond_the_files_weekdays_work);
    tcase_add_test(t, periods);
    tcase_add_test(t, counting_undoes_adding);
    tcase_add_test(t, years_before);
    tcase_add_test(t, forms_of_a_file);
    tcase_add_test(t, faults_name_file_line_and_reason);
    tcase_add_test(t, folders_and_files_that_are_none);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
