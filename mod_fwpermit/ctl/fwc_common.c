#include "fw_config.h"
#include "fwc.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "fw_frame.h"
#include "fw_password.h"
#include "fw_random.h"
#include "fw_store_party.h"
#include "fw_wait.h"

#define FILE_MAX_BYTES  1048576
#define GENERATED_CHARS 20 /* of 5 bits */
#define ANSWER_WAIT     apr_time_from_sec(2)

/* ---- words and options ---- */

/* 0: no such option of the command; 1: one without a value; 2: with one. */
static int kind_of(const fwc_command *k, const char *name, size_t n)
{
    const char *p = k->options;

    while (*p) {
        size_t word = strcspn(p, " ");

        if (word == n && strncmp(p, name, n) == 0)
            return 1;
        if (word == n + 1 && p[n] == ':' && strncmp(p, name, n) == 0)
            return 2;
        p += word;
        p += strspn(p, " ");
    }
    return 0;
}

static const fw_err *take_option(fwc *c, int argc, const char *const *argv, int *at)
{
    const char *name = argv[*at] + 2, *equals = strchr(name, '=');
    size_t n = equals ? (size_t)(equals - name) : strlen(name);
    int kind = kind_of(c->command, name, n);
    const char *value = equals ? equals + 1 : "";

    if (kind == 0 || (kind == 1 && equals))
        return FW_ERR(c->pool, FW_E_INPUT, 0, "%s: no such option of this command", argv[*at]);
    if (kind == 2 && !equals) {
        if (*at + 1 == argc)
            return FW_ERR(c->pool, FW_E_INPUT, 0, "%s takes a value", argv[*at]);
        value = argv[++*at];
    }
    name = apr_pstrmemdup(c->pool, name, n);
    if (apr_table_get(c->options, name))
        return FW_ERR(c->pool, FW_E_INPUT, 0, "--%s is given twice", name);
    apr_table_setn(c->options, name, value);
    return NULL;
}

const char *fwc_usage(const fwc_command *k, apr_pool_t *pool)
{
    const char *out = apr_pstrcat(pool, k->group, k->verb ? " " : "", k->verb ? k->verb : "",
                                  *k->words ? " " : "", k->words, NULL);

    for (const char *p = k->options; *p; p += strspn(p, " ")) {
        size_t n = strcspn(p, ": ");
        bool takes = p[n] == ':';

        out = apr_psprintf(pool, "%s [--%.*s%s]", out, (int)n, p, takes ? " VALUE" : "");
        p += n + takes;
    }
    return out;
}

const fw_err *fwc_read_args(fwc *c, int argc, const char *const *argv)
{
    bool words_only = false;

    c->words = apr_pcalloc(c->pool, sizeof(char *) * (apr_size_t)(argc + 1));
    for (int i = c->command->verb ? 2 : 1; i < argc; i++) {
        if (!words_only && strcmp(argv[i], "--") == 0)
            words_only = true;
        else if (!words_only && strncmp(argv[i], "--", 2) == 0)
            FW_TRY(take_option(c, argc, argv, &i));
        else
            c->words[c->n_words++] = argv[i];
    }
    if (c->n_words < c->command->least || c->n_words > c->command->most)
        return FW_ERR(c->pool, FW_E_INPUT, 0, "usage: fwpermitctl %s",
                      fwc_usage(c->command, c->pool));
    return NULL;
}

const char *fwc_option(const fwc *c, const char *name)
{
    return apr_table_get(c->options, name);
}

static const fw_err *read_number(const char *text, const char *what, int64_t max, int64_t *out,
                                 apr_pool_t *pool)
{
    size_t n = strlen(text);
    int64_t v = apr_strtoi64(text, NULL, 10);

    if (n == 0 || n > 19 || strspn(text, "0123456789") != n || v < 1 || v > max)
        return FW_ERR(pool, FW_E_INPUT, 0, "%s is not %s", text, what);
    *out = v;
    return NULL;
}

const fw_err *fwc_option_number(const fwc *c, const char *name, int otherwise, int max, int *out)
{
    const char *text = fwc_option(c, name);
    int64_t v = otherwise;

    if (text)
        FW_TRY(read_number(text, apr_psprintf(c->pool, "a number from 1 to %d", max), max, &v,
                           c->pool));
    *out = (int)v;
    return NULL;
}

