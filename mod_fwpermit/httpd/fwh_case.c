#include "fw_config.h"
#include "fwh.h"

#include <string.h>

#include <apr_strings.h>

/* An applicant's cases: list, page, form, check, submit. */

#define LIST_ROWS 50

static const char *case_href(fwh_req *q, fw_id id, const char *page)
{
    return apr_psprintf(q->pool, "/cases/%" APR_INT64_T_FMT "%s", id, page);
}

/* ---- the list ---- */

static fw_value filters_of(fwh_req *q, const char *chosen)
{
    static const char *const states[] = {"",     "draft", "returned", "awaiting_payment",
                                         "held", "issued"};
    fw_value list = fw_list(q->pool);

    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        const char *key = *states[i] ? apr_pstrcat(q->pool, "state.", states[i], NULL) : "list.all";

        fw_add(list, fw_pack(q->pool, "{s:s, s:s, s:b, s:n}", "href",
                             *states[i] ? apr_pstrcat(q->pool, "/cases?state=", states[i], NULL)
                                        : "/cases",
                             "label", fw_locale_text(q->desk->locale, q->lang, key), "current",
                             strcmp(states[i], chosen) == 0, "n"));
    }
    return list;
}

static bool any_payable(fw_value lines)
{
    fw_value line;

    fw_each(lines, i, line)
    {
        if (fw_is_true(fw_get(line, "can_pay")))
            return true;
    }
    return false;
}

const fw_err *fwh_do_cases(fwh_req *q)
{
    bool agent = q->actor.roles & FW_ROLE_AGENT;
    const char *state = fwh_take(q, "state");
    fw_show s = fwh_show(q);
    fw_state_e parsed;
    fw_case_ask ask = {.list = agent ? FW_LIST_AGENCY : FW_LIST_EMPLOYER,
                       .id = q->actor.org_id,
                       .state = state && fw_state_parse(state, &parsed) ? state : "",
                       .before = fwh_take_id(q, "before"),
                       .limit = LIST_ROWS};
    fw_value o = fw_object(q->pool), lines = {0};
    fw_case_line last = {0};

    FW_TRY(fw_show_case_lines(&s, &ask, false, &lines, &last));
    fw_set(o, "cases", lines);
    fw_set(o, "filters", filters_of(q, ask.state));
    fw_set(o, "payable", fw_bool(any_payable(lines)));
    fw_set(o, "new_href", fw_text("/workers"));
    if (fw_size(lines) == LIST_ROWS)
        fw_show_set(o, &s, "next", "/cases?%s%s%sbefore=%" APR_INT64_T_FMT,
                    *ask.state ? "state=" : "", ask.state, *ask.state ? "&" : "", last.created);
    else
        fw_set(o, "next", fw_null());
    return fwh_page(q, "cases", o);
}

const fw_err *fwh_do_case_open(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_CASE_OPEN, 0);
    fw_result result = {0};

    cmd.service = fwh_take(q, "service");
    cmd.worker_id = fwh_take_id(q, "worker");
    FW_TRY(fwh_fields_end(q));
    if (!cmd.service)
        cmd.service = "";
    FW_TRY(fwh_perform(q, &cmd, &result));
    return fwh_result(q, &result, case_href(q, result.answer, "/edit"), NULL);
}

const fw_err *fwh_do_case_page(fwh_req *q)
{
    fw_show s = fwh_show(q);
    fw_dossier d;
    fw_value model = {0};

    FW_TRY(fw_dossier_load(&s, q->kase, true, &d));
    FW_TRY(fw_show_case(&s, &d, &model));
    return fwh_page(q, "case", model);
}

/* ---- the form ---- */

static bool is_open(const fw_case *c)
{
    return c->state == FW_STATE_DRAFT || c->state == FW_STATE_RETURNED;
}

/* What is wrong with what is there; what is merely missing is no fault while somebody types. */
static int wrong_ones(const fw_show *s, const fw_dossier *d, const fw_refusal **out)
{
    apr_array_header_t *all = NULL;
    fw_refusal *list;
    int n = 0;

    fw_dossier_missing(s, d, &all);
    list = (fw_refusal *)all->elts;
    for (int i = 0; i < all->nelts; i++) {
        const char *key = list[i].key;

        if (strcmp(key, "field.required") != 0 && strcmp(key, "field.file_missing") != 0 &&
            strcmp(key, "field.confirm") != 0)
            list[n++] = list[i];
    }
    *out = list;
    return n;
}

