#include "fw_config.h"
#include "fwc_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>
#include <jansson.h>

#include "fw_date.h"
#include "fw_db_copy.h"
#include "fw_json.h"
#include "fw_migrate.h"
#include "fw_store_audit.h"
#include "fw_store_vault.h"

typedef struct backup {
    fwc *c;
    apr_pool_t *pool;
    const char *dir, *part; /* part: its name until it is whole */
    fwc_parts *parts;
    fw_vault *vault;
    json_t *manifest;
    apr_array_header_t *lost; /* files that rows name and the vault does not have: const char * */
} backup;

static const char *in(const backup *b, const char *name)
{
    return apr_pstrcat(b->pool, b->part, "/", name, NULL);
}

/* ---- the folder ---- */

static const fw_err *begin(backup *b)
{
    struct stat st;

    if (lstat(b->dir, &st) == 0)
        return FW_ERR(b->pool, FW_E_CONFLICT, 0, "%s is there already", b->dir);
    if (mkdir(b->part, 0700) != 0)
        return errno == EEXIST ? FW_ERR(b->pool, FW_E_CONFLICT, 0,
                                        "%s is there, of a backup that was broken off: remove it, "
                                        "unless one runs",
                                        b->part)
                               : FW_ERR(b->pool, FW_E_CONFIG, errno, "%s cannot be made", b->part);
    return NULL;
}

/* Into the hands of who owns the vault: the server's user does the rest. */
static const fw_err *hand_over(const backup *b)
{
    struct stat st;
    const char *vault = b->c->settings->vault_dir;

    if (geteuid() != 0)
        return NULL;
    if (stat(vault, &st) != 0)
        return FW_ERR(b->pool, FW_E_CONFIG, errno, "%s: `fwpermitctl doctor` says more", vault);
    return chown(b->part, st.st_uid, st.st_gid) == 0
               ? NULL
               : FW_ERR(b->pool, FW_E_CONFIG, errno, "%s cannot be given to the server's user",
                        b->part);
}

