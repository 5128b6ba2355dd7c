#include "fw_config.h"
#include "fww_pump_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_date.h"
#include "fw_json.h"
#include "fw_store_case.h"
#include "fw_store_fine.h"
#include "fw_store_party.h"
#include "fwpermit_plugin.h"

/* What the fines system is told of a case, and what it says of fines: one command for all that it says of a case at once, so that
 * no case goes on between two of its fines. */

/* ---- penalty.put, penalty.find ---- */

static const char *text_of(const json_t *o, const char *name)
{
    return json_string_value(json_object_get(o, name));
}

static void set(json_t *o, const char *name, const char *text)
{
    if (text && *text)
        json_object_set_new(o, name, json_string(text));
}

static void set_day(const fww_turn *t, json_t *o, const char *name, apr_time_t at)
{
    if (at)
        set(o, name, fw_date_text(fw_date_of(at), t->pool));
}

const fw_err *fww_person_of(const fww_turn *t, const fw_case *kase, json_t **out)
{
    static const char *const names[] = {"name_latin",  "name_native", "name_zh", "passport_no",
                                        "nationality", "birth",       "sex",     "ui_no"};
    const json_t *form = fw_json_parse(kase->data, t->pool), *record;
    const fw_country *country;
    fw_worker *w = NULL;

    FW_TRY(fw_worker_load(t->db, kase->worker_id, &w, t->pool));
    record = fw_json_parse(w->data, t->pool);
    *out = json_object();
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *text = text_of(form, names[i]);

        set(*out, names[i], text && *text ? text : text_of(record, names[i]));
    }
    country = fw_codes_country(t->pump->desk->codes, text_of(*out, "nationality"));
    if (country)
        set(*out, "nationality", country->mrz);
    return NULL;
}

static const fw_err *make_put(fww_turn *t, const fw_delivery *d, const fw_case *kase, json_t **out)
{
    const json_t *told = fw_json_parse(d->payload, t->pool);
    fw_penalty *p = NULL;
    json_t *person = NULL;

    FW_TRY(fw_penalty_load(t->db, kase->id, &p, t->pool));
    FW_TRY(fww_person_of(t, kase, &person));
    *out = json_pack("{s:s, s:O, s:s, s:o, s:O, s:i}", "case_no", kase->case_no, "version",
                     json_object_get(told, "version"), "service", kase->service, "person", person,
                     "fee", json_object_get(told, "fee"), "days_late", p ? p->days_late : 0);
    if (!*out)
        return FW_ERR(t->pool, FW_E_INPUT, 0, "what is told lacks its version or its fee");
    set_day(t, *out, "filed", kase->submitted);
    if (p && p->entered) {
        set(*out, "entered", p->entered);
        set_day(t, *out, "deadline", p->file_by);
    }
    return NULL;
}

static bool are_all_of(const json_t *fines, const char *case_no)
{
    const json_t *f;
    size_t i;

    json_array_foreach(fines, i, f)
    {
        const char *no = text_of(f, "case_no");

        if (!no || strcmp(no, case_no) != 0)
            return false;
    }
    return true;
}

static const fw_err *take(fww_turn *t, fw_id kase, const json_t *fines, fww_end *end);

/* The answer is about this case alone. */
static const fw_err *take_answer(fww_turn *t, const fw_case *kase, const json_t *reply,
                                 fww_end *end)
{
    const json_t *fines = json_object_get(reply, "fines");

    if (!are_all_of(fines, kase->case_no))
        fww_end_set(end, FWW_END_DEAD, "fine.other_case");
    else
        FW_TRY(take(t, kase->id, fines, end));
    return NULL;
}

static const fw_err *ask(fww_turn *t, const fw_delivery *d, const fw_case *kase, json_t *request,
                         fww_end *end)
{
    fww_ask ask = {.op = d->op,
                   .key = d->key,
                   .attempt = d->attempt,
                   .deadline_ms = fww_deadline_ms(d->op),
                   .request = request};
    fww_answer answer;

    fww_port_ask(t, t->pump->desk->penalty_plugin, &ask, &answer);
    fww_port_end(&answer, end);
    return answer.rc == FWP_OK ? take_answer(t, kase, answer.reply, end) : NULL;
}

