#ifndef FW_SAID_H
#define FW_SAID_H

#include <jansson.h>

#include "fw_db.h"
#include "fw_model.h"
#include "fw_form.h"
#include "fw_service.h"

/* A record with what it says, read once. */
typedef struct fw_told {
    const fw_record *record;
    const json_t *data;
} fw_told;

/* What is known of a worker beside the form: what the border and the labour agency say, and the application of the permit in
 * force. A service's XML names it by source and path: "border.entered", "labour.valid_to", "permit.address". */
typedef struct fw_said {
    const struct fw_told *told; /* all that agencies say, the newest first */
    int n_told;
    const json_t *
        border; /* the last arrival, as docs/contracts/border.json has a movement, with "entered"; NULL: none */
    const json_t
        *labour; /* the newest letter of employment in force, as labour.json has it; NULL: none */
    const json_t *permit;       /* the form of the permit in force; NULL: none */
    const fw_case *permit_case; /* its case: id, service and form alone */
} fw_said;

/* What the agencies say; and with it the form of the permit in force. All lives in `pool`. One statement each. */
const fw_err *fw_said_agencies(fw_said *out, fw_db *db, fw_id worker, apr_pool_t *pool);
const fw_err *fw_said_load(fw_said *out, fw_db *db, fw_id worker, apr_pool_t *pool);

/* What `path` names, or NULL. */
const char *fw_said_text(const fw_said *said, const char *path);
/* The first of the paths in `from`, with spaces between, that says something; one without a dot is a member of `known` (or NULL). */
const char *fw_said_first(const fw_said *said, const json_t *known, const char *from,
                          apr_pool_t *pool);

/* The worker's letter of that number, or NULL. */
const json_t *fw_said_letter(const fw_said *said, const char *letter_no);
/* Of the form `data`, name to text: what is empty in it and said, where the letter that it names is the worker's. An object of the
 * pool. */
json_t *fw_said_fill(const fw_said *said, const fw_service *service, const json_t *data,
                     const fw_form_env *env);

/* Whether a service fills or compares any of its fields by such a path. */
bool fw_said_wanted(const fw_service *service);

#endif
