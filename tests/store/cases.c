/* Cases, files and history: what is put is loaded again, whole, on both back ends. */
#include "fixture.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_store_case.h"
#include "fw_store_party.h"

/* Any script, marks, quotes, SQL. */
#define NAME_NATIVE "สมชาย نگوین Ngữyễn \xf0\xa0\x80\x80 🛂 o'Neil \"x\" %s; DROP TABLE cases;--"

static void same(const char *a, const char *b)
{
    if (a && b)
        ck_assert_str_eq(a, b);
    else
        ck_assert_ptr_eq(a, b);
}

static fw_case full_case(fw_id id)
{
    return (fw_case){.id = id,
                     .case_no = apr_psprintf(fx.pool, "115%07d", (int)id),
                     .service = "epermit",
                     .service_hash = "abc",
                     .state = FW_STATE_RETURNED,
                     .state_since = FX_NOW + 1,
                     .worker_id = 100,
                     .employer_id = 1,
                     .agency_id = 2,
                     .filer_id = 10,
                     .station = "TYC",
                     .first_reviewer = 20,
                     .second_reviewer = 21,
                     .return_to = FW_STATE_SECOND_REVIEW,
                     .editors = ",20,",
                     .data = "{\"name\":\"" NAME_NATIVE "\"}",
                     .marks = "[]",
                     .reason = "",
                     .fee = 1000,
                     .payment_id = 7,
                     .permit_id = 8,
                     .created = FX_NOW + id,
                     .submitted = FX_NOW + 3,
                     .due = FX_NOW + 4,
                     .deadline = FX_NOW + 5,
                     .turn_since = FX_NOW + 6,
                     .office_us = INT64_C(4000000000000),
                     .applicant_us = 9,
                     .passport_no = "C1234567",
                     .nationality = "IDN",
                     .name_latin = "O'NEIL",
                     .name_native = NAME_NATIVE,
                     .birth = "1990-01-02",
                     .permit_letter = "勞動發事字第1150012345號",
                     .county = "桃園市"};
}

static void same_case(const fw_case *a, const fw_case *b)
{
    ck_assert_int_eq(a->id, b->id);
    ck_assert_int_eq(a->version, b->version);
    same(a->case_no, b->case_no);
    same(a->service, b->service);
    same(a->service_hash, b->service_hash);
    ck_assert_int_eq(a->state, b->state);
    ck_assert_int_eq(a->state_since, b->state_since);
    ck_assert_int_eq(a->worker_id, b->worker_id);
    ck_assert_int_eq(a->employer_id, b->employer_id);
    ck_assert_int_eq(a->agency_id, b->agency_id);
    ck_assert_int_eq(a->filer_id, b->filer_id);
    same(a->station, b->station);
    ck_assert_int_eq(a->first_reviewer, b->first_reviewer);
    ck_assert_int_eq(a->second_reviewer, b->second_reviewer);
    ck_assert_int_eq(a->return_to, b->return_to);
    same(a->editors, b->editors);
    same(a->data, b->data);
    same(a->marks, b->marks);
    same(a->reason, b->reason);
    ck_assert_int_eq(a->fee, b->fee);
    ck_assert_int_eq(a->payment_id, b->payment_id);
    ck_assert_int_eq(a->permit_id, b->permit_id);
    ck_assert_int_eq(a->created, b->created);
    ck_assert_int_eq(a->submitted, b->submitted);
    ck_assert_int_eq(a->due, b->due);
    ck_assert_int_eq(a->deadline, b->deadline);
    ck_assert_int_eq(a->turn_since, b->turn_since);
    ck_assert_int_eq(a->office_us, b->office_us);
    ck_assert_int_eq(a->applicant_us, b->applicant_us);
    same(a->passport_no, b->passport_no);
    same(a->nationality, b->nationality);
    same(a->name_latin, b->name_latin);
    same(a->name_native, b->name_native);
    same(a->birth, b->birth);
    same(a->permit_letter, b->permit_letter);
    same(a->county, b->county);
}

static fw_case *load(fw_id id)
{
    fw_case *c = NULL;

    ck_ok(fw_case_load(fx.db, id, &c, fx.pool));
    return c;
}

