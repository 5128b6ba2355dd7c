#ifndef FW_SHOW_SYSTEM_H
#define FW_SHOW_SYSTEM_H

#include "fw_show.h"

/* The status of the system, links and dead letters as an administrator sees them; and what an applicant is told of a link. */

/* The status now. */
const fw_err *fw_show_system(const fw_show *s, fw_value *model);

/* Dead letters, and messages that could not be taken up: lists. */
const fw_err *fw_show_dead(const fw_show *s, int most, fw_value *letters, fw_value *messages);
/* One dead letter, its payload masked. FW_E_NOTFOUND: it is none. */
const fw_err *fw_show_letter(const fw_show *s, fw_id id, fw_value *model);

/* Sets "link" of a page on which something waits for `port`: {port, name, since, text} while nothing is delivered there, or
 * null. One query, by the key; none where `waits` is false. */
const fw_err *fw_show_link(const fw_show *s, fw_value model, const char *port, bool waits);

#endif
