#ifndef SIM_H
#define SIM_H

#include "fw_config.h"

#include <apr_hash.h>
#include <apr_tables.h>

#include "fw_desk.h"
#include "fw_perform.h"

/* A crowd made from a seed drives the real desk over a database of its own, by a virtual clock. One world at a time. */

/* ---- chance: everything random of a run, OpenSSL's bytes included, comes from the seed ---- */

void sim_seed(uint64_t seed);
int sim_below(int n);          /* 0 to n - 1; 0 where n is 0 */
bool sim_chance(int permille); /* of a thousand */

/* ---- faults ---- */

#define SIM_FAULTS(X)                                     \
    X(CALL_FAILS, "database_call_fails")                  \
    X(ANSWER_LOST, "answer_of_commit_lost")               \
    X(FASTER_ONCE, "another_writer_faster_once")          \
    X(FASTER_ALWAYS, "another_writer_faster_always")      \
    X(LOCKED, "write_lock_not_had")                       \
    X(NO_PERMISSION, "actor_without_permission")          \
    X(STALE, "stale_version")                             \
    X(KEY_REPEATED, "key_repeated")                       \
    X(KEY_REUSED, "key_with_another_body")                \
    X(SAME_EYES, "reviewer_confirms_own_review")          \
    X(CLOCK_BACK, "clock_steps_back")                     \
    X(PUMP_STOPPED, "pump_stops_before_it_notes_the_end") \
    X(OVERTAKEN, "answer_of_an_earlier_attempt")          \
    X(MESSAGE_REPEATED, "message_repeated")               \
    X(UNKNOWN_ORDER, "message_of_an_unknown_order")       \
    X(WRONG_AMOUNT, "message_of_another_amount")          \
    X(FAILED_LATE, "failed_told_after_paid")              \
    X(PAID_LATE, "money_for_an_attempt_that_ended")       \
    X(PAID_TWICE, "money_for_a_case_that_does_not_owe")   \
    X(PLUGIN_AWAY, "plugin_to_be_asked_again")            \
    X(DEAD_LETTER, "delivery_given_up")                   \
    X(REFUND_LOST, "answer_to_a_refund_lost")             \
    X(REFUND_REFUSED, "refund_refused_by_the_gateway")    \
    X(FINE_OLD, "older_word_of_a_fine")                   \
    X(WORD_OLD, "older_word_of_another_agency")           \
    X(WORD_REPEATED, "word_of_another_agency_repeated")   \
    X(WORD_ABSURD, "word_that_cannot_be")                 \
    X(FINE_ABSURD, "fine_that_cannot_be")                 \
    X(ALL_DONE, "many_in_one_transaction")                \
    X(ALL_UNDONE, "one_of_many_refused")

typedef enum sim_fault_e {
#define X(id, name) SIM_##id,
    SIM_FAULTS(X)
#undef X
        SIM_FAULT_KINDS
} sim_fault_e;

const char *sim_fault_name(sim_fault_e fault);

/* Of the calls of fw_db_exec from now on the n-th tells that another writer was faster, without reaching the database;
 * `always`: the first of each transaction. */
void sim_writer_faster(int n, bool always);
/* The next commit takes place, and its answer is lost: FW_E_UNAVAILABLE. */
void sim_lose_answer(void);
/* Nothing is asked for any more. True where what was asked for took place. */
bool sim_disarm(void);

/* ---- the world ---- */

#define SIM_STATIONS 4
#define SIM_LETTERS  8 /* numbers of letters that people know of */

typedef struct sim_person {
    fw_actor actor;
    bool gone;
} sim_person;

typedef struct sim_worker {
    fw_id id, employer_id, agency_id;
    int passport;
} sim_worker;

/* A case as it was last read from the database, and what the crowd has done for it. */
typedef struct sim_case {
    fw_id id, worker_id, employer_id, agency_id, payment_id, permit_id;
    fw_id first_reviewer, second_reviewer;
    int version, seq;
    fw_state_e state;
    char station[8], case_no[16];
    int64_t fee, submitted, due, deadline, office_us, applicant_us;
    int filled;   /* steps towards a complete form */
    int mended;   /* steps towards mended marks */
    fw_id file;   /* one that was attached, or 0 */
    bool is_card; /* the service: a card, or else an electronic permit */
} sim_case;

/* An order as the gateway knows it: books of its own. */
typedef struct sim_order {
    fw_id payment;
    const char *no, *method;
    int64_t amount;
    bool has_code, taken;
    int64_t refunded;
} sim_order;

typedef struct sim_message {
    const char *body;
    int told;
} sim_message;

typedef enum sim_end_e {
    SIM_DONE,
    SIM_ACCEPTED,
    SIM_REPEATED,
    SIM_REFUSED,
    SIM_ERROR,
    SIM_ENDS
} sim_end_e;

