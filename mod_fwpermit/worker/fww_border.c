#include "fw_config.h"
#include "fww_pump_int.h"

#include <string.h>

#include "fw_date.h"
#include "fw_json.h"
#include "fw_store_card.h"
#include "fw_store_case.h"
#include "fw_store_payment.h"
#include "fwpermit_plugin.h"

/* What the border is told of a permit: which state and version, the outbox says; the rest is read when it is told. */

static bool is(const char *state, const char *other)
{
    return strcmp(state, other) == 0;
}

/* A card came into force in the hand, not at the station. */
static const fw_err *began(fww_turn *t, const fw_permit *p, apr_time_t *out)
{
    fw_job *job = NULL;

    FW_TRY(fw_job_of_case(t->db, p->case_id, &job, t->pool));
    *out = job && job->collected ? job->collected : p->issued;
    return NULL;
}

static const fw_err *since(fww_turn *t, const fw_permit *p, const char *state, apr_time_t *out)
{
    fw_date last;

    if (is(state, "valid"))
        return began(t, p, out);
    *out = p->ended;
    if (is(state, "expired") && fw_date_parse(p->valid_to, &last))
        *out = fw_date_start(fw_date_from_days(fw_date_days(last) + 1));
    return NULL;
}

static const fw_err *make_request(fww_turn *t, const fw_delivery *d, const fw_permit *p,
                                  json_t **out)
{
    const json_t *told = fw_json_parse(d->payload, t->pool);
    const char *state = json_string_value(json_object_get(told, "state"));
    fw_case *kase = NULL;
    json_t *person = NULL;
    apr_time_t at = 0;

    if (!state)
        return FW_ERR(t->pool, FW_E_INPUT, 0, "what is told lacks its state");
    FW_TRY(since(t, p, state, &at));
    FW_TRY(fw_case_load(t->db, p->case_id, &kase, t->pool));
    FW_TRY(fww_person_of(t, kase, &person));
    *out = json_pack("{s:s, s:O, s:s, s:s, s:s, s:s, s:s, s:O*, s:o}", "permit_no", p->permit_no,
                     "version", json_object_get(told, "version"), "state", state, "since",
                     fw_time_iso(at, t->pool), "kind", is(p->kind, "card") ? "card" : "epermit",
                     "valid_from", p->valid_from, "valid_to", p->valid_to, "replaced_by",
                     json_object_get(told, "replaced_by"), "person", person);
    return *out ? NULL : FW_ERR(t->pool, FW_E_INPUT, 0, "what is told lacks its version");
}

const fw_err *fww_border_permit(fww_turn *t, const fw_delivery *d, fww_end *end)
{
    fww_ask ask = {
        .op = d->op, .key = d->key, .attempt = d->attempt, .deadline_ms = fww_deadline_ms(d->op)};
    fww_answer answer;
    fw_permit *p = NULL;

    FW_TRY(fw_permit_load(t->db, fww_payload_id(t, d, "permit"), &p, t->pool));
    FW_TRY(make_request(t, d, p, &ask.request));
    fww_port_ask(t, t->pump->desk->border_plugin, &ask, &answer);
    fww_port_end(&answer, end);
    return NULL;
}
