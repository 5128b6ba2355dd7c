#include "fw_config.h"
#include "fwh.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_json.h"
#include "fw_mrz.h"

/* Workers: registered once, used by every application. */

#define LIST_ROWS 50

const char *fwh_fields_text(fwh_req *q)
{
    const char *text = fw_json_text(q->fields, JSON_COMPACT, q->pool);

    return text ? text : "{}";
}

/* ---- the passport's lines ---- */

const fw_refusal *fwh_mrz_fill(fwh_req *q, const char *mrz, json_t **filled, unsigned *failed)
{
    fw_mrz m = {0};
    const fw_err *err = fw_mrz_parse(mrz ? mrz : "", fw_date_of(q->desk->now()), &m, q->pool);
    const char sex[2] = {m.sex, '\0'};
    fw_refusal *why;

    *filled = fw_json_keep(json_object(), q->pool);
    *failed = m.failed;
    if (m.lines) {
        json_object_set_new(*filled, "mrz", json_string(m.lines));
        json_object_set_new(
            *filled, "name_latin",
            json_string(apr_pstrcat(q->pool, m.surname, *m.given ? " " : "", m.given, NULL)));
        json_object_set_new(*filled, "passport_no", json_string(m.number));
        json_object_set_new(*filled, "nationality", json_string(m.nationality));
        json_object_set_new(*filled, "birth", json_string(m.birth));
        json_object_set_new(*filled, "sex", json_string(sex));
        json_object_set_new(*filled, "passport_expiry", json_string(m.expiry));
    }
    if (!err)
        return NULL;
    why = apr_pcalloc(q->pool, sizeof(*why));
    why->field = "mrz";
    why->key = err->user_key ? err->user_key : "mrz.length";
    return why;
}

static fw_value failed_list(const fwh_req *q, unsigned failed)
{
    static const char *const names[] = {"number", "birth", "expiry", "optional", "composite"};
    fw_value list = fw_list(q->pool);

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (failed & 1u << i)
            fw_add(list, fw_text(names[i]));
    }
    return list;
}

const fw_err *fwh_do_mrz(fwh_req *q)
{
    const char *mrz = fwh_take(q, "mrz");
    json_t *filled = NULL;
    unsigned failed = 0;
    const fw_refusal *why;

    FW_TRY(fwh_fields_end(q));
    q->json = true;
    why = fwh_mrz_fill(q, mrz, &filled, &failed);
    return fwh_page(q, "",
                    fw_pack(q->pool, "{s:o, s:o, s:o}", "fields", fw_of_json(filled, q->pool),
                            "failed", failed_list(q, failed), "problems",
                            fwh_errors(q, why, why ? 1 : 0)));
}

/* ---- the list ---- */

static const fw_err *list_employers(fwh_req *q, fw_id chosen, fw_value *out)
{
    apr_array_header_t *list = NULL;
    fw_show s = fwh_show(q);

    *out = fw_null();
    if (!(q->actor.roles & FW_ROLE_AGENT))
        return NULL;
    FW_TRY(fw_org_employers(q->db, q->actor.org_id, &list, q->pool));
    *out = fw_list(q->pool);
    for (int i = 0; i < list->nelts; i++) {
        const fw_org *o = &APR_ARRAY_IDX(list, i, fw_org);

        fw_add(*out, fw_pack(q->pool, "{s:o, s:s, s:b}", "id", fw_show_id(&s, o->id), "label",
                             fw_show_org(&s, o->name_zh, o->name_en), "selected",
                             o->id == chosen || list->nelts == 1));
    }
    return NULL;
}

static fw_value worker_line(const fw_show *s, const fw_worker_line *l)
{
    const fw_worker *w = &l->worker;
    const fw_country *c = fw_codes_country(s->desk->codes, w->nationality ? w->nationality : "");
    bool english = strncmp(s->lang, "en", 2) == 0;
    fw_value o = fw_pack(s->pool, "{s:o, s:s?, s:s?, s:s?, s:s, s:s}", "id", fw_show_id(s, w->id),
                         "name_latin", w->name_latin, "name_native", w->name_native, "passport_no",
                         w->passport_no, "nationality", c ? (english ? c->en : c->zh) : "",
                         "employer", fw_show_org(s, l->employer_zh, l->employer_en));

    fw_show_set(o, s, "href", "/workers/%" APR_INT64_T_FMT, w->id);
    fw_show_set(o, s, "cases_href", "/workers/%" APR_INT64_T_FMT "#cases", w->id);
    fw_set(o, "created", fw_time(w->created));
    return o;
}

