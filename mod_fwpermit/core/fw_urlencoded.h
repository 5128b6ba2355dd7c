#ifndef FW_URLENCODED_H
#define FW_URLENCODED_H

#include "fw_err.h"

/* application/x-www-form-urlencoded, of a body or a query. */

#define FW_PAIRS_MAX 1000

typedef struct fw_pair {
    const char *name;
    const char *value;
} fw_pair;

/* Decodes once, strictly: FW_E_INPUT "body.malformed" for a broken escape, NUL, or bytes that are not UTF-8 (`field` is the name
 * where it is known); FW_E_LIMIT "body.too_many_fields" beyond `most`. Pairs in order, names may repeat: the caller judges.
 * Line ends in values become "\n". The array holds fw_pair, all in `pool`. */
const fw_err *fw_urlencoded_parse(apr_array_header_t **out, const char *text, apr_size_t n,
                                  int most, apr_pool_t *pool);

/* Encodes one text for a query ("%20" for a space). */
const char *fw_urlencode(const char *text, apr_pool_t *pool);

#endif
