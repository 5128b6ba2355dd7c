/* Draws one portrait: draw out=FILE name=value ... All lengths are mm on a card photo of 35 x 45. */
#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cairo.h>
#include <vips/vips.h>

#define CARD_W 35.0
#define CARD_H 45.0

typedef struct rgb {
    double r, g, b;
} rgb;

static char **options;
static uint64_t state;

static double rnd(void)
{
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (double)(state >> 11) / 9007199254740992.0;
}

static double between(double a, double b)
{
    return a + (b - a) * rnd();
}

static const char *option(const char *name, const char *otherwise)
{
    size_t n = strlen(name);
    for (char **o = options; *o; o++)
        if (strncmp(*o, name, n) == 0 && (*o)[n] == '=')
            return *o + n + 1;
    return otherwise;
}

static double num(const char *name, double otherwise)
{
    const char *text = option(name, NULL);
    return text ? strtod(text, NULL) : otherwise;
}

static rgb colour(const char *name, rgb otherwise)
{
    const char *text = option(name, NULL);
    unsigned v = text ? (unsigned)strtoul(text, NULL, 16) : 0;
    return text ? (rgb){(v >> 16 & 255) / 255.0, (v >> 8 & 255) / 255.0, (v & 255) / 255.0} : otherwise;
}

static rgb shade(rgb c, double f)
{
    return (rgb){fmin(1, c.r * f), fmin(1, c.g * f), fmin(1, c.b * f)};
}

static void ink(cairo_t *cr, rgb c, double alpha)
{
    cairo_set_source_rgba(cr, c.r, c.g, c.b, alpha);
}

static void oval(cairo_t *cr, double x, double y, double rx, double ry)
{
    cairo_save(cr);
    cairo_translate(cr, x, y);
    cairo_scale(cr, rx, ry);
    cairo_new_sub_path(cr);
    cairo_arc(cr, 0, 0, 1, 0, 2 * M_PI);
    cairo_restore(cr);
}

static void shaded(cairo_t *cr, rgb c, double x, double y, double r, double lit, double dim)
{
    cairo_pattern_t *p = cairo_pattern_create_radial(x, y, r * 0.1, x, y, r);
    rgb a = shade(c, lit), b = shade(c, dim);
    cairo_pattern_add_color_stop_rgb(p, 0, a.r, a.g, a.b);
    cairo_pattern_add_color_stop_rgb(p, 1, b.r, b.g, b.b);
    cairo_set_source(cr, p);
    cairo_pattern_destroy(p);
}

/* ---- the wall ---- */

static void draw_bricks(cairo_t *cr, rgb wall)
{
    for (int row = 0; row < 19; row++)
        for (int col = -1; col < 8; col++) {
            ink(cr, shade(wall, between(0.75, 1.0)), 1);
            cairo_rectangle(cr, col * 5.4 + (row % 2) * 2.7, row * 2.5, 5.0, 2.1);
            cairo_fill(cr);
        }
}

static void draw_stripes(cairo_t *cr, rgb other, double step, double width)
{
    ink(cr, other, 1);
    for (double x = between(0, step); x < CARD_W; x += step)
        cairo_rectangle(cr, x, 0, width, CARD_H);
    cairo_fill(cr);
}

static void draw_door(cairo_t *cr, rgb other)
{
    ink(cr, other, 1);
    cairo_rectangle(cr, 20, 0, 16, CARD_H);
    cairo_fill(cr);
}

static void draw_curtain(cairo_t *cr, rgb wall)
{
    for (double x = 0; x < CARD_W; x += 0.1) {
        ink(cr, shade(wall, 0.86 + 0.14 * sin(x * 2.6)), 1);
        cairo_rectangle(cr, x, 0, 0.12, CARD_H);
        cairo_fill(cr);
    }
}

static void draw_flowers(cairo_t *cr, rgb other)
{
    for (int i = 0; i < 300; i++) {
        ink(cr, shade(other, between(0.8, 1.2)), 0.9);
        oval(cr, between(0, CARD_W), between(0, CARD_H), between(0.4, 1.1), between(0.4, 1.1));
        cairo_fill(cr);
    }
}

