#ifndef FW_SEAL_H
#define FW_SEAL_H

#include "fw_vds.h"

/* What the visible seal of a permit says; docs/integrators/seal.md. */

#define FW_SEAL_TYPE 0xE106u

typedef enum fw_seal_tag_e {
    FW_SEAL_MRZ = 0x02,      /* TD2, C40 */
    FW_SEAL_PASSPORT = 0x03, /* C40 */
    FW_SEAL_PERMIT = 0x04,   /* C40 */
    FW_SEAL_FROM = 0x05,     /* dates */
    FW_SEAL_TO = 0x06
} fw_seal_tag_e;

/* What is not there is "". */
typedef struct fw_seal_data {
    fw_vds vds;
    const char *mrz, *passport_no, *permit_no;
    fw_date valid_from, valid_to;
} fw_seal_data;

/* FW_E_INPUT: no seal, a seal of another document, or one without number and term. What its signature is worth is not
 * looked at. */
const fw_err *fw_seal_read(fw_seal_data *out, const void *bytes, size_t n, apr_pool_t *pool);

#endif
