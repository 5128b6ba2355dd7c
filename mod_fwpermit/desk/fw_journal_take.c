#include "fw_config.h"
#include "fw_journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>
#include <jansson.h>

#include "fw_file.h"

#define SUFFIX       ".journal"
#define TAKEN        ".taken" /* beside a journal: how many of its bytes were taken */
#define LINE_MOST    65536
#define READ_AT_ONCE 1048576

/* One journal that is being taken over. */
typedef struct journal_file {
    const char *path;
    off_t from, to; /* taken before; taken after the commit */
    bool ended;     /* its process is gone */
    bool whole;     /* nothing is left of it after the commit */
} journal_file;

typedef struct taking {
    const char *dir;
    int most, taken;
    fw_journal_each_fn each;
    void *baton;
    apr_array_header_t *files; /* of journal_file */
    apr_pool_t *pool;
} taking;

/* ---- the folder ---- */

static bool is_journal(const char *name)
{
    size_t n = strlen(name), s = strlen(SUFFIX);

    return n > s && strcmp(name + n - s, SUFFIX) == 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const fw_err *list_journals(const char *dir, apr_array_header_t **out, apr_pool_t *pool)
{
    DIR *d = opendir(dir);
    struct dirent *e;

    *out = apr_array_make(pool, 16, sizeof(const char *));
    if (!d)
        return errno == ENOENT ? NULL
                               : FW_ERR(pool, FW_E_UNAVAILABLE, errno, "%s cannot be read", dir);
    for (e = readdir(d); e; e = readdir(d)) {
        if (is_journal(e->d_name))
            APR_ARRAY_PUSH(*out, const char *) = apr_pstrdup(pool, e->d_name);
    }
    closedir(d);
    qsort((*out)->elts, (size_t)(*out)->nelts, sizeof(const char *), by_name);
    return NULL;
}

/* ---- how much was taken ---- */

static off_t read_taken(const char *path, apr_pool_t *pool)
{
    FILE *f = fopen(apr_pstrcat(pool, path, TAKEN, NULL), "re");
    long long at = 0;

    if (!f)
        return 0;
    if (fscanf(f, "%lld", &at) != 1 || at < 0)
        at = 0;
    fclose(f);
    return (off_t)at;
}

static const fw_err *write_taken(const journal_file *j, apr_pool_t *pool)
{
    const char *text = apr_psprintf(pool, "%" APR_INT64_T_FMT "\n", (apr_int64_t)j->to);

    return fw_file_put(apr_pstrcat(pool, j->path, TAKEN, NULL), text, 0600, pool);
}

/* ---- lines ---- */

static const char *text_of(const json_t *o, const char *name)
{
    return json_string_value(json_object_get(o, name));
}

/* A line that is none was torn by a crash of the machine: there is nothing in it to keep. */
static const fw_err *take_line(taking *t, const char *line, size_t n)
{
    json_t *o = json_loadb(line, n, JSON_REJECT_DUPLICATES, NULL);
    const char *id = text_of(o, "id");
    fw_journal_line out = {.at = json_integer_value(json_object_get(o, "at")),
                           .actor_id = id ? apr_strtoi64(id, NULL, 10) : 0,
                           .actor = text_of(o, "actor"),
                           .what = text_of(o, "what"),
                           .about = text_of(o, "about"),
                           .ip = text_of(o, "ip")};
    const fw_err *err = NULL;

    if (out.what && out.at > 0) {
        err = t->each(t->baton, &out);
        t->taken++;
    }
    json_decref(o);
    return err;
}

/* Takes whole lines out of the bytes; *used is where the last of them ends. */
static const fw_err *take_lines(taking *t, const char *bytes, size_t n, size_t *used)
{
    *used = 0;
    while (t->taken < t->most) {
        const char *end = memchr(bytes + *used, '\n', n - *used);

        if (!end)
            return NULL;
        FW_TRY(take_line(t, bytes + *used, (size_t)(end - bytes) - *used));
        *used = (size_t)(end - bytes) + 1;
    }
    return NULL;
}

/* From where it was taken to its end, or until enough was taken. */
static const fw_err *take_open(taking *t, journal_file *j, int fd)
{
    char *bytes = apr_palloc(t->pool, READ_AT_ONCE);
    ssize_t got = 1;

    while (got > 0 && t->taken < t->most) {
        size_t used = 0;

        got = pread(fd, bytes, READ_AT_ONCE, j->to);
        if (got < 0)
            return FW_ERR(t->pool, FW_E_UNAVAILABLE, errno, "%s cannot be read", j->path);
        FW_TRY(take_lines(t, bytes, (size_t)got, &used));
        j->to += (off_t)used;
        if (used > 0)
            continue;
        /* Half a line: its process writes on, or has ended and will not. */
        j->whole = j->ended && t->taken < t->most && got <= LINE_MOST;
        return NULL;
    }
    return NULL;
}

static const fw_err *take_file(taking *t, const char *name)
{
    journal_file *j = apr_array_push(t->files);
    const fw_err *err;
    int fd;

    *j = (journal_file){.path = apr_pstrcat(t->pool, t->dir, "/", name, NULL)};
    j->from = j->to = read_taken(j->path, t->pool);
    fd = open(j->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return FW_ERR(t->pool, FW_E_UNAVAILABLE, errno, "%s cannot be read", j->path);
    j->ended = flock(fd, LOCK_EX | LOCK_NB) == 0;
    err = take_open(t, j, fd);
    close(fd);
    return err;
}

/* ---- the end ---- */

static const fw_err *remember(const taking *t)
{
    for (int i = 0; i < t->files->nelts; i++) {
        const journal_file *j = &APR_ARRAY_IDX(t->files, i, journal_file);

        if (j->to != j->from)
            FW_TRY(write_taken(j, t->pool));
        if (!j->whole)
            continue;
        unlink(j->path);
        unlink(apr_pstrcat(t->pool, j->path, TAKEN, NULL));
    }
    return NULL;
}

const fw_err *fw_journal_take(const char *dir, int most, fw_journal_each_fn each,
                              fw_journal_commit_fn commit, void *baton, int *taken,
                              apr_pool_t *pool)
{
    taking t = {.dir = dir, .most = most, .each = each, .baton = baton, .pool = pool};
    apr_array_header_t *names = NULL;

    *taken = 0;
    t.files = apr_array_make(pool, 16, sizeof(journal_file));
    FW_TRY(list_journals(dir, &names, pool));
    for (int i = 0; i < names->nelts && t.taken < most; i++)
        FW_TRY(take_file(&t, APR_ARRAY_IDX(names, i, const char *)));
    if (t.taken > 0)
        FW_TRY(commit(baton));
    *taken = t.taken;
    return remember(&t);
}

/* ---- what is left over ---- */

static bool is_left_over(int folder, const char *name, apr_time_t before, apr_pool_t *pool)
{
    size_t n = strlen(name), t = strlen(TAKEN);
    struct stat st;

    if (!strstr(name, SUFFIX ".") || fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(st.st_mode) || apr_time_from_sec(st.st_mtime) >= before)
        return false;
    return strcmp(name + n - t, TAKEN) != 0 ||
           faccessat(folder, apr_pstrmemdup(pool, name, n - t), F_OK, 0) != 0;
}

const fw_err *fw_journal_sweep(const char *dir, apr_time_t before, apr_pool_t *pool)
{
    DIR *d = opendir(dir);
    struct dirent *e;

    if (!d)
        return errno == ENOENT ? NULL
                               : FW_ERR(pool, FW_E_UNAVAILABLE, errno, "%s cannot be read", dir);
    for (e = readdir(d); e; e = readdir(d)) {
        if (is_left_over(dirfd(d), e->d_name, before, pool))
            unlinkat(dirfd(d), e->d_name, 0);
    }
    closedir(d);
    return NULL;
}
