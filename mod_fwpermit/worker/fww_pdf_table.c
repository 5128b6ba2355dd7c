#include "fw_config.h"
#include "fww_pdf_int.h"

#include <string.h>

#include <apr_strings.h>

#define LABEL_W      98.0
#define PAD_X        7.0
#define PAD_Y        4.5
#define GUTTER       14.0  /* between the two halves of a line */
#define PIECE_MIN    160.0 /* only a value higher than this is cut at the foot of a page */
#define PIECE_ROOM   60.0  /* and only if so much of it stays on the page */
#define LABEL_TOP    70.0  /* in a line higher than this the label stands at the top */
#define HALF_MAX     48.0  /* and one higher than this takes the whole width */
#define SECTION_GAP  16.0
#define SECTION_REST 70.0 /* room that a section's title wants below itself */
#define LABEL_BYTES  400u
#define VALUE_BYTES  16384u
#define SECTIONS_MAX 100

static const fww_face label_faces[2] = {{.size = 9.2, .han = true}, {.size = 6.7}};
static const fww_face section_faces[2] = {{.size = 11.5, .bold = true, .han = true, .spacing = 0.6},
                                          {.size = 8.2}};
static const fww_face value_face = {.size = 10.2};
static const fww_face big_face = {.size = 15, .bold = true};

/* ---- placing ---- */

double fww_pdf_floor(const fww_sheet *s, int page)
{
    return FWW_PAGE_H - s->footer_h - (page == 0 ? s->panel_h : 0);
}

static fww_box *last_box(fww_sheet *s)
{
    return s->boxes->nelts > 0 ? &APR_ARRAY_IDX(s->boxes, s->boxes->nelts - 1, fww_box) : NULL;
}

static const fw_err *turn_page(fww_sheet *s)
{
    s->page++;
    s->y = FWW_TOP_NEXT;
    if (s->page >= FWW_PDF_PAGES_MAX)
        return FW_ERR(s->pool, FW_E_LIMIT, 0, "paper: more than %d pages", FWW_PDF_PAGES_MAX);
    return NULL;
}

/* Gives a box its place; `rest` is the room it wants below itself. */
static const fw_err *place(fww_sheet *s, fww_box *box, double rest)
{
    const fww_box *before = last_box(s);

    if (s->y + box->h + rest > fww_pdf_floor(s, s->page))
        FW_TRY(turn_page(s));
    if (box->kind == FWW_BOX_SECTION && s->page > 0 && s->y <= FWW_TOP_NEXT)
        box->h -= SECTION_GAP;
    box->page = s->page;
    box->y = s->y;
    box->first = !before || before->kind != box->kind || before->page != box->page;
    s->y += box->h;
    APR_ARRAY_PUSH(s->boxes, fww_box) = *box;
    return NULL;
}

static double value_width(int n_cells)
{
    double w = n_cells == 1 ? FWW_BODY_W : (FWW_BODY_W - GUTTER) / 2;
    return w - LABEL_W - 2 * PAD_X;
}

static double cell_height(const fww_cell *c)
{
    double label = fww_pdf_height(c->zh) + fww_pdf_height(c->en);
    double value = fww_pdf_height(c->value);
    return (label > value ? label : value) + 2 * PAD_Y;
}

static const fw_err *place_line(fww_sheet *s, const fww_cell *cells, int n)
{
    fww_box box = {.kind = FWW_BOX_LINE, .n_cells = n};

    for (int i = 0; i < n; i++) {
        double h;

        box.cells[i] = cells[i];
        pango_layout_set_width(cells[i].value, (int)(value_width(n) * PANGO_SCALE));
        h = cell_height(&cells[i]);
        if (h > box.h)
            box.h = h;
    }
    return place(s, &box, 0);
}

/* Where the text must be cut so that what is before is not higher than `room`; 0: nowhere. */
static int find_cut(PangoLayout *value, double room)
{
    PangoLayoutIter *at = pango_layout_get_iter(value);
    int cut = 0;

    do {
        PangoRectangle r;
        pango_layout_iter_get_line_extents(at, NULL, &r);
        if (r.y + r.height > (int)(room * PANGO_SCALE))
            cut = pango_layout_iter_get_line_readonly(at)->start_index;
    } while (cut == 0 && pango_layout_iter_next_line(at));
    pango_layout_iter_free(at);
    return cut;
}

