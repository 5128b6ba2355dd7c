#include "fw_config.h"
#include "fww_pump_int.h"

#include <string.h>

#include "fw_date.h"
#include "fw_store_account.h"
#include "fw_store_card.h"
#include "fw_store_case.h"
#include "fw_store_party.h"
#include "fw_store_payment.h"
#include "fw_store_vault.h"
#include "fw_vault.h"
#include "fww_publish.h"

/* What is due by time alone. One clock of all nodes runs at a time, under a lease. */

#define LEASE       apr_time_from_sec(90)
#define LEASE_DEMO  apr_time_from_sec(15)
#define A_ROUND     200 /* things of a kind, at most */
#define HOUR        apr_time_from_sec(3600)
#define DAY         (24 * HOUR)
#define IDEM_KEPT   (30 * DAY)
#define ENDED_KEPT  (30 * DAY) /* deliveries and messages that came to their end */
#define RATES_KEPT  DAY
#define PURGE_EVERY HOUR
#define ORPHAN_AGE  DAY        /* an upload may still be on its way into its case */
#define ORPHAN_MOST (4 * DAY)  /* older files were looked at before */
#define CODE_GRACE  (2 * HOUR) /* after a code's end: money may be on its way */
#define BEGUN_KEPT  DAY        /* a gateway's page that nobody came back from */
#define EVERY_CHECK 1000000

/* When the gateway is asked of its own accord, counted from the beginning of the payment or from the end of its code:
 * after the first, second, … check. Never before ten minutes: the gateway itself does not know before. */
static const struct {
    int after_s, demo_s;
} checks[] = {{600, 15}, {1800, 30}, {7200, 60}, {21600, 300}, {82800, 1800}};
#define CHECKS ((int)(sizeof(checks) / sizeof(checks[0])))

typedef const fw_err *(*lister)(fw_db *db, apr_time_t at, apr_array_header_t **out,
                                apr_pool_t *pool);

static const fw_err *overdue(fw_db *db, apr_time_t at, apr_array_header_t **out, apr_pool_t *pool)
{
    return fw_case_overdue(db, at, A_ROUND, out, pool);
}

static const fw_err *codes_over(fw_db *db, apr_time_t at, apr_array_header_t **out,
                                apr_pool_t *pool)
{
    return fw_payment_to_expire(db, at - CODE_GRACE, A_ROUND, out, pool);
}

static const fw_err *begun_long_ago(fw_db *db, apr_time_t at, apr_array_header_t **out,
                                    apr_pool_t *pool)
{
    return fw_payment_to_check(db, at - BEGUN_KEPT, EVERY_CHECK, A_ROUND, out, pool);
}

/* One command for each thing of the list. What is refused stays as it is. */
static const fw_err *perform_each(fww_turn *t, const apr_array_header_t *ids, fw_cmd_e kind)
{
    for (int i = 0; i < ids->nelts && !atomic_load(&t->pump->stopping); i++) {
        fw_command cmd = {
            .kind = kind, .target = APR_ARRAY_IDX(ids, i, fw_id), .reason = "time_over"};

        FW_TRY(fww_perform(t, &cmd, NULL));
    }
    return NULL;
}

static const fw_err *expire(fww_turn *t, lister list, fw_cmd_e kind)
{
    apr_array_header_t *ids = NULL;

    FW_TRY(list(t->db, t->pump->desk->now(), &ids, t->pool));
    return perform_each(t, ids, kind);
}

/* Cards of which nothing was heard for long. */
static const fw_err *ask_for_cards(fww_turn *t)
{
    apr_array_header_t *ids = NULL;

    if (!fww_port_plugin(t->pump, "card"))
        return NULL;
    FW_TRY(fw_job_to_ask(t->db, t->pump->desk->now(), A_ROUND, &ids, t->pool));
    return perform_each(t, ids, FW_CMD_CARD_CHECK);
}

/* Permits of which the border does not know how they stand. */
static const fw_err *tell_border(fww_turn *t)
{
    const char *today = fw_date_text(fw_date_of(t->pump->desk->now()), t->pool);
    apr_array_header_t *ids = NULL;

    if (!t->pump->desk->border_plugin)
        return NULL;
    FW_TRY(fw_permit_to_tell(t->db, today, A_ROUND, &ids, t->pool));
    return perform_each(t, ids, FW_CMD_PERMIT_TELL);
}

/* Whom nothing was filed for and whose time is nearly over. */
static const fw_err *remind(fww_turn *t)
{
    apr_time_t now = t->pump->desk->now();
    int days = fw_rules_at(t->pump->desk->rules, fw_date_of(now))->remind_days;
    apr_array_header_t *ids = NULL;

    FW_TRY(fw_worker_to_remind(t->db, now + days * DAY, A_ROUND, &ids, t->pool));
    return perform_each(t, ids, FW_CMD_WORKER_REMIND);
}

