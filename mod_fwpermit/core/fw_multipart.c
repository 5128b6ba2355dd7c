#include "fw_config.h"
#include "fw_multipart.h"

#include <string.h>
#include <strings.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "fw_utf8.h"

#define BOUNDARY_MAX 70 /* RFC 2046 5.1.1 */
#define DELIMITER    (BOUNDARY_MAX + 4)

typedef enum state {
    PREAMBLE,
    DELIMITED, /* behind the boundary of a delimiter */
    DASH,      /* behind the first of its two last dashes */
    PADDING,
    LINE_END, /* behind the CR of its line */
    HEADER,
    DATA,
    EPILOGUE
} state;

struct fw_multipart {
    fw_multipart_limits limits;
    fw_multipart_sink sink;
    state state;
    char delimiter[DELIMITER + 1]; /* CR LF "--" boundary: CR stands nowhere but at its start */
    apr_size_t n_delimiter;
    apr_size_t matched; /* bytes of the delimiter that were read */
    apr_size_t carried; /* those of them that came with an earlier piece */
    char *header;
    apr_size_t n_header;
    int parts;
    apr_off_t in_part, total;
    const char *name;     /* of the part, in part_pool */
    const fw_err *failed; /* for good */
    apr_pool_t *pool, *part_pool;
};

static const fw_err *malformed(fw_multipart *m)
{
    return fw_err_told(m->pool, FW_E_INPUT, NULL, "body.malformed");
}

static const fw_err *too_much(fw_multipart *m, const char *field, const char *key)
{
    return fw_err_told(m->pool, FW_E_LIMIT, field ? apr_pstrdup(m->pool, field) : NULL, key);
}

/* ---- header fields ---- */

