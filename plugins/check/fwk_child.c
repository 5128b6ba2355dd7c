#include "fw_config.h"
#include "fwk.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <openssl/evp.h>

#define REASON_MAX 500

static const char *rc_name(fwp_rc rc)
{
    static const char *const names[] = {"ok",       "rejected",      "tempfail",
                                        "permfail", "misconfigured", "cancelled",
                                        "pending",  "unknown"};
    return (unsigned)rc < sizeof(names) / sizeof(names[0]) ? names[rc] : NULL;
}

/* The process ends by SIGALRM's default action when a call takes longer than `ms`; 0 disarms. */
static void set_alarm(int ms)
{
    struct itimerval t = {.it_value = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000}};
    setitimer(ITIMER_REAL, &t, NULL);
}

static void stage(const fwk_child *child, const char *what)
{
    snprintf(child->t->stage, FWK_TEXT, "%s", what);
}

/* ---- settings, given for the time of create and spoilt afterwards ---- */

typedef struct fwk_config {
    fwp_kv *list;
    size_t n;
} fwk_config;

static fwp_str copy(const char *text)
{
    size_t n = strlen(text);
    char *p = malloc(n + 1);

    if (!p)
        abort();
    memcpy(p, text, n + 1);
    return (fwp_str){p, n};
}

static void add_all(fwk_config *config, fwk_child *child, json_t *from, uint32_t flags)
{
    const fwk_trial *t = child->t;
    apr_pool_t *pool;
    const char *key;
    json_t *value;

    apr_pool_create(&pool, NULL);
    json_object_foreach(from, key, value)
    {
        const char *text = json_string_value(value);
        if (!text || (!flags && strncmp(key, "http.", 5) == 0))
            continue;
        config->list[config->n++] =
            (fwp_kv){copy(key), copy(fwk_fill(t->k, text, "", t->far.port, pool)), flags};
    }
    apr_pool_destroy(pool);
}

static fwk_config config_of(fwk_child *child)
{
    const fwk_trial *t = child->t;
    json_t *settings = t->settings ? t->settings : t->c->settings;
    json_t *secrets = t->secrets ? t->secrets : t->c->secrets;
    size_t room = json_object_size(settings) + json_object_size(secrets) + 1;
    fwk_config config = {.list = calloc(room, sizeof(fwp_kv))};

    if (!config.list)
        abort();
    add_all(&config, child, settings, 0);
    add_all(&config, child, secrets, FWP_KV_SECRET);
    return config;
}

static void spoil(fwp_str s)
{
    memset((char *)(uintptr_t)s.p, 'Z', s.n);
    free((void *)(uintptr_t)s.p);
}

static void spoil_config(fwk_config *config)
{
    for (size_t i = 0; i < config->n; i++) {
        spoil(config->list[i].key);
        spoil(config->list[i].value);
    }
    memset(config->list, 0xdd, config->n * sizeof(fwp_kv));
    free(config->list);
}

/* ---- judging ---- */

/* NULL, or what is wrong with a reason. */
static const char *bad_reason(const fwp_reply *reply)
{
    json_t *probe;

    if (!reply->reason || !*reply->reason)
        return "it gives no reason: set reply->reason when the answer is neither FWP_OK nor "
               "FWP_PENDING";
    if (strlen(reply->reason) > REASON_MAX)
        return "its reason is longer than 500 bytes";
    probe = json_string(reply->reason);
    json_decref(probe);
    return probe ? NULL : "its reason is not UTF-8";
}

/* Puts the body into the answer. NULL, or what is wrong with it. */
static const char *take_body(json_t *answer, const fwp_reply *reply)
{
    json_error_t why;
    json_t *body;

    if (reply->body.n == 0) {
        json_object_set_new(answer, "body", json_object());
        return NULL;
    }
    if (!reply->body.p)
        return "its body has a length and no bytes";
    if (reply->body.n > FWP_MAX_BODY)
        return "its body is longer than FWP_MAX_BODY";
    body = json_loadb(reply->body.p, reply->body.n, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(body)) {
        json_decref(body);
        return "its body is not one JSON object in UTF-8 without a name twice";
    }
    json_object_set_new(answer, "body", body);
    return NULL;
}

