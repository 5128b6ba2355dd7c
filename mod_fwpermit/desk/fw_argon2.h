#ifndef FW_ARGON2_H
#define FW_ARGON2_H

#include "fw_config.h"

/* Argon2id (RFC 9106) by libargon2, and its PHC strings; private to fw_password.c. The memory of a hash is mapped and unmapped: from
 * malloc each thread's part of the heap would keep it for ever. */

/* The PHC string of a password with these parameters and salt; NULL: it could not be reckoned. */
const char *fw_argon2_hash(const char *password, uint32_t kib, uint32_t passes,
                           const unsigned char *salt, uint32_t n_salt, apr_pool_t *pool);

typedef enum fw_argon2_e { FW_ARGON2_RIGHT, FW_ARGON2_WRONG, FW_ARGON2_NO_HASH } fw_argon2_e;

/* Whether the password is the string's, in constant time. NO_HASH: the text is no PHC string of Argon2id within bounds, or could not be
 * reckoned; nothing, or next to nothing, was done. */
fw_argon2_e fw_argon2_check(const char *phc, const char *password, apr_pool_t *pool);

#endif
