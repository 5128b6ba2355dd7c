#ifndef FWC_RESTORE_H
#define FWC_RESTORE_H

#include "fwc.h"

#include <jansson.h>

/* Private to fwc_restore*.c. */
typedef struct fwc_restoring {
    fwc *c;
    apr_pool_t *pool;
    const char *dir;      /* the backup */
    const char *database; /* SQLite: the path that it shall have in the end; NULL: another driver */
    json_t *manifest;
    bool resumed; /* one of the same backup was broken off before */
    int faults;
} fwc_restoring;

/* Nothing is touched: is it a backup, whole, for this program and these settings, and is the place free? */
const fw_err *fwc_restore_check(fwc_restoring *r);

/* As the server's user, with everything in place: counts, every file of the vault, the audit trail. What is wrong is printed
 * and counted in r->faults. */
const fw_err *fwc_restore_verify(fwc_restoring *r);

#endif