static json_t *judge(fwp_rc rc, const fwp_reply *reply)
{
    const char *name = rc_name(rc);
    json_t *answer = json_pack("{s:s, s:I}", "rc", name ? name : "?", "retry_after_ms",
                               (json_int_t)reply->retry_after_ms);
    const char *fault = NULL;

    if (!name)
        fault = "its answer is none of fwp_rc";
    else if (rc == FWP_OK || rc == FWP_PENDING)
        fault = take_body(answer, reply);
    else if (reply->body.n > 0)
        fault = "it gives a body with an answer that has none";
    else
        fault = bad_reason(reply);
    if (reply->reason) {
        json_t *reason = json_string(reply->reason);
        json_object_set_new(answer, "reason", reason ? reason : json_string("?"));
    }
    if (fault)
        json_object_set_new(answer, "fault", json_string(fault));
    return answer;
}

/* ---- calls ---- */

static json_t *create(fwk_child *child)
{
    fwk_config config = config_of(child);
    fwp_reply reply = {.size = sizeof(reply)};
    fwp_call call;
    json_t *answer;
    fwp_rc rc;

    stage(child, "create");
    fwk_call_begin(&call, child, NULL, FWK_DEADLINE_MS);
    set_alarm(FWK_DEADLINE_MS + FWK_GRACE_MS);
    child->self = NULL;
    rc = child->loaded.plugin.create(fwk_host(child->t->old_host), config.list, config.n, &call,
                                     &child->self, &reply);
    set_alarm(0);
    answer = judge(rc, &reply);
    spoil_config(&config);
    fwk_call_end(&call);
    return answer;
}

static json_t *check_config(fwk_child *child)
{
    fwk_config config = config_of(child);
    fwp_reply reply = {.size = sizeof(reply)};
    fwp_call call;
    json_t *answer;
    fwp_rc rc;

    stage(child, "check_config");
    fwk_call_begin(&call, child, NULL, FWK_DEADLINE_MS);
    set_alarm(FWK_DEADLINE_MS + FWK_GRACE_MS);
    rc = child->loaded.plugin.check_config(fwk_host(child->t->old_host), config.list, config.n,
                                           &call, &reply);
    set_alarm(0);
    answer = judge(rc, &reply);
    spoil_config(&config);
    fwk_call_end(&call);
    return answer;
}

static bool is_ok(const json_t *answer)
{
    return strcmp(json_string_value(json_object_get(answer, "rc")), "ok") == 0;
}

static void destroy(fwk_child *child)
{
    stage(child, "destroy");
    set_alarm(FWK_DEADLINE_MS + FWK_GRACE_MS);
    child->loaded.plugin.destroy(child->self);
    set_alarm(0);
    child->self = NULL;
}

/* Makes the instance that an operation needs; notes why there is none. */
static bool ready(fwk_child *child)
{
    json_t *answer = create(child);
    bool ok = is_ok(answer);

    if (!ok)
        json_object_set(child->out, "answer", answer);
    json_decref(answer);
    return ok;
}

static fwp_op find_op(const fwk_child *child, const char *op)
{
    if (strcmp(op, "health") == 0)
        return child->loaded.plugin.health;
    if (strcmp(op, "probe") == 0)
        return child->loaded.plugin.probe;
    for (int i = 0; i < child->loaded.n_ops; i++)
        if (strcmp(strchr(child->loaded.ops[i].name, '.') + 1, op) == 0)
            return child->loaded.ops[i].run;
    return NULL;
}

/* Names the files that the operation wrote in its reply, as the platform's process does. */
static void name_files(json_t *answer, json_t *written)
{
    json_t *files = json_array();
    const char *name;
    json_t *bytes;

    json_object_foreach(written, name, bytes)
    {
        unsigned char sum[EVP_MAX_MD_SIZE];
        char hex[2 * EVP_MAX_MD_SIZE + 1] = "";
        unsigned int n = 0;
        EVP_Digest(json_string_value(bytes), json_string_length(bytes), sum, &n, EVP_sha256(),
                   NULL);
        for (unsigned int i = 0; i < n; i++)
            snprintf(hex + 2 * i, 3, "%02x", sum[i]);
        json_array_append_new(files,
                              json_pack("{s:s, s:I, s:s}", "name", name, "size",
                                        (json_int_t)json_string_length(bytes), "sha256", hex));
    }
    json_object_set_new(json_object_get(answer, "body"), "files", files);
    json_object_set(answer, "files", written);
}

