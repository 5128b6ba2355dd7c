#ifndef ECPAY_MAC_H
#define ECPAY_MAC_H

#include "fwpermit_plugin.h"

#include <stdbool.h>

/* ECPay's CheckMacValue (檢查碼) with SHA-256, EncryptType 1 (developers' page p=2902). */

#define ECPAY_MAC_CHARS  64  /* hexadecimal, upper case */
#define ECPAY_FIELDS_MAX 100 /* of one form */

typedef struct ecpay_key {
    fwp_str hash_key, hash_iv;
} ecpay_key;

/* One field of a form, decoded. `flags` is not used. */
typedef fwp_kv ecpay_field;

/* Writes the value for `fields`, of which any named CheckMacValue is left out, and a NUL to `mac`.
 * At most ECPAY_FIELDS_MAX fields; false if there are more, or if a digest cannot be made. */
bool ecpay_mac_make(const ecpay_key *key, const ecpay_field *fields, size_t n,
                    char mac[ECPAY_MAC_CHARS + 1]);

/* Whether the one CheckMacValue among `fields` is right; constant time in its value. */
bool ecpay_mac_right(const ecpay_key *key, const ecpay_field *fields, size_t n);

/* The field's value; p is NULL if there is none of that name. */
fwp_str ecpay_find(const ecpay_field *fields, size_t n, const char *name);

#endif
