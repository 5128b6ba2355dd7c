#include "fw_config.h"
#include "fw_form_int.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "fw_idnum.h"
#include "fw_utf8.h"

#define DIGITS      "0123456789"
#define ADDRESS_MIN 6 /* characters: a county and something behind it */

/* ---- characters ---- */

static int count_chars(const char *text)
{
    int n = 0;

    for (const char *p = text; *p; n++)
        fw_utf8_next(&p);
    return n;
}

typedef enum bad_char_e { CHARS_FINE, CHARS_CONTROL, CHARS_SYMBOL } bad_char_e;

typedef struct span {
    uint32_t first, last;
} span;

/* Pictographs, private characters, tags: they have no place in data that is printed on a permit. */
static const span symbols[] = {{0x20e3, 0x20e3}, {0x2300, 0x23ff},   {0x2600, 0x27bf},
                               {0x2b00, 0x2bff}, {0xe000, 0xf8ff},   {0xfe0f, 0xfe0f},
                               {0xfffc, 0xfffd}, {0x1f000, 0x1faff}, {0xe0000, 0x10ffff}};

static bool is_among(const span *spans, size_t n, uint32_t c)
{
    for (size_t i = 0; i < n; i++) {
        if (c >= spans[i].first && c <= spans[i].last)
            return true;
    }
    return false;
}

static bad_char_e judge_chars(const char *text)
{
    for (const char *p = text; *p;) {
        uint32_t c = fw_utf8_next(&p);

        if (fw_utf8_hidden(c))
            return CHARS_CONTROL;
        if (is_among(symbols, sizeof(symbols) / sizeof(symbols[0]), c))
            return CHARS_SYMBOL;
    }
    return CHARS_FINE;
}

/* ---- what is kept ---- */

/* ASCII for a full-width form (U+FF01 to FF5E), or 0. Chinese text keeps its own punctuation. */
static char narrow(uint32_t c, bool prose)
{
    char ascii = c >= 0xff01 && c <= 0xff5e ? (char)(c - 0xff01 + 0x21) : '\0';

    return prose && !apr_isalnum(ascii) ? '\0' : ascii;
}

/* Full-width forms to ASCII, the ideographic space, tabs and line ends to spaces; spaces at the ends and doubled ones
 * go. */
static char *clean_line(const char *text, bool prose, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, strlen(text) + 1), *o = out;
    bool space = true;

    for (const char *p = text; *p;) {
        const char *at = p;
        uint32_t c = fw_utf8_next(&p);
        char ascii = narrow(c, prose);

        if (c == 0x3000 || c == 0xa0 || c == '\t' || c == '\n' || c == '\r')
            c = ' ';
        if (c == ' ') {
            if (!space)
                *o++ = ' ';
            space = true;
            continue;
        }
        space = false;
        if (ascii) {
            *o++ = ascii;
        } else {
            memcpy(o, at, (size_t)(p - at));
            o += p - at;
        }
    }
    while (o > out && o[-1] == ' ')
        o--;
    *o = '\0';
    return out;
}

static char *to_upper(char *text)
{
    for (char *p = text; *p; p++) {
        if (*p >= 'a' && *p <= 'z')
            *p = (char)(*p - 'a' + 'A');
    }
    return text;
}

/* A small letter whose capital stands just before it: in these blocks capital and small letter take turns. */
static bool follows_capital(uint32_t c)
{
    static const span odd[] = {{0x100, 0x130}, {0x132, 0x137},   {0x14a, 0x177},
                               {0x1a0, 0x1a1}, {0x1e00, 0x1e95}, {0x1ea0, 0x1eff}};
    static const span even[] = {{0x139, 0x13e}, {0x141, 0x148}, {0x179, 0x17e}, {0x1af, 0x1b0}};

    return c % 2 ? is_among(odd, sizeof(odd) / sizeof(odd[0]), c)
                 : is_among(even, sizeof(even) / sizeof(even[0]), c);
}

/* Letters with diacritics too, as Vietnamese and others have them. Only the last byte differs. */
static char *name_to_upper(char *text)
{
    for (const char *p = to_upper(text); *p;) {
        uint32_t c = fw_utf8_next(&p);
        char *last = text + (p - text) - 1;

        if (c >= 0xe0 && c <= 0xfe && c != 0xf7)
            *last = (char)(*last - 0x20);
        else if (follows_capital(c))
            *last = (char)(*last - 1);
    }
    return text;
}

