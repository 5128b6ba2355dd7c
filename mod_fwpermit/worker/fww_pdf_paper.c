#include "fw_config.h"
#include "fww_pdf_int.h"

#include <math.h>
#include <string.h>

#include <apr_strings.h>

#define TITLE_BYTES     400u
#define FOOTER_BYTES    1500u
#define WATERMARK_BYTES 120u
#define FOOT_EDGE       26.0 /* below the footer */
#define FOOT_NUMBERS_W  120.0
#define PHOTO_GAP       22.0

static const fww_face agency_faces[2] = {{.size = 15, .bold = true, .han = true, .spacing = 1.2},
                                         {.size = 8.6, .spacing = 0.25}};
static const fww_face title_faces[2] = {{.size = 25, .bold = true, .han = true, .spacing = 2.4},
                                        {.size = 12}};
static const fww_face footer_faces[2] = {{.size = 7.4, .han = true}, {.size = 6.5}};
static const fww_face number_label = {.size = 8, .han = true};
static const fww_face number_face = {.size = 14, .bold = true, .spacing = 0.7};
static const fww_face small_right = {.size = 7, .han = true, .align = PANGO_ALIGN_RIGHT};

/* ---- placing ---- */

static double title_width(const fww_sheet *s)
{
    return s->photo ? FWW_BODY_W - FWW_PHOTO_W - PHOTO_GAP : FWW_BODY_W;
}

static double head_bottom(const fww_sheet *s)
{
    double y = FWW_TOP + fww_pdf_height(s->title_zh) + fww_pdf_height(s->title_en) + 22 +
               fww_pdf_height(s->number) + 16;
    double photo = FWW_TOP - 2 + FWW_PHOTO_H + 16;
    return s->photo && photo > y ? photo : y;
}

const fw_err *fww_pdf_place_paper(fww_sheet *s)
{
    const char *text;

    FW_TRY(fww_pdf_pair(s, s->doc, "agency", TITLE_BYTES, &s->agency_zh, &s->agency_en,
                        agency_faces, FWW_BODY_W));
    FW_TRY(fww_pdf_pair(s, s->doc, "title", TITLE_BYTES, &s->title_zh, &s->title_en, title_faces,
                        title_width(s)));
    FW_TRY(fww_pdf_get(&text, s->doc, "number", TITLE_BYTES, false, s->pool));
    if (!text || !*text)
        return FW_ERR(s->pool, FW_E_INPUT, 0, "paper: it has no number");
    s->number = fww_pdf_text(s, text, &number_face, title_width(s) - 50);
    if (json_object_get(s->doc, "footer"))
        FW_TRY(fww_pdf_pair(s, s->doc, "footer", FOOTER_BYTES, &s->footer_zh, &s->footer_en,
                            footer_faces, FWW_BODY_W - FOOT_NUMBERS_W));
    s->footer_h = FOOT_EDGE + 18 + fww_pdf_height(s->footer_zh) + fww_pdf_height(s->footer_en);
    if (s->footer_h < FOOT_EDGE + 36)
        s->footer_h = FOOT_EDGE + 36;
    FW_TRY(fww_pdf_place_panel(s));
    s->y = head_bottom(s);
    return NULL;
}

/* ---- drawing ---- */

void fww_pdf_draw_under(fww_sheet *s, int page)
{
    double h = page == 0 ? FWW_BAND : FWW_BAND_NEXT;

    fww_pdf_draw_rosette(s, FWW_PAGE_W / 2, FWW_PAGE_H * 0.53, 205, s->style->rose);
    fww_pdf_colour(s, s->style->band);
    cairo_rectangle(s->cr, 0, 0, FWW_PAGE_W, h);
    cairo_fill(s->cr);
    fww_pdf_draw_waves(s, FWW_PAGE_W, h, s->style->lines);
    fww_pdf_colour(s, fww_gold);
    cairo_rectangle(s->cr, 0, h, FWW_PAGE_W, 2.4);
    cairo_fill(s->cr);
}

