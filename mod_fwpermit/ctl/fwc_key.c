#include "fw_config.h"
#include "fwc.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "fw_date.h"
#include "fw_frame.h"
#include "fw_random.h"
#include "fwc_cert.h"

#define MASTER_BYTES  32
#define CA_DAYS       3650
#define CERT_DAYS     730
#define PREPARED      "# prepared, not used yet\n"
#define HEADER        "# Master keys of the vault: the first wraps what is written, all of them unwrap.\n"
#define ANSWER_WAIT_S 2

static const struct {
    const char *name, *subject;
} signing_keys[] = {{"permit", "Residence permits"},
                    {"receipt", "Receipts of payment"},
                    {"filing", "Receipts of filing"},
                    {"audit", "Audit seals"}};
#define SIGNING_KEYS (sizeof(signing_keys) / sizeof(signing_keys[0]))

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static const char *file_of(const fwc *c, const char *name, const char *ending)
{
    return apr_pstrcat(c->pool, c->settings->keys_dir, "/", name, ending, NULL);
}

/* ---- the master key ---- */

/* "k20261125-7Q4X <hex>" */
static const fw_err *draw_master(const char **line, const char **id, apr_pool_t *pool)
{
    unsigned char bytes[MASTER_BYTES];
    const char *tail = NULL;
    char hex[2 * MASTER_BYTES + 1];
    fw_date day = fw_date_of(apr_time_now());

    FW_TRY(fw_code_draw(&tail, 4, pool));
    if (RAND_bytes(bytes, MASTER_BYTES) != 1)
        return FW_ERR(pool, FW_E_UNAVAILABLE, 0, "no random bytes");
    for (int i = 0; i < MASTER_BYTES; i++)
        apr_snprintf(hex + (apr_size_t)i * 2, 3, "%02x", bytes[i]);
    *id = apr_psprintf(pool, "k%04d%02d%02d-%s", day.y, day.m, day.d, tail);
    *line = apr_pstrcat(pool, *id, " ", hex, "\n", NULL);
    OPENSSL_cleanse(bytes, sizeof(bytes));
    OPENSSL_cleanse(hex, sizeof(hex));
    return NULL;
}

static const fw_err *init_master(fwc *c)
{
    const char *path = c->settings->vault_keys, *line = NULL, *id = NULL;

    if (is_there(path)) {
        fwc_say(c, "%s is there", path);
        return NULL;
    }
    FW_TRY(draw_master(&line, &id, c->pool));
    FW_TRY(fwc_write_file(path, apr_pstrcat(c->pool, HEADER, line, NULL), 0600, false, c->pool));
    fwc_say(c,
            "%s made, with master key %s: keep a copy of it in a safe place, "
            "what is encrypted is lost without it",
            path, id);
    return NULL;
}

/* ---- signing keys ---- */

