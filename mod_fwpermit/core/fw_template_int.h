#ifndef FW_TEMPLATE_INT_H
#define FW_TEMPLATE_INT_H

#include <apr_hash.h>

#include "fw_template.h"

/* ---- where in the HTML we are (fw_template_html.c) ---- */

typedef enum fw_html_e {
    FW_HTML_TEXT,
    FW_HTML_TAG_OPEN, /* behind "<" */
    FW_HTML_TAG_NAME,
    FW_HTML_END_OPEN, /* behind "</" */
    FW_HTML_END_NAME,
    FW_HTML_END_SPACE,
    FW_HTML_IN_TAG,  /* an attribute may begin */
    FW_HTML_TAG_GAP, /* behind a name or a quoted value: white space, "/" or ">" must come */
    FW_HTML_SLASH,   /* behind the "/" of "/>" */
    FW_HTML_ATTR_NAME,
    FW_HTML_ATTR_EQ, /* behind "=" */
    FW_HTML_DOUBLE,  /* within "…" */
    FW_HTML_SINGLE,  /* within '…' */
    FW_HTML_BARE,    /* within a value without quotes */
    FW_HTML_RCDATA,  /* textarea, title */
    FW_HTML_RAW,     /* script, style, iframe */
    FW_HTML_JSON,    /* <script type="application/json"> */
    FW_HTML_MARKUP,  /* behind "<!" */
    FW_HTML_DOCTYPE,
    FW_HTML_COMMENT
} fw_html_e;

#define FW_HTML_NAME_MAX  32
#define FW_HTML_VALUE_MAX 256

typedef struct fw_html {
    fw_html_e state;
    char tag[FW_HTML_NAME_MAX], attr[FW_HTML_NAME_MAX]; /* in small letters */
    char value[FW_HTML_VALUE_MAX]; /* the attribute's literal text so far, cut off there */
    apr_size_t n_value;
    int matched;    /* characters of what ends this state */
    int dashes;     /* of "<!--" in a script */
    int tags;       /* so many began: tells one from another */
    int attrs;      /* of this tag */
    bool foreign;   /* in svg or math */
    bool json;      /* type="application/json" */
    bool refresh;   /* http-equiv= */
    bool content;   /* a value stands in content= */
    bool url_ended; /* a value stood in this URL */
    bool fresh;     /* a textarea has just begun: a line end here is not its content */
} fw_html;

typedef enum fw_escape_e {
    FW_ESCAPE_HTML,     /* text and quoted attributes */
    FW_ESCAPE_URL,      /* a whole URL: judged, then as above */
    FW_ESCAPE_COMPONENT /* percent-encoded */
} fw_escape_e;

/* Each returns NULL, or why not. */
const char *fw_html_feed(fw_html *h, char c);
const char *fw_html_pause(fw_html *h); /* a {{tag}} that is no comment comes */
const char *fw_html_value(fw_html *h, fw_escape_e *escape);
const char *fw_html_message(const fw_html *h);
const char *fw_html_section(const fw_html *h); /* and partials */
const char *fw_html_json(const fw_html *h);
const char *fw_html_end(const fw_html *h); /* of a file that began in text */
bool fw_html_same(const fw_html *a, const fw_html *b);

/* ---- programs (fw_template_compile.c) ---- */

typedef enum fw_op_e {
    FW_OP_LITERAL,
    FW_OP_VALUE,
    FW_OP_SECTION,  /* jump: behind its end */
    FW_OP_INVERTED, /* the same */
    FW_OP_SHOWN,    /* the same */
    FW_OP_END,      /* of a section; the other two need none */
    FW_OP_MESSAGE,
    FW_OP_JSON
} fw_op_e;

typedef struct fw_path_part {
    const char *name;
    size_t n;
    uint32_t tag; /* fw_name_tag() */
} fw_path_part;

typedef struct fw_path {
    int n; /* 0: the thing itself, {{.}} */
    const fw_path_part *parts;
} fw_path;

typedef struct fw_program {
    const struct fw_op *ops;
    int n;
} fw_program;

typedef struct fw_op {
    fw_op_e kind;
    fw_escape_e escape;
    int jump;
    const char *text; /* of a literal; of a value in a message: what stands where there is none */
    apr_size_t n;
    fw_path path;
    const fw_program *messages; /* one for each language, in the order of fw_locale_langs() */
} fw_op;

typedef struct fw_source {
    const char *path; /* for messages */
    const char *text;
    apr_size_t n;
} fw_source;

#define FW_TEMPLATE_OPS_MAX 65536

/* `sources`: name → fw_source, for the partials. What is compiled points into the sources' texts. */
const fw_err *fw_template_compile(fw_program *out, const fw_source *source, apr_hash_t *sources,
                                  const fw_locale *locale, apr_pool_t *pool);

/* fw_template_render() of one program (fw_template.c) */
const fw_err *fw_program_render(const fw_program *program, const fw_locale *locale, fw_value model,
                                const char *lang, const char **html, apr_size_t *n,
                                apr_pool_t *pool);

/* ---- what is written (fw_template_write.c) ---- */

typedef struct fw_out {
    char *text;
    apr_size_t n, room;
    bool full; /* more than FW_TEMPLATE_OUT_MAX was to be written */
    apr_pool_t *pool;
} fw_out;

void fw_out_make(fw_out *out, apr_size_t room, apr_pool_t *pool);
void fw_out_put(fw_out *out, const char *text, apr_size_t n);
void fw_out_escaped(fw_out *out, fw_escape_e escape, const char *text, apr_size_t n);
void fw_out_int(fw_out *out, int64_t v);
/* As JSON; `in_html`: spelled so that it can stand in a script. An absent value is null. */
void fw_out_json(fw_out *out, fw_value v, bool in_html);

#endif
