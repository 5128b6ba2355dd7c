#include "fw_config.h"
#include "fwk.h"

#include <string.h>

#include <apr_strings.h>

/* What goes wrong, and what an operation may answer then. */
static const struct {
    const char *check;
    fwk_mode mode;
    int deadline_ms;
    const char *allowed; /* answers, each between spaces; NULL: any that keeps the contract */
    const char *advice;
} troubles[] = {
    {"1 ms, nothing sent", FWK_SLOW, 1, " cancelled tempfail unknown ",
     "time was over before anything was sent: answer FWP_CANCELLED or FWP_TEMPFAIL"},
    {"1 ms, no answer", FWK_MUTE, 1, " tempfail unknown cancelled ",
     "time was over before the answer: answer FWP_TEMPFAIL, or FWP_UNKNOWN where a repetition "
     "could "
     "do it twice"},
    {"not reached", FWK_NOT_SENT, 0, " tempfail unknown ",
     "the far side was not reached: answer FWP_TEMPFAIL"},
    {"answer lost", FWK_LOST, 0, " tempfail unknown ",
     "the far side took the request and its answer was lost: answer FWP_TEMPFAIL, or FWP_UNKNOWN "
     "where "
     "a repetition could do it twice"},
    {"far side's error", FWK_ERROR, 0, " tempfail unknown rejected permfail misconfigured ",
     "the far side answered 500, or hung up: that is not done"},
    {"nonsense", FWK_NONSENSE, 0, NULL, "check what the far side answers before it is used"},
};
#define TROUBLES (sizeof(troubles) / sizeof(troubles[0]))

/* A probe answers ok also where a step failed: the step tells. */
static bool tells_in_a_step(const fwk_trial *t)
{
    const json_t *body = json_object_get(fwk_answer(t), "body"), *step;
    size_t i;

    if (strcmp(t->c->op, "probe") != 0)
        return false;
    json_array_foreach(json_object_get(body, "steps"), i, step)
    {
        if (json_is_false(json_object_get(step, "ok")))
            return true;
    }
    return false;
}

/* NULL, or what the plugin did wrong in that trouble. */
static const char *try_trouble(fwk *k, const fwk_case *c, size_t i)
{
    fwk_trial t = {.k = k,
                   .work = fwk_work_op,
                   .c = c,
                   .mode = troubles[i].mode,
                   .deadline_ms = troubles[i].deadline_ms};
    const char *wrong;
    const char *rc;

    fwk_try(&t);
    wrong = fwk_try_wrong(&t);
    rc = fwk_answer_rc(&t);
    if (!wrong && troubles[i].allowed && !tells_in_a_step(&t) &&
        !strstr(troubles[i].allowed, apr_pstrcat(k->pool, " ", rc, " ", NULL)))
        wrong = apr_psprintf(k->pool, "it answers %s", rc);
    if (!wrong && !troubles[i].allowed)
        wrong = fwk_contract_fault(&t);
    wrong = wrong ? apr_psprintf(k->pool, "%s: %s", c->name, wrong) : NULL;
    fwk_try_free(&t);
    return wrong;
}

void fwk_check_trouble(fwk *k)
{
    for (size_t i = 0; i < TROUBLES; i++) {
        const char *wrong = NULL;
        int tried = 0;
        for (size_t n = 0; n < k->fixtures.n && !wrong; n++) {
            const fwk_case *c = &k->fixtures.cases[n];
            if (fwk_case_of(k, c->op) != c || fwk_exchanges(c) == 0 || !fwk_supports(k, c->op))
                continue;
            tried++;
            wrong = try_trouble(k, c, i);
        }
        if (wrong)
            fwk_fail(k, troubles[i].check, "%s; %s", wrong, troubles[i].advice);
        else if (tried == 0)
            fwk_skip(k, troubles[i].check, "no recorded exchange with a far side");
        else
            fwk_ok(k, troubles[i].check, "%d operations", tried);
    }
}

/* ---- growth ---- */

static json_int_t grown(const fwk_trial *t, const char *what)
{
    const json_t *before = json_object_get(json_object_get(t->out, "before"), what);
    const json_t *after = json_object_get(json_object_get(t->out, "after"), what);

    return json_integer_value(after) - json_integer_value(before);
}

