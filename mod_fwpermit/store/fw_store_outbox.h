#ifndef FW_STORE_OUTBOX_H
#define FW_STORE_OUTBOX_H

#include "fw_db.h"
#include "fw_model.h"

/* What is to be delivered, what came in, leases, and the answers to idempotency keys. */

typedef struct fw_delivery {
    fw_id id;
    const char *port;
    const char *op;
    const char *key;
    const char *payload;
    fw_id aggregate_id;
    bool bulk;
    int attempt;        /* this one's number, from 1: an answer of an earlier one is fenced off */
    int tries;          /* since it was put or replayed: what a limit counts */
    apr_time_t created; /* put, or replayed */
} fw_delivery;

/* `id` is moved up where an earlier row of the same aggregate and port still waits with a higher one: so the order of
 * putting is the order of delivery. */
const fw_err *fw_outbox_put(fw_db *db, fw_id id, const fw_send *send, apr_time_t now,
                            apr_pool_t *pool);

/* Leases the next row of a port: a person's before bulk, in order for each aggregate. *out is NULL where there is
 * nothing to do. In a short transaction of its own. */
const fw_err *fw_outbox_claim(fw_db *db, const char *port, const char *owner, apr_time_t now,
                              apr_time_t until, fw_delivery **out, apr_pool_t *pool);
/* The same, of rows alone that a person waits for. */
const fw_err *fw_outbox_claim_urgent(fw_db *db, const char *port, const char *owner, apr_time_t now,
                                     apr_time_t until, fw_delivery **out, apr_pool_t *pool);

/* How a leased row ends. *mine is false where another attempt has it by now: its answer counts, not this one's. */
const fw_err *fw_outbox_done(fw_db *db, const fw_delivery *d, apr_time_t now, const char *note,
                             bool *mine, apr_pool_t *pool);
const fw_err *fw_outbox_again(fw_db *db, const fw_delivery *d, apr_time_t now,
                              apr_interval_time_t wait, const char *reason, bool *mine,
                              apr_pool_t *pool);
const fw_err *fw_outbox_dead(fw_db *db, const fw_delivery *d, apr_time_t now, const char *reason,
                             bool *mine, apr_pool_t *pool);
/* Keeps the lease of what takes longer; its attempt stays the same. */
const fw_err *fw_outbox_keep(fw_db *db, const fw_delivery *d, apr_time_t until, bool *mine,
                             apr_pool_t *pool);
/* A dead letter goes out once more under the same key, with the patience of a fresh one (tries, created). FW_E_NOTFOUND:
 * it is none. */
const fw_err *fw_outbox_replay(fw_db *db, fw_id id, apr_time_t now, apr_pool_t *pool);

typedef struct fw_outbox_count {
    const char *port;
    const char *state;
    int n;
    apr_time_t oldest; /* when it was put */
} fw_outbox_count;
const fw_err *fw_outbox_counts(fw_db *db, apr_array_header_t **out, apr_pool_t *pool);

/* A message from outside. */
typedef struct fw_message {
    fw_id id;
    const char *plugin;
    const char *channel; /* of the plugin: which of its addresses it came to */
    const char *body;    /* base64 of the bytes as they came */
    int attempt;
    int tries;           /* since it came or was replayed */
    apr_time_t received; /* or replayed */
} fw_message;

/* Keeps a message raw, by its id, plugin, channel, body and time of receipt. `hash` is over channel and bytes; the same
 * for the same plugin is kept once: *fresh is false then. */
const fw_err *fw_inbox_put(fw_db *db, const fw_message *m, const char *hash, bool *fresh,
                           apr_pool_t *pool);
const fw_err *fw_inbox_claim(fw_db *db, const char *plugin, const char *owner, apr_time_t now,
                             apr_time_t until, fw_message **out, apr_pool_t *pool);
/* `state` is "done" or "refused" or "dead". */
const fw_err *fw_inbox_end(fw_db *db, const fw_message *m, const char *state, apr_time_t now,
                           const char *reason, apr_pool_t *pool);
const fw_err *fw_inbox_again(fw_db *db, const fw_message *m, apr_time_t now,
                             apr_interval_time_t wait, const char *reason, apr_pool_t *pool);

/* Ends the leases, of outbox and inbox, whose owner's name begins with `node`: its process is known to have gone. Within a
 * transaction. */
const fw_err *fw_outbox_reclaim(fw_db *db, const char *node, apr_pool_t *pool);

/* Takes or keeps a named lease. *had is false where another owner has it. */
const fw_err *fw_lease_take(fw_db *db, const char *name, const char *owner, apr_time_t now,
                            apr_time_t until, bool *had, apr_pool_t *pool);
/* Gives it back before its time, so that the next one need not wait. */
const fw_err *fw_lease_give(fw_db *db, const char *name, const char *owner, apr_pool_t *pool);

/* Deletes what was kept long enough: keys, ended rows. */
const fw_err *fw_outbox_purge(fw_db *db, apr_time_t idem_before, apr_time_t ended_before,
                              apr_pool_t *pool);

#endif
