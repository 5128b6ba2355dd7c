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

/* Models of fww_pdf_render(); new. (fww_paper.c) */
json_t *fww_paper_filing(const fww_subject *s);
json_t *fww_paper_permit(const fww_subject *s, const fw_permit *permit, apr_time_t now);
/* `subjects`: the cases that were paid for. */
json_t *fww_paper_receipt(const fww_subject *subjects, int n, const fw_payment *p,
                          const fw_org *payer);

/* Has the model drawn, signs it by that key, puts it into the vault, and fills vault, sha256 and size of *out.
 * FW_E_UNAVAILABLE: who draws or who signs is away. */
typedef struct fww_pressing {
    json_t *model; /* taken over */
    const char *key;
    const char *reason; /* what the signature says of itself */
    const char *photo;  /* name in the vault, or NULL */
} fww_pressing;
const fw_err *fww_press_make(fww_turn *t, const fww_pressing *p, fw_document *out);

#endif
