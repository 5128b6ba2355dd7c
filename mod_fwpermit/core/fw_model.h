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
} fw_worker;

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
    bool current; /* false: replaced or removed, kept for the history */
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
} fw_payment;

typedef struct fw_permit {
    fw_id id;
    int version;
    const char *permit_no;
    const char *code; /* what proves that the asker holds the permit: 16 of Crockford's base 32 */
    fw_id case_id;
    fw_id worker_id;
    const char *kind;       /* "epermit" */
    const char *state;      /* "valid", "superseded", "revoked"; expiry is by valid_to */
    const char *valid_from; /* YYYY-MM-DD */
    const char *valid_to;
    apr_time_t issued;
    apr_time_t ended; /* superseded or revoked */
    const char *reason;
} fw_permit;

/* A document that we made: filing receipt, permit, payment receipt. */
typedef struct fw_document {
    fw_id id;
    fw_id case_id;    /* of a payment for many cases: the first; all through payment_id */
    fw_id payment_id; /* or 0 */
    const char *kind; /* "filing", "permit", "receipt" */
    const char *number;
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
