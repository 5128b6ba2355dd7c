#ifndef FWW_ROLES_H
#define FWW_ROLES_H

#include "fww_role.h"

/* One role of a program. */
typedef struct fww_role {
    const char *name;
    int (*run)(const fww_role_env *env);
    const char *program; /* instead of `run`: the program beside this one that has the role */
    bool named;          /* a name follows */
    bool drops;          /* gives up root's rights by itself, when it has read its files */
} fww_role;

/* The program's own; the last has no name. */
extern const fww_role fww_roles[];

#endif
