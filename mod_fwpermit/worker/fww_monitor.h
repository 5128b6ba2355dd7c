#ifndef FWW_MONITOR_H
#define FWW_MONITOR_H

#include "fww_pump_int.h"

/* Tells every plugin of port monitor the state of the platform (docs/contracts/monitor.json); the page that one of them
 * answers with becomes RUN_DIR/metrics.json, which httpd shows at /metrics. What goes wrong is the link's state. */
const fw_err *fww_monitor_tell(fww_turn *t, const json_t *snapshot);

#endif
