/* A plugin of port notify that keeps the contract, and, with one macro of the compiler, breaks it in one place. */
#include "fwpermit_plugin.h"

#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(MANY_SYMBOLS)
FWP_EXPORT int one_more(void);
int one_more(void)
{
    return 1;
}
#endif

#ifdef NO_SYMBOL
#define fwpermit_plugin another_name
#endif

struct fwp_instance {
    const fwp_host *host;
    char *url, *token;
};

static fwp_rc refuse(fwp_reply *reply, fwp_rc rc, const char *reason)
{
    reply->reason = reason;
#ifdef NO_REASON
    if (rc == FWP_REJECTED)
        reply->reason = NULL;
#endif
#ifdef REASON_NOT_UTF8
    if (rc == FWP_REJECTED)
        reply->reason = "\xff\xfe";
#endif
    return rc;
}

static const char *read_settings(const fwp_kv *config, size_t n, const char **url, const char **token)
{
    for (size_t i = 0; i < n; i++) {
        const char *key = config[i].key.p;
        if (strcmp(key, "url") == 0)
            *url = config[i].value.p;
        else if (strcmp(key, "token") == 0)
            *token = config[i].value.p;
#ifndef TAKES_UNKNOWN
        else
            return key;
#endif
    }
#ifdef TAKES_GARBAGE
    if (*url && !**url)
        return "url";
#else
    if (*url && strncmp(*url, "https://", 8) != 0)
        return "url";
#endif
#ifndef TAKES_EMPTY
    if (*token && !**token)
        return "token";
#endif
    if (!*url)
        return "url";
#ifndef NEEDS_LESS
    if (!*token)
        return "token";
#endif
    return NULL;
}

static fwp_rc complain(const fwp_host *host, fwp_call *call, const char *name, fwp_reply *reply)
{
    char *text = host->alloc(call, 100);
#ifdef NAMES_NOTHING
    snprintf(text, 100, "a setting is wrong");
    (void)name;
#else
    snprintf(text, 100, "wrong setting: %.60s", name);
#endif
#ifdef WRONG_RC
    return refuse(reply, FWP_PERMFAIL, text);
#else
    return refuse(reply, FWP_MISCONFIGURED, text);
#endif
}

static void destroy(fwp_instance *self)
{
#ifndef KEEPS_CONFIG
    free(self->url);
#endif
    free(self->token);
#ifndef LEAKS_INSTANCES
    free(self);
#endif
}

static void misbehave(const fwp_host *host, fwp_call *call, const fwp_instance *self)
{
    (void)host, (void)call, (void)self;
#ifdef LOGS_SECRET
    host->log(call, FWP_LOG_INFO, "logged in with %s", self->token);
#endif
#ifdef CHANGES_FOLDER
    if (chdir("/") != 0)
        abort();
#endif
#ifdef CHANGES_UMASK
    umask(0);
#endif
#ifdef CHANGES_LOCALE
    setlocale(LC_ALL, "C.UTF-8");
#endif
#ifdef CHANGES_SIGNALS
    {
        struct sigaction ignore = {.sa_handler = SIG_IGN};
        sigaction(SIGTERM, &ignore, NULL);
    }
#endif
#ifdef FORKS
    {
        pid_t pid = fork();
        if (pid == 0)
            _exit(0);
        waitpid(pid, NULL, 0);
    }
#endif
#ifdef PRINTS
    if (write(1, "hello\n", 6) != 6)
        abort();
#endif
#ifdef LEAKS_FILES
    if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
        abort();
#endif
}

static fwp_rc check_config(const fwp_host *host, const fwp_kv *config, size_t n, fwp_call *call, fwp_reply *reply)
{
    const char *url = NULL, *token = NULL;
    const char *why = read_settings(config, n, &url, &token);

#ifdef CHECKS_OTHERWISE
    return FWP_OK;
#endif
    return why ? complain(host, call, why, reply) : FWP_OK;
}

static fwp_rc create(const fwp_host *host, const fwp_kv *config, size_t n, fwp_call *call, fwp_instance **self,
                     fwp_reply *reply)
{
    const char *url = NULL, *token = NULL;
    const char *why = read_settings(config, n, &url, &token);
    fwp_instance *i;

#ifdef NEEDS_NEW_HOST
    host->file_size(call, "x");
#endif
    if (why)
        return complain(host, call, why, reply);
    i = calloc(1, sizeof(*i));
    if (!i)
        return refuse(reply, FWP_TEMPFAIL, "no memory");
    i->host = host;
#ifdef KEEPS_CONFIG
    i->url = (char *)(uintptr_t)url;
    i->token = strdup(token);
#else
    i->url = strdup(url);
    i->token = strdup(token ? token : "");
#endif
    misbehave(host, call, i);
    *self = i;
    return FWP_OK;
}

#ifdef LEAKS_THREADS
static void *sleep_on(void *nothing)
{
    pause();
    return nothing;
}
#endif

static fwp_rc answer(fwp_instance *self, fwp_call *call, fwp_reply *reply)
{
    const char *body = "{\"message_id\":\"m-1\"}";

    (void)self, (void)call;
#ifdef SAYS_TWICE
    body = "{\"message_id\":\"m-1\",\"message_id\":\"m-2\"}";
#endif
#ifdef NOT_UTF8
    body = "{\"message_id\":\"\xff\"}";
#endif
#ifdef BREAKS_CONTRACT
    body = "{\"message_id\":\"m-1\",\"cost\":1}";
#endif
    reply->body = (fwp_str){body, strlen(body)};
#ifdef TOO_LONG
    reply->body.p = self->host->alloc(call, FWP_MAX_BODY + 1);
    reply->body.n = FWP_MAX_BODY + 1;
#endif
    return FWP_OK;
}

