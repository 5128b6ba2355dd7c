#include "fw_config.h"
#include "fww_roles.h"

#include "fww_plugin.h"
#include "fww_pump.h"
#include "fww_sealer.h"
#include "fww_signer.h"

/* fwpermit-worker. The libraries that decode and draw are in another program: these neither load them nor can be reached
 * through them. */
const fww_role fww_roles[] = {{.name = "plugin", .run = fww_plugin_main, .named = true},
                              {.name = "signer", .run = fww_signer_main, .drops = true},
                              {.name = "pump", .run = fww_pump_main},
                              {.name = "sealer", .run = fww_sealer_main},
                              {.name = "pictures", .program = "fwpermit-pictures"},
                              {.name = NULL}};
