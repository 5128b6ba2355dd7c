/* Passwords: what is taken, that hashes hold, that old ones are known again, that the lane lets few in. */
#include "fw_config.h"

#include <string.h>

#include <apr_atomic.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <argon2.h>
#include <check.h>
#include <jansson.h>

#include "fw_password.h"
#include "pool.h"

static const char *hash_of(const char *password)
{
    const char *phc = NULL;

    ck_assert_ptr_null(fw_password_hash(password, &phc, pool));
    return phc;
}

static const char *repeat(const char *text, int n)
{
    const char *out = "";

    for (int i = 0; i < n; i++)
        out = apr_pstrcat(pool, out, text, NULL);
    return out;
}

START_TEST(judges)
{
    const struct {
        const char *password, *login, *why;
    } rows[] = {
        {"", NULL, "password.short"},
        {"short-pw-11", NULL, "password.short"},
        {"enough-pw-12", NULL, NULL},
        {"demo-permit-2026", "broker", NULL},
        {repeat("ab", 64), NULL, NULL},
        {apr_pstrcat(pool, repeat("ab", 64), "c", NULL), NULL, "password.long"},
        {"居留證線上申辦平臺第一關", NULL, NULL},
        {"居留證線上申辦平臺第一", NULL, "password.short"},
        {"with\ttabulator", NULL, "password.control"},
        {"with\xC2\x85next-line", NULL, "password.control"},
        {"with\x7F" "delete-sign", NULL, "password.control"},
        {"cut-character\xE5\xB1", NULL, "password.control"},
        {"aaaaaaaaaaaaaa", NULL, "password.common"},
        {"證證證證證證證證證證證證", NULL, "password.common"},
        {"Password-2026!!", NULL, "password.common"},
        {"123456789012", NULL, "password.common"},
        {"Administrator1", NULL, "password.common"},
        {"my-Reviewer1-word", "reviewer1", "password.common"},
        {"an-abacus-counts", "aba", NULL},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *why = fw_password_judge(rows[i].password, rows[i].login);

        ck_assert_msg((!why && !rows[i].why) || (why && rows[i].why && !strcmp(why, rows[i].why)),
                      "%s: %s", rows[i].password, why ? why : "good");
    }
}
END_TEST

START_TEST(hashes_hold)
{
    const char *one = hash_of("demo-permit-2026"), *two = hash_of("demo-permit-2026");

    ck_assert_msg(strncmp(one, "$argon2id$v=19$m=19456,t=2,p=1$", 31) == 0, "%s", one);
    ck_assert_str_ne(one, two);
    ck_assert(fw_password_right("demo-permit-2026", one, pool));
    ck_assert(fw_password_right("demo-permit-2026", two, pool));
    ck_assert(!fw_password_right("demo-permit-2027", one, pool));
    ck_assert(!fw_password_right("demo-permit-2026 ", one, pool));
    ck_assert(!fw_password_right("", one, pool));
}
END_TEST

/* RFC 9106's algorithm in another's words: made by argon2's own command line. */
START_TEST(takes_foreign_strings)
{
    char phc[128];

    ck_assert_int_eq(argon2id_hash_encoded(3, 8192, 4, "from elsewhere", 14, "saltsaltsalt", 12, 24,
                                           phc, sizeof(phc)),
                     ARGON2_OK);
    ck_assert(fw_password_right("from elsewhere", phc, pool));
    ck_assert_int_eq(argon2i_hash_encoded(3, 8192, 1, "from elsewhere", 14, "saltsaltsalt", 12, 24,
                                          phc, sizeof(phc)),
                     ARGON2_OK);
    ck_assert(!fw_password_right("from elsewhere", phc, pool));
}
END_TEST

