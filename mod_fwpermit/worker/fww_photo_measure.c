#include "fw_config.h"
#include "fww_photo_measure.h"

#include <math.h>
#include <stdlib.h>

#include <apr_strings.h>

#define SIDE_MIN       64   /* pixels: below it nothing is measured */
#define COLOUR_WIDTH   210  /* pixels: light and colour are measured at this width, without noise */
#define SHARP_WIDTH    413  /* pixels: 35 mm at 300 dpi, as the card will be printed */
#define HEIGHT_MAX     2000 /* pixels: of a measured picture, whatever its proportion */
#define CELL           4    /* pixels: the strips are judged in cells of CELL x CELL */
#define SIDE_STRIP     0.06 /* of the width: left and right strip; ears end at some 0.15 */
#define SIDE_STRIP_LOW 0.45 /* of the height: where the strips end, above any shoulder */
#define TOP_STRIP      0.04 /* of the height; the crown begins at 0.07 or lower */
#define TOP_MID_FROM   0.25 /* of the width: between these high hair may reach the top … */
#define TOP_MID_TO     0.75 /* … and cells unlike the sides are not counted */
#define HAIR_DIFFERS   15.0 /* L: how unlike */
#define LOW_SHARE      0.15 /* quantiles that the strips' spread lies between: strands of hair … */
#define HIGH_SHARE     0.85 /* … and a corner of a collar stay outside */
#define TEXTURE_SHARE  0.75 /* quantile of the cells' deviations: a pattern leaves gaps */
#define LIGHT_SHARE    0.95 /* quantile of L that tells an underexposed picture */
#define CHROMA_SHARE   0.97 /* quantile of C that tells a grey one: lips and cheeks are enough */
#define BURNT          250  /* all channels from this on: nothing was recorded there */
#define FACE_X         0.50 /* of width and height: the oval that is face in every portrait */
#define FACE_Y         0.48
#define FACE_RX        0.20
#define FACE_RY        0.22

typedef struct lab {
    float l, a, b;
} lab;

typedef struct plane {
    unsigned char *rgb;
    size_t w, h;
} plane;

/* ---- helpers ---- */

/* Shrinks to `width` by the mean of areas; a narrower picture stays as it is. */
static plane shrink_to(const unsigned char *rgb, size_t w, size_t h, size_t width, apr_pool_t *pool)
{
    plane p = {.w = w < width ? w : width};

    p.h = (h * p.w + w / 2) / w;
    if (p.h > HEIGHT_MAX)
        p.h = HEIGHT_MAX;
    if (p.h < 1)
        p.h = 1;
    p.rgb = apr_palloc(pool, p.w * p.h * 3);
    for (size_t y = 0; y < p.h; y++) {
        size_t y0 = y * h / p.h, y1 = (y + 1) * h / p.h;
        for (size_t x = 0; x < p.w; x++) {
            size_t x0 = x * w / p.w, x1 = (x + 1) * w / p.w, sum[3] = {0, 0, 0};
            for (size_t v = y0; v < y1 || v == y0; v++)
                for (size_t u = x0; u < x1 || u == x0; u++)
                    for (size_t c = 0; c < 3; c++)
                        sum[c] += rgb[3 * (v * w + u) + c];
            size_t n = (y1 > y0 ? y1 - y0 : 1) * (x1 > x0 ? x1 - x0 : 1);
            for (size_t c = 0; c < 3; c++)
                p.rgb[3 * (y * p.w + x) + c] = (unsigned char)((sum[c] + n / 2) / n);
        }
    }
    return p;
}

static double lab_f(double t)
{
    return t > 0.008856 ? cbrt(t) : 7.787 * t + 16.0 / 116.0;
}

/* sRGB to CIE L*a*b* under D65. */
static lab *make_lab(const plane *p, apr_pool_t *pool)
{
    double linear[256];
    lab *out = apr_palloc(pool, p->w * p->h * sizeof(*out));

    for (int i = 0; i < 256; i++)
        linear[i] = i <= 10 ? i / 255.0 / 12.92 : pow((i / 255.0 + 0.055) / 1.055, 2.4);
    for (size_t i = 0; i < p->w * p->h; i++) {
        double r = linear[p->rgb[3 * i]], g = linear[p->rgb[3 * i + 1]],
               b = linear[p->rgb[3 * i + 2]];
        double x = lab_f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
        double y = lab_f(0.2126 * r + 0.7152 * g + 0.0722 * b);
        double z = lab_f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.0890);
        out[i] = (lab){(float)(116 * y - 16), (float)(500 * (x - y)), (float)(200 * (y - z))};
    }
    return out;
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void sort(float *v, size_t n)
{
    qsort(v, n, sizeof(*v), by_value);
}

