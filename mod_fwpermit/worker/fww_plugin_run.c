#include "fw_config.h"
#include "fww_plugin_run.h"
#include "fww_plugin_fence.h"
#include "fww_plugin_judge.h"
#include "fww_plugin_log.h"

#include <string.h>

#include <apr_encode.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "fw_call_files.h"

#define KEY_MAX_BYTES   200
#define DEADLINE_MAX_MS 600000

/* ---- settings ---- */

static int setting_ms(const json_t *settings, const char *name, int otherwise)
{
    json_int_t v = json_integer_value(json_object_get(settings, name));
    if (v <= 0)
        return otherwise;
    return v < DEADLINE_MAX_MS ? (int)v : DEADLINE_MAX_MS;
}

static bool name_is_good(const char *name)
{
    size_t n = name ? strlen(name) : 0;
    if (n == 0 || n > FWW_PLUGIN_NAME_MAX)
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

/* A number of MiB; 0: it is none that can be. */
static int read_memory(const char *value)
{
    int64_t mb = apr_isdigit(*value) && strlen(value) < 8 ? apr_atoi64(value) : 0;

    return strspn(value, "0123456789") == strlen(value) && mb >= FWW_FENCE_MEMORY_MIN &&
                   mb <= FWW_FENCE_MEMORY_MAX
               ? (int)mb
               : 0;
}

static void take_memory(fww_plugin_host *h, const char *value)
{
    int mb = read_memory(value);

    if (mb == 0)
        h->broken = apr_psprintf(h->env->pool, "option process.memory_mb is %d to %d",
                                 FWW_FENCE_MEMORY_MIN, FWW_FENCE_MEMORY_MAX);
    else
        h->memory_mb = mb;
}

static bool is_ours(const char *key)
{
    return strncmp(key, "http.", 5) == 0 || strncmp(key, "process.", 8) == 0;
}

static void take_option(fww_plugin_host *h, const char *key, const char *value)
{
    if (strcmp(key, "process.memory_mb") == 0)
        take_memory(h, value);
    else if (strcmp(key, "http.allow_plain") == 0)
        h->http.allow_plain = strcmp(value, "yes") == 0;
    else if (strcmp(key, "http.ca_file") == 0)
        h->http.ca_file = value;
    else if (strcmp(key, "http.crl_file") == 0)
        h->http.crl_file = value;
    else if (strcmp(key, "http.cert_file") == 0)
        h->http.cert_file = value;
    else if (strcmp(key, "http.key_file") == 0)
        h->http.key_file = value;
    else if (strcmp(key, "http.proxy") == 0)
        h->http.proxy = value;
    else
        h->broken = apr_psprintf(h->env->pool, "option %s is not known", key);
}

/* Appends the settings of one object; what is the host's own it keeps. */
static void collect(fww_plugin_host *h, apr_array_header_t *list, json_t *from, uint32_t flags)
{
    const char *key;
    json_t *value;

    json_object_foreach(from, key, value)
    {
        fwp_kv *kv;
        if (!json_is_string(value)) {
            h->broken = apr_psprintf(h->env->pool, "option %s is not a text", key);
            continue;
        }
        if (!flags && is_ours(key)) {
            take_option(h, key, json_string_value(value));
            continue;
        }
        kv = apr_array_push(list);
        kv->key = (fwp_str){key, strlen(key)};
        kv->value = (fwp_str){json_string_value(value), json_string_length(value)};
        kv->flags = flags;
    }
}

/* ---- calls ---- */

static fwp_call begin_call(fww_plugin_host *h, const char *key, int ms, apr_pool_t *pool)
{
    fww_fence_arm(ms + h->grace_ms);
    return (fwp_call){.pool = pool,
                      .env = h->env,
                      .plugin = h->name,
                      .key = key,
                      .http = &h->http,
                      .due = fww_call_clock_ms() + ms,
                      .written = apr_array_make(pool, 1, sizeof(fw_call_file))};
}

static void end_call(const fww_plugin_host *h)
{
    fww_fence_arm(0);
    fww_fence_mend();
    fww_plugin_say_rest(h->env, h->name);
}

static json_t *describe(const fww_plugin_host *h)
{
    json_t *ops = json_array();
    for (int i = 0; i < h->loaded.n_ops; i++)
        if (h->loaded.ops[i].run)
            json_array_append_new(ops, json_string(h->loaded.ops[i].name));
    return fww_answer_make(FWP_OK, "", 0,
                           json_pack("{s:s, s:s, s:s, s:o}", "port", h->loaded.plugin.port, "name",
                                     h->loaded.plugin.name, "version", h->loaded.plugin.version,
                                     "ops", ops));
}

static fwp_op find_op(const fww_plugin_host *h, const char *op)
{
    for (int i = 0; i < h->loaded.n_ops; i++)
        if (strcmp(op, h->loaded.ops[i].name) == 0)
            return h->loaded.ops[i].run;
    return NULL;
}

/* Puts the blob into the request, as body_base64. */
static void add_blob(json_t *request, const fww_question *q, apr_pool_t *pool)
{
    const char *text;

    if (q->n_blob == 0)
        return;
    text = apr_pencode_base64_binary(pool, (const unsigned char *)q->blob, (apr_ssize_t)q->n_blob,
                                     APR_ENCODE_NONE, NULL);
    json_object_set_new(request, "body_base64", json_string(text));
}

static fwp_str request_text(const json_t *request, apr_pool_t *pool)
{
    size_t n = json_dumpb(request, NULL, 0, JSON_COMPACT);
    char *text = apr_pcalloc(pool, n + 1);

    json_dumpb(request, text, n, JSON_COMPACT);
    return (fwp_str){text, n};
}

/* What the plugin, which has no probe, says of its health, as a probe's one step. Takes `health` over. */
static json_t *as_probe(json_t *health)
{
    const char *rc = json_string_value(json_object_get(health, "rc"));
    const char *reason = json_string_value(json_object_get(health, "reason"));
    json_t *steps = json_pack("{s:[{s:s, s:b, s:s}]}", "steps", "name", "health", "ok",
                              strcmp(rc, "ok") == 0, "detail", reason);
    json_t *answer = fww_answer_make(FWP_OK, "", 0, steps);

    json_decref(health);
    return answer;
}

/* A request that breaks the contract is a fault of ours. */
static json_t *refuse(const fww_plugin_host *h, const char *op, const char *fault, apr_pool_t *pool)
{
    h->env->log(FWP_LOG_ERROR, "plugin %s: %s: our own request breaks the contract: %s", h->name,
                op, fault);
    return fww_answer_make(
        FWP_PERMFAIL, apr_pstrcat(pool, "the request breaks the contract: ", fault, NULL), 0, NULL);
}

static json_t *run_op(fww_plugin_host *h, const char *op, fwp_op run, fww_question *q,
                      apr_pool_t *pool)
{
    const char *key = json_string_value(json_object_get(q->frame, "key"));
    json_t *request = json_object_get(q->frame, "request");
    int ms = setting_ms(q->frame, "deadline_ms", h->deadline_ms);
    fwp_reply reply = {.size = sizeof(reply)};
    const char *fault;
    fwp_call call;
    fwp_str text;
    fwp_rc rc;

    if (!request) {
        request = json_object();
        json_object_set_new(q->frame, "request", request);
    }
    add_blob(request, q, pool);
    text = request_text(request, pool);
    if (text.n > FWP_MAX_BODY)
        return refuse(h, op, "it is too long", pool);
    fault = fww_contract_fault(h, op, "request", request, pool);
    if (fault)
        return refuse(h, op, fault, pool);
    call = begin_call(h, key ? key : "", ms < h->deadline_ms ? ms : h->deadline_ms, pool);
    call.files = q->files;
    rc = run(h->self, &call, text, &reply);
    end_call(h);
    return fww_plugin_judge(h, op, rc, &reply, call.written, q, pool);
}

static json_t *health(fww_plugin_host *h, fww_question *q, apr_pool_t *pool)
{
    if (h->loaded.plugin.health)
        return run_op(h, "health", h->loaded.plugin.health, q, pool);
    return fww_answer_make(FWP_OK, FWW_HEALTH_UNKNOWN, 0, NULL);
}

json_t *fww_plugin_perform(fww_plugin_host *h, fww_question *q, apr_pool_t *pool)
{
    const char *name = json_string_value(json_object_get(q->frame, "op"));
    const char *key = json_string_value(json_object_get(q->frame, "key"));
    json_t *request = json_object_get(q->frame, "request");
    fwp_op run;

    if (!name || (key && strlen(key) > KEY_MAX_BYTES) || (request && !json_is_object(request)))
        return fww_answer_make(FWP_PERMFAIL, "the request has no op, a key too long, or no object",
                               0, NULL);
    if (h->broken)
        return fww_answer_make(FWP_MISCONFIGURED, h->broken, 0, NULL);
    if (strcmp(name, "describe") == 0)
        return describe(h);
    if (strcmp(name, "health") == 0)
        return health(h, q, pool);
    run = strcmp(name, "probe") == 0 ? h->loaded.plugin.probe : find_op(h, name);
    if (run)
        return run_op(h, name, run, q, pool);
    if (strcmp(name, "probe") == 0)
        return as_probe(health(h, q, pool));
    return fww_answer_make(FWP_PERMFAIL, FWW_UNSUPPORTED, 0, NULL);
}

/* ---- start ---- */

const fw_err *fww_plugin_read(fww_plugin_host *h)
{
    apr_pool_t *pool = h->env->pool;
    const json_t *s = h->env->settings;
    const char *name = json_string_value(json_object_get(s, "name"));

    h->deadline_ms = setting_ms(s, "deadline_ms", FWW_PLUGIN_DEADLINE_MS);
    h->grace_ms = setting_ms(s, "grace_ms", FWW_PLUGIN_GRACE_MS);
    h->memory_mb = FWW_FENCE_MEMORY_MB;
    h->config = apr_array_make(pool, 16, sizeof(fwp_kv));
    if (!name_is_good(name))
        return FW_ERR(pool, FW_E_CONFIG, 0, "a plugin's name is 1 to %d of a-z 0-9 _ -",
                      FWW_PLUGIN_NAME_MAX);
    h->name = name;
    collect(h, h->config, json_object_get(s, "options"), 0);
    collect(h, h->config, json_object_get(s, "secrets"), FWP_KV_SECRET);
    return h->broken ? FW_ERR(pool, FW_E_CONFIG, 0, "%s", h->broken) : NULL;
}

static const fw_err *load_contract(fww_plugin_host *h, const char *name, fw_schema **out)
{
    apr_pool_t *pool = h->env->pool;

    return fw_schema_load(
        out, apr_pstrcat(pool, h->env->site->contracts_dir, "/", name, ".json", NULL), pool);
}

const fw_err *fww_plugin_open(fww_plugin_host *h)
{
    const json_t *s = h->env->settings;
    const char *dir = json_string_value(json_object_get(s, "dir"));
    const char *path = json_string_value(json_object_get(s, "path"));
    const fw_err *err;

    if (!dir || !path)
        return FW_ERR(h->env->pool, FW_E_CONFIG, 0, "plugin %s has no dir or no path", h->name);
    fww_fence_arm(h->deadline_ms + h->grace_ms);
    err = fww_plugin_load(&h->loaded, dir, path, h->env->pool);
    fww_fence_arm(0);
    FW_TRY(err);
    FW_TRY(load_contract(h, "plugin", &h->common));
    return load_contract(h, h->loaded.plugin.port, &h->port);
}

const fw_err *fww_plugin_create(fww_plugin_host *h, bool *again)
{
    apr_pool_t *pool = h->env->pool;
    fwp_reply reply = {.size = sizeof(reply)};
    fwp_call call = begin_call(h, "", h->deadline_ms, pool);
    fwp_rc rc;

    rc = h->loaded.plugin.create(fww_call_host(), (const fwp_kv *)(const void *)h->config->elts,
                                 (size_t)h->config->nelts, &call, &h->self, &reply);
    end_call(h);
    *again = rc == FWP_TEMPFAIL || rc == FWP_CANCELLED;
    if (rc == FWP_OK)
        return NULL;
    return FW_ERR(pool, FW_E_CONFIG, 0, "%s", fww_reason_clean(reply.reason, pool));
}

void fww_plugin_destroy(fww_plugin_host *h)
{
    fww_fence_arm(h->grace_ms);
    h->loaded.plugin.destroy(h->self);
    end_call(h);
    h->self = NULL;
}
