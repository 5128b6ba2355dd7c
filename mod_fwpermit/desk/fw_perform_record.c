#include "fw_config.h"
#include "fw_perform_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_json.h"
#include "fw_store_case.h"
#include "fw_store_party.h"
#include "fw_store_payment.h"
#include "fw_store_record.h"

#define RECORDS_MOST 50 /* of one passport, or worker, looked through for the newest movement */

static bool same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

/* The newest registration of that passport and birth, with the employer whose letter it is. */
static const fw_err *match(fw_performing *p, const fw_record *r)
{
    apr_array_header_t *list = NULL;

    if (!r->passport_no || !r->nationality)
        return NULL;
    FW_TRY(fw_worker_of_passport(p->db, r->nationality, r->passport_no, &list, p->pool));
    for (int i = 0; i < list->nelts && !p->view.worker; i++) {
        fw_worker_match *m = &APR_ARRAY_IDX(list, i, fw_worker_match);

        if (same(m->worker.birth, r->birth) &&
            (!p->cmd->employer_ban || same(m->employer_ban, p->cmd->employer_ban)))
            p->view.worker = &m->worker;
    }
    return NULL;
}

static const char *direction_of(const fw_record *r, apr_pool_t *pool)
{
    return json_string_value(json_object_get(fw_json_parse(r->data, pool), "direction"));
}

static void weigh(fw_performing *p, const fw_record *r, const char *direction)
{
    fw_view *v = &p->view;

    if (!direction || !same(r->kind, "movement") || !same(r->state, "current") ||
        (v->movement && v->movement->at >= r->at))
        return;
    v->movement = r;
    v->arrived = same(direction, "arrival");
}

/* What is left of what the worker's movements say, and what was filed since. */
static const fw_err *weigh_others(fw_performing *p, fw_id at_hand)
{
    apr_array_header_t *list = NULL;
    fw_view *v = &p->view;

    FW_TRY(fw_record_of_worker(p->db, v->worker->id, RECORDS_MOST, &list, p->pool));
    for (int i = 0; i < list->nelts; i++) {
        const fw_record *r = &APR_ARRAY_IDX(list, i, fw_record);

        if (r->id != at_hand)
            weigh(p, r, direction_of(r, p->pool));
    }
    return v->movement
               ? fw_case_filed_since(p->db, v->worker->id, v->movement->at, &v->filed, p->pool)
               : NULL;
}

/* A country as machine-readable lines write it ("D") is the one that passports name ("DEU"). */
static void set_nationality(const fw_performing *p, fw_record *r)
{
    const fw_country *c = r->nationality ? fw_codes_country(p->desk->codes, r->nationality) : NULL;

    if (c)
        r->nationality = c->code;
}

static const fw_err *load_told(fw_performing *p)
{
    fw_view *v = &p->view;
    fw_record *was = NULL;

    v->record = apr_pmemdup(p->pool, p->cmd->record, sizeof(*v->record));
    set_nationality(p, v->record);
    FW_TRY(fw_record_by_name(p->db, v->record->kind, v->record->name, &was, p->pool));
    v->record_was = was;
    weigh(p, v->record, p->cmd->direction);
    if (was && was->worker_id)
        return fw_worker_load(p->db, was->worker_id, &v->worker, p->pool);
    return match(p, v->record);
}

static const fw_err *load_meant(fw_performing *p)
{
    fw_view *v = &p->view;

    FW_TRY(fw_record_load(p->db, p->cmd->target, &v->record, p->pool));
    weigh(p, v->record, direction_of(v->record, p->pool));
    return fw_worker_load(p->db, p->cmd->worker_id, &v->worker, p->pool);
}

const fw_err *fw_perform_record_load(fw_performing *p)
{
    fw_view *v = &p->view;

    FW_TRY(p->cmd->kind == FW_CMD_MOVEMENT_LINK ? load_meant(p) : load_told(p));
    if (!v->worker)
        return NULL;
    if (same(v->record->kind, "movement"))
        FW_TRY(weigh_others(p, v->record_was ? v->record_was->id : v->record->id));
    return fw_permit_live(p->db, v->worker->id, "card", &v->live, p->pool);
}

const fw_err *fw_perform_record_find(fw_performing *p)
{
    fw_worker *w = p->view.worker;
    apr_array_header_t *list = NULL;

    if (!w->passport_no || !w->nationality)
        return NULL;
    FW_TRY(
        fw_record_of_nobody(p->db, w->nationality, w->passport_no, RECORDS_MOST, &list, p->pool));
    for (int i = 0; i < list->nelts; i++) {
        const fw_record *r = &APR_ARRAY_IDX(list, i, fw_record);

        if (!same(r->birth, w->birth))
            continue;
        p->adopts = true;
        weigh(p, r, direction_of(r, p->pool));
    }
    return p->view.movement && w->id ? weigh_others(p, 0) : NULL;
}
