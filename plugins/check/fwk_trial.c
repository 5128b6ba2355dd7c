#include "fw_config.h"
#include "fwk.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>

#define SECRET_LEAST 6 /* bytes: shorter ones stand in any text */

static int memory_file(const char *name)
{
    int fd = memfd_create(name, MFD_CLOEXEC);

    if (fd < 0 || fcntl(fd, F_SETFL, O_APPEND) != 0)
        abort();
    return fd;
}

/* What stands in a file of memfd_create, from the pool. */
static const char *contents(int fd, apr_pool_t *pool, size_t *n)
{
    struct stat st;
    char *text;

    if (fstat(fd, &st) != 0)
        abort();
    text = apr_pcalloc(pool, (apr_size_t)st.st_size + 1);
    *n = 0;
    while (*n < (size_t)st.st_size) {
        ssize_t got = pread(fd, text + *n, (size_t)st.st_size - *n, (off_t)*n);
        if (got <= 0)
            break;
        *n += (size_t)got;
    }
    return text;
}

/* ---- in the child ---- */

void fwk_leak_watch(bool on)
{
    void (*turn)(void);
    void *symbol = dlsym(RTLD_DEFAULT, on ? "__lsan_enable" : "__lsan_disable");

    if (!symbol)
        return;
    memcpy(&turn, &symbol, sizeof(turn));
    turn();
}

/* Whether a sanitizer found memory that nobody holds; it tells on standard error. */
static bool leaks(void)
{
    int (*check)(void);
    void *symbol = dlsym(RTLD_DEFAULT, "__lsan_do_recoverable_leak_check");

    if (!symbol)
        return false;
    memcpy(&check, &symbol, sizeof(check));
    return check() != 0;
}

static void finish_child(fwk_child *child)
{
    struct stat st;
    char *text;

    fflush(NULL);
    fwk_watch_end(json_object_get(child->out, "broke"));
    if (fstat(child->t->output, &st) == 0)
        json_object_set_new(child->out, "wrote", json_integer(st.st_size));
    if (child->t->rounds > 0 && leaks())
        json_object_set_new(child->out, "leaks", json_true());
    text = json_dumps(child->out, JSON_COMPACT);
    if (!text || write(child->t->result, text, strlen(text)) != (ssize_t)strlen(text))
        _exit(70);
    _exit(0);
}

pid_t fwk_fork(void)
{
    pid_t parent = getpid();
    pid_t pid = fork();

    if (pid == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent))
        _exit(70);
    return pid;
}

static void be_child(fwk_trial *t)
{
    fwk_child child = {.t = t};
    int nothing = open("/dev/null", O_RDONLY);
    const fw_err *err;
    apr_pool_t *pool;

    dup2(nothing, 0);
    dup2(t->output, 1);
    dup2(t->output, 2);
    close(nothing);
    apr_pool_create(&pool, NULL);
    child.out = json_pack("{s:[], s:{}}", "log", "broke");
    fwk_watch_begin();
    fwk_leak_watch(true);
    snprintf(t->stage, FWK_TEXT, "loading");
    err = fww_plugin_load(&child.loaded, t->k->dir, t->k->file, pool);
    if (err)
        json_object_set_new(child.out, "not_loaded", json_string(fw_err_text(err, pool)));
    else
        t->work(&child);
    finish_child(&child);
}

/* ---- in the checker ---- */

