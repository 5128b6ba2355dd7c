/* The size that a picture claims: the same however its bytes are cut into pieces. And whether it is one that we mended. */
#include "fw_config.h"
#include "fuzz.h"

#include "fw_picture_size.h"
#include "../../mod_fwpermit/worker/fww_photo_source.h"

void fuzz_setup(apr_pool_t *pool)
{
    (void)pool;
}

void fuzz_one(const uint8_t *data, size_t n, apr_pool_t *pool)
{
    fw_picture_size whole = {0}, pieces = {0};
    fww_source source;

    (void)pool;
    fw_picture_size_feed(&whole, (const char *)data, n);
    for (size_t at = 0, len = 1; at < n; at += len, len = len % 7 + 1)
        fw_picture_size_feed(&pieces, (const char *)data + at, len < n - at ? len : n - at);
    fuzz_want(whole.width == pieces.width && whole.height == pieces.height, "pieces say the same");
    fuzz_want(whole.known == pieces.known, "and end where the whole does");
    fuzz_want(whole.known || (whole.width == 0 && whole.height == 0), "no size before its end");
    fww_source_sniff(&source, data, n);
    fuzz_want(!fww_source_is_mended(&source) || whole.known, "a mended picture has a size");
}
