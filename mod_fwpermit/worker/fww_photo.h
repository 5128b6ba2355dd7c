#ifndef FWW_PHOTO_H
#define FWW_PHOTO_H

#include "fw_err.h"

#include <jansson.h>

/* A photo for a permit: decoded within limits, mended, measured and judged. Whoever calls these has
 * called VIPS_INIT and fww_photo_init() before, in a process that may die: decoders crash. */

typedef struct fww_photo_rules {
    int min_width, min_height;        /* pixels, upright */
    double ratio, ratio_tolerance;    /* width / height, and the part of it that may be missed */
    size_t min_bytes, max_bytes;      /* of the file that came */
    double max_pixels;                /* by the header, before anything is decoded */
    int box_width, box_height;        /* the mended picture fits into this */
    int quality;                      /* of the mended JPEG; lowered until jpeg_bytes holds */
    size_t jpeg_bytes;                /* of the mended JPEG */
    double background_l_min;          /* CIE L*, 0 black to 100 white */
    double background_chroma_max;     /* CIE C* of the strips' median colour */
    double background_spread_max;     /* CIE L*, between dark and light parts of the strips */
    double background_hue_spread_max; /* the same in the a*b* plane */
    double background_texture_max;    /* CIE L*, deviation within a cell of the strips */
    double light_min;                 /* L* that the lightest twentieth must reach */
    double burnt_max;                 /* part of the face that may be pure white */
    double sharpness_min;             /* variance of the Laplacian at sharpness' own width */
    double chroma_min;                /* C* that the most coloured parts must reach */
} fww_photo_rules;

extern const fww_photo_rules fww_photo_rules_default;

/* Puts numbers of `settings` (names as above; NULL: none) into *rules. FW_E_CONFIG: a name is not
 * known or a value is no positive number. */
const fw_err *fww_photo_rules_read(fww_photo_rules *rules, json_t *settings, apr_pool_t *pool);

typedef struct fww_photo_result {
    bool ok;
    json_t *answer; /* new: {"ok":…, "problems":[{"key":…, "args":{…}}], "measures":{…}} */
    const void *jpeg; /* in the pool; NULL if nothing could be decoded */
    size_t n_jpeg;
} fww_photo_result;

/* Once in a process, after VIPS_INIT: shuts out decoders that nobody vouches for, and caches. */
void fww_photo_init(void);

/* Judges the picture. What is wrong with it is told in the answer's problems (keys of the catalogue
 * photo.po), never as an error. The mended picture is upright, sRGB, without metadata or alpha, and
 * there whenever the picture could be decoded, so that it can be shown and cropped; only one with
 * `ok` may be kept. After an error there is no answer. */
const fw_err *fww_photo_check(const void *bytes, size_t n, const fww_photo_rules *rules,
                              fww_photo_result *out, apr_pool_t *pool);

/* The picture within `size` x `size` pixels as a JPEG like above; measures: its width and height. */
const fw_err *fww_photo_thumb(const void *bytes, size_t n, int size, const fww_photo_rules *rules,
                              fww_photo_result *out, apr_pool_t *pool);

/* Writes the picture (a VipsImage) as a JPEG into out->jpeg: the quality is lowered, then the size, until the bytes are as
 * few as the rules say. */
struct _VipsImage;
const fw_err *fww_photo_write(struct _VipsImage *image, const fww_photo_rules *rules,
                              fww_photo_result *out, apr_pool_t *pool);

/* The answer for a picture whose decoder crashed, hung or wanted too much; new. */
json_t *fww_photo_unreadable(void);

#endif
