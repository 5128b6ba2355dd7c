#include "fw_config.h"
#include "fww_press.h"

#include <limits.h>
#include <string.h>

#include <apr_strings.h>

#include "fw_call_files.h"
#include "fw_date.h"
#include "fw_random.h"
#include "fw_show.h"
#include "fw_store_card.h"
#include "fw_store_case.h"
#include "fwpermit_plugin.h"

/* Cards are made by the bureau behind the port "card": what it is sent, and what it says. */

#define PHOTO        "photo.jpg"
#define VERIFY_CHARS 16
#define PICKUP_CHARS 8

static const char *text_of(const json_t *o, const char *name)
{
    return json_string_value(json_object_get(o, name));
}

/* ---- what the bureau says ---- */

static int number_of(const json_t *o, const char *name, int none)
{
    const json_t *v = json_object_get(o, name);
    json_int_t n = json_integer_value(v);

    return !json_is_integer(v) ? none : n > INT_MAX ? INT_MAX : (int)n;
}

static fw_job job_of(const json_t *o)
{
    return (fw_job){.job_no = text_of(o, "job_no"),
                    .state = text_of(o, "state"),
                    .seq = number_of(o, "seq", 0),
                    .bureau_no = text_of(o, "bureau_no"),
                    .card_no = text_of(o, "card_no"),
                    .spoiled = number_of(o, "spoiled", -1),
                    .station = text_of(o, "station"),
                    .tracking = text_of(o, "tracking"),
                    .reason = text_of(o, "reason")};
}

/* A card that has arrived gets its codes: one that verifies its permit, one to collect it with. */
static const fw_err *draw_codes(fww_turn *t, fw_job *told, fw_permit *permit)
{
    FW_TRY(fw_code_draw(&permit->code, VERIFY_CHARS, t->pool));
    return fw_code_draw(&told->code, PICKUP_CHARS, t->pool);
}

const fw_err *fww_card_told(fww_turn *t, const json_t *job, fww_end *end)
{
    fw_job told = job_of(job);
    fw_permit permit = {0};
    fw_command cmd = {.kind = FW_CMD_CARD_STEP,
                      .job = &told,
                      .permit = &permit,
                      .at = fw_time_parse(text_of(job, "at"))};
    const char *refused = NULL;

    if (!told.job_no || !told.state) {
        fww_end_set(end, FWW_END_DEAD, "a job without number or state");
        return NULL;
    }
    FW_TRY(fw_job_by_no(t->db, told.job_no, &cmd.target, t->pool));
    if (!cmd.target) {
        fww_end_set(end, FWW_END_REFUSED, "card.unknown");
        t->pump->env->log(FWW_WARNING, FWW_N_JOB " card job %s is none of ours", told.job_no);
        return NULL;
    }
    if (strcmp(told.state, "cancelled") == 0)
        cmd.kind = FW_CMD_CARD_CANCELLED;
    if (strcmp(told.state, "arrived") == 0) {
        cmd.kind = FW_CMD_CARD_ARRIVE;
        FW_TRY(draw_codes(t, &told, &permit));
    }
    FW_TRY(fww_perform(t, &cmd, &refused));
    if (refused)
        fww_end_set(end, FWW_END_REFUSED, refused);
    return NULL;
}

/* ---- the order ---- */

static const fw_err *add_photo(const fww_subject *s, apr_array_header_t *files)
{
    fww_turn *t = s->t;
    const char *name = fww_subject_photo(s);
    fw_vault_reader *r = NULL;
    const unsigned char *part = NULL;
    fw_call_file *file = NULL;
    apr_size_t n = 0;

    if (!name)
        return FW_ERR(t->pool, FW_E_INPUT, 0, "a card without a photo");
    FW_TRY(fw_vault_read_open(&r, t->pump->desk->vault, name, t->pool));
    FW_TRY(fw_call_file_new(&file, files, PHOTO, t->pool));
    do {
        FW_TRY(fw_vault_read(r, &part, &n));
        FW_TRY(fw_call_file_append(file, files, part, n, t->pool));
    } while (n > 0);
    return fw_call_file_seal(file, t->pool);
}

/* Of the form, by its field's name; NULL: empty, or not asked. */
static const char *entry(const fww_subject *s, const char *name)
{
    const char *value = text_of(s->data, name);

    return value && *value ? value : NULL;
}

