#ifndef SIM_PUMP_H
#define SIM_PUMP_H

#include "sim.h"

#include "fw_store_outbox.h"

/* Deliveries, by who is at the other end; private to pump.c, refunds.c, agencies.c, border.c, bureau.c. */

typedef enum ending_e { END_DONE, END_AGAIN, END_DEAD } ending_e;

fw_id sim_payload_id(const fw_delivery *d, const char *name);
ending_e sim_end_of(const sim_answer *a);

ending_e sim_refund(const fw_delivery *d);
ending_e sim_refund_give_up(const fw_delivery *d);
/* The labour agency is asked about a letter. */
ending_e sim_letter_find(const fw_delivery *d);
ending_e sim_letter_give_up(const fw_delivery *d);
/* The border hears of a permit. */
ending_e sim_border_permit(const fw_delivery *d);
/* A file for the scanner. */
ending_e sim_scan(const fw_delivery *d);
/* The card bureau gets an order, and is asked what became of one. */
ending_e sim_card_order(const fw_delivery *d);
ending_e sim_card_find(const fw_delivery *d);
ending_e sim_card_cancel(const fw_delivery *d);

/* Permits of which the border is to be told, fw_id, so many at most. */
const apr_array_header_t *sim_border_round(int limit);

#endif