static const fw_err *check_payments(fww_turn *t)
{
    apr_time_t now = t->pump->desk->now();

    for (int i = 0; i < CHECKS; i++) {
        int after = t->pump->env->site->demo ? checks[i].demo_s : checks[i].after_s;
        apr_array_header_t *ids = NULL;

        FW_TRY(fw_payment_to_check(t->db, now - apr_time_from_sec(after), i + 1, A_ROUND, &ids,
                                   t->pool));
        FW_TRY(perform_each(t, ids, FW_CMD_PAYMENT_CHECK));
    }
    return NULL;
}

/* ---- what is kept no longer ---- */

static const fw_err *purge_rows(fww_turn *t)
{
    const fw_settings *s = t->pump->env->site;
    apr_time_t now = apr_time_now();
    apr_time_t idle_since = now - apr_time_from_sec((apr_time_t)s->session_idle_min * 60);

    FW_TRY(fw_session_purge(t->db, now, idle_since, t->pool));
    FW_TRY(fw_rate_purge(t->db, now - RATES_KEPT, t->pool));
    return fw_outbox_purge(t->db, now - IDEM_KEPT, now - ENDED_KEPT, t->pool);
}

typedef struct sweep {
    fww_turn *t;
    apr_time_t now;
    apr_pool_t *scratch;
    int removed;
} sweep;

static const fw_err *look_at_file(void *baton, const char *name, apr_time_t mtime)
{
    sweep *s = baton;
    apr_time_t age = s->now - mtime;
    bool used = true;

    if (age < ORPHAN_AGE || age > ORPHAN_MOST || atomic_load(&s->t->pump->stopping))
        return NULL;
    apr_pool_clear(s->scratch);
    FW_TRY(fw_vault_is_used(s->t->db, name, &used, s->scratch));
    if (used)
        return NULL;
    s->removed++;
    return fw_vault_remove(s->t->pump->desk->vault, name, s->scratch);
}

/* Files that no row names: of an upload or a paper whose process was killed before its command. */
static const fw_err *sweep_vault(fww_turn *t)
{
    sweep s = {.t = t, .now = apr_time_now()};
    const fw_err *err;
    int staged = 0;

    FW_TRY(fw_vault_sweep_staging(t->pump->desk->vault, s.now - ORPHAN_AGE, &staged, t->pool));
    apr_pool_create(&s.scratch, t->pool);
    err = fw_vault_walk(t->pump->desk->vault, look_at_file, &s, t->pool);
    if (s.removed || staged)
        t->pump->env->log(FWW_INFO, "clock: %d files of the vault that nobody named are gone",
                          s.removed + staged);
    return err;
}

static const fw_err *purge(fww_turn *t)
{
    apr_time_t now = apr_time_now();
    const fw_err *err;

    if (now - t->pump->purged < PURGE_EVERY)
        return NULL;
    t->pump->purged = now;
    FW_TRY(fw_db_begin(t->db));
    err = purge_rows(t);
    if (err) {
        fw_db_rollback(t->db);
        return err;
    }
    FW_TRY(fw_db_commit(t->db));
    return sweep_vault(t);
}

/* ---- the round ---- */

static const fw_err *take_lease(fww_turn *t, bool *had)
{
    apr_time_t now = apr_time_now();
    const fw_err *err;

    t->until = now + (t->pump->env->site->demo ? LEASE_DEMO : LEASE);
    FW_TRY(fw_db_begin(t->db));
    err = fw_lease_take(t->db, "clock", t->pump->owner, now, t->until, had, t->pool);
    if (!err)
        return fw_db_commit(t->db);
    fw_db_rollback(t->db);
    return err;
}

const fw_err *fww_clock_round(fww_turn *t)
{
    bool had = false;

    FW_TRY(fww_publish_round(t)); /* each node its own */
    FW_TRY(take_lease(t, &had));
    if (!had)
        return NULL;
    FW_TRY(check_payments(t));
    FW_TRY(expire(t, codes_over, FW_CMD_PAYMENT_EXPIRE));
    FW_TRY(expire(t, begun_long_ago, FW_CMD_PAYMENT_EXPIRE));
    FW_TRY(expire(t, overdue, FW_CMD_CASE_EXPIRE));
    FW_TRY(remind(t));
    FW_TRY(ask_for_cards(t));
    FW_TRY(tell_border(t));
    FW_TRY(fww_settle_round(t));
    return purge(t);
}
