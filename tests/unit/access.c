/* The permissions table: a row for every command, nothing that nobody asked for, relations as they are. */
#include "fw_config.h"

#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "fw_access.h"
#include "pool.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

START_TEST(every_command_has_a_row)
{
    for (int c = 0; c < FW_CMDS; c++) {
        fw_cmd_e back;
        const char *name = fw_cmd_name((fw_cmd_e)c);

        ck_assert_msg(fw_access_known(name), "%s", name);
        ck_assert_msg(fw_cmd_parse(name, &back) && (int)back == c, "%s", name);
    }
    ck_assert(!fw_access_known("case.delete"));
    ck_assert(!fw_access_known(""));
}
END_TEST

START_TEST(every_row_means_something)
{
    size_t n;
    const fw_access *table = fw_access_table(&n);

    for (size_t i = 0; i < n; i++) {
        fw_cmd_e cmd;
        bool page = strncmp(table[i].what, "page.", 5) == 0;

        ck_assert_msg(page || fw_cmd_parse(table[i].what, &cmd), "%s is no command", table[i].what);
        ck_assert_msg(table[i].roles && table[i].relations, "%s: a row for nobody", table[i].what);
        ck_assert_msg(page || !(table[i].roles & FW_ROLE_ANYONE), "%s without a log-in",
                      table[i].what);
        /* an auditor reads and changes nothing but the own account */
        ck_assert_msg(page || !(table[i].roles & FW_ROLE_AUDITOR) ||
                          table[i].relations == FW_REL_OWN,
                      "%s", table[i].what);
        /* an applicant never touches what is another's */
        ck_assert_msg(page || !(table[i].roles & FW_ROLES_APPLICANT) ||
                          !(table[i].relations & (FW_REL_OTHER | FW_REL_STATION | FW_REL_ASSIGNED)),
                      "%s", table[i].what);
    }
}
END_TEST

