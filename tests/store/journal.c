/* The journal of reads: lines of many threads, with each line's own fsync and with one that comes behind; none is lost, none is
 * taken twice, and a file goes when its process has gone and all of it is taken. */
#include "fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>
#include <apr_thread_proc.h>

#include "fw_journal.h"

#define THREADS 4
#define LINES   50

static const int modes[] = {0, 5,
                            60000}; /* FwPermitJournalSync; the last is longer than the test */

static const char *dir;
static fw_journal *journal;
static int next_of[THREADS]; /* what is taken of each thread comes in its order */
static int taken;

static void *APR_THREAD_FUNC write_lines(apr_thread_t *self, void *data)
{
    const fw_actor actor = {.account_id = (fw_id)(intptr_t)data, .login = "reader"};
    intptr_t failures = 0;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    for (int i = 0; i < LINES; i++) {
        const char *about = apr_psprintf(pool, "case:%d", i);

        if (fw_journal_note(journal, &actor, "page.case", about, FX_NOW + i, pool))
            failures++;
    }
    apr_pool_destroy(pool);
    apr_thread_exit(self, (apr_status_t)failures);
    return NULL;
}

static const fw_err *each(void *baton, const fw_journal_line *line)
{
    int thread = (int)line->actor_id;

    (void)baton;
    ck_assert_int_lt(thread, THREADS);
    ck_assert_int_eq(line->at, FX_NOW + next_of[thread]);
    ck_assert_str_eq(line->about, apr_psprintf(fx.pool, "case:%d", next_of[thread]));
    next_of[thread]++;
    return NULL;
}

static const fw_err *commit(void *baton)
{
    (void)baton;
    return NULL;
}

static void take(int most)
{
    int n = 0;

    ck_ok(fw_journal_take(dir, most, each, commit, NULL, &n, fx.pool));
    taken += n;
}

static int files(void)
{
    DIR *d = opendir(dir);
    int n = 0;

    ck_assert_ptr_nonnull(d);
    for (const struct dirent *e = readdir(d); e; e = readdir(d))
        n += *e->d_name != '.';
    closedir(d);
    return n;
}

static void begin(int sync_ms, apr_pool_t **own)
{
    fx_open_bare(FW_DB_SQLITE);
    dir = apr_pstrcat(fx.pool, fx.dir, "/journal", NULL);
    memset(next_of, 0, sizeof(next_of));
    taken = 0;
    apr_pool_create(own, NULL);
    ck_ok(fw_journal_open(&journal, dir, sync_ms, *own));
}

START_TEST(lines_of_many_threads)
{
    apr_thread_t *threads[THREADS];
    apr_status_t failures = 0;
    apr_pool_t *own;

    begin(modes[_i], &own);
    for (intptr_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(apr_thread_create(&threads[i], NULL, write_lines, (void *)i, fx.pool), 0);
    for (int i = 0; i < THREADS; i++) {
        apr_thread_join(&failures, threads[i]);
        ck_assert_int_eq(failures, 0);
    }
    take(70); /* all are there at once, synced or not */
    take(1000);
    ck_assert_int_eq(taken, THREADS * LINES);
    take(1000);
    ck_assert_int_eq(taken, THREADS * LINES);
    ck_assert_int_ge(files(), 1); /* its process lives */
    apr_pool_destroy(own);
    take(1000);
    ck_assert_int_eq(taken, THREADS * LINES);
    ck_assert_int_eq(files(), 0);
    fx_close();
}
END_TEST

static void touch(const char *name)
{
    FILE *f = fopen(apr_pstrcat(fx.pool, dir, "/", name, NULL), "we");

    ck_assert_ptr_nonnull(f);
    fclose(f);
}

/* Of the age given, and nothing that a journal still needs or somebody else put there. */
START_TEST(what_is_left_over_goes)
{
    static const char *const left[] = {"1-2-0.journal.new", "1-2-0.journal.taken",
                                       "2-2-0.journal.taken.new"};
    static const char *const kept[] = {"2-2-0.journal", "2-2-0.journal.taken", "notes.new"};
    apr_time_t old = apr_time_now() - apr_time_from_sec(2);

    fx_open_bare(FW_DB_SQLITE);
    dir = apr_pstrcat(fx.pool, fx.dir, "/left", NULL);
    ck_ok(fw_journal_sweep(dir, old, fx.pool));
    ck_assert_int_eq(mkdir(dir, 0700), 0);
    for (int i = 0; i < 3; i++) {
        touch(left[i]);
        touch(kept[i]);
    }
    ck_ok(fw_journal_sweep(dir, old, fx.pool));
    ck_assert_int_eq(files(), 6);
    ck_ok(fw_journal_sweep(dir, apr_time_now() + apr_time_from_sec(2), fx.pool));
    ck_assert_int_eq(files(), 3);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(access(apr_pstrcat(fx.pool, dir, "/", kept[i], NULL), F_OK), 0);
    fx_close();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("journal");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(all, 60);
    suite_add_tcase(suite, all);
    tcase_add_test(all, what_is_left_over_goes);
    tcase_add_loop_test(all, lines_of_many_threads, 0, (int)(sizeof(modes) / sizeof(modes[0])));
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
