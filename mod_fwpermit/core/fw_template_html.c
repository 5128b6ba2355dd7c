#include "fw_config.h"
#include "fw_template_int.h"

#include <string.h>
#include <strings.h>

#include <apr_lib.h>

/* A strict reader of the HTML that is written in templates: what browsers mend in ways of their own is refused. */

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f';
}

static bool listed(const char *const *list, const char *name)
{
    for (; *list; list++) {
        if (strcmp(*list, name) == 0)
            return true;
    }
    return false;
}

/* ---- attributes ---- */

typedef enum kind { PLAIN, URL, OWN_URL, NO_VALUE } kind;

/* Where a foreign URL would run, or repaint the page: the template must give its beginning. */
static const char *const own_url_tags[] = {"script", "link", "iframe", NULL};
static const char *const no_value_tags[] = {"script",           "base",          "object",  "embed",
                                            "applet",           "style",         "animate", "set",
                                            "animatetransform", "animatemotion", NULL};
static const char *const url_attrs[] = {"href",   "src",        "action",   "formaction",
                                        "poster", "xlink:href", "cite",     "data",
                                        "ping",   "background", "manifest", NULL};
static const char *const no_value_attrs[] = {"style",       "srcdoc",     "srcset",
                                             "imagesrcset", "http-equiv", NULL};

static kind attr_kind(const fw_html *h)
{
    if (strncmp(h->attr, "on", 2) == 0 || listed(no_value_attrs, h->attr))
        return NO_VALUE;
    if (listed(url_attrs, h->attr) && listed(own_url_tags, h->tag))
        return OWN_URL;
    if (listed(no_value_tags, h->tag))
        return NO_VALUE;
    return listed(url_attrs, h->attr) ? URL : PLAIN;
}

/* Whether a URL may begin so when an encoded value follows: neither scheme nor host is then the value's. */
static bool good_prefix(const char *prefix)
{
    const char *host;

    if (*prefix == '/')
        return prefix[1] != '/' && prefix[1] != '\\';
    if (*prefix == '?' || *prefix == '#')
        return true;
    if (strcmp(prefix, "mailto:") == 0 || strcmp(prefix, "tel:") == 0)
        return true;
    if (strncmp(prefix, "https://", 8) != 0)
        return false;
    host = prefix + 8;
    return *host != '/' && strchr(host, '/');
}

static const char *url_value(fw_html *h, fw_escape_e *escape)
{
    if (h->url_ended)
        return "a URL takes one value, at its end, or values behind a / and something";
    h->url_ended = h->value[0] != '/' || !h->value[1]; /* "/{{a}}/b" could become "//b" */
    if (h->n_value == 0) {
        *escape = FW_ESCAPE_URL;
        return attr_kind(h) == OWN_URL ? "in this tag a URL must begin in the template" : NULL;
    }
    *escape = FW_ESCAPE_COMPONENT;
    if (h->n_value >= FW_HTML_VALUE_MAX - 1)
        return "the URL before the value is too long";
    return good_prefix(h->value) ? NULL
                                 : "a URL with a value at its end must begin with /, ?, #, "
                                   "mailto:, tel: or https:// and a host";
}

/* ---- tags ---- */

static const char *grow_name(char *name, char c)
{
    size_t n = strlen(name);

    if (n == FW_HTML_NAME_MAX - 1)
        return "the name is too long";
    name[n] = (char)apr_tolower(c);
    name[n + 1] = '\0';
    return NULL;
}

static void begin_tag(fw_html *h)
{
    h->tag[0] = h->attr[0] = h->value[0] = '\0';
    h->json = h->refresh = h->content = false;
    h->attrs = 0;
    h->tags++;
}

static void begin_attr(fw_html *h)
{
    h->attr[0] = h->value[0] = '\0';
    h->n_value = 0;
    h->url_ended = false;
    h->attrs++;
}

