/* Judges the pictures named on the command line; one line of JSON for each. With "-o FOLDER" first, mended
 * pictures are written there. */
#include "fw_config.h"
#include "fww_photo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <vips/vips.h>

static const void *slurp(const char *path, size_t *n, apr_pool_t *pool)
{
    apr_file_t *f;
    apr_finfo_t info;
    void *bytes;

    if (apr_file_open(&f, path, APR_FOPEN_READ | APR_FOPEN_BINARY, 0, pool) != APR_SUCCESS ||
        apr_file_info_get(&info, APR_FINFO_SIZE, f) != APR_SUCCESS)
        return NULL;
    *n = (size_t)info.size;
    bytes = malloc(*n > 0 ? *n : 1); /* malloc: a reader beyond the end is seen by the sanitizers */
    if (*n > 0 && apr_file_read_full(f, bytes, *n, NULL) != APR_SUCCESS)
        return NULL;
    return bytes;
}

static int judge(const char *path, const char *folder, apr_pool_t *pool)
{
    size_t n = 0;
    const void *bytes = slurp(path, &n, pool);
    fww_photo_result r;
    clock_t begun = clock();
    const fw_err *err;
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;

    if (!bytes)
        return 1;
    err = fww_photo_check(bytes, n, &fww_photo_rules_default, &r, pool);
    if (err) {
        printf("{\"file\": \"%s\", \"error\": \"%s\"}\n", name, fw_err_text(err, pool));
        free((void *)(uintptr_t)bytes);
        return 0;
    }
    json_object_set_new(r.answer, "file", json_string(name));
    json_object_set_new(r.answer, "us", json_integer(clock() - begun));
    json_object_set_new(r.answer, "jpeg", json_integer((json_int_t)r.n_jpeg));
    json_dumpf(r.answer, stdout, JSON_COMPACT);
    printf("\n");
    if (folder && r.jpeg) {
        FILE *f = fopen(apr_pstrcat(pool, folder, "/", name, ".mended.jpg", NULL), "wb");
        if (!f || fwrite(r.jpeg, 1, r.n_jpeg, f) != r.n_jpeg || fclose(f) != 0)
            return 1;
    }
    json_decref(r.answer);
    free((void *)(uintptr_t)bytes);
    return 0;
}

int main(int argc, char **argv)
{
    apr_pool_t *pool;
    const char *folder = NULL;
    int first = 1, bad = 0;

    if (argc > 2 && strcmp(argv[1], "-o") == 0) {
        folder = argv[2];
        first = 3;
    }
    apr_initialize();
    apr_pool_create(&pool, NULL);
    if (VIPS_INIT(argv[0]) != 0)
        return 2;
    fww_photo_init();
    for (int i = first; i < argc; i++) {
        apr_pool_t *one;
        apr_pool_create(&one, pool);
        bad += judge(argv[i], folder, one);
        apr_pool_destroy(one);
    }
    return bad > 0;
}
