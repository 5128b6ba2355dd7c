#include "fw_config.h"
#include "fw_perform_int.h"

#include <apr_strings.h>

#include "fw_store_card.h"
#include "fw_store_payment.h"

/* What commands about cards need and change. */

static const fw_err *found(const fw_err *err)
{
    return err && err->code == FW_E_NOTFOUND ? NULL : err;
}

bool fw_perform_is_job(fw_cmd_e cmd)
{
    return cmd == FW_CMD_CARD_STEP || cmd == FW_CMD_CARD_ARRIVE || cmd == FW_CMD_CARD_CHECK ||
           cmd == FW_CMD_CARD_CANCELLED || cmd == FW_CMD_CARD_LATE;
}

const fw_err *fw_perform_job_load(fw_performing *p)
{
    return found(fw_job_load(p->db, p->cmd->target, &p->view.job, p->pool));
}

/* What the bureau says: whether that card is another job's, and whether the station is one of ours. */
static const fw_err *load_told(fw_performing *p)
{
    const fw_job *told = p->cmd->job;
    fw_view *v = &p->view;
    fw_job *newest = NULL;

    v->permit = apr_pcalloc(p->pool, sizeof(*v->permit));
    if (told->station && fw_codes_station_of(p->desk->codes, told->station))
        v->station = told->station;
    if (!v->job)
        return NULL;
    FW_TRY(fw_job_of_case(p->db, v->job->case_id, &newest, p->pool));
    v->job_was = newest;
    if (!told->card_no)
        return NULL;
    return fw_job_has_card(p->db, told->card_no, v->job->id, &v->taken, p->pool);
}

static const fw_err *load_order(fw_performing *p)
{
    fw_job *was = NULL;

    p->view.job = apr_pcalloc(p->pool, sizeof(*p->view.job));
    if (!p->view.kase)
        return NULL;
    FW_TRY(fw_job_of_case(p->db, p->view.kase->id, &was, p->pool));
    p->view.job_was = was;
    return NULL;
}

/* The case's card, and its permit where it has one. */
static const fw_err *load_out(fw_performing *p)
{
    fw_view *v = &p->view;

    if (!v->kase)
        return NULL;
    FW_TRY(fw_job_of_case(p->db, v->kase->id, &v->job, p->pool));
    return found(fw_permit_load(p->db, v->kase->permit_id, &v->permit, p->pool));
}

static const fw_err *load_collect(fw_performing *p)
{
    fw_view *v = &p->view;
    apr_array_header_t *list = NULL;

    FW_TRY(load_out(p));
    if (!v->kase)
        return NULL;
    FW_TRY(fw_permit_lives(p->db, v->kase->worker_id, &list, p->pool));
    v->lives = apr_pcalloc(p->pool, sizeof(fw_permit *) * (apr_size_t)(list->nelts + 1));
    for (int i = 0; i < list->nelts; i++)
        v->lives[v->n_lives++] = &APR_ARRAY_IDX(list, i, fw_permit);
    return NULL;
}

/* Of the cases that are in production. */
static const fw_err *load_jobs(fw_performing *p)
{
    fw_view *v = &p->view;

    v->jobs = apr_pcalloc(p->pool, sizeof(fw_job *) * (apr_size_t)(v->n_cases + 1));
    for (int i = 0; i < v->n_cases; i++) {
        if (v->cases[i]->state == FW_STATE_PRODUCING)
            FW_TRY(fw_job_of_case(p->db, v->cases[i]->id, &v->jobs[i], p->pool));
    }
    return NULL;
}

static const fw_err *load_stock(fw_performing *p)
{
    fw_shelf *was = NULL;

    FW_TRY(fw_stock_load(p->db, p->cmd->shelf->store, &was, p->pool));
    p->view.shelf_was = was;
    return NULL;
}

const fw_err *fw_perform_card_load(fw_performing *p)
{
    switch ((int)p->cmd->kind) {
    case FW_CMD_CARD_ORDER:
        return load_order(p);
    case FW_CMD_CARD_STEP:
    case FW_CMD_CARD_ARRIVE:
    case FW_CMD_CARD_CANCELLED:
        return load_told(p);
    case FW_CMD_CARD_COLLECT:
        return load_collect(p);
    case FW_CMD_CARD_LOST:
        return load_out(p);
    case FW_CMD_REFUND_ASK:
        return load_jobs(p);
    case FW_CMD_CARD_AGAIN:
    case FW_CMD_CARD_CANCEL:
    case FW_CMD_CASE_WITHDRAW:
        return p->view.kase ? fw_job_of_case(p->db, p->view.kase->id, &p->view.job, p->pool) : NULL;
    case FW_CMD_CARD_STOCK:
        return load_stock(p);
    default:
        return NULL;
    }
}

const fw_err *fw_perform_card_keep(fw_performing *p)
{
    if (p->out.changed & FW_CH_LIVES) {
        for (int i = 0; i < p->view.n_lives; i++)
            FW_TRY(fw_permit_put(p->db, p->view.lives[i], p->pool));
    }
    if (p->out.changed & FW_CH_JOB && p->view.job)
        FW_TRY(fw_job_put(p->db, p->view.job, p->pool));
    for (int i = 0; i < p->view.n_cases && p->view.jobs; i++) {
        if (p->view.jobs[i] && p->view.jobs[i]->is_changed)
            FW_TRY(fw_job_put(p->db, p->view.jobs[i], p->pool));
    }
    return p->out.changed & FW_CH_SHELF ? fw_stock_put(p->db, p->cmd->shelf, p->pool) : NULL;
}
