#include "fw_config.h"
#include "fw_decide_int.h"

#include <apr_strings.h>

/* A case that comes to nothing: what it fulfilled is open again, what was paid for it goes back. */

void fw_decide_duty(fw_deciding *d, fw_state_e to)
{
    fw_worker *w = d->view->worker;
    bool undone = to == FW_STATE_WITHDRAWN || to == FW_STATE_REJECTED || to == FW_STATE_EXPIRED;
    apr_time_t mine = d->view->kase->submitted;

    if (!w || !w->file_by || (undone ? !mine || w->filed != mine : w->filed != 0))
        return;
    if (!undone)
        fw_decide_lateness(d, d->view->kase, w);
    w->filed = undone ? 0 : d->now;
    d->out->changed |= FW_CH_WORKER;
}

void fw_decide_give_back(fw_deciding *d, const fw_case *kase, const char *cause)
{
    fw_payment *paid = d->view->priors ? d->view->priors[0] : NULL;
    fw_id *cases;

    if (!paid || paid->state != FW_PAY_PAID || kase->fee <= 0 || paid->promised >= paid->amount ||
        (kase->state != FW_STATE_WITHDRAWN && kase->state != FW_STATE_REJECTED &&
         kase->state != FW_STATE_EXPIRED))
        return;
    cases = apr_palloc(d->pool, sizeof(*cases));
    cases[0] = kase->id;
    fw_decide_event(d, kase, "refund.ask", kase->state, NULL);
    fw_decide_refund_open(d, paid, cases, 1, kase->fee, cause);
    d->out->changed |= FW_CH_PRIORS;
}
