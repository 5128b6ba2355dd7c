#include "fw_config.h"
#include "fw_decide_int.h"

#include <string.h>

#include <apr_strings.h>

static bool empty(const char *s)
{
    return !s || !*s;
}

static void register_worker(fw_deciding *d)
{
    fw_worker *w = d->view->worker;

    if (d->cmd->version && d->cmd->version != w->version) {
        fw_decide_refuse(d, FW_E_CONFLICT, NULL, "worker.stale");
        return;
    }
    if (fw_decide_refuse_problems(d))
        return;
    if (d->view->taken) {
        fw_decide_refuse(d, FW_E_CONFLICT, "passport_no", "worker.known");
        return;
    }
    if (d->cmd->kind == FW_CMD_WORKER_REGISTER) {
        w->id = fw_decide_id(d);
        w->version = 0;
        w->created = d->now;
    }
    w->data = d->view->data;
    d->out->answer = w->id;
    d->out->changed |= FW_CH_WORKER;
    if (d->view->movement) /* told before anybody here knew the passport */
        fw_decide_stay(d, w);
}

static void create_org(fw_deciding *d)
{
    fw_org *org = d->view->org;

    *org = *d->cmd->org;
    if (empty(org->name_zh) && empty(org->name_en)) {
        fw_decide_refuse(d, FW_E_INPUT, "name", "problem.required");
        return;
    }
    if (d->view->taken) {
        fw_decide_refuse(d, FW_E_CONFLICT, "ban", "org.known");
        return;
    }
    org->id = fw_decide_id(d);
    org->version = 0;
    org->created = d->now;
    d->out->answer = org->id;
    d->out->changed |= FW_CH_ORG;
}

/* Nobody decides on what is one's own business; who files belongs to an organisation. */
static void judge_roles(fw_deciding *d, const fw_account *a)
{
    if (!a->roles)
        fw_decide_refuse(d, FW_E_INPUT, "role", "problem.required");
    if ((a->roles & FW_ROLES_APPLICANT) && (a->roles & FW_ROLES_OFFICER))
        fw_decide_refuse(d, FW_E_INPUT, "role", "account.both_sides");
    if ((a->roles & FW_ROLES_APPLICANT) && !a->org_id)
        fw_decide_refuse(d, FW_E_INPUT, "org", "problem.required");
}

static void create_account(fw_deciding *d)
{
    fw_account *a = d->view->account;

    *a = *d->cmd->account;
    if (empty(a->login))
        fw_decide_refuse(d, FW_E_INPUT, "login", "problem.required");
    if (d->view->taken)
        fw_decide_refuse(d, FW_E_CONFLICT, "login", "account.taken");
    if (empty(a->pw_hash))
        fw_decide_refuse(d, FW_E_INPUT, "password", "problem.required");
    judge_roles(d, a);
    if (d->out->verdict == FW_REFUSED)
        return;
    a->id = fw_decide_id(d);
    a->version = 0;
    a->active = true;
    a->created = d->now;
    d->out->answer = a->id;
    d->out->changed |= FW_CH_ACCOUNT;
}

static void update_account(fw_deciding *d)
{
    fw_account *a = d->view->account;
    const fw_account *to = d->cmd->account;

    if (!a) {
        fw_decide_refuse(d, FW_E_NOTFOUND, NULL, "account.unknown");
        return;
    }
    if (d->cmd->kind == FW_CMD_ACCOUNT_PASSWORD) {
        a->pw_hash = to->pw_hash;
        a->pw_old = to->pw_old;
        a->must_change = to->must_change;
    }
    if (d->cmd->kind == FW_CMD_ACCOUNT_PASSWORD || d->cmd->kind == FW_CMD_ACCOUNT_UNLOCK) {
        a->failures = 0;
        a->locked_until = 0;
    } else {
        fw_account after = *to;

        after.org_id = a->org_id;
        if (to->roles != a->roles)
            judge_roles(d, &after);
        if (d->out->verdict == FW_REFUSED)
            return;
        a->name = to->name;
        a->email = to->email;
        a->lang = to->lang;
        a->roles = to->roles;
        a->station = to->station;
        a->active = to->active;
    }
    d->out->answer = a->id;
    d->out->changed |= FW_CH_ACCOUNT;
}

static void change_delegation(fw_deciding *d)
{
    fw_delegation *g = d->view->delegation;

    if (d->cmd->kind == FW_CMD_DELEGATION_GRANT) {
        if (d->view->taken) {
            fw_decide_refuse(d, FW_E_CONFLICT, "agency", "delegation.exists");
            return;
        }
        g->id = fw_decide_id(d);
        g->version = 0;
        g->employer_id = d->cmd->employer_id;
        g->agency_id = d->cmd->target;
        g->granted = d->now;
    } else if (!g || g->revoked) {
        fw_decide_refuse(d, FW_E_NOTFOUND, NULL, "delegation.unknown");
        return;
    } else {
        g->revoked = d->now;
    }
    d->out->answer = g->id;
    d->out->changed |= FW_CH_DELEGATION;
}

void fw_decide_party(fw_deciding *d)
{
    switch ((int)d->cmd->kind) {
    case FW_CMD_WORKER_REGISTER:
    case FW_CMD_WORKER_UPDATE:
        register_worker(d);
        break;
    case FW_CMD_ORG_CREATE:
        create_org(d);
        break;
    case FW_CMD_ACCOUNT_CREATE:
        create_account(d);
        break;
    case FW_CMD_ACCOUNT_UPDATE:
    case FW_CMD_ACCOUNT_PASSWORD:
    case FW_CMD_ACCOUNT_UNLOCK:
        update_account(d);
        break;
    default:
        change_delegation(d);
        break;
    }
}
