#include "fw_config.h"
#include "fw_wait.h"

#include <time.h>

apr_time_t fw_monotonic(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return apr_time_from_sec((apr_time_t)now.tv_sec) + now.tv_nsec / 1000;
}

void fw_wait_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

void fw_wait(pthread_cond_t *cond, pthread_mutex_t *mutex, apr_interval_time_t most)
{
    apr_time_t until = fw_monotonic() + (most > 0 ? most : 0);
    struct timespec end = {.tv_sec = apr_time_sec(until), .tv_nsec = apr_time_usec(until) * 1000};

    pthread_cond_timedwait(cond, mutex, &end);
}