/* The room for a value's text on this page; on the next one if little is left. */
static const fw_err *find_room(fww_sheet *s, double *room)
{
    *room = fww_pdf_floor(s, s->page) - s->y - 2 * PAD_Y;
    if (*room >= PIECE_ROOM)
        return NULL;
    FW_TRY(turn_page(s));
    *room = fww_pdf_floor(s, s->page) - s->y - 2 * PAD_Y;
    return NULL;
}

/* A value over the whole width; a long one goes on at the head of the next page. */
static const fw_err *place_whole(fww_sheet *s, const fww_cell *cell, const fww_face *face)
{
    fww_cell rest = *cell;

    pango_layout_set_width(rest.value, (int)(value_width(1) * PANGO_SCALE));
    while (fww_pdf_height(rest.value) > PIECE_MIN) {
        const char *text = pango_layout_get_text(rest.value), *more;
        double room;
        int cut;
        FW_TRY(find_room(s, &room));
        cut = find_cut(rest.value, room);
        if (cut <= 0)
            break;
        more = apr_pstrdup(s->pool, text + cut);
        rest.value =
            fww_pdf_text(s, apr_pstrmemdup(s->pool, text, (size_t)cut), face, value_width(1));
        FW_TRY(place_line(s, &rest, 1));
        rest.value = fww_pdf_text(s, more, face, value_width(1));
    }
    return place_line(s, &rest, 1);
}

/* Whether a line ends where the script has no place for it. */
static bool breaks_a_word(PangoLayout *value)
{
    const char *text = pango_layout_get_text(value);
    int n = 0;
    const PangoLogAttr *attrs = pango_layout_get_log_attrs_readonly(value, &n);

    for (int i = 1; i < pango_layout_get_line_count(value); i++) {
        int start = pango_layout_get_line_readonly(value, i)->start_index;

        if (!attrs[g_utf8_pointer_to_offset(text, text + start)].is_line_break)
            return true;
    }
    return false;
}

static const fw_err *read_row(fww_sheet *s, const json_t *row, fww_cell *cell, bool *whole)
{
    const char *value;
    bool big = json_is_true(json_object_get(row, "big"));

    if (++s->rows > FWW_PDF_ROWS_MAX)
        return FW_ERR(s->pool, FW_E_LIMIT, 0, "paper: more than %d rows", FWW_PDF_ROWS_MAX);
    FW_TRY(fww_pdf_pair(s, row, "label", LABEL_BYTES, &cell->zh, &cell->en, label_faces,
                        LABEL_W - 2 * PAD_X));
    FW_TRY(fww_pdf_get(&value, row, "value", VALUE_BYTES, true, s->pool));
    cell->value =
        fww_pdf_text(s, value ? value : "", big ? &big_face : &value_face, value_width(2));
    *whole = json_is_true(json_object_get(row, "wide")) || fww_pdf_height(cell->value) > HALF_MAX ||
             breaks_a_word(cell->value) || (big && pango_layout_get_line_count(cell->value) > 1);
    return NULL;
}

/* Rows that are not wide share a line by twos; one that is left over takes the line alone. */
static const fw_err *place_rows(fww_sheet *s, const json_t *rows)
{
    fww_cell pair[2];
    bool waits = false;
    fww_box *last;

    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        bool whole = false;

        FW_TRY(read_row(s, row, &pair[1], &whole));
        if (waits && !whole)
            FW_TRY(place_line(s, pair, 2));
        else if (waits)
            FW_TRY(place_line(s, pair, 1));
        if (whole)
            FW_TRY(place_whole(
                s, &pair[1], json_is_true(json_object_get(row, "big")) ? &big_face : &value_face));
        waits = !whole && !waits;
        pair[0] = pair[1];
    }
    if (waits)
        FW_TRY(place_line(s, pair, 1));
    last = last_box(s);
    if (last)
        last->last = true;
    return NULL;
}

static const fw_err *place_section(fww_sheet *s, const json_t *section)
{
    fww_box box = {.kind = FWW_BOX_SECTION};
    double h;

    FW_TRY(fww_pdf_pair(s, section, "title", LABEL_BYTES, &box.cells[0].zh, &box.cells[0].en,
                        section_faces, FWW_BODY_W / 2 - PAD_X));
    h = fww_pdf_height(box.cells[0].zh);
    if (fww_pdf_height(box.cells[0].en) > h)
        h = fww_pdf_height(box.cells[0].en);
    box.h = h + SECTION_GAP + 5;
    FW_TRY(place(s, &box, SECTION_REST));
    return place_rows(s, json_object_get(section, "rows"));
}

