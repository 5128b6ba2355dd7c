#ifndef FWW_PHOTO_MEASURE_H
#define FWW_PHOTO_MEASURE_H

#include "fw_config.h"

/* Numbers that tell a good portrait from a bad one. L is CIE L* (0 black to 100 white), C is CIE C*
 * (0 grey). */

typedef struct fww_measures {
    double background_l;          /* median of the border strips */
    double background_chroma;     /* C of the strips' median colour */
    double background_spread;     /* L between the darkest and the lightest seventh of the strips */
    double background_hue_spread; /* the same in the a*b* plane, the wider of both axes */
    double background_texture; /* deviation of L within a cell; a quarter of the cells exceeds it */
    double light;              /* L that a twentieth of the picture exceeds */
    double burnt;              /* part of the face's oval that is pure white */
    double sharpness;          /* variance of the Laplacian of the person's smoothed luma */
    double chroma;             /* C that the most coloured parts reach */
} fww_measures;

/* Measures `width` x `height` pixels of 3 bytes (sRGB). false: too small (a side below 64). */
bool fww_measure(const unsigned char *rgb, size_t width, size_t height, fww_measures *m,
                 apr_pool_t *pool);

#endif
