#include "fw_config.h"
#include "fw_mrz.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_name.h"

#define NAME        31
#define NUMBER      9
#define LONG_NUMBER 14 /* the optional field takes 5 more, their check digit and a filler */
#define OPTIONAL    7
#define SECOND      36 /* where the second line begins */
#define GIVEN_KEPT  1  /* letters of the given names, however long the surname */

typedef struct writer {
    char *z; /* all fillers at first */
    apr_pool_t *pool;
} writer;

static const fw_err *refuse(const writer *w, const char *key)
{
    return fw_err_field(w->pool, "mrz", key);
}

static bool fits_alphabet(const char *text)
{
    return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<") == strlen(text);
}

/* Puts a text at its place; what is left of `room` stays filler. */
static const fw_err *put(writer *w, int at, size_t room, const char *text)
{
    size_t n = text ? strlen(text) : 0;

    if (n > room)
        return refuse(w, "mrz.length");
    if (n > 0 && !fits_alphabet(text))
        return refuse(w, "mrz.character");
    if (n > 0)
        memcpy(w->z + at, text, n);
    return NULL;
}

static char digit_of(const char *text, size_t n)
{
    return (char)('0' + fw_mrz_check_digit(text, n));
}

static const fw_err *put_state(writer *w, int at, const char *state)
{
    return put(w, at, 3, state && strcmp(state, "DEU") == 0 ? "D" : state);
}

/* A surname too long leaves room for the beginning of the given names. */
static const fw_err *put_name(writer *w, const char *surname, const char *given)
{
    const char *primary = fw_name_mrz(surname, w->pool), *secondary = fw_name_mrz(given, w->pool);
    size_t n = strlen(primary), most = NAME - 2 - GIVEN_KEPT;

    if (n == 0)
        return refuse(w, "mrz.character");
    if (*secondary && n > most)
        for (n = most; primary[n - 1] == '<';)
            n--;
    return put(w, 5, NAME,
               apr_psprintf(w->pool, "%.*s", NAME,
                            apr_pstrcat(w->pool, apr_pstrndup(w->pool, primary, n),
                                        *secondary ? "<<" : "", secondary, NULL)));
}

/* What is behind the ninth character goes into the optional field, its check digit behind it. */
static const fw_err *put_number(writer *w, const char *number, const char *optional)
{
    size_t n = number ? strlen(number) : 0;
    const char *rest = optional ? optional : "";

    if (n == 0 || n > LONG_NUMBER)
        return refuse(w, "mrz.length");
    if (!fits_alphabet(number))
        return refuse(w, "mrz.character");
    if (n > NUMBER)
        rest = apr_psprintf(w->pool, "%s%c%s%s", number + NUMBER, digit_of(number, n),
                            *rest ? "<" : "", rest);
    FW_TRY(put(w, SECOND, NUMBER, apr_pstrndup(w->pool, number, NUMBER)));
    if (n <= NUMBER)
        w->z[SECOND + NUMBER] = digit_of(w->z + SECOND, NUMBER);
    return put(w, SECOND + 28, OPTIONAL, rest);
}

/* "1974-08-12" as 740812; a date of birth may lack its end. */
static const fw_err *put_date(writer *w, int at, const char *iso, bool whole)
{
    fw_date date;
    size_t n = iso ? strlen(iso) : 0;
    const char *all = n == 7   ? apr_pstrcat(w->pool, iso, "-01", NULL)
                      : n == 4 ? apr_pstrcat(w->pool, iso, "-01-01", NULL)
                               : iso;

    if (n == 0 ? whole : (whole && n != 10) || !fw_date_parse(all, &date))
        return refuse(w, "mrz.dates");
    for (size_t part = 0; part < 3 && n >= 4 + 3 * part; part++)
        memcpy(w->z + at + 2 * part, iso + (part == 0 ? 2 : 2 + 3 * part), 2);
    w->z[at + 6] = digit_of(w->z + at, 6);
    return NULL;
}

static char composite_of(const char *line)
{
    char over[10 + 7 + 14];

    memcpy(over, line, 10);
    memcpy(over + 10, line + 13, 7);
    memcpy(over + 17, line + 21, 14);
    return digit_of(over, sizeof(over));
}

const fw_err *fw_mrz_td2(const fw_mrz *doc, const char **lines, apr_pool_t *pool)
{
    writer w = {.z = apr_palloc(pool, FW_MRZ_TD2_CHARS + 1), .pool = pool};

    memset(w.z, '<', FW_MRZ_TD2_CHARS);
    w.z[FW_MRZ_TD2_CHARS] = '\0';
    FW_TRY(put(&w, 0, 2, doc->code));
    FW_TRY(put_state(&w, 2, doc->state));
    FW_TRY(put_name(&w, doc->surname, doc->given));
    FW_TRY(put_number(&w, doc->number, doc->optional));
    FW_TRY(put_state(&w, SECOND + 10, doc->nationality));
    FW_TRY(put_date(&w, SECOND + 13, doc->birth, false));
    if (doc->sex == 'M' || doc->sex == 'F')
        w.z[SECOND + 20] = doc->sex;
    FW_TRY(put_date(&w, SECOND + 21, doc->expiry, true));
    w.z[SECOND + 35] = composite_of(w.z + SECOND);
    *lines = w.z;
    return NULL;
}
