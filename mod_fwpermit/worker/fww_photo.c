#include "fw_config.h"
#include "fww_photo.h"
#include "fww_photo_measure.h"
#include "fww_photo_source.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include <apr_strings.h>
#include <vips/vips.h>

#define QUALITY_STEP 10  /* of JPEG, when the mended picture is too long … */
#define QUALITY_MIN  50  /* … down to here */
#define SHRINK       0.7 /* then the picture itself is made smaller by this */
#define THUMB_MIN    16  /* pixels: side of a thumb's box */
#define THUMB_MAX    1600
#define MEGA         1e6
#define KIB          1024

const fww_photo_rules fww_photo_rules_default = {
    /* What the agency asks of an uploaded photo: 35 x 45 mm at 300 dpi. */
    .min_width = 413,
    .min_height = 531,
    .ratio = 35.0 / 45.0,
    /* A crop by hand and rounding miss a little; 3:4 of a phone (3.6 %) is not a crop. */
    .ratio_tolerance = 0.03,
    .min_bytes = 4096,
    .max_bytes = 10485760,
    /* 50 megapixels are what a phone makes at its most. */
    .max_pixels = 50e6,
    /* Three times the smallest allowed size: more is not printed on a card. */
    .box_width = 1240,
    .box_height = 1594,
    .quality = 90,
    .jpeg_bytes = 524288,
    /* A white wall in shade has L* 80 to 90; light grey (211) has 85, mid grey (190) has 77. */
    .background_l_min = 78,
    /* A white wall under a warm lamp has C* 8, light blue and beige begin at 14. */
    .background_chroma_max = 12,
    /* A lamp from one side gives 6; a shadow beside the head or a second colour gives 20. */
    .background_spread_max = 10,
    .background_hue_spread_max = 10,
    /* Noise gives 1 at the measured width; wallpaper, bricks and curtains give 4 and more. */
    .background_texture_max = 3.5,
    /* Not the face, whose lightness is the person's own: wall or shirt must be light. */
    .light_min = 45,
    /* A light face has no pure white but on forehead and nose. */
    .burnt_max = 0.35,
    .sharpness_min = 12,
    /* Every skin has C* of 8 and more, a grey picture saved as colour 0 to 1. */
    .chroma_min = 3,
};

/* ---- rules ---- */

typedef enum rule_kind_e { RULE_INT, RULE_SIZE, RULE_REAL } rule_kind_e;

static void set_rule(fww_photo_rules *rules, size_t at, rule_kind_e kind, double v)
{
    char *to = (char *)rules + at;
    int whole = v > INT32_MAX ? INT32_MAX : (int)v;
    size_t size = (size_t)v;

    switch (kind) {
    case RULE_INT:
        memcpy(to, &whole, sizeof(whole));
        break;
    case RULE_SIZE:
        memcpy(to, &size, sizeof(size));
        break;
    case RULE_REAL:
        memcpy(to, &v, sizeof(v));
        break;
    }
}

const fw_err *fww_photo_rules_read(fww_photo_rules *rules, json_t *settings, apr_pool_t *pool)
{
#define RULE(kind, name)                             \
    {                                                \
#name, offsetof(fww_photo_rules, name), kind \
    }
    static const struct {
        const char *name;
        size_t at;
        rule_kind_e kind;
    } table[] = {RULE(RULE_INT, min_width),
                 RULE(RULE_INT, min_height),
                 RULE(RULE_REAL, ratio),
                 RULE(RULE_REAL, ratio_tolerance),
                 RULE(RULE_SIZE, min_bytes),
                 RULE(RULE_SIZE, max_bytes),
                 RULE(RULE_REAL, max_pixels),
                 RULE(RULE_INT, box_width),
                 RULE(RULE_INT, box_height),
                 RULE(RULE_INT, quality),
                 RULE(RULE_SIZE, jpeg_bytes),
                 RULE(RULE_REAL, background_l_min),
                 RULE(RULE_REAL, background_chroma_max),
                 RULE(RULE_REAL, background_spread_max),
                 RULE(RULE_REAL, background_hue_spread_max),
                 RULE(RULE_REAL, background_texture_max),
                 RULE(RULE_REAL, light_min),
                 RULE(RULE_REAL, burnt_max),
                 RULE(RULE_REAL, sharpness_min),
                 RULE(RULE_REAL, chroma_min)};
#undef RULE
    const char *key;
    json_t *value;

    json_object_foreach(settings, key, value)
    {
        size_t i = 0, n = sizeof(table) / sizeof(table[0]);
        double v = json_number_value(value);

        while (i < n && strcmp(key, table[i].name) != 0)
            i++;
        if (i == n)
            return FW_ERR(pool, FW_E_CONFIG, 0, "photo rule %s is not known", key);
        if (!(v > 0) || v > 1e12)
            return FW_ERR(pool, FW_E_CONFIG, 0, "photo rule %s is no positive number", key);
        set_rule(rules, table[i].at, table[i].kind, v);
    }
    return NULL;
}

