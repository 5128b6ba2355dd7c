#include "fw_config.h"
#include "fw_vault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_lib.h>
#include <apr_strings.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "fw_sha256.h"

/* A file: "FWV1", id of the master key (16 bytes, padded with NUL), nonce (12), wrapped key (32), tag (16); then
 * chunks: length (4 bytes, big-endian, the top bit marks the last), that many bytes, tag (16). All
 * chunks but the last are full, so the clear size follows from the file's. The file's name is
 * authenticated with the wrapped key, a chunk's number and mark with the chunk. */

#define MAGIC       "FWV1"
#define ID_BYTES    16
#define NONCE_BYTES 12
#define KEY_BYTES   32
#define TAG_BYTES   16
#define HEAD_BYTES  (4 + ID_BYTES + NONCE_BYTES + KEY_BYTES + TAG_BYTES)
#define CHUNK       65536
#define FRAME       (4 + TAG_BYTES) /* what a chunk adds */
#define LAST        0x80000000u
#define NAME_CHARS  32
#define FOLDERS     256 /* by the first byte of a file's name */

struct fw_vault {
    const char *dir;
    atomic_bool is_on_disk[FOLDERS];
    fw_vault_key *keys;
    int n_keys;
};

struct fw_vault_writer {
    fw_vault *vault;
    apr_pool_t *pool;
    EVP_CIPHER_CTX *ctx;
    EVP_MD_CTX *sha;
    int fd;
    char name[NAME_CHARS + 1];
    const char *staged;
    unsigned char key[KEY_BYTES];
    unsigned char buffer[CHUNK];
    size_t have;
    uint64_t chunks;
    int64_t size;
};

struct fw_vault_reader {
    EVP_CIPHER_CTX *ctx;
    apr_pool_t *pool;
    int fd;
    unsigned char key[KEY_BYTES];
    char key_id[ID_BYTES + 1]; /* of the master key that wraps it */
    unsigned char cipher[CHUNK + TAG_BYTES];
    unsigned char clear[CHUNK];
    uint64_t chunks;
    int64_t size;
    bool ended;
};

/* ---- keys ---- */

static bool id_is_good(const char *id)
{
    size_t n = strlen(id);

    return n > 0 && n <= ID_BYTES &&
           strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

static bool read_hex(unsigned char *out, const char *hex, size_t n)
{
    if (strlen(hex) != 2 * n)
        return false;
    for (size_t i = 0; i < n; i++) {
        char two[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

        if (!apr_isxdigit(two[0]) || !apr_isxdigit(two[1]))
            return false;
        out[i] = (unsigned char)strtoul(two, NULL, 16);
    }
    return true;
}

const fw_err *fw_vault_keys_parse(fw_vault_key **keys, int *n, const char *text, const char *file,
                                  apr_pool_t *pool)
{
    apr_array_header_t *list = apr_array_make(pool, 2, sizeof(fw_vault_key));
    char *rest = apr_pstrdup(pool, text), *line;
    int number = 0;

    while (rest) {
        fw_vault_key key = {0};
        char *space;

        line = rest;
        rest = strchr(line, '\n');
        if (rest)
            *rest++ = '\0';
        number++;
        if (!*line || *line == '#')
            continue;
        space = strchr(line, ' ');
        if (space)
            *space++ = '\0';
        if (!space || !id_is_good(line) || !read_hex(key.bytes, space, KEY_BYTES))
            return FW_ERR(pool, FW_E_CONFIG, 0, "%s:%d: not \"<id> <64 hex digits>\"", file,
                          number);
        key.id = line;
        APR_ARRAY_PUSH(list, fw_vault_key) = key;
    }
    if (list->nelts == 0)
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s: no key", file);
    *keys = (fw_vault_key *)list->elts;
    *n = list->nelts;
    return NULL;
}

const fw_err *fw_vault_open(fw_vault **out, const char *dir, const fw_vault_key *keys, int n,
                            apr_pool_t *pool)
{
    fw_vault *v = apr_pcalloc(pool, sizeof(*v));
    const char *staging = apr_pstrcat(pool, dir, "/" FW_VAULT_STAGING, NULL);

    if (mkdir(staging, 0700) && errno != EEXIST)
        return FW_ERR(pool, FW_E_CONFIG, errno, "%s cannot be made", staging);
    if (access(staging, W_OK | X_OK))
        return FW_ERR(pool, FW_E_CONFIG, errno, "%s cannot be written", staging);
    v->dir = apr_pstrdup(pool, dir);
    v->keys = apr_pmemdup(pool, keys, sizeof(*keys) * (apr_size_t)n);
    v->n_keys = n;
    for (int i = 0; i < n; i++)
        v->keys[i].id = apr_pstrdup(pool, keys[i].id);
    *out = v;
    return NULL;
}

/* ---- the cipher ---- */

static bool seal(EVP_CIPHER_CTX *ctx, const unsigned char *key, const unsigned char *nonce,
                 const void *aad, size_t n_aad, const unsigned char *clear, size_t n,
                 unsigned char *out, unsigned char *tag)
{
    int done = 0;

    return EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce) &&
           EVP_EncryptUpdate(ctx, NULL, &done, aad, (int)n_aad) &&
           EVP_EncryptUpdate(ctx, out, &done, clear, (int)n) &&
           EVP_EncryptFinal_ex(ctx, out + done, &done) &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, tag);
}

