#include "fw_config.h"
#include "fww_pdf_int.h"

#include <string.h>

#include <apr_strings.h>
#include <fontconfig/fontconfig.h>

#define HAN "Noto Sans CJK TC Common,Noto Sans CJK TC"
#define SCRIPTS                                                                                 \
    "Noto Sans Thai,Noto Sans Arabic,Noto Sans Devanagari,Noto Sans Bengali,Noto Sans Myanmar," \
    "Noto Sans Khmer,Noto Sans Lao,Noto Sans Sinhala,Noto Sans Tamil,Noto Sans Telugu,"         \
    "Noto Sans Gujarati,Noto Sans Gurmukhi,Noto Sans Malayalam,Noto Sans Kannada,"              \
    "Noto Sans Hebrew,Noto Sans Georgian,Noto Sans Armenian,Noto Sans Ethiopic,"                \
    "Noto Sans Symbols,Noto Sans Symbols2,Noto Sans Math,sans-serif"

const fww_rgb fww_ink = {0.09, 0.11, 0.15};
const fww_rgb fww_grey = {0.36, 0.40, 0.46};
const fww_rgb fww_hair = {0.79, 0.82, 0.86};
const fww_rgb fww_gold = {0.72, 0.57, 0.26};
const fww_rgb fww_white = {1, 1, 1};

/* Marks that would turn the direction of what follows, and with it what a reader sees. */
static bool is_bidi_control(gunichar c)
{
    return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* Points of Unicode that are no characters, and that a PDF cannot name. */
static bool is_no_character(gunichar c)
{
    return (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef);
}

static const char *clean(const char *raw, bool lines, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, strlen(raw) + 1);
    char *to = out;

    for (const char *from = raw; *from; from = g_utf8_next_char(from)) {
        gunichar c = g_utf8_get_char(from);
        size_t n = (size_t)(g_utf8_next_char(from) - from);
        if (c == '\n' || c == 0x2028 || c == 0x2029)
            *to++ = lines ? '\n' : ' ';
        else if (c == '\t')
            *to++ = ' ';
        else if (is_no_character(c)) {
            memcpy(to, "\xef\xbf\xbd", 3);
            to += 3;
        } else if (c >= 0x20 && (c < 0x7f || c > 0x9f) && !is_bidi_control(c)) {
            memcpy(to, from, n);
            to += n;
        }
    }
    *to = '\0';
    return out;
}

const fw_err *fww_pdf_get(const char **text, const json_t *of, const char *key, size_t max,
                          bool lines, apr_pool_t *pool)
{
    const json_t *v = json_object_get(of, key);

    *text = NULL;
    if (!v || json_is_null(v))
        return NULL;
    if (!json_is_string(v) || !g_utf8_validate(json_string_value(v), -1, NULL))
        return FW_ERR(pool, FW_E_INPUT, 0, "paper: \"%s\" is not a text", key);
    if (json_string_length(v) > max)
        return FW_ERR(pool, FW_E_LIMIT, 0,
                      "paper: \"%s\" has %" APR_SIZE_T_FMT " bytes of at most %" APR_SIZE_T_FMT,
                      key, json_string_length(v), max);
    *text = clean(json_string_value(v), lines, pool);
    return NULL;
}

/* By name, not as a folder, of which a cache would be kept where there is no place for it. */
bool fww_pdf_fonts(const char *dir, apr_pool_t *pool)
{
    static const char *const names[] = {"common-regular.otf", "common-bold.otf"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *path = apr_pstrcat(pool, dir, "/", names[i], NULL);

        if (!FcConfigAppFontAddFile(NULL, (const FcChar8 *)path))
            return false;
    }
    return true;
}

static apr_status_t free_object(void *object)
{
    g_object_unref(object);
    return APR_SUCCESS;
}