const fw_err *fwc_id(const char *text, const char *what, fw_id *out, apr_pool_t *pool)
{
    return read_number(text, what, INT64_MAX, out, pool);
}

void fwc_say(const fwc *c, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    puts(apr_pvsprintf(c->pool, fmt, args));
    va_end(args);
}

/* ---- opening ---- */

const fw_err *fwc_become_owner(const char *path, apr_pool_t *pool)
{
    struct stat st;
    struct passwd *user;

    if (geteuid() != 0)
        return NULL;
    if (stat(path, &st))
        return FW_ERR(pool, FW_E_CONFIG, errno, "%s: `fwpermitctl doctor` says more", path);
    if (st.st_uid == 0)
        return NULL;
    user = getpwuid(st.st_uid);
    if ((user ? initgroups(user->pw_name, st.st_gid) : setgroups(1, &st.st_gid)) != 0 ||
        setresgid(st.st_gid, st.st_gid, st.st_gid) != 0 ||
        setresuid(st.st_uid, st.st_uid, st.st_uid) != 0)
        return FW_ERR(pool, FW_E_INTERNAL, errno, "it cannot become the owner of %s", path);
    return NULL;
}

/* What may be for root's eyes only is read before root's rights are given up. */
static const fw_err *read_secrets(fwc *c, fwc_need_e need)
{
    fw_settings *s = c->settings;

    FW_TRY(fw_settings_database(s, &s->db_params, c->pool));
    if (need == FWC_VAULT)
        FW_TRY(fwc_read_file(&s->vault_keys_text, s->vault_keys, c->pool));
    return NULL;
}

const fw_err *fwc_open(fwc *c, fwc_need_e need)
{
    if (need == FWC_NOTHING)
        return NULL;
    if (!c->settings)
        FW_TRY(fw_settings_read(&c->settings, c->conf, c->pool));
    if (need == FWC_SETTINGS)
        return NULL;
    FW_TRY(read_secrets(c, need));
    FW_TRY(fwc_become_owner(c->settings->vault_dir, c->pool));
    FW_TRY(fw_desk_open(&c->desk, c->settings, need == FWC_VAULT, c->pool));
    return fw_db_acquire(&c->db, c->desk->dbs, c->pool);
}

bool fwc_server_runs(const fwc *c)
{
    int fd = -1;

    if (fw_frame_connect(c->settings->run_dir, "signer", fw_monotonic() + ANSWER_WAIT, &fd,
                         c->pool))
        return false;
    fw_frame_close(fd, c->pool);
    return true;
}

const fw_err *fwc_fork(fwc *c, bool *child)
{
    int status = 0;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    *child = pid == 0;
    if (pid < 0)
        return FW_ERR(c->pool, FW_E_UNAVAILABLE, errno, "no process");
    if (*child)
        return NULL;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    c->rc = WIFEXITED(status) ? (fwc_exit_e)WEXITSTATUS(status) : FWC_FAULT;
    return NULL;
}

const fw_err *fwc_perform(fwc *c, const fw_command *cmd, fw_result *result)
{
    const char *text = "";

    FW_TRY(fw_perform(c->desk, c->db, cmd, result, c->pool));
    if (result->verdict != FW_REFUSED)
        return NULL;
    for (int i = 0; i < result->n_refusals; i++) {
        const fw_refusal *r = &result->refusals[i];

        text =
            apr_pstrcat(c->pool, text, *text ? "; " : "", r->field ? r->field : "",
                        r->field ? ": " : "", fw_locale_text(c->desk->locale, "en", r->key), NULL);
    }
    return FW_ERR(c->pool, result->code, 0, "%s", text);
}

const fw_err *fwc_org(fwc *c, const char *text, fw_org **out)
{
    fw_id id = 0;
    const fw_err *err = fw_org_by_ban(c->db, text, out, c->pool);

    if (err && err->code == FW_E_NOTFOUND && !fwc_id(text, "an identity", &id, c->pool))
        err = fw_org_load(c->db, id, out, c->pool);
    return err && err->code == FW_E_NOTFOUND
               ? FW_ERR(c->pool, FW_E_NOTFOUND, 0, "no organisation %s", text)
               : err;
}

/* ---- passwords ---- */

static const fw_err *read_line(char *line, size_t n, apr_pool_t *pool)
{
    if (!fgets(line, (int)n, stdin))
        return FW_ERR(pool, FW_E_INPUT, 0, "no password came");
    line[strcspn(line, "\r\n")] = '\0';
    return NULL;
}