/* What each role may do to its own, to a delegated one's, to another's. */
START_TEST(who_may_what)
{
    static const struct {
        const char *what;
        unsigned roles, relations;
        bool may;
    } rows[] = {
        {"case.submit", FW_ROLE_EMPLOYER, FW_REL_OWN, true},
        {"case.submit", FW_ROLE_EMPLOYER, FW_REL_OTHER, false},
        {"case.submit", FW_ROLE_EMPLOYER, FW_REL_DELEGATED, false},
        {"case.submit", FW_ROLE_AGENT, FW_REL_DELEGATED, true},
        {"case.submit", FW_ROLE_AGENT, FW_REL_OWN, false},
        {"case.submit", FW_ROLE_AGENT, FW_REL_OTHER, false},
        {"case.submit", FW_ROLE_INITIAL, FW_REL_ASSIGNED, false},
        {"case.submit", FW_ROLE_ADMIN, FW_REL_ANY, false},
        {"case.approve", FW_ROLE_INITIAL, FW_REL_ASSIGNED, true},
        {"case.approve", FW_ROLE_INITIAL, FW_REL_STATION, false},
        {"case.approve", FW_ROLE_SECOND, FW_REL_ASSIGNED, false},
        {"case.confirm", FW_ROLE_SECOND, FW_REL_STATION, true},
        {"case.confirm", FW_ROLE_SECOND, FW_REL_OTHER, false},
        {"case.confirm", FW_ROLE_INITIAL, FW_REL_ASSIGNED, false},
        {"case.confirm", FW_ROLE_ADMIN, FW_REL_ANY, false},
        {"case.assign", FW_ROLE_DISPATCHER, FW_REL_OTHER, true},
        {"case.assign", FW_ROLE_INITIAL, FW_REL_STATION, false},
        {"payment.settle", FW_ROLE_SYSTEM, FW_REL_OTHER, true},
        {"payment.settle", FW_ROLE_CASHIER, FW_REL_ANY, false},
        {"payment.settle", FW_ROLE_ADMIN, FW_REL_ANY, false},
        {"permit.issue", FW_ROLE_ADMIN, FW_REL_ANY, false},
        {"permit.revoke", FW_ROLE_ADMIN, FW_REL_OTHER, true},
        {"permit.revoke", FW_ROLE_SECOND, FW_REL_STATION, false},
        {"account.password", FW_ROLE_AUDITOR, FW_REL_OWN, true},
        {"account.password", FW_ROLE_AUDITOR, FW_REL_OTHER, false},
        {"delegation.grant", FW_ROLE_AGENT, FW_REL_DELEGATED,
         false}, /* nobody delegates to oneself */
        {"page.audit", FW_ROLE_AUDITOR, FW_REL_OTHER, true},
        {"page.audit", FW_ROLE_ADMIN, FW_REL_ANY, false},
        {"page.review", FW_ROLE_EMPLOYER, FW_REL_OWN, false},
        {"page.public", FW_ROLE_ANYONE, FW_REL_OTHER, true},
        {"page.home", FW_ROLE_ANYONE, FW_REL_OTHER, false},
        {"case.submit", FW_ROLE_EMPLOYER | FW_ROLE_INITIAL, FW_REL_OWN | FW_REL_STATION, true},
        {"case.submit", 0, FW_REL_ANY, false},
        {"case.submit", FW_ROLE_EMPLOYER, 0, false},
        {"case.delete", FW_ROLE_SYSTEM, FW_REL_ANY, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        ck_assert_msg(fw_access_allowed(rows[i].what, rows[i].roles, rows[i].relations) ==
                          rows[i].may,
                      "row %d: %s", (int)i, rows[i].what);
}
END_TEST

START_TEST(relations)
{
    static const fw_id employers[] = {11, 12};
    fw_actor employer = {.account_id = 1, .org_id = 11, .roles = FW_ROLE_EMPLOYER};
    fw_actor agent = {.account_id = 2,
                      .org_id = 50,
                      .roles = FW_ROLE_AGENT,
                      .employers = employers,
                      .n_employers = 2};
    fw_actor officer = {.account_id = 3, .roles = FW_ROLE_INITIAL, .station = "TPE"};
    fw_actor nobody = {.roles = FW_ROLE_ANYONE};

    ck_assert_int_eq(fw_access_relations(&employer, 11, 0, "TPE", 0, 0), FW_REL_OWN);
    ck_assert_int_eq(fw_access_relations(&employer, 12, 0, "TPE", 0, 0), FW_REL_OTHER);
    ck_assert_int_eq(fw_access_relations(&employer, 11, 50, "TPE", 0, 0),
                     FW_REL_OWN); /* filed by its agency */
    ck_assert_int_eq(fw_access_relations(&agent, 11, 50, "TPE", 0, 0), FW_REL_DELEGATED);
    ck_assert_int_eq(fw_access_relations(&agent, 12, 0, "TPE", 0, 0), FW_REL_DELEGATED);
    ck_assert_int_eq(fw_access_relations(&agent, 12, 51, "TPE", 0, 0),
                     FW_REL_OTHER); /* another agency's case */
    ck_assert_int_eq(fw_access_relations(&agent, 13, 50, "TPE", 0, 0),
                     FW_REL_OTHER); /* delegation has ended */
    ck_assert_int_eq(fw_access_relations(&officer, 11, 0, "TPE", 0, 0), FW_REL_STATION);
    ck_assert_int_eq(fw_access_relations(&officer, 11, 0, "TAO", 3, 0), FW_REL_ASSIGNED);
    ck_assert_int_eq(fw_access_relations(&officer, 11, 0, "TPE", 4, 3),
                     FW_REL_ASSIGNED | FW_REL_STATION);
    ck_assert_int_eq(fw_access_relations(&officer, 11, 0, NULL, 4, 5), FW_REL_OTHER);
    /* nothing is nothing to nobody */
    ck_assert_int_eq(fw_access_relations(&nobody, 0, 0, NULL, 0, 0), FW_REL_OTHER);
    ck_assert(fw_access_delegated(&agent, 12) && !fw_access_delegated(&agent, 13));
    ck_assert(!fw_access_delegated(&employer, 11));
}
END_TEST

START_TEST(who_in_words)
{
    ck_assert_str_eq(fw_access_who("case.save", pool), "employer (own), agent (delegated)");
    ck_assert_str_eq(fw_access_who("case.approve", pool), "initial (assigned)");
    ck_assert_str_eq(fw_access_who("case.confirm", pool), "second (assigned or station)");
    ck_assert_str_eq(fw_access_who("case.expire", pool), "system");
    ck_assert_str_eq(fw_access_who("case.delete", pool), "");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("access");
    TCase *t = tcase_create("access");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, every_command_has_a_row);
    tcase_add_test(t, every_row_means_something);
    tcase_add_test(t, who_may_what);
    tcase_add_test(t, relations);
    tcase_add_test(t, who_in_words);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
