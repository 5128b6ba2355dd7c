#ifndef FWW_PUMP_H
#define FWW_PUMP_H

#include "fww_role.h"

/* The role "pump", one for each node: takes what lies in the outbox and the inbox to the plugin processes and to the
 * press, makes commands of their answers, and minds the clock. Returns the exit code. */
int fww_pump_main(const fww_role_env *env);

#endif
