#include "fw_config.h"
#include "fwc_doctor.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>

#include "fwc_cert.h"

#define ANYBODY_ELSE (S_IRWXG | S_IRWXO)
#define SOON_S       (30 * 86400)
#define ENTRY        "fwpermit_plugin"
#define NO_PLUGIN    9 /* exit code of the child that tries */

/* ---- the master key ---- */

/* Of a file that is secret: there, readable by us, and by nobody else. */
static bool check_secret(fwc_doctor *d, const char *what, const char *path, const char *make)
{
    struct stat st;

    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
        fwc_fault(d, make, "%s: %s is not there", what, path);
        return false;
    }
    if (st.st_mode & (S_IRWXO | S_IWGRP))
        fwc_fault(d, fwc_text(d, "chmod 0600 %s", path), "%s: %s is open to others", what, path);
    if (st.st_size == 0)
        fwc_fault(d, make, "%s: %s is empty", what, path);
    if (access(path, R_OK) != 0)
        fwc_note(d, "%s: %s is not for us to read; run this as root", what, path);
    return st.st_size > 0 && access(path, R_OK) == 0;
}

void fwc_check_master_key(fwc_doctor *d)
{
    const char *path = d->s->vault_keys, *text = NULL;
    fw_vault_key *keys = NULL;
    int n = 0;
    const fw_err *err;

    if (!check_secret(d, "FwPermitVaultKeys", path, "fwpermitctl key init"))
        return;
    err = fwc_read_file(&text, path, d->pool);
    if (!err)
        err = fw_vault_keys_parse(&keys, &n, text, path, d->pool);
    if (err)
        fwc_fault(d, fwc_text(d, "bring %s back from its safe copy", path), "%s",
                  fw_err_text(err, d->pool));
    else
        fwc_good(d, "%d master key%s, %s is current", n, n == 1 ? "" : "s", keys[0].id);
}

/* ---- signing keys ---- */

static bool is_trial(const X509 *cert)
{
    X509_NAME_ENTRY *e;
    int at = X509_NAME_get_index_by_NID(X509_get_issuer_name(cert), NID_commonName, -1);

    if (at < 0)
        return false;
    e = X509_NAME_get_entry(X509_get_issuer_name(cert), at);
    return strcmp((const char *)ASN1_STRING_get0_data(X509_NAME_ENTRY_get_data(e)),
                  "CA for trials") == 0;
}

static void check_validity(fwc_doctor *d, const char *name, const X509 *cert)
{
    time_t now = time(NULL), soon = now + SOON_S;
    const char *mend = fwc_text(d,
                                "move %s/%s.crt away and put one of your CA there, or "
                                "`fwpermitctl key init` for trials; then reload",
                                d->s->keys_dir, name);

    if (X509_cmp_time(X509_get0_notBefore(cert), &now) > 0)
        fwc_fault(d, mend, "the certificate of %s is not valid yet", name);
    else if (X509_cmp_time(X509_get0_notAfter(cert), &now) < 0)
        fwc_fault(d, mend, "the certificate of %s has expired", name);
    else if (X509_cmp_time(X509_get0_notAfter(cert), &soon) < 0)
        fwc_fault(d, mend, "the certificate of %s ends within 30 days", name);
    else
        fwc_good(d, "the certificate of %s is valid", name);
    if (is_trial(cert) && !d->s->demo)
        fwc_note(d, "the certificate of %s comes from the CA for trials: nobody else trusts it",
                 name);
}

static void check_pair(fwc_doctor *d, const char *name)
{
    const char *base = fwc_text(d, "%s/%s", d->s->keys_dir, name), *key = NULL, *cert = NULL;
    const char *crt = apr_pstrcat(d->pool, base, ".crt", NULL);
    fwc_pair *pair = NULL;
    const fw_err *err;

    if (!check_secret(d, "FwPermitKeys", apr_pstrcat(d->pool, base, ".key", NULL),
                      "fwpermitctl key init"))
        return;
    if (access(crt, F_OK) != 0) {
        fwc_fault(d, "put your CA's answer there, or `fwpermitctl key init`", "%s is not there",
                  crt);
        return;
    }
    err = fwc_read_file(&key, apr_pstrcat(d->pool, base, ".key", NULL), d->pool);
    if (!err)
        err = fwc_read_file(&cert, crt, d->pool);
    if (!err)
        err = fwc_pair_read(&pair, key, cert, d->pool);
    if (err)
        fwc_fault(d, "put the certificate that was made for this key beside it", "%s: %s", base,
                  fw_err_text(err, d->pool));
    else
        check_validity(d, name, pair->cert);
}

