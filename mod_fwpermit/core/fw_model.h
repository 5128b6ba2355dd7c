#ifndef FW_MODEL_H
#define FW_MODEL_H

#include "fw_config.h"

/* The things that commands change, as plain structs. Strings live in the pool that the thing was
 * loaded into; NULL is "none". `version` is 0 for what is not stored yet; each store adds one. */

/* Roles: a person has a set of them. */
typedef enum fw_role_e {
    FW_ROLE_EMPLOYER = 1 << 0,   /* 雇主: files for its own workers */
    FW_ROLE_AGENT = 1 << 1,      /* 仲介: files for employers that delegated to it */
    FW_ROLE_INITIAL = 1 << 2,    /* 初審 */
    FW_ROLE_SECOND = 1 << 3,     /* 複審 */
    FW_ROLE_DISPATCHER = 1 << 4, /* 分派 */
    FW_ROLE_CASHIER = 1 << 5,    /* 出納 */
    FW_ROLE_ADMIN = 1 << 6,
    FW_ROLE_AUDITOR = 1 << 7,
    FW_ROLE_SYSTEM = 1 << 8, /* workers and fwpermitctl */
    FW_ROLE_ANYONE = 1 << 9  /* who is not logged in */
} fw_role_e;
#define FW_ROLES_APPLICANT (FW_ROLE_EMPLOYER | FW_ROLE_AGENT)
#define FW_ROLES_OFFICER                                                                       \
    (FW_ROLE_INITIAL | FW_ROLE_SECOND | FW_ROLE_DISPATCHER | FW_ROLE_CASHIER | FW_ROLE_ADMIN | \
     FW_ROLE_AUDITOR)

/* What a person is to a thing. */
typedef enum fw_relation_e {
    FW_REL_OWN = 1 << 0,       /* the thing is the actor's organisation's, or the actor's self */
    FW_REL_DELEGATED = 1 << 1, /* it is an employer's that delegated to the actor's agency */
    FW_REL_ASSIGNED = 1 << 2,  /* the actor reviews it */
    FW_REL_STATION = 1 << 3,   /* it belongs to the actor's station */
    FW_REL_OTHER = 1 << 4      /* none of these */
} fw_relation_e;
#define FW_REL_ANY (FW_REL_OWN | FW_REL_DELEGATED | FW_REL_ASSIGNED | FW_REL_STATION | FW_REL_OTHER)

/* The life of a case. The table of transitions is fw_lifecycle.c. */
typedef enum fw_state_e {
    FW_STATE_DRAFT,
    FW_STATE_SUBMITTED,
    FW_STATE_INITIAL_REVIEW,
    FW_STATE_SECOND_REVIEW,
    FW_STATE_APPROVED,
    FW_STATE_AWAITING_PAYMENT,
    FW_STATE_PAID,
    FW_STATE_PRODUCING,
    FW_STATE_ISSUED,
    FW_STATE_COLLECTED,
    FW_STATE_RETURNED,
    FW_STATE_REJECTED,
    FW_STATE_WITHDRAWAL_ASKED,
    FW_STATE_WITHDRAWN,
    FW_STATE_EXPIRED,
    FW_STATE_HELD,
    FW_STATES
} fw_state_e;

/* "draft", "initial_review", ...: the name in the database, in JSON and in message keys. */
const char *fw_state_name(fw_state_e state);
bool fw_state_parse(const char *name, fw_state_e *out);
const char *fw_role_name(fw_role_e role);
/* "initial,second" to a set and back; unknown names are false. */
bool fw_roles_parse(const char *text, unsigned *out);
const char *fw_roles_text(unsigned roles, apr_pool_t *pool);

/* Who does it. Filled by the door (page, worker, ctl) before perform(). */
typedef struct fw_actor {
    fw_id account_id;
    fw_id org_id;
    const char *login;
    const char *name;
    unsigned roles;
    const char *station; /* officers */
    const char *lang;
    const char *ip;
    const fw_id *employers; /* live delegations to org_id, for agents */
    int n_employers;
} fw_actor;

typedef struct fw_org {
    fw_id id;
    int version;
    const char *kind;    /* "employer", "agency" */
    const char *ban;     /* 統一編號, or the national ID of a household */
    const char *licence; /* agencies: 許可證字號 */
    const char *name_zh;
    const char *name_en;
    const char *address;
    const char *county;
    const char *phone;
    const char *email;
    apr_time_t created;
} fw_org;

typedef struct fw_delegation {
    fw_id id;
    int version;
    fw_id employer_id;
    fw_id agency_id;
    apr_time_t granted;
    apr_time_t revoked; /* 0: in force */
} fw_delegation;