const fw_err *fwh_do_workers(fwh_req *q)
{
    fw_show s = fwh_show(q);
    apr_array_header_t *list = NULL;
    apr_time_t before = fwh_take_id(q, "before");
    fw_value o = fw_object(q->pool), lines = fw_list(q->pool);

    FW_TRY(fw_worker_list(q->db, q->actor.org_id, (q->actor.roles & FW_ROLE_AGENT) != 0, before,
                          LIST_ROWS, &list, q->pool));
    for (int i = 0; i < list->nelts; i++)
        fw_add(lines, worker_line(&s, &APR_ARRAY_IDX(list, i, fw_worker_line)));
    fw_set(o, "workers", lines);
    fw_set(o, "new_href", fw_text("/workers/new"));
    if (list->nelts == LIST_ROWS)
        fw_show_set(o, &s, "next", "/workers?before=%" APR_INT64_T_FMT,
                    APR_ARRAY_IDX(list, list->nelts - 1, fw_worker_line).worker.created);
    else
        fw_set(o, "next", fw_null());
    return fwh_page(q, "workers", o);
}

/* ---- one worker ---- */

static fw_value error_at(const fw_show *s, const char *field, const fw_refusal *problems, int n)
{
    for (int i = 0; i < n; i++) {
        if (problems[i].field && strcmp(problems[i].field, field) == 0)
            return fw_text(fw_show_reason(s, &problems[i]));
    }
    return fw_null();
}

/* What can be applied for; what fits where the worker is stands first. */
static fw_value offers(fwh_req *q, const fw_show *s, bool here)
{
    fw_value list = fw_list(q->pool);

    for (int turn = 0; turn < 2; turn++) {
        for (int i = 0; i < fw_services_count(q->desk->services); i++) {
            const fw_service *sv = fw_services_at(q->desk->services, i);
            bool fits = sv->when_here == here;

            if (fits == (turn == 0) && fw_desk_offers(q->desk, sv))
                fw_add(list, fw_pack(q->pool, "{s:s, s:s, s:s, s:s, s:b}", "code", sv->code,
                                     "title", fw_label_text(&sv->title, s->lang), "summary",
                                     fw_label_text(&sv->summary, s->lang), "action", "/cases",
                                     "fits", fits));
        }
    }
    return list;
}

/* The form with `data`; of a registered worker also what can be applied for, and the cases. */
static const fw_err *show_form(fwh_req *q, const json_t *data, fw_id employer,
                               const fw_refusal *problems, int n)
{
    fw_show s = fwh_show(q);
    fw_show_form form = {.service = q->desk->worker_form,
                         .data = data,
                         .problems = problems,
                         .n_problems = n,
                         .version = q->worker ? q->worker->version : 0};
    fw_case_ask ask = {.list = FW_LIST_WORKER,
                       .id = q->worker ? q->worker->id : 0,
                       .agency = q->actor.roles & FW_ROLE_AGENT ? q->actor.org_id : 0,
                       .limit = 20};
    fw_value o = fw_object(q->pool), part = {0};

    fw_set(o, "form", fw_show_form_model(&s, &form));
    fw_set(o, "version", fw_number(form.version));
    if (!q->worker) {
        FW_TRY(list_employers(q, employer, &part));
        fw_set(o, "id", fw_null());
        fw_set(o, "employers", part);
        fw_set(o, "employer_error", error_at(&s, "employer", problems, n));
        fw_set(o, "action", fw_text("/workers"));
        fw_set(o, "services", fw_list(q->pool));
        fw_set(o, "stay", fw_null());
        fw_set(o, "cases", fw_list(q->pool));
        return fwh_page(q, "worker_form", o);
    }
    FW_TRY(fw_show_stay(&s, q->worker, &part));
    fw_set(o, "stay", part);
    fw_set(fw_get(part, "asked"), "error", error_at(&s, "letter_no", problems, n));
    fw_set(fw_get(part, "asked"), "typed",
           fw_text(json_string_value(json_object_get(data, "letter_no"))));
    fw_set(o, "services", offers(q, &s, fw_is_true(fw_get(part, "is_here"))));
    fw_set(o, "id", fw_show_id(&s, q->worker->id));
    fw_set(o, "employers", fw_null());
    fw_show_set(o, &s, "action", "/workers/%" APR_INT64_T_FMT, q->worker->id);
    FW_TRY(fw_show_case_lines(&s, &ask, false, &part, NULL));
    fw_set(o, "cases", part);
    return fwh_page(q, "worker_form", o);
}

static json_t *worker_data(fwh_req *q)
{
    json_t *o = q->worker ? fw_json_parse(q->worker->data, q->pool) : NULL;

    return o ? o : fw_json_keep(json_object(), q->pool);
}

