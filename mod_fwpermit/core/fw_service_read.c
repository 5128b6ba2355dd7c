#include "fw_config.h"
#include "fw_service_int.h"

#include <string.h>

#include <apr_strings.h>
#include <openssl/evp.h>

#define TEXT_MAX     200
#define FILE_BYTES   5242880
#define MONTHS       12 /* of a year */
#define ACCEPT_SCAN  "image/jpeg image/png application/pdf"
#define ACCEPT_PHOTO "image/jpeg image/png image/bmp image/heic image/heif"

static const char *attr(fw_reading *r, xmlNodePtr node, const char *name)
{
    xmlChar *v = xmlGetNoNsProp(node, (const xmlChar *)name);
    const char *copy = v ? apr_pstrdup(r->pool, (const char *)v) : NULL;

    xmlFree(v);
    return copy;
}

static int attr_int(fw_reading *r, xmlNodePtr node, const char *name, int otherwise)
{
    const char *v = attr(r, node, name);

    return v ? (int)apr_strtoi64(v, NULL, 10) : otherwise;
}

static bool is(xmlNodePtr node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

static xmlNodePtr child(xmlNodePtr node, const char *name)
{
    for (xmlNodePtr c = node->children; c; c = c->next) {
        if (is(c, name))
            return c;
    }
    return NULL;
}

static const char *text_of(fw_reading *r, xmlNodePtr node)
{
    xmlChar *v = xmlNodeGetContent(node);
    const char *copy = v ? apr_pstrdup(r->pool, (const char *)v) : NULL;

    xmlFree(v);
    return copy;
}

/* <label><zh>…</zh><en>…</en></label> */
static fw_label read_label(fw_reading *r, xmlNodePtr node, const char *name)
{
    fw_label label = {NULL, NULL};
    xmlNodePtr at = name ? child(node, name) : node;

    if (!at)
        return label;
    if (child(at, "zh"))
        label.zh = text_of(r, child(at, "zh"));
    if (child(at, "en"))
        label.en = text_of(r, child(at, "en"));
    return label;
}

const fw_err *fw_service_fault(const fw_reading *r, xmlNodePtr node, const char *what,
                               const char *value)
{
    return FW_ERR(r->pool, FW_E_CONFIG, 0, "%s:%ld: %s \"%s\"", r->name, xmlGetLineNo(node), what,
                  value ? value : "");
}

bool fw_service_find_name(const char *const *names, int n, const char *name, int *out)
{
    for (int i = 0; i < n; i++) {
        if (name && strcmp(names[i], name) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

static const char *const type_names[] = {
#define X(id, name) name,
    FW_FIELD_TYPES(X)
#undef X
};
static const char *const op_names[] = {
#define X(id, name) name,
    FW_OPS(X)
#undef X
};

const fw_field *fw_service_read_field(const fw_reading *r, const char *name)
{
    for (int i = 0; name && i < r->fields->nelts; i++) {
        const fw_field *f = &APR_ARRAY_IDX(r->fields, i, fw_field);

        if (strcmp(f->name, name) == 0)
            return f;
    }
    return NULL;
}

static const fw_err *read_choices(fw_reading *r, xmlNodePtr node, fw_field *f)
{
    apr_array_header_t *list = apr_array_make(r->pool, 4, sizeof(fw_choice));

    for (xmlNodePtr c = node->children; c; c = c->next) {
        if (is(c, "choice")) {
            fw_choice *choice = apr_array_push(list);

            choice->value = attr(r, c, "value");
            choice->label = read_label(r, c, NULL);
            for (int i = 0; i < list->nelts - 1; i++) {
                if (strcmp(APR_ARRAY_IDX(list, i, fw_choice).value, choice->value) == 0)
                    return fw_service_fault(r, c, "a choice twice:", choice->value);
            }
        }
    }
    if ((f->type == FW_FIELD_CHOICE) != (list->nelts > 0))
        return fw_service_fault(
            r, node,
            list->nelts ? "choices of another type:" : "a choice without choices:", f->name);
    f->choices = (const fw_choice *)list->elts;
    f->n_choices = list->nelts;
    return NULL;
}

static const fw_err *read_conditions(fw_reading *r, xmlNodePtr node, fw_field *f)
{
    apr_array_header_t *list = apr_array_make(r->pool, 2, sizeof(fw_condition));

    for (xmlNodePtr c = node->children; c; c = c->next) {
        fw_condition *cond;
        int op = 0;

        if (!is(c, "when"))
            continue;
        cond = apr_array_push(list);
        cond->field = attr(r, c, "field");
        cond->value = attr(r, c, "value");
        if (!fw_service_find_name(op_names, FW_OPS_N, attr(r, c, "op"), &op) || op > FW_OP_ABSENT)
            return fw_service_fault(r, c, "not an operator of a condition:", attr(r, c, "op"));
        cond->op = (fw_op_e)op;
        FW_TRY(fw_service_check_condition(r, c, cond));
    }
    f->conditions = (const fw_condition *)list->elts;
    f->n_conditions = list->nelts;
    return NULL;
}

static void read_file_limits(fw_reading *r, xmlNodePtr node, fw_field *f)
{
    if (!fw_field_is_file(f))
        return;
    f->accept = attr(r, node, "accept");
    if (!f->accept)
        f->accept = f->type == FW_FIELD_PHOTO ? ACCEPT_PHOTO : ACCEPT_SCAN;
    f->max_bytes = attr_int(r, node, "max-bytes", FILE_BYTES);
    f->max_files = f->type == FW_FIELD_PHOTO ? 1 : attr_int(r, node, "max-files", 1);
    f->fresh_months = attr_int(r, node, "fresh-months", 0);
    f->same = attr(r, node, "same");
}

/* Limits that the type does not have. */
static const fw_err *check_limits(fw_reading *r, xmlNodePtr node, const fw_field *f)
{
    static const char *const of_files[] = {"accept", "max-bytes", "max-files", "fresh-months",
                                           "same"};
    bool has_length = f->type == FW_FIELD_TEXT || f->type == FW_FIELD_NAME_LATIN ||
                      f->type == FW_FIELD_ADDRESS || f->type == FW_FIELD_NUMBER;

    for (size_t i = 0; i < sizeof(of_files) / sizeof(of_files[0]); i++) {
        if (!fw_field_is_file(f) && attr(r, node, of_files[i]))
            return fw_service_fault(r, node, "not an attribute of this type:", of_files[i]);
    }
    if (!has_length && attr(r, node, "max"))
        return fw_service_fault(r, node, "not an attribute of this type:", "max");
    if (f->type != FW_FIELD_NUMBER && attr(r, node, "min"))
        return fw_service_fault(r, node, "not an attribute of this type:", "min");
    return NULL;
}

static const fw_err *read_field(fw_reading *r, xmlNodePtr node)
{
    fw_field f = {.name = attr(r, node, "name")};
    int type = 0;

    if (fw_service_read_field(r, f.name))
        return fw_service_fault(r, node, "a field twice:", f.name);
    if (!fw_service_find_name(type_names, FW_FIELDS, attr(r, node, "type"), &type))
        return fw_service_fault(r, node, "not a field's type:", attr(r, node, "type"));
    f.type = (fw_field_e)type;
    f.required = attr(r, node, "required") && strcmp(attr(r, node, "required"), "yes") == 0;
    f.label = read_label(r, node, "label");
    f.hint = read_label(r, node, "hint");
    f.max = attr_int(r, node, "max", f.type == FW_FIELD_NUMBER ? INT32_MAX : TEXT_MAX);
    f.min = attr_int(r, node, "min", 0);
    f.index = attr(r, node, "index");
    f.from = attr(r, node, "from");
    f.beside = attr(r, node, "beside");
    FW_TRY(check_limits(r, node, &f));
    read_file_limits(r, node, &f);
    FW_TRY(fw_service_check_field(r, node, &f));
    FW_TRY(read_choices(r, node, &f));
    FW_TRY(read_conditions(r, node, &f));
    APR_ARRAY_PUSH(r->fields, fw_field) = f;
    return NULL;
}

static const fw_err *read_section(fw_reading *r, xmlNodePtr node)
{
    fw_section s = {.name = attr(r, node, "name"), .first = r->fields->nelts};

    for (int i = 0; i < r->sections->nelts; i++) {
        /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): the schema lets no section be without a name */
        if (strcmp(APR_ARRAY_IDX(r->sections, i, fw_section).name, s.name) == 0)
            return fw_service_fault(r, node, "a section twice:", s.name);
    }
    s.title = read_label(r, node, "title");
    s.hint = read_label(r, node, "hint");
    for (xmlNodePtr c = node->children; c; c = c->next) {
        if (is(c, "field"))
            FW_TRY(read_field(r, c));
    }
    s.n = r->fields->nelts - s.first;
    APR_ARRAY_PUSH(r->sections, fw_section) = s;
    return NULL;
}

static const fw_err *read_rule(fw_reading *r, xmlNodePtr node)
{
    fw_cross_rule rule = {.field = attr(r, node, "field"), .other = attr(r, node, "other")};
    int op = 0;

    if (!fw_service_find_name(op_names, FW_OPS_N, attr(r, node, "op"), &op))
        return fw_service_fault(r, node, "not an operator:", attr(r, node, "op"));
    rule.op = (fw_op_e)op;
    rule.value = attr(r, node, "value");
    rule.days = attr_int(r, node, "days", 0);
    rule.months = attr_int(r, node, "months", 0);
    rule.years = attr_int(r, node, "years", 0);
    rule.message = read_label(r, node, NULL);
    FW_TRY(fw_service_check_rule(r, node, &rule));
    APR_ARRAY_PUSH(r->rules, fw_cross_rule) = rule;
    return NULL;
}

static const fw_err *read_document(fw_reading *r, xmlNodePtr node)
{
    r->s->doc_title = read_label(r, node, "title");
    for (xmlNodePtr c = node->children; c; c = c->next) {
        fw_doc_row row = {NULL, {NULL, NULL}, false, false};

        if (!is(c, "row"))
            continue;
        row.field = attr(r, c, "field");
        row.label = read_label(r, c, NULL);
        row.wide = attr(r, c, "wide") != NULL;
        row.big = attr(r, c, "big") != NULL;
        FW_TRY(fw_service_check_row(r, c, &row));
        APR_ARRAY_PUSH(r->rows, fw_doc_row) = row;
    }
    return NULL;
}

static const fw_err *read_terms(fw_reading *r, xmlNodePtr root)
{
    fw_service *s = r->s;
    xmlNodePtr fee = child(root, "fee"), clock = child(root, "clock"),
               validity = child(root, "validity");
    const char *per = fee ? attr(r, fee, "per") : NULL;
    const fw_field *until;
    int years;

    if (!fee) /* a record of people, not an application */
        return NULL;
    s->fee = attr_int(r, fee, "amount", 0);
    s->fee_per_year = per && strcmp(per, "year") == 0;
    s->clock_hours = attr_int(r, clock, "hours", 48);
    s->until_field = attr(r, validity, "until");
    years = attr_int(r, validity, "max-years", 0);
    s->max_months = attr_int(r, validity, "max-months", MONTHS * years);
    if (!s->max_months || (years && s->max_months != MONTHS * years))
        return fw_service_fault(r, validity, "validity is by max-years or by max-months, not",
                                "both or none");
    until = fw_service_read_field(r, s->until_field);
    if (s->until_field && (!until || until->type != FW_FIELD_DATE))
        return fw_service_fault(r, validity, "validity wants a field of type date, not",
                                s->until_field);
    return NULL;
}

static const fw_err *read_parts(fw_reading *r, xmlNodePtr root)
{
    for (xmlNodePtr c = root->children; c; c = c->next) {
        if (is(c, "section"))
            FW_TRY(read_section(r, c));
        if (is(c, "rule"))
            FW_TRY(read_rule(r, c));
        if (is(c, "document"))
            FW_TRY(read_document(r, c));
    }
    return read_terms(r, root);
}

const fw_err *fw_service_read(xmlDocPtr doc, const fw_service **out, const char *name,
                              apr_pool_t *pool)
{
    fw_reading r = {.name = name, .pool = pool, .s = apr_pcalloc(pool, sizeof(fw_service))};
    xmlNodePtr root = xmlDocGetRootElement(doc);

    r.sections = apr_array_make(pool, 8, sizeof(fw_section));
    r.fields = apr_array_make(pool, 32, sizeof(fw_field));
    r.rules = apr_array_make(pool, 8, sizeof(fw_cross_rule));
    r.rows = apr_array_make(pool, 16, sizeof(fw_doc_row));
    r.s->code = attr(&r, root, "code");
    r.s->kind = attr(&r, root, "kind");
    r.s->duty = attr(&r, root, "duty") != NULL;
    r.s->needs = attr(&r, root, "needs");
    r.s->when_here = attr(&r, root, "when") != NULL;
    r.s->prefix = attr(&r, root, "prefix");
    r.s->title = read_label(&r, root, "title");
    r.s->summary = read_label(&r, root, "summary");
    FW_TRY(read_parts(&r, root));
    r.s->sections = (const fw_section *)r.sections->elts;
    r.s->n_sections = r.sections->nelts;
    r.s->fields = (const fw_field *)r.fields->elts;
    r.s->n_fields = r.fields->nelts;
    r.s->rules = (const fw_cross_rule *)r.rules->elts;
    r.s->n_rules = r.rules->nelts;
    r.s->doc_rows = (const fw_doc_row *)r.rows->elts;
    r.s->n_doc_rows = r.rows->nelts;
    *out = r.s;
    return NULL;
}
