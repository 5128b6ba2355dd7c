#ifndef FW_VERIFY_INT_H
#define FW_VERIFY_INT_H

#include "fw_verify.h"

#include <openssl/x509.h>

/* What the parts of the verifier share. */

typedef struct fw_signer {
    const char *use;     /* "permit", "receipt", "seal" */
    const char *seal_id; /* of a seal's: "TWNI:1A2B"; else NULL */
    X509 *cert;
} fw_signer;

struct fw_trust {
    apr_array_header_t *signers; /* fw_signer */
    X509_STORE *roots;
};

/* The one whose certificate it is, or NULL. */
const fw_signer *fw_trust_signer(const fw_trust *trust, const X509 *cert);
const fw_signer *fw_trust_seal(const fw_trust *trust, const char *seal_id);
/* Whether its chain ended in a root at that time. `others` may be NULL. */
bool fw_trust_chains(const fw_trust *trust, X509 *cert, STACK_OF(X509) * others, apr_time_t at);
const char *fw_trust_name(const X509 *cert, apr_pool_t *pool);

/* Ends with a verdict. */
void fw_proof_end(fw_proof *out, fw_paper_e verdict, const char *why);

/* What a PDF says of itself, checked against the use of who signed it. (fw_verify_statement.c) */
void fw_verify_statement(fw_proof *out, const char *bytes, size_t n, const char *use,
                         apr_pool_t *pool);

/* A detached CMS over two pieces of a file. NULL, or the verdict's reason with *verdict. (fw_verify_cms.c) */
typedef struct fw_signed {
    const char *bytes; /* of the file */
    size_t hole, hole_end, n;
    const unsigned char *der;
    size_t n_der;
    apr_time_t at; /* the claimed time */
} fw_signed;
const fw_signer *fw_verify_cms(fw_proof *out, const fw_signed *s, const fw_trust *trust,
                               apr_pool_t *pool);

#endif
