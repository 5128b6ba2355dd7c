#include "fw_config.h"
#include "fw_name.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_utf8.h"

#define VARIANTS 3
#define MRZ_MAX  96 /* bytes of surname and given names */
#define FULL     29 /* length from which the lines of the smallest document may have cut a name */

typedef enum kind_e {
    KIND_LETTER, /* has variants */
    KIND_SPACE,  /* space or hyphen: "<" in the lines */
    KIND_COMMA,
    KIND_MARK,   /* apostrophe and the like: left out of the lines */
    KIND_FOREIGN /* has no place in a Latin name; left out too */
} kind_e;

typedef struct unit {
    kind_e kind;
    const char *variants[VARIANTS]; /* the issuer chooses; the first is the usual one; then NULL */
} unit;

/* Letters that are not told by one base letter alone. */
static const struct {
    uint32_t upper, lower;
    const char *variants[VARIANTS];
} specials[] = {
    {0x00C4, 0x00E4, {"AE", "A"}},  {0x00C5, 0x00E5, {"AA", "A"}},
    {0x00D6, 0x00F6, {"OE", "O"}},  {0x00DC, 0x00FC, {"UE", "UXX", "U"}},
    {0x00D1, 0x00F1, {"N", "NXX"}}, {0x00C6, 0x00E6, {"AE"}},
    {0x01E2, 0x01E3, {"AE"}},       {0x01FC, 0x01FD, {"AE"}},
    {0x00D8, 0x00F8, {"OE"}},       {0x01FE, 0x01FF, {"OE"}},
    {0x0152, 0x0153, {"OE"}},       {0x1E9E, 0x00DF, {"SS"}},
    {0x00DE, 0x00FE, {"TH"}},       {0x0132, 0x0133, {"IJ"}},
    {0x01C4, 0x01C6, {"DZ"}},       {0x01C7, 0x01C9, {"LJ"}},
    {0x01CA, 0x01CC, {"NJ"}},       {0x01F1, 0x01F3, {"DZ"}},
};

/* Combining marks that matter: base letter, mark, the composed letter. All others are stripped. */
static const struct {
    char base;
    uint32_t mark, composed;
} combined[] = {
    {'A', 0x0308, 0x00C4}, {'A', 0x030A, 0x00C5}, {'O', 0x0308, 0x00D6},
    {'U', 0x0308, 0x00DC}, {'N', 0x0303, 0x00D1},
};

/* The base letter of U+00C0 … U+024F and of U+1E00 … U+1EFF; '.' where there is none. */
static const char latin[] = "AAAAAA.CEEEEIIIIDNOOOOO.OUUUUYT.AAAAAA.CEEEEIIIIDNOOOOO.OUUUUYTY"
                            "AAAAAACCCCCCCCDDDDEEEEEEEEEEGGGGGGGGHHHHIIIIIIIIII..JJKKQLLLLLLL"
                            "LLLNNNNNNNNNOOOOOO..RRRRRRSSSSSSSSTTTTTTUUUUUUUUUUUUWWYYYZZZZZZS"
                            "BBBB..OCCDDDD.EEEFFG...IKKL..NNOOO..PP.....TTTTUU.VYYZZZ..Z....."
                            ".....D..L..N.AAIIOOUUUUUUUUUUEAAAA..GGGGKKOOOOZZJ.D.GG..NNAA..OO"
                            "AAAAEEEEIIIIOOOORRRRUUUUSSTT..HHND..ZZAAEEOOOOOOOOYYLNT...ACCLTS"
                            "Z..B..EEJJ.QRRYY";
