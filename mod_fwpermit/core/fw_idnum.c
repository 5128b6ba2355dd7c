#include "fw_config.h"
#include "fw_idnum.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#define MAIL_MAX       254
#define LOCAL_MAX      64
#define LABEL_MAX      63
#define PHONE_TEXT_MAX 40
#define PHONE_DIGITS   16

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

/* Whether the text is nothing but `n` digits. */
static bool all_digits(const char *text, size_t n)
{
    return strspn(text, "0123456789") == n && !text[n];
}

/* The sum of letter, `second` as a digit, and the eight digits from `rest` on; the scheme is one
 * for national and both UI numbers. */
static bool check_person(char letter, int second, const char *rest)
{
    static const int values[] = {10, 11, 12, 13, 14, 15, 16, 17, 34, 18, 19, 20, 21,
                                 22, 35, 23, 24, 25, 26, 27, 28, 29, 32, 30, 31, 33};
    int value = values[letter - 'A'];
    int sum = value / 10 + 9 * (value % 10) + 8 * second;

    for (int i = 0; i < 8; i++)
        sum += (i < 7 ? 7 - i : 1) * (rest[i] - '0');
    return sum % 10 == 0;
}

static bool is_person(const char *text)
{
    return text && is_upper(text[0]) && text[1] && all_digits(text + 2, 8);
}

bool fw_idnum_national_valid(const char *text)
{
    return is_person(text) && (text[1] == '1' || text[1] == '2') &&
           check_person(text[0], text[1] - '0', text + 2);
}

bool fw_idnum_ui_valid(const char *text)
{
    if (!is_person(text))
        return false;
    if (text[1] == '8' || text[1] == '9')
        return check_person(text[0], text[1] - '0', text + 2);
    return text[1] >= 'A' && text[1] <= 'D' && check_person(text[0], text[1] - 'A', text + 2);
}

/* A product of 28 counts 10, which the rule lets be 1 or 0; modulo 5 that is the sum or the sum
 * and one. */
bool fw_idnum_ban_valid(const char *text)
{
    static const int weights[] = {1, 2, 1, 2, 1, 2, 4, 1};
    int sum = 0;

    if (!text || !all_digits(text, 8))
        return false;
    for (int i = 0; i < 8; i++) {
        int product = weights[i] * (text[i] - '0');

        sum += product / 10 + product % 10;
    }
    return sum % 5 == 0 || (text[6] == '7' && (sum + 1) % 5 == 0);
}

/* How letters begin: the labour authority's offices by the times. */
static const char *const letter_prefixes[] = {
    "勞動發事字第", "勞動發管字第", "勞職外字第", "勞職管字第", "勞職許字第",
};

bool fw_idnum_letter_valid(const char *text)
{
    if (!text)
        return false;
    for (size_t i = 0; i < sizeof(letter_prefixes) / sizeof(letter_prefixes[0]); i++) {
        size_t n = strlen(letter_prefixes[i]);

        if (strncmp(text, letter_prefixes[i], n) != 0)
            continue;
        return strspn(text + n, "0123456789") == 10 && strcmp(text + n + 10, "號") == 0;
    }
    return false;
}

/* The bytes of the white space that `p` begins with, or 0: ASCII, no-break, ideographic, zero-width
 * space, byte order mark. */
static size_t space_at(const char *p)
{
    if (apr_isspace(*p))
        return 1;
    if (strncmp(p, "\xC2\xA0", 2) == 0)
        return 2;
    if (strncmp(p, "\xE3\x80\x80", 3) == 0 || strncmp(p, "\xE2\x80\x8B", 3) == 0 ||
        strncmp(p, "\xEF\xBB\xBF", 3) == 0)
        return 3;
    return 0;
}

/* The ASCII character whose full-width form `p` begins with, if it is a letter or a digit; or 0.
 * U+FF01 to U+FF5E stand for U+0021 to U+007E. */
static char full_width_at(const char *p)
{
    unsigned char last;
    int ascii;

    if ((unsigned char)p[0] != 0xEF || ((unsigned char)p[1] != 0xBC && (unsigned char)p[1] != 0xBD))
        return 0;
    last = (unsigned char)p[2];
    ascii = ((unsigned char)p[1] == 0xBC ? 0x20 : 0x60) + (last - 0x80);
    return last >= 0x80 && last <= 0xBF && ascii < 0x7F && apr_isalnum(ascii) ? (char)ascii : 0;
}