/* The ">" of a start tag. */
static const char *open_element(fw_html *h, bool closed)
{
    static const char *const refused[] = {"xmp", "plaintext", "noembed", "noframes", NULL};
    static const char *const rcdata[] = {"textarea", "title", NULL};
    static const char *const raw[] = {"script", "style", "iframe", NULL};
    bool is_rcdata = listed(rcdata, h->tag), is_raw = listed(raw, h->tag);

    h->matched = h->dashes = 0;
    h->state = FW_HTML_TEXT;
    if (listed(refused, h->tag))
        return "this element is not known here";
    if ((is_rcdata || is_raw) && (h->foreign || closed))
        return h->foreign ? "this element may not stand in svg or math"
                          : "this element is ended by an end tag alone";
    if (is_rcdata)
        h->state = FW_HTML_RCDATA;
    if (is_raw)
        h->state = h->json ? FW_HTML_JSON : FW_HTML_RAW;
    h->fresh = strcmp(h->tag, "textarea") == 0;
    if (!closed && (strcmp(h->tag, "svg") == 0 || strcmp(h->tag, "math") == 0))
        h->foreign = true;
    return NULL;
}

static const char *in_text(fw_html *h, char c)
{
    if (c == '<')
        h->state = FW_HTML_TAG_OPEN;
    return NULL;
}

static const char *in_tag_open(fw_html *h, char c)
{
    begin_tag(h);
    if (c == '/') {
        h->state = FW_HTML_END_OPEN;
        return NULL;
    }
    if (c == '!') {
        h->state = FW_HTML_MARKUP;
        h->matched = 0;
        return NULL;
    }
    if (!apr_isalpha(c))
        return "a < in text is written &lt;";
    h->state = FW_HTML_TAG_NAME;
    return grow_name(h->tag, c);
}

static const char *in_gap(fw_html *h, char c)
{
    if (is_space(c))
        h->state = FW_HTML_IN_TAG;
    else if (c == '/')
        h->state = FW_HTML_SLASH;
    else if (c == '>')
        return open_element(h, false);
    else
        return "white space, / or > must come here";
    return NULL;
}

static const char *in_tag_name(fw_html *h, char c)
{
    if (apr_isalnum(c) || c == '-')
        return grow_name(h->tag, c);
    h->state = FW_HTML_TAG_GAP;
    return in_gap(h, c);
}

static const char *in_tag(fw_html *h, char c)
{
    if (!apr_isalpha(c))
        return in_gap(h, c);
    begin_attr(h);
    h->state = FW_HTML_ATTR_NAME;
    return grow_name(h->attr, c);
}

static const char *in_slash(fw_html *h, char c)
{
    return c == '>' ? open_element(h, true) : "a / in a tag stands before > alone";
}

static const char *end_attr_name(fw_html *h)
{
    h->refresh = h->refresh || strcmp(h->attr, "http-equiv") == 0;
    return h->refresh && h->content ? "a value cannot stand in a page's own header" : NULL;
}

static const char *in_attr_name(fw_html *h, char c)
{
    const char *why;

    if (apr_isalnum(c) || (c && strchr("-_:.", c)))
        return grow_name(h->attr, c);
    why = end_attr_name(h);
    h->state = c == '=' ? FW_HTML_ATTR_EQ : FW_HTML_TAG_GAP;
    return why || c == '=' ? why : in_gap(h, c);
}

static const char *in_attr_eq(fw_html *h, char c)
{
    h->state = c == '"' ? FW_HTML_DOUBLE : c == '\'' ? FW_HTML_SINGLE : FW_HTML_BARE;
    if (h->state != FW_HTML_BARE)
        return NULL;
    if (!apr_isalnum(c) && (!c || !strchr("-_./#", c)))
        return "this value needs quotes";
    h->value[h->n_value++] = c;
    h->value[h->n_value] = '\0';
    return NULL;
}

static void end_attr_value(fw_html *h)
{
    h->state = FW_HTML_TAG_GAP;
    if (strcmp(h->tag, "script") == 0 && strcmp(h->attr, "type") == 0)
        h->json = strcmp(h->value, "application/json") == 0;
}

static const char *in_quotes(fw_html *h, char c)
{
    if (c == (h->state == FW_HTML_DOUBLE ? '"' : '\'')) {
        end_attr_value(h);
        return NULL;
    }
    if (h->url_ended)
        return "nothing may follow the value in a URL";
    if (h->n_value < FW_HTML_VALUE_MAX - 1) {
        h->value[h->n_value++] = c;
        h->value[h->n_value] = '\0';
    }
    return NULL;
}

