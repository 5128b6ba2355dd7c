#include "fw_config.h"
#include "fw_decide_card_int.h"

#include <string.h>

/* A card at the counter of its station: into the hand of who asked for it; or lost before. */

static bool refuse_code(fw_deciding *d, const fw_job *job)
{
    const char *code = d->cmd->code;

    if (!code || !*code)
        return fw_card_refuse(d, FW_E_INPUT, "code", "field.required");
    if (!job->code || strcmp(job->code, code) != 0)
        return fw_card_refuse(d, FW_E_INPUT, "code", "card.wrong_code");
    return false;
}

static bool refuse_collect(fw_deciding *d, const fw_job *job)
{
    const fw_permit *permit = d->view->permit;

    if (fw_card_refuse_stale(d))
        return true;
    if (job && fw_card_is(job, "collected"))
        return fw_card_refuse(d, FW_E_CONFLICT, NULL, "card.collected");
    if (fw_card_refuse_state(d))
        return true;
    if (!job || !fw_card_is(job, "arrived"))
        return fw_card_refuse(d, FW_E_CONFLICT, NULL, "case.state");
    if (!permit || strcmp(permit->state, "waiting") != 0)
        return fw_card_refuse(d, FW_E_CONFLICT, NULL, "permit.not_valid");
    return refuse_code(d, job);
}

/* What the card replaces ends in the instant in which it is in the hand. */
static void supersede_all(fw_deciding *d)
{
    for (int i = 0; i < d->view->n_lives; i++) {
        fw_permit *live = d->view->lives[i];

        live->state = "superseded";
        live->ended = d->now;
        live->reason = "card";
        fw_decide_tell_border(d, live, d->view->permit);
        d->out->changed |= FW_CH_LIVES;
    }
}

void fw_card_collect(fw_deciding *d)
{
    fw_job *job = d->view->job;

    if (refuse_collect(d, job))
        return;
    job->state = "collected";
    job->collected = d->now;
    job->collected_by = d->cmd->actor->account_id;
    supersede_all(d);
    d->view->permit->state = "valid";
    fw_decide_tell_border(d, d->view->permit, NULL);
    d->out->changed |= FW_CH_JOB | FW_CH_PERMIT;
    fw_decide_move(d, d->view->kase, FW_CMD_CARD_COLLECT, NULL);
}

/* ---- lost before the hand-out ---- */

static bool refuse_loss(fw_deciding *d, const fw_job *job)
{
    const fw_permit *permit = d->view->permit;

    if (fw_card_refuse_stale(d) || fw_card_refuse_state(d) || fw_card_refuse_no_reason(d))
        return true;
    if (!job || (!fw_card_is(job, "sent") && !fw_card_is(job, "arrived")))
        return fw_card_refuse(d, FW_E_CONFLICT, NULL, "card.not_out");
    if (fw_card_is(job, "arrived") && (!permit || strcmp(permit->state, "waiting") != 0))
        return fw_card_refuse(d, FW_E_CONFLICT, NULL, "permit.not_valid");
    return false;
}

/* The permit of a card that lay at the station and is gone: whoever finds it holds nothing. */
static void end_waiting(fw_deciding *d, fw_case *kase)
{
    fw_permit *permit = d->view->permit;

    permit->state = "revoked";
    permit->reason = "card_lost";
    permit->ended = d->now;
    kase->permit_id = 0;
    d->out->changed |= FW_CH_PERMIT;
}

void fw_card_lose(fw_deciding *d)
{
    fw_case *kase = d->view->kase;
    fw_job *job = d->view->job;

    if (refuse_loss(d, job))
        return;
    if (fw_card_is(job, "arrived"))
        end_waiting(d, kase);
    job->state = "lost";
    job->reason = d->cmd->reason;
    job->code = NULL;
    job->ask_at = 0;
    d->out->changed |= FW_CH_JOB;
    fw_decide_move(d, kase, FW_CMD_CARD_LOST, d->view->detail);
    fw_card_make_another(d, kase);
}
