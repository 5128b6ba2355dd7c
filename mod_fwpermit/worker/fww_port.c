#include "fw_config.h"
#include "fww_pump_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_frame.h"
#include "fwpermit_plugin.h"

#define GRACE_MS       3000 /* the plugin's process ends itself before that is over */
#define FAILURES_MOST  5    /* in a row: then the plugin is left in peace */
#define REST           apr_time_from_sec(30)
#define REPLY_BLOB_MAX 1024u

struct fww_breaker {
    const char *plugin;
    int failures;     /* in a row */
    apr_time_t until; /* the rest's end */
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
    }
    return NULL;
}

const char *fww_port_plugin(const fww_pump *pump, const char *port)
{
    if (strcmp(port, FWP_PORT_PAYMENT) == 0)
        return pump->desk->payment_plugin;
    return strcmp(port, FWP_PORT_NOTIFY) == 0 ? pump->desk->notify_plugin : NULL;
}

bool fww_port_rests(fww_pump *pump, const char *plugin)
{
    fww_breaker *b = plugin ? breaker_of(pump, plugin) : NULL;
    bool rests = false;

    if (!b)
        return false;
    apr_thread_mutex_lock(pump->mutex);
    rests = b->until > apr_time_now();
    apr_thread_mutex_unlock(pump->mutex);
    return rests;
}

static bool is_failure(int rc)
{
    return rc == FWW_RC_AWAY || rc == FWP_TEMPFAIL || rc == FWP_MISCONFIGURED;
}

/* Notes how a call went; who comes back is told once, and so is who goes. */
static void note(fww_pump *pump, const char *plugin, const fww_answer *a)
{
    fww_breaker *b = breaker_of(pump, plugin);
    int before, now;

    if (!b)
        return;
    apr_thread_mutex_lock(pump->mutex);
    before = b->failures;
    b->failures = is_failure(a->rc) ? before + 1 : 0;
    b->until = b->failures >= FAILURES_MOST ? apr_time_now() + REST : 0;
    now = b->failures;
    apr_thread_mutex_unlock(pump->mutex);
    if (now == 1)
        pump->env->log(FWW_WARNING, FWW_N_PLUGIN " plugin %s: %s", plugin, a->reason);
    if (now == FAILURES_MOST)
        pump->env->log(FWW_ERROR, FWW_N_PLUGIN " plugin %s failed %d times in a row: %s", plugin,
                       now, a->reason);
    if (before > 0 && now == 0)
        pump->env->log(FWW_NOTICE, FWW_N_PLUGIN " plugin %s works again", plugin);
}

static int rc_of(const char *name)
{
    static const char *const names[] = {[FWP_OK] = "ok",
                                        [FWP_REJECTED] = "rejected",
                                        [FWP_TEMPFAIL] = "tempfail",
                                        [FWP_PERMFAIL] = "permfail",
                                        [FWP_MISCONFIGURED] = "misconfigured",
                                        [FWP_CANCELLED] = "cancelled",
                                        [FWP_PENDING] = "pending",
                                        [FWP_UNKNOWN] = "unknown"};

    for (size_t i = 0; name && i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) == 0)
            return (int)i;
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
                              json_t **answer)
{
    apr_time_t due = apr_time_now() + apr_time_from_msec(ask->deadline_ms + GRACE_MS);
    json_t *frame = make_frame(ask);
    const char *blob = NULL;
    apr_size_t n = 0;
    const fw_err *err;
    int fd = -1;

    if (!frame)
        return FW_ERR(t->pool, FW_E_INPUT, 0, "the request is not UTF-8");
    err = fw_frame_connect(t->pump->desk->run_dir, apr_pstrcat(t->pool, "plugin-", plugin, NULL),
                           due, &fd, t->pool);
    if (!err) {
        err = fw_frame_write(fd, due, frame, ask->blob, ask->n_blob, t->pool);
        if (!err)
            err = fw_frame_read(fd, due, REPLY_BLOB_MAX, answer, &blob, &n, t->pool);
        fw_frame_close(fd, t->pool);
    }
    json_decref(frame);
    return err;
}

static apr_status_t free_json(void *o)
{
    json_decref(o);
    return APR_SUCCESS;
}

void fww_port_ask(const fww_turn *t, const char *plugin, const fww_ask *ask, fww_answer *out)
{
    json_t *answer = NULL;
    const fw_err *err = exchange(t, plugin, ask, &answer);
    const char *reason;

    *out = (fww_answer){.rc = FWW_RC_AWAY, .reason = ""};
    if (err) {
        if (err->code == FW_E_INPUT || err->code == FW_E_LIMIT)
            out->rc = FWP_PERMFAIL;
        out->reason = err->msg;
    } else {
        apr_pool_cleanup_register(t->pool, answer, free_json, apr_pool_cleanup_null);
        reason = json_string_value(json_object_get(answer, "reason"));
        out->rc = rc_of(json_string_value(json_object_get(answer, "rc")));
        out->reason = reason ? reason : "";
        out->retry_after = apr_time_from_msec(
            (apr_time_t)json_integer_value(json_object_get(answer, "retry_after_ms")));
        out->reply = json_object_get(answer, "reply");
    }
    note(t->pump, plugin, out);
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
