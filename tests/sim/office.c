#include "sim.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_store_link.h"
#include "fw_store_party.h"
#include "fw_date.h"
#include "fw_store_refund.h"

/* Officers of the stations, the dispatcher, and the administrator. */

#define MANY 8

/* ---- reviews ---- */

static void return_case(sim_case *c, const sim_person *who)
{
    bool file = sim_chance(400);
    const char *marks = file ? "[{\"item\":\"passport_page\",\"reason\":\"not to be read\"}]"
                             : "[{\"item\":\"visa_no\",\"reason\":\"unknown\"}]";
    sim_answer a;

    if (sim_chance(50))
        marks = "[]";
    a = sim_give(who, (fw_command){.kind = FW_CMD_CASE_RETURN,
                                   .target = c->id,
                                   .marks = marks,
                                   .abroad = sim_chance(200)});
    if (sim_well(&a))
        c->mended = 0;
}

static void correct(const sim_case *c, const sim_person *who)
{
    const char *fields = apr_psprintf(sim.act, "{\"visa_no\":\"VC%d\"}", sim_below(1000000));

    if (sim_chance(100))
        fields = "{\"contract_to\":\"2001-01-01\"}";
    sim_give(who, (fw_command){.kind = FW_CMD_CASE_CORRECT, .target = c->id, .fields = fields});
}

static void say(const sim_case *c, const sim_person *who, fw_cmd_e kind)
{
    sim_give(who, (fw_command){
                      .kind = kind, .target = c->id, .reason = sim_chance(50) ? "" : "a reason"});
}

static void review_first(void)
{
    sim_case *c = sim_pick(FW_STATE_INITIAL_REVIEW);
    const sim_person *who = c ? sim_person_of(c->first_reviewer) : NULL;
    int what = sim_below(100);

    if (!c || sim_chance(30))
        who = sim_somebody(FW_ROLE_INITIAL, c ? c->station : NULL);
    if (!c || !who || who->gone)
        return;
    if (what < 70)
        say(c, who, FW_CMD_CASE_APPROVE);
    else if (what < 82)
        return_case(c, who);
    else if (what < 92)
        correct(c, who);
    else
        say(c, who, FW_CMD_CASE_REJECT);
}

/* All that lies on one desk, in one transaction; sometimes with a case that is not there to be approved. */
static void approve_many(void)
{
    const sim_case *first = sim_pick(FW_STATE_INITIAL_REVIEW);
    const sim_person *who = first ? sim_person_of(first->first_reviewer) : NULL;
    fw_command cmds[MANY] = {0};
    int n = 0;

    if (!who || who->gone)
        return;
    for (int i = 0; i < sim.cases->nelts && n < MANY; i++) {
        const sim_case *c = APR_ARRAY_IDX(sim.cases, i, sim_case *);

        if (c->first_reviewer == who->actor.account_id &&
            (c->state == FW_STATE_INITIAL_REVIEW || sim_chance(10)))
            cmds[n++] = (fw_command){.kind = FW_CMD_CASE_APPROVE, .target = c->id};
    }
    sim_give_all(who, cmds, n);
}

/* Who reviewed first, or corrected, tries to confirm. */
static void break_four_eyes(const sim_case *c)
{
    const sim_person *who = sim_person_of(c->first_reviewer);
    sim_answer a;

    if (!who || who->gone)
        return;
    a = sim_give(who, (fw_command){.kind = FW_CMD_CASE_CONFIRM, .target = c->id});
    if (a.end == SIM_REFUSED && strcmp(a.refused, "case.four_eyes") == 0)
        sim_hit(SIM_SAME_EYES);
}

static void review_second(void)
{
    sim_case *c = sim_pick(FW_STATE_SECOND_REVIEW);
    const sim_person *who = c ? sim_somebody(FW_ROLE_SECOND, c->station) : NULL;
    int what = sim_below(100);

    if (!who || (who->actor.account_id == c->first_reviewer && sim_chance(900)))
        return;
    if (what < 10)
        break_four_eyes(c);
    else if (what < 70)
        say(c, who, FW_CMD_CASE_CONFIRM);
    else if (what < 78)
        return_case(c, who);
    else if (what < 84)
        correct(c, who);
    else if (what < 94)
        say(c, who, FW_CMD_CASE_SEND_BACK);
    else
        say(c, who, FW_CMD_CASE_REJECT);
}

