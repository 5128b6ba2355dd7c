#ifndef FWW_PDFSIGN_H
#define FWW_PDFSIGN_H

#include "fw_err.h"

/* A PAdES B-B signature as an incremental update: the first revision's bytes stay as they are. */

#define FWW_PDFSIGN_MAX       15728640u /* bytes of the file that comes */
#define FWW_PDFSIGN_STATEMENT "fwpermit.json"
#define FWW_PDFSIGN_ROOM      12288u /* bytes of CMS that find room */

/* What the signature says of itself, UTF-8; each may be NULL. `statement` is JSON that the file carries as its attachment
 * fwpermit.json, uncompressed and signed with the rest. */
typedef struct fww_pdfsign_claim {
    const char *name, *reason, *location;
    const char *statement;
} fww_pdfsign_claim;

typedef struct fww_pdfsign {
    char *pdf; /* the whole file with room for the signature */
    size_t n;
    size_t hole, hole_end; /* the room with its brackets, [hole, hole_end) */
    char *to_sign;         /* everything outside the room, in one piece */
    size_t n_to_sign;
} fww_pdfsign;

/* Appends the update to a file with a cross-reference table (not stream) and no form yet; `when` is
 * the claimed time, told in Taipei's. The bytes to be signed are s->to_sign.
 * FW_E_INPUT: it is no such file; FW_E_LIMIT: it is longer than can be. */
const fw_err *fww_pdfsign_prepare(fww_pdfsign *s, const char *pdf, size_t n,
                                  const fww_pdfsign_claim *claim, apr_time_t when,
                                  apr_pool_t *pool);

/* Puts the CMS into its room; s->pdf is then the signed file. FW_E_LIMIT: it does not fit. */
const fw_err *fww_pdfsign_finish(fww_pdfsign *s, const void *der, size_t n_der, apr_pool_t *pool);

#endif
