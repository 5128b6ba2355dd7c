/* The table of a case's life: whole, without a dead end, and as docs/lifecycle.md shows it. */
#include "fw_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>

#include "fw_access.h"
#include "fw_lifecycle.h"

static apr_pool_t *pool;
static const fw_transition *table;
static size_t rows;

static void setup(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    table = fw_lifecycle_table(&rows);
}

static void teardown(void)
{
    apr_pool_destroy(pool);
    apr_terminate();
}

/* States in which a case is for an instant alone: decide goes on from them by itself. */
static const struct {
    fw_state_e from, to;
} by_itself[] = {
    {FW_STATE_APPROVED, FW_STATE_AWAITING_PAYMENT},
    {FW_STATE_APPROVED, FW_STATE_PRODUCING},
    {FW_STATE_PAID, FW_STATE_PRODUCING},
    {FW_STATE_APPROVED, FW_STATE_HELD}, /* a fine is open */
    {FW_STATE_PAID, FW_STATE_HELD},
};
#define BY_ITSELF (sizeof(by_itself) / sizeof(by_itself[0]))

static unsigned next_states(int state)
{
    unsigned to = 0;

    for (size_t i = 0; i < rows; i++) {
        if ((int)table[i].from != state)
            continue;
        to |= table[i].to == FW_TO_REVIEWER
                  ? 1u << FW_STATE_INITIAL_REVIEW | 1u << FW_STATE_SECOND_REVIEW
                  : 1u << table[i].to;
    }
    for (size_t i = 0; i < BY_ITSELF; i++) {
        if ((int)by_itself[i].from == state)
            to |= 1u << by_itself[i].to;
    }
    return to;
}

/* All states that can follow, sooner or later. */
static unsigned closure(unsigned states)
{
    for (unsigned before = 0; before != states;) {
        before = states;
        for (int s = 0; s < FW_STATES; s++) {
            if (states & (1u << s))
                states |= next_states(s);
        }
    }
    return states;
}

START_TEST(every_state_can_be_reached)
{
    unsigned reached = closure(1u << FW_STATE_DRAFT);

    for (int s = 0; s < FW_STATES; s++)
        ck_assert_msg(reached & (1u << s), "%s", fw_state_name((fw_state_e)s));
    for (size_t i = 0; i < rows; i++)
        ck_assert_msg(reached & (1u << table[i].from), "row %d is never used", (int)i);
}
END_TEST

START_TEST(only_final_states_are_ends)
{
    for (int s = 0; s < FW_STATES; s++) {
        unsigned others = next_states(s) & ~(1u << s), finals = 0;

        if (s ==
            FW_STATE_ISSUED) /* the end of an application; its card is fetched after it, or lost and made again */
            others &= ~(1u << FW_STATE_COLLECTED | 1u << FW_STATE_PRODUCING);
        ck_assert_msg((others == 0) == fw_lifecycle_final((fw_state_e)s), "%s",
                      fw_state_name((fw_state_e)s));
        for (int f = 0; f < FW_STATES; f++) {
            if (fw_lifecycle_final((fw_state_e)f))
                finals |= 1u << f;
        }
        ck_assert_msg(closure(1u << s) & finals, "%s comes to no end",
                      fw_state_name((fw_state_e)s));
    }
}
END_TEST

START_TEST(one_row_for_a_command_in_a_state)
{
    for (size_t i = 0; i < rows; i++) {
        ck_assert_ptr_eq(fw_lifecycle_find(table[i].from, table[i].cmd), &table[i]);
        for (size_t j = 0; j < i; j++)
            ck_assert(table[i].from != table[j].from || table[i].cmd != table[j].cmd);
    }
    ck_assert_ptr_null(fw_lifecycle_find(FW_STATE_ISSUED, FW_CMD_CASE_SAVE));
    ck_assert_ptr_null(fw_lifecycle_find(FW_STATE_DRAFT, FW_CMD_CASE_APPROVE));
    ck_assert_ptr_null(fw_lifecycle_find(FW_STATE_ISSUED, FW_CMD_CASE_WITHDRAW));
}
END_TEST

START_TEST(somebody_may_give_each_command)
{
    for (size_t i = 0; i < rows; i++)
        ck_assert_msg(*fw_access_who(fw_cmd_name(table[i].cmd), pool), "%s",
                      fw_cmd_name(table[i].cmd));
}
END_TEST

/* Whoever has the turn can do something, and a deadline that passes is dealt with. */
START_TEST(turns)
{
    for (int s = 0; s < FW_STATES; s++) {
        fw_turn_e turn = fw_lifecycle_turn((fw_state_e)s);
        bool applicant = false, expires = false;

        for (size_t i = 0; i < rows; i++) {
            if ((int)table[i].from != s)
                continue;
            applicant |= fw_access_allowed(fw_cmd_name(table[i].cmd), FW_ROLE_EMPLOYER, FW_REL_OWN);
            expires |= table[i].cmd == FW_CMD_CASE_EXPIRE;
        }
        if (turn == FW_TURN_APPLICANT &&
            s != FW_STATE_HELD) /* that is settled elsewhere, in its own time */
            ck_assert_msg(applicant && expires, "%s", fw_state_name((fw_state_e)s));
        if (fw_lifecycle_final((fw_state_e)s))
            ck_assert_int_eq(turn, FW_TURN_NONE);
    }
    ck_assert_int_eq(fw_lifecycle_turn(FW_STATE_INITIAL_REVIEW), FW_TURN_OFFICE);
    ck_assert_int_eq(fw_lifecycle_turn(FW_STATE_RETURNED), FW_TURN_APPLICANT);
    ck_assert_int_eq(fw_lifecycle_turn(FW_STATE_DRAFT), FW_TURN_NONE);
}
END_TEST

START_TEST(words)
{
    ck_assert_str_eq(fw_guard_name(FW_GUARD_NONE), "");
    for (int g = FW_GUARD_COMPLETE; g <= FW_GUARD_CARD; g++)
        ck_assert(*fw_guard_name((fw_guard_e)g));
    ck_assert_str_eq(fw_effects_text(0, pool), "");
    ck_assert_str_eq(fw_effects_text(FW_FX_NOTIFY | FW_FX_ASSIGN, pool), "notify, assign");
    ck_assert_str_eq(fw_effects_text(FW_FX_CLEAR_MARKS, pool), "clear marks");
}
END_TEST

START_TEST(the_page_shows_the_table)
{
    apr_file_t *f;
    const char *page = fw_lifecycle_page(pool);
    char *kept = apr_pcalloc(pool, 65536);
    apr_size_t n = 65535;

    for (size_t i = 0; i < rows; i++)
        ck_assert_ptr_nonnull(strstr(page, fw_cmd_name(table[i].cmd)));
    ck_assert_ptr_nonnull(strstr(page, fw_lifecycle_diagram(pool)));
    ck_assert_int_eq(
        apr_file_open(&f, "docs/lifecycle.md", APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, pool), 0);
    ck_assert_int_eq(apr_file_read_full(f, kept, n, &n), APR_EOF);
    ck_assert_msg(
        strcmp(kept, page) == 0,
        "docs/lifecycle.md is not what the tables say: fwpermitctl lifecycle > docs/lifecycle.md");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lifecycle");
    TCase *t = tcase_create("lifecycle");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, every_state_can_be_reached);
    tcase_add_test(t, only_final_states_are_ends);
    tcase_add_test(t, one_row_for_a_command_in_a_state);
    tcase_add_test(t, somebody_may_give_each_command);
    tcase_add_test(t, turns);
    tcase_add_test(t, words);
    tcase_add_test(t, the_page_shows_the_table);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
