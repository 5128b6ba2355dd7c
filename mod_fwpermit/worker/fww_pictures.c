#include "fw_config.h"
#include "fww_pictures.h"
#include "fw_wait.h"
#include "fww_beside.h"
#include "fww_page.h"
#include "fww_pdf.h"
#include "fww_pictures_child.h"
#include "fww_plugin_frame.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>
#include <vips/vips.h>

#define SOCKET_NAME  "pictures.sock"
#define BACKLOG      64
#define CHILDREN_MAX 32   /* most of "at_once" */
#define LOOK_MS      500  /* how often an idle role looks whether it is to stop */
#define STOP_MS      2000 /* that children have left when the role is to end */
#define SEND_MS      1000 /* for an answer of some hundred bytes */

#define AT_ONCE     4
#define MEMORY_MIB  512
#define CPU_SECONDS 5
#define DEADLINE_MS 10000
#define MIB         1048576u

#define LOG_ERROR 3
#define LOG_WARN  4
#define LOG_INFO  6

typedef struct child {
    pid_t pid; /* 0: no child here */
    int pid_fd, client, progress;
    apr_time_t begun, due;
    bool late; /* killed by us */
    bool cut;  /* not for its own sake: the role ends */
} child;

typedef struct role {
    const fww_role_env *env;
    fww_photo_rules rules;
    fww_child_limits limits;
    int at_once, listener;
    child children[CHILDREN_MAX];
} role;

/* ---- settings ---- */

static int setting(const json_t *settings, const char *name, int otherwise, int most)
{
    json_int_t v = json_integer_value(json_object_get(settings, name));
    if (v <= 0)
        return otherwise;
    return v < most ? (int)v : most;
}

static bool read_settings(role *r)
{
    const json_t *s = r->env->settings;
    const fw_err *err;

    r->at_once = setting(s, "at_once", AT_ONCE, CHILDREN_MAX);
    r->limits.memory = (size_t)setting(s, "memory_mib", MEMORY_MIB, 65536) * MIB;
    r->limits.cpu_seconds = setting(s, "cpu_seconds", CPU_SECONDS, 600);
    r->limits.deadline_ms = setting(s, "deadline_ms", DEADLINE_MS, 600000);
    r->rules = fww_photo_rules_default;
    err = fww_photo_rules_read(&r->rules, json_object_get(s, "rules"), r->env->pool);
    if (err)
        r->env->log(LOG_ERROR, "pictures: %s", fw_err_text(err, r->env->pool));
    return err == NULL;
}

/* ---- the socket ---- */

static bool listen_on(role *r, const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    mode_t mask;
    int rc;

    if (strlen(path) >= sizeof(at.sun_path)) {
        r->env->log(LOG_ERROR, "pictures: %s is too long for a socket", path);
        return false;
    }
    memcpy(at.sun_path, path, strlen(path) + 1);
    r->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (r->listener < 0)
        return false;
    unlink(path); /* of a role that was killed */
    mask = umask(0177);
    rc = bind(r->listener, (const struct sockaddr *)&at, sizeof(at));
    umask(mask);
    if (rc == 0)
        rc = listen(r->listener, BACKLOG);
    if (rc != 0)
        r->env->log(LOG_ERROR, "pictures: %s: %s", path, strerror(errno));
    return rc == 0;
}

/* ---- children ---- */

static child *free_place(role *r)
{
    for (int i = 0; i < r->at_once; i++)
        if (r->children[i].pid == 0)
            return &r->children[i];
    return NULL;
}

static void release(child *c)
{
    close(c->client);
    close(c->progress);
    close(c->pid_fd);
    *c = (child){.pid = 0};
}

/* A process that shall serve `client`; 0 if there can be none. */
static pid_t fork_child(role *r, int client, const int progress[2])
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    fww_pictures_child(client, progress[1], &r->limits, &r->rules, r->env->pool);
}

