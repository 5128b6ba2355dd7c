#include "fw_config.h"
#include "fw_template_int.h"

#include <stdlib.h>
#include <string.h>

#include <apr_file_info.h>
#include <apr_strings.h>

#include "fw_file.h"
#include "fw_utf8.h"

#define FIRST_ROOM 16384

struct fw_templates {
    apr_hash_t *programs; /* name → fw_program */
    const fw_locale *locale;
};

/* ---- loading ---- */

static const fw_err *read_source(fw_source *s, apr_pool_t *pool)
{
    char *text = NULL;

    FW_TRY(fw_file_read(&text, &s->n, s->path, FW_TEMPLATE_BYTES_MAX, pool));
    if (strlen(text) != s->n || !fw_utf8_valid(text))
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s:1: the file is not UTF-8 throughout", s->path);
    s->text = text;
    return NULL;
}

/* name → fw_source of every *.html of `dir` */
static const fw_err *read_sources(apr_hash_t *sources, const char *dir, apr_pool_t *pool)
{
    apr_dir_t *d;
    apr_finfo_t info;
    apr_status_t rv = apr_dir_open(&d, dir, pool);

    if (rv)
        return FW_ERR(pool, FW_E_CONFIG, rv, "%s cannot be read", dir);
    while (apr_dir_read(&info, APR_FINFO_NAME, d) == APR_SUCCESS) {
        const char *end = strrchr(info.name, '.');
        fw_source *s;

        if (info.name[0] == '.' || !end || strcmp(end, ".html") != 0)
            continue;
        s = apr_pcalloc(pool, sizeof(*s));
        s->path = apr_pstrcat(pool, dir, "/", info.name, NULL);
        FW_TRY(read_source(s, pool));
        apr_hash_set(sources, apr_pstrndup(pool, info.name, (apr_size_t)(end - info.name)),
                     APR_HASH_KEY_STRING, s);
    }
    apr_dir_close(d);
    return NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* So that the first of many faults is always the same. */
static apr_array_header_t *sorted_names(apr_hash_t *sources, apr_pool_t *pool)
{
    apr_array_header_t *names = apr_array_make(pool, 64, sizeof(const char *));

    for (apr_hash_index_t *i = apr_hash_first(pool, sources); i; i = apr_hash_next(i))
        APR_ARRAY_PUSH(names, const char *) = apr_hash_this_key(i);
    qsort(names->elts, (size_t)names->nelts, sizeof(const char *), by_name);
    return names;
}

const fw_err *fw_templates_load(fw_templates **out, const char *dir, const fw_locale *locale,
                                apr_pool_t *pool)
{
    fw_templates *all = apr_pcalloc(pool, sizeof(*all));
    apr_hash_t *sources = apr_hash_make(pool);
    apr_array_header_t *names;

    all->programs = apr_hash_make(pool);
    all->locale = locale;
    FW_TRY(read_sources(sources, dir, pool));
    names = sorted_names(sources, pool);
    for (int i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        const fw_source *source = apr_hash_get(sources, name, APR_HASH_KEY_STRING);
        fw_program *program = apr_pcalloc(pool, sizeof(*program));

        FW_TRY(fw_template_compile(program, source, sources, locale, pool));
        apr_hash_set(all->programs, name, APR_HASH_KEY_STRING, program);
    }
    *out = all;
    return NULL;
}

bool fw_templates_have(const fw_templates *all, const char *name)
{
    return apr_hash_get(all->programs, name, APR_HASH_KEY_STRING) != NULL;
}

/* ---- rendering ---- */

typedef struct frame {
    fw_value list; /* absent: once */
    int i;
    bool pushed; /* a thing was */
} frame;

typedef struct render {
    fw_out out;
    int lang;
    fw_value things[FW_TEMPLATE_NEST + 1]; /* what names are looked up in, the innermost last */
    int n_things;
} render;

static fw_value member_of(const render *r, fw_value v, const fw_path_part *part)
{
    if (v.kind == FW_TIME)
        return fw_time_part(v, part->name, r->out.pool);
    return fw_get_tagged(v, part->name, part->n, part->tag);
}

static fw_value look_up(const render *r, const fw_path *path)
{
    fw_value v = {0};

    if (path->n == 0)
        return r->things[r->n_things - 1];
    for (int i = r->n_things; i-- && !fw_is(v);)
        v = member_of(r, r->things[i], &path->parts[0]);
    for (int i = 1; i < path->n; i++)
        v = member_of(r, v, &path->parts[i]);
    return v;
}

static void put_value(render *r, const fw_op *op)
{
    fw_value v = look_up(r, &op->path);

    switch (v.kind) {
    case FW_TEXT:
        fw_out_escaped(&r->out, op->escape, v.as.text, v.n);
        return;
    case FW_NUMBER:
        fw_out_int(&r->out, v.as.number);
        return;
    case FW_TRUE:
        fw_out_put(&r->out, "true", 4);
        return;
    case FW_FALSE:
        fw_out_put(&r->out, "false", 5);
        return;
    case FW_ABSENT:
    case FW_NULL:
    case FW_REAL:
    case FW_TIME:
    case FW_OBJECT:
    case FW_LIST:
        if (op->text)
            fw_out_escaped(&r->out, FW_ESCAPE_HTML, op->text, op->n);
        return;
    }
}

static bool shows(fw_value v)
{
    switch (v.kind) {
    case FW_TEXT:
        return v.n > 0;
    case FW_NUMBER:
        return v.as.number != 0;
    case FW_REAL:
        return v.as.real != 0;
    case FW_LIST:
        return fw_size(v) > 0;
    case FW_TRUE:
    case FW_TIME:
    case FW_OBJECT:
        return true;
    case FW_ABSENT:
    case FW_NULL:
    case FW_FALSE:
        return false;
    }
    return false;
}

static void enter(render *r, frame *f, fw_value v)
{
    bool is_list = v.kind == FW_LIST;

    f->list = is_list ? v : fw_kind(FW_ABSENT);
    f->i = 0;
    f->pushed = !fw_is_true(v);
    if (f->pushed)
        r->things[r->n_things++] = is_list ? fw_at(v, 0) : v;
}

/* True: the section is shown once more. */
static bool again(render *r, frame *f)
{
    if (++f->i < fw_size(f->list)) {
        r->things[r->n_things - 1] = fw_at(f->list, f->i);
        return true;
    }
    r->n_things -= f->pushed;
    return false;
}

static void run(render *r, const fw_program *program)
{
    frame frames[FW_TEMPLATE_NEST] = {0};
    int back[FW_TEMPLATE_NEST] = {0}; /* where each section's content begins */
    int depth = 0;

    for (int at = 0; at < program->n && !r->out.full;) {
        const fw_op *op = &program->ops[at++];
        fw_value v;

        switch (op->kind) {
        case FW_OP_LITERAL:
            fw_out_put(&r->out, op->text, op->n);
            break;
        case FW_OP_VALUE:
            put_value(r, op);
            break;
        case FW_OP_SECTION:
            v = look_up(r, &op->path);
            if (!shows(v)) {
                at = op->jump;
                break;
            }
            back[depth] = at;
            enter(r, &frames[depth++], v);
            break;
        case FW_OP_INVERTED:
            at = shows(look_up(r, &op->path)) ? op->jump : at;
            break;
        case FW_OP_SHOWN:
            at = shows(look_up(r, &op->path)) ? at : op->jump;
            break;
        case FW_OP_END:
            if (again(r, &frames[depth - 1]))
                at = back[depth - 1];
            else
                depth--;
            break;
        case FW_OP_MESSAGE:
            run(r, &op->messages[r->lang]);
            break;
        case FW_OP_JSON:
            fw_out_json(&r->out, look_up(r, &op->path), true);
            break;
        }
    }
}

static int lang_index(const fw_locale *locale, const char *lang)
{
    int n, english = 0;
    const char *const *langs = fw_locale_langs(locale, &n);

    for (int i = 0; i < n; i++) {
        if (strcmp(langs[i], lang) == 0)
            return i;
        if (strcmp(langs[i], "en") == 0)
            english = i;
    }
    return english;
}

const fw_err *fw_program_render(const fw_program *program, const fw_locale *locale, fw_value model,
                                const char *lang, const char **html, apr_size_t *n,
                                apr_pool_t *pool)
{
    render r = {.n_things = 1};

    r.things[0] = model;
    r.lang = lang_index(locale, lang);
    fw_out_make(&r.out, FIRST_ROOM, pool);
    run(&r, program);
    if (r.out.full)
        return FW_ERR(pool, FW_E_LIMIT, 0, "the page would be longer than %u bytes",
                      FW_TEMPLATE_OUT_MAX);
    r.out.text[r.out.n] = '\0';
    *html = r.out.text;
    *n = r.out.n;
    return NULL;
}

const fw_err *fw_template_render(const fw_templates *all, const char *name, fw_value model,
                                 const char *lang, const char **html, apr_size_t *n,
                                 apr_pool_t *pool)
{
    const fw_program *program = apr_hash_get(all->programs, name, APR_HASH_KEY_STRING);
    const fw_err *err;

    if (!program)
        return FW_ERR(pool, FW_E_NOTFOUND, 0, "there is no template %s", name);
    err = fw_program_render(program, all->locale, model, lang, html, n, pool);
    return err ? FW_WRAP(pool, err, "%s", name) : NULL;
}
