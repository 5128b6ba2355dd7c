#include "fw_config.h"
#include "fwh.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_file_info.h>
#include <apr_strings.h>
#include <http_core.h>
#include <unixd.h>

APLOG_USE_MODULE(fwpermit);

#define KEYS_MAX_BYTES 8192
#define WHY_BYTES      1024
#define FAULT          1 /* how the probe ends */
#define AWAY           2 /* what trying again can mend */

/* ---- what a serving process has ---- */

/* A number that changes with any asset: names, sizes and times of change. */
static const char *assets_version(const char *dir, apr_pool_t *pool)
{
    apr_dir_t *d;
    apr_finfo_t info;
    uint64_t sum = 1469598103934665603u;

    if (apr_dir_open(&d, dir, pool) != APR_SUCCESS)
        return "0";
    while (apr_dir_read(&info, APR_FINFO_NAME | APR_FINFO_SIZE | APR_FINFO_MTIME, d) ==
           APR_SUCCESS) {
        uint64_t one = (uint64_t)info.size * 31u + (uint64_t)info.mtime;

        for (const char *p = info.name; *p; p++)
            one = (one ^ (unsigned char)*p) * 1099511628211u;
        if (*info.name != '.')
            sum ^= one; /* the order of a folder means nothing */
    }
    apr_dir_close(d);
    return apr_psprintf(pool, "%08x", (unsigned)(sum ^ sum >> 32));
}

const fw_err *fwh_child_make(fwh_child **out, fw_settings *s, apr_pool_t *pool)
{
    fwh_child *c = apr_pcalloc(pool, sizeof(*c));

    FW_TRY(fw_desk_open(&c->desk, s, true, pool));
    FW_TRY(fw_templates_load(&c->templates, s->pages_dir, c->desk->locale, pool));
    FW_TRY(fw_journal_open(&c->journal, s->journal_dir, s->journal_ms, pool));
    c->lane = fw_lane_make(s->login_lane, pool);
    FW_TRY(fw_sniffer_make(&c->sniffer, pool));
    c->assets_v = assets_version(s->assets_dir, pool);
    *out = c;
    return NULL;
}

/* ---- before anything starts ---- */

static const char *read_keys(fw_settings *s, apr_pool_t *pool)
{
    char *text = apr_pcalloc(pool, KEYS_MAX_BYTES + 1);
    int fd = open(s->vault_keys, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return apr_psprintf(pool, "%s: %s: run fwpermitctl key init", s->vault_keys,
                            strerror(errno));
    n = read(fd, text, KEYS_MAX_BYTES);
    close(fd);
    if (n <= 0)
        return apr_psprintf(pool, "%s cannot be read", s->vault_keys);
    s->vault_keys_text = text;
    return NULL;
}

static const char *make_dir(const char *path, mode_t mode, apr_pool_t *pool)
{
    if (mkdir(path, mode) != 0 && errno != EEXIST)
        return apr_psprintf(pool, "%s: %s", path, strerror(errno));
    if (geteuid() == 0 && chown(path, ap_unixd_config.user_id, ap_unixd_config.group_id) != 0)
        return apr_psprintf(pool, "%s: %s", path, strerror(errno));
    if (chmod(path, mode) != 0)
        return apr_psprintf(pool, "%s: %s", path, strerror(errno));
    return NULL;
}

static bool drop_root(void)
{
    if (geteuid() != 0)
        return true;
    return setgid(ap_unixd_config.group_id) == 0 &&
           initgroups(ap_unixd_config.user_name, ap_unixd_config.group_id) == 0 &&
           setuid(ap_unixd_config.user_id) == 0;
}

/* Runs as the server's user and ends: opens everything once. */
static void probe_all(fw_settings *s, int to, apr_pool_t *pool)
{
    fwh_child *child = NULL;
    const fw_err *err = NULL;
    const char *why = NULL;

    if (!drop_root())
        why = "the rights of root cannot be given up";
    if (!why)
        err = fwh_child_make(&child, s, pool);
    if (!why && !err)
        err = fw_desk_check(child->desk, pool);
    if (err)
        why = fw_err_text(err, pool);
    if (why && write(to, why, strlen(why)) < 0)
        _exit(FAULT);
    _exit(!why ? 0 : err && fw_err_retryable(err) ? AWAY : FAULT);
}

/* A server that serves already is not ended because the database is away while logs are turned over. */
static bool is_reload(void)
{
    return ap_state_query(AP_SQ_CONFIG_GEN) > 1;
}

static bool ask_probe(fw_settings *s, apr_pool_t *pool, server_rec *server)
{
    int ends[2], status = 0;
    char why[WHY_BYTES] = "it crashed";
    ssize_t n;
    pid_t pid;

    if (pipe(ends) != 0)
        return false;
    pid = fork();
    if (pid == 0) {
        close(ends[0]);
        probe_all(s, ends[1], pool);
    }
    close(ends[1]);
    n = pid > 0 ? read(ends[0], why, sizeof(why) - 1) : 0;
    if (n > 0)
        why[n] = '\0';
    close(ends[0]);
    if (pid > 0)
        waitpid(pid, &status, 0);
    if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == AWAY && is_reload()) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, server, "FWP0008: reloaded unchecked: %s", why);
        return true;
    }
    ap_log_error(APLOG_MARK, APLOG_EMERG, 0, server, "FWP0003: the platform cannot start: %s", why);
    return false;
}

bool fwh_probe(fw_settings *s, apr_pool_t *pool, server_rec *server)
{
    const char *why = read_keys(s, pool);

    if (!why)
        why = make_dir(s->run_dir, 0700, pool);
    if (!why)
        why = make_dir(s->journal_dir, 0700, pool);
    if (!why)
        why = make_dir(s->public_dir, 0755, pool);
    if (why) {
        ap_log_error(APLOG_MARK, APLOG_EMERG, 0, server, "FWP0003: the platform cannot start: %s",
                     why);
        return false;
    }
    return ask_probe(s, pool, server);
}