const fw_err *fww_pdf_place_tables(fww_sheet *s)
{
    const json_t *rows = json_object_get(s->doc, "rows");
    const json_t *sections = json_object_get(s->doc, "sections");

    if ((rows && !json_is_array(rows)) || (sections && !json_is_array(sections)))
        return FW_ERR(s->pool, FW_E_INPUT, 0, "paper: rows or sections are no list");
    if (json_array_size(sections) > SECTIONS_MAX)
        return FW_ERR(s->pool, FW_E_LIMIT, 0, "paper: more than %d sections", SECTIONS_MAX);
    FW_TRY(place_rows(s, rows));
    for (size_t i = 0; i < json_array_size(sections); i++)
        FW_TRY(place_section(s, json_array_get(sections, i)));
    return NULL;
}

/* ---- drawing ---- */

static void draw_rule(fww_sheet *s, double x, double y, double w, double thick, fww_rgb colour)
{
    fww_pdf_colour(s, colour);
    cairo_rectangle(s->cr, x, y - thick / 2, w, thick);
    cairo_fill(s->cr);
}

static void draw_section(fww_sheet *s, const fww_box *box)
{
    double y = box->y + (box->page > 0 && box->y <= FWW_TOP_NEXT ? 0 : SECTION_GAP);
    double zh = fww_pdf_height(box->cells[0].zh);
    double bottom = y + zh;

    fww_pdf_colour(s, fww_gold);
    cairo_rectangle(s->cr, FWW_MARGIN, y + 3, 3, zh - 6);
    cairo_fill(s->cr);
    fww_pdf_tag(s, "H2");
    fww_pdf_show(s, box->cells[0].zh, FWW_MARGIN + 9, y, s->style->deep);
    fww_pdf_show(s, box->cells[0].en,
                 FWW_MARGIN + (box->cells[0].zh ? fww_pdf_width(box->cells[0].zh) + 17 : 9),
                 bottom - fww_pdf_height(box->cells[0].en) - 1.5, fww_grey);
    fww_pdf_untag(s, "H2");
}

static void draw_cell(fww_sheet *s, const fww_box *box, const fww_cell *c, double x)
{
    double zh = fww_pdf_height(c->zh);
    double label = zh + fww_pdf_height(c->en);
    double y = box->y + (box->h > LABEL_TOP ? PAD_Y : (box->h - label) / 2);

    fww_pdf_tag(s, "TH");
    fww_pdf_show(s, c->zh, x + PAD_X, y, fww_ink);
    fww_pdf_show(s, c->en, x + PAD_X, y + zh, fww_grey);
    fww_pdf_untag(s, "TH");
    fww_pdf_tag(s, "TD");
    fww_pdf_show(s, c->value, x + LABEL_W + PAD_X, box->y + (box->h - fww_pdf_height(c->value)) / 2,
                 fww_ink);
    fww_pdf_untag(s, "TD");
}

static void draw_line(fww_sheet *s, const fww_box *box, bool ends)
{
    double half = (FWW_BODY_W + GUTTER) / 2;

    fww_pdf_colour(s, s->style->tint);
    for (int i = 0; i < box->n_cells; i++)
        cairo_rectangle(s->cr, FWW_MARGIN + i * half, box->y, LABEL_W, box->h);
    cairo_fill(s->cr);
    if (box->first)
        draw_rule(s, FWW_MARGIN, box->y, FWW_BODY_W, 1.1, s->style->deep);
    else
        draw_rule(s, FWW_MARGIN, box->y, FWW_BODY_W, 0.45, fww_hair);
    fww_pdf_tag(s, "TR");
    for (int i = 0; i < box->n_cells; i++)
        draw_cell(s, box, &box->cells[i], FWW_MARGIN + i * half);
    fww_pdf_untag(s, "TR");
    if (ends)
        draw_rule(s, FWW_MARGIN, box->y + box->h, FWW_BODY_W, 0.8, s->style->deep);
}

void fww_pdf_draw_tables(fww_sheet *s, int page)
{
    for (int i = 0; i < s->boxes->nelts; i++) {
        const fww_box *box = &APR_ARRAY_IDX(s->boxes, i, fww_box);
        bool ends = box->last || i + 1 == s->boxes->nelts ||
                    APR_ARRAY_IDX(s->boxes, i + 1, fww_box).page != box->page;
        if (box->page != page)
            continue;
        if (box->kind == FWW_BOX_SECTION) {
            draw_section(s, box);
            continue;
        }
        if (box->first)
            fww_pdf_tag(s, "Table");
        draw_line(s, box, ends);
        if (ends)
            fww_pdf_untag(s, "Table");
    }
}
