#include "fw_config.h"
#include "fww_plugin.h"
#include "fww_plugin_call.h"
#include "fww_plugin_frame.h"
#include "fww_plugin_load.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <apr_encode.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <curl/curl.h>

#define NAME_MAX_BYTES   32
#define KEY_MAX_BYTES    200
#define REASON_MAX_BYTES 500
#define DEADLINE_MAX_MS  600000
#define STOP_LOOK_MS     500 /* how often an idle process looks whether it is to stop */

typedef struct fww_plugin_host {
    const fww_role_env *env;
    const char *name;
    int deadline_ms, grace_ms;
    fww_http_policy http;
    fww_loaded loaded;
    fwp_instance *self;
    const char *broken; /* why every request is answered "misconfigured"; NULL: all is well */
} fww_plugin_host;

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
    if (n == 0 || n > NAME_MAX_BYTES)
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

static void take_http_option(fww_plugin_host *h, const char *key, const char *value)
{
    if (strcmp(key, "http.allow_plain") == 0)
        h->http.allow_plain = strcmp(value, "yes") == 0;
    else if (strcmp(key, "http.ca_file") == 0)
        h->http.ca_file = value;
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
        if (!flags && strncmp(key, "http.", 5) == 0) {
            take_http_option(h, key, json_string_value(value));
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
    set_alarm(ms + h->grace_ms);
    return (fwp_call){.pool = pool,
                      .env = h->env,
                      .plugin = h->name,
                      .key = key,
                      .http = &h->http,
                      .due = fww_call_clock_ms() + ms};
}

static const char *clean_reason(const char *reason, apr_pool_t *pool)
{
    json_t *probe;
    char *s = apr_pstrndup(pool, reason ? reason : "", REASON_MAX_BYTES);

    for (char *p = s; *p; p++)
        if ((unsigned char)*p < 0x20)
            *p = ' ';
    probe = json_string(s);
    if (!probe)
        return "the plugin gave a reason that is not UTF-8";
    json_decref(probe);
    return s;
}

/* The answer's frame; `body` is taken over, NULL stands for {}. */
static json_t *make_answer(fwp_rc rc, const char *reason, uint32_t retry_ms, json_t *body)
{
    json_t *a = json_pack("{s:s, s:s, s:I}", "rc", rc_name(rc), "reason", reason, "retry_after_ms",
                          (json_int_t)retry_ms);
    json_object_set_new(a, "reply", body ? body : json_object());
    return a;
}

/* What the plugin returned, checked against the contract. */
static json_t *judge(fww_plugin_host *h, fwp_rc rc, const fwp_reply *reply, apr_pool_t *pool)
{
    json_t *body = NULL;
    json_error_t why;
    const char *reason;

    if (!rc_name(rc))
        return make_answer(FWP_PERMFAIL, "the plugin gave an answer that is not known", 0, NULL);
    reason = clean_reason(reply->reason, pool);
    if (reply->body.n == 0)
        return make_answer(rc, reason, reply->retry_after_ms, NULL);
    if (reply->body.p && reply->body.n <= FWP_MAX_BODY)
        body = json_loadb(reply->body.p, reply->body.n, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(body)) {
        json_decref(body);
        h->env->log(FWP_LOG_ERROR, "plugin %s: its reply is not a JSON object", h->name);
        return make_answer(FWP_PERMFAIL, "the plugin's reply is not a JSON object", 0, NULL);
    }
    return make_answer(rc, reason, reply->retry_after_ms, body);
}

static json_t *describe(const fww_plugin_host *h)
{
    json_t *ops = json_array();
    for (int i = 0; i < h->loaded.n_ops; i++)
        if (h->loaded.ops[i].run)
            json_array_append_new(ops, json_string(h->loaded.ops[i].name));
    return make_answer(FWP_OK, "", 0,
                       json_pack("{s:s, s:s, s:s, s:o}", "port", h->loaded.plugin.port, "name",
                                 h->loaded.plugin.name, "version", h->loaded.plugin.version, "ops",
                                 ops));
}

static fwp_op find_op(const fww_plugin_host *h, const char *op)
{
    if (strcmp(op, "health") == 0)
        return h->loaded.plugin.health;
    for (int i = 0; i < h->loaded.n_ops; i++)
        if (strcmp(op, h->loaded.ops[i].name) == 0)
            return h->loaded.ops[i].run;
    return NULL;
}

/* The request's text for the plugin, with the blob as body_base64. */
static fwp_str request_text(json_t *request, const char *blob, size_t n_blob, apr_pool_t *pool)
{
    fwp_str out = {"{}", 2};
    size_t n;
    char *text;

    if (n_blob > 0)
        json_object_set_new(
            request, "body_base64",
            json_string(apr_pencode_base64_binary(pool, (const unsigned char *)blob,
                                                  (apr_ssize_t)n_blob, APR_ENCODE_NONE, NULL)));
    n = json_dumpb(request, NULL, 0, JSON_COMPACT);
    if (n == 0)
        return out;
    text = apr_pcalloc(pool, n + 1);
    json_dumpb(request, text, n, JSON_COMPACT);
    return (fwp_str){text, n};
}

static json_t *perform(fww_plugin_host *h, json_t *frame, const char *blob, size_t n_blob,
                       apr_pool_t *pool)
{
    const char *name = json_string_value(json_object_get(frame, "op"));
    const char *key = json_string_value(json_object_get(frame, "key"));
    json_t *request = json_object_get(frame, "request");
    int ms = setting_ms(frame, "deadline_ms", h->deadline_ms);
    fwp_reply reply = {.size = sizeof(reply)};
    fwp_call call;
    fwp_str text;
    fwp_op run;
    fwp_rc rc;

    if (!name || (key && strlen(key) > KEY_MAX_BYTES) || (request && !json_is_object(request)))
        return make_answer(FWP_PERMFAIL, "the request has no op, a key too long, or no object", 0,
                           NULL);
    if (h->broken)
        return make_answer(FWP_MISCONFIGURED, h->broken, 0, NULL);
    if (strcmp(name, "describe") == 0)
        return describe(h);
    run = find_op(h, name);
    if (!run && strcmp(name, "health") == 0)
        return make_answer(FWP_OK, "the plugin cannot say", 0, NULL);
    if (!run)
        return make_answer(FWP_PERMFAIL, "the plugin does not support this operation", 0, NULL);
    text = request_text(request, blob, n_blob, pool);
    if (text.n > FWP_MAX_BODY)
        return make_answer(FWP_PERMFAIL, "the request is too long", 0, NULL);
    call = begin_call(h, key ? key : "", ms < h->deadline_ms ? ms : h->deadline_ms, pool);
    rc = run(h->self, &call, text, &reply);
    set_alarm(0);
    return judge(h, rc, &reply, pool);
}

/* ---- start ---- */

static const fw_err *create(fww_plugin_host *h, const apr_array_header_t *config, bool *again)
{
    apr_pool_t *pool = h->env->pool;
    fwp_reply reply = {.size = sizeof(reply)};
    fwp_call call = begin_call(h, "", h->deadline_ms, pool);
    fwp_rc rc;

    rc = h->loaded.plugin.create(fww_call_host(), (const fwp_kv *)(const void *)config->elts,
                                 (size_t)config->nelts, &call, &h->self, &reply);
    set_alarm(0);
    if (rc == FWP_OK)
        return NULL;
    *again = rc == FWP_TEMPFAIL || rc == FWP_CANCELLED;
    return FW_ERR(pool, FW_E_CONFIG, 0, "%s", clean_reason(reply.reason, pool));
}

static const fw_err *start_plugin(fww_plugin_host *h, bool *again)
{
    apr_pool_t *pool = h->env->pool;
    const json_t *s = h->env->settings;
    const char *dir = json_string_value(json_object_get(s, "dir"));
    const char *path = json_string_value(json_object_get(s, "path"));
    apr_array_header_t *config = apr_array_make(pool, 16, sizeof(fwp_kv));

    h->deadline_ms = setting_ms(s, "deadline_ms", FWW_PLUGIN_DEADLINE_MS);
    h->grace_ms = setting_ms(s, "grace_ms", FWW_PLUGIN_GRACE_MS);
    if (!dir || !path)
        return FW_ERR(pool, FW_E_CONFIG, 0, "plugin %s has no dir or no path", h->name);
    collect(h, config, json_object_get(s, "options"), 0);
    collect(h, config, json_object_get(s, "secrets"), FWP_KV_SECRET);
    if (h->broken)
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s", h->broken);
    FW_TRY(fww_plugin_load(&h->loaded, dir, path, pool));
    return create(h, config, again);
}

/* The listening socket, put in its place in one step so that a client never meets a dead one. */
static int listen_at(fww_plugin_host *h)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const char *place = apr_psprintf(h->env->pool, "%s/plugin-%s.sock", h->env->run_dir, h->name);
    const char *fresh = apr_psprintf(h->env->pool, "%s.new", place);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || strlen(fresh) >= sizeof(at.sun_path)) {
        h->env->log(FWP_LOG_ERROR, "plugin %s: no socket, or its path is too long: %s", h->name,
                    fresh);
        return -1;
    }
    memcpy(at.sun_path, fresh, strlen(fresh) + 1);
    unlink(fresh);
    if (bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || chmod(fresh, 0600) != 0 ||
        listen(fd, FWW_PLUGIN_CLIENTS) != 0 || rename(fresh, place) != 0) {
        h->env->log(FWP_LOG_ERROR, "plugin %s: socket %s: %s", h->name, place, strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

/* ---- service ---- */

/* One request of one client. False: the client is done with, or broke the framing. */
static bool serve(fww_plugin_host *h, int fd, apr_pool_t *pool)
{
    const fw_err *err;
    json_t *frame;
    json_t *answer;
    json_t *attempt;
    const char *blob;
    size_t n_blob;

    err = fww_frame_read(fd, &frame, &blob, &n_blob, pool);
    if (!err && !frame)
        return false;
    if (!err) {
        answer = perform(h, frame, blob, n_blob, pool);
        attempt = json_object_get(frame, "attempt");
        json_object_set_new(answer, "attempt", json_integer(json_integer_value(attempt)));
        err = fww_frame_write(fd, answer, pool);
        if (err && err->code == FW_E_LIMIT) { /* its JSON may be longer as we write it */
            json_object_set_new(answer, "rc", json_string(rc_name(FWP_PERMFAIL)));
            json_object_set_new(answer, "reason", json_string("the plugin's reply is too long"));
            json_object_set_new(answer, "reply", json_object());
            err = fww_frame_write(fd, answer, pool);
        }
        json_decref(answer);
        json_decref(frame);
    }
    if (err)
        h->env->log(FWP_LOG_WARNING, "plugin %s: client dropped: %s", h->name,
                    fw_err_text(err, pool));
    return !err;
}

static void accept_client(struct pollfd *fds, int *n)
{
    struct timeval patience = {.tv_sec = 5};
    int fd = accept4(fds[0].fd, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0)
        return;
    if (*n > FWW_PLUGIN_CLIENTS) {
        close(fd);
        return;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    fds[*n] = (struct pollfd){.fd = fd, .events = POLLIN};
    (*n)++;
}

static void serve_all(fww_plugin_host *h, int listener)
{
    struct pollfd fds[1 + FWW_PLUGIN_CLIENTS] = {{.fd = listener, .events = POLLIN}};
    int n = 1;
    apr_pool_t *pool;

    apr_pool_create(&pool, h->env->pool);
    while (!*h->env->stop) {
        if (poll(fds, (nfds_t)n, STOP_LOOK_MS) <= 0)
            continue;
        for (int i = n - 1; i > 0 && !*h->env->stop; i--) {
            apr_pool_clear(pool);
            if (!fds[i].revents || serve(h, fds[i].fd, pool))
                continue;
            close(fds[i].fd);
            fds[i] = fds[--n];
        }
        if (fds[0].revents)
            accept_client(fds, &n);
    }
}

int fww_plugin_main(const fww_role_env *env)
{
    fww_plugin_host h = {.env = env};
    const fw_err *err;
    bool again = false;
    int listener;

    h.name = json_string_value(json_object_get(env->settings, "name"));
    if (!name_is_good(h.name)) {
        env->log(FWP_LOG_ERROR, "a plugin's name is 1 to %d of a-z 0-9 _ -", NAME_MAX_BYTES);
        return 1;
    }
    signal(SIGALRM, SIG_DFL);
    umask(0077);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    err = start_plugin(&h, &again);
    if (err)
        env->log(FWP_LOG_ERROR, "plugin %s: %s", h.name, fw_err_text(err, env->pool));
    if (err && again)
        return 1;
    if (err)
        h.broken = fw_err_text(err, env->pool);
    listener = listen_at(&h);
    if (listener < 0)
        return 1;
    env->log(FWP_LOG_INFO, "plugin %s: %s", h.name, err ? "answers misconfigured" : "serves");
    serve_all(&h, listener);
    if (!err)
        h.loaded.plugin.destroy(h.self);
    return 0;
}
