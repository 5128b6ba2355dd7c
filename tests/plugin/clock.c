/* Preloaded: the seconds since 1970 are what CLOCK_NOW says. */
#include <stdlib.h>
#include <time.h>

time_t time(time_t *out)
{
    const char *text = getenv("CLOCK_NOW");
    struct timespec real;
    time_t now;

    clock_gettime(CLOCK_REALTIME, &real);
    now = text ? (time_t)strtoll(text, NULL, 10) : real.tv_sec;
    if (out)
        *out = now;
    return now;
}
