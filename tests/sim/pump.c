#include "sim_pump.h"

#include <string.h>

#include <apr_strings.h>
#include <jansson.h>

#include "fw_json.h"
#include "fw_random.h"
#include "fw_rules.h"
#include "fw_store_card.h"
#include "fw_store_case.h"
#include "fw_store_link.h"
#include "fw_store_outbox.h"
#include "fw_store_party.h"
#include "fw_store_payment.h"
#include "fw_settle.h"

/* What the pump and the clock do. */

#define LEASE     apr_time_from_sec(70)
#define WAIT      apr_time_from_sec(30)
#define HOUR      apr_time_from_sec(3600)
#define A_ROUND   200
#define A_TURN    10 /* deliveries, at most */
#define EVER      1000000
#define CODE_DAYS 3
#define ROUNDS    400 /* at the end, at most */
#define OWNER     "node:1"
#define SILENT    3 /* of so many cases one is not answered */

/* ---- deliveries ---- */

fw_id sim_payload_id(const fw_delivery *d, const char *name)
{
    json_t *o = fw_json_parse(d->payload, sim.act);
    const char *text = json_string_value(json_object_get(o, name));

    return text ? apr_atoi64(text) : 0;
}

ending_e sim_end_of(const sim_answer *a)
{
    if (a->end == SIM_ERROR)
        return END_AGAIN;
    return a->end == SIM_REFUSED ? END_DEAD : END_DONE;
}

static ending_e begin(const fw_delivery *d)
{
    fw_command cmd = {.kind = FW_CMD_PAYMENT_BEGUN,
                      .target = sim_payload_id(d, "payment"),
                      .redirect = "{\"action\":\"https://pay.example\"}"};
    fw_payment *p = NULL;
    sim_answer a;

    SIM_OK(fw_payment_load(sim.db, cmd.target, &p, sim.act));
    if (p->state != FW_PAY_WANTED)
        return END_DONE;
    sim_take_order(p);
    a = sim_give(&sim.system, cmd);
    return sim_end_of(&a);
}

static ending_e give_up(const fw_delivery *d)
{
    sim_answer a = sim_give(&sim.system, (fw_command){.kind = FW_CMD_PAYMENT_FAIL,
                                                      .target = sim_payload_id(d, "payment"),
                                                      .reason = "not_begun"});

    return a.end == SIM_ERROR ? END_AGAIN : END_DEAD;
}

static sim_answer settle(const fw_payment *p, int64_t amount)
{
    bool late = p->state == FW_PAY_EXPIRED || p->state == FW_PAY_FAILED;
    sim_answer a = sim_give(&sim.system, (fw_command){.kind = FW_CMD_PAYMENT_SETTLE,
                                                      .target = p->id,
                                                      .amount = amount,
                                                      .gateway_no = "G1",
                                                      .at = sim.now});

    if (late && sim_well(&a))
        sim_hit(SIM_PAID_LATE);
    return a;
}

static ending_e query(const fw_delivery *d)
{
    fw_payment *p = NULL;
    const sim_order *o;
    sim_answer a;

    SIM_OK(fw_payment_load(sim.db, sim_payload_id(d, "payment"), &p, sim.act));
    o = sim_order_of(p->id);
    if (p->state == FW_PAY_PAID || !o || !o->taken)
        return END_DONE;
    a = settle(p, o->amount);
    return sim_end_of(&a);
}

/* The day's lines are what the database has: what differs is for the HTTP tests. */
static ending_e settle_day(const fw_delivery *d)
{
    json_t *o = fw_json_parse(d->payload, sim.act);
    const char *day = json_string_value(json_object_get(o, "day"));
    fw_settlement found;
    sim_answer a;

    if (!sim.calm && sim_chance(300)) {
        a = sim_give(&sim.system,
                     (fw_command){.kind = FW_CMD_SETTLEMENT_FAIL, .day = day, .reason = "no file"});
        return sim_end_of(&a);
    }
    SIM_OK(fw_settle_compare(sim.db, day, NULL, &found, sim.act));
    a = sim_give(&sim.system,
                 (fw_command){.kind = FW_CMD_SETTLEMENT_CLOSE, .day = day, .settlement = &found});
    return sim_end_of(&a);
}

