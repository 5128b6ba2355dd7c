#ifndef FW_PICTURE_SIZE_H
#define FW_PICTURE_SIZE_H

#include "fw_config.h"

/* The size that a JPEG or a PNG claims, read from its bytes as they stream by. Nothing is decoded and nothing is held. */

#define FW_PICTURE_HEAD 24 /* bytes that are looked at together: a PNG's up to its height */

/* Zeroed: a picture that has not begun. */
typedef struct fw_picture_size {
    uint32_t width, height; /* 0: not told, or told as 0 */
    bool known;             /* nothing more is to be read: the size was told, or never will be */
    apr_size_t skip;        /* bytes of a JPEG's segment that say nothing of it */
    apr_size_t n;           /* held of `head` */
    bool png, begun;
    unsigned char head[FW_PICTURE_HEAD];
} fw_picture_size;

/* The next bytes of the file, in any pieces. What is neither JPEG nor PNG leaves the size at 0. */
void fw_picture_size_feed(fw_picture_size *p, const char *data, apr_size_t n);

#endif
