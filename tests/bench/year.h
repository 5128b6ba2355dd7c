#ifndef YEAR_H
#define YEAR_H

#include "fw_config.h"

#include <apr_strings.h>

#include "fw_desk.h"
#include "fw_perform.h"

/* The year of year.c: one at a time. */

#define YEAR_STATIONS  4
#define YEAR_OFFICERS  5 /* of each review, at each station */
#define YEAR_AGENCIES  20
#define YEAR_EMPLOYERS 25  /* of each agency */
#define YEAR_GROUP     100 /* commands in one transaction */

typedef struct year_case {
    fw_id worker, id, payment;
    int n, agency, station;
} year_case;

typedef struct year_world {
    apr_pool_t *pool, *act; /* of the run; of one transaction */
    const char *file;
    fw_desk *desk;
    fw_db *db;
    apr_time_t now;
    int commands, issued;
    fw_actor system, agents[YEAR_AGENCIES];
    fw_actor first[YEAR_STATIONS * YEAR_OFFICERS], second[YEAR_STATIONS * YEAR_OFFICERS];
    fw_id employers[YEAR_AGENCIES][YEAR_EMPLOYERS];
} year_world;
extern year_world year;

/* Desk, people and an empty database, which is left in `dir`. */
void year_open(const char *dir);

/* Each command in one transaction with the others; ends the program where one is refused. */
void year_perform(const fw_command *cmds, int n, fw_result *results);

/* All that is to happen on that day (from 0) to the cases: `per_day` are filed on each, and go on in the days after. */
void year_day(year_case *cases, int n, int today, int per_day);
/* The day on which the last of them is issued, and nothing is left to do. */
int year_last_day(int n, int per_day);

void year_fail(const char *what, const char *why) __attribute__((noreturn));
#define YEAR_MUST(expr)                                     \
    do {                                                    \
        const fw_err *must_ = (expr);                       \
        if (must_)                                          \
            year_fail(#expr, fw_err_text(must_, year.act)); \
    } while (0)

#endif