static const fw_err *ask(const char *prompt, char *line, size_t n, apr_pool_t *pool)
{
    struct termios before, silent;
    const fw_err *err;

    fputs(prompt, stderr);
    if (tcgetattr(STDIN_FILENO, &before))
        return FW_ERR(pool, FW_E_UNAVAILABLE, errno, "no terminal");
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    err = read_line(line, n, pool);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    fputs("\n", stderr);
    return err;
}

static const fw_err *obtain(char *line, size_t n, apr_pool_t *pool)
{
    char again[FW_PASSWORD_MAX * 4 + 2];

    if (!isatty(STDIN_FILENO))
        return read_line(line, n, pool);
    FW_TRY(ask("New password: ", line, n, pool));
    FW_TRY(ask("The same again: ", again, sizeof(again), pool));
    return strcmp(line, again) == 0 ? NULL : FW_ERR(pool, FW_E_INPUT, 0, "they differ");
}

const fw_err *fwc_password(fwc *c, const char *login, const char **out)
{
    char line[FW_PASSWORD_MAX * 4 + 2];
    const char *why;

    if (fwc_option(c, "generate")) {
        FW_TRY(fw_code_draw(out, GENERATED_CHARS, c->pool));
        fwc_say(c, "password: %s", *out);
        return NULL;
    }
    FW_TRY(obtain(line, sizeof(line), c->pool));
    why = fw_password_judge(line, login);
    if (why)
        return FW_ERR(c->pool, FW_E_INPUT, 0, "%s", fw_locale_text(c->desk->locale, "en", why));
    *out = apr_pstrdup(c->pool, line);
    return NULL;
}

/* ---- files ---- */

const fw_err *fwc_read_file(const char **text, const char *path, apr_pool_t *pool)
{
    char *bytes = apr_palloc(pool, FILE_MAX_BYTES);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t n = 0;
    ssize_t got;

    if (fd < 0)
        return FW_ERR(pool, FW_E_CONFIG, errno, "%s cannot be opened", path);
    do {
        got = read(fd, bytes + n, FILE_MAX_BYTES - 1 - n);
        n += got > 0 ? (size_t)got : 0;
    } while (got > 0);
    close(fd);
    if (got < 0 || n == FILE_MAX_BYTES - 1)
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s cannot be read", path);
    bytes[n] = '\0';
    *text = bytes;
    return NULL;
}

static bool write_out(int fd, const char *text)
{
    size_t n = strlen(text), done = 0;
    ssize_t put = 1;

    while (done < n && put > 0) {
        put = write(fd, text + done, n - done);
        done += put > 0 ? (size_t)put : 0;
    }
    return done == n && fsync(fd) == 0;
}

static bool sync_folder(const char *path, apr_pool_t *pool)
{
    const char *slash = strrchr(path, '/');
    const char *folder = apr_pstrmemdup(pool, path, slash ? (apr_size_t)(slash - path) : 0);
    int fd = open(*folder ? folder : slash ? "/" : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    return ok;
}

const fw_err *fwc_write_file(const char *path, const char *text, int mode, bool replace,
                             apr_pool_t *pool)
{
    const char *fresh = apr_pstrcat(pool, path, ".new", NULL);
    struct stat was;
    bool ok;
    int fd;

    unlink(fresh);
    fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, (mode_t)mode);
    if (fd < 0)
        return FW_ERR(pool, FW_E_CONFIG, errno, "%s cannot be made", fresh);
    ok = fchmod(fd, (mode_t)mode) == 0 && write_out(fd, text);
    if (replace && stat(path, &was) == 0 && geteuid() == 0)
        ok = ok && fchown(fd, was.st_uid, was.st_gid) == 0;
    ok = close(fd) == 0 && ok;
    /* link() refuses what is there already, rename() would replace it. */
    ok = ok && (replace ? rename(fresh, path) : link(fresh, path)) == 0;
    if (!ok) {
        int why = errno;

        unlink(fresh);
        return FW_ERR(pool, why == EEXIST ? FW_E_CONFLICT : FW_E_CONFIG, why,
                      "%s cannot be written", path);
    }
    if (!replace)
        unlink(fresh);
    return sync_folder(path, pool)
               ? NULL
               : FW_ERR(pool, FW_E_UNAVAILABLE, errno, "%s cannot be kept", path);
}
