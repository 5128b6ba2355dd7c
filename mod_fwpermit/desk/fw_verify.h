#ifndef FW_VERIFY_H
#define FW_VERIFY_H

#include <jansson.h>

#include "fw_date.h"
#include "fw_err.h"

/* Verifies what the platform hands out, without a network, a database or a server: permits and receipts (PDF), seals, and the
 * list of permits that ended. The forms are in docs/integrators/verify.md. What a paper is worth is a verdict, not an error;
 * an error is a list that cannot be used. Everything lives in the pools that are given. */

#define FW_VERIFY_PDF_MAX  20971520u /* bytes of each thing that comes */
#define FW_VERIFY_LIST_MAX 268435456u

typedef enum fw_paper_e {
    FW_PAPER_VALID,
    FW_PAPER_UNREADABLE, /* nothing that we hand out */
    FW_PAPER_UNSIGNED,   /* a PDF without any signature */
    FW_PAPER_SEVERAL,    /* with more than one */
    FW_PAPER_RESAVED, /* another program wrote it anew: the signature is no longer in its place */
    FW_PAPER_ALTERED, /* changed after it was signed */
    FW_PAPER_UNKNOWN_SIGNER, /* signed, by nobody whom the trust list names for it */
    FW_PAPER_NOT_YET,        /* genuine, and valid from a day to come */
    FW_PAPER_EXPIRED,
    FW_PAPER_SUPERSEDED, /* genuine, and another one is in its place */
    FW_PAPER_REVOKED,
    FW_PAPERS
} fw_paper_e;

/* "valid", "unknown_signer", …: for programs. */
const char *fw_paper_name(fw_paper_e verdict);

typedef struct fw_proof {
    fw_paper_e verdict;
    const char *why;      /* for an operator, English; NULL: the verdict says it */
    const char *kind;     /* "permit", "filing", "receipt", "seal"; NULL: not known */
    json_t *statement;    /* what it says of itself, once that is proven; freed with the pool */
    const char *signer;   /* the certificate's common name */
    apr_time_t signed_at; /* as the signature claims it; 0: it does not */
    const char *since;    /* superseded or revoked: since that day */
    const char *warning;  /* of the list, or NULL */
} fw_proof;

/* ---- who is trusted ---- */

typedef struct fw_trust fw_trust;

/* Reads trust.json ("fwpermit-trust/1"). FW_E_INPUT: it is none. */
const fw_err *fw_trust_read(fw_trust **out, const char *text, apr_pool_t *pool);

/* ---- permits that ended ---- */

typedef struct fw_ended {
    apr_time_t issued, next_update;
    json_t *permits; /* [{"no", "state", "since"}]; freed with the pool */
} fw_ended;

/* Reads revocations.jws. FW_E_INPUT: it is none, was altered, or is signed by nobody whom `trust` names for permits. */
const fw_err *fw_ended_read(fw_ended **out, const char *jws, const fw_trust *trust,
                            apr_pool_t *pool);

/* ---- papers ---- */

void fw_verify_pdf(fw_proof *out, const char *bytes, size_t n, const fw_trust *trust,
                   apr_pool_t *pool);
void fw_verify_seal(fw_proof *out, const void *bytes, size_t n, const fw_trust *trust,
                    apr_pool_t *pool);

/* Whether a permit that is genuine is in force: by its term on `day`, by the list (NULL: there is none, which is a warning), and by
 * the list's age at `now`. Changes nothing of what is not valid already. */
void fw_verify_in_force(fw_proof *proof, const fw_ended *list, fw_date day, apr_time_t now,
                        apr_pool_t *pool);

/* The field of a receipt of filing that this file was filed as, or NULL. `sha256`: 64 hex digits. */
const char *fw_verify_file(const fw_proof *filing, const char *sha256);

#endif
