#include "fw_config.h"
#include "fw_date.h"

#include <string.h>

#include <apr_strings.h>

#define TAIPEI        (8L * 3600)
#define DAY_SECONDS   86400L
#define ERA_DAYS      146097L /* of 400 years */
#define DAY_CHARS     10      /* "2026-11-24" */
#define INSTANT_CHARS 20      /* "2026-11-24T14:30:00Z" */
#define EPOCH         719468L /* 1970-01-01 counted from 0000-03-01 */

/* Division that rounds down for what lies before the epoch too. */
static apr_int64_t floor_div(apr_int64_t n, apr_int64_t by)
{
    return n / by - (n % by < 0);
}

static int days_of_month(int y, int m)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    if (m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0))
        return 29;
    return days[m - 1];
}

bool fw_date_real(fw_date date)
{
    return date.y >= 1 && date.y <= 9999 && date.m >= 1 && date.m <= 12 && date.d >= 1 &&
           date.d <= days_of_month(date.y, date.m);
}

/* Reads exactly `n` digits. */
static bool take_digits(const char *text, int n, int *out)
{
    int value = 0;

    for (int i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (text[i] - '0');
    }
    *out = value;
    return true;
}

bool fw_date_parse(const char *iso, fw_date *out)
{
    fw_date date;

    if (!iso || !take_digits(iso, 4, &date.y) || iso[4] != '-' ||
        !take_digits(iso + 5, 2, &date.m) || iso[7] != '-' || !take_digits(iso + 8, 2, &date.d) ||
        iso[10])
        return false;
    if (date.y < FW_DATE_YEAR_MIN || date.y > FW_DATE_YEAR_MAX || !fw_date_real(date))
        return false;
    *out = date;
    return true;
}

/* Both ways the year is taken to begin in March, so that the leap day is its last. */
long fw_date_days(fw_date date)
{
    long y = date.m > 2 ? date.y : date.y - 1L;
    long m = (date.m + 9L) % 12;
    long era = (long)floor_div(y, 400);
    long year = y - era * 400;
    long day = (153 * m + 2) / 5 + date.d - 1;

    return era * ERA_DAYS + year * 365 + year / 4 - year / 100 + day - EPOCH;
}

fw_date fw_date_from_days(long days)
{
    long n = days + EPOCH;
    long era = (long)floor_div(n, ERA_DAYS);
    long rest = n - era * ERA_DAYS;
    long year = (rest - rest / 1460 + rest / 36524 - rest / 146096) / 365;
    long day = rest - (365 * year + year / 4 - year / 100);
    long m = (5 * day + 2) / 153;
    fw_date date;

    date.d = (int)(day - (153 * m + 2) / 5 + 1);
    date.m = (int)(m < 10 ? m + 3 : m - 9);
    date.y = (int)(year + era * 400 + (date.m <= 2));
    return date;
}

int fw_date_compare(fw_date a, fw_date b)
{
    if (a.y != b.y)
        return a.y < b.y ? -1 : 1;
    if (a.m != b.m)
        return a.m < b.m ? -1 : 1;
    return (a.d > b.d) - (a.d < b.d);
}

const char *fw_date_text(fw_date date, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%04d-%02d-%02d", date.y, date.m, date.d);
}

int fw_date_weekday(fw_date date)
{
    long days = fw_date_days(date) + 4; /* 1970-01-01 was a Thursday */

    return (int)(days - 7 * (long)floor_div(days, 7));
}

fw_date fw_date_add_months(fw_date date, int n)
{
    long months = date.y * 12L + date.m - 1 + n;
    fw_date out = {.y = (int)floor_div(months, 12), .d = date.d};

    out.m = (int)(months - out.y * 12L) + 1;
    if (out.d > days_of_month(out.y, out.m))
        out.d = days_of_month(out.y, out.m);
    return out;
}

fw_date fw_date_add_years(fw_date date, int n)
{
    fw_date out = {.y = date.y + n, .m = date.m, .d = date.d};

    if (out.d > days_of_month(out.y, out.m))
        out.d = days_of_month(out.y, out.m);
    return out;
}

fw_date fw_date_of(apr_time_t instant)
{
    return fw_date_from_days(
        (long)floor_div(floor_div(instant, APR_USEC_PER_SEC) + TAIPEI, DAY_SECONDS));
}

apr_time_t fw_date_start(fw_date date)
{
    return apr_time_from_sec((apr_time_t)fw_date_days(date) * DAY_SECONDS - TAIPEI);
}

apr_time_t fw_date_end(fw_date date)
{
    return fw_date_start(date) + apr_time_from_sec(DAY_SECONDS) - 1;
}

int fw_date_roc_year(fw_date date)
{
    return date.y - 1911;
}

/* The day and the second of it, `ahead` seconds ahead of UTC. */
static fw_date split(apr_time_t instant, long ahead, int *second)
{
    apr_int64_t seconds = floor_div(instant, APR_USEC_PER_SEC) + ahead;
    apr_int64_t days = floor_div(seconds, DAY_SECONDS);

    *second = (int)(seconds - days * DAY_SECONDS);
    return fw_date_from_days((long)days);
}

const char *fw_time_iso(apr_time_t instant, apr_pool_t *pool)
{
    int s;
    fw_date day = split(instant, 0, &s);

    return apr_psprintf(pool, "%04d-%02d-%02dT%02d:%02d:%02dZ", day.y, day.m, day.d, s / 3600,
                        s / 60 % 60, s % 60);
}

apr_time_t fw_time_parse(const char *iso)
{
    char day[DAY_CHARS + 1];
    fw_date date;
    int h, m, s;

    if (!iso || strlen(iso) != INSTANT_CHARS)
        return 0;
    apr_cpystrn(day, iso, sizeof(day));
    if (!fw_date_parse(day, &date) || iso[10] != 'T' || !take_digits(iso + 11, 2, &h) ||
        iso[13] != ':' || !take_digits(iso + 14, 2, &m) || iso[16] != ':' ||
        !take_digits(iso + 17, 2, &s) || iso[19] != 'Z' || h > 23 || m > 59 || s > 60)
        return 0;
    return apr_time_from_sec((apr_time_t)fw_date_days(date) * DAY_SECONDS + h * 3600L + m * 60L +
                             s);
}

const char *fw_time_taipei(apr_time_t instant, apr_pool_t *pool)
{
    int s;
    fw_date day = split(instant, TAIPEI, &s);

    return apr_psprintf(pool, "%04d-%02d-%02d %02d:%02d", day.y, day.m, day.d, s / 3600,
                        s / 60 % 60);
}
