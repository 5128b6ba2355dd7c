#ifndef FWW_SEALER_H
#define FWW_SEALER_H

#include "fww_role.h"

/* The role "sealer": each second takes the journals of reads over into the audit chain and seals what is new there;
 * one of all nodes at a time. Returns the exit code. */
int fww_sealer_main(const fww_role_env *env);

#endif
