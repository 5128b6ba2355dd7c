#include "fw_config.h"
#include "fww_pump_int.h"

#include <limits.h>
#include <string.h>

#include <apr_base64.h>
#include <apr_strings.h>

#include "fw_utf8.h"
#include "fwpermit_plugin.h"

#define LEASE_MARGIN  apr_time_from_sec(60) /* beyond the deadline: for what we do with the answer */
#define AWAY_MOST     apr_time_from_sec(30) /* between looks for somebody who is not there */
#define AFTER_MOST    apr_time_from_sec(86400)
#define END_AGAIN     apr_time_from_sec(1) /* between tries to write how a delivery ended */
#define NEVER         INT_MAX
#define REASON_BYTES  500
#define MESSAGE_BYTES 699052 /* of base64: httpd takes 64 KiB, what is fetched may have 512 */

/* How patient we are, by operation: how long one call may take, when it is tried again (each time twice as long, up
 * to `most`), and after how many attempts or how long it is given up. */
typedef struct fww_op {
    const char *op;
    fww_deliver_fn run, give_up;
    int deadline_ms;
    int first_s, most_s;
    int attempts;
    int age_s;
} fww_op;

static const fww_op ops[] = {
    {"payment.begin", fww_pay_begin, fww_pay_give_up, 10000, 1, 60, 30, 3600},
    {"payment.query", fww_pay_query, NULL, 8000, 30, 1800, 12, 86400},
    {"payment.refund", fww_refund_send, fww_refund_give_up, 30000, 10, 1800, 48, 7 * 86400},
    {"payment.settlement", fww_settle, fww_settle_give_up, 60000, 120, 3600, 24, 3 * 86400},
    {"payment.message", NULL, NULL, 10000, 1, 600, 100, 3 * 86400},
    {"border.permit", fww_border_permit, NULL, 20000, 2, 600, 100, NEVER},
    {"border.message", NULL, NULL, 10000, 1, 600, 100, 3 * 86400},
    {"labour.find", fww_letter_find, fww_letter_give_up, 20000, 2, 600, NEVER, 3 * 86400},
    {"labour.message", NULL, NULL, 10000, 1, 600, 100, 3 * 86400},
    {"penalty.message", NULL, NULL, 10000, 1, 600, 100, 3 * 86400},
    {"penalty.put", fww_penalty_put, NULL, 20000, 2, 600, NEVER,
     NEVER}, /* a case may be held until it is answered */
    {"penalty.find", fww_penalty_find, NULL, 20000, 2, 600, 20, 86400},
    {"card.order", fww_card_order, NULL, 30000, 5, 1800, 100, 7 * 86400},
    {"card.cancel", fww_card_cancel, NULL, 30000, 5, 1800, 100, 7 * 86400},
    {"card.find", fww_card_find, NULL, 15000, 30, 3600, 20, 86400},
    {"card.message", NULL, NULL, 10000, 1, 600, 100, 3 * 86400},
    {"notify.send", fww_mail_send, NULL, 30000, 10, 3600, 40, 3 * 86400},
    {"scan.scan", fww_scan_file, NULL, 120000, 2, 600, 100, NEVER},
    {"audit.records", fww_audit_records, NULL, 60000, 1, 60, NEVER, NEVER},
    {"press.filing", fww_press_filing, NULL, 60000, 2, 600, 100, 7 * 86400},
    {"press.receipt", fww_press_receipt, NULL, 60000, 2, 600, 100, 7 * 86400},
    {"press.permit", fww_press_permit, NULL, 60000, 2, 600, 100, 7 * 86400},
};

static const fww_op *find_op(const char *name)
{
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        if (strcmp(ops[i].op, name) == 0)
            return &ops[i];
    }
    return NULL;
}

int fww_deadline_ms(const char *op)
{
    const fww_op *o = find_op(op);

    return o ? o->deadline_ms : 10000;
}

/* The wait before the next attempt: doubled each time, with up to a quarter more so that not all come at once. */
static apr_interval_time_t wait_for(const fww_op *o, int attempt, const fww_end *end)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): what is tried again has an operation */
    apr_interval_time_t first = apr_time_from_sec(end->away ? 1 : o->first_s);
    apr_interval_time_t most = end->away ? AWAY_MOST : apr_time_from_sec(o->most_s);
    apr_interval_time_t wait = fw_backoff(first, most, attempt, (int)(apr_time_now() % 1000));

    if (wait < end->after)
        wait = end->after < AFTER_MOST ? end->after : AFTER_MOST;
    return wait;
}

