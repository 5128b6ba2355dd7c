#ifndef FWW_PUMP_INT_H
#define FWW_PUMP_INT_H

#include "fw_desk.h"
#include "fw_perform.h"
#include "fw_store_outbox.h"
#include "fww_role.h"

#include <stdatomic.h>

#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>

/* What the parts of the pump share. */

/* APLOG's levels. */
enum { FWW_ERROR = 3, FWW_WARNING = 4, FWW_NOTICE = 5, FWW_INFO = 6, FWW_DEBUG = 7 };

/* Numbers of lines that a sysadmin may look for. They never change. */
#define FWW_N_AMOUNT    "FWP2101" /* money of another amount than is owed */
#define FWW_N_ORDER     "FWP2102" /* a message about an order that is not ours */
#define FWW_N_SIMULATED "FWP2103" /* a gateway's rehearsal: nothing is paid */
#define FWW_N_MESSAGE   "FWP2104" /* a message that the plugin refuses */
#define FWW_N_REFUSED   "FWP2105" /* a command that was refused */
#define FWW_N_DEAD      "FWP2106" /* given up: a dead letter */
#define FWW_N_PLUGIN    "FWP2107" /* a plugin is away or cannot do its work */
#define FWW_N_DATABASE  "FWP2108" /* the database is away */
#define FWW_N_ADDRESS   "FWP2109" /* nobody to write to */

typedef struct fww_breaker fww_breaker;

/* Of the process; read-only after the start but for what is under the mutex. */
typedef struct fww_pump {
    const fww_role_env *env;
    fw_desk *desk;
    const char *owner; /* of leases: this process among all nodes */
    apr_thread_mutex_t *mutex;
    apr_thread_cond_t *woken;
    atomic_bool stopping;
    unsigned wakes;
    int running;           /* lanes */
    apr_time_t purged;     /* when the clock last did it; the clock's own */
    fww_breaker *breakers; /* one for each plugin of the settings */
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
} fww_ask;

typedef struct fww_answer {
    int rc; /* fwp_rc, or FWW_RC_AWAY */
    const char *reason;
    apr_interval_time_t retry_after;
    json_t *reply; /* an object; lives as long as the turn's pool */
} fww_answer;

const fw_err *fww_ports_make(fww_pump *pump);
/* The name of the plugin that serves a port, or NULL. */
const char *fww_port_plugin(const fww_pump *pump, const char *port);
/* Asks a plugin; what goes wrong is an answer too. */
void fww_port_ask(const fww_turn *t, const char *plugin, const fww_ask *ask, fww_answer *out);
/* True while a plugin that failed again and again is left in peace. */
bool fww_port_rests(fww_pump *pump, const char *plugin);
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
/* "2026-11-24T06:30:00Z"; 0: it is no such text. */
apr_time_t fww_time_read(const char *iso);

/* ---- what is delivered: each fills `end`; an error is judged by its code (fww_pump_out.c) ---- */

typedef const fw_err *(*fww_deliver_fn)(fww_turn *t, const fw_delivery *d, fww_end *end);

const fw_err *fww_pay_begin(fww_turn *t, const fw_delivery *d, fww_end *end);
const fw_err *fww_pay_give_up(fww_turn *t, const fw_delivery *d, fww_end *end);
const fw_err *fww_pay_query(fww_turn *t, const fw_delivery *d, fww_end *end);
/* What a gateway told: {"fact", "order_no", …}. */
const fw_err *fww_pay_fact(fww_turn *t, const json_t *fact, fww_end *end);
const fw_err *fww_mail_send(fww_turn *t, const fw_delivery *d, fww_end *end);
const fw_err *fww_press_filing(fww_turn *t, const fw_delivery *d, fww_end *end);
const fw_err *fww_press_permit(fww_turn *t, const fw_delivery *d, fww_end *end);
const fw_err *fww_press_receipt(fww_turn *t, const fw_delivery *d, fww_end *end);

/* Takes one row of a port, or message of a plugin, to its end; *any is false where none waits. */
const fw_err *fww_pump_deliver(fww_turn *t, const char *port, bool urgent, bool *any);
const fw_err *fww_pump_receive(fww_turn *t, const char *port, const char *plugin, bool *any);
int fww_deadline_ms(const char *op);

/* The clock's round: all that is due by time alone (fww_clock.c). */
const fw_err *fww_clock_round(fww_turn *t);

#endif
