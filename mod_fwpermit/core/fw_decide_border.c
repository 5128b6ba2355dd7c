#include "fw_config.h"
#include "fw_decide_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_date.h"

/* The border hears of each permit when it comes into force and when it ends; of a card not before somebody holds it. */

static bool is(const fw_permit *p, const char *state)
{
    return strcmp(p->state, state) == 0;
}

static const char *standing(const fw_deciding *d, const fw_permit *p)
{
    const char *today = fw_date_text(fw_date_of(d->now), d->pool);

    return is(p, "valid") && strcmp(p->valid_to, today) < 0 ? "expired" : p->state;
}

/* The version is the one that the permit has once it is written. */
void fw_decide_tell_border(fw_deciding *d, fw_permit *p, const fw_permit *by)
{
    p->told = d->view->tells_border ? standing(d, p) : NULL;
    if (!p->told)
        return;
    fw_decide_send(d, "border", "border.permit", p->case_id, fw_decide_id(d),
                   apr_psprintf(d->pool,
                                "{\"permit\":\"%" APR_INT64_T_FMT
                                "\",\"version\":%d,\"state\":\"%s\"%s%s%s}",
                                p->id, p->version + 1, p->told, by ? ",\"replaced_by\":\"" : "",
                                by ? by->permit_no : "", by ? "\"" : ""),
                   true);
}

void fw_decide_border(fw_deciding *d)
{
    fw_permit *p = d->view->permit;

    if (!d->view->tells_border || is(p, "waiting") ||
        (p->told && strcmp(p->told, standing(d, p)) == 0)) {
        fw_decide_refuse(d, FW_E_CONFLICT, NULL, "permit.nothing_to_tell");
        return;
    }
    fw_decide_tell_border(d, p, NULL);
    d->out->changed |= FW_CH_PERMIT;
}
