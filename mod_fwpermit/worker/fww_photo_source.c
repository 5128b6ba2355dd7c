#include "fw_config.h"
#include "fww_photo_source.h"

#include <string.h>

#define BMP_HEAD        14 /* bytes of the file's header */
#define BMP_INFO        40 /* bytes of the smallest picture header that we read */
#define BMP_SIDE_MAX    65535
#define BRANDS_MAX      512 /* bytes of an ftyp box that are searched */
#define WHITE           255.0
#define BANDS           3
#define JPEG_SHRINK_MAX 8 /* what its blocks allow */

/* ---- formats ---- */

static uint32_t be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t le32(const unsigned char *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static unsigned le16(const unsigned char *p)
{
    return (unsigned)p[1] << 8 | p[0];
}

static bool has_brand(const unsigned char *p, size_t n, const char *brand)
{
    size_t box = be32(p);

    if (box > n)
        box = n;
    if (box > BRANDS_MAX)
        box = BRANDS_MAX;
    for (size_t at = 8; at + 4 <= box; at += 4)
        if (at != 12 && memcmp(p + at, brand, 4) == 0)
            return true;
    return false;
}

static void sniff_iso_media(fww_source *s)
{
    if (has_brand(s->bytes, s->n, "avif"))
        s->name = "avif";
    else if (has_brand(s->bytes, s->n, "heic") || has_brand(s->bytes, s->n, "heix")) {
        s->format = FWW_FORMAT_HEIC;
        s->name = "heic";
    }
}

void fww_source_sniff(fww_source *s, const void *bytes, size_t n)
{
    static const struct {
        const char *mark;
        size_t n, at;
        fww_format_e format;
        const char *name;
    } marks[] = {{"\xff\xd8\xff", 3, 0, FWW_FORMAT_JPEG, "jpeg"},
                 {"\x89PNG\r\n\x1a\n", 8, 0, FWW_FORMAT_PNG, "png"},
                 {"BM", 2, 0, FWW_FORMAT_BMP, "bmp"},
                 {"GIF8", 4, 0, FWW_FORMAT_OTHER, "gif"},
                 {"WEBP", 4, 8, FWW_FORMAT_OTHER, "webp"},
                 {"II*\0", 4, 0, FWW_FORMAT_OTHER, "tiff"},
                 {"MM\0*", 4, 0, FWW_FORMAT_OTHER, "tiff"},
                 {"%PDF-", 5, 0, FWW_FORMAT_OTHER, "pdf"}};

    *s = (fww_source){.bytes = bytes, .n = n, .name = "unknown"};
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
        if (n >= marks[i].at + marks[i].n &&
            memcmp(s->bytes + marks[i].at, marks[i].mark, marks[i].n) == 0) {
            s->format = marks[i].format;
            s->name = marks[i].name;
            return;
        }
    if (n >= 16 && memcmp(s->bytes + 4, "ftyp", 4) == 0)
        sniff_iso_media(s);
}

/* ---- BMP: uncompressed ones, which is what scanners and old cameras write ---- */

typedef struct bmp_head {
    size_t pixels, row; /* where they begin, bytes of a row */
    const unsigned char *palette;
    unsigned colours; /* of the palette */
    unsigned bits;
    bool top_down;
    uint32_t mask[3];
} bmp_head;

static bool read_bmp_masks(const fww_source *s, bmp_head *h, uint32_t compression)
{
    static const uint32_t plain16[3] = {0x7c00, 0x03e0, 0x001f};
    static const uint32_t plain32[3] = {0xff0000, 0x00ff00, 0x0000ff};

    memcpy(h->mask, h->bits == 16 ? plain16 : plain32, sizeof(h->mask));
    if (compression == 0)
        return true;
    if (compression != 3 || (h->bits != 16 && h->bits != 32) || s->n < BMP_HEAD + BMP_INFO + 12)
        return false;
    for (size_t i = 0; i < 3; i++) {
        h->mask[i] = le32(s->bytes + BMP_HEAD + BMP_INFO + 4 * i);
        if (h->mask[i] == 0)
            return false;
    }
    return true;
}

static bool bmp_bits_are_known(unsigned bits)
{
    return bits == 1 || bits == 4 || bits == 8 || bits == 16 || bits == 24 || bits == 32;
}

static bool read_bmp_head(fww_source *s, bmp_head *h)
{
    const unsigned char *p = s->bytes;
    uint32_t info, compression;
    int32_t height;

    if (s->n < BMP_HEAD + BMP_INFO)
        return false;
    info = le32(p + 14);
    s->width = (int)le32(p + 18);
    height = (int32_t)le32(p + 22);
    compression = le32(p + 30);
    h->bits = le16(p + 28);
    h->top_down = height < 0;
    if (info < BMP_INFO || info > s->n - BMP_HEAD || height < -BMP_SIDE_MAX || height == 0 ||
        height > BMP_SIDE_MAX || s->width <= 0 || s->width > BMP_SIDE_MAX)
        return false;
    s->height = height < 0 ? -height : height;
    if (!bmp_bits_are_known(h->bits))
        return false;
    h->colours = h->bits > 8 ? 0 : 1u << h->bits;
    if (h->colours > 0 && le32(p + 46) > 0 && le32(p + 46) < h->colours)
        h->colours = le32(p + 46);
    h->palette = p + BMP_HEAD + info;
    h->pixels = le32(p + 10);
    h->row = ((size_t)s->width * h->bits + 31) / 32 * 4;
    return 4 * (size_t)h->colours <= s->n - BMP_HEAD - info && read_bmp_masks(s, h, compression);
}

/* One channel of a pixel, brought to eight bits. */
static unsigned char channel(uint32_t pixel, uint32_t mask)
{
    uint32_t top = mask >> __builtin_ctz(mask);
    return (unsigned char)((uint64_t)((pixel & mask) >> __builtin_ctz(mask)) * 255 / top);
}

static bool read_bmp_pixel(const bmp_head *h, const unsigned char *row, size_t x, unsigned char *to)
{
    uint32_t pixel;
    unsigned index, per;

    if (h->bits == 24) {
        to[0] = row[3 * x + 2];
        to[1] = row[3 * x + 1];
        to[2] = row[3 * x];
        return true;
    }
    if (h->bits > 8) {
        pixel = h->bits == 16 ? le16(row + 2 * x) : le32(row + 4 * x);
        for (size_t i = 0; i < 3; i++)
            to[i] = channel(pixel, h->mask[i]);
        return true;
    }
    per = 8 / h->bits;
    index = (unsigned)row[x / per] >> (8 - h->bits * (x % per + 1)) & ((1u << h->bits) - 1);
    if (index >= h->colours)
        return false;
    for (size_t i = 0; i < 3; i++)
        to[i] = h->palette[4 * index + 2 - i];
    return true;
}

static VipsImage *decode_bmp(const fww_source *source, apr_pool_t *pool)
{
    fww_source s = *source;
    bmp_head h;
    size_t width, height;
    unsigned char *rgb;

    if (!read_bmp_head(&s, &h))
        return NULL;
    width = (size_t)s.width;
    height = (size_t)s.height;
    if (h.pixels > s.n || h.row * height > s.n - h.pixels)
        return NULL;
    rgb = apr_palloc(pool, width * height * 3);
    for (size_t y = 0; y < height; y++) {
        const unsigned char *row = s.bytes + h.pixels + h.row * (h.top_down ? y : height - 1 - y);
        for (size_t x = 0; x < width; x++)
            if (!read_bmp_pixel(&h, row, x, rgb + 3 * (y * width + x)))
                return NULL;
    }
    VipsImage *out = vips_image_new_from_memory(rgb, width * height * 3, s.width, s.height, 3,
                                                VIPS_FORMAT_UCHAR);
    if (out)
        out->Type = VIPS_INTERPRETATION_sRGB;
    return out;
}

/* ---- sizes ---- */

/* Opens the picture; only its header is read yet. A JPEG comes `shrink` times smaller (1 to 8). */
static VipsImage *open_picture(const fww_source *s, int shrink)
{
    void *bytes = (void *)(uintptr_t)s->bytes;
    VipsImage *out = NULL;
    int rc = -1;

    switch (s->format) {
    case FWW_FORMAT_JPEG:
        rc = vips_jpegload_buffer(bytes, s->n, &out, "shrink", shrink, "access",
                                  VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_TRUNCATED, NULL);
        break;
    case FWW_FORMAT_PNG:
        rc = vips_pngload_buffer(bytes, s->n, &out, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                                 VIPS_FAIL_ON_TRUNCATED, NULL);
        break;
    case FWW_FORMAT_HEIC:
        rc = vips_heifload_buffer(bytes, s->n, &out, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                                  VIPS_FAIL_ON_TRUNCATED, NULL);
        break;
    case FWW_FORMAT_BMP:
    case FWW_FORMAT_OTHER:
        break;
    }
    return rc == 0 ? out : NULL;
}

/* A PNG tells its size before any other chunk, some of which cost much to read. */
static bool read_png_size(fww_source *s)
{
    uint32_t w, h;

    if (s->n < 33 || memcmp(s->bytes + 12, "IHDR", 4) != 0)
        return false;
    w = be32(s->bytes + 16);
    h = be32(s->bytes + 20);
    if (w == 0 || h == 0 || w > INT32_MAX || h > INT32_MAX)
        return false;
    s->width = (int)w;
    s->height = (int)h;
    return true;
}

bool fww_source_size(fww_source *s, double max_pixels)
{
    VipsImage *image;
    bmp_head bmp;

    if (s->format == FWW_FORMAT_BMP)
        return read_bmp_head(s, &bmp);
    if (s->format == FWW_FORMAT_PNG && !read_png_size(s))
        return false;
    if ((double)s->width * s->height > max_pixels)
        return true;
    image = open_picture(s, 1);
    if (!image)
        return false;
    s->width = vips_image_get_width(image);
    s->height = vips_image_get_height(image);
    if (vips_image_get_orientation_swap(image)) {
        s->width = vips_image_get_height(image);
        s->height = vips_image_get_width(image);
    }
    g_object_unref(image);
    return true;
}

/* ---- a mended JPEG ---- */

enum {
    JPEG_SOF0 = 0xc0,
    JPEG_SOF2 = 0xc2,
    JPEG_DHT = 0xc4,
    JPEG_EOI = 0xd9,
    JPEG_SOS = 0xda,
    JPEG_DQT = 0xdb,
    JPEG_DRI = 0xdd,
    JPEG_APP0 = 0xe0
};

static unsigned be16(const unsigned char *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

/* Eight bits, and three components: precision, height, width, count. */
static bool is_colour_frame(const unsigned char *body, size_t n)
{
    return n >= 6 && body[0] == 8 && body[5] == BANDS;
}

static bool is_table(unsigned char code)
{
    return code == JPEG_DQT || code == JPEG_DHT || code == JPEG_DRI || code == JPEG_APP0;
}

bool fww_source_is_mended(const fww_source *s)
{
    const unsigned char *p, *end;
    bool framed = false;

    if (s->format != FWW_FORMAT_JPEG || s->n < 4)
        return false;
    p = s->bytes + 2;
    end = s->bytes + s->n - 2;
    if (end[0] != 0xff || end[1] != JPEG_EOI)
        return false;
    while (end - p >= 4 && p[0] == 0xff && p[1] != JPEG_SOS) {
        size_t n = be16(p + 2);

        if (n < 2 || n > (size_t)(end - p) - 2)
            return false;
        if ((p[1] == JPEG_SOF0 || p[1] == JPEG_SOF2) && !framed && is_colour_frame(p + 4, n - 2))
            framed = true;
        else if (!is_table(p[1]))
            return false;
        p += 2 + n;
    }
    return framed && end - p >= 4 && p[0] == 0xff;
}

/* ---- pixels ---- */

/* How many times smaller a JPEG may be read so that it still fills the box. */
static int jpeg_shrink(const fww_source *s, int width, int height)
{
    int by = JPEG_SHRINK_MAX;
    while (by > 1 && (s->width / by < width || s->height / by < height))
        by /= 2;
    return by;
}

/* Into the box, upright, and into sRGB by the picture's own profile if it has one and `managed`. */
static VipsImage *fit(VipsImage *in, int width, int height, bool managed)
{
    VipsImage *plain = NULL, *out = NULL;
    int rc;

    if (managed)
        rc = vips_thumbnail_image(in, &out, width, "height", height, "size", VIPS_SIZE_DOWN,
                                  "export_profile", "srgb", NULL);
    else {
        rc = vips_copy(in, &plain, NULL);
        if (rc == 0) {
            vips_image_remove(plain, VIPS_META_ICC_NAME);
            rc = vips_thumbnail_image(plain, &out, width, "height", height, "size", VIPS_SIZE_DOWN,
                                      NULL);
        }
        g_clear_object(&plain);
    }
    g_object_unref(in);
    return rc == 0 ? out : NULL;
}

/* Lays alpha on white and makes three bands of eight bits of whatever came; takes `in` over. */
static VipsImage *flatten(VipsImage *in)
{
    VipsImage *flat = NULL, *rgb = NULL, *out = NULL;
    VipsArrayDouble *white = vips_array_double_newv(1, WHITE);
    int rc = vips_colourspace(in, &rgb, VIPS_INTERPRETATION_sRGB, NULL);

    if (rc == 0 && vips_image_hasalpha(rgb))
        rc = vips_flatten(rgb, &flat, "background", white, NULL);
    else if (rc == 0)
        rc = vips_copy(rgb, &flat, NULL);
    if (rc == 0)
        rc = vips_cast_uchar(flat, &out, NULL);
    vips_area_unref(VIPS_AREA(white));
    g_clear_object(&flat);
    g_clear_object(&rgb);
    g_object_unref(in);
    return rc == 0 ? out : NULL;
}

/* A JPEG whose pixels end before its header says so: libjpeg fills up and warns, and vips fails on every warning or none. */
static bool was_cut(void)
{
    return strstr(vips_error_buffer(), "premature end of data segment") != NULL;
}

/* One way from bytes to pixels; *has_profile tells whether the way without profile is another. */
static VipsImage *decode(const fww_source *s, int width, int height, bool managed,
                         bool *has_profile, apr_pool_t *pool)
{
    VipsImage *out, *in = s->format == FWW_FORMAT_BMP
                              ? decode_bmp(s, pool)
                              : open_picture(s, jpeg_shrink(s, width, height));

    if (!in)
        return NULL;
    *has_profile = vips_image_get_typeof(in, VIPS_META_ICC_NAME) != 0;
    in = fit(in, width, height, managed && *has_profile);
    if (in)
        in = flatten(in);
    if (!in)
        return NULL;
    out = vips_image_copy_memory(in);
    g_object_unref(in);
    if (out && (vips_image_get_bands(out) != BANDS || was_cut()))
        g_clear_object(&out);
    return out;
}

bool fww_source_decode(const fww_source *s, int box_width, int box_height, VipsImage **out,
                       apr_pool_t *pool)
{
    bool has_profile = false;

    *out = decode(s, box_width, box_height, true, &has_profile, pool);
    if (!*out && has_profile) /* which may be one of another kind of picture */
        *out = decode(s, box_width, box_height, false, &has_profile, pool);
    return *out != NULL;
}
