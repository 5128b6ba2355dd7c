#include "sim.h"

/* Linked with --wrap: the desk's and the stores' calls of these two functions come here first. */
const fw_err *__real_fw_db_exec(fw_db *db, const char *name, const fw_val *vals, int n, int *rows,
                                apr_pool_t *scratch);
const fw_err *__wrap_fw_db_exec(fw_db *db, const char *name, const fw_val *vals, int n, int *rows,
                                apr_pool_t *scratch);
const fw_err *__real_fw_db_commit(fw_db *db);
const fw_err *__wrap_fw_db_commit(fw_db *db);

static const char *const names[] = {
#define X(id, name) name,
    SIM_FAULTS(X)
#undef X
};

static int faster_in;
static bool faster_always, answer_is_lost, took_place;

const char *sim_fault_name(sim_fault_e fault)
{
    return names[fault];
}

void sim_writer_faster(int n, bool always)
{
    faster_in = n;
    faster_always = always;
}

void sim_lose_answer(void)
{
    answer_is_lost = true;
}

bool sim_disarm(void)
{
    bool took = took_place;

    faster_in = 0;
    faster_always = answer_is_lost = took_place = false;
    return took;
}

const fw_err *__wrap_fw_db_exec(fw_db *db, const char *name, const fw_val *vals, int n, int *rows,
                                apr_pool_t *scratch)
{
    if (faster_in == 0 || --faster_in > 0)
        return __real_fw_db_exec(db, name, vals, n, rows, scratch);
    faster_in = faster_always ? 1 : 0;
    took_place = true;
    return FW_ERR(scratch, FW_E_CONFLICT, 0, "another writer was faster");
}

const fw_err *__wrap_fw_db_commit(fw_db *db)
{
    const fw_err *err = __real_fw_db_commit(db);

    if (err || !answer_is_lost)
        return err;
    answer_is_lost = false;
    took_place = true;
    return FW_ERR(sim.act, FW_E_UNAVAILABLE, 0, "the answer of COMMIT is lost");
}
