#include "card.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define INSTANT_CHARS 20
#define AHEAD_S       600 /* how far the bureau's clock may be before ours */

/* What may follow what: each state with the ones that it may come after, each between spaces; "-" for the first one. */
static const struct {
    const char *state, *after;
} steps[] = {
    {"accepted", " - spoiled "}, {"made", " accepted "}, {"spoiled", " accepted made sent "},
    {"sent", " made "},          {"arrived", " sent "},  {"cancelled", " - accepted spoiled "},
};

/* ---- attributes ---- */

/* A new text, or NULL. */
static json_t *text_of(xmlNode *node, const char *name)
{
    xmlChar *v = xmlGetNoNsProp(node, (const xmlChar *)name);
    json_t *out = v ? json_string((const char *)v) : NULL;

    xmlFree(v);
    return out;
}

static long number_of(xmlNode *node, const char *name)
{
    xmlChar *v = xmlGetNoNsProp(node, (const xmlChar *)name);
    long out = v ? strtol((const char *)v, NULL, 10) : -1;

    xmlFree(v);
    return out;
}

static void copy_texts(json_t *o, xmlNode *node, const char *const *names)
{
    for (; *names; names++) {
        json_t *text = text_of(node, *names);

        if (text)
            json_object_set_new(o, *names, text);
    }
}

static void copy_numbers(json_t *o, xmlNode *node, const char *const *names)
{
    for (; *names; names++) {
        long number = number_of(node, *names);

        if (number >= 0)
            json_object_set_new(o, *names, json_integer(number));
    }
}

/* A schema lets spaces around an instant through, as XML has it; what is passed on has none. */
static bool is_bare(xmlNode *node)
{
    xmlChar *v = node ? xmlGetNoNsProp(node, (const xmlChar *)"at") : NULL;
    bool bare = !v || xmlStrlen(v) == INSTANT_CHARS;

    xmlFree(v);
    return bare;
}

/* The n digits at p. */
static int digits(const xmlChar *p, int n)
{
    int out = 0;

    while (n-- > 0)
        out = 10 * out + (*p++ - '0');
    return out;
}

/* Of an instant that the schema has let through: 2026-12-22T08:00:00Z. */
static int64_t seconds_of(xmlNode *node)
{
    xmlChar *v = xmlGetNoNsProp(node, (const xmlChar *)"at");
    struct tm t = {0};
    int64_t out = -1;

    if (v && xmlStrlen(v) == INSTANT_CHARS) {
        t.tm_year = digits(v, 4) - 1900;
        t.tm_mon = digits(v + 5, 2) - 1;
        t.tm_mday = digits(v + 8, 2);
        t.tm_hour = digits(v + 11, 2);
        t.tm_min = digits(v + 14, 2);
        t.tm_sec = digits(v + 17, 2);
        out = timegm(&t);
    }
    xmlFree(v);
    return out;
}

/* ---- a state ---- */

/* Whether `state` may come after `before`; "-": it is the first one. */
static bool may_follow(const char *before, const char *state)
{
    char wanted[24];

    snprintf(wanted, sizeof(wanted), " %.20s ", before);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (strcmp(steps[i].state, state) == 0)
            return strstr(steps[i].after, wanted) != NULL;
    }
    return false;
}

/* NULL, or what cannot be in a step and the one before it. */
static const char *order_fault(xmlNode *now, xmlNode *before)
{
    json_t *was = before ? text_of(before, "state") : json_string("-");
    json_t *is = text_of(now, "state");
    long had = before ? number_of(before, "spoiled") : 0;
    long has = number_of(now, "spoiled");
    bool spoils = strcmp(json_string_value(is), "spoiled") == 0;
    const char *why = NULL;

    if ((number_of(now, "seq") == 1) != (before == NULL))
        why = before ? "seq 1 with a step before it" : "no step before it, but a seq above 1";
    else if (!may_follow(json_string_value(was), json_string_value(is)))
        why = "state: it cannot come after the one before";
    else if (has < had)
        why = "spoiled: fewer than before";
    else if (spoils != (has > had))
        why = spoils ? "spoiled: not more than before" : "spoiled: more, and the state is another";
    else if (before && seconds_of(now) < seconds_of(before))
        why = "at: before the step before it";
    json_decref(was);
    json_decref(is);
    return why;
}

