#ifndef FWW_DESK_H
#define FWW_DESK_H

#include "fw_desk.h"
#include "fww_role.h"

/* Opens the desk of a role, and waits a while for a database that is away or being mended after a crash. */
const fw_err *fww_desk_open(fw_desk **out, const fww_role_env *env, bool with_vault);

/* Who this process is among those of all nodes: the owner of its leases. */
const char *fww_owner(const fww_role_env *env);
/* The beginning that the owners of this node have in common. */
const char *fww_node(const fww_role_env *env);

#endif
