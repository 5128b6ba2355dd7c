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

/* Builds a service from a document that the schema allows; what the schema cannot say (references, closed sets that
 * depend on each other) is checked here. xml and hash are not filled. */
const fw_err *fw_service_read(xmlDocPtr doc, const fw_service **out, const char *name,
                              apr_pool_t *pool);
const char *fw_service_hash(const char *xml, apr_size_t n, apr_pool_t *pool);

#endif
