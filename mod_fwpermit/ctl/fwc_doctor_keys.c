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

#include "fw_signing.h"
#include "fwc_cert.h"
#include "fwpermit_plugin.h"

#define ANYBODY_ELSE (S_IRWXG | S_IRWXO)
#define SOON_S       (30 * 86400)
#define ENTRY        "fwpermit_plugin"
#define NO_PLUGIN    9   /* exit code of the child that tries */
#define WHY_BYTES    500 /* of its reason */

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
    const char *mend = fwc_text(
        d, "fwpermitctl key rotate-signing %s (docs/sysadmins/keys.md), then reload", name);

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

static bool has(const X509_NAME *name, int nid, const char *wanted)
{
    int at = X509_NAME_get_index_by_NID(name, nid, -1);
    const ASN1_STRING *text =
        at < 0 ? NULL : X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));

    return text && ASN1_STRING_length(text) == 2 &&
           memcmp(ASN1_STRING_get0_data(text), wanted, 2) == 0;
}

/* A visible seal names its signer by country and agency, which the certificate must have, and nothing beside. */
static void check_seal_subject(fwc_doctor *d, const X509 *cert)
{
    const X509_NAME *name = X509_get_subject_name(cert);
    const char *signer = d->s->seal_signer;

    if (X509_NAME_entry_count(name) != 2 || !has(name, NID_countryName, signer) ||
        !has(name, NID_commonName, signer + 2))
        fwc_fault(
            d, "set FwPermitSealSigner to it, or fwpermitctl key rotate-signing seal, then reload",
            "the subject of the certificate of seal is not C=%.2s, CN=%s, as "
            "FwPermitSealSigner says",
            signer, signer + 2);
}

/* What can be seen without the PIN; the signer's log tells the rest. */
static void check_token(fwc_doctor *d, const char *name, const char *uri)
{
    const char *pin = fwc_text(d, "%s/%s.pin", d->s->keys_dir, name);
    const char *module = strstr(uri, "module-path=");

    module = module ? module + strlen("module-path=") : "";
    module = apr_pstrndup(d->pool, module, strcspn(module, "&;\r\n"));
    if (access(module, R_OK) != 0)
        fwc_fault(
            d, fwc_text(d, "install it, or mend module-path in %s/%s.key", d->s->keys_dir, name),
            "the PKCS#11 module of %s is not there: %s", name, *module ? module : "none is named");
    if (access(pin, F_OK) == 0)
        check_secret(d, fwc_text(d, "the PIN of %s", name), pin,
                     fwc_text(d, "write it into %s, of mode 0600", pin));
}

static const fw_err *read_cert(fwc_doctor *d, const char *name, const char *base, X509 **cert)
{
    const char *key = NULL, *crt = NULL;
    fwc_pair *pair = NULL;

    FW_TRY(fwc_read_file(&key, apr_pstrcat(d->pool, base, ".key", NULL), d->pool));
    FW_TRY(fwc_read_file(&crt, apr_pstrcat(d->pool, base, ".crt", NULL), d->pool));
    if (strncmp(key, "pkcs11:", strlen("pkcs11:")) == 0) {
        check_token(d, name, key);
        return fwc_cert_read(cert, crt, d->pool);
    }
    FW_TRY(fwc_pair_read(&pair, key, crt, d->pool));
    *cert = pair->cert;
    return NULL;
}

static void check_rotation(fwc_doctor *d, const char *base)
{
    const char *key = apr_pstrcat(d->pool, base, ".next.key", NULL);
    const char *crt = apr_pstrcat(d->pool, base, ".next.crt", NULL);

    if (access(crt, F_OK) == 0 && access(key, F_OK) != 0)
        fwc_fault(d, "fwpermitctl key init", "a rotation was broken off: %s is left over", crt);
}

