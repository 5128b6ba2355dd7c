#ifndef FW_VDS_H
#define FW_VDS_H

#include "fw_date.h"
#include "fw_err.h"

/* Visible digital seals: ICAO Doc 9303-13 and BSI TR-03137-1, header versions 3 and 4. What is signed is header and
 * message, exactly as encoded; the signature itself is the caller's to make or to verify. */

#define FW_VDS_MAX           1555 /* bytes: what the largest DataMatrix holds */
#define FW_VDS_FEATURES_MAX  32
#define FW_VDS_REFERENCE_MAX 40 /* hex digits: a serial number has 20 bytes at most */
#define FW_VDS_DATE          3  /* bytes */

typedef struct fw_vds_feature {
    unsigned tag; /* 0 to 254 */
    const unsigned char *value;
    size_t n;
} fw_vds_feature;

typedef struct fw_vds {
    int version;         /* 3 or 4 */
    char country[3 + 1]; /* "TWN", "D<<" */
    char signer[4 + 1];  /* country and agency: "TWNI" */
    char reference[FW_VDS_REFERENCE_MAX +
                   1]; /* as it is in the seal; leading zeros are of no account */
    fw_date issued, signed_on;
    unsigned type; /* document feature definition reference and category: 0xFB06 */
    int n_features;
    fw_vds_feature features[FW_VDS_FEATURES_MAX]; /* in their order, unknown ones too */
    size_t n_signed;                /* the first bytes of the seal, which the signature covers */
    const unsigned char *signature; /* raw r and s */
    size_t n_signature;
} fw_vds;

/* Takes a seal apart; *out points into `bytes`. Whatever its tags mean: unknown ones are in the list like the others.
 * FW_E_INPUT says what is wrong: cut short, no seal, a version that is not known, a tag twice, a length beyond the end
 * or not in its shortest form, bytes behind the end. FW_E_LIMIT: too many bytes or features. */
const fw_err *fw_vds_decode(fw_vds *out, const void *bytes, size_t n, apr_pool_t *pool);

/* Header and message of a seal, which are to be signed; `signature` and `n_signed` of *v are not looked at.
 * FW_E_INPUT: a part that no seal can have; FW_E_LIMIT: too long. */
const fw_err *fw_vds_encode(const fw_vds *v, const unsigned char **bytes, size_t *n,
                            apr_pool_t *pool);

/* The whole seal of a signed part and its signature. */
const fw_err *fw_vds_finish(const unsigned char *part, size_t n_part, const void *signature,
                            size_t n_signature, const unsigned char **seal, size_t *n,
                            apr_pool_t *pool);

/* The feature of that tag, or NULL. */
const fw_vds_feature *fw_vds_find(const fw_vds *v, unsigned tag);

/* Signer and reference as trust lists name them: "TWNI:1A2B", without leading zeros. */
const char *fw_vds_id(const fw_vds *v, apr_pool_t *pool);

/* C40: 2 bytes for 3 of 0-9, A-Z and filler, which may come as "<" or " " and is told as "<". */
const fw_err *fw_vds_c40(const char *text, const unsigned char **bytes, size_t *n,
                         apr_pool_t *pool);
const fw_err *fw_vds_text(const unsigned char *bytes, size_t n, const char **text,
                          apr_pool_t *pool);

/* A date as the number MMDDYYYY. FW_E_INPUT: no real day. */
const fw_err *fw_vds_date_put(fw_date date, unsigned char out[FW_VDS_DATE], apr_pool_t *pool);
const fw_err *fw_vds_date_get(const unsigned char *bytes, size_t n, fw_date *out, apr_pool_t *pool);

#endif