const fw_err *fwh_do_case_edit(fwh_req *q)
{
    fw_show s = fwh_show(q);
    const fw_refusal *wrong = NULL;
    fw_dossier d;
    fw_value model = {0};
    int n;

    if (!is_open(q->kase))
        return q->json ? fwh_problem(q, HTTP_CONFLICT, "case.state", fw_null())
                       : fwh_redirect(q, case_href(q, q->kase->id, ""), "case_closed");
    FW_TRY(fw_dossier_load(&s, q->kase, false, &d));
    n = wrong_ones(&s, &d, &wrong);
    FW_TRY(fw_show_case_edit(&s, &d, NULL, wrong, n, &model));
    return fwh_page(q, "case_edit", model);
}

/* A browser sends nothing for a box that is not ticked. */
static void untick(fwh_req *q, const fw_dossier *d)
{
    for (int i = 0; i < d->service->n_fields && !q->json; i++) {
        const fw_field *f = &d->service->fields[i];

        if (f->type == FW_FIELD_CONFIRM && !json_object_get(q->fields, f->name) &&
            json_object_get(d->data, f->name) && d->kase->state == FW_STATE_DRAFT)
            json_object_set_new(q->fields, f->name, json_string(""));
    }
}

static const fw_err *save_refused(fwh_req *q, const fw_result *result, const fw_dossier *d)
{
    /* Of a case that is filed by now, that is what there is to say. */
    bool stale = result->n_refusals > 0 && strcmp(result->refusals[0].key, "case.stale") == 0 &&
                 is_open(d->kase);
    fw_show s = fwh_show(q);
    fw_value model = {0};

    if (stale) {
        FW_TRY(fwh_note_read(q));
        q->status = HTTP_CONFLICT;
        FW_TRY(fw_show_case_stale(&s, d, q->fields, &model));
        if (!q->json)
            return fwh_page(q, "case_stale", model);
        fw_set(model, "type", fw_text("/problems/case.stale"));
        fw_set(model, "title", fw_text(fw_show_text(&s, "problem.title.409")));
        fw_set(model, "status", fw_number(HTTP_CONFLICT));
        fw_set(model, "detail", fw_text(fw_show_text(&s, "case.stale")));
        fw_unset(model, "form");
        return fwh_page(q, "", model);
    }
    if (result->code == FW_E_CONFLICT && !is_open(d->kase))
        return fwh_problem(q, HTTP_CONFLICT, "case.state", fw_null());
    if (q->json || result->code != FW_E_INPUT)
        return fwh_refused(q, result);
    fwh_form_errors(q, result);
    FW_TRY(fw_show_case_edit(&s, d, q->fields, result->refusals, result->n_refusals, &model));
    return fwh_page(q, "case_edit", model);
}

/* For scripts and programs: what is wrong now, how much is missing, what was filled in. */
static const fw_err *tell_saved(fwh_req *q, const fw_result *result, const json_t *filled)
{
    fw_show s = fwh_show(q);
    const fw_refusal *wrong = NULL;
    apr_array_header_t *missing = NULL;
    fw_value letter = {0};
    fw_case *now = NULL;
    fw_dossier d;
    int n, n_missing;

    FW_TRY(fw_case_load(q->db, q->kase->id, &now, q->pool));
    FW_TRY(fw_dossier_load(&s, now, false, &d));
    n_missing = fw_dossier_missing(&s, &d, &missing);
    n = wrong_ones(&s, &d, &wrong);
    FW_TRY(fw_show_case_letter(&s, &d, &letter));
    return fwh_page(q, "",
                    fw_pack(q->pool, "{s:s, s:o, s:s, s:{s:o, s:s?, s:o, s:i}, s:o, s:i, s:o, s:o}",
                            "verdict", "done", "answer", fw_show_id(&s, result->answer), "href",
                            case_href(q, now->id, "/edit"), "case", "id", fw_show_id(&s, now->id),
                            "case_no", now->case_no, "state",
                            fw_show_state(&s, "state", fw_state_name(now->state)), "version",
                            now->version, "problems", fwh_errors(q, wrong, n), "missing_n",
                            n_missing, "filled", filled ? fw_of_json(filled, q->pool) : fw_null(),
                            "letter", letter));
}

