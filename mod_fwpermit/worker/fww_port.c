#include "fw_config.h"
#include "fww_pump_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_breaker.h"
#include "fw_frame.h"
#include "fw_json.h"
#include "fw_plugin_ask.h"
#include "fw_status.h"
#include "fw_store_link.h"
#include "fw_wait.h"
#include "fw_wake.h"
#include "fww_plugin_run.h"
#include "fwpermit_plugin.h"

#define GRACE_MS     3000 /* the plugin's process ends itself before that is over */
#define HEALTH_MS    5000
#define REST_FIRST   apr_time_from_sec(5)
#define REST_MOST    apr_time_from_sec(120)
#define REST_DEMO    apr_time_from_sec(1)  /* first; at most twice that */
#define START_WITHIN apr_time_from_sec(10) /* that plugins may take to start beside the pump */
#define START_LOOK   apr_time_from_msec(50)
#define OK_KEPT      apr_time_from_sec(60) /* how old the last success in the table may be */

/* A plugin's breaker, and what of it the table has. */
struct fww_breaker {
    const char *plugin, *port;
    fw_breaker b;      /* under the pump's mutex */
    bool dirty;        /* likewise: the table does not have it yet */
    apr_time_t ok_was; /* likewise: the last success that the table has */
};

static fww_breaker *breaker_of(fww_pump *pump, const char *plugin)
{
    for (int i = 0; i < pump->env->site->plugins->nelts; i++) {
        if (strcmp(pump->breakers[i].plugin, plugin) == 0)
            return &pump->breakers[i];
    }
    return NULL;
}

const fw_err *fww_ports_make(fww_pump *pump)
{
    const apr_array_header_t *plugins = pump->env->site->plugins;

    pump->breakers =
        apr_pcalloc(pump->env->pool, sizeof(fww_breaker) * ((apr_size_t)plugins->nelts + 1));
    for (int i = 0; i < plugins->nelts; i++) {
        const fw_plugin_conf *p = &APR_ARRAY_IDX(plugins, i, fw_plugin_conf);

        if (!p->name || !p->port)
            return FW_ERR(pump->env->pool, FW_E_CONFIG, 0, "a plugin without name or port");
        pump->breakers[i].plugin = p->name;
        pump->breakers[i].port = p->port;
    }
    pump->node = fw_status_node(pump->env->run_dir, pump->env->pool);
    pthread_mutex_init(&pump->keeping, NULL);
    return NULL;
}

/* A link that was down when the pump before this one ended is tried first. */
static void take_kept(fww_breaker *b, const fw_link *kept)
{
    b->b.failures = kept->failures;
    b->b.since = kept->since;
    b->b.last_ok = b->ok_was = kept->last_ok;
    b->b.until = strcmp(kept->state, "down") == 0 ? kept->next_probe : 0;
    apr_cpystrn(b->b.error, kept->error ? kept->error : "", sizeof(b->b.error));
}

const fw_err *fww_ports_load(fww_pump *pump, fw_db *db)
{
    apr_array_header_t *list = NULL;

    FW_TRY(fw_link_list(db, pump->node, &list, pump->env->pool));
    for (int i = 0; i < list->nelts; i++) {
        const fw_link *kept = &APR_ARRAY_IDX(list, i, fw_link);
        fww_breaker *b = breaker_of(pump, kept->plugin);

        if (b)
            take_kept(b, kept);
    }
    return NULL;
}

const char *fww_port_plugin(const fww_pump *pump, const char *port)
{
    const fw_plugin_conf *p = fw_settings_plugin_of(pump->env->site, port);

    return p ? p->name : NULL;
}

/* ---- breakers ---- */

bool fww_port_rests(fww_pump *pump, const char *plugin)
{
    fww_breaker *b = plugin ? breaker_of(pump, plugin) : NULL;
    bool rests = false;

    if (!b)
        return false;
    pthread_mutex_lock(&pump->mutex);
    rests = fw_breaker_rests_now(&b->b, apr_time_now());
    pthread_mutex_unlock(&pump->mutex);
    return rests;
}

fw_pass_e fww_port_pass(fww_pump *pump, const char *plugin)
{
    fww_breaker *b = plugin ? breaker_of(pump, plugin) : NULL;
    fw_pass_e pass = FW_PASS_FREE;

    if (!b)
        return pass;
    pthread_mutex_lock(&pump->mutex);
    pass = fw_breaker_pass(&b->b, apr_time_now());
    pthread_mutex_unlock(&pump->mutex);
    return pass;
}

