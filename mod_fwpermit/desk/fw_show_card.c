#include "fw_config.h"
#include "fw_show_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_lifecycle.h"
#include "fw_show_card.h"

/* A card: how far it is, where and when it is fetched, and what lies at a station to be handed out. */

/* ---- one card ---- */

static void set_place(const fw_show *s, fw_value o, const char *code)
{
    const fw_station *station = fw_codes_station_of(s->desk->codes, code);

    fw_set(o, "station", fw_text(station ? fw_show_org(s, station->zh, station->en) : code));
    fw_set(o, "address", fw_text(station ? station->address : NULL));
    fw_set(o, "hours", fw_text(fw_show_text(s, "card.hours")));
}

const char *fw_show_spaced_code(const char *code, apr_pool_t *pool)
{
    const char *out = "";

    for (const char *p = code; *p; p += strnlen(p, 4))
        out = apr_psprintf(pool, "%s%s%.4s", out, *out ? "-" : "", p);
    return out;
}

static fw_value one_card(const fw_show *s, const fw_job *j)
{
    bool waits = strcmp(j->state, "arrived") == 0;
    bool shown = waits && j->code && (s->actor->roles & FW_ROLES_APPLICANT);
    fw_value o = fw_pack(s->pool, "{s:s, s:o, s:s?, s:s?, s:s?, s:s?, s:i, s:b, s:s?}", "job_no",
                         j->job_no, "state", fw_show_state(s, "cardstate", j->state), "card_no",
                         j->card_no, "bureau_no", j->bureau_no, "tracking", j->tracking, "reason",
                         j->reason, "spoiled", j->spoiled, "waits", waits, "code",
                         shown ? fw_show_spaced_code(j->code, s->pool) : NULL);

    fw_set(o, "ordered", fw_time(j->ordered));
    fw_set(o, "made", fw_time(j->made));
    fw_set(o, "sent", fw_time(j->sent));
    fw_set(o, "arrived", fw_time(j->arrived));
    fw_set(o, "collected", fw_time(j->collected));
    set_place(s, o, j->station);
    return o;
}

/* Those before it, each void. */
static const fw_err *set_before(const fw_show *s, fw_value o, const fw_job *job)
{
    apr_array_header_t *list = NULL;
    fw_value before = fw_list(s->pool);

    FW_TRY(fw_job_before(s->db, job, &list, s->pool));
    for (int i = 0; i < list->nelts; i++) {
        const fw_job *j = APR_ARRAY_IDX(list, i, const fw_job *);

        fw_add(before, fw_pack(s->pool, "{s:s, s:o, s:s?, s:s?, s:s}", "job_no", j->job_no, "state",
                               fw_show_state(s, "cardstate", j->state), "card_no", j->card_no,
                               "reason", j->reason, "permit_no", j->permit_no));
    }
    fw_set(o, "before", before);
    return NULL;
}

bool fw_show_is_card(const fw_service *service)
{
    return service && strcmp(service->kind, "card") == 0;
}

const fw_err *fw_show_card(const fw_show *s, const fw_dossier *d, fw_job **job, fw_value *out)
{
    *out = fw_null();
    *job = NULL;
    if (!fw_show_is_card(d->service) || !d->kase->submitted)
        return NULL;
    FW_TRY(fw_job_of_case(s->db, d->kase->id, job, s->pool));
    if (!*job)
        return NULL;
    *out = one_card(s, *job);
    return set_before(s, *out, *job);
}

/* ---- what lies at a station ---- */

static fw_value one_line(const fw_show *s, const fw_job_line *l)
{
    fw_value o =
        fw_pack(s->pool, "{s:o, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:o}", "id",
                fw_show_id(s, l->case_id), "case_no", l->case_no, "worker", l->name_latin,
                "name_native", l->name_native, "passport_no", l->passport_no, "nationality",
                l->nationality, "card_no", l->card_no, "arrived", fw_time(l->arrived));

    fw_show_set(o, s, "href", "/handout/%" APR_INT64_T_FMT, l->case_id);
    return o;
}