static const char *in_bare(fw_html *h, char c)
{
    if (is_space(c) || c == '>') {
        end_attr_value(h);
        return in_gap(h, c);
    }
    if (strchr("\"'`=<", c))
        return "this value needs quotes";
    return in_quotes(h, c);
}

static const char *in_end_open(fw_html *h, char c)
{
    if (!apr_isalpha(c))
        return "an end tag needs a name";
    h->state = FW_HTML_END_NAME;
    return grow_name(h->tag, c);
}

static const char *in_end_space(fw_html *h, char c)
{
    if (is_space(c))
        return NULL;
    if (c != '>')
        return "an end tag has a name alone";
    if (strcmp(h->tag, "svg") == 0 || strcmp(h->tag, "math") == 0)
        h->foreign = false;
    h->state = FW_HTML_TEXT;
    return NULL;
}

static const char *in_end_name(fw_html *h, char c)
{
    if (apr_isalnum(c) || c == '-')
        return grow_name(h->tag, c);
    h->state = FW_HTML_END_SPACE;
    return in_end_space(h, c);
}

/* ---- what ends by a mark of its own ---- */

/* Within an element that only "</tag" ends. */
static const char *in_raw(fw_html *h, char c)
{
    int n_tag = (int)strlen(h->tag);

    h->fresh = false;
    if (h->matched == n_tag + 2 && (is_space(c) || c == '>' || c == '/')) {
        h->state = FW_HTML_END_SPACE;
        return in_end_space(h, c);
    }
    if (h->matched == 1 && c == '/')
        h->matched = 2;
    else if (h->matched >= 2 && h->matched < n_tag + 2 && apr_tolower(c) == h->tag[h->matched - 2])
        h->matched++;
    else
        h->matched = c == '<';
    h->dashes = c == "<!--"[h->dashes] ? h->dashes + 1 : c == '<';
    if (h->dashes == 4) {
        h->dashes = 0;
        return h->state == FW_HTML_RCDATA ? NULL : "no <!-- may stand in a script or style";
    }
    return NULL;
}

static const char *in_markup(fw_html *h, char c)
{
    static const char doctype[] = "doctype";

    if (c == '-' && (h->matched == 0 || h->matched == -1)) {
        h->state = h->matched ? FW_HTML_COMMENT : FW_HTML_MARKUP;
        h->matched = h->matched ? 0 : -1;
        h->attrs = 0;
        return NULL;
    }
    if (h->matched < 0 || apr_tolower(c) != doctype[h->matched])
        return "only a comment or DOCTYPE begins with <!";
    h->matched++;
    if (!doctype[h->matched])
        h->state = FW_HTML_DOCTYPE;
    return NULL;
}

static const char *in_doctype(fw_html *h, char c)
{
    if (c == '>')
        h->state = FW_HTML_TEXT;
    return NULL;
}

static const char *in_comment(fw_html *h, char c)
{
    int before = h->attrs++;

    if (c == '>' && h->matched == before && before < 2)
        return "a comment may not begin with > or ->";
    if (c == '!' && h->matched >= 2)
        return "a comment may not have --!";
    if (c == '>' && h->matched >= 2)
        h->state = FW_HTML_TEXT;
    h->matched = c == '-' ? h->matched + 1 : 0;
    return NULL;
}

const char *fw_html_feed(fw_html *h, char c)
{
    static const char *(*const step[])(fw_html *, char) = {
        [FW_HTML_TEXT] = in_text,         [FW_HTML_TAG_OPEN] = in_tag_open,
        [FW_HTML_TAG_NAME] = in_tag_name, [FW_HTML_END_OPEN] = in_end_open,
        [FW_HTML_END_NAME] = in_end_name, [FW_HTML_END_SPACE] = in_end_space,
        [FW_HTML_IN_TAG] = in_tag,        [FW_HTML_TAG_GAP] = in_gap,
        [FW_HTML_SLASH] = in_slash,       [FW_HTML_ATTR_NAME] = in_attr_name,
        [FW_HTML_ATTR_EQ] = in_attr_eq,   [FW_HTML_DOUBLE] = in_quotes,
        [FW_HTML_SINGLE] = in_quotes,     [FW_HTML_BARE] = in_bare,
        [FW_HTML_RCDATA] = in_raw,        [FW_HTML_RAW] = in_raw,
        [FW_HTML_JSON] = in_raw,          [FW_HTML_MARKUP] = in_markup,
        [FW_HTML_DOCTYPE] = in_doctype,   [FW_HTML_COMMENT] = in_comment};

    return step[h->state](h, c);
}

