#ifndef KIT_ANSWER_H
#define KIT_ANSWER_H

#include "fwpermit_plugin.h"

#include <jansson.h>

/* The plugin kit: what several plugins share, linked into those that need it. It knows the plugin interface and
 * libraries, nothing of the platform. Here: requests read, answers written. */

/* The request's object; json_decref. NULL: it is none (the host sees to it that it is). */
json_t *kit_request(fwp_str request);

/* A member's text, or NULL. */
const char *kit_text(const json_t *object, const char *name);

/* Takes `object` over as the reply's body, and answers FWP_OK. */
fwp_rc kit_answer(const fwp_host *host, fwp_call *call, json_t *object, fwp_reply *reply);

/* Answers `rc` with a reason, which is static or the call's. */
fwp_rc kit_refuse(fwp_reply *reply, fwp_rc rc, const char *reason);

/* A line in the call's memory, of at most KIT_SAY_BYTES, by printf's format; cut where it is longer, and UTF-8 even
 * where a text in it was cut within a character. */
#define KIT_SAY_BYTES 320
const char *kit_say(const fwp_host *host, fwp_call *call, const char *fmt, ...) FWP_PRINTF(3, 4);

/* A copy in the call's memory, ended by a NUL that is not counted. */
fwp_str kit_copy(const fwp_host *host, fwp_call *call, const char *p, size_t n);

#endif
