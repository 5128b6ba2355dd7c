#ifndef FW_SQL_H
#define FW_SQL_H

#include "fw_db.h"

/* The named statements of sql/queries/, private to the store. */

#define FW_SQL_MAX_PARAMS 40

typedef struct fw_statement {
    const char *name;
    const char *text;   /* with %s and %lld, as APR DBD prepares it */
    const char *params; /* one letter for each: 's' text, 'd' integer */
    int n_params;
    bool reads; /* a SELECT: it takes no write lock */
    const char *file;
    int line;
} fw_statement;

/* The statement of that name for a back end; NULL: there is none. */
const fw_statement *fw_sql_find(const fw_sql *sql, fw_backend_e backend, const char *name);

/* Calls `each` for every statement of a back end: the store tests prepare them all. */
typedef const fw_err *(*fw_sql_each_fn)(void *baton, const fw_statement *statement);
const fw_err *fw_sql_each(const fw_sql *sql, fw_backend_e backend, fw_sql_each_fn each,
                          void *baton);

#endif