START_TEST(put_load_update)
{
    fw_case c, *back, stale;

    fx_open(_i);
    fx_rows();
    c = full_case(5);
    ck_ok(fw_case_put(fx.db, &c, fx.pool));
    ck_assert_int_eq(c.version, 1);
    same_case(&c, load(5));
    back = load(1000); /* of fixture: nearly all of it none */
    ck_assert_ptr_null(back->case_no);
    ck_assert_ptr_null(back->name_native);
    stale = c;
    c.state = FW_STATE_WITHDRAWN;
    c.case_no = NULL;
    c.station = NULL;
    c.first_reviewer = c.second_reviewer = c.fee = c.payment_id = c.permit_id = 0;
    c.return_to = FW_STATE_DRAFT;
    c.editors = c.marks = c.reason = NULL;
    c.passport_no = c.nationality = c.name_latin = c.name_native = NULL;
    c.birth = c.permit_letter = c.county = NULL;
    c.data = "{}";
    c.submitted = c.due = c.deadline = c.turn_since = c.office_us = c.applicant_us = 0;
    ck_ok(fw_case_put(fx.db, &c, fx.pool));
    ck_assert_int_eq(c.version, 2);
    same_case(&c, load(5));
    ck_code(fw_case_put(fx.db, &stale, fx.pool), FW_E_CONFLICT);
    ck_assert_int_eq(stale.version, 1);
    same_case(&c, load(5));
    fx_close();
}
END_TEST

START_TEST(missing_taken_corrupt)
{
    fw_case c, *none = NULL;

    fx_open(_i);
    fx_rows();
    ck_code(fw_case_load(fx.db, 999, &none, fx.pool), FW_E_NOTFOUND);
    ck_assert_ptr_null(none);
    c = full_case(5);
    ck_ok(fw_case_put(fx.db, &c, fx.pool));
    c.id = 6;
    c.version = 0;
    ck_code(fw_case_put(fx.db, &c, fx.pool), FW_E_CONFLICT); /* the same case number */
    c.case_no = NULL;
    c.worker_id = 12345;
    ck_code(fw_case_put(fx.db, &c, fx.pool), FW_E_INTERNAL); /* of no worker */
    fx_run("UPDATE cases SET state = 'unheard_of' WHERE id = 5");
    ck_code(fw_case_load(fx.db, 5, &none, fx.pool), FW_E_CORRUPT); /* never taken for a draft */
    fx_close();
}
END_TEST

/* ---- lists ---- */

static const char *ids(fw_case_ask ask)
{
    apr_array_header_t *list = NULL;
    const char *text = "";

    if (!ask.limit)
        ask.limit = 100;
    ck_ok(fw_case_list(fx.db, &ask, &list, fx.pool));
    for (int i = 0; i < list->nelts; i++)
        text = apr_psprintf(fx.pool, "%s%s%d", text, i ? " " : "",
                            (int)APR_ARRAY_IDX(list, i, fw_case_line).id);
    return text;
}

/* Cases 1 to 6 of agency 2; the due times run the other way than the times of creation. */
static void put_list(void)
{
    fw_delegation d = {.id = 50, .employer_id = 1, .agency_id = 2, .granted = FX_NOW};

    ck_ok(fw_delegation_put(fx.db, &d, fx.pool));
    fx_run("DELETE FROM cases");
    for (fw_id i = 1; i <= 6; i++) {
        fw_case c = full_case(i);

        c.due = FX_NOW + 1000 - i;
        c.state = i <= 2 ? FW_STATE_DRAFT : FW_STATE_INITIAL_REVIEW;
        c.station = i == 6 ? NULL : "TYC";
        c.first_reviewer = i == 3 ? 21 : 20;
        c.passport_no = apr_psprintf(fx.pool, "P%d", (int)i);
        c.name_latin = "SAME NAME";
        ck_ok(fw_case_put(fx.db, &c, fx.pool));
    }
}

START_TEST(lists_of_applicants)
{
    fx_open(_i);
    fx_rows();
    put_list();
    ck_assert_str_eq(ids((fw_case_ask){.list = FW_LIST_EMPLOYER, .id = 1}), "6 5 4 3 2 1");
    ck_assert_str_eq(ids((fw_case_ask){.list = FW_LIST_EMPLOYER, .id = 1, .limit = 2}), "6 5");
    ck_assert_str_eq(
        ids((fw_case_ask){.list = FW_LIST_EMPLOYER, .id = 1, .limit = 2, .before = FX_NOW + 5}),
        "4 3");
    ck_assert_str_eq(ids((fw_case_ask){.list = FW_LIST_EMPLOYER, .id = 1, .state = "draft"}),
                     "2 1");
    ck_assert_str_eq(ids((fw_case_ask){.list = FW_LIST_EMPLOYER, .id = 2}), "");
    ck_assert_str_eq(ids((fw_case_ask){.list = FW_LIST_AGENCY, .id = 2, .limit = 1}), "6");
    ck_assert_str_eq(ids((fw_case_ask){.list = FW_LIST_WORKER, .id = 100}), "6 5 4 3 2 1");
    fx_run("UPDATE delegation SET revoked = 1");
    ck_assert_str_eq(ids((fw_case_ask){.list = FW_LIST_AGENCY, .id = 2}), "");
    fx_close();
}
END_TEST

