#include "fw_config.h"
#include "fww_plugin.h"
#include "fw_wait.h"
#include "fww_plugin_fence.h"
#include "fww_plugin_frame.h"
#include "fww_plugin_log.h"
#include "fww_plugin_judge.h"
#include "fww_plugin_run.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <apr_strings.h>
#include <curl/curl.h>

#include "fw_call_files.h"
#include "fw_file.h"
#include "fw_status.h"

#define PATIENCE_S   5   /* for a client in the middle of a frame */
#define STOP_LOOK_MS 500 /* how often an idle process looks whether it is to stop */

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

/* The listener, at 0, and the clients; and which open file each is. */
typedef struct fww_door {
    struct pollfd fds[1 + FWW_PLUGIN_CLIENTS];
    fww_mark marks[1 + FWW_PLUGIN_CLIENTS];
    int n;
} fww_door;

static void let_in(fww_door *d, int fd)
{
    d->fds[d->n] = (struct pollfd){.fd = fd, .events = POLLIN};
    d->marks[d->n] = fww_fence_mark(fd);
    d->n++;
}

static void let_out(fww_door *d, int i)
{
    close(d->fds[i].fd);
    d->n--;
    d->fds[i] = d->fds[d->n];
    d->marks[i] = d->marks[d->n];
}

/* After a call: a plugin that closed what is ours may have opened something else in its place. */
static void check_door(const fww_plugin_host *h, const fww_door *d)
{
    for (int i = 0; i < d->n; i++) {
        if (fww_fence_same(d->marks[i], fww_fence_mark(d->fds[i].fd)))
            continue;
        h->env->log(FWP_LOG_ERROR, "plugin %s: it closed descriptors that are not its own",
                    h->name);
        _exit(1);
    }
}

/* Takes the files that the request names. *fault: they are not what it says. */
static const fw_err *take_files(fww_question *q, int fd, const char **fault, apr_pool_t *pool)
{
    const json_t *list = json_object_get(json_object_get(q->frame, "request"), "files");
    apr_time_t due = fw_monotonic() + apr_time_from_sec(PATIENCE_S);
    apr_array_header_t *files;
    const fw_err *err;

    FW_TRY(fw_call_files_receive(fd, due, list, &files, pool));
    err = fw_call_files_prove(files, list, pool);
    *fault = err ? err->msg : NULL;
    q->files = files;
    return NULL;
}

static const fw_err *send_answer(fww_question *q, int fd, json_t *answer, apr_pool_t *pool)
{
    apr_time_t due = fw_monotonic() + apr_time_from_sec(PATIENCE_S);
    json_t *attempt = json_object_get(q->frame, "attempt");
    const fw_err *err;

    json_object_set_new(answer, "attempt", json_integer(json_integer_value(attempt)));
    err = fww_frame_write(fd, answer, pool);
    if (!err)
        return fw_call_files_send(fd, due, q->written, pool);
    if (err->code != FW_E_LIMIT)
        return err;
    /* its JSON may be longer as we write it */
    json_object_set_new(answer, "rc", json_string(fww_rc_name(FWP_PERMFAIL)));
    json_object_set_new(answer, "reason", json_string("the plugin's reply is too long"));
    json_object_set_new(answer, "reply", json_object());
    return fww_frame_write(fd, answer, pool);
}

static const fw_err *answer_one(fww_plugin_host *h, const fww_door *d, int fd, fww_question *q,
                                apr_pool_t *pool)
{
    const char *fault = NULL;
    const fw_err *err;
    json_t *answer;

    FW_TRY(take_files(q, fd, &fault, pool));
    answer = fault ? fww_answer_make(FWP_PERMFAIL, fault, 0, NULL) : fww_plugin_perform(h, q, pool);
    check_door(h, d);
    err = send_answer(q, fd, answer, pool);
    json_decref(answer);
    return err;
}

/* One request of one client. False: the client is done with, or broke the framing. */
static bool serve(fww_plugin_host *h, const fww_door *d, int fd, apr_pool_t *pool)
{
    fww_question q = {0};
    const fw_err *err = fww_frame_read(fd, &q.frame, &q.blob, &q.n_blob, pool);

    if (!err && !q.frame)
        return false;
    if (!err)
        err = answer_one(h, d, fd, &q, pool);
    json_decref(q.frame);
    if (err)
        h->env->log(FWP_LOG_WARNING, "plugin %s: client dropped: %s", h->name,
                    fw_err_text(err, pool));
    return !err;
}

static void accept_client(fww_door *d)
{
    struct timeval patience = {.tv_sec = PATIENCE_S};
    int fd = accept4(d->fds[0].fd, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0)
        return;
    if (d->n > FWW_PLUGIN_CLIENTS) {
        close(fd);
        return;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    let_in(d, fd);
}

static void serve_all(fww_plugin_host *h, int listener)
{
    fww_door d = {.n = 0};
    apr_pool_t *pool;

    apr_pool_create(&pool, h->env->pool);
    let_in(&d, listener);
    while (!*h->env->stop) {
        if (poll(d.fds, (nfds_t)d.n, STOP_LOOK_MS) <= 0)
            continue;
        for (int i = d.n - 1; i > 0 && !*h->env->stop; i--) {
            apr_pool_clear(pool);
            if (d.fds[i].revents && !serve(h, &d, d.fds[i].fd, pool))
                let_out(&d, i);
        }
        if (d.fds[0].revents)
            accept_client(&d);
    }
    apr_pool_destroy(pool);
}

/* From the settings to the instance. *again: a later start may mend it. */
static const fw_err *make_instance(fww_plugin_host *h, bool *again)
{
    FW_TRY(fww_plugin_open(h));
    return fww_plugin_create(h, again);
}

/* The live map tells it before anything is to be delivered. */
static void tell_fault(const fww_role_env *env, const char *name, const fw_err *err)
{
    const char *path = fw_status_fault_file(env->run_dir, name, env->pool);
    const fw_err *untold = NULL;

    if (err)
        untold = fw_file_put(path, err->msg, 0600, env->pool);
    else
        unlink(path);
    if (untold)
        env->log(FWP_LOG_ERROR, "plugin %s: %s", name, fw_err_text(untold, env->pool));
}

int fww_plugin_main(const fww_role_env *env)
{
    fww_plugin_host h = {.env = env};
    const fw_err *err;
    bool again = false;
    int listener;

    signal(SIGALRM, SIG_DFL);
    umask(0077);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    err = fww_plugin_read(&h);
    if (h.name && (!fww_fence_raise(env, h.name, h.memory_mb) || !fww_plugin_capture(env, h.name)))
        return 1;
    if (!err)
        err = make_instance(&h, &again);
    if (err)
        env->log(FWP_LOG_ERROR, "plugin %s: %s", h.name ? h.name : "", fw_err_text(err, env->pool));
    if (h.name)
        tell_fault(env, h.name, err);
    if (err && (again || !h.name))
        return 1;
    if (err)
        h.broken = err->msg;
    listener = listen_at(&h);
    if (listener < 0)
        return 1;
    env->log(FWP_LOG_INFO, "plugin %s: %s", h.name, err ? "answers misconfigured" : "serves");
    serve_all(&h, listener);
    if (!err)
        fww_plugin_destroy(&h);
    fww_plugin_capture_end();
    return 0;
}
