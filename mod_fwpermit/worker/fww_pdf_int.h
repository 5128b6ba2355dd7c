#ifndef FWW_PDF_INT_H
#define FWW_PDF_INT_H

#include "fww_pdf.h"

#include <cairo.h>
#include <pango/pangocairo.h>

/* What the parts of the renderer share. Lengths are points, y grows downward. */

#define FWW_PAGE_W    595.276
#define FWW_PAGE_H    841.890
#define FWW_MARGIN    48.0
#define FWW_BODY_W    (FWW_PAGE_W - 2 * FWW_MARGIN)
#define FWW_MM        (72.0 / 25.4)
#define FWW_PHOTO_W   (35.0 * FWW_MM)
#define FWW_PHOTO_H   (45.0 * FWW_MM)
#define FWW_BAND      64.0 /* the head line's height on the first page */
#define FWW_BAND_NEXT 34.0 /* and on those after it */
#define FWW_TOP       90.0 /* where the title begins */
#define FWW_TOP_NEXT  60.0

typedef struct fww_rgb {
    double r, g, b;
} fww_rgb;

/* The colours of one kind of paper. */
typedef struct fww_style {
    const char *kind;
    fww_rgb band;  /* the head line */
    fww_rgb lines; /* the fine lines in it */
    fww_rgb deep;  /* titles and rules */
    fww_rgb tint;  /* behind labels */
    fww_rgb rose;  /* fine lines behind everything */
} fww_style;

extern const fww_rgb fww_ink, fww_grey, fww_hair, fww_gold, fww_white;

/* How a text looks. */
typedef struct fww_face {
    double size;
    bool bold;
    bool han;       /* its Latin letters come from the Chinese font too */
    double spacing; /* between letters */
    PangoAlignment align;
} fww_face;

typedef struct fww_cell {
    PangoLayout *zh, *en, *value;
} fww_cell;

typedef enum fww_box_e { FWW_BOX_SECTION, FWW_BOX_LINE } fww_box_e;

/* Something that has its place: a section's title, or a line of a table. */
typedef struct fww_box {
    fww_box_e kind;
    int page;
    double y, h;
    int n_cells; /* 1: over the whole width, or 2 */
    fww_cell cells[2];
    bool first, last; /* of its table on this page */
} fww_box;

/* What stands beside a code in the panel at the foot. */
typedef struct fww_note {
    PangoLayout *zh, *en, *link;
    const char *url; /* NULL: there is no such code */
    double width;
} fww_note;

typedef struct fww_sheet {
    apr_pool_t *pool; /* of this one rendering */
    const json_t *doc;
    const fww_style *style;
    cairo_surface_t *surface;
    cairo_t *cr;
    PangoContext *context;
    cairo_surface_t *photo; /* or NULL */
    PangoLayout *agency_zh, *agency_en, *title_zh, *title_en, *number, *footer_zh, *footer_en;
    double footer_h, panel_h; /* at the foot of every page, and above it on the first */
    fww_note qr, seal;        /* in the panel */
    const unsigned char *seal_bytes;
    size_t n_seal;
    apr_array_header_t *boxes; /* of fww_box */
    int rows, page;            /* rows so far; the page that is being filled, from 0 */
    double y;
    int unknown;
} fww_sheet;

/* ---- texts (fww_pdf_text.c) ---- */

/* The text at `key` of `of` (NULL: none) without controls; with line ends if `lines`.
 * FW_E_INPUT: it is no text. FW_E_LIMIT: it is longer than `max` bytes. */
const fw_err *fww_pdf_get(const char **text, const json_t *of, const char *key, size_t max,
                          bool lines, apr_pool_t *pool);

/* A paragraph within `width` (negative: one line); freed with the sheet. */
PangoLayout *fww_pdf_text(fww_sheet *s, const char *text, const fww_face *face, double width);

/* The two layouts of a bilingual text, NULL for what is missing; FW_E_INPUT if both are. */
const fw_err *fww_pdf_pair(fww_sheet *s, const json_t *of, const char *key, size_t max,
                           PangoLayout **zh, PangoLayout **en, const fww_face faces[2],
                           double width);

double fww_pdf_height(PangoLayout *text); /* 0 for NULL */
double fww_pdf_width(PangoLayout *text);
void fww_pdf_show(fww_sheet *s, PangoLayout *text, double x, double y, fww_rgb colour);

void fww_pdf_colour(fww_sheet *s, fww_rgb colour);
void fww_pdf_tag(fww_sheet *s, const char *tag); /* begins a structure element */
void fww_pdf_untag(fww_sheet *s, const char *tag);

/* ---- tables (fww_pdf_table.c) ---- */

/* Places the model's rows and sections from s->y on. */
const fw_err *fww_pdf_place_tables(fww_sheet *s);
void fww_pdf_draw_tables(fww_sheet *s, int page);

/* Where the room for tables ends on a page. */
double fww_pdf_floor(const fww_sheet *s, int page);

/* ---- the paper around them (fww_pdf_paper.c) ---- */

const fw_err *fww_pdf_place_paper(fww_sheet *s);
void fww_pdf_draw_under(fww_sheet *s, int page);
void fww_pdf_draw_paper(fww_sheet *s, int page);
const fw_err *fww_pdf_draw_over(fww_sheet *s, int page);

/* ---- the panel of codes at the foot of the first page (fww_pdf_panel.c) ---- */

const fw_err *fww_pdf_place_panel(fww_sheet *s);
const fw_err *fww_pdf_draw_panel(fww_sheet *s);

/* ---- pictures (fww_pdf_picture.c) ---- */

const fw_err *fww_pdf_photo(fww_sheet *s, const void *bytes, size_t n);
void fww_pdf_draw_photo(fww_sheet *s, double x, double y);

/* A QR code of `side` points with its quiet zone. FW_E_INPUT: the text does not fit. */
const fw_err *fww_pdf_draw_qr(fww_sheet *s, const char *text, double x, double y, double side);

/* A DataMatrix (ECC 200, Base 256) of the seal within `side` points, the quiet zone of QUIET modules included.
 * FW_E_LIMIT: its modules would be smaller than FWW_MODULE. */
#define FWW_MODULE (0.34 * FWW_MM)
const fw_err *fww_pdf_draw_seal(fww_sheet *s, double x, double y, double side);

/* Waves within a rectangle, and a rosette: fine lines, as papers of value have them. */
void fww_pdf_draw_waves(fww_sheet *s, double w, double h, fww_rgb colour);
void fww_pdf_draw_rosette(fww_sheet *s, double x, double y, double radius, fww_rgb colour);

#endif
