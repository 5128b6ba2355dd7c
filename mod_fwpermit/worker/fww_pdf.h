#ifndef FWW_PDF_H
#define FWW_PDF_H

#include "fw_err.h"

#include <jansson.h>

/* Papers for people: a permit, a receipt, a filing; A4, tagged, all text selectable; PDF with a
 * cross-reference table, as fww_pdfsign_prepare() wants it. */

#define FWW_PDF_MAX       16777216u /* bytes of a paper */
#define FWW_PDF_PHOTO_MAX 4194304u  /* bytes of the photo that comes */
#define FWW_PDF_PAGES_MAX 60
#define FWW_PDF_ROWS_MAX  500 /* of all tables */

typedef struct fww_pdf {
    const char *bytes; /* in the pool */
    size_t n;
    int pages;
    int unknown; /* characters that no installed font has: they show as boxes */
} fww_pdf;

/* Adds the fonts in `dir` that are cut for papers (conf/fonts/make), before the first paper of the process. false: there are none, and papers
 * are drawn with the system's alone, in twice the time and of twice the size. */
bool fww_pdf_fonts(const char *dir, apr_pool_t *pool);

/* Renders the model
 *   {"kind": "permit" | "receipt" | "filing", "title": T, "agency": T, "number": "…",
 *    "rows": [{"label": T, "value": "…", "wide": bool, "big": bool}],
 *    "sections": [{"title": T, "rows": […]}], "qr": "https://…", "qr_note": T, "footer": T,
 *    "watermark": "…", "date": "2026-01-31T09:00:00+08:00"}
 * where T is {"zh": "…", "en": "…"}, one of the two may be missing. Needed are kind, title, agency
 * and number. `date` is what the file says about its making (now, if missing): the same model with
 * a date gives the same bytes on the same machine. Values may have line ends and any script.
 * `photo` (JPEG or PNG, or NULL) is laid out at 35 x 45 mm without its metadata: as it is where it is one that fww_photo_write() made, of
 * no more pixels than print shows, else decoded and written anew. Who gives one has called VIPS_INIT and fww_photo_init(), and lives in a
 * process that may die.
 * FW_E_INPUT: the model or the photo is not as above; FW_E_LIMIT: it is too long. */
const fw_err *fww_pdf_render(const json_t *doc, const void *photo, size_t n_photo, fww_pdf *out,
                             apr_pool_t *pool);

/* Renders a paper of nobody's, for what it leaves in this thread: fonts found, opened and laid out. A process that is forked afterwards
 * renders in half the time. Its errors are those of fww_pdf_render(): something is wrong with the machine's fonts. */
const fw_err *fww_pdf_warm(apr_pool_t *pool);

#endif
