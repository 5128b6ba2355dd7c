#ifndef FW_INTAKE_H
#define FW_INTAKE_H

#include "fw_desk.h"

/* Taking in a file for a slot of a case: streamed into the vault while it is hashed, its type known from its content; a photo is
 * judged and mended by the pictures role. Memory does not grow with a file; a photo is held, up to FW_PICTURES_BYTES_MAX. */

/* libmagic's cookies, each used by one thread at a time. */
typedef struct fw_sniffer fw_sniffer;
const fw_err *fw_sniffer_make(fw_sniffer **out, apr_pool_t *pool);
/* The MIME type of the first bytes. Static text or in `pool`. */
const fw_err *fw_sniff(fw_sniffer *s, const void *head, apr_size_t n, const char **mime,
                       apr_pool_t *pool);

#define FW_SNIFF_BYTES           65536u /* of the head that are looked at */
#define FW_ATTACHMENT_MEGAPIXELS 100 /* that the header of a picture may claim: A4 at 1,000 dpi */

/* The most bytes that a file of that slot may have: by the field, the server, and what can be handed to a scanner. */
int64_t fw_intake_most(const fw_desk *desk, const fw_field *field);

typedef struct fw_intake fw_intake;

/* Begins. `field` is the slot (a file or photo of the service), `name` what the sender calls the file. */
const fw_err *fw_intake_begin(fw_intake **out, const fw_desk *desk, fw_sniffer *sniffer,
                              const fw_field *field, const char *name, apr_pool_t *pool);
const fw_err *fw_intake_feed(fw_intake *in, const void *data, apr_size_t n);

typedef struct fw_taken_file {
    fw_file file;        /* slot, vault, name, mime, size, sha256, measures */
    json_t *problems;    /* of a photo: [{"key","args"}]; NULL: it is taken */
    const char *preview; /* of a refused photo: JPEG to be cropped; or NULL */
    apr_size_t n_preview;
    const char *came; /* hex SHA-256 of the bytes as they came */
} fw_taken_file;

/* Ends: the file is on disk, in the vault, and may be named by a row. What a person can mend is FW_E_INPUT or FW_E_LIMIT with `field`
 * and user_key (file.empty, file.too_large, file.type, file.incomplete, file.too_many_pixels); `problems` tell of a photo that is refused (nothing is kept then). */
const fw_err *fw_intake_end(fw_intake *in, fw_taken_file *out);

#endif