static void draw_wall(cairo_t *cr)
{
    rgb wall = colour("wall", (rgb){0.97, 0.97, 0.965}), other = colour("wall2", wall);
    const char *kind = option("texture", "");
    rgb end = *kind ? wall : other;
    bool down = strcmp(option("dir", "h"), "v") == 0;
    cairo_pattern_t *p = cairo_pattern_create_linear(0, 0, down ? 0 : CARD_W, down ? CARD_H : 0);

    cairo_pattern_add_color_stop_rgb(p, 0.05, wall.r, wall.g, wall.b);
    cairo_pattern_add_color_stop_rgb(p, 0.95, end.r, end.g, end.b);
    cairo_set_source(cr, p);
    cairo_paint(cr);
    cairo_pattern_destroy(p);
    if (strcmp(kind, "bricks") == 0)
        draw_bricks(cr, other);
    if (strcmp(kind, "stripes") == 0)
        draw_stripes(cr, other, 3.0, 1.5);
    if (strcmp(kind, "curtain") == 0)
        draw_curtain(cr, wall);
    if (strcmp(kind, "flowers") == 0)
        draw_flowers(cr, other);
    if (strcmp(kind, "door") == 0)
        draw_door(cr, other);
}

/* Light falls off to the corners, as any lens and lamp make it. */
static void draw_vignette(cairo_t *cr, double most)
{
    cairo_pattern_t *p = cairo_pattern_create_radial(17.5, 20, 8, 17.5, 20, 34);
    cairo_pattern_add_color_stop_rgba(p, 0, 0, 0, 0, 0);
    cairo_pattern_add_color_stop_rgba(p, 1, 0, 0, 0, most);
    cairo_set_source(cr, p);
    cairo_paint(cr);
    cairo_pattern_destroy(p);
}

/* ---- the person ---- */

typedef struct person {
    double x, y, rx, ry; /* centre and radii of the face */
    rgb skin, hair, clothes;
    const char *style;
} person;

static bool style_is(const person *m, const char *name)
{
    return strcmp(m->style, name) == 0;
}

/* Hair of a given outline: the path is clipped and filled with strands. */
static void comb(cairo_t *cr, const person *m)
{
    cairo_save(cr);
    ink(cr, m->hair, 1);
    cairo_clip_preserve(cr);
    cairo_fill(cr);
    cairo_set_line_width(cr, 0.12);
    for (int i = 0; i < 420; i++) {
        double a = between(-M_PI, 0), x = m->x + cos(a) * m->rx * 0.3, y = m->y - m->ry * 0.9;
        ink(cr, shade(m->hair, between(0.55, 1.8)), 0.35);
        cairo_move_to(cr, x, y);
        cairo_curve_to(cr, m->x + cos(a) * m->rx, y - 2, m->x + cos(a) * m->rx * 1.25, m->y,
                       m->x + cos(a) * m->rx * between(1.0, 1.3), m->y + m->ry * between(0.5, 1.6));
        cairo_stroke(cr);
    }
    cairo_restore(cr);
}

static void draw_back_hair(cairo_t *cr, const person *m)
{
    if (style_is(m, "long")) {
        oval(cr, m->x, m->y - 1, m->rx + 1.6, m->ry + 1.2);
        cairo_rectangle(cr, m->x - m->rx - 1.6, m->y, 2 * m->rx + 3.2, m->ry * 1.7);
        comb(cr, m);
    } else if (style_is(m, "bob")) {
        oval(cr, m->x, m->y - 0.5, m->rx + 1.8, m->ry + 1.0);
        comb(cr, m);
    } else if (style_is(m, "afro")) {
        oval(cr, m->x, m->y - 3.5, m->rx + 3.0, m->ry * 0.95);
        comb(cr, m);
    } else if (style_is(m, "bun")) {
        oval(cr, m->x, m->y - m->ry - 1.2, 3.6, 3.2);
        comb(cr, m);
        oval(cr, m->x, m->y - 1.4, m->rx + 0.6, m->ry);
        comb(cr, m);
    } else if (style_is(m, "scarf")) {
        shaded(cr, m->hair, m->x - 3, m->y, 24, 1.1, 0.75);
        oval(cr, m->x, m->y, m->rx + 1.9, m->ry + 1.5);
        cairo_fill(cr);
        cairo_move_to(cr, m->x - m->rx - 1.5, m->y + 4);
        cairo_curve_to(cr, m->x - m->rx - 3, m->y + 15, 2, 38, -1, 46);
        cairo_line_to(cr, 36, 46);
        cairo_curve_to(cr, 33, 38, m->x + m->rx + 3, m->y + 15, m->x + m->rx + 1.5, m->y + 4);
        shaded(cr, m->hair, m->x - 3, m->y, 24, 1.1, 0.75);
        cairo_fill(cr);
    } else if (!style_is(m, "bald")) {
        oval(cr, m->x, m->y - 1.2, m->rx + 0.6, m->ry);
        comb(cr, m);
    }
}

