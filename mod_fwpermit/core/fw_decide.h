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
    const char *station;
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
    apr_time_t
        arrival_until; /* of the arrival at hand: the last instant to apply (Immigration Act art. 22(2)) */
} fw_terms;

/* A letter that the labour agency may be asked about, for the view's worker. */
typedef struct fw_asking {
    const char *letter_no;      /* NULL: there is none, or the command does not change it */
    bool is_possible;           /* there is a labour agency to ask */
    bool is_known;              /* the letter is this worker's already */
    const fw_question *waiting; /* was asked and not answered yet, or NULL */
    int n_recent, most; /* questions of the actor within the hour, and how many there may be */
    const char *letter_ban,
        *employer_ban; /* letter.answer: whose letter it is, and who employs the worker */
} fw_asking;

/* What the command declared that it needs, as it is now. Decide changes these structs in place and
 * says in `changed` which. */
typedef struct fw_view {
    fw_case *kase;
    fw_case **cases; /* of a payment; cases[0] == kase */
    int n_cases;
    fw_payment *payment;
    fw_payment **priors;       /* by case: the attempt that it has now, or NULL */
    fw_refund *refund;         /* the one meant, or room for a new one */
    fw_settlement *settlement; /* the day's, or room for it */
    fw_permit *permit;
    fw_permit *live;   /* the permit in force of the same worker and kind, or NULL */
    fw_permit **lives; /* card.collect: the permits in force that the card replaces */
    int n_lives;
    fw_job *job;   /* the one that is meant, or the case's newest; card.order: room for one */
    fw_job **jobs; /* refund.ask, by case: the newest of those in production, or NULL */
    const fw_job *job_was;     /* card.order, card.step: the case's newest, or NULL */
    const fw_shelf *shelf_was; /* card.stock: what was told of the store before, or NULL */
    fw_worker *worker;
    fw_record *record;           /* what is told, or the one that is meant */
    const fw_record *record_was; /* what was told of it before, or NULL */
    const fw_record *movement;   /* the worker's newest that counts, the one at hand too, or NULL */
    bool arrived;                /* so it is an arrival */
    apr_time_t filed;            /* when an application of the worker's was filed after it, or 0 */
    fw_asking asking;
    fw_question *question;  /* the one meant, or room for a new one */
    bool tells_penalty;     /* there is a fines system */
    bool tells_border;      /* there is a border */
    bool not_offered;       /* case.open, case.submit: what the service needs is not there */
    fw_penalty **penalties; /* by case, or NULL: what the fines system knows of it */
    fw_fine *fines;         /* of the case, and with room for those that are told */
    int n_fines;
    fw_account *account;
    fw_org *org;
    fw_delegation *delegation;
    fw_file *taken_over; /* case.open: files of the permit in force that are good still */
    int n_taken_over;
    const fw_file *file;        /* case.detach, file.judge: the one meant, or NULL */
    bool scans;                 /* there is a scanner: what comes in is judged */
    int n_unchecked;            /* current files of the case that wait for it */
    const fw_refusal *problems; /* of the form */
    int n_problems;
    const char *const *touched; /* names of fields or slots that the command means to change */
    int n_touched;
    const char *const *marked; /* items that were returned */
    int n_marked;
    const char *marks;  /* file.judge: what is to be mended where the file is infected */
    const char *data;   /* the case's or worker's document after the command */
    const char *detail; /* JSON for the event: before and after */
    const char *county;
    const char *station;        /* of the worker's address */
    const fw_officer *officers; /* candidates for an assignment, any order */
    int n_officers;
    bool taken; /* what must be unique exists already (worker, login, order, card) */
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
    FW_CH_DELEGATION = 1 << 8,
    FW_CH_RECORD = 1 << 9,
    FW_CH_FINES = 1 << 10,
    FW_CH_PENALTY = 1 << 11,
    FW_CH_LIVES = 1 << 12,
    FW_CH_JOB = 1 << 13,
    FW_CH_SHELF = 1 << 14,
    FW_CH_REFUND = 1 << 15,
    FW_CH_SETTLEMENT = 1 << 16,
    FW_CH_QUESTION = 1 << 17
};

/* Numbers without a gap, drawn last before the commit. */
enum { FW_DRAW_CASE_NO = 1 << 0, FW_DRAW_RECEIPT_NO = 1 << 1 };

#define FW_MAX_REFUSALS 64
#define FW_MAX_EVENTS   64
#define FW_MAX_SENDS    96
#define FW_MAX_CASES \
    30 /* of one payment: each has two events and three sends, when it is settled */
#define FW_FINES_MOST 50      /* of a case, told at once */
#define FW_FINE_MOST  1000000 /* TWD: twenty times the most that the Immigration Act knows */

/* Blanks as our jobs count them. */
typedef struct fw_blanks {
    int reserved;  /* for cards that are to be made */
    int made;      /* and not handed to the carrier yet */
    int delivered; /* to the carrier, and beyond */
    int spoiled;
} fw_blanks;

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
    fw_file file_judged;      /* id != 0 where one has its verdict, which is in it */
    const char *slot_cleared; /* a slot whose files give way to file_added */
    fw_document document_added;
    fw_receipt_void receipt_void; /* number != 0 where one is voided */
    fw_blanks blanks;             /* what is counted on */
    fw_id answer;                 /* the thing that came into being, or the target */
} fw_outcome;

/* Whether the bureau may still leave the card unmade. */
bool fw_job_unmade(const fw_job *job);

/* Decides. `out` is filled; strings that it makes live in `pool`. Never fails: what cannot be done
 * is a refusal with its reason. */
void fw_decide(fw_view *view, const fw_command *cmd, apr_time_t now, fw_ids *ids,
               const fw_terms *terms, fw_outcome *out, apr_pool_t *pool);

#endif
