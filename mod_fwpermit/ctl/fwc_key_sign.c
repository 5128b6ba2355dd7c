#include "fw_config.h"
#include "fwc_key.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>
#include <openssl/x509v3.h>

#include "fw_signing.h"
#include "fwc_cert.h"

/* The signing keys; fw_signing.h tells their files. */

#define CA_DAYS   3650
#define CERT_DAYS 730
#define URI       "pkcs11:"

static const char *const titles[FW_SIGNING_KEYS] = {"Residence permits", "Receipts", "Audit seals",
                                                    NULL};

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static const char *file_of(const fwc *c, const char *name, const char *ending)
{
    return apr_pstrcat(c->pool, c->settings->keys_dir, "/", name, ending, NULL);
}

/* ---- one key and its certificate ---- */

/* *out is NULL for a key in a token, which nobody here can use. */
static const fw_err *read_pair(fwc *c, const char *name, fwc_pair **out)
{
    const char *crt = file_of(c, name, ".crt"), *pem = NULL, *cert = NULL;

    *out = NULL;
    FW_TRY(fwc_read_file(&pem, file_of(c, name, ".key"), c->pool));
    if (strncmp(pem, URI, strlen(URI)) == 0)
        return NULL;
    if (is_there(crt))
        FW_TRY(fwc_read_file(&cert, crt, c->pool));
    return fwc_pair_read(out, pem, cert, c->pool);
}

/* Reads the key `name`, or makes it. */
static const fw_err *have_key(fwc *c, const char *name, fwc_pair **out)
{
    const char *path = file_of(c, name, ".key"), *crt = file_of(c, name, ".crt"), *pem = NULL;

    if (is_there(path)) {
        FW_TRY(read_pair(c, name, out));
        fwc_say(c, "%s is there%s", path, *out ? "" : ", and names the key of a token");
        if (!*out && !is_there(crt))
            fwc_say(c, "put the certificate of that key as %s", crt);
        return NULL;
    }
    if (is_there(crt))
        return FW_ERR(c->pool, FW_E_CONFLICT, 0, "%s is there without its key", crt);
    FW_TRY(fwc_pair_make(out, c->pool));
    FW_TRY(fwc_key_pem(*out, &pem, c->pool));
    FW_TRY(fwc_write_file(path, pem, 0600, false, c->pool));
    fwc_say(c, "%s made", path);
    return NULL;
}

/* Of a visible seal's it is the country and the agency alone, two letters each. */
static fwc_subject subject_of(const fwc *c, int i)
{
    const char *signer = c->settings->seal_signer;
    fwc_subject s = {.country = "TW", .org = c->settings->agency_en, .name = titles[i]};

    if (!s.name)
        s = (fwc_subject){.country = apr_pstrmemdup(c->pool, signer, 2),
                          .name = signer + 2,
                          .short_serial = true};
    return s;
}

static const fw_err *give_cert(fwc *c, fwc_pair *pair, const fwc_pair *issuer, const char *name,
                               const fwc_subject *subject, int days)
{
    const char *path = file_of(c, name, ".crt"), *pem = NULL;

    if (!pair || pair->cert)
        return NULL;
    FW_TRY(fwc_certify(pair, issuer, subject, days, c->pool));
    FW_TRY(fwc_cert_pem(pair, &pem, c->pool));
    FW_TRY(fwc_write_file(path, pem, 0644, false, c->pool));
    fwc_say(c, "%s made, for trials", path);
    return NULL;
}

static const fw_err *give_csr(fwc *c, const fwc_pair *pair, const char *name,
                              const fwc_subject *subject)
{
    const char *path = file_of(c, name, ".csr"), *pem = NULL;

    if (!pair || pair->cert || is_there(path))
        return NULL;
    FW_TRY(fwc_csr_pem(pair, subject, &pem, c->pool));
    FW_TRY(fwc_write_file(path, pem, 0644, false, c->pool));
    fwc_say(c, "%s made: let your CA sign it, and put its answer as %s", path,
            file_of(c, name, ".crt"));
    return NULL;
}

/* ---- a rotation: NAME.next.* take the places of NAME.* ---- */

