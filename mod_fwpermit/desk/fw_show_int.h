#ifndef FW_SHOW_INT_H
#define FW_SHOW_INT_H

#include "fw_show.h"

/* Private to fw_show*.c. */

#define FW_SHOW_HOUR APR_INT64_C(3600000000) /* microseconds */

/* Whether the reader may see the case on that page ("page.case"). */
bool fw_show_may_see(const fw_show *s, const fw_case *kase, const char *page);

/* What the applicant is to do next: {text, href, button, is_post, deadline}, or null. */
json_t *fw_show_todo(const fw_show *s, const fw_case *kase);

/* [{item, label, reason}] */
json_t *fw_show_marks(const fw_show *s, const fw_service *service, const json_t *marks);

/* The same object, given back with the pool. */
json_t *fw_show_keep(json_t *o, apr_pool_t *pool);

#endif
