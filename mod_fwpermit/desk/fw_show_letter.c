#include "fw_config.h"
#include "fw_show_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_access.h"
#include "fw_json.h"
#include "fw_show_system.h"
#include "fw_store_question.h"

/* What the labour agency was asked, and may be asked, about a letter's number. */

#define QUESTIONS_MOST 20 /* of a worker, the newest */

static bool waits(const char *state)
{
    return strcmp(state, "asked") == 0;
}

static fw_value describe(const fw_show *s, const char *letter_no, const char *state)
{
    const char *key = apr_pstrcat(s->pool, "question.text.", state, NULL);
    fw_value args = fw_pack(s->pool, "{s:s}", "letter_no", letter_no);

    return fw_pack(s->pool, "{s:s, s:o, s:s, s:b}", "letter_no", letter_no, "state",
                   fw_show_state(s, "question", state), "text",
                   fw_locale_format(s->desk->locale, s->lang, key, args, s->pool), "waits",
                   waits(state));
}

/* ---- a worker ---- */

static bool is_listed(fw_value list, const char *letter_no)
{
    fw_value o;

    fw_each(list, i, o)
    {
        if (strcmp(fw_chars(fw_get(o, "letter_no")), letter_no) == 0)
            return true;
    }
    return false;
}

/* Each number once, as it stands now; those that were found stand among the letters. */
static const fw_err *list_questions(const fw_show *s, fw_id worker, const fw_said *said,
                                    fw_value list, bool *any_waits)
{
    apr_array_header_t *all = NULL;

    FW_TRY(fw_question_of_worker(s->db, worker, QUESTIONS_MOST, &all, s->pool));
    for (int i = 0; i < all->nelts; i++) {
        const fw_question *q = &APR_ARRAY_IDX(all, i, fw_question);

        if (fw_said_letter(said, q->letter_no) || is_listed(list, q->letter_no))
            continue;
        fw_add(list, describe(s, q->letter_no, q->state));
        *any_waits = *any_waits || waits(q->state);
    }
    return NULL;
}

const fw_err *fw_show_asked(const fw_show *s, const fw_worker *w, const fw_said *said,
                            fw_value *out)
{
    fw_value list = fw_list(s->pool), o = fw_object(s->pool);
    bool any_waits = false;

    FW_TRY(list_questions(s, w->id, said, list, &any_waits));
    *out = o;
    fw_set(o, "questions", list);
    fw_set(o, "waits", fw_bool(any_waits));
    fw_set(o, "action", fw_null());
    fw_show_set(o, s, "look", "/workers/%" APR_INT64_T_FMT "#asked", w->id);
    if (s->desk->labour_plugin)
        fw_show_set(o, s, "action", "/workers/%" APR_INT64_T_FMT "/letter", w->id);
    return fw_show_link(s, o, "labour", any_waits);
}

/* ---- a case ---- */

static bool may_ask(const fw_show *s, const fw_case *c)
{
    unsigned rel = fw_access_relations(s->actor, c->employer_id, c->agency_id, c->station,
                                       c->first_reviewer, c->second_reviewer);

    return s->desk->labour_plugin && fw_access_allowed("letter.ask", s->actor->roles, rel);
}

static const fw_err *state_of(const fw_show *s, const fw_case *c, const fw_said *said,
                              const char **out)
{
    fw_question *last = NULL;

    *out = "found";
    if (fw_said_letter(said, c->permit_letter))
        return NULL;
    FW_TRY(fw_question_newest(s->db, c->worker_id, c->permit_letter, &last, s->pool));
    *out = last ? last->state : "unasked";
    return NULL;
}

const fw_err *fw_show_letter_of(const fw_show *s, const fw_case *c, const fw_said *said,
                                const char *at, fw_value *out)
{
    bool may = may_ask(s, c), settled;
    const char *state = NULL;

    *out = fw_null();
    if (!c->permit_letter || !*c->permit_letter)
        return NULL;
    FW_TRY(state_of(s, c, said, &state));
    if (!may && strcmp(state, "unasked") == 0)
        return NULL;
    settled = waits(state) || strcmp(state, "found") == 0;
    *out = describe(s, c->permit_letter, state);
    fw_set(*out, "href", fw_text(apr_pstrcat(s->pool, at, "/letter", NULL)));
    fw_set(*out, "can_ask", fw_bool(may && !settled));
    return fw_show_link(s, *out, "labour", waits(state));
}

const fw_err *fw_show_case_letter(const fw_show *s, const fw_dossier *d, fw_value *out)
{
    fw_form_env env = fw_desk_form_env(s->desk, s->now, s->pool);
    fw_said said = {0};
    int n = 0;

    *out = fw_null();
    if (!d->kase->permit_letter || !fw_service_field_of(d->service, FW_FIELD_PERMIT_LETTER))
        return NULL;
    FW_TRY(fw_said_load(&said, s->db, d->kase->worker_id, s->pool));
    FW_TRY(fw_show_letter_of(s, d->kase, &said,
                             apr_psprintf(s->pool, "/cases/%" APR_INT64_T_FMT, d->kase->id), out));
    if (d->kase->state == FW_STATE_DRAFT)
        n = (int)json_object_size(fw_said_fill(&said, d->service, d->data, &env));
    if (out->kind != FW_OBJECT)
        return NULL;
    fw_set(*out, "field", fw_text(fw_service_field_of(d->service, FW_FIELD_PERMIT_LETTER)->name));
    fw_set(*out, "fills", n > 0 ? fw_number(n) : fw_null());
    return NULL;
}

const fw_err *fw_case_fill(const fw_show *s, const fw_dossier *d, json_t *typed, json_t **filled)
{
    fw_form_env env = fw_desk_form_env(s->desk, s->now, s->pool);
    json_t *data = fw_json_keep(json_deep_copy(d->data), s->pool);
    fw_said said = {0};

    json_object_update(data, typed);
    FW_TRY(fw_said_load(&said, s->db, d->kase->worker_id, s->pool));
    *filled = fw_said_fill(&said, d->service, data, &env);
    json_object_update(typed, *filled);
    return NULL;
}
