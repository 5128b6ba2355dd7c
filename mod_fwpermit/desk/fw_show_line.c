#include "fw_config.h"
#include "fw_show_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_access.h"
#include "fw_lifecycle.h"
#include "fw_show_card.h"

/* Lines of lists, and what is to be done next. */

/* ---- what is to be done next ---- */

typedef struct next_step {
    fw_state_e state;
    const char *key;  /* of the text, and with ".button" of the button */
    const char *href; /* with the case's id for %s */
} next_step;

static const next_step next_steps[] = {
    {FW_STATE_DRAFT, "todo.draft", "/cases/%s/edit"},
    {FW_STATE_RETURNED, "todo.returned", "/cases/%s/edit"},
    {FW_STATE_AWAITING_PAYMENT, "todo.awaiting_payment", "/pay?case=%s"},
    {FW_STATE_HELD, "todo.held", "/cases/%s"},
};

/* A card lies at the station. */
static const next_step fetch = {FW_STATE_ISSUED, "todo.fetch", "/cases/%s#card"};

static const next_step *step_of(fw_state_e state, const fw_service *service)
{
    if (state == FW_STATE_ISSUED && fw_show_is_card(service))
        return &fetch;
    for (size_t i = 0; i < sizeof(next_steps) / sizeof(next_steps[0]); i++) {
        if (next_steps[i].state == state)
            return &next_steps[i];
    }
    return NULL;
}

static const char *step_href(const fw_show *s, const next_step *step, fw_id id)
{
    return apr_psprintf(s->pool, "%.*s%" APR_INT64_T_FMT "%s",
                        (int)(strstr(step->href, "%s") - step->href), step->href, id,
                        strstr(step->href, "%s") + 2);
}

/* ---- lines ---- */

static void set_time_left(const fw_show *s, fw_value o, fw_state_e state, apr_time_t due)
{
    bool office = fw_lifecycle_turn(state) == FW_TURN_OFFICE;
    apr_time_t left = due > s->now ? due - s->now : s->now - due;
    bool days = left >= 48 * FW_SHOW_HOUR, late = office && due && due < s->now;
    fw_value args;
    const char *key;

    fw_set(o, "late", fw_bool(late));
    fw_set(o, "soon", fw_bool(office && due && !late && left < 12 * FW_SHOW_HOUR));
    if (!office || !due)
        return;
    args = fw_pack(s->pool, "{s:I}", "n",
                   (int64_t)(days ? left / (24 * FW_SHOW_HOUR) : left / FW_SHOW_HOUR));
    key =
        late ? (days ? "left.late_days" : "left.late_hours") : (days ? "left.days" : "left.hours");
    fw_set(o, "left", fw_text(fw_locale_format(s->desk->locale, s->lang, key, args, s->pool)));
}

static const next_step *step_in(const fw_show *s, const fw_case_line *l)
{
    return step_of(l->state, fw_services_find(s->desk->services, l->service));
}

static void set_todo(const fw_show *s, fw_value o, const fw_case_line *l)
{
    const next_step *step = step_in(s, l);

    fw_set(o, "todo", step ? fw_text(fw_show_text(s, step->key)) : fw_null());
    fw_set(o, "todo_button",
           step ? fw_text(fw_show_text(s, apr_pstrcat(s->pool, step->key, ".button", NULL)))
                : fw_null());
    if (step)
        fw_set(o, "todo_href", fw_text(step_href(s, step, l->id)));
    fw_set(o, "can_pay", fw_bool(l->state == FW_STATE_AWAITING_PAYMENT));
}

static const char *service_title(const fw_show *s, const char *code)
{
    const fw_service *service = fw_services_find(s->desk->services, code);

    return service ? fw_label_text(&service->title, s->lang) : code;
}

fw_value fw_show_case_line(const fw_show *s, const fw_case_line *l, bool office)
{
    fw_value o = fw_object(s->pool);

    fw_set(o, "id", fw_show_id(s, l->id));
    fw_show_set(o, s, "href", "/%s/%" APR_INT64_T_FMT, office ? "review" : "cases", l->id);
    fw_set(o, "case_no", fw_text(l->case_no));
    fw_set(o, "service", fw_text(service_title(s, l->service)));
    fw_set(o, "state", fw_show_state(s, "state", fw_state_name(l->state)));
    fw_set(o, "worker", fw_text(l->name_latin ? l->name_latin : ""));
    fw_set(o, "name_native", fw_text(l->name_native));
    fw_set(o, "passport_no", fw_text(l->passport_no));
    fw_set(o, "nationality", fw_text(l->nationality));
    fw_set(o, "employer", fw_text(fw_show_org(s, l->employer_zh, l->employer_en)));
    fw_set(o, "created", fw_time(l->created));
    fw_set(o, "submitted", fw_time(l->submitted));
    fw_set(o, "due", fw_time(l->due));
    fw_set(o, "deadline", fw_time(l->deadline));
    fw_set(o, "fee", fw_number(l->fee));
    fw_set(o, "version", fw_number(l->version));
    fw_set(o, "is_final", fw_bool(fw_lifecycle_final(l->state) && step_in(s, l) != &fetch));
    set_time_left(s, o, l->state, l->due);
    if (!office)
        set_todo(s, o, l);
    return o;
}

