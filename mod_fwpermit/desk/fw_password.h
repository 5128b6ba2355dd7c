#ifndef FW_PASSWORD_H
#define FW_PASSWORD_H

#include "fw_err.h"

/* Passwords, by Argon2id (RFC 9106; libargon2's PHC strings). Hashing is slow and greedy on purpose: callers in a server pass
 * through a lane that lets few in at a time. */

#define FW_PASSWORD_MIN    12 /* characters */
#define FW_PASSWORD_MAX    128
#define FW_PASSWORD_OLD    3 /* earlier ones that a new one must differ from */
#define FW_PASSWORD_KIB    19456u
#define FW_PASSWORD_PASSES 2u

/* NULL, or why this cannot be a new password: a key of the catalogue: password.short, password.long, password.common (among
 * well-known ones, one letter repeated, or the login within it), password.control. */
const char *fw_password_judge(const char *password, const char *login);

/* A fresh PHC string. */
const fw_err *fw_password_hash(const char *password, const char **phc, apr_pool_t *pool);
/* Constant time. A `phc` that is NULL or not one is hashed against all the same (as long as for a real one), and false. */
bool fw_password_right(const char *password, const char *phc, apr_pool_t *pool);

/* The JSON array of earlier hashes after the change; FW_E_INPUT of field "new", "password.used", where the new one is among the
 * present one (`pw_hash`) and the earlier ones. */
const fw_err *fw_password_change(const char *password, const char *pw_hash, const char *pw_old,
                                 const char **new_hash, const char **new_old, apr_pool_t *pool);

/* A lane of `width`, of a process, for its threads. */
typedef struct fw_lane fw_lane;
fw_lane *fw_lane_make(int width, apr_pool_t *pool);
/* Waits for a place, at most `wait`; false: none came free. fw_lane_leave() gives it back. */
bool fw_lane_enter(fw_lane *lane, apr_interval_time_t wait);
void fw_lane_leave(fw_lane *lane);

#endif