static bool unseal(EVP_CIPHER_CTX *ctx, const unsigned char *key, const unsigned char *nonce,
                   const void *aad, size_t n_aad, const unsigned char *sealed, size_t n,
                   unsigned char *out, unsigned char *tag)
{
    int done = 0;

    return EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce) &&
           EVP_DecryptUpdate(ctx, NULL, &done, aad, (int)n_aad) &&
           EVP_DecryptUpdate(ctx, out, &done, sealed, (int)n) &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) &&
           EVP_DecryptFinal_ex(ctx, out + done, &done) > 0;
}

static void put_be(unsigned char *out, uint64_t v, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--, v >>= 8)
        out[i] = (unsigned char)(v & 0xff);
}

static void chunk_names(uint64_t number, bool last, unsigned char *nonce, unsigned char *aad)
{
    memset(nonce, 0, NONCE_BYTES);
    put_be(nonce + 4, number, 8);
    put_be(aad, number, 8);
    aad[8] = last;
}

static const char *path_of(const fw_vault *v, const char *name, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%s/%.2s/%s", v->dir, name, name);
}

static bool name_is_good(const char *name)
{
    return name && strlen(name) == NAME_CHARS && strspn(name, "0123456789abcdef") == NAME_CHARS;
}

static const fw_err *write_all(int fd, const void *data, size_t n, apr_pool_t *pool)
{
    const char *p = data;

    while (n) {
        ssize_t w = write(fd, p, n);

        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0)
            return FW_ERR(pool, FW_E_UNAVAILABLE, errno, "the vault cannot be written");
        p += w;
        n -= (size_t)w;
    }
    return NULL;
}

static bool make_head(const fw_vault *v, EVP_CIPHER_CTX *ctx, const char *name,
                      const unsigned char *key, unsigned char *head)
{
    const fw_vault_key *master = &v->keys[0];
    unsigned char *nonce = head + 4 + ID_BYTES;

    memset(head, 0, HEAD_BYTES);
    memcpy(head, MAGIC, 4);
    memcpy(head + 4, master->id, strlen(master->id));
    return RAND_bytes(nonce, NONCE_BYTES) == 1 &&
           seal(ctx, master->bytes, nonce, name, NAME_CHARS, key, KEY_BYTES, nonce + NONCE_BYTES,
                nonce + NONCE_BYTES + KEY_BYTES);
}

/* ---- writing ---- */

