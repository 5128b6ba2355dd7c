/* vault put DIR KEYS TEXT: keeps the text in the vault, prints its name. vault get DIR KEYS NAME: prints it. */
#include "fw_config.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <apr_general.h>

#include "fw_vault.h"

static const fw_err *open_vault(fw_vault **vault, const char *dir, const char *path,
                                apr_pool_t *pool)
{
    static char text[8192];
    FILE *f = fopen(path, "r");
    fw_vault_key *keys = NULL;
    int n = 0;

    if (!f)
        return FW_ERR(pool, FW_E_CONFIG, 0, "no %s", path);
    text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
    fclose(f);
    FW_TRY(fw_vault_keys_parse(&keys, &n, text, path, pool));
    return fw_vault_open(vault, dir, keys, n, pool);
}

static const fw_err *put(fw_vault *vault, const char *text, apr_pool_t *pool)
{
    fw_vault_writer *w = NULL;
    const char *name = NULL, *sha = NULL;
    int64_t size = 0;

    FW_TRY(fw_vault_create(&w, vault, pool));
    FW_TRY(fw_vault_write(w, text, strlen(text)));
    FW_TRY(fw_vault_finish(w, &name, &size, &sha, pool));
    puts(name);
    return NULL;
}

static const fw_err *get(fw_vault *vault, const char *name, apr_pool_t *pool)
{
    fw_vault_reader *r = NULL;
    const unsigned char *data = NULL;
    size_t n = 0;

    FW_TRY(fw_vault_read_open(&r, vault, name, pool));
    do {
        FW_TRY(fw_vault_read(r, &data, &n));
        fwrite(data, 1, n, stdout);
    } while (n > 0);
    return NULL;
}

int main(int argc, char **argv)
{
    apr_pool_t *pool;
    fw_vault *vault = NULL;
    const fw_err *err;

    umask(0077);
    if (argc != 5)
        return 2;
    apr_initialize();
    apr_pool_create(&pool, NULL);
    err = open_vault(&vault, argv[2], argv[3], pool);
    if (!err)
        err = strcmp(argv[1], "put") == 0 ? put(vault, argv[4], pool) : get(vault, argv[4], pool);
    if (err)
        fprintf(stderr, "%s\n", fw_err_text(err, pool));
    return err ? 1 : 0;
}
