#ifndef FW_IDNUM_H
#define FW_IDNUM_H

#include "fw_config.h"

/* Numbers that people and companies go by. Every check is on the whole text, as it is kept: no
 * white space around, upper case, ASCII; NULL is never valid. A check digit is an aid to typing
 * and proves no existence. */

/* Taiwan's national identity number: letter, 1 or 2, eight digits; the last checks. */
bool fw_idnum_national_valid(const char *text);

/* UI number of a foreigner: the old form (letter, A–D, eight digits) or the new one (letter, 8 or
 * 9, eight digits). */
bool fw_idnum_ui_valid(const char *text);

/* Business number: eight digits by the rule of April 2023 (sum mod 5). */
bool fw_idnum_ban_valid(const char *text);

/* Permit letter of the labour authority in full: a known prefix, 第, ten digits, 號. */
bool fw_idnum_letter_valid(const char *text);

/* Trimmed, without white space within, full-width digits and letters as ASCII. Does not judge. */
const char *fw_idnum_letter_normalise(const char *text, apr_pool_t *pool);

/* A Taiwanese landline (with "#" and an extension, if any) or mobile number, or "+" and an E.164
 * number. Spaces, hyphens and one pair of parentheses may stand between the digits. */
bool fw_idnum_phone_valid(const char *text);

/* local@domain with a dot in the domain, ASCII, at most 254 bytes; no quoted local part, no
 * address literal. */
bool fw_idnum_mail_valid(const char *text);

/* Passport number: 6 to 9 of A–Z and 0–9. */
bool fw_idnum_passport_valid(const char *text);

#endif