START_TEST(lists_of_officers)
{
    fx_open(_i);
    fx_rows();
    put_list();
    ck_assert_str_eq(
        ids((fw_case_ask){.list = FW_LIST_REVIEWER, .id = 20, .state = "initial_review"}), "6 5 4");
    ck_assert_str_eq(
        ids((fw_case_ask){
            .list = FW_LIST_STATION, .text = "TYC", .id = 21, .state = "initial_review"}),
        "5 4");
    /* On from a place: a case that is gone from there since leaves the place as it is. */
    ck_assert_str_eq(ids((fw_case_ask){.list = FW_LIST_REVIEWER,
                                       .id = 20,
                                       .state = "initial_review",
                                       .after_due = FX_NOW + 995,
                                       .after = 5}),
                     "4");
    ck_assert_str_eq(ids((fw_case_ask){.list = FW_LIST_STATION,
                                       .text = "TYC",
                                       .id = 21,
                                       .state = "initial_review",
                                       .after_due = FX_NOW + 995,
                                       .after = 4}),
                     "5 4");
    /* One that no station was found for is nobody's, and the dispatcher must see it. */
    ck_assert_str_eq(ids((fw_case_ask){.list = FW_LIST_STATE, .state = "initial_review"}),
                     "6 5 4 3");
    fx_run("UPDATE cases SET due = 7");
    ck_assert_str_eq(ids((fw_case_ask){.list = FW_LIST_STATE,
                                       .state = "initial_review",
                                       .after_due = 7,
                                       .after = 3,
                                       .limit = 2}),
                     "4 5");
    ck_assert_str_eq(ids((fw_case_ask){.list = FW_LIST_SEARCH, .text = "P4"}), "4");
    ck_assert_str_eq(ids((fw_case_ask){.list = FW_LIST_SEARCH, .text = "1150000005"}), "5");
    ck_assert_str_eq(ids((fw_case_ask){.list = FW_LIST_SEARCH, .text = "SAME NAME"}), "6 5 4 3");
    ck_assert_str_eq(ids((fw_case_ask){.list = FW_LIST_SEARCH, .text = "P1"}), ""); /* a draft */
    ck_assert_str_eq(ids((fw_case_ask){.list = FW_LIST_SEARCH, .text = "' OR 1=1 --"}), "");
    fx_close();
}
END_TEST