static void check_pair(fwc_doctor *d, const char *name)
{
    const char *base = fwc_text(d, "%s/%s", d->s->keys_dir, name);
    const char *crt = apr_pstrcat(d->pool, base, ".crt", NULL);
    X509 *cert = NULL;
    const fw_err *err;

    if (!check_secret(d, "FwPermitKeys", apr_pstrcat(d->pool, base, ".key", NULL),
                      "fwpermitctl key init"))
        return;
    if (access(crt, F_OK) != 0) {
        fwc_fault(d, "put your CA's answer there, or `fwpermitctl key init`", "%s is not there",
                  crt);
        return;
    }
    check_rotation(d, base);
    err = read_cert(d, name, base, &cert);
    if (err) {
        fwc_fault(d, "put the certificate that was made for this key beside it", "%s: %s", base,
                  fw_err_text(err, d->pool));
        return;
    }
    check_validity(d, name, cert);
    if (strcmp(name, "seal") == 0)
        check_seal_subject(d, cert);
}

void fwc_check_signing_keys(fwc_doctor *d)
{
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
    for (int i = 0; i < FW_SIGNING_KEYS; i++)
        check_pair(d, fw_signing_names[i]);
}

/* ---- plugins ---- */

/* Within the child: what stands against the plugin, or NULL. */
static const char *try_plugin(const char *path, const char *port)
{
    const fwp_plugin *(*entry)(uint32_t) = NULL;
    void *h = dlopen(path, RTLD_NOW | RTLD_LOCAL), *symbol = h ? dlsym(h, ENTRY) : NULL;
    const fwp_plugin *plugin;

    if (!h)
        return dlerror();
    if (!symbol)
        return "it exports no " ENTRY;
    memcpy(&entry, &symbol, sizeof(entry));
    plugin = entry(FWP_ABI);
    if (!plugin || plugin->abi >> 16 != FWP_ABI_MAJOR)
        return "it is made for another major number of the interface";
    if (plugin->size < offsetof(fwp_plugin, flags) || !plugin->port ||
        strcmp(plugin->port, port) != 0)
        return "it serves another port than FwPermitPlugin says";
    return NULL;
}

/* Why a plugin cannot be loaded, or NULL. It may crash who tries. */
static const char *why_not(fwc_doctor *d, const fw_plugin_conf *p)
{
    char why[WHY_BYTES] = "";
    ssize_t n;
    int ends[2], status = 0;
    pid_t pid;

    if (pipe(ends) != 0)
        return "no pipe";
    pid = fork();
    if (pid == 0) {
        const char *text = try_plugin(p->path, p->port);

        _exit(text && write(ends[1], text, strnlen(text, WHY_BYTES - 1)) > 0 ? NO_PLUGIN : 0);
    }
    close(ends[1]);
    n = read(ends[0], why, sizeof(why) - 1);
    close(ends[0]);
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return "it crashes when it is loaded";
    return n > 0 ? fwc_text(d, "%s", why) : NULL;
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
    const char *why;
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
    else {
        why = why_not(d, p);
        if (why)
            fwc_fault(d, "install one that is made for this version and port",
                      "plugin %s: %s cannot be loaded: %s", p->name, p->path, why);
        else
            fwc_good(d, "plugin %s can be loaded", p->name);
    }
}

/* What is at return_url is asked by the other side. */
static void check_plain(fwc_doctor *d, const fw_plugin_conf *p)
{
    const char *plain = json_string_value(json_object_get(p->options, "http.allow_plain")), *key;
    json_t *value;

    if (plain && strcmp(plain, "yes") == 0)
        return;
    json_object_foreach(p->options, key, value)
    {
        if (strcmp(key, "return_url") == 0 ||
            strncmp(json_string_value(value), "http://", strlen("http://")) != 0)
            continue;
        fwc_fault(d,
                  fwc_text(d, "use https; on trial: FwPermitPluginOption %s http.allow_plain yes",
                           p->name),
                  "plugin %s: %s is http, which it may not speak", p->name, key);
    }
}

static void check_plugin(fwc_doctor *d, const fw_plugin_conf *p)
{
    const char *key, *inbox = NULL;
    json_t *path;

    check_plugin_file(d, p);
    check_plain(d, p);
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
