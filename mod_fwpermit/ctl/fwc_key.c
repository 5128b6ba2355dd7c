#include "fw_config.h"
#include "fwc.h"

#include <string.h>
#include <unistd.h>

#include <apr_strings.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "fw_date.h"
#include "fw_random.h"
#include "fwc_key.h"

#define MASTER_BYTES 32
#define PREPARED     "# prepared, not used yet\n"
#define HEADER       "# Master keys of the vault: the first wraps what is written, all of them unwrap.\n"

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

const fw_err *fwc_master_init(fwc *c)
{
    const char *path = c->settings->vault_keys, *line = NULL, *id = NULL;

    if (access(path, F_OK) == 0) {
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

/* ---- rotation ---- */

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
    } else if (fwc_server_runs(c)) {
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
    if (fwc_server_runs(c))
        fwc_say(c, "reload the server, then `fwpermitctl key rewrap` for what it wrote meanwhile");
    else
        fwc_say(c, "older keys may leave the file once no backup needs them");
    return NULL;
}