void fww_port_probed(fww_pump *pump, const char *plugin)
{
    fww_breaker *b = breaker_of(pump, plugin);

    pthread_mutex_lock(&pump->mutex);
    fw_breaker_probed(&b->b);
    pthread_mutex_unlock(&pump->mutex);
}

/* What the table is to have of it; false: it has that. */
static bool take_dirty(const fww_turn *t, fww_breaker *b, fw_link *out)
{
    bool dirty;

    pthread_mutex_lock(&t->pump->mutex);
    dirty = b->dirty;
    *out = (fw_link){.plugin = b->plugin,
                     .node = t->pump->node,
                     .port = b->port,
                     .state = fw_breaker_state(&b->b),
                     .since = b->b.since,
                     .failures = b->b.failures,
                     .last_ok = b->b.last_ok,
                     .error = b->b.failures ? apr_pstrdup(t->pool, b->b.error) : NULL,
                     .next_probe = b->b.until};
    b->dirty = false;
    b->ok_was = b->b.last_ok;
    pthread_mutex_unlock(&t->pump->mutex);
    return dirty;
}

/* One writer at a time, and each writes what is so when its turn comes: what is written last is the newest. A database that is
 * away is told what changed with the next call. */
static void keep(const fww_turn *t, fww_breaker *b)
{
    const fw_err *err = NULL;
    fw_link link;

    if (!t->db)
        return;
    pthread_mutex_lock(&t->pump->keeping);
    if (take_dirty(t, b, &link))
        err = fw_link_put(t->db, &link, t->pool);
    pthread_mutex_unlock(&t->pump->keeping);
    if (!err)
        return;
    t->pump->env->log(FWW_DEBUG, "the state of link %s: %s", b->plugin, fw_err_text(err, t->pool));
    pthread_mutex_lock(&t->pump->mutex);
    b->dirty = true;
    pthread_mutex_unlock(&t->pump->mutex);
}

static bool is_failure(int rc)
{
    return rc == FWW_RC_AWAY || rc == FWP_TEMPFAIL || rc == FWP_MISCONFIGURED;
}

static fw_breaker_turn_e judge(const fww_turn *t, fww_breaker *b, const fww_answer *a, bool health)
{
    bool demo = t->pump->env->site->demo;
    fw_breaker_rests rests = {demo ? REST_DEMO : REST_FIRST, demo ? 2 * REST_DEMO : REST_MOST};
    apr_time_t now = apr_time_now();

    if (health ? a->rc != FWP_OK : is_failure(a->rc)) {
        b->dirty = true;
        return fw_breaker_failed(&b->b, a->reason, &rests, now);
    }
    if (b->b.failures > 0 || now - b->ok_was > OK_KEPT)
        b->dirty = true;
    return fw_breaker_worked(&b->b, health, now);
}

static void tell(const fww_turn *t, const fww_breaker *b, fw_breaker_turn_e turn,
                 const char *reason)
{
    const fww_role_env *env = t->pump->env;

    if (turn == FW_BREAKER_FAILS)
        env->log(FWW_WARNING, FWW_N_PLUGIN " plugin %s: %s", b->plugin, reason);
    if (turn == FW_BREAKER_OPENS)
        env->log(FWW_ERROR, FWW_N_PLUGIN " plugin %s failed %d times in a row: %s", b->plugin,
                 FW_BREAKER_FAILURES, reason);
    if (turn == FW_BREAKER_CLOSES)
        env->log(FWW_NOTICE, FWW_N_PLUGIN " plugin %s works again", b->plugin);
}

/* What failed meanwhile goes out at once. */
static void hurry(const fww_turn *t, const fww_breaker *b)
{
    const fw_err *err = t->db ? fw_link_hurry(t->db, b->port, apr_time_now(), t->pool) : NULL;

    if (err)
        t->pump->env->log(FWW_DEBUG, "link %s: %s", b->plugin, fw_err_text(err, t->pool));
    fw_wake_pump(t->pump->desk->run_dir, b->port);
}

/* Notes how a call went; who comes back is told once, and so is who goes. */
static void note(const fww_turn *t, const char *plugin, const fww_answer *a, bool health)
{
    fww_breaker *b = breaker_of(t->pump, plugin);
    bool ends_with_us = a->rc == FWW_RC_AWAY && *t->pump->env->stop;
    fw_breaker_turn_e turn;

    if (!b || ends_with_us)
        return;
    pthread_mutex_lock(&t->pump->mutex);
    turn = judge(t, b, a, health);
    pthread_mutex_unlock(&t->pump->mutex);
    tell(t, b, turn, a->reason);
    keep(t, b);
    if (turn == FW_BREAKER_CLOSES)
        hurry(t, b);
}

