/* When a link is left in peace and for how long, over a clock of the test's own. */
#include "fixture.h"

#include "fw_breaker.h"
#include "fw_utf8.h"

#define SECOND apr_time_from_sec(1)

static const fw_breaker_rests rests = {5 * SECOND, 60 * SECOND};
static apr_time_t now;
static fw_breaker b;

static void begin(void)
{
    now = FX_NOW;
    b = (fw_breaker){0};
}

static fw_breaker_turn_e fails(void)
{
    return fw_breaker_failed(&b, "connection refused", &rests, now);
}

static void open_it(void)
{
    for (int i = 0; i < FW_BREAKER_FAILURES; i++)
        fails();
    ck_assert_str_eq(fw_breaker_state(&b), "down");
}

/* The rest is over: one tries, and fails. */
static void probe_fails(void)
{
    now = b.until;
    ck_assert_int_eq(fw_breaker_pass(&b, now), FW_PASS_PROBE);
    ck_assert_int_eq(fails(), FW_BREAKER_SAME);
    fw_breaker_probed(&b);
}

START_TEST(closed_until_so_many_failures_in_a_row)
{
    begin();
    ck_assert_str_eq(fw_breaker_state(&b), "up");
    ck_assert_int_eq(fw_breaker_worked(&b, false, now), FW_BREAKER_SAME);
    for (int i = 1; i < FW_BREAKER_FAILURES; i++) {
        now += SECOND;
        ck_assert_int_eq(fails(), i == 1 ? FW_BREAKER_FAILS : FW_BREAKER_SAME);
        ck_assert_str_eq(fw_breaker_state(&b), "failing");
        ck_assert_int_eq(fw_breaker_pass(&b, now), FW_PASS_FREE);
    }
    now += SECOND;
    ck_assert_int_eq(fails(), FW_BREAKER_OPENS);
    ck_assert_str_eq(fw_breaker_state(&b), "down");
    ck_assert_str_eq(b.error, "connection refused");
    ck_assert_int_eq(b.failures, FW_BREAKER_FAILURES);
    ck_assert_int_eq(b.since, FX_NOW + SECOND); /* since the first of them */
    ck_assert_int_eq(b.last_ok, FX_NOW);
}
END_TEST

START_TEST(a_success_between_them_begins_the_count_anew)
{
    begin();
    for (int i = 0; i < 3 * FW_BREAKER_FAILURES; i++) {
        fails();
        if (i % (FW_BREAKER_FAILURES - 1) == FW_BREAKER_FAILURES - 2)
            ck_assert_int_eq(fw_breaker_worked(&b, false, now), FW_BREAKER_CLOSES);
        ck_assert_int_eq(fw_breaker_pass(&b, now), FW_PASS_FREE);
    }
}
END_TEST

START_TEST(it_rests_and_then_one_alone_tries)
{
    begin();
    open_it();
    ck_assert_int_eq(b.until, now + rests.first);
    now = b.until - 1;
    ck_assert_int_eq(fw_breaker_pass(&b, now), FW_PASS_REST);
    now++;
    ck_assert(!fw_breaker_rests_now(&b, now)); /* looking takes no turn */
    ck_assert_int_eq(fw_breaker_pass(&b, now), FW_PASS_PROBE);
    ck_assert_int_eq(fw_breaker_pass(&b, now), FW_PASS_REST);
    ck_assert(fw_breaker_rests_now(&b, now));
    fw_breaker_probed(&b); /* it found nothing to try with: the next one may */
    ck_assert_int_eq(fw_breaker_pass(&b, now), FW_PASS_PROBE);
    ck_assert_int_eq(fw_breaker_worked(&b, false, now), FW_BREAKER_CLOSES);
    fw_breaker_probed(&b);
    ck_assert_int_eq(fw_breaker_pass(&b, now), FW_PASS_FREE);
    ck_assert_int_eq(fw_breaker_pass(&b, now), FW_PASS_FREE);
    ck_assert_str_eq(fw_breaker_state(&b), "up");
    ck_assert_int_eq(b.since, now);
}
END_TEST

START_TEST(each_rest_is_twice_as_long_up_to_the_most)
{
    static const int seconds[] = {10, 20, 40, 60, 60, 60};

    begin();
    open_it();
    for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
        probe_fails();
        ck_assert_int_eq(b.until - now, seconds[i] * SECOND);
        ck_assert_int_eq(b.since, FX_NOW);
    }
    now = b.until;
    fw_breaker_worked(&b, false, now);
    fw_breaker_probed(&b);
    open_it();
    ck_assert_int_eq(b.until - now, rests.first); /* after a delivery the rests begin anew */
}
END_TEST