static apr_status_t end_writer(void *data)
{
    fw_vault_writer *w = data;

    if (w->fd >= 0) {
        close(w->fd);
        unlink(w->staged);
    }
    w->fd = -1;
    EVP_CIPHER_CTX_free(w->ctx);
    EVP_MD_CTX_free(w->sha);
    w->ctx = NULL;
    w->sha = NULL;
    OPENSSL_cleanse(w->key, sizeof(w->key));
    OPENSSL_cleanse(w->buffer, sizeof(w->buffer));
    return APR_SUCCESS;
}

static bool draw_name(fw_vault_writer *w)
{
    unsigned char raw[NAME_CHARS / 2];

    if (RAND_bytes(raw, sizeof(raw)) != 1 || RAND_bytes(w->key, KEY_BYTES) != 1)
        return false;
    for (size_t i = 0; i < sizeof(raw); i++)
        apr_snprintf(w->name + 2 * i, 3, "%02x", raw[i]);
    return true;
}

const fw_err *fw_vault_create(fw_vault_writer **out, fw_vault *vault, apr_pool_t *pool)
{
    fw_vault_writer *w = apr_pcalloc(pool, sizeof(*w));
    unsigned char head[HEAD_BYTES];

    w->vault = vault;
    w->pool = pool;
    w->fd = -1;
    w->ctx = EVP_CIPHER_CTX_new();
    w->sha = EVP_MD_CTX_new();
    apr_pool_cleanup_register(pool, w, end_writer, apr_pool_cleanup_null);
    if (!w->ctx || !w->sha || !draw_name(w) || !EVP_DigestInit_ex(w->sha, EVP_sha256(), NULL) ||
        !make_head(vault, w->ctx, w->name, w->key, head))
        return FW_ERR(pool, FW_E_INTERNAL, 0, "no cipher for the vault");
    w->staged = apr_psprintf(pool, "%s/" FW_VAULT_STAGING "/%s", vault->dir, w->name);
    w->fd = open(w->staged, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (w->fd < 0)
        return FW_ERR(pool, FW_E_UNAVAILABLE, errno, "the vault's staging cannot be written");
    FW_TRY(write_all(w->fd, head, sizeof(head), pool));
    *out = w;
    return NULL;
}

static const fw_err *put_chunk(fw_vault_writer *w, bool last)
{
    unsigned char nonce[NONCE_BYTES], aad[9];
    unsigned char frame[4 + CHUNK + TAG_BYTES], *out = frame + 4;

    chunk_names(w->chunks++, last, nonce, aad);
    if (!seal(w->ctx, w->key, nonce, aad, sizeof(aad), w->buffer, w->have, out, out + w->have))
        return FW_ERR(w->pool, FW_E_INTERNAL, 0, "a chunk could not be sealed");
    put_be(frame, (uint32_t)w->have | (last ? LAST : 0), 4);
    FW_TRY(write_all(w->fd, frame, FRAME + w->have, w->pool));
    w->have = 0;
    return NULL;
}

const fw_err *fw_vault_write(fw_vault_writer *w, const void *data, size_t n)
{
    const unsigned char *p = data;

    EVP_DigestUpdate(w->sha, data, n);
    w->size += (int64_t)n;
    while (n) {
        size_t part = CHUNK - w->have < n ? CHUNK - w->have : n;

        /* A full buffer is not the last chunk only once more comes. */
        if (part == 0) {
            FW_TRY(put_chunk(w, false));
            continue;
        }
        memcpy(w->buffer + w->have, p, part);
        w->have += part;
        p += part;
        n -= part;
    }
    return NULL;
}

static const fw_err *sync_folder(const char *dir, apr_pool_t *pool)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), bad;

    if (fd < 0)
        return FW_ERR(pool, FW_E_UNAVAILABLE, errno, "a folder of the vault cannot be opened");
    bad = fsync(fd) ? errno : 0;
    close(fd);
    return bad ? FW_ERR(pool, FW_E_UNAVAILABLE, bad, "a folder of the vault cannot be synced")
               : NULL;
}

