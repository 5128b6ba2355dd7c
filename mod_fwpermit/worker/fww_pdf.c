#include "fw_config.h"
#include "fww_pdf_int.h"

#include <string.h>

#include <apr_strings.h>
#include <cairo-pdf.h>

static const fww_style styles[] = {{"permit",
                                    {0.04, 0.24, 0.38},
                                    {0.17, 0.39, 0.54},
                                    {0.04, 0.24, 0.38},
                                    {0.938, 0.955, 0.968},
                                    {0.915, 0.94, 0.958}},
                                   {"receipt",
                                    {0.07, 0.33, 0.25},
                                    {0.20, 0.48, 0.39},
                                    {0.07, 0.33, 0.25},
                                    {0.938, 0.962, 0.950},
                                    {0.915, 0.95, 0.935}},
                                   {"filing",
                                    {0.24, 0.21, 0.38},
                                    {0.38, 0.35, 0.54},
                                    {0.24, 0.21, 0.38},
                                    {0.948, 0.945, 0.968},
                                    {0.935, 0.93, 0.958}}};

typedef struct heap {
    apr_pool_t *pool;
    char *bytes;
    size_t n, room;
} heap;

static cairo_status_t write_heap(void *closure, const unsigned char *data, unsigned int n)
{
    heap *h = closure;

    if (n > FWW_PDF_MAX - h->n)
        return CAIRO_STATUS_WRITE_ERROR;
    if (h->n + n > h->room) {
        size_t room = 2 * (h->n + n) + 65536;
        char *bytes = apr_palloc(h->pool, room);
        if (h->n > 0)
            memcpy(bytes, h->bytes, h->n);
        h->bytes = bytes;
        h->room = room;
    }
    memcpy(h->bytes + h->n, data, n);
    h->n += n;
    return CAIRO_STATUS_SUCCESS;
}

static apr_status_t free_surface(void *surface)
{
    cairo_surface_destroy(surface);
    return APR_SUCCESS;
}

static apr_status_t free_cr(void *cr)
{
    cairo_destroy(cr);
    return APR_SUCCESS;
}

static apr_status_t free_context(void *context)
{
    g_object_unref(context);
    return APR_SUCCESS;
}

/* Only from 1.5 on cairo tells what text stands behind glyphs that are not one letter each. Its newer
 * releases then write cross-reference streams too, which a signature's update cannot follow. */
static cairo_pdf_version_t pdf_version(void)
{
    return cairo_version() < CAIRO_VERSION_ENCODE(1, 17, 0) ? CAIRO_PDF_VERSION_1_5
                                                            : CAIRO_PDF_VERSION_1_4;
}

static void open_surface(fww_sheet *s, heap *h)
{
    cairo_font_options_t *options = cairo_font_options_create();

    s->surface = cairo_pdf_surface_create_for_stream(write_heap, h, FWW_PAGE_W, FWW_PAGE_H);
    apr_pool_cleanup_register(s->pool, s->surface, free_surface, apr_pool_cleanup_null);
    cairo_pdf_surface_restrict_to_version(s->surface, pdf_version());
    s->cr = cairo_create(s->surface);
    apr_pool_cleanup_register(s->pool, s->cr, free_cr, apr_pool_cleanup_null);
    s->context = pango_cairo_create_context(s->cr);
    apr_pool_cleanup_register(s->pool, s->context, free_context, apr_pool_cleanup_null);
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    pango_cairo_context_set_font_options(s->context, options);
    pango_cairo_context_set_resolution(s->context, 72);
    pango_context_set_round_glyph_positions(s->context, FALSE);
    cairo_font_options_destroy(options);
}

/* "中文 English" of a bilingual text. */
static const char *both(const fww_sheet *s, PangoLayout *zh, PangoLayout *en)
{
    return apr_pstrcat(s->pool, zh ? pango_layout_get_text(zh) : "", zh && en ? " " : "",
                       en ? pango_layout_get_text(en) : "", NULL);
}

