#ifndef FW_DECIDE_INT_H
#define FW_DECIDE_INT_H

#include "fw_decide.h"

/* What the deciders share; private to fw_decide*.c. */

typedef struct fw_deciding {
    fw_view *view;
    const fw_command *cmd;
    apr_time_t now;
    fw_ids *ids;
    const fw_terms *terms;
    fw_outcome *out;
    apr_pool_t *pool;
} fw_deciding;

fw_id fw_decide_id(fw_deciding *d);
void fw_decide_refuse(fw_deciding *d, fw_code_e code, const char *field, const char *key);
bool fw_decide_refuse_problems(fw_deciding *d);
/* Whether a permit of these dates (or NULL) would end before it begins. */
bool fw_decide_no_term(const char *from, const char *to);
void fw_decide_event(fw_deciding *d, const fw_case *kase, const char *kind, fw_state_e from,
                     const char *data);
/* `once` makes the idempotency key together with the operation. */
void fw_decide_send(fw_deciding *d, const char *port, const char *op, fw_id aggregate, fw_id once,
                    const char *payload, bool bulk);
void fw_decide_notify(fw_deciding *d, const fw_case *kase, const char *what);

/* Moves the case along the table, with clock, event and effects. */
void fw_decide_move(fw_deciding *d, fw_case *kase, fw_cmd_e cmd, const char *data);
/* From one state into the next that follows by itself. */
void fw_decide_step(fw_deciding *d, fw_case *kase, fw_state_e to, const char *kind);

/* Gives a filed case, whose files are all clean, to the least loaded reviewer; false: it waits, or there is none. */
bool fw_decide_assign_ready(fw_deciding *d, fw_case *kase);

/* Refuses while a current file waits for the scanner. */
bool fw_decide_refuse_unchecked(fw_deciding *d);
/* Has a file that comes in judged, where there is a scanner. */
void fw_decide_scan(fw_deciding *d, fw_file *file);
/* Promises money of a payment back, and asks the gateway for it; the view's refund is the new one. */
void fw_decide_refund_open(fw_deciding *d, fw_payment *p, const fw_id *cases, int n, int64_t amount,
                           const char *cause);

/* Who applies in time has done what an arrival obliges to; what comes to nothing leaves it open. */
void fw_decide_duty(fw_deciding *d, fw_state_e to);
/* A case that comes to nothing has its fee back, where it was paid. */
void fw_decide_give_back(fw_deciding *d, const fw_case *kase, const char *cause);
/* Refuses where there is no card to be stopped, or it is made. */
bool fw_decide_refuse_made(fw_deciding *d, const fw_job *job);
/* Asks the bureau to leave the card of a case whose withdrawal is asked unmade. */
void fw_decide_card_stop(fw_deciding *d, const fw_case *kase, fw_job *job);

void fw_decide_case_open(fw_deciding *d);
void fw_decide_case_edit(fw_deciding *d);
void fw_decide_case_assign(fw_deciding *d);
void fw_decide_case_turn(fw_deciding *d);
void fw_decide_file_judge(fw_deciding *d);
void fw_decide_payment(fw_deciding *d);
void fw_decide_refund(fw_deciding *d);
void fw_decide_settlement(fw_deciding *d);
void fw_decide_permit(fw_deciding *d);
void fw_decide_document(fw_deciding *d);
void fw_decide_card(fw_deciding *d);
void fw_decide_party(fw_deciding *d);
void fw_decide_link(fw_deciding *d);
void fw_decide_record(fw_deciding *d);
void fw_decide_fine(fw_deciding *d);
void fw_decide_border(fw_deciding *d);
/* Tells the border, if there is one, how a permit stands that is changed; `by` is what replaces it, or NULL. */
void fw_decide_tell_border(fw_deciding *d, fw_permit *permit, const fw_permit *by);
void fw_decide_letter(fw_deciding *d);
/* A letter's number came into the form: the labour agency is asked about it, where it can be and is not yet. */
void fw_decide_letter_given(fw_deciding *d);
/* Notes at filing how the worker's legal clock stands. */
void fw_decide_lateness(fw_deciding *d, const fw_case *kase, const fw_worker *worker);
/* Tells the fines system, if there is one, how the case's fee stands now. */
void fw_decide_tell_fee(fw_deciding *d, const fw_case *kase);
/* The same of each case whose fee the refund at hand gave back. */
void fw_decide_tell_refund(fw_deciding *d);
/* Holds the case where a fine is open, or its lateness not answered; false: it may be produced. */
bool fw_decide_hold(fw_deciding *d, fw_case *kase);
/* What the worker's newest movement means for the legal clock: an arrival starts it anew, a departure
 * ends it, and where an arrival is taken back, the one before it counts. */
void fw_decide_stay(fw_deciding *d, fw_worker *worker);

#endif