static ending_e add_document(fw_id kase, fw_id payment, const char *kind, const char *number)
{
    const fw_document doc = {.kind = kind,
                             .number = number,
                             .payment_id = payment,
                             .vault = "0123456789abcdef0123456789abcdef",
                             .sha256 = "00",
                             .size = 1};
    sim_answer a = sim_give(
        &sim.system, (fw_command){.kind = FW_CMD_DOCUMENT_ADD, .target = kase, .document = &doc});

    return sim_end_of(&a);
}

static ending_e press_filing(const fw_delivery *d)
{
    fw_case *c = NULL;

    SIM_OK(fw_case_load(sim.db, sim_payload_id(d, "case"), &c, sim.act));
    return add_document(c->id, 0, "filing", c->case_no);
}

static ending_e press_receipt(const fw_delivery *d)
{
    fw_document *there = NULL;
    const char *number;
    fw_payment *p = NULL;

    SIM_OK(fw_payment_load(sim.db, sim_payload_id(d, "payment"), &p, sim.act));
    number = apr_psprintf(sim.act, "%" APR_INT64_T_FMT, p->receipt_no);
    SIM_OK(fw_document_by_number(sim.db, "receipt", number, &there, sim.act));
    return there ? END_DONE : add_document(p->cases[0], p->id, "receipt", number);
}

static ending_e issue(const fw_case *c, const fw_service *service)
{
    fw_terms terms = {0};
    fw_permit permit = {.kind = service->kind};
    fw_document doc = {
        .kind = "permit", .vault = "0123456789abcdef0123456789abcdef", .sha256 = "00", .size = 1};
    sim_answer a;

    fw_terms_reckon(&terms, sim.desk->rules, sim.desk->calendar, service, c->data, sim.now,
                    sim.act);
    permit.permit_no = apr_pstrcat(sim.act, service->prefix, c->case_no, NULL);
    permit.valid_from = terms.valid_from;
    permit.valid_to = terms.valid_to;
    if (strcmp(service->kind, "card") == 0) {
        a = sim_give(&sim.system,
                     (fw_command){.kind = FW_CMD_CARD_ORDER, .target = c->id, .permit = &permit});
        return sim_end_of(&a);
    }
    SIM_OK(fw_code_draw(&permit.code, 16, sim.act));
    doc.number = permit.permit_no;
    a = sim_give(&sim.system, (fw_command){.kind = FW_CMD_PERMIT_ISSUE,
                                           .target = c->id,
                                           .permit = &permit,
                                           .document = &doc});
    return sim_end_of(&a);
}

static ending_e press_permit(const fw_delivery *d)
{
    const fw_service *service = NULL;
    fw_case *c = NULL;

    SIM_OK(fw_case_load(sim.db, sim_payload_id(d, "case"), &c, sim.act));
    if (c->permit_id)
        return END_DONE;
    if (c->state != FW_STATE_PRODUCING)
        return END_DEAD;
    SIM_OK(fw_desk_service(sim.desk, sim.db, c->service, c->service_hash, &service, sim.act));
    return issue(c, service);
}

static ending_e tell_fines(const fw_delivery *d)
{
    fw_id kase = sim_payload_id(d, "case");
    sim_answer a;

    if (!sim.calm && kase % SILENT == 0)
        return END_DONE; /* its answer comes by a message, at last */
    a = sim_fines_told(kase);
    return sim_end_of(&a);
}

static ending_e notify(const fw_delivery *d)
{
    (void)d;
    return END_DONE;
}

