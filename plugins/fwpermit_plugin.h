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
 * Pending     FWP_PENDING: the other side took it, and the outcome comes by a message or by asking. The platform
 *             does not repeat the request.
 * Unknown     FWP_UNKNOWN: perhaps it was done. The platform repeats it under the same key, not before
 *             reply.retry_after_ms; what must not be repeated blindly (a refund) has a person look first, and its
 *             port's contract says so.
 * Fencing     Each attempt has a number that only grows. The answer of an attempt that another one has overtaken
 *             counts for nothing, so an operation must be safe to run twice at a time in two processes.
 * Files       What is too large for JSON goes beside it as files of the call: host->file_size, file_read, file_write.
 *             The request's "files" names those that came; the reply's "files" is the host's: it puts there what the
 *             plugin wrote. They are gone when the operation returns.
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
#define FWP_ABI_MINOR 2u
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
    /* Since 1.2: the response's headers in their order, names as they came; none from an older host. */
    const fwp_kv *headers;
    size_t n_headers;
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
    /* Since 1.1: the files of the call, which the request names. Its size in bytes, or -1: there is none of that name. */
    int64_t (*file_size)(fwp_call *call, const char *name);
    /* Up to n bytes from `offset`; how many there were, 0 at the end, -1: no such file, or it cannot be read. */
    int64_t (*file_read)(fwp_call *call, const char *name, int64_t offset, void *buffer, size_t n);
    /* Appends to a file that goes back with the reply; 0, or -1: too many, too long, or no room. */
    int (*file_write)(fwp_call *call, const char *name, const void *bytes, size_t n);
} fwp_host;

/* THE PORTS. Each has one struct: its size, then operations of one signature. What an operation is asked and answers is
 * a JSON Schema: docs/contracts/<port>.json, "$defs" "<operation>.request" and "<operation>.reply"; health and probe:
 * docs/contracts/plugin.json. The host holds both to it. A slot that is NULL is an operation that the plugin does not
 * support.
 *
 * Three operations mean the same wherever they stand:
 *   poll     what the other side has for us and we have not acknowledged, oldest first; changes nothing
 *   ack      messages of poll that the platform has stored: the other side may forget them
 *   message  what came from the other side, byte for byte, pushed or polled → what it says, verified; changes nothing;
 *            FWP_REJECTED if it is not from there. The same message may be asked about again. */

/* PORT "payment": a gateway through which people pay (docs/contracts/payment.json).
 *   begin       an order of ours → where to send the payer's browser
 *   message     a callback → what it says
 *   query       an order of ours → what the gateway knows of it
 *   refund      money back, all or part; FWP_UNKNOWN when the answer was lost
 *   settlement  a day → what the gateway says it took and paid back, a page at a time (since 1.1)
 *   poll, ack   payments that the other side leaves to be fetched, a bank's file say (since 1.2) */
typedef struct fwp_payment_ops {
    uint32_t size;
    fwp_op begin, message, query, refund, settlement, poll, ack;
} fwp_payment_ops;

/* PORT "labour": the labour agency's permits (docs/contracts/labour.json; since 1.1).
 *   find     a permit's number or a person → the permits that it has: recruitment with its quota, employment, extension
 *   poll, ack, message   permits that the agency pushes */
typedef struct fwp_labour_ops {
    uint32_t size;
    fwp_op find, poll, ack, message;
} fwp_labour_ops;

/* PORT "border": entry and exit inspection (docs/contracts/border.json; since 1.1).
 *   permit     a permit that was issued or ended, to be known at the border
 *   movements  a person → arrivals and departures
 *   poll, ack, message   arrivals and departures as they happen */
typedef struct fwp_border_ops {
    uint32_t size;
    fwp_op permit, movements, poll, ack, message;
} fwp_border_ops;

/* PORT "residents": the register of residents, kept in step both ways (docs/contracts/residents.json; since 1.1).
 *   put      a person's record as it is here now, with the version that it builds on; FWP_REJECTED when theirs is newer
 *   find     a person → their record
 *   compare  a page of their records' digests, for the nightly comparison
 *   poll, ack, message   records that changed there */
typedef struct fwp_residents_ops {
    uint32_t size;
    fwp_op put, find, compare, poll, ack, message;
} fwp_residents_ops;

/* PORT "penalty": fines (docs/contracts/penalty.json; since 1.1).
 *   put      what is owed and paid for a case, and by how many days it is late
 *   find     the fines of a case and whether they are paid
 *   poll, ack, message   fines set, changed, paid */