/* The request's bytes, for the time of the call. */
static fwp_str request_of(fwk_child *child)
{
    const fwk_trial *t = child->t;
    char *text = json_dumps(json_object_get(t->c->all, "request"), JSON_COMPACT);
    fwp_str request;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    request = copy(fwk_fill(t->k, text, t->key ? t->key : t->c->key, t->far.port, pool));
    apr_pool_destroy(pool);
    free(text);
    return request;
}

static json_t *run_op(fwk_child *child, bool quiet)
{
    const fwk_trial *t = child->t;
    fwp_op run = find_op(child, t->c->op);
    fwp_str request = request_of(child);
    fwp_reply reply = {.size = sizeof(reply)};
    int ms = t->deadline_ms ? t->deadline_ms : FWK_DEADLINE_MS;
    fwp_call call;
    json_t *answer;
    fwp_rc rc;

    stage(child, t->c->op);
    fwk_call_begin(&call, child, t->c, ms);
    call.quiet = quiet;
    set_alarm(ms + FWK_GRACE_MS);
    rc = run(child->self, &call, request, &reply);
    set_alarm(0);
    spoil(request);
    answer = judge(rc, &reply);
    json_object_set_new(answer, "exchanges", json_integer((json_int_t)call.exchange));
    if (call.written)
        name_files(answer, call.written);
    fwk_call_end(&call);
    return answer;
}

/* ---- the works ---- */

static const fwp_plugin *enter(const fwk_child *child, uint32_t abi)
{
    void *handle = dlopen(child->t->k->file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    const fwp_plugin *(*entry)(uint32_t);
    void *symbol = handle ? dlsym(handle, "fwpermit_plugin") : NULL;

    if (!symbol)
        return NULL;
    memcpy(&entry, &symbol, sizeof(entry));
    return entry(abi);
}

void fwk_work_show(fwk_child *child)
{
    const fwp_plugin *theirs = enter(child, FWP_ABI);
    const fwp_plugin *next = enter(child, (FWP_ABI_MAJOR + 1) << 16);
    bool takes_next = next && next->abi >> 16 != FWP_ABI_MAJOR;
    const fwp_plugin *p = &child->loaded.plugin;
    uint32_t ops_size;
    json_t *ops = json_array();

    memcpy(&ops_size, p->ops, sizeof(ops_size));
    for (int i = 0; i < child->loaded.n_ops; i++)
        if (child->loaded.ops[i].run)
            json_array_append_new(ops, json_string(strchr(child->loaded.ops[i].name, '.') + 1));
    json_object_update_new(
        child->out,
        json_pack("{s:s, s:s, s:s, s:o, s:I, s:I, s:b, s:b, s:b, s:b, s:b, s:I}", "port", p->port,
                  "name", p->name, "version", p->version, "ops", ops, "size",
                  (json_int_t)theirs->size, "ops_size", (json_int_t)ops_size, "takes_next_major",
                  takes_next, "older", enter(child, FWP_ABI_MAJOR << 16) != NULL, "newer",
                  enter(child, (FWP_ABI_MAJOR << 16) + 999) != NULL, "health", p->health != NULL,
                  "probe", p->probe != NULL, "abi", (json_int_t)p->abi));
}

void fwk_work_create(fwk_child *child)
{
    json_t *answer = create(child);

    json_object_set_new(child->out, "answer", answer);
    if (is_ok(answer))
        destroy(child);
    if (child->loaded.plugin.check_config)
        json_object_set_new(child->out, "checked", check_config(child));
}

void fwk_work_op(fwk_child *child)
{
    if (!ready(child))
        return;
    json_object_set_new(child->out, "answer", run_op(child, false));
    destroy(child);
}

static void note_size(fwk_child *child, const char *name)
{
    fwk_size s = fwk_measure();

    json_object_set_new(child->out, name,
                        json_pack("{s:I, s:I, s:i, s:i}", "heap", (json_int_t)s.heap, "resident",
                                  (json_int_t)s.resident, "files", s.files, "threads", s.threads));
}

void fwk_work_cycle(fwk_child *child)
{
    int rounds = child->t->rounds;

    for (int i = 0; i < rounds; i++) {
        if (i == rounds / 5)
            note_size(child, "before");
        if (!ready(child))
            return;
        destroy(child);
    }
    note_size(child, "after");
}

void fwk_work_ops(fwk_child *child)
{
    int rounds = child->t->rounds;

    if (!ready(child))
        return;
    for (int i = 0; i < rounds; i++) {
        if (i == rounds / 5)
            note_size(child, "before");
        json_decref(run_op(child, true));
    }
    note_size(child, "after");
    destroy(child);
}
