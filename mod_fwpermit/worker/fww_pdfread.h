#ifndef FWW_PDFREAD_H
#define FWW_PDFREAD_H

#include "fw_err.h"

/* As much of a PDF file as an update needs to know. Every offset is checked against the file. */

typedef struct fww_span {
    size_t at, end; /* at == end: there is none */
} fww_span;

typedef struct fww_ref {
    unsigned number, generation;
} fww_ref;

typedef struct fww_pdfread {
    const char *bytes;
    size_t n;
    size_t startxref;          /* of the newest table */
    fww_span trailer;          /* its dictionary, with << and >> */
    apr_array_header_t *table; /* of size_t: where object i is; 0: nowhere */
    apr_pool_t *pool;
} fww_pdfread;

/* Reads the tables of all revisions. FW_E_INPUT: it is no file that this can read. */
const fw_err *fww_pdfread_open(fww_pdfread *f, const char *bytes, size_t n, apr_pool_t *pool);

/* The dictionary of an object, with << and >>. */
const fw_err *fww_pdfread_dict(fww_pdfread *f, fww_ref ref, fww_span *dict);

/* The value at `key` ("/Root") of a dictionary; false: it has none. */
bool fww_pdfread_get(const fww_pdfread *f, fww_span dict, const char *key, fww_span *value);

bool fww_pdfread_ref(const fww_pdfread *f, fww_span value, fww_ref *ref);
bool fww_pdfread_uint(const fww_pdfread *f, fww_span value, size_t *number);
bool fww_pdfread_is(const fww_pdfread *f, fww_span value, const char *text);

/* The first value of a list; empty if it has none. */
fww_span fww_pdfread_first(const fww_pdfread *f, fww_span list);

/* The value itself, or the object's that it refers to. */
const fw_err *fww_pdfread_resolve(fww_pdfread *f, fww_span value, fww_span *out);

#endif
