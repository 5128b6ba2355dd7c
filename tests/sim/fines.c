#include "sim.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_date.h"
#include "fw_store_fine.h"

/* The fines system: books of its own, fines that it sets and settles, words that come late, twice, or cannot be. */

#define FINES_MOST 5 /* of a case */

typedef struct sim_fine {
    fw_id kase;
    int no, version;
    const char *state, *set_on;
    apr_time_t paid;
} sim_fine;

static apr_array_header_t *books(void)
{
    if (!sim.fines)
        sim.fines = apr_array_make(sim.pool, 64, sizeof(sim_fine *));
    return sim.fines;
}

static sim_fine *fine_at(int i)
{
    return APR_ARRAY_IDX(books(), i, sim_fine *);
}

static void set_fine(fw_id kase)
{
    sim_fine *f = apr_pcalloc(sim.pool, sizeof(*f));
    int n = 0;

    for (int i = 0; i < books()->nelts; i++)
        n += fine_at(i)->kase == kase;
    if (n == FINES_MOST)
        return;
    *f = (sim_fine){.kase = kase,
                    .no = books()->nelts + 1,
                    .version = 1,
                    .state = "open",
                    .set_on = fw_date_text(fw_date_of(sim.now), sim.pool)};
    APR_ARRAY_PUSH(books(), sim_fine *) = f;
}

static void change(sim_fine *f, const char *state)
{
    f->version++;
    f->state = state;
    f->paid = strcmp(state, "paid") == 0 ? sim.now : 0;
}

static fw_fine told_of(const sim_fine *f)
{
    return (fw_fine){.fine_no = apr_psprintf(sim.act, "F%d", f->no),
                     .told = f->version,
                     .state = f->state,
                     .reason = "late_filing",
                     .amount = 2000,
                     .set_on = f->set_on,
                     .paid = f->paid};
}

static sim_answer give(fw_id kase, const fw_fine *list, int n)
{
    return sim_give(
        &sim.system,
        (fw_command){.kind = FW_CMD_FINE_TAKE, .target = kase, .fines = list, .n_fines = n});
}

/* All that it has of the case. */
static sim_answer tell(fw_id kase)
{
    fw_fine list[FINES_MOST];
    int n = 0;

    for (int i = 0; i < books()->nelts; i++) {
        if (fine_at(i)->kase == kase)
            list[n++] = told_of(fine_at(i));
    }
    return give(kase, list, n);
}

sim_answer sim_fines_told(fw_id kase)
{
    if (!sim.calm && sim_chance(250))
        set_fine(kase);
    return tell(kase);
}

/* An older word comes after the newer one: as if it had not. */
static void tell_old(const sim_fine *f)
{
    fw_fine old = told_of(f);
    fw_penalty *before = NULL, *after = NULL;
    sim_answer a;

    if (f->version < 2)
        return;
    a = tell(f->kase);
    if (!sim_well(&a))
        return;
    SIM_OK(fw_penalty_load(sim.db, f->kase, &before, sim.act));
    old.told--;
    old.state = strcmp(f->state, "open") == 0 ? "waived" : "open";
    old.paid = 0;
    a = give(f->kase, &old, 1);
    SIM_OK(fw_penalty_load(sim.db, f->kase, &after, sim.act));
    if (before->open != after->open)
        sim_fail("an older word of a fine counts");
    if (sim_well(&a))
        sim_hit(SIM_FINE_OLD);
}

static void tell_nonsense(const sim_fine *f)
{
    fw_fine odd = told_of(f);
    sim_answer a;

    odd.told += 100;
    odd.amount = FW_FINE_MOST + 1;
    a = give(sim_chance(500) ? f->kase : 12345, &odd, 1);
    if (sim_well(&a))
        sim_fail("a fine that cannot be is taken");
    if (a.end == SIM_REFUSED)
        sim_hit(SIM_FINE_ABSURD);
}

/* Of some the time to file is over. */
static void be_due(void)
{
    if (sim.workers->nelts > 0)
        sim_arrive(&APR_ARRAY_IDX(sim.workers, sim_below(sim.workers->nelts), sim_worker),
                   sim_below(60));
}

static void ask(void)
{
    const sim_case *c = sim_pick(FW_STATES);
    const sim_person *who =
        c && *c->station ? sim_somebody(FW_ROLE_INITIAL | FW_ROLE_SECOND, c->station) : NULL;

    if (who)
        sim_give(who, (fw_command){.kind = FW_CMD_FINE_ASK, .target = c->id});
}

void sim_act_fines(void)
{
    static const char *const states[] = {"paid", "paid", "waived", "cancelled", "open"};
    int n = books()->nelts;
    sim_fine *f = n ? fine_at(n - 1 - sim_below(n < 30 ? n : 30)) : NULL;
    int what = sim_below(100);

    if (what < 50)
        be_due();
    else if (what < 55)
        ask();
    else if (f && what < 80) {
        change(f, states[sim_below(5)]);
        if (sim_chance(700)) /* else its message is lost */
            tell(f->kase);
    } else if (f && what < 90)
        tell_old(f);
    else if (f)
        tell_nonsense(f);
}

void sim_fines_rest(void)
{
    for (int i = 0; i < sim.cases->nelts; i++) {
        const sim_case *c = APR_ARRAY_IDX(sim.cases, i, sim_case *);

        if (c->state != FW_STATE_HELD)
            continue;
        for (int k = 0; k < books()->nelts; k++) {
            if (fine_at(k)->kase == c->id && strcmp(fine_at(k)->state, "open") == 0)
                change(fine_at(k), "paid");
        }
        tell(c->id);
    }
}
