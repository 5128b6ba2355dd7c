/* Files that a scanner judges, over the whole desk and both databases: what is kept, and that no verdict is lost between two writers. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "fw_store_case.h"
#include "fw_store_outbox.h"

#define FILES 3

static void begin(int backend)
{
    fx_open(backend);
    fx_desk();
    fx.desk->scan_plugin = "virus";
}

static const fw_file *files_of(fw_id kase)
{
    apr_array_header_t *list = NULL;

    ck_ok(fw_file_list(fx.db, kase, false, &list, fx.pool));
    ck_assert_int_eq(list->nelts, FILES);
    return (const fw_file *)list->elts;
}

static fw_command verdict(fw_id kase, const fw_file *judged)
{
    return (fw_command){
        .kind = FW_CMD_FILE_JUDGE, .target = kase, .file = judged, .engine = "Engine 1"};
}

static void judge(fw_id kase, fw_id file, fw_scan_e scan)
{
    const fw_file judged = {.id = file, .scan = scan};
    fw_command cmd = verdict(kase, &judged);

    cmd.found = scan == FW_SCAN_INFECTED ? "Test" : NULL;
    fx_perform(&people.system, cmd);
}

/* ---- the store ---- */

START_TEST(verdicts_are_kept_once)
{
    fw_file f = {.id = 1,
                 .case_id = 1000,
                 .slot = "photo",
                 .vault = "v",
                 .name = "n",
                 .mime = "image/png",
                 .size = 1,
                 .sha256 = "00",
                 .created = FX_NOW,
                 .by = 10,
                 .by_org = 1,
                 .scan = FW_SCAN_PENDING},
            *back = NULL;
    const fw_id cases[] = {1000, 1001, 999};
    int waits[3];

    fx_open(_i);
    fx_rows();
    ck_ok(fw_file_add(fx.db, &f, fx.pool));
    f.id = 2;
    ck_ok(fw_file_add(fx.db, &f, fx.pool));
    ck_ok(fw_file_waits(fx.db, cases, 3, waits, fx.pool));
    ck_assert(waits[0] == 2 && waits[1] == 0 && waits[2] == 0);
    ck_ok(fw_file_load(fx.db, 2, &back, fx.pool));
    ck_assert_int_eq(back->scan, FW_SCAN_PENDING);
    ck_assert_int_eq(back->by_org, 1);
    f.scan = FW_SCAN_INFECTED;
    ck_ok(fw_file_judge(fx.db, &f, fx.pool));
    ck_code(fw_file_judge(fx.db, &f, fx.pool), FW_E_CONFLICT);
    f.scan = FW_SCAN_CLEAN;
    ck_code(fw_file_judge(fx.db, &f, fx.pool), FW_E_CONFLICT); /* never the other way */
    ck_ok(fw_file_load(fx.db, 2, &back, fx.pool));
    ck_assert_int_eq(back->scan, FW_SCAN_INFECTED);
    ck_ok(fw_file_waits(fx.db, cases, 1, waits, fx.pool));
    ck_assert_int_eq(waits[0], 1);
    ck_ok(fw_file_retire(fx.db, 1, fx.pool));
    ck_ok(fw_file_waits(fx.db, cases, 1, waits, fx.pool));
    ck_assert_int_eq(waits[0], 0); /* of what was replaced nobody waits */
    fx_run("UPDATE case_file SET scan = 'unheard_of' WHERE id = 2");
    ck_code(fw_file_load(fx.db, 2, &back, fx.pool), FW_E_CORRUPT); /* never taken for clean */
    fx_close();
}
END_TEST

START_TEST(rows_of_before_are_none)
{
    fw_file *back = NULL;

    fx_open(_i);
    fx_rows();
    fx_run("INSERT INTO case_file (id, case_id, slot, vault, name, mime, size, sha256, created, "
           "by_id, current) "
           "VALUES (1, 1000, 'photo', 'v', 'n', 'image/png', 1, '00', 1, 10, 1)");
    ck_ok(fw_file_load(fx.db, 1, &back, fx.pool));
    ck_assert_int_eq(back->scan, FW_SCAN_NONE);
    fx_close();
}
END_TEST

/* ---- the way ---- */

