#ifndef FW_ACCESS_H
#define FW_ACCESS_H

#include "fw_command.h"

/* The permissions table: which role may give a command, or open a page, in which relation to the
 * thing. There is no other place that says so. */

typedef struct fw_access {
    const char *what; /* a command's name, or a page's: "page.case" */
    unsigned roles;
    unsigned relations;
} fw_access;

/* True where some row gives it to one of `roles` in one of `relations`. */
bool fw_access_allowed(const char *what, unsigned roles, unsigned relations);
/* True where the table has a row for it: a route without one does not start. */
bool fw_access_known(const char *what);
const fw_access *fw_access_table(size_t *n);
/* Who, in words: "employer (own), agent (delegated)". */
const char *fw_access_who(const char *what, apr_pool_t *pool);

/* What the actor is to a thing of `employer_id`, filed by `agency_id` (or 0), at `station`, with
 * these reviewers (or 0). Delegation in force counts, for each employer. */
unsigned fw_access_relations(const fw_actor *actor, fw_id employer_id, fw_id agency_id,
                             const char *station, fw_id first_reviewer, fw_id second_reviewer);
/* Whether the actor may have the bytes of a file whose case they may see: of one that waits for the scanner its sender's organisation
 * alone, of one that is infected nobody. What it is called, how long it is and what became of it all may know. */
bool fw_access_file(const fw_actor *actor, const fw_file *file);
bool fw_access_delegated(const fw_actor *actor, fw_id employer_id);

#endif
