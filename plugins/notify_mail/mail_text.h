#ifndef MAIL_TEXT_H
#define MAIL_TEXT_H

#include "fwpermit_plugin.h"

#include <stdbool.h>

/* A mail as text (RFC 5322, 2045, 2047), made so that no value can become a header. */

#define MAIL_ADDRESS_BYTES 254 /* RFC 5321 4.5.3.1 */
#define MAIL_SUBJECT_BYTES 300
#define MAIL_TEXT_BYTES    262144

typedef struct mail_parts {
    const char *from, *from_name, *reply_to, *to, *subject, *text, *lang;
    const char *message_id; /* without the angle brackets */
    int64_t date;           /* seconds since 1970 */
} mail_parts;

/* Whether it is one plain mailbox, ASCII, local@domain, of the characters that RFC 5321 lets stand without quotes. */
bool mail_address_good(const char *address);

/* Whether the text has only characters that a mail may show: no control character but \n, \r\n and
 * \t, and none but printable ones if `one_line`. UTF-8 is the caller's care. */
bool mail_text_good(const char *text, bool one_line);

/* An identity for the mail: hexadecimal SHA-256 of `seed`, at the domain of `from`; lives in the call. */
const char *mail_message_id(const fwp_host *host, fwp_call *call, const char *seed,
                            const char *from);

/* The whole mail, lines ended by CR LF. The parts have been found good. Lives in the call. */
fwp_str mail_compose(const fwp_host *host, fwp_call *call, const mail_parts *parts);

#endif