void fwk_try_start(fwk_trial *t)
{
    int taken[2];
    int go[2];
    const json_t *script = t->c ? fwk_script(t->c) : NULL;

    if (pipe2(taken, O_CLOEXEC) != 0 || pipe2(go, O_CLOEXEC) != 0)
        abort();
    t->line = (fwk_line){memory_file("book"), memory_file("faults"), taken[1], go[0]};
    t->taken = taken[0];
    t->go = go[1];
    t->result = memory_file("result");
    t->output = memory_file("output");
    t->stage = mmap(NULL, FWK_TEXT, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (t->stage == MAP_FAILED)
        abort();
    fflush(NULL);
    if (script)
        fwk_far_start(&t->far, script, t->k->fixtures.dir, t->mode, &t->line);
    t->pid = fwk_fork();
    if (t->pid < 0)
        abort();
    if (t->pid == 0)
        be_child(t);
}

static bool wait_for(fwk_trial *t, int also)
{
    int fd = pidfd_open(t->pid, 0);
    struct pollfd fds[2] = {{.fd = fd, .events = POLLIN}, {.fd = also, .events = POLLIN}};
    int n;

    do
        n = poll(fds, 2, FWK_TRIAL_MS);
    while (n < 0 && errno == EINTR);
    close(fd);
    if (n == 0)
        kill(t->pid, SIGKILL);
    return n > 0 && (also < 0 || fds[1].revents & POLLIN);
}

bool fwk_try_taken(fwk_trial *t)
{
    return wait_for(t, t->taken);
}

static const char *sanitizer_word(const char *text)
{
    const char *at = strstr(text, "ERROR: ");
    return at ? at : strstr(text, "runtime error: ");
}

static void tell_end(fwk_trial *t, int status, bool in_time, const char *output)
{
    apr_pool_t *pool = t->k->pool;
    const char *word = sanitizer_word(output);

    if (!in_time)
        t->end = apr_psprintf(pool, "%s did not come back", t->stage);
    else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        t->end = apr_psprintf(pool,
                              "%s did not return within its time and %d s of grace: give "
                              "host->remaining_ms to whatever waits",
                              t->stage, FWK_GRACE_MS / 1000);
    else if (WIFSIGNALED(status))
        t->end = apr_psprintf(pool, "%s crashed with signal SIG%s", t->stage,
                              sigabbrev_np(WTERMSIG(status)));
    else if (!t->out && word)
        t->end = apr_psprintf(pool, "%s: %.200s", t->stage, word);
    else if (!t->out)
        t->end = apr_psprintf(pool, "%s ended the process (exit code %d): a plugin must not exit",
                              t->stage, WEXITSTATUS(status));
}

static json_t *records(int fd, apr_pool_t *pool)
{
    json_t *out = json_array();
    size_t n;
    const char *p = contents(fd, pool, &n);
    uint32_t size;

    for (size_t at = 0; at + sizeof(size) <= n; at += size) {
        char *text;
        size_t used = 0;
        memcpy(&size, p + at, sizeof(size));
        at += sizeof(size);
        text = apr_palloc(pool, 4 * (size_t)size + 1);
        for (size_t i = at; i < at + size && i < n; i++)
            if ((unsigned char)p[i] > 0x7e || (p[i] < 0x20 && p[i] != '\n' && p[i] != '\r'))
                used += (size_t)snprintf(text + used, 5, "\\x%02x", (unsigned char)p[i]);
            else
                text[used++] = p[i];
        json_array_append_new(out, json_stringn(text, used));
    }
    return out;
}

/* ---- secrets ---- */

static bool holds(const char *text, size_t n, const json_t *secret)
{
    size_t m = json_string_length(secret);
    return text && m >= SECRET_LEAST && memmem(text, n, json_string_value(secret), m) != NULL;
}

static void seek_in(fwk_trial *t, const char *where, const char *text, size_t n)
{
    json_t *all[] = {t->c ? t->c->secrets : NULL, t->secrets};
    const char *name;
    json_t *value;

    for (int i = 0; i < 2; i++)
        json_object_foreach(all[i], name, value)
        {
            if (holds(text, n, value))
                json_object_set_new(
                    t->k->leaks, apr_psprintf(t->k->pool, "%s in %s of %s", name, where, t->stage),
                    json_true());
        }
}

static void seek_secrets(fwk_trial *t, const char *output, size_t n)
{
    const char *answers[] = {"answer", "checked"};
    const json_t *line;
    size_t i;

    seek_in(t, "the output", output, n);
    json_array_foreach(json_object_get(t->out, "log"), i, line)
        seek_in(t, "a log line", json_string_value(line), json_string_length(line));
    for (i = 0; i < 2; i++) {
        line = json_object_get(json_object_get(t->out, answers[i]), "reason");
        seek_in(t, "a reason", json_string_value(line), json_string_length(line));
    }
}

void fwk_try_finish(fwk_trial *t)
{
    apr_pool_t *pool = t->k->pool;
    bool in_time = wait_for(t, -1);
    int status = 0;
    size_t n;
    const char *text;

    waitpid(t->pid, &status, 0);
    fwk_far_stop(&t->far);
    text = contents(t->result, pool, &n);
    t->out = json_loadb(text, n, 0, NULL);
    json_object_update(t->k->broke, json_object_get(t->out, "broke"));
    text = contents(t->output, pool, &n);
    tell_end(t, status, in_time, text);
    if (json_integer_value(json_object_get(t->out, "wrote")) > 0 ||
        (n > 0 && !t->out && !sanitizer_word(text)))
        json_object_set_new(
            t->k->broke, apr_psprintf(pool, "it wrote to standard output or error: %.200s", text),
            json_true());
    seek_secrets(t, text, n);
    if (json_is_true(json_object_get(t->out, "leaks")))
        t->end = apr_psprintf(pool, "memory that nobody holds: %.600s", text);
    t->requests = records(t->line.book, pool);
    t->faults = records(t->line.faults, pool);
}

void fwk_try_free(fwk_trial *t)
{
    int fds[] = {t->line.book, t->line.faults, t->line.taken, t->line.go,
                 t->taken,     t->go,          t->result,     t->output};

    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
        close(fds[i]);
    munmap(t->stage, FWK_TEXT);
    json_decref(t->out);
    json_decref(t->requests);
    json_decref(t->faults);
}

void fwk_try(fwk_trial *t)
{
    fwk_try_start(t);
    fwk_try_finish(t);
}

const char *fwk_try_wrong(const fwk_trial *t)
{
    const json_t *answer = json_object_get(t->out, "answer");
    const char *fault = json_string_value(json_object_get(answer, "fault"));

    if (t->end)
        return t->end;
    if (json_object_get(t->out, "not_loaded"))
        return json_string_value(json_object_get(t->out, "not_loaded"));
    if (json_array_size(t->faults) > 0)
        return json_string_value(json_array_get(t->faults, 0));
    return fault;
}

const json_t *fwk_answer(const fwk_trial *t)
{
    return json_object_get(t->out, "answer");
}

const char *fwk_answer_rc(const fwk_trial *t)
{
    const char *rc = json_string_value(json_object_get(fwk_answer(t), "rc"));
    return rc ? rc : "nothing";
}
