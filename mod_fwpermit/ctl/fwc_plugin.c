#include "fw_config.h"
#include "fwc_plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_file_io.h>
#include <apr_strings.h>

#include "fw_frame.h"
#include "fw_plugin_settings.h"
#include "fw_wait.h"

#define SETTINGS_FD  3
#define START_WITHIN apr_time_from_sec(10)
#define LOOK         apr_time_from_msec(20)
#define TEST_MS      30000
#define LOG_WARNING  4
#define BLOB_MAX     1024

/* A process of the plugin on a run directory of its own. */
typedef struct trial {
    fwc *c;
    const char *name, *dir, *socket;
    json_t *role;   /* the process's own settings */
    char *settings; /* all of them, JSON */
    pid_t pid;
} trial;

/* ---- starting ---- */

static const fw_err *write_settings(trial *t)
{
    json_t *o = fw_settings_json(t->c->settings);

    json_object_set_new(o, "FwPermitRunDir", json_string(t->dir));
    json_object_set(o, "role_settings", t->role);
    json_object_set_new(o, "log_level", json_integer(LOG_WARNING));
    json_object_set_new(o, "parent", json_integer((json_int_t)getpid()));
    t->settings = json_dumps(o, JSON_COMPACT);
    json_decref(o);
    return t->settings ? NULL : FW_ERR(t->c->pool, FW_E_CONFIG, 0, "settings that are not UTF-8");
}

static void become_worker(const trial *t)
{
    const char *const args[] = {t->c->settings->worker, "plugin", t->name, NULL};
    int fd = memfd_create("settings", 0);
    size_t n = strlen(t->settings);

    if (fd < 0 || write(fd, t->settings, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET) != 0 ||
        (fd != SETTINGS_FD && dup2(fd, SETTINGS_FD) != SETTINGS_FD))
        _exit(126);
    close_range(SETTINGS_FD + 1, ~0U, 0);
    execv(args[0], (char *const *)(uintptr_t)args);
    _exit(127);
}

static const fw_err *start(trial *t)
{
    t->pid = fork();
    if (t->pid == 0)
        become_worker(t);
    return t->pid > 0 ? NULL : FW_ERR(t->c->pool, FW_E_INTERNAL, errno, "no process");
}

/* Until its socket is there; what ended before has said why. */
static const fw_err *await_socket(trial *t)
{
    apr_time_t until = apr_time_now() + START_WITHIN;

    while (access(t->socket, F_OK) != 0) {
        int status;

        if (waitpid(t->pid, &status, WNOHANG) == t->pid) {
            t->pid = 0;
            return FW_ERR(t->c->pool, FW_E_CONFIG, 0, "the plugin's process ended (%s)",
                          WIFEXITED(status) && WEXITSTATUS(status) == 127 ? t->c->settings->worker
                                                                          : "see above");
        }
        if (apr_time_now() > until)
            return FW_ERR(t->c->pool, FW_E_UNAVAILABLE, 0, "the plugin does not start in time");
        apr_sleep(LOOK);
    }
    return NULL;
}

static void stop(trial *t)
{
    if (t->pid > 0 && kill(t->pid, SIGTERM) == 0)
        waitpid(t->pid, NULL, 0);
    if (t->dir) {
        unlink(t->socket);
        rmdir(t->dir);
    }
    json_decref(t->role);
    free(t->settings);
}

/* ---- asking ---- */

static const fw_err *ask(const trial *t, json_t **answer)
{
    apr_time_t due = fw_monotonic() + apr_time_from_msec(TEST_MS) + START_WITHIN;
    apr_pool_t *pool = t->c->pool;
    json_t *frame = json_pack("{s:s, s:s, s:i, s:{}}", "op", "probe", "key", "probe", "deadline_ms",
                              TEST_MS, "request");
    const char *blob = NULL;
    apr_size_t n = 0;
    const fw_err *err;
    int fd = -1;

    err = fw_frame_connect(t->dir, apr_pstrcat(pool, "plugin-", t->name, NULL), due, &fd, pool);
    if (!err)
        err = fw_frame_write(fd, due, frame, NULL, 0, pool);
    if (!err)
        err = fw_frame_read(fd, due, BLOB_MAX, answer, &blob, &n, pool);
    json_decref(frame);
    return err;
}

static const char *text_of(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));

    return text ? text : "";
}

/* One line for each step; a step that failed is what the command found. */
static void tell(trial *t, const json_t *answer)
{
    const json_t *steps = json_object_get(json_object_get(answer, "reply"), "steps");

    if (strcmp(text_of(answer, "rc"), "ok") != 0) {
        fwc_say(t->c, "FAIL  %s: %s", text_of(answer, "rc"), text_of(answer, "reason"));
        t->c->rc = FWC_REFUSED;
    }
    for (size_t i = 0; i < json_array_size(steps); i++) {
        const json_t *step = json_array_get(steps, i);
        bool ok = json_is_true(json_object_get(step, "ok"));

        fwc_say(t->c, "%s  %s%s%s", ok ? "ok  " : "FAIL", text_of(step, "name"),
                *text_of(step, "detail") ? ": " : "", text_of(step, "detail"));
        if (!ok)
            t->c->rc = FWC_REFUSED;
    }
}

static const fw_err *try_out(trial *t)
{
    json_t *answer = NULL;

    FW_TRY(write_settings(t));
    FW_TRY(start(t));
    FW_TRY(await_socket(t));
    FW_TRY(ask(t, &answer));
    tell(t, answer);
    json_decref(answer);
    return NULL;
}

/* Reads the secrets while it may, then is who the server is. */
static const fw_err *prepare(trial *t, const fw_plugin_conf *p)
{
    const char *missing = NULL, *tmp = NULL;
    char *dir;

    t->role = fw_plugin_settings(t->c->settings, p, &missing, t->c->pool);
    if (missing)
        return FW_ERR(t->c->pool, FW_E_CONFIG, 0, "the secret %s", missing);
    FW_TRY(fwc_become_owner(t->c->settings->vault_dir, t->c->pool));
    if (apr_temp_dir_get(&tmp, t->c->pool))
        return FW_ERR(t->c->pool, FW_E_UNAVAILABLE, 0, "no folder for what is temporary");
    dir = apr_pstrcat(t->c->pool, tmp, "/fwpermit-test-XXXXXX", NULL);
    if (!mkdtemp(dir))
        return FW_ERR(t->c->pool, FW_E_UNAVAILABLE, errno, "no folder in %s", tmp);
    t->dir = dir;
    t->socket = apr_psprintf(t->c->pool, "%s/plugin-%s.sock", dir, t->name);
    return NULL;
}

const fw_err *fwc_plugin_test(fwc *c)
{
    const fw_plugin_conf *p = fw_settings_plugin_named(c->settings, c->words[0]);
    trial t = {.c = c, .name = c->words[0]};
    const fw_err *err;

    if (!p)
        return FW_ERR(c->pool, FW_E_NOTFOUND, 0, "no FwPermitPlugin is named %s", c->words[0]);
    err = prepare(&t, p);
    if (!err)
        err = try_out(&t);
    stop(&t);
    return err;
}
