#include "fw_config.h"
#include "fwc_verify.h"

#include <string.h>

#include <apr_encode.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "fw_file.h"
#include "fw_json.h"
#include "fw_sha256.h"
#include "fw_verify.h"

#define ATTACHMENT_MOST 1073741824u

typedef struct task {
    fwc *c;
    fw_trust *trust;
    fw_ended *ended; /* or NULL */
    fw_date day;
} task;

static const char *const sentences[FW_PAPERS] = {
    [FW_PAPER_VALID] = "genuine and valid",
    [FW_PAPER_UNREADABLE] = "nothing that can be verified",
    [FW_PAPER_UNSIGNED] = "not signed",
    [FW_PAPER_SEVERAL] = "signed more than once: nothing of ours",
    [FW_PAPER_RESAVED] = "saved anew by another program, which breaks the signature: ask for the "
                         "file as it was downloaded",
    [FW_PAPER_ALTERED] = "altered after it was signed",
    [FW_PAPER_UNKNOWN_SIGNER] = "signed by somebody whom the trust list does not name",
    [FW_PAPER_NOT_YET] = "genuine, not valid yet",
    [FW_PAPER_EXPIRED] = "genuine, expired",
    [FW_PAPER_SUPERSEDED] = "genuine, superseded by another one",
    [FW_PAPER_REVOKED] = "genuine, revoked",
};

/* ---- what it needs ---- */

/* The option's file; else the one that this machine's platform publishes; else NULL. */
static const char *find_list(const fwc *c, const char *option, const char *name)
{
    const char *path = fwc_option(c, option);
    fw_settings *s = NULL;

    if (path || fw_settings_read(&s, c->conf, c->pool))
        return path;
    return apr_pstrcat(c->pool, s->public_dir, "/", name, NULL);
}

static const fw_err *read_list(const fwc *c, const char *path, char **text)
{
    return fw_file_read(text, NULL, path, FW_VERIFY_LIST_MAX, c->pool);
}

static const fw_err *open_lists(task *t)
{
    fwc *c = t->c;
    const char *trust = find_list(c, "trust", "trust.json");
    const char *ended = find_list(c, "revocations", "revocations.jws");
    char *text = NULL;

    if (!trust)
        return FW_ERR(c->pool, FW_E_INPUT, 0, "--trust FILE: whom to trust (trust.json)");
    FW_TRY(read_list(c, trust, &text));
    FW_TRY(fw_trust_read(&t->trust, text, c->pool));
    if (!ended)
        return NULL;
    FW_TRY(read_list(c, ended, &text));
    return fw_ended_read(&t->ended, text, t->trust, c->pool);
}

static const fw_err *take_day(task *t)
{
    const char *at = fwc_option(t->c, "at");

    t->day = fw_date_of(apr_time_now());
    if (at && !fw_date_parse(at, &t->day))
        return FW_ERR(t->c->pool, FW_E_INPUT, 0, "--at is a day, YYYY-MM-DD");
    return NULL;
}

/* ---- telling ---- */

/* The name of an unknown signer is what he likes: it shall begin no line of its own and move no cursor. */
static const char *without_controls(const char *text, apr_pool_t *pool)
{
    char *out = apr_pstrdup(pool, text);

    for (char *p = out; *p; p++) {
        if (apr_iscntrl(*p) ||
            (p > out && (unsigned char)p[-1] == 0xC2 && (unsigned char)*p < 0xA0))
            *p = '?';
    }
    return out;
}

static void tell(const fwc *c, const char *what, const char *value)
{
    if (value && *value)
        fwc_say(c, "%-12s %s", what, without_controls(value, c->pool));
}

static void tell_statement(const fwc *c, const json_t *statement)
{
    static const char *const names[] = {"no",         "case_no",  "filed",      "paid",
                                        "amount",     "name",     "mrz",        "passport_no",
                                        "valid_from", "valid_to", "data_sha256"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const json_t *v = json_object_get(statement, names[i]);

        tell(c, names[i],
             json_is_integer(v) ? apr_ltoa(c->pool, (long)json_integer_value(v))
                                : json_string_value(v));
    }
}

static void tell_proof(const fwc *c, const fw_proof *p)
{
    fwc_say(c, "%s: %s", fw_paper_name(p->verdict), sentences[p->verdict]);
    tell(c, "why", p->why);
    tell(c, "since", p->since);
    tell(c, "warning", p->warning);
    tell(c, "kind", p->kind);
    tell_statement(c, p->statement);
    tell(c, "signer", p->signer);
    if (p->signed_at)
        tell(c, "signed", fw_time_taipei(p->signed_at, c->pool));
}

