#ifndef FWW_PHOTO_SOURCE_H
#define FWW_PHOTO_SOURCE_H

#include "fw_err.h"

#include <vips/vips.h>

/* The bytes of a picture: what they are, how large the picture is, and its pixels. */

typedef enum fww_format_e {
    FWW_FORMAT_OTHER,
    FWW_FORMAT_JPEG,
    FWW_FORMAT_PNG,
    FWW_FORMAT_BMP,
    FWW_FORMAT_HEIC
} fww_format_e;

typedef struct fww_source {
    const unsigned char *bytes;
    size_t n;
    fww_format_e format;
    const char
        *name; /* the format's, also for some that we do not take: "jpeg", "webp", "unknown" */
    int width, height; /* upright, that is after its orientation is mended */
} fww_source;

/* Names the format by the first bytes. */
void fww_source_sniff(fww_source *s, const void *bytes, size_t n);

/* Reads the size from the header; decodes no pixel, and reads no further once the size is beyond
 * `max_pixels` (which the caller judges). false: the header makes no sense. */
bool fww_source_size(fww_source *s, double max_pixels);

/* Whether it is a JPEG as fww_photo_write makes it, by its segments: three components of eight bits, nothing but JFIF and
 * tables before its pixels, and its end where the bytes end. No pixel is looked at. */
bool fww_source_is_mended(const fww_source *s);

/* Decodes and mends: upright, sRGB, 8 bits, three bands, alpha laid on white, shrunk into the box.
 * The caller frees *out by g_object_unref. false: it cannot be decoded to its end. */
bool fww_source_decode(const fww_source *s, int box_width, int box_height, VipsImage **out,
                       apr_pool_t *pool);

#endif