static void draw_front_hair(cairo_t *cr, const person *m)
{
    double line = m->y - m->ry * 0.52;
    if (style_is(m, "bald"))
        return;
    cairo_save(cr);
    if (style_is(m, "scarf")) {
        cairo_set_line_width(cr, 1.6);
        ink(cr, shade(m->hair, 0.9), 1);
        oval(cr, m->x, m->y + 0.3, m->rx * 0.99, m->ry * 0.99);
        cairo_stroke(cr);
        cairo_restore(cr);
        return;
    }
    if (style_is(m, "turban")) {
        oval(cr, m->x, m->y - m->ry * 0.66, m->rx + 1.6, m->ry * 0.52);
        shaded(cr, m->hair, m->x - 3, m->y - m->ry, 16, 1.15, 0.7);
        cairo_fill(cr);
        cairo_restore(cr);
        return;
    }
    oval(cr, m->x, m->y - 0.4, m->rx + 0.4, m->ry + 0.4);
    cairo_clip(cr);
    cairo_move_to(cr, m->x - m->rx - 2, m->y - 2);
    cairo_curve_to(cr, m->x - m->rx * 0.8, line - 1, m->x - 3, line - between(0, 2), m->x + between(-4, 4), line - 1.5);
    cairo_curve_to(cr, m->x + m->rx * 0.6, line, m->x + m->rx * 0.9, line, m->x + m->rx + 2, m->y - 2);
    cairo_line_to(cr, m->x + m->rx + 2, m->y - m->ry - 4);
    cairo_line_to(cr, m->x - m->rx - 2, m->y - m->ry - 4);
    cairo_close_path(cr);
    comb(cr, m);
    cairo_restore(cr);
}

static void draw_body(cairo_t *cr, const person *m)
{
    double chin = m->y + m->ry;
    shaded(cr, shade(m->skin, 0.86), m->x, chin, 9, 1, 0.8);
    cairo_rectangle(cr, m->x - m->rx * 0.52, chin - 5, m->rx * 1.04, 12);
    cairo_fill(cr);
    cairo_move_to(cr, -1, 46);
    cairo_curve_to(cr, 1, chin + 4, m->x - 8, chin + 3.2, m->x - m->rx * 0.55, chin + 1.2);
    cairo_curve_to(cr, m->x - 3, chin + 5, m->x + 3, chin + 5, m->x + m->rx * 0.55, chin + 1.2);
    cairo_curve_to(cr, m->x + 8, chin + 3.2, 34, chin + 4, 36, 46);
    cairo_close_path(cr);
    shaded(cr, m->clothes, m->x - 6, chin + 4, 26, 1.08, 0.8);
    cairo_fill(cr);
    ink(cr, shade(m->clothes, 0.6), 0.8);
    cairo_set_line_width(cr, 0.3);
    cairo_move_to(cr, m->x - m->rx * 0.55, chin + 1.2);
    cairo_curve_to(cr, m->x - 3, chin + 5, m->x + 3, chin + 5, m->x + m->rx * 0.55, chin + 1.2);
    cairo_stroke(cr);
}

