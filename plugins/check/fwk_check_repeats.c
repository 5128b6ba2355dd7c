#include "fw_config.h"
#include "fwk.h"

#include <regex.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#define OTHER_KEY "check-another-a83d"

/* Operations that do something at the far side which must be done once. The others read, or are harmless twice. */
static const char *const changing[] = {"refund", "permit", "put",     "order",
                                       "cancel", "send",   "records", "publish"};

static bool changes(const char *op)
{
    for (size_t i = 0; i < sizeof(changing) / sizeof(changing[0]); i++)
        if (strcmp(op, changing[i]) == 0)
            return true;
    return false;
}

/* By what the far side knows a request: what the regular expression's group finds in what it took; NULL: nothing. */
static const char *found(const fwk *k, const char *pattern, const json_t *request)
{
    const char *text = json_string_value(request);
    const char *out = NULL;
    regmatch_t m[2];
    regex_t r;

    if (regcomp(&r, pattern, REG_EXTENDED | REG_NEWLINE) != 0)
        return NULL;
    if (text && regexec(&r, text, 2, m, 0) == 0 && m[1].rm_so >= 0)
        out = apr_pstrmemdup(k->pool, text + m[1].rm_so, (apr_size_t)(m[1].rm_eo - m[1].rm_so));
    regfree(&r);
    return out;
}

static const char *literal(const fwk *k, const char *key)
{
    const char *out = "(";

    for (const char *p = key; *p; p++)
        out = apr_psprintf(k->pool, strchr(".[]{}()*+?^$|\\", *p) ? "%s\\%c" : "%s%c", out, *p);
    return apr_pstrcat(k->pool, out, ")", NULL);
}

/* The requests of two attempts under one key, and one under another: does the far side see which is which? */
static const char *judge_identity(const fwk *k, const fwk_case *c, const json_t *requests[3])
{
    const json_t *own = json_object_get(c->all, "identity");
    const char *pattern = json_string_value(json_object_get(own, "find"));
    const char *of = json_string_value(json_object_get(own, "of"));
    const char *at = pattern ? pattern : literal(k, c->key);
    const char *first = found(k, at, requests[0]);
    const char *second = found(k, at, requests[1]);
    const char *other = found(k, at, requests[2]);

    if (!first || !second)
        return apr_psprintf(
            k->pool,
            "the far side does not see the idempotency key in what it takes: send "
            "host->idempotency_key, or tell in \"identity\" of %s by what it knows a "
            "repetition",
            c->name);
    if (strcmp(first, second) != 0)
        return apr_psprintf(k->pool, "the repetition is %s to the far side, the first was %s",
                            second, first);
    if ((!of || strcmp(of, "key") == 0) && other && strcmp(first, other) == 0)
        return apr_psprintf(k->pool, "another key is the same %s to the far side", first);
    return NULL;
}

/* Runs to the moment when the far side has the request, and kills. What the far side took; new. */
static json_t *kill_in_flight(fwk *k, const fwk_case *c, const char **wrong)
{
    fwk_trial t = {.k = k, .work = fwk_work_op, .c = c, .mode = FWK_KILL};
    json_t *request = NULL;

    fwk_try_start(&t);
    if (fwk_try_taken(&t))
        kill(t.pid, SIGKILL);
    else
        *wrong = "the far side never had its request";
    fwk_try_finish(&t);
    request = json_incref(json_array_get(t.requests, 0));
    fwk_try_free(&t);
    return request;
}

static json_t *first_request(fwk *k, const fwk_case *c, const char *key, const char **wrong)
{
    fwk_trial t = {.k = k, .work = fwk_work_op, .c = c, .key = key};
    const json_t *expect = json_object_get(c->all, "expect");
    json_t *request;

    fwk_try(&t);
    if (!*wrong && !key)
        *wrong = fwk_try_wrong(&t);
    if (!*wrong && !key &&
        strcmp(json_string_value(json_object_get(expect, "rc")), fwk_answer_rc(&t)) != 0)
        *wrong = apr_psprintf(k->pool, "the repetition answers %s", fwk_answer_rc(&t));
    *wrong = *wrong ? apr_pstrdup(k->pool, *wrong) : NULL;
    request = json_incref(json_array_get(t.requests, 0));
    fwk_try_free(&t);
    return request;
}

static const char *try_kill(fwk *k, const fwk_case *c)
{
    const char *wrong = NULL;
    json_t *requests[3];

    requests[0] = kill_in_flight(k, c, &wrong);
    requests[1] = first_request(k, c, NULL, &wrong);
    requests[2] = first_request(k, c, OTHER_KEY, &wrong);
    if (!wrong && (changes(c->op) || json_object_get(c->all, "identity")))
        wrong = judge_identity(k, c, (const json_t **)(void *)requests);
    for (int i = 0; i < 3; i++)
        json_decref(requests[i]);
    return wrong;
}

/* Two attempts at a time: the first one's answer waits until the second one is done. */
static const char *try_overlap(fwk *k, const fwk_case *c)
{
    fwk_trial first = {.k = k, .work = fwk_work_op, .c = c, .mode = FWK_HOLD};
    fwk_trial second = {.k = k, .work = fwk_work_op, .c = c};
    const char *rc = json_string_value(json_object_get(json_object_get(c->all, "expect"), "rc"));
    const char *wrong = NULL;
    bool taken;

    fwk_try_start(&first);
    taken = fwk_try_taken(&first);
    fwk_try(&second);
    if (write(first.go, "g", 1) != 1)
        abort();
    fwk_try_finish(&first);
    if (!taken)
        wrong = "the far side never had the first one's request";
    if (!wrong)
        wrong = fwk_try_wrong(&second) ? fwk_try_wrong(&second) : fwk_try_wrong(&first);
    if (!wrong && strcmp(fwk_answer_rc(&second), rc) != 0)
        wrong = apr_psprintf(k->pool, "while another attempt is under way, it answers %s",
                             fwk_answer_rc(&second));
    if (!wrong && strcmp(fwk_answer_rc(&first), rc) != 0)
        wrong = apr_psprintf(k->pool, "overtaken by another attempt, it answers %s",
                             fwk_answer_rc(&first));
    wrong = wrong ? apr_pstrdup(k->pool, wrong) : NULL;
    fwk_try_free(&first);
    fwk_try_free(&second);
    return wrong;
}

static void each(fwk *k, const char *check, const char *(*trial)(fwk *, const fwk_case *),
                 const char *held)
{
    int tried = 0, failed = 0;

    for (size_t n = 0; n < k->fixtures.n; n++) {
        const fwk_case *c = &k->fixtures.cases[n];
        const char *wrong;
        if (fwk_case_of(k, c->op) != c || fwk_exchanges(c) == 0 || !fwk_supports(k, c->op))
            continue;
        wrong = trial(k, c);
        tried++;
        if (wrong)
            fwk_fail(k, check, "%s: %s", c->name, wrong);
        failed += wrong != NULL;
    }
    if (tried == 0)
        fwk_skip(k, check, "no recorded exchange with a far side");
    else if (failed == 0)
        fwk_ok(k, check, "%d operations: %s", tried, held);
}

void fwk_check_repeats(fwk *k)
{
    each(k, "kill -9 and again", try_kill, "the far side knows the repetition");
    each(k, "two at a time", try_overlap, "both end as recorded");
}
