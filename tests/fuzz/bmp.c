/* The pictures that are decoded by code of ours: what its header claims is not larger than asked for, and what is decoded fills the box. */
#include "fw_config.h"
#include "fuzz.h"

#include "../../mod_fwpermit/worker/fww_photo_source.h"

#define PIXELS_MOST 40000
#define WIDTH       40
#define HEIGHT      50

void fuzz_setup(apr_pool_t *pool)
{
    (void)pool;
    fuzz_want(VIPS_INIT("fuzz") == 0, "libvips");
    vips_concurrency_set(1);
    vips_cache_set_max(0);
}

void fuzz_one(const uint8_t *data, size_t n, apr_pool_t *pool)
{
    fww_source s;
    VipsImage *out = NULL;

    fww_source_sniff(&s, data, n);
    fuzz_want(s.name && *s.name, "a name");
    if (s.format != FWW_FORMAT_BMP || !fww_source_size(&s, PIXELS_MOST))
        return;
    fuzz_want(s.width > 0 && s.height > 0, "it has a size");
    if ((double)s.width * s.height > PIXELS_MOST ||
        !fww_source_decode(&s, WIDTH, HEIGHT, &out, pool)) {
        vips_error_clear();
        return;
    }
    fuzz_want(vips_image_get_bands(out) == 3 && vips_image_get_format(out) == VIPS_FORMAT_UCHAR,
              "red, green and blue");
    fuzz_want(vips_image_get_width(out) <= WIDTH && vips_image_get_height(out) <= HEIGHT,
              "within the box");
    g_object_unref(out);
}
