#ifndef FW_JOURNAL_H
#define FW_JOURNAL_H

#include "fw_err.h"
#include "fw_model.h"

/* Who read whose data: an append-only file for each process in FwPermitJournal (0700), one JSON object a line; fsynced in groups, and
 * taken over into the audit chain by the sealer. Reads are audited without a database write for each page. */

typedef struct fw_journal fw_journal;

/* Of a process; thread-safe. `dir` is made if it is not there. */
const fw_err *fw_journal_open(fw_journal **out, const char *dir, apr_pool_t *pool);

/* Returns when the line is on disk: threads that come together share one fsync. `what` is the page ("page.case"), `about` the aggregate
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

#endif