static const char latin_additional[] =
    "AABBBBBBCCDDDDDDDDDDEEEEEEEEEEFFGGHHHHHHHHHHIIIIKKKKKKLLLLLLLLMM"
    "MMMMNNNNNNNNOOOOOOOOPPPPRRRRRRRRSSSSSSSSSSTTTTTTTTUUUUUUUUUUVVVV"
    "WWWWWWWWWWXXXXYYZZZZZZHTWYASSS..AAAAAAAAAAAAAAAAAAAAAAAAEEEEEEEE"
    "EEEEEEEEIIIIOOOOOOOOOOOOOOOOOOOOOOOOUUUUUUUUUUUUUUYYYYYYYY....YY";

/* One-letter texts, for variants that are a letter as it is. */
static const char alphabet[26][2] = {"A", "B", "C", "D", "E", "F", "G", "H", "I",
                                     "J", "K", "L", "M", "N", "O", "P", "Q", "R",
                                     "S", "T", "U", "V", "W", "X", "Y", "Z"};

/* The base letter A–Z of a character, or 0. */
static char base_of(uint32_t c)
{
    char base = '.';

    if (c >= 0xFF21 && c <= 0xFF5A) /* full width */
        c -= 0xFF21 - 'A';
    if (c >= 'A' && c <= 'Z')
        base = (char)c;
    else if (c >= 'a' && c <= 'z')
        base = (char)(c - 'a' + 'A');
    else if (c >= 0x00C0 && c < 0x00C0 + sizeof(latin) - 1)
        base = latin[c - 0x00C0];
    else if (c >= 0x1E00 && c < 0x1E00 + sizeof(latin_additional) - 1)
        base = latin_additional[c - 0x1E00];
    return base == '.' ? 0 : base;
}

static bool is_combining(uint32_t c)
{
    return c >= 0x0300 && c <= 0x036F;
}

static kind_e kind_of(uint32_t c)
{
    static const uint32_t spaces[] = {' ',    '-',    0x00A0, 0x2010, 0x2011,
                                      0x2012, 0x2013, 0x3000, 0xFF0D};
    static const uint32_t marks[] = {'\'',   '.',    '/',    '`',    0x00B4,
                                     0x02BB, 0x02BC, 0x2018, 0x2019, 0xFF07};

    if (c == ',' || c == 0xFF0C)
        return KIND_COMMA;
    for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++)
        if (c == spaces[i])
            return KIND_SPACE;
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
        if (c == marks[i])
            return KIND_MARK;
    return KIND_FOREIGN;
}

/* Takes a character with the combining marks that follow it. */
static unit next_unit(const char **text)
{
    uint32_t c = fw_utf8_next(text);
    char base = base_of(c);
    unit out = {.kind = KIND_LETTER};

    for (bool first = true; **text; first = false) {
        const char *after = *text;
        uint32_t mark = fw_utf8_next(&after);

        if (!is_combining(mark))
            break;
        for (size_t i = 0; i < sizeof(combined) / sizeof(combined[0]); i++)
            if (first && c < 0x80 && combined[i].base == base && combined[i].mark == mark)
                c = combined[i].composed;
        *text = after;
    }
    for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++)
        if (c == specials[i].upper || c == specials[i].lower) {
            memcpy(out.variants, specials[i].variants, sizeof(out.variants));
            return out;
        }
    if (base)
        out.variants[0] = alphabet[base - 'A'];
    else
        out.kind = kind_of(c);
    return out;
}

const char *fw_name_mrz(const char *name, apr_pool_t *pool)
{
    char *out, *to;
    int fillers = 0;
    bool comma = false; /* one has separated the identifiers */

    if (!name)
        return "";
    out = to = apr_palloc(pool, 2 * strlen(name) + 1);
    while (*name) {
        unit u = next_unit(&name);

        if (u.kind == KIND_COMMA && !comma && to > out) {
            fillers = 2;
            comma = true;
        } else if ((u.kind == KIND_SPACE || u.kind == KIND_COMMA) && to > out && !fillers) {
            fillers = 1;
        } else if (u.kind == KIND_LETTER) {
            for (; fillers > 0; fillers--)
                *to++ = '<';
            memcpy(to, u.variants[0], strlen(u.variants[0]));
            to += strlen(u.variants[0]);
        }
    }
    *to = '\0';
    return out;
}

