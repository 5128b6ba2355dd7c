/* A plugin that does what it is told, right or wrong. What it is, macros of the compiler say; what it does, the
 * setting "create" and the request's "do". */
#include "fwpermit_plugin.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MAJOR
#define MAJOR FWP_ABI_MAJOR
#endif
#ifndef MINOR
#define MINOR FWP_ABI_MINOR
#endif
#ifndef PORT
#define PORT FWP_PORT_NOTIFY
#endif
#ifndef SIZE
#define SIZE sizeof(fwp_plugin)
#endif
#ifndef OPS_SIZE
#define OPS_SIZE sizeof(fwp_notify_ops)
#endif
#ifndef ENTRY
#define ENTRY fwpermit_plugin
#endif

struct fwp_instance {
    const fwp_host *host;
    int calls;
    char counter[256]; /* option "counter": a file; each call does the next thing wrong */
};

static fwp_rc answer(fwp_reply *reply, fwp_rc rc, const char *body, const char *reason)
{
    reply->body.p = body;
    reply->body.n = body ? strlen(body) : 0;
    reply->reason = reason;
    return rc;
}

/* Past a sanitizer, which would take it for a finding. */
static void crash(void)
{
    signal(SIGBUS, SIG_DFL);
    raise(SIGBUS);
}

static void hang(void)
{
    for (;;)
        pause();
}

static fwp_rc create(const fwp_host *host, const fwp_kv *config, size_t n, fwp_call *call, fwp_instance **self,
                     fwp_reply *reply)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(config[i].key.p, "create") != 0)
            continue;
        if (strcmp(config[i].value.p, "crash") == 0)
            crash();
        if (strcmp(config[i].value.p, "hang") == 0)
            hang();
        if (strcmp(config[i].value.p, "later") == 0)
            return answer(reply, FWP_TEMPFAIL, NULL, "not yet");
        if (strcmp(config[i].value.p, "wrong") == 0)
            return answer(reply, FWP_MISCONFIGURED, NULL, "option create is wrong\nand this is a second line");
    }
    *self = calloc(1, sizeof(**self));
    for (size_t i = 0; i < n; i++)
        if (strcmp(config[i].key.p, "counter") == 0)
            snprintf((*self)->counter, sizeof((*self)->counter), "%s", config[i].value.p);
    host->log(call, FWP_LOG_INFO, "made with %d settings\nand a second line", (int)n);
    (*self)->host = host;
    return FWP_OK;
}

static void destroy(fwp_instance *self)
{
    fprintf(stderr, "destroyed after %d calls\n", self->calls);
    free(self);
}

/* Whether the request has "do":"what". */
static int wants(fwp_str request, const char *what)
{
    char text[64];

    snprintf(text, sizeof(text), "\"do\":\"%s\"", what);
    return memmem(request.p, request.n, text, strlen(text)) != NULL;
}

static fwp_rc big(fwp_instance *self, fwp_call *call, fwp_reply *reply, size_t n)
{
    char *text = self->host->alloc(call, n + 1);

    memset(text, 'x', n);
    memcpy(text, "{\"a\":\"", 6);
    memcpy(text + n - 2, "\"}", 2);
    reply->body = (fwp_str){text, n};
    return FWP_OK;
}

/* Not from host->alloc, which would not give it. */
static fwp_rc much(fwp_reply *reply)
{
    const size_t n = 100000000;
    static char *text;

    text = text ? text : malloc(n);
    memset(text, ' ', n);
    memcpy(text, "{}", 2);
    reply->body = (fwp_str){text, n};
    return FWP_OK;
}

/* JSON that is longer when it is written anew: 1e9 becomes 1000000000.0. */
static fwp_rc swell(fwp_instance *self, fwp_call *call, fwp_reply *reply)
{
    size_t n = 1000000, at = 6;
    char *text = self->host->alloc(call, n);

    memcpy(text, "{\"a\":[", 6);
    while (at + 6 < n) {
        memcpy(text + at, "1e9,", 4);
        at += 4;
    }
    memcpy(text + at - 1, "]}", 2);
    reply->body = (fwp_str){text, at + 1};
    return FWP_OK;
}

