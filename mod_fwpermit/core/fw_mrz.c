#include "fw_config.h"
#include "fw_mrz.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_utf8.h"

#define TEXT_MAX 1024   /* bytes that are looked at */
#define LINES    90     /* characters of the longest document */
#define DOUBLE   '\x01' /* a mark that stands for "<" or for "<<" */
#define ALIEN    '?'    /* a character that no document has */

/* Where things stand once the lines are joined. The check digits of number, birth and expiry stand
 * behind them, after 9, 6 and 6 characters; `ranges` is what the composite digit is over. */
typedef struct layout {
    fw_mrz_size_e size;
    int lines, width;
    int name, name_n;
    int number, nationality, birth, sex, expiry;
    int optional, optional_n;
    int optional_check; /* 0: has none */
    int optional2, optional2_n;
    int composite;
    struct {
        int at, n;
    } ranges[4];
} layout;

static const layout layouts[] = {
    {.size = FW_MRZ_TD3,
     .lines = 2,
     .width = 44,
     .name = 5,
     .name_n = 39,
     .number = 44,
     .nationality = 54,
     .birth = 57,
     .sex = 64,
     .expiry = 65,
     .optional = 72,
     .optional_n = 14,
     .optional_check = 86,
     .composite = 87,
     .ranges = {{44, 10}, {57, 7}, {65, 22}}},
    {.size = FW_MRZ_TD1,
     .lines = 3,
     .width = 30,
     .name = 60,
     .name_n = 30,
     .number = 5,
     .nationality = 45,
     .birth = 30,
     .sex = 37,
     .expiry = 38,
     .optional = 15,
     .optional_n = 15,
     .optional2 = 48,
     .optional2_n = 11,
     .composite = 59,
     .ranges = {{5, 25}, {30, 7}, {38, 7}, {48, 11}}},
    {.size = FW_MRZ_TD2,
     .lines = 2,
     .width = 36,
     .name = 5,
     .name_n = 31,
     .number = 36,
     .nationality = 46,
     .birth = 49,
     .sex = 56,
     .expiry = 57,
     .optional = 64,
     .optional_n = 7,
     .composite = 71,
     .ranges = {{36, 10}, {49, 7}, {57, 14}}},
};

/* What is seen or typed for "<": the character and how many it may stand for. */
static const struct {
    uint32_t code;
    int marks;
} fillers[] = {
    {0x00AB, 2}, {0x226A, 2}, {0x300A, 2}, {0x27EA, 2}, {0x2039, 1}, {0x02C2, 1}, {0x1438, 1},
    {0x2329, 1}, {0x27E8, 1}, {0x276E, 1}, {0x3008, 1}, {0x2770, 1}, {0x276C, 1},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return c >= 'A' && c <= 'Z';
}

int fw_mrz_check_digit(const char *text, size_t n)
{
    static const int weights[] = {7, 3, 1};
    int sum = 0;

    for (size_t i = 0; i < n; i++) {
        int value;

        if (is_digit(text[i]))
            value = text[i] - '0';
        else if (is_letter(text[i]))
            value = text[i] - 'A' + 10;
        else if (text[i] == '<')
            value = 0;
        else
            return -1;
        sum = (sum + value * weights[i % 3]) % 10;
    }
    return sum;
}

/* White space: what ends a line, and what is dropped. */
static const struct {
    uint32_t first, last;
    bool end;
} blanks[] = {
    {'\n', '\r', true},      {0x0085, 0x0085, true},  {0x2028, 0x2029, true},
    {'\t', '\t', false},     {' ', ' ', false},       {0x00A0, 0x00A0, false},
    {0x00AD, 0x00AD, false}, {0x2000, 0x200F, false}, {0x202F, 0x202F, false},
    {0x205F, 0x2060, false}, {0x3000, 0x3000, false}, {0xFEFF, 0xFEFF, false},
};