static void set_next(const fw_show *s, fw_value model, const apr_array_header_t *list, int limit)
{
    const fw_job_line *last =
        list->nelts ? &APR_ARRAY_IDX(list, list->nelts - 1, fw_job_line) : NULL;

    fw_set(model, "next", fw_null());
    if (last && list->nelts == limit)
        fw_show_set(model, s, "next",
                    "/handout?arrived=%" APR_TIME_T_FMT "&after=%" APR_INT64_T_FMT, last->arrived,
                    last->id);
}

const fw_err *fw_show_handout(const fw_show *s, const fw_handout_ask *ask, fw_value *model)
{
    const char *station = s->actor->station ? s->actor->station : "";
    bool asked = ask->case_no && *ask->case_no;
    apr_array_header_t *list = NULL;
    fw_value cards = fw_list(s->pool);

    FW_TRY(asked ? fw_job_waiting_of(s->db, station, ask->case_no, &list, s->pool)
                 : fw_job_waiting(s->db, station, ask->arrived, ask->after, ask->limit, &list,
                                  s->pool));
    for (int i = 0; i < list->nelts; i++)
        fw_add(cards, one_line(s, &APR_ARRAY_IDX(list, i, fw_job_line)));
    *model = fw_pack(s->pool, "{s:s, s:o}", "q", asked ? ask->case_no : "", "cards", cards);
    set_place(s, *model, station);
    set_next(s, *model, list, asked ? -1 : ask->limit);
    return NULL;
}

/* ---- what is on its way, or at a station ---- */

static fw_value out_line(const fw_show *s, const fw_job_line *l)
{
    fw_value o = one_line(s, l);

    fw_set(o, "state", fw_show_state(s, "cardstate", l->card_state));
    fw_set(o, "sent", fw_time(l->sent));
    fw_set(o, "tracking", fw_text(l->tracking));
    set_place(s, o, l->station);
    fw_show_set(o, s, "href", "/cards/%" APR_INT64_T_FMT, l->case_id);
    return o;
}

const fw_err *fw_show_cards(const fw_show *s, const fw_cards_ask *ask, fw_value *model)
{
    bool all = s->actor->roles & FW_ROLE_DISPATCHER;
    const char *station = s->actor->station ? s->actor->station : "";
    apr_array_header_t *list = NULL;
    fw_value cards = fw_list(s->pool);
    const fw_job_line *last;

    FW_TRY(fw_job_out(s->db, all ? NULL : station, ask->ordered, ask->after, ask->limit, &list,
                      s->pool));
    for (int i = 0; i < list->nelts; i++)
        fw_add(cards, out_line(s, &APR_ARRAY_IDX(list, i, fw_job_line)));
    *model = fw_pack(s->pool, "{s:o, s:b, s:n}", "cards", cards, "is_all", all, "next");
    if (list->nelts < ask->limit)
        return NULL;
    last = &APR_ARRAY_IDX(list, list->nelts - 1, fw_job_line);
    fw_show_set(*model, s, "next", "/cards?ordered=%" APR_TIME_T_FMT "&after=%" APR_INT64_T_FMT,
                last->ordered, last->id);
    return NULL;
}

const fw_err *fw_show_card_out(const fw_show *s, const fw_dossier *d, fw_value *model)
{
    const fw_case *c = d->kase;
    fw_value o = fw_object(s->pool), part = {0};
    fw_job *job = NULL;
    bool out;

    *model = o;
    fw_set(o, "case", fw_show_case_head(s, c, true));
    FW_TRY(fw_show_card(s, d, &job, &part));
    fw_set(o, "card", part);
    fw_set(o, "version", fw_number(c->version));
    out = job && (strcmp(job->state, "sent") == 0 || strcmp(job->state, "arrived") == 0) &&
          fw_lifecycle_find(c->state, FW_CMD_CARD_LOST);
    fw_set(o, "action", fw_null());
    if (out)
        fw_show_set(o, s, "action", "/cards/%" APR_INT64_T_FMT "/lost", c->id);
    return NULL;
}

/* ---- one of them, at the counter ---- */

/* The photo on the form, beside which the bearer is looked at. */
static const char *photo_href(const fw_show *s, const fw_dossier *d)
{
    for (int i = 0; i < d->n_files; i++) {
        const fw_field *f = fw_service_field(d->service, d->files[i].slot);

        if (f && f->type == FW_FIELD_PHOTO)
            return apr_psprintf(s->pool,
                                "/review/%" APR_INT64_T_FMT "/files/%" APR_INT64_T_FMT "/view/1",
                                d->kase->id, d->files[i].id);
    }
    return NULL;
}

