#include "fw_config.h"
#include "fw_picture_size.h"

#include <string.h>

#define PNG_MARK   "\x89PNG\r\n\x1a\n"
#define PNG_BYTES  24 /* mark, length and name of IHDR, width, height */
#define SOF_BYTES  9  /* marker, length, precision, height, width */
#define JPEG_SOS   0xda
#define JPEG_EOI   0xd9
#define JPEG_SOI   0xd8
#define JPEG_RST   0xd0 /* to 0xd7 */
#define JPEG_TEM   0x01
#define JPEG_FIRST 0xff

static uint32_t be16(const unsigned char *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t be32(const unsigned char *p)
{
    return be16(p) << 16 | be16(p + 2);
}

static void look_at_png(fw_picture_size *p)
{
    if (p->n < PNG_BYTES)
        return;
    p->known = true;
    if (memcmp(p->head, PNG_MARK, 8) != 0 || memcmp(p->head + 12, "IHDR", 4) != 0)
        return;
    p->width = be32(p->head + 16);
    p->height = be32(p->head + 20);
}

static bool stands_alone(unsigned char code)
{
    return code == 0 || code == JPEG_TEM || (code >= JPEG_RST && code <= JPEG_SOI);
}

/* Of a frame, by any of its codings: not a table, nor what is reserved. */
static bool is_frame(unsigned char code)
{
    return code >= 0xc0 && code <= 0xcf && code != 0xc4 && code != 0xc8 && code != 0xcc;
}

/* `head` is a JPEG's segment as far as it came: 0xff, its code, its length … */
static void look_at_jpeg(fw_picture_size *p)
{
    unsigned char code = p->head[1];

    if (p->head[0] != JPEG_FIRST || (p->n == 2 && stands_alone(code)))
        p->n = 0;
    else if (p->n == 2 && code == JPEG_FIRST)
        p->n = 1;
    else if (p->n == 2 && (code == JPEG_SOS || code == JPEG_EOI))
        p->known = true;
    else if (p->n == 4 && be16(p->head + 2) < 2)
        p->known = true;
    else if (p->n == 4 && !is_frame(code)) {
        p->skip = be16(p->head + 2) - 2;
        p->n = 0;
    } else if (p->n == SOF_BYTES) {
        p->known = true;
        p->height = be16(p->head + 5);
        p->width = be16(p->head + 7);
    }
}

/* How many of the bytes say nothing: within a segment that is passed over, or before the next one's 0xff. */
static apr_size_t idle_bytes(fw_picture_size *p, const char *data, apr_size_t n)
{
    apr_size_t skipped = p->skip < n ? p->skip : n;
    const char *mark;

    p->skip -= skipped;
    if (p->png || p->n > 0 || skipped == n)
        return skipped;
    mark = memchr(data + skipped, JPEG_FIRST, n - skipped);
    return mark ? (apr_size_t)(mark - data) : n;
}

void fw_picture_size_feed(fw_picture_size *p, const char *data, apr_size_t n)
{
    if (!p->begun && n > 0) {
        p->png = (unsigned char)data[0] == (unsigned char)PNG_MARK[0];
        p->begun = true;
    }
    for (apr_size_t i = 0; i < n && !p->known; i++) {
        i += idle_bytes(p, data + i, n - i);
        if (i == n)
            break;
        p->head[p->n++] = (unsigned char)data[i];
        if (p->png)
            look_at_png(p);
        else
            look_at_jpeg(p);
    }
}
