#include "fw_config.h"
#include "fw_show_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_json.h"
#include "fw_show_system.h"
#include "fw_store_record.h"

/* What a worker's page shows beside the registration: the legal clock, and what border and labour agency say. */

#define DAY  ((apr_time_t)86400 * APR_USEC_PER_SEC)
#define SOON (7 * DAY)

static const char *say(const fw_show *s, const char *key, fw_value args)
{
    return fw_locale_format(s->desk->locale, s->lang, key, args, s->pool);
}

/* What is due, by when, and how near that is: "done", "due", "soon", "late". */
static fw_value clock_of(const fw_show *s, const fw_worker *w)
{
    const char *until = fw_date_text(fw_date_of(w->file_by), s->pool);
    long days = fw_date_days(fw_date_of(w->file_by)) - fw_date_days(fw_date_of(s->now));
    const char *tone = "due";

    if (!w->file_by)
        return fw_null();
    if (w->filed)
        tone = "done";
    else if (s->now > w->file_by)
        tone = "late";
    else if (w->file_by - s->now < SOON)
        tone = "soon";
    return fw_pack(s->pool, "{s:s, s:s, s:s, s:b, s:b}", "tone", tone, "until", until, "text",
                   say(s, apr_pstrcat(s->pool, "stay.", tone, NULL),
                       fw_pack(s->pool, "{s:s, s:I}", "until", until, "days",
                               (int64_t)(days < 0 ? -days : days))),
                   "late", !w->filed && s->now > w->file_by, "soon", strcmp(tone, "soon") == 0);
}

static const char *text_of(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));

    return text ? text : "";
}

static fw_value movement_of(const fw_show *s, const fw_record *r, const json_t *data)
{
    const char *direction = text_of(data, "direction");

    return fw_pack(s->pool, "{s:s, s:s, s:s, s:s, s:b}", "direction", direction, "label",
                   fw_show_text(s, apr_pstrcat(s->pool, "movement.", direction, NULL)), "day",
                   fw_date_text(fw_date_of(r->at), s->pool), "port", text_of(data, "port"),
                   "is_current", strcmp(r->state, "current") == 0);
}

static fw_value letter_of(const fw_show *s, const fw_record *r, const json_t *data)
{
    return fw_pack(s->pool, "{s:s, s:s, s:s, s:s, s:s}", "letter_no", r->name, "from",
                   text_of(data, "valid_from"), "to", text_of(data, "valid_to"), "state", r->state,
                   "label", fw_show_text(s, apr_pstrcat(s->pool, "letter.", r->state, NULL)));
}

static const fw_err *add_silent(const fw_show *s, fw_value list, const char *port)
{
    fw_value o = fw_pack(s->pool, "{s:s}", "port", port);

    fw_add(list, o);
    return fw_show_link(s, o, port, true);
}

const fw_err *fw_show_stay(const fw_show *s, const fw_worker *w, fw_value *out)
{
    fw_value movements = fw_list(s->pool), letters = fw_list(s->pool), silent = fw_list(s->pool);
    fw_value asked = {0};
    fw_said said = {0};

    FW_TRY(fw_said_agencies(&said, s->db, w->id, s->pool));
    for (int i = 0; i < said.n_told; i++) {
        const fw_told *t = &said.told[i];

        if (strcmp(t->record->kind, "movement") == 0)
            fw_add(movements, movement_of(s, t->record, t->data));
        else
            fw_add(letters, letter_of(s, t->record, t->data));
    }
    if (!w->entered)
        FW_TRY(add_silent(s, silent, "border"));
    if (fw_size(letters) == 0)
        FW_TRY(add_silent(s, silent, "labour"));
    FW_TRY(fw_show_asked(s, w, &said, &asked));
    *out = fw_pack(s->pool, "{s:s?, s:o, s:o, s:o, s:o, s:b, s:o}", "entered", w->entered, "clock",
                   clock_of(s, w), "movements", movements, "letters", letters, "silent", silent,
                   "is_here", w->entered || said.labour, "asked", asked);
    return NULL;
}

/* ---- arrivals of nobody ---- */

static fw_value arrival_of(const fw_show *s, const fw_record *r)
{
    const json_t *data = fw_json_parse(r->data, s->pool);
    fw_value o = movement_of(s, r, data);

    fw_set(o, "id", fw_show_id(s, r->id));
    fw_set(o, "passport_no", fw_text(r->passport_no));
    fw_set(o, "nationality", fw_text(r->nationality));
    fw_set(o, "birth", fw_text(r->birth));
    fw_set(o, "name_latin", fw_text(text_of(json_object_get(data, "person"), "name_latin")));
    fw_set(o, "near", fw_list(s->pool));
    fw_show_set(o, s, "action", "/arrivals/%" APR_INT64_T_FMT "/link", r->id);
    return o;
}

static void add_near(const fw_show *s, fw_value arrivals, const fw_record_near *n)
{
    fw_value o;

    fw_each(arrivals, i, o)
    {
        if (apr_strtoi64(fw_chars(fw_get(o, "id")), NULL, 10) == n->record_id)
            fw_add(fw_get(o, "near"),
                   fw_pack(s->pool, "{s:o, s:s, s:s, s:s, s:s}", "id", fw_show_id(s, n->worker_id),
                           "name_latin", n->name_latin ? n->name_latin : "", "passport_no",
                           n->passport_no, "birth", n->birth ? n->birth : "", "employer",
                           fw_show_org(s, n->employer_zh, n->employer_en)));
    }
}

const fw_err *fw_show_arrivals(const fw_show *s, int limit, fw_value *out)
{
    apr_array_header_t *list = NULL, *near = NULL;

    FW_TRY(fw_record_open(s->db, "movement", limit, &list, s->pool));
    FW_TRY(fw_record_near_list(s->db, "movement", &near, s->pool));
    *out = fw_list(s->pool);
    for (int i = 0; i < list->nelts; i++)
        fw_add(*out, arrival_of(s, &APR_ARRAY_IDX(list, i, fw_record)));
    for (int i = 0; i < near->nelts; i++)
        add_near(s, *out, &APR_ARRAY_IDX(near, i, fw_record_near));
    return NULL;
}