/* What the card replaces as soon as it is in the hand. */
static const fw_err *set_replaced(const fw_show *s, const fw_case *c, fw_value model)
{
    apr_array_header_t *list = NULL;
    fw_value replaced = fw_list(s->pool);

    FW_TRY(fw_permit_lives(s->db, c->worker_id, &list, s->pool));
    for (int i = 0; i < list->nelts; i++) {
        const fw_permit *p = &APR_ARRAY_IDX(list, i, fw_permit);

        if (p->id != c->permit_id)
            fw_add(replaced, fw_pack(s->pool, "{s:s, s:s}", "permit_no", p->permit_no, "valid_to",
                                     p->valid_to));
    }
    fw_set(model, "replaced", replaced);
    return NULL;
}

const fw_err *fw_show_handout_case(const fw_show *s, const fw_dossier *d, fw_value *model)
{
    const fw_case *c = d->kase;
    fw_value o = fw_object(s->pool), part = {0};
    fw_job *job = NULL;
    bool waits;

    *model = o;
    fw_set(o, "case", fw_show_case_head(s, c, true));
    FW_TRY(fw_show_card(s, d, &job, &part));
    fw_set(o, "card", part);
    FW_TRY(fw_show_permit(s, c->permit_id, &part));
    fw_set(o, "permit", part);
    FW_TRY(set_replaced(s, c, o));
    fw_set(o, "photo", fw_text(photo_href(s, d)));
    fw_set(o, "version", fw_number(c->version));
    waits = job && strcmp(job->state, "arrived") == 0 && c->state == FW_STATE_ISSUED;
    fw_set(o, "action", fw_null());
    fw_set(o, "lost_href", fw_null());
    if (!waits)
        return NULL;
    fw_show_set(o, s, "action", "/handout/%" APR_INT64_T_FMT, c->id);
    fw_show_set(o, s, "lost_href", "/cards/%" APR_INT64_T_FMT, c->id);
    return NULL;
}

/* ---- blanks ---- */

static fw_value beside(const fw_show *s, const char *key, int64_t ours, int64_t theirs)
{
    return fw_pack(s->pool, "{s:s, s:I, s:I, s:I}", "label", fw_show_text(s, key), "ours", ours,
                   "theirs", theirs, "difference", ours - theirs);
}

static fw_value one_shelf(const fw_show *s, const fw_shelf *x)
{
    int64_t free_ones = x->blanks - x->reserved;

    return fw_pack(s->pool, "{s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "store", x->store,
                   "at", fw_time(x->at), "blanks", x->blanks, "reserved", x->reserved, "free",
                   free_ones, "spoiled", x->spoiled, "delivered", x->delivered, "low_at", x->low_at,
                   "is_low", free_ones < x->low_at);
}

const fw_err *fw_show_stock(const fw_show *s, fw_value *out)
{
    apr_array_header_t *list = NULL;
    fw_value shelves = fw_list(s->pool), rows = fw_list(s->pool);
    fw_shelf all = {0};
    fw_blanks ours;

    *out = fw_null();
    if (!fw_settings_plugin_of(s->desk->settings, "card"))
        return NULL;
    FW_TRY(fw_stock_list(s->db, &ours, &list, s->pool));
    for (int i = 0; i < list->nelts; i++) {
        const fw_shelf *x = &APR_ARRAY_IDX(list, i, fw_shelf);

        all.reserved += x->reserved;
        all.spoiled += x->spoiled;
        all.delivered += x->delivered;
        fw_add(shelves, one_shelf(s, x));
    }
    fw_add(rows, beside(s, "stock.reserved", ours.reserved, all.reserved));
    fw_add(rows, beside(s, "stock.spoiled", ours.spoiled, all.spoiled));
    fw_add(rows, beside(s, "stock.delivered", ours.delivered, all.delivered));
    *out = fw_pack(s->pool, "{s:o, s:o, s:i, s:b}", "shelves", shelves, "rows", rows, "made",
                   ours.made, "is_told", list->nelts > 0);
    return NULL;
}