static void begin_child(role *r, int client)
{
    child *c = free_place(r);
    int progress[2];
    pid_t pid;

    if (!c || pipe2(progress, O_CLOEXEC | O_NONBLOCK) != 0) {
        close(client);
        return;
    }
    pid = fork_child(r, client, progress);
    close(progress[1]);
    *c = (child){.pid = pid, .client = client, .progress = progress[0], .begun = fw_monotonic()};
    c->due = c->begun + apr_time_from_msec(r->limits.deadline_ms);
    c->pid_fd = pid > 0 ? pidfd_open(pid, 0) : -1;
    if (c->pid_fd >= 0)
        return;
    r->env->log(LOG_ERROR, "pictures: no process for a picture: %s", strerror(errno));
    if (pid > 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    release(c);
}

static void accept_clients(role *r)
{
    while (free_place(r)) {
        struct timeval t = {.tv_sec = SEND_MS / 1000};
        int fd = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            return;
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
        begin_child(r, fd);
    }
}

/* How far the child got: the last byte that it wrote, 0 if none. */
static char how_far(const child *c)
{
    char bytes[8];
    ssize_t n = read(c->progress, bytes, sizeof(bytes));
    return n > 0 ? bytes[n - 1] : '\0';
}

/* Answers in the place of a child that died while it decoded. */
static void answer_for(role *r, const child *c, char far)
{
    apr_pool_t *pool;
    json_t *answer = far == FWW_CHILD_LEAFS   ? fww_page_unreadable()
                     : far == FWW_CHILD_DRAWS ? json_pack("{s:s, s:s}", "error", "internal",
                                                          "reason", "the paper could not be drawn")
                                              : fww_photo_unreadable();

    apr_pool_create(&pool, r->env->pool);
    fww_frame_write(c->client, answer, pool);
    json_decref(answer);
    apr_pool_destroy(pool);
}

static void end_child(role *r, child *c)
{
    int status = 0;
    int ms = (int)apr_time_as_msec(fw_monotonic() - c->begun);
    char far = how_far(c);

    if (waitpid(c->pid, &status, 0) < 0)
        r->env->log(LOG_ERROR, "pictures: waiting for a child: %s", strerror(errno));
    if (c->late && c->cut)
        r->env->log(LOG_INFO, "pictures: a decoder was cut off after %d ms: the role ends", ms);
    else if (WIFSIGNALED(status))
        r->env->log(LOG_WARN, "pictures: a decoder ended by signal %d after %d ms%s",
                    WTERMSIG(status), ms, c->late ? " (deadline)" : "");
    else if (WEXITSTATUS(status) > 1)
        r->env->log(LOG_WARN, "pictures: a decoder ended with %d after %d ms", WEXITSTATUS(status),
                    ms);
    if (far && far != FWW_CHILD_ANSWERS && !c->cut)
        answer_for(r, c, far);
    release(c);
}

static void kill_late(role *r, apr_time_t now)
{
    for (int i = 0; i < r->at_once; i++) {
        child *c = &r->children[i];
        if (c->pid > 0 && !c->late && now >= c->due) {
            c->late = true;
            kill(c->pid, SIGKILL);
        }
    }
}

/* ---- the loop ---- */

/* Until something can be done: a client came, a child ended, a deadline passed. */
static void wait_and_reap(role *r, bool accepting)
{
    struct pollfd p[CHILDREN_MAX + 1];
    apr_time_t now = fw_monotonic(), next = now + apr_time_from_msec(LOOK_MS);
    nfds_t n = 0;

    for (int i = 0; i < r->at_once; i++) {
        const child *c = &r->children[i];
        p[n++] = (struct pollfd){.fd = c->pid > 0 ? c->pid_fd : -1, .events = POLLIN};
        if (c->pid > 0 && !c->late && c->due < next)
            next = c->due;
    }
    if (accepting && free_place(r))
        p[n++] = (struct pollfd){.fd = r->listener, .events = POLLIN};
    if (poll(p, n, next > now ? (int)apr_time_as_msec(next - now) + 1 : 0) < 0)
        return;
    for (int i = 0; i < r->at_once; i++)
        if (p[i].revents)
            end_child(r, &r->children[i]);
}

static bool is_busy(const role *r)
{
    for (int i = 0; i < r->at_once; i++)
        if (r->children[i].pid > 0)
            return true;
    return false;
}

static void serve(role *r)
{
    apr_time_t end;

    while (!*r->env->stop) {
        wait_and_reap(r, true);
        kill_late(r, fw_monotonic());
        accept_clients(r);
    }
    end = fw_monotonic() + apr_time_from_msec(STOP_MS);
    for (int i = 0; i < r->at_once; i++) {
        child *c = &r->children[i];
        c->cut = c->due > end;
        c->due = c->cut ? end : c->due;
    }
    while (is_busy(r)) {
        kill_late(r, fw_monotonic());
        wait_and_reap(r, false);
    }
}

static void find_fonts(const fww_role_env *env)
{
    const char *dir = fww_beside("fonts", env->pool);

    if (!dir || !fww_pdf_fonts(dir, env->pool))
        env->log(LOG_WARN, "pictures: no fonts in %s: papers are larger, and take longer",
                 dir ? dir : "fonts");
}

int fww_pictures_main(const fww_role_env *env)
{
    role *r = apr_pcalloc(env->pool, sizeof(*r));
    const char *path = apr_pstrcat(env->pool, env->run_dir, "/" SOCKET_NAME, NULL);
    const fw_err *err;

    r->env = env;
    if (!read_settings(r))
        return 1;
    if (VIPS_INIT("fwpermit-worker") != 0) {
        env->log(LOG_ERROR, "pictures: the picture library does not start: %s",
                 vips_error_buffer());
        return 1;
    }
    fww_photo_init();
    find_fonts(env);
    err = fww_pdf_warm(env->pool);
    if (err)
        env->log(LOG_WARN, "pictures: %s", fw_err_text(err, env->pool));
    malloc_trim(0); /* a child would copy each page of what is free here */
    if (!listen_on(r, path))
        return 1;
    env->log(LOG_INFO, "pictures: serving %s", path);
    serve(r);
    unlink(path);
    close(r->listener);
    return 0;
}
