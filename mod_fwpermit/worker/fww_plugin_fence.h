#ifndef FWW_PLUGIN_FENCE_H
#define FWW_PLUGIN_FENCE_H

#include "fww_role.h"

#include <sys/types.h>

/* What keeps a plugin that fails to its own process. It is no wall against a plugin that means harm: the folder's owner
 * answers for what lies in it. */

/* Named limits. */
#define FWW_FENCE_MEMORY_MB  512   /* of data, where option process.memory_mb does not say */
#define FWW_FENCE_MEMORY_MIN 64    /* the least that option may say */
#define FWW_FENCE_MEMORY_MAX 65536 /* the most */

/* Before the plugin is loaded: no core file, so much memory, no other process is started or signalled. In a build with
 * AddressSanitizer memory and processes are not fenced. False, logged: it cannot be. */
bool fww_fence_raise(const fww_role_env *env, const char *name, int memory_mb);

/* The process ends when a call takes longer than `ms`: by SIGALRM, and by SIGKILL a second later where the plugin took
 * that signal away. 0 disarms. */
void fww_fence_arm(int ms);

/* After a call: signals and file mode mask as they were at fww_fence_raise(). */
void fww_fence_mend(void);

/* Which open file a descriptor is; to see whether a plugin closed it. */
typedef struct fww_mark {
    dev_t device;
    ino_t inode;
} fww_mark;
fww_mark fww_fence_mark(int fd);
bool fww_fence_same(fww_mark a, fww_mark b);

#endif
