#ifndef EXPOSITION_H
#define EXPOSITION_H

#include "fwpermit_plugin.h"

#include <jansson.h>

/* The platform's state (docs/contracts/monitor.json, report.request) as Prometheus' text format 0.0.4: each family once, with HELP
 * and TYPE, in base units; no error's text becomes a label. To be freed; NULL: out of memory. */
char *exposition_make(const json_t *state);

#endif
