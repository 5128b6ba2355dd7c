#ifndef FW_PERFORM_H
#define FW_PERFORM_H

#include "fw_decide.h"
#include "fw_desk.h"

/* The one way in: everything that changes a thing that matters goes through here. */

typedef struct fw_result {
    fw_verdict_e verdict;
    fw_code_e code;             /* of a refusal */
    const fw_refusal *refusals; /* of a refusal */
    int n_refusals;
    fw_id answer;        /* the thing that came into being, or the target */
    int version;         /* of the case afterwards, or 0 */
    const char *case_no; /* of the case afterwards, or NULL */
    const char *state;   /* likewise */
    bool repeated;       /* the answer of an earlier request with the same key */
    const char *
        wakes; /* the ports for which it left something to deliver, as fw_wake_pump() takes them; NULL: none */
} fw_result;

/* Checks who may, loads what the command needs, decides, and writes case, events, audit record and
 * outbox rows in one transaction; then wakes the pump. A refusal is a result, not an error, and
 * leaves everything as it was. A thing that is missing, and one that the actor may not know of, are
 * both FW_E_NOTFOUND refusals. Tries again by itself when another writer was faster (three times).
 * Errors: FW_E_BUSY, FW_E_UNAVAILABLE, FW_E_INTERNAL. `result` lives in `pool`. Uses one connection
 * of the calling thread. */
const fw_err *fw_perform(const fw_desk *desk, fw_db *db, const fw_command *cmd, fw_result *result,
                         apr_pool_t *pool);

/* Many commands in one transaction, in order; the first that is refused stops the rest and undoes
 * all. `*failed` is its index, or -1. */
const fw_err *fw_perform_all(const fw_desk *desk, fw_db *db, const fw_command *cmds, int n,
                             fw_result *results, int *failed, apr_pool_t *pool);

#endif
