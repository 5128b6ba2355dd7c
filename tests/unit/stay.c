/* What arrivals and departures leave to be asked. */
#include "fw_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "fw_stay.h"

#define DAY (apr_time_from_sec(86400))
#define T0  (apr_time_from_sec(1767225600)) /* 2026-01-01T00:00:00Z */
#define P   "C1"
#define OLD "B9"

/* "+3": came on day 3; "-5": left; "~3": an arrival of day 3 that was cancelled; with "o" behind: under the old passport. */
static int read_moves(const char *text, fw_moved *out)
{
    int n = 0;

    for (const char *p = text; *p; p++) {
        char *end;
        char sign = *p;
        long day = strtol(p + 1, &end, 10);
        bool old = *end == 'o';

        out[n++] = (fw_moved){.at = T0 + day * DAY,
                              .is_arrival = sign != '-',
                              .is_cancelled = sign == '~',
                              .passport_no = old ? OLD : P};
        p = end + (old ? 1 : 0);
        if (!*p)
            break;
    }
    return n;
}

static const struct {
    const char *moves,
        *warnings; /* a letter and the day for each: D, T (with the day before), N, O */
} told[] = {
    {"", ""},
    {"+3", ""},
    {"+3 -5", "D5"},
    {"-5 +3", "D5"}, /* in whatever order it was told */
    {"+3 -5 +9", ""},
    {"+3 +9", "T9,3"},
    {"+1 +3 -5 +9", "T3,1"},
    {"+3 ~9", "N9"},
    {"~3", "N3"},
    {"~3 +3", ""}, /* recorded anew */
    {"+3 ~4 -5", "D5 N4"},
    {"+3 +4 ~4 -5 -6", "D6 T4,3"},
    {"+3o", "O3"},
    {"+3o -5o +9", "O5"},
    {"~3o +3", ""},
    {"+1 -2 ~4 +6 +7o", "T7,6 N4 O7"},
};

static int day_of(const fw_moved *m)
{
    return (int)((m->at - T0) / DAY);
}

START_TEST(what_is_warned_of)
{
    fw_stay_warning found[FW_STAY_WARNINGS];
    fw_moved moves[16];
    char text[100] = "";

    for (int i = 0, n = fw_stay_judge(moves, read_moves(told[_i].moves, moves), P, found); i < n;
         i++) {
        char one[24];

        snprintf(one, sizeof(one), "%s%c%d", *text ? " " : "", "DTNO"[found[i].what],
                 day_of(found[i].of));
        strncat(text, one, sizeof(text) - strlen(text) - 1);
        if (found[i].before)
            snprintf(text + strlen(text), sizeof(text) - strlen(text), ",%d",
                     day_of(found[i].before));
    }
    ck_assert_str_eq(text, told[_i].warnings);
}
END_TEST

START_TEST(without_a_passport_none_is_another)
{
    fw_stay_warning found[FW_STAY_WARNINGS];
    fw_moved moves[] = {{.at = T0, .is_arrival = true, .passport_no = OLD},
                        {.at = T0 - DAY, .is_arrival = false}};

    ck_assert_int_eq(fw_stay_judge(moves, 2, NULL, found), 0);
    moves[0].passport_no = NULL;
    ck_assert_int_eq(fw_stay_judge(moves, 2, P, found), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("stay");
    TCase *tc = tcase_create("stay");
    SRunner *runner;
    int failed;

    tcase_add_loop_test(tc, what_is_warned_of, 0, (int)(sizeof(told) / sizeof(told[0])));
    tcase_add_test(tc, without_a_passport_none_is_another);
    suite_add_tcase(s, tc);
    runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
