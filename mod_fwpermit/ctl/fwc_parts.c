#include "fw_config.h"
#include "fwc_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <fts.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "fw_file.h"
#include "fw_sha256.h"
#include "fw_vault.h"

#define LINE_BYTES 512
#define IN_VAULT   "vault/[0-9a-f][0-9a-f]"
#define BETWEEN    "  " /* a line of SHA256SUMS: the sum, this, the name */
#define NAME_AT    (FW_SHA256_CHARS + sizeof(BETWEEN) - 1)

/* ---- names ---- */

static bool fits(const char *name, const char *const *patterns, size_t n)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/";

    if (strspn(name, plain) != strlen(name))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (fnmatch(patterns[i], name, FNM_PATHNAME | FNM_PERIOD) == 0)
            return true;
    }
    return false;
}

static bool is_file_of_ours(const char *name)
{
    static const char *const patterns[] = {FWC_DATABASE,    "anchor",      "journal/*",
                                           "public/*",      IN_VAULT "/*", "keys/vault.keys",
                                           "keys/signing/*"};

    return fits(name, patterns, sizeof(patterns) / sizeof(patterns[0]));
}

static bool is_folder_of_ours(const char *name)
{
    static const char *const patterns[] = {"journal", "public", "vault",
                                           IN_VAULT,  "keys",   "keys/signing"};

    return fits(name, patterns, sizeof(patterns) / sizeof(patterns[0]));
}

static const char *in(const char *dir, const char *name, apr_pool_t *pool)
{
    return apr_pstrcat(pool, dir, "/", name, NULL);
}

/* ---- folders ---- */

/* A name before those that it begins: so "x.journal.taken" comes before "x.journal". */
static int longer_first(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*b)->fts_name, (*a)->fts_name);
}

/* `dir` is without a slash at its end, as paths of the tree begin with it. */
static FTS *open_tree(const char *dir, apr_pool_t *pool)
{
    char *const roots[] = {apr_pstrdup(pool, dir), NULL};

    return fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, longer_first);
}

const char *fwc_folder_path(const char *path, apr_pool_t *pool)
{
    size_t n = strlen(path);

    while (n > 1 && path[n - 1] == '/')
        n--;
    return apr_pstrmemdup(pool, path, n);
}

bool fwc_folder_is_empty(const char *dir, const char *but)
{
    apr_pool_t *pool;
    FTS *tree;
    bool empty = true;

    apr_pool_create(&pool, NULL);
    tree = open_tree(dir, pool);
    for (FTSENT *e = tree ? fts_read(tree) : NULL; e && empty; e = fts_read(tree))
        empty = e->fts_info == FTS_D || e->fts_info == FTS_DP || e->fts_errno == ENOENT ||
                (but && strcmp(e->fts_name, but) == 0);
    if (tree)
        fts_close(tree);
    apr_pool_destroy(pool);
    return tree && empty;
}

void fwc_folder_remove(const char *dir)
{
    apr_pool_t *pool;
    FTS *tree;

    apr_pool_create(&pool, NULL);
    tree = open_tree(dir, pool);
    for (FTSENT *e = tree ? fts_read(tree) : NULL; e; e = fts_read(tree)) {
        if (e->fts_info == FTS_DP)
            rmdir(e->fts_accpath);
        else if (e->fts_info != FTS_D)
            unlink(e->fts_accpath);
    }
    if (tree)
        fts_close(tree);
    apr_pool_destroy(pool);
}

/* ---- writing ---- */

const fw_err *fwc_parts_begin(fwc_parts **out, const char *dir, apr_pool_t *pool)
{
    fwc_parts *p = apr_pcalloc(pool, sizeof(*p));
    const char *path = in(dir, FWC_SUMS, pool);

    p->pool = pool;
    p->dir = dir;
    apr_pool_create(&p->scratch, pool);
    p->sums = fopen(path, "w+xe");
    if (!p->sums)
        return FW_ERR(pool, FW_E_UNAVAILABLE, errno, "%s cannot be made", path);
    *out = p;
    return NULL;
}

static const fw_err *note(fwc_parts *p, const char *name, const char *sha256, int64_t bytes)
{
    p->files++;
    p->bytes += bytes;
    if (fprintf(p->sums, "%s" BETWEEN "%s\n", sha256, name) < 0)
        return FW_ERR(p->pool, FW_E_UNAVAILABLE, errno, FWC_SUMS " cannot be written");
    return NULL;
}