typedef struct sim_world {
    uint64_t seed;
    int commands, n;        /* to be given, given */
    bool calm;              /* no faults: the end of a run */
    apr_pool_t *pool, *act; /* of the run; of one act */
    const char *dir, *file;
    fw_desk *desk;
    fw_db *db, *other; /* the one that works, another writer's */
    apr_time_t now;
    sim_person system, anyone;
    apr_array_header_t *people;               /* sim_person * */
    apr_array_header_t *employers, *agencies; /* fw_id */
    apr_array_header_t *workers;              /* sim_worker */
    apr_array_header_t *cases;                /* sim_case * */
    apr_hash_t *by_id;
    apr_array_header_t *orders;   /* sim_order * */
    apr_array_header_t *messages; /* sim_message */
    apr_array_header_t *fines;    /* the fines system's own books, or NULL at first */
    int names;                    /* counts up: logins, passports, keys */
    /* figures */
    int64_t given[FW_CMDS][SIM_ENDS];
    int64_t hits[SIM_FAULT_KINDS];
    apr_hash_t *refusals; /* "case.submit field.required" to int64_t */
    int64_t checks;
} sim_world;
extern sim_world sim;

void sim_open(uint64_t seed, int commands, const char *dir);
void sim_close(void);
apr_time_t sim_now(void);
void sim_hit(sim_fault_e fault);

/* Somebody who has one of `roles`, is not gone, and (station not NULL) sits there; NULL: nobody. */
sim_person *sim_somebody(unsigned roles, const char *station);
sim_person *sim_person_of(fw_id account);
/* Who files for the employer: of its own house, or of an agency that it delegated to (agency 0: any). */
sim_person *sim_filer(fw_id employer, fw_id agency);
const char *sim_station(int i);
sim_case *sim_find(fw_id id);
/* A case in that state (FW_STATES: in any), or NULL. */
sim_case *sim_pick(fw_state_e state);
sim_person *sim_hire(unsigned roles, fw_id org, const char *station);
fw_id sim_found(const char *kind);
void sim_delegations(void); /* tells the agents who delegates to them now */

/* ---- giving commands ---- */

typedef struct sim_answer {
    sim_end_e end;
    fw_result result;
    const char *refused; /* the key of the first reason, or NULL */
} sim_answer;

/* Gives a command to the desk, at times with a fault or a distortion, and checks what became of it. A fault that
 * breaks an invariant ends the program with the seed. */
sim_answer sim_give(const sim_person *who, fw_command cmd);
/* Many in one transaction, none of them if one is refused. */
void sim_give_all(const sim_person *who, fw_command *cmds, int n);
bool sim_well(const sim_answer *a); /* done, accepted or repeated */

/* ---- what the crowd does ---- */

/* One employer who pays for as many cases at once as may be, and tries one more. */
void sim_big_house(void);
void sim_act_applicant(void);
void sim_act_officer(void);
void sim_act_admin(void);
void sim_act_system(void);
void sim_act_payer(void);
void sim_act_fines(void);
void sim_act_agencies(void); /* border and labour agency, and who asks them */
void sim_act_bureau(void);   /* cards made, told of and handed out */
/* Every card that is under way comes to the station, one that was cancelled is ordered again. */
void sim_bureau_rest(void);
/* The bureau's books beside ours; `all`: it has told of everything. */
void sim_compare_cards(bool all);
/* What that statement counts of the id. */
int64_t sim_counts(const char *text, fw_id id);
/* The border's book beside our permits; `all`: it has heard of everything. */
void sim_compare_permits(bool all);
/* Somebody came so many days ago. */
void sim_arrive(const sim_worker *worker, int days);
/* What the fines system answers when it is told of a case, or asked. */
sim_answer sim_fines_told(fw_id kase);
/* Every fine that holds a case is paid. */
void sim_fines_rest(void);
/* The order as the gateway knows it, or NULL; one that is new there is taken down. */
sim_order *sim_order_of(fw_id payment);
sim_order *sim_take_order(const fw_payment *p);
/* The gateway sends one of its messages. False: it has none. */
bool sim_receive(void);
void sim_clock_round(void);
/* The scanner judges all that waits for it. */
void sim_scan_all(void);
/* All deliveries, messages and deadlines, until nothing moves any more. */
void sim_come_to_rest(void);

/* ---- invariants, from the database alone ---- */

void check_open(void);
void check_close(void);
void check_before(void);
/* Of `n` commands in one transaction; `should`: they are to be in the database now, and nothing of them otherwise. */
void check_after(const fw_command *cmds, int n, bool should);
void check_all(void);
void check_rest(void);
/* SHA-256 over all rows of all tables. */
const char *check_digest(apr_pool_t *pool);

/* Prints seed, command and reason, and how to run it again; ends the program. */
void sim_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
#define SIM_OK(expr)                                                   \
    do {                                                               \
        const fw_err *sim_err_ = (expr);                               \
        if (sim_err_)                                                  \
            sim_fail("%s: %s", #expr, fw_err_text(sim_err_, sim.act)); \
    } while (0)

#endif
