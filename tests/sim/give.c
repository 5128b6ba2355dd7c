#include "sim.h"

#include <string.h>

#include <apr_strings.h>

/* Of a thousand commands: how many meet a fault, and how many are distorted or repeated on purpose. */
#define FAULTY     70
#define WRONG_HAND 25
#define STALE      25
#define KEYED      600
#define AGAIN      40
#define CALLS_MOST 40 /* of the database, that one command makes */

static const sim_fault_e faults[] = {SIM_CALL_FAILS,  SIM_CALL_FAILS,    SIM_ANSWER_LOST,
                                     SIM_FASTER_ONCE, SIM_FASTER_ALWAYS, SIM_LOCKED};
#define NO_FAULT SIM_FAULT_KINDS

bool sim_well(const sim_answer *a)
{
    return a->end == SIM_DONE || a->end == SIM_ACCEPTED || a->end == SIM_REPEATED;
}

/* ---- distortions ---- */

static bool asks_version(fw_cmd_e kind)
{
    return kind > FW_CMD_CASE_OPEN && kind <= FW_CMD_CASE_EXPIRE;
}

static void add_key(fw_command *cmd)
{
    if (cmd->request_id || !cmd->actor->account_id || !sim_chance(KEYED))
        return;
    cmd->request_id = apr_psprintf(sim.act, "request-%d", ++sim.names);
    cmd->body_hash = apr_psprintf(sim.act, "body-%d", sim.names);
}

static bool make_stale(fw_command *cmd)
{
    const sim_case *c = asks_version(cmd->kind) ? sim_find(cmd->target) : NULL;

    if (!c || !sim_chance(STALE))
        return false;
    cmd->version = c->version + (c->version > 1 && sim_chance(500) ? -1 : 1);
    return true;
}

static bool give_to_another(fw_command *cmd)
{
    int i = sim_below(sim.people->nelts + 1);

    if (!sim_chance(WRONG_HAND))
        return false;
    cmd->actor = i == sim.people->nelts ? &sim.anyone.actor
                                        : &APR_ARRAY_IDX(sim.people, i, sim_person *)->actor;
    return true;
}

/* ---- faults ---- */

static sim_fault_e arm(void)
{
    sim_fault_e fault = faults[sim_below(sizeof(faults) / sizeof(faults[0]))];

    if (sim.calm || !sim_chance(FAULTY))
        return NO_FAULT;
    if (fault == SIM_CALL_FAILS)
        fw_db_fail_after(1 + sim_below(CALLS_MOST));
    if (fault == SIM_ANSWER_LOST)
        sim_lose_answer();
    if (fault == SIM_FASTER_ONCE)
        sim_writer_faster(1 + sim_below(5), false);
    if (fault == SIM_FASTER_ALWAYS)
        sim_writer_faster(1, true);
    if (fault == SIM_LOCKED)
        SIM_OK(fw_db_begin(sim.other));
    return fault;
}

/* True where the fault took place: then it must have been told as it should. */
static bool disarm(sim_fault_e fault, const fw_err *err)
{
    bool took = sim_disarm();
    fw_code_e wanted = FW_E_BUSY;

    fw_db_fail_after(0);
    if (fault == SIM_LOCKED) {
        fw_db_rollback(sim.other);
        took = true;
    }
    if (fault == SIM_CALL_FAILS)
        took = err != NULL;
    if (fault == SIM_CALL_FAILS || fault == SIM_ANSWER_LOST)
        wanted = FW_E_UNAVAILABLE;
    if (!took && err)
        sim_fail("an error without a fault: %s", fw_err_text(err, sim.act));
    if (!took)
        return false;
    sim_hit(fault);
    if (fault == SIM_FASTER_ONCE && err)
        sim_fail("it was not tried again: %s", fw_err_text(err, sim.act));
    if (fault != SIM_FASTER_ONCE && (!err || err->code != wanted))
        sim_fail("%s is told as %s", sim_fault_name(fault),
                 err ? fw_err_text(err, sim.act) : "success");
    return true;
}

/* ---- giving ---- */

static void count(const fw_command *cmd, const sim_answer *a)
{
    const char *name;
    int64_t *n;

    sim.given[cmd->kind][a->end]++;
    if (!a->refused)
        return;
    name = apr_psprintf(sim.act, "%s %s", fw_cmd_name(cmd->kind), a->refused);
    n = apr_hash_get(sim.refusals, name, APR_HASH_KEY_STRING);
    if (!n) {
        n = apr_pcalloc(sim.pool, sizeof(*n));
        apr_hash_set(sim.refusals, apr_pstrdup(sim.pool, name), APR_HASH_KEY_STRING, n);
    }
    (*n)++;
}

