#include "fw_config.h"
#include "fw_calendar.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_strings.h>

#include "fw_file.h"
#include "fw_utf8.h"

#define FILE_MAX    (256 * 1024) /* bytes; a year has about 8,000 */
#define COLUMNS     4
#define DAYS_MAX    366
#define YEAR_SPAN   (FW_DATE_YEAR_MAX - FW_DATE_YEAR_MIN + 1)
#define LEGACY_CODE "CP950" /* Big5 as Taiwan's offices write it */

typedef struct year {
    bool works[DAYS_MAX];
    const char *remarks[DAYS_MAX];
} year;

struct fw_calendar {
    const year *years[YEAR_SPAN]; /* NULL: not loaded */
};

/* Where reading is. */
typedef struct reader {
    const char *path;
    int line;
    apr_pool_t *pool; /* of the calendar */
    apr_pool_t *scratch;
} reader;

static const fw_err *fault(const reader *r, const char *reason, const char *what)
{
    return FW_ERR(r->pool, FW_E_CONFIG, 0, "%s:%d: %s%s%s", r->path, r->line, reason,
                  what ? " " : "", what ? what : "");
}

static const fw_err *read_whole(const reader *r, char **out)
{
    apr_size_t n = 0;

    FW_TRY(fw_file_read(out, &n, r->path, FILE_MAX, r->pool));
    return strlen(*out) == n ? NULL
                             : FW_ERR(r->pool, FW_E_CONFIG, 0, "%s:0: has a zero byte", r->path);
}

/* The first byte that is no UTF-8, or NULL. */
static const char *find_alien(const char *text)
{
    while (*text) {
        const char *start = text;

        if (fw_utf8_next(&text) == FW_UTF8_NONE && text - start == 1)
            return start;
    }
    return NULL;
}

/* What is no UTF-8 is taken for Big5. A file that is neither is at fault where the reading that
 * comes further ends. */
static const fw_err *decode(const reader *r, char **text)
{
    size_t n, rv, room = 3 * strlen(*text);
    char *from = *text, *to, *out;
    const char *alien;
    iconv_t codes;

    if (strncmp(from, "\xEF\xBB\xBF", 3) == 0)
        *text = from += 3;
    alien = find_alien(from);
    if (!alien)
        return NULL;
    codes = iconv_open("UTF-8", LEGACY_CODE);
    if (codes == (iconv_t)-1)
        return FW_ERR(r->pool, FW_E_CONFIG, errno, "%s:0: Big5 cannot be read here", r->path);
    to = out = apr_palloc(r->scratch, room + 1);
    n = strlen(from);
    rv = iconv(codes, &from, &n, &to, &room);
    iconv_close(codes);
    *to = '\0';
    if (rv == (size_t)-1) {
        reader at = *r;

        at.line = 1;
        for (const char *p = *text; p < from || p < alien; p++)
            at.line += *p == '\n';
        return fault(&at, "is neither UTF-8 nor Big5", NULL);
    }
    *text = out;
    return NULL;
}

/* Cuts the next field off the line; `*line` becomes NULL behind the last one. */
static char *take_field(char **line)
{
    char *from = *line, *out = from, *to = from;
    bool quoted = *from == '"';

    if (quoted)
        from++;
    while (*from && (quoted || *from != ',')) {
        if (quoted && *from == '"') {
            from++;
            if (*from != '"') {
                quoted = false;
                continue;
            }
        }
        *to++ = *from++;
    }
    *line = *from ? from + 1 : NULL;
    *to = '\0';
    return out;
}

/* Splits a row; false unless it has the four columns. Empty columns may follow them. */
static bool split(char *line, char *fields[COLUMNS])
{
    for (int i = 0; i < COLUMNS; i++) {
        if (!line)
            return false;
        fields[i] = take_field(&line);
    }
    return !line || line[strspn(line, ",")] == '\0';
}

static const fw_err *check_header(const reader *r, char *fields[COLUMNS])
{
    static const char *const names[COLUMNS] = {"西元日期", "星期", "是否放假", "備註"};

    for (int i = 0; i < COLUMNS; i++)
        if (strcmp(fields[i], names[i]) != 0)
            return fault(r, "the header must be 西元日期,星期,是否放假,備註; it has", fields[i]);
    return NULL;
}

static const fw_err *take_row(const reader *r, char *fields[COLUMNS], fw_date due, year *out, int n)
{
    static const char *const weekdays[] = {"日", "一", "二", "三", "四", "五", "六"};
    const char *date = apr_psprintf(r->scratch, "%04d%02d%02d", due.y, due.m, due.d);

    if (strcmp(fields[0], date) != 0)
        return fault(r, apr_pstrcat(r->scratch, "expected the row of ", date, ", found", NULL),
                     fields[0]);
    if (strcmp(fields[1], weekdays[fw_date_weekday(due)]) != 0)
        return fault(r, "is not the weekday of that date:", fields[1]);
    if (strcmp(fields[2], "0") != 0 && strcmp(fields[2], "2") != 0)
        return fault(r, "是否放假 must be 0 or 2, not", fields[2]);
    out->works[n] = fields[2][0] == '0';
    out->remarks[n] = *fields[3] ? apr_pstrdup(r->pool, fields[3]) : "";
    return NULL;
}