typedef struct fw_account {
    fw_id id;
    int version;
    const char *login;
    const char *name;
    const char *email;
    const char *lang; /* "zh-Hant", "en" */
    unsigned roles;
    fw_id org_id;        /* applicants */
    const char *station; /* officers */
    const char *pw_hash; /* Argon2id, PHC string */
    const char *pw_old;  /* up to three earlier ones, JSON array */
    bool must_change;
    bool active;
    int failures; /* log-ins that failed in a row */
    apr_time_t locked_until;
    apr_time_t last_login;
    apr_time_t created;
} fw_account;

/* A worker 移工: registered once, used by every application. */
typedef struct fw_worker {
    fw_id id;
    int version;
    fw_id employer_id;
    fw_id agency_id; /* that registered the worker, or 0 */
    const char *passport_no;
    const char *nationality; /* alpha-3 */
    const char *name_latin;
    const char *name_native;
    const char *birth;         /* YYYY-MM-DD */
    const char *sex;           /* M, F, X */
    const char *permit_letter; /* recruitment permit 招募許可 */
    const char *data;          /* JSON: all fields, mrz included */
    apr_time_t created;
    /* The legal clock 法定申請期限: Immigration Act art. 22(2). */
    const char *entered; /* YYYY-MM-DD of the last arrival, or NULL */
    apr_time_t file_by;  /* the last instant to apply in time; 0: nothing is due */
    apr_time_t filed;    /* when it was applied for; 0: not yet */
    apr_time_t reminded; /* when a notice went out; 0: not yet */
} fw_worker;

/* What another agency says of one thing, its newest word: an arrival or departure ("movement": current, cancelled), a letter of
 * the labour agency ("letter": valid, ended, revoked). */
typedef struct fw_record {
    fw_id id;
    int version;
    const char *kind;
    const char *name; /* the other side's, for ever the same */
    const char *state;
    const char *nationality, *passport_no, *birth; /* whom it is about; NULL: nobody in person */
    fw_id worker_id;                               /* who that is here; 0: nobody yet */
    apr_time_t at;                                 /* when it happened, or was issued */
    const char *data;                              /* JSON, as the port's contract has it */
    apr_time_t heard;
} fw_record;

/* What the labour agency was asked about a letter for a worker: "asked", then "found" (it is this worker's), "employer" (the
 * employer's, for nobody in person), "other" (somebody else's), "none", "failed" (given up). */
typedef struct fw_question {
    fw_id id;
    int version;
    const char *state;
    fw_id worker_id;
    const char *letter_no;
    fw_id case_id; /* from whose form it was asked, or 0 */
    fw_id asked_by;
    apr_time_t asked;
    apr_time_t ended;
} fw_question;

/* A fine 罰鍰 as the fines system has it now. */
typedef struct fw_fine {
    fw_id id;
    int version;
    const char *fine_no; /* the fines system's, for ever the same */
    fw_id case_id;
    int64_t told;                /* the fines system's version: grows with each change */
    const char *state;           /* open; paid, waived, cancelled */
    const char *reason;          /* late_filing, late_change, overstay, other */
    int64_t amount;              /* TWD */
    const char *set_on, *pay_by; /* YYYY-MM-DD; pay_by or NULL */
    apr_time_t paid;             /* 0: not */
    const char *rule, *pay_how;  /* for people, or NULL */
    apr_time_t heard;
    bool is_changed; /* by decide; never kept */
} fw_fine;

/* What the fines system is told of a case and whether it has said something. */
typedef struct fw_penalty {
    fw_id case_id;
    int version;
    int64_t told;        /* the version that it was told last; 0: nothing yet */
    int days_late;       /* at filing; 0: in time */
    const char *entered; /* of the legal clock, as it was at filing: YYYY-MM-DD, or NULL */
    apr_time_t file_by;
    apr_time_t answered; /* when it first said anything; 0: not yet */
    int open;            /* fines of the case, as loaded; never kept */
    bool has_fines;      /* of any state; likewise */
} fw_penalty;
/* What a scanner said of a file: it is nobody's but its sender's before it is clean, and nobody's when it is infected. */
typedef enum fw_scan_e {
    FW_SCAN_NONE,    /* no scanner was there when it came */
    FW_SCAN_PENDING, /* the scanner has not judged yet */
    FW_SCAN_CLEAN,
    FW_SCAN_INFECTED,
    FW_SCANS
} fw_scan_e;
/* "none", "pending", ...: the name in the database and in JSON. */
const char *fw_scan_name(fw_scan_e scan);
bool fw_scan_parse(const char *name, fw_scan_e *out);