static void draw_head(fww_sheet *s)
{
    double zh = fww_pdf_height(s->agency_zh), en = fww_pdf_height(s->agency_en);
    double y = (FWW_BAND - zh - en) / 2;

    fww_pdf_tag(s, "P");
    fww_pdf_show(s, s->agency_zh, FWW_MARGIN, y, fww_white);
    fww_pdf_show(s, s->agency_en, FWW_MARGIN, y + zh, fww_white);
    fww_pdf_untag(s, "P");
    y = FWW_TOP;
    fww_pdf_tag(s, "H1");
    fww_pdf_show(s, s->title_zh, FWW_MARGIN, y, s->style->deep);
    y += fww_pdf_height(s->title_zh);
    fww_pdf_show(s, s->title_en, FWW_MARGIN, y, fww_grey);
    fww_pdf_untag(s, "H1");
    y += fww_pdf_height(s->title_en) + 9;
    fww_pdf_colour(s, fww_gold);
    cairo_rectangle(s->cr, FWW_MARGIN, y, 40, 2);
    cairo_fill(s->cr);
    y += 13;
    fww_pdf_tag(s, "P");
    fww_pdf_show(s, fww_pdf_text(s, "編號 No.", &number_label, -1), FWW_MARGIN, y + 6.5, fww_grey);
    fww_pdf_show(s, s->number, FWW_MARGIN + 44, y, fww_ink);
    fww_pdf_untag(s, "P");
    if (s->photo)
        fww_pdf_draw_photo(s, FWW_PAGE_W - FWW_MARGIN - FWW_PHOTO_W, FWW_TOP - 2);
}

/* The head of a page after the first: what paper it belongs to. */
static void draw_head_next(fww_sheet *s)
{
    static const fww_face left = {.size = 10, .bold = true, .han = true};
    static const fww_face right = {.size = 9, .align = PANGO_ALIGN_RIGHT};
    PangoLayout *title = s->title_zh ? s->title_zh : s->title_en;
    PangoLayout *a = fww_pdf_text(s, pango_layout_get_text(title), &left, FWW_BODY_W - 180);
    PangoLayout *b = fww_pdf_text(s, pango_layout_get_text(s->number), &right, 170);

    pango_layout_set_height(a, 0);
    pango_layout_set_ellipsize(a, PANGO_ELLIPSIZE_END);
    fww_pdf_tag(s, "P");
    fww_pdf_show(s, a, FWW_MARGIN, (FWW_BAND_NEXT - fww_pdf_height(a)) / 2, fww_white);
    fww_pdf_show(s, b, FWW_PAGE_W - FWW_MARGIN - 170, (FWW_BAND_NEXT - fww_pdf_height(b)) / 2,
                 fww_white);
    fww_pdf_untag(s, "P");
}

static void draw_foot(fww_sheet *s, int page)
{
    double y = FWW_PAGE_H - s->footer_h + 10;
    const char *numbers = apr_psprintf(s->pool, "第 %d 頁，共 %d 頁\nPage %d of %d", page + 1,
                                       s->page + 1, page + 1, s->page + 1);

    fww_pdf_colour(s, fww_hair);
    cairo_rectangle(s->cr, FWW_MARGIN, y, FWW_BODY_W, 0.5);
    cairo_fill(s->cr);
    y += 6;
    fww_pdf_tag(s, "P");
    fww_pdf_show(s, s->footer_zh, FWW_MARGIN, y, fww_grey);
    fww_pdf_show(s, s->footer_en, FWW_MARGIN, y + fww_pdf_height(s->footer_zh), fww_grey);
    fww_pdf_show(s, fww_pdf_text(s, numbers, &small_right, FOOT_NUMBERS_W - 10),
                 FWW_PAGE_W - FWW_MARGIN - FOOT_NUMBERS_W + 10, y, fww_grey);
    fww_pdf_untag(s, "P");
}

void fww_pdf_draw_paper(fww_sheet *s, int page)
{
    if (page == 0)
        draw_head(s);
    else
        draw_head_next(s);
    draw_foot(s, page);
}

static void draw_watermark(fww_sheet *s, const char *text)
{
    static const fww_face face = {.size = 100, .bold = true, .han = true, .spacing = 8};
    const double slope = -0.9, length = 620;
    PangoLayout *layout = fww_pdf_text(s, text, &face, -1);
    double w = fww_pdf_width(layout), h = fww_pdf_height(layout);
    double by = w > length ? length / w : 1;

    cairo_save(s->cr);
    cairo_translate(s->cr, FWW_PAGE_W / 2, FWW_PAGE_H * 0.53);
    cairo_rotate(s->cr, slope);
    cairo_scale(s->cr, by, by);
    cairo_set_source_rgba(s->cr, 0.72, 0.10, 0.12, 0.13);
    cairo_move_to(s->cr, -w / 2, -h / 2);
    pango_cairo_show_layout(s->cr, layout);
    cairo_restore(s->cr);
}

const fw_err *fww_pdf_draw_over(fww_sheet *s, int page)
{
    const char *text;

    if (page == 0)
        FW_TRY(fww_pdf_draw_panel(s));
    FW_TRY(fww_pdf_get(&text, s->doc, "watermark", WATERMARK_BYTES, false, s->pool));
    if (text && *text)
        draw_watermark(s, text);
    return NULL;
}
