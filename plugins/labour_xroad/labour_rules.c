#include "labour.h"

#include <stdio.h>
#include <string.h>

#define YEARS_MOST 3 /* of an employment permit */

/* Days are texts that sort as they follow: "2026-11-12". */
static bool before(const json_t *a, const char *one, const char *other)
{
    const char *x = kit_text(a, one), *y = kit_text(a, other);
    return x && y && strcmp(x, y) < 0;
}

/* Whether valid_to is later than the same day, so many years after valid_from. */
static bool too_long(const json_t *permit)
{
    const char *from = kit_text(permit, "valid_from"), *to = kit_text(permit, "valid_to");
    char last[24];
    int year = 0;

    for (int i = 0; i < 4; i++)
        year = year * 10 + (from[i] - '0');
    snprintf(last, sizeof(last), "%04d%.6s", year + YEARS_MOST, from + 4);
    return strcmp(to, last) > 0;
}

static bool is_employment(const json_t *permit)
{
    return json_object_get(permit, "worker") != NULL;
}

static const char *wrong_number(const fwp_instance *self, const json_t *permit)
{
    const char *prefixes = labour_prefixes(self);
    const char *recruitment = kit_text(permit, "recruitment_no");
    const char *employer = kit_text(json_object_get(permit, "employer"), "id");
    const char *ui_no = kit_text(json_object_get(permit, "worker"), "ui_no");

    if (!labour_is_letter_no(prefixes, kit_text(permit, "letter_no")))
        return "letter_no: no number of a letter";
    if (recruitment && !labour_is_letter_no(prefixes, recruitment))
        return "recruitment_no: no number of a letter";
    if (strlen(employer) == 8 ? !labour_is_business_no(employer) : !labour_is_person_no(employer))
        return "employer/id: wrong check digit";
    if (ui_no && !labour_is_person_no(ui_no))
        return "worker/ui_no: wrong check digit";
    return NULL;
}

static const char *absurd_employment(const json_t *permit)
{
    const char *state = kit_text(permit, "state");
    const char *birth = kit_text(json_object_get(permit, "worker"), "birth");

    if (too_long(permit))
        return "valid_to: more than three years after valid_from";
    if (json_object_get(permit, "ended") && strcmp(state, "valid") == 0)
        return "ended: but the state is valid";
    if (strcmp(birth, kit_text(permit, "valid_from")) >= 0)
        return "worker/birth: not before valid_from";
    return NULL;
}

static const char *absurd_recruitment(const json_t *permit)
{
    if (json_integer_value(json_object_get(permit, "quota")) <
        json_integer_value(json_object_get(permit, "used")))
        return "quota: below used";
    if (before(permit, "grace_to", "valid_to"))
        return "grace_to: before valid_to";
    return NULL;
}

const char *labour_absurd(const fwp_instance *self, const json_t *permit)
{
    const char *why = wrong_number(self, permit);

    if (why)
        return why;
    if (before(permit, "valid_to", "valid_from"))
        return "valid_to: before valid_from";
    return is_employment(permit) ? absurd_employment(permit) : absurd_recruitment(permit);
}

static bool differs(const json_t *a, const json_t *b, const char *name)
{
    const json_t *wanted = json_object_get(b, name);
    return wanted && !json_equal(json_object_get(a, name), wanted);
}

const char *labour_misses(const json_t *permit, const json_t *question)
{
    const json_t *worker = json_object_get(question, "worker");
    const json_t *theirs = json_object_get(permit, "worker");
    const char *employer = kit_text(question, "employer_id");

    if (differs(permit, question, "letter_no"))
        return "letter_no: not the one that was asked for";
    if (worker && (differs(theirs, worker, "passport_no") ||
                   differs(theirs, worker, "nationality") || differs(theirs, worker, "birth")))
        return "worker: not the one that was asked for";
    if (employer && strcmp(kit_text(json_object_get(permit, "employer"), "id"), employer) != 0)
        return "employer/id: not the one that was asked for";
    return NULL;
}