static void assign(void)
{
    const sim_case *c = sim_pick(sim_chance(600) ? FW_STATE_SUBMITTED : FW_STATE_INITIAL_REVIEW);
    const sim_person *who = sim_somebody(FW_ROLE_DISPATCHER, NULL);
    const sim_person *officer;

    if (!c || !who)
        return;
    officer = sim_somebody(FW_ROLE_INITIAL, sim_chance(100) ? NULL : c->station);
    sim_give(who, (fw_command){.kind = FW_CMD_CASE_ASSIGN,
                               .target = c->id,
                               .officer_id =
                                   officer && sim_chance(700) ? officer->actor.account_id : 0});
}

void sim_act_officer(void)
{
    int what = sim_below(100);

    if (what < 3)
        approve_many();
    else if (what < 50)
        review_first();
    else if (what < 90)
        review_second();
    else
        assign();
}

/* ---- the administrator ---- */

static const sim_person *admin(void)
{
    return sim_chance(300) ? &sim.system : sim_somebody(FW_ROLE_ADMIN, NULL);
}

static void revoke_permit(void)
{
    const sim_case *c = sim_pick(FW_STATE_ISSUED);

    if (c)
        sim_give(sim_somebody(FW_ROLE_ADMIN, NULL),
                 (fw_command){.kind = FW_CMD_PERMIT_REVOKE,
                              .target = c->permit_id,
                              .reason = sim_chance(100) ? NULL : "false papers"});
}

static void found_org(void)
{
    if (sim.names % 3 == 0 && sim.agencies->nelts < 5)
        sim_hire(FW_ROLE_AGENT, sim_found("agency"), NULL);
    else if (sim.employers->nelts < 12)
        sim_hire(FW_ROLE_EMPLOYER, sim_found("employer"), NULL);
}

static void hire(void)
{
    static const unsigned roles[] = {FW_ROLE_INITIAL, FW_ROLE_SECOND,
                                     FW_ROLE_INITIAL | FW_ROLE_SECOND,
                                     FW_ROLE_INITIAL | FW_ROLE_EMPLOYER, /* both sides: refused */
                                     0};

    if (sim.people->nelts < 60)
        sim_hire(roles[sim_below(5)], 0, sim_station(SIM_STATIONS - 1 - sim_below(2)));
}

/* Somebody leaves and comes back. */
static void update_account(void)
{
    sim_person *p = APR_ARRAY_IDX(sim.people, sim_below(sim.people->nelts), sim_person *);
    bool officer = p->actor.roles & (FW_ROLE_INITIAL | FW_ROLE_SECOND);
    const fw_account to = {.name = p->actor.name,
                           .email = "new@example.com",
                           .lang = "en",
                           .roles = p->actor.roles,
                           .org_id = p->actor.org_id,
                           .station = p->actor.station,
                           .active = officer ? p->gone || sim_chance(700) : true};
    sim_answer a = sim_give(
        admin(),
        (fw_command){.kind = FW_CMD_ACCOUNT_UPDATE, .target = p->actor.account_id, .account = &to});

    if (sim_well(&a))
        p->gone = !to.active;
}

static void change_password(void)
{
    const sim_person *p = APR_ARRAY_IDX(sim.people, sim_below(sim.people->nelts), sim_person *);
    const fw_account to = {.pw_hash = "$argon2id$other", .pw_old = "[]"};

    if (!p->gone)
        sim_give(sim_chance(700) ? p : admin(), (fw_command){.kind = FW_CMD_ACCOUNT_PASSWORD,
                                                             .target = p->actor.account_id,
                                                             .account = &to});
}

static void unlock(void)
{
    const sim_person *p = APR_ARRAY_IDX(sim.people, sim_below(sim.people->nelts), sim_person *);

    sim_give(admin(), (fw_command){.kind = FW_CMD_ACCOUNT_UNLOCK, .target = p->actor.account_id});
}

/* ---- delegations ---- */

static void grant(void)
{
    fw_id employer = APR_ARRAY_IDX(sim.employers, sim_below(sim.employers->nelts), fw_id);
    fw_id agency = APR_ARRAY_IDX(sim.agencies, sim_below(sim.agencies->nelts), fw_id);
    const sim_person *who = sim_chance(300) ? admin() : sim_filer(employer, 0);

    sim_give(
        who ? who : &sim.system,
        (fw_command){.kind = FW_CMD_DELEGATION_GRANT, .employer_id = employer, .target = agency});
    sim_delegations();
}

static void end_delegation(void)
{
    const sim_person *agent = sim_somebody(FW_ROLE_AGENT, NULL);
    fw_delegation *d = NULL;
    fw_id employer;

    if (!agent || agent->actor.n_employers == 0)
        return;
    employer = agent->actor.employers[sim_below(agent->actor.n_employers)];
    SIM_OK(fw_delegation_live(sim.db, employer, agent->actor.org_id, &d, sim.act));
    sim_give(sim_chance(500) ? admin() : sim_filer(employer, 0),
             (fw_command){.kind = FW_CMD_DELEGATION_REVOKE, .target = d->id});
    sim_delegations();
}