const char *fw_idnum_letter_normalise(const char *text, apr_pool_t *pool)
{
    char *out, *to;

    if (!text)
        return "";
    out = to = apr_palloc(pool, strlen(text) + 1);
    while (*text) {
        size_t space = space_at(text);
        char ascii = full_width_at(text);

        if (space) {
            text += space;
        } else if (ascii) {
            *to++ = ascii;
            text += 3;
        } else {
            *to++ = *text++;
        }
    }
    *to = '\0';
    return out;
}

/* Whether the mark at `p`, no digit, may stand there; one pair of parentheses closes after a
 * digit. */
static bool phone_mark(const char *start, const char *p, int *parentheses)
{
    switch (*p) {
    case ' ':
    case '-':
        return p > start;
    case '(':
        return ++*parentheses == 1;
    case ')':
        return ++*parentheses == 2 && is_digit(p[-1]);
    default:
        return false;
    }
}

/* The digits of a phone number without what may stand between them; false if anything else does.
 * `plus` tells whether "+" comes first, `extension` what follows "#". */
static bool phone_digits(const char *text, char digits[PHONE_DIGITS + 1], bool *plus,
                         const char **extension)
{
    int n = 0, parentheses = 0;
    const char *start, *p;

    *plus = *text == '+';
    start = text + *plus;
    for (p = start; *p && *p != '#'; p++) {
        if (!is_digit(*p)) {
            if (!phone_mark(start, p, &parentheses))
                return false;
        } else if (n < PHONE_DIGITS) {
            digits[n++] = *p;
        } else {
            return false;
        }
    }
    digits[n] = '\0';
    *extension = *p ? p + 1 : NULL;
    return n > 0 && parentheses != 1 && (*extension || is_digit(p[-1]) || p[-1] == ')');
}

/* Numbers as dialled within Taiwan: 09 and eight digits; 02 and eight; 04 (with 049) and seven or
 * eight; 03, 05 to 08 and seven, counted with the longer area codes. */
static bool domestic(const char *digits, bool extension)
{
    size_t n = strlen(digits);

    if (digits[0] != '0' || n < 9 || n > 10)
        return false;
    switch (digits[1]) {
    case '9':
        return n == 10 && !extension;
    case '2':
        return n == 10 && digits[2] >= '2';
    case '4':
        return digits[2] >= '2';
    case '3':
    case '5':
    case '6':
    case '7':
    case '8':
        return n == 9 && digits[2] >= '2';
    default:
        return false;
    }
}

bool fw_idnum_phone_valid(const char *text)
{
    char digits[PHONE_DIGITS + 1];
    const char *extension;
    bool plus;

    if (!text || strlen(text) > PHONE_TEXT_MAX || !phone_digits(text, digits, &plus, &extension))
        return false;
    if (extension &&
        (strlen(extension) > 6 || !*extension || !all_digits(extension, strlen(extension))))
        return false;
    if (!plus)
        return domestic(digits, extension != NULL);
    if (strncmp(digits, "886", 3) == 0) { /* as within the country, its 0 left away */
        digits[2] = '0';
        return domestic(digits + 2, extension != NULL);
    }
    return digits[0] != '0' && strlen(digits) >= 8 && strlen(digits) <= 15;
}

static bool mail_local(const char *text, size_t n)
{
    if (n == 0 || n > LOCAL_MAX || text[0] == '.' || text[n - 1] == '.')
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];

        if (!is_digit(c) && !is_upper(c) && !is_lower(c) && !strchr(".!#$%&'*+/=?^_`{|}~-", c))
            return false;
        if (c == '.' && text[i + 1] == '.')
            return false;
    }
    return true;
}

/* One label of a domain; the last one must not be a number. */
static bool mail_label(const char *text, size_t n, bool last)
{
    bool letters = false;

    if (n == 0 || n > LABEL_MAX || text[0] == '-' || text[n - 1] == '-' || (last && n < 2))
        return false;
    for (size_t i = 0; i < n; i++) {
        bool letter = is_upper(text[i]) || is_lower(text[i]);

        if (!letter && !is_digit(text[i]) && text[i] != '-')
            return false;
        letters = letters || letter;
    }
    return letters || !last;
}

bool fw_idnum_mail_valid(const char *text)
{
    const char *at = text ? strchr(text, '@') : NULL;
    int dots = 0;

    if (!at || strlen(text) > MAIL_MAX || !mail_local(text, (size_t)(at - text)))
        return false;
    for (const char *label = at + 1;; label++, dots++) {
        size_t n = strcspn(label, ".");

        if (!mail_label(label, n, !label[n]))
            return false;
        label += n;
        if (!*label)
            return dots > 0;
    }
}

bool fw_idnum_passport_valid(const char *text)
{
    size_t n = text ? strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") : 0;

    return n >= 6 && n <= 9 && !text[n];
}
