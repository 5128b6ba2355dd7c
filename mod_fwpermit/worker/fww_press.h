#ifndef FWW_PRESS_H
#define FWW_PRESS_H

#include "fww_pump_int.h"

#include "fw_model.h"

/* The press: papers for people. A paper's contents come of the case alone, so that a repeated pressing is the same. */

/* What a paper is about. */
typedef struct fww_subject {
    fww_turn *t;
    const fw_case *kase;
    const fw_service *service;
    const fw_org *employer;
    json_t *data; /* of the form; freed with the turn's pool */
    const fw_file *files;
    int n_files;
} fww_subject;

const fw_err *fww_subject_load(fww_subject *s, fww_turn *t, fw_id case_id);

/* The first value of a field of that type; NULL: the service asks for none, or it is empty. */
const char *fww_subject_value(const fww_subject *s, fw_field_e type);

/* The photo's name in the vault, or NULL. */
const char *fww_subject_photo(const fww_subject *s);

/* Models of fww_pdf_render(); new. (fww_paper.c) */
json_t *fww_paper_filing(const fww_subject *s);
json_t *fww_paper_permit(const fww_subject *s, const fw_permit *permit, const char *seal,
                         apr_time_t now);
/* `subjects`: the cases that were paid for. */
/* `replaces`: the number that is void for it, or 0. */
json_t *fww_paper_receipt(const fww_subject *subjects, int n, const fw_payment *p, int64_t replaces,
                          const fw_org *payer);

#define FWW_N_SEAL "FWP2120" /* permits wait: key and settings of the seal do not go together */

/* The permit's visible seal in base64, signed. FW_E_UNAVAILABLE: the signer is away, or FWP2120 was logged.
 * (fww_paper_seal.c) */
const fw_err *fww_paper_seal(const fww_subject *s, const fw_permit *permit, apr_time_t now,
                             const char **seal);

/* Has the model drawn, signs it by that key, puts it into the vault, and fills vault, sha256 and size of *out.
 * FW_E_UNAVAILABLE: who draws or who signs is away. */
typedef struct fww_pressing {
    json_t *model; /* taken over */
    const char *key;
    const char *reason;    /* what the signature says of itself */
    const char *photo;     /* name in the vault, or NULL */
    const char *statement; /* what the paper says for programs (fww_statement.h) */
} fww_pressing;
const fw_err *fww_press_make(fww_turn *t, const fww_pressing *p, fw_document *out);

#endif