static const fw_err *load(fww_turn *t, const fw_delivery *d, fw_case **kase, fww_end *end)
{
    if (!t->pump->desk->penalty_plugin)
        fww_end_set(end, FWW_END_DEAD, "no penalty plugin is configured");
    return fw_case_load(t->db, fww_payload_id(t, d, "case"), kase, t->pool);
}

const fw_err *fww_penalty_put(fww_turn *t, const fw_delivery *d, fww_end *end)
{
    fw_case *kase = NULL;
    json_t *request = NULL;

    FW_TRY(load(t, d, &kase, end));
    if (!t->pump->desk->penalty_plugin)
        return NULL;
    FW_TRY(make_put(t, d, kase, &request));
    return ask(t, d, kase, request, end);
}

const fw_err *fww_penalty_find(fww_turn *t, const fw_delivery *d, fww_end *end)
{
    fw_case *kase = NULL;

    FW_TRY(load(t, d, &kase, end));
    if (!t->pump->desk->penalty_plugin)
        return NULL;
    return ask(t, d, kase, json_pack("{s:s}", "case_no", kase->case_no), end);
}

/* ---- what it says ---- */

static fw_fine fine_of(const json_t *f)
{
    return (fw_fine){.fine_no = text_of(f, "fine_no"),
                     .told = json_integer_value(json_object_get(f, "version")),
                     .state = text_of(f, "state"),
                     .reason = text_of(f, "reason"),
                     .amount = json_integer_value(json_object_get(f, "amount")),
                     .set_on = text_of(f, "set"),
                     .pay_by = text_of(f, "pay_by"),
                     .paid = fw_time_parse(text_of(f, "paid_at")),
                     .rule = text_of(f, "rule"),
                     .pay_how = text_of(f, "pay_how")};
}

/* What is refused is for a person to see: it was acknowledged, and nobody tells it again. */
static const fw_err *take(fww_turn *t, fw_id kase, const json_t *fines, fww_end *end)
{
    size_t n = json_array_size(fines);
    fw_fine *list = apr_pcalloc(t->pool, sizeof(*list) * (n + 1));
    fw_command cmd = {.kind = FW_CMD_FINE_TAKE, .target = kase, .fines = list, .n_fines = (int)n};
    const char *refused = NULL;

    for (size_t i = 0; i < n; i++)
        list[i] = fine_of(json_array_get(fines, i));
    FW_TRY(fww_perform(t, &cmd, &refused));
    if (refused)
        fww_end_set(end, FWW_END_DEAD, refused);
    return NULL;
}

/* The fines of one case, of all that are told. */
static json_t *fines_of(const fww_turn *t, const json_t *facts, const char *case_no)
{
    json_t *list = fw_json_keep(json_array(), t->pool), *fine;
    const json_t *fact;
    size_t i;

    json_array_foreach(facts, i, fact)
    {
        fine = json_object_get(fact, "fine");
        if (strcmp(text_of(fine, "case_no"), case_no) == 0)
            json_array_append(list, fine);
    }
    return list;
}

static bool was_before(const json_t *facts, size_t n, const char *case_no)
{
    for (size_t i = 0; i < n; i++) {
        const json_t *fine = json_object_get(json_array_get(facts, i), "fine");

        if (strcmp(text_of(fine, "case_no"), case_no) == 0)
            return true;
    }
    return false;
}

/* What is refused of one case is told, and the other cases get theirs all the same. */
const fw_err *fww_fine_facts(fww_turn *t, const json_t *reply, fww_end *end)
{
    const json_t *facts = json_object_get(reply, "facts"), *fact;
    size_t i;

    json_array_foreach(facts, i, fact)
    {
        const char *no = text_of(json_object_get(fact, "fine"), "case_no");
        fw_id kase = 0;

        if (was_before(facts, i, no))
            continue;
        FW_TRY(fw_case_of_number(t->db, no, &kase, t->pool));
        FW_TRY(take(t, kase, fines_of(t, facts, no), end));
    }
    return NULL;
}