static const fw_err *describe(fww_sheet *s)
{
    apr_time_exp_t now;
    const char *date;

    FW_TRY(fww_pdf_get(&date, s->doc, "date", 40, false, s->pool));
    apr_time_exp_tz(&now, apr_time_now(), 8 * 3600);
    if (!date)
        date = apr_psprintf(s->pool, "%04d-%02d-%02dT%02d:%02d:%02d+08:00", now.tm_year + 1900,
                            now.tm_mon + 1, now.tm_mday, now.tm_hour, now.tm_min, now.tm_sec);
    cairo_pdf_surface_set_metadata(s->surface, CAIRO_PDF_METADATA_CREATE_DATE, date);
    cairo_pdf_surface_set_metadata(s->surface, CAIRO_PDF_METADATA_TITLE,
                                   both(s, s->title_zh, s->title_en));
    cairo_pdf_surface_set_metadata(s->surface, CAIRO_PDF_METADATA_AUTHOR,
                                   both(s, s->agency_zh, s->agency_en));
    cairo_pdf_surface_set_metadata(s->surface, CAIRO_PDF_METADATA_SUBJECT,
                                   pango_layout_get_text(s->number));
    cairo_pdf_surface_set_metadata(s->surface, CAIRO_PDF_METADATA_CREATOR, "fwpermit " FW_VERSION);
    return NULL;
}

static const fw_err *draw(fww_sheet *s)
{
    for (int page = 0; page <= s->page; page++) {
        fww_pdf_draw_under(s, page);
        fww_pdf_draw_paper(s, page);
        fww_pdf_draw_tables(s, page);
        FW_TRY(fww_pdf_draw_over(s, page));
        cairo_show_page(s->cr);
    }
    return NULL;
}

static const fw_err *start(fww_sheet *s)
{
    const char *kind;

    FW_TRY(fww_pdf_get(&kind, s->doc, "kind", 20, false, s->pool));
    for (size_t i = 0; kind && i < sizeof(styles) / sizeof(styles[0]); i++)
        if (strcmp(styles[i].kind, kind) == 0)
            s->style = &styles[i];
    if (!s->style)
        return FW_ERR(s->pool, FW_E_INPUT, 0, "paper: its kind is not known");
    s->boxes = apr_array_make(s->pool, 64, sizeof(fww_box));
    return NULL;
}

static const fw_err *render(fww_sheet *s, heap *h, const void *photo, size_t n_photo)
{
    FW_TRY(start(s));
    if (photo)
        FW_TRY(fww_pdf_photo(s, photo, n_photo));
    open_surface(s, h);
    FW_TRY(fww_pdf_place_paper(s));
    FW_TRY(fww_pdf_place_tables(s));
    FW_TRY(describe(s));
    FW_TRY(draw(s));
    cairo_surface_finish(s->surface);
    if (cairo_status(s->cr) != CAIRO_STATUS_SUCCESS)
        return FW_ERR(s->pool, FW_E_INTERNAL, 0, "paper: %s",
                      cairo_status_to_string(cairo_status(s->cr)));
    if (cairo_surface_status(s->surface) == CAIRO_STATUS_WRITE_ERROR)
        return FW_ERR(s->pool, FW_E_LIMIT, 0, "paper: larger than %u bytes", FWW_PDF_MAX);
    if (cairo_surface_status(s->surface) != CAIRO_STATUS_SUCCESS)
        return FW_ERR(s->pool, FW_E_INTERNAL, 0, "paper: %s",
                      cairo_status_to_string(cairo_surface_status(s->surface)));
    return NULL;
}

const fw_err *fww_pdf_render(const json_t *doc, const void *photo, size_t n_photo, fww_pdf *out,
                             apr_pool_t *pool)
{
    heap h = {.pool = pool};
    fww_sheet s = {.doc = doc};
    const fw_err *err;

    apr_pool_create(&s.pool, pool);
    err = render(&s, &h, photo, n_photo);
    if (err)
        err = fw_err_make(pool, err->code, err->os, err->file, err->line, "%s", err->msg);
    *out = (fww_pdf){.bytes = h.bytes, .n = h.n, .pages = s.page + 1, .unknown = s.unknown};
    apr_pool_destroy(s.pool);
    return err;
}
