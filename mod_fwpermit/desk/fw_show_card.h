#ifndef FW_SHOW_CARD_H
#define FW_SHOW_CARD_H

#include "fw_show.h"
#include "fw_store_card.h"
#include "fw_store_payment.h"

/* Models of what shows a card (docs/integrators/pages.md). Nothing here writes. */

/* Whether what the service gives is a card. */
bool fw_show_is_card(const fw_service *service);
/* "K7M2-9QXD": in groups of four, as a code is read aloud. */
const char *fw_show_spaced_code(const char *code, apr_pool_t *pool);
/* The case's card, or null; *job is what it was made of, or NULL. The code to collect it with is for applicants alone. */
const fw_err *fw_show_card(const fw_show *s, const fw_dossier *d, fw_job **job, fw_value *out);

/* The cards that lie at the reader's station. */
typedef struct fw_handout_ask {
    const char *case_no; /* only of that case; NULL or "": of all */
    apr_time_t arrived;  /* after that one, or at it and after this job */
    fw_id after;
    int limit;
} fw_handout_ask;
const fw_err *fw_show_handout(const fw_show *s, const fw_handout_ask *ask, fw_value *model);
/* One of them, before it is handed out. */
const fw_err *fw_show_handout_case(const fw_show *s, const fw_dossier *d, fw_value *model);

/* The cards that are on their way or lie at a station: all, for a dispatcher; of the reader's station, for others. */
typedef struct fw_cards_ask {
    apr_time_t ordered; /* after that one, or at it and after this job */
    fw_id after;
    int limit;
} fw_cards_ask;
const fw_err *fw_show_cards(const fw_show *s, const fw_cards_ask *ask, fw_value *model);
/* One of them, to be reported lost. */
const fw_err *fw_show_card_out(const fw_show *s, const fw_dossier *d, fw_value *model);

/* Blanks, as our jobs count them beside what the bureau counts; null where nobody makes cards. */
const fw_err *fw_show_stock(const fw_show *s, fw_value *out);

#endif
