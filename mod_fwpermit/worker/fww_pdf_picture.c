#include "fw_config.h"
#include "fww_pdf_int.h"
#include "fww_photo_source.h"

#include <math.h>
#include <string.h>

#include <dmtx.h>
#include <qrencode.h>

#define PHOTO_PX_W       827 /* 35 mm at 600 dots in an inch */
#define PHOTO_PX_H       1063
#define PHOTO_PIXELS_MAX 40e6
#define PHOTO_QUALITY    90
#define QUIET            4 /* modules around a QR code */
#define SEAL_QUIET       2 /* around a DataMatrix */
#define WAVES            18
#define PETALS           8

/* ---- the photo ---- */

static apr_status_t free_surface(void *surface)
{
    cairo_surface_destroy(surface);
    return APR_SUCCESS;
}

/* A picture of that size that stands in the PDF as this JPEG, which `done` frees: its pixels are never looked at. */
static void stand_for(fww_sheet *s, int w, int h, const void *jpeg, size_t n,
                      cairo_destroy_func_t done)
{
    s->photo = cairo_image_surface_create(CAIRO_FORMAT_RGB24, w, h);
    apr_pool_cleanup_register(s->pool, s->photo, free_surface, apr_pool_cleanup_null);
    cairo_surface_set_mime_data(s->photo, CAIRO_MIME_TYPE_JPEG, jpeg, n, done,
                                (void *)(uintptr_t)jpeg);
}

static bool mend(fww_sheet *s, const fww_source *source)
{
    VipsImage *image = NULL;
    void *jpeg = NULL;
    size_t n = 0;
    bool ok = fww_source_decode(source, 2 * PHOTO_PX_W, PHOTO_PX_H, &image, s->pool) &&
              vips_jpegsave_buffer(image, &jpeg, &n, "Q", PHOTO_QUALITY, "strip", TRUE, NULL) == 0;

    if (ok)
        stand_for(s, vips_image_get_width(image), vips_image_get_height(image), jpeg, n, g_free);
    if (image)
        g_object_unref(image);
    vips_error_clear();
    return ok;
}

const fw_err *fww_pdf_photo(fww_sheet *s, const void *bytes, size_t n)
{
    fww_source source;

    if (n > FWW_PDF_PHOTO_MAX)
        return FW_ERR(s->pool, FW_E_LIMIT, 0, "paper: photo of %" APR_SIZE_T_FMT " bytes", n);
    fww_source_sniff(&source, bytes, n);
    if ((source.format != FWW_FORMAT_JPEG && source.format != FWW_FORMAT_PNG) ||
        !fww_source_size(&source, PHOTO_PIXELS_MAX) ||
        (double)source.width * source.height > PHOTO_PIXELS_MAX)
        return FW_ERR(s->pool, FW_E_INPUT, 0, "paper: the photo is no JPEG or PNG, or too large");
    if (source.height <= PHOTO_PX_H && fww_source_is_mended(&source))
        stand_for(s, source.width, source.height, bytes, n, NULL);
    else if (!mend(s, &source))
        return FW_ERR(s->pool, FW_E_INPUT, 0, "paper: the photo cannot be decoded");
    return NULL;
}

/* The middle of the picture, in the shape of 35 to 45. */
void fww_pdf_draw_photo(fww_sheet *s, double x, double y)
{
    cairo_t *cr = s->cr;
    double w = cairo_image_surface_get_width(s->photo);
    double h = cairo_image_surface_get_height(s->photo);
    double by = fmax(FWW_PHOTO_W / w, FWW_PHOTO_H / h);

    cairo_save(cr);
    cairo_rectangle(cr, x, y, FWW_PHOTO_W, FWW_PHOTO_H);
    cairo_clip(cr);
    cairo_translate(cr, x + (FWW_PHOTO_W - by * w) / 2, y + (FWW_PHOTO_H - by * h) / 2);
    cairo_scale(cr, by, by);
    fww_pdf_tag(s, "Figure");
    cairo_set_source_surface(cr, s->photo, 0, 0);
    cairo_paint(cr);
    fww_pdf_untag(s, "Figure");
    cairo_restore(cr);
    fww_pdf_colour(s, s->style->deep);
    cairo_set_line_width(cr, 0.6);
    cairo_rectangle(cr, x, y, FWW_PHOTO_W, FWW_PHOTO_H);
    cairo_stroke(cr);
}

/* ---- the codes ---- */

typedef bool (*is_dark_fn)(const void *code, int row, int column);

typedef struct grid_of {
    is_dark_fn is_dark;
    const void *code;
    int modules, quiet; /* on a side, and around them */
} grid_of;

/* Modules side by side are one rectangle: nothing shines through between them. */
static void draw_modules(fww_sheet *s, const grid_of *g, double x, double y, double side)
{
    double unit = side / (g->modules + 2 * g->quiet);

    fww_pdf_colour(s, fww_white);
    cairo_rectangle(s->cr, x, y, side, side);
    cairo_fill(s->cr);
    cairo_set_source_rgb(s->cr, 0, 0, 0);
    for (int row = 0; row < g->modules; row++)
        for (int from = 0, to; from < g->modules; from = to) {
            bool dark = g->is_dark(g->code, row, from);
            for (to = from + 1; to < g->modules && g->is_dark(g->code, row, to) == dark; to++) {
            }
            if (dark)
                cairo_rectangle(s->cr, x + (from + g->quiet) * unit, y + (row + g->quiet) * unit,
                                (to - from) * unit, unit);
        }
    cairo_fill(s->cr);
}

