#ifndef FWC_PLUGIN_H
#define FWC_PLUGIN_H

#include "fwc.h"

/* plugin test NAME: starts the plugin by itself, as httpd does, and has it speak with the other system. */
const fw_err *fwc_plugin_test(fwc *c);

#endif
