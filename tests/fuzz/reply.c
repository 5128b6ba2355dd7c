/* What a plugin returned: an operation and a code on the first line, then the reason, then the body. Whatever it is, the answer
 * is one that the pump understands, and an "ok" keeps the contract. */
#include "fw_config.h"
#include "fuzz.h"

#include "../../mod_fwpermit/worker/fww_plugin_judge.h"
#include "fw_call_files.h"
#include "fw_utf8.h"

static void no_log(int level, const char *fmt, ...)
{
    (void)level;
    (void)fmt;
}

static const fww_role_env env = {.log = no_log};
static const char *const ops[] = {"payment.begin",   "payment.query", "payment.refund",
                                  "payment.receive", "notify.send",   "health"};
static fww_plugin_host payment = {.env = &env, .name = "fuzz"},
                       notify = {.env = &env, .name = "fuzz"};

void fuzz_setup(apr_pool_t *pool)
{
    fuzz_want(!fw_schema_load(&payment.port, "docs/contracts/payment.json", pool) &&
                  !fw_schema_load(&notify.port, "docs/contracts/notify.json", pool) &&
                  !fw_schema_load(&payment.common, "docs/contracts/plugin.json", pool),
              "the contracts");
    notify.common = payment.common;
}

static void judge(fww_plugin_host *h, const char *op, json_t *answer, apr_pool_t *pool)
{
    const char *rc = json_string_value(json_object_get(answer, "rc"));
    const char *reason = json_string_value(json_object_get(answer, "reason"));
    const json_t *reply = json_object_get(answer, "reply");
    char *text = json_dumps(answer, JSON_COMPACT);
    bool ok = rc && strcmp(rc, "ok") == 0;

    fuzz_want(rc && reason && json_is_object(reply) && text, "an answer");
    fuzz_want(fw_utf8_valid(reason), "its reason is a text");
    for (const char *p = reason; *p; p++)
        fuzz_want((unsigned char)*p >= 0x20 && *p != 0x7f, "of one line");
    fuzz_want(!ok || !fww_contract_fault(h, op, "reply", reply, pool), "it keeps the contract");
    fuzz_want(ok || strcmp(rc, "pending") == 0 || json_object_size(reply) == 0, "no body");
    free(text);
    json_decref(answer);
}

void fuzz_one(const uint8_t *data, size_t n, apr_pool_t *pool)
{
    char *text = apr_pstrmemdup(pool, (const char *)data, n);
    size_t head = strcspn(text, "\n"), reason;
    fwp_reply reply = {0};
    fww_question q = {0};
    const char *op;
    fwp_rc rc;
    char *body;

    if (head < 2 || !text[head])
        return;
    op = ops[(unsigned char)text[0] % (sizeof(ops) / sizeof(ops[0]))];
    rc = (fwp_rc)(text[1] - '0');
    reason = strcspn(text + head + 1, "\n");
    reply.reason = apr_pstrmemdup(pool, text + head + 1, reason);
    if (head + 1 + reason < n) {
        reply.body.n = n - head - reason - 2;
        body = malloc(reply.body.n + !reply.body.n); /* no NUL behind it */
        memcpy(body, data + head + reason + 2, reply.body.n);
    } else {
        body = NULL;
    }
    reply.body.p = body;
    judge(strncmp(op, "notify", 6) == 0 ? &notify : &payment, op,
          fww_plugin_judge(strncmp(op, "notify", 6) == 0 ? &notify : &payment, op, rc, &reply,
                           apr_array_make(pool, 1, sizeof(fw_call_file)), &q, pool),
          pool);
    free(body);
}
