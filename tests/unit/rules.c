/* The law as data: fees by anniversary, deadlines that end on working days, the office's clock. */
#include "fw_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>

#include "fw_rules.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define HOURS(n) ((apr_time_t)(n)*3600 * APR_USEC_PER_SEC)

static apr_pool_t *pool;
static fw_calendar *calendar;
static fw_rules *rules;
static char file[64];

static void setup(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    ck_assert_ptr_null(fw_calendar_load(&calendar, "conf/calendar", pool));
    ck_assert_ptr_null(fw_rules_load(&rules, "conf/rules.json", pool));
}

static void teardown(void)
{
    apr_pool_destroy(pool);
    apr_terminate();
}

static fw_date day(const char *iso)
{
    fw_date date = {0, 0, 0};

    ck_assert_msg(fw_date_parse(iso, &date), "%s", iso);
    return date;
}

/* "2026-11-24 09:30" in Taiwan. */
static apr_time_t at(const char *text)
{
    int hour = 0, minute = 0;

    ck_assert_int_eq(sscanf(text + 10, " %d:%d", &hour, &minute), 2);
    return fw_date_start(day(apr_pstrndup(pool, text, 10))) + HOURS(hour) + HOURS(minute) / 60;
}

/* ---- the file ---- */

static const fw_err *load(const char *text, fw_rules **out)
{
    const fw_err *err;
    FILE *f;

    snprintf(file, sizeof(file), "/tmp/rules-test-%d", (int)getpid());
    f = fopen(file, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
    err = fw_rules_load(out, file, pool);
    unlink(file);
    return err;
}

#define NUMBERS                                                                      \
    "\"draft_days\": 30, \"supplement_days\": 15, \"supplement_abroad_months\": 3, " \
    "\"arrival_days\": 30, \"remind_days\": 7, \"late_fine_least\": 2000, "          \
    "\"late_fine_most\": 10000, \"payment_working_days\": "
#define FINE_OF(least, most)                                                           \
    "{\"versions\": [{\"from\": \"2024-03-01\", \"draft_days\": 30, "                  \
    "\"supplement_days\": 15, \"supplement_abroad_months\": 3, \"arrival_days\": 30, " \
    "\"remind_days\": 7, \"payment_working_days\": 5, \"late_fine_least\": " least     \
    ", \"late_fine_most\": " most "}]}"

START_TEST(versions_by_date)
{
    fw_rules *two = NULL;

    ck_assert_int_eq(fw_rules_at(rules, day("2026-11-24"))->supplement_days, 15);
    ck_assert_int_eq(fw_rules_at(rules, day("2026-11-24"))->supplement_abroad_months, 3);
    ck_assert_int_eq(fw_rules_at(rules, day("2026-11-24"))->payment_working_days, 5);
    ck_assert_ptr_null(load("{\"versions\": [{\"from\": \"2024-03-01\", " NUMBERS
                            "5}, {\"from\": \"2026-07-01\", " NUMBERS
                            "7}, {\"from\": \"2027-01-01\", " NUMBERS "9}]}",
                            &two));
    ck_assert_int_eq(fw_rules_at(two, day("2020-01-01"))->payment_working_days, 5);
    ck_assert_int_eq(fw_rules_at(two, day("2026-06-30"))->payment_working_days, 5);
    ck_assert_int_eq(fw_rules_at(two, day("2026-07-01"))->payment_working_days, 7);
    ck_assert_int_eq(fw_rules_at(two, day("2026-12-31"))->payment_working_days, 7);
    ck_assert_int_eq(fw_rules_at(two, day("2030-01-01"))->payment_working_days, 9);
}
END_TEST

START_TEST(a_span_of_fines)
{
    fw_rules *read = NULL;

    ck_assert_int_eq(fw_rules_at(rules, day("2026-11-24"))->late_fine_least, 2000);
    ck_assert_int_eq(fw_rules_at(rules, day("2026-11-24"))->late_fine_most, 10000);
    ck_assert_ptr_null(load(FINE_OF("1", "1000000"), &read));
    ck_assert_int_eq(fw_rules_at(read, day("2026-11-24"))->late_fine_most, FW_FINE_MOST);
}
END_TEST

START_TEST(faults_of_the_file)
{
    static const struct {
        const char *text, *reason;
    } rows[] = {
        {"", ":1: "},
        {"{\n\"versions\": [,]}", ":2: "},
        {"{}", "no versions"},
        {"{\"versions\": []}", "no versions"},
        {"{\"versions\": {\"from\": 1}}", "no versions"},
        {"{\"versions\": [{" NUMBERS "5}]}", "without its date"},
        {"{\"versions\": [{\"from\": \"2026-02-30\", " NUMBERS "5}]}", "without its date"},
        {"{\"versions\": [{\"from\": \"2024-03-01\", " NUMBERS "0}]}",
         "of 2024-03-01 lacks a number"},
        {"{\"versions\": [{\"from\": \"2024-03-01\", " NUMBERS "1000}]}", "lacks a number"},
        {"{\"versions\": [{\"from\": \"2024-03-01\", " NUMBERS "\"5\"}]}", "lacks a number"},
        {"{\"versions\": [{\"from\": \"2024-03-01\"}]}", "lacks a number"},
        {"{\"versions\": [{\"from\": \"2024-03-01\", " NUMBERS
         "5}, {\"from\": \"2024-03-01\", " NUMBERS "5}]}",
         "not in order"},
        {"{\"versions\": [{\"from\": \"2024-03-01\", " NUMBERS "5, \"draft_days\": 3}]}",
         "duplicate"},
        {FINE_OF("0", "10000"), "no span of fines"},
        {FINE_OF("10001", "10000"), "no span of fines"},
        {FINE_OF("2000", "1000001"), "no span of fines"},
    };
    fw_rules *none;

    for (size_t i = 0; i < COUNT(rows); i++) {
        const fw_err *err = load(rows[i].text, &none);

        ck_assert_msg(err && err->code == FW_E_CONFIG, "%s", rows[i].text);
        ck_assert_msg(strstr(err->msg, rows[i].reason) != NULL, "%s: %s", rows[i].text, err->msg);
        ck_assert_msg(strncmp(err->msg, "/tmp/rules-test-", 16) == 0, "%s", err->msg);
    }
    ck_assert_ptr_nonnull(fw_rules_load(&none, "/nowhere/rules.json", pool));
}
END_TEST

/* ---- the legal clock ---- */

/* Immigration Act art. 22(2): from the day after entry; 15 days before 2024-03-01. A last day off moves on. */
START_TEST(to_apply_after_an_arrival)
{
    static const struct {
        const char *entered, *until;
    } rows[] = {
        {"2024-02-20", "2024-03-06"}, /* the 15th day after, by the rules of the day of entry */
        {"2024-03-01", "2024-04-01"}, /* the 30th is a Sunday */
        {"2026-11-02", "2026-12-02"},
        {"2026-10-29", "2026-11-30"},  /* the 30th is a Saturday */
        {"2026-11-25", "2026-12-28"}}; /* the 30th is a holiday, with a weekend behind it */

    for (size_t i = 0; i < COUNT(rows); i++) {
        apr_time_t until = fw_terms_arrival(rules, calendar, day(rows[i].entered));

        ck_assert_str_eq(fw_date_text(fw_date_of(until), pool), rows[i].until);
        ck_assert_int_eq(until, fw_date_end(day(rows[i].until)));
    }
}
END_TEST

/* ---- fees ---- */

START_TEST(a_year_begun_is_a_year_paid)
{
    static const struct {
        const char *from, *to;
        int64_t fee;
    } rows[] = {
        {"2026-11-25", "2027-05-24", 1000}, /* 6 months */
        {"2026-11-25", "2027-11-24", 1000}, /* exactly 12 */
        {"2026-11-25", "2027-11-25", 2000}, /* and a day */
        {"2026-11-25", "2028-11-24", 2000},
        {"2026-11-25", "2029-11-24", 3000}, /* 3 years */
        {"2026-11-25", "2026-11-25", 1000},
        {"2026-11-25", "2026-11-24", 1000},
        {"2024-02-29", "2025-02-28", 1000}, /* a year that has no such day ends with its month */
        {"2024-02-29", "2025-03-01", 2000},
        {"2024-02-29", "2028-02-28", 4000},
        {"2024-02-29", "2028-02-29", 5000},
        {"2023-03-01", "2024-02-29", 1000},
        {"2026-01-01", "2026-12-31", 1000},
        {"1900-01-01", "2200-01-01", 100000}, /* no loop without end */
    };
    fw_service yearly = {.fee = 1000, .fee_per_year = true}, fixed = {.fee = 100};

    for (size_t i = 0; i < COUNT(rows); i++) {
        ck_assert_msg(fw_fee_reckon(&yearly, day(rows[i].from), day(rows[i].to)) == rows[i].fee,
                      "%s to %s", rows[i].from, rows[i].to);
        ck_assert_int_eq(fw_fee_reckon(&fixed, day(rows[i].from), day(rows[i].to)), 100);
    }
}
END_TEST

/* ---- validity ---- */

static fw_terms terms_of(const fw_service *service, const char *data, const char *now)
{
    fw_terms t;

    fw_terms_reckon(&t, rules, calendar, service, data, at(now), pool);
    return t;
}

START_TEST(a_permit_begins_the_day_after)
{
    static const struct {
        int months;
        const char *now, *until, *from, *to;
        int64_t fee;
    } rows[] = {
        {6, "2026-11-24 09:00", NULL, "2026-11-25", "2027-05-24", 1000},
        {6, "2026-11-24 23:59", NULL, "2026-11-25", "2027-05-24", 1000},
        {6, "2026-11-25 00:00", NULL, "2026-11-26", "2027-05-25", 1000},
        {6, "2026-08-30 09:00", NULL, "2026-08-31", "2027-02-28", 1000}, /* February has no 31st */
        {6, "2027-08-30 09:00", NULL, "2027-08-31", "2028-02-29", 1000},
        {6, "2026-08-31 09:00", NULL, "2026-09-01", "2027-02-28", 1000},
        {6, "2026-11-24 09:00", "2027-01-31", "2026-11-25", "2027-01-31",
         1000}, /* not beyond the contract */
        {6, "2026-11-24 09:00", "2029-11-20", "2026-11-25", "2027-05-24", 1000},
        {12, "2026-11-24 09:00", NULL, "2026-11-25", "2027-11-24", 1000},
        {36, "2026-11-24 09:00", NULL, "2026-11-25", "2029-11-24", 3000},
        {36, "2026-11-24 09:00", "2028-11-25", "2026-11-25", "2028-11-25", 3000},
        {36, "2026-11-24 09:00", "2028-11-24", "2026-11-25", "2028-11-24", 2000},
        {36, "2024-02-28 09:00", NULL, "2024-02-29", "2027-02-28", 3000},
        {12, "2024-02-28 09:00", NULL, "2024-02-29", "2025-02-28", 1000},
        {6, "2026-11-24 09:00", "no date", "2026-11-25", "2027-05-24", 1000},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        fw_service s = {.fee = 1000,
                        .fee_per_year = true,
                        .clock_hours = 48,
                        .max_months = rows[i].months,
                        .until_field = "contract_to",
                        .kind = "epermit"};
        const char *data =
            rows[i].until ? apr_psprintf(pool, "{\"contract_to\": \"%s\"}", rows[i].until) : "{}";
        fw_terms t = terms_of(&s, data, rows[i].now);

        ck_assert_str_eq(t.valid_from, rows[i].from);
        ck_assert_str_eq(t.valid_to, rows[i].to);
        ck_assert_int_eq(t.fee, rows[i].fee);
        ck_assert_str_eq(t.kind, "epermit");
        if (!rows[i]
                 .until) { /* without a document, or without such a field, it is the whole term */
            ck_assert_str_eq(terms_of(&s, NULL, rows[i].now).valid_to, rows[i].to);
            s.until_field = NULL;
            ck_assert_str_eq(
                terms_of(&s, "{\"contract_to\": \"2026-12-01\"}", rows[i].now).valid_to,
                rows[i].to);
        }
    }
}
END_TEST

/* ---- deadlines ---- */

static const char *day_of(apr_time_t t)
{
    ck_assert_int_eq(t, fw_date_end(fw_date_of(t))); /* its last moment */
    return fw_date_text(fw_date_of(t), pool);
}

START_TEST(deadlines)
{
    /* The 15 days run from the day after the notice; on a day off they end with the next working day. */
    static const struct {
        const char *now, *draft, *supplement, *abroad, *payment;
    } rows[] = {
        {"2026-11-24 09:00", "2026-12-24", "2026-12-09", "2027-02-24", "2026-12-01"},
        {"2026-11-24 23:59", "2026-12-24", "2026-12-09", "2027-02-24", "2026-12-01"},
        {"2026-11-27 09:00", "2026-12-27", "2026-12-14", "2027-03-02",
         "2026-12-04"}, /* a Saturday; 02-27 to 03-01 off */
        {"2026-12-10 09:00", "2027-01-09", "2026-12-28", "2027-03-10",
         "2026-12-17"}, /* Constitution Day, weekend */
        {"2026-02-03 09:00", "2026-03-05", "2026-02-23", "2026-05-04",
         "2026-02-10"}, /* the New Year's days */
        {"2026-02-12 09:00", "2026-03-14", "2026-03-02", "2026-05-12",
         "2026-02-26"}, /* Peace Memorial Day's eve */
        {"2024-02-02 09:00", "2024-03-03", "2024-02-17", "2024-05-02",
         "2024-02-16"}, /* a Saturday that works */
        {"2024-02-09 09:00", "2024-03-10", "2024-02-26", "2024-05-09", "2024-02-20"},
        {"2026-01-30 09:00", "2026-03-01", "2026-02-23", "2026-04-30",
         "2026-02-06"}, /* no 31st of April */
        {"2025-02-28 09:00", "2025-03-30", "2025-03-17", "2025-06-02",
         "2025-03-07"}, /* March to May; 05-31 is off */
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        fw_terms t = terms_of(NULL, NULL, rows[i].now);

        ck_assert_msg(strcmp(day_of(t.draft_until), rows[i].draft) == 0, "%s: draft %s",
                      rows[i].now, day_of(t.draft_until));
        ck_assert_msg(strcmp(day_of(t.supplement_until), rows[i].supplement) == 0,
                      "%s: supplement %s", rows[i].now, day_of(t.supplement_until));
        ck_assert_msg(strcmp(day_of(t.supplement_abroad_until), rows[i].abroad) == 0,
                      "%s: abroad %s", rows[i].now, day_of(t.supplement_abroad_until));
        ck_assert_msg(strcmp(day_of(t.payment_until), rows[i].payment) == 0, "%s: payment %s",
                      rows[i].now, day_of(t.payment_until));
        ck_assert(t.due == 0 && t.fee == 0 && !t.valid_from && !t.kind);
    }
}
END_TEST

START_TEST(hours_of_days_off_do_not_run)
{
    static const struct {
        int hours;
        const char *now, *due;
    } rows[] = {
        {48, "2026-11-24 09:30", "2026-11-26 09:30"},
        {48, "2026-11-26 09:30", "2026-11-30 09:30"}, /* over a weekend */
        {48, "2026-11-27 17:00", "2026-12-01 17:00"},
        {48, "2026-11-28 12:00", "2026-12-02 00:00"}, /* filed on a Saturday: from Monday on */
        {48, "2026-11-29 23:59", "2026-12-02 00:00"},
        {48, "2026-11-30 00:00", "2026-12-02 00:00"},
        {24, "2026-12-24 10:00", "2026-12-28 10:00"}, /* Constitution Day and the weekend */
        {48, "2026-02-13 10:00", "2026-02-24 10:00"}, /* the New Year's ten days */
        {48, "2024-02-16 10:00", "2024-02-19 10:00"}, /* the Saturday works, the Sunday does not */
        {24, "2024-02-16 10:00", "2024-02-17 10:00"},
        {120, "2026-11-24 09:30", "2026-12-01 09:30"}, /* 5 working days */
        {1, "2026-11-27 23:30", "2026-11-30 00:30"},
        {1, "2026-11-27 22:30", "2026-11-27 23:30"},
        {8760, "2028-01-03 00:00",
         "2029-05-28 00:00"}, /* beyond the published years: Monday to Friday */
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        fw_service s = {.clock_hours = rows[i].hours, .max_months = 6, .kind = "x"};
        fw_terms t = terms_of(&s, NULL, rows[i].now);

        ck_assert_msg(strcmp(fw_time_taipei(t.due, pool), rows[i].due) == 0, "%s + %d: %s",
                      rows[i].now, rows[i].hours, fw_time_taipei(t.due, pool));
    }
}
END_TEST

START_TEST(delivered_service)
{
    fw_services *all = NULL;
    fw_terms t;

    ck_assert_ptr_null(fw_services_load(&all, "conf/services", "conf/services/service.rng", pool));
    t = terms_of(fw_services_find(all, "epermit"), "{\"contract_to\": \"2029-11-20\"}",
                 "2026-11-24 09:30");
    ck_assert_int_eq(t.fee, 1000);
    ck_assert_str_eq(t.valid_from, "2026-11-25");
    ck_assert_str_eq(t.valid_to, "2027-05-24");
    ck_assert_str_eq(fw_time_taipei(t.due, pool), "2026-11-26 09:30");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("rules");
    TCase *t = tcase_create("rules");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, versions_by_date);
    tcase_add_test(t, a_span_of_fines);
    tcase_add_test(t, faults_of_the_file);
    tcase_add_test(t, to_apply_after_an_arrival);
    tcase_add_test(t, a_year_begun_is_a_year_paid);
    tcase_add_test(t, a_permit_begins_the_day_after);
    tcase_add_test(t, deadlines);
    tcase_add_test(t, hours_of_days_off_do_not_run);
    tcase_add_test(t, delivered_service);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
