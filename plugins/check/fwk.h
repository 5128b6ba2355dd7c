#ifndef FWK_H
#define FWK_H

#include "fww_plugin_load.h"

#include <jansson.h>

#include <sys/types.h>

/* fwpermit-plugin-check: what its files share. Each trial of the plugin runs in a child process, so that whatever it
 * does there is seen and harms nothing. */

#define FWK_GRACE_MS    2000  /* after a call's time, as in the platform's process */
#define FWK_DEADLINE_MS 20000 /* of a call that has time */
#define FWK_TRIAL_MS    120000
#define FWK_ROUNDS      1000
#define FWK_ON          5   /* times as many, where the heap grew */
#define FWK_TEXT        400 /* bytes of one finding */

/* What goes wrong at the far side, for the first exchange of a call. */
typedef enum fwk_mode {
    FWK_PLAIN,    /* nothing: as recorded */
    FWK_NOT_SENT, /* it cannot be reached */
    FWK_LOST,     /* it takes the request, and its answer is lost */
    FWK_SLOW,     /* it cannot be reached before the time is over */
    FWK_MUTE,     /* it takes the request and says nothing before the time is over */
    FWK_ERROR,    /* it says 500 */
    FWK_NONSENSE, /* it says 200 and bytes without meaning */
    FWK_KILL,     /* kill -9 when it has taken the request */
    FWK_HOLD      /* its answer waits for fwk_trial.go */
} fwk_mode;

/* One recorded exchange: a file of the fixtures' folder. */
typedef struct fwk_case {
    const char *name; /* of the file */
    const char *op;   /* "send", "health", "probe" */
    const char *key;
    json_t *settings, *secrets; /* the folder's with its own */
    json_t *all;                /* the whole file */
    int64_t now;
} fwk_case;

/* A loaded folder of fixtures. */
typedef struct fwk_fixtures {
    const char *dir;
    json_t *common; /* settings.json */
    fwk_case *cases;
    size_t n;
} fwk_fixtures;

typedef struct fwk {
    apr_pool_t *pool;
    const char *file, *dir; /* the plugin, and the folder that it lies in */
    const char *contracts;  /* folder */
    const char *port;       /* what it must be; NULL: what it is */
    bool quiet, json, sanitized;
    json_t *set, *secrets; /* of the command line */
    fwk_fixtures fixtures;
    const struct fw_schema *port_schema, *plugin_schema; /* contracts; NULL: could not be read */
    json_t *shown;  /* what the plugin says of itself: port, name, version, ops */
    json_t *report; /* of checks */
    json_t *broke;  /* forbidden things that were seen, each once → true */
    json_t *leaks;  /* where a secret was seen, likewise */
    int held, failed, skipped;
} fwk;

/* ---- fwk_report.c ---- */