START_TEST(from_upload_to_assignment)
{
    const fw_file *files;
    fw_delivery *d = NULL;
    fw_id kase;

    begin(_i);
    kase = fx_draft(people.worker);
    files = files_of(kase);
    ck_assert_int_eq(
        fx_count("outbox WHERE port = 'scan' AND op = 'scan.scan' AND state = 'ready'"), FILES);
    for (int i = 0; i < FILES; i++) { /* each on its own: none waits for the one before */
        ck_ok(fw_outbox_claim(fx.db, "scan", "me", FX_NOW, FX_NOW + 1000, &d, fx.pool));
        ck_assert_ptr_nonnull(d);
        ck_assert_ptr_nonnull(
            strstr(d->payload, apr_psprintf(fx.pool, "\"%" APR_INT64_T_FMT "\"", kase)));
    }
    fx_perform(&people.agent, (fw_command){.kind = FW_CMD_CASE_SUBMIT, .target = kase});
    ck_assert_int_eq(fx_state(kase), FW_STATE_SUBMITTED);
    fx_refused(&people.dispatcher,
               (fw_command){.kind = FW_CMD_CASE_ASSIGN,
                            .target = kase,
                            .officer_id = people.first.account_id},
               FW_E_CONFLICT, "case.files_unchecked");
    for (int i = 0; i < FILES; i++) {
        ck_assert_int_eq(fx_state(kase), FW_STATE_SUBMITTED);
        judge(kase, files[i].id, FW_SCAN_CLEAN);
    }
    ck_assert_int_eq(fx_state(kase), FW_STATE_INITIAL_REVIEW);
    ck_assert_int_eq(fx_count("case_event WHERE kind = 'file.clean'"), FILES);
    ck_assert_int_eq(fx_count("audit WHERE command = 'file.judge' AND data LIKE '%Engine 1%'"),
                     FILES);
    fx_perform(&people.first, (fw_command){.kind = FW_CMD_CASE_APPROVE, .target = kase});
    fx_perform(&people.second, (fw_command){.kind = FW_CMD_CASE_CONFIRM, .target = kase});
    fx_close();
}
END_TEST

START_TEST(both_infected_files_are_marked)
{
    const fw_file *files;
    fw_case *c = NULL;
    fw_id kase;

    begin(_i);
    kase = fx_draft(people.worker);
    files = files_of(kase);
    fx_perform(&people.agent, (fw_command){.kind = FW_CMD_CASE_SUBMIT, .target = kase});
    for (int i = 0; i < FILES; i++)
        judge(kase, files[i].id,
              strcmp(files[i].slot, "photo") == 0 ? FW_SCAN_CLEAN : FW_SCAN_INFECTED);
    ck_assert_int_eq(fx_state(kase), FW_STATE_RETURNED);
    ck_ok(fw_case_load(fx.db, kase, &c, fx.pool));
    ck_assert_ptr_nonnull(strstr(c->marks, "\"passport_page\""));
    ck_assert_ptr_nonnull(strstr(c->marks, "\"employment_proof\""));
    ck_assert_ptr_null(strstr(c->marks, "\"photo\""));
    fx_refused(&people.agent, (fw_command){.kind = FW_CMD_CASE_SUBMIT, .target = kase}, FW_E_INPUT,
               "file.infected");
    ck_assert_int_eq(fx_count("outbox WHERE op = 'notify.send' AND payload LIKE '%case.return%'"),
                     1);
    ck_assert_int_eq(fx_count("outbox WHERE op = 'notify.send' AND payload LIKE '%file.infected%'"),
                     1);
    fx_close();
}
END_TEST

START_TEST(nobody_else_judges)
{
    const fw_actor *others[] = {&people.agent, &people.first, &people.second, &people.dispatcher,
                                &people.admin};
    fw_file judged = {.scan = FW_SCAN_CLEAN};
    fw_id kase;

    begin(_i);
    kase = fx_draft(people.worker);
    judged.id = files_of(kase)->id;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        fw_command cmd = verdict(kase, &judged);
        fw_result r = {0};

        cmd.actor = others[i];
        ck_ok(fw_perform(fx.desk, fx.db, &cmd, &r, fx.pool));
        ck_assert_int_eq(r.verdict, FW_REFUSED);
        ck_assert(r.code == FW_E_FORBIDDEN || r.code == FW_E_NOTFOUND);
    }
    judged.id = 12345;
    fx_refused(&people.system, verdict(kase, &judged), FW_E_NOTFOUND, "file.unknown");
    fx_close();
}
END_TEST

/* ---- without a scanner ---- */

START_TEST(without_a_scanner_it_is_as_ever)
{
    fw_id kase;

    fx_open(_i);
    fx_desk();
    kase = fx_draft(people.worker);
    ck_assert_int_eq(fx_count("case_file WHERE scan <> 'none'"), 0);
    ck_assert_int_eq(fx_count("outbox WHERE port = 'scan'"), 0);
    fx_perform(&people.agent, (fw_command){.kind = FW_CMD_CASE_SUBMIT, .target = kase});
    ck_assert_int_eq(fx_state(kase), FW_STATE_INITIAL_REVIEW);
    fx_close();
}
END_TEST