static fwp_rc wait_softly(fwp_instance *self, fwp_call *call, fwp_reply *reply)
{
    while (self->host->remaining_ms(call) > 0)
        usleep(1000);
    return answer(reply, FWP_CANCELLED, NULL, "time is over");
}

static fwp_rc tell_all(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    char *text = self->host->alloc(call, 300);

    snprintf(text, 300, "{\"calls\":%d,\"key\":\"%s\",\"left\":%d,\"bytes\":%lu,\"zero\":%d,\"size\":%d,\"minor\":%d}",
             self->calls, self->host->idempotency_key(call), self->host->remaining_ms(call),
             (unsigned long)request.n, ((char *)self->host->alloc(call, 0))[0], self->host->size == sizeof(fwp_host),
             (int)(self->host->abi & 0xffff));
    return answer(reply, FWP_OK, text, NULL);
}

static fwp_rc take_memory(fwp_instance *self, fwp_call *call, fwp_reply *reply, int parts)
{
    for (int i = 0; i < parts; i++)
        memset(self->host->alloc(call, 1 << 20), 1, 1 << 20);
    return answer(reply, FWP_OK, NULL, NULL);
}

static fwp_rc fetch(fwp_instance *self, fwp_call *call, fwp_reply *reply, const char *url, const char *header)
{
    fwp_kv kv = {{"X-Test", 6}, {header, strlen(header)}, 0};
    fwp_http_request q = {.size = sizeof(q), .method = "GET", .url = url, .headers = &kv, .n_headers = 1};
    fwp_http_response a = {.size = sizeof(a)};
    int rc = self->host->http(call, &q, &a);
    char *text = self->host->alloc(call, 300);
    const char *told = "";
    size_t n = 0;

#if FWP_ABI_MINOR >= 2
    for (; n < a.n_headers; n++)
        if (strcasecmp(a.headers[n].key.p, "x-answer") == 0)
            told = a.headers[n].value.p;
#endif
    snprintf(text, 300, "{\"http\":%d,\"status\":%d,\"error\":%d,\"bytes\":%lu,\"headers\":%lu,\"told\":\"%s\"}", rc, a.status,
             a.error != NULL, (unsigned long)a.body.n, (unsigned long)n, told);
    return answer(reply, FWP_OK, text, NULL);
}

/* ---- what the contract forbids ---- */

static void *thread(void *arg)
{
    return arg;
}

/* Which of these the process may do. */
static fwp_rc try_processes(fwp_instance *self, fwp_call *call, fwp_reply *reply)
{
    char *text = self->host->alloc(call, 200);
    pthread_t t;
    int threads = pthread_create(&t, NULL, thread, NULL) == 0 && pthread_join(t, NULL) == 0;
    pid_t child = fork();
    int forks = child >= 0, runs, kills, shell;

    if (child == 0)
        _exit(0);
    runs = execl("/bin/true", "true", (char *)NULL) == 0 || errno != EPERM;
    kills = kill(getppid(), 0) == 0;
    shell = system("true") == 0;
    snprintf(text, 200, "{\"threads\":%d,\"forks\":%d,\"runs\":%d,\"kills\":%d,\"shell\":%d}", threads, forks, runs,
             kills, shell);
    return answer(reply, FWP_OK, text, NULL);
}

/* Without end: what it gets, it touches and keeps. */
static fwp_rc leak(fwp_reply *reply)
{
    for (;;) {
        char *p = malloc(1 << 20);

        if (!p)
            return answer(reply, FWP_TEMPFAIL, NULL, "no memory is left");
        memset(p, 1, 1 << 20);
    }
}

static fwp_rc close_all(fwp_reply *reply)
{
    for (int fd = 0; fd < 1024; fd++)
        close(fd);
    return answer(reply, FWP_OK, "{}", NULL);
}

static void on_signal(int number)
{
    (void)number;
}

