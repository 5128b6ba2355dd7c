/* What the border is told of permits: each that comes into force or ends, once for each version, and nothing where there is no border. */
#include "fw_config.h"

#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>

#include "fw_date.h"
#include "fw_decide.h"

#define NOW (apr_time_from_sec(1767225600)) /* 2026-01-01T00:00:00Z, eight in Taipei */

static apr_pool_t *pool;
static fw_case kase;
static fw_case *cases[1];
static fw_permit permit, live, card;
static fw_permit *lives[1];
static fw_job job;
static fw_view view;
static fw_ids ids;
static fw_outcome out;
static fw_terms terms;
static const fw_actor machine = {.roles = FW_ROLE_SYSTEM, .name = "system"};
static const fw_actor admin = {.account_id = 14, .roles = FW_ROLE_ADMIN};
static const fw_permit paper = {.permit_no = "EP2",
                                .code = "C",
                                .kind = "epermit",
                                .valid_from = "2026-01-02",
                                .valid_to = "2026-07-01"};
static const fw_document document = {.kind = "permit"};

static void setup(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    memset(&ids, 0, sizeof(ids));
    for (int i = 0; i < FW_IDS; i++)
        ids.id[i] = 1000 + i;
    kase = (fw_case){.id = 7, .version = 4, .state = FW_STATE_PRODUCING, .worker_id = 3};
    live = (fw_permit){.id = 55,
                       .version = 4,
                       .permit_no = "EP1",
                       .case_id = 6,
                       .kind = "epermit",
                       .state = "valid",
                       .valid_from = "2025-07-01",
                       .valid_to = "2026-01-01",
                       .told = "valid"};
    card = live;
    permit = (fw_permit){0};
    cases[0] = &kase;
    lives[0] = &live;
    view = (fw_view){.kase = &kase,
                     .cases = cases,
                     .n_cases = 1,
                     .permit = &permit,
                     .tells_border = true,
                     .data = "{}"};
    terms = (fw_terms){.kind = "epermit"};
}

static void teardown(void)
{
    apr_pool_destroy(pool);
    apr_terminate();
}

static void give(const fw_actor *actor, fw_command cmd, apr_time_t at)
{
    cmd.actor = actor;
    cmd.target = kase.id;
    ids.used = 0;
    fw_decide(&view, &cmd, at, &ids, &terms, &out, pool);
}

static const fw_send *told(int n)
{
    for (int i = 0; i < out.n_sends; i++) {
        if (strcmp(out.sends[i].port, "border") == 0 && n-- == 0)
            return &out.sends[i];
    }
    return NULL;
}

static void expect_told(int n, const char *payload)
{
    const fw_send *s = told(n);

    ck_assert_ptr_nonnull(s);
    ck_assert_str_eq(s->op, "border.permit");
    ck_assert_str_eq(s->payload, payload);
    ck_assert_ptr_null(strstr(s->payload, "NGUYEN"));
}

static void issue(void)
{
    give(&machine,
         (fw_command){.kind = FW_CMD_PERMIT_ISSUE, .permit = &paper, .document = &document}, NOW);
    ck_assert_int_eq(out.verdict, FW_DONE);
}

static void tell(apr_time_t at)
{
    view.permit = &live;
    give(&machine, (fw_command){.kind = FW_CMD_PERMIT_TELL}, at);
}

START_TEST(a_permit_that_is_issued)
{
    issue();
    ck_assert_ptr_null(told(1));
    expect_told(0, apr_psprintf(pool,
                                "{\"permit\":\"%" APR_INT64_T_FMT
                                "\",\"version\":1,\"state\":\"valid\"}",
                                permit.id));
    ck_assert_int_eq(told(0)->aggregate_id, 7);
    ck_assert(told(0)->bulk);
    ck_assert_str_eq(permit.told, "valid");
}
END_TEST

START_TEST(the_one_that_it_replaces_goes_first)
{
    view.live = &live;
    issue();
    expect_told(
        0, "{\"permit\":\"55\",\"version\":5,\"state\":\"superseded\",\"replaced_by\":\"EP2\"}");
    ck_assert_int_eq(told(0)->aggregate_id, 6);
    ck_assert_str_eq(live.told, "superseded");
    ck_assert_ptr_nonnull(strstr(told(1)->payload, "\"state\":\"valid\"}"));
    ck_assert_str_ne(told(0)->key, told(1)->key);
}
END_TEST

