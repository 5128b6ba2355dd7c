#include "fw_config.h"
#include "fww_plugin_judge.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_call_files.h"
#include "fw_utf8.h"

#define REASON_MAX_BYTES 500

const char *fww_rc_name(fwp_rc rc)
{
    static const char *const names[] = {"ok",       "rejected",      "tempfail",
                                        "permfail", "misconfigured", "cancelled",
                                        "pending",  "unknown"};
    return (unsigned)rc < sizeof(names) / sizeof(names[0]) ? names[rc] : NULL;
}

json_t *fww_answer_make(fwp_rc rc, const char *reason, uint32_t retry_ms, json_t *body)
{
    json_t *a = json_pack("{s:s, s:s, s:I}", "rc", fww_rc_name(rc), "reason", reason,
                          "retry_after_ms", (json_int_t)retry_ms);
    json_object_set_new(a, "reply", body ? body : json_object());
    return a;
}

const char *fww_reason_clean(const char *reason, apr_pool_t *pool)
{
    json_t *probe;
    const char *said = reason ? reason : "";
    char *s = apr_pstrmemdup(pool, said, fw_utf8_fit(said, REASON_MAX_BYTES));

    for (char *p = s; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = ' ';
    probe = json_string(s);
    if (!probe)
        return "the plugin gave a reason that is not UTF-8";
    json_decref(probe);
    return s;
}

const char *fww_contract_fault(const fww_plugin_host *h, const char *op, const char *side,
                               const json_t *value, apr_pool_t *pool)
{
    const char *slot = strchr(op, '.');
    const fw_schema *contract = slot ? h->port : h->common;
    const fw_err *err = fw_schema_check(
        contract, apr_pstrcat(pool, slot ? slot + 1 : op, ".", side, NULL), value, pool);

    return err ? err->msg : NULL;
}

/* Why bytes are no JSON. The parser's own text would quote them. */
static const char *parse_fault(const json_error_t *why)
{
    enum json_error_code code = json_error_code(why);

    if (code == json_error_duplicate_key)
        return "a name occurs twice in one object";
    if (code == json_error_invalid_utf8)
        return "it is not UTF-8";
    if (code == json_error_end_of_input_expected)
        return "there are bytes behind its end";
    if (code == json_error_premature_end_of_input)
        return "it is cut off";
    if (code == json_error_numeric_overflow)
        return "a number is too large";
    if (code == json_error_null_character || code == json_error_null_byte_in_key)
        return "it holds a NUL";
    return "it is not JSON";
}

/* The reply's body. NULL: it is none, and *fault says why. */
static json_t *read_body(const fwp_reply *reply, const char **fault, apr_pool_t *pool)
{
    json_error_t why;
    json_t *body;

    if (reply->body.n == 0)
        return json_object();
    if (reply->body.n > FWP_MAX_BODY) {
        *fault = apr_psprintf(pool, "it has more than %u bytes", FWP_MAX_BODY);
        return NULL;
    }
    *fault = "it is nowhere";
    if (!reply->body.p)
        return NULL;
    body = json_loadb(reply->body.p, reply->body.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    *fault = body ? "it is not a JSON object" : parse_fault(&why);
    if (json_is_object(body))
        return body;
    json_decref(body);
    return NULL;
}

/* Puts what the plugin wrote beside what it said. */
static const char *add_files(json_t *body, const apr_array_header_t *written, apr_pool_t *pool)
{
    if (json_object_get(body, "files"))
        return "/files: the host's own";
    if (written->nelts == 0)
        return NULL;
    for (int i = 0; i < written->nelts; i++) {
        const fw_err *err = fw_call_file_seal(&APR_ARRAY_IDX(written, i, fw_call_file), pool);

        if (err)
            return err->msg;
    }
    json_object_set_new(body, "files", fw_call_files_json(written));
    return NULL;
}

static json_t *breach(fww_plugin_host *h, const char *op, const char *fault, apr_pool_t *pool)
{
    h->env->log(FWP_LOG_ERROR, "plugin %s: %s: its answer breaks the contract: %s", h->name, op,
                fault);
    return fww_answer_make(FWP_PERMFAIL, apr_pstrcat(pool, FWW_BREACH, fault, NULL), 0, NULL);
}

json_t *fww_plugin_judge(fww_plugin_host *h, const char *op, fwp_rc rc, const fwp_reply *reply,
                         apr_array_header_t *written, fww_question *q, apr_pool_t *pool)
{
    const char *reason = fww_reason_clean(reply->reason, pool);
    bool has_reply = rc == FWP_OK || rc == FWP_PENDING;
    const char *fault = NULL;
    json_t *body;

    if (!fww_rc_name(rc))
        return breach(h, op, "its code is not known", pool);
    if (!has_reply && reply->body.n > 0)
        return breach(h, op, "there is a body beside a code that has none", pool);
    if (!has_reply)
        return fww_answer_make(rc, *reason ? reason : "the plugin gave no reason",
                               reply->retry_after_ms, NULL);
    body = read_body(reply, &fault, pool);
    if (!body)
        return breach(h, op, fault, pool);
    fault = add_files(body, written, pool);
    if (!fault && (rc == FWP_OK || json_object_size(body) > 0))
        fault = fww_contract_fault(h, op, "reply", body, pool);
    if (fault) {
        json_decref(body);
        return breach(h, op, fault, pool);
    }
    q->written = written;
    return fww_answer_make(rc, reason, reply->retry_after_ms, body);
}
