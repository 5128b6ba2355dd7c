#ifndef FW_STAY_H
#define FW_STAY_H

#include "fw_config.h"

#include <apr_time.h>

/* What a person's arrivals and departures 入出境 leave to be asked. Pure. */

typedef struct fw_moved {
    apr_time_t at;
    bool is_arrival;
    bool is_cancelled; /* it was recorded by mistake */
    const char *passport_no;
} fw_moved;

typedef enum fw_stay_e {
    FW_STAY_DEPARTED, /* left, and has not come back */
    FW_STAY_TWICE,    /* came in twice, and did not leave in between: `before` was the first time */
    FW_STAY_NEVER_CAME,     /* an arrival was cancelled, and none of that day stands */
    FW_STAY_OTHER_PASSPORT, /* came or left under another passport than the one that is asked about */
    FW_STAY_WARNINGS
} fw_stay_e;

typedef struct fw_stay_warning {
    fw_stay_e what;
    const fw_moved *of, *before; /* into the list */
} fw_stay_warning;

/* Sorts the list, the newest first, and fills `out`: each kind at most once, of its newest. Gives how many. `passport_no` or NULL. */
int fw_stay_judge(fw_moved *list, int n, const char *passport_no,
                  fw_stay_warning out[FW_STAY_WARNINGS]);

#endif
