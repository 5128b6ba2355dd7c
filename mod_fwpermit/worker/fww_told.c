#include "fw_config.h"
#include "fww_pump_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_date.h"

/* What border, labour agency and card bureau say becomes commands. */

static const char *text_of(const json_t *o, const char *name)
{
    return json_string_value(json_object_get(o, name));
}

static const char *kept(const fww_turn *t, const json_t *o, const char *name)
{
    const char *text = text_of(o, name);

    return text ? apr_pstrdup(t->pool, text) : NULL;
}

static void set_person(const fww_turn *t, fw_record *r, const json_t *person)
{
    r->nationality = kept(t, person, "nationality");
    r->passport_no = kept(t, person, "passport_no");
    r->birth = kept(t, person, "birth");
}

static const fw_err *take(fww_turn *t, fw_command *cmd, fww_end *end)
{
    const char *refused = NULL;

    FW_TRY(fww_perform(t, cmd, &refused));
    if (refused)
        fww_end_set(end, FWW_END_REFUSED, refused);
    return NULL;
}

static const fw_err *take_movement(fww_turn *t, const json_t *m, fww_end *end)
{
    fw_record r = {.kind = "movement",
                   .name = text_of(m, "id"),
                   .state = text_of(m, "state"),
                   .at = fw_time_parse(text_of(m, "at")),
                   .data = fww_dump(t, m)};
    fw_command cmd = {
        .kind = FW_CMD_MOVEMENT_TAKE, .record = &r, .direction = text_of(m, "direction")};

    set_person(t, &r, json_object_get(m, "person"));
    return take(t, &cmd, end);
}

/* The day of issue stands for the instant: letters of one day are ordered by nothing. */
static apr_time_t issued_at(const json_t *letter)
{
    fw_date day;

    return fw_date_parse(text_of(letter, "issued"), &day) ? fw_date_start(day) : 0;
}

const fw_err *fww_letter_told(fww_turn *t, const json_t *letter, fww_end *end)
{
    fw_record r = {.kind = "letter",
                   .name = text_of(letter, "letter_no"),
                   .state = text_of(letter, "state"),
                   .at = issued_at(letter),
                   .data = fww_dump(t, letter)};
    fw_command cmd = {.kind = FW_CMD_LETTER_TAKE,
                      .record = &r,
                      .employer_ban = text_of(json_object_get(letter, "employer"), "id")};

    set_person(t, &r, json_object_get(letter, "worker"));
    return take(t, &cmd, end);
}

static const fw_err *take_fact(fww_turn *t, const json_t *fact, fww_end *end)
{
    const char *what = text_of(fact, "fact");

    if (what && strcmp(what, "movement") == 0)
        return take_movement(t, json_object_get(fact, "movement"), end);
    if (what && strcmp(what, "permit") == 0)
        return fww_letter_told(t, json_object_get(fact, "permit"), end);
    if (what && strcmp(what, "job") == 0)
        return fww_card_told(t, json_object_get(fact, "job"), end);
    if (what && strcmp(what, "stock") == 0)
        return fww_stock_told(t, json_object_get(fact, "shelf"), end);
    fww_end_set(end, FWW_END_DEAD, "a fact of an unknown kind");
    return NULL;
}

const fw_err *fww_told_facts(fww_turn *t, const json_t *reply, fww_end *end)
{
    const json_t *facts = json_object_get(reply, "facts"), *fact;
    size_t i;

    json_array_foreach(facts, i, fact)
    {
        FW_TRY(take_fact(t, fact, end));
        if (end->what != FWW_END_DONE && end->what != FWW_END_REFUSED)
            break;
    }
    return NULL;
}