/* The folded form of a character; 0 for what is dropped, '\n' for the end of a line. */
static char fold(uint32_t c)
{
    for (size_t i = 0; i < sizeof(blanks) / sizeof(blanks[0]); i++)
        if (c >= blanks[i].first && c <= blanks[i].last)
            return blanks[i].end ? '\n' : 0;
    for (size_t i = 0; i < sizeof(fillers) / sizeof(fillers[0]); i++)
        if (c == fillers[i].code)
            return fillers[i].marks == 2 ? DOUBLE : '<';
    if (c >= 0xFF01 && c <= 0xFF5E) /* full width */
        c -= 0xFF01 - '!';
    if (c >= 'a' && c <= 'z')
        c -= 'a' - 'A';
    return c < 0x80 && (is_letter((char)c) || is_digit((char)c) || c == '<') ? (char)c : ALIEN;
}

/* Folds the text; lines that are not empty are left with one '\n' between them. */
static void fold_text(const char *text, char *out)
{
    char *to = out;

    while (*text) {
        char c = fold(fw_utf8_next(&text));

        if (c == '\n' && (to == out || to[-1] == '\n'))
            continue;
        if (c)
            *to++ = c;
    }
    if (to > out && to[-1] == '\n')
        to--;
    *to = '\0';
}

/* Writes `n` folded characters without line ends if they can be `want`: doubtful marks are all one
 * "<", or all two. */
static bool expand(const char *from, size_t n, size_t want, char *out)
{
    size_t marks = 0, ends = 0;
    bool twice;

    for (size_t i = 0; i < n; i++) {
        /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): `n` ends where the text does */
        marks += from[i] == DOUBLE;
        ends += from[i] == '\n';
    }
    twice = n - ends != want;
    if (twice && n - ends + marks != want)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (from[i] == '\n')
            continue;
        *out++ = from[i] == DOUBLE ? '<' : from[i];
        if (from[i] == DOUBLE && twice)
            *out++ = '<';
    }
    return true;
}

/* Whether the folded text can be a document of that size. Where it has as many lines, each has to
 * have the right length; otherwise the whole. */
static bool fit(const char *text, const layout *l, char *out)
{
    size_t width = (size_t)l->width;
    int lines = *text != '\0';

    for (const char *p = text; *p; p++)
        lines += *p == '\n';
    if (lines != l->lines)
        return expand(text, strlen(text), width * (size_t)l->lines, out);
    for (int i = 0; i < lines; i++) {
        size_t n = strcspn(text, "\n");

        if (!expand(text, n, width, out + (size_t)i * width))
            return false;
        text += n + (text[n] == '\n');
    }
    return true;
}

static bool all_of(const char *text, int n, bool letters, bool digits)
{
    for (int i = 0; i < n; i++)
        if (text[i] != '<' && !(letters && is_letter(text[i])) && !(digits && is_digit(text[i])))
            return false;
    return true;
}

/* Whether each place has a character that can stand there. A visa (V) has no composite digit and
 * is no document of ours. */
static bool characters_fit(const char *z, const layout *l)
{
    if (!all_of(z, l->lines * l->width, true, true))
        return false;
    if (l->size == FW_MRZ_TD3 ? z[0] != 'P' : !is_letter(z[0]) || z[0] == 'V')
        return false;
    return is_letter(z[2]) && is_letter(z[l->nationality]) && is_letter(z[l->name]) &&
           all_of(z, 5, true, false) && all_of(z + l->nationality, 3, true, false) &&
           all_of(z + l->name, l->name_n, true, false) && all_of(z + l->birth, 6, false, true) &&
           all_of(z + l->expiry, 6, false, true) && is_digit(z[l->birth + 6]) &&
           is_digit(z[l->expiry + 6]) && is_digit(z[l->composite]) &&
           strchr("MFX<", z[l->sex]) != NULL;
}

