#ifndef FW_JOURNAL_H
#define FW_JOURNAL_H

#include "fw_err.h"
#include "fw_model.h"

/* Who read whose data: an append-only file for each process in FwPermitJournal (0700), one JSON object a line; fsynced in groups, and
 * taken over into the audit chain by the sealer. Reads are audited without a database write for each page. */

typedef struct fw_journal fw_journal;

/* Of a process; thread-safe. `dir` is made if it is not there. `sync_ms`: how long after a line its fsync may be, by a thread that
 * ends with the pool; 0: each line waits for its own. */
const fw_err *fw_journal_open(fw_journal **out, const char *dir, int sync_ms, apr_pool_t *pool);

/* Returns when the line is written, and outlives the process; with a sync_ms of 0, or where the last fsync failed, when it is on
 * disk: threads that come together share one fsync. `what` is the page ("page.case"), `about` the aggregate
 * ("case:123"). FW_E_UNAVAILABLE: it could not be written, and nothing may be shown. */
const fw_err *fw_journal_note(fw_journal *journal, const fw_actor *actor, const char *what,
                              const char *about, apr_time_t now, apr_pool_t *pool);

/* For the sealer: calls `each` for the lines of all journals that were not taken yet (up to `most`), in order for each file; after
 * `commit` returned NULL they count as taken (a position file, fsynced), and files of processes that ended and are
 * taken whole are removed. */
typedef struct fw_journal_line {
    apr_time_t at;
    fw_id actor_id;
    const char *actor;
    const char *what;
    const char *about;
    const char *ip;
} fw_journal_line;
typedef const fw_err *(*fw_journal_each_fn)(void *baton, const fw_journal_line *line);
typedef const fw_err *(*fw_journal_commit_fn)(void *baton);
const fw_err *fw_journal_take(const char *dir, int most, fw_journal_each_fn each,
                              fw_journal_commit_fn commit, void *baton, int *taken,
                              apr_pool_t *pool);

/* Removes what lies beside the journals of a folder, is no part of one any more, and nobody wrote to since `before`: a file of a
 * process that was killed, or a note about a journal that has gone. A folder that is not there yet is no error. */
const fw_err *fw_journal_sweep(const char *dir, apr_time_t before, apr_pool_t *pool);

#endif
