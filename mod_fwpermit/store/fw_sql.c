#include "fw_config.h"
#include "fw_sql.h"

#include <string.h>

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_hash.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "fw_file.h"

#define FILE_MAX_BYTES 262144
#define NAME_MARK      "-- name: "

struct fw_sql {
    apr_hash_t *common; /* name → fw_statement */
    apr_hash_t *pgsql;  /* what that back end has instead */
};

typedef struct loading {
    fw_sql *sql;
    apr_pool_t *pool;
    const char *file;
    int line;
    fw_statement *now; /* being read, or NULL */
    bool for_pgsql;
} loading;

/* Counts %s and %lld; anything else after % but %% is a mistake. */
static const fw_err *find_params(loading *l, fw_statement *st)
{
    char letters[FW_SQL_MAX_PARAMS + 1] = "";
    int n = 0;

    for (const char *p = strchr(st->text, '%'); p; p = strchr(p, '%')) {
        if (p[1] == '%') {
            p += 2;
            continue;
        }
        if (n == FW_SQL_MAX_PARAMS)
            return FW_ERR(l->pool, FW_E_CONFIG, 0, "%s:%d: %s has more than %d parameters",
                          st->file, st->line, st->name, FW_SQL_MAX_PARAMS);
        if (p[1] == 's')
            letters[n++] = 's';
        else if (strncmp(p + 1, "lld", 3) == 0)
            letters[n++] = 'd';
        else
            return FW_ERR(l->pool, FW_E_CONFIG, 0, "%s:%d: %s: a parameter of an unknown kind",
                          st->file, st->line, st->name);
        p++;
    }
    letters[n] = '\0';
    st->params = apr_pstrdup(l->pool, letters);
    st->n_params = n;
    return NULL;
}

static const fw_err *finish(loading *l)
{
    fw_statement *st = l->now;
    apr_hash_t *into = l->for_pgsql ? l->sql->pgsql : l->sql->common;

    l->now = NULL;
    if (!st)
        return NULL;
    if (!*st->text)
        return FW_ERR(l->pool, FW_E_CONFIG, 0, "%s:%d: %s has no statement", st->file, st->line,
                      st->name);
    if (apr_hash_get(into, st->name, APR_HASH_KEY_STRING))
        return FW_ERR(l->pool, FW_E_CONFIG, 0, "%s:%d: %s is named twice", st->file, st->line,
                      st->name);
    FW_TRY(find_params(l, st));
    st->reads = strncmp(st->text, "SELECT", 6) == 0;
    apr_hash_set(into, st->name, APR_HASH_KEY_STRING, st);
    return NULL;
}

static const fw_err *begin(loading *l, const char *rest)
{
    const char *end = rest;

    FW_TRY(finish(l));
    while (apr_isalnum(*end) || *end == '_')
        end++;
    l->for_pgsql = strcmp(end, " [pgsql]") == 0;
    if (end == rest || (*end && !l->for_pgsql))
        return FW_ERR(l->pool, FW_E_CONFIG, 0, "%s:%d: not a statement's name: %s", l->file,
                      l->line, rest);
    l->now = apr_pcalloc(l->pool, sizeof(*l->now));
    l->now->name = apr_pstrndup(l->pool, rest, (apr_size_t)(end - rest));
    l->now->text = "";
    l->now->file = l->file;
    l->now->line = l->line;
    return NULL;
}

static const fw_err *take_line(loading *l, char *line)
{
    apr_size_t n;

    if (strncmp(line, NAME_MARK, sizeof(NAME_MARK) - 1) == 0)
        return begin(l, line + sizeof(NAME_MARK) - 1);
    n = strlen(line);
    while (n && (apr_isspace(line[n - 1]) || line[n - 1] == ';'))
        line[--n] = '\0';
    if (!n || strncmp(line, "--", 2) == 0)
        return NULL;
    if (!l->now)
        return FW_ERR(l->pool, FW_E_CONFIG, 0, "%s:%d: a statement without a name", l->file,
                      l->line);
    l->now->text = apr_pstrcat(l->pool, l->now->text, *l->now->text ? "\n" : "", line, NULL);
    return NULL;
}

static const fw_err *load_file(fw_sql *sql, const char *path, apr_pool_t *pool)
{
    loading l = {.sql = sql, .pool = pool, .file = path};
    char *text = NULL;
    char *copy;

    FW_TRY(fw_file_read(&text, NULL, path, FILE_MAX_BYTES, pool));
    copy = apr_pstrdup(pool, text);
    if (!strstr(text, NAME_MARK))
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s:1: no statement is named", path);
    while (copy) {
        char *end = strchr(copy, '\n');

        if (end)
            *end = '\0';
        l.line++;
        FW_TRY(take_line(&l, copy));
        copy = end ? end + 1 : NULL;
    }
    return finish(&l);
}

const fw_err *fw_sql_load(fw_sql **out, const char *dir, apr_pool_t *pool)
{
    fw_sql *sql = apr_pcalloc(pool, sizeof(*sql));
    apr_dir_t *d;
    apr_finfo_t info;
    apr_status_t rv = apr_dir_open(&d, dir, pool);

    if (rv)
        return FW_ERR(pool, FW_E_CONFIG, rv, "%s cannot be opened", dir);
    sql->common = apr_hash_make(pool);
    sql->pgsql = apr_hash_make(pool);
    while (apr_dir_read(&info, APR_FINFO_NAME, d) == APR_SUCCESS) {
        apr_size_t n = strlen(info.name);

        if (n > 4 && strcmp(info.name + n - 4, ".sql") == 0)
            FW_TRY(load_file(sql, apr_pstrcat(pool, dir, "/", info.name, NULL), pool));
    }
    apr_dir_close(d);
    if (apr_hash_count(sql->common) == 0)
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s holds no statement", dir);
    *out = sql;
    return NULL;
}

const fw_statement *fw_sql_find(const fw_sql *sql, fw_backend_e backend, const char *name)
{
    const fw_statement *st = NULL;

    if (backend == FW_DB_PGSQL)
        st = apr_hash_get(sql->pgsql, name, APR_HASH_KEY_STRING);
    return st ? st : apr_hash_get(sql->common, name, APR_HASH_KEY_STRING);
}

const fw_err *fw_sql_each(const fw_sql *sql, fw_backend_e backend, fw_sql_each_fn each, void *baton)
{
    for (apr_hash_index_t *i = apr_hash_first(NULL, sql->common); i; i = apr_hash_next(i))
        FW_TRY(each(baton, fw_sql_find(sql, backend, apr_hash_this_key(i))));
    return NULL;
}