/* A file in a slot of a case (slot = the name of the service's file field). */
typedef struct fw_file {
    fw_id id;
    fw_id case_id;
    const char *slot;
    const char *vault; /* name in the vault */
    const char *name;  /* as the applicant called it; data, never a path */
    const char *mime;  /* by content */
    int64_t size;
    const char *sha256;
    const char *measures; /* JSON of the photo's checks, or NULL */
    apr_time_t created;
    fw_id by;
    fw_id by_org; /* the organisation of whoever sent it, or 0 */
    fw_scan_e scan;
    bool current;           /* false: replaced or removed, kept for the history */
    fw_id taken_from;       /* the file of an earlier case that it shares; 0: it was uploaded */
    const char *taken_data; /* the form of that case, as listed; never kept */
} fw_file;

typedef struct fw_case {
    fw_id id;
    int version;
    const char *case_no; /* given at filing */
    const char *service; /* code */
    const char *service_hash;
    fw_state_e state;
    apr_time_t state_since;
    fw_id worker_id;
    fw_id employer_id;
    fw_id agency_id; /* or 0 */
    fw_id filer_id;  /* account */
    const char *station;
    fw_id first_reviewer;
    fw_id second_reviewer;
    fw_state_e return_to; /* the review that a supplement goes back to */
    const char *editors;  /* ids of officers who corrected data, ",12,34," */
    const char *data;     /* JSON document of the form */
    const char *marks;    /* JSON array of {item, reason}: what is to be mended, while returned */
    const char *reason;   /* of rejection; in second review: one is proposed */
    int64_t fee;          /* TWD, reckoned at confirmation */
    fw_id payment_id;     /* the live or successful attempt */
    fw_id permit_id;
    apr_time_t created;
    apr_time_t submitted;
    apr_time_t due;        /* when the office must have issued; 0 while unknown */
    apr_time_t deadline;   /* the applicant's: supplement, payment, draft; 0: none */
    apr_time_t turn_since; /* whose-ever turn it is now, since when */
    int64_t office_us;     /* summed turns that ended */
    int64_t applicant_us;
    /* Columns that a service names by index=. */
    const char *passport_no;
    const char *nationality;
    const char *name_latin;
    const char *name_native;
    const char *birth;
    const char *permit_letter;
    const char *county;
    const char *employer_zh, *employer_en; /* of employer_id, as loaded; never kept */
} fw_case;

typedef enum fw_pay_state_e {
    FW_PAY_WANTED, /* 'payment.begin' is in the outbox */
    FW_PAY_BEGUN,  /* the gateway's form is known */
    FW_PAY_CODE,   /* an ATM or store code was issued */
    FW_PAY_PAID,
    FW_PAY_FAILED,
    FW_PAY_EXPIRED,
    FW_PAY_STATES
} fw_pay_state_e;
const char *fw_pay_state_name(fw_pay_state_e state);
bool fw_pay_state_parse(const char *name, fw_pay_state_e *out);

/* One attempt to pay; a new attempt is a new row with a new order number. */
typedef struct fw_payment {
    fw_id id;
    int version;
    fw_pay_state_e state;
    fw_id payer_id; /* account */
    fw_id org_id;
    const char *method;   /* card, atm, cvs */
    int64_t amount;       /* TWD */
    const char *order_no; /* ours: 20 of [A-Za-z0-9], unique for ever */
    const char *gateway_no;
    const char *redirect; /* JSON {action, method, fields} from the plugin */
    const char *code;     /* JSON {bank, account | payment_no, expires} */
    const char *reason;   /* of a failure */
    const fw_id *cases;   /* what it pays */
    int n_cases;
    apr_time_t created;
    apr_time_t expires;
    apr_time_t paid;
    int64_t receipt_no; /* gap-free, drawn when paid; 0 before */
    int checks;         /* queries that were sent after no call back */
    int64_t promised;   /* TWD of all its refunds, whatever their state: never above the amount */
    int64_t refunded;   /* TWD of those that are done */
} fw_payment;

/* A receipt's number that is void: the payment has a newer one. */
typedef struct fw_receipt_void {
    int64_t number;
    fw_id payment_id;
    apr_time_t at;
    fw_id by;
    const char *reason;
} fw_receipt_void;

typedef enum fw_refund_state_e {
    FW_REFUND_DUE,     /* a cashier has to ask for it */
    FW_REFUND_ASKED,   /* 'payment.refund' is in the outbox, and nothing was sent */
    FW_REFUND_UNKNOWN, /* it is being sent: the gateway may have acted */
    FW_REFUND_MANUAL,  /* the gateway cannot or will not: a cashier pays it out */
    FW_REFUND_DONE,
    FW_REFUND_STATES
} fw_refund_state_e;
const char *fw_refund_state_name(fw_refund_state_e state);
bool fw_refund_state_parse(const char *name, fw_refund_state_e *out);

/* What the gateway had paid back of the order before ours was sent: it does not tell. */
#define FW_REFUND_UNTOLD (-1)

