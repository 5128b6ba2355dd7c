#ifndef FW_SHOW_INT_H
#define FW_SHOW_INT_H

#include "fw_said.h"
#include "fw_show.h"

/* Private to fw_show*.c. */

#define FW_SHOW_HOUR APR_INT64_C(3600000000) /* microseconds */

/* Whether the reader may see the case on that page ("page.case"). */
bool fw_show_may_see(const fw_show *s, const fw_case *kase, const char *page);

/* What the applicant is to do next: {text, href, button, is_post, deadline}, or null. */
fw_value fw_show_todo(const fw_show *s, const fw_case *kase);

/* What others say of a field: [{source, label, value, agrees, differs}]. */
fw_value fw_show_said(const fw_show *s, const fw_said *said, const fw_field *f, const char *value);
/* Sentences on those whom the service compares with and who have said nothing yet: [{text, link}]. */
const fw_err *fw_show_silent(const fw_show *s, const fw_said *said, const fw_service *service,
                             fw_value *out);
/* Sets "link" of a case's page, of the port that the case waits for by now. */
const fw_err *fw_show_case_link(const fw_show *s, const fw_dossier *d, fw_value model);

/* A case's identity check: [{check, text, href}]. */
const fw_err *fw_show_identity(const fw_show *s, fw_id id, const fw_service *service,
                               fw_value *out);
/* What was asked about letters of a worker: {questions: [{letter_no, state, text, waits}], waits, action, link}. */
const fw_err *fw_show_asked(const fw_show *s, const fw_worker *worker, const fw_said *said,
                            fw_value *out);
/* The letter that a case names: {letter_no, state, text, waits, can_ask, href, link}; null: nothing is asked or to be asked. `at`: the
 * reader's address of the case. */
const fw_err *fw_show_letter_of(const fw_show *s, const fw_case *kase, const fw_said *said,
                                const char *at, fw_value *out);
/* Lateness and fines of a case; null: there are none. */
const fw_err *fw_show_penalty(const fw_show *s, const fw_case *kase, fw_value *out);

/* [{item, label, reason}] */
fw_value fw_show_marks(const fw_show *s, const fw_service *service, const json_t *marks);

#endif