static void print_json(const fwc *c, const fw_proof *p, const json_t *files)
{
    json_t *o = json_pack("{s:s, s:s*, s:s*, s:s*, s:s*, s:s*, s:O*, s:O*}", "verdict",
                          fw_paper_name(p->verdict), "why", p->why, "kind", p->kind, "since",
                          p->since, "warning", p->warning, "signer", p->signer, "statement",
                          p->statement, "files", files);
    const char *text;

    if (p->signed_at)
        json_object_set_new(o, "signed", json_string(fw_time_iso(p->signed_at, c->pool)));
    text = fw_json_text(o, JSON_INDENT(2), c->pool);
    fwc_say(c, "%s", text ? text : "{}");
    json_decref(o);
}

/* ---- attachments of a filing ---- */

static const fw_err *hash_file(const fwc *c, const char *path, const char **out)
{
    char *bytes = NULL;
    apr_size_t n = 0;

    FW_TRY(fw_file_read(&bytes, &n, path, ATTACHMENT_MOST, c->pool));
    *out = fw_sha256_hex(bytes, n, c->pool);
    return NULL;
}

/* [{"file", "field"}]; a field of null is a file that was not filed with it. */
static const fw_err *look_at_files(fwc *c, const fw_proof *p, json_t *out)
{
    for (int i = 1; i < c->n_words; i++) {
        const char *hash = NULL, *field;

        FW_TRY(hash_file(c, c->words[i], &hash));
        field = fw_verify_file(p, hash);
        json_array_append_new(out, json_pack("{s:s, s:s?}", "file", c->words[i], "field", field));
        if (!field && p->verdict == FW_PAPER_VALID)
            c->rc = FWC_REFUSED;
    }
    return NULL;
}

static void tell_files(const fwc *c, const json_t *files)
{
    const json_t *one;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)files, i, one)
    {
        const char *field = json_string_value(json_object_get(one, "field"));

        fwc_say(c, "%-12s %s: %s", "attachment", json_string_value(json_object_get(one, "file")),
                field ? apr_pstrcat(c->pool, "filed as ", field, NULL) : "not part of this filing");
    }
}

/* ---- what it is ---- */

static bool is_list(const char *bytes, size_t n)
{
    const char *dot = memchr(bytes, '.', n);

    return n > 2 && memcmp(bytes, "ey", 2) == 0 && dot &&
           memchr(dot + 1, '.', n - (size_t)(dot + 1 - bytes));
}

/* The bytes of a seal, also where they come as base64. */
static const void *seal_bytes(const char *text, size_t *n, apr_pool_t *pool)
{
    size_t length = *n;
    apr_size_t decoded = 0;
    const void *bytes;

    if (length > 0 && (unsigned char)text[0] == 0xDC)
        return text;
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        length--;
    if (strlen(text) != *n)
        return NULL;
    bytes = apr_pdecode_base64_binary(pool, apr_pstrmemdup(pool, text, length), APR_ENCODE_STRING,
                                      APR_ENCODE_NONE, &decoded);
    *n = decoded;
    return bytes;
}

static void verify(const task *t, const char *bytes, size_t n, fw_proof *out)
{
    apr_pool_t *pool = t->c->pool;
    fw_ended *list = NULL;
    const fw_err *err;
    const void *seal;

    if (n > 4 && memcmp(bytes, "%PDF", 4) == 0) {
        fw_verify_pdf(out, bytes, n, t->trust, pool);
    } else if (is_list(bytes, n)) {
        *out = (fw_proof){.verdict = FW_PAPER_VALID, .kind = "revocations"};
        err = strlen(bytes) == n ? fw_ended_read(&list, bytes, t->trust, pool)
                                 : FW_ERR(pool, FW_E_INPUT, 0, "a zero byte is in it");
        if (err)
            *out = (fw_proof){.verdict = FW_PAPER_ALTERED, .kind = "revocations", .why = err->msg};
        else if (apr_time_now() > list->next_update)
            out->warning = "it is old: there is a newer one";
    } else {
        seal = seal_bytes(bytes, &n, pool);
        if (seal)
            fw_verify_seal(out, seal, n, t->trust, pool);
        else
            *out = (fw_proof){.verdict = FW_PAPER_UNREADABLE};
    }
    fw_verify_in_force(out, t->ended, t->day, apr_time_now(), pool);
}

const fw_err *fwc_verify(fwc *c)
{
    task t = {.c = c};
    json_t *files = json_array();
    fw_proof proof;
    char *bytes = NULL;
    apr_size_t n = 0;
    const fw_err *err = take_day(&t);

    if (!err)
        err = open_lists(&t);
    if (!err)
        err = fw_file_read(&bytes, &n, c->words[0], FW_VERIFY_PDF_MAX, c->pool);
    if (!err) {
        verify(&t, bytes, n, &proof);
        err = look_at_files(c, &proof, files);
    }
    if (!err) {
        if (proof.verdict != FW_PAPER_VALID)
            c->rc = (fwc_exit_e)(FWC_VERDICT + (int)proof.verdict);
        if (fwc_option(c, "json")) {
            print_json(c, &proof, files);
        } else {
            tell_proof(c, &proof);
            tell_files(c, files);
        }
    }
    json_decref(files);
    return err;
}
