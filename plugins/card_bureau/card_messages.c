#include "card.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

/* Messages of the bureau: files NNNNNNNNNNNN.xml of its folder, whose names sort by age. */

#define NAME_DIGITS 12
#define NAME_BYTES  (NAME_DIGITS + 4)
#define POLL_MOST   100
#define POLL_BYTES  900000 /* of one answer's messages, in base64 */
#define GROWS_S     60 /* so long may a file that is no XML yet be one that is still being written */
#define BODY_MOST   699052 /* in base64, by the contract */

static bool is_message(const char *name)
{
    return strspn(name, "0123456789") == NAME_DIGITS && strcmp(name + NAME_DIGITS, ".xml") == 0;
}

/* ---- poll ---- */

/* The oldest names. */
typedef struct oldest {
    char names[POLL_MOST][NAME_BYTES + 1];
    size_t n, most, seen;
} oldest;

static void pick(void *baton, const char *name)
{
    oldest *o = baton;
    size_t at = o->n;

    o->seen++;
    if (!is_message(name) || o->most == 0)
        return;
    while (at > 0 && strcmp(o->names[at - 1], name) > 0)
        at--;
    if (at >= o->most)
        return;
    if (o->n < o->most)
        o->n++;
    memmove(o->names[at + 1], o->names[at], (o->n - at - 1) * sizeof(o->names[0]));
    memcpy(o->names[at], name, NAME_BYTES + 1);
}

/* Whether the bureau seems to write it still, though it should have renamed it into place. */
static bool still_grows(const fwp_instance *self, fwp_call *call, const card_file *file)
{
    kit_xml_fault fault;
    xmlDoc *doc = kit_xml_read(file->bytes, &fault);
    int64_t age = self->host->now(call) - file->changed;

    xmlFreeDoc(doc);
    return !doc && age > -GROWS_S && age < GROWS_S;
}

static size_t add(fwp_instance *self, fwp_call *call, json_t *messages, const char *name,
                  fwp_str bytes)
{
    size_t room = bytes.n / 3 * 4 + 8;
    unsigned char *text = self->host->alloc(call, room);
    int n = EVP_EncodeBlock(text, (const unsigned char *)bytes.p, (int)bytes.n);

    json_array_append_new(
        messages, json_pack("{s:s, s:s#}", "id", name, "body_base64", (const char *)text, n));
    return (size_t)n;
}

/* Fetches them, in order, as many as go into one answer. */
static card_end fetch(fwp_instance *self, fwp_call *call, const oldest *o, json_t *messages)
{
    int enough = self->host->remaining_ms(call) / 4;
    card_end end = CARD_DONE;
    size_t bytes = 0;

    for (size_t i = 0; i < o->n && bytes < POLL_BYTES; i++) {
        card_file file = {{NULL, 0}, 0};

        if (i > 0 && self->host->remaining_ms(call) < enough)
            break; /* the rest comes with the next poll */
        end = card_link_get(&self->link, card_path(self, call, self->out, o->names[i]),
                            CARD_MESSAGE_BYTES, &file);
        if (end == CARD_BROKEN || end == CARD_UNSENT)
            return end;
        if (end == CARD_DONE && still_grows(self, call, &file))
            break;
        if (end == CARD_DONE)
            bytes += add(self, call, messages, o->names[i], file.bytes);
        else if (end != CARD_NO_FILE)
            self->host->log(call, FWP_LOG_ERROR, "message %s is passed over: %s", o->names[i],
                            self->link.why);
    }
    return CARD_DONE;
}

