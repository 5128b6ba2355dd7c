#include "border.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define TAIPEI_S (8 * 3600)
#define SLACK_S  86400 /* what clocks may differ by, as the platform itself has it */

static bool read_time(const char *at, time_t *out)
{
    struct tm t = {0};

    if (sscanf(at, "%4d-%2d-%2dT%2d:%2d:%2dZ", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour,
               &t.tm_min, &t.tm_sec) != 6)
        return false;
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    *out = timegm(&t);
    return true;
}

bool border_day(char day[BORDER_DAY_BYTES], const char *at)
{
    time_t when;
    struct tm t;

    if (!read_time(at, &when))
        return false;
    when += TAIPEI_S;
    return gmtime_r(&when, &t) && strftime(day, BORDER_DAY_BYTES, "%Y-%m-%d", &t) > 0;
}

const char *border_absurd(const fwp_instance *self, const fwp_call *call, const json_t *movement)
{
    const char *at = kit_text(movement, "at");
    const char *birth = kit_text(json_object_get(movement, "person"), "birth");
    char day[BORDER_DAY_BYTES];
    time_t when;

    if (!read_time(at, &when) || !border_day(day, at))
        return "at: no instant";
    if (strcmp(day, birth) < 0)
        return "at: before birth";
    if (when > self->agency.xroad.host->now(call) + SLACK_S)
        return "at: in the future";
    if (json_object_get(movement, "entry") &&
        strcmp(kit_text(movement, "direction"), "arrival") != 0)
        return "entry: but no arrival";
    return NULL;
}

/* ---- does it answer what was asked? ---- */

static const char *const members[] = {"name_latin", "passport_no", "nationality", "birth", "sex"};
#define MEMBERS (sizeof(members) / sizeof(members[0]))

static bool same(const json_t *a, const json_t *b, const char *name)
{
    return json_equal(json_object_get(a, name), json_object_get(b, name));
}

static bool is_asked_for(const json_t *person, const json_t *asked)
{
    return same(person, asked, "passport_no") && same(person, asked, "nationality") &&
           same(person, asked, "birth");
}

static bool names(const json_t *list, const char *name)
{
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        if (strcmp(json_string_value(one), name) == 0)
            return true;
    }
    return false;
}

/* Whether what is said to differ does, and nothing else. */
static bool is_true(const json_t *differs, const json_t *person, const json_t *asked)
{
    for (size_t i = 0; i < MEMBERS; i++) {
        if (names(differs, members[i]) == same(person, asked, members[i]))
            return false;
    }
    return true;
}

static bool is_within(const json_t *movement, const json_t *question)
{
    const char *from = kit_text(question, "from"), *to = kit_text(question, "to");
    char day[BORDER_DAY_BYTES];

    return border_day(day, kit_text(movement, "at")) && !(from && strcmp(day, from) < 0) &&
           !(to && strcmp(day, to) > 0);
}

/* Of either list; `before` is the one ahead of it, or NULL. */
static const char *wrong_place(const fwp_instance *self, const fwp_call *call,
                               const json_t *movement, const json_t *before, const json_t *question)
{
    const char *why = border_absurd(self, call, movement);

    if (why)
        return why;
    if (!is_within(movement, question))
        return "at: not within the days that were asked for";
    if (before && strcmp(kit_text(before, "at"), kit_text(movement, "at")) < 0)
        return "at: not newest first";
    return NULL;
}

static const char *wrong_movements(const fwp_instance *self, fwp_call *call, const json_t *list,
                                   const json_t *question)
{
    const json_t *movement, *before = NULL;
    size_t i;

    json_array_foreach(list, i, movement)
    {
        const char *why = wrong_place(self, call, movement, before, question);

        if (!why &&
            !is_asked_for(json_object_get(movement, "person"), json_object_get(question, "person")))
            why = "person: not the one that was asked for";
        if (why)
            return kit_say(self->agency.xroad.host, call, "movement %zu, %s", i + 1, why);
        before = movement;
    }
    return NULL;
}

static const char *wrong_near(const fwp_instance *self, fwp_call *call, const json_t *list,
                              const json_t *question)
{
    const json_t *match, *before = NULL;
    size_t i;

    json_array_foreach(list, i, match)
    {
        const json_t *movement = json_object_get(match, "movement");
        const char *why = wrong_place(self, call, movement, before, question);

        if (!why && !is_true(json_object_get(match, "differs"), json_object_get(movement, "person"),
                             json_object_get(question, "person")))
            why = "differs: not what differs";
        if (why)
            return kit_say(self->agency.xroad.host, call, "near %zu, %s", i + 1, why);
        before = movement;
    }
    return NULL;
}

const char *border_misses(const fwp_instance *self, fwp_call *call, const json_t *answer,
                          const json_t *question)
{
    const char *why = wrong_movements(self, call, json_object_get(answer, "movements"), question);

    return why ? why : wrong_near(self, call, json_object_get(answer, "near"), question);
}