static const struct {
    const char *op;
    ending_e (*run)(const fw_delivery *d);
} ops[] = {{"payment.begin", begin},         {"payment.query", query},
           {"payment.refund", sim_refund},   {"payment.settlement", settle_day},
           {"notify.send", notify},          {"press.filing", press_filing},
           {"press.receipt", press_receipt}, {"press.permit", press_permit},
           {"penalty.put", tell_fines},      {"penalty.find", tell_fines},
           {"labour.find", sim_letter_find}, {"scan.scan", sim_scan},
           {"card.order", sim_card_order},   {"card.find", sim_card_find},
           {"card.cancel", sim_card_cancel}, {"border.permit", sim_border_permit}};

static ending_e give_up_on(const fw_delivery *d)
{
    if (strcmp(d->op, "payment.refund") == 0)
        return sim_refund_give_up(d);
    if (strcmp(d->op, "labour.find") == 0)
        return sim_letter_give_up(d);
    return strcmp(d->op, "payment.begin") == 0 ? give_up(d) : END_DEAD;
}

static ending_e run(const fw_delivery *d)
{
    if (!sim.calm && sim_chance(60)) {
        sim_hit(SIM_PLUGIN_AWAY);
        return END_AGAIN;
    }
    if (!sim.calm && sim_chance(30)) {
        sim_hit(SIM_DEAD_LETTER);
        return give_up_on(d);
    }
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        if (strcmp(ops[i].op, d->op) == 0)
            return ops[i].run(d);
    }
    sim_fail("nobody delivers %s", d->op);
}

static bool note(const fw_delivery *d, ending_e end)
{
    bool mine = false;

    SIM_OK(fw_db_begin(sim.db));
    if (end == END_DONE)
        SIM_OK(fw_outbox_done(sim.db, d, sim.now, NULL, &mine, sim.act));
    else if (end == END_AGAIN)
        SIM_OK(fw_outbox_again(sim.db, d, sim.now, WAIT, "away", &mine, sim.act));
    else
        SIM_OK(fw_outbox_dead(sim.db, d, sim.now, "given up", &mine, sim.act));
    SIM_OK(fw_db_commit(sim.db));
    return mine;
}

/* An earlier attempt answers after all: its answer counts for nothing. */
static void answer_late(const fw_delivery *d)
{
    fw_delivery earlier = *d;

    if (d->attempt < 2 || sim.calm || !sim_chance(300))
        return;
    earlier.attempt--;
    if (note(&earlier, END_DONE))
        sim_fail("the answer of an earlier attempt at %s counts", d->key);
    sim_hit(SIM_OVERTAKEN);
}

static bool is_paused(const char *port)
{
    const char *plugin = strcmp(port, "payment") == 0  ? "gateway"
                         : strcmp(port, "notify") == 0 ? "mail"
                                                       : NULL;
    bool paused = false;

    if (plugin)
        SIM_OK(fw_link_is_paused(sim.db, plugin, &paused, sim.act));
    return paused;
}

/* Files are what comes most often. */
static const char *const ports[] = {"payment", "notify", "press", "penalty", "labour",
                                    "card",    "scan",   "scan",  "border"};
#define PORTS ((int)(sizeof(ports) / sizeof(ports[0])))

/* True where there was something to deliver. */
static bool deliver(const char *port)
{
    fw_delivery *d = NULL;
    ending_e end;

    if (is_paused(port))
        return false;
    SIM_OK((!sim.calm && sim_chance(300) ? fw_outbox_claim_urgent : fw_outbox_claim)(
        sim.db, port, OWNER, sim.now, sim.now + LEASE, &d, sim.act));
    if (!d)
        return false;
    answer_late(d);
    end = run(d);
    if (!sim.calm && sim_chance(20)) {
        sim_hit(SIM_PUMP_STOPPED);
        return true;
    }
    if (!note(d, end))
        sim_fail("the answer at %s does not count", d->key);
    return true;
}