/* What the state must tell. */
static const char *content_fault(const json_t *job)
{
    const char *state = json_string_value(json_object_get(job, "state"));
    bool made = strcmp(state, "made") == 0 || strcmp(state, "sent") == 0;
    bool arrived = strcmp(state, "arrived") == 0;
    bool cancelled = strcmp(state, "cancelled") == 0;

    if ((made || arrived) && !json_object_get(job, "card_no"))
        return "card_no: missing";
    if (arrived && !json_object_get(job, "station"))
        return "station: missing";
    if ((cancelled || strcmp(state, "spoiled") == 0) && !json_object_get(job, "reason"))
        return "reason: missing";
    return NULL;
}

static json_t *state_said(xmlNode *root, const char **why)
{
    static const char *const texts[] = {"job_no",  "state",    "at",     "bureau_no", "card_no",
                                        "station", "tracking", "reason", NULL};
    static const char *const numbers[] = {"seq", "spoiled", NULL};
    json_t *job = json_object();

    copy_texts(job, root, texts);
    copy_numbers(job, root, numbers);
    *why = order_fault(root, xmlFirstElementChild(root));
    if (!*why)
        *why = content_fault(job);
    return json_pack("{s:o}", "job", job);
}

/* ---- an inventory ---- */

static json_t *stock_said(xmlNode *root, const char **why)
{
    static const char *const texts[] = {"store", NULL};
    static const char *const numbers[] = {"blanks",    "reserved", "spoiled",
                                          "delivered", "low_at",   NULL};
    json_t *shelves = json_array(), *at = text_of(root, "at");

    for (xmlNode *node = xmlFirstElementChild(root); node; node = xmlNextElementSibling(node)) {
        json_t *shelf = json_object();

        copy_texts(shelf, node, texts);
        json_object_set(shelf, "at", at);
        copy_numbers(shelf, node, numbers);
        json_array_append_new(shelves, shelf);
        if (number_of(node, "reserved") > number_of(node, "blanks"))
            *why = "reserved: more than there are blanks";
    }
    json_decref(at);
    return json_pack("{s:o}", "shelves", shelves);
}

/* ---- both ---- */

static json_t *said(const fwp_instance *self, fwp_call *call, xmlDoc *doc, kit_xml_fault *fault,
                    const char **why)
{
    xmlNode *root = xmlDocGetRootElement(doc);
    bool stock = kit_xml_is(root, CARD_NAMESPACE, "stock");
    json_t *out = NULL;

    if (!kit_xml_schema_holds(stock ? self->stock : self->state, doc, stock ? "stock" : "state",
                              fault))
        return NULL;
    *why = "at: spaces around it";
    if (!is_bare(root) || (!stock && !is_bare(xmlFirstElementChild(root))))
        return NULL;
    *why = NULL;
    out = stock ? stock_said(root, why) : state_said(root, why);
    if (!*why && seconds_of(root) > self->host->now(call) + AHEAD_S)
        *why = "at: not yet";
    if (*why) {
        json_decref(out);
        out = NULL;
    }
    return out;
}

json_t *card_said(const fwp_instance *self, fwp_call *call, fwp_str bytes, const char **why)
{
    kit_xml_fault *fault = self->host->alloc(call, sizeof(*fault));
    xmlDoc *doc = NULL;
    json_t *out = NULL;

    *why = "it is too long";
    if (bytes.n > CARD_MESSAGE_BYTES)
        return NULL;
    doc = kit_xml_read(bytes, fault);
    *why = fault->text;
    if (doc)
        out = said(self, call, doc, fault, why);
    xmlFreeDoc(doc);
    return out;
}
