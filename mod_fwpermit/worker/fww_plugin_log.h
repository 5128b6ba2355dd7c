#ifndef FWW_PLUGIN_LOG_H
#define FWW_PLUGIN_LOG_H

#include "fww_role.h"

/* What a plugin says: by host->log, or by printing, which the contract forbids. A flood is cut: so many lines at once, and
 * then so many a second; how many were left out is told. What the process itself logs is never cut. */

/* Named limits. */
#define FWW_SAY_BURST 100  /* lines at once */
#define FWW_SAY_PER_S 5    /* and then a second */
#define FWW_SAY_BYTES 1024 /* of a line */

/* One line of the plugin `name`, from any thread. */
void fww_plugin_say(const fww_role_env *env, const char *name, int level, const char *line);

/* Tells how many lines were left out since this was last called, if any were. */
void fww_plugin_say_rest(const fww_role_env *env, const char *name);

/* From now on standard output and error are read by a thread and said line by line, while env->log keeps the real one.
 * False, logged: it cannot be. */
bool fww_plugin_capture(const fww_role_env *env, const char *name);

/* Says what is still on its way, and ends the thread. */
void fww_plugin_capture_end(void);

#endif
