#ifndef FIXTURE_H
#define FIXTURE_H

#include "fw_config.h"

#include <check.h>

#include "fw_db.h"
#include "fw_desk.h"
#include "fw_perform.h"
#include "fw_sql.h"

/* What tests stand on: a fresh database on either back end, a desk over it, people, a worker, a case that lacks
 * nothing. Linked to every program of tests/unit and tests/store. Anything that fails ends the test. */

#define FX_NOW \
    (apr_time_from_sec(1772414400)) /* 2026-03-02T01:20:00Z, a Monday morning in Taipei */

/* Loop tests run once for each: tcase_add_loop_test(tc, name, 0, FX_BACKENDS); _i is the back end. */
#define FX_BACKENDS 2

#define ck_ok(expr)                                                                             \
    do {                                                                                        \
        const fw_err *ck_err_ = (expr);                                                         \
        ck_assert_msg(!ck_err_, "%s: %s", #expr, ck_err_ ? fw_err_text(ck_err_, fx.pool) : ""); \
    } while (0)
#define ck_code(expr, wanted)                                                                    \
    do {                                                                                         \
        const fw_err *ck_err_ = (expr);                                                          \
        ck_assert_msg(ck_err_ && ck_err_->code == (wanted), "%s: not %s but %s", #expr, #wanted, \
                      ck_err_ ? fw_err_text(ck_err_, fx.pool) : "success");                      \
    } while (0)

typedef struct fixture {
    apr_pool_t *pool;
    const char *dir; /* of this test, removed by fx_close() */
    fw_db_config config;
    fw_sql *sql;
    fw_db_pool *dbs;
    fw_db *db;
    fw_settings *settings; /* since fx_desk() */
    fw_desk *desk;
} fixture;
extern fixture fx;

/* A fresh, migrated database (fx_open) or an empty one (fx_open_bare), with one connection. PostgreSQL comes from
 * FW_TEST_PGSQL (tests/store/run): a schema of its own for each test. */
void fx_open(int backend);
void fx_open_bare(int backend);
void fx_close(void);
/* A pool of connections and one connection more, beside fx.dbs: of another process, or of another thread. */
fw_db *fx_connect(apr_pool_t *pool);
fw_db *fx_connect_as(const fw_db_config *config, const fw_sql *sql, apr_pool_t *pool);

/* Statements of a test: named, from one text in the form of sql/queries. */
fw_sql *fx_statements(const char *text);

/* The database seen past fw_db, by the libraries themselves: only what was committed. */
void fx_run(const char *statement);
const char *fx_text(const char *select); /* one value as text, or NULL */
int64_t fx_count(const char *from);      /* SELECT count(*) FROM … */

/* Runs `child` in n processes at once; each has its own pool and connection. A child that fails an assertion or does
 * not return 0 counts. Gives how many failed. */
int fx_processes(int n, int (*child)(int i, fw_db *db, apr_pool_t *pool));

/* Rows that others refer to, by the stores alone: organisations 1 (employer) and 2 (agency), account 10 of the
 * employer and 20 and 21 (officers of station "TYC"), worker 100 of the employer, case 1000 (draft). */
void fx_rows(void);

/* ---- over the desk ---- */

/* The desk of conf/, with a vault, fx.now as its clock, people and a worker who lacks nothing. */
void fx_desk(void);
void fx_set_now(apr_time_t now);
apr_time_t fx_now(void);

/* The desk of a forked process: the same settings, connections of its own. */
fw_desk *fx_desk_again(apr_pool_t *pool);

typedef struct fx_people {
    fw_actor system, admin, agent, employer, dispatcher, first, second;
    fw_id agency, employer_a, employer_b; /* both delegated to the agency */
    fw_id worker;                         /* of employer_a, registered by the agency */
} fx_people;
extern fx_people people;

/* Performs; ends the test unless the verdict is DONE or ACCEPTED. */
fw_result fx_perform(const fw_actor *actor, fw_command cmd);
/* Performs; ends the test unless it is refused with `code` and (or NULL) the key of its first reason. */
void fx_refused(const fw_actor *actor, fw_command cmd, fw_code_e code, const char *key);

/* Another worker of employer_a. `n` 1 to 99 makes the passport. */
fw_id fx_worker(int n);
/* A draft of the agent for that worker, complete: it can be submitted. */
fw_id fx_draft(fw_id worker);
/* A case in a later state, by the commands that lead there: INITIAL_REVIEW, SECOND_REVIEW,
 * AWAITING_PAYMENT, PRODUCING. */
fw_id fx_case_in(fw_id worker, fw_state_e state);
fw_id fx_pay(fw_id kase); /* an attempt for it that the gateway has begun */
fw_result fx_settle(fw_id payment);
fw_state_e fx_state(fw_id kase);

#endif