static void draw_eye(cairo_t *cr, const person *m, double x, double y)
{
    ink(cr, (rgb){0.93, 0.92, 0.9}, 1);
    oval(cr, x, y, 1.7, 0.75);
    cairo_fill(cr);
    ink(cr, (rgb){0.2, 0.13, 0.08}, 1);
    oval(cr, x, y, 0.72, 0.72);
    cairo_fill(cr);
    ink(cr, (rgb){1, 1, 1}, 0.9);
    oval(cr, x + 0.2, y - 0.2, 0.15, 0.15);
    cairo_fill(cr);
    ink(cr, shade(m->skin, 0.35), 0.9);
    cairo_set_line_width(cr, 0.22);
    cairo_move_to(cr, x - 1.8, y + 0.1);
    cairo_curve_to(cr, x - 0.8, y - 1.1, x + 0.8, y - 1.1, x + 1.8, y + 0.1);
    cairo_stroke(cr);
    ink(cr, style_is(m, "scarf") || style_is(m, "turban") ? shade(m->skin, 0.4) : shade(m->hair, 0.8), 0.9);
    cairo_set_line_width(cr, 0.6);
    cairo_move_to(cr, x - 2.2, y - 2.0);
    cairo_curve_to(cr, x - 0.8, y - 2.8, x + 0.8, y - 2.8, x + 2.2, y - 2.1);
    cairo_stroke(cr);
}

static void draw_glasses(cairo_t *cr, const person *m)
{
    ink(cr, (rgb){0.12, 0.12, 0.14}, 1);
    cairo_set_line_width(cr, 0.35);
    for (int side = -1; side <= 1; side += 2) {
        oval(cr, m->x + side * m->rx * 0.42, m->y - 1, 3.1, 2.3);
        cairo_stroke(cr);
    }
    cairo_move_to(cr, m->x - 1.6, m->y - 1.2);
    cairo_line_to(cr, m->x + 1.6, m->y - 1.2);
    cairo_stroke(cr);
}

static void draw_mouth_and_nose(cairo_t *cr, const person *m)
{
    rgb lip = {m->skin.r * 0.82, m->skin.g * 0.55, m->skin.b * 0.55};
    ink(cr, shade(m->skin, 0.72), 0.7);
    cairo_set_line_width(cr, 0.3);
    cairo_move_to(cr, m->x + 0.8, m->y - 1);
    cairo_curve_to(cr, m->x + 1.2, m->y + 2, m->x + 2.4, m->y + 3.6, m->x + 1.2, m->y + 4);
    cairo_curve_to(cr, m->x + 0.3, m->y + 4.5, m->x - 0.6, m->y + 4.4, m->x - 1.3, m->y + 4);
    cairo_stroke(cr);
    ink(cr, shade(m->skin, 0.3), 0.7);
    oval(cr, m->x - 0.8, m->y + 4, 0.32, 0.2);
    oval(cr, m->x + 0.8, m->y + 4, 0.32, 0.2);
    cairo_fill(cr);
    ink(cr, lip, 1);
    cairo_move_to(cr, m->x - 2.8, m->y + 7.6);
    cairo_curve_to(cr, m->x - 1, m->y + 6.5, m->x + 1, m->y + 6.5, m->x + 2.8, m->y + 7.6);
    cairo_curve_to(cr, m->x + 1, m->y + 9.2, m->x - 1, m->y + 9.2, m->x - 2.8, m->y + 7.6);
    cairo_fill(cr);
    ink(cr, shade(lip, 0.5), 0.9);
    cairo_set_line_width(cr, 0.18);
    cairo_move_to(cr, m->x - 2.8, m->y + 7.6);
    cairo_curve_to(cr, m->x - 1, m->y + 7.9, m->x + 1, m->y + 7.9, m->x + 2.8, m->y + 7.6);
    cairo_stroke(cr);
}

static void draw_face(cairo_t *cr, const person *m)
{
    if (!style_is(m, "scarf"))
        for (int side = -1; side <= 1; side += 2) {
            ink(cr, shade(m->skin, 0.85), 1);
            oval(cr, m->x + side * m->rx * 1.03, m->y + 0.8, 1.3, 2.9);
            cairo_fill(cr);
        }
    shaded(cr, m->skin, m->x - 2, m->y - 3, m->ry * 1.35, 1.07, 0.78);
    oval(cr, m->x, m->y, m->rx, m->ry);
    cairo_fill(cr);
    for (int i = 0; i < 500; i++) { /* pores, freckles */
        double a = between(0, 2 * M_PI), d = sqrt(rnd()) * 0.93;
        ink(cr, shade(m->skin, between(0.8, 1.12)), 0.25);
        oval(cr, m->x + cos(a) * d * m->rx, m->y + sin(a) * d * m->ry, 0.12, 0.1);
        cairo_fill(cr);
    }
    draw_eye(cr, m, m->x - m->rx * 0.42, m->y - 1);
    draw_eye(cr, m, m->x + m->rx * 0.42, m->y - 1);
    draw_mouth_and_nose(cr, m);
    draw_front_hair(cr, m);
    if (num("glasses", 0) > 0)
        draw_glasses(cr, m);
}

