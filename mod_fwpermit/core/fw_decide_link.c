#include "fw_config.h"
#include "fw_decide_int.h"

/* Links that are held back, and dead letters. */

static bool refuse_no_reason(fw_deciding *d)
{
    if (d->cmd->reason && *d->cmd->reason)
        return false;
    fw_decide_refuse(d, FW_E_INPUT, "reason", "case.reason_missing");
    return true;
}

static void pause_link(fw_deciding *d)
{
    if (d->view->taken)
        fw_decide_refuse(d, FW_E_CONFLICT, NULL, "link.paused_already");
    else
        refuse_no_reason(d);
}

static void mend(fw_deciding *d)
{
    if (!fw_decide_refuse_problems(d) && d->view->n_touched == 0)
        fw_decide_refuse(d, FW_E_INPUT, NULL, "letter.nothing_changed");
}

void fw_decide_link(fw_deciding *d)
{
    fw_cmd_e cmd = d->cmd->kind;

    if (cmd == FW_CMD_PLUGIN_PAUSE)
        pause_link(d);
    else if (cmd == FW_CMD_PLUGIN_RESUME && !d->view->taken)
        fw_decide_refuse(d, FW_E_CONFLICT, NULL, "link.not_paused");
    else if (cmd == FW_CMD_OUTBOX_MEND)
        mend(d);
    else if (cmd == FW_CMD_OUTBOX_DROP)
        refuse_no_reason(d);
}
