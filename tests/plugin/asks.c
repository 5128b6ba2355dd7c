/* Asks a plugin's process as the pump does: RUN_DIR PLUGIN FRAME OUT_DIR [FILE...]. The files go with it, the answer is
 * printed, and the files that come back are written to OUT_DIR. */
#include "fw_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "fw_call_files.h"
#include "fw_file.h"
#include "fw_plugin_ask.h"

#define FILE_MOST 268435456
#define DUE       apr_time_from_sec(20)

static apr_pool_t *pool;

static void must(const fw_err *err)
{
    if (!err)
        return;
    printf("%d %s\n", (int)err->code, err->msg);
    exit(1);
}

static void take(apr_array_header_t *files, const char *path)
{
    const char *slash = strrchr(path, '/');
    fw_call_file *f;
    apr_size_t n;
    char *text;

    must(fw_file_read(&text, &n, path, FILE_MOST, pool));
    must(fw_call_file_new(&f, files, slash ? slash + 1 : path, pool));
    must(fw_call_file_append(f, files, text, n, pool));
    must(fw_call_file_seal(f, pool));
}

static void give(const fw_call_file *f, const char *dir)
{
    FILE *out = fopen(apr_pstrcat(pool, dir, "/", f->name, NULL), "w");
    FILE *in = fdopen(dup(f->fd), "r");
    char buf[65536];
    size_t n;

    rewind(in);
    for (n = fread(buf, 1, sizeof(buf), in); n > 0; n = fread(buf, 1, sizeof(buf), in))
        fwrite(buf, 1, n, out);
    fclose(in);
    fclose(out);
}

int main(int argc, char **argv)
{
    fw_plugin_ask ask = {0};
    apr_array_header_t *files;

    if (argc < 5)
        return 2;
    apr_initialize();
    apr_pool_create(&pool, NULL);
    files = apr_array_make(pool, 4, sizeof(fw_call_file));
    for (int i = 5; i < argc; i++)
        take(files, argv[i]);
    ask.frame = json_loads(argv[3], 0, NULL);
    ask.files = files;
    must(fw_plugin_ask_run(&ask, argv[1], argv[2], apr_time_now() + DUE, pool));
    for (int i = 0; i < ask.written->nelts; i++)
        give(&APR_ARRAY_IDX(ask.written, i, fw_call_file), argv[4]);
    json_dumpf(ask.answer, stdout, JSON_COMPACT);
    return 0;
}