/* The folder of a file, on disk for good. That it is there says nothing: who made it may have been killed before the sync. */
static const fw_err *make_folder(fw_vault *v, const char *dir, const char *name, apr_pool_t *pool)
{
    const char two[] = {name[0], name[1], '\0'};
    atomic_bool *is_on_disk = &v->is_on_disk[strtoul(two, NULL, 16)];

    if (mkdir(dir, 0700) && errno != EEXIST)
        return FW_ERR(pool, FW_E_UNAVAILABLE, errno, "no folder in the vault");
    if (!atomic_load(is_on_disk))
        FW_TRY(sync_folder(v->dir, pool));
    atomic_store(is_on_disk, true);
    return NULL;
}

/* A whole staged file into its place, for good; `*fd` is closed and -1 once it is there. */
static const fw_err *move_in(fw_vault *v, int *fd, const char *staged, const char *name,
                             apr_pool_t *pool)
{
    const char *dir = apr_psprintf(pool, "%s/%.2s", v->dir, name);
    int open_fd = *fd;

    FW_TRY(make_folder(v, dir, name, pool));
    if (fsync(open_fd))
        return FW_ERR(pool, FW_E_UNAVAILABLE, errno, "a file of the vault cannot be synced");
    if (rename(staged, path_of(v, name, pool)))
        return FW_ERR(pool, FW_E_UNAVAILABLE, errno, "a file cannot be moved into the vault");
    *fd = -1;
    if (close(open_fd))
        return FW_ERR(pool, FW_E_UNAVAILABLE, errno, "a file of the vault cannot be closed");
    return sync_folder(dir, pool);
}

const fw_err *fw_vault_finish(fw_vault_writer *w, const char **name, int64_t *size,
                              const char **sha256, apr_pool_t *pool)
{
    FW_TRY(put_chunk(w, true));
    FW_TRY(move_in(w->vault, &w->fd, w->staged, w->name, w->pool));
    *name = apr_pstrdup(pool, w->name);
    *size = w->size;
    *sha256 = fw_sha256_end(w->sha, pool);
    apr_pool_cleanup_run(w->pool, w, end_writer);
    return NULL;
}

void fw_vault_abort(fw_vault_writer *w)
{
    apr_pool_cleanup_run(w->pool, w, end_writer);
}

/* ---- reading ---- */

static apr_status_t end_reader(void *data)
{
    fw_vault_reader *r = data;

    if (r->fd >= 0)
        close(r->fd);
    EVP_CIPHER_CTX_free(r->ctx);
    OPENSSL_cleanse(r->key, sizeof(r->key));
    OPENSSL_cleanse(r->clear, sizeof(r->clear));
    return APR_SUCCESS;
}

/* False with errno 0 where the file ends too soon. */
static bool read_full(int fd, void *out, size_t n)
{
    char *p = out;

    while (n) {
        ssize_t got = read(fd, p, n);

        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            errno = 0;
        if (got <= 0)
            return false;
        p += got;
        n -= (size_t)got;
    }
    return true;
}

/* After read_full(): what the disk does not give now it may give later, what is not there is lost. */
static const fw_err *cut_off(const char *name, apr_pool_t *pool)
{
    int os = errno;

    if (os)
        return FW_ERR(pool, FW_E_UNAVAILABLE, os, "%s cannot be read", name);
    return FW_ERR(pool, FW_E_CORRUPT, 0, "%s is cut off", name);
}

/* With its padding: no bit of the head is free. */
static bool id_is(const unsigned char *stored, const char *id)
{
    char padded[ID_BYTES] = "";

    memcpy(padded, id, strlen(id));
    return memcmp(stored, padded, ID_BYTES) == 0;
}

static bool open_head(const fw_vault *v, EVP_CIPHER_CTX *ctx, const char *name, unsigned char *head,
                      unsigned char *key, char *id)
{
    unsigned char *nonce = head + 4 + ID_BYTES;

    memcpy(id, head + 4, ID_BYTES);
    if (memcmp(head, MAGIC, 4) != 0)
        return false;
    for (int i = 0; i < v->n_keys; i++) {
        if (id_is(head + 4, v->keys[i].id))
            return unseal(ctx, v->keys[i].bytes, nonce, name, NAME_CHARS, nonce + NONCE_BYTES,
                          KEY_BYTES, key, nonce + NONCE_BYTES + KEY_BYTES);
    }
    return false;
}

