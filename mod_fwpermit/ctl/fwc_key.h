#ifndef FWC_KEY_H
#define FWC_KEY_H

#include "fwc.h"

/* Private to fwc_key*.c: makes the file of master keys where there is none. */
const fw_err *fwc_master_init(fwc *c);

#endif
