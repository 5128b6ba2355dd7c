#include "fw_config.h"
#include "fw_perform_int.h"

#include "fw_access.h"

static unsigned relations_case(const fw_actor *actor, const fw_case *c)
{
    return fw_access_relations(actor, c->employer_id, c->agency_id, c->station, c->first_reviewer,
                               c->second_reviewer);
}

static unsigned relations_worker(const fw_actor *actor, const fw_worker *w)
{
    return fw_access_relations(actor, w->employer_id, w->agency_id, NULL, 0, 0);
}

/* What all of the cases have in common. */
static unsigned relations_cases(const fw_actor *actor, const fw_view *view)
{
    unsigned rel = FW_REL_ANY;

    for (int i = 0; i < view->n_cases; i++)
        rel &= relations_case(actor, view->cases[i]);
    return rel ? rel : FW_REL_OTHER;
}

/* They make what they are about, or find it missing themselves. */
static const bool of_nothing[FW_CMDS] = {
    [FW_CMD_WORKER_REGISTER] = true,   [FW_CMD_ORG_CREATE] = true,
    [FW_CMD_ACCOUNT_CREATE] = true,    [FW_CMD_DELEGATION_GRANT] = true,
    [FW_CMD_DELEGATION_REVOKE] = true, [FW_CMD_MOVEMENT_TAKE] = true,
    [FW_CMD_LETTER_TAKE] = true,       [FW_CMD_CARD_STOCK] = true,
    [FW_CMD_FINE_TAKE] = true, /* a case that is not there is told by decide() */
};

static bool missing(const fw_performing *p)
{
    if (of_nothing[p->cmd->kind])
        return false;
    if (fw_perform_is_link(p->cmd->kind))
        return !p->is_there;
    if (fw_perform_is_job(p->cmd->kind))
        return !p->view.job;
    if (p->view.settlement)
        return false;
    switch ((int)p->cmd->kind) {
    case FW_CMD_LETTER_ANSWER:
        return !p->view.question;
    case FW_CMD_CASE_OPEN:
    case FW_CMD_WORKER_UPDATE:
    case FW_CMD_WORKER_REMIND:
    case FW_CMD_LETTER_ASK:
        return !p->view.worker || (p->cmd->kind == FW_CMD_CASE_OPEN && !p->service);
    case FW_CMD_PAYMENT_BEGIN:
        return p->view.n_cases != p->cmd->n_cases;
    case FW_CMD_ACCOUNT_UPDATE:
    case FW_CMD_ACCOUNT_PASSWORD:
    case FW_CMD_ACCOUNT_UNLOCK:
        return !p->view.account;
    case FW_CMD_PERMIT_REVOKE:
    case FW_CMD_PERMIT_TELL:
        return !p->view.permit;
    default:
        return !p->view.kase && !p->view.payment && !p->view.record;
    }
}

static unsigned relations(const fw_performing *p)
{
    const fw_actor *actor = p->cmd->actor;
    const fw_view *view = &p->view;

    switch ((int)p->cmd->kind) {
    case FW_CMD_LETTER_ASK:
        if (view->kase)
            return relations_case(actor, view->kase);
        return relations_worker(actor, view->worker);
    case FW_CMD_CASE_OPEN:
    case FW_CMD_WORKER_UPDATE:
        return relations_worker(actor, view->worker);
    case FW_CMD_WORKER_REGISTER:
    case FW_CMD_DELEGATION_GRANT:
        return fw_access_relations(actor, p->cmd->employer_id, 0, NULL, 0, 0);
    case FW_CMD_DELEGATION_REVOKE:
        return fw_access_relations(actor, view->delegation ? view->delegation->employer_id : 0, 0,
                                   NULL, 0, 0);
    case FW_CMD_ACCOUNT_PASSWORD:
        return actor->account_id == p->cmd->target ? FW_REL_OWN : FW_REL_OTHER;
    case FW_CMD_PAYMENT_BEGIN:
        return relations_cases(actor, view);
    default:
        return view->kase ? relations_case(actor, view->kase) : FW_REL_OTHER;
    }
}

/* What the actor has nothing to do with does not exist for it; what it may see and not do is forbidden. */
bool fw_perform_allowed(const fw_performing *p, fw_code_e *why)
{
    const char *what = fw_cmd_name(p->cmd->kind);
    unsigned rel;

    *why = FW_E_NOTFOUND;
    if (missing(p))
        return false;
    rel = relations(p);
    if (fw_access_allowed(what, p->cmd->actor->roles, rel))
        return true;
    if (rel != FW_REL_OTHER)
        *why = FW_E_FORBIDDEN;
    return false;
}
