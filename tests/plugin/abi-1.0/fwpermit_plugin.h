#ifndef FWPERMIT_PLUGIN_H
#define FWPERMIT_PLUGIN_H

/* The whole interface between fwpermit and a plugin.
 *
 * A plugin is a shared object with exactly one exported symbol, fwpermit_plugin (build with
 * -fvisibility=hidden). It serves one port: it speaks with one kind of other system, and knows
 * nothing of the platform's database, files, keys or web server. Everything that crosses is JSON,
 * UTF-8.
 *
 * THE CONTRACT
 *
 * Versions    The major number is equal or the plugin is refused. Every struct starts with its size
 *             in bytes as its author compiled it; each side copies min(their size, own size) into a
 *             zeroed struct of its own, once, and reads the original no more. Members are only ever
 *             added at the end, and the minor number is raised; none is moved or given a new
 *             meaning.
 * Capability  A slot that is not NULL. An older plugin's missing slots read as NULL: not supported.
 * Settings    A list of keys and values; secrets carry FWP_KV_SECRET and are never to be logged.
 *             `create` checks all of them and answers FWP_MISCONFIGURED with a reason that names
 *             the key. The list is valid until `create` returns.
 * Memory      A request's bytes are valid until the operation returns. What an operation returns is
 *             static or from host->alloc, which belongs to the call and is freed by the host.
 *             host->alloc never returns NULL. The instance and all in it are the plugin's own.
 * Threads     create, operations and destroy are called one after another from one thread, in a
 *             process that the plugin has for itself, without privileges. A plugin must not fork,
 *             exit, change signal handlers, locale, umask or working directory, nor write to stdout
 *             or stderr. It is never unloaded: the process ends.
 * Time        host->remaining_ms says how long the call may still take; pass it to all that waits.
 *             A call that is late by the grace period is ended with its process, and counts as
 *             FWP_TEMPFAIL.
 * Repeats     Any operation may be called again with the same idempotency key, after a crash at any
 *             instant. Make the far side see that key, so that once stays once; where that cannot
 *             be, answer FWP_UNKNOWN when it is open whether the far side acted.
 * Answers     With FWP_OK and FWP_PENDING, reply->body is one JSON object, of at most FWP_MAX_BODY
 *             bytes, without repeated names; an empty body stands for {}. With any other answer,
 *             reply->reason is a short text or code for an operator: English, no personal data, no
 *             secret. Whatever breaks these rules counts as FWP_PERMFAIL.
 * HTTP        Speak it through host->http: certificates, redirects, time-outs and sizes are its
 *             care.
 *
 * C11 or C++; no type of APR or httpd occurs here. */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FWP_ABI_MAJOR 1u
#define FWP_ABI_MINOR 0u
#define FWP_ABI       ((FWP_ABI_MAJOR << 16) | FWP_ABI_MINOR)

/* The largest JSON text of a request or a reply, in bytes. */
#define FWP_MAX_BODY 1048576u

#if defined(__GNUC__)
#define FWP_EXPORT             __attribute__((visibility("default")))
#define FWP_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#else
#define FWP_EXPORT
#define FWP_PRINTF(fmt, first)
#endif

/* Bytes, not ended by NUL; p may be NULL when n is 0. */
typedef struct fwp_str {
    const char *p;
    size_t n;
} fwp_str;

#define FWP_KV_SECRET 1u /* never log the value */

/* One setting. Value bytes are followed by a NUL that is not counted in value.n. So are the key's.
 */
typedef struct fwp_kv {
    fwp_str key, value;
    uint32_t flags;
} fwp_kv;

typedef struct fwp_call fwp_call;         /* one operation: its arena, its deadline, its key */
typedef struct fwp_instance fwp_instance; /* the plugin's own */

/* What came of an operation. New values are added at the end. */
typedef enum fwp_rc {
    FWP_OK = 0,            /* done; the reply tells */
    FWP_REJECTED = 1,      /* the other side said no: a result, nothing to repeat */
    FWP_TEMPFAIL = 2,      /* not done; try again, in reply.retry_after_ms if that is not 0 */
    FWP_PERMFAIL = 3,      /* not done; this request can never be */
    FWP_MISCONFIGURED = 4, /* not done; a setting is wrong, the reason names it */
    FWP_CANCELLED = 5,     /* not done; the time was over before anything was sent */
    FWP_PENDING = 6,       /* taken; the outcome comes by a later message or query */
    FWP_UNKNOWN = 7        /* perhaps done: ask the other side before repeating */
} fwp_rc;

typedef struct fwp_reply {
    uint32_t size;
    uint32_t retry_after_ms;
    fwp_str body;
    const char *reason;
} fwp_reply;

typedef fwp_rc (*fwp_op)(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);

