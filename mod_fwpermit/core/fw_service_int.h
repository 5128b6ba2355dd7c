#ifndef FW_SERVICE_INT_H
#define FW_SERVICE_INT_H

#include "fw_service.h"

#include <libxml/relaxng.h>
#include <libxml/tree.h>

/* Private to fw_service*.c. */

struct fw_services {
    apr_array_header_t *list; /* const fw_service * */
    xmlRelaxNGPtr schema;
};

typedef struct fw_xml_complaint {
    int line;
    char text[256];
} fw_xml_complaint;

/* A file while it is read. */
typedef struct fw_reading {
    fw_service *s;
    const char *name; /* of the file, for messages */
    apr_pool_t *pool;
    apr_array_header_t *sections, *fields, *rules, *rows;
} fw_reading;

/* "file:line: what \"value\"". */
const fw_err *fw_service_fault(const fw_reading *r, xmlNodePtr node, const char *what,
                               const char *value);
/* Among the fields read so far; NULL for NULL. */
const fw_field *fw_service_read_field(const fw_reading *r, const char *name);
bool fw_service_find_name(const char *const *names, int n, const char *name, int *out);

/* What the schema cannot say: references, and attributes that do not go together. */
const fw_err *fw_service_check_field(const fw_reading *r, xmlNodePtr node, const fw_field *f);
const fw_err *fw_service_check_condition(const fw_reading *r, xmlNodePtr node,
                                         const fw_condition *c);
const fw_err *fw_service_check_rule(const fw_reading *r, xmlNodePtr node,
                                    const fw_cross_rule *rule);
const fw_err *fw_service_check_row(const fw_reading *r, xmlNodePtr node, const fw_doc_row *row);

/* Builds a service from a document that the schema allows, and checks what the schema cannot. xml and hash are not
 * filled. */
const fw_err *fw_service_read(xmlDocPtr doc, const fw_service **out, const char *name,
                              apr_pool_t *pool);

#endif