static const fw_err *sync_keys(const fwc *c)
{
    int fd = open(c->settings->keys_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    return ok ? NULL
              : FW_ERR(c->pool, FW_E_UNAVAILABLE, errno, "%s cannot be kept",
                       c->settings->keys_dir);
}

static const fw_err *take_place(fwc *c, const char *name, const char *ending)
{
    const char *next = apr_pstrcat(c->pool, name, ".next", NULL);

    if (rename(file_of(c, next, ending), file_of(c, name, ending)) != 0 && errno != ENOENT)
        return FW_ERR(c->pool, FW_E_CONFIG, errno, "%s cannot be put in its place",
                      file_of(c, next, ending));
    return NULL;
}

/* What follows the key; the certificate last, as its place tells that all is done. Until then the signer takes it from
 * where it is. */
static const fw_err *finish(fwc *c, const char *name)
{
    const char *next = apr_pstrcat(c->pool, name, ".next", NULL);

    if (is_there(file_of(c, next, ".key")) || !is_there(file_of(c, next, ".crt")))
        return NULL;
    if (!is_there(file_of(c, next, ".chain")))
        unlink(file_of(c, name, ".chain"));
    FW_TRY(take_place(c, name, ".pin"));
    FW_TRY(take_place(c, name, ".chain"));
    unlink(file_of(c, next, ".csr"));
    FW_TRY(take_place(c, name, ".crt"));
    return sync_keys(c);
}

/* The old certificate and chain are copied, so that they are there before the new key is. */
static const fw_err *retire(fwc *c, const char *name, bool keep)
{
    const char *crt = NULL, *chain = NULL, *old, *key;
    char kid[FW_SIGNING_KID_CHARS + 1];
    X509 *cert = NULL;

    FW_TRY(fwc_read_file(&crt, file_of(c, name, ".crt"), c->pool));
    FW_TRY(fwc_cert_read(&cert, crt, c->pool));
    fw_signing_kid(cert, kid);
    old = apr_pstrcat(c->pool, name, "-", kid, NULL);
    if (is_there(file_of(c, name, ".chain"))) {
        FW_TRY(fwc_read_file(&chain, file_of(c, name, ".chain"), c->pool));
        FW_TRY(fwc_write_file(file_of(c, old, ".chain"), chain, 0644, true, c->pool));
    }
    FW_TRY(fwc_write_file(file_of(c, old, ".crt"), crt, 0644, true, c->pool));
    key = file_of(c, old, ".key");
    if (keep && link(file_of(c, name, ".key"), key) != 0 && errno != EEXIST)
        return FW_ERR(c->pool, FW_E_CONFIG, errno, "%s cannot be made", key);
    fwc_say(c, "%s stays, so that what it signed is verified", file_of(c, old, ".crt"));
    if (keep)
        fwc_say(c, "%s is the old key: move it away, the server does not use it", key);
    return NULL;
}

static const fw_err *swap(fwc *c, const char *name)
{
    FW_TRY(retire(c, name, fwc_option(c, "keep") != NULL));
    FW_TRY(sync_keys(c));
    FW_TRY(take_place(c, name, ".key"));
    FW_TRY(sync_keys(c));
    FW_TRY(finish(c, name));
    fwc_say(c, "%s is new: reload the server, which signs by the old key until then",
            file_of(c, name, ".key"));
    return NULL;
}

/* The CA for trials, if it is what certified the key until now. */
static const fw_err *read_ca(fwc *c, const char *name, fwc_pair **out)
{
    const char *crt = NULL;
    X509 *cert = NULL;
    bool ours;

    FW_TRY(fwc_read_file(&crt, file_of(c, name, ".crt"), c->pool));
    FW_TRY(fwc_cert_read(&cert, crt, c->pool));
    if (is_there(file_of(c, "ca", ".key")))
        FW_TRY(read_pair(c, "ca", out));
    ours = *out && (*out)->cert && X509_check_issued((*out)->cert, cert) == X509_V_OK;
    return ours ? NULL
                : FW_ERR(c->pool, FW_E_CONFLICT, 0,
                         "%s was not certified by %s: `fwpermitctl key rotate-signing %s --csr` "
                         "makes a request for your CA; put its answer beside it as %s.next.crt, "
                         "then this again",
                         file_of(c, name, ".crt"), file_of(c, "ca", ".key"), name, name);
}

static int index_of(const char *name)
{
    for (int i = 0; i < FW_SIGNING_KEYS; i++) {
        if (strcmp(name, fw_signing_names[i]) == 0)
            return i;
    }
    return -1;
}

const fw_err *fwc_key_rotate_signing(fwc *c)
{
    const char *name = c->words[0], *next = apr_pstrcat(c->pool, name, ".next", NULL);
    int i = index_of(name);
    fwc_pair *pair = NULL, *ca = NULL;
    fwc_subject subject;

    if (i < 0)
        return FW_ERR(c->pool, FW_E_INPUT, 0, "there is no signing key %s", name);
    FW_TRY(finish(c, name));
    if (!is_there(file_of(c, next, ".crt")) && !fwc_option(c, "csr"))
        FW_TRY(read_ca(c, name, &ca));
    subject = subject_of(c, i);
    FW_TRY(have_key(c, next, &pair));
    if (fwc_option(c, "csr"))
        return give_csr(c, pair, next, &subject);
    if (ca)
        FW_TRY(give_cert(c, pair, ca, next, &subject, CERT_DAYS));
    return is_there(file_of(c, next, ".crt")) ? swap(c, name) : NULL;
}

/* ---- all of them ---- */

static bool wants_ca(const fwc *c)
{
    for (int i = 0; i < FW_SIGNING_KEYS; i++) {
        if (!is_there(file_of(c, fw_signing_names[i], ".crt")))
            return !fwc_option(c, "csr");
    }
    return false;
}

const fw_err *fwc_key_init(fwc *c)
{
    const char *dir = c->settings->keys_dir;
    const fwc_subject of_ca = {
        .country = "TW", .org = c->settings->agency_en, .name = "CA for trials"};
    fwc_pair *ca = NULL, *pair = NULL;

    FW_TRY(fwc_master_init(c));
    if (mkdir(dir, 0700) && errno != EEXIST)
        return FW_ERR(c->pool, FW_E_CONFIG, errno, "%s cannot be made", dir);
    if (wants_ca(c)) {
        FW_TRY(have_key(c, "ca", &ca));
        FW_TRY(give_cert(c, ca, ca, "ca", &of_ca, CA_DAYS));
    }
    for (int i = 0; i < FW_SIGNING_KEYS; i++) {
        const char *name = fw_signing_names[i];
        const fwc_subject subject = subject_of(c, i);

        FW_TRY(finish(c, name));
        FW_TRY(have_key(c, name, &pair));
        if (ca)
            FW_TRY(give_cert(c, pair, ca, name, &subject, CERT_DAYS));
        else
            FW_TRY(give_csr(c, pair, name, &subject));
    }
    return NULL;
}
