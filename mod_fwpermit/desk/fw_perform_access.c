#include "fw_config.h"
#include "fw_perform_int.h"

#include "fw_access.h"

static unsigned relations_case(const fw_actor *actor, const fw_case *c)
{
    return fw_access_relations(actor, c->employer_id, c->agency_id, c->station, c->first_reviewer,
                               c->second_reviewer);
}

/* What all of the cases have in common. */
static unsigned relations_cases(const fw_actor *actor, const fw_view *view)
{
    unsigned rel = FW_REL_ANY;

    for (int i = 0; i < view->n_cases; i++)
        rel &= relations_case(actor, view->cases[i]);
    return rel ? rel : FW_REL_OTHER;
}

static bool missing(const fw_performing *p)
{
    switch ((int)p->cmd->kind) {
    case FW_CMD_CASE_OPEN:
    case FW_CMD_WORKER_UPDATE:
        return !p->view.worker || (p->cmd->kind == FW_CMD_CASE_OPEN && !p->service);
    case FW_CMD_PAYMENT_BEGIN:
        return p->view.n_cases != p->cmd->n_cases;
    case FW_CMD_ACCOUNT_UPDATE:
    case FW_CMD_ACCOUNT_PASSWORD:
    case FW_CMD_ACCOUNT_UNLOCK:
        return !p->view.account;
    case FW_CMD_WORKER_REGISTER:
    case FW_CMD_ORG_CREATE:
    case FW_CMD_ACCOUNT_CREATE:
    case FW_CMD_DELEGATION_GRANT:
    case FW_CMD_DELEGATION_REVOKE:
    case FW_CMD_OUTBOX_REPLAY:
        return false;
    case FW_CMD_PERMIT_REVOKE:
        return !p->view.permit;
    default:
        return !p->view.kase && !p->view.payment;
    }
}

static unsigned relations(const fw_performing *p)
{
    const fw_actor *actor = p->cmd->actor;
    const fw_view *view = &p->view;

    switch ((int)p->cmd->kind) {
    case FW_CMD_CASE_OPEN:
    case FW_CMD_WORKER_UPDATE:
        return fw_access_relations(actor, view->worker->employer_id, view->worker->agency_id, NULL,
                                   0, 0);
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