static int64_t clear_size(int64_t file)
{
    int64_t rest = file - HEAD_BYTES;
    int64_t chunks = (rest + CHUNK + FRAME - 1) / (CHUNK + FRAME);

    return rest - chunks * FRAME;
}

const fw_err *fw_vault_read_open(fw_vault_reader **out, fw_vault *vault, const char *name,
                                 apr_pool_t *pool)
{
    fw_vault_reader *r;
    unsigned char head[HEAD_BYTES];
    struct stat st;

    if (!name_is_good(name))
        return FW_ERR(pool, FW_E_NOTFOUND, 0, "not a name in the vault");
    r = apr_pcalloc(pool, sizeof(*r));
    r->pool = pool;
    r->fd = open(path_of(vault, name, pool), O_RDONLY | O_CLOEXEC);
    if (r->fd < 0)
        return FW_ERR(pool, errno == ENOENT ? FW_E_NOTFOUND : FW_E_UNAVAILABLE, errno,
                      "%s is not in the vault", name);
    r->ctx = EVP_CIPHER_CTX_new();
    apr_pool_cleanup_register(pool, r, end_reader, apr_pool_cleanup_null);
    if (fstat(r->fd, &st) || !read_full(r->fd, head, sizeof(head)))
        return cut_off(name, pool);
    if (!open_head(vault, r->ctx, name, head, r->key, r->key_id))
        return FW_ERR(pool, FW_E_CORRUPT, 0, "%s: its head fails", name);
    r->size = clear_size(st.st_size);
    *out = r;
    return NULL;
}

int64_t fw_vault_size(const fw_vault_reader *r)
{
    return r->size;
}