/* Takes every signal away that might end it, and then hangs. */
static void deafen(void)
{
    struct itimerval none = {0};
    sigset_t all;

    for (int i = 1; i < 32; i++)
        signal(i, SIG_IGN);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    setitimer(ITIMER_REAL, &none, NULL);
    for (;;)
        pause();
}

static fwp_rc change_process(fwp_reply *reply)
{
    sigset_t all;

    signal(SIGTERM, on_signal);
    signal(SIGALRM, SIG_IGN);
    signal(SIGPIPE, SIG_DFL);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    umask(0);
    return answer(reply, FWP_OK, chdir("/") == 0 ? "{}" : "{\"cwd\":1}", NULL);
}

static fwp_rc print(fwp_reply *reply)
{
    printf("to standard output\nwith a second line, and \x1b[31mcolours\n");
    fflush(stdout);
    fprintf(stderr, "to standard error, without an end");
    return answer(reply, FWP_OK, "{}", NULL);
}

static fwp_rc flood(fwp_instance *self, fwp_call *call, fwp_reply *reply)
{
    for (int i = 0; i < 20000; i++)
        self->host->log(call, FWP_LOG_ERROR, "flood %d", i);
    return answer(reply, FWP_OK, "{}", NULL);
}

static fwp_rc flood_print(fwp_reply *reply)
{
    for (int i = 0; i < 20000; i++)
        fprintf(stderr, "flood %d\n", i);
    return answer(reply, FWP_OK, "{}", NULL);
}

/* True: the request was of this kind. */
static int misbehave(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply, fwp_rc *rc)
{
    if (wants(request, "deafen"))
        deafen();
    if (wants(request, "exit"))
        exit(0);
    if (wants(request, "processes"))
        return *rc = try_processes(self, call, reply), 1;
    if (wants(request, "leak"))
        return *rc = leak(reply), 1;
    if (wants(request, "close_all"))
        return *rc = close_all(reply), 1;
    if (wants(request, "change"))
        return *rc = change_process(reply), 1;
    if (wants(request, "print"))
        return *rc = print(reply), 1;
    if (wants(request, "flood"))
        return *rc = flood(self, call, reply), 1;
    if (wants(request, "flood_print"))
        return *rc = flood_print(reply), 1;
    return 0;
}

/* What comes next; the file has a byte for each call, also of processes before this one. */
static fwp_str next_wrong(fwp_instance *self)
{
    static const char *const turns[] = {"flood", "twice", "flood_print", "bigger", "no_utf8", "processes", "print", "list",
                                        "rc99", "change", "leak", "close_all", "crash"};
    static char text[64];
    FILE *f = fopen(self->counter, "a");
    long n = f ? ftell(f) : 0;

    if (f) {
        fputc('x', f);
        fclose(f);
    }
    snprintf(text, sizeof(text), "{\"do\":\"%s\"}", turns[n % (long)(sizeof(turns) / sizeof(turns[0]))]);
    return (fwp_str){text, strlen(text)};
}

