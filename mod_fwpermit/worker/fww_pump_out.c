#include "fw_config.h"
#include "fww_pump_int.h"

#include <string.h>

#include <apr_base64.h>
#include <apr_strings.h>

#include "fwpermit_plugin.h"

#define LEASE_MARGIN  apr_time_from_sec(60) /* beyond the deadline: for what we do with the answer */
#define AWAY_MOST     apr_time_from_sec(30) /* between looks for somebody who is not there */
#define AFTER_MOST    apr_time_from_sec(86400)
#define REASON_BYTES  500
#define MESSAGE_BYTES 98304 /* of base64: httpd takes 64 KiB */

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
    {"payment.message", NULL, NULL, 10000, 1, 600, 100, 3 * 86400},
    {"notify.send", fww_mail_send, NULL, 30000, 10, 3600, 40, 3 * 86400},
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
    apr_interval_time_t wait = apr_time_from_sec(end->away ? 1 : o->first_s);
    apr_interval_time_t most = end->away ? AWAY_MOST : apr_time_from_sec(o->most_s);

    for (int i = 1; i < attempt && wait < most; i++)
        wait *= 2;
    if (wait > most)
        wait = most;
    wait += wait / 4 * (apr_time_now() % 1000) / 1000;
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
    return reason ? apr_pstrndup(t->pool, reason, REASON_BYTES) : NULL;
}

/* ---- outbox ---- */

/* Writes how it ended; what another attempt has by now is left to it. */
static const fw_err *keep_end(fww_turn *t, const fw_delivery *d, const fww_op *o,
                              const fww_end *end)
{
    const char *reason = short_reason(t, end->reason);
    apr_time_t now = apr_time_now();
    const fw_err *err;
    bool mine = false;

    FW_TRY(fw_db_begin(t->db));
    if (end->what == FWW_END_DONE)
        err = fw_outbox_done(t->db, d, now, reason, &mine, t->pool);
    else if (end->what == FWW_END_AGAIN)
        err = fw_outbox_again(t->db, d, now + wait_for(o, d->tries, end), reason, &mine, t->pool);
    else
        err = fw_outbox_dead(t->db, d, now, reason, &mine, t->pool);
    if (!err)
        return fw_db_commit(t->db);
    fw_db_rollback(t->db);
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
        return fww_pay_fact(t, answer.reply, end);
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
        err = fw_inbox_again(t->db, m, now + wait_for(o, m->attempt, end), reason, t->pool);
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
    if (is_hopeless(o, m->attempt, m->received, &end))
        end.what = FWW_END_DEAD;
    if (end.what == FWW_END_DEAD)
        t->pump->env->log(FWW_ERROR,
                          FWW_N_DEAD " message %" APR_INT64_T_FMT " of %s is given up: %s", m->id,
                          plugin, end.reason ? end.reason : "");
    return keep_message(t, m, o, &end);
}