/* The `n` characters without fillers at the end; those within become spaces, one for each run. */
static const char *spaced(const char *from, int n, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, (apr_size_t)n + 1), *to = out;

    while (n > 0 && from[n - 1] == '<')
        n--;
    for (int i = 0; i < n; i++) {
        if (from[i] != '<')
            *to++ = from[i];
        else if (to > out && to[-1] != ' ')
            *to++ = ' ';
    }
    *to = '\0';
    return out;
}

/* The characters without any filler. */
static const char *packed(const char *from, int n, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, (apr_size_t)n + 1), *to = out;

    for (int i = 0; i < n; i++)
        if (from[i] != '<')
            *to++ = from[i];
    *to = '\0';
    return out;
}

static const char *state(const char *from, apr_pool_t *pool)
{
    return strncmp(from, "D<<", 3) == 0 ? "DEU" : packed(from, 3, pool);
}

static bool digit_is(char digit, const char *over, int n)
{
    return is_digit(digit) && fw_mrz_check_digit(over, (size_t)n) == digit - '0';
}

/* The number and whether its digit is right. One of more than nine characters goes on in the
 * optional field, where its digit follows it; whether the digit is over the "<" at the usual
 * place of the digit is told both ways. Returns how much of the optional field it takes. */
static int take_number(const char *z, const layout *l, fw_mrz *out, apr_pool_t *pool)
{
    const char *number = z + l->number, *rest = z + l->optional;
    char check = number[9];
    char whole[9 + 1 + 15 + 1];
    int n = 0;

    if (check == '<' && l->size != FW_MRZ_TD3)
        while (n < l->optional_n && rest[n] != '<')
            n++;
    if (n < 2) {
        out->number = packed(number, 9, pool);
        if (!*out->number || !digit_is(check, number, 9))
            out->failed |= FW_MRZ_FAIL_NUMBER;
        return 0;
    }
    memcpy(whole, number, 10);
    memcpy(whole + 10, rest, (size_t)n - 1);
    out->number = packed(whole, 10 + n - 1, pool);
    if (!digit_is(rest[n - 1], whole, 10 + n - 1)) {
        memcpy(whole + 9, rest, (size_t)n - 1);
        if (!digit_is(rest[n - 1], whole, 9 + n - 1))
            out->failed |= FW_MRZ_FAIL_NUMBER;
    }
    return n;
}

static void check_rest(const char *z, const layout *l, fw_mrz *out)
{
    char over[LINES];
    int n = 0;

    if (!digit_is(z[l->birth + 6], z + l->birth, 6))
        out->failed |= FW_MRZ_FAIL_BIRTH;
    if (!digit_is(z[l->expiry + 6], z + l->expiry, 6))
        out->failed |= FW_MRZ_FAIL_EXPIRY;
    if (l->optional_check && !digit_is(z[l->optional_check], z + l->optional, l->optional_n) &&
        !(z[l->optional_check] == '<' && !*out->optional))
        out->failed |= FW_MRZ_FAIL_OPTIONAL;
    for (int i = 0; i < 4; i++) {
        memcpy(over + n, z + l->ranges[i].at, (size_t)l->ranges[i].n);
        n += l->ranges[i].n;
    }
    if (!digit_is(z[l->composite], over, n))
        out->failed |= FW_MRZ_FAIL_COMPOSITE;
}

/* Two characters as a number; -1 for "<<", -2 for a mixture. */
static int two(const char *from)
{
    if (is_digit(from[0]) && is_digit(from[1]))
        return (from[0] - '0') * 10 + from[1] - '0';
    return from[0] == '<' && from[1] == '<' ? -1 : -2;
}

static bool take_expiry(const char *from, fw_date today, fw_date *date)
{
    *date = (fw_date){two(from), two(from + 2), two(from + 4)};
    if (date->y < 0)
        return false;
    date->y += today.y / 100 * 100;
    return fw_date_real(*date);
}

/* Unknown parts are taken for the earliest that they can be; `known` tells how many parts are
 * known. */