static void misbehave_in_op(fwp_instance *self, fwp_call *call)
{
    (void)self, (void)call;
#ifdef CRASHES
    raise(SIGSEGV);
#endif
#ifdef EXITS
    exit(3);
#endif
#ifdef OVERRUNS
    memset(self->host->alloc(call, 10), 1, 11);
#endif
#ifdef OVERRUNS_HEAP
    {
        volatile char *p = malloc(10);
        p[10] = 1;
        free((void *)(uintptr_t)p);
    }
#endif
#ifdef LEAKS_CALLS
    if (!strdup("twenty-four bytes or so"))
        abort();
#endif
#ifdef LEAKS_THREADS
    {
        pthread_t thread;
        if (pthread_create(&thread, NULL, sleep_on, NULL) != 0)
            return;
        pthread_detach(thread);
    }
#endif
}

static fwp_rc judge(fwp_instance *self, fwp_call *call, int sent, const fwp_http_response *a, fwp_reply *reply)
{
#ifdef CALLS_LOST_DONE
    if (sent == FWP_HTTP_LOST)
        return answer(self, call, reply);
#endif
#ifdef CALLS_LOST_NOT_SENT
    if (sent == FWP_HTTP_LOST)
        return refuse(reply, FWP_PERMFAIL, "no answer");
#endif
#ifdef CALLS_UNREACHED_DONE
    if (sent == FWP_HTTP_NOT_SENT)
        return answer(self, call, reply);
#endif
    if (sent != FWP_HTTP_OK)
        return refuse(reply, FWP_TEMPFAIL, a->error);
#ifdef CALLS_ERRORS_DONE
    if (a->status >= 500)
        return answer(self, call, reply);
#endif
#ifdef SECRET_IN_REASON
    if (a->status >= 500)
        return refuse(reply, FWP_TEMPFAIL, self->token);
#endif
    if (a->status >= 500)
        return refuse(reply, FWP_TEMPFAIL, "the far side has trouble");
#ifdef BODY_WITH_NO
    answer(self, call, reply);
#endif
    if (a->status != 200)
        return refuse(reply, FWP_REJECTED, "the far side said no");
#ifdef TRUSTS_ANSWERS
    reply->body = a->body;
    return FWP_OK;
#else
    return answer(self, call, reply);
#endif
}

static fwp_rc op_send(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    const char *key = self->host->idempotency_key(call);
    fwp_kv headers[] = {{{"X-Token", 7}, {self->token, strlen(self->token)}, FWP_KV_SECRET},
                        {{"X-Key", 5}, {key, strlen(key)}, 0}};
    fwp_http_request q = {.size = sizeof(q), .method = "POST", .url = self->url, .headers = headers, .n_headers = 2,
                          .body = request};
    fwp_http_response a = {.size = sizeof(a)};
    int sent;

    misbehave_in_op(self, call);
#ifdef SENDS_NO_KEY
    q.n_headers = 1;
#endif
#ifdef SENDS_ONE_KEY
    headers[1].value = (fwp_str){"check-5f0c2b7e91d4", 18};
#endif
#ifdef SENDS_A_NEW_KEY
    {
        char *text = self->host->alloc(call, 60);
        snprintf(text, 60, "id-%d", (int)getpid());
        headers[1].value = (fwp_str){text, strlen(text)};
    }
#endif
#ifdef HANGS
    if (self->host->remaining_ms(call) < 100)
        pause();
#endif
#ifdef LOCKS
    {
        int fd = open(LOCKS, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
        if (flock(fd, LOCK_EX | LOCK_NB) != 0)
            return refuse(reply, FWP_PERMFAIL, "somebody else is at it");
    }
#endif
#ifdef ASKS_TWICE
    self->host->http(call, &q, &a);
#endif
    sent = self->host->http(call, &q, &a);
    return judge(self, call, sent, &a, reply);
}

FWP_EXPORT const fwp_plugin *fwpermit_plugin(uint32_t host_abi);
const fwp_plugin *fwpermit_plugin(uint32_t host_abi)
{
    static fwp_notify_ops ops = {.size = sizeof(ops), .send = op_send};
    static fwp_plugin plugin = {.size = sizeof(plugin),
                                .abi = FWP_ABI,
                                .port = FWP_PORT_NOTIFY,
                                .name = "notify_planted",
                                .version = "0.1.0",
                                .create = create,
                                .destroy = destroy,
                                .ops = &ops,
                                .check_config = check_config};

#ifdef TAKES_ANY_MAJOR
    plugin.abi = host_abi;
    return &plugin;
#endif
#ifdef TAKES_ONE_MINOR
    if (host_abi != FWP_ABI)
        return NULL;
#endif
#ifdef ODD_SIZE
    plugin.size = sizeof(plugin) - 4;
#endif
#ifdef WRONG_NAME
    plugin.name = "planted";
#endif
#ifdef WRONG_VERSION
    plugin.version = "newest";
#endif
#ifdef NO_OPERATION
    ops.send = NULL;
#endif
#ifdef UNKNOWN_PORT
    plugin.port = "pigeons";
#endif
    return host_abi >> 16 == FWP_ABI_MAJOR ? &plugin : NULL;
}