static char *without(char *text, const char *chars)
{
    char *o = text;

    for (const char *p = text; *p; p++) {
        if (!strchr(chars, *p))
            *o++ = *p;
    }
    *o = '\0';
    return text;
}

/* The digits and signs of a date: 年 and 月 are "-", 日 at its end and spaces are nothing. */
static char *date_signs(const char *text, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, strlen(text) + 1), *o = out;

    for (const char *p = text; *p;) {
        const char *at = p;
        uint32_t c = fw_utf8_next(&p);

        if (c == 0x5e74 || c == 0x6708 || c == '/' || c == '.') {
            *o++ = '-';
        } else if (c != ' ' && !(c == 0x65e5 && !*p)) {
            memcpy(o, at, (size_t)(p - at));
            o += p - at;
        }
    }
    *o = '\0';
    return out;
}

/* 1990/3/5, 1990.3.5, 1990年3月5日 and 19900305 become 1990-03-05; what is something else stays as it was typed. */
static const char *clean_date(const fw_form_env *env, char *text)
{
    const char *p = date_signs(text, env->pool);
    size_t year = strspn(p, DIGITS), month, day;

    if (year == 8 && !p[8])
        return apr_psprintf(env->pool, "%.4s-%.2s-%.2s", p, p + 4, p + 6);
    if (year != 4 || p[4] != '-')
        return text;
    month = strspn(p + 5, DIGITS);
    if (month < 1 || month > 2 || p[5 + month] != '-')
        return text;
    day = strspn(p + 6 + month, DIGITS);
    if (day < 1 || day > 2 || p[6 + month + day])
        return text;
    return apr_psprintf(env->pool, "%.4s-%02d-%02d", p, (int)apr_strtoi64(p + 5, NULL, 10),
                        (int)apr_strtoi64(p + 6 + month, NULL, 10));
}

/* 台北市 is 臺北市: one way of writing at the beginning of an address. */
static const char *clean_address(const fw_form_env *env, char *text)
{
    static const char tai[] = "\xe5\x8f\xb0"; /* 台 */

    if (strncmp(text, tai, 3) == 0)
        return apr_pstrcat(env->pool, "\xe8\x87\xba", text + 3, NULL); /* 臺 */
    return text;
}

static const char *clean_code(const fw_form_env *env, char *line)
{
    (void)env;
    return to_upper(line);
}

static const char *clean_number(const fw_form_env *env, char *line)
{
    return clean_code(env, without(line, " -"));
}

static const char *clean_name(const fw_form_env *env, char *line)
{
    (void)env;
    return name_to_upper(line);
}

static const char *clean_country(const fw_form_env *env, char *line)
{
    const fw_country *country = fw_codes_country(env->codes, to_upper(line));

    return country ? country->code : line;
}

static const char *clean_letter(const fw_form_env *env, char *line)
{
    return fw_idnum_letter_normalise(line, env->pool);
}

const char *fw_form_normalise(const fw_form_env *env, const fw_field *field, const char *text)
{
    static const char *(*const cleaners[FW_FIELDS])(const fw_form_env *, char *) = {
        [FW_FIELD_NAME_LATIN] = clean_name,
        [FW_FIELD_COUNTRY] = clean_country,
        [FW_FIELD_SEX] = clean_code,
        [FW_FIELD_PASSPORT_NO] = clean_number,
        [FW_FIELD_UI_NO] = clean_number,
        [FW_FIELD_NATIONAL_ID] = clean_number,
        [FW_FIELD_BAN] = clean_number,
        [FW_FIELD_DATE] = clean_date,
        [FW_FIELD_PERMIT_LETTER] = clean_letter,
        [FW_FIELD_ADDRESS] = clean_address,
    };
    bool prose = field->type == FW_FIELD_TEXT || field->type == FW_FIELD_ADDRESS;
    char *line;

    if (field->type == FW_FIELD_MRZ) /* its lines matter */
        return apr_pstrdup(env->pool, text + strspn(text, " \t\r\n"));
    line = clean_line(text, prose, env->pool);
    return cleaners[field->type] ? cleaners[field->type](env, line) : line;
}

/* ---- what is refused ---- */

static const fw_refusal *why(const fw_form_env *env, const char *key, const char *args)
{
    fw_refusal *r = apr_pcalloc(env->pool, sizeof(*r));

    r->key = key;
    r->args = args;
    return r;
}

