#include "fw_config.h"
#include "fw_breaker.h"

#include <apr_strings.h>

#include "fw_utf8.h"

/* An end that lies further away than a rest takes is no end: the clock was set back. */
static bool is_over(const fw_breaker *b, apr_time_t now)
{
    return b->until <= now || b->until - now > b->rest;
}

bool fw_breaker_rests_now(const fw_breaker *b, apr_time_t now)
{
    return b->until && (!is_over(b, now) || b->probing);
}

fw_pass_e fw_breaker_pass(fw_breaker *b, apr_time_t now)
{
    if (fw_breaker_rests_now(b, now))
        return FW_PASS_REST;
    if (!b->until)
        return FW_PASS_FREE;
    b->probing = true;
    return FW_PASS_PROBE;
}

void fw_breaker_probed(fw_breaker *b)
{
    b->probing = false;
}

fw_breaker_turn_e fw_breaker_worked(fw_breaker *b, bool health, apr_time_t now)
{
    bool was_failing = b->failures > 0;

    if (was_failing || !b->last_ok)
        b->since = now;
    b->failures = 0;
    b->until = 0;
    b->last_ok = now;
    if (!health)
        b->rest = 0;
    return was_failing ? FW_BREAKER_CLOSES : FW_BREAKER_SAME;
}

static void take_rest(fw_breaker *b, const fw_breaker_rests *rests, apr_time_t now)
{
    b->rest = b->rest ? b->rest * 2 : rests->first;
    if (b->rest > rests->most)
        b->rest = rests->most;
    b->until = now + b->rest;
}

/* What was under way when the rest began, and fails after that, tells nothing new: the rest stays as it is. */
fw_breaker_turn_e fw_breaker_failed(fw_breaker *b, const char *error, const fw_breaker_rests *rests,
                                    apr_time_t now)
{
    bool was_down = b->until != 0;

    if (b->failures == 0)
        b->since = now;
    b->failures++;
    apr_cpystrn(b->error, error, fw_utf8_fit(error, sizeof(b->error) - 1) + 1);
    if (b->failures >= FW_BREAKER_FAILURES && is_over(b, now))
        take_rest(b, rests, now);
    if (b->until && !was_down)
        return FW_BREAKER_OPENS;
    return b->failures == 1 ? FW_BREAKER_FAILS : FW_BREAKER_SAME;
}

const char *fw_breaker_state(const fw_breaker *b)
{
    if (b->until)
        return "down";
    return b->failures ? "failing" : "up";
}

apr_interval_time_t fw_backoff(apr_interval_time_t first, apr_interval_time_t most, int attempt,
                               int chance)
{
    apr_interval_time_t wait = first;

    for (int i = 1; i < attempt && wait < most; i++)
        wait *= 2;
    if (wait > most)
        wait = most;
    return wait + wait / 4 * chance / 1000;
}
