#ifndef FWW_PUMP_INT_H
#define FWW_PUMP_INT_H

#include "fw_breaker.h"
#include "fw_desk.h"
#include "fw_perform.h"
#include "fw_store_outbox.h"
#include "fww_role.h"

#include <pthread.h>
#include <stdatomic.h>

/* What the parts of the pump share. */

/* APLOG's levels. */
enum { FWW_ERROR = 3, FWW_WARNING = 4, FWW_NOTICE = 5, FWW_INFO = 6, FWW_DEBUG = 7 };

/* Numbers of lines that a sysadmin may look for. They never change. */
#define FWW_N_AMOUNT     "FWP2101" /* money of another amount than is owed */
#define FWW_N_ORDER      "FWP2102" /* a message about an order that is not ours */
#define FWW_N_SIMULATED  "FWP2103" /* a gateway's rehearsal: nothing is paid */
#define FWW_N_MESSAGE    "FWP2104" /* a message that the plugin refuses */
#define FWW_N_REFUSED    "FWP2105" /* a command that was refused */
#define FWW_N_DEAD       "FWP2106" /* given up: a dead letter */
#define FWW_N_PLUGIN     "FWP2107" /* a plugin is away or cannot do its work */
#define FWW_N_DATABASE   "FWP2108" /* the database is away */
#define FWW_N_ADDRESS    "FWP2109" /* nobody to write to */
#define FWW_N_JOB        "FWP2110" /* a card job that one side does not know */
#define FWW_N_STOCK      "FWP2111" /* few blanks are left, or enough again */
#define FWW_N_REFUND     "FWP2112" /* a refund that a cashier has to see to */
#define FWW_N_SETTLEMENT "FWP2113" /* a day's books differ from the gateway's */
#define FWW_N_INFECTED   "FWP2140" /* a file in which the scanner found something */
#define FWW_N_TRAIL      "FWP2202" /* the audit trail does not get out of the house */

typedef struct fww_breaker fww_breaker;

/* What the clock knows of the files that anyone may fetch; its own. */
typedef struct fww_published {
    apr_time_t due;    /* the next writing at the latest */
    apr_time_t since;  /* permits that ended after that are counted; 0: nothing was written yet */
    int64_t ended;     /* how many there were when it was written */
    apr_time_t issued; /* what the last list says of itself */
    int troubles;      /* in a row */
} fww_published;

/* Of the process; read-only after the start but for what is under the mutex. */
typedef struct fww_pump {
    const fww_role_env *env;
    fw_desk *desk;
    apr_time_t started; /* monotonic */
    const char *owner;  /* of leases: this process among all nodes */
    pthread_mutex_t mutex;
    pthread_cond_t ended; /* a lane did */
    atomic_bool stopping;
    int running;             /* lanes */
    apr_time_t purged;       /* when the clock last did it; the clock's own */
    fww_published published; /* likewise */
    fww_breaker *breakers;   /* one for each plugin of the settings */
    const char *node;        /* under which the links' states are kept */
    pthread_mutex_t keeping; /* one writer of links' states at a time */
    apr_time_t status_due;   /* monotonic; the status lane's own */
    apr_time_t stock_due;    /* when the bureau's stock is asked for; the polling lane's own */
} fww_pump;

/* One round of one thread. */
typedef struct fww_turn {
    fww_pump *pump;
    fw_db *db;
    apr_pool_t *pool;
    apr_time_t until; /* the lease's end: an answer that comes later is not ours any more */
} fww_turn;

/* How a row or a message ends. */
typedef enum fww_end_e { FWW_END_DONE, FWW_END_AGAIN, FWW_END_DEAD, FWW_END_REFUSED } fww_end_e;
typedef struct fww_end {
    fww_end_e what;
    const char *reason; /* for an administrator; NULL: none */
    apr_interval_time_t
        after; /* again: not before, as the other side asked; 0: as the table says */
    bool away; /* again: nobody was there, which costs no attempt */
} fww_end;