/* ---- the answer ---- */

/* A number with two digits after the point, so that it reads well. */
static json_t *number(double v)
{
    double rounded = round(v * 100) / 100;
    return rounded == floor(rounded) ? json_integer((json_int_t)rounded) : json_real(rounded);
}

/* `args` is taken over. */
static void add_problem(json_t *problems, const char *key, json_t *args)
{
    json_array_append_new(problems, json_pack("{s:s, s:o}", "key", key, "args", args));
}

static json_t *no_args(void)
{
    return json_object();
}

/* Measured and wanted, under their names. */
static json_t *two(const char *name, double v, const char *wanted, double w)
{
    return json_pack("{s:o, s:o}", name, number(v), wanted, number(w));
}

json_t *fww_photo_unreadable(void)
{
    json_t *problems = json_array();

    add_problem(problems, "photo.unreadable", no_args());
    return json_pack("{s:b, s:o, s:{}}", "ok", 0, "problems", problems, "measures");
}

/* ---- what the header tells ---- */

static void judge_bytes(const fww_source *s, const fww_photo_rules *r, json_t *problems)
{
    if (s->n < r->min_bytes)
        add_problem(problems, "photo.too_few_bytes",
                    two("kib", (double)s->n / KIB, "min_kib", (double)r->min_bytes / KIB));
    if (s->n > r->max_bytes)
        add_problem(problems, "photo.too_many_bytes",
                    two("kib", (double)s->n / KIB, "max_kib", (double)r->max_bytes / KIB));
    if (s->format == FWW_FORMAT_OTHER)
        add_problem(problems, "photo.format", json_pack("{s:s}", "format", s->name));
}

static bool is_sideways(const fww_source *s)
{
    return s->width > s->height;
}

static void judge_size(const fww_source *s, const fww_photo_rules *r, json_t *problems)
{
    bool sideways = is_sideways(s);
    int w = sideways ? s->height : s->width, h = sideways ? s->width : s->height;
    double ratio = (double)w / h;

    if (w < r->min_width || h < r->min_height)
        add_problem(problems, "photo.too_small",
                    json_pack("{s:i, s:i, s:i, s:i}", "width", s->width, "height", s->height,
                              "min_width", r->min_width, "min_height", r->min_height));
    if (sideways)
        add_problem(problems, "photo.sideways",
                    json_pack("{s:i, s:i}", "width", s->width, "height", s->height));
    else if (fabs(ratio / r->ratio - 1) > r->ratio_tolerance)
        add_problem(problems, ratio > r->ratio ? "photo.too_wide" : "photo.too_narrow",
                    json_pack("{s:i, s:i, s:o, s:o}", "width", s->width, "height", s->height,
                              "ratio", number(ratio), "wanted", number(r->ratio)));
}

/* ---- what the pixels tell ---- */

static void judge_background(const fww_measures *m, const fww_photo_rules *r, json_t *problems)
{
    if (m->background_l < r->background_l_min)
        add_problem(problems, "photo.background_dark",
                    two("lightness", m->background_l, "min_lightness", r->background_l_min));
    if (m->background_chroma > r->background_chroma_max)
        add_problem(problems, "photo.background_coloured",
                    two("colour", m->background_chroma, "max_colour", r->background_chroma_max));
    if (m->background_spread > r->background_spread_max)
        add_problem(problems, "photo.background_uneven",
                    two("spread", m->background_spread, "max_spread", r->background_spread_max));
    else if (m->background_hue_spread > r->background_hue_spread_max)
        add_problem(
            problems, "photo.background_uneven",
            two("spread", m->background_hue_spread, "max_spread", r->background_hue_spread_max));
    else if (m->background_texture > r->background_texture_max)
        add_problem(problems, "photo.background_uneven",
                    two("spread", m->background_texture, "max_spread", r->background_texture_max));
}

