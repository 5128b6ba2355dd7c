#ifndef FW_FORM_H
#define FW_FORM_H

#include <jansson.h>

#include "fw_codes.h"
#include "fw_date.h"
#include "fw_decide.h"
#include "fw_service.h"

/* The form of a service: what is typed is normalised, checked, and kept as a flat JSON object of text. */

typedef struct fw_form_env {
    const fw_codes *codes;
    fw_date today;
    apr_pool_t *pool;
} fw_form_env;

#define FW_FORM_VALUE_MAX 4000 /* bytes of one value, whatever its field allows */

/* What is kept of a text, which is UTF-8: trimmed, one line, unified (full-width letters and digits to ASCII; codes
 * and romanised names to upper case; 台 to 臺; countries to alpha-3; dates such as 1990/3/5 and 1990年3月5日 to ISO).
 * Does not judge. */
const char *fw_form_normalise(const fw_form_env *env, const fw_field *field, const char *text);

/* NULL, or why a value that is not empty cannot be: a problem of one field. */
const fw_refusal *fw_form_check_value(const fw_form_env *env, const fw_field *field,
                                      const char *value);

/* Whether the field is asked for, its conditions given `data`. */
bool fw_form_asked(const fw_service *service, const fw_field *field, const json_t *data);

/* All that keeps the form from being filed: required and missing, wrong, rules broken. `files` are the current files
 * of the case. Returns an array of fw_refusal; a rule's own message travels in args as {"zh","en"}. */
apr_array_header_t *fw_form_problems(const fw_form_env *env, const fw_service *service,
                                     const json_t *data, const fw_file *files, int n_files);

/* Whether a file of an earlier case, whose form was `was`, is good for `field` of a case whose form is `now`: it is recent enough, and
 * what it proves has not changed. */
bool fw_form_file_good(const fw_form_env *env, const fw_field *field, const fw_file *file,
                       const json_t *was, const json_t *now);
/* Pushes a problem for each slot with a file that was taken over and is not good any more. */
void fw_form_check_taken(const fw_form_env *env, const fw_service *service, const json_t *data,
                         const fw_file *files, int n_files, apr_array_header_t *problems);

/* Takes `fields` (name → text) into `data`, normalised; an empty text takes a value away. Unknown names, files, what
 * is no text, has a NUL or more than FW_FORM_VALUE_MAX bytes are pushed on `problems` (fw_refusal) and not taken;
 * whether a value is right is not asked here. `touched` (const char *) gets the names whose value changed, `before`
 * (or NULL) their former values. */
void fw_form_take(const fw_form_env *env, const fw_service *service, json_t *data,
                  const json_t *fields, apr_array_header_t *problems, apr_array_header_t *touched,
                  json_t *before);

#endif