static bool is_token(char c)
{
    return apr_isalnum(c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static char *skip_white(char *p)
{
    return p + strspn(p, " \t");
}

/* Whether the text is UTF-8 without control characters. */
static bool is_clean(const char *text)
{
    if (!fw_utf8_valid(text))
        return false;
    while (*text) {
        uint32_t c = fw_utf8_next(&text);

        if (c < ' ' || (c >= 0x7F && c < 0xA0))
            return false;
    }
    return true;
}

/* The text of a quoted string, unquoted in place; *p is moved behind it. Browsers write " as %22 and leave \ alone, others
 * escape both by \. NULL: it does not end. */
static char *take_quoted(char **p)
{
    char *start = ++*p, *o = start;

    for (; **p && **p != '"'; ++*p) {
        if (**p == '\\' && ((*p)[1] == '"' || (*p)[1] == '\\'))
            ++*p;
        *o++ = **p;
    }
    if (!**p)
        return NULL;
    ++*p;
    *o = '\0';
    return start;
}

typedef struct param {
    const char *name;
    char *value; /* NULL: it is broken */
} param;

/* The next "; name=value" at *p, which is moved behind it. False: there is none. */
static bool next_param(char **p, param *out, apr_pool_t *pool)
{
    char *name, *start;

    *out = (param){NULL, NULL};
    *p = skip_white(*p);
    if (!**p)
        return false;
    if (**p != ';')
        return true;
    name = *p = skip_white(*p + 1);
    while (is_token(**p))
        ++*p;
    if (*p == name || **p != '=')
        return true;
    out->name = apr_pstrndup(pool, name, (apr_size_t)(*p - name));
    start = ++*p;
    if (*start == '"') {
        out->value = take_quoted(p);
        return true;
    }
    while (is_token(**p))
        ++*p;
    if (*p > start)
        out->value = apr_pstrndup(pool, start, (apr_size_t)(*p - start));
    return true;
}

/* "form-data" and the parameters behind it. False: broken. */
static bool take_disposition(char *value, fw_part *part, apr_pool_t *pool)
{
    char *p = value + strcspn(value, " \t;");
    param got;

    if (part->name || p - value != 9 || strncasecmp(value, "form-data", 9) != 0)
        return false;
    while (next_param(&p, &got, pool)) {
        const char **into = NULL;

        if (!got.value || strcasecmp(got.name, "filename*") == 0)
            return false;
        if (strcasecmp(got.name, "name") == 0)
            into = &part->name;
        if (strcasecmp(got.name, "filename") == 0)
            into = &part->filename;
        if (into && (*into || !is_clean(got.value)))
            return false;
        if (into)
            *into = got.value;
    }
    return part->name && *part->name;
}

static bool take_type(char *value, fw_part *part)
{
    if (part->type || !is_clean(value) || strncasecmp(value, "multipart/", 10) == 0)
        return false;
    part->type = value;
    return true;
}

/* One line of a header, without its line end. False: broken. */
static bool take_line(char *line, fw_part *part, apr_pool_t *pool)
{
    static const char *const plain[] = {"7bit", "8bit", "binary"};
    char *p = line, *end = line + strlen(line);

    while (is_token(*p))
        p++;
    if (p == line || *p != ':' || strpbrk(p, "\r\n") || !fw_utf8_valid(p))
        return false;
    *p = '\0';
    p = skip_white(p + 1);
    while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
        *--end = '\0';
    if (strcasecmp(line, "Content-Disposition") == 0)
        return take_disposition(p, part, pool);
    if (strcasecmp(line, "Content-Type") == 0)
        return take_type(p, part);
    if (strcasecmp(line, "Content-Transfer-Encoding") != 0)
        return true;
    for (int i = 0; i < 3; i++) {
        if (strcasecmp(p, plain[i]) == 0)
            return true;
    }
    return false;
}

/* The header is whole: CR LF CR LF at its end. */
static const fw_err *begin_part(fw_multipart *m)
{
    fw_part part = {NULL, NULL, NULL};
    char *line = m->header, *end;

    apr_pool_clear(m->part_pool);
    m->header[m->n_header - 2] = '\0';
    for (; *line; line = end + 2) {
        end = strstr(line, "\r\n");
        *end = '\0';
        if (!take_line(line, &part, m->part_pool))
            return malformed(m);
    }
    if (!part.name)
        return malformed(m);
    if (m->parts++ == m->limits.parts)
        return too_much(m, NULL, "body.too_many_parts");
    m->name = apr_pstrdup(m->part_pool, part.name);
    m->in_part = 0;
    m->matched = m->carried = 0;
    m->state = DATA;
    return m->sink.begin(m->sink.baton, &part);
}

/* ---- the body, piece by piece: each returns how far it read in *p ---- */

static const fw_err *give(fw_multipart *m, const char *data, apr_size_t n)
{
    if (n == 0 || m->state == PREAMBLE)
        return NULL;
    if ((apr_off_t)n > m->limits.part - m->in_part)
        return too_much(m, m->name, "body.part_too_long");
    m->in_part += (apr_off_t)n;
    return m->sink.data(m->sink.baton, data, n);
}

/* What looked like a delimiter in an earlier piece was content. */
static const fw_err *give_carried(fw_multipart *m)
{
    apr_size_t n = m->carried;

    m->carried = 0;
    return give(m, m->delimiter, n);
}

static const fw_err *end_part(fw_multipart *m)
{
    bool was_data = m->state == DATA;

    m->state = DELIMITED;
    m->matched = m->carried = 0;
    return was_data ? m->sink.end(m->sink.baton) : NULL;
}

/* Content, or the preamble, up to a delimiter. */
static const fw_err *in_data(fw_multipart *m, const char **p, const char *end)
{
    const char *start = *p, *at = *p;

    m->carried = m->matched;
    while (at < end) {
        if (m->matched == 0) {
            at = memchr(at, '\r', (size_t)(end - at));
            m->matched = at != NULL;
            at = at ? at + 1 : end;
            continue;
        }
        if (*at != m->delimiter[m->matched]) {
            FW_TRY(give_carried(m));
            m->matched = 0;
            continue;
        }
        at++;
        if (++m->matched == m->n_delimiter) {
            *p = at;
            FW_TRY(give(m, start, (apr_size_t)(at - start) - (m->matched - m->carried)));
            return end_part(m);
        }
    }
    *p = end;
    return give(m, start, (apr_size_t)(end - start) - (m->matched - m->carried));
}

/* The rest of a delimiter's line: CR LF, or "--". */
static const fw_err *in_delimiter(fw_multipart *m, char c)
{
    if (m->state == DELIMITED && c == '-')
        m->state = DASH;
    else if (m->state == DASH && c == '-')
        m->state = EPILOGUE;
    else if (m->state != DASH && m->state != LINE_END && (c == ' ' || c == '\t'))
        m->state = PADDING;
    else if (m->state != DASH && m->state != LINE_END && c == '\r')
        m->state = LINE_END;
    else if (m->state == LINE_END && c == '\n')
        m->state = HEADER;
    else
        return malformed(m);
    m->n_header = 0;
    return NULL;
}

static const fw_err *in_header(fw_multipart *m, char c)
{
    if (m->n_header == m->limits.header)
        return too_much(m, NULL, "body.header_too_long");
    if (!c)
        return malformed(m);
    m->header[m->n_header++] = c;
    if (c != '\n')
        return NULL;
    if (m->n_header == 2 && m->header[0] == '\r')
        return malformed(m);
    if (m->n_header < 4 || memcmp(m->header + m->n_header - 4, "\r\n\r\n", 4) != 0)
        return NULL;
    return begin_part(m);
}

static const fw_err *feed(fw_multipart *m, const char *p, const char *end)
{
    while (p < end) {
        switch (m->state) {
        case PREAMBLE:
        case DATA:
            FW_TRY(in_data(m, &p, end));
            break;
        case DELIMITED:
        case DASH:
        case PADDING:
        case LINE_END:
            FW_TRY(in_delimiter(m, *p++));
            break;
        case HEADER:
            FW_TRY(in_header(m, *p++));
            break;
        case EPILOGUE:
            return NULL;
        }
    }
    return NULL;
}

const fw_err *fw_multipart_feed(fw_multipart *m, const char *data, apr_size_t n)
{
    apr_off_t room = m->limits.total - m->total;
    bool over = (apr_off_t)n > room;

    if (m->failed)
        return m->failed;
    if (over)
        n = (apr_size_t)room;
    m->total += (apr_off_t)n;
    m->failed = feed(m, data, data + n);
    if (!m->failed && over)
        m->failed = too_much(m, NULL, "body.too_long");
    return m->failed;
}

const fw_err *fw_multipart_finish(fw_multipart *m)
{
    if (!m->failed && m->state != EPILOGUE)
        m->failed = fw_err_told(m->pool, FW_E_INPUT, NULL, "body.cut_off");
    return m->failed;
}

/* ---- making ---- */

static bool is_boundary(const char *text)
{
    size_t n = strlen(text);

    if (n < 1 || n > BOUNDARY_MAX || text[n - 1] == ' ')
        return false;
    for (; *text; text++) {
        if (!apr_isalnum(*text) && !strchr("'()+_,-./:=? ", *text))
            return false;
    }
    return true;
}

static const char *find_boundary(const char *content_type, apr_pool_t *pool)
{
    char *p = apr_pstrdup(pool, content_type ? content_type : "");
    const char *boundary = NULL;
    param got;

    if (strncasecmp(p, "multipart/form-data", 19) != 0)
        return NULL;
    p += 19;
    while (next_param(&p, &got, pool)) {
        if (!got.value)
            return NULL;
        if (strcasecmp(got.name, "boundary") != 0)
            continue;
        if (boundary || !is_boundary(got.value))
            return NULL;
        boundary = got.value;
    }
    return boundary;
}

const fw_err *fw_multipart_make(fw_multipart **out, const char *content_type,
                                const fw_multipart_limits *limits, const fw_multipart_sink *sink,
                                apr_pool_t *pool)
{
    const char *boundary = find_boundary(content_type, pool);
    fw_multipart *m = apr_pcalloc(pool, sizeof(*m));

    if (!boundary)
        return fw_err_told(pool, FW_E_INPUT, NULL, "body.no_boundary");
    m->limits = *limits;
    if (!m->limits.parts)
        m->limits.parts = FW_MULTIPART_PARTS;
    if (!m->limits.header)
        m->limits.header = FW_MULTIPART_HEADER;
    m->sink = *sink;
    m->pool = pool;
    apr_pool_create(&m->part_pool, pool);
    apr_snprintf(m->delimiter, sizeof(m->delimiter), "\r\n--%s", boundary);
    m->n_delimiter = strlen(m->delimiter);
    m->matched = 2; /* the first delimiter may begin the body */
    m->header = apr_palloc(pool, m->limits.header);
    *out = m;
    return NULL;
}