static void draw_person(cairo_t *cr)
{
    double size = num("size", 1);
    person m = {.x = 17.5 + num("dx", 0), .y = 22 + num("dy", 0), .rx = 10.2 * size, .ry = 14.6 * size,
                .skin = colour("skin", (rgb){0.85, 0.67, 0.55}), .hair = colour("hair", (rgb){0.1, 0.08, 0.07}),
                .clothes = colour("clothes", (rgb){0.2, 0.25, 0.4}), .style = option("style", "short")};
    double shadow = num("shadow", 0), lamp = num("lamp", 0);

    if (shadow > 0) {
        ink(cr, (rgb){0, 0, 0}, shadow);
        oval(cr, m.x + 4 + lamp, m.y + 1.5, m.rx + 1.5, m.ry + 1);
        cairo_rectangle(cr, m.x + 4 + lamp, m.y - 6, 16, 36);
        cairo_fill(cr);
    }
    draw_back_hair(cr, &m);
    draw_body(cr, &m);
    if (style_is(&m, "long")) { /* hair before the shoulders */
        cairo_rectangle(cr, m.x - m.rx - 1.4, m.y + 2, 3.4, m.ry * 1.35);
        cairo_rectangle(cr, m.x + m.rx - 2, m.y + 2, 3.4, m.ry * 1.35);
        comb(cr, &m);
    }
    draw_face(cr, &m);
}

/* ---- camera ---- */

static double to_byte(double v)
{
    return v < 0 ? 0 : v > 255 ? 255 : v;
}

/* The sum of four even draws of 12 bits, with that deviation: near enough to normal for a sensor's noise, and two thirds of what a
 * picture costs is this. */
static double gauss(double deviation)
{
    if (deviation <= 0)
        return 0;
    rnd();
    unsigned sum = (state >> 16 & 0xfff) + (state >> 28 & 0xfff) + (state >> 40 & 0xfff) + (state >> 52 & 0xfff);
    return ((sum + 2) / 4096.0 - 2) * 1.7320508 * deviation;
}

/* Exposure (in stops, by the sRGB curve's rough power), the sensor's noise, a lamp's tint, grey. */
static void expose(unsigned char *p, size_t n, int bands)
{
    double gain = pow(2, num("stops", 0) / 2.2), noise = num("noise", 1.5);
    rgb tint = colour("tint", (rgb){1, 1, 1});
    double t[3] = {tint.r, tint.g, tint.b};
    int grey = num("grey", 0) > 0;

    for (size_t i = 0; i < n; i++) {
        unsigned char *q = p + i * (size_t)bands;
        double common = gauss(noise);
        for (int c = 0; c < 3; c++)
            q[c] = (unsigned char)(to_byte(q[c] * gain * t[c] + common + gauss(noise * 0.5)) + 0.49);
        if (grey)
            q[0] = q[1] = q[2] = (unsigned char)(0.299 * q[0] + 0.587 * q[1] + 0.114 * q[2]);
    }
}

static VipsImage *develop(cairo_surface_t *s, int w, int h, int bands)
{
    unsigned char *from = cairo_image_surface_get_data(s);
    size_t stride = (size_t)cairo_image_surface_get_stride(s), b = (size_t)bands;
    unsigned char *p = malloc((size_t)w * (size_t)h * b);

    for (size_t y = 0; y < (size_t)h; y++)
        for (size_t x = 0; x < (size_t)w; x++) {
            unsigned char *q = p + b * (y * (size_t)w + x), *f = from + y * stride + 4 * x;
            unsigned a = f[3] ? f[3] : 1;
            for (size_t c = 0; c < 3; c++)
                q[c] = (unsigned char)(f[2 - c] * 255u / a > 255 ? 255 : f[2 - c] * 255u / a);
            if (b == 4)
                q[3] = f[3];
        }
    VipsImage *im = vips_image_new_from_memory_copy(p, (size_t)w * (size_t)h * b, w, h, bands, VIPS_FORMAT_UCHAR);
    VipsImage *soft = NULL;
    double blur = num("blur", 0.6) * w / 826.0; /* of a lens, in pixels of a picture 826 wide */
    if (blur < 0.2 || vips_gaussblur(im, &soft, blur, NULL) != 0)
        soft = im;
    size_t bytes;
    unsigned char *q = vips_image_write_to_memory(soft, &bytes);
    expose(q, (size_t)w * (size_t)h, bands);
    VipsImage *out = vips_image_new_from_memory(q, bytes, w, h, bands, VIPS_FORMAT_UCHAR);
    out->Type = VIPS_INTERPRETATION_sRGB;
    free(p);
    return out;
}