/* NULL, or what grew over four fifths of the rounds. */
static const char *what_grew(const fwk *k, const fwk_trial *t)
{
    json_int_t rounds = t->rounds - t->rounds / 5;

    if (fwk_try_wrong(t))
        return fwk_try_wrong(t);
    if (!json_object_get(t->out, "after"))
        return apr_psprintf(k->pool, "it answers %s", fwk_answer_rc(t));
    if (grown(t, "files") > 0)
        return apr_psprintf(k->pool, "%d files stay open: close what is opened",
                            (int)grown(t, "files"));
    if (grown(t, "threads") > 0)
        return apr_psprintf(k->pool, "%d threads stay: join what is started",
                            (int)grown(t, "threads"));
    if (!k->sanitized && grown(t, "heap") >= 16 * rounds)
        return apr_psprintf(k->pool,
                            "the heap grew by %d bytes in %d rounds: free what is allocated",
                            (int)grown(t, "heap"), (int)rounds);
    if (!k->sanitized && grown(t, "resident") > 2048 * rounds)
        return apr_psprintf(k->pool, "memory grew by %d bytes in %d rounds",
                            (int)grown(t, "resident"), (int)rounds);
    return NULL;
}

static void check_cycle(fwk *k)
{
    fwk_trial t = {.k = k,
                   .work = fwk_work_cycle,
                   .settings = fwk_settings(k, "settings", NULL),
                   .secrets = fwk_settings(k, "secrets", NULL),
                   .rounds = FWK_ROUNDS};
    const char *wrong;

    fwk_try(&t);
    wrong = what_grew(k, &t);
    if (wrong)
        fwk_fail(k, "1000 instances", "%s", wrong);
    else
        fwk_ok(k, "1000 instances", "%s", k->sanitized ? "nothing leaks" : "memory is flat");
    fwk_try_free(&t);
    json_decref(t.settings);
    json_decref(t.secrets);
}

/* NULL, or what grew in so many rounds. */
static const char *try_rounds(fwk *k, const fwk_case *c, int rounds, bool *heap)
{
    fwk_trial t = {.k = k, .work = fwk_work_ops, .c = c, .rounds = rounds};
    const char *wrong;

    fwk_try(&t);
    wrong = what_grew(k, &t);
    *heap = !fwk_try_wrong(&t) && json_object_get(t.out, "after") && grown(&t, "files") <= 0 &&
            grown(&t, "threads") <= 0;
    wrong = wrong ? apr_pstrdup(k->pool, wrong) : NULL;
    fwk_try_free(&t);
    return wrong;
}

/* A heap in use by a library that takes pieces of many sizes grows for a while, and then no more: what leaks grows on. */
static void check_rounds(fwk *k, const fwk_case *c)
{
    const char *check = apr_psprintf(k->pool, "1000 times %s", c->op);
    bool heap;
    const char *wrong = try_rounds(k, c, FWK_ROUNDS, &heap);

    if (wrong && heap)
        wrong = try_rounds(k, c, FWK_ON * FWK_ROUNDS, &heap);
    if (wrong)
        fwk_fail(k, check, "%s", wrong);
    else
        fwk_ok(k, check, "%s", k->sanitized ? "nothing leaks" : "memory is flat");
}

void fwk_check_growth(fwk *k)
{
    check_cycle(k);
    for (size_t n = 0; n < k->fixtures.n; n++) {
        const fwk_case *c = &k->fixtures.cases[n];
        if (fwk_case_of(k, c->op) == c && fwk_supports(k, c->op))
            check_rounds(k, c);
    }
}

/* ---- manners ---- */

void fwk_check_manners(fwk *k)
{
    const char *what;
    json_t *value;

    json_object_foreach(k->broke, what, value)
        fwk_fail(k, "manners", "%s: the process is not the plugin's own", what);
    if (json_object_size(k->broke) == 0)
        fwk_ok(k, "manners",
               "no process, exit, signal, locale, umask, folder or output of its own");
    json_object_foreach(k->leaks, what, value)
        fwk_fail(k, "secrets", "the secret %s: never log a setting with FWP_KV_SECRET", what);
    if (json_object_size(k->leaks) == 0)
        fwk_ok(k, "secrets", "none in a log line, a reason or the output");
}