static bool is_hopeless(const fww_op *o, int attempt, apr_time_t since, const fww_end *end)
{
    if (end->what != FWW_END_AGAIN)
        return false;
    if (apr_time_now() - since > apr_time_from_sec(o->age_s))
        return true;
    return !end->away && attempt >= o->attempts;
}

/* What an error means for the thing at hand. A fault of ours is tried again: it may be mended. */
static void end_by_error(const fww_turn *t, const fw_err *err, fww_end *end)
{
    bool never = err->code == FW_E_INPUT || err->code == FW_E_LIMIT || err->code == FW_E_CORRUPT ||
                 err->code == FW_E_NOTFOUND;

    fww_end_set(end, never ? FWW_END_DEAD : FWW_END_AGAIN, fw_err_text(err, t->pool));
}

static const char *short_reason(const fww_turn *t, const char *reason)
{
    return reason ? apr_pstrmemdup(t->pool, reason, fw_utf8_fit(reason, REASON_BYTES)) : NULL;
}

/* ---- outbox ---- */

/* Writes how it ended; what another attempt has by now is left to it. */
static const fw_err *write_end(const fww_turn *t, fw_db *db, const fw_delivery *d, const fww_op *o,
                               const fww_end *end)
{
    const char *reason = short_reason(t, end->reason);
    apr_time_t now = apr_time_now();
    const fw_err *err;
    bool mine = false;

    FW_TRY(fw_db_begin(db));
    if (end->what == FWW_END_DONE)
        err = fw_outbox_done(db, d, now, reason, &mine, t->pool);
    else if (end->what == FWW_END_AGAIN)
        err = fw_outbox_again(db, d, now, wait_for(o, d->tries, end), reason, &mine, t->pool);
    else
        err = fw_outbox_dead(db, d, now, reason, &mine, t->pool);
    if (!err)
        return fw_db_commit(db);
    fw_db_rollback(db);
    return err;
}

/* By a connection of its own: the one before may be broken. */
static const fw_err *write_end_again(const fww_turn *t, const fw_delivery *d, const fww_op *o,
                                     const fww_end *end)
{
    fw_db *db = NULL;
    const fw_err *err;

    FW_TRY(fw_db_acquire(&db, t->pump->desk->dbs, t->pool));
    err = write_end(t, db, d, o, end);
    fw_db_release(db);
    return err;
}

/* What was done is not done again for want of its note: that is tried for as long as the lease holds. */
static const fw_err *keep_end(const fww_turn *t, const fw_delivery *d, const fww_op *o,
                              const fww_end *end)
{
    const fw_err *err = write_end(t, t->db, d, o, end);

    if (!err || !fw_err_retryable(err))
        return err;
    t->pump->env->log(FWW_WARNING, FWW_N_DATABASE " the end of %s is not written yet: %s", d->key,
                      fw_err_text(err, t->pool));
    fw_db_release(t->db);
    while (err && fw_err_retryable(err) && apr_time_now() + END_AGAIN < t->until &&
           !atomic_load(&t->pump->stopping)) {
        apr_sleep(END_AGAIN);
        err = write_end_again(t, d, o, end);
    }
    return err;
}

static void run_row(fww_turn *t, const fw_delivery *d, const fww_op *o, fww_end *end)
{
    const fw_err *err = o->run(t, d, end);

    if (err)
        end_by_error(t, err, end);
    if (is_hopeless(o, d->tries, d->created, end))
        end->what = FWW_END_DEAD;
    if (end->what != FWW_END_DEAD)
        return;
    t->pump->env->log(FWW_ERROR, FWW_N_DEAD " %s is given up after %d attempts: %s", d->key,
                      d->attempt, end->reason ? end->reason : "");
    err = o->give_up ? o->give_up(t, d, end) : NULL;
    if (err)
        end_by_error(t, err, end);
}

/* Longest lease of a port: the operation is known only afterwards. */
static apr_time_t lease_of(const char *port)
{
    apr_size_t n = strlen(port);
    int ms = 0;

    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        if (strncmp(ops[i].op, port, n) == 0 && ops[i].deadline_ms > ms)
            ms = ops[i].deadline_ms;
    }
    return apr_time_from_msec(ms) + LEASE_MARGIN;
}

