#include "fw_config.h"
#include "fww_pdfread.h"

#include <string.h>

#define TAIL_MAX      2048u   /* bytes at the end that are searched for startxref */
#define OBJECTS_MAX   100000u /* numbers of objects */
#define REVISIONS_MAX 32
#define DEPTH_MAX     48
#define DIGITS_MAX    10

/* ---- words ---- */

static bool is_space(char c)
{
    return c == '\0' || c == '\t' || c == '\n' || c == '\f' || c == '\r' || c == ' ';
}

static bool is_delimiter(char c)
{
    return memchr("()<>[]{}/%", c, 10) != NULL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t skip_space(const fww_pdfread *f, size_t at)
{
    while (at < f->n && (is_space(f->bytes[at]) || f->bytes[at] == '%')) {
        if (f->bytes[at] == '%')
            while (at < f->n && f->bytes[at] != '\n' && f->bytes[at] != '\r')
                at++;
        else
            at++;
    }
    return at;
}

static bool starts(const fww_pdfread *f, size_t at, const char *word)
{
    size_t n = strlen(word);
    return at <= f->n && n <= f->n - at && memcmp(f->bytes + at, word, n) == 0;
}

/* Reads a plain number and moves behind it. */
static bool read_uint(const fww_pdfread *f, size_t *at, size_t *out)
{
    size_t from = skip_space(f, *at), to = from;

    *out = 0;
    while (to < f->n && is_digit(f->bytes[to]) && to - from < DIGITS_MAX)
        *out = *out * 10 + (size_t)(f->bytes[to++] - '0');
    if (to == from || (to < f->n && !is_space(f->bytes[to]) && !is_delimiter(f->bytes[to])))
        return false;
    *at = to;
    return true;
}

static bool read_word(const fww_pdfread *f, size_t *at, const char *word)
{
    size_t from = skip_space(f, *at), to = from + strlen(word);

    if (!starts(f, from, word))
        return false;
    if (to < f->n && !is_space(f->bytes[to]) && !is_delimiter(f->bytes[to]))
        return false;
    *at = to;
    return true;
}

/* ---- values ---- */

/* Behind a text in round brackets, which may be nested; 0: it has no end. */
static size_t skip_text(const fww_pdfread *f, size_t at)
{
    size_t depth = 0;

    for (; at < f->n; at++) {
        char c = f->bytes[at];
        if (c == '\\')
            at++;
        else if (c == '(')
            depth++;
        else if (c == ')' && --depth == 0)
            return at + 1;
    }
    return 0;
}

static size_t skip_value(const fww_pdfread *f, size_t at, int depth);

/* Behind a dictionary or a list; 0: it has no end. */
static size_t skip_group(const fww_pdfread *f, size_t at, const char *end, int depth)
{
    at += strlen(end);
    while (at != 0) {
        at = skip_space(f, at);
        if (starts(f, at, end))
            return at + strlen(end);
        at = skip_value(f, at, depth + 1);
    }
    return 0;
}

/* Behind a number, or behind all of "12 0 R". */
static size_t skip_number_or_ref(const fww_pdfread *f, size_t at, size_t end)
{
    size_t number, after = at;

    if (!read_uint(f, &after, &number) || !read_uint(f, &after, &number))
        return end;
    return read_word(f, &after, "R") ? after : end;
}

/* Behind the value that begins at `at`; 0: there is none, or it is nested too deep. */
static size_t skip_value(const fww_pdfread *f, size_t at, int depth)
{
    size_t to = at;
    const char *end;

    if (at >= f->n || depth > DEPTH_MAX)
        return 0;
    if (starts(f, at, "<<"))
        return skip_group(f, at, ">>", depth);
    switch (f->bytes[at]) {
    case '[':
        return skip_group(f, at, "]", depth);
    case '(':
        return skip_text(f, at);
    case '<':
        end = memchr(f->bytes + at, '>', f->n - at);
        return end ? (size_t)(end - f->bytes) + 1 : 0;
    case '/':
        to++;
        break;
    default:
        break;
    }
    while (to < f->n && !is_space(f->bytes[to]) && !is_delimiter(f->bytes[to]))
        to++;
    if (to == at)
        return 0;
    return is_digit(f->bytes[at]) ? skip_number_or_ref(f, at, to) : to;
}

bool fww_pdfread_get(const fww_pdfread *f, fww_span dict, const char *key, fww_span *value)
{
    size_t at = dict.at + 2;

    *value = (fww_span){0, 0};
    if (dict.end < dict.at + 4)
        return false;
    while (true) {
        size_t name = skip_space(f, at), from, to;
        if (name >= dict.end || f->bytes[name] != '/')
            return false;
        from = skip_value(f, name, 0);
        if (from == 0)
            return false;
        at = skip_space(f, from);
        to = skip_value(f, at, 0);
        if (to == 0 || to > dict.end)
            return false;
        if (from - name == strlen(key) && memcmp(f->bytes + name, key, from - name) == 0) {
            *value = (fww_span){at, to};
            return true;
        }
        at = to;
    }
}

bool fww_pdfread_uint(const fww_pdfread *f, fww_span value, size_t *number)
{
    size_t at = value.at;
    return read_uint(f, &at, number) && at == value.end;
}

bool fww_pdfread_ref(const fww_pdfread *f, fww_span value, fww_ref *ref)
{
    size_t at = value.at, number, generation;

    if (value.at == value.end || !read_uint(f, &at, &number) || !read_uint(f, &at, &generation) ||
        !read_word(f, &at, "R"))
        return false;
    if (number == 0 || number > OBJECTS_MAX || generation > 65535)
        return false;
    *ref = (fww_ref){(unsigned)number, (unsigned)generation};
    return true;
}

bool fww_pdfread_is(const fww_pdfread *f, fww_span value, const char *text)
{
    return value.end - value.at == strlen(text) && starts(f, value.at, text);
}

fww_span fww_pdfread_first(const fww_pdfread *f, fww_span list)
{
    fww_span out = {0, 0};
    size_t at, end;

    if (list.end - list.at < 2 || f->bytes[list.at] != '[')
        return out;
    at = skip_space(f, list.at + 1);
    end = skip_value(f, at, 0);
    if (end != 0 && end < list.end)
        out = (fww_span){at, end};
    return out;
}

/* ---- tables ---- */

/* Keeps where an object is, unless a newer revision said so already. */
static void note_object(fww_pdfread *f, size_t number, size_t offset, bool in_use)
{
    while ((size_t)f->table->nelts <= number)
        APR_ARRAY_PUSH(f->table, size_t) = 0;
    if (APR_ARRAY_IDX(f->table, (int)number, size_t) == 0)
        APR_ARRAY_IDX(f->table, (int)number, size_t) = in_use ? offset : SIZE_MAX;
}

static const fw_err *read_section(fww_pdfread *f, size_t *at, size_t first, size_t count)
{
    if (first > OBJECTS_MAX || count > OBJECTS_MAX - first)
        return FW_ERR(f->pool, FW_E_LIMIT, 0, "PDF: too many objects");
    for (size_t i = 0; i < count; i++) {
        size_t offset, generation;
        bool in_use;
        if (!read_uint(f, at, &offset) || !read_uint(f, at, &generation))
            return FW_ERR(f->pool, FW_E_INPUT, 0, "PDF: its table is cut off");
        in_use = read_word(f, at, "n");
        if (!in_use && !read_word(f, at, "f"))
            return FW_ERR(f->pool, FW_E_INPUT, 0, "PDF: an entry of its table is wrong");
        if (in_use && (offset == 0 || offset >= f->n))
            return FW_ERR(f->pool, FW_E_INPUT, 0, "PDF: an object lies outside the file");
        note_object(f, first + i, offset, in_use);
    }
    return NULL;
}

static const fw_err *read_table(fww_pdfread *f, size_t at, fww_span *trailer)
{
    size_t first, count;

    if (!read_word(f, &at, "xref"))
        return FW_ERR(f->pool, FW_E_INPUT, 0, "PDF: no cross-reference table where it should be");
    while (!read_word(f, &at, "trailer")) {
        if (!read_uint(f, &at, &first) || !read_uint(f, &at, &count))
            return FW_ERR(f->pool, FW_E_INPUT, 0, "PDF: its table has no end");
        FW_TRY(read_section(f, &at, first, count));
    }
    trailer->at = skip_space(f, at);
    if (!starts(f, trailer->at, "<<"))
        return FW_ERR(f->pool, FW_E_INPUT, 0, "PDF: no trailer");
    trailer->end = skip_value(f, trailer->at, 0);
    if (trailer->end == 0)
        return FW_ERR(f->pool, FW_E_INPUT, 0, "PDF: its trailer has no end");
    return NULL;
}

static const fw_err *find_startxref(fww_pdfread *f)
{
    size_t from = f->n > TAIL_MAX ? f->n - TAIL_MAX : 0;
    size_t found = 0;

    for (size_t at = from; at < f->n; at++)
        if (starts(f, at, "startxref"))
            found = at + strlen("startxref");
    if (found == 0 || !read_uint(f, &found, &f->startxref) || f->startxref >= f->n)
        return FW_ERR(f->pool, FW_E_INPUT, 0, "PDF: no startxref");
    return NULL;
}

const fw_err *fww_pdfread_open(fww_pdfread *f, const char *bytes, size_t n, apr_pool_t *pool)
{
    size_t at;
    fww_span trailer, value;

    *f = (fww_pdfread){.bytes = bytes, .n = n, .pool = pool};
    f->table = apr_array_make(pool, 256, sizeof(size_t));
    if (n < 8 || memcmp(bytes, "%PDF-1.", 7) != 0)
        return FW_ERR(pool, FW_E_INPUT, 0, "PDF: it does not begin as one");
    FW_TRY(find_startxref(f));
    at = f->startxref;
    for (int i = 0; i < REVISIONS_MAX; i++) {
        FW_TRY(read_table(f, at, &trailer));
        if (i == 0)
            f->trailer = trailer;
        if (fww_pdfread_get(f, trailer, "/XRefStm", &value) ||
            fww_pdfread_get(f, trailer, "/Encrypt", &value))
            return FW_ERR(pool, FW_E_INPUT, 0, "PDF: encrypted, or with a hidden table");
        if (!fww_pdfread_get(f, trailer, "/Prev", &value))
            return NULL;
        if (!fww_pdfread_uint(f, value, &at) || at >= n)
            return FW_ERR(pool, FW_E_INPUT, 0, "PDF: its revision before is outside the file");
    }
    return FW_ERR(pool, FW_E_LIMIT, 0, "PDF: more than %d revisions", REVISIONS_MAX);
}

/* ---- objects ---- */

static const fw_err *read_object(fww_pdfread *f, fww_ref ref, fww_span *value)
{
    size_t at, number, generation;

    at = ref.number < (unsigned)f->table->nelts ? APR_ARRAY_IDX(f->table, (int)ref.number, size_t)
                                                : 0;
    if (at == 0 || at == SIZE_MAX)
        return FW_ERR(f->pool, FW_E_INPUT, 0, "PDF: object %u is missing", ref.number);
    if (!read_uint(f, &at, &number) || !read_uint(f, &at, &generation) ||
        !read_word(f, &at, "obj") || number != ref.number || generation != ref.generation)
        return FW_ERR(f->pool, FW_E_INPUT, 0, "PDF: object %u is not in its place", ref.number);
    value->at = skip_space(f, at);
    value->end = skip_value(f, value->at, 0);
    if (value->end == 0)
        return FW_ERR(f->pool, FW_E_INPUT, 0, "PDF: object %u has no end", ref.number);
    return NULL;
}

const fw_err *fww_pdfread_dict(fww_pdfread *f, fww_ref ref, fww_span *dict)
{
    FW_TRY(read_object(f, ref, dict));
    if (!starts(f, dict->at, "<<"))
        return FW_ERR(f->pool, FW_E_INPUT, 0, "PDF: object %u is no dictionary", ref.number);
    return NULL;
}

const fw_err *fww_pdfread_resolve(fww_pdfread *f, fww_span value, fww_span *out)
{
    fww_ref ref;

    *out = value;
    return fww_pdfread_ref(f, value, &ref) ? read_object(f, ref, out) : NULL;
}
