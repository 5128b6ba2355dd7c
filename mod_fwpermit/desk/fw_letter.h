#ifndef FW_LETTER_H
#define FW_LETTER_H

#include <jansson.h>

#include "fw_decide.h"

/* The payload of a dead letter, for people's eyes: what is secret is hidden, what is personal is shortened; and mended. */

#define FW_LETTER_MEMBERS 200 /* shown, and mended, at most */

/* A value of the payload that is no list and no object. */
typedef struct fw_member {
    const char *name;  /* the path to it: "person.email", "cases.0" */
    const char *shown; /* masked, where it is */
    bool is_masked;
} fw_member;

/* The payload with masked values, new; null where it is no JSON. */
json_t *fw_letter_masked(const char *payload, apr_pool_t *pool);
/* fw_member; empty where the payload is no object. */
apr_array_header_t *fw_letter_members(const char *payload, apr_pool_t *pool);

/* The payload with `fields` (an object: the member's name → text) in the place of what was there; each keeps its type. A
 * text that is the member's as it is shown changes nothing. *names: of those that change (const char *), of an identity
 * with "NAME: OLD > NEW"; *problems:
 * fw_refusal, and then *mended is NULL. */
void fw_letter_mended(const char *payload, const json_t *fields, const char **mended,
                      apr_array_header_t **names, apr_array_header_t **problems, apr_pool_t *pool);

#endif
