#ifndef FW_TAKE_H
#define FW_TAKE_H

#include <apr_strings.h>

#include "fw_db.h"
#include "fw_model.h"

/* Takes a row's columns one after another, for the stores. */
typedef struct fw_take {
    const fw_row *row;
    apr_pool_t *pool;
    int at;
} fw_take;

static inline const char *fw_take_text(fw_take *t)
{
    return fw_row_text(t->row, t->at++, t->pool);
}

static inline int64_t fw_take_int(fw_take *t)
{
    return fw_row_int(t->row, t->at++);
}

/* "7,12,9", as a list of rows comes in one column; NULL is none. */
static inline const fw_id *fw_take_ids(fw_take *t, int *n)
{
    const char *text = fw_take_text(t);
    apr_array_header_t *list = apr_array_make(t->pool, 4, sizeof(fw_id));

    while (text && *text) {
        char *end;

        APR_ARRAY_PUSH(list, fw_id) = apr_strtoi64(text, &end, 10);
        text = *end == ',' ? end + 1 : "";
    }
    *n = list->nelts;
    return (const fw_id *)list->elts;
}

/* As statements take a list of ids: "7,12,9". */
static inline const char *fw_take_list(const fw_id *ids, int n, apr_pool_t *pool)
{
    apr_array_header_t *words = apr_array_make(pool, n + 1, sizeof(const char *));

    for (int i = 0; i < n; i++)
        APR_ARRAY_PUSH(words, const char *) = apr_psprintf(pool, "%" APR_INT64_T_FMT, ids[i]);
    return apr_array_pstrcat(pool, words, ',');
}

/* A baton for the many queries that end in one thing or a list of things. */
typedef struct fw_taken {
    apr_pool_t *pool;
    void *one;
    apr_array_header_t *list;
} fw_taken;

#endif
