#ifndef FW_ANCHOR_H
#define FW_ANCHOR_H

#include "fw_store_audit.h"

/* The anchor (FwPermitAnchor): a file outside of the database that notes each seal, so that a cut tail and a chain that
 * was reckoned anew are seen. One line a seal, from seal 1 on, without a gap:
 *   <n> SP <hash> SP <signature> LF
 * n is decimal without leading zeros, hash the seal's 64 lower-case hex digits, signature its base64 without a
 * line break, as in the seal's row. Only ever appended to and fsynced. A last line without LF was torn off by a
 * crash: readers pass over it, fw_anchor_follow() cuts it away first.
 *
 * The sealer, each second, under the lease "sealer":
 *   1. fw_anchor_follow(): notes what an earlier sealer, perhaps of another node, committed and could not note;
 *   2. fw_seal_make(); signature = base64 (one line) of the ECDSA signature (DER, SHA-256) by the key "audit" over
 *      the 64 ASCII characters of seal.hash;
 *   3. fw_db_begin(), fw_seal_put(), fw_db_commit();
 *   4. fw_anchor_follow() again.
 * The note comes after the commit: so the file never runs ahead of the database, whatever is killed in between, and a
 * seal that it has and the database lacks was taken out of the database. */

#define FW_SEAL_HASH_CHARS      64
#define FW_SEAL_SIGNATURE_CHARS 1024 /* at most */

/* Appends a line for each seal that the database has after the file's last one, and fsyncs; the file (0640) is made if it
 * is not there. `noted` (or NULL) is the number of the last seal noted. FW_E_CORRUPT: the database lacks the file's last
 * seal, or has another one of that number, and nothing may be sealed before a person has looked (`fwpermitctl audit
 * verify`). FW_E_UNAVAILABLE: the file cannot be written. One caller at a time. */
const fw_err *fw_anchor_follow(fw_db *db, const char *path, int64_t *noted, apr_pool_t *pool);

/* Reading, for the verification. */
typedef struct fw_anchor fw_anchor;
typedef struct fw_anchor_line {
    int64_t n;
    char hash[FW_SEAL_HASH_CHARS + 1];
    char signature[FW_SEAL_SIGNATURE_CHARS + 1];
} fw_anchor_line;

/* What the file holds now; lines that come later are not seen. FW_E_NOTFOUND: there is no such file. */
const fw_err *fw_anchor_open(fw_anchor **out, const char *path, apr_pool_t *pool);
/* The next line; `*any` is false at the end. FW_E_CORRUPT: a line of another form, or numbers that do not follow. */
const fw_err *fw_anchor_next(fw_anchor *anchor, fw_anchor_line *line, bool *any, apr_pool_t *pool);
void fw_anchor_close(fw_anchor *anchor);

#endif
