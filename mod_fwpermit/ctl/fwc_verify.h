#ifndef FWC_VERIFY_H
#define FWC_VERIFY_H

#include "fwc.h"

/* verify FILE [ATTACHMENT…]: what a paper, a seal or a revocation list is worth; off line. */
const fw_err *fwc_verify(fwc *c);

#endif
