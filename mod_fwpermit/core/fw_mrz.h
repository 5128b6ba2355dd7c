#ifndef FW_MRZ_H
#define FW_MRZ_H

#include "fw_date.h"
#include "fw_err.h"

/* Machine-readable lines of travel documents: ICAO Doc 9303, sizes TD1, TD2 and TD3. */

typedef enum fw_mrz_size_e { FW_MRZ_TD1 = 1, FW_MRZ_TD2, FW_MRZ_TD3 } fw_mrz_size_e;

/* Which check digits fail: bits of fw_mrz.failed. */
typedef enum fw_mrz_fail_e {
    FW_MRZ_OK = 0,
    FW_MRZ_FAIL_NUMBER = 1 << 0,
    FW_MRZ_FAIL_BIRTH = 1 << 1,
    FW_MRZ_FAIL_EXPIRY = 1 << 2,
    FW_MRZ_FAIL_OPTIONAL = 1 << 3, /* TD3 alone has one */
    FW_MRZ_FAIL_COMPOSITE = 1 << 4
} fw_mrz_fail_e;

/* Texts are never NULL after a success, "" where the document has none; fillers become spaces or
 * are cut off. */
typedef struct fw_mrz {
    fw_mrz_size_e size;
    const char *lines;       /* the lines as they were understood, '\n' between them */
    const char *code;        /* "P", "PM", "I", "AC" */
    const char *state;       /* alpha-3 of the issuing state; D<< is told as "DEU" */
    const char *number;      /* whole, however long */
    const char *nationality; /* alpha-3, as `state` */
    const char *birth;       /* "1974-08-12"; "1974-08", "1974" or "" where parts are unknown */
    char sex;                /* 'M', 'F' or 'X' */
    const char *expiry;      /* "2030-04-15" */
    const char *optional;  /* personal number or the like, without what belongs to a long number */
    const char *optional2; /* TD1's second field */
    const char *surname;   /* primary identifier */
    const char *given;     /* secondary identifier; "" for a person of one name */
    unsigned failed;       /* bits of fw_mrz_fail_e */
} fw_mrz;

/* Understands pasted text: white space anywhere is dropped, lower case and full-width characters
 * are folded, marks that look like "<" or "<<" are mended. The size follows from the length. The
 * year of birth is the latest that is not after `today`, that of expiry is in today's century; a
 * document that has expired is none the less understood.
 *
 * Errors are FW_E_INPUT of field "mrz" with the first key that applies: mrz.length,
 * mrz.character (one that cannot stand at its place), mrz.digit_number, mrz.digit_birth,
 * mrz.digit_expiry, mrz.digit_optional, mrz.digit_composite, mrz.dates (no real day, or expiry
 * not after birth). With mrz.length and mrz.character `out` is all zero; with the others it is
 * complete, `out->failed` tells every check digit that fails, and dates that are not real are
 * "". */
const fw_err *fw_mrz_parse(const char *text, fw_date today, fw_mrz *out, apr_pool_t *pool);

#define FW_MRZ_TD2_CHARS 72

/* Writes both lines of a TD2 document, 72 characters without a line end, from everything of `doc` but size, lines,
 * optional2 and failed; texts may be NULL. Names in any spelling are transliterated and cut to 31 characters, of which
 * the given names keep one at least; a number of 10 to 14 characters goes on in the optional field with its check digit
 * over the whole number. FW_E_INPUT of field "mrz": mrz.length (a part has no room), mrz.character (a part that the
 * lines cannot say, or no name), mrz.dates. (fw_mrz_write.c) */
const fw_err *fw_mrz_td2(const fw_mrz *doc, const char **lines, apr_pool_t *pool);

/* The check digit 0–9 of `n` characters; -1 if one is none of 0–9, A–Z, "<". */
int fw_mrz_check_digit(const char *text, size_t n);

#endif
