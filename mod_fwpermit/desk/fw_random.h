#ifndef FW_RANDOM_H
#define FW_RANDOM_H

#include "fw_decide.h"

/* Everything random, from OpenSSL's generator. Thread-safe. */

/* A new identity: milliseconds since 2020 over 22 random bits, so that rows lie in order of time.
 */
const fw_err *fw_id_draw(fw_id *out, apr_time_t now, apr_pool_t *pool);

/* All that one decision may need. */
const fw_err *fw_ids_draw(fw_ids *out, apr_time_t now, apr_pool_t *pool);

/* `chars` of Crockford's base 32 (5 bits each): a permit's code, a one-time token. */
const fw_err *fw_code_draw(const char **out, int chars, apr_pool_t *pool);

#endif