static double quantile(const float *sorted, size_t n, double share)
{
    return n == 0 ? 0 : sorted[(size_t)(share * (double)(n - 1) + 0.5)];
}

/* ---- background ---- */

typedef struct strips {
    float *l, *a, *b, *texture; /* of the cells */
    size_t right, top, n; /* cells from 0 are the left strip's, from `right` the right one's … */
} strips;

/* Adds the cell at pixel x, y, unless it is unlike `like` (below 0: no cell is). */
static void add_cell(strips *s, const lab *pixels, size_t w, size_t x, size_t y, double like)
{
    double l = 0, a = 0, b = 0, ll = 0;
    const double n = CELL * CELL;

    for (size_t v = y; v < y + CELL; v++)
        for (size_t u = x; u < x + CELL; u++) {
            const lab *p = &pixels[v * w + u];
            l += p->l;
            ll += (double)p->l * p->l;
            a += p->a;
            b += p->b;
        }
    l /= n;
    if (like >= 0 && fabs(l - like) > HAIR_DIFFERS)
        return;
    s->l[s->n] = (float)l;
    s->a[s->n] = (float)(a / n);
    s->b[s->n] = (float)(b / n);
    s->texture[s->n] = (float)sqrt(fmax(0, ll / n - l * l));
    s->n++;
}

static size_t whole_cells(double pixels)
{
    size_t n = (size_t)(pixels / CELL + 0.5);
    return n > 0 ? n : 1;
}

static double median_of(const float *v, size_t n, apr_pool_t *pool)
{
    float *copy = apr_pmemdup(pool, v, n * sizeof(*v));
    sort(copy, n);
    return quantile(copy, n, 0.5);
}

static void collect_strips(strips *s, const lab *pixels, const plane *p, apr_pool_t *pool)
{
    size_t cols = p->w / CELL, rows = p->h / CELL;
    size_t side = whole_cells(SIDE_STRIP * (double)p->w),
           low = whole_cells(SIDE_STRIP_LOW * (double)p->h),
           top = whole_cells(TOP_STRIP * (double)p->h);
    double like;

    if (low > rows)
        low = rows;
    for (size_t r = 0; r < low; r++)
        for (size_t c = 0; c < side; c++)
            add_cell(s, pixels, p->w, c * CELL, r * CELL, -1);
    s->right = s->n;
    for (size_t r = 0; r < low; r++)
        for (size_t c = 0; c < side; c++)
            add_cell(s, pixels, p->w, (cols - 1 - c) * CELL, r * CELL, -1);
    s->top = s->n;
    like = median_of(s->l, s->n, pool);
    for (size_t r = 0; r < top && r < rows; r++)
        for (size_t c = side; c < cols - side; c++) {
            double at = (double)c / (double)cols;
            bool middle = at > TOP_MID_FROM && at < TOP_MID_TO;
            add_cell(s, pixels, p->w, c * CELL, r * CELL, middle ? like : -1);
        }
}

static double spread_of(const float *v, size_t n, apr_pool_t *pool)
{
    float *copy = apr_pmemdup(pool, v, n * sizeof(*v));
    sort(copy, n);
    return quantile(copy, n, HIGH_SHARE) - quantile(copy, n, LOW_SHARE);
}

/* The widest spread of the left strip, the right one and all: a shadow falls to one side. */
static double widest_spread(const strips *s, const float *v, apr_pool_t *pool)
{
    double left = spread_of(v, s->right, pool),
           right = spread_of(v + s->right, s->top - s->right, pool);
    return fmax(spread_of(v, s->n, pool), fmax(left, right));
}

