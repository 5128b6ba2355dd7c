#include "fw_config.h"
#include "fw_service_int.h"

#include <string.h>

#include <apr_strings.h>

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static bool is_among(const char *const *names, int n, const char *name)
{
    int i;

    return fw_service_find_name(names, n, name, &i);
}

/* ---- fields ---- */

/* The case's columns, and the type of field that may fill each. */
static const struct {
    const char *column;
    fw_field_e type;
} columns[] = {
    {"passport_no", FW_FIELD_PASSPORT_NO},
    {"nationality", FW_FIELD_COUNTRY},
    {"name_latin", FW_FIELD_NAME_LATIN},
    {"name_native", FW_FIELD_TEXT},
    {"birth", FW_FIELD_DATE},
    {"permit_letter", FW_FIELD_PERMIT_LETTER},
    {"county", FW_FIELD_ADDRESS},
};

static const fw_err *check_index(const fw_reading *r, xmlNodePtr node, const fw_field *f)
{
    int at = 0;

    while (at < COUNT(columns) && strcmp(columns[at].column, f->index) != 0)
        at++;
    if (at == COUNT(columns))
        return fw_service_fault(r, node, "not a column that can be indexed:", f->index);
    if (columns[at].type != f->type)
        return fw_service_fault(r, node, "a column for another type of field:", f->index);
    for (int i = 0; i < r->fields->nelts; i++) {
        const char *other = APR_ARRAY_IDX(r->fields, i, fw_field).index;

        if (other && strcmp(other, f->index) == 0)
            return fw_service_fault(r, node, "a column twice:", f->index);
    }
    return NULL;
}

/* What is taken over comes from one slot of the permit in force, and is good while fields before it say the same. */
static const fw_err *check_taken(const fw_reading *r, xmlNodePtr node, const fw_field *f)
{
    char *rest = f->same ? apr_pstrdup(r->pool, f->same) : NULL, *last = NULL;

    if (f->from && (strncmp(f->from, "permit.", 7) != 0 || strpbrk(f->from + 7, ". ")))
        return fw_service_fault(r, node, "files are taken over from permit.SLOT, not", f->from);
    if (!f->from && (f->same || f->fresh_months))
        return fw_service_fault(r, node, "nothing is taken over:", f->name);
    for (char *name = rest ? apr_strtok(rest, " ", &last) : NULL; name;
         name = apr_strtok(NULL, " ", &last)) {
        const fw_field *other = fw_service_read_field(r, name);

        if (!other || fw_field_is_file(other))
            return fw_service_fault(r, node, "no field with a value stands before:", name);
    }
    return NULL;
}

const fw_err *fw_service_check_field(const fw_reading *r, xmlNodePtr node, const fw_field *f)
{
    static const char *const reserved[] = {"today"};

    if (is_among(reserved, COUNT(reserved), f->name))
        return fw_service_fault(r, node, "a name that is reserved:", f->name);
    if (f->min > f->max || f->max < 1)
        return fw_service_fault(r, node,
                                "no value can be as short and as long as wanted:", f->name);
    if (fw_field_is_file(f))
        FW_TRY(check_taken(r, node, f));
    return f->index ? check_index(r, node, f) : NULL;
}

/* ---- conditions and rules ---- */

static bool is_choice(const fw_field *f, const char *value, size_t n)
{
    for (int i = 0; i < f->n_choices; i++) {
        if (strlen(f->choices[i].value) == n && strncmp(f->choices[i].value, value, n) == 0)
            return true;
    }
    return false;
}

/* What eq, ne and in compare with: there is something, and of a choice's field one that it has. */
static const fw_err *check_value(const fw_reading *r, xmlNodePtr node, const fw_field *f,
                                 fw_op_e op, const char *value)
{
    bool wanted = op <= FW_OP_IN;

    if (wanted != (value != NULL))
        return fw_service_fault(
            r, node, wanted ? "no value to compare with:" : "a value too many:", f->name);
    if (!value || f->type != FW_FIELD_CHOICE)
        return NULL;
    for (const char *p = value; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL) {
        size_t n = op == FW_OP_IN ? strcspn(p, "|") : strlen(p);

        if (!is_choice(f, p, n))
            return fw_service_fault(r, node, "not one of the field's choices:", value);
        if (op != FW_OP_IN)
            break;
    }
    return NULL;
}

