/* Connections whose server says nothing are cut, the others are not. */
#include "fw_config.h"
#include "fw_db_watch.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <apr_general.h>
#include <check.h>

#define SOON_MS  50
#define LATER_MS 3600000

typedef struct line {
    int ours, theirs;
    apr_pool_t *pool; /* the connection's */
    fw_db_watched *watched;
} line;

static apr_pool_t *pool;
static fw_db_watch *watch;

static line connect_line(void)
{
    line l;
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    l.ours = ends[0];
    l.theirs = ends[1];
    apr_pool_create(&l.pool, NULL);
    l.watched = fw_db_watch_add(watch, l.ours, l.pool);
    ck_assert_ptr_nonnull(l.watched);
    return l;
}

static void end_line(line *l)
{
    apr_pool_destroy(l->pool);
    close(l->ours);
    close(l->theirs);
}

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
    watch = fw_db_watch_make(pool);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

/* Returns when it was cut. */
static void await_cut(const line *l)
{
    char byte;

    ck_assert_int_eq(read(l->ours, &byte, 1), 0);
}

static void check_open(const line *l)
{
    char byte = 0;

    ck_assert_int_eq(write(l->ours, "x", 1), 1);
    ck_assert_int_eq(read(l->theirs, &byte, 1), 1);
    ck_assert_int_eq(byte, 'x');
}

START_TEST(who_says_nothing_is_cut)
{
    line silent = connect_line();

    fw_db_watch_begin(silent.watched, SOON_MS);
    await_cut(&silent);
    end_line(&silent);
}
END_TEST

START_TEST(nobody_else_is)
{
    line answered = connect_line(), patient = connect_line(), endless = connect_line(),
         idle = connect_line(), silent = connect_line();
    line *const others[] = {&answered, &patient, &endless, &idle};

    fw_db_watch_begin(answered.watched, SOON_MS);
    fw_db_watch_end(answered.watched);
    fw_db_watch_begin(patient.watched, LATER_MS);
    fw_db_watch_begin(endless.watched, 0);
    fw_db_watch_begin(silent.watched, 2 * SOON_MS); /* later than the first would have been */
    await_cut(&silent);
    for (int i = 0; i < 4; i++) {
        check_open(others[i]);
        end_line(others[i]);
    }
    end_line(&silent);
}
END_TEST

START_TEST(who_left_is_not_looked_at)
{
    line first = connect_line(), gone = connect_line(), silent = connect_line();

    fw_db_watch_begin(gone.watched, SOON_MS);
    apr_pool_destroy(gone.pool);
    fw_db_watch_begin(silent.watched, 2 * SOON_MS);
    await_cut(&silent);
    check_open(&gone);
    apr_pool_create(&gone.pool, NULL);
    end_line(&gone);
    end_line(&first);
    end_line(&silent);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("db_watch");
    TCase *c = tcase_create("cut");
    SRunner *runner;
    int failed;

    apr_initialize();
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, who_says_nothing_is_cut);
    tcase_add_test(c, nobody_else_is);
    tcase_add_test(c, who_left_is_not_looked_at);
    suite_add_tcase(s, c);
    runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