/* From an open file into a new one, by name. */
static const fw_err *copy_open(fwc_parts *p, int from, const char *name)
{
    const char *path = in(p->dir, name, p->scratch), *sha256 = NULL;
    int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    const fw_err *err;
    off_t bytes;

    if (to < 0)
        return FW_ERR(p->pool, FW_E_UNAVAILABLE, errno, "%s cannot be made", path);
    err = fw_file_copy(from, to, &sha256, p->scratch);
    bytes = lseek(to, 0, SEEK_CUR);
    if (close(to) != 0 && !err)
        err = FW_ERR(p->scratch, FW_E_UNAVAILABLE, errno, "it cannot be closed");
    if (err)
        return FW_WRAP(p->pool, err, "%s", path);
    return note(p, name, sha256, bytes);
}

const fw_err *fwc_parts_take(fwc_parts *p, const char *from, const char *name)
{
    int fd = open(from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    const fw_err *err;

    if (fd < 0)
        return errno == ENOENT
                   ? NULL
                   : FW_ERR(p->pool, FW_E_UNAVAILABLE, errno, "%s cannot be read", from);
    err = copy_open(p, fd, name);
    close(fd);
    return err;
}

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);

    return n >= m && strcmp(name + n - m, end) == 0;
}

static const fw_err *take_entry(fwc_parts *p, FTS *tree, FTSENT *e, const char *name)
{
    const char *path = in(p->dir, name, p->scratch);

    switch (e->fts_info) {
    case FTS_D:
        if (e->fts_level > 0 && strcmp(e->fts_name, FW_VAULT_STAGING) == 0)
            fts_set(tree, e, FTS_SKIP);
        else if (!is_folder_of_ours(name))
            break;
        else if (mkdir(path, 0700) != 0)
            return FW_ERR(p->pool, FW_E_UNAVAILABLE, errno, "%s cannot be made", path);
        return NULL;
    case FTS_F:
        if (!is_file_of_ours(name))
            break;
        /* What is being written has no name yet. */
        return ends_with(name, ".new") ? NULL : fwc_parts_take(p, e->fts_path, name);
    case FTS_DP:
        return NULL;
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS:
        return e->fts_errno == ENOENT ? NULL
                                      : FW_ERR(p->pool, FW_E_UNAVAILABLE, e->fts_errno,
                                               "%s cannot be read", e->fts_path);
    }
    fprintf(stderr, "left out, for it is no file of the platform: %s\n", e->fts_path);
    p->left_out++;
    fts_set(tree, e, FTS_SKIP);
    return NULL;
}

const fw_err *fwc_parts_take_folder(fwc_parts *p, const char *from, const char *name)
{
    FTS *tree = open_tree(from, p->pool);
    size_t root = strlen(from);
    const fw_err *err = NULL;

    for (FTSENT *e = tree ? fts_read(tree) : NULL; e && !err; e = fts_read(tree)) {
        apr_pool_clear(p->scratch);
        err = take_entry(p, tree, e, apr_pstrcat(p->scratch, name, e->fts_path + root, NULL));
    }
    if (tree)
        fts_close(tree);
    return err;
}

const fw_err *fwc_parts_note(fwc_parts *p, const char *name)
{
    const char *path = in(p->dir, name, p->pool), *sha256 = NULL;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    const fw_err *err;
    off_t bytes;

    if (fd < 0)
        return FW_ERR(p->pool, FW_E_UNAVAILABLE, errno, "%s cannot be read", path);
    err = fw_file_copy(fd, -1, &sha256, p->pool);
    bytes = lseek(fd, 0, SEEK_CUR);
    close(fd);
    return err ? FW_WRAP(p->pool, err, "%s", path) : note(p, name, sha256, bytes);
}

/* ---- reading ---- */

/* By its bytes. */
static const fw_err *sum_of(const char *path, const char **sha256, apr_pool_t *pool)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    const fw_err *err;

    if (fd < 0)
        return FW_ERR(pool, FW_E_CORRUPT, errno, "%s cannot be read", path);
    err = fw_file_copy(fd, -1, sha256, pool);
    close(fd);
    return err ? FW_WRAP(pool, err, "%s", path) : NULL;
}

/* By the descriptor that it was written through: the file is of who began the backup. */
const fw_err *fwc_parts_end(fwc_parts *p, const char **sha256)
{
    bool ok = fflush(p->sums) == 0 && lseek(fileno(p->sums), 0, SEEK_SET) == 0;
    const fw_err *err = NULL;

    if (ok)
        err = fw_file_copy(fileno(p->sums), -1, sha256, p->pool);
    ok = fclose(p->sums) == 0 && ok;
    p->sums = NULL;
    return ok ? err : FW_ERR(p->pool, FW_E_UNAVAILABLE, errno, FWC_SUMS " cannot be written");
}

