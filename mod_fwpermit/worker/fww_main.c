#include "fw_config.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "fww_beside.h"
#include "fww_log.h"
#include "fww_roles.h"

#define SETTINGS_FD  3
#define SETTINGS_MAX 1048576u /* bytes */
#define LINE_BYTES   2048
#define LOG_ERROR    3
#define LOG_INFO     6
#define EXIT_USAGE   2

static volatile sig_atomic_t stop;
static json_t *given; /* all that came on the descriptor */
static char who[64];  /* "plugin mail": for the log */
static int log_level = LOG_INFO;
static int log_fd = STDERR_FILENO;

/* ---- log ---- */

static const char *level_name(int level)
{
    static const char *const names[] = {"error", "warning", "notice", "info", "debug"};

    return names[level < 3 ? 0 : level > 7 ? 4 : level - 3];
}

static void log_line(int level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void log_line(int level, const char *fmt, ...)
{
    char line[LINE_BYTES];
    va_list args;
    int n, more;

    if (level > log_level)
        return;
    n = snprintf(line, sizeof(line), "fwpermit-worker %s [%d] %s: ", who, (int)getpid(),
                 level_name(level));
    va_start(args, fmt);
    more = vsnprintf(line + n, sizeof(line) - (size_t)n - 1, fmt, args);
    va_end(args);
    n += more < 0 ? 0 : more;
    if ((size_t)n > sizeof(line) - 2)
        n = (int)sizeof(line) - 2;
    for (int i = 0; i < n; i++) {
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = ' ';
    }
    line[n] = '\n';
    if (write(log_fd, line, (size_t)n + 1) < 0)
        return; /* nobody is left to tell */
}

void fww_log_to(int fd)
{
    log_fd = fd;
}

/* ---- signals ---- */

static void on_term(int number)
{
    (void)number;
    stop = 1;
}

static void set_signals(void)
{
    struct sigaction term = {.sa_handler = on_term}, ignore = {.sa_handler = SIG_IGN};
    sigset_t none;

    sigaction(SIGTERM, &term, NULL);
    sigaction(SIGINT, &term, NULL);
    sigaction(SIGHUP, &ignore, NULL);
    sigaction(SIGUSR1, &ignore, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* ---- settings ---- */

static json_t *read_settings(apr_pool_t *pool)
{
    char *text = apr_palloc(pool, SETTINGS_MAX);
    size_t n = 0;
    ssize_t got;
    json_error_t why;
    json_t *out;

    do {
        got = read(SETTINGS_FD, text + n, SETTINGS_MAX - n);
        if (got > 0)
            n += (size_t)got;
    } while (got > 0 || (got < 0 && errno == EINTR));
    close(SETTINGS_FD);
    out = got < 0 || n == SETTINGS_MAX ? NULL : json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
    explicit_bzero(text, n);
    if (json_is_object(out))
        return out;
    log_line(LOG_ERROR, "settings come as one JSON object on file descriptor %d", SETTINGS_FD);
    return NULL;
}

static int number_of(const char *name)
{
    json_int_t v = json_integer_value(json_object_get(given, name));

    return v > 0 && v <= INT32_MAX ? (int)v : 0;
}

/* ---- rights ---- */

static bool set_groups(gid_t gid)
{
    const char *user = json_string_value(json_object_get(given, "user"));

    if (geteuid() != 0)
        return true;
    return (user ? initgroups(user, gid) : setgroups(1, &gid)) == 0;
}

/* Bound to the parent's life: after the rights changed, which unbinds; it may have ended before. */
static bool bind_to_parent(void)
{
    pid_t parent = (pid_t)number_of("parent");

    if (parent == 0)
        return true;
    return prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && getppid() == parent;
}

static bool drop_rights(const fww_role_env *env)
{
    uid_t uid = (uid_t)number_of("uid");
    gid_t gid = (gid_t)number_of("gid");

    if (gid != 0 && (!set_groups(gid) || setresgid(gid, gid, gid) != 0)) {
        env->log(LOG_ERROR, "it cannot become group %d: %s", (int)gid, strerror(errno));
        return false;
    }
    if (uid != 0 && setresuid(uid, uid, uid) != 0) {
        env->log(LOG_ERROR, "it cannot become user %d: %s", (int)uid, strerror(errno));
        return false;
    }
    if (prctl(PR_SET_DUMPABLE, 0) != 0 || !bind_to_parent()) {
        env->log(LOG_ERROR, "the process that started it has ended");
        return false;
    }
    return true;
}

/* ---- start ---- */

static const fww_role *find_role(int argc, const char *const *argv)
{
    for (const fww_role *r = fww_roles; argc > 1 && r->name; r++) {
        if (strcmp(argv[1], r->name) == 0 && argc == (r->named ? 3 : 2))
            return r;
    }
    return NULL;
}

/* Goes on as the program that lies beside this one, under the same words. */
static void become(const char *program, const char *const *argv, apr_pool_t *pool)
{
    const char *path = fww_beside(program, pool);

    if (path)
        execv(path, (char *const *)(uintptr_t)argv);
    log_line(LOG_ERROR, "the program %s beside this one cannot be run: %s", program,
             strerror(errno));
    _exit(1);
}

static int out_of_memory(int rc)
{
    log_line(LOG_ERROR, "out of memory");
    _exit(rc);
}

static int run(const fww_role *r, apr_pool_t *pool)
{
    json_t *own = json_object_get(given, "role_settings");
    fw_settings *site = fw_settings_from_json(given, pool);
    fww_role_env env = {.pool = pool,
                        .run_dir = site->run_dir,
                        .settings = json_is_object(own) ? own : json_object(),
                        .stop = &stop,
                        .log = log_line,
                        .site = site,
                        .drop = r->drops ? drop_rights : NULL};

    site->vault_keys_text = json_string_value(json_object_get(given, "vault_keys_text"));
    if (!r->drops && !drop_rights(&env))
        return 1;
    return r->run(&env);
}

int main(int argc, const char *const *argv)
{
    const fww_role *r = find_role(argc, argv);
    apr_pool_t *pool;

    if (!r) {
        fprintf(stderr, "usage: fwpermit-worker pictures|signer|pump|sealer, or plugin NAME; "
                        "settings come as JSON on file descriptor 3\n");
        _exit(EXIT_USAGE);
    }
    snprintf(who, sizeof(who), r->named ? "%s %s" : "%s", r->name, r->named ? argv[2] : "");
    apr_initialize();
    apr_pool_create_ex(&pool, NULL, out_of_memory, NULL);
    if (r->program)
        become(r->program, argv, pool);
    set_signals();
    umask(0077);
    given = read_settings(pool);
    if (!given)
        _exit(EXIT_USAGE);
    if (number_of("log_level"))
        log_level = number_of("log_level");
    _exit(run(r, pool));
}