const fw_err *fw_service_check_condition(const fw_reading *r, xmlNodePtr node,
                                         const fw_condition *c)
{
    const fw_field *f = fw_service_read_field(r, c->field);

    if (!f)
        return fw_service_fault(r, node,
                                "a condition on a field that does not stand before:", c->field);
    if (fw_field_is_file(f))
        return fw_service_fault(r, node, "a condition on a file:", c->field);
    return check_value(r, node, f, c->op, c->value);
}

static const fw_err *check_mrz_rule(const fw_reading *r, xmlNodePtr node, const fw_cross_rule *rule,
                                    const fw_field *o)
{
    static const char *const known[] = {"name_latin", "passport_no", "passport_expiry",
                                        "birth",      "nationality", "sex"};

    if (!o || o->type != FW_FIELD_MRZ)
        return fw_service_fault(r, node, "matches_mrz wants a field of type mrz, not", rule->other);
    if (!is_among(known, COUNT(known), rule->field))
        return fw_service_fault(r, node, "the machine-readable lines do not tell", rule->field);
    return NULL;
}

static bool between_dates(const fw_cross_rule *rule)
{
    return rule->op >= FW_OP_BEFORE && rule->op <= FW_OP_NOT_AFTER;
}

/* A rule with another side: the field `o`, or "today" of rules between dates. */
static const fw_err *check_other(const fw_reading *r, xmlNodePtr node, const fw_cross_rule *rule,
                                 const fw_field *f, const fw_field *o)
{
    bool today = rule->other && strcmp(rule->other, "today") == 0;
    bool dates = between_dates(rule);

    if (!rule->other)
        return fw_service_fault(r, node, "a rule without its other side:", rule->field);
    if (!o && !(today && dates))
        return fw_service_fault(r, node, "a rule against no field:", rule->other);
    if (dates && (f->type != FW_FIELD_DATE || (o && o->type != FW_FIELD_DATE)))
        return fw_service_fault(r, node, "a rule between dates on another type:", rule->field);
    if (o && fw_field_is_file(o))
        return fw_service_fault(r, node, "a rule on a file:", rule->other);
    if (rule->value)
        return fw_service_fault(r, node, "a value too many:", rule->value);
    return rule->op == FW_OP_MATCHES_MRZ ? check_mrz_rule(r, node, rule, o) : NULL;
}

const fw_err *fw_service_check_rule(const fw_reading *r, xmlNodePtr node, const fw_cross_rule *rule)
{
    const fw_field *f = fw_service_read_field(r, rule->field);
    const fw_field *o = fw_service_read_field(r, rule->other);

    if (!f)
        return fw_service_fault(r, node, "a rule on no field:", rule->field);
    if (fw_field_is_file(f))
        return fw_service_fault(r, node, "a rule on a file:", rule->field);
    if (!between_dates(rule) && (rule->days || rule->months || rule->years))
        return fw_service_fault(r, node,
                                "days, months or years where no dates are compared:", rule->field);
    if (rule->op > FW_OP_ABSENT)
        return check_other(r, node, rule, f, o);
    if (rule->other)
        return fw_service_fault(r, node, "an other side too many:", rule->other);
    return check_value(r, node, f, rule->op, rule->value);
}

/* ---- the document ---- */

const fw_err *fw_service_check_row(const fw_reading *r, xmlNodePtr node, const fw_doc_row *row)
{
    static const char *const own[] = {"permit_no", "valid_from", "valid_to", "issued",
                                      "employer",  "case_no",    "station"};
    const fw_field *f = fw_service_read_field(r, row->field);

    if (!f && !is_among(own, COUNT(own), row->field))
        return fw_service_fault(r, node, "a row of no field:", row->field);
    if (f && fw_field_is_file(f))
        return fw_service_fault(r, node, "a row of a file:", row->field);
    if (!f && !row->label.zh)
        return fw_service_fault(r, node, "a row that needs its own label:", row->field);
    for (int i = 0; i < r->rows->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(r->rows, i, fw_doc_row).field, row->field) == 0)
            return fw_service_fault(r, node, "a row twice:", row->field);
    }
    return NULL;
}
