#ifndef FWC_SYSTEM_H
#define FWC_SYSTEM_H

#include "fwc.h"

/* The status, links, dead letters. status ends with 1 where something is down. */
const fw_err *fwc_status(fwc *c);
const fw_err *fwc_plugin_list(fwc *c);
const fw_err *fwc_plugin_pause(fwc *c);
const fw_err *fwc_plugin_resume(fwc *c);
const fw_err *fwc_deadletter_list(fwc *c);
const fw_err *fwc_deadletter_show(fwc *c);
const fw_err *fwc_deadletter_mend(fwc *c);
const fw_err *fwc_deadletter_replay(fwc *c);
const fw_err *fwc_deadletter_drop(fwc *c);

#endif