/* ---- calls ---- */

static bool answers_the_door(const fww_pump *pump, const char *plugin, apr_pool_t *pool)
{
    const char *role = apr_pstrcat(pool, "plugin-", plugin, NULL);
    int fd = -1;

    if (fw_frame_connect(pump->desk->run_dir, role, fw_monotonic() + START_LOOK, &fd, pool))
        return false;
    fw_frame_close(fd, pool);
    return true;
}

void fww_port_await(const fww_pump *pump, const char *plugin, apr_pool_t *pool)
{
    while (fw_monotonic() < pump->started + START_WITHIN && !*pump->env->stop &&
           !answers_the_door(pump, plugin, pool))
        apr_sleep(START_LOOK);
}

static int rc_of(const char *name)
{
    for (int rc = FWP_OK; name && fww_rc_name((fwp_rc)rc); rc++) {
        if (strcmp(fww_rc_name((fwp_rc)rc), name) == 0)
            return rc;
    }
    return FWP_PERMFAIL;
}

static json_t *make_frame(const fww_ask *ask)
{
    json_t *request = ask->request ? ask->request : json_object();

    return json_pack("{s:s, s:s, s:i, s:i, s:o}", "op", ask->op, "key", ask->key, "attempt",
                     ask->attempt, "deadline_ms", ask->deadline_ms, "request", request);
}

static const fw_err *exchange(const fww_turn *t, const char *plugin, const fww_ask *ask,
                              fw_plugin_ask *run)
{
    apr_time_t due = fw_monotonic() + apr_time_from_msec(ask->deadline_ms + GRACE_MS);
    const fw_err *err;

    *run = (fw_plugin_ask){
        .frame = make_frame(ask), .blob = ask->blob, .n_blob = ask->n_blob, .files = ask->files};
    if (!run->frame)
        return FW_ERR(t->pool, FW_E_INPUT, 0, "the request is not UTF-8");
    err = fw_plugin_ask_run(run, t->pump->desk->run_dir, plugin, due, t->pool);
    json_decref(run->frame);
    return err;
}

static void ask_plugin(const fww_turn *t, const char *plugin, const fww_ask *ask, fww_answer *out)
{
    fw_plugin_ask run;
    const fw_err *err = exchange(t, plugin, ask, &run);
    const json_t *answer = run.answer;
    const char *reason;

    *out = (fww_answer){.rc = FWW_RC_AWAY, .reason = ""};
    if (err) {
        if (err->code == FW_E_INPUT || err->code == FW_E_LIMIT)
            out->rc = FWP_PERMFAIL;
        out->reason = err->msg;
    } else {
        fw_json_keep(run.answer, t->pool);
        reason = json_string_value(json_object_get(answer, "reason"));
        out->rc = rc_of(json_string_value(json_object_get(answer, "rc")));
        out->reason = reason ? reason : "";
        out->retry_after = apr_time_from_msec(
            (apr_time_t)json_integer_value(json_object_get(answer, "retry_after_ms")));
        out->reply = json_object_get(answer, "reply");
        out->files = run.written;
    }
}

void fww_port_ask(const fww_turn *t, const char *plugin, const fww_ask *ask, fww_answer *out)
{
    ask_plugin(t, plugin, ask, out);
    if (out->rc != FWW_RC_AWAY || !ask->may_be_away)
        note(t, plugin, out, false);
}

bool fww_port_is_back(const fww_turn *t, const char *plugin)
{
    fww_ask ask = {.op = "health", .key = "", .deadline_ms = HEALTH_MS};
    fww_answer answer;

    ask_plugin(t, plugin, &ask, &answer);
    if (answer.rc == FWP_OK && strcmp(answer.reason, FWW_HEALTH_UNKNOWN) == 0)
        return true;
    note(t, plugin, &answer, true);
    return answer.rc == FWP_OK;
}

void fww_port_end(const fww_answer *a, fww_end *end)
{
    *end = (fww_end){.what = FWW_END_AGAIN, .reason = a->reason, .after = a->retry_after};
    if (a->rc == FWP_OK || a->rc == FWP_PENDING)
        end->what = FWW_END_DONE;
    if (a->rc == FWP_REJECTED || a->rc == FWP_PERMFAIL)
        end->what = FWW_END_DEAD;
    end->away = a->rc == FWW_RC_AWAY;
}
