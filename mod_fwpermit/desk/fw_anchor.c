#include "fw_config.h"
#include "fw_anchor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_lib.h>
#include <apr_strings.h>

#define N_CHARS    19 /* of the greatest number of a seal */
#define LINE_BYTES (N_CHARS + 1 + FW_SEAL_HASH_CHARS + 1 + FW_SEAL_SIGNATURE_CHARS + 1)
#define SEALS_ROWS 500

static const char hex[] = "0123456789abcdef";
static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

/* One line without its end. */
static bool parse_line(const char *text, fw_anchor_line *line)
{
    size_t digits = strspn(text, "0123456789"), signs;
    const char *hash = text + digits + 1, *signature = hash + FW_SEAL_HASH_CHARS + 1;

    if (digits == 0 || digits > N_CHARS || text[0] == '0' || text[digits] != ' ' ||
        strspn(hash, hex) != FW_SEAL_HASH_CHARS || hash[FW_SEAL_HASH_CHARS] != ' ')
        return false;
    signs = strspn(signature, base64);
    if (signs == 0 || signs > FW_SEAL_SIGNATURE_CHARS || signature[signs])
        return false;
    line->n = apr_strtoi64(text, NULL, 10);
    memcpy(line->hash, hash, FW_SEAL_HASH_CHARS);
    line->hash[FW_SEAL_HASH_CHARS] = '\0';
    memcpy(line->signature, signature, signs + 1);
    return true;
}

/* ---- reading ---- */

struct fw_anchor {
    FILE *file;
    apr_pool_t *pool;
    int64_t size; /* when it was opened */
    int64_t n;    /* of the last line */
};

static apr_status_t close_file(void *data)
{
    fw_anchor *a = data;

    if (a->file)
        fclose(a->file);
    a->file = NULL;
    return APR_SUCCESS;
}

const fw_err *fw_anchor_open(fw_anchor **out, const char *path, apr_pool_t *pool)
{
    fw_anchor *a = apr_pcalloc(pool, sizeof(*a));
    struct stat st;

    a->pool = pool;
    a->file = fopen(path, "re");
    if (!a->file)
        return FW_ERR(pool, errno == ENOENT ? FW_E_NOTFOUND : FW_E_CONFIG, errno,
                      "the anchor %s cannot be opened", path);
    apr_pool_cleanup_register(pool, a, close_file, apr_pool_cleanup_null);
    if (fstat(fileno(a->file), &st) || !S_ISREG(st.st_mode))
        return FW_ERR(pool, FW_E_CONFIG, 0, "the anchor %s is no file", path);
    a->size = st.st_size;
    *out = a;
    return NULL;
}

const fw_err *fw_anchor_next(fw_anchor *a, fw_anchor_line *line, bool *any, apr_pool_t *pool)
{
    char text[LINE_BYTES + 2];
    size_t n;

    *any = false;
    if (ftello(a->file) >= a->size || !fgets(text, sizeof(text), a->file))
        return NULL;
    n = strlen(text);
    if (n == 0 || text[n - 1] != '\n') {
        /* Torn at the end, where a part that did not reach the disk is NUL; anywhere else it is no line of ours. */
        if (ftello(a->file) >= a->size && n < sizeof(text) - 1)
            return NULL;
        return FW_ERR(pool, FW_E_CORRUPT, 0,
                      "the anchor's line after seal %" APR_INT64_T_FMT " has another form", a->n);
    }
    text[n - 1] = '\0';
    if (!parse_line(text, line) || line->n != a->n + 1)
        return FW_ERR(pool, FW_E_CORRUPT, 0,
                      "the anchor's line after seal %" APR_INT64_T_FMT " has another form", a->n);
    a->n = line->n;
    *any = true;
    return NULL;
}

void fw_anchor_close(fw_anchor *a)
{
    apr_pool_cleanup_run(a->pool, a, close_file);
}

/* ---- appending ---- */

typedef struct following {
    fw_db *db;
    const char *path;
    int fd;
    bool fresh;
    apr_pool_t *pool;
    fw_anchor_line last; /* n is 0 while the file has none */
} following;

static const fw_err *fails(const following *f, const char *what)
{
    return FW_ERR(f->pool, FW_E_UNAVAILABLE, errno, "the anchor %s cannot be %s", f->path, what);
}