/* The scanner's line is taken out of the settings while files wait: they go on waiting. */
START_TEST(taking_the_scanner_away_lets_nothing_through)
{
    const fw_file *files;
    fw_id kase;

    begin(_i);
    kase = fx_draft(people.worker);
    fx.desk->scan_plugin = NULL;
    fx_perform(&people.agent, (fw_command){.kind = FW_CMD_CASE_SUBMIT, .target = kase});
    ck_assert_int_eq(fx_state(kase), FW_STATE_SUBMITTED);
    fx_refused(&people.dispatcher,
               (fw_command){.kind = FW_CMD_CASE_ASSIGN,
                            .target = kase,
                            .officer_id = people.first.account_id},
               FW_E_CONFLICT, "case.files_unchecked");
    files = files_of(kase);
    for (int i = 0; i < FILES; i++)
        judge(kase, files[i].id, FW_SCAN_CLEAN);
    ck_assert_int_eq(fx_state(kase), FW_STATE_INITIAL_REVIEW);
    fx_close();
}
END_TEST

/* ---- at once ---- */

static fw_id one_case;
static const fw_file *one_files;
static fw_scan_e one_scan;

/* 0 files the case; the others judge a file of it each. */
static int file_or_judge(int i, fw_db *db, apr_pool_t *pool)
{
    fw_desk *desk = fx_desk_again(pool);
    const fw_file judged = {.id = i ? one_files[i - 1].id : 0, .scan = one_scan};
    fw_command cmd = i ? verdict(one_case, &judged)
                       : (fw_command){.kind = FW_CMD_CASE_SUBMIT, .target = one_case};
    const fw_err *err;
    fw_result r = {0};

    desk->scan_plugin = "virus";
    cmd.actor = i ? &people.system : &people.agent;
    err = fw_perform(desk, db, &cmd, &r, pool);
    for (int tries = 0; err && fw_err_retryable(err) && tries < 50; tries++)
        err = fw_perform(desk, db, &cmd, &r, pool);
    if (err)
        fprintf(stderr, "%d: %s\n", i, fw_err_text(err, pool));
    return err != NULL;
}

/* Whoever comes last sees what the others did: no case is left lying, none is assigned too early. */
START_TEST(filing_and_verdicts_at_once)
{
    begin(_i);
    for (int n = 0; n < 12; n++) {
        one_case = fx_draft(fx_worker(10 + n));
        one_files = files_of(one_case);
        one_scan = FW_SCAN_CLEAN;
        ck_assert_int_eq(fx_processes(1 + FILES, file_or_judge), 0);
        ck_assert_int_eq(fx_state(one_case), FW_STATE_INITIAL_REVIEW);
    }
    ck_assert_int_eq(fx_count("case_file WHERE scan <> 'clean'"), 0);
    ck_assert_int_eq(fx_count("case_event WHERE kind = 'case.assign'"), 12);
    fx_close();
}
END_TEST

/* Filed before the verdicts, it comes back; after one of them it cannot be filed at all. */
START_TEST(filing_and_infections_at_once)
{
    begin(_i);
    for (int n = 0; n < 12; n++) {
        fw_state_e state;

        one_case = fx_draft(fx_worker(10 + n));
        one_files = files_of(one_case);
        one_scan = FW_SCAN_INFECTED;
        ck_assert_int_eq(fx_processes(1 + FILES, file_or_judge), 0);
        state = fx_state(one_case);
        ck_assert_msg(state == FW_STATE_DRAFT || state == FW_STATE_RETURNED, "%s",
                      fw_state_name(state));
        if (state == FW_STATE_RETURNED) {
            fw_case *c = NULL;

            ck_ok(fw_case_load(fx.db, one_case, &c, fx.pool));
            for (int i = 0; i < FILES; i++)
                ck_assert_msg(strstr(c->marks, one_files[i].slot) != NULL, "%s lacks %s", c->marks,
                              one_files[i].slot);
        }
    }
    ck_assert_int_eq(fx_count("case_file WHERE scan <> 'infected'"), 0);
    fx_close();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scan");
    TCase *both = tcase_create("both back ends");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(both, 90);
    suite_add_tcase(suite, both);
    tcase_add_loop_test(both, verdicts_are_kept_once, 0, FX_BACKENDS);
    tcase_add_loop_test(both, rows_of_before_are_none, 0, FX_BACKENDS);
    tcase_add_loop_test(both, from_upload_to_assignment, 0, FX_BACKENDS);
    tcase_add_loop_test(both, both_infected_files_are_marked, 0, FX_BACKENDS);
    tcase_add_loop_test(both, nobody_else_judges, 0, FX_BACKENDS);
    tcase_add_loop_test(both, without_a_scanner_it_is_as_ever, 0, FX_BACKENDS);
    tcase_add_loop_test(both, taking_the_scanner_away_lets_nothing_through, 0, FX_BACKENDS);
    tcase_add_loop_test(both, filing_and_verdicts_at_once, 0, FX_BACKENDS);
    tcase_add_loop_test(both, filing_and_infections_at_once, 0, FX_BACKENDS);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
