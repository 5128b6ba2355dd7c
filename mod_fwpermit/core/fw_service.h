#ifndef FW_SERVICE_H
#define FW_SERVICE_H

#include "fw_err.h"

/* A service: one kind of application, as one XML file in conf/services tells it. From it come the form, the checks,
 * the fee, the clock and the document's layout. Read-only after loading, shared by threads. */

typedef struct fw_label {
    const char *zh;
    const char *en;
} fw_label;
/* The text in a language; the other one where it is missing. */
const char *fw_label_text(const fw_label *label, const char *lang);

#define FW_FIELD_TYPES(X)             \
    X(TEXT, "text")                   \
    X(NAME_LATIN, "name_latin")       \
    X(DATE, "date")                   \
    X(COUNTRY, "country")             \
    X(SEX, "sex")                     \
    X(PASSPORT_NO, "passport_no")     \
    X(MRZ, "mrz")                     \
    X(UI_NO, "ui_no")                 \
    X(NATIONAL_ID, "national_id")     \
    X(BAN, "ban")                     \
    X(PERMIT_LETTER, "permit_letter") \
    X(PHONE, "phone")                 \
    X(EMAIL, "email")                 \
    X(ADDRESS, "address")             \
    X(CHOICE, "choice")               \
    X(NUMBER, "number")               \
    X(CONFIRM, "confirm")             \
    X(FILE, "file")                   \
    X(PHOTO, "photo")
typedef enum fw_field_e {
#define X(id, name) FW_FIELD_##id,
    FW_FIELD_TYPES(X)
#undef X
        FW_FIELDS
} fw_field_e;
const char *fw_field_type_name(fw_field_e type);

/* The closed set of operators. */
#define FW_OPS(X)               \
    X(EQ, "eq")                 \
    X(NE, "ne")                 \
    X(IN, "in")                 \
    X(PRESENT, "present")       \
    X(ABSENT, "absent")         \
    X(BEFORE, "before")         \
    X(NOT_BEFORE, "not_before") \
    X(AFTER, "after")           \
    X(NOT_AFTER, "not_after")   \
    X(SAME, "same")             \
    X(DIFFERENT, "different")   \
    X(MATCHES_MRZ, "matches_mrz")
typedef enum fw_op_e {
#define X(id, name) FW_OP_##id,
    FW_OPS(X)
#undef X
        FW_OPS_N
} fw_op_e;

/* A condition under which a field is asked: all of a field's hold. */
typedef struct fw_condition {
    const char *field;
    fw_op_e op;
    const char *value; /* of in: several, with '|' between */
} fw_condition;

typedef struct fw_choice {
    const char *value;
    fw_label label;
} fw_choice;

typedef struct fw_field {
    const char *name;
    fw_field_e type;
    bool required;
    fw_label label;
    fw_label hint;
    int max; /* characters of text; number: the greatest */
    int min;
    const char *index; /* the case's column that it fills, or NULL */
    const char *
        from; /* what fills it at first: fields of the worker, or what others say ("labour.valid_to"); or NULL */
    const char *beside; /* what others say of it, for the reviewer; or NULL */
    const fw_choice *choices;
    int n_choices;
    const fw_condition *conditions;
    int n_conditions;
    const char *accept; /* files: "image/jpeg image/png application/pdf" */
    int64_t max_bytes;
    int max_files;
    int fresh_months; /* what is taken over was sent no longer ago; 0: however long */
    const char *same; /* and while these fields say the same, with spaces between; or NULL */
} fw_field;

/* A rule between fields: `field` op (`other`, or "today", or `value`) shifted by days, months and years. */
typedef struct fw_cross_rule {
    const char *field;
    fw_op_e op;
    const char *other;
    const char *value;
    int days, months, years;
    fw_label message;
} fw_cross_rule;

typedef struct fw_section {
    const char *name;
    fw_label title;
    fw_label hint;
    int first, n; /* in the service's fields */
} fw_section;

/* A line of the document's layout. */
typedef struct fw_doc_row {
    const char
        *field; /* of the form, or "permit_no", "valid_from", "valid_to", "issued", "employer" */
    fw_label label; /* empty: the field's own */
    bool wide, big;
} fw_doc_row;

typedef struct fw_service {
    const char *code;
    const char *hash; /* hex SHA-256 of the XML: the version */
    const char *xml;
    fw_label title;
    fw_label summary;
    const char *kind;   /* of the permit that comes of it */
    const char *prefix; /* of the permit's number */
    int64_t fee;
    bool fee_per_year;
    int clock_hours;         /* until it must be issued; days off stand still */
    const char *until_field; /* a date that the permit does not outlast, or NULL */
    int max_months;
    bool when_here;    /* offered first once the worker is here or may work; another one before */
    bool duty;         /* to file it in time is what an arrival obliges to */
    const char *needs; /* the port without whose plugin it is not offered, or NULL */
    const fw_section *sections;
    int n_sections;
    const fw_field *fields;
    int n_fields;
    const fw_cross_rule *rules;
    int n_rules;
    fw_label doc_title;
    const fw_doc_row *doc_rows;
    int n_doc_rows;
} fw_service;

typedef struct fw_services fw_services;

/* Loads every *.xml of `dir`, by name, checked by the RELAX NG schema `rng`. FW_E_CONFIG names file, line and reason. */
const fw_err *fw_services_load(fw_services **out, const char *dir, const char *rng,
                               apr_pool_t *pool);
const fw_service *fw_services_find(const fw_services *all, const char *code);
const fw_service *fw_services_by_hash(const fw_services *all, const char *hash);
int fw_services_count(const fw_services *all);
const fw_service *fw_services_at(const fw_services *all, int i);

/* One service from its XML text, for a version that a case keeps. `name` is for messages. */
const fw_err *fw_service_parse(const fw_services *all, const fw_service **out, const char *xml,
                               apr_size_t n, const char *name, apr_pool_t *pool);

const fw_field *fw_service_field(const fw_service *s, const char *name);
/* The first of that type, or NULL. */
const fw_field *fw_service_field_of(const fw_service *s, fw_field_e type);
static inline bool fw_field_is_file(const fw_field *f)
{
    return f->type == FW_FIELD_FILE || f->type == FW_FIELD_PHOTO;
}

#endif