START_TEST(no_hash_is_never_right)
{
    static const char *const bad[] = {"", "x", "$argon2id$", "$argon2id$v=19$m=19456,t=2,p=1$c2Fs$",
                                      "demo-permit-2026"};

    ck_assert(!fw_password_right("demo-permit-2026", NULL, pool));
    ck_assert(!fw_password_right("", NULL, pool));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert(!fw_password_right("demo-permit-2026", bad[i], pool));
    ck_assert(!fw_password_right("", hash_of(""), pool));
    ck_assert(!fw_password_right(repeat("long", 4000), hash_of(""), pool));
}
END_TEST

START_TEST(the_last_ones_may_not_come_back)
{
    const char *hash = hash_of("password number 0"), *old = NULL, *h = NULL, *o = NULL;
    json_t *list;

    for (int i = 1; i <= 4; i++) {
        ck_assert_ptr_null(fw_password_change(apr_psprintf(pool, "password number %d", i), hash,
                                              old, &hash, &old, pool));
    }
    list = json_loads(old, 0, NULL);
    ck_assert_uint_eq(json_array_size(list), FW_PASSWORD_OLD);
    json_decref(list);
    for (int i = 1; i <= 4; i++) {
        const fw_err *err = fw_password_change(apr_psprintf(pool, "password number %d", i), hash,
                                               old, &h, &o, pool);

        ck_assert_ptr_nonnull(err);
        ck_assert_int_eq(err->code, FW_E_INPUT);
        ck_assert_str_eq(err->field, "new");
        ck_assert_str_eq(err->user_key, "password.used");
    }
    ck_assert_ptr_null(fw_password_change("password number 0", hash, old, &h, &o, pool));
    ck_assert(fw_password_right("password number 0", h, pool));
    ck_assert_ptr_null(fw_password_change("a first password", NULL, "no JSON", &h, &o, pool));
    ck_assert_str_eq(o, "[]");
}
END_TEST

typedef struct crowd {
    fw_lane *lane;
    volatile apr_uint32_t within, most, served;
} crowd;

static void *APR_THREAD_FUNC go_through(apr_thread_t *thread, void *data)
{
    crowd *c = data;

    for (int i = 0; i < 50; i++) {
        apr_uint32_t n;

        ck_assert(fw_lane_enter(c->lane, apr_time_from_sec(60)));
        n = apr_atomic_inc32(&c->within) + 1;
        for (apr_uint32_t m = c->most; n > m; m = c->most)
            apr_atomic_cas32(&c->most, n, m);
        apr_thread_yield();
        apr_atomic_dec32(&c->within);
        apr_atomic_inc32(&c->served);
        fw_lane_leave(c->lane);
    }
    apr_thread_exit(thread, APR_SUCCESS);
    return NULL;
}

START_TEST(the_lane_is_as_wide_as_it_is)
{
    crowd c = {0};
    apr_thread_t *threads[8];
    apr_status_t rv;

    c.lane = fw_lane_make(2, pool);
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(apr_thread_create(&threads[i], NULL, go_through, &c, pool), APR_SUCCESS);
    for (int i = 0; i < 8; i++)
        apr_thread_join(&rv, threads[i]);
    ck_assert_uint_le(c.most, 2);
    ck_assert_uint_eq(c.served, 400);
}
END_TEST

START_TEST(a_full_lane_is_told)
{
    fw_lane *lane = NULL;

    lane = fw_lane_make(1, pool);
    ck_assert(fw_lane_enter(lane, 0));
    ck_assert(!fw_lane_enter(lane, 0));
    ck_assert(!fw_lane_enter(lane, 1000));
    fw_lane_leave(lane);
    ck_assert(fw_lane_enter(lane, 0));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("password");
    TCase *tcase = tcase_create("password");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, judges);
    tcase_add_test(tcase, hashes_hold);
    tcase_add_test(tcase, takes_foreign_strings);
    tcase_add_test(tcase, no_hash_is_never_right);
    tcase_add_test(tcase, the_last_ones_may_not_come_back);
    tcase_add_test(tcase, the_lane_is_as_wide_as_it_is);
    tcase_add_test(tcase, a_full_lane_is_told);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