fwp_rc card_poll(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *r = json_loadb(request.p, request.n, JSON_REJECT_DUPLICATES, NULL);
    json_int_t max = json_integer_value(json_object_get(r, "max"));
    oldest *o = self->host->alloc(call, sizeof(*o));
    json_t *messages;
    card_end end;

    json_decref(r);
    if (max < 1 || max > POLL_MOST)
        return card_refuse(reply, FWP_PERMFAIL, "max: 1 to 100");
    if (!card_link_begin(&self->link, call))
        return card_refuse(reply, self->link.rc, self->link.why);
    o->most = (size_t)max;
    end = card_link_list(&self->link, self->out, pick, o);
    if (o->seen >= CARD_NAMES_MOST)
        self->host->log(call, FWP_LOG_WARNING, "%s: %d names were looked at, and there may be more",
                        self->out, (int)o->seen);
    messages = json_array();
    if (end == CARD_DONE)
        end = fetch(self, call, o, messages);
    if (end == CARD_DONE)
        return card_answer(self, call, json_pack("{s:o}", "messages", messages), reply);
    json_decref(messages);
    return card_failed(self, call, end, "the messages", reply);
}

/* ---- ack ---- */

fwp_rc card_ack(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *r = json_loadb(request.p, request.n, JSON_REJECT_DUPLICATES, NULL);
    const json_t *id;
    card_end end = CARD_DONE;
    size_t i;

    if (json_array_size(json_object_get(r, "ids")) == 0) {
        json_decref(r);
        return card_refuse(reply, FWP_PERMFAIL, "ids: missing");
    }
    if (!card_link_begin(&self->link, call)) {
        json_decref(r);
        return card_refuse(reply, self->link.rc, self->link.why);
    }
    json_array_foreach(json_object_get(r, "ids"), i, id)
    {
        const char *name = json_string_value(id);

        if (name && is_message(name) && (end == CARD_DONE || end == CARD_NO_FILE))
            end = card_link_remove(&self->link, card_path(self, call, self->out, name));
    }
    json_decref(r);
    if (end == CARD_DONE || end == CARD_NO_FILE)
        return FWP_OK;
    return card_failed(self, call, end, "removing a message", reply);
}

/* ---- message ---- */

/* The bytes of body_base64; p is NULL: it is not base64, or too much. */
static fwp_str body_of(const fwp_instance *self, fwp_call *call, const json_t *r)
{
    const json_t *v = json_object_get(r, "body_base64");
    const char *text = json_is_string(v) ? json_string_value(v) : "";
    size_t n = strlen(text);
    unsigned char *bytes = self->host->alloc(call, n / 4 * 3 + 4);
    int got;

    if (n > BODY_MOST || n % 4 != 0)
        return (fwp_str){NULL, 0};
    got = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)n);
    for (size_t i = n; got > 0 && i > 0 && text[i - 1] == '=' && i > n - 2; i--)
        got--;
    return got < 0 ? (fwp_str){NULL, 0} : (fwp_str){(char *)bytes, (size_t)got};
}

/* What was said, as facts; new. */
static json_t *facts_of(const json_t *said)
{
    const json_t *shelves = json_object_get(said, "shelves");
    json_t *facts = json_array(), *shelf, *job = json_object_get(said, "job");
    size_t i;

    if (job)
        json_array_append_new(facts, json_pack("{s:s, s:O}", "fact", "job", "job", job));
    json_array_foreach(shelves, i, shelf)
        json_array_append_new(facts, json_pack("{s:s, s:O}", "fact", "stock", "shelf", shelf));
    return facts;
}

/* The bureau is known by its host key and by nothing in its files, so that what came another way is not from there. */
fwp_rc card_message(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *r = json_loadb(request.p, request.n, JSON_REJECT_DUPLICATES, NULL), *said = NULL;
    const char *channel = json_string_value(json_object_get(r, "channel"));
    const char *why = "channel: the bureau's messages are polled";
    bool polled = channel && strcmp(channel, "poll") == 0;
    fwp_str bytes = body_of(self, call, r);
    json_t *facts;

    json_decref(r);
    if (!channel)
        return card_refuse(reply, FWP_PERMFAIL, "channel: missing");
    if (polled)
        said = card_said(self, call, bytes, &why);
    if (!said)
        return card_refuse(reply, FWP_REJECTED, why);
    facts = facts_of(said);
    json_decref(said);
    return card_answer(self, call, json_pack("{s:o}", "facts", facts), reply);
}