/* What has just been saved names the letter. A refusal stands on the form. */
static const fw_err *ask_about_letter(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_LETTER_ASK, q->kase->id);
    fw_result result = {0};

    cmd.request_id = NULL; /* it was the save's */
    FW_TRY(fwh_perform(q, &cmd, &result));
    if (result.verdict != FW_REFUSED)
        return fwh_redirect(q, case_href(q, q->kase->id, "/edit"), "letter_asked");
    if (result.code == FW_E_NOTFOUND || result.code == FW_E_FORBIDDEN)
        return fwh_refused(q, &result);
    FW_TRY(fw_case_load(q->db, q->kase->id, &q->kase, q->pool));
    fwh_form_errors(q, &result);
    return fwh_do_case_edit(q);
}

const fw_err *fwh_do_case_save(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_CASE_SAVE, q->kase->id);
    fw_show s = fwh_show(q);
    fw_result result = {0};
    const char *go = fwh_take(q, "_go"), *read = fwh_take(q, "_read");
    const char *fill = fwh_take(q, "_fill"), *ask = q->json ? NULL : fwh_take(q, "_ask");
    json_t *filled = NULL;
    unsigned failed = 0;
    fw_dossier d;

    FW_TRY(fwh_take_version(q, &cmd.version));
    FW_TRY(fw_dossier_load(&s, q->kase, false, &d));
    untick(q, &d);
    if (read) {
        (void)fwh_mrz_fill(q, json_string_value(json_object_get(q->fields, "mrz")), &filled,
                           &failed);
        json_object_update(q->fields, filled);
    }
    if (fill)
        FW_TRY(fw_case_fill(&s, &d, q->fields, &filled));
    cmd.fields = fwh_fields_text(q);
    FW_TRY(fwh_perform(q, &cmd, &result));
    if (result.verdict == FW_REFUSED)
        return save_refused(q, &result, &d);
    if (q->json)
        return tell_saved(q, &result, filled);
    if (ask)
        return ask_about_letter(q);
    if (go && strcmp(go, "check") == 0)
        return fwh_redirect(q, case_href(q, q->kase->id, "/check"), NULL);
    return fwh_redirect(q, case_href(q, q->kase->id, "/edit"), "saved");
}

/* ---- the letter that the form names ---- */

const fw_err *fwh_do_case_letter(fwh_req *q)
{
    fw_show s = fwh_show(q);
    fw_value letter = {0};
    fw_dossier d;

    FW_TRY(fwh_fields_end(q));
    FW_TRY(fw_dossier_load(&s, q->kase, false, &d));
    FW_TRY(fw_show_case_letter(&s, &d, &letter));
    q->json = true;
    return fwh_page(q, "", fw_pack(q->pool, "{s:o}", "letter", letter));
}

const fw_err *fwh_do_case_letter_ask(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_LETTER_ASK, q->kase->id);
    fw_result result = {0};

    FW_TRY(fwh_fields_end(q));
    FW_TRY(fwh_perform(q, &cmd, &result));
    return fwh_result(q, &result, case_href(q, q->kase->id, "/edit"), "letter_asked");
}

/* ---- check and submit ---- */

const fw_err *fwh_do_case_check(fwh_req *q)
{
    fw_show s = fwh_show(q);
    fw_dossier d;
    fw_value model = {0};

    if (!is_open(q->kase))
        return q->json ? fwh_problem(q, HTTP_CONFLICT, "case.state", fw_null())
                       : fwh_redirect(q, case_href(q, q->kase->id, ""), "case_closed");
    FW_TRY(fw_dossier_load(&s, q->kase, false, &d));
    FW_TRY(fw_show_case_check(&s, &d, &model));
    return fwh_page(q, "case_check", model);
}

const fw_err *fwh_do_case_submit(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_CASE_SUBMIT, q->kase->id);
    fw_result result = {0};

    FW_TRY(fwh_take_version(q, &cmd.version));
    FW_TRY(fwh_fields_end(q));
    FW_TRY(fwh_perform(q, &cmd, &result));
    if (result.verdict == FW_REFUSED && result.code == FW_E_INPUT && !q->json) {
        q->status = HTTP_UNPROCESSABLE_ENTITY;
        return fwh_do_case_check(q);
    }
    return fwh_result(q, &result, case_href(q, q->kase->id, ""), "filed");
}

const fw_err *fwh_do_case_withdraw(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_CASE_WITHDRAW, q->kase->id);
    fw_result result = {0};

    FW_TRY(fwh_take_version(q, &cmd.version));
    FW_TRY(fwh_fields_end(q));
    FW_TRY(fwh_perform(q, &cmd, &result));
    return fwh_result(q, &result, case_href(q, q->kase->id, ""), "withdrawn");
}