static sim_end_e end_of(const fw_err *err, const fw_result *result)
{
    if (err)
        return SIM_ERROR;
    if (result->repeated)
        return SIM_REPEATED;
    if (result->verdict == FW_REFUSED)
        return SIM_REFUSED;
    return result->verdict == FW_ACCEPTED ? SIM_ACCEPTED : SIM_DONE;
}

/* One call of the desk, with its checks. */
static sim_answer perform(const fw_command *cmd, sim_fault_e fault, bool *wrote)
{
    sim_answer a = {0};
    const fw_err *err = fw_perform(sim.desk, sim.db, cmd, &a.result, sim.act);

    *wrote = disarm(fault, err) && fault == SIM_ANSWER_LOST;
    a.end = end_of(err, &a.result);
    if (a.end == SIM_REFUSED)
        a.refused = a.result.n_refusals ? a.result.refusals[0].key : "no reason";
    sim.n++;
    count(cmd, &a);
    check_after(cmd, 1, *wrote || a.end == SIM_DONE || a.end == SIM_ACCEPTED);
    return a;
}

/* The same key once more: the first answer, and nothing is written. */
static sim_answer repeat(const fw_command *cmd, const sim_answer *first)
{
    bool wrote;
    sim_answer a;

    check_before();
    a = perform(cmd, NO_FAULT, &wrote);
    if (a.end != SIM_REPEATED)
        sim_fail("the same key is not answered as a repeated one");
    if (first &&
        (a.result.answer != first->result.answer || a.result.verdict != first->result.verdict ||
         a.result.version != first->result.version))
        sim_fail("the same key has another answer");
    sim_hit(SIM_KEY_REPEATED);
    return a;
}

static void reuse(fw_command cmd)
{
    bool wrote;
    sim_answer a;

    cmd.body_hash = "another-body";
    check_before();
    a = perform(&cmd, NO_FAULT, &wrote);
    if (a.end != SIM_REFUSED || a.result.code != FW_E_INPUT)
        sim_fail("a key with another body is not refused");
    sim_hit(SIM_KEY_REUSED);
}

/* By somebody else, or with a version that is not the case's: refused, unless that somebody may. True where it is done. */
static bool distorted(fw_command cmd, sim_answer *a)
{
    bool wrong_hand = !sim.calm && give_to_another(&cmd);
    bool stale = !sim.calm && make_stale(&cmd);
    bool wrote;

    if (!wrong_hand && !stale)
        return false;
    check_before();
    *a = perform(&cmd, NO_FAULT, &wrote);
    if (stale && a->end != SIM_REFUSED)
        sim_fail("a stale version is taken");
    if (stale && a->result.code == FW_E_CONFLICT && strcmp(a->refused, "case.stale") == 0)
        sim_hit(SIM_STALE);
    if (a->result.code == FW_E_FORBIDDEN || a->result.code == FW_E_NOTFOUND)
        sim_hit(SIM_NO_PERMISSION);
    return sim_well(a);
}

sim_answer sim_give(const sim_person *who, fw_command cmd)
{
    const sim_case *c = asks_version(cmd.kind) ? sim_find(cmd.target) : NULL;
    sim_fault_e fault;
    bool wrote = false;
    sim_answer a;

    cmd.actor = &who->actor;
    if (distorted(cmd, &a))
        return a;
    if (c && sim_chance(700))
        cmd.version = c->version;
    add_key(&cmd);
    check_before();
    fault = arm();
    a = perform(&cmd, fault, &wrote);
    if (wrote && cmd.request_id)
        return repeat(&cmd, NULL);
    if (cmd.request_id && sim_well(&a) && sim_chance(AGAIN)) {
        repeat(&cmd, &a);
        reuse(cmd);
    }
    return a;
}

void sim_give_all(const sim_person *who, fw_command *cmds, int n)
{
    fw_result *results = apr_pcalloc(sim.act, sizeof(*results) * (size_t)n);
    sim_answer a = {0};
    const fw_err *err;
    sim_fault_e fault;
    int failed = -1;
    bool wrote;

    for (int i = 0; i < n; i++)
        cmds[i].actor = &who->actor;
    check_before();
    fault = arm();
    err = fw_perform_all(sim.desk, sim.db, cmds, n, results, &failed, sim.act);
    wrote = disarm(fault, err) && fault == SIM_ANSWER_LOST;
    a.end = end_of(err, &results[failed < 0 ? 0 : failed]);
    if (a.end == SIM_REFUSED)
        a.refused = results[failed].refusals[0].key;
    for (int i = failed < 0 ? 0 : failed; i < (failed < 0 ? n : failed + 1); i++)
        count(&cmds[i], &a);
    sim.n += n;
    check_after(cmds, n, wrote || (!err && failed < 0));
    if (!err)
        sim_hit(failed < 0 ? SIM_ALL_DONE : SIM_ALL_UNDONE);
}