static const fw_refusal *check_mrz(const fw_form_env *env, const char *value)
{
    fw_mrz mrz = {0};
    const fw_err *err = fw_mrz_parse(value, env->today, &mrz, env->pool);

    return err ? why(env, err->user_key ? err->user_key : "mrz.length", NULL) : NULL;
}

static bool is_choice(const fw_field *f, const char *value)
{
    for (int i = 0; i < f->n_choices; i++) {
        if (strcmp(f->choices[i].value, value) == 0)
            return true;
    }
    return false;
}

static bool is_number(const fw_field *f, const char *value)
{
    size_t n = strlen(value);
    apr_int64_t v;

    if (n == 0 || n > 9 || strspn(value, DIGITS) != n)
        return false;
    v = apr_strtoi64(value, NULL, 10);
    return v >= f->min && v <= f->max;
}

static const fw_refusal *check_length(const fw_form_env *env, const fw_field *f, const char *value)
{
    int n = count_chars(value);

    if (f->type == FW_FIELD_MRZ || f->type == FW_FIELD_NUMBER || n <= f->max)
        return NULL;
    return why(env, "field.too_long",
               apr_psprintf(env->pool, "{\"max\":\"%d\",\"has\":\"%d\"}", f->max, n));
}

static const char *address_problem(const fw_form_env *env, const char *value)
{
    if (count_chars(value) < ADDRESS_MIN || !fw_codes_address_county(env->codes, value))
        return "field.address";
    return NULL;
}

static bool is_sex(const char *value)
{
    return strlen(value) == 1 && strchr("MFX", *value);
}

static bool is_yes(const char *value)
{
    return strcmp(value, "yes") == 0;
}

static bool is_date(const char *value)
{
    fw_date date;

    return fw_date_parse(value, &date);
}

/* The types that a value alone tells. */
static const struct {
    bool (*valid)(const char *);
    const char *key;
} simple[FW_FIELDS] = {
    [FW_FIELD_NAME_LATIN] = {fw_name_latin_valid, "field.name_latin"},
    [FW_FIELD_DATE] = {is_date, "field.date"},
    [FW_FIELD_SEX] = {is_sex, "field.choice"},
    [FW_FIELD_PASSPORT_NO] = {fw_idnum_passport_valid, "field.passport_no"},
    [FW_FIELD_UI_NO] = {fw_idnum_ui_valid, "field.ui_no"},
    [FW_FIELD_NATIONAL_ID] = {fw_idnum_national_valid, "field.national_id"},
    [FW_FIELD_BAN] = {fw_idnum_ban_valid, "field.ban"},
    [FW_FIELD_PERMIT_LETTER] = {fw_idnum_letter_valid, "field.permit_letter"},
    [FW_FIELD_PHONE] = {fw_idnum_phone_valid, "field.phone"},
    [FW_FIELD_EMAIL] = {fw_idnum_mail_valid, "field.email"},
    [FW_FIELD_CONFIRM] = {is_yes, "field.confirm"},
};

static const char *type_problem(const fw_form_env *env, const fw_field *f, const char *value)
{
    if (simple[f->type].valid)
        return simple[f->type].valid(value) ? NULL : simple[f->type].key;
    switch ((int)f->type) {
    case FW_FIELD_COUNTRY:
        return fw_codes_country(env->codes, value) ? NULL : "field.country";
    case FW_FIELD_ADDRESS:
        return address_problem(env, value);
    case FW_FIELD_CHOICE:
        return is_choice(f, value) ? NULL : "field.choice";
    case FW_FIELD_NUMBER:
        return is_number(f, value) ? NULL : "field.number";
    default:
        return NULL;
    }
}

const fw_refusal *fw_form_check_value(const fw_form_env *env, const fw_field *field,
                                      const char *value)
{
    const fw_refusal *r = check_length(env, field, value);
    const char *key;
    bad_char_e bad;

    if (r)
        return r;
    if (field->type == FW_FIELD_MRZ)
        return check_mrz(env, value);
    bad = judge_chars(value);
    if (bad != CHARS_FINE)
        return why(env, bad == CHARS_CONTROL ? "field.control" : "field.symbol", NULL);
    key = type_problem(env, field, value);
    return key ? why(env, key, NULL) : NULL;
}