const fw_err *fw_show_case_lines(const fw_show *s, const fw_case_ask *ask, bool office,
                                 fw_value *out, fw_case_line *last)
{
    apr_array_header_t *lines = NULL;

    FW_TRY(fw_case_list(s->db, ask, &lines, s->pool));
    *out = fw_list(s->pool);
    for (int i = 0; i < lines->nelts; i++) {
        const fw_case_line *l = &APR_ARRAY_IDX(lines, i, fw_case_line);

        fw_add(*out, fw_show_case_line(s, l, office));
        if (last)
            *last = *l;
    }
    return NULL;
}

/* How many files of each line's case wait for the scanner, where there is one. */
static const fw_err *add_unchecked(const fw_show *s, fw_value lines)
{
    int n = (int)fw_size(lines);
    fw_id *ids = apr_palloc(s->pool, sizeof(*ids) * ((apr_size_t)n + 1));
    int *waits = apr_pcalloc(s->pool, sizeof(*waits) * ((apr_size_t)n + 1));
    fw_value line;

    fw_each(lines, i, line) ids[i] = apr_strtoi64(fw_chars(fw_get(line, "id")), NULL, 10);
    if (s->desk->scan_plugin && n > 0)
        FW_TRY(fw_file_waits(s->db, ids, n, waits, s->pool));
    fw_each(lines, i, line) fw_set(line, "unchecked", fw_number(waits[i]));
    return NULL;
}

const fw_err *fw_show_case_page(const fw_show *s, const fw_case_ask *ask, const char *href,
                                fw_value *out, fw_value *next)
{
    fw_case_line last = {0};

    FW_TRY(fw_show_case_lines(s, ask, true, out, &last));
    FW_TRY(add_unchecked(s, *out));
    *next = fw_size(*out) < ask->limit
                ? fw_null()
                : fw_text(apr_psprintf(s->pool,
                                       "%safter_due=%" APR_TIME_T_FMT "&after=%" APR_INT64_T_FMT,
                                       href, last.due, last.id));
    return NULL;
}

fw_value fw_show_case_head(const fw_show *s, const fw_case *c, bool office)
{
    const fw_station *station = fw_codes_station_of(s->desk->codes, c->station ? c->station : "");
    fw_case_line line = {.id = c->id,
                         .case_no = c->case_no,
                         .service = c->service,
                         .state = c->state,
                         .name_latin = c->name_latin,
                         .name_native = c->name_native,
                         .passport_no = c->passport_no,
                         .nationality = c->nationality,
                         .created = c->created,
                         .submitted = c->submitted,
                         .due = c->due,
                         .deadline = c->deadline,
                         .fee = c->fee,
                         .employer_zh = c->employer_zh,
                         .employer_en = c->employer_en,
                         .version = c->version};
    fw_value o = fw_show_case_line(s, &line, office);

    if (station)
        fw_set(o, "address_station", fw_text(fw_show_org(s, station->zh, station->en)));
    return o;
}

/* Of a payment for many, some may have been taken away from the payer since. */
bool fw_show_may_see(const fw_show *s, const fw_case *c, const char *page)
{
    return fw_access_allowed(page, s->actor->roles,
                             fw_access_relations(s->actor, c->employer_id, c->agency_id, c->station,
                                                 c->first_reviewer, c->second_reviewer));
}

fw_value fw_show_lines_of(const fw_show *s, const fw_case *const *cases, int n)
{
    fw_value list = fw_list(s->pool);

    for (int i = 0; i < n; i++) {
        if (cases[i] && fw_show_may_see(s, cases[i], "page.case"))
            fw_add(list, fw_show_case_head(s, cases[i], false));
    }
    return list;
}

fw_value fw_show_todo(const fw_show *s, const fw_case *c)
{
    const next_step *step =
        step_of(c->state, NULL); /* how to fetch a card its page tells by itself */

    if (!step || c->state == FW_STATE_HELD) /* its page tells itself what is owed */
        return fw_null();
    return fw_pack(s->pool, "{s:s, s:s, s:s, s:b, s:o}", "text", fw_show_text(s, step->key), "href",
                   step_href(s, step, c->id), "button",
                   fw_show_text(s, apr_pstrcat(s->pool, step->key, ".button", NULL)), "is_post", 0,
                   "deadline", fw_time(c->deadline));
}
