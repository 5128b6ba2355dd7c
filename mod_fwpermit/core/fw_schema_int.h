#ifndef FW_SCHEMA_INT_H
#define FW_SCHEMA_INT_H

#include "fw_schema.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* Private to fw_schema*.c. */

/* Bits of fw_node.types. */
enum {
    FW_T_NULL = 1,
    FW_T_BOOLEAN = 2,
    FW_T_INTEGER = 4,
    FW_T_NUMBER = 8,
    FW_T_STRING = 16,
    FW_T_ARRAY = 32,
    FW_T_OBJECT = 64
};

typedef struct fw_node fw_node;

typedef struct fw_node_list {
    fw_node **at;
    size_t n;
} fw_node_list;

/* A rule with two ends, each there or not. */
typedef struct fw_range {
    bool has_least, has_most;
    json_int_t least, most;
} fw_range;

struct fw_node {
    bool never;      /* the schema `false` */
    bool seen, done; /* while circles are looked for */
    unsigned types;  /* 0: any */
    fw_node *ref;
    const json_t *one_of_values, *value; /* enum, const; NULL: none */
    const json_t *required;              /* an array of texts, or NULL */
    const json_t *names;                 /* of `properties`, in its order; NULL: none */
    fw_node **properties;                /* as many */
    fw_node *others;                     /* additionalProperties; NULL: anything */
    fw_node_list first;                  /* prefixItems */
    fw_node *items;
    fw_range n_items, length, number;
    bool unique;
    pcre2_code *pattern;
    fw_node_list any, one, all;
    fw_node *condition, *then, *otherwise;
};

struct fw_schema {
    const char *path;
    apr_pool_t *pool;
    json_t *doc;
    const json_t *defs;
    fw_node **nodes; /* of defs, in its order */
    size_t n_nodes;  /* all there are */
};

/* The schema of that name in $defs, or NULL. */
fw_node *fw_schema_find(const fw_schema *s, const char *name);

#endif