PangoLayout *fww_pdf_text(fww_sheet *s, const char *text, const fww_face *face, double width)
{
    PangoFontDescription *font = pango_font_description_from_string(
        face->han ? HAN ",Noto Sans," SCRIPTS : "Noto Sans," HAN "," SCRIPTS);
    PangoAttrList *attrs = pango_attr_list_new();
    PangoLayout *out = pango_layout_new(s->context);

    apr_pool_cleanup_register(s->pool, out, free_object, apr_pool_cleanup_null);
    pango_font_description_set_absolute_size(font, face->size * PANGO_SCALE);
    pango_font_description_set_weight(font, face->bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    /* Of another script than its own a language says nothing: pango goes by the script then. */
    pango_attr_list_insert(
        attrs, pango_attr_language_new(pango_language_from_string(face->han ? "zh-tw" : "en")));
    pango_attr_list_insert(attrs, pango_attr_insert_hyphens_new(FALSE)); /* numbers have none */
    if (face->spacing > 0)
        pango_attr_list_insert(attrs,
                               pango_attr_letter_spacing_new((int)(face->spacing * PANGO_SCALE)));
    pango_layout_set_font_description(out, font);
    pango_layout_set_attributes(out, attrs);
    pango_layout_set_wrap(out, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_alignment(out, face->align);
    pango_layout_set_width(out, width < 0 ? -1 : (int)(width * PANGO_SCALE));
    pango_layout_set_text(out, text, -1);
    s->unknown += pango_layout_get_unknown_glyphs_count(out);
    pango_attr_list_unref(attrs);
    pango_font_description_free(font);
    return out;
}

const fw_err *fww_pdf_pair(fww_sheet *s, const json_t *of, const char *key, size_t max,
                           PangoLayout **zh, PangoLayout **en, const fww_face faces[2],
                           double width)
{
    const json_t *pair = json_object_get(of, key);
    const char *text;

    *zh = NULL;
    *en = NULL;
    FW_TRY(fww_pdf_get(&text, pair, "zh", max, false, s->pool));
    if (text && *text)
        *zh = fww_pdf_text(s, text, &faces[0], width);
    FW_TRY(fww_pdf_get(&text, pair, "en", max, false, s->pool));
    if (text && *text)
        *en = fww_pdf_text(s, text, &faces[1], width);
    if (!*zh && !*en)
        return FW_ERR(s->pool, FW_E_INPUT, 0, "paper: \"%s\" has neither zh nor en", key);
    return NULL;
}

double fww_pdf_height(PangoLayout *text)
{
    int h = 0;
    if (text)
        pango_layout_get_size(text, NULL, &h);
    return (double)h / PANGO_SCALE;
}

double fww_pdf_width(PangoLayout *text)
{
    int w = 0;
    if (text)
        pango_layout_get_size(text, &w, NULL);
    return (double)w / PANGO_SCALE;
}

/* Makes one cluster of each letter with its marks, so that who copies the text gets it in order. */
static void join_marks(const char *text, const PangoLogAttr *attrs, PangoGlyphItem *run)
{
    const char *start = text + run->item->offset;
    glong first = g_utf8_pointer_to_offset(text, start);

    for (int i = 0; i < run->glyphs->num_glyphs; i++) {
        const char *at = start + run->glyphs->log_clusters[i];
        glong n = g_utf8_pointer_to_offset(start, at);
        while (n > 0 && !attrs[first + n].is_cursor_position) {
            n--;
            at = g_utf8_prev_char(at);
        }
        run->glyphs->log_clusters[i] = (int)(at - start);
    }
}

static void join_all_marks(PangoLayout *layout)
{
    const char *text = pango_layout_get_text(layout);
    int n;
    const PangoLogAttr *attrs = pango_layout_get_log_attrs_readonly(layout, &n);

    for (GSList *l = pango_layout_get_lines(layout); l; l = l->next) {
        PangoLayoutLine *line = l->data;
        for (GSList *r = line->runs; r; r = r->next)
            join_marks(text, attrs, r->data);
    }
}

void fww_pdf_show(fww_sheet *s, PangoLayout *text, double x, double y, fww_rgb colour)
{
    if (!text)
        return;
    join_all_marks(text);
    fww_pdf_colour(s, colour);
    cairo_move_to(s->cr, x, y);
    pango_cairo_show_layout(s->cr, text);
}

void fww_pdf_colour(fww_sheet *s, fww_rgb colour)
{
    cairo_set_source_rgb(s->cr, colour.r, colour.g, colour.b);
}

void fww_pdf_tag(fww_sheet *s, const char *tag)
{
    cairo_tag_begin(s->cr, tag, NULL);
}

void fww_pdf_untag(fww_sheet *s, const char *tag)
{
    cairo_tag_end(s->cr, tag);
}
