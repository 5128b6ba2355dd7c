#include "fw_config.h"
#include "fwc_restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "fw_db_copy.h"
#include "fw_file.h"
#include "fw_migrate.h"
#include "fwc_audit.h"
#include "fwc_parts.h"

#define PART ".restoring" /* SQLite's file until it is whole */

/* ---- keys ---- */

static bool begins(const char *name, const char *with)
{
    return strncmp(name, with, strlen(with)) == 0;
}

/* One that is there stays: it may be newer. */
static const fw_err *place_key(void *baton, const char *name, apr_pool_t *scratch)
{
    const fwc_restoring *r = baton;
    const fw_settings *s = r->c->settings;
    const char *text = NULL, *path = s->vault_keys;
    const fw_err *err;

    if (!begins(name, "keys/"))
        return NULL;
    if (begins(name, "keys/signing/"))
        path = apr_pstrcat(scratch, s->keys_dir, name + strlen("keys/signing"), NULL);
    FW_TRY(fwc_read_file(&text, apr_pstrcat(scratch, r->dir, "/", name, NULL), scratch));
    err = fwc_write_file(path, text, 0600, false, scratch);
    return err && err->code == FW_E_CONFLICT ? NULL : err;
}

/* By the rights of who called. What the backup needs and is not here is told before anything is placed. */
static const fw_err *have_keys(const fwc_restoring *r)
{
    const json_t *wanted = json_object_get(r->manifest, "vault_keys");
    const char *path = r->c->settings->vault_keys, *text = NULL;
    fw_vault_key *keys = NULL;
    int n = 0;

    if (access(path, F_OK) != 0)
        return FW_ERR(r->pool, FW_E_CONFIG, 0,
                      "FwPermitVaultKeys: %s is not there, and the backup is without it: put its "
                      "copy in place",
                      path);
    FW_TRY(fwc_read_file(&text, path, r->pool));
    FW_TRY(fw_vault_keys_parse(&keys, &n, text, path, r->pool));
    for (size_t i = 0; i < json_array_size(wanted); i++) {
        const char *id = json_string_value(json_array_get(wanted, i));
        bool have = false;

        for (int k = 0; k < n && !have; k++)
            have = id && strcmp(keys[k].id, id) == 0;
        if (!have)
            return FW_ERR(r->pool, FW_E_CONFIG, 0,
                          "FwPermitVaultKeys: %s lacks the master key %s of the backup", path,
                          id ? id : "?");
    }
    return NULL;
}

static const fw_err *place_keys(fwc_restoring *r)
{
    const char *dir = r->c->settings->keys_dir;

    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return FW_ERR(r->pool, FW_E_CONFIG, errno, "%s cannot be made", dir);
    FW_TRY(fwc_parts_each(r->dir, place_key, r, r->pool));
    return have_keys(r);
}

/* ---- the other parts ---- */

typedef struct placing {
    const fwc_restoring *r;
    struct stat owner; /* of the vault */
} placing;

static const char *target_of(const fwc_restoring *r, const char *name, apr_pool_t *pool)
{
    const fw_settings *s = r->c->settings;
    const struct {
        const char *part, *dir;
    } folders[] = {{"vault", s->vault_dir}, {"journal", s->journal_dir}, {"public", s->public_dir}};

    if (strcmp(name, "anchor") == 0)
        return s->anchor;
    if (strcmp(name, FWC_DATABASE) == 0)
        return r->database ? apr_pstrcat(pool, r->database, PART, NULL) : NULL;
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        size_t n = strlen(folders[i].part);

        if (begins(name, folders[i].part) && name[n] == '/')
            return apr_pstrcat(pool, folders[i].dir, name + n, NULL);
    }
    return NULL;
}

static bool give(const placing *p, const char *path)
{
    return geteuid() != 0 || lchown(path, p->owner.st_uid, p->owner.st_gid) == 0;
}

/* The folder of a file, 0700 but for what anyone may fetch. */
static const fw_err *have_folder(const placing *p, const char *path, mode_t mode, apr_pool_t *pool)
{
    const char *dir = apr_pstrmemdup(pool, path, (apr_size_t)(strrchr(path, '/') - path));

    if (mkdir(dir, mode) != 0)
        return errno == EEXIST ? NULL : FW_ERR(pool, FW_E_CONFIG, errno, "%s cannot be made", dir);
    return chmod(dir, mode) == 0 && give(p, dir)
               ? NULL
               : FW_ERR(pool, FW_E_CONFIG, errno, "%s cannot be given to its owner", dir);
}

static const fw_err *copy(const placing *p, const char *from, const char *to, mode_t mode,
                          apr_pool_t *pool)
{
    int source = open(from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    int target = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);
    const char *sha256 = NULL;
    const fw_err *err = NULL;

    if (source < 0 || target < 0)
        err = FW_ERR(pool, FW_E_UNAVAILABLE, errno, "%s cannot be opened", source < 0 ? from : to);
    if (!err)
        err = fw_file_copy(source, target, &sha256, pool);
    if (!err && (fchmod(target, mode) != 0 || !give(p, to)))
        err = FW_ERR(pool, FW_E_UNAVAILABLE, errno, "its owner and rights cannot be set");
    if (source >= 0)
        close(source);
    if (target >= 0 && close(target) != 0 && !err)
        err = FW_ERR(pool, FW_E_UNAVAILABLE, errno, "it cannot be closed");
    return err ? FW_WRAP(pool, err, "%s", to) : NULL;
}

static const fw_err *place(void *baton, const char *name, apr_pool_t *scratch)
{
    const placing *p = baton;
    const char *to = target_of(p->r, name, scratch);
    bool open = begins(name, "public/");

    if (!to)
        return NULL;
    FW_TRY(have_folder(p, to, open ? 0755 : 0700, scratch));
    return copy(p, apr_pstrcat(scratch, p->r->dir, "/", name, NULL), to, open ? 0644 : 0600,
                scratch);
}