/* Its name comes last, when everything is on the disk: half a backup never has it. */
static const fw_err *settle(const backup *b)
{
    int fd = open(b->part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && syncfs(fd) == 0 &&
              renameat2(AT_FDCWD, b->part, AT_FDCWD, b->dir, RENAME_NOREPLACE) == 0 &&
              syncfs(fd) == 0;

    if (fd >= 0)
        close(fd);
    return ok ? NULL
              : FW_ERR(b->pool, FW_E_UNAVAILABLE, errno, "%s cannot become %s", b->part, b->dir);
}

/* ---- keys ---- */

/* By the rights of who called: they may be for root's eyes only, and stay root's. */
static const fw_err *take_keys(backup *b)
{
    const fw_settings *s = b->c->settings;

    if (!fwc_option(b->c, "with-keys"))
        return NULL;
    if (mkdir(in(b, "keys"), 0700) != 0)
        return FW_ERR(b->pool, FW_E_UNAVAILABLE, errno, "%s cannot be made", in(b, "keys"));
    FW_TRY(fwc_parts_take(b->parts, s->vault_keys, "keys/vault.keys"));
    return fwc_parts_take_folder(b->parts, fwc_folder_path(s->keys_dir, b->pool), "keys/signing");
}

/* Which master keys a restored platform must have; their names alone. */
static const fw_err *name_keys(backup *b)
{
    const char *text = NULL;
    json_t *list = json_array();
    fw_vault_key *keys = NULL;
    int n = 0;

    json_object_set_new(b->manifest, "vault_keys", list);
    FW_TRY(fwc_read_file(&text, b->c->settings->vault_keys, b->pool));
    FW_TRY(fw_vault_keys_parse(&keys, &n, text, b->c->settings->vault_keys, b->pool));
    for (int i = 0; i < n; i++)
        json_array_append_new(list, json_string(keys[i].id));
    return NULL;
}

/* ---- settings: their names; values may be secrets, and belong to a machine ---- */

static json_t *names_of(json_t *object)
{
    json_t *list = json_array(), *value;
    const char *name;

    json_object_foreach(object, name, value) json_array_append_new(list, json_string(name));
    return list;
}

static void name_settings(const backup *b)
{
    const fw_settings *s = b->c->settings;
    json_t *given = json_array(), *plugins = json_array();
    int n;
    const fw_directive *d = fw_directives(&n);

    for (int i = 0; i < n; i++) {
        if (s->set[i / 64] >> (i % 64) & 1)
            json_array_append_new(given, json_string(d[i].name));
    }
    for (int i = 0; i < s->plugins->nelts; i++) {
        const fw_plugin_conf *p = &APR_ARRAY_IDX(s->plugins, i, fw_plugin_conf);

        json_array_append_new(plugins, json_pack("{s:s, s:s, s:o, s:o}", "name", p->name, "port",
                                                 p->port, "options", names_of(p->options),
                                                 "secrets", names_of(p->secrets)));
    }
    json_object_set_new(b->manifest, "settings", given);
    json_object_set_new(b->manifest, "plugins", plugins);
}

/* ---- what the copy of the database says ---- */

static const fw_err *name_heads(backup *b, fw_db *db)
{
    apr_array_header_t *list = NULL;
    fw_audit_way way = {0};

    FW_TRY(fw_audit_recent(db, 0, 1, &list, b->pool));
    if (list->nelts) {
        const fw_audit *a = &APR_ARRAY_IDX(list, 0, fw_audit);

        json_object_set_new(b->manifest, "audit_head",
                            json_pack("{s:I, s:s}", "id", (json_int_t)a->id, "hash", a->hash));
    }
    FW_TRY(fw_audit_way_load(db, &way, b->pool));
    if (way.sealed == 0)
        return NULL;
    FW_TRY(fw_seal_list(db, way.sealed - 1, 1, &list, b->pool));
    if (list->nelts) {
        const fw_seal *s = &APR_ARRAY_IDX(list, 0, fw_seal);

        json_object_set_new(b->manifest, "seal",
                            json_pack("{s:I, s:s}", "n", (json_int_t)s->n, "hash", s->hash));
    }
    return NULL;
}

/* A file that is gone from the vault is no reason to have no backup; it is told. */
static const fw_err *look_for(void *baton, const fw_vault_row *row, apr_pool_t *scratch)
{
    backup *b = baton;

    if (!fw_vault_has(b->vault, row->name, scratch))
        APR_ARRAY_PUSH(b->lost, const char *) = apr_pstrdup(b->pool, row->name);
    return NULL;
}

static const fw_err *see(void *baton, fw_db *db)
{
    backup *b = baton;
    json_t *counts = json_object();
    int64_t n[FW_COPY_TABLES] = {0};
    int schema = 0;

    json_object_set_new(b->manifest, "counts", counts);
    FW_TRY(fw_migrate_current(&schema, db, b->pool));
    json_object_set_new(b->manifest, "schema", json_integer(schema));
    FW_TRY(fw_db_counts(db, n, b->pool));
    for (int i = 0; i < FW_COPY_TABLES; i++)
        json_object_set_new(counts, fw_copy_tables[i], json_integer(n[i]));
    FW_TRY(name_heads(b, db));
    return fw_vault_named(db, look_for, b, b->pool);
}

/* ---- the parts ---- */

static const fw_err *take_database(backup *b)
{
    const fw_settings *s = b->c->settings;
    const fw_db_config config = {.driver = s->db_driver, .params = s->db_params};

    FW_TRY(fw_db_copy(b->c->db, &config, b->c->desk->sql, in(b, FWC_DATABASE), see, b, b->pool));
    return fwc_parts_note(b->parts, FWC_DATABASE);
}

/* Their order is what makes them fit each other while the platform goes on:
 * - journals before the database: lines go from them into it. In this order a line may be in both, never in neither;
 * - the anchor before the database: it never runs ahead of it. The other way round it might name a seal that the copy of the
 *   database lacks, which is how a cut tail looks;
 * - the database before the vault: a file lies in the vault before a row names it, and no file that a row names is ever
 *   removed. So every file that the copy names is there. */
static const fw_err *take_all(backup *b)
{
    const fw_settings *s = b->c->settings;

    FW_TRY(fwc_parts_take_folder(b->parts, fwc_folder_path(s->journal_dir, b->pool), "journal"));
    FW_TRY(fwc_parts_take(b->parts, s->anchor, "anchor"));
    FW_TRY(take_database(b));
    FW_TRY(fwc_parts_take_folder(b->parts, fwc_folder_path(s->vault_dir, b->pool), "vault"));
    return fwc_parts_take_folder(b->parts, fwc_folder_path(s->public_dir, b->pool), "public");
}

static const fw_err *write_manifest(backup *b)
{
    const char *sums = NULL;
    json_t *o = b->manifest, *lost = json_array();

    FW_TRY(fwc_parts_end(b->parts, &sums));
    for (int i = 0; i < b->lost->nelts; i++)
        json_array_append_new(lost, json_string(APR_ARRAY_IDX(b->lost, i, const char *)));
    json_object_set_new(o, "lost", lost);
    json_object_set_new(o, "files", json_integer(b->parts->files));
    json_object_set_new(o, "bytes", json_integer(b->parts->bytes));
    json_object_set_new(o, "sums_sha256", json_string(sums));
    return fwc_write_file(in(b, FWC_MANIFEST), fw_json_text(o, JSON_INDENT(2), b->pool), 0600,
                          false, b->pool);
}

static void tell(const backup *b)
{
    for (int i = 0; i < b->lost->nelts; i++)
        fwc_say(b->c, "lost: %s is named by a row and not in the vault",
                APR_ARRAY_IDX(b->lost, i, const char *));
    fwc_say(b->c, "%s: %" APR_INT64_T_FMT " files, %" APR_INT64_T_FMT " bytes", b->dir,
            b->parts->files, b->parts->bytes);
    if (!fwc_option(b->c, "with-keys"))
        fwc_say(b->c, "the keys are not in it: keep %s and %s too, apart from it",
                b->c->settings->vault_keys, b->c->settings->keys_dir);
    if (b->lost->nelts)
        b->c->rc = FWC_REFUSED;
}

/* As the server's user. */
static const fw_err *fill(backup *b)
{
    FW_TRY(fwc_open(b->c, FWC_DESK));
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    FW_TRY(fw_vault_open(&b->vault, b->c->settings->vault_dir, NULL, 0, b->pool));
    json_object_set_new(b->manifest, "made", json_string(fw_time_iso(apr_time_now(), b->pool)));
    FW_TRY(take_all(b));
    FW_TRY(write_manifest(b));
    tell(b);
    return NULL;
}

/* `*child`: this is the process that filled it. */
static const fw_err *make(backup *b, bool *child)
{
    FW_TRY(name_keys(b));
    FW_TRY(fwc_parts_begin(&b->parts, b->part, b->pool));
    FW_TRY(take_keys(b));
    FW_TRY(hand_over(b));
    fflush(b->parts->sums);
    FW_TRY(fwc_fork(b->c, child));
    return *child ? fill(b) : NULL;
}

const fw_err *fwc_backup(fwc *c)
{
    backup b = {.c = c, .pool = c->pool, .dir = fwc_folder_path(c->words[0], c->pool)};
    bool child = false;
    const fw_err *err;

    b.part = apr_pstrcat(c->pool, b.dir, ".part", NULL);
    b.lost = apr_array_make(c->pool, 4, sizeof(const char *));
    b.manifest = fw_json_keep(
        json_pack("{s:s, s:s}", "format", FWC_FORMAT, "driver", c->settings->db_driver), c->pool);
    name_settings(&b);
    FW_TRY(begin(&b));
    err = make(&b, &child);
    if (child)
        return err;
    /* The manifest is written last. */
    if (!err && access(in(&b, FWC_MANIFEST), F_OK) == 0)
        return settle(&b);
    fwc_folder_remove(b.part);
    return err;
}
