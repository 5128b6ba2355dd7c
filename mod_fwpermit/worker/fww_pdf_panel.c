#include "fw_config.h"
#include "fww_pdf_int.h"

#include <string.h>

#include <apr_encode.h>
#include <apr_strings.h>

#define NOTE_BYTES 600u
#define URL_BYTES  500u
#define SEAL_CHARS 700u /* of base64: more than its room can show */
#define CODE_SIDE  84.0
#define PANEL_H    92.0 /* at least */
#define PAD        8.0
#define GAP_ABOVE  12.0

/* How the reader can have the paper checked: the seal at the left edge, which needs no network, and the address as a
 * code at the right edge, a note beside each. One alone has the whole width. */

static const fww_face alone_faces[2] = {{.size = 9.6, .bold = true, .han = true}, {.size = 7.8}};
static const fww_face half_faces[2] = {{.size = 8.4, .bold = true, .han = true}, {.size = 7}};
static const fww_face alone_link = {.size = 7}, half_link = {.size = 6.2};

/* ---- placing ---- */

static const fw_err *check_url(const fww_sheet *s, const char *url)
{
    if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0)
        return FW_ERR(s->pool, FW_E_INPUT, 0, "paper: what is to be an address is none");
    for (const char *p = url; *p; p++)
        if (*p <= ' ' || *p >= 0x7f || *p == '\'' || *p == '\\' || *p == '"')
            return FW_ERR(s->pool, FW_E_INPUT, 0, "paper: a letter that no address has");
    return NULL;
}

static const fw_err *take_url(fww_sheet *s, const char *key, fww_note *note)
{
    FW_TRY(fww_pdf_get(&note->url, s->doc, key, URL_BYTES, false, s->pool));
    return note->url ? check_url(s, note->url) : NULL;
}

static const fw_err *take_seal(fww_sheet *s)
{
    const char *text = NULL;

    FW_TRY(fww_pdf_get(&text, s->doc, "seal", SEAL_CHARS, false, s->pool));
    if (!text)
        return NULL;
    s->seal_bytes =
        apr_pdecode_base64_binary(s->pool, text, APR_ENCODE_STRING, APR_ENCODE_NONE, &s->n_seal);
    if (!s->seal_bytes || s->n_seal == 0)
        return FW_ERR(s->pool, FW_E_INPUT, 0, "paper: the seal is not base64");
    FW_TRY(take_url(s, "seal_url", &s->seal));
    return s->seal.url ? NULL : FW_ERR(s->pool, FW_E_INPUT, 0, "paper: a seal without an address");
}

static const fw_err *place_note(fww_sheet *s, fww_note *note, const char *key, bool alone)
{
    double width = alone ? FWW_BODY_W : FWW_BODY_W / 2;

    note->width = width - CODE_SIDE - 4 * PAD;
    if (json_object_get(s->doc, key))
        FW_TRY(fww_pdf_pair(s, s->doc, key, NOTE_BYTES, &note->zh, &note->en,
                            alone ? alone_faces : half_faces, note->width));
    note->link = fww_pdf_text(s, note->url, alone ? &alone_link : &half_link, note->width);
    return NULL;
}

static double note_height(const fww_note *note)
{
    return fww_pdf_height(note->zh) + fww_pdf_height(note->en) + 5 + fww_pdf_height(note->link);
}

const fw_err *fww_pdf_place_panel(fww_sheet *s)
{
    fww_note *const notes[] = {&s->qr, &s->seal};
    static const char *const keys[] = {"qr_note", "seal_note"};

    FW_TRY(take_url(s, "qr", &s->qr));
    FW_TRY(take_seal(s));
    for (int i = 0; i < 2; i++) {
        if (!notes[i]->url)
            continue;
        FW_TRY(place_note(s, notes[i], keys[i], !notes[1 - i]->url));
        if (s->panel_h < PANEL_H + GAP_ABOVE)
            s->panel_h = PANEL_H + GAP_ABOVE;
        if (s->panel_h < note_height(notes[i]) + 2 * PAD + GAP_ABOVE)
            s->panel_h = note_height(notes[i]) + 2 * PAD + GAP_ABOVE;
    }
    return NULL;
}

/* ---- drawing ---- */

static void draw_note(fww_sheet *s, const fww_note *note, double x, double y, double h)
{
    double at = y + (h - note_height(note)) / 2;

    fww_pdf_tag(s, "P");
    fww_pdf_show(s, note->zh, x, at, s->style->deep);
    at += fww_pdf_height(note->zh);
    fww_pdf_show(s, note->en, x, at, fww_grey);
    at += fww_pdf_height(note->en) + 5;
    fww_pdf_untag(s, "P");
    cairo_tag_begin(s->cr, CAIRO_TAG_LINK, apr_psprintf(s->pool, "uri='%s'", note->url));
    fww_pdf_show(s, note->link, x, at, s->style->deep);
    cairo_tag_end(s->cr, CAIRO_TAG_LINK);
}

static void draw_frame(fww_sheet *s, double y, double h)
{
    fww_pdf_colour(s, fww_white);
    cairo_rectangle(s->cr, FWW_MARGIN, y, FWW_BODY_W, h);
    cairo_fill_preserve(s->cr);
    fww_pdf_colour(s, fww_hair);
    cairo_set_line_width(s->cr, 0.6);
    cairo_stroke(s->cr);
    fww_pdf_colour(s, s->style->band);
    cairo_rectangle(s->cr, FWW_MARGIN, y, 3, h);
    cairo_fill(s->cr);
}

static const fw_err *draw_left(fww_sheet *s, double y, double h)
{
    double x = FWW_MARGIN + PAD;

    fww_pdf_tag(s, "Figure");
    FW_TRY(fww_pdf_draw_seal(s, x, y + (h - CODE_SIDE) / 2, CODE_SIDE));
    fww_pdf_untag(s, "Figure");
    draw_note(s, &s->seal, x + CODE_SIDE + PAD, y, h);
    return NULL;
}

static const fw_err *draw_right(fww_sheet *s, double y, double h)
{
    double x = FWW_PAGE_W - FWW_MARGIN - CODE_SIDE - PAD / 2;

    draw_note(s, &s->qr, x - PAD - s->qr.width, y, h);
    fww_pdf_tag(s, "Figure");
    FW_TRY(fww_pdf_draw_qr(s, s->qr.url, x, y + (h - CODE_SIDE) / 2, CODE_SIDE));
    fww_pdf_untag(s, "Figure");
    return NULL;
}

const fw_err *fww_pdf_draw_panel(fww_sheet *s)
{
    double h = s->panel_h - GAP_ABOVE, y = FWW_PAGE_H - s->footer_h - h;

    if (s->panel_h <= 0)
        return NULL;
    draw_frame(s, y, h);
    if (s->seal.url)
        FW_TRY(draw_left(s, y, h));
    return s->qr.url ? draw_right(s, y, h) : NULL;
}
