#include "transfer.h"

#include <stdlib.h>
#include <string.h>

/* The bank's file: lines of 60 bytes, ASCII, each ended by CR LF or LF.
 *   header   1, holder (14), day (8), number of the file (4), blanks
 *   payment  2, account (16), amount (11), day (8), time (6), the bank's number (12), blanks
 *   trailer  3, how many payments (6), their sum (13), blanks */

#define DAY_SECONDS    86400
#define TAIPEI_SECONDS 28800

static bool is_digits(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] < '0' || p[i] > '9')
            return false;
    return true;
}

static bool is_blank(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != ' ')
            return false;
    return true;
}

static int64_t number(const char *p, size_t n)
{
    int64_t v = 0;

    for (size_t i = 0; i < n; i++)
        v = v * 10 + (p[i] - '0');
    return v;
}

/* Days since 1970 of a day that is one; -1: it is none. */
static int64_t days_of(const char *p)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int y = (int)number(p, 4), m = (int)number(p + 4, 2), d = (int)number(p + 6, 2);
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    int64_t days = 0;

    if (y < 1970 || m < 1 || m > 12 || d < 1 || d > lengths[m - 1] + (m == 2 && leap))
        return -1;
    days = (int64_t)(y - 1970) * 365 + (y - 1969) / 4 - (y - 1901) / 100 + (y - 1601) / 400;
    for (int i = 0; i < m - 1; i++)
        days += lengths[i] + (i == 1 && leap);
    return days + d - 1;
}

static bool take_time(const char *p, int64_t *at)
{
    int64_t days = days_of(p), h = number(p + 8, 2), m = number(p + 10, 2), s = number(p + 12, 2);

    if (days < 0 || h > 23 || m > 59 || s > 59)
        return false;
    *at = days * DAY_SECONDS + h * 3600 + m * 60 + s - TAIPEI_SECONDS;
    return true;
}

static const char *header_fault(const fwp_instance *self, const char *line)
{
    if (line[0] != '1' || !is_digits(line + 1, 26) || !is_blank(line + 27, 33))
        return "the first line is no header";
    if (memcmp(line + 1, self->holder, TRANSFER_HOLDER) != 0)
        return "it is another account holder's";
    return days_of(line + 15) < 0 ? "the header's day is none" : NULL;
}

const char *transfer_line_read(const fwp_instance *self, const char *header, const char *line,
                               transfer_line *out)
{
    const char *why = header_fault(self, header);

    if (why)
        return why;
    if (line[0] != '2' || !is_digits(line + 1, 53) || !is_blank(line + 54, 6))
        return "it is no payment";
    memcpy(out->account, line + 1, TRANSFER_ACCOUNT);
    out->account[TRANSFER_ACCOUNT] = '\0';
    out->amount = number(line + 17, 11);
    memcpy(out->serial, line + 42, 12);
    out->serial[12] = '\0';
    if (!transfer_account_good(self->prefix, out->account))
        return "no account of ours: prefix or check digit";
    if (out->amount < 1 || out->amount > 199999999)
        return "no amount that can be";
    return take_time(line + 28, &out->at) ? NULL : "no time that can be";
}

/* ---- the whole ---- */

/* The bytes of a line with its end; 0: it is cut off or of another length. */
static int step_of(const char *p, const char *end)
{
    if (end - p > TRANSFER_LINE && p[TRANSFER_LINE] == '\n')
        return TRANSFER_LINE + 1;
    if (end - p > TRANSFER_LINE + 1 && p[TRANSFER_LINE] == '\r' && p[TRANSFER_LINE + 1] == '\n')
        return TRANSFER_LINE + 2;
    return 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

static bool serial_twice(fwp_instance *self, fwp_call *call, const transfer_file *f)
{
    char(*serials)[13] = self->host->alloc(call, (size_t)(f->n + 1) * 13);

    for (int i = 0; i < f->n; i++)
        memcpy(serials[i], f->lines + (size_t)i * (size_t)f->step + 42, 12);
    qsort(serials, (size_t)f->n, 13, by_text);
    for (int i = 1; i < f->n; i++)
        if (strcmp(serials[i - 1], serials[i]) == 0)
            return true;
    return false;
}

static const char *trailer_fault(const char *line, int n, int64_t sum)
{
    if (!is_digits(line + 1, 19) || !is_blank(line + 20, 40))
        return "the last line is no trailer";
    if (number(line + 1, 6) != n)
        return "not as many payments as the trailer says";
    return number(line + 7, 13) == sum ? NULL : "the payments' sum is not the trailer's";
}

/* Everything between header and trailer. */
static const char *read_lines(fwp_instance *self, fwp_call *call, const char *p, const char *end,
                              transfer_file *out)
{
    transfer_line line;
    int64_t sum = 0;

    out->lines = p;
    for (out->n = 0;; out->n++, p += out->step) {
        const char *why;

        if (p == end)
            return "there is no trailer: it is cut off";
        if (step_of(p, end) != out->step)
            return transfer_say(self, call, "line %d is cut off, or not of %d bytes", out->n + 2,
                                TRANSFER_LINE);
        if (p[0] == '3')
            break;
        why = out->n < TRANSFER_LINES_MAX ? transfer_line_read(self, out->header, p, &line)
                                          : "too many payments";
        if (why)
            return transfer_say(self, call, "line %d: %s", out->n + 2, why);
        sum += line.amount;
    }
    if (p + out->step != end)
        return "there are bytes behind the trailer";
    return trailer_fault(p, out->n, sum);
}

const char *transfer_file_read(fwp_instance *self, fwp_call *call, const char *bytes, size_t n,
                               transfer_file *out)
{
    const char *end = bytes + n, *why;

    *out = (transfer_file){.step = step_of(bytes, end)};
    if (!out->step)
        return transfer_say(self, call, "line 1 is cut off, or not of %d bytes", TRANSFER_LINE);
    memcpy(out->header, bytes, TRANSFER_LINE);
    why = header_fault(self, out->header);
    if (!why)
        why = read_lines(self, call, bytes + out->step, end, out);
    if (!why && serial_twice(self, call, out))
        why = "a number of the bank's stands twice";
    memcpy(out->key, out->header + 15, 8);
    out->key[8] = '-';
    memcpy(out->key + 9, out->header + 23, 4);
    out->key[13] = '\0';
    return why;
}
