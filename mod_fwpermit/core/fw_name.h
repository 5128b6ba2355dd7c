#ifndef FW_NAME_H
#define FW_NAME_H

#include "fw_config.h"

/* Names in Latin letters and how a document's machine-readable lines spell them (ICAO Doc 9303-3,
 * section 6). Text is UTF-8, composed or not. */

#define FW_NAME_MAX 160 /* characters of an entered name */

/* The name as the lines would have it, by the first variant of each letter: "Müller-Lüdenscheidt,
 * Hans Ægir" is "MUELLER<LUEDENSCHEIDT<<HANS<AEGIR". A comma between two parts makes "<<";
 * characters that are no Latin letter are dropped. Not padded, not truncated; "" for NULL. */
const char *fw_name_mrz(const char *name, apr_pool_t *pool);

/* Whether an entered full name can be what the lines say: any variant of each letter, surname
 * first or last, spaces, hyphens and apostrophes of no account. Where surname and given names fill
 * the lines' field, parts may be cut off. `given` may be "" or NULL. */
bool fw_name_matches_mrz(const char *entered, const char *surname, const char *given);

/* Whether two full names, surname first, can be the same: `other` as the lines would spell it, against any variant of `entered`. */
bool fw_name_can_be(const char *entered, const char *other, apr_pool_t *pool);

/* A name that can stand in a passport: Latin letters with any diacritics, and space - ' ’ . , /
 * between them; begins with a letter, has at most FW_NAME_MAX characters, at most one comma. */
bool fw_name_latin_valid(const char *name);

#endif