void fwc_check_signing_keys(fwc_doctor *d)
{
    static const char *const names[] = {"permit", "receipt", "filing", "audit"};
    struct stat st;

    if (stat(d->s->keys_dir, &st) != 0 || !S_ISDIR(st.st_mode)) {
        fwc_fault(d, "fwpermitctl key init", "FwPermitKeys: %s is not there", d->s->keys_dir);
        return;
    }
    if (st.st_mode & (S_IRWXO | S_IWGRP))
        fwc_fault(d, fwc_text(d, "chmod 0700 %s", d->s->keys_dir),
                  "FwPermitKeys: %s is open to others", d->s->keys_dir);
    if (access(d->s->keys_dir, R_OK | X_OK) != 0) {
        fwc_note(d, "FwPermitKeys: %s is not for us to read; run this as root", d->s->keys_dir);
        return;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        check_pair(d, names[i]);
}

/* ---- plugins ---- */

/* A plugin that cannot be loaded may crash who tries. */
static bool loads(const char *path)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        void *h = dlopen(path, RTLD_NOW | RTLD_LOCAL);

        _exit(h && dlsym(h, ENTRY) ? 0 : NO_PLUGIN);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

static bool lies_in(const char *dir, const char *path)
{
    char real_dir[PATH_MAX], real[PATH_MAX];
    const char *slash;

    if (!realpath(dir, real_dir) || !realpath(path, real))
        return false;
    slash = strrchr(real, '/');
    return (size_t)(slash - real) == strlen(real_dir) &&
           strncmp(real, real_dir, strlen(real_dir)) == 0;
}

static void check_plugin_file(fwc_doctor *d, const fw_plugin_conf *p)
{
    struct stat st;

    if (stat(p->path, &st) != 0)
        fwc_fault(d, "make -f Makefile.apxs install", "plugin %s: %s is not there", p->name,
                  p->path);
    else if (!lies_in(d->s->plugin_dir, p->path))
        fwc_fault(d, fwc_text(d, "move it to %s, or set FwPermitPluginDir", d->s->plugin_dir),
                  "plugin %s: %s does not lie in FwPermitPluginDir", p->name, p->path);
    else if (st.st_uid != 0 && st.st_uid != d->uid)
        fwc_fault(d, fwc_text(d, "chown root %s", p->path),
                  "plugin %s: %s belongs neither to root nor to user %s", p->name, p->path,
                  d->user);
    else if (st.st_mode & (S_IWGRP | S_IWOTH))
        fwc_fault(d, fwc_text(d, "chmod go-w %s", p->path),
                  "plugin %s: %s may be written by others", p->name, p->path);
    else if (!loads(p->path))
        fwc_fault(d, "make -f Makefile.apxs install", "plugin %s: %s cannot be loaded", p->name,
                  p->path);
    else
        fwc_good(d, "plugin %s can be loaded", p->name);
}

static void check_plugin(fwc_doctor *d, const fw_plugin_conf *p)
{
    const char *key, *inbox = NULL;
    json_t *path;

    check_plugin_file(d, p);
    json_object_foreach(p->secrets, key, path)
    {
        const char *file = json_string_value(path);

        check_secret(d, fwc_text(d, "plugin %s, secret %s", p->name, key), file,
                     fwc_text(d, "write it into %s, of mode 0600", file));
    }
    inbox = json_string_value(json_object_get(p->options, "return_url"));
    if (inbox && strncmp(inbox, d->s->base_url, strlen(d->s->base_url)) != 0)
        fwc_note(d, "plugin %s: return_url is not below FwPermitBaseURL: %s", p->name, inbox);
}

void fwc_check_plugins(fwc_doctor *d)
{
    static const char *const ports[] = {"payment", "notify"};
    struct stat st;

    if (stat(d->s->plugin_dir, &st) == 0 && (st.st_mode & (S_IWGRP | S_IWOTH)))
        fwc_fault(d, fwc_text(d, "chmod go-w %s", d->s->plugin_dir),
                  "FwPermitPluginDir: %s may be written by others", d->s->plugin_dir);
    for (int i = 0; i < d->s->plugins->nelts; i++)
        check_plugin(d, &APR_ARRAY_IDX(d->s->plugins, i, fw_plugin_conf));
    for (size_t k = 0; k < sizeof(ports) / sizeof(ports[0]); k++) {
        bool has = false;

        for (int i = 0; i < d->s->plugins->nelts; i++)
            has =
                has || strcmp(APR_ARRAY_IDX(d->s->plugins, i, fw_plugin_conf).port, ports[k]) == 0;
        if (!has)
            fwc_fault(d, "FwPermitPlugin, as in docs/sysadmins/install.md", "no plugin for %s: %s",
                      ports[k], k == 0 ? "nobody can pay" : "nobody is notified");
    }
}
