#ifndef FW_STORE_PARTY_H
#define FW_STORE_PARTY_H

#include "fw_db.h"
#include "fw_model.h"

/* Organisations, delegations and workers. Missing: FW_E_NOTFOUND; stale: FW_E_CONFLICT. Lists are arrays in
 * `pool`. */

const fw_err *fw_org_load(fw_db *db, fw_id id, fw_org **out, apr_pool_t *pool);
const fw_err *fw_org_by_ban(fw_db *db, const char *ban, fw_org **out, apr_pool_t *pool);
const fw_err *fw_org_put(fw_db *db, fw_org *org, apr_pool_t *pool);
const fw_err *fw_org_list(fw_db *db, int limit, apr_array_header_t **out, apr_pool_t *pool);
/* Those that delegated to an agency: fw_org. */
const fw_err *fw_org_employers(fw_db *db, fw_id agency, apr_array_header_t **out, apr_pool_t *pool);

const fw_err *fw_delegation_load(fw_db *db, fw_id id, fw_delegation **out, apr_pool_t *pool);
/* The one in force between the two; *out is NULL where there is none. */
const fw_err *fw_delegation_live(fw_db *db, fw_id employer, fw_id agency, fw_delegation **out,
                                 apr_pool_t *pool);
const fw_err *fw_delegation_put(fw_db *db, fw_delegation *d, apr_pool_t *pool);
/* Employers in force for an agency: fw_id. */

/* A delegation as its employer sees it. */
typedef struct fw_delegation_line {
    fw_id id;
    apr_time_t granted;
    const char *name_zh;
    const char *name_en;
    const char *licence;
} fw_delegation_line;
const fw_err *fw_delegation_of_employer(fw_db *db, fw_id employer, apr_array_header_t **out,
                                        apr_pool_t *pool);

const fw_err *fw_worker_load(fw_db *db, fw_id id, fw_worker **out, apr_pool_t *pool);
/* 0 where there is none. */
const fw_err *fw_worker_by_passport(fw_db *db, fw_id employer, const char *nationality,
                                    const char *passport, fw_id *out, apr_pool_t *pool);
const fw_err *fw_worker_put(fw_db *db, fw_worker *w, apr_pool_t *pool);

/* A worker with its employer's names. */
typedef struct fw_worker_line {
    fw_worker worker;
    const char *employer_zh;
    const char *employer_en;
} fw_worker_line;
/* Of an employer, or (agency) of all that delegated to it; created before `before` (0: the newest). */
const fw_err *fw_worker_list(fw_db *db, fw_id org, bool agency, apr_time_t before, int limit,
                             apr_array_header_t **out, apr_pool_t *pool);

/* A worker with its employer's number (統一編號, or a household's national ID). */
typedef struct fw_worker_match {
    fw_worker worker;
    const char *employer_ban;
} fw_worker_match;
/* Lists of fw_worker_match: whom that passport names, the newest registration first; and who is of that birth. */
const fw_err *fw_worker_of_passport(fw_db *db, const char *nationality, const char *passport,
                                    apr_array_header_t **out, apr_pool_t *pool);
const fw_err *fw_worker_of_birth(fw_db *db, const char *nationality, const char *birth,
                                 apr_array_header_t **out, apr_pool_t *pool);
/* Ids of those for whom something is due before that instant, and who were not reminded. */
const fw_err *fw_worker_to_remind(fw_db *db, apr_time_t before, int limit, apr_array_header_t **out,
                                  apr_pool_t *pool);

#endif
