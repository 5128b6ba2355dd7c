#include "fw_config.h"
#include "fw_template_int.h"

#include <string.h>

#include <apr_strings.h>

#define DEPTH_MAX    8
#define PARTIALS_MAX 4096
#define PARTS_MAX    8
#define NAME_CHARS   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

typedef struct open_section {
    const char *name;
    apr_size_t n;
    int op;
    int line;
    fw_html html; /* where it began */
} open_section;

typedef struct compiler {
    apr_array_header_t *ops;
    apr_hash_t *sources;
    const fw_locale *locale;
    fw_html html;
    open_section open[FW_TEMPLATE_NEST];
    int n_open;
    int depth;    /* of partials */
    int partials; /* so many were compiled in */
    apr_pool_t *pool;
} compiler;

/* A file being read. */
typedef struct reader {
    compiler *c;
    const fw_source *source;
    const char *at;
} reader;

/* A {{tag}} without its braces and the white space at its ends. */
typedef struct tag {
    const char *s;
    apr_size_t n;
} tag;

static int line_of(const reader *r)
{
    int line = 1;

    for (const char *p = r->source->text; p < r->at; p++)
        line += *p == '\n';
    return line;
}

static const fw_err *fault(const reader *r, const char *what)
{
    return FW_ERR(r->c->pool, FW_E_CONFIG, 0, "%s:%d: %s", r->source->path, line_of(r), what);
}

static const fw_err *tag_fault(const reader *r, tag t, const char *what)
{
    return FW_ERR(r->c->pool, FW_E_CONFIG, 0, "%s:%d: {{%.*s}}: %s", r->source->path, line_of(r),
                  (int)(t.n < 60 ? t.n : 60), t.s, what);
}

static const fw_err *misplaced(const reader *r, tag t, const char *where)
{
    return where ? tag_fault(r, t, apr_pstrcat(r->c->pool, "cannot stand here: ", where, NULL))
                 : NULL;
}

static const fw_err *add(reader *r, fw_op op)
{
    if (r->c->ops->nelts == FW_TEMPLATE_OPS_MAX)
        return fault(r, "the page has too many parts");
    APR_ARRAY_PUSH(r->c->ops, fw_op) = op;
    return NULL;
}

static const fw_err *add_literal(reader *r, const char *text, apr_size_t n)
{
    return n ? add(r, (fw_op){.kind = FW_OP_LITERAL, .text = text, .n = n}) : NULL;
}

/* ---- names ---- */

static bool is_path(const char *s, apr_size_t n)
{
    int parts = 1;

    if (n == 1 && *s == '.')
        return true;
    if (!n || s[0] == '.' || s[n - 1] == '.')
        return false;
    for (apr_size_t i = 0; i < n; i++) {
        if (s[i] == '.' ? s[i - 1] == '.' : !strchr(NAME_CHARS, s[i]))
            return false;
        parts += s[i] == '.';
    }
    return parts <= PARTS_MAX;
}

static fw_path make_path(const char *s, apr_size_t n, apr_pool_t *pool)
{
    fw_path path = {0, NULL};
    fw_path_part *parts = apr_pcalloc(pool, PARTS_MAX * sizeof(*parts));
    const char *end = s + n;

    if (n == 1 && *s == '.')
        return path;
    while (s < end) {
        const char *dot = memchr(s, '.', (size_t)(end - s));
        const char *stop = dot ? dot : end;

        parts[path.n].name = apr_pstrndup(pool, s, (apr_size_t)(stop - s));
        parts[path.n].n = (size_t)(stop - s);
        parts[path.n].tag = fw_name_tag(s, parts[path.n].n);
        path.n++;
        s = stop + 1;
    }
    path.parts = parts;
    return path;
}

static tag trim(const char *s, const char *end)
{
    static const char white[] = " \t\r\n";

    while (s < end && strchr(white, *s))
        s++;
    while (s < end && strchr(white, end[-1]))
        end--;
    return (tag){s, (apr_size_t)(end - s)};
}

/* What stands behind the first `skip` characters. */
static tag rest(tag t, apr_size_t skip)
{
    return trim(t.s + skip, t.s + t.n);
}

/* ---- values and messages ---- */