/* Levels of host->log. */
enum { FWP_LOG_ERROR = 3, FWP_LOG_WARNING = 4, FWP_LOG_INFO = 6, FWP_LOG_DEBUG = 7 };

typedef struct fwp_http_request {
    uint32_t size;
    const char *method; /* "GET", "POST", ... */
    const char *url;    /* https, or http where the sysadmin allowed it for this plugin */
    const fwp_kv *headers;
    size_t n_headers;
    fwp_str body;
    size_t max_response; /* bytes; 0 is FWP_MAX_BODY, which is also the most */
} fwp_http_request;

typedef struct fwp_http_response {
    uint32_t size;
    int status;        /* the HTTP status */
    fwp_str body;      /* followed by a NUL that is not counted */
    const char *type;  /* Content-Type, or "" */
    const char *error; /* why there is no response, for an operator; NULL if there is one */
} fwp_http_response;

/* What host->http returns. */
enum {
    FWP_HTTP_OK = 0,       /* a response came, whatever its status */
    FWP_HTTP_NOT_SENT = 1, /* the other side cannot have seen the request */
    FWP_HTTP_LOST = 2,     /* sent, perhaps only in part, and no whole response came */
    FWP_HTTP_REFUSED = 3   /* the host does not allow it, and nothing was sent */
};

/* What the platform gives a plugin. Valid as long as the process lives. */
typedef struct fwp_host {
    uint32_t size, abi;
    /* Zeroed memory that lives as long as the call; never NULL. */
    void *(*alloc)(fwp_call *call, size_t n);
    /* Milliseconds that are left, never below 0. */
    int (*remaining_ms)(const fwp_call *call);
    /* The same for every repetition of one request; never NULL, "" for create and health. */
    const char *(*idempotency_key)(const fwp_call *call);
    /* One line for the sysadmin's log; printf's format of C11; no personal data, no secret. */
    void (*log)(fwp_call *call, int level, const char *fmt, ...) FWP_PRINTF(3, 4);
    /* One HTTP exchange within the call's time. Set `size` in both structs. Follows no redirect. */
    int (*http)(fwp_call *call, const fwp_http_request *request, fwp_http_response *response);
    /* Seconds since 1970, UTC: the platform's clock. */
    int64_t (*now)(const fwp_call *call);
} fwp_host;

/* PORT "payment": a gateway through which people pay (docs/contracts/payment.json).
 *   begin    an order of ours → where to send the payer's browser
 *   message  a callback as it came, byte for byte → what it says, verified; FWP_REJECTED if it lies
 *   query    an order of ours → what the gateway knows of it
 *   refund   money back, all or part; FWP_UNKNOWN when the answer was lost */
typedef struct fwp_payment_ops {
    uint32_t size;
    fwp_op begin, message, query, refund;
} fwp_payment_ops;

/* PORT "notify": a notice to a person (docs/contracts/notify.json).
 *   send     one notice to one address */
typedef struct fwp_notify_ops {
    uint32_t size;
    fwp_op send;
} fwp_notify_ops;

/* The names of ports. Those without a struct above are reserved; each gets its struct when the
 * platform first uses it. */
#define FWP_PORT_PAYMENT   "payment"
#define FWP_PORT_NOTIFY    "notify"
#define FWP_PORT_MONITOR   "monitor"
#define FWP_PORT_BORDER    "border"
#define FWP_PORT_RESIDENTS "residents"
#define FWP_PORT_AUDIT     "audit"
#define FWP_PORT_PENALTY   "penalty"
#define FWP_PORT_ARCHIVE   "archive"
#define FWP_PORT_CARD      "card"
#define FWP_PORT_LABOUR    "labour"
#define FWP_PORT_BUS       "bus"

/* What a plugin is. */
typedef struct fwp_plugin {
    uint32_t size, abi;
    const char *port, *name, *version;
    uint32_t flags; /* 0; none is defined yet */
    /* Makes the instance from its settings. Must not wait for the other side to be reachable. */
    fwp_rc (*create)(const fwp_host *host, const fwp_kv *config, size_t n, fwp_call *call,
                     fwp_instance **self, fwp_reply *reply);
    void (*destroy)(fwp_instance *self);
    fwp_op health;   /* is the other side there? NULL: nobody can say */
    const void *ops; /* the struct of the port */
    /* As create, without an instance: only whether the settings are right. NULL: create tells. */
    fwp_rc (*check_config)(const fwp_host *host, const fwp_kv *config, size_t n, fwp_call *call,
                           fwp_reply *reply);
} fwp_plugin;

/* The only exported symbol. Returns NULL if the plugin cannot work with a host of that ABI. */
FWP_EXPORT const fwp_plugin *fwpermit_plugin(uint32_t host_abi);

#ifdef __cplusplus
}
#endif

#endif