typedef const fw_err *(*line_fn)(void *baton, const char *sha256, const char *name,
                                 apr_pool_t *scratch);

/* Line by line: the list is as long as the vault. */
static const fw_err *each_line(const char *dir, line_fn each, void *baton, apr_pool_t *pool)
{
    const char *path = in(dir, FWC_SUMS, pool);
    FILE *f = fopen(path, "re");
    char line[LINE_BYTES];
    const fw_err *err = NULL;
    apr_pool_t *scratch;

    if (!f)
        return FW_ERR(pool, FW_E_CORRUPT, errno, "%s cannot be read", path);
    apr_pool_create(&scratch, pool);
    while (!err && fgets(line, sizeof(line), f)) {
        size_t n = strcspn(line, "\n");

        apr_pool_clear(scratch);
        line[n] = '\0';
        if (n <= NAME_AT || !is_file_of_ours(line + NAME_AT)) {
            err = FW_ERR(pool, FW_E_CORRUPT, 0, "%s: a line of another form", path);
            break;
        }
        line[FW_SHA256_CHARS] = '\0';
        err = each(baton, line, line + NAME_AT, scratch);
    }
    fclose(f);
    return err;
}

typedef struct checking {
    const char *dir;
    int64_t there, listed;
    apr_pool_t *pool;
} checking;

static const fw_err *look_at(checking *k, const FTSENT *e)
{
    const char *name = e->fts_path + strlen(k->dir) + (e->fts_level > 0);

    switch (e->fts_info) {
    case FTS_DP:
        return NULL;
    case FTS_D:
        if (e->fts_level == 0 || is_folder_of_ours(name))
            return NULL;
        break;
    case FTS_F:
        if (strcmp(name, FWC_MANIFEST) == 0 || strcmp(name, FWC_SUMS) == 0)
            return NULL;
        k->there++;
        if (is_file_of_ours(name))
            return NULL;
        break;
    }
    return FW_ERR(k->pool, FW_E_CONFLICT, 0, "%s is no file of a backup", e->fts_path);
}

static const fw_err *look_at_all(checking *k)
{
    FTS *tree = open_tree(k->dir, k->pool);
    const fw_err *err = NULL;

    for (FTSENT *e = tree ? fts_read(tree) : NULL; e && !err; e = fts_read(tree))
        err = look_at(k, e);
    if (tree)
        fts_close(tree);
    return err;
}

static const fw_err *check_line(void *baton, const char *sha256, const char *name,
                                apr_pool_t *scratch)
{
    checking *k = baton;
    const char *path = in(k->dir, name, scratch), *is = NULL;

    k->listed++;
    FW_TRY(sum_of(path, &is, scratch));
    return strcmp(is, sha256) == 0 ? NULL
                                   : FW_ERR(k->pool, FW_E_CORRUPT, 0,
                                            "%s is not what it was: its SHA-256 is another", path);
}

const fw_err *fwc_parts_check(const char *dir, const char *sums_sha256, apr_pool_t *pool)
{
    checking k = {.dir = dir, .pool = pool};
    const char *path = in(dir, FWC_SUMS, pool), *is = NULL;

    FW_TRY(look_at_all(&k));
    FW_TRY(sum_of(path, &is, pool));
    if (strcmp(is, sums_sha256) != 0)
        return FW_ERR(pool, FW_E_CORRUPT, 0, "%s is not the one that the manifest names", path);
    FW_TRY(each_line(dir, check_line, &k, pool));
    if (k.there != k.listed)
        return FW_ERR(pool, FW_E_CORRUPT, 0,
                      "%s holds %" APR_INT64_T_FMT " files, and " FWC_SUMS
                      " lists %" APR_INT64_T_FMT,
                      dir, k.there, k.listed);
    return NULL;
}

typedef struct passing {
    fwc_parts_fn each;
    void *baton;
} passing;

static const fw_err *pass_name(void *baton, const char *sha256, const char *name,
                               apr_pool_t *scratch)
{
    const passing *p = baton;

    (void)sha256;
    return p->each(p->baton, name, scratch);
}

const fw_err *fwc_parts_each(const char *dir, fwc_parts_fn each, void *baton, apr_pool_t *pool)
{
    passing p = {each, baton};

    return each_line(dir, pass_name, &p, pool);
}