START_TEST(a_clock_that_is_set_back_makes_no_rest_longer)
{
    begin();
    open_it();
    ck_assert_int_eq(fw_breaker_pass(&b, now), FW_PASS_REST);
    now -= 3600 * SECOND;
    ck_assert_int_eq(fw_breaker_pass(&b, now), FW_PASS_PROBE);
    ck_assert_int_eq(fails(), FW_BREAKER_SAME);
    fw_breaker_probed(&b);
    ck_assert_int_eq(b.until, now + b.rest);
    ck_assert_int_eq(fw_breaker_pass(&b, now), FW_PASS_REST);
}
END_TEST

START_TEST(what_was_under_way_makes_no_rest_longer)
{
    apr_time_t until;

    begin();
    open_it();
    until = b.until;
    now += SECOND;
    ck_assert_int_eq(fails(), FW_BREAKER_SAME);
    ck_assert_int_eq(b.until, until);
    ck_assert_int_eq(fw_breaker_worked(&b, false, now),
                     FW_BREAKER_CLOSES); /* and a success counts */
    ck_assert_int_eq(fw_breaker_pass(&b, now), FW_PASS_FREE);
}
END_TEST

/* A gateway that says that it is well and fails at each order is asked less and less often. */
START_TEST(health_alone_does_not_shorten_the_rests)
{
    static const int seconds[] = {10, 20, 40, 60};

    begin();
    open_it();
    for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
        now = b.until;
        ck_assert_int_eq(fw_breaker_pass(&b, now), FW_PASS_PROBE);
        ck_assert_int_eq(fw_breaker_worked(&b, true, now), FW_BREAKER_CLOSES);
        fw_breaker_probed(&b);
        open_it();
        ck_assert_int_eq(b.until - now, seconds[i] * SECOND);
    }
}
END_TEST

START_TEST(waits_double_up_to_the_most)
{
    static const int seconds[] = {2, 4, 8, 16, 32, 60, 60};

    for (int i = 0; i < (int)(sizeof(seconds) / sizeof(seconds[0])); i++) {
        apr_interval_time_t wait = seconds[i] * SECOND;

        ck_assert_int_eq(fw_backoff(2 * SECOND, 60 * SECOND, i + 1, 0), wait);
        ck_assert_int_eq(fw_backoff(2 * SECOND, 60 * SECOND, i + 1, 500), wait + wait / 8);
        ck_assert_int_lt(fw_backoff(2 * SECOND, 60 * SECOND, i + 1, 999), wait + wait / 4);
    }
    ck_assert_int_eq(fw_backoff(2 * SECOND, 60 * SECOND, 1000000, 0), 60 * SECOND);
    ck_assert_int_eq(fw_backoff(90 * SECOND, 60 * SECOND, 1, 0), 60 * SECOND);
}
END_TEST

/* A database takes no half character. */
START_TEST(a_long_reason_is_cut_between_characters)
{
    char reason[FW_BREAKER_ERROR_BYTES + 8];
    size_t n = FW_BREAKER_ERROR_BYTES - 1;

    memset(reason, 'x', n);
    memcpy(reason + n, "\xe9\x99\xb3", 4);
    begin();
    fw_breaker_failed(&b, reason, &rests, now);
    ck_assert_uint_eq(strlen(b.error), n);
    ck_assert(fw_utf8_valid(b.error));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("breaker");
    TCase *t = tcase_create("breaker");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_test(t, closed_until_so_many_failures_in_a_row);
    tcase_add_test(t, a_success_between_them_begins_the_count_anew);
    tcase_add_test(t, it_rests_and_then_one_alone_tries);
    tcase_add_test(t, each_rest_is_twice_as_long_up_to_the_most);
    tcase_add_test(t, a_clock_that_is_set_back_makes_no_rest_longer);
    tcase_add_test(t, what_was_under_way_makes_no_rest_longer);
    tcase_add_test(t, health_alone_does_not_shorten_the_rests);
    tcase_add_test(t, waits_double_up_to_the_most);
    tcase_add_test(t, a_long_reason_is_cut_between_characters);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
