#ifndef FW_DECIDE_H
#define FW_DECIDE_H

#include "fw_command.h"
#include "fw_err.h"

/* The one place where it is decided what a command changes. Pure: no input or output, no clock, no
 * randomness; the same view, command, time and identities give the same outcome. */

/* A reason why a form is not complete, or an entry not acceptable. */
typedef struct fw_refusal {
    const char *field; /* the form's field or the item, or NULL */
    const char *key;   /* in the message catalogue */
    const char *args;  /* JSON object for the message's {names}, or NULL */
} fw_refusal;

/* An officer whom a case may be given to. */
typedef struct fw_officer {
    fw_id id;
    const char *name;
    int open; /* cases on the desk now */
} fw_officer;

/* What the law in force on that day and the service say, reckoned beforehand (fw_law). */
typedef struct fw_terms {
    apr_time_t draft_until;
    apr_time_t supplement_until;
    apr_time_t supplement_abroad_until;
    apr_time_t payment_until;
    apr_time_t due;         /* by the service's clock, were it filed now */
    int64_t fee;            /* TWD */
    const char *valid_from; /* were a permit issued now */
    const char *valid_to;
    const char *kind; /* the permit's kind: the service's code */
} fw_terms;

/* What the command declared that it needs, as it is now. Decide changes these structs in place and
 * says in `changed` which. */
typedef struct fw_view {
    fw_case *kase;
    fw_case **cases; /* of a payment; cases[0] == kase */
    int n_cases;
    fw_payment *payment;
    fw_payment **priors; /* by case: the attempt that it has now, or NULL */
    fw_permit *permit;
    fw_permit *live; /* the permit in force of the same worker and kind, or NULL */
    fw_worker *worker;
    fw_account *account;
    fw_org *org;
    fw_delegation *delegation;
    const fw_file *file;        /* case.detach: the one meant, or NULL */
    const fw_refusal *problems; /* of the form */
    int n_problems;
    const char *const *touched; /* names of fields or slots that the command means to change */
    int n_touched;
    const char *const *marked; /* items that were returned */
    int n_marked;
    const char *data;   /* the case's or worker's document after the command */
    const char *detail; /* JSON for the event: before and after */
    const char *county;
    const char *station;        /* of the worker's address */
    const fw_officer *officers; /* candidates for an assignment, any order */
    int n_officers;
    bool taken; /* what must be unique exists already (worker, login, order) */
} fw_view;

/* Random identities and codes, drawn before. */
#define FW_IDS 24
typedef struct fw_ids {
    fw_id id[FW_IDS];
    int used;
    char order[21]; /* of a payment */
} fw_ids;

typedef enum fw_verdict_e { FW_DONE, FW_ACCEPTED, FW_REFUSED } fw_verdict_e;

enum {
    FW_CH_CASE = 1 << 0,
    FW_CH_PAYMENT = 1 << 1,
    FW_CH_PRIORS = 1 << 2,
    FW_CH_PERMIT = 1 << 3,
    FW_CH_LIVE = 1 << 4,
    FW_CH_WORKER = 1 << 5,
    FW_CH_ACCOUNT = 1 << 6,
    FW_CH_ORG = 1 << 7,
    FW_CH_DELEGATION = 1 << 8
};

/* Numbers without a gap, drawn last before the commit. */
enum { FW_DRAW_CASE_NO = 1 << 0, FW_DRAW_RECEIPT_NO = 1 << 1 };

#define FW_MAX_REFUSALS 64
#define FW_MAX_EVENTS   64
#define FW_MAX_SENDS    64
#define FW_MAX_CASES    30 /* of one payment: each has two events and two sends, when it is settled */

typedef struct fw_outcome {
    fw_verdict_e verdict;
    fw_code_e code; /* of a refusal: INPUT, CONFLICT, FORBIDDEN, NOTFOUND */
    fw_refusal refusals[FW_MAX_REFUSALS];
    int n_refusals;
    unsigned changed;
    unsigned draw;
    fw_event events[FW_MAX_EVENTS]; /* id, case_id, kind, from, to, data */
    int n_events;
    fw_send sends[FW_MAX_SENDS];
    int n_sends;
    fw_file file_added;       /* id != 0 where a file comes to a case */
    fw_file file_dropped;     /* id != 0 where one goes */
    const char *slot_cleared; /* a slot whose files give way to file_added */
    fw_document document_added;
    fw_id answer; /* the thing that came into being, or the target */
} fw_outcome;

/* Decides. `out` is filled; strings that it makes live in `pool`. Never fails: what cannot be done
 * is a refusal with its reason. */
void fw_decide(fw_view *view, const fw_command *cmd, apr_time_t now, fw_ids *ids,
               const fw_terms *terms, fw_outcome *out, apr_pool_t *pool);

#endif
