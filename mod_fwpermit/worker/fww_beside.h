#ifndef FWW_BESIDE_H
#define FWW_BESIDE_H

#include "fw_config.h"

/* The path of what lies beside this process's program under that name; it need not be there. NULL: the system does not say where the
 * program lies. */
const char *fww_beside(const char *name, apr_pool_t *pool);

#endif
