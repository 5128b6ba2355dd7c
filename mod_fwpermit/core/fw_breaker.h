#ifndef FW_BREAKER_H
#define FW_BREAKER_H

#include "fw_config.h"

/* When a link to another system is left in peace, and for how long. Pure: the clock is the caller's, and so is the lock. */

#define FW_BREAKER_FAILURES    5 /* in a row: then the link is down, and rests */
#define FW_BREAKER_ERROR_BYTES 500

/* Zeroed: a link that nobody has used yet. */
typedef struct fw_breaker {
    int failures; /* in a row */
    apr_time_t
        since; /* up: since the first answer; failing and down: since the first of these failures */
    apr_time_t last_ok;                     /* 0: never */
    apr_time_t until;                       /* down: the end of the rest; 0: not down */
    apr_interval_time_t rest;               /* the last one */
    bool probing;                           /* somebody tries whether it is back */
    char error[FW_BREAKER_ERROR_BYTES + 1]; /* of the last failure */
} fw_breaker;

/* How long it rests: first this, each time twice as long, at most that. */
typedef struct fw_breaker_rests {
    apr_interval_time_t first, most;
} fw_breaker_rests;

typedef enum fw_pass_e {
    FW_PASS_FREE,
    FW_PASS_PROBE, /* the rest is over, and it is the caller who tries: afterwards fw_breaker_probed() */
    FW_PASS_REST
} fw_pass_e;

/* May the caller use the link now? */
fw_pass_e fw_breaker_pass(fw_breaker *b, apr_time_t now);
/* The same without taking the turn to try. */
bool fw_breaker_rests_now(const fw_breaker *b, apr_time_t now);
/* The turn to try ends, whatever came of it. */
void fw_breaker_probed(fw_breaker *b);

typedef enum fw_breaker_turn_e {
    FW_BREAKER_SAME,
    FW_BREAKER_FAILS, /* the first failure after it worked */
    FW_BREAKER_OPENS, /* it is down */
    FW_BREAKER_CLOSES /* it works again */
} fw_breaker_turn_e;

/* How a call went. `health`: it asked only whether the other side is there, and promises no more: the next rest is not
 * short again before something was delivered. */
fw_breaker_turn_e fw_breaker_worked(fw_breaker *b, bool health, apr_time_t now);
fw_breaker_turn_e fw_breaker_failed(fw_breaker *b, const char *error, const fw_breaker_rests *rests,
                                    apr_time_t now);

/* "up", "failing", "down". */
const char *fw_breaker_state(const fw_breaker *b);

/* The wait before another attempt: `first` after the first, each time twice as long, at most `most`; then up to a quarter
 * more by `chance` (0 to 999), so that not all come at once. */
apr_interval_time_t fw_backoff(apr_interval_time_t first, apr_interval_time_t most, int attempt,
                               int chance);

#endif