void sim_scan_all(void)
{
    while (deliver("scan"))
        ;
}

/* ---- messages ---- */

static sim_answer act_on(const fw_payment *p, const char *fact, int64_t amount)
{
    fw_command cmd = {.kind = FW_CMD_PAYMENT_FAIL, .target = p->id, .reason = "gateway:0"};

    if (strcmp(fact, "paid") == 0)
        return settle(p, amount);
    if (strcmp(fact, "code_issued") == 0)
        cmd = (fw_command){.kind = FW_CMD_PAYMENT_CODE,
                           .target = p->id,
                           .code = "{\"bank\":\"004\"}",
                           .gateway_no = "G1",
                           .at = sim.now + CODE_DAYS * 24 * HOUR};
    return sim_give(&sim.system, cmd);
}

static void judge_fact(const fw_payment *p, const char *fact, int64_t amount, const sim_answer *a)
{
    if (strcmp(fact, "paid") == 0 && amount != p->amount && p->state != FW_PAY_PAID && sim_well(a))
        sim_fail("another amount is taken for order %s", p->order_no);
    if (a->end == SIM_REFUSED && strcmp(a->refused, "payment.wrong_amount") == 0)
        sim_hit(SIM_WRONG_AMOUNT);
    if (strcmp(fact, "failed") == 0 && p->state == FW_PAY_PAID && sim_well(a))
        sim_hit(SIM_FAILED_LATE);
}

static const char *take_message(const fw_message *m)
{
    json_t *o = fw_json_parse(m->body, sim.act);
    const char *order = json_string_value(json_object_get(o, "order_no"));
    const char *fact = json_string_value(json_object_get(o, "fact"));
    fw_payment *p = NULL;
    int64_t amount;
    sim_answer a;
    fw_id id = 0;

    SIM_OK(fw_payment_by_order(sim.db, order, &id, sim.act));
    if (!id) {
        sim_hit(SIM_UNKNOWN_ORDER);
        return "refused";
    }
    SIM_OK(fw_payment_load(sim.db, id, &p, sim.act));
    amount = json_integer_value(json_object_get(o, "amount"));
    a = act_on(p, fact, amount);
    judge_fact(p, fact, amount, &a);
    if (a.end == SIM_ERROR)
        return NULL;
    return a.end == SIM_REFUSED ? "refused" : "done";
}

static bool take_up(void)
{
    fw_message *m = NULL;
    const char *state;

    if (is_paused("payment"))
        return false;
    SIM_OK(fw_inbox_claim(sim.db, "gateway", OWNER, sim.now, sim.now + LEASE, &m, sim.act));
    if (!m)
        return false;
    state = !sim.calm && sim_chance(30) ? "dead" : take_message(m);
    if (!sim.calm && sim_chance(20)) {
        sim_hit(SIM_PUMP_STOPPED);
        return true;
    }
    SIM_OK(fw_db_begin(sim.db));
    if (state)
        SIM_OK(fw_inbox_end(sim.db, m, state, sim.now, "read", sim.act));
    else
        SIM_OK(fw_inbox_again(sim.db, m, sim.now, WAIT, "away", sim.act));
    SIM_OK(fw_db_commit(sim.db));
    return true;
}

void sim_act_system(void)
{
    int what = sim_below(100);

    if (what >= 80)
        take_up();
    else if (what >= 60)
        sim_receive();
    else
        for (int i = sim_below(A_TURN) + 1; i > 0; i--)
            deliver(ports[sim_below(PORTS)]);
}

/* ---- the clock ---- */

static void give_each(const apr_array_header_t *ids, fw_cmd_e kind)
{
    for (int i = 0; i < ids->nelts; i++)
        sim_give(&sim.system, (fw_command){.kind = kind,
                                           .target = APR_ARRAY_IDX(ids, i, fw_id),
                                           .reason = "time_over"});
}