static void judge_light(const fww_measures *m, const fww_photo_rules *r, json_t *problems)
{
    if (m->light < r->light_min)
        add_problem(problems, "photo.too_dark",
                    two("lightness", m->light, "min_lightness", r->light_min));
    if (m->burnt > r->burnt_max)
        add_problem(problems, "photo.over_exposed",
                    two("percent", 100 * m->burnt, "max_percent", 100 * r->burnt_max));
    if (m->sharpness < r->sharpness_min)
        add_problem(problems, "photo.blurred",
                    two("sharpness", m->sharpness, "min_sharpness", r->sharpness_min));
    if (m->chroma < r->chroma_min)
        add_problem(problems, "photo.grey", two("colour", m->chroma, "min_colour", r->chroma_min));
}

static void put_measures(json_t *to, const fww_measures *m)
{
    json_object_set_new(to, "background_l", number(m->background_l));
    json_object_set_new(to, "background_chroma", number(m->background_chroma));
    json_object_set_new(to, "background_spread", number(m->background_spread));
    json_object_set_new(to, "background_hue_spread", number(m->background_hue_spread));
    json_object_set_new(to, "background_texture", number(m->background_texture));
    json_object_set_new(to, "light", number(m->light));
    json_object_set_new(to, "burnt", number(m->burnt));
    json_object_set_new(to, "sharpness", number(m->sharpness));
    json_object_set_new(to, "chroma", number(m->chroma));
}

/* A sideways picture's borders and face are elsewhere: only what holds anyhow is judged. */
static void judge_pixels(VipsImage *image, bool sideways, const fww_photo_rules *r,
                         json_t *problems, json_t *measures, apr_pool_t *pool)
{
    const unsigned char *rgb = vips_image_get_data(image);
    fww_measures m;

    if (!rgb || !fww_measure(rgb, (size_t)vips_image_get_width(image),
                             (size_t)vips_image_get_height(image), &m, pool))
        return;
    put_measures(measures, &m);
    if (sideways)
        return;
    judge_background(&m, r, problems);
    judge_light(&m, r, problems);
}

/* ---- the mended picture ---- */

static const fw_err *encode(VipsImage *image, int quality, fww_photo_result *out, apr_pool_t *pool)
{
    void *bytes = NULL;
    size_t n = 0;

    if (vips_jpegsave_buffer(image, &bytes, &n, "Q", quality, "strip", TRUE, "optimize_coding",
                             TRUE, NULL) != 0)
        return FW_ERR(pool, FW_E_INTERNAL, 0, "writing a JPEG: %s", vips_error_buffer());
    out->jpeg = apr_pmemdup(pool, bytes, n);
    out->n_jpeg = n;
    g_free(bytes);
    return NULL;
}

const fw_err *fww_photo_write(VipsImage *image, const fww_photo_rules *r, fww_photo_result *out,
                              apr_pool_t *pool)
{
    VipsImage *smaller = NULL;
    const fw_err *err;

    for (int q = r->quality; q >= QUALITY_MIN; q -= QUALITY_STEP) {
        FW_TRY(encode(image, q, out, pool));
        if (out->n_jpeg <= r->jpeg_bytes)
            return NULL;
    }
    if (vips_image_get_width(image) < r->min_width || vips_image_get_height(image) < r->min_height)
        return FW_ERR(pool, FW_E_LIMIT, 0, "the mended picture has too many bytes");
    if (vips_resize(image, &smaller, SHRINK, NULL) != 0)
        return FW_ERR(pool, FW_E_INTERNAL, 0, "shrinking: %s", vips_error_buffer());
    err = fww_photo_write(smaller, r, out, pool);
    g_object_unref(smaller);
    return err;
}