/* Reads the key `name`, or makes it. */
static const fw_err *have_key(fwc *c, const char *name, fwc_pair **out)
{
    const char *path = file_of(c, name, ".key"), *crt = file_of(c, name, ".crt"), *pem = NULL;
    const char *cert = NULL;

    if (is_there(path)) {
        FW_TRY(fwc_read_file(&pem, path, c->pool));
        if (is_there(crt))
            FW_TRY(fwc_read_file(&cert, crt, c->pool));
        FW_TRY(fwc_pair_read(out, pem, cert, c->pool));
        fwc_say(c, "%s is there", path);
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

static const fw_err *give_cert(fwc *c, fwc_pair *pair, const fwc_pair *issuer, const char *name,
                               const char *subject, int days)
{
    const char *path = file_of(c, name, ".crt"), *pem = NULL;

    if (pair->cert)
        return NULL;
    FW_TRY(fwc_certify(pair, issuer, c->settings->agency_en, subject, days, c->pool));
    FW_TRY(fwc_cert_pem(pair, &pem, c->pool));
    FW_TRY(fwc_write_file(path, pem, 0644, false, c->pool));
    fwc_say(c, "%s made, for trials", path);
    return NULL;
}

static const fw_err *give_csr(fwc *c, const fwc_pair *pair, const char *name, const char *subject)
{
    const char *path = file_of(c, name, ".csr"), *pem = NULL;

    if (pair->cert || is_there(path))
        return NULL;
    FW_TRY(fwc_csr_pem(pair, c->settings->agency_en, subject, &pem, c->pool));
    FW_TRY(fwc_write_file(path, pem, 0644, false, c->pool));
    fwc_say(c, "%s made: let your CA sign it, and put its answer as %s", path,
            file_of(c, name, ".crt"));
    return NULL;
}

static bool wants_ca(const fwc *c)
{
    for (size_t i = 0; i < SIGNING_KEYS; i++) {
        if (!is_there(file_of(c, signing_keys[i].name, ".crt")))
            return !fwc_option(c, "csr");
    }
    return false;
}

const fw_err *fwc_key_init(fwc *c)
{
    const char *dir = c->settings->keys_dir;
    fwc_pair *ca = NULL, *pair = NULL;

    FW_TRY(init_master(c));
    if (mkdir(dir, 0700) && errno != EEXIST)
        return FW_ERR(c->pool, FW_E_CONFIG, errno, "%s cannot be made", dir);
    if (wants_ca(c)) {
        FW_TRY(have_key(c, "ca", &ca));
        FW_TRY(give_cert(c, ca, ca, "ca", "CA for trials", CA_DAYS));
    }
    for (size_t i = 0; i < SIGNING_KEYS; i++) {
        const char *name = signing_keys[i].name, *subject = signing_keys[i].subject;

        FW_TRY(have_key(c, name, &pair));
        if (ca)
            FW_TRY(give_cert(c, pair, ca, name, subject, CERT_DAYS));
        else
            FW_TRY(give_csr(c, pair, name, subject));
    }
    return NULL;
}

/* ---- rotation ---- */

static bool server_runs(const fwc *c)
{
    int fd = -1;

    if (fw_frame_connect(c->settings->run_dir, "signer",
                         apr_time_now() + apr_time_from_sec(ANSWER_WAIT_S), &fd, c->pool))
        return false;
    fw_frame_close(fd, c->pool);
    return true;
}

static const fw_err *read_keys(fwc *c, const char **text)
{
    fw_vault_key *keys = NULL;
    int n = 0;

    FW_TRY(fwc_read_file(text, c->settings->vault_keys, c->pool));
    return fw_vault_keys_parse(&keys, &n, *text, c->settings->vault_keys, c->pool);
}

const fw_err *fwc_key_prepare(fwc *c)
{
    const char *path = c->settings->vault_keys, *text = NULL, *line = NULL, *id = NULL;

    FW_TRY(read_keys(c, &text));
    if (strstr(text, PREPARED))
        return FW_ERR(c->pool, FW_E_CONFLICT, 0, "%s has a prepared key already", path);
    FW_TRY(draw_master(&line, &id, c->pool));
    text = apr_pstrcat(c->pool, text, text[strlen(text) - 1] == '\n' ? "" : "\n", PREPARED, line,
                       NULL);
    FW_TRY(fwc_write_file(path, text, 0600, true, c->pool));
    fwc_say(c, "master key %s is prepared: reload the server, then `fwpermitctl key rotate`", id);
    return NULL;
}

typedef struct rewrapping {
    fwc *c;
    int done, failed;
} rewrapping;

static const fw_err *rewrap_one(void *baton, const char *name, apr_time_t mtime)
{
    rewrapping *r = baton;
    apr_pool_t *pool;
    const fw_err *err;

    (void)mtime;
    apr_pool_create(&pool, r->c->pool);
    err = fw_vault_rewrap(r->c->desk->vault, name, pool);
    if (err)
        fwc_say(r->c, "%s: %s", name, fw_err_text(err, pool));
    r->failed += err != NULL;
    r->done += err == NULL;
    apr_pool_destroy(pool);
    return NULL;
}

const fw_err *fwc_key_rewrap(fwc *c)
{
    rewrapping r = {.c = c};

    FW_TRY(fw_vault_walk(c->desk->vault, rewrap_one, &r, c->pool));
    fwc_say(c, "%d files are wrapped under the current master key, %d could not be", r.done,
            r.failed);
    if (r.failed)
        c->rc = FWC_REFUSED;
    return NULL;
}

/* The text with the prepared key first, or with a fresh one. */
static const fw_err *put_first(fwc *c, const char *text, const char **out)
{
    const char *mark = strstr(text, PREPARED), *line = NULL, *id = NULL;
    const char *rest = strncmp(text, HEADER, strlen(HEADER)) == 0 ? text + strlen(HEADER) : text;

    if (mark) {
        line = mark + strlen(PREPARED);
        rest = apr_pstrmemdup(c->pool, rest, (apr_size_t)(mark - rest));
    } else if (server_runs(c)) {
        return FW_ERR(c->pool, FW_E_CONFLICT, 0,
                      "the server runs and would not know a new key: `fwpermitctl key prepare`, "
                      "reload the server, then this again");
    } else {
        FW_TRY(draw_master(&line, &id, c->pool));
    }
    *out =
        apr_pstrcat(c->pool, HEADER, line, line[strlen(line) - 1] == '\n' ? "" : "\n", rest, NULL);
    return NULL;
}

const fw_err *fwc_key_rotate(fwc *c)
{
    const char *text = NULL, *rotated = NULL;

    FW_TRY(read_keys(c, &text));
    FW_TRY(put_first(c, text, &rotated));
    FW_TRY(fwc_write_file(c->settings->vault_keys, rotated, 0600, true, c->pool));
    fwc_say(c, "%.*s is the current master key", (int)strcspn(rotated + strlen(HEADER), " "),
            rotated + strlen(HEADER));
    FW_TRY(fwc_open(c, FWC_VAULT));
    FW_TRY(fwc_key_rewrap(c));
    if (server_runs(c))
        fwc_say(c, "reload the server, then `fwpermitctl key rewrap` for what it wrote meanwhile");
    else
        fwc_say(c, "older keys may leave the file once no backup needs them");
    return NULL;
}
