#ifndef FW_STORE_LINK_H
#define FW_STORE_LINK_H

#include "fw_db.h"
#include "fw_model.h"

/* The links to other systems, what waits behind them, and dead letters. */

/* How a link is, as one node's pump sees it. */
typedef struct fw_link {
    const char *plugin;
    const char *node;
    const char *port;
    const char *state; /* "up", "failing", "down" */
    apr_time_t since;  /* in that state; failing and down: since the first failure */
    int failures;      /* in a row */
    apr_time_t last_ok;
    const char *error; /* of the last failure, or NULL */
    apr_time_t next_probe;
} fw_link;

const fw_err *fw_link_put(fw_db *db, const fw_link *link, apr_pool_t *pool);
/* The node's: fw_link. */
const fw_err *fw_link_list(fw_db *db, const char *node, apr_array_header_t **out, apr_pool_t *pool);
/* What failed on a port goes out again at once, not after its own wait. */
const fw_err *fw_link_hurry(fw_db *db, const char *port, apr_time_t now, apr_pool_t *pool);

/* ---- what an administrator holds back, on all nodes ---- */

typedef struct fw_pause {
    const char *plugin;
    apr_time_t since;
    const char *actor;
    const char *reason;
} fw_pause;

/* Within a transaction; FW_E_CONFLICT: it is paused already. */
const fw_err *fw_link_pause(fw_db *db, const char *plugin, const fw_actor *actor, apr_time_t now,
                            const char *reason, apr_pool_t *pool);
/* FW_E_CONFLICT: it is not paused. */
const fw_err *fw_link_resume(fw_db *db, const char *plugin, apr_pool_t *pool);
const fw_err *fw_link_is_paused(fw_db *db, const char *plugin, bool *out, apr_pool_t *pool);
/* fw_pause */
const fw_err *fw_link_pauses(fw_db *db, apr_array_header_t **out, apr_pool_t *pool);

/* Whether nobody delivers through a plugin, and since when: *state is "paused", "down" on every node, or NULL. One query. */
const fw_err *fw_link_outage(fw_db *db, const char *plugin, const char **state, apr_time_t *since,
                             apr_pool_t *pool);

/* ---- counts for the status ---- */

typedef struct fw_link_count {
    const char *name; /* a port; of messages: a plugin */
    int n;
    int cases;         /* that what waits belongs to */
    apr_time_t oldest; /* when it was put */
} fw_link_count;

/* What waits in the outbox, by port; dead letters by port; dead messages by plugin: fw_link_count. */
const fw_err *fw_link_waiting(fw_db *db, apr_array_header_t **out, apr_pool_t *pool);
const fw_err *fw_link_dead(fw_db *db, apr_array_header_t **out, apr_pool_t *pool);
const fw_err *fw_link_dead_messages(fw_db *db, apr_array_header_t **out, apr_pool_t *pool);

typedef struct fw_state_count {
    fw_state_e state;
    int n;
    int overdue; /* beyond their due time */
} fw_state_count;
const fw_err *fw_status_cases(fw_db *db, apr_time_t now, apr_array_header_t **out,
                              apr_pool_t *pool);

typedef struct fw_audit_count {
    int unsealed;
    apr_time_t oldest; /* of them; 0: none */
    int64_t last_seal;
} fw_audit_count;
const fw_err *fw_status_audit(fw_db *db, fw_audit_count *out, apr_pool_t *pool);

/* ---- dead letters ---- */

typedef struct fw_letter {
    fw_id id;
    const char *port;
    const char *op;
    const char *key;
    const char *payload;
    fw_id aggregate_id;
    int attempts;
    apr_time_t created;
    apr_time_t ended;
    const char *reason;
} fw_letter;

typedef struct fw_letter_case {
    fw_id id;
    const char *case_no; /* NULL: a draft */
} fw_letter_case;

/* A message from outside that could not be taken up. */
typedef struct fw_dead_message {
    fw_id id;
    const char *plugin;
    const char *channel;
    const char *hash; /* of channel and bytes */
    int64_t size;     /* bytes, about: what is kept is base64 */
    int attempts;
    apr_time_t received;
    apr_time_t ended;
    const char *reason;
} fw_dead_message;

/* Newest first: fw_letter, fw_dead_message. */
const fw_err *fw_letter_list(fw_db *db, int limit, apr_array_header_t **out, apr_pool_t *pool);
const fw_err *fw_message_list(fw_db *db, int limit, apr_array_header_t **out, apr_pool_t *pool);
/* FW_E_NOTFOUND: it is no dead one. */
const fw_err *fw_letter_load(fw_db *db, fw_id id, fw_letter **out, apr_pool_t *pool);
const fw_err *fw_message_load(fw_db *db, fw_id id, fw_dead_message **out, apr_pool_t *pool);
/* The cases that an aggregate of the outbox is or pays: fw_letter_case, up to 100. */
const fw_err *fw_letter_cases(fw_db *db, fw_id aggregate, apr_array_header_t **out,
                              apr_pool_t *pool);

/* Within a transaction. FW_E_CONFLICT: it is no dead one any more, or (mend) was mended meanwhile. */
const fw_err *fw_letter_mend(fw_db *db, const fw_letter *letter, const char *payload,
                             apr_pool_t *pool);
const fw_err *fw_letter_drop(fw_db *db, fw_id id, apr_time_t now, const char *reason,
                             apr_pool_t *pool);
const fw_err *fw_message_replay(fw_db *db, fw_id id, apr_time_t now, apr_pool_t *pool);

#endif
