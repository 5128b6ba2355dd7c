#ifndef FW_TAKE_H
#define FW_TAKE_H

#include "fw_db.h"

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

/* A baton for the many queries that end in one thing or a list of things. */
typedef struct fw_taken {
    apr_pool_t *pool;
    void *one;
    apr_array_header_t *list;
} fw_taken;

#endif