/* ---- plugins (fww_port.c) ---- */

#define FWW_RC_AWAY 100 /* beside fwp_rc: the process is not there, or ended within the call */

typedef struct fww_ask {
    const char *op, *key;
    int attempt, deadline_ms;
    json_t *request; /* taken over; NULL: {} */
    const void *blob;
    apr_size_t n_blob;
    const apr_array_header_t *files; /* of fw_call_file, sealed; NULL: none */
    bool may_be_away; /* asked in passing: a process that is not up yet is no trouble of the link */
} fww_ask;

typedef struct fww_answer {
    int rc; /* fwp_rc, or FWW_RC_AWAY */
    const char *reason;
    apr_interval_time_t retry_after;
    json_t *reply;             /* an object; lives as long as the turn's pool */
    apr_array_header_t *files; /* of fw_call_file: what came back */
} fww_answer;

const fw_err *fww_ports_make(fww_pump *pump);
/* The name of the plugin that serves a port, or NULL. */
const char *fww_port_plugin(const fww_pump *pump, const char *port);
/* Until the plugin's process is there, where the pump itself has only just started: both start at once, and who comes a moment
 * later is not away. */
void fww_port_await(const fww_pump *pump, const char *plugin, apr_pool_t *pool);
/* Asks a plugin; what goes wrong is an answer too. */
void fww_port_ask(const fww_turn *t, const char *plugin, const fww_ask *ask, fww_answer *out);
/* What the links were like when the pump before this one ended. */
const fw_err *fww_ports_load(fww_pump *pump, fw_db *db);
/* True while a plugin that failed again and again is left in peace. */
bool fww_port_rests(fww_pump *pump, const char *plugin);
/* Whether a round may use the plugin (NULL: always). After FW_PASS_PROBE comes fww_port_probed(), whatever came of it. */
fw_pass_e fww_port_pass(fww_pump *pump, const char *plugin);
void fww_port_probed(fww_pump *pump, const char *plugin);
/* Asks a plugin that rested whether the other side is there; true where nobody can say: then a delivery tells. */
bool fww_port_is_back(const fww_turn *t, const char *plugin);
/* The end that an answer means which is not "ok". */
void fww_port_end(const fww_answer *answer, fww_end *end);

/* ---- commands (fww_pump.c) ---- */

/* Performs as the system. *refused (or NULL) is the first refusal's key, NULL where it was done. */
const fw_err *fww_perform(const fww_turn *t, fw_command *cmd, const char **refused);
const fw_actor *fww_system(void);

void fww_end_set(fww_end *end, fww_end_e what, const char *reason);
/* The member of a row's payload; 0: none. */
fw_id fww_payload_id(const fww_turn *t, const fw_delivery *d, const char *name);
const char *fww_payload_text(const fww_turn *t, const fw_delivery *d, const char *name);
/* JSON's text in the turn's pool. */
const char *fww_dump(const fww_turn *t, const json_t *o);

apr_time_t fww_time_read(const char *iso);

/* ---- what is delivered: each fills `end`; an error is judged by its code (fww_pump_out.c) ---- */

typedef const fw_err *(*fww_deliver_fn)(fww_turn *t, const fw_delivery *d, fww_end *end);