static json_t *person_of(const fww_subject *s)
{
    const fw_case *c = s->kase;
    const fw_country *country =
        c->nationality ? fw_codes_country(s->t->pump->desk->codes, c->nationality) : NULL;

    return json_pack("{s:s?, s:s*, s:s*, s:s?, s:s?, s:s?, s:s?, s:s*}", "name_latin",
                     c->name_latin, "name_native", c->name_native, "name_zh", entry(s, "name_zh"),
                     "passport_no", c->passport_no, "nationality",
                     country ? country->mrz : c->nationality, "birth", c->birth, "sex",
                     entry(s, "sex"), "ui_no", fww_subject_value(s, FW_FIELD_UI_NO));
}

/* A choice as its label stands on the card; officials read Chinese. */
static const char *printed(const fww_subject *s, const char *name)
{
    const fw_field *f = fw_service_field(s->service, name);
    fw_show show = {.desk = s->t->pump->desk,
                    .actor = fww_system(),
                    .lang = FW_LOCALE_DEFAULT,
                    .pool = s->t->pool};

    return f && entry(s, name) ? fw_show_value(&show, f, entry(s, name)) : NULL;
}

static json_t *card_of(const fww_subject *s, const fw_job *job)
{
    const fw_station *station = fw_codes_station_of(s->t->pump->desk->codes, job->station);

    return json_pack("{s:o, s:s?, s:s*, s:s*, s:s, s:s, s:s, s:s*}", "person", person_of(s),
                     "reason", printed(s, "category"), "employer_name", s->employer->name_zh,
                     "address", fww_subject_value(s, FW_FIELD_ADDRESS), "valid_from",
                     job->valid_from, "valid_to", job->valid_to, "issued",
                     fw_date_text(fw_date_of(job->ordered), s->t->pool), "place",
                     station ? station->zh : NULL);
}

/* The number of the card that it takes the place of; NULL: of none. */
static const fw_err *find_replaced(fww_turn *t, const fw_job *job, const char **out)
{
    apr_array_header_t *list = NULL;

    *out = NULL;
    FW_TRY(fw_job_before(t->db, job, &list, t->pool));
    for (int i = 0; i < list->nelts && !*out; i++) {
        const fw_job *j = APR_ARRAY_IDX(list, i, const fw_job *);

        if (strcmp(j->state, "lost") == 0)
            *out = j->card_no;
    }
    return NULL;
}

static const fw_err *make_order(fww_turn *t, const fw_job *job, fww_ask *ask)
{
    apr_array_header_t *files = apr_array_make(t->pool, 1, sizeof(fw_call_file));
    const char *replaced = NULL;
    fww_subject s;

    FW_TRY(fww_subject_load(&s, t, job->case_id));
    FW_TRY(find_replaced(t, job, &replaced));
    FW_TRY(add_photo(&s, files));
    ask->files = files;
    ask->request =
        json_pack("{s:s, s:s?, s:s, s:s*, s:s, s:s*, s:o, s:s}", "job_no", job->job_no, "case_no",
                  s.kase->case_no, "permit_no", job->permit_no, "replaces", replaced, "deliver_to",
                  job->station, "due", s.kase->due ? fw_time_iso(s.kase->due, t->pool) : NULL,
                  "card", card_of(&s, job), "photo", PHOTO);
    return ask->request ? NULL : FW_ERR(t->pool, FW_E_INPUT, 0, "an order that is not UTF-8");
}

/* Once by its number: what is asked again is the same order. */
static const fw_err *send_order(fww_turn *t, const fw_delivery *d, const fw_job *job, fww_end *end)
{
    fww_ask ask = {.op = "card.order",
                   .key = apr_psprintf(t->pool, "card.order:%" APR_INT64_T_FMT, job->id),
                   .attempt = d->attempt,
                   .deadline_ms = fww_deadline_ms("card.order")};
    fww_answer answer;

    FW_TRY(make_order(t, job, &ask));
    fww_port_ask(t, fww_port_plugin(t->pump, "card"), &ask, &answer);
    fww_port_end(&answer, end);
    if (answer.rc != FWP_OK)
        return NULL;
    return fww_card_told(t, json_object_get(answer.reply, "job"), end);
}

/* What is refused of an answer is for a person to see. */
static void judge(fww_end *end)
{
    if (end->what == FWW_END_REFUSED)
        end->what = FWW_END_DEAD;
}

/* Its case is to be withdrawn: the card is not to be made. */
static const fw_err *is_unwanted(fww_turn *t, const fw_job *job, bool *out)
{
    fw_case *kase = NULL;

    FW_TRY(fw_case_load(t->db, job->case_id, &kase, t->pool));
    *out = kase->state == FW_STATE_WITHDRAWAL_ASKED;
    return NULL;
}

