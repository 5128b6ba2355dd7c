#include "fw_config.h"
#include "fw_decide_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_date.h"

/* The settlement of a day: asked for when the day is over, and as often as one likes; each answer takes the place of the one before. */

/* A day as a number, in the outbox the identity of what is asked about it: 20261125. */
static fw_id number_of(fw_date day)
{
    return (fw_id)day.y * 10000 + day.m * 100 + day.d;
}

static bool refuse_ask(fw_deciding *d, const fw_settlement *s, fw_date *day)
{
    if (!fw_date_parse(d->cmd->day, day))
        fw_decide_refuse(d, FW_E_INPUT, "day", "settlement.day");
    else if (fw_date_compare(*day, fw_date_of(d->now)) >= 0)
        fw_decide_refuse(d, FW_E_CONFLICT, "day", "settlement.not_over");
    else if (s->version > 0 && strcmp(s->state, "asked") == 0)
        fw_decide_refuse(d, FW_E_CONFLICT, "day", "settlement.under_way");
    return d->out->verdict == FW_REFUSED;
}

static void ask(fw_deciding *d, fw_settlement *s)
{
    fw_date day;

    if (refuse_ask(d, s, &day))
        return;
    s->day = d->cmd->day;
    s->state = "asked";
    s->asked = d->now;
    s->reason = NULL;
    d->out->changed |= FW_CH_SETTLEMENT;
    d->out->verdict = FW_ACCEPTED;
    fw_decide_send(d, "payment", "payment.settlement", number_of(day), fw_decide_id(d),
                   apr_psprintf(d->pool, "{\"day\":\"%s\"}", s->day), true);
}

static void end(fw_deciding *d, fw_settlement *s)
{
    const fw_settlement *found = d->cmd->settlement;

    if (s->version == 0 || strcmp(s->state, "asked") != 0)
        return;
    s->closed = d->now;
    s->reason = d->cmd->reason;
    s->state = "failed";
    if (d->cmd->kind == FW_CMD_SETTLEMENT_CLOSE) {
        s->lines = found->lines;
        s->taken = found->taken;
        s->paid_back = found->paid_back;
        s->fees = found->fees;
        s->n_differences = found->n_differences;
        s->differences = found->differences;
        s->state = found->n_differences ? "differs" : "even";
    }
    d->out->changed |= FW_CH_SETTLEMENT;
}

void fw_decide_settlement(fw_deciding *d)
{
    if (d->cmd->kind == FW_CMD_SETTLEMENT_ASK)
        ask(d, d->view->settlement);
    else
        end(d, d->view->settlement);
}
