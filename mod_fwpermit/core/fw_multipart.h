#ifndef FW_MULTIPART_H
#define FW_MULTIPART_H

#include "fw_err.h"

/* Push parser of multipart/form-data (RFC 7578): is fed the body in pieces of any size, gives each part's content on in
 * pieces, and keeps nothing but one part's header. Memory does not grow with the body. How the input is
 * cut never changes the outcome. */

typedef struct fw_multipart_limits {
    int parts;         /* at most; 0: FW_MULTIPART_PARTS */
    apr_size_t header; /* bytes of one part's header with its empty line; 0: FW_MULTIPART_HEADER */
    apr_off_t part;    /* bytes of one part; the handler may have a smaller one */
    apr_off_t total;   /* bytes of the body; neither of these has a default */
} fw_multipart_limits;
#define FW_MULTIPART_PARTS  200
#define FW_MULTIPART_HEADER 8192u

typedef struct fw_part {
    const char *name;     /* strict UTF-8, never NULL */
    const char *filename; /* as sent, UTF-8, no control characters; NULL: a field */
    const char *type;     /* Content-Type as sent, or NULL: a hint that nobody may trust */
} fw_part;

/* Called in order: begin, data any number of times, end. An error ends the parsing and is passed on. `part` and `data` are
 * valid within the call. */
typedef struct fw_multipart_sink {
    const fw_err *(*begin)(void *baton, const fw_part *part);
    const fw_err *(*data)(void *baton, const char *data, apr_size_t n);
    const fw_err *(*end)(void *baton);
    void *baton;
} fw_multipart_sink;

typedef struct fw_multipart fw_multipart;

/* `content_type` is the request's header; its boundary is taken. FW_E_INPUT with user_key "body.no_boundary". */
const fw_err *fw_multipart_make(fw_multipart **out, const char *content_type,
                                const fw_multipart_limits *limits, const fw_multipart_sink *sink,
                                apr_pool_t *pool);

/* FW_E_INPUT "body.malformed": it is no such body (NUL or bad UTF-8 in a header, a part without a name, a nested or encoded part,
 * filename*, which RFC 7578 4.2 forbids);
 * FW_E_LIMIT "body.too_many_parts", "body.header_too_long", "body.part_too_long", "body.too_long"; `field` names the part where
 * there is one. The same error again when more is fed. */
const fw_err *fw_multipart_feed(fw_multipart *m, const char *data, apr_size_t n);

/* After the last piece. FW_E_INPUT "body.cut_off": the closing delimiter did not come. */
const fw_err *fw_multipart_finish(fw_multipart *m);

#endif
