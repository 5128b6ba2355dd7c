#include "fw_config.h"
#include "fw_show_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_access.h"
#include "fw_lifecycle.h"

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
};

static const next_step *step_of(fw_state_e state)
{
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

static void set_time_left(const fw_show *s, json_t *o, fw_state_e state, apr_time_t due)
{
    bool office = fw_lifecycle_turn(state) == FW_TURN_OFFICE;
    apr_time_t left = due > s->now ? due - s->now : s->now - due;
    bool days = left >= 48 * FW_SHOW_HOUR, late = office && due && due < s->now;
    json_t *args;
    const char *key;

    json_object_set_new(o, "late", json_boolean(late));
    json_object_set_new(o, "soon",
                        json_boolean(office && due && !late && left < 12 * FW_SHOW_HOUR));
    if (!office || !due)
        return;
    args = json_pack("{s:I}", "n",
                     (json_int_t)(days ? left / (24 * FW_SHOW_HOUR) : left / FW_SHOW_HOUR));
    key =
        late ? (days ? "left.late_days" : "left.late_hours") : (days ? "left.days" : "left.hours");
    json_object_set_new(
        o, "left", json_string(fw_locale_format(s->desk->locale, s->lang, key, args, s->pool)));
    json_decref(args);
}

static void set_todo(const fw_show *s, json_t *o, fw_state_e state, fw_id id)
{
    const next_step *step = step_of(state);

    json_object_set_new(o, "todo", step ? json_string(fw_show_text(s, step->key)) : json_null());
    json_object_set_new(
        o, "todo_button",
        step ? json_string(fw_show_text(s, apr_pstrcat(s->pool, step->key, ".button", NULL)))
             : json_null());
    if (step)
        json_object_set_new(o, "todo_href", json_string(step_href(s, step, id)));
    json_object_set_new(o, "can_pay", json_boolean(state == FW_STATE_AWAITING_PAYMENT));
}

static const char *service_title(const fw_show *s, const char *code)
{
    const fw_service *service = fw_services_find(s->desk->services, code);

    return service ? fw_label_text(&service->title, s->lang) : code;
}

json_t *fw_show_case_line(const fw_show *s, const fw_case_line *l, bool office)
{
    json_t *o = json_object();

    json_object_set_new(o, "id", fw_show_id(l->id));
    fw_show_set(o, s, "href", "/%s/%" APR_INT64_T_FMT, office ? "review" : "cases", l->id);
    json_object_set_new(o, "case_no", fw_show_string(l->case_no));
    json_object_set_new(o, "service", json_string(service_title(s, l->service)));
    json_object_set_new(o, "state", fw_show_state(s, "state", fw_state_name(l->state)));
    json_object_set_new(o, "worker", json_string(l->name_latin ? l->name_latin : ""));
    json_object_set_new(o, "name_native", fw_show_string(l->name_native));
    json_object_set_new(o, "passport_no", fw_show_string(l->passport_no));
    json_object_set_new(o, "nationality", fw_show_string(l->nationality));
    json_object_set_new(o, "employer", json_string(fw_show_org(s, l->employer_zh, l->employer_en)));
    json_object_set_new(o, "created", fw_show_time(s, l->created));
    json_object_set_new(o, "submitted", fw_show_time(s, l->submitted));
    json_object_set_new(o, "due", fw_show_time(s, l->due));
    json_object_set_new(o, "deadline", fw_show_time(s, l->deadline));
    json_object_set_new(o, "fee", json_integer(l->fee));
    json_object_set_new(o, "version", json_integer(l->version));
    json_object_set_new(o, "is_final", json_boolean(fw_lifecycle_final(l->state)));
    set_time_left(s, o, l->state, l->due);
    if (!office)
        set_todo(s, o, l->state, l->id);
    return o;
}

const fw_err *fw_show_case_lines(const fw_show *s, const fw_case_ask *ask, bool office,
                                 json_t **out, fw_case_line *last)
{
    apr_array_header_t *lines = NULL;

    FW_TRY(fw_case_list(s->db, ask, &lines, s->pool));
    *out = json_array();
    for (int i = 0; i < lines->nelts; i++) {
        const fw_case_line *l = &APR_ARRAY_IDX(lines, i, fw_case_line);

        json_array_append_new(*out, fw_show_case_line(s, l, office));
        if (last)
            *last = *l;
    }
    return NULL;
}

const fw_err *fw_show_case_page(const fw_show *s, const fw_case_ask *ask, const char *href,
                                json_t **out, json_t **next)
{
    fw_case_line last = {0};

    FW_TRY(fw_show_case_lines(s, ask, true, out, &last));
    *next = (int)json_array_size(*out) < ask->limit
                ? json_null()
                : json_string(apr_psprintf(
                      s->pool, "%safter_due=%" APR_TIME_T_FMT "&after=%" APR_INT64_T_FMT, href,
                      last.due, last.id));
    return NULL;
}

const fw_err *fw_show_case_head(const fw_show *s, const fw_case *c, bool office, json_t **out)
{
    fw_org *employer = NULL;
    const fw_station *station = fw_codes_station_of(s->desk->codes, c->station ? c->station : "");
    fw_case_line line = {.id = c->id,
                         .case_no = c->case_no,
                         .service = c->service,
                         .state = c->state,
                         .worker_id = c->worker_id,
                         .name_latin = c->name_latin,
                         .name_native = c->name_native,
                         .passport_no = c->passport_no,
                         .nationality = c->nationality,
                         .created = c->created,
                         .submitted = c->submitted,
                         .due = c->due,
                         .deadline = c->deadline,
                         .fee = c->fee,
                         .version = c->version};
    json_t *o;

    FW_TRY(fw_org_load(s->db, c->employer_id, &employer, s->pool));
    line.employer_zh = employer->name_zh;
    line.employer_en = employer->name_en;
    o = fw_show_case_line(s, &line, office);
    if (station)
        json_object_set_new(o, "address_station",
                            json_string(fw_show_org(s, station->zh, station->en)));
    *out = o;
    return NULL;
}

/* Of a payment for many, some may have been taken away from the payer since. */
bool fw_show_may_see(const fw_show *s, const fw_case *c, const char *page)
{
    return fw_access_allowed(page, s->actor->roles,
                             fw_access_relations(s->actor, c->employer_id, c->agency_id, c->station,
                                                 c->first_reviewer, c->second_reviewer));
}

const fw_err *fw_show_lines_of(const fw_show *s, const fw_id *cases, int n, json_t **out)
{
    *out = json_array();
    for (int i = 0; i < n; i++) {
        fw_case *kase = NULL;
        json_t *line = NULL;

        FW_TRY(fw_case_load(s->db, cases[i], &kase, s->pool));
        if (!fw_show_may_see(s, kase, "page.case"))
            continue;
        FW_TRY(fw_show_case_head(s, kase, false, &line));
        json_array_append_new(*out, line);
    }
    return NULL;
}

json_t *fw_show_todo(const fw_show *s, const fw_case *c)
{
    const next_step *step = step_of(c->state);

    if (!step)
        return json_null();
    return json_pack("{s:s, s:s, s:s, s:b, s:o}", "text", fw_show_text(s, step->key), "href",
                     step_href(s, step, c->id), "button",
                     fw_show_text(s, apr_pstrcat(s->pool, step->key, ".button", NULL)), "is_post",
                     0, "deadline", fw_show_time(s, c->deadline));
}
