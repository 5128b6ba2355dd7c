#ifndef FW_DATE_H
#define FW_DATE_H

#include "fw_config.h"

/* Days of the Gregorian calendar, and instants as Taiwan reads them (UTC+8 all year). */

#define FW_DATE_YEAR_MIN 1900
#define FW_DATE_YEAR_MAX 2200

typedef struct fw_date {
    int y, m, d; /* month and day count from 1 */
} fw_date;

/* Reads "YYYY-MM-DD", nothing before or after it; only real days of the years above. False leaves
 * `out` alone; NULL text is false. */
bool fw_date_parse(const char *iso, fw_date *out);

/* Whether y, m, d name a real day of any year from 1 to 9999. */
bool fw_date_real(fw_date date);

/* Days since 1970-01-01, negative before it; and back. */
long fw_date_days(fw_date date);
fw_date fw_date_from_days(long days);

/* Below, equal to or above 0 as `a` is before, on or after `b`. */
int fw_date_compare(fw_date a, fw_date b);

/* "2026-11-24". */
const char *fw_date_text(fw_date date, apr_pool_t *pool);

/* 0 is Sunday, 6 Saturday. */
int fw_date_weekday(fw_date date);

/* The same day `n` years or months later (earlier, if negative); where that month is too short,
 * its last day (Civil Code art. 121). */
fw_date fw_date_add_years(fw_date date, int n);
fw_date fw_date_add_months(fw_date date, int n);

/* The day in Taiwan on which the instant falls; the day's first and last microsecond. */
fw_date fw_date_of(apr_time_t instant);
apr_time_t fw_date_start(fw_date date);
apr_time_t fw_date_end(fw_date date);

/* 115 for a day of 2026; 0 or less before 1912. */
int fw_date_roc_year(fw_date date);

/* "2026-11-24T14:30:00Z" and "2026-11-24 22:30"; parts of a second or minute are cut off. */
const char *fw_time_iso(apr_time_t instant, apr_pool_t *pool);
const char *fw_time_taipei(apr_time_t instant, apr_pool_t *pool);

/* Reads the first of the two forms, nothing before or after it, of the years above; 0: no such text, or NULL. */
apr_time_t fw_time_parse(const char *iso);

#endif
