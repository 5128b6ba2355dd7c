#ifndef FW_LOCALE_H
#define FW_LOCALE_H

#include "fw_err.h"
#include "fw_value.h"

/* Message catalogues, compiled by gettext's msgfmt: <dir>/<lang>.mo for each language. Read-only after loading, shared
 * by threads; no locale of the process is touched. */

typedef struct fw_locale fw_locale;

#define FW_LOCALE_DEFAULT "zh-Hant"

#define FW_LOCALE_BYTES_MAX 4194304u /* of a catalogue */
#define FW_LOCALE_LANGS_MAX 16

/* FW_E_CONFIG names the file and what is wrong with it; FW_LOCALE_DEFAULT and "en" must be there, and every text is UTF-8. */
const fw_err *fw_locale_load(fw_locale **out, const char *dir, apr_pool_t *pool);

/* The tag of a language that is there and fits best: an exact tag, or one an Accept-Language list prefers (RFC 9110
 * 12.5.4; zh, zh-TW and zh-HK mean zh-Hant). FW_LOCALE_DEFAULT where none fits or `accept` is NULL. Static in `locale`. */
const char *fw_locale_pick(const fw_locale *locale, const char *accept);
bool fw_locale_has(const fw_locale *locale, const char *lang);

/* The tags of all languages, sorted. */
const char *const *fw_locale_langs(const fw_locale *locale, int *n);

/* The text, static in `locale`; English where the language lacks it; the key itself where no one has it. */
const char *fw_locale_text(const fw_locale *locale, const char *lang, const char *key);

/* The text with each {name} replaced by that member of `args` (an object of texts and numbers, or absent); a name that is
 * missing stays as it is. */
const char *fw_locale_format(const fw_locale *locale, const char *lang, const char *key,
                             fw_value args, apr_pool_t *pool);

#endif
