#include "fw_config.h"
#include "fwk.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "fw_schema.h"

bool fwk_supports(const fwk *k, const char *op)
{
    const json_t *name;
    size_t i;

    if (strcmp(op, "health") == 0 || strcmp(op, "probe") == 0)
        return json_is_true(json_object_get(k->shown, op));
    json_array_foreach(json_object_get(k->shown, "ops"), i, name)
    {
        if (strcmp(json_string_value(name), op) == 0)
            return true;
    }
    return false;
}

/* Whether `part` is in `whole`: objects member by member, all else as it is. */
static bool is_part(const json_t *part, const json_t *whole)
{
    const char *key;
    json_t *value;

    if (!json_is_object(part))
        return json_equal(part, whole);
    json_object_foreach((json_t *)(uintptr_t)part, key, value)
    {
        if (!is_part(value, json_object_get(whole, key)))
            return false;
    }
    return true;
}

static const char *shown(const fwk *k, const json_t *value)
{
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    const char *copy = apr_pstrndup(k->pool, text ? text : "nothing", 200);

    free(text);
    return copy;
}

/* The recorded value with what is to be filled in; new. NULL: there is none. */
static json_t *filled(const fwk *k, const fwk_case *c, const json_t *value, int port)
{
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    json_t *out = NULL;

    if (text)
        out = json_loads(fwk_fill(k, text, c->key, port, k->pool), JSON_DECODE_ANY, NULL);
    free(text);
    return out;
}

static const char *compare_reply(const fwk_trial *t, const json_t *expect)
{
    const fwk *k = t->k;
    const json_t *body = json_object_get(fwk_answer(t), "body");
    const json_t *files = json_object_get(expect, "files");
    const char *has = json_string_value(json_object_get(expect, "reason_has"));
    const char *reason = json_string_value(json_object_get(fwk_answer(t), "reason"));
    json_t *whole = filled(k, t->c, json_object_get(expect, "reply"), t->far.port);
    json_t *part = filled(k, t->c, json_object_get(expect, "reply_has"), t->far.port);
    const char *wrong = NULL;

    if ((whole && !json_equal(whole, body)) || (part && !is_part(part, body)))
        wrong = apr_psprintf(k->pool, "its reply is %s, the recorded one %s", shown(k, body),
                             shown(k, whole ? whole : part));
    else if (files && !json_equal(files, json_object_get(fwk_answer(t), "files")))
        wrong = apr_psprintf(k->pool, "the files of its reply are %s, the recorded ones %s",
                             shown(k, json_object_get(fwk_answer(t), "files")), shown(k, files));
    else if (has && (!reason || !strstr(reason, has)))
        wrong = apr_psprintf(k->pool, "its reason is %s, recorded is %s", reason ? reason : "none",
                             has);
    json_decref(whole);
    json_decref(part);
    return wrong;
}

static const char *compare(const fwk_trial *t)
{
    const json_t *expect = json_object_get(t->c->all, "expect");
    const char *rc = json_string_value(json_object_get(expect, "rc"));
    const char *reason = json_string_value(json_object_get(fwk_answer(t), "reason"));
    size_t wanted = json_array_size(json_object_get(t->c->all, "http"));
    json_int_t had = json_integer_value(json_object_get(fwk_answer(t), "exchanges"));

    if (strcmp(rc, fwk_answer_rc(t)) != 0)
        return apr_psprintf(t->k->pool, "it answers %s (%s), recorded is %s", fwk_answer_rc(t),
                            reason ? reason : "", rc);
    if ((size_t)had != wanted)
        return apr_psprintf(t->k->pool, "it makes %d requests, recorded are %d", (int)had,
                            (int)wanted);
    return compare_reply(t, expect);
}

/* NULL, or what of `value` is not as the contract's definition has it. */
static const char *schema_fault(const fwk_trial *t, const char *side, const json_t *value)
{
    const fwk *k = t->k;
    const char *name = apr_psprintf(k->pool, "%s.%s", t->c->op, side);
    bool any = strcmp(t->c->op, "health") == 0 || strcmp(t->c->op, "probe") == 0;
    const struct fw_schema *schema = any ? k->plugin_schema : k->port_schema;
    const fw_err *err;

    if (!schema)
        return NULL;
    err = fw_schema_check(schema, name, value, k->pool);
    return err ? apr_psprintf(k->pool, "its %s breaks the contract of the port: %s", side,
                              fw_err_text(err, k->pool))
               : NULL;
}

const char *fwk_contract_fault(const fwk_trial *t)
{
    const char *rc = fwk_answer_rc(t);
    bool replied = strcmp(rc, "ok") == 0 || strcmp(rc, "pending") == 0;
    bool meant = json_is_true(json_object_get(t->c->all, "wrong_request"));
    const json_t *body = json_object_get(fwk_answer(t), "body");
    json_t *request = filled(t->k, t->c, json_object_get(t->c->all, "request"), t->far.port);
    const char *wrong = schema_fault(t, "request", request);

    json_decref(request);
    if (meant)
        return wrong || !t->k->port_schema ? NULL
                                           : "its request is not wrong, though the file says so";
    if (wrong || !replied || !body || (strcmp(rc, "pending") == 0 && json_object_size(body) == 0))
        return wrong;
    return schema_fault(t, "reply", body);
}

static void run_case(fwk *k, const fwk_case *c)
{
    fwk_trial t = {.k = k, .work = fwk_work_op, .c = c};
    const char *check = apr_pstrcat(k->pool, "case ", c->name, NULL);
    const char *wrong;

    fwk_try(&t);
    wrong = t.end ? t.end : fwk_contract_fault(&t);
    if (!wrong)
        wrong = fwk_try_wrong(&t);
    if (!wrong)
        wrong = compare(&t);
    if (wrong)
        fwk_fail(k, check, "%s", wrong);
    else
        fwk_ok(k, check, "%s: %s", c->op, fwk_answer_rc(&t));
    fwk_try_free(&t);
}

static const struct fw_schema *read_contract(fwk *k, const char *name)
{
    const char *path = apr_psprintf(k->pool, "%s/%s.json", k->contracts, name);
    fw_schema *schema = NULL;
    const fw_err *err = fw_schema_load(&schema, path, k->pool);

    if (err)
        fwk_fail(k, "contract", "%s; tell where the contracts are: --contracts DIR",
                 fw_err_text(err, k->pool));
    return err ? NULL : schema;
}

void fwk_check_cases(fwk *k)
{
    const json_t *name;
    const char *missing = "";
    size_t i;

    k->port_schema = read_contract(k, json_string_value(json_object_get(k->shown, "port")));
    k->plugin_schema = read_contract(k, "plugin");
    for (i = 0; i < k->fixtures.n; i++) {
        const fwk_case *c = &k->fixtures.cases[i];
        if (fwk_supports(k, c->op))
            run_case(k, c);
        else
            fwk_skip(k, apr_pstrcat(k->pool, "case ", c->name, NULL),
                     "the plugin does not support %s", c->op);
    }
    json_array_foreach(json_object_get(k->shown, "ops"), i, name)
    {
        if (!fwk_case_of(k, json_string_value(name)))
            missing = apr_pstrcat(k->pool, missing, " ", json_string_value(name), NULL);
    }
    if (*missing)
        fwk_fail(k, "cases", "no exchange that ends well is recorded for%s: add %s/NAME.json",
                 missing, k->fixtures.dir);
    else
        fwk_ok(k, "cases", "each operation has one");
}