START_TEST(officers_and_overdue)
{
    apr_array_header_t *list = NULL;

    fx_open(_i);
    fx_rows();
    put_list();
    ck_ok(fw_case_officers(fx.db, "TYC", &list, fx.pool));
    ck_assert_int_eq(list->nelts, 2);
    ck_assert_int_eq(APR_ARRAY_IDX(list, 0, fw_officer).id, 20);
    ck_assert_int_eq(APR_ARRAY_IDX(list, 0, fw_officer).open, 3);
    ck_assert_int_eq(APR_ARRAY_IDX(list, 1, fw_officer).open, 1);
    fx_run("UPDATE account SET active = 0 WHERE id = 20");
    ck_ok(fw_case_officers(fx.db, "TYC", &list, fx.pool));
    ck_assert_int_eq(list->nelts, 1);
    ck_ok(fw_case_officers(fx.db, "NOWHERE", &list, fx.pool));
    ck_assert_int_eq(list->nelts, 0);
    ck_ok(fw_case_overdue(fx.db, FX_NOW + 6, 10, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 2); /* the drafts */
    ck_ok(fw_case_overdue(fx.db, FX_NOW + 6, 1, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 1);
    ck_ok(fw_case_overdue(fx.db, FX_NOW + 5, 10, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 0);
    fx_close();
}
END_TEST

/* ---- files, history ---- */

static fw_file file_of(fw_id id, const char *slot)
{
    return (fw_file){.id = id,
                     .case_id = 1000,
                     .slot = slot,
                     .vault = "00ff",
                     .name = "../../etc/passwd 護照.pdf",
                     .mime = "application/pdf",
                     .size = INT64_C(5000000000),
                     .sha256 = "ab",
                     .measures = id == 1 ? "{}" : NULL,
                     .created = FX_NOW,
                     .by = 10};
}

START_TEST(files)
{
    apr_array_header_t *list = NULL;
    fw_file f, *back = NULL;

    fx_open(_i);
    fx_rows();
    for (fw_id i = 1; i <= 4; i++) {
        f = file_of(i, i < 3 ? "photo" : "passport_page");
        ck_ok(fw_file_add(fx.db, &f, fx.pool));
    }
    ck_code(fw_file_add(fx.db, &f, fx.pool), FW_E_CONFLICT);
    ck_ok(fw_file_load(fx.db, 1, &back, fx.pool));
    f = file_of(1, "photo");
    same(back->slot, f.slot);
    same(back->vault, f.vault);
    same(back->name, f.name);
    same(back->mime, f.mime);
    ck_assert_int_eq(back->size, f.size);
    same(back->sha256, f.sha256);
    same(back->measures, f.measures);
    ck_assert_int_eq(back->created, f.created);
    ck_assert_int_eq(back->by, 10);
    ck_assert(back->current);
    ck_ok(fw_file_retire(fx.db, 4, fx.pool));
    ck_ok(fw_file_retire_slot(fx.db, 1000, "photo", fx.pool));
    ck_ok(fw_file_list(fx.db, 1000, false, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 1);
    ck_assert_int_eq(APR_ARRAY_IDX(list, 0, fw_file).id, 3);
    ck_assert_ptr_null(APR_ARRAY_IDX(list, 0, fw_file).measures);
    ck_ok(fw_file_list(fx.db, 1000, true, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 4);
    ck_assert(!APR_ARRAY_IDX(list, 3, fw_file).current);
    ck_code(fw_file_load(fx.db, 99, &back, fx.pool), FW_E_NOTFOUND);
    fx_close();
}
END_TEST

START_TEST(history_is_numbered)
{
    apr_array_header_t *list = NULL;
    fw_event e = {.case_id = 1000,
                  .at = FX_NOW,
                  .actor_id = 20,
                  .kind = "case.correct",
                  .from = FW_STATE_INITIAL_REVIEW,
                  .to = FW_STATE_SECOND_REVIEW};

    fx_open(_i);
    fx_rows();
    ck_ok(fw_event_list(fx.db, 1000, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 0);
    for (int i = 1; i <= 3; i++) {
        e.id = 100 - i; /* the order is that of writing, not of identities */
        e.actor_name = i == 2 ? NULL : "審查員";
        e.data = i == 2 ? NULL
                        : "{\"before\":\""
                          "é\"}";
        ck_ok(fw_event_add(fx.db, &e, fx.pool));
    }
    ck_ok(fw_event_list(fx.db, 1000, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 3);
    for (int i = 0; i < 3; i++) {
        const fw_event *back = &APR_ARRAY_IDX(list, i, fw_event);

        ck_assert_int_eq(back->seq, i + 1);
        ck_assert_int_eq(back->id, 99 - i);
        ck_assert_int_eq(back->from, FW_STATE_INITIAL_REVIEW);
        ck_assert_int_eq(back->to, FW_STATE_SECOND_REVIEW);
        ck_assert_int_eq(back->at, FX_NOW);
        ck_assert_int_eq(back->actor_id, 20);
        same(back->kind, "case.correct");
        same(back->actor_name, i == 1 ? NULL : "審查員");
        same(back->data, i == 1 ? NULL : "{\"before\":\"é\"}");
    }
    fx_close();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cases");
    TCase *both = tcase_create("both back ends");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(both, 60);
    suite_add_tcase(suite, both);
    tcase_add_loop_test(both, put_load_update, 0, FX_BACKENDS);
    tcase_add_loop_test(both, missing_taken_corrupt, 0, FX_BACKENDS);
    tcase_add_loop_test(both, lists_of_applicants, 0, FX_BACKENDS);
    tcase_add_loop_test(both, lists_of_officers, 0, FX_BACKENDS);
    tcase_add_loop_test(both, officers_and_overdue, 0, FX_BACKENDS);
    tcase_add_loop_test(both, files, 0, FX_BACKENDS);
    tcase_add_loop_test(both, history_is_numbered, 0, FX_BACKENDS);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
