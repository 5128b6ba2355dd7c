#ifndef FW_SCHEMA_H
#define FW_SCHEMA_H

#include "fw_err.h"

#include <jansson.h>

/* A contract: one file of JSON Schemas (draft 2020-12) in "$defs", compiled. Only the keywords that contracts need are
 * known: $ref (to "#/$defs/NAME" of the same file, never in a circle), type, enum, const, properties, required,
 * additionalProperties, items, prefixItems, minItems, maxItems, uniqueItems, minLength, maxLength, pattern, minimum,
 * maximum, anyOf, oneOf, allOf, if, then, else; and the words for people. An integer is a number that is written without
 * fraction and exponent. A pattern is one that ECMA-262 and PCRE2 understand alike. */

/* Named limits. */
#define FW_SCHEMA_FILE_MAX  262144  /* bytes of a file */
#define FW_SCHEMA_DEPTH_MAX 64      /* schemas within schemas, references followed */
#define FW_SCHEMA_NODES_MAX 20000   /* schemas of a file */
#define FW_SCHEMA_STEPS_MAX 1000000 /* schemas that one value is held against */
#define FW_SCHEMA_VALUE_MAX 128     /* depth of a value */

typedef struct fw_schema fw_schema;

/* Reads and compiles the file. It lives in the pool, and is never changed: threads may share it. FW_E_CONFIG names the
 * file, the place and the reason. */
const fw_err *fw_schema_load(fw_schema **out, const char *path, apr_pool_t *pool);

/* Holds the value against the schema `name`. FW_E_INPUT: `field` is the JSON pointer of what is wrong, the message is
 * pointer and rule; it quotes names, never values. FW_E_NOTFOUND: no such schema. FW_E_LIMIT: too much work. */
const fw_err *fw_schema_check(const fw_schema *schema, const char *name, const json_t *value,
                              apr_pool_t *pool);

#endif
