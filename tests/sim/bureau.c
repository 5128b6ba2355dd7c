#include "sim_pump.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_random.h"
#include "fw_store_card.h"
#include "fw_store_case.h"

/* The card bureau with books of its own, and the stations that hand cards out. */

#define BLANKS 100000 /* that it began with */
#define SPOILS 2      /* of a job, at most */

/* A job as the bureau has it. */
typedef struct sim_job {
    fw_id id;
    const char *no, *station;
    const char *state, *card_no;
    int seq, spoiled;
    bool told; /* of its newest state */
    bool lost; /* it left the bureau, and never came into the hand */
} sim_job;

static apr_array_header_t *jobs; /* sim_job * */
static int cards, spoiled,
    blanks = BLANKS; /* made; blanks that came to nothing, and that are left */

static sim_job *job_of(const char *no)
{
    for (int i = 0; jobs && i < jobs->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(jobs, i, sim_job *)->no, no) == 0)
            return APR_ARRAY_IDX(jobs, i, sim_job *);
    }
    return NULL;
}

static sim_job *take_job(const fw_job *j)
{
    sim_job *job = job_of(j->job_no);

    if (job)
        return job;
    if (!jobs)
        jobs = apr_array_make(sim.pool, 32, sizeof(sim_job *));
    job = apr_pcalloc(sim.pool, sizeof(*job));
    *job = (sim_job){.id = j->id,
                     .no = apr_pstrdup(sim.pool, j->job_no),
                     .station = apr_pstrdup(sim.pool, j->station),
                     .state = "accepted",
                     .seq = 1};
    APR_ARRAY_PUSH(jobs, sim_job *) = job;
    return job;
}

static bool is(const sim_job *job, const char *state)
{
    return strcmp(job->state, state) == 0;
}

static bool is_over(const sim_job *job)
{
    return is(job, "arrived") || is(job, "cancelled") || job->lost;
}

/* ---- what it tells ---- */

static sim_answer tell_as(const sim_job *job, int seq, const char *state, int of_spoiled)
{
    fw_job told = {.job_no = job->no,
                   .state = state,
                   .seq = seq,
                   .card_no = job->card_no,
                   .spoiled = of_spoiled,
                   .station = job->station};
    fw_permit permit = {0};
    fw_command cmd = {.kind = FW_CMD_CARD_STEP, .target = job->id, .job = &told, .permit = &permit};

    if (strcmp(state, "arrived") == 0) {
        cmd.kind = FW_CMD_CARD_ARRIVE;
        SIM_OK(fw_code_draw(&permit.code, 16, sim.act));
        SIM_OK(fw_code_draw(&told.code, 8, sim.act));
    }
    return sim_give(&sim.system, cmd);
}

static sim_answer tell(sim_job *job)
{
    sim_answer a = tell_as(job, job->seq, job->state, job->spoiled);

    job->told = job->told || sim_well(&a);
    return a;
}

/* ---- what it does ---- */

static void make(sim_job *job)
{
    blanks--;
    cards++;
    job->state = "made";
    job->card_no = apr_psprintf(sim.pool, "K%08d", ++sim.names);
}

static void spoil(sim_job *job)
{
    if (is(job, "made"))
        cards--;
    else
        blanks--;
    spoiled++;
    job->spoiled++;
    job->state = "spoiled";
    job->card_no = NULL;
}

/* A card that was made goes into the shredder. */
static void cancel(sim_job *job)
{
    if (is(job, "made"))
        spoil(job);
    job->state = "cancelled";
    job->card_no = NULL;
}

static void work_on(sim_job *job)
{
    bool made = is(job, "made");

    if (is_over(job))
        return;
    if (!sim.calm && !is(job, "sent") && sim_chance(70))
        cancel(job);
    else if (!sim.calm && !is(job, "sent") && job->spoiled < SPOILS && sim_chance(200))
        spoil(job);
    else if (!made && !is(job, "sent"))
        make(job);
    else
        job->state = made ? "sent" : "arrived";
    job->seq++;
    job->told = false;
}