static bool qr_is_dark(const void *code, int row, int column)
{
    const QRcode *qr = code;

    return qr->data[row * qr->width + column] & 1;
}

const fw_err *fww_pdf_draw_qr(fww_sheet *s, const char *text, double x, double y, double side)
{
    QRcode *code = QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);

    if (!code)
        return FW_ERR(s->pool, FW_E_INPUT, 0, "paper: the text of the code does not fit");
    draw_modules(s, &(grid_of){qr_is_dark, code, code->width, QUIET}, x, y, side);
    QRcode_free(code);
    return NULL;
}

/* The library counts rows from the bottom. */
static bool dmtx_is_dark(const void *code, int row, int column)
{
    const DmtxEncode *e = code;
    int rows = e->region.symbolRows;

    return dmtxSymbolModuleStatus(e->message, e->region.sizeIdx, rows - 1 - row, column) &
           DmtxModuleOn;
}

static DmtxEncode *encode_seal(const fww_sheet *s)
{
    DmtxEncode *e = dmtxEncodeCreate();

    if (!e)
        return NULL;
    dmtxEncodeSetProp(e, DmtxPropScheme, DmtxSchemeBase256);
    dmtxEncodeSetProp(e, DmtxPropSizeRequest, DmtxSymbolSquareAuto);
    dmtxEncodeSetProp(e, DmtxPropModuleSize, 1);
    dmtxEncodeSetProp(e, DmtxPropMarginSize, 0);
    if (dmtxEncodeDataMatrix(e, (int)s->n_seal, (unsigned char *)s->seal_bytes) != DmtxPass)
        dmtxEncodeDestroy(&e);
    return e;
}

const fw_err *fww_pdf_draw_seal(fww_sheet *s, double x, double y, double side)
{
    DmtxEncode *e = encode_seal(s);
    const fw_err *err = NULL;
    int modules = e ? e->region.symbolRows : 0;

    if (!e || side / (modules + 2 * SEAL_QUIET) < FWW_MODULE)
        err =
            FW_ERR(s->pool, FW_E_LIMIT, 0, "paper: a seal of %" APR_SIZE_T_FMT " bytes", s->n_seal);
    else
        draw_modules(s, &(grid_of){dmtx_is_dark, e, modules, SEAL_QUIET}, x, y, side);
    if (e)
        dmtxEncodeDestroy(&e);
    return err;
}

/* ---- fine lines: curves on a grid of an eighth of a point, which the file says in few digits ---- */

static double grid(double v)
{
    return round(v * 8) / 8;
}

void fww_pdf_draw_waves(fww_sheet *s, double w, double h, fww_rgb colour)
{
    cairo_t *cr = s->cr;
    const double step = 12;

    cairo_save(cr);
    cairo_rectangle(cr, 0, 0, w, h);
    cairo_clip(cr);
    for (int i = 0; i < WAVES; i++) {
        double phase = 2 * G_PI * i / WAVES;
        cairo_new_sub_path(cr);
        for (int k = -1; k * step <= w + step; k++) {
            double x = k * step;
            double swell = 0.55 + 0.45 * sin(x / 97);
            double y = h / 2 + h * 0.62 * swell * sin(x / 61 + phase) + h * 0.16 * sin(x / 23);
            cairo_line_to(cr, x, grid(y));
        }
    }
    fww_pdf_colour(s, colour);
    cairo_set_line_width(cr, 0.3);
    cairo_stroke(cr);
    cairo_restore(cr);
}

/* A point of a ring's curve at the angle `a`, and its way per radian. */
typedef struct ring_point {
    double x, y, dx, dy;
} ring_point;

static ring_point ring_at(double middle, double swing, int waves, double phase, double a)
{
    double r = middle + swing * cos(waves * a + phase);
    double dr = -swing * waves * sin(waves * a + phase);
    return (ring_point){r * cos(a), r * sin(a), dr * cos(a) - r * sin(a), dr * sin(a) + r * cos(a)};
}

/* A ring of closed curves, each turned a little against the one before: a piece from each crest to the next trough. */
static void draw_ring(fww_sheet *s, double middle, double swing, int waves)
{
    int parts = 2 * waves;
    double step = 2 * G_PI / parts;

    for (int curve = 0; curve < PETALS; curve++) {
        double phase = 2 * G_PI * curve / PETALS, crest = -phase / waves;
        ring_point p = ring_at(middle, swing, waves, phase, crest);
        cairo_move_to(s->cr, grid(p.x), grid(p.y));
        for (int i = 1; i <= parts; i++) {
            ring_point q = ring_at(middle, swing, waves, phase, crest + i * step);
            cairo_curve_to(s->cr, grid(p.x + p.dx * step / 3), grid(p.y + p.dy * step / 3),
                           grid(q.x - q.dx * step / 3), grid(q.y - q.dy * step / 3), grid(q.x),
                           grid(q.y));
            p = q;
        }
        cairo_close_path(s->cr);
    }
}

void fww_pdf_draw_rosette(fww_sheet *s, double x, double y, double radius, fww_rgb colour)
{
    cairo_save(s->cr);
    cairo_translate(s->cr, grid(x), grid(y));
    draw_ring(s, radius * 0.80, radius * 0.20, 12);
    draw_ring(s, radius * 0.52, radius * 0.12, 12);
    draw_ring(s, radius * 0.26, radius * 0.16, 6);
    fww_pdf_colour(s, colour);
    cairo_set_line_width(s->cr, 0.35);
    cairo_stroke(s->cr);
    cairo_restore(s->cr);
}
