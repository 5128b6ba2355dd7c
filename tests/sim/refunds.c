#include "sim_pump.h"

#include <string.h>

#include "fw_store_payment.h"
#include "fw_store_refund.h"

/* Refunds as the pump pays them back at the gateway. */

static ending_e give_refund(const fw_refund *r, fw_command cmd)
{
    sim_answer a;

    cmd.target = r->id;
    a = sim_give(&sim.system, cmd);
    return a.end == SIM_ERROR ? END_AGAIN : END_DONE;
}

static ending_e by_hand(const fw_refund *r, const char *why)
{
    return give_refund(r, (fw_command){.kind = FW_CMD_REFUND_FAIL, .reason = why});
}

/* It was noted as sent: what the gateway's books have decides. */
static ending_e find_out(const fw_refund *r, const sim_order *o)
{
    if (o->refunded == r->before + r->amount)
        return give_refund(r, (fw_command){.kind = FW_CMD_REFUND_DONE, .gateway_no = "G1"});
    if (o->refunded != r->before)
        sim_fail("a refund of order %s is in the gateway's books as another amount", o->no);
    give_refund(r, (fw_command){.kind = FW_CMD_REFUND_BACK});
    return END_AGAIN;
}

static ending_e pay_back(const fw_refund *r, const fw_payment *p, sim_order *o)
{
    fw_command sent = {.kind = FW_CMD_REFUND_SENT, .target = r->id, .amount = o->refunded};
    sim_answer a;

    if (strcmp(o->method, "card") != 0)
        return by_hand(r, "gateway:cards only");
    a = sim_give(&sim.system, sent);
    if (a.end == SIM_ERROR || a.end == SIM_REFUSED)
        return a.end == SIM_ERROR ? END_AGAIN : END_DONE;
    if (!sim.calm && sim_chance(100)) {
        sim_hit(SIM_REFUND_REFUSED);
        return by_hand(r, "gateway:0");
    }
    if (o->refunded + r->amount > p->amount)
        sim_fail("more goes back of order %s than came", o->no);
    if (sim.calm || sim_chance(850))
        o->refunded += r->amount;
    if (!sim.calm && sim_chance(200)) {
        sim_hit(SIM_REFUND_LOST);
        return END_AGAIN;
    }
    if (o->refunded != sent.amount)
        return give_refund(r, (fw_command){.kind = FW_CMD_REFUND_DONE, .gateway_no = "G1"});
    give_refund(r, (fw_command){.kind = FW_CMD_REFUND_BACK}); /* it was not done, and says so */
    return END_AGAIN;
}

ending_e sim_refund(const fw_delivery *d)
{
    fw_refund *r = NULL;
    fw_payment *p = NULL;
    sim_order *o;

    SIM_OK(fw_refund_load(sim.db, sim_payload_id(d, "refund"), &r, sim.act));
    SIM_OK(fw_payment_load(sim.db, r->payment_id, &p, sim.act));
    o = sim_order_of(p->id);
    if (r->state == FW_REFUND_UNKNOWN)
        return find_out(r, o);
    return r->state == FW_REFUND_ASKED ? pay_back(r, p, o) : END_DONE;
}

/* Where the gateway acted and nobody knows, nobody pays by hand: a cashier has looked first. */
ending_e sim_refund_give_up(const fw_delivery *d)
{
    fw_refund *r = NULL;

    SIM_OK(fw_refund_load(sim.db, sim_payload_id(d, "refund"), &r, sim.act));
    if (r->state == FW_REFUND_UNKNOWN)
        return END_AGAIN;
    return by_hand(r, "not_known") == END_AGAIN ? END_AGAIN : END_DEAD;
}