/* Money that goes back: of one payment, all or a part. */
typedef struct fw_refund {
    fw_id id;
    int version;
    fw_refund_state_e state;
    fw_id payment_id;
    const fw_id *cases; /* whose fee it was */
    int n_cases;
    int64_t amount;     /* TWD */
    const char *cause;  /* "not_owed", "case.withdraw", "case.reject", "case.expire", "cashier" */
    const char *reason; /* the cashier's, or NULL */
    fw_id asked_by;     /* account; 0: it follows by itself */
    int64_t before;     /* paid back by the gateway before it was sent, or FW_REFUND_UNTOLD */
    const char *gateway_no; /* of the gateway's answer */
    const char *reference;  /* of a payment by hand */
    const char *trouble;    /* why the gateway would not */
    apr_time_t created;
    apr_time_t sent; /* last; 0: never */
    apr_time_t ended;
} fw_refund;

/* A day's comparison of our payments and refunds with what the gateway says of them. */
typedef struct fw_settlement {
    const char *day; /* YYYY-MM-DD in Taipei */
    int version;
    const char *state; /* "asked", "even", "differs", "failed" */
    apr_time_t asked;
    apr_time_t closed;
    int lines;               /* of the gateway */
    int64_t taken;           /* TWD, by the gateway's lines */
    int64_t paid_back;       /* likewise */
    int64_t fees;            /* what the gateway keeps */
    int n_differences;       /* all of them */
    const char *differences; /* JSON array of the first ones */
    const char *reason;      /* of a failure */
} fw_settlement;

typedef struct fw_permit {
    fw_id id;
    int version;
    const char *permit_no;
    const char *code; /* what proves that the asker holds the permit: 16 of Crockford's base 32 */
    fw_id case_id;
    fw_id worker_id;
    const char *kind; /* "epermit", "card" */
    const char *
        state; /* "waiting" (a card at the station), "valid", "superseded", "revoked"; expiry is by valid_to */
    const char *valid_from; /* YYYY-MM-DD */
    const char *valid_to;
    apr_time_t issued;
    apr_time_t ended; /* superseded or revoked */
    const char *reason;
    const char
        *told; /* the state that the border was told last: one of these, "expired"; or NULL */
} fw_permit;

/* A card that is being made, and then handed out. */
typedef struct fw_job {
    fw_id id;
    int version;
    const char *job_no; /* ours, never used again */
    fw_id case_id;
    int round;             /* of the case: 2 and more where the bureau cancelled the one before */
    const char *permit_no; /* what is printed */
    const char *valid_from;
    const char *valid_to;
    const char
        *state; /* "ordered", then as the bureau says: docs/contracts/card.json; "collected" */
    int seq;    /* of the bureau's last word; 0: none yet */
    const char *bureau_no;
    const char *card_no;
    int spoiled;         /* blanks so far; -1: not said */
    const char *station; /* where it is to go, and lies */
    const char *tracking;
    const char *reason;
    const char *code; /* to collect it with: drawn when it has arrived */
    apr_time_t ordered;
    apr_time_t made;
    apr_time_t sent;
    apr_time_t arrived;
    apr_time_t collected;
    fw_id collected_by;
    apr_time_t ask_at; /* when the bureau is asked about it unless it says something; 0: never */
    bool is_changed;   /* by decide; never kept */
} fw_job;

/* Blanks of one store, as the bureau counts them. */
typedef struct fw_shelf {
    const char *store;
    apr_time_t at;
    int64_t blanks; /* good ones, the reserved among them */
    int64_t reserved;
    int64_t spoiled;
    int64_t delivered;
    int64_t low_at; /* fewer free ones: the stock is low; 0: not said */
} fw_shelf;

/* A document that we made: filing receipt, permit, payment receipt. */
typedef struct fw_document {
    fw_id id;
    fw_id case_id;    /* of a payment for many cases: the first; all through payment_id */
    fw_id payment_id; /* or 0 */
    const char *kind; /* "filing", "permit", "receipt" */
    const char *number;
    bool is_void; /* a receipt in whose place there is another one, as listed; never kept */
    const char *vault;
    const char *sha256;
    int64_t size;
    apr_time_t created;
} fw_document;

typedef struct fw_event {
    fw_id id;
    fw_id case_id;
    int seq;
    apr_time_t at;
    fw_id actor_id;
    const char *actor_name;
    const char *kind; /* the command's name, or an effect's: "case.submit", "case.fee_asked" */
    fw_state_e from;
    fw_state_e to;
    const char *data; /* JSON: reasons, before and after */
} fw_event;

/* What is to be delivered by a plugin or a worker of ours. */
typedef struct fw_send {
    const char *port;    /* "payment", "notify", "press" */
    const char *op;      /* "payment.begin" */
    const char *key;     /* idempotency key, unique for ever */
    const char *payload; /* JSON */
    fw_id aggregate_id;  /* case or payment: order is kept for each */
    bool bulk;           /* false: a person waits */
    apr_time_t not_before;
} fw_send;

#endif
