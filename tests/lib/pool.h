#ifndef POOL_H
#define POOL_H

#include <apr_general.h>
#include <apr_pools.h>

/* The pool of one unit test: setup() and teardown() are the checked fixture of its TCase. */

static apr_pool_t *pool;

static void setup(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
}

static void teardown(void)
{
    apr_pool_destroy(pool);
    apr_terminate();
}

#endif