static const char *mark_of(const fwc_restoring *r)
{
    return apr_pstrcat(r->pool, r->c->settings->vault_dir, "/" FW_VAULT_RESTORING, NULL);
}

/* The mark first, with the backup's SHA-256 in it, so that what lies there is known for half of a platform; and on the disk before the database is loaded. */
static const fw_err *place_all(const fwc_restoring *r)
{
    const char *sums = json_string_value(json_object_get(r->manifest, "sums_sha256"));
    placing p = {.r = r};
    int fd;
    bool ok;

    if (stat(r->c->settings->vault_dir, &p.owner) != 0)
        return FW_ERR(r->pool, FW_E_CONFIG, errno, "FwPermitVault: %s", r->c->settings->vault_dir);
    FW_TRY(fw_file_put(mark_of(r), sums, 0600, r->pool));
    if (!give(&p, mark_of(r)))
        return FW_ERR(r->pool, FW_E_UNAVAILABLE, errno, "%s", mark_of(r));
    FW_TRY(fwc_parts_each(r->dir, place, &p, r->pool));
    fd = open(r->c->settings->vault_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ok = fd >= 0 && syncfs(fd) == 0;
    if (fd >= 0)
        close(fd);
    return ok ? NULL : FW_ERR(r->pool, FW_E_UNAVAILABLE, errno, "what was placed cannot be synced");
}

/* ---- the database ---- */

/* PostgreSQL, as the server's user: what has a schema is not empty. */
static const fw_err *look_into_database(const fwc_restoring *r)
{
    int has = 0;

    FW_TRY(fwc_open(r->c, FWC_DESK));
    FW_TRY(fw_migrate_current(&has, r->c->db, r->pool));
    return has && !r->resumed
               ? FW_ERR(r->pool, FW_E_CONFLICT, 0,
                        "FwPermitDatabase: the database has a schema already; give an empty one")
               : NULL;
}

/* SQLite: the file gets its name when all the rest is on the disk. One that has it was placed before, but for an empty one,
 * which whoever only looks leaves behind. */
static const fw_err *name_database(const fwc_restoring *r)
{
    const char *part = apr_pstrcat(r->pool, r->database, PART, NULL);
    struct stat st;

    if (stat(r->database, &st) == 0 && st.st_size == 0)
        unlink(r->database);
    if (renameat2(AT_FDCWD, part, AT_FDCWD, r->database, RENAME_NOREPLACE) == 0)
        return NULL;
    if (errno != EEXIST)
        return FW_ERR(r->pool, FW_E_UNAVAILABLE, errno, "%s cannot be made", r->database);
    unlink(part);
    return NULL;
}

/* As the server's user. `fd`: the backup's copy, for PostgreSQL; what was loaded before is left as it is. */
static const fw_err *load(const fwc_restoring *r, int fd)
{
    const fw_settings *s = r->c->settings;
    const fw_db_config config = {.driver = s->db_driver, .params = s->db_params};
    const char *dir = apr_pstrcat(r->pool, s->sql_dir, "/schema", NULL);
    int has = 0, done = 0;

    FW_TRY(fw_migrate_current(&has, r->c->db, r->pool));
    if (!has)
        FW_TRY(fw_db_load(&config, fd, r->pool));
    FW_TRY(fw_migrate_run(r->c->db, dir, &done, r->pool));
    if (done)
        fwc_say(r->c, "%d migration%s run", done, done == 1 ? "" : "s");
    return NULL;
}

/* ---- the round ---- */

static const fw_err *load_and_verify(fwc_restoring *r, int fd)
{
    fw_audit_key *key = NULL;
    fw_audit_check check = {.is_signed = fw_audit_key_signed, .anchor = r->c->settings->anchor};

    FW_TRY(fwc_audit_keys(r->c, &key));
    FW_TRY(fwc_open(r->c, FWC_VAULT));
    check.baton = key;
    FW_TRY(load(r, fd));
    FW_TRY(fwc_restore_verify(r));
    FW_TRY(fwc_audit_tell(r->c, &check));
    if (r->faults)
        r->c->rc = FWC_REFUSED;
    unlink(mark_of(r));
    fwc_say(r->c, "restored from %s of %s%s", r->dir,
            json_string_value(json_object_get(r->manifest, "made")),
            r->c->rc ? ", with what is wrong above" : "");
    return NULL;
}

static const fw_err *put_back(fwc_restoring *r)
{
    const char *path = apr_pstrcat(r->pool, r->dir, "/" FWC_DATABASE, NULL);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    const fw_err *err;

    if (fd < 0)
        return FW_ERR(r->pool, FW_E_CORRUPT, errno, "%s cannot be read", path);
    err = place_all(r);
    if (!err && r->database)
        err = name_database(r);
    if (!err)
        err = load_and_verify(r, fd);
    close(fd);
    return err;
}

const fw_err *fwc_restore(fwc *c)
{
    fwc_restoring r = {.c = c, .pool = c->pool, .dir = fwc_folder_path(c->words[0], c->pool)};
    bool child = false;

    FW_TRY(fw_settings_database(c->settings, &c->settings->db_params, c->pool));
    if (strcmp(c->settings->db_driver, "sqlite3") == 0)
        r.database = c->settings->db_params;
    FW_TRY(fwc_restore_check(&r));
    if (!r.database) {
        FW_TRY(fwc_fork(c, &child));
        if (child)
            return look_into_database(&r);
        if (c->rc != FWC_DONE)
            return NULL;
    }
    FW_TRY(place_keys(&r));
    return put_back(&r);
}
