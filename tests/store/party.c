/* Organisations, delegations, workers, accounts, sessions, rates. */
#include "fixture.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_store_account.h"
#include "fw_store_party.h"

static void same(const char *a, const char *b)
{
    if (a && b)
        ck_assert_str_eq(a, b);
    else
        ck_assert_ptr_eq(a, b);
}

static void same_org(const fw_org *a, const fw_org *b)
{
    ck_assert_int_eq(a->id, b->id);
    ck_assert_int_eq(a->version, b->version);
    same(a->kind, b->kind);
    same(a->ban, b->ban);
    same(a->licence, b->licence);
    same(a->name_zh, b->name_zh);
    same(a->name_en, b->name_en);
    same(a->address, b->address);
    same(a->county, b->county);
    same(a->phone, b->phone);
    same(a->email, b->email);
    ck_assert_int_eq(a->created, b->created);
}

START_TEST(organisations)
{
    fw_org a = {.id = 5,
                .kind = "agency",
                .ban = "04595257",
                .licence = "L1",
                .name_zh = "好幫手",
                .name_en = "Good",
                .address = "桃園市1號",
                .county = "桃園市",
                .phone = "03",
                .email = "a@b.tw",
                .created = FX_NOW},
           b = {.id = 6, .kind = "employer", .created = FX_NOW}, stale, *back = NULL;
    apr_array_header_t *list = NULL;

    fx_open(_i);
    ck_ok(fw_org_put(fx.db, &a, fx.pool));
    ck_ok(fw_org_put(fx.db, &b, fx.pool)); /* no number: as often as one likes */
    ck_ok(fw_org_load(fx.db, 5, &back, fx.pool));
    same_org(&a, back);
    ck_ok(fw_org_load(fx.db, 6, &back, fx.pool));
    same_org(&b, back);
    stale = a;
    a.name_zh = a.name_en = a.address = a.county = a.phone = NULL;
    a.email = "";
    ck_ok(fw_org_put(fx.db, &a, fx.pool));
    ck_ok(fw_org_load(fx.db, 5, &back, fx.pool));
    same_org(&a, back);
    ck_code(fw_org_put(fx.db, &stale, fx.pool), FW_E_CONFLICT);
    ck_code(fw_org_load(fx.db, 99, &back, fx.pool), FW_E_NOTFOUND);
    b = (fw_org){.id = 7, .kind = "employer", .ban = "04595257", .created = FX_NOW};
    ck_code(fw_org_put(fx.db, &b, fx.pool), FW_E_CONFLICT);
    ck_ok(fw_org_list(fx.db, 10, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 2);
    ck_ok(fw_org_list(fx.db, 1, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 1);
    ck_ok(fw_org_by_ban(fx.db, "04595257", &back, fx.pool));
    ck_assert_int_eq(back->id, 5);
    fx_close();
}
END_TEST

static void add_session(fw_id account, const char *hash, apr_time_t seen, apr_time_t expires)
{
    fw_session s = {
        .account_id = account, .csrf = "c", .created = FX_NOW, .seen = seen, .expires = expires};

    ck_ok(fw_session_add(fx.db, hash, &s, NULL, "Mozilla", fx.pool));
}

/* The session of somebody of organisation 2, who is made for it. */
static const fw_session *who_of_agency(void)
{
    fw_account a = {.id = 30,
                    .login = "agent",
                    .name = "A Name",
                    .lang = "en",
                    .roles = FW_ROLE_AGENT,
                    .org_id = 2,
                    .pw_hash = "$argon2id$",
                    .active = true,
                    .created = FX_NOW};
    fw_session *s = NULL;

    if (fx_count("account WHERE id = 30") == 0) {
        ck_ok(fw_account_put(fx.db, &a, fx.pool));
        add_session(30, "agent", FX_NOW, FX_NOW + 1000);
    }
    ck_ok(fw_session_load(fx.db, "agent", &s, fx.pool));
    ck_assert_str_eq(s->account->login, "agent");
    ck_assert_int_eq(s->account->roles, FW_ROLE_AGENT);
    same(s->org_en, "Company 2");
    return s;
}

START_TEST(delegations)
{
    fw_delegation d = {.id = 50, .employer_id = 1, .agency_id = 2, .granted = FX_NOW}, again, stale;
    fw_delegation *back = NULL;
    apr_array_header_t *list = NULL;

    fx_open(_i);
    fx_rows();
    ck_ok(fw_delegation_live(fx.db, 1, 2, &back, fx.pool));
    ck_assert_ptr_null(back);
    ck_ok(fw_delegation_put(fx.db, &d, fx.pool));
    again = (fw_delegation){.id = 51, .employer_id = 1, .agency_id = 2, .granted = FX_NOW + 1};
    ck_code(fw_delegation_put(fx.db, &again, fx.pool), FW_E_CONFLICT); /* one in force */
    ck_ok(fw_delegation_live(fx.db, 1, 2, &back, fx.pool));
    ck_assert_int_eq(back->id, 50);
    ck_assert_int_eq(back->granted, FX_NOW);
    ck_assert_int_eq(back->version, 1);
    ck_assert_int_eq(who_of_agency()->n_employers, 1);
    ck_assert_int_eq(who_of_agency()->employers[0], 1);
    ck_ok(fw_org_employers(fx.db, 2, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 1);
    ck_ok(fw_delegation_of_employer(fx.db, 1, &list, fx.pool));
    same(APR_ARRAY_IDX(list, 0, fw_delegation_line).name_en, "Company 2");
    stale = d;
    d.revoked = FX_NOW + 9;
    ck_ok(fw_delegation_put(fx.db, &d, fx.pool));
    ck_code(fw_delegation_put(fx.db, &stale, fx.pool), FW_E_CONFLICT);
    ck_ok(fw_delegation_load(fx.db, 50, &back, fx.pool));
    ck_assert_int_eq(back->revoked, FX_NOW + 9);
    ck_assert_int_eq(who_of_agency()->n_employers, 0);
    ck_ok(fw_delegation_put(fx.db, &again, fx.pool)); /* after the end of the first */
    ck_code(fw_delegation_load(fx.db, 99, &back, fx.pool), FW_E_NOTFOUND);
    fx_close();
}
END_TEST

static fw_worker full_worker(fw_id id)
{
    return (fw_worker){.id = id,
                       .employer_id = 1,
                       .agency_id = 2,
                       .passport_no = apr_psprintf(fx.pool, "C%d", (int)id),
                       .nationality = "VNM",
                       .name_latin = "NGUYEN",
                       .name_native = "Nguyễn Văn Ánh ณ เชียงใหม่",
                       .birth = "1990-01-01",
                       .sex = "X",
                       .permit_letter = "勞動發事字第1號",
                       .data = "{\"mrz\":\"P<VNM\\n\"}",
                       .created = FX_NOW + id};
}

static void same_worker(const fw_worker *a, const fw_worker *b)
{
    ck_assert_int_eq(a->id, b->id);
    ck_assert_int_eq(a->version, b->version);
    ck_assert_int_eq(a->employer_id, b->employer_id);
    ck_assert_int_eq(a->agency_id, b->agency_id);
    same(a->passport_no, b->passport_no);
    same(a->nationality, b->nationality);
    same(a->name_latin, b->name_latin);
    same(a->name_native, b->name_native);
    same(a->birth, b->birth);
    same(a->sex, b->sex);
    same(a->permit_letter, b->permit_letter);
    same(a->data, b->data);
    ck_assert_int_eq(a->created, b->created);
}

START_TEST(workers)
{
    fw_worker w, stale, *back = NULL;
    fw_id id = 9;

    fx_open(_i);
    fx_rows();
    w = full_worker(5);
    ck_ok(fw_worker_put(fx.db, &w, fx.pool));
    ck_ok(fw_worker_load(fx.db, 5, &back, fx.pool));
    same_worker(&w, back);
    stale = w;
    w.name_latin = w.name_native = w.birth = w.sex = w.permit_letter = NULL;
    w.passport_no = "NEW1";
    ck_ok(fw_worker_put(fx.db, &w, fx.pool));
    ck_ok(fw_worker_load(fx.db, 5, &back, fx.pool));
    same_worker(&w, back);
    ck_code(fw_worker_put(fx.db, &stale, fx.pool), FW_E_CONFLICT);
    ck_ok(fw_worker_by_passport(fx.db, 1, "VNM", "NEW1", &id, fx.pool));
    ck_assert_int_eq(id, 5);
    ck_ok(fw_worker_by_passport(fx.db, 1, "IDN", "NEW1", &id, fx.pool));
    ck_assert_int_eq(id, 0);
    w = full_worker(6);
    w.passport_no = "NEW1";
    ck_code(fw_worker_put(fx.db, &w, fx.pool), FW_E_CONFLICT); /* one worker for each passport */
    ck_code(fw_worker_load(fx.db, 99, &back, fx.pool), FW_E_NOTFOUND);
    fx_close();
}
END_TEST

static const char *worker_ids(fw_id org, bool agency, apr_time_t before, int limit)
{
    apr_array_header_t *list = NULL;
    const char *text = "";

    ck_ok(fw_worker_list(fx.db, org, agency, before, limit, &list, fx.pool));
    for (int i = 0; i < list->nelts; i++)
        text = apr_psprintf(fx.pool, "%s%d ", text,
                            (int)APR_ARRAY_IDX(list, i, fw_worker_line).worker.id);
    return text;
}

START_TEST(lists_of_workers)
{
    fw_delegation d = {.id = 50, .employer_id = 1, .agency_id = 2, .granted = FX_NOW};

    fx_open(_i);
    fx_rows();
    fx_run("DELETE FROM cases");
    fx_run("DELETE FROM worker");
    for (fw_id i = 1; i <= 4; i++) {
        fw_worker w = full_worker(i);

        w.agency_id = i == 1 ? 0 : i == 2 ? 77 : 2;
        ck_ok(fw_worker_put(fx.db, &w, fx.pool));
    }
    ck_assert_str_eq(worker_ids(1, false, 0, 10), "4 3 2 1 ");
    ck_assert_str_eq(worker_ids(1, false, FX_NOW + 3, 1), "2 ");
    ck_assert_str_eq(worker_ids(2, true, 0, 10), "");
    ck_ok(fw_delegation_put(fx.db, &d, fx.pool));
    ck_assert_str_eq(worker_ids(2, true, 0, 10), "4 3 1 "); /* 2 is another agency's */
    fx_close();
}
END_TEST

START_TEST(accounts)
{
    fw_account a = {.id = 5,
                    .login = "王小明@x.tw",
                    .name = "王小明",
                    .email = "a@x.tw",
                    .lang = "zh-Hant",
                    .roles = FW_ROLE_INITIAL | FW_ROLE_ADMIN,
                    .org_id = 1,
                    .station = "TYC",
                    .pw_hash = "$argon2id$v=19$x",
                    .pw_old = "[]",
                    .must_change = true,
                    .active = true,
                    .failures = 2,
                    .locked_until = FX_NOW,
                    .last_login = 5,
                    .created = FX_NOW},
               stale, *back = NULL;
    apr_array_header_t *list = NULL;

    fx_open(_i);
    fx_rows();
    ck_ok(fw_account_put(fx.db, &a, fx.pool));
    ck_ok(fw_account_by_login(fx.db, a.login, &back, fx.pool));
    ck_assert_int_eq(back->id, 5);
    ck_assert_int_eq(back->version, 1);
    same(back->name, a.name);
    same(back->email, a.email);
    same(back->lang, a.lang);
    same(back->station, a.station);
    same(back->pw_hash, a.pw_hash);
    same(back->pw_old, a.pw_old);
    ck_assert_uint_eq(back->roles, a.roles);
    ck_assert_int_eq(back->org_id, 1);
    ck_assert(back->must_change && back->active);
    ck_assert_int_eq(back->failures, 2);
    ck_assert_int_eq(back->locked_until, FX_NOW);
    ck_assert_int_eq(back->last_login, 5);
    ck_assert_int_eq(back->created, FX_NOW);
    stale = a;
    a.email = a.station = a.pw_old = NULL;
    a.must_change = a.active = false;
    a.roles = FW_ROLE_AUDITOR;
    ck_ok(fw_account_put(fx.db, &a, fx.pool));
    ck_code(fw_account_put(fx.db, &stale, fx.pool), FW_E_CONFLICT);
    ck_ok(fw_account_load(fx.db, 5, &back, fx.pool));
    same(back->email, NULL);
    same(back->pw_old, NULL);
    ck_assert(!back->must_change && !back->active);
    ck_assert_uint_eq(back->roles, FW_ROLE_AUDITOR);
    stale.id = 6;
    stale.version = 0;
    ck_code(fw_account_put(fx.db, &stale, fx.pool), FW_E_CONFLICT); /* the log-in name is taken */
    ck_code(fw_account_load(fx.db, 99, &back, fx.pool), FW_E_NOTFOUND);
    ck_code(fw_account_by_login(fx.db, "nobody", &back, fx.pool), FW_E_NOTFOUND);
    ck_ok(fw_account_list(fx.db, 2, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 2);
    fx_run("UPDATE account SET roles = 'emperor' WHERE id = 5");
    ck_code(fw_account_load(fx.db, 5, &back, fx.pool), FW_E_CORRUPT);
    fx_close();
}
END_TEST

START_TEST(failures_lock_an_account)
{
    fw_account *a = NULL;
    int n = 0;

    fx_open(_i);
    fx_rows();
    for (int i = 1; i <= 3; i++) {
        ck_ok(fw_account_failed(fx.db, 10, 3, FX_NOW + 100, &n, fx.pool));
        ck_assert_int_eq(n, i);
        ck_ok(fw_account_load(fx.db, 10, &a, fx.pool));
        ck_assert_int_eq(a->locked_until, i < 3 ? 0 : FX_NOW + 100);
    }
    ck_ok(fw_account_unlock(fx.db, 10, FX_NOW + 99, fx.pool));
    ck_ok(fw_account_load(fx.db, 10, &a, fx.pool));
    ck_assert_int_eq(a->failures, 3);
    ck_ok(fw_account_unlock(fx.db, 10, FX_NOW + 100, fx.pool));
    ck_ok(fw_account_load(fx.db, 10, &a, fx.pool));
    ck_assert_int_eq(a->failures, 0);
    ck_assert_int_eq(a->locked_until, 0);
    ck_ok(fw_account_failed(fx.db, 10, 3, FX_NOW + 100, &n, fx.pool));
    ck_ok(fw_account_entered(fx.db, 10, FX_NOW + 7, fx.pool));
    ck_ok(fw_account_load(fx.db, 10, &a, fx.pool));
    ck_assert_int_eq(a->failures, 0);
    ck_assert_int_eq(a->last_login, FX_NOW + 7);
    n = 7;
    ck_ok(fw_account_failed(fx.db, 999, 3, FX_NOW, &n, fx.pool)); /* nobody's */
    ck_assert_int_eq(n, 0);
    fx_close();
}
END_TEST

START_TEST(sessions)
{
    fw_session *s = NULL;

    fx_open(_i);
    fx_rows();
    add_session(10, "h1", FX_NOW, FX_NOW + 1000);
    add_session(10, "h2", FX_NOW + 50, FX_NOW + 1000);
    add_session(10, "h3", FX_NOW + 50, FX_NOW + 10);
    add_session(10, "h4", FX_NOW + 90, FX_NOW + 1000);
    ck_ok(fw_session_load(fx.db, "h1", &s, fx.pool));
    ck_assert_int_eq(s->account_id, 10);
    ck_assert_int_eq(s->account->id, 10);
    ck_assert_str_eq(s->account->login, "login10");
    ck_assert_int_eq(s->n_employers, 0);
    same(s->csrf, "c");
    ck_assert_int_eq(s->created, FX_NOW);
    ck_assert_int_eq(s->expires, FX_NOW + 1000);
    ck_ok(fw_session_load(fx.db, "none", &s, fx.pool));
    ck_assert_ptr_null(s);
    ck_ok(fw_session_touch(fx.db, "h2", FX_NOW + 60, FX_NOW + 50, fx.pool)); /* touched lately */
    ck_ok(fw_session_load(fx.db, "h2", &s, fx.pool));
    ck_assert_int_eq(s->seen, FX_NOW + 50);
    ck_ok(fw_session_touch(fx.db, "h2", FX_NOW + 60, FX_NOW + 55, fx.pool));
    ck_ok(fw_session_load(fx.db, "h2", &s, fx.pool));
    ck_assert_int_eq(s->seen, FX_NOW + 60);
    ck_ok(fw_session_purge(fx.db, FX_NOW + 20, FX_NOW + 10, fx.pool)); /* h1 idle, h3 over */
    ck_assert_int_eq(fx_count("session"), 2);
    ck_ok(fw_session_delete_others(fx.db, 10, "h4", fx.pool));
    ck_assert_int_eq(fx_count("session WHERE token_hash = 'h4'"), 1);
    ck_assert_int_eq(fx_count("session"), 1);
    ck_ok(fw_session_delete(fx.db, "h4", fx.pool));
    ck_assert_int_eq(fx_count("session"), 0);
    fx_close();
}
END_TEST

START_TEST(rates)
{
    int hits = 0;

    fx_open(_i);
    for (int i = 1; i <= 4; i++) {
        ck_ok(fw_rate_hit(fx.db, "login:192.0.2.1", FX_NOW + i, 60, &hits, fx.pool));
        ck_assert_int_eq(hits, i);
    }
    ck_ok(fw_rate_hit(fx.db, "login:192.0.2.2", FX_NOW + 5, 60, &hits, fx.pool));
    ck_assert_int_eq(hits, 1);
    ck_ok(fw_rate_hit(fx.db, "login:192.0.2.1", FX_NOW + 61, 60, &hits, fx.pool));
    ck_assert_int_eq(hits, 5); /* still within */
    ck_ok(fw_rate_hit(fx.db, "login:192.0.2.1", FX_NOW + 62, 60, &hits, fx.pool));
    ck_assert_int_eq(hits, 1);
    ck_ok(fw_rate_purge(fx.db, FX_NOW + 60, fx.pool));
    ck_assert_int_eq(fx_count("rate"), 1);
    fx_close();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("party");
    TCase *both = tcase_create("both back ends");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(both, 60);
    suite_add_tcase(suite, both);
    tcase_add_loop_test(both, organisations, 0, FX_BACKENDS);
    tcase_add_loop_test(both, delegations, 0, FX_BACKENDS);
    tcase_add_loop_test(both, workers, 0, FX_BACKENDS);
    tcase_add_loop_test(both, lists_of_workers, 0, FX_BACKENDS);
    tcase_add_loop_test(both, accounts, 0, FX_BACKENDS);
    tcase_add_loop_test(both, failures_lock_an_account, 0, FX_BACKENDS);
    tcase_add_loop_test(both, sessions, 0, FX_BACKENDS);
    tcase_add_loop_test(both, rates, 0, FX_BACKENDS);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