/* An older word after the newer one: as if it had not come. */
static void tell_old(const sim_job *job)
{
    fw_job *before = NULL, *after = NULL;
    sim_answer a;

    if (job->seq < 3 || !job->told)
        return;
    SIM_OK(fw_job_load(sim.db, job->id, &before, sim.act));
    a = tell_as(job, job->seq - 2, job->spoiled ? "spoiled" : "accepted", job->spoiled);
    SIM_OK(fw_job_load(sim.db, job->id, &after, sim.act));
    if (strcmp(before->state, after->state) != 0 || before->seq != after->seq)
        sim_fail("an older word of the bureau counts");
    if (sim_well(&a))
        sim_hit(SIM_WORD_OLD);
}

/* A card that lies at the station comes to be made anew: that cannot be. */
static void tell_nonsense(const sim_job *job)
{
    sim_answer a;

    if (!is(job, "arrived") || !job->told || job->lost)
        return;
    a = tell_as(job, job->seq + 100, "accepted", job->spoiled);
    if (sim_well(&a))
        sim_fail("a card at the station goes back");
    if (a.end == SIM_REFUSED)
        sim_hit(SIM_WORD_ABSURD);
}

static void tell_stock(void)
{
    const fw_shelf shelf = {.store = "main",
                            .at = sim.now - apr_time_from_sec(sim_below(100)),
                            .blanks = blanks,
                            .spoiled = spoiled,
                            .delivered = cards,
                            .low_at = 100};

    sim_give(&sim.system, (fw_command){.kind = FW_CMD_CARD_STOCK, .shelf = &shelf});
}

static void work(void)
{
    sim_job *job = jobs ? APR_ARRAY_IDX(jobs, sim_below(jobs->nelts), sim_job *) : NULL;

    if (!job)
        return;
    work_on(job);
    if (sim_chance(700)) /* else its word is lost, and we ask */
        tell(job);
    if (sim_chance(400))
        tell_old(job);
    if (sim_chance(100))
        tell_nonsense(job);
}

/* ---- at the station, and in the administration ---- */

static const sim_case *some_card(void)
{
    int n = sim.cases->nelts, from = sim_below(n);

    for (int i = 0; i < n; i++) {
        const sim_case *c = APR_ARRAY_IDX(sim.cases, (from + i) % n, sim_case *);

        if (c->is_card && c->state == FW_STATE_ISSUED)
            return c;
    }
    return NULL;
}

static void collect(void)
{
    const sim_case *c = some_card();
    const sim_person *who = c ? sim_somebody(FW_ROLE_INITIAL | FW_ROLE_SECOND, c->station) : NULL;
    fw_job *job = NULL;

    if (!who)
        return;
    SIM_OK(fw_job_of_case(sim.db, c->id, &job, sim.act));
    sim_give(who, (fw_command){.kind = FW_CMD_CARD_COLLECT,
                               .target = c->id,
                               .code = sim_chance(100) ? "00000000" : job->code});
}

static void order_again(void)
{
    const sim_person *admin = sim_somebody(FW_ROLE_ADMIN, NULL);

    for (int i = 0; jobs && admin && i < jobs->nelts; i++) {
        const sim_job *job = APR_ARRAY_IDX(jobs, i, sim_job *);
        fw_job *newest = NULL, *row = NULL;

        if (!is(job, "cancelled") || !job->told)
            continue;
        SIM_OK(fw_job_load(sim.db, job->id, &row, sim.act));
        SIM_OK(fw_job_of_case(sim.db, row->case_id, &newest, sim.act));
        if (newest->id == job->id && (sim.calm || sim_chance(300)))
            sim_give(admin, (fw_command){.kind = FW_CMD_CARD_AGAIN, .target = row->case_id});
    }
}

/* The newest job of a case, a random one that is in one of these two states and whose word has come. */
static sim_job *some_job(const char *state, const char *other, fw_job **row)
{
    int n = jobs ? jobs->nelts : 0, from = n ? sim_below(n) : 0;

    for (int i = 0; i < n; i++) {
        sim_job *job = APR_ARRAY_IDX(jobs, (from + i) % n, sim_job *);

        if (job->lost || !job->told || (!is(job, state) && !is(job, other)))
            continue;
        SIM_OK(fw_job_load(sim.db, job->id, row, sim.act));
        return job;
    }
    return NULL;
}

static void lose(void)
{
    fw_job *row = NULL;
    sim_job *job = some_job("sent", "arrived", &row);
    const sim_person *who =
        job ? sim_somebody(FW_ROLE_INITIAL | FW_ROLE_SECOND, row->station) : NULL;
    sim_answer a;

    if (!who)
        return;
    a = sim_give(who,
                 (fw_command){.kind = FW_CMD_CARD_LOST, .target = row->case_id, .reason = "gone"});
    job->lost = sim_well(&a);
}

