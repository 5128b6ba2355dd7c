#ifndef FWW_PAGE_H
#define FWW_PAGE_H

#include "fww_photo.h"

/* A page of somebody's PDF, as a picture. Whoever calls this lives in a process that may die: readers of PDF crash. */

typedef struct fww_page {
    const void *bytes;
    size_t n;
    int page; /* from 1 */
    int size; /* pixels: the picture lies within size x size */
} fww_page;

/* As fww_photo_check(); measures: {"pages", "width", "height"}; problems: pdf.unreadable (a password, damage),
 * pdf.no_such_page. FW_E_INPUT: no size from 16 to 1600. */
const fw_err *fww_page_draw(const fww_page *p, const fww_photo_rules *rules, fww_photo_result *out,
                            apr_pool_t *pool);

/* The answer for a PDF whose reader crashed, hung or wanted too much; new. */
json_t *fww_page_unreadable(void);

#endif
