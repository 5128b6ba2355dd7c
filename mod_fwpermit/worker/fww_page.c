#include "fw_config.h"
#include "fww_page.h"

#include <math.h>
#include <string.h>

#include <cairo.h>
#include <poppler.h>
#include <vips/vips.h>

#define SIDE_MIN 16
#define SIDE_MAX 1600
#define PAGE_MAX 20000.0 /* points of a side: PDF itself knows no more than 14400 */

json_t *fww_page_unreadable(void)
{
    return json_pack("{s:b, s:[{s:s, s:{}}], s:{}}", "ok", 0, "problems", "key", "pdf.unreadable",
                     "args", "measures");
}

/* RGB of opaque cairo pixels (xRGB in the machine's order). */
static VipsImage *picture_of(cairo_surface_t *surface)
{
    int w = cairo_image_surface_get_width(surface), h = cairo_image_surface_get_height(surface);
    int stride = cairo_image_surface_get_stride(surface);
    const unsigned char *from = cairo_image_surface_get_data(surface);
    unsigned char *rgb = g_malloc((size_t)w * (size_t)h * 3), *to = rgb;
    VipsImage *image;

    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
            uint32_t pixel;

            memcpy(&pixel, from + (size_t)y * (size_t)stride + (size_t)x * 4, sizeof(pixel));
            *to++ = (unsigned char)(pixel >> 16 & 0xff);
            *to++ = (unsigned char)(pixel >> 8 & 0xff);
            *to++ = (unsigned char)(pixel & 0xff);
        }
    }
    image =
        vips_image_new_from_memory_copy(rgb, (size_t)w * (size_t)h * 3, w, h, 3, VIPS_FORMAT_UCHAR);
    g_free(rgb);
    return image;
}

/* The page on white, within the box; NULL: its size makes no sense, or it cannot be drawn. */
static cairo_surface_t *draw(PopplerPage *page, int size)
{
    double w = 0, h = 0, scale;
    cairo_surface_t *surface;
    cairo_t *cr;

    poppler_page_get_size(page, &w, &h);
    if (!(w >= 1 && h >= 1 && w <= PAGE_MAX && h <= PAGE_MAX))
        return NULL;
    scale = size / (w > h ? w : h);
    surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)ceil(fmax(w * scale, 1) - 0.001),
                                         (int)ceil(fmax(h * scale, 1) - 0.001));
    cr = cairo_create(surface);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_paint(cr);
    cairo_scale(cr, scale, scale);
    poppler_page_render(page, cr);
    if (cairo_status(cr) == CAIRO_STATUS_SUCCESS) {
        cairo_destroy(cr);
        cairo_surface_flush(surface);
        return surface;
    }
    cairo_destroy(cr);
    cairo_surface_destroy(surface);
    return NULL;
}

static const fw_err *answer(cairo_surface_t *surface, int pages, const fww_photo_rules *rules,
                            fww_photo_result *out, apr_pool_t *pool)
{
    VipsImage *image = picture_of(surface);
    const fw_err *err;

    if (!image)
        return FW_ERR(pool, FW_E_INTERNAL, 0, "a page: %s", vips_error_buffer());
    err = fww_photo_write(image, rules, out, pool);
    if (!err)
        out->answer = json_pack("{s:b, s:[], s:{s:i, s:i, s:i}}", "ok", 1, "problems", "measures",
                                "pages", pages, "width", vips_image_get_width(image), "height",
                                vips_image_get_height(image));
    g_object_unref(image);
    out->ok = !err;
    return err;
}

static const fw_err *draw_from(PopplerDocument *doc, const fww_page *p,
                               const fww_photo_rules *rules, fww_photo_result *out,
                               apr_pool_t *pool)
{
    int pages = poppler_document_get_n_pages(doc);
    PopplerPage *page;
    cairo_surface_t *surface;
    const fw_err *err;

    if (p->page > pages) {
        out->answer = json_pack("{s:b, s:[{s:s, s:{s:i, s:i}}], s:{s:i}}", "ok", 0, "problems",
                                "key", "pdf.no_such_page", "args", "page", p->page, "pages", pages,
                                "measures", "pages", pages);
        return NULL;
    }
    page = poppler_document_get_page(doc, p->page - 1);
    surface = page ? draw(page, p->size) : NULL;
    if (page)
        g_object_unref(page);
    if (!surface) {
        out->answer = fww_page_unreadable();
        return NULL;
    }
    err = answer(surface, pages, rules, out, pool);
    cairo_surface_destroy(surface);
    return err;
}

const fw_err *fww_page_draw(const fww_page *p, const fww_photo_rules *rules, fww_photo_result *out,
                            apr_pool_t *pool)
{
    PopplerDocument *doc;
    GBytes *bytes;
    const fw_err *err = NULL;

    *out = (fww_photo_result){.ok = false};
    if (p->size < SIDE_MIN || p->size > SIDE_MAX)
        return FW_ERR(pool, FW_E_INPUT, 0, "no page of %d pixels", p->size);
    bytes = g_bytes_new_static(p->bytes, p->n);
    doc = poppler_document_new_from_bytes(bytes, NULL, NULL);
    if (doc)
        err = draw_from(doc, p, rules, out, pool);
    else
        out->answer = fww_page_unreadable();
    if (doc)
        g_object_unref(doc);
    g_bytes_unref(bytes);
    return err;
}
