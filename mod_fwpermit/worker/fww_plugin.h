#ifndef FWW_PLUGIN_H
#define FWW_PLUGIN_H

#include "fww_role.h"

#define FWW_PLUGIN_CLIENTS 16 /* connections at a time */

/* The process of one plugin: `fwpermit-worker plugin NAME`. Loads the plugin, makes its instance, and
 * serves requests, one after another, on <run_dir>/plugin-NAME.sock (0600), until *env->stop.
 *
 * settings: {name, path, dir, options: {key: value}, secrets: {key: bytes}, deadline_ms, grace_ms}.
 * Options that begin with "http." and "process." are the host's: http.allow_plain (yes), http.ca_file, http.proxy,
 * process.memory_mb. Requests and answers are held to the contracts in FwPermitContracts.
 *
 * A request is a frame {op, key, attempt, deadline_ms, request: {…}} and, for an inbound message, its
 * bytes as the frame's blob: the plugin finds them as request.body_base64. The answer is a frame
 * {rc, reason, retry_after_ms, attempt, reply: {…}}. The op is "<port>.<slot>", "health" (→ ok where the
 * plugin cannot say), "probe" (→ {steps: […]}; health where the plugin has none), or "describe"
 * (→ {port, name, version, ops: […]}). Where request or reply has "files", their descriptors follow the frame
 * (fw_call_files.h).
 *
 * A plugin that cannot be loaded or that names a wrong setting answers every request with
 * "misconfigured" and the reason. A call that passes its deadline by the grace period ends the process
 * by SIGALRM, or by SIGKILL a second later. Returns the exit code: 0 when stopped, 1 for a failure that a later start may mend. */
int fww_plugin_main(const fww_role_env *env);

#endif
