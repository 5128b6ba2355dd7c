/* A year's volume by a virtual clock: each case is registered, filed, reviewed by two officers, paid, settled and issued by
 * fw_perform_all() over SQLite, 100 commands in a transaction, 1,000 cases a day, and lies on desks for days in between. What
 * the processes beside httpd would do to the database is done as well: the outbox is emptied, the audit trail sealed, ended rows
 * deleted. Left out: PDFs, mails, and the seals' signatures.
 *
 * usage: year DIR CASES|--whole     a database in DIR, which is left there
 * A line for each tenth: cases issued, seconds, CPU seconds, MiB of the database; then what they come to. */
#include "year.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <apr_general.h>

#include "fw_store_audit.h"
#include "fw_store_outbox.h"

#define DAY        apr_time_from_sec(86400)
#define A_YEAR     250000
#define PER_DAY    1000
#define MOST       9999999 /* passports of seven digits */
#define ENDED_KEPT (30 * DAY)
#define TENTHS     10

year_world year;

void year_fail(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

void year_perform(const fw_command *cmds, int n, fw_result *results)
{
    int failed = -1;

    YEAR_MUST(fw_perform_all(year.desk, year.db, cmds, n, results, &failed, year.act));
    if (failed >= 0)
        year_fail(fw_cmd_name(cmds[failed].kind), results[failed].refusals[0].key);
    year.commands += n;
}

/* ---- what the processes beside httpd do ---- */

static const fw_err *take_delivery(void *baton, const fw_row *row)
{
    fw_delivery *d = baton;

    d->id = fw_row_int(row, 0);
    d->attempt = (int)fw_row_int(row, 7);
    return NULL;
}

/* The pump claims and ends each delivery by itself; here YEAR_GROUP of them share a transaction. */
static bool deliver_group(const char *port)
{
    bool mine = true;

    YEAR_MUST(fw_db_begin(year.db));
    for (int i = 0; i < YEAR_GROUP && mine; i++) {
        fw_delivery d = {0};

        YEAR_MUST(fw_db_query(year.db, "outbox_claim",
                              FW_VALS(FW_S("year"), FW_I(year.now + DAY), FW_S(port), FW_I(1),
                                      FW_I(year.now), FW_I(year.now), FW_I(year.now + DAY)),
                              take_delivery, &d, year.act));
        mine = d.id != 0;
        if (mine)
            YEAR_MUST(fw_outbox_done(year.db, &d, year.now, NULL, &mine, year.act));
    }
    YEAR_MUST(fw_db_commit(year.db));
    apr_pool_clear(year.act);
    return mine;
}

static bool seal(void)
{
    fw_seal made = {0};
    apr_array_header_t *ids = NULL;

    YEAR_MUST(fw_seal_make(year.db, year.now, FW_AUDIT_MANY, &made, &ids, year.act));
    if (made.records == 0)
        return false;
    made.signature = "";
    YEAR_MUST(fw_db_begin(year.db));
    YEAR_MUST(fw_seal_put(year.db, &made, ids, year.act));
    YEAR_MUST(fw_db_commit(year.db));
    apr_pool_clear(year.act);
    return true;
}

static void end_day(void)
{
    static const char *const ports[] = {"payment", "press", "notify"};

    for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
        while (deliver_group(ports[i]))
            ;
    }
    while (seal())
        ;
    YEAR_MUST(fw_db_begin(year.db));
    YEAR_MUST(fw_outbox_purge(year.db, year.now - ENDED_KEPT, year.now - ENDED_KEPT, year.act));
    YEAR_MUST(fw_db_commit(year.db));
    apr_pool_clear(year.act);
    year.now += DAY;
}

/* ---- the run ---- */

static double seconds(clockid_t which)
{
    struct timespec t;

    clock_gettime(which, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int mib(void)
{
    struct stat st;

    return stat(year.file, &st) == 0 ? (int)(st.st_size / 1048576) : 0;
}

/* Seconds since it began. */
static double tell(double wall, double cpu)
{
    double took = seconds(CLOCK_MONOTONIC) - wall;

    printf("%d %.1f %.1f %d\n", year.issued, took, seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu, mib());
    fflush(stdout);
    return took;
}

static void run(year_case *cases, int n)
{
    double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), took = 0;
    int last = year_last_day(n, PER_DAY), told = 0;

    for (int today = 0; today <= last; today++) {
        year_day(cases, n, today, PER_DAY);
        end_day();
        if (year.issued > told && (year.issued - told >= n / TENTHS || today == last)) {
            took = tell(wall, cpu);
            told = year.issued;
        }
    }
    printf("%d cases, %d commands: %.0f cases a second, %.0f commands a second; a year's %d at "
           "that rate: %.0f minutes\n",
           n, year.commands, n / took, year.commands / took, A_YEAR, A_YEAR * took / n / 60);
}

static year_case *make_cases(int n)
{
    year_case *cases = apr_pcalloc(year.pool, sizeof(*cases) * (apr_size_t)n);

    for (int i = 0; i < n; i++)
        cases[i] = (year_case){
            .n = i, .agency = i % YEAR_AGENCIES, .station = i / YEAR_AGENCIES % YEAR_STATIONS};
    return cases;
}

int main(int argc, char **argv)
{
    const char *asked = argc == 3 ? argv[2] : "";
    int n = strcmp(asked, "--whole") == 0 ? A_YEAR : (int)strtol(asked, NULL, 10);

    if (n < 1 || n > MOST) {
        fprintf(stderr, "usage: year DIR CASES|--whole\n");
        return 2;
    }
    apr_initialize();
    year_open(argv[1]);
    run(make_cases(n), n);
    return 0;
}