const fw_err *fwh_do_worker_new(fwh_req *q)
{
    return show_form(q, fw_json_keep(json_object(), q->pool), 0, NULL, 0);
}

const fw_err *fwh_do_worker(fwh_req *q)
{
    return show_form(q, worker_data(q), 0, NULL, 0);
}

/* Nothing is kept: the lines are read, and the form comes back filled in. */
static const fw_err *show_read(fwh_req *q, fw_id employer)
{
    json_t *data = worker_data(q), *filled = NULL;
    unsigned failed = 0;
    const fw_refusal *why;

    why = fwh_mrz_fill(q, json_string_value(json_object_get(q->fields, "mrz")), &filled, &failed);
    json_object_update(data, q->fields);
    json_object_update(data, filled);
    if (why)
        q->status = HTTP_UNPROCESSABLE_ENTITY;
    return show_form(q, data, employer, why, why ? 1 : 0);
}

static const fw_err *show_refused(fwh_req *q, const fw_result *result, fw_id employer)
{
    json_t *data = worker_data(q);

    json_object_update(data, q->fields);
    fwh_form_errors(q, result);
    return show_form(q, data, employer, result->refusals, result->n_refusals);
}

/* Whose worker: the only employer there can be, or the one that was chosen. */
static fw_id employer_of(fwh_req *q, fw_id chosen)
{
    if (chosen)
        return chosen;
    if (q->actor.roles & FW_ROLE_EMPLOYER)
        return q->actor.org_id;
    return q->actor.n_employers == 1 ? q->actor.employers[0] : 0;
}

static const fw_err *employer_missing(fwh_req *q, fw_id employer)
{
    static const fw_refusal missing = {"employer", "worker.employer", NULL};
    fw_result result = {
        .verdict = FW_REFUSED, .code = FW_E_INPUT, .refusals = &missing, .n_refusals = 1};

    return q->json ? fwh_refused(q, &result) : show_refused(q, &result, employer);
}

const fw_err *fwh_do_worker_register(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_WORKER_REGISTER, 0);
    fw_result result = {0};
    bool read = fwh_take(q, "_read") != NULL;

    cmd.employer_id = employer_of(q, fwh_take_id(q, "employer"));
    if (read)
        return show_read(q, cmd.employer_id);
    if (!cmd.employer_id)
        return employer_missing(q, 0);
    cmd.fields = fwh_fields_text(q);
    FW_TRY(fwh_perform(q, &cmd, &result));
    if (result.verdict == FW_REFUSED && !q->json && result.code != FW_E_NOTFOUND)
        return show_refused(q, &result, cmd.employer_id);
    return fwh_result(q, &result,
                      apr_psprintf(q->pool, "/workers/%" APR_INT64_T_FMT, result.answer),
                      "worker_registered");
}

const fw_err *fwh_do_worker_update(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_WORKER_UPDATE, q->worker->id);
    fw_result result = {0};
    bool read = fwh_take(q, "_read") != NULL;

    (void)fwh_take(q, "employer");
    FW_TRY(fwh_take_version(q, &cmd.version));
    if (read)
        return show_read(q, 0);
    cmd.fields = fwh_fields_text(q);
    FW_TRY(fwh_perform(q, &cmd, &result));
    if (result.verdict == FW_REFUSED && !q->json && result.code != FW_E_NOTFOUND)
        return show_refused(q, &result, 0);
    return fwh_result(q, &result,
                      apr_psprintf(q->pool, "/workers/%" APR_INT64_T_FMT, result.answer),
                      "worker_saved");
}

/* ---- a letter that the labour agency is asked about ---- */

const fw_err *fwh_do_worker_letter(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_LETTER_ASK, 0);
    const char *letter_no = fwh_take(q, "letter_no");
    fw_result result = {0};
    json_t *data;

    cmd.worker_id = q->worker->id;
    cmd.letter_no = letter_no ? letter_no : "";
    FW_TRY(fwh_fields_end(q));
    FW_TRY(fwh_perform(q, &cmd, &result));
    if (result.verdict != FW_REFUSED || q->json || result.code == FW_E_NOTFOUND)
        return fwh_result(
            q, &result, apr_psprintf(q->pool, "/workers/%" APR_INT64_T_FMT "#asked", q->worker->id),
            result.verdict == FW_ACCEPTED ? "letter_asked" : "letter_known");
    data = worker_data(q);
    json_object_set_new(data, "letter_no", json_string(cmd.letter_no));
    fwh_form_errors(q, &result);
    return show_form(q, data, 0, result.refusals, result.n_refusals);
}