static const fw_err *finish(fww_photo_result *out, const fw_err *err, bool ok, json_t *problems,
                            json_t *measures)
{
    vips_error_clear();
    if (err) {
        json_decref(problems);
        json_decref(measures);
        *out = (fww_photo_result){.ok = false};
        return err;
    }
    out->ok = ok;
    out->answer =
        json_pack("{s:b, s:o, s:o}", "ok", ok, "problems", problems, "measures", measures);
    return NULL;
}

/* Warnings of decoders tell of the picture, not of us, and there may be thousands. */
static void swallow(const gchar *domain, GLogLevelFlags level, const gchar *text, gpointer nothing)
{
    (void)domain;
    (void)level;
    (void)text;
    (void)nothing;
}

void fww_photo_init(void)
{
    g_log_set_handler("VIPS", G_LOG_LEVEL_WARNING, swallow, NULL);
    vips_block_untrusted_set(TRUE);
    vips_concurrency_set(1);
    vips_cache_set_max(0);
}

/* Whether the header allows decoding; if not, `problems` tells why. */
static bool may_decode(fww_source *s, const fww_photo_rules *r, json_t *problems)
{
    double pixels;

    if (s->format == FWW_FORMAT_OTHER || s->n > r->max_bytes)
        return false;
    if (!fww_source_size(s, r->max_pixels)) {
        add_problem(problems, "photo.unreadable", no_args());
        return false;
    }
    pixels = (double)s->width * s->height;
    if (pixels <= r->max_pixels)
        return true;
    add_problem(problems, "photo.too_many_pixels",
                two("megapixels", pixels / MEGA, "max_megapixels", r->max_pixels / MEGA));
    return false;
}

static void put_size(json_t *measures, const fww_source *s)
{
    json_object_set_new(measures, "format", json_string(s->name));
    json_object_set_new(measures, "bytes", json_integer((json_int_t)s->n));
    if (s->width <= 0)
        return;
    json_object_set_new(measures, "width", json_integer(s->width));
    json_object_set_new(measures, "height", json_integer(s->height));
    json_object_set_new(measures, "ratio", json_real(round(1e4 * s->width / s->height) / 1e4));
}

const fw_err *fww_photo_check(const void *bytes, size_t n, const fww_photo_rules *rules,
                              fww_photo_result *out, apr_pool_t *pool)
{
    const fw_err *err = NULL;
    json_t *problems = json_array(), *measures = json_object();
    VipsImage *image = NULL;
    fww_source s;
    bool readable;

    *out = (fww_photo_result){.ok = false};
    fww_source_sniff(&s, bytes, n);
    judge_bytes(&s, rules, problems);
    readable = may_decode(&s, rules, problems);
    put_size(measures, &s);
    if (readable) {
        judge_size(&s, rules, problems);
        if (fww_source_decode(&s, rules->box_width, rules->box_height, &image, pool)) {
            judge_pixels(image, is_sideways(&s), rules, problems, measures, pool);
            err = fww_photo_write(image, rules, out, pool);
            g_object_unref(image);
        } else
            add_problem(problems, "photo.unreadable", no_args());
    }
    return finish(out, err, json_array_size(problems) == 0, problems, measures);
}

const fw_err *fww_photo_thumb(const void *bytes, size_t n, int size, const fww_photo_rules *rules,
                              fww_photo_result *out, apr_pool_t *pool)
{
    const fw_err *err = NULL;
    json_t *problems = json_array(), *measures = json_object();
    VipsImage *image = NULL;
    fww_source s;

    *out = (fww_photo_result){.ok = false};
    if (size < THUMB_MIN || size > THUMB_MAX)
        err = FW_ERR(pool, FW_E_INPUT, 0, "no thumb of %d pixels", size);
    fww_source_sniff(&s, bytes, n);
    if (s.format == FWW_FORMAT_OTHER)
        add_problem(problems, "photo.format", json_pack("{s:s}", "format", s.name));
    if (!err && may_decode(&s, rules, problems)) {
        if (fww_source_decode(&s, size, size, &image, pool)) {
            json_object_set_new(measures, "width", json_integer(vips_image_get_width(image)));
            json_object_set_new(measures, "height", json_integer(vips_image_get_height(image)));
            err = fww_photo_write(image, rules, out, pool);
            g_object_unref(image);
        } else
            add_problem(problems, "photo.unreadable", no_args());
    }
    return finish(out, err, out->jpeg != NULL, problems, measures);
}
