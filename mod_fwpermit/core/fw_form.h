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

/* What is kept of a text: trimmed, unified (full-width letters and digits of numbers to ASCII, codes to upper case,
 * 台 to 臺, dates YYYY/M/D to ISO). Does not judge. */
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

/* Takes `fields` (name → text) into `data`: unknown names, files and text that is too long or not clean are problems
 * (FW_E_INPUT refusals, pushed on `problems`); names that are no field of the form are ignored where `lenient`.
 * `touched` (const char *) gets the names whose value changed. `before` (or NULL) gets their former values. */
void fw_form_take(const fw_form_env *env, const fw_service *service, json_t *data,
                  const json_t *fields, apr_array_header_t *problems, apr_array_header_t *touched,
                  json_t *before);

#endif