static void measure_background(const lab *pixels, const plane *p, fww_measures *m, apr_pool_t *pool)
{
    strips s = {.n = 0};
    size_t most = (p->w / CELL + 1) * (p->h / CELL + 1) * 2;

    s.l = apr_palloc(pool, most * sizeof(float));
    s.a = apr_palloc(pool, most * sizeof(float));
    s.b = apr_palloc(pool, most * sizeof(float));
    s.texture = apr_palloc(pool, most * sizeof(float));
    collect_strips(&s, pixels, p, pool);
    m->background_l = median_of(s.l, s.n, pool);
    m->background_chroma = hypot(median_of(s.a, s.n, pool), median_of(s.b, s.n, pool));
    m->background_spread = widest_spread(&s, s.l, pool);
    m->background_hue_spread = fmax(widest_spread(&s, s.a, pool), widest_spread(&s, s.b, pool));
    sort(s.texture, s.n);
    m->background_texture = quantile(s.texture, s.n, TEXTURE_SHARE);
}

/* ---- light, colour, sharpness ---- */

static void measure_light(const lab *pixels, const plane *p, fww_measures *m, apr_pool_t *pool)
{
    size_t n = p->w * p->h, face = 0, burnt = 0;
    float *l = apr_palloc(pool, n * sizeof(float)), *c = apr_palloc(pool, n * sizeof(float));

    for (size_t i = 0; i < n; i++) {
        size_t column = i % p->w, row = i / p->w;
        double x = ((double)column / (double)p->w - FACE_X) / FACE_RX;
        double y = ((double)row / (double)p->h - FACE_Y) / FACE_RY;
        const unsigned char *q = p->rgb + 3 * i;

        l[i] = pixels[i].l;
        c[i] = hypotf(pixels[i].a, pixels[i].b);
        if (x * x + y * y > 1)
            continue;
        face++;
        burnt += q[0] >= BURNT && q[1] >= BURNT && q[2] >= BURNT;
    }
    sort(l, n);
    sort(c, n);
    m->light = quantile(l, n, LIGHT_SHARE);
    m->chroma = quantile(c, n, CHROMA_SHARE);
    m->burnt = face ? (double)burnt / (double)face : 0;
}

/* Luma smoothed by 1-2-1 in both directions: noise goes, edges stay. */
static float *smooth_luma(const plane *p, apr_pool_t *pool)
{
    float *y = apr_palloc(pool, p->w * p->h * sizeof(float)),
          *out = apr_pcalloc(pool, p->w * p->h * sizeof(float));

    for (size_t i = 0; i < p->w * p->h; i++)
        y[i] = 0.299f * p->rgb[3 * i] + 0.587f * p->rgb[3 * i + 1] + 0.114f * p->rgb[3 * i + 2];
    for (size_t v = 1; v + 1 < p->h; v++)
        for (size_t u = 1; u + 1 < p->w; u++) {
            const float *q = y + v * p->w + u, *up = q - p->w, *down = q + p->w;
            out[v * p->w + u] = (4 * q[0] + 2 * (q[-1] + q[1] + up[0] + down[0]) + up[-1] + up[1] +
                                 down[-1] + down[1]) /
                                16;
        }
    return out;
}

static double measure_sharpness(const plane *p, apr_pool_t *pool)
{
    const float *y = smooth_luma(p, pool);
    double sum = 0, squares = 0, n = 0;

    for (size_t v = p->h / 10 + 2; v < p->h * 8 / 10; v++)
        for (size_t u = p->w / 5; u < p->w * 4 / 5; u++) {
            const float *q = y + v * p->w + u;
            double lap = 4.0 * q[0] - q[-1] - q[1] - q[-(ptrdiff_t)p->w] - q[p->w];
            sum += lap;
            squares += lap * lap;
            n++;
        }
    return n > 0 ? squares / n - sum / n * (sum / n) : 0;
}

bool fww_measure(const unsigned char *rgb, size_t width, size_t height, fww_measures *m,
                 apr_pool_t *pool)
{
    plane p;
    const lab *pixels;

    *m = (fww_measures){.light = 0};
    if (width < SIDE_MIN || height < SIDE_MIN)
        return false;
    p = shrink_to(rgb, width, height, COLOUR_WIDTH, pool);
    if (p.h < SIDE_MIN / 2)
        return false;
    pixels = make_lab(&p, pool);
    measure_background(pixels, &p, m, pool);
    measure_light(pixels, &p, m, pool);
    p = shrink_to(rgb, width, height, SHARP_WIDTH, pool);
    m->sharpness = measure_sharpness(&p, pool);
    return true;
}
