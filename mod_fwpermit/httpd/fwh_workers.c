#include "fw_config.h"
#include "fwh.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <ap_mpm.h>
#include <http_core.h>
#include <mpm_common.h>
#include <unixd.h>

#include "fw_plugin_settings.h"
#include "fw_signing.h"
#include "fw_wait.h"

APLOG_USE_MODULE(fwpermit);

/* The processes beside the serving ones: one for each role and plugin, started with the server, started again with a
 * growing pause when they end. */

#define SETTINGS_FD   3
#define PAUSE_MAX_S   60
#define HEALTHY_AFTER apr_time_from_sec(10)

typedef struct worker {
    const char *role;
    const char *name; /* a plugin's, or NULL */
    const fw_settings *settings;
    const fw_plugin_conf *plugin;
    server_rec *server;
    apr_pool_t *pconf;
    apr_proc_t proc;
    bool alive;
    int attempt;
    apr_time_t started;
} worker;

static void start(worker *w);

/* ---- what it is told ---- */

static json_t *plugin_settings(const worker *w, apr_pool_t *pool)
{
    const char *missing = NULL;
    json_t *o = fw_plugin_settings(w->settings, w->plugin, &missing, pool);

    if (missing)
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, w->server, "FWP0004: a secret cannot be read: %s",
                     missing);
    return o;
}

static char *settings_text(const worker *w, apr_pool_t *pool)
{
    json_t *o = fw_settings_json(w->settings);
    char *text;

    if (w->plugin)
        json_object_set_new(o, "role_settings", plugin_settings(w, pool));
    else if (strcmp(w->role, "signer") == 0)
        json_object_set_new(o, "role_settings", fw_signing_files(w->settings->keys_dir, pool));
    if (strcmp(w->role, "pump") == 0)
        json_object_set_new(o, "vault_keys_text", json_string(w->settings->vault_keys_text));
    if (geteuid() == 0) {
        json_object_set_new(o, "uid", json_integer((json_int_t)ap_unixd_config.user_id));
        json_object_set_new(o, "gid", json_integer((json_int_t)ap_unixd_config.group_id));
        json_object_set_new(o, "user", json_string(ap_unixd_config.user_name));
    }
    json_object_set_new(o, "parent", json_integer((json_int_t)getppid()));
    text = json_dumps(o, JSON_COMPACT);
    json_decref(o);
    return text;
}

/* ---- the child between fork and exec ---- */

static bool give_settings(const worker *w, apr_pool_t *pool)
{
    char *text = settings_text(w, pool);
    int fd = memfd_create("fwpermit-settings", MFD_CLOEXEC);
    size_t n = text ? strlen(text) : 0;
    bool ok = fd >= 0 && n > 0 && write(fd, text, n) == (ssize_t)n && lseek(fd, 0, SEEK_SET) == 0;

    free(text);
    /* dup2 to itself would keep close-on-exec. */
    if (ok && fd == SETTINGS_FD)
        return fcntl(fd, F_SETFD, 0) == 0;
    return ok && dup2(fd, SETTINGS_FD) == SETTINGS_FD;
}

static void reset_signals(void)
{
    static const int all[] = {SIGTERM, SIGINT,  SIGHUP,  SIGUSR1,
                              SIGUSR2, SIGCHLD, SIGPIPE, SIGWINCH};
    sigset_t none;

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        signal(all[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* 0, 1, 2, 4, … seconds after failures in a row. */
static void pause_before(const worker *w, pid_t parent)
{
    int s = w->attempt == 0 ? 0 : w->attempt > 6 ? PAUSE_MAX_S : 1 << (w->attempt - 1);

    for (; s > 0 && getppid() == parent; s--)
        sleep(1);
    if (getppid() != parent)
        _exit(0);
}

static void become(const worker *w, pid_t parent)
{
    const char *args[] = {w->settings->worker, w->role, w->name, NULL};

    ap_close_listeners();
    reset_signals();
    pause_before(w, parent);
    if (!give_settings(w, w->pconf)) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, w->server, "FWP0005: no settings for %s", w->role);
        _exit(1);
    }
    close_range(SETTINGS_FD + 1, ~0U, 0);
    execv(w->settings->worker, (char *const *)(uintptr_t)args);
    _exit(127);
}

/* ---- the parent ---- */

static bool stopping(void)
{
    int state = 0;

    return ap_mpm_query(AP_MPMQ_MPM_STATE, &state) == APR_SUCCESS && state == AP_MPMQ_STOPPING;
}

static void on_child(int reason, void *data, apr_wait_t status)
{
    worker *w = data;

    switch (reason) {
    case APR_OC_REASON_DEATH:
    case APR_OC_REASON_LOST:
        w->alive = false;
        apr_proc_other_child_unregister(w);
        if (stopping())
            break;
        w->attempt = fw_monotonic() - w->started > HEALTHY_AFTER ? 1 : w->attempt + 1;
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, w->server,
                     "FWP0006: %s%s%s ended (status %d); it is started again, attempt %d", w->role,
                     w->name ? " " : "", w->name ? w->name : "", (int)status, w->attempt);
        start(w);
        break;
    case APR_OC_REASON_RESTART:
        apr_proc_other_child_unregister(w);
        break;
    case APR_OC_REASON_UNREGISTER:
        if (w->alive)
            kill(w->proc.pid, SIGTERM);
        w->alive = false;
        break;
    default:
        break;
    }
}

static void start(worker *w)
{
    pid_t parent = getpid();
    pid_t pid = fork();

    if (pid == 0)
        become(w, parent);
    if (pid < 0) {
        ap_log_error(APLOG_MARK, APLOG_ERR, errno, w->server, "FWP0007: %s: no process", w->role);
        return;
    }
    w->proc.pid = pid;
    w->alive = true;
    w->started = fw_monotonic();
    apr_pool_note_subprocess(w->pconf, &w->proc, APR_KILL_AFTER_TIMEOUT);
    apr_proc_other_child_register(&w->proc, on_child, w, NULL, w->pconf);
}

static void start_role(const char *role, const fw_plugin_conf *plugin, fw_settings *s,
                       server_rec *server, apr_pool_t *pconf)
{
    /* Lives as long as the process: a worker may end while pconf is being cleared. */
    worker *w = apr_pcalloc(server->process->pool, sizeof(*w));

    w->role = role;
    w->name = plugin ? plugin->name : NULL;
    w->plugin = plugin;
    w->settings = s;
    w->server = server;
    w->pconf = pconf;
    start(w);
}

/* Whoever asks comes after those who are asked: APR tells them to end the other way round. */
void fwh_workers_start(fw_settings *s, server_rec *server, apr_pool_t *pconf)
{
    start_role("signer", NULL, s, server, pconf);
    start_role("pictures", NULL, s, server, pconf);
    for (int i = 0; i < s->plugins->nelts; i++)
        start_role("plugin", &APR_ARRAY_IDX(s->plugins, i, fw_plugin_conf), s, server, pconf);
    start_role("sealer", NULL, s, server, pconf);
    start_role("pump", NULL, s, server, pconf);
}
