#include "sim.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_random.h"
#include "fw_sha256.h"
#include "fw_store_outbox.h"

/* The payment gateway: orders that it knows, money that it took, messages that it sends in any order. */

#define LATEST 20 /* messages of which one is sent next */

sim_order *sim_order_of(fw_id payment)
{
    for (int i = sim.orders->nelts - 1; i >= 0; i--) {
        sim_order *o = APR_ARRAY_IDX(sim.orders, i, sim_order *);

        if (o->payment == payment)
            return o;
    }
    return NULL;
}

static void tell(const char *order, const char *fact, int64_t amount)
{
    const char *body = apr_psprintf(
        sim.pool,
        "{\"order_no\":\"%s\",\"fact\":\"%s\",\"amount\":%" APR_INT64_T_FMT ",\"no\":\"G%d\"}",
        order, fact, amount, ++sim.names);

    APR_ARRAY_PUSH(sim.messages, sim_message) = (sim_message){.body = body};
}

sim_order *sim_take_order(const fw_payment *p)
{
    sim_order *o = sim_order_of(p->id);

    if (o)
        return o;
    o = apr_pcalloc(sim.pool, sizeof(*o));
    *o = (sim_order){.payment = p->id,
                     .no = apr_pstrdup(sim.pool, p->order_no),
                     .method = apr_pstrdup(sim.pool, p->method),
                     .amount = p->amount};
    APR_ARRAY_PUSH(sim.orders, sim_order *) = o;
    return o;
}

/* Pays at the gateway, whatever became of the attempt since; a code comes first where the method has one. */
static void pay(sim_order *o)
{
    if (strcmp(o->method, "card") != 0 && !o->has_code) {
        o->has_code = true;
        tell(o->no, "code_issued", o->amount);
        return;
    }
    o->taken = true;
    tell(o->no, "paid", o->amount);
    if (sim_chance(100))
        tell(o->no, "paid", o->amount); /* the same fact in other words */
    if (sim_chance(120))
        tell(o->no, "failed", o->amount);
    if (sim_chance(100))
        tell(o->no, "paid", o->amount + 1);
}

static void tell_nonsense(void)
{
    tell("FWNOSUCHORDER", "paid", 1000);
}

/* Of five who came to the gateway's page four pay; who does not may be told so. */
void sim_act_payer(void)
{
    int n = sim.orders->nelts;
    sim_order *o =
        n ? APR_ARRAY_IDX(sim.orders, n - 1 - sim_below(n < 15 || sim_chance(100) ? n : 15),
                          sim_order *)
          : NULL;

    if (sim_chance(20))
        tell_nonsense();
    if (!o || o->taken)
        return;
    if (sim_chance(800))
        pay(o);
    else if (sim_chance(500))
        tell(o->no, "failed", o->amount);
}

bool sim_receive(void)
{
    int n = sim.messages->nelts;
    sim_message *m =
        n ? &APR_ARRAY_IDX(sim.messages, n - 1 - sim_below(n < LATEST ? n : LATEST), sim_message)
          : NULL;
    fw_message row = {.plugin = "gateway", .channel = "notify", .received = sim.now};
    bool fresh = false;

    if (!m)
        return false;
    row.body = m->body;
    SIM_OK(fw_id_draw(&row.id, sim.now, sim.act));
    SIM_OK(fw_db_begin(sim.db));
    SIM_OK(fw_inbox_put(sim.db, &row, fw_sha256_hex(m->body, strlen(m->body), sim.act), &fresh,
                        sim.act));
    SIM_OK(fw_db_commit(sim.db));
    if (fresh != (m->told == 0))
        sim_fail("the same message %s", fresh ? "is taken twice" : "was not taken");
    if (m->told++ > 0)
        sim_hit(SIM_MESSAGE_REPEATED);
    if (sim.calm || m->told > 2 ||
        sim_chance(800)) { /* else the gateway has not heard our answer */
        *m = APR_ARRAY_IDX(sim.messages, n - 1, sim_message);
        sim.messages->nelts--;
    }
    return true;
}
