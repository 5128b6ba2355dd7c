#include "fw_config.h"
#include "fwc_restore.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "fw_file.h"
#include "fw_json.h"
#include "fw_migrate.h"
#include "fwc_parts.h"

#define MANIFEST_MAX 16777216

/* ---- the backup ---- */

static const char *text_of(const fwc_restoring *r, const char *name)
{
    const char *text = json_string_value(json_object_get(r->manifest, name));

    return text ? text : "";
}

static const fw_err *read_manifest(fwc_restoring *r)
{
    const char *path = apr_pstrcat(r->pool, r->dir, "/" FWC_MANIFEST, NULL);
    struct stat st;
    char *text = NULL;

    if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return FW_ERR(r->pool, FW_E_NOTFOUND, 0, "%s is not there: %s is no whole backup", path,
                      r->dir);
    FW_TRY(fw_file_read(&text, NULL, path, MANIFEST_MAX, r->pool));
    r->manifest = fw_json_parse(text, r->pool);
    if (strcmp(text_of(r, "format"), FWC_FORMAT) != 0)
        return FW_ERR(r->pool, FW_E_CORRUPT, 0, "%s is no manifest of " FWC_FORMAT, path);
    return NULL;
}

static const fw_err *check_fit(const fwc_restoring *r)
{
    const fw_settings *s = r->c->settings;
    const char *dir = apr_pstrcat(r->pool, s->sql_dir, "/schema", NULL);
    int has = (int)json_integer_value(json_object_get(r->manifest, "schema")), knows = 0;

    FW_TRY(fw_migrate_newest(&knows, dir, r->pool));
    if (has > knows)
        return FW_ERR(r->pool, FW_E_CONFLICT, 0,
                      "the backup has schema %d, this program knows %d: install the newer one", has,
                      knows);
    if (strcmp(text_of(r, "driver"), s->db_driver) != 0)
        return FW_ERR(r->pool, FW_E_CONFLICT, 0,
                      "the backup is of FwPermitDatabaseDriver %s, and here it is %s",
                      text_of(r, "driver"), s->db_driver);
    return NULL;
}

static void note_missing(const fwc_restoring *r, const char *list, const char *what)
{
    fwc_say(r->c, "note: the platform of the backup had %s %s, this one has not", list, what);
}

/* Settings are not restored, for they belong to a machine: what was set there and is not here is told. */
static void compare_settings(const fwc_restoring *r)
{
    const fw_settings *s = r->c->settings;
    const json_t *given = json_object_get(r->manifest, "settings"), *name, *plugin;
    int n;
    const fw_directive *d = fw_directives(&n);
    size_t at;

    for (int i = 0; i < n; i++) {
        json_array_foreach(given, at, name)
        {
            if (json_is_string(name) && strcmp(json_string_value(name), d[i].name) == 0 &&
                !(s->set[i / 64] >> (i % 64) & 1))
                note_missing(r, "the directive", d[i].name);
        }
    }
    json_array_foreach(json_object_get(r->manifest, "plugins"), at, plugin)
    {
        const char *called = json_string_value(json_object_get(plugin, "name"));

        if (called && !fw_settings_plugin_named(s, called))
            note_missing(r, "the plugin", called);
    }
}

/* ---- the place ---- */

static const fw_err *check_free(const fwc_restoring *r, const char *what, const char *path)
{
    return fwc_folder_is_empty(fwc_folder_path(path, r->pool), FW_VAULT_RESTORING)
               ? NULL
               : FW_ERR(r->pool, FW_E_CONFLICT, 0,
                        "%s: something is at %s already; move it away first", what, path);
}

static const fw_err *check_database_file(const fwc_restoring *r)
{
    struct stat st;

    if (!r->database || r->resumed || stat(r->database, &st) != 0 || st.st_size == 0)
        return NULL;
    return FW_ERR(r->pool, FW_E_CONFLICT, 0,
                  "FwPermitDatabase: %s is there already; move it away first", r->database);
}

/* Of the same backup: then what lies there is its own, and is written once more. */
static const fw_err *look_for_mark(fwc_restoring *r)
{
    const char *path =
        apr_pstrcat(r->pool, r->c->settings->vault_dir, "/" FW_VAULT_RESTORING, NULL);
    char *text = NULL;

    if (access(path, F_OK) != 0)
        return NULL;
    FW_TRY(fw_file_read(&text, NULL, path, MANIFEST_MAX, r->pool));
    if (strcmp(text, text_of(r, "sums_sha256")) != 0)
        return FW_ERR(r->pool, FW_E_CONFLICT, 0,
                      "%s: the restoring of another backup was broken off here; move away what "
                      "there is of it",
                      path);
    r->resumed = true;
    return NULL;
}

static const fw_err *check_place(fwc_restoring *r)
{
    const fw_settings *s = r->c->settings;

    if (fwc_server_runs(r->c))
        return FW_ERR(r->pool, FW_E_CONFLICT, 0, "the server runs: stop it first");
    FW_TRY(look_for_mark(r));
    FW_TRY(check_database_file(r));
    if (r->resumed)
        return NULL;
    FW_TRY(check_free(r, "FwPermitVault", s->vault_dir));
    FW_TRY(check_free(r, "FwPermitJournal", s->journal_dir));
    FW_TRY(check_free(r, "FwPermitPublic", s->public_dir));
    return check_free(r, "FwPermitAnchor", s->anchor);
}

const fw_err *fwc_restore_check(fwc_restoring *r)
{
    FW_TRY(read_manifest(r));
    FW_TRY(check_fit(r));
    FW_TRY(check_place(r));
    FW_TRY(fwc_parts_check(r->dir, text_of(r, "sums_sha256"), r->pool));
    compare_settings(r);
    return NULL;
}
