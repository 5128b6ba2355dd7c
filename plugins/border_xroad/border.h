#ifndef BORDER_H
#define BORDER_H

#include "kit/kit_agency.h"

#include <stdbool.h>

struct fwp_instance {
    kit_agency agency;
};

#define BORDER_DAY_BYTES 11 /* "2026-11-12" */

/* The day in Taipei of an instant as documents have it, "2026-11-12T05:20:00Z". False: it is none. */
bool border_day(char day[BORDER_DAY_BYTES], const char *at);

/* What cannot be about a movement that the schema lets through, by the platform's clock: "at: before birth"; NULL: nothing. */
const char *border_absurd(const fwp_instance *self, const fwp_call *call, const json_t *movement);

/* What is wrong with an answer {"movements", "near"} to that question, in the call's memory; NULL: nothing. */
const char *border_misses(const fwp_instance *self, fwp_call *call, const json_t *answer,
                          const json_t *question);

#endif
