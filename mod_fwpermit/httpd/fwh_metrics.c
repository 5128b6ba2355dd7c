#include "fw_config.h"
#include "fwh.h"

#include <errno.h>
#include <sys/stat.h>

#include <apr_strings.h>

#define OLD       apr_time_from_sec(60) /* a page that nobody renews any more is none */
#define MOST_AGED "the monitor's page is old"

/* What the plugin of port monitor made of the last report, as the pump left it. */
const fw_err *fwh_do_metrics(fwh_req *q)
{
    const char *path = apr_pstrcat(q->pool, q->desk->run_dir, "/metrics.json", NULL);
    const char *type, *text;
    const fw_err *err;
    struct stat st;
    json_t *page;

    if (stat(path, &st) != 0)
        return fwh_problem(q, HTTP_NOT_FOUND, "problem.not_found", fw_null());
    if (apr_time_now() - apr_time_from_sec(st.st_mtime) > OLD)
        return FW_ERR(q->pool, FW_E_UNAVAILABLE, 0, MOST_AGED);
    page = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    type = json_string_value(json_object_get(page, "type"));
    text = json_string_value(json_object_get(page, "text"));
    if (type && text)
        err = fwh_bytes(q, apr_pstrdup(q->pool, type), apr_pstrdup(q->pool, text),
                        json_string_length(json_object_get(page, "text")));
    else
        err = FW_ERR(q->pool, FW_E_CORRUPT, 0, "%s is no page", path);
    json_decref(page);
    return err;
}