static void stop_one(void)
{
    const sim_person *admin = sim_somebody(FW_ROLE_ADMIN, NULL);
    fw_job *row = NULL;

    if (admin && some_job("accepted", "spoiled", &row))
        sim_give(admin, (fw_command){.kind = FW_CMD_CARD_CANCEL,
                                     .target = row->case_id,
                                     .reason = "not wanted"});
}

void sim_act_bureau(void)
{
    int what = sim_below(100);

    if (what < 55)
        work();
    else if (what < 80)
        collect();
    else if (what < 88)
        tell_stock();
    else if (what < 91)
        lose();
    else if (what < 94)
        stop_one();
    else
        order_again();
}

/* ---- deliveries ---- */

static bool is_unwanted(const fw_job *row)
{
    fw_case *kase = NULL;

    SIM_OK(fw_case_load(sim.db, row->case_id, &kase, sim.act));
    return kase->state == FW_STATE_WITHDRAWAL_ASKED;
}

/* What is made is made. */
ending_e sim_card_cancel(const fw_delivery *d)
{
    fw_job *row = NULL;
    sim_job *job;
    sim_answer a;

    SIM_OK(fw_job_load(sim.db, sim_payload_id(d, "job"), &row, sim.act));
    if (!is_unwanted(row))
        return END_DONE;
    job = take_job(row);
    if (!sim.calm && sim_chance(400))
        work_on(job); /* while the wish was on its way */
    if (is(job, "accepted") || is(job, "spoiled")) {
        cancel(job);
        job->seq++;
        job->told = false;
    }
    a = is(job, "cancelled")
            ? tell(job)
            : sim_give(&sim.system, (fw_command){.kind = FW_CMD_CARD_LATE, .target = job->id});
    return sim_end_of(&a);
}

ending_e sim_card_order(const fw_delivery *d)
{
    fw_job *row = NULL;
    sim_job *job;
    sim_answer a;

    SIM_OK(fw_job_load(sim.db, sim_payload_id(d, "job"), &row, sim.act));
    if (row->seq > 0 || is_unwanted(row))
        return END_DONE;
    job = take_job(row);
    if (!sim.calm && sim_chance(100))
        return END_AGAIN; /* it has the order, and its answer is lost */
    a = tell(job);
    return sim_end_of(&a);
}

ending_e sim_card_find(const fw_delivery *d)
{
    fw_job *row = NULL;
    sim_job *job;
    sim_answer a;

    SIM_OK(fw_job_load(sim.db, sim_payload_id(d, "job"), &row, sim.act));
    if (!row->ask_at)
        return END_DONE;
    job = take_job(row); /* one that it does not know is ordered once more */
    a = tell(job);
    return sim_end_of(&a);
}

/* ---- the end ---- */

void sim_bureau_rest(void)
{
    for (int i = 0; jobs && i < jobs->nelts; i++) {
        sim_job *job = APR_ARRAY_IDX(jobs, i, sim_job *);

        work_on(job);
        if (!job->told)
            tell(job);
    }
    order_again();
}

void sim_compare_cards(bool all)
{
    if (blanks + cards + spoiled != BLANKS)
        sim_fail("of %d blanks %d are left, %d are cards, %d are spoiled", BLANKS, blanks, cards,
                 spoiled);
    for (int i = 0; jobs && i < jobs->nelts; i++) {
        const sim_job *job = APR_ARRAY_IDX(jobs, i, sim_job *);
        fw_job *row = NULL;

        SIM_OK(fw_job_load(sim.db, job->id, &row, sim.act));
        if (row->seq > job->seq || (all && row->seq != job->seq))
            sim_fail("the bureau's word %d on %s, and we have %d", job->seq, job->no, row->seq);
        if (row->seq == job->seq && !job->lost &&
            (row->spoiled != job->spoiled ||
             (strcmp(row->state, job->state) != 0 &&
              !(is(job, "arrived") && strcmp(row->state, "collected") == 0))))
            sim_fail("the bureau's job %s is %s, and ours %s", job->no, job->state, row->state);
    }
    sim.checks++;
}