const fw_err *fww_pump_deliver(fww_turn *t, const char *port, bool urgent, bool *any)
{
    apr_time_t now = apr_time_now();
    fww_end end = {.what = FWW_END_DEAD};
    fw_delivery *d = NULL;
    const fww_op *o;

    t->until = now + lease_of(port);
    FW_TRY((urgent ? fw_outbox_claim_urgent : fw_outbox_claim)(t->db, port, t->pump->owner, now,
                                                               t->until, &d, t->pool));
    *any = d != NULL;
    if (!d)
        return NULL;
    o = find_op(d->op);
    if (o && o->run)
        run_row(t, d, o, &end);
    else
        fww_end_set(&end, FWW_END_DEAD, "no such operation");
    t->pump->env->log(FWW_DEBUG, "%s attempt %d ends as %d", d->key, d->attempt, (int)end.what);
    return keep_end(t, d, o, &end);
}

/* ---- inbox ---- */

static const fw_err *take_facts(fww_turn *t, const char *port, const json_t *reply, fww_end *end)
{
    if (strcmp(port, "payment") == 0)
        return fww_pay_fact(t, reply, end);
    if (strcmp(port, "penalty") == 0)
        return fww_fine_facts(t, reply, end);
    return fww_told_facts(t, reply, end);
}

static const fw_err *ask_about(fww_turn *t, const char *port, const fw_message *m, fww_end *end)
{
    const char *op = apr_pstrcat(t->pool, port, ".message", NULL);
    const char *key = apr_psprintf(t->pool, "inbox:%" APR_INT64_T_FMT, m->id);
    fww_ask ask = {.op = op, .key = key, .attempt = m->attempt};
    fww_answer answer;
    char *bytes;

    if (strlen(m->body) > MESSAGE_BYTES)
        return FW_ERR(t->pool, FW_E_LIMIT, 0, "a message of too many bytes");
    bytes = apr_pcalloc(t->pool, (apr_size_t)apr_base64_decode_len(m->body) + 1);
    ask.n_blob = (apr_size_t)apr_base64_decode(bytes, m->body);
    ask.blob = bytes;
    ask.deadline_ms = fww_deadline_ms(op);
    ask.request = json_pack("{s:s}", "channel", m->channel ? m->channel : "");
    fww_port_ask(t, m->plugin, &ask, &answer);
    fww_port_end(&answer, end);
    if (end->what == FWW_END_DONE)
        return take_facts(t, port, answer.reply, end);
    if (answer.rc == FWP_REJECTED) {
        end->what = FWW_END_REFUSED;
        t->pump->env->log(FWW_WARNING, FWW_N_MESSAGE " %s by %s/%s is refused: %s", key, m->plugin,
                          m->channel ? m->channel : "", answer.reason);
    }
    return NULL;
}

static const fw_err *keep_message(fww_turn *t, const fw_message *m, const fww_op *o,
                                  const fww_end *end)
{
    static const char *const states[] = {[FWW_END_DONE] = "done",
                                         [FWW_END_AGAIN] = "",
                                         [FWW_END_DEAD] = "dead",
                                         [FWW_END_REFUSED] = "refused"};
    const char *reason = short_reason(t, end->reason);
    apr_time_t now = apr_time_now();
    const fw_err *err;

    FW_TRY(fw_db_begin(t->db));
    if (end->what == FWW_END_AGAIN)
        err = fw_inbox_again(t->db, m, now, wait_for(o, m->tries, end), reason, t->pool);
    else
        err = fw_inbox_end(t->db, m, states[end->what], now, reason, t->pool);
    if (!err)
        return fw_db_commit(t->db);
    fw_db_rollback(t->db);
    return err;
}

const fw_err *fww_pump_receive(fww_turn *t, const char *port, const char *plugin, bool *any)
{
    const fww_op *o = find_op(apr_pstrcat(t->pool, port, ".message", NULL));
    apr_time_t now = apr_time_now();
    fww_end end = {.what = FWW_END_DEAD};
    fw_message *m = NULL;
    const fw_err *err;

    *any = false;
    if (!o)
        return NULL;
    t->until = now + apr_time_from_msec(o->deadline_ms) + LEASE_MARGIN;
    FW_TRY(fw_inbox_claim(t->db, plugin, t->pump->owner, now, t->until, &m, t->pool));
    *any = m != NULL;
    if (!m)
        return NULL;
    err = ask_about(t, port, m, &end);
    if (err)
        end_by_error(t, err, &end);
    if (is_hopeless(o, m->tries, m->received, &end))
        end.what = FWW_END_DEAD;
    if (end.what == FWW_END_DEAD)
        t->pump->env->log(FWW_ERROR,
                          FWW_N_DEAD " message %" APR_INT64_T_FMT " of %s is given up: %s", m->id,
                          plugin, end.reason ? end.reason : "");
    return keep_message(t, m, o, &end);
}