static const fw_err *take_value(reader *r, tag t)
{
    fw_op op = {.kind = FW_OP_VALUE};

    if (!is_path(t.s, t.n))
        return tag_fault(r, t, "is no name");
    FW_TRY(misplaced(r, t, fw_html_value(&r->c->html, &op.escape)));
    op.path = make_path(t.s, t.n, r->c->pool);
    return add(r, op);
}

static const fw_err *take_json(reader *r, tag t)
{
    tag name = rest(t, 5);

    if (!is_path(name.s, name.n))
        return tag_fault(r, t, "is no name");
    FW_TRY(misplaced(r, t, fw_html_json(&r->c->html)));
    return add(r, (fw_op){.kind = FW_OP_JSON, .path = make_path(name.s, name.n, r->c->pool)});
}

static void add_escaped(apr_array_header_t *ops, const char *text, apr_size_t n, apr_pool_t *pool)
{
    fw_out out;

    fw_out_make(&out, n + 64, pool);
    fw_out_escaped(&out, FW_ESCAPE_HTML, text, n);
    APR_ARRAY_PUSH(ops, fw_op) = (fw_op){.kind = FW_OP_LITERAL, .text = out.text, .n = out.n};
}

/* A message of one language: its text, and a value for each {name}. */
static fw_program make_message(const char *text, apr_pool_t *pool)
{
    apr_array_header_t *ops = apr_array_make(pool, 4, sizeof(fw_op));
    const char *from = text;

    for (const char *open = strchr(text, '{'); open; open = strchr(open, '{')) {
        apr_size_t n = strspn(++open, NAME_CHARS ".");

        if (open[n] != '}' || !is_path(open, n) || *open == '.')
            continue;
        add_escaped(ops, from, (apr_size_t)(open - 1 - from), pool);
        APR_ARRAY_PUSH(ops, fw_op) = (fw_op){
            .kind = FW_OP_VALUE, .path = make_path(open, n, pool), .text = open - 1, .n = n + 2};
        from = open + n + 1;
    }
    add_escaped(ops, from, strlen(from), pool);
    return (fw_program){(const fw_op *)ops->elts, ops->nelts};
}

static const fw_err *take_message(reader *r, tag t)
{
    tag name = rest(t, 2);
    const char *key = apr_pstrndup(r->c->pool, name.s, name.n);
    bool known = false;
    int n;
    const char *const *langs = fw_locale_langs(r->c->locale, &n);
    fw_program *messages = apr_palloc(r->c->pool, (apr_size_t)n * sizeof(*messages));

    FW_TRY(misplaced(r, t, fw_html_message(&r->c->html)));
    for (int i = 0; i < n; i++) {
        const char *text = fw_locale_text(r->c->locale, langs[i], key);

        known = known || text != key;
        messages[i] = make_message(text, r->c->pool);
    }
    if (!known)
        return tag_fault(r, t, "no catalogue has this message");
    return add(r, (fw_op){.kind = FW_OP_MESSAGE, .messages = messages});
}

/* ---- sections and partials ---- */

static const fw_err *open_sect(reader *r, tag t)
{
    compiler *c = r->c;
    open_section *s = &c->open[c->n_open];
    tag name = rest(t, 1);

    if (!is_path(name.s, name.n))
        return tag_fault(r, t, "is no name");
    FW_TRY(misplaced(r, t, fw_html_section(&c->html)));
    if (c->n_open == FW_TEMPLATE_NEST)
        return tag_fault(r, t, "sections are nested too deeply");
    *s = (open_section){name.s, name.n, c->ops->nelts, line_of(r), c->html};
    c->n_open++;
    return add(r, (fw_op){.kind = *t.s == '#'   ? FW_OP_SECTION
                                  : *t.s == '^' ? FW_OP_INVERTED
                                                : FW_OP_SHOWN,
                          .path = make_path(name.s, name.n, c->pool)});
}

/* `base`: so many were open when the file began. */
static const fw_err *close_sect(reader *r, tag t, int base)
{
    compiler *c = r->c;
    open_section *s;
    tag name = rest(t, 1);

    if (c->n_open == base)
        return tag_fault(r, t, "no section is open");
    s = &c->open[c->n_open - 1];
    if (name.n != s->n || memcmp(name.s, s->name, s->n) != 0)
        return tag_fault(r, t,
                         apr_psprintf(c->pool, "line %d opened %.*s", s->line, (int)s->n, s->name));
    if (!fw_html_same(&s->html, &c->html))
        return tag_fault(r, t,
                         apr_psprintf(c->pool,
                                      "the section of line %d ends elsewhere in the HTML "
                                      "than it began",
                                      s->line));
    c->n_open--;
    if (APR_ARRAY_IDX(c->ops, s->op, fw_op).kind == FW_OP_SECTION)
        FW_TRY(add(r, (fw_op){.kind = FW_OP_END}));
    APR_ARRAY_IDX(c->ops, s->op, fw_op).jump = c->ops->nelts;
    return NULL;
}

