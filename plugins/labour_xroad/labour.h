#ifndef LABOUR_H
#define LABOUR_H

#include "kit/kit_agency.h"

#include <stdbool.h>

struct fwp_instance {
    kit_agency agency;
    const char *letter_prefixes; /* of letters' numbers, between commas; NULL: the usual ones */
};

const char *labour_prefixes(const fwp_instance *self);

/* Whether it is a letter's number: one of the prefixes, ten digits of which the first three are a year of the Republic from
 * 75 on, 號. */
bool labour_is_letter_no(const char *prefixes, const char *number);
/* Whether the check digit of a UI number, old or new, or of a national ID is right. */
bool labour_is_person_no(const char *number);
/* Whether the check digit of a business number is right, by the rule since 2023. */
bool labour_is_business_no(const char *number);

/* What cannot be about a permit that the schema lets through: "valid_to: before valid_from"; NULL: nothing. */
const char *labour_absurd(const fwp_instance *self, const json_t *permit);
/* Why it is no answer to that question; NULL: it is one. */
const char *labour_misses(const json_t *permit, const json_t *question);

#endif
