#ifndef FW_FIELDS_H
#define FW_FIELDS_H

#include <jansson.h>

#include "fw_err.h"

/* Names and values of a request, whatever it was written in: a JSON object, name → text, or → an array of texts where the name may
 * come several times. */

/* Adds what stands in a form or a query. `lists`: the names that may come several times, ",case,", or NULL. FW_E_INPUT
 * "body.repeated" for any other, "body.malformed"; FW_E_LIMIT "body.too_many_fields". */
const fw_err *fw_fields_urlencoded(json_t *fields, const char *lists, const char *text,
                                   apr_size_t n, apr_pool_t *pool);

/* The same of a JSON object: of texts, whole numbers, truths ("yes", "") and arrays of texts. FW_E_INPUT "body.malformed",
 * "body.type", "body.repeated". */
const fw_err *fw_fields_json(json_t *fields, const char *lists, const char *text, apr_size_t n,
                             apr_pool_t *pool);

#endif
