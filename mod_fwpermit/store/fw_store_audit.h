#ifndef FW_STORE_AUDIT_H
#define FW_STORE_AUDIT_H

#include "fw_db.h"

/* The audit chain. Each record names the hash of the one before it of the same aggregate, within the transaction
 * of the command; a sealer chains the committed records of all aggregates into seals, which are signed with a
 * key that the database does not know and noted outside of it (the anchor). */

typedef struct fw_audit {
    fw_id id;
    const char *aggregate; /* "case:123", "account:7" */
    int64_t seq;
    apr_time_t at;
    fw_id actor_id;
    const char *actor;
    const char *command;
    const char *data; /* JSON, or NULL */
    const char *prev; /* hex SHA-256 of the record before, or "" */
    const char *hash;
    int64_t seal; /* number of its seal; 0: not sealed yet */
} fw_audit;

typedef struct fw_seal {
    int64_t n; /* from 1, without a gap */
    apr_time_t at;
    int64_t records;
    const char *prev;      /* hash of seal n - 1, or "" */
    const char *hash;      /* over n, at, prev and the hashes of its records in order */
    const char *signature; /* base64 */
} fw_seal;

/* Appends: seq, prev and hash are filled. Within the command's transaction. */
const fw_err *fw_audit_add(fw_db *db, fw_audit *record, apr_pool_t *pool);

#define FW_AUDIT_MANY 2000 /* records that one statement adds or marks; more are FW_E_LIMIT */

/* The same for many, in their order, by two statements. */
const fw_err *fw_audit_add_all(fw_db *db, fw_audit *records, int n, apr_pool_t *pool);

/* The hash that a record must have. */
const char *fw_audit_hash(const fw_audit *record, apr_pool_t *pool);
/* The hash of a seal over these record hashes (const char *). */
const char *fw_seal_hash(const fw_seal *seal, const apr_array_header_t *hashes, apr_pool_t *pool);

/* Makes the next seal of up to `limit` records, without its signature; records is 0 where none waits. The ids of
 * its records come in *ids (fw_id). Reads only. */
const fw_err *fw_seal_make(fw_db *db, apr_time_t now, int limit, fw_seal *out,
                           apr_array_header_t **ids, apr_pool_t *pool);
/* Keeps it, marks its records. Within a transaction; FW_E_CONFLICT where another sealer was faster. */
const fw_err *fw_seal_put(fw_db *db, const fw_seal *seal, const apr_array_header_t *ids,
                          apr_pool_t *pool);

/* Seals after `n`: fw_seal. */
const fw_err *fw_seal_list(fw_db *db, int64_t n, int limit, apr_array_header_t **out,
                           apr_pool_t *pool);
/* The hashes of a seal's records, in order: const char *. */
const fw_err *fw_seal_records(fw_db *db, int64_t n, apr_array_header_t **out, apr_pool_t *pool);

/* A seal's records after the one of id `after`, in its order: fw_audit. */
const fw_err *fw_seal_page(fw_db *db, int64_t n, fw_id after, int limit, apr_array_header_t **out,
                           apr_pool_t *pool);

/* How far the seals have gone on their way out of the house, by the outbox. */
typedef struct fw_audit_way {
    int64_t sealed;   /* number of the last seal */
    int64_t enqueued; /* up to this one, deliveries have been made */
    int64_t waiting;  /* deliveries that have not arrived */
} fw_audit_way;
const fw_err *fw_audit_way_load(fw_db *db, fw_audit_way *out, apr_pool_t *pool);
/* Notes that deliveries are made up to seal `to`. Within their transaction; FW_E_CONFLICT: `way` is not how it is now. */
const fw_err *fw_audit_way_set(fw_db *db, const fw_audit_way *way, int64_t to, apr_pool_t *pool);

/* Calls `each` for all records by aggregate and seq; a record lives until `each` returns. */
typedef const fw_err *(*fw_audit_each_fn)(void *baton, const fw_audit *record);
const fw_err *fw_audit_walk(fw_db *db, fw_audit_each_fn each, void *baton, apr_pool_t *pool);
/* The newest before `before` (an id; 0: from the newest): fw_audit. */
const fw_err *fw_audit_recent(fw_db *db, fw_id before, int limit, apr_array_header_t **out,
                              apr_pool_t *pool);

#endif