const fw_err *fw_vault_read(fw_vault_reader *r, const unsigned char **data, size_t *n)
{
    unsigned char head[4], nonce[NONCE_BYTES], aad[9];
    uint32_t word;
    size_t length;
    bool last;

    *n = 0;
    if (r->ended)
        return NULL;
    if (!read_full(r->fd, head, sizeof(head)))
        return cut_off("a file of the vault", r->pool);
    word = (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 | head[3];
    last = word & LAST;
    length = word & ~LAST;
    if (length > CHUNK || (!last && length != CHUNK))
        return FW_ERR(r->pool, FW_E_CORRUPT, 0, "a chunk of %d bytes", (int)length);
    if (!read_full(r->fd, r->cipher, length + TAG_BYTES))
        return cut_off("a file of the vault", r->pool);
    chunk_names(r->chunks++, last, nonce, aad);
    if (!unseal(r->ctx, r->key, nonce, aad, sizeof(aad), r->cipher, length, r->clear,
                r->cipher + length))
        return FW_ERR(r->pool, FW_E_CORRUPT, 0, "chunk %d of a file of the vault fails",
                      (int)r->chunks);
    if (last && read_full(r->fd, head, 1))
        return FW_ERR(r->pool, FW_E_CORRUPT, 0, "a file of the vault goes on after its end");
    if (last && errno)
        return cut_off("a file of the vault", r->pool);
    r->ended = last;
    *data = r->clear;
    *n = length;
    return NULL;
}

/* ---- upkeep ---- */

bool fw_vault_has(const fw_vault *vault, const char *name, apr_pool_t *pool)
{
    return name_is_good(name) && access(path_of(vault, name, pool), F_OK) == 0;
}

const fw_err *fw_vault_remove(fw_vault *vault, const char *name, apr_pool_t *pool)
{
    if (!name_is_good(name))
        return FW_ERR(pool, FW_E_NOTFOUND, 0, "not a name in the vault");
    if (unlink(path_of(vault, name, pool)) && errno != ENOENT)
        return FW_ERR(pool, FW_E_UNAVAILABLE, errno, "%s cannot be removed", name);
    return NULL;
}

/* The sealed chunks as they are, behind another head. */
static const fw_err *copy_behind(int to, fw_vault_reader *r, const unsigned char *head,
                                 apr_pool_t *pool)
{
    ssize_t n;

    FW_TRY(write_all(to, head, HEAD_BYTES, pool));
    do {
        n = read(r->fd, r->cipher, sizeof(r->cipher));
        if (n > 0)
            FW_TRY(write_all(to, r->cipher, (size_t)n, pool));
    } while (n > 0 || (n < 0 && errno == EINTR));
    return n < 0 ? FW_ERR(pool, FW_E_UNAVAILABLE, errno, "a file of the vault cannot be read")
                 : NULL;
}

/* A copy takes the file's place in one step: the only wrapped key is never half written. */
static const fw_err *replace_head(fw_vault *vault, fw_vault_reader *r, const char *name,
                                  const unsigned char *head, apr_pool_t *pool)
{
    const char *staged =
        apr_psprintf(pool, "%s/" FW_VAULT_STAGING "/%s.%d", vault->dir, name, (int)getpid());
    const fw_err *err;
    int fd;

    unlink(staged);
    fd = open(staged, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return FW_ERR(pool, FW_E_UNAVAILABLE, errno, "the vault's staging cannot be written");
    err = copy_behind(fd, r, head, pool);
    if (!err)
        err = move_in(vault, &fd, staged, name, pool);
    if (fd >= 0) {
        close(fd);
        unlink(staged);
    }
    return err;
}

const fw_err *fw_vault_rewrap(fw_vault *vault, const char *name, apr_pool_t *pool)
{
    fw_vault_reader *r = NULL;
    unsigned char head[HEAD_BYTES];
    const fw_err *err = NULL;

    FW_TRY(fw_vault_read_open(&r, vault, name, pool));
    if (strcmp(r->key_id, vault->keys[0].id) != 0) {
        if (!make_head(vault, r->ctx, name, r->key, head))
            err = FW_ERR(pool, FW_E_INTERNAL, 0, "the key could not be wrapped");
        else
            err = replace_head(vault, r, name, head, pool);
    }
    apr_pool_cleanup_run(pool, r, end_reader);
    return err;
}

static const fw_err *walk_folder(const char *folder, fw_vault_each_fn each, void *baton,
                                 apr_pool_t *pool)
{
    DIR *d = opendir(folder);
    const fw_err *err = NULL;
    struct dirent *e;
    struct stat st;

    if (!d)
        return errno == ENOENT
                   ? NULL
                   : FW_ERR(pool, FW_E_UNAVAILABLE, errno, "a folder of the vault cannot be read");
    for (e = readdir(d); e && !err; e = readdir(d)) {
        if (name_is_good(e->d_name) && fstatat(dirfd(d), e->d_name, &st, 0) == 0)
            err = each(baton, e->d_name, apr_time_from_sec(st.st_mtime));
    }
    closedir(d);
    return err;
}

const fw_err *fw_vault_walk(fw_vault *vault, fw_vault_each_fn each, void *baton,
                            apr_pool_t *scratch)
{
    for (int i = 0; i < 256; i++)
        FW_TRY(walk_folder(apr_psprintf(scratch, "%s/%02x", vault->dir, (unsigned)i), each, baton,
                           scratch));
    return NULL;
}

const fw_err *fw_vault_sweep_staging(fw_vault *vault, apr_time_t before, int *swept,
                                     apr_pool_t *pool)
{
    DIR *d = opendir(apr_pstrcat(pool, vault->dir, "/" FW_VAULT_STAGING, NULL));
    struct dirent *e;
    struct stat st;

    *swept = 0;
    if (!d)
        return FW_ERR(pool, FW_E_UNAVAILABLE, errno, "the vault's staging cannot be read");
    for (e = readdir(d); e; e = readdir(d)) {
        if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
            apr_time_from_sec(st.st_mtime) < before && unlinkat(dirfd(d), e->d_name, 0) == 0)
            ++*swept;
    }
    closedir(d);
    return NULL;
}