/* How many characters of the lines are matched so far, in every way that can be: reach[j] is that j
 * may be. A space in the lines is matched by nothing. */
static void pass_spaces(bool *reach, const char *lines)
{
    for (size_t j = 0; lines[j]; j++)
        if (reach[j] && lines[j] == ' ')
            reach[j + 1] = true;
}

/* From each reached place on by one letter of the entered name. Where names may have been cut, a
 * letter needs nothing behind the end of a part. */
static void pass_letter(const bool *reach, bool *next, const unit *u, const char *lines, bool cut)
{
    size_t length = strlen(lines);

    for (size_t j = 0; j <= length; j++) {
        if (!reach[j])
            continue;
        for (int v = 0; v < VARIANTS && u->variants[v]; v++) {
            size_t n = strlen(u->variants[v]), same = 0;

            while (same < n && lines[j + same] == u->variants[v][same])
                same++;
            if (same == n ||
                (cut && same > 0 && (lines[j + same] == ' ' || lines[j + same] == '\0')))
                next[j + same] = true;
        }
        if (cut && j > 0 && (lines[j] == ' ' || lines[j] == '\0'))
            next[j] = true;
    }
}

static bool matches(const char *entered, const char *lines, bool cut)
{
    bool rows[2][MRZ_MAX + 1] = {{true}};
    int now = 0, characters = 0;

    while (*entered) {
        unit u = next_unit(&entered);

        if (++characters > FW_NAME_MAX)
            return false;
        if (u.kind != KIND_LETTER)
            continue;
        pass_spaces(rows[now], lines);
        memset(rows[!now], 0, sizeof(rows[0]));
        pass_letter(rows[now], rows[!now], &u, lines, cut);
        now = !now;
    }
    pass_spaces(rows[now], lines);
    return rows[now][strlen(lines)];
}

/* Both parts in the order given, fillers as spaces. */
static bool join(char out[MRZ_MAX + 1], const char *first, const char *last)
{
    size_t n = strlen(first), m = strlen(last);

    if (n + 1 + m > MRZ_MAX)
        return false;
    memcpy(out, first, n);
    out[n] = ' ';
    memcpy(out + n + 1, last, m + 1);
    for (char *p = out; *p; p++)
        if (*p == '<')
            *p = ' ';
    return true;
}

bool fw_name_matches_mrz(const char *entered, const char *surname, const char *given)
{
    char lines[MRZ_MAX + 1];
    bool cut;

    if (!entered || !surname || !*surname)
        return false;
    if (!given)
        given = "";
    cut = strlen(surname) + (*given ? 2 + strlen(given) : 0) >= FULL;
    return (join(lines, surname, given) && matches(entered, lines, cut)) ||
           (join(lines, given, surname) && matches(entered, lines, cut));
}

bool fw_name_latin_valid(const char *name)
{
    kind_e last = KIND_SPACE;
    int characters = 0, commas = 0;

    if (!name || !fw_utf8_valid(name))
        return false;
    for (const char *p = name; *p; characters++) {
        const char *start = p;

        last = next_unit(&p).kind;
        commas += last == KIND_COMMA;
        if (last == KIND_FOREIGN || (start == name && last != KIND_LETTER))
            return false;
    }
    return characters > 0 && characters <= FW_NAME_MAX && commas <= 1 &&
           (last == KIND_LETTER || last == KIND_MARK);
}

bool fw_name_can_be(const char *entered, const char *other, apr_pool_t *pool)
{
    char *lines = apr_pstrdup(pool, fw_name_mrz(other, pool));

    for (char *p = lines; *p; p++) {
        if (*p == '<')
            *p = ' ';
    }
    return fw_name_matches_mrz(entered, lines, NULL);
}