typedef struct fwp_penalty_ops {
    uint32_t size;
    fwp_op put, find, poll, ack, message;
} fwp_penalty_ops;

/* PORT "card": card production and its stock (docs/contracts/card.json; since 1.1).
 *   order    a card to be made, its photo as a file of the call
 *   find     a job → its state
 *   cancel   a job that is not made yet; FWP_REJECTED when it is
 *   stock    blanks in store, reserved, spoiled
 *   poll, ack, message   jobs that went on: accepted, made, spoiled, sent, arrived */
typedef struct fwp_card_ops {
    uint32_t size;
    fwp_op order, find, cancel, stock, poll, ack, message;
} fwp_card_ops;

/* PORT "archive": images and documents of closed cases (docs/contracts/archive.json; since 1.1).
 *   put      one package: its files are the call's
 *   verify   a package that was put → whether it is whole there
 *   get      a package that was put → its files, by host->file_write */
typedef struct fwp_archive_ops {
    uint32_t size;
    fwp_op put, verify, get;
} fwp_archive_ops;

/* PORT "audit": the audit trail, out of the house (docs/contracts/audit.json; since 1.1).
 *   records  one seal with its records, in order: the next one is not asked for before this one is done */
typedef struct fwp_audit_ops {
    uint32_t size;
    fwp_op records;
} fwp_audit_ops;

/* PORT "monitor": who watches the platform (docs/contracts/monitor.json; since 1.1).
 *   report   the state of every part and link; the reply may be a page that the platform then shows at /metrics */
typedef struct fwp_monitor_ops {
    uint32_t size;
    fwp_op report;
} fwp_monitor_ops;

/* PORT "notify": a notice to a person (docs/contracts/notify.json).
 *   send     one notice to one address
 *   message  what became of one: delivered, or not and why (since 1.1) */
typedef struct fwp_notify_ops {
    uint32_t size;
    fwp_op send, message;
} fwp_notify_ops;

/* PORT "scan": is a file harmful (docs/contracts/scan.json; since 1.1).
 *   scan     a file of the call → clean, or what was found; a scanner that is away is FWP_TEMPFAIL, never clean */
typedef struct fwp_scan_ops {
    uint32_t size;
    fwp_op scan;
} fwp_scan_ops;

/* PORT "bus": the message bus between two zones (docs/contracts/bus.json; since 1.1).
 *   publish  one envelope; done when the bus has it on disk
 *   poll, ack   envelopes for us */
typedef struct fwp_bus_ops {
    uint32_t size;
    fwp_op publish, poll, ack;
} fwp_bus_ops;

#define FWP_PORT_PAYMENT   "payment"
#define FWP_PORT_LABOUR    "labour"
#define FWP_PORT_BORDER    "border"
#define FWP_PORT_RESIDENTS "residents"
#define FWP_PORT_PENALTY   "penalty"
#define FWP_PORT_CARD      "card"
#define FWP_PORT_ARCHIVE   "archive"
#define FWP_PORT_AUDIT     "audit"
#define FWP_PORT_MONITOR   "monitor"
#define FWP_PORT_NOTIFY    "notify"
#define FWP_PORT_SCAN      "scan"
#define FWP_PORT_BUS       "bus"

/* What a plugin is. */
typedef struct fwp_plugin {
    uint32_t size, abi;
    const char *port, *name, *version; /* the name: "<port>_..." of a-z 0-9 _ -, 32 bytes at most */
    uint32_t flags;                    /* 0; none is defined yet */
    /* Makes the instance from its settings. Must not wait for the other side to be reachable. */
    fwp_rc (*create)(const fwp_host *host, const fwp_kv *config, size_t n, fwp_call *call,
                     fwp_instance **self, fwp_reply *reply);
    void (*destroy)(fwp_instance *self);
    fwp_op
        health; /* is the other side there? Asked often, must cost little. NULL: nobody can say */
    const void *ops; /* the struct of the port */
    /* As create, without an instance: only whether the settings are right. NULL: create tells. */
    fwp_rc (*check_config)(const fwp_host *host, const fwp_kv *config, size_t n, fwp_call *call,
                           fwp_reply *reply);
    /* Since 1.1: speaks with the other side without altering anything there, and tells step by step what it found, for
     * whoever sets the plugin up: {"steps": [{"name", "ok", "detail"}]}. NULL: health tells what there is to tell. */
    fwp_op probe;
} fwp_plugin;

/* The only exported symbol. Returns NULL if the plugin cannot work with a host of that ABI. */
FWP_EXPORT const fwp_plugin *fwpermit_plugin(uint32_t host_abi);

#ifdef __cplusplus
}
#endif

#endif