const fw_err *fww_card_order(fww_turn *t, const fw_delivery *d, fww_end *end)
{
    bool unwanted = false;
    fw_job *job = NULL;

    FW_TRY(fw_job_load(t->db, fww_payload_id(t, d, "job"), &job, t->pool));
    FW_TRY(is_unwanted(t, job, &unwanted));
    fww_end_set(end, FWW_END_DONE, NULL);
    if (job->seq > 0 || unwanted)
        return NULL; /* the bureau has spoken of it: it has it; or it is to be cancelled */
    FW_TRY(send_order(t, d, job, end));
    judge(end);
    return NULL;
}

/* ---- it is not wanted any more ---- */

/* There is nothing at the bureau that could be cancelled. */
static const fw_err *tell_cancelled(fww_turn *t, const fw_job *job, fww_end *end)
{
    json_t *told = json_pack("{s:s, s:s, s:i}", "job_no", job->job_no, "state", "cancelled", "seq",
                             job->seq + 1);
    const fw_err *err = fww_card_told(t, told, end);

    json_decref(told);
    return err;
}

static const fw_err *tell_late(fww_turn *t, const fw_job *job, fww_end *end)
{
    fw_command cmd = {.kind = FW_CMD_CARD_LATE, .target = job->id};
    const char *refused = NULL;

    fww_end_set(end, FWW_END_DONE, NULL);
    return fww_perform(t, &cmd, &refused);
}

/* What is pending is heard later, or found. */
static const fw_err *ask_cancel(fww_turn *t, const fw_delivery *d, const fw_job *job, fww_end *end)
{
    fww_ask ask = {
        .op = d->op, .key = d->key, .attempt = d->attempt, .deadline_ms = fww_deadline_ms(d->op)};
    fww_answer answer;

    ask.request = json_pack("{s:s, s:s}", "job_no", job->job_no, "reason", "case withdrawn");
    fww_port_ask(t, fww_port_plugin(t->pump, "card"), &ask, &answer);
    if (answer.rc == FWP_REJECTED)
        return tell_late(t, job, end);
    fww_port_end(&answer, end);
    if (answer.rc != FWP_OK)
        return NULL;
    FW_TRY(fww_card_told(t, json_object_get(answer.reply, "job"), end));
    judge(end);
    return NULL;
}

const fw_err *fww_card_cancel(fww_turn *t, const fw_delivery *d, fww_end *end)
{
    bool unwanted = false;
    fw_job *job = NULL;

    FW_TRY(fw_job_load(t->db, fww_payload_id(t, d, "job"), &job, t->pool));
    FW_TRY(is_unwanted(t, job, &unwanted));
    fww_end_set(end, FWW_END_DONE, NULL);
    if (!unwanted)
        return NULL;
    return strcmp(job->state, "cancelled") == 0 ? tell_cancelled(t, job, end)
                                                : ask_cancel(t, d, job, end);
}

/* ---- what became of it ---- */

/* The bureau does not know the job: the order never came there, or was forgotten. */
static const fw_err *find_nothing(fww_turn *t, const fw_delivery *d, const fw_job *job,
                                  fww_end *end)
{
    bool unwanted = false;

    FW_TRY(is_unwanted(t, job, &unwanted));
    if (job->seq == 0 && unwanted)
        return tell_cancelled(t, job, end);
    t->pump->env->log(FWW_WARNING, FWW_N_JOB " the bureau does not know card job %s", job->job_no);
    if (job->seq == 0)
        return send_order(t, d, job, end);
    fww_end_set(end, FWW_END_DEAD, "the bureau has forgotten the job");
    return NULL;
}

const fw_err *fww_card_find(fww_turn *t, const fw_delivery *d, fww_end *end)
{
    fww_ask ask = {
        .op = d->op, .key = d->key, .attempt = d->attempt, .deadline_ms = fww_deadline_ms(d->op)};
    fw_job *job = NULL;
    const json_t *told;
    fww_answer answer;

    FW_TRY(fw_job_load(t->db, fww_payload_id(t, d, "job"), &job, t->pool));
    fww_end_set(end, FWW_END_DONE, NULL);
    if (!job->ask_at)
        return NULL;
    ask.request = json_pack("{s:s}", "job_no", job->job_no);
    fww_port_ask(t, fww_port_plugin(t->pump, "card"), &ask, &answer);
    fww_port_end(&answer, end);
    if (answer.rc != FWP_OK)
        return NULL;
    told = json_object_get(answer.reply, "job");
    FW_TRY(json_is_object(told) ? fww_card_told(t, told, end) : find_nothing(t, d, job, end));
    judge(end);
    return NULL;
}
