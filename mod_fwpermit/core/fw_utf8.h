#ifndef FW_UTF8_H
#define FW_UTF8_H

#include "fw_config.h"

#define FW_UTF8_NONE 0xFFFDU /* for a byte that begins no character */

/* The character at `*text`, which is moved behind it; never behind the final NUL. A byte that
 * begins no character (cut off, overlong, a surrogate) is FW_UTF8_NONE by itself. */
uint32_t fw_utf8_next(const char **text);

/* Control characters, invisible ones and those that turn the direction of text: nobody means them in a name. */
bool fw_utf8_hidden(uint32_t c);

/* Whether the bytes are UTF-8 throughout. */
bool fw_utf8_valid(const char *text);

/* How many of the first `most` bytes are whole characters. */
size_t fw_utf8_fit(const char *text, size_t most);

#endif
