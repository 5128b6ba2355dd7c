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

void fw_decide_case_open(fw_deciding *d);
void fw_decide_case_edit(fw_deciding *d);
void fw_decide_case_assign(fw_deciding *d);
void fw_decide_case_turn(fw_deciding *d);
void fw_decide_payment(fw_deciding *d);
void fw_decide_permit(fw_deciding *d);
void fw_decide_document(fw_deciding *d);
void fw_decide_party(fw_deciding *d);

#endif
