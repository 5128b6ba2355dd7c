#include "fw_config.h"
#include "fw_decide_card_int.h"

#include "fw_lifecycle.h"

/* A card that is not wanted any more. The bureau alone knows whether it comes in time. */

/* It is asked about that one soon: somebody waits. */
#define SOON apr_time_from_sec(3600)

bool fw_job_unmade(const fw_job *job)
{
    return job && !fw_card_is(job, "lost") && fw_card_rank(job->state) < fw_card_rank("made");
}

bool fw_decide_refuse_made(fw_deciding *d, const fw_job *job)
{
    return !fw_job_unmade(job) &&
           fw_card_refuse(d, FW_E_CONFLICT, NULL, job ? "card.too_late" : "case.state");
}

void fw_decide_card_stop(fw_deciding *d, const fw_case *kase, fw_job *job)
{
    job->ask_at = d->now + SOON;
    job->is_changed = true;
    d->out->changed |= FW_CH_JOB;
    fw_decide_send(d, "card", "card.cancel", kase->id, fw_decide_id(d), fw_card_payload(d, job),
                   false);
}

void fw_card_cancel(fw_deciding *d)
{
    fw_case *kase = d->view->kase;

    if (fw_card_refuse_stale(d) || fw_card_refuse_state(d) || fw_card_refuse_no_reason(d) ||
        fw_decide_refuse_made(d, d->view->job))
        return;
    fw_decide_move(d, kase, FW_CMD_CARD_CANCEL, d->view->detail);
    fw_decide_card_stop(d, kase, d->view->job);
}

void fw_card_come_late(fw_deciding *d)
{
    fw_job *job = d->view->job;

    fw_decide_move(d, d->view->kase, FW_CMD_CARD_LATE, NULL);
    job->ask_at = d->now;
    job->is_changed = true;
    d->out->changed |= FW_CH_JOB;
}

void fw_card_late(fw_deciding *d)
{
    if (d->view->job && !fw_card_refuse_state(d))
        fw_card_come_late(d);
}

bool fw_card_is_unwanted(const fw_deciding *d)
{
    const fw_case *kase = d->view->kase;

    return kase && kase->state == FW_STATE_WITHDRAWAL_ASKED;
}

void fw_card_end_unwanted(fw_deciding *d)
{
    fw_decide_duty(d, FW_STATE_WITHDRAWN);
    fw_decide_move(d, d->view->kase, FW_CMD_CARD_CANCELLED, NULL);
    fw_decide_give_back(d, d->view->kase, fw_cmd_name(FW_CMD_CASE_WITHDRAW));
}
