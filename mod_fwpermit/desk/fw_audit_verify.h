#ifndef FW_AUDIT_VERIFY_H
#define FW_AUDIT_VERIFY_H

#include "fw_anchor.h"

/* `fwpermitctl audit verify`: is everything that was ever written still there, unchanged? The anchor's form and the
 * sealer's order of work are told in fw_anchor.h. */

typedef enum fw_audit_fault_e {
    FW_AUDIT_WHOLE,
    FW_AUDIT_EDITED,   /* a record's hash is not that of its contents */
    FW_AUDIT_REMOVED,  /* a record is missing from an aggregate's chain */
    FW_AUDIT_INSERTED, /* a record stands in a chain, or in a seal, that it does not belong to */
    FW_AUDIT_SEAL_GONE, /* a seal is missing that a record, a later seal or the anchor names: a cut tail */
    FW_AUDIT_SEAL_BROKEN, /* a seal's hash is not that of its records: one was edited, removed or put in with its chain */
    FW_AUDIT_FORGED,       /* a seal is not signed by the key */
    FW_AUDIT_UNLIKE_ANCHOR /* the anchor noted another seal of that number */
} fw_audit_fault_e;

typedef struct fw_audit_report {
    fw_audit_fault_e fault; /* the first that was found */
    const char
        *text; /* of the fault, for an operator: which record or seal, in English; NULL if whole */
    fw_id record;    /* that it was found at, or 0 */
    int64_t seal;    /* likewise */
    int64_t records; /* looked at */
    int64_t seals;
    int64_t waiting;  /* records that no seal holds yet: a second's worth while the sealer runs */
    int64_t anchored; /* seals that the anchor has noted */
} fw_audit_report;

/* Is `signature` (base64) one over the characters of `hash`? False: no. */
typedef bool (*fw_audit_signed_fn)(void *baton, const char *hash, const char *signature);

typedef struct fw_audit_check {
    fw_audit_signed_fn is_signed; /* NULL: signatures are not looked at */
    void *baton;
    const char *anchor; /* the file, or NULL: not looked at */
} fw_audit_check;

/* Walks all records and seals, while the platform may go on working. A fault is a report, not an error. FW_E_CONFIG:
 * there are seals, and the anchor's file is not there or not to be read; FW_E_CORRUPT: a line of it has another form. */
const fw_err *fw_audit_verify(fw_db *db, const fw_audit_check *check, fw_audit_report *report,
                              apr_pool_t *pool);

/* is_signed by any of some public keys: baton is what fw_audit_key_load() gave. A file is PEM, certificates or a public
 * key, of ECDSA over P-256. FW_E_CONFIG if it is not. Lives as long as `pool`. */
typedef struct fw_audit_key fw_audit_key;
const fw_err *fw_audit_key_load(fw_audit_key **out, const char *path, apr_pool_t *pool);
const fw_err *fw_audit_key_add(fw_audit_key *k, const char *path, apr_pool_t *pool);
bool fw_audit_key_signed(void *key, const char *hash, const char *signature);

/* "whole", "edited", "removed", …: for scripts. */
const char *fw_audit_fault_name(fw_audit_fault_e fault);

#endif
