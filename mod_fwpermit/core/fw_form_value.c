#include "fw_config.h"
#include "fw_form_int.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "fw_idnum.h"

#define ADDRESS_MIN 6 /* characters: a county and something behind it */

/* ---- characters ---- */

/* The next code point of valid UTF-8. */
static uint32_t next_char(const char **p)
{
    const unsigned char *s = (const unsigned char *)*p;
    int more = s[0] >= 0xf0 ? 3 : s[0] >= 0xe0 ? 2 : s[0] >= 0xc0 ? 1 : 0;
    uint32_t c = more == 3 ? s[0] & 7u : more == 2 ? s[0] & 15u : more ? s[0] & 31u : s[0];

    for (int i = 1; i <= more; i++)
        c = c << 6 | (s[i] & 63u);
    *p += more + 1;
    return c;
}

static int count_chars(const char *text)
{
    int n = 0;

    for (const char *p = text; *p; n++)
        next_char(&p);
    return n;
}

typedef enum bad_char_e { CHARS_FINE, CHARS_CONTROL, CHARS_SYMBOL } bad_char_e;

/* Control characters and those that turn the direction of text are never meant; pictographs have no place in data
 * that is printed on a permit. Arabic and Hebrew letters are letters. */
static bad_char_e judge_chars(const char *text)
{
    for (const char *p = text; *p;) {
        uint32_t c = next_char(&p);

        if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xfeff || (c >= 0x200e && c <= 0x200f) ||
            (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069))
            return CHARS_CONTROL;
        if ((c >= 0x1f000 && c <= 0x1faff) || (c >= 0x2600 && c <= 0x27bf) || c == 0xfe0f ||
            c == 0x20e3 || (c >= 0xe000 && c <= 0xf8ff) || c >= 0xe0000)
            return CHARS_SYMBOL;
    }
    return CHARS_FINE;
}

/* ---- what is kept ---- */

/* Full-width forms (U+FF01 to FF5E) to ASCII, the ideographic space to a space; tabs and line ends to spaces where
 * the field is one line; spaces at the ends and doubled ones go. */
static char *clean_line(const char *text, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, strlen(text) + 1), *o = out;
    bool space = true;

    for (const char *p = text; *p;) {
        const char *at = p;
        uint32_t c = next_char(&p);

        if (c == 0x3000 || c == 0xa0 || c == '\t' || c == '\n' || c == '\r')
            c = ' ';
        if (c == ' ') {
            if (!space)
                *o++ = ' ';
            space = true;
            continue;
        }
        space = false;
        if (c >= 0xff01 && c <= 0xff5e && c != 0xff0c) {
            *o++ = (char)(c - 0xff01 + 0x21);
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
    for (char *p = text; *p; p++)
        *p = (char)apr_toupper(*p);
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

/* 1990/3/5, 1990.3.5 and 19900305 become 1990-03-05. */
static const char *clean_date(const char *text, apr_pool_t *pool)
{
    int part[3] = {0, 0, 0}, n = 0;

    if (strlen(text) == 8 && strspn(text, "0123456789") == 8)
        return apr_psprintf(pool, "%.4s-%.2s-%.2s", text, text + 4, text + 6);
    for (const char *p = text; *p && n < 3; n++) {
        const char *end = p + strspn(p, "0123456789");

        if (end == p || end - p > 4 || (*end && !strchr("-/.", *end)))
            return text;
        part[n] = (int)apr_strtoi64(p, NULL, 10);
        p = *end ? end + 1 : end;
        if (n == 2 && *end)
            return text;
    }
    if (n != 3)
        return text;
    return apr_psprintf(pool, "%04d-%02d-%02d", part[0], part[1], part[2]);
}

/* 台北市 is 臺北市: one way of writing at the beginning of an address. */
static const char *clean_address(const char *text, apr_pool_t *pool)
{
    static const char tai[] = "\xe5\x8f\xb0"; /* 台 */

    if (strncmp(text, tai, 3) == 0)
        return apr_pstrcat(pool, "\xe8\x87\xba", text + 3, NULL); /* 臺 */
    return text;
}

const char *fw_form_normalise(const fw_form_env *env, const fw_field *field, const char *text)
{
    char *line = clean_line(text, env->pool);

    switch (field->type) {
    case FW_FIELD_NAME_LATIN:
    case FW_FIELD_COUNTRY:
    case FW_FIELD_SEX:
        return to_upper(line);
    case FW_FIELD_PASSPORT_NO:
    case FW_FIELD_UI_NO:
    case FW_FIELD_BAN:
        return to_upper(without(line, " -"));
    case FW_FIELD_DATE:
        return clean_date(line, env->pool);
    case FW_FIELD_PHONE:
        return line;
    case FW_FIELD_PERMIT_LETTER:
        return fw_idnum_letter_normalise(line, env->pool);
    case FW_FIELD_ADDRESS:
        return clean_address(line, env->pool);
    case FW_FIELD_MRZ:
        /* Its lines matter: kept as typed, without what surrounds them. */
        return apr_pstrdup(env->pool, text + strspn(text, " \t\r\n"));
    case FW_FIELD_TEXT:
    case FW_FIELD_EMAIL:
    case FW_FIELD_CHOICE:
    case FW_FIELD_NUMBER:
    case FW_FIELD_CONFIRM:
    case FW_FIELD_FILE:
    case FW_FIELD_PHOTO:
    case FW_FIELDS:
        break;
    }
    return line;
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

    if (n == 0 || n > 9 || strspn(value, "0123456789") != n)
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

static const char *type_problem(const fw_form_env *env, const fw_field *f, const char *value)
{
    fw_date date;

    switch (f->type) {
    case FW_FIELD_NAME_LATIN:
        return fw_name_latin_valid(value) ? NULL : "field.name_latin";
    case FW_FIELD_DATE:
        return fw_date_parse(value, &date) ? NULL : "field.date";
    case FW_FIELD_COUNTRY:
        return fw_codes_country(env->codes, value) ? NULL : "field.country";
    case FW_FIELD_SEX:
        return is_sex(value) ? NULL : "field.choice";
    case FW_FIELD_PASSPORT_NO:
        return fw_idnum_passport_valid(value) ? NULL : "field.passport_no";
    case FW_FIELD_UI_NO:
        return fw_idnum_ui_valid(value) ? NULL : "field.ui_no";
    case FW_FIELD_BAN:
        return fw_idnum_ban_valid(value) ? NULL : "field.ban";
    case FW_FIELD_PERMIT_LETTER:
        return fw_idnum_letter_valid(value) ? NULL : "field.permit_letter";
    case FW_FIELD_PHONE:
        return fw_idnum_phone_valid(value) ? NULL : "field.phone";
    case FW_FIELD_EMAIL:
        return fw_idnum_mail_valid(value) ? NULL : "field.email";
    case FW_FIELD_ADDRESS:
        return address_problem(env, value);
    case FW_FIELD_CHOICE:
        return is_choice(f, value) ? NULL : "field.choice";
    case FW_FIELD_NUMBER:
        return is_number(f, value) ? NULL : "field.number";
    case FW_FIELD_CONFIRM:
        return strcmp(value, "yes") == 0 ? NULL : "field.confirm";
    case FW_FIELD_TEXT:
    case FW_FIELD_MRZ:
    case FW_FIELD_FILE:
    case FW_FIELD_PHOTO:
    case FW_FIELDS:
        break;
    }
    return NULL;
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