static const fw_err *take_file(compiler *c, const fw_source *source);

static const fw_err *take_partial(reader *r, tag t)
{
    compiler *c = r->c;
    tag name = rest(t, 1);
    const fw_source *partial = apr_hash_get(c->sources, name.s, (apr_ssize_t)name.n);
    fw_html before = c->html;
    const char *why;

    FW_TRY(misplaced(r, t, fw_html_section(&c->html)));
    if (!partial)
        return tag_fault(r, t, "there is no such partial");
    if (c->depth == DEPTH_MAX || c->partials++ == PARTIALS_MAX)
        return tag_fault(r, t, "partials are nested too deeply, or too many");
    c->depth++;
    FW_TRY(take_file(c, partial));
    c->depth--;
    why = fw_html_pause(&c->html);
    return !why && fw_html_same(&before, &c->html)
               ? NULL
               : tag_fault(r, t, "the partial ends elsewhere in the HTML than it began");
}

/* ---- files ---- */

static const fw_err *feed(reader *r, const char *end)
{
    const char *from = r->at;

    for (; r->at < end; r->at++) {
        const char *why = fw_html_feed(&r->c->html, *r->at);

        if (why)
            return fault(r, why);
    }
    return add_literal(r, from, (apr_size_t)(end - from));
}

static bool begins(tag t, const char *word)
{
    size_t n = strlen(word);

    return t.n > n && memcmp(t.s, word, n) == 0;
}

static const fw_err *take_tag(reader *r, tag t, int base)
{
    compiler *c = r->c;
    const char *why;

    if (t.n && *t.s == '!')
        return NULL;
    why = fw_html_pause(&c->html);
    if (why)
        return misplaced(r, t, why);
    if (c->html
            .fresh) /* a browser drops the first line end of a textarea: that of a value shall stay */
        FW_TRY(add_literal(r, "\n", 1));
    c->html.fresh = false;
    if (begins(t, "t ") || begins(t, "t\n"))
        return take_message(r, t);
    if (begins(t, "json ") || begins(t, "json\n"))
        return take_json(r, t);
    switch (t.n ? *t.s : '\0') {
    case '#':
    case '^':
    case '?':
        return open_sect(r, t);
    case '/':
        return close_sect(r, t, base);
    case '>':
        return take_partial(r, t);
    default:
        return take_value(r, t);
    }
}

static const fw_err *take_file(compiler *c, const fw_source *source)
{
    reader r = {c, source, source->text};
    const char *end = source->text + source->n;
    int base = c->n_open;

    for (;;) {
        const char *open = strstr(r.at, "{{"), *close;

        FW_TRY(feed(&r, open ? open : end));
        if (!open)
            break;
        close = strstr(open + 2, "}}");
        if (!close)
            return fault(&r, "a {{ is not closed");
        FW_TRY(take_tag(&r, trim(open + 2, close), base));
        r.at = close + 2;
    }
    if (c->n_open > base)
        return FW_ERR(c->pool, FW_E_CONFIG, 0, "%s:%d: this section is not closed", source->path,
                      c->open[c->n_open - 1].line);
    return NULL;
}

const fw_err *fw_template_compile(fw_program *out, const fw_source *source, apr_hash_t *sources,
                                  const fw_locale *locale, apr_pool_t *pool)
{
    compiler *c = apr_pcalloc(pool, sizeof(*c));
    const char *where;

    c->ops = apr_array_make(pool, 64, sizeof(fw_op));
    c->sources = sources;
    c->locale = locale;
    c->pool = pool;
    FW_TRY(take_file(c, source));
    where = fw_html_end(&c->html);
    if (where)
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s: it ends %s", source->path, where);
    out->ops = (const fw_op *)c->ops->elts;
    out->n = c->ops->nelts;
    return NULL;
}