/* ---- what may stand here ---- */

static bool is_raw(fw_html_e state)
{
    return state == FW_HTML_RCDATA || state == FW_HTML_RAW || state == FW_HTML_JSON;
}

const char *fw_html_pause(fw_html *h)
{
    const char *why = h->state == FW_HTML_ATTR_NAME ? end_attr_name(h) : NULL;

    if (h->state == FW_HTML_TAG_NAME || h->state == FW_HTML_ATTR_NAME)
        h->state = FW_HTML_TAG_GAP;
    if (is_raw(h->state) && h->matched)
        return "it stands within an end tag";
    return why;
}

static const char *place(const fw_html *h)
{
    static const char *const places[] = {
        [FW_HTML_TAG_OPEN] = "in a tag's name",
        [FW_HTML_TAG_NAME] = "in a tag's name",
        [FW_HTML_END_OPEN] = "in a tag's name",
        [FW_HTML_END_NAME] = "in a tag's name",
        [FW_HTML_END_SPACE] = "in an end tag",
        [FW_HTML_IN_TAG] = "among a tag's attributes",
        [FW_HTML_TAG_GAP] = "in the name of a tag or attribute",
        [FW_HTML_SLASH] = "before the > of a tag",
        [FW_HTML_ATTR_NAME] = "in an attribute's name",
        [FW_HTML_ATTR_EQ] = "in an attribute without quotes",
        [FW_HTML_DOUBLE] = "in this attribute",
        [FW_HTML_SINGLE] = "in an attribute with single quotes",
        [FW_HTML_BARE] = "in an attribute without quotes",
        [FW_HTML_RAW] = "in a script, style or iframe",
        [FW_HTML_JSON] = "in JSON",
        [FW_HTML_MARKUP] = "in <!",
        [FW_HTML_DOCTYPE] = "in a DOCTYPE",
        [FW_HTML_COMMENT] = "in a comment",
    };

    return h->state < sizeof(places) / sizeof(places[0]) ? places[h->state] : NULL;
}

const char *fw_html_value(fw_html *h, fw_escape_e *escape)
{
    kind k;

    *escape = FW_ESCAPE_HTML;
    if (h->state != FW_HTML_DOUBLE)
        return place(h);
    k = attr_kind(h);
    if (k == URL || k == OWN_URL)
        return url_value(h, escape);
    if (k == NO_VALUE)
        return place(h);
    if (strcmp(h->tag, "meta") == 0 && strcmp(h->attr, "content") == 0) {
        h->content = true;
        return end_attr_name(h);
    }
    return NULL;
}

const char *fw_html_message(const fw_html *h)
{
    return h->state == FW_HTML_DOUBLE && attr_kind(h) == PLAIN ? NULL : place(h);
}

const char *fw_html_section(const fw_html *h)
{
    if (h->state == FW_HTML_IN_TAG || h->state == FW_HTML_TAG_GAP)
        return NULL;
    return fw_html_message(h);
}

const char *fw_html_json(const fw_html *h)
{
    return h->state == FW_HTML_JSON ? NULL : "outside <script type=\"application/json\">";
}

const char *fw_html_end(const fw_html *h)
{
    if (h->state == FW_HTML_RCDATA)
        return "in a textarea or title";
    return h->foreign ? "in svg or math" : place(h);
}

bool fw_html_same(const fw_html *a, const fw_html *b)
{
    if (a->state != b->state || a->foreign != b->foreign)
        return false;
    if (a->state == FW_HTML_TEXT)
        return true;
    return a->tags == b->tags && (a->state != FW_HTML_DOUBLE || a->attrs == b->attrs);
}