/* Stores the pixels turned as a camera held sideways does, with or without the note about it. */
static VipsImage *turn(VipsImage *im)
{
    int degrees = (int)num("turn", 0), orientation = (int)num("orientation", 0);
    VipsImage *out = im, *copy = NULL;

    if (degrees == 90)
        vips_rot90(im, &out, NULL);
    if (degrees == 180)
        vips_rot180(im, &out, NULL);
    if (degrees == 270)
        vips_rot270(im, &out, NULL);
    vips_copy(out, &copy, NULL);
    if (orientation > 0)
        vips_image_set_int(copy, VIPS_META_ORIENTATION, orientation);
    return copy;
}

static VipsImage *as_wanted(VipsImage *im)
{
    VipsImage *out = im;
    if (num("grey_band", 0) > 0)
        vips_colourspace(im, &out, VIPS_INTERPRETATION_B_W, NULL);
    if (num("deep", 0) > 0)
        vips_colourspace(im, &out, VIPS_INTERPRETATION_RGB16, NULL);
    if (num("cmyk", 0) > 0)
        vips_colourspace(im, &out, VIPS_INTERPRETATION_CMYK, NULL);
    return out;
}

int main(int argc, char **argv)
{
    int w, h, rc, alpha;
    const char *out, *ending;

    (void)argc;
    options = argv + 1;
    if (VIPS_INIT(argv[0]) != 0)
        return 2;
    vips_concurrency_set(1);
    w = (int)num("w", 826);
    h = (int)num("h", 1062);
    alpha = num("alpha", 0) > 0;
    state = (uint64_t)num("seed", 1) * 7919 + 17;
    out = option("out", NULL);
    cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, w, h);
    cairo_t *cr = cairo_create(s);
    /* The card's middle fills the picture, whatever its proportion. */
    double scale = fmax(w / CARD_W, h / CARD_H);
    if (num("fit", 0) > 0)
        scale = fmin(w / CARD_W, h / CARD_H);
    if (num("fit", 0) > 0 && !alpha) {
        rgb wall = colour("wall", (rgb){0.97, 0.97, 0.965});
        ink(cr, wall, 1);
        cairo_paint(cr);
    }
    cairo_translate(cr, (w - scale * CARD_W) / 2, h - scale * CARD_H);
    cairo_scale(cr, scale, scale);
    if (!alpha)
        draw_wall(cr);
    draw_person(cr);
    if (!alpha)
        draw_vignette(cr, num("vignette", 0.03));
    cairo_surface_flush(s);
    VipsImage *im = as_wanted(turn(develop(s, w, h, alpha ? 4 : 3)));
    ending = strrchr(out, '.');
    if (option("profile", NULL)) { /* of the camera's colours, or of quite another thing */
        VipsBlob *profile;
        if (vips_profile_load(option("profile", NULL), &profile, NULL) == 0)
            vips_image_set_blob_copy(im, VIPS_META_ICC_NAME, VIPS_AREA(profile)->data, VIPS_AREA(profile)->length);
    }
    if (strcmp(ending, ".jpg") == 0)
        rc = vips_jpegsave(im, out, "Q", (int)num("q", 92), "interlace", num("progressive", 0) > 0, NULL);
    else
        rc = vips_pngsave(im, out, "interlace", num("progressive", 0) > 0, "compression", 6, NULL);
    if (rc != 0)
        fprintf(stderr, "%s: %s\n", out, vips_error_buffer());
    return rc != 0;
}
