#include "fw_config.h"
#include "fw_perform.h"

#include <apr_strings.h>
#include <jansson.h>

#include "fw_json.h"
#include "fw_perform_int.h"
#include "fw_random.h"
#include "fw_store_idem.h"
#include "fw_wake.h"

/* How often a command is decided anew because another writer was faster. */
#define MAX_TRIES 4

static void tell_refusal(const fw_performing *p, fw_result *result)
{
    const fw_outcome *out = &p->out;

    result->code = out->code;
    result->n_refusals = out->n_refusals;
    result->refusals =
        apr_pmemdup(p->pool, out->refusals, sizeof(out->refusals[0]) * (apr_size_t)out->n_refusals);
}

/* "notify press" */
static const char *ports_of(const fw_performing *p)
{
    const char *ports = NULL;

    if (fw_perform_is_link(p->cmd->kind))
        return "";
    for (int i = 0; i < p->out.n_sends; i++) {
        const char *port = p->out.sends[i].port;

        if (!ports)
            ports = port;
        else if (!strstr(ports, port))
            ports = apr_pstrcat(p->pool, ports, " ", port, NULL);
    }
    return ports;
}

static void tell_done(const fw_performing *p, fw_result *result)
{
    const fw_case *kase = p->view.kase;

    result->answer = p->out.answer;
    result->wakes = ports_of(p);
    if (!kase)
        return;
    result->version = kase->version;
    result->case_no = kase->case_no;
    result->state = fw_state_name(kase->state);
}

static void refuse(fw_outcome *out, fw_code_e code, const char *key)
{
    out->verdict = FW_REFUSED;
    out->code = code;
    out->n_refusals = 1;
    out->refusals[0] = (fw_refusal){NULL, key, NULL};
}

static const fw_err *decide(fw_performing *p)
{
    fw_code_e why = FW_E_FORBIDDEN;

    FW_TRY(fw_perform_load(p));
    if (!fw_perform_allowed(p, &why)) {
        refuse(&p->out, why, why == FW_E_NOTFOUND ? "problem.not_found" : "problem.forbidden");
        return NULL;
    }
    FW_TRY(fw_perform_form(p));
    FW_TRY(fw_ids_draw(&p->ids, p->now, p->pool));
    fw_decide(&p->view, p->cmd, p->now, &p->ids, &p->terms, &p->out, p->pool);
    return NULL;
}

static const fw_err *remember(fw_performing *p, const fw_result *result)
{
    const char *text;
    json_t *answer;

    if (!p->cmd->request_id)
        return NULL;
    answer = json_pack("{s:i, s:I, s:i, s:s?, s:s?}", "verdict", (int)result->verdict, "answer",
                       (json_int_t)result->answer, "version", result->version, "case_no",
                       result->case_no, "state", result->state);
    text = fw_json_text(answer, JSON_COMPACT, p->pool);
    json_decref(answer);
    return fw_idem_put(p->db, p->cmd->actor->account_id, p->cmd->request_id, p->cmd->body_hash,
                       text, p->now, p->pool);
}

static void recall(const char *text, fw_result *result, apr_pool_t *pool)
{
    json_t *answer = json_loads(text, 0, NULL);

    result->repeated = true;
    result->verdict = (fw_verdict_e)json_integer_value(json_object_get(answer, "verdict"));
    result->answer = json_integer_value(json_object_get(answer, "answer"));
    result->version = (int)json_integer_value(json_object_get(answer, "version"));
    result->case_no = apr_pstrdup(pool, json_string_value(json_object_get(answer, "case_no")));
    result->state = apr_pstrdup(pool, json_string_value(json_object_get(answer, "state")));
    json_decref(answer);
}

/* The first answer, where the same request came before; another body under that key is a refusal. */
static const fw_err *find_answer(fw_performing *p, fw_result *result)
{
    const char *answer = NULL;
    const fw_err *err;

    if (!p->cmd->request_id)
        return NULL;
    err = fw_idem_get(p->db, p->cmd->actor->account_id, p->cmd->request_id, p->cmd->body_hash,
                      &answer, p->pool);
    if (err && err->code == FW_E_INPUT) {
        refuse(&p->out, FW_E_INPUT, err->user_key);
        result->verdict = FW_REFUSED;
        return NULL;
    }
    if (!err && answer)
        recall(answer, result, p->pool);
    return err;
}

/* Within a transaction. */
static const fw_err *perform_one(const fw_desk *desk, fw_db *db, const fw_command *cmd,
                                 fw_result *result, apr_pool_t *pool)
{
    fw_performing *p = apr_pcalloc(pool, sizeof(*p));

    p->desk = desk;
    p->db = db;
    p->cmd = cmd;
    p->pool = pool;
    p->now = desk->now();
    *result = (fw_result){0};
    FW_TRY(find_answer(p, result));
    if (result->repeated)
        return NULL;
    if (result->verdict != FW_REFUSED) {
        FW_TRY(decide(p));
        result->verdict = p->out.verdict;
    }
    if (result->verdict == FW_REFUSED) {
        /* The same request may have been committed since we asked: then its answer counts, and not that what it
         * changed stands against us. */
        FW_TRY(find_answer(p, result));
        if (!result->repeated)
            tell_refusal(p, result);
        return NULL;
    }
    FW_TRY(fw_perform_keep(p));
    tell_done(p, result);
    return remember(p, result);
}

static const fw_err *perform_list(const fw_desk *desk, fw_db *db, const fw_command *cmds, int n,
                                  fw_result *results, int *failed, apr_pool_t *pool)
{
    for (int i = 0; i < n; i++) {
        FW_TRY(perform_one(desk, db, &cmds[i], &results[i], pool));
        if (results[i].verdict == FW_REFUSED) {
            *failed = i;
            return NULL;
        }
    }
    return NULL;
}

const fw_err *fw_perform_all(const fw_desk *desk, fw_db *db, const fw_command *cmds, int n,
                             fw_result *results, int *failed, apr_pool_t *pool)
{
    const fw_err *err = NULL;

    for (int tries = 0; tries < MAX_TRIES; tries++) {
        *failed = -1;
        FW_TRY(fw_db_begin(db));
        err = perform_list(desk, db, cmds, n, results, failed, pool);
        if (!err && *failed < 0)
            err = fw_db_commit(db);
        else
            fw_db_rollback(db);
        if (!err || err->code != FW_E_CONFLICT)
            break;
    }
    for (int i = 0; i < n && !err && *failed < 0; i++) {
        if (results[i].wakes)
            fw_wake_pump(desk->run_dir, results[i].wakes);
    }
    if (err && err->code == FW_E_CONFLICT)
        return FW_ERR(pool, FW_E_BUSY, 0, "another writer was faster, %d times: %s", MAX_TRIES,
                      err->msg);
    return err;
}

const fw_err *fw_perform(const fw_desk *desk, fw_db *db, const fw_command *cmd, fw_result *result,
                         apr_pool_t *pool)
{
    int failed;

    return fw_perform_all(desk, db, cmd, 1, result, &failed, pool);
}