const fw_err *fww_pay_begin(fww_turn *t, const fw_delivery *d, fww_end *end);
const fw_err *fww_pay_give_up(fww_turn *t, const fw_delivery *d, fww_end *end);
const fw_err *fww_pay_query(fww_turn *t, const fw_delivery *d, fww_end *end);
/* Money back (fww_refund.c). */
const fw_err *fww_refund_send(fww_turn *t, const fw_delivery *d, fww_end *end);
const fw_err *fww_refund_give_up(fww_turn *t, const fw_delivery *d, fww_end *end);
/* A day's settlement; and the clock's round of days that are over (fww_settle.c). */
const fw_err *fww_settle(fww_turn *t, const fw_delivery *d, fww_end *end);
const fw_err *fww_settle_give_up(fww_turn *t, const fw_delivery *d, fww_end *end);
const fw_err *fww_settle_round(fww_turn *t);
/* What a gateway told: {"fact", "order_no", …}. */
const fw_err *fww_pay_fact(fww_turn *t, const json_t *fact, fww_end *end);
/* What other agencies told: {"facts": [...]} of border and labour. */
const fw_err *fww_told_facts(fww_turn *t, const json_t *reply, fww_end *end);
/* A letter that a person asked for (fww_letter.c); and what the agency says of one, asked or not. */
const fw_err *fww_letter_find(fww_turn *t, const fw_delivery *d, fww_end *end);
const fw_err *fww_letter_give_up(fww_turn *t, const fw_delivery *d, fww_end *end);
const fw_err *fww_letter_told(fww_turn *t, const json_t *letter, fww_end *end);
/* What the fines system told: {"facts": [...]} of fines. */
const fw_err *fww_fine_facts(fww_turn *t, const json_t *reply, fww_end *end);
/* A person as contracts have one: by the case's form, which an officer may have corrected; what it does not ask is the worker's. New. */
const fw_err *fww_person_of(const fww_turn *t, const fw_case *kase, json_t **out);
/* A permit for the border (fww_border.c). */
const fw_err *fww_border_permit(fww_turn *t, const fw_delivery *d, fww_end *end);
const fw_err *fww_penalty_put(fww_turn *t, const fw_delivery *d, fww_end *end);
const fw_err *fww_penalty_find(fww_turn *t, const fw_delivery *d, fww_end *end);
/* A card's job (fww_card.c): the order, what became of it, what the bureau tells of it. */
const fw_err *fww_card_order(fww_turn *t, const fw_delivery *d, fww_end *end);
const fw_err *fww_card_cancel(fww_turn *t, const fw_delivery *d, fww_end *end);
const fw_err *fww_card_find(fww_turn *t, const fw_delivery *d, fww_end *end);
const fw_err *fww_card_told(fww_turn *t, const json_t *job, fww_end *end);
/* The bureau's blanks: told, or asked for once an hour (fww_stock.c). */
const fw_err *fww_stock_told(fww_turn *t, const json_t *shelf, fww_end *end);
const fw_err *fww_stock_round(fww_turn *t, const char *plugin);
const fw_err *fww_mail_send(fww_turn *t, const fw_delivery *d, fww_end *end);
/* A file for the scanner (fww_scan.c). */
const fw_err *fww_scan_file(fww_turn *t, const fw_delivery *d, fww_end *end);
/* One seal of the audit trail (fww_audit.c). */
const fw_err *fww_audit_records(fww_turn *t, const fw_delivery *d, fww_end *end);
const fw_err *fww_press_filing(fww_turn *t, const fw_delivery *d, fww_end *end);
const fw_err *fww_press_permit(fww_turn *t, const fw_delivery *d, fww_end *end);
const fw_err *fww_press_receipt(fww_turn *t, const fw_delivery *d, fww_end *end);

/* Takes one row of a port, or message of a plugin, to its end; *any is false where none waits. */
const fw_err *fww_pump_deliver(fww_turn *t, const char *port, bool urgent, bool *any);
const fw_err *fww_pump_receive(fww_turn *t, const char *port, const char *plugin, bool *any);
int fww_deadline_ms(const char *op);
/* Whether what comes from that port is fetched. */
bool fww_port_polls(const char *port);
/* Fetches what the plugin's other side has for us; *any: there may be more; *never: it leaves
 * nothing to be fetched. */
const fw_err *fww_pump_poll(fww_turn *t, const char *port, const char *plugin, bool *any,
                            bool *never);

/* The status, every few seconds: to RUN_DIR/status.json and to whoever monitors (fww_status.c). Also with the database
 * away. */
const fw_err *fww_status_round(fww_pump *pump, apr_pool_t *pool);

/* The clock's round: all that is due by time alone (fww_clock.c). */
const fw_err *fww_clock_round(fww_turn *t);

#endif