static const fw_err *load_year(fw_calendar *cal, int y, reader *r)
{
    long first = fw_date_days((fw_date){y, 1, 1}), days = fw_date_days((fw_date){y + 1, 1, 1});
    year *out = apr_pcalloc(r->pool, sizeof(*out));
    char *text = NULL, *fields[COLUMNS];
    int n = -1; /* the header comes before the days */

    days -= first;
    FW_TRY(read_whole(r, &text));
    FW_TRY(decode(r, &text));
    for (char *line = text, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        r->line++;
        if (*line && line[strlen(line) - 1] == '\r')
            line[strlen(line) - 1] = '\0';
        if (!*line)
            continue;
        if (!split(line, fields))
            return fault(r, "has not four columns", NULL);
        if (n == days)
            return fault(r, "comes after the last day of the year:", fields[0]);
        if (n < 0)
            FW_TRY(check_header(r, fields));
        else
            FW_TRY(take_row(r, fields, fw_date_from_days(first + n), out, n));
        n++;
    }
    if (n < days)
        return fault(r, "ends before the year does", NULL);
    cal->years[y - FW_DATE_YEAR_MIN] = out;
    return NULL;
}

/* The year that a file is named after, or 0. */
static int year_of(const char *name)
{
    int y = 0;

    if (strspn(name, "0123456789") != 4 || strcmp(name + 4, ".csv") != 0)
        return 0;
    for (int i = 0; i < 4; i++)
        y = y * 10 + (name[i] - '0');
    return y;
}

static const fw_err *load_folder(fw_calendar *cal, const char *dir, apr_pool_t *pool,
                                 apr_pool_t *scratch)
{
    apr_dir_t *folder;
    apr_finfo_t entry;
    int loaded = 0;
    apr_status_t rv = apr_dir_open(&folder, dir, scratch);

    if (rv)
        return FW_ERR(pool, FW_E_CONFIG, rv, "%s:0: the calendar's folder cannot be read", dir);
    while (apr_dir_read(&entry, APR_FINFO_NAME, folder) == APR_SUCCESS) {
        int y = year_of(entry.name);
        reader r = {.pool = pool, .scratch = scratch};

        if (!y)
            continue;
        r.path = apr_pstrcat(pool, dir, "/", entry.name, NULL);
        if (y < FW_DATE_YEAR_MIN || y > FW_DATE_YEAR_MAX)
            return fault(&r, "is of no year that can be", NULL);
        FW_TRY(load_year(cal, y, &r));
        loaded++;
    }
    apr_dir_close(folder);
    return loaded ? NULL : FW_ERR(pool, FW_E_CONFIG, 0, "%s:0: has no YYYY.csv", dir);
}

const fw_err *fw_calendar_load(fw_calendar **out, const char *dir, apr_pool_t *pool)
{
    fw_calendar *cal = apr_pcalloc(pool, sizeof(*cal));
    apr_pool_t *scratch;
    const fw_err *err;

    apr_pool_create(&scratch, pool);
    err = load_folder(cal, dir, pool, scratch);
    apr_pool_destroy(scratch);
    if (!err)
        *out = cal;
    return err;
}

static const year *find_year(const fw_calendar *cal, int y)
{
    return y < FW_DATE_YEAR_MIN || y > FW_DATE_YEAR_MAX ? NULL : cal->years[y - FW_DATE_YEAR_MIN];
}

static long day_of_year(fw_date date)
{
    return fw_date_days(date) - fw_date_days((fw_date){date.y, 1, 1});
}

bool fw_calendar_knows(const fw_calendar *cal, int y)
{
    return find_year(cal, y) != NULL;
}

bool fw_calendar_works(const fw_calendar *cal, fw_date date)
{
    const year *found = find_year(cal, date.y);
    int weekday;

    if (found)
        return found->works[day_of_year(date)];
    weekday = fw_date_weekday(date);
    return weekday >= 1 && weekday <= 5;
}

const char *fw_calendar_remark(const fw_calendar *cal, fw_date date)
{
    const year *found = find_year(cal, date.y);

    return found ? found->remarks[day_of_year(date)] : "";
}

static fw_date next_day(fw_date date)
{
    return fw_date_from_days(fw_date_days(date) + 1);
}

fw_date fw_calendar_add_working_days(const fw_calendar *cal, fw_date from, int n)
{
    while (n > 0) {
        from = next_day(from);
        n -= fw_calendar_works(cal, from);
    }
    return from;
}

fw_date fw_calendar_legal_last_day(const fw_calendar *cal, fw_date from, int days)
{
    fw_date last = fw_date_from_days(fw_date_days(from) + days);

    while (!fw_calendar_works(cal, last))
        last = next_day(last);
    return last;
}

int fw_calendar_working_days_between(const fw_calendar *cal, fw_date from, fw_date to)
{
    int n = 0;

    if (fw_date_compare(to, from) < 0)
        return -fw_calendar_working_days_between(cal, to, from);
    while (fw_date_compare(from, to) < 0) {
        from = next_day(from);
        n += fw_calendar_works(cal, from);
    }
    return n;
}