/* Cuts a torn line away, which may have NUL where the power went before the disk had all of it, and finds the last whole one. */
static const fw_err *find_last(following *f)
{
    char tail[2 * LINE_BYTES + 2];
    off_t size = lseek(f->fd, 0, SEEK_END), from, whole;
    ssize_t n;
    char *end, *begin;

    if (size < 0)
        return fails(f, "read");
    from = size > (off_t)sizeof(tail) - 1 ? size - (off_t)sizeof(tail) + 1 : 0;
    n = pread(f->fd, tail, (size_t)(size - from), from);
    if (n != (ssize_t)(size - from))
        return fails(f, "read");
    tail[n] = '\0';
    n = (ssize_t)strlen(tail);
    end = memrchr(tail, '\n', (size_t)n);
    whole = end ? from + (end - tail) + 1 : from;
    if (whole < size && ftruncate(f->fd, whole))
        return fails(f, "cut");
    if (!end)
        return from == 0 ? NULL
                         : FW_ERR(f->pool, FW_E_CORRUPT, 0, "the anchor %s has no line at its end",
                                  f->path);
    *end = '\0';
    begin = memrchr(tail, '\n', (size_t)(end - tail));
    if (!parse_line(begin ? begin + 1 : tail, &f->last))
        return FW_ERR(f->pool, FW_E_CORRUPT, 0, "the anchor's last line has another form");
    return NULL;
}

/* The database must still have what was noted last. */
static const fw_err *compare_last(following *f)
{
    apr_array_header_t *list = NULL;
    const fw_seal *s;

    if (f->last.n == 0)
        return NULL;
    FW_TRY(fw_seal_list(f->db, f->last.n - 1, 1, &list, f->pool));
    s = list->nelts ? &APR_ARRAY_IDX(list, 0, fw_seal) : NULL;
    if (s && s->n == f->last.n && strcmp(s->hash, f->last.hash) == 0)
        return NULL;
    return FW_ERR(f->pool, FW_E_CORRUPT, 0,
                  "the anchor noted seal %" APR_INT64_T_FMT ", the database %s", f->last.n,
                  s && s->n == f->last.n ? "has another one of that number" : "lacks it");
}

static const fw_err *append(following *f, const fw_seal *s)
{
    const char *line =
        apr_psprintf(f->pool, "%" APR_INT64_T_FMT " %s %s", s->n, s->hash, s->signature);
    size_t n = strlen(line);

    if (s->n != f->last.n + 1 || !parse_line(line, &f->last))
        return FW_ERR(f->pool, FW_E_CORRUPT, 0, "after seal %" APR_INT64_T_FMT " comes no seal",
                      f->last.n);
    line = apr_pstrcat(f->pool, line, "\n", NULL);
    if (write(f->fd, line, n + 1) != (ssize_t)n + 1)
        return fails(f, "written");
    return fsync(f->fd) ? fails(f, "synced") : NULL; /* before the next: one line at most is torn */
}

static const fw_err *append_all(following *f)
{
    apr_array_header_t *list = NULL;

    do {
        FW_TRY(fw_seal_list(f->db, f->last.n, SEALS_ROWS, &list, f->pool));
        for (int i = 0; i < list->nelts; i++)
            FW_TRY(append(f, &APR_ARRAY_IDX(list, i, fw_seal)));
    } while (list->nelts == SEALS_ROWS);
    return NULL;
}

static const fw_err *sync_folder(const following *f)
{
    const char *slash = strrchr(f->path, '/');
    const char *dir =
        slash ? apr_pstrmemdup(f->pool, f->path, (apr_size_t)(slash - f->path + 1)) : ".";
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), bad;

    if (fd < 0)
        return fails(f, "synced with its folder");
    bad = fsync(fd);
    close(fd);
    return bad ? fails(f, "synced with its folder") : NULL;
}

static const fw_err *follow(following *f)
{
    if (flock(f->fd, LOCK_EX | LOCK_NB))
        return FW_ERR(f->pool, FW_E_BUSY, errno, "another process writes the anchor");
    if (f->fresh)
        FW_TRY(sync_folder(f));
    FW_TRY(find_last(f));
    FW_TRY(compare_last(f));
    return append_all(f);
}

const fw_err *fw_anchor_follow(fw_db *db, const char *path, int64_t *noted, apr_pool_t *pool)
{
    following f = {.db = db, .path = path, .pool = pool};
    const fw_err *err;

    f.fresh = access(path, F_OK) != 0;
    f.fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (f.fd < 0)
        return fails(&f, "opened");
    err = follow(&f);
    if (close(f.fd) && !err)
        err = fails(&f, "closed");
    if (noted)
        *noted = f.last.n;
    return err;
}
