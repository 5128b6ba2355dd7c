#include "fw_config.h"
#include "fwh.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_access.h"
#include "fw_store_payment.h"

/* Paying: choose, wait for the gateway's form, see what came of it. */

#define CASES_MAX FW_MAX_CASES

static const fw_err *take_cases(fwh_req *q, fw_id **ids, int *n)
{
    json_t *list = fwh_take_list(q, "case"), *one;
    size_t i;

    *ids = apr_pcalloc(q->pool, sizeof(fw_id) * CASES_MAX);
    *n = 0;
    json_array_foreach(list, i, one)
    {
        fw_id id = fwh_id(json_string_value(one));

        if (id && *n < CASES_MAX)
            (*ids)[(*n)++] = id;
    }
    i = json_array_size(list);
    json_decref(list);
    if (i > CASES_MAX)
        return FW_ERR(q->pool, FW_E_LIMIT, 0, "more than %d cases in one payment", CASES_MAX);
    return NULL;
}

/* *cases is NULL where one of them is not this payer's. */
static const fw_err *load_payable(fwh_req *q, const fw_id *ids, int n, const fw_case ***cases)
{
    const fw_case **list = apr_palloc(q->pool, sizeof(*list) * (apr_size_t)(n + 1));

    FW_TRY(fw_case_load_some(q->db, ids, n, list, q->pool));
    *cases = list;
    for (int i = 0; i < n; i++) {
        const fw_case *c = list[i];

        if (!c || !fw_access_allowed("payment.begin", q->actor.roles,
                                     fw_access_relations(&q->actor, c->employer_id, c->agency_id,
                                                         c->station, 0, 0)))
            *cases = NULL;
    }
    return NULL;
}

/* A single case whose payment is being set up, or has its code, goes there. */
static const fw_err *under_way(fwh_req *q, const fw_case *c, const char **href)
{
    fw_payment *p = NULL;

    *href = NULL;
    if (!c->payment_id)
        return NULL;
    FW_TRY(fw_payment_load(q->db, c->payment_id, &p, q->pool));
    if (p->state == FW_PAY_WANTED || p->state == FW_PAY_CODE || p->state == FW_PAY_PAID)
        *href = apr_psprintf(q->pool, "/payments/%" APR_INT64_T_FMT, p->id);
    return NULL;
}

const fw_err *fwh_do_pay(fwh_req *q)
{
    fw_show s = fwh_show(q);
    bool again = fwh_take(q, "again") != NULL;
    const fw_case **cases = NULL;
    const char *href = NULL;
    fw_value model = {0};
    fw_id *ids;
    int n;

    FW_TRY(take_cases(q, &ids, &n));
    if (n == 0)
        return q->json ? fwh_problem(q, HTTP_BAD_REQUEST, "payment.no_case", fw_null())
                       : fwh_redirect(q, "/cases?state=awaiting_payment", "choose_cases");
    FW_TRY(load_payable(q, ids, n, &cases));
    if (!cases)
        return fwh_problem(q, HTTP_NOT_FOUND, "problem.not_found", fw_null());
    if (n == 1 && !again)
        FW_TRY(under_way(q, cases[0], &href));
    if (href)
        return fwh_redirect(q, href, NULL);
    FW_TRY(fw_show_pay(&s, cases, n, &model));
    return fwh_page(q, "pay", model);
}

static bool is_method(const char *method)
{
    return method && (strcmp(method, "card") == 0 || strcmp(method, "atm") == 0 ||
                      strcmp(method, "cvs") == 0);
}

static const fw_err *method_missing(fwh_req *q, const fw_id *ids, int n)
{
    static const fw_refusal missing = {"method", "payment.method", NULL};
    fw_result result = {
        .verdict = FW_REFUSED, .code = FW_E_INPUT, .refusals = &missing, .n_refusals = 1};
    fw_show s = fwh_show(q);
    const fw_case **cases = NULL;
    fw_value model = {0};

    if (q->json)
        return fwh_refused(q, &result);
    FW_TRY(load_payable(q, ids, n, &cases));
    if (!cases)
        return fwh_problem(q, HTTP_NOT_FOUND, "problem.not_found", fw_null());
    fwh_form_errors(q, &result);
    FW_TRY(fw_show_pay(&s, cases, n, &model));
    return fwh_page(q, "pay", model);
}

const fw_err *fwh_do_payment_begin(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_PAYMENT_BEGIN, 0);
    fw_result result = {0};
    fw_id *ids;

    FW_TRY(take_cases(q, &ids, &cmd.n_cases));
    cmd.cases = ids;
    cmd.method = fwh_take(q, "method");
    FW_TRY(fwh_fields_end(q));
    if (!is_method(cmd.method))
        return method_missing(q, ids, cmd.n_cases);
    if (!q->desk->payment_plugin)
        return fwh_problem(q, HTTP_SERVICE_UNAVAILABLE, "payment.none", fw_null());
    FW_TRY(fwh_perform(q, &cmd, &result));
    return fwh_result(q, &result,
                      apr_psprintf(q->pool, "/payments/%" APR_INT64_T_FMT, result.answer), NULL);
}

/* "https://payment.example" of the gateway's address: where this page's form may go. */
static const char *origin_of(const char *url, apr_pool_t *pool)
{
    const char *host = url ? strstr(url, "://") : NULL;

    return host ? apr_pstrmemdup(pool, url, (apr_size_t)(host + 3 - url) + strcspn(host + 3, "/?#"))
                : NULL;
}

const fw_err *fwh_do_payment(fwh_req *q)
{
    fw_show s = fwh_show(q);
    fw_value model = {0}, redirect;

    FW_TRY(fw_show_payment(&s, q->payment, &model));
    redirect = fw_get(model, "redirect");
    if (redirect.kind == FW_OBJECT)
        q->form_action = origin_of(fw_chars(fw_get(redirect, "action")), q->pool);
    return fwh_page(q, "payment", model);
}