START_TEST(a_card_that_is_handed_out)
{
    card = (fw_permit){.id = 56,
                       .version = 1,
                       .permit_no = "RC1",
                       .case_id = 7,
                       .kind = "card",
                       .state = "waiting",
                       .valid_to = "2029-01-01"};
    job = (fw_job){.id = 60, .case_id = 7, .state = "arrived", .code = "PICKUP01"};
    kase.state = FW_STATE_ISSUED;
    view.permit = &card;
    view.job = &job;
    view.lives = lives;
    view.n_lives = 1;
    give(&(fw_actor){.account_id = 12, .roles = FW_ROLE_INITIAL},
         (fw_command){.kind = FW_CMD_CARD_COLLECT, .code = "PICKUP01"}, NOW);
    ck_assert_int_eq(out.verdict, FW_DONE);
    expect_told(
        0, "{\"permit\":\"55\",\"version\":5,\"state\":\"superseded\",\"replaced_by\":\"RC1\"}");
    expect_told(1, "{\"permit\":\"56\",\"version\":2,\"state\":\"valid\"}");
}
END_TEST

START_TEST(a_card_that_nobody_holds_is_not_told)
{
    live.state = "waiting";
    live.told = NULL;
    tell(NOW);
    ck_assert_int_eq(out.verdict, FW_REFUSED);
    ck_assert_int_eq(out.n_sends, 0);
}
END_TEST

START_TEST(a_permit_that_is_revoked)
{
    view.permit = &live;
    give(&admin, (fw_command){.kind = FW_CMD_PERMIT_REVOKE, .reason = "false papers"}, NOW);
    expect_told(0, "{\"permit\":\"55\",\"version\":5,\"state\":\"revoked\"}");
    ck_assert_str_eq(live.told, "revoked");
}
END_TEST

/* Valid to the last instant of its day in Taipei. */
START_TEST(a_permit_whose_time_is_over)
{
    tell(NOW + apr_time_from_sec(16 * 3600) - 1);
    ck_assert_int_eq(out.verdict, FW_REFUSED);
    ck_assert_str_eq(out.refusals[0].key, "permit.nothing_to_tell");
    tell(NOW + apr_time_from_sec(16 * 3600));
    ck_assert_int_eq(out.verdict, FW_DONE);
    expect_told(0, "{\"permit\":\"55\",\"version\":5,\"state\":\"expired\"}");
    ck_assert_str_eq(live.told, "expired");
    ck_assert_str_eq(live.state, "valid"); /* its end is by its day, here as everywhere */
    ck_assert_int_eq(live.ended, 0);
    ck_assert_uint_eq(out.changed, FW_CH_PERMIT);
    tell(NOW + apr_time_from_sec(17 * 3600));
    ck_assert_int_eq(out.verdict, FW_REFUSED);
}
END_TEST

START_TEST(a_permit_that_was_there_before_the_border)
{
    live.told = NULL;
    tell(NOW);
    expect_told(0, "{\"permit\":\"55\",\"version\":5,\"state\":\"valid\"}");
    live.told = NULL;
    live.state = "superseded";
    tell(NOW);
    expect_told(0, "{\"permit\":\"55\",\"version\":5,\"state\":\"superseded\"}");
}
END_TEST

/* What changes while there is none is told once there is one. */
START_TEST(nothing_is_told_where_there_is_no_border)
{
    view.tells_border = false;
    view.live = &live;
    issue();
    ck_assert_ptr_null(told(0));
    ck_assert_ptr_null(permit.told);
    ck_assert_ptr_null(live.told);
    tell(NOW + apr_time_from_sec(86400));
    ck_assert_int_eq(out.verdict, FW_REFUSED);
    ck_assert_int_eq(out.n_sends, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("border");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(all, setup, teardown);
    suite_add_tcase(suite, all);
    tcase_add_test(all, a_permit_that_is_issued);
    tcase_add_test(all, the_one_that_it_replaces_goes_first);
    tcase_add_test(all, a_card_that_is_handed_out);
    tcase_add_test(all, a_card_that_nobody_holds_is_not_told);
    tcase_add_test(all, a_permit_that_is_revoked);
    tcase_add_test(all, a_permit_whose_time_is_over);
    tcase_add_test(all, a_permit_that_was_there_before_the_border);
    tcase_add_test(all, nothing_is_told_where_there_is_no_border);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