static bool take_birth(const char *from, fw_date today, fw_date *date, int *known)
{
    int y = two(from), m = two(from + 2), d = two(from + 4);

    *known = y < 0 ? 0 : m < 0 ? 1 : d < 0 ? 2 : 3;
    if (y == -2 || m == -2 || d == -2 || (y < 0 && m >= 0) || (m < 0 && d >= 0))
        return false;
    *date = (fw_date){today.y / 100 * 100 + (y < 0 ? 0 : y), m < 0 ? 1 : m, d < 0 ? 1 : d};
    if (fw_date_compare(*date, today) > 0)
        date->y -= 100;
    return fw_date_real(*date);
}

/* False if a date is none, or the document ends before its holder's birth. */
static bool take_dates(const char *z, const layout *l, fw_date today, fw_mrz *out, apr_pool_t *pool)
{
    static const apr_size_t lengths[] = {0, 4, 7, 10};
    fw_date birth, expiry;
    int known;
    bool born = take_birth(z + l->birth, today, &birth, &known);
    bool ends = take_expiry(z + l->expiry, today, &expiry);

    out->birth = born ? apr_pstrndup(pool, fw_date_text(birth, pool), lengths[known]) : "";
    out->expiry = ends ? fw_date_text(expiry, pool) : "";
    return born && ends && (known < 3 || fw_date_compare(birth, expiry) < 0);
}

static void take_names(const char *z, const layout *l, fw_mrz *out, apr_pool_t *pool)
{
    const char *name = z + l->name;
    int n = 0;

    while (n + 1 < l->name_n && (name[n] != '<' || name[n + 1] != '<'))
        n++;
    if (n + 1 == l->name_n)
        n = l->name_n;
    out->surname = spaced(name, n, pool);
    out->given = spaced(name + n, l->name_n - n, pool);
}

static const char *joined_lines(const char *z, const layout *l, apr_pool_t *pool)
{
    const char *out = apr_pstrndup(pool, z, (apr_size_t)l->width);

    for (int i = 1; i < l->lines; i++)
        out = apr_pstrcat(pool, out, "\n",
                          apr_pstrndup(pool, z + i * l->width, (apr_size_t)l->width), NULL);
    return out;
}

static const char *failed_key(unsigned failed)
{
    static const char *const keys[] = {"mrz.digit_number", "mrz.digit_birth", "mrz.digit_expiry",
                                       "mrz.digit_optional", "mrz.digit_composite"};

    for (int i = 0; i < 5; i++)
        if (failed & 1U << i)
            return keys[i];
    return NULL;
}

const fw_err *fw_mrz_parse(const char *text, fw_date today, fw_mrz *out, apr_pool_t *pool)
{
    char folded[TEXT_MAX + 1], z[LINES + 1] = {0};
    const layout *l = NULL;
    bool dates;
    int taken;

    *out = (fw_mrz){0};
    if (!text || strlen(text) > TEXT_MAX)
        return fw_err_field(pool, "mrz", "mrz.length");
    fold_text(text, folded);
    for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]) && !l; i++)
        if (fit(folded, &layouts[i], z))
            l = &layouts[i];
    if (!l)
        return fw_err_field(pool, "mrz", "mrz.length");
    if (!characters_fit(z, l))
        return fw_err_field(pool, "mrz", "mrz.character");
    out->size = l->size;
    out->lines = joined_lines(z, l, pool);
    out->code = packed(z, 2, pool);
    out->state = state(z + 2, pool);
    taken = take_number(z, l, out, pool);
    out->nationality = state(z + l->nationality, pool);
    out->sex = z[l->sex] == '<' ? 'X' : z[l->sex];
    out->optional = spaced(z + l->optional + taken, l->optional_n - taken, pool);
    out->optional2 = spaced(z + l->optional2, l->optional2_n, pool);
    take_names(z, l, out, pool);
    check_rest(z, l, out);
    dates = take_dates(z, l, today, out, pool);
    if (out->failed)
        return fw_err_field(pool, "mrz", failed_key(out->failed));
    return dates ? NULL : fw_err_field(pool, "mrz", "mrz.dates");
}