/* Without asking which are due: before its time it is refused. */
static void expire_any(void)
{
    static const fw_state_e states[] = {FW_STATE_DRAFT, FW_STATE_RETURNED,
                                        FW_STATE_AWAITING_PAYMENT};
    const sim_case *c = sim_pick(states[sim_below(3)]);
    bool early = c && c->deadline >= sim.now;
    sim_answer a;

    if (!c || sim.calm || !sim_chance(200))
        return;
    a = sim_give(&sim.system, (fw_command){.kind = FW_CMD_CASE_EXPIRE, .target = c->id});
    if (early && sim_well(&a))
        sim_fail("a case expires before its time");
}

void sim_clock_round(void)
{
    static const int checks[] = {600, 1800, 7200, 21600, 82800};
    apr_array_header_t *ids = NULL;

    for (int i = 0; i < (int)(sizeof(checks) / sizeof(checks[0])); i++) {
        SIM_OK(fw_payment_to_check(sim.db, sim.now - apr_time_from_sec(checks[i]), i + 1, A_ROUND,
                                   &ids, sim.act));
        give_each(ids, FW_CMD_PAYMENT_CHECK);
    }
    SIM_OK(fw_payment_to_expire(sim.db, sim.now - 2 * HOUR, A_ROUND, &ids, sim.act));
    give_each(ids, FW_CMD_PAYMENT_EXPIRE);
    SIM_OK(fw_payment_to_check(sim.db, sim.now - 24 * HOUR, EVER, A_ROUND, &ids, sim.act));
    give_each(ids, FW_CMD_PAYMENT_EXPIRE);
    SIM_OK(fw_case_overdue(sim.db, sim.now, A_ROUND, &ids, sim.act));
    give_each(ids, FW_CMD_CASE_EXPIRE);
    SIM_OK(fw_job_to_ask(sim.db, sim.now, A_ROUND, &ids, sim.act));
    give_each(ids, FW_CMD_CARD_CHECK);
    SIM_OK(fw_worker_to_remind(sim.db, sim.now + 7 * 24 * HOUR, A_ROUND, &ids, sim.act));
    give_each(ids, FW_CMD_WORKER_REMIND);
    give_each(sim_border_round(A_ROUND), FW_CMD_PERMIT_TELL);
    expire_any();
}

/* ---- the end ---- */

static void resume(const char *plugin)
{
    bool paused = false;

    SIM_OK(fw_link_is_paused(sim.db, plugin, &paused, sim.act));
    if (paused)
        sim_give(&sim.system, (fw_command){.kind = FW_CMD_PLUGIN_RESUME, .plugin = plugin});
}

static void replay_messages(void)
{
    apr_array_header_t *list = NULL;

    SIM_OK(fw_message_list(sim.db, A_ROUND, &list, sim.act));
    for (int i = 0; i < list->nelts; i++)
        sim_give(&sim.system, (fw_command){.kind = FW_CMD_INBOX_REPLAY,
                                           .target = APR_ARRAY_IDX(list, i, fw_dead_message).id});
}

static bool move_all(void)
{
    bool any = false;

    do {
        bool moved = sim_receive() || take_up();

        for (int i = 0; i < PORTS && !moved; i++)
            moved = deliver(ports[i]);
        apr_pool_clear(sim.act);
        if (!moved)
            return any;
        any = true;
    } while (true);
}

void sim_come_to_rest(void)
{
    int quiet = 0;

    sim.calm = true;
    resume("gateway");
    resume("mail");
    replay_messages();
    /* Longer than papers from abroad may take, and a code beyond that. */
    for (int i = 0; i < ROUNDS && quiet < 130; i++) {
        quiet = move_all() ? 0 : quiet + 1;
        sim.now += 24 * HOUR;
        sim_fines_rest();
        sim_bureau_rest();
        sim_clock_round();
        apr_pool_clear(sim.act);
    }
    move_all();
}