/* One line of the report: what holds. */
void fwk_ok(fwk *k, const char *check, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* What does not, and what to do about it. */
void fwk_fail(fwk *k, const char *check, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* What was not tried, and why. */
void fwk_skip(fwk *k, const char *check, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The last line; the exit code. */
int fwk_sum(fwk *k);

/* ---- fwk_fixture.c ---- */

/* Reads DIR/settings.json and the cases beside it. False, said: it cannot. */
bool fwk_fixtures_read(fwk *k, const char *dir);
/* `text` with ${PORT}, ${KEY}, ${DIR} and ${USER} filled in, in `pool`. */
const char *fwk_fill(const fwk *k, const char *text, const char *key, int port, apr_pool_t *pool);
/* The fixtures' settings ("settings" or "secrets") with the command line's. New. */
json_t *fwk_settings(const fwk *k, const char *kind, const json_t *own);
/* The first case of that operation whose recorded answer is ok or pending; NULL: none. */
const fwk_case *fwk_case_of(const fwk *k, const char *op);
/* Whether the plugin has that operation. */
bool fwk_supports(const fwk *k, const char *op);
/* What its far side does over a socket: its "tcp", or its "program"; NULL: nothing. */
const json_t *fwk_script(const fwk_case *c);
/* How many exchanges it has with the far side. */
size_t fwk_exchanges(const fwk_case *c);

/* ---- fwk_elf.c ---- */

/* The dynamic symbols of a shared object, by name: {"exported": [...], "wanted": [...], "needed": [...]}; NULL: it is
 * no shared object of this machine. */
json_t *fwk_elf_read(const char *path);

/* ---- fwk_far.c ---- */

/* The far side of a plugin with sockets of its own: a process that speaks a script. */
typedef struct fwk_far {
    pid_t pid; /* 0: there is none */
    int port;
    char folder[32]; /* of a program; "": there is none */
} fwk_far;

/* Where the far side notes what it took, and says that it did. */
typedef struct fwk_line {
    int book;      /* what it took: a file of records, each a 4-byte length and the bytes */
    int faults;    /* a file of lines: what came otherwise than recorded */
    int taken, go; /* pipes: a byte when it has the request; then, in FWK_HOLD, it waits */
} fwk_line;

/* `script` is a case's "tcp", or its "program"; `dir` the folder of exchanges. */
void fwk_far_start(fwk_far *far, const json_t *script, const char *dir, fwk_mode mode,
                   const fwk_line *line);
void fwk_far_stop(fwk_far *far);
/* Notes one record. */
void fwk_note(int book, const char *p, size_t n);

/* ---- fwk_program.c ---- */

/* One connection with a program at the far side: {"run": [word, ...], "taken": path or bytes}. */
void fwk_program_talk(int plugin, const json_t *program, const char *folder, const char *dir,
                      fwk_mode mode, const fwk_line *line);
/* Removes a folder and what is in it. */
void fwk_program_forget(const char *folder);

/* ---- fwk_trial.c ---- */

struct fwk_child;
typedef struct fwk_trial {
    fwk *k;
    void (*work)(struct fwk_child *child); /* in the child */
    const fwk_case *c;                     /* NULL for work that needs none */
    json_t *settings, *secrets;            /* instead of the case's; NULL: the case's */
    const char *key;                       /* instead of the case's */
    fwk_mode mode;
    int deadline_ms, rounds;
    bool old_host; /* as the first version of the interface had it */
    /* what came of it */
    json_t *out;      /* what the child said; NULL: it said nothing */
    const char *end;  /* how it ended, if otherwise than it should; NULL: well */
    json_t *requests; /* what the far side took: texts, bytes above 0x7e as \xNN */
    json_t *faults;   /* what came otherwise than recorded */
    /* under way */
    pid_t pid;
    fwk_far far;
    fwk_line line;
    int result, output, taken, go;
    char *stage;
} fwk_trial;

/* fork() for a process that is not to outlive this one, which is killed at any moment: also before the child has run. */
pid_t fwk_fork(void);
/* Runs it to its end. */
void fwk_try(fwk_trial *t);
/* The same in steps: start; wait until the far side has the request (false: it ended without); let go; finish. */
void fwk_try_start(fwk_trial *t);
bool fwk_try_taken(fwk_trial *t);
void fwk_try_finish(fwk_trial *t);
void fwk_try_free(fwk_trial *t);
/* Whether a sanitizer that is here counts what is allocated from now on: what the checker itself holds it does not. */
void fwk_leak_watch(bool on);
/* What is wrong with how it went: its end, or the first fault; NULL: nothing. */
const char *fwk_try_wrong(const fwk_trial *t);
/* The child's answer of the last call: {"rc", "reason", "body", "fault", "ms"}; NULL: none. */
const json_t *fwk_answer(const fwk_trial *t);
const char *fwk_answer_rc(const fwk_trial *t);

/* ---- fwk_child.c: in the child ---- */

typedef struct fwk_child {
    fwk_trial *t;
    fww_loaded loaded;
    fwp_instance *self;
    json_t *out;
} fwk_child;

void fwk_work_show(fwk_child *child);   /* what the plugin says of itself, to several hosts */
void fwk_work_create(fwk_child *child); /* create, check_config, destroy */
void fwk_work_op(fwk_child *child);     /* create, the case's operation, destroy */
void fwk_work_cycle(fwk_child *child);  /* create and destroy, many times */
void fwk_work_ops(fwk_child *child);    /* the operation, many times */

/* ---- fwk_watch.c: in the child ---- */

/* Looks at the process before the plugin is loaded, and afterwards what of it the plugin changed. */
void fwk_watch_begin(void);
void fwk_watch_end(json_t *broke);
typedef struct fwk_size {
    size_t heap, resident;
    int files, threads;
} fwk_size;
fwk_size fwk_measure(void);

/* ---- fwk_host.c: in the child ---- */

struct fwp_call {
    fwk_child *child;
    const fwk_case *c; /* NULL: create */
    const char *key;
    fwk_mode mode;
    int64_t due;
    size_t exchange; /* how many there were */
    struct fwk_block *blocks;
    size_t allocated;
    json_t *written; /* files of the reply: name → bytes as text */
    bool quiet;      /* in the thousandth call nothing is noted */
};

const fwp_host *fwk_host(bool old);
int64_t fwk_clock_ms(void);
void fwk_call_begin(fwp_call *call, fwk_child *child, const fwk_case *c, int ms);
/* Frees what the call took; notes what was written beyond it. */
void fwk_call_end(fwp_call *call);
/* host->http. */
int fwk_http(fwp_call *call, const fwp_http_request *request, fwp_http_response *response);
/* One line about what came otherwise than recorded. */
void fwk_fault(const fwp_call *call, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- the checks ---- */

/* What of request or reply is not as docs/contracts has it; NULL: nothing. */
const char *fwk_contract_fault(const fwk_trial *t);

void fwk_check_file(fwk *k); /* symbols, loading, what it says of itself, its page */
void fwk_check_settings(fwk *k);
void fwk_check_cases(fwk *k);
void fwk_check_trouble(fwk *k); /* no time, nothing reached, answers lost or odd */
void fwk_check_repeats(fwk *k); /* kill -9 and again; two attempts at a time */
void fwk_check_growth(fwk *k);
void fwk_check_manners(fwk *k); /* what all the trials saw */

#endif
