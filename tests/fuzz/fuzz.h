#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_pools.h>
#include <apr_strings.h>

#include "fw_err.h"

/* What each target gives: it is linked with fuzz.c and then with replay.c, which feeds it files, or with libFuzzer. */

void fuzz_setup(apr_pool_t *pool);                              /* once */
void fuzz_one(const uint8_t *data, size_t n, apr_pool_t *pool); /* `pool` dies after it */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* A property that every input must have. */
#define fuzz_want(holds, what)                                                  \
    do {                                                                        \
        if (!(holds)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, (what)); \
            abort();                                                            \
        }                                                                       \
    } while (0)

/* A file in memory that holds the bytes, by a path that can be opened; the next one takes its place. */
const char *fuzz_file(const void *data, size_t n, apr_pool_t *pool);

#endif
