#ifndef FW_CALENDAR_H
#define FW_CALENDAR_H

#include "fw_date.h"
#include "fw_err.h"

/* The office calendar of the government's agencies (政府行政機關辦公日曆表). A calendar that has been loaded
 * never changes and may be read by every thread; to take up new files, load another. */

typedef struct fw_calendar fw_calendar;

/* Reads every YYYY.csv of `dir` as it is published: Big5 or UTF-8, with or without a byte order
 * mark; columns 西元日期,星期,是否放假,備註; one row for each day of the year, in order; 是否放假 is 0 (works) or
 * 2 (off). Other files are passed over. FW_E_CONFIG names file, line and reason; a folder without
 * a year is an error. */
const fw_err *fw_calendar_load(fw_calendar **out, const char *dir, apr_pool_t *pool);

/* Whether the office works on that day; in years that are not loaded: Monday to Friday. */
bool fw_calendar_works(const fw_calendar *cal, fw_date date);

/* Whether the year is loaded, so that `works` is more than a guess. */
bool fw_calendar_knows(const fw_calendar *cal, int year);

/* The remark on that day, such as "補行上班", in UTF-8; "" if there is none. */
const char *fw_calendar_remark(const fw_calendar *cal, fw_date date);

/* The n-th working day after `from`, which is not counted itself; `from` if n is 0 or less. */
fw_date fw_calendar_add_working_days(const fw_calendar *cal, fw_date from, int n);

/* The last day of a period of `days` calendar days that begins the day after `from`; if the office
 * is closed then, the next day on which it works. */
fw_date fw_calendar_legal_last_day(const fw_calendar *cal, fw_date from, int days);

/* The working days after `from` up to and with `to`, so that add_working_days undoes it; negative
 * if `to` is before `from`. */
int fw_calendar_working_days_between(const fw_calendar *cal, fw_date from, fw_date to);

#endif
