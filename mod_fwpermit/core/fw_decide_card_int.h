#ifndef FW_DECIDE_CARD_INT_H
#define FW_DECIDE_CARD_INT_H

#include "fw_decide_int.h"

/* What the deciders of cards share; private to fw_decide_card*.c. */

bool fw_card_is(const fw_job *job, const char *state);
/* How far a card has come; one that was spoiled begins anew. */
int fw_card_rank(const char *state);
const char *fw_card_payload(const fw_deciding *d, const fw_job *job);

/* These refuse, and say that they did. */
bool fw_card_refuse(fw_deciding *d, fw_code_e code, const char *field, const char *key);
bool fw_card_refuse_state(fw_deciding *d);
bool fw_card_refuse_stale(fw_deciding *d);
bool fw_card_refuse_no_reason(fw_deciding *d);

/* Whether its case waits for the bureau to leave it unmade. */
bool fw_card_is_unwanted(const fw_deciding *d);
/* It was left unmade: the case is withdrawn. */
void fw_card_end_unwanted(fw_deciding *d);
/* The bureau has gone on: the case does, too. */
void fw_card_come_late(fw_deciding *d);

/* Has another card of the case ordered, once this is kept. */
void fw_card_make_another(fw_deciding *d, const fw_case *kase);

void fw_card_lose(fw_deciding *d);
void fw_card_cancel(fw_deciding *d);
void fw_card_late(fw_deciding *d);
void fw_card_collect(fw_deciding *d);

#endif
