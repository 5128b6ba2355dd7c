#ifndef FW_WAIT_H
#define FW_WAIT_H

#include <pthread.h>

#include <apr_time.h>

/* Waits whose length does not change where somebody sets the clock of the day. APR's conditions wait until a time of that
 * clock: set back by an hour, each of them would last an hour longer. */

/* Microseconds since some time that never changes while the machine runs. */
apr_time_t fw_monotonic(void);

/* For fw_wait(). Never fails on Linux: a condition has no memory of its own there. */
void fw_wait_init(pthread_cond_t *cond);

/* Until `cond` is signalled, at most `most` microseconds, now and then sooner; `mutex` is held before and after. */
void fw_wait(pthread_cond_t *cond, pthread_mutex_t *mutex, apr_interval_time_t most);

#endif
