#include "kit_agency.h"

#include <stdlib.h>

static kit_agency *agency_of(fwp_instance *self)
{
    return (kit_agency *)(void *)self; /* its first member */
}

/* ---- settings and life ---- */

void kit_agency_destroy(fwp_instance *self)
{
    kit_agency *a = agency_of(self);

    kit_xroad_close(&a->xroad);
    kit_settings_forget(a->kind->options, a->kind->n_options, self);
    free(self);
}

fwp_rc kit_agency_create(const kit_agency_kind *kind, const fwp_host *host, const fwp_kv *config,
                         size_t n, fwp_call *call, fwp_instance **self, fwp_reply *reply)
{
    fwp_instance *i = calloc(1, kind->instance);
    const char *why;

    if (!i)
        return kit_refuse(reply, FWP_TEMPFAIL, "no memory");
    why = kit_settings_read(kind->options, kind->n_options, host, call, config, n, i);
    if (why) {
        free(i);
        return kit_refuse(reply, FWP_MISCONFIGURED, why);
    }
    if (!kit_settings_keep(kind->options, kind->n_options, i)) {
        free(i);
        return kit_refuse(reply, FWP_TEMPFAIL, "no memory");
    }
    agency_of(i)->kind = kind;
    why = kit_xroad_open(&agency_of(i)->xroad, host, call, &agency_of(i)->s, &kind->dialect);
    if (why) {
        kit_agency_destroy(i);
        return kit_refuse(reply, FWP_MISCONFIGURED, why);
    }
    *self = i;
    return FWP_OK;
}

fwp_rc kit_agency_check(const kit_agency_kind *kind, const fwp_host *host, const fwp_kv *config,
                        size_t n, fwp_call *call, fwp_reply *reply)
{
    fwp_instance *trial = NULL;
    fwp_rc rc = kit_agency_create(kind, host, config, n, call, &trial, reply);

    if (rc == FWP_OK)
        kit_agency_destroy(trial);
    return rc;
}

/* ---- messages ---- */

fwp_rc kit_agency_poll(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    kit_agency *a = agency_of(self);
    json_t *r = kit_request(request), *answer;
    kit_xroad_ask ask = {.service = a->kind->poll, .body = r};
    json_int_t max = json_integer_value(json_object_get(r, "max"));
    fwp_rc rc = kit_xroad_ask_for(&a->xroad, call, &ask, &answer, reply);

    json_decref(r);
    if (rc != FWP_OK)
        return rc;
    if ((json_int_t)json_array_size(json_object_get(answer, "messages")) <= max)
        return kit_answer(a->xroad.host, call, answer, reply);
    json_decref(answer);
    return kit_refuse(reply, FWP_TEMPFAIL, "the answer: more messages than were asked for");
}

/* Twice is no error at the agency, so a lost answer may be asked for again: it only reads, so to speak. */
fwp_rc kit_agency_ack(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    kit_agency *a = agency_of(self);
    json_t *r = kit_request(request), *answer;
    kit_xroad_ask ask = {.service = a->kind->ack, .body = r};
    fwp_rc rc = kit_xroad_ask_for(&a->xroad, call, &ask, &answer, reply);

    json_decref(r);
    return rc == FWP_OK ? kit_answer(a->xroad.host, call, answer, reply) : rc;
}

static json_t *facts_of(const kit_agency_kind *kind, const json_t *list)
{
    json_t *facts = json_array(), *item;
    size_t i;

    json_array_foreach(list, i, item)
        json_array_append_new(facts, json_pack("{s:s, s:O}", "fact", kind->fact, kind->fact, item));
    return json_pack("{s:o}", "facts", facts);
}

fwp_rc kit_agency_message(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    kit_agency *a = agency_of(self);
    json_t *r = kit_request(request), *said;
    fwp_rc rc = kit_xroad_message(&a->xroad, call, r, a->kind->message, &said, reply);
    const json_t *list = json_object_get(said, a->kind->list);
    const char *why = a->kind->judge(self, call, list);

    if (rc == FWP_OK && why)
        rc = kit_refuse(reply, FWP_REJECTED, kit_say(a->xroad.host, call, "the message: %s", why));
    else if (rc == FWP_OK)
        rc = kit_answer(a->xroad.host, call, facts_of(a->kind, list), reply);
    json_decref(said);
    json_decref(r);
    return rc;
}

fwp_rc kit_agency_answer(const kit_agency *a, fwp_call *call, json_t *answer, const char *why,
                         fwp_reply *reply)
{
    if (!why)
        return kit_answer(a->xroad.host, call, answer, reply);
    json_decref(answer);
    return kit_refuse(reply, FWP_PERMFAIL, kit_say(a->xroad.host, call, "the answer: %s", why));
}

/* ---- is it there? ---- */

fwp_rc kit_agency_health(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    static const char one[] = "{\"max\":1}";
    fwp_rc rc = kit_agency_poll(self, call, (fwp_str){one, sizeof(one) - 1}, reply);

    (void)request;
    reply->body = (fwp_str){NULL, 0};
    return rc;
}

fwp_rc kit_agency_probe(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    kit_agency *a = agency_of(self);
    json_t *one = json_pack("{s:i}", "max", 1);
    kit_xroad_ask ask = {.service = a->kind->poll, .body = one};
    fwp_rc rc = kit_xroad_probe(&a->xroad, call, &ask, reply);

    (void)request;
    json_decref(one);
    return rc;
}