static void delegate(void)
{
    if (sim_chance(700))
        grant();
    else
        end_delegation();
}

/* ---- links and dead letters ---- */

static void tend_letter(void)
{
    apr_array_header_t *list = NULL;
    const fw_letter *l;
    fw_command cmd = {.kind = FW_CMD_OUTBOX_REPLAY};
    int what = sim_below(100);

    SIM_OK(fw_letter_list(sim.db, 50, &list, sim.act));
    if (list->nelts == 0)
        return;
    l = &APR_ARRAY_IDX(list, sim_below(list->nelts), fw_letter);
    cmd.target = l->id;
    if (what < 20 && strcmp(l->port, "notify") == 0) {
        cmd.kind = FW_CMD_OUTBOX_DROP;
        cmd.reason = "no such mailbox";
    } else if (what < 50 && strcmp(l->port, "notify") == 0) {
        cmd.kind = FW_CMD_OUTBOX_MEND;
        cmd.fields =
            sim_chance(200) ? "{}" : apr_psprintf(sim.act, "{\"what\":\"mended-%d\"}", ++sim.names);
    }
    sim_give(admin(), cmd);
}

static void tend_message(void)
{
    apr_array_header_t *list = NULL;

    SIM_OK(fw_message_list(sim.db, 50, &list, sim.act));
    if (list->nelts > 0)
        sim_give(admin(),
                 (fw_command){.kind = FW_CMD_INBOX_REPLAY,
                              .target =
                                  APR_ARRAY_IDX(list, sim_below(list->nelts), fw_dead_message).id});
}

static void tend_link(void)
{
    const char *plugin = sim_chance(500) ? "gateway" : "mail";
    bool paused = false;

    SIM_OK(fw_link_is_paused(sim.db, plugin, &paused, sim.act));
    if (sim_chance(50))
        paused = !paused;
    sim_give(admin(), (fw_command){.kind = paused ? FW_CMD_PLUGIN_RESUME : FW_CMD_PLUGIN_PAUSE,
                                   .plugin = plugin,
                                   .reason = "maintenance"});
}

/* ---- money that goes back ---- */

static const sim_person *cashier(void)
{
    return sim_somebody(FW_ROLE_CASHIER, NULL);
}

static const sim_order *some_order(void)
{
    int n = sim.orders->nelts;

    return n ? APR_ARRAY_IDX(sim.orders, sim_below(n), sim_order *) : NULL;
}

static void ask_refund(void)
{
    const sim_order *o = some_order();

    if (o && cashier())
        sim_give(cashier(), (fw_command){.kind = FW_CMD_REFUND_ASK,
                                         .target = o->payment,
                                         .amount = sim_chance(500) ? o->amount : sim_below(1200),
                                         .reason = sim_chance(50) ? "" : "a mistake"});
}

static void renew_receipt(void)
{
    const sim_order *o = some_order();

    if (o && cashier())
        sim_give(cashier(), (fw_command){.kind = FW_CMD_RECEIPT_RENEW,
                                         .target = o->payment,
                                         .reason = sim_chance(50) ? "" : "another name"});
}

static void settle_day(void)
{
    fw_date day = fw_date_of(sim.now - apr_time_from_sec(86400 * (apr_time_t)sim_below(3)));

    if (cashier())
        sim_give(cashier(),
                 (fw_command){.kind = FW_CMD_SETTLEMENT_ASK, .day = fw_date_text(day, sim.act)});
}

static void tend_refund(void)
{
    apr_array_header_t *list = NULL;
    const fw_refund *r;
    bool hand = sim_chance(600);

    SIM_OK(fw_refund_list(sim.db, sim_chance(50), 200, &list, sim.act));
    if (list->nelts == 0 || !cashier())
        return;
    r = &APR_ARRAY_IDX(list, sim_below(list->nelts), fw_refund_line).refund;
    sim_give(cashier(), (fw_command){.kind = hand ? FW_CMD_REFUND_PAY_OUT : FW_CMD_REFUND_AGAIN,
                                     .target = r->id,
                                     .version = sim_chance(900) ? r->version : r->version + 1,
                                     .reference = hand && sim_chance(950) ? "T1" : NULL});
}

void sim_act_admin(void)
{
    static void (*const acts[])(void) = {revoke_permit,   found_org,   hire,         update_account,
                                         change_password, unlock,      delegate,     delegate,
                                         tend_letter,     tend_letter, tend_message, tend_link,
                                         ask_refund,      tend_refund, settle_day,   renew_receipt};

    acts[sim_below(sizeof(acts) / sizeof(acts[0]))]();
}
