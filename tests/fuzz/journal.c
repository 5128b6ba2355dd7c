/* A journal of reads: however many lines are taken at a time, they are the same lines in the same order, each once. */
#include "fw_config.h"
#include "fuzz.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"
#include "fw_journal.h"

static char dir[64];

typedef struct told {
    const char *text;
    int lines;
    apr_pool_t *pool;
} told;

static void remove_dir(void)
{
    remove_folder(dir);
}

void fuzz_setup(apr_pool_t *pool)
{
    (void)pool;
    snprintf(dir, sizeof(dir), "/dev/shm/fuzz-journal-%d", (int)getpid());
    fuzz_want(mkdir(dir, 0700) == 0, dir);
    atexit(remove_dir);
}

static void put(const uint8_t *data, size_t n, apr_pool_t *pool)
{
    FILE *f = fopen(apr_pstrcat(pool, dir, "/1.journal", NULL), "wb");

    fuzz_want(f && fwrite(data, 1, n, f) == n, "a journal");
    fuzz_want(fclose(f) == 0, "is written");
}

static const fw_err *each(void *baton, const fw_journal_line *line)
{
    told *t = baton;

    fuzz_want(line->what && line->at > 0, "a line says what, and when");
    t->lines++;
    t->text = apr_psprintf(t->pool, "%s%" APR_INT64_T_FMT ",%" APR_INT64_T_FMT ",%s,%s,%s,%s\n",
                           t->text, (apr_int64_t)line->at, (apr_int64_t)line->actor_id, line->actor,
                           line->what, line->about, line->ip);
    return NULL;
}

static const fw_err *commit(void *baton)
{
    (void)baton;
    return NULL;
}

/* Until nothing is left to be taken. */
static const char *take_all(int most, apr_pool_t *pool)
{
    told t = {"", 0, pool};
    int taken = 0, sum = 0;

    do {
        fuzz_want(!fw_journal_take(dir, most, each, commit, &t, &taken, pool), "it is taken");
        fuzz_want(taken <= most, "not more than asked for");
        sum += taken;
    } while (taken > 0);
    fuzz_want(sum == t.lines, "as many as were told");
    fuzz_want(access(apr_pstrcat(pool, dir, "/1.journal", NULL), F_OK) != 0, "what is taken goes");
    return t.text;
}

void fuzz_one(const uint8_t *data, size_t n, apr_pool_t *pool)
{
    const char *whole;

    if (n > 4096)
        return;
    put(data, n, pool);
    whole = take_all(1000000, pool);
    put(data, n, pool);
    fuzz_want(strcmp(take_all(1, pool), whole) == 0, "one by one they are the same");
}