static fwp_rc send_odd(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    const char *url = getenv("ODD_URL");
    fwp_rc rc;

    self->calls++;
    if (self->counter[0])
        request = next_wrong(self);
    if (misbehave(self, call, request, reply, &rc))
        return rc;
    if (wants(request, "crash"))
        crash();
    if (wants(request, "hang"))
        hang();
    if (wants(request, "abort"))
        abort();
    if (wants(request, "wait"))
        return wait_softly(self, call, reply);
    if (wants(request, "big"))
        return big(self, call, reply, FWP_MAX_BODY);
    if (wants(request, "bigger"))
        return big(self, call, reply, FWP_MAX_BODY + 1);
    if (wants(request, "swell"))
        return swell(self, call, reply);
    if (wants(request, "half"))
        return take_memory(self, call, reply, 32);
    if (wants(request, "much"))
        return take_memory(self, call, reply, 65);
    if (wants(request, "list"))
        return answer(reply, FWP_OK, "[1]", NULL);
    if (wants(request, "no_json"))
        return answer(reply, FWP_OK, "{\"a\":", NULL);
    if (wants(request, "twice"))
        return answer(reply, FWP_OK, "{\"a\":1,\"a\":2}", NULL);
    if (wants(request, "no_utf8"))
        return answer(reply, FWP_OK, "{\"a\":\"\xff\"}", NULL);
    if (wants(request, "nul"))
        return answer(reply, FWP_OK, "{\"a\":\"\\u0000\"}", NULL);
    if (wants(request, "trailing"))
        return answer(reply, FWP_OK, "{} {}", NULL);
    if (wants(request, "text"))
        return answer(reply, FWP_OK, "hello", NULL);
    if (wants(request, "huge"))
        return answer(reply, FWP_OK, "{\"a\":123456789012345678901234567890}", NULL);
    if (wants(request, "body_and_no"))
        return answer(reply, FWP_REJECTED, "{}", "no");
    if (wants(request, "own_files"))
        return answer(reply, FWP_OK, "{\"files\":[]}", NULL);
    if (wants(request, "no_reason"))
        return answer(reply, FWP_REJECTED, NULL, NULL);
    if (wants(request, "100mb"))
        return much(reply);
    if (wants(request, "null")) {
        reply->body.n = 9;
        return FWP_OK;
    }
    if (wants(request, "nothing"))
        return FWP_OK;
    if (wants(request, "pending"))
        return answer(reply, FWP_PENDING, "{}", NULL);
    if (wants(request, "unknown"))
        return answer(reply, FWP_UNKNOWN, NULL, "who knows");
    if (wants(request, "rc99"))
        return answer(reply, (fwp_rc)99, "{}", NULL);
    if (wants(request, "bad_reason"))
        return answer(reply, FWP_REJECTED, NULL, "\xff\xfe");
    if (wants(request, "long_chinese")) {
        static char reason[601 + 1] = "x";

        for (size_t i = 0; i < 200; i++)
            memcpy(reason + 1 + 3 * i, "\xe9\x99\xb3", 4);
        return answer(reply, FWP_REJECTED, NULL, reason);
    }
    if (wants(request, "long_reason")) {
        char *text = self->host->alloc(call, 2000);
        memset(text, 'r', 1999);
        return answer(reply, FWP_REJECTED, NULL, text);
    }
    if (wants(request, "lines")) {
        self->host->log(call, 99, "one\ntwo\x1b[31m");
        return answer(reply, FWP_REJECTED, NULL, "one\ntwo");
    }
    if (wants(request, "later")) {
        reply->retry_after_ms = 1234;
        return answer(reply, FWP_TEMPFAIL, NULL, "later");
    }
    if (wants(request, "fetch"))
        return fetch(self, call, reply, url, "a");
    if (wants(request, "inject"))
        return fetch(self, call, reply, url, "a\r\nX-More: b");
    if (wants(request, "file"))
        return fetch(self, call, reply, "file:///etc/passwd", "a");
    if (wants(request, "echo")) {
        char *text = self->host->alloc(call, request.n + 1);
        memcpy(text, request.p, request.n);
        reply->body = (fwp_str){text, request.n};
        return FWP_OK;
    }
    return tell_all(self, call, request, reply);
}

#ifdef HEALTH
static fwp_rc health(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    (void)self, (void)call, (void)request;
    return answer(reply, FWP_TEMPFAIL, NULL, "the far side is down");
}
#define THEIR_HEALTH health
#else
#define THEIR_HEALTH NULL
#endif

FWP_EXPORT const fwp_plugin *ENTRY(uint32_t host_abi);
const fwp_plugin *ENTRY(uint32_t host_abi)
{
    static const fwp_notify_ops ops = {.size = OPS_SIZE, .send = send_odd};
    static const fwp_plugin plugin = {.size = SIZE,
                                      .abi = (uint32_t)MAJOR << 16 | MINOR,
                                      .port = PORT,
                                      .name = "odd",
                                      .version = "0.0.1",
                                      .create = create,
                                      .destroy = destroy,
                                      .health = THEIR_HEALTH,
                                      .ops = &ops};

#ifdef NONE
    (void)plugin;
    return NULL;
#endif
    return host_abi >> 16 == FWP_ABI_MAJOR ? &plugin : NULL;
}
