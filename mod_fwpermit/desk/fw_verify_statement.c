#include "fw_config.h"
#include "fw_verify_int.h"

#include <string.h>

#include <apr_encode.h>
#include <apr_escape.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <openssl/evp.h>

#include "fw_json.h"
#include "fw_seal.h"
#include "fw_sha256.h"

#define BEGINS         "<</Type/EmbeddedFile/Subtype/application#2Fjson/Length "
#define STREAM         "\nstream\n"
#define STATEMENT_MOST 1048576u
#define SHA256_BYTES   32

/* The attachment, as the press writes it; NULL: there is none, or several. */
static json_t *read_statement(const char *bytes, size_t n)
{
    const char *end = bytes + n, *at = memmem(bytes, n, BEGINS, strlen(BEGINS)), *body;
    size_t length = 0;

    if (!at)
        return NULL;
    at += strlen(BEGINS);
    if (memmem(at, (size_t)(end - at), BEGINS, strlen(BEGINS)))
        return NULL;
    for (; at < end && apr_isdigit(*at) && length <= STATEMENT_MOST; at++)
        length = length * 10 + (size_t)(*at - '0');
    body = memmem(at, (size_t)(end - at), STREAM, strlen(STREAM));
    if (!body || length == 0 || length > STATEMENT_MOST ||
        length > (size_t)(end - body) - strlen(STREAM))
        return NULL;
    return json_loadb(body + strlen(STREAM), length, JSON_REJECT_DUPLICATES, NULL);
}

static const char *text_of(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));

    return text ? text : "";
}

/* ---- the data of a filing ---- */

static bool data_holds(const json_t *statement, apr_pool_t *pool)
{
    const char *text =
        fw_json_text(json_object_get(statement, "data"), JSON_COMPACT | JSON_SORT_KEYS, pool);

    return text &&
           strcmp(fw_sha256_hex(text, strlen(text), pool), text_of(statement, "data_sha256")) == 0;
}

/* ---- the seal of a permit says the same ---- */

static bool seal_agrees(const json_t *statement, apr_pool_t *pool)
{
    apr_size_t n = 0;
    const void *bytes = apr_pdecode_base64_binary(pool, text_of(statement, "seal"),
                                                  APR_ENCODE_STRING, APR_ENCODE_NONE, &n);
    fw_seal_data seal;

    if (!bytes || fw_seal_read(&seal, bytes, n, pool))
        return false;
    return strcmp(seal.permit_no, text_of(statement, "no")) == 0 &&
           strcmp(seal.passport_no, text_of(statement, "passport_no")) == 0 &&
           strcmp(fw_date_text(seal.valid_from, pool), text_of(statement, "valid_from")) == 0 &&
           strcmp(fw_date_text(seal.valid_to, pool), text_of(statement, "valid_to")) == 0;
}

/* ---- which is which ---- */

static const struct {
    const char *format, *kind, *use;
} forms[] = {{"fwpermit-permit/1", "permit", "permit"},
             {"fwpermit-filing/1", "filing", "receipt"},
             {"fwpermit-receipt/1", "receipt", "receipt"}};

void fw_verify_statement(fw_proof *out, const char *bytes, size_t n, const char *use,
                         apr_pool_t *pool)
{
    json_t *o = fw_json_keep(read_statement(bytes, n), pool);
    const char *format = text_of(o, "format");

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (strcmp(forms[i].format, format) != 0)
            continue;
        out->kind = forms[i].kind;
        if (strcmp(forms[i].use, use) != 0) {
            fw_proof_end(out, FW_PAPER_UNKNOWN_SIGNER,
                         "its signer may not sign papers of its kind");
            return;
        }
    }
    out->statement = o;
    if (!out->kind)
        fw_proof_end(out, FW_PAPER_UNREADABLE, "it says nothing that this program knows");
    else if (strcmp(out->kind, "filing") == 0 && !data_holds(o, pool))
        fw_proof_end(out, FW_PAPER_ALTERED, "its data are not those of its hash");
    else if (strcmp(out->kind, "permit") == 0 && !seal_agrees(o, pool))
        fw_proof_end(out, FW_PAPER_ALTERED, "its seal says something else than itself");
}

const char *fw_verify_file(const fw_proof *filing, const char *sha256)
{
    const json_t *files = json_object_get(filing->statement, "files"), *one;
    size_t i;

    json_array_foreach(files, i, one)
    {
        if (strcmp(text_of(one, "sha256"), sha256) == 0)
            return text_of(one, "field");
    }
    return NULL;
}
