#ifndef FWW_PICTURES_CHILD_H
#define FWW_PICTURES_CHILD_H

#include "fww_photo.h"

#define FWW_PICTURES_BLOB_MAX 10485760u /* bytes of a picture */

/* What one child may use. */
typedef struct fww_child_limits {
    size_t memory;   /* bytes of address space beyond what is mapped now */
    int cpu_seconds; /* of processor time */
    int deadline_ms; /* from the connection to the answer */
} fww_child_limits;

/* How far a child got: it tells its parent by one byte each. */
#define FWW_CHILD_DECODES 'd' /* a picture is there; a death from here on is the picture's fault */
#define FWW_CHILD_LEAFS   'p' /* a PDF is there; likewise */
#define FWW_CHILD_DRAWS   'w' /* a paper's model is there; likewise */
#define FWW_CHILD_ANSWERS 'a' /* the answer is being written; nobody else may */

/* Serves the one request on `fd` and ends the process; tells how far it is on `progress`. All
 * other open files are closed first. */
void fww_pictures_child(int fd, int progress, const fww_child_limits *limits,
                        const fww_photo_rules *rules, apr_pool_t *pool) __attribute__((noreturn));

#endif
