#include "transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>

#define BODY_BYTES     (2 * TRANSFER_LINE + 1) /* header, line feed, payment */
#define DAY_SECONDS    86400
#define TAIPEI_SECONDS 28800
#define RETRY_MS       60000u

/* ---- what the operations share ---- */

fwp_rc transfer_refuse(fwp_reply *reply, fwp_rc rc, const char *reason)
{
    reply->reason = reason;
    if (rc == FWP_TEMPFAIL)
        reply->retry_after_ms = RETRY_MS;
    return rc;
}

fwp_rc transfer_answer(fwp_instance *self, fwp_call *call, fwp_reply *reply, json_t *o)
{
    size_t n = json_dumpb(o, NULL, 0, JSON_COMPACT);
    char *text = self->host->alloc(call, n + 1);

    json_dumpb(o, text, n, JSON_COMPACT);
    json_decref(o);
    reply->body = (fwp_str){text, n};
    return FWP_OK;
}

static json_t *read_request(fwp_str request)
{
    return json_loadb(request.p, request.n, JSON_REJECT_DUPLICATES, NULL);
}

static const char *text_of(const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));

    return s ? s : "";
}

static const char *iso_of(fwp_instance *self, fwp_call *call, int64_t t)
{
    time_t at = (time_t)t;
    struct tm tm;

    gmtime_r(&at, &tm);
    return transfer_say(self, call, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
                        tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* ---- begin ---- */

/* "2026-11-25T06:30:00Z" in seconds since 1970; -1: it is none. */
static int64_t seconds_of(const char *iso)
{
    struct tm tm = {0};

    if (strlen(iso) != 20 || sscanf(iso, "%4d-%2d-%2dT%2d:%2d:%2dZ", &tm.tm_year, &tm.tm_mon,
                                    &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
        return -1;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    return (int64_t)timegm(&tm);
}

/* The last second of the day, in Taipei, on which the account can be paid. */
static int64_t last_second(const fwp_instance *self, const json_t *r)
{
    const char *expires = text_of(r, "expires");
    int64_t from = seconds_of(text_of(r, "created"));
    int64_t day = (from + TAIPEI_SECONDS) / DAY_SECONDS + self->days;

    if (*expires)
        return seconds_of(expires);
    return (day + 1) * DAY_SECONDS - 1 - TAIPEI_SECONDS;
}

fwp_rc transfer_begin(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *r = read_request(request);
    char account[TRANSFER_ACCOUNT + 1];
    fwp_rc rc;

    if (strcmp(text_of(r, "method"), "atm") != 0)
        rc = transfer_refuse(reply, FWP_REJECTED, "accounts are for transfers: method atm");
    else if (seconds_of(text_of(r, "created")) < 0)
        rc = transfer_refuse(reply, FWP_PERMFAIL, "created is a time, ISO 8601, UTC");
    else if (!transfer_account_make(self->prefix, text_of(r, "order_no"), account))
        rc = transfer_refuse(reply, FWP_TEMPFAIL, "no digest could be made");
    else
        rc = transfer_answer(
            self, call, reply,
            json_pack("{s:{s:s, s:s, s:s}, s:s}", "code", "bank", self->bank, "account", account,
                      "expires", iso_of(self, call, last_second(self, r)), "gateway_no", account));
    json_decref(r);
    return rc;
}

/* ---- message ---- */

static json_t *fact_of(fwp_instance *self, fwp_call *call, const transfer_line *line)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:s}", "fact", "paid", "gateway_no", line->account,
                     "gateway_code", line->serial, "method", "atm", "amount",
                     (json_int_t)line->amount, "paid_at", iso_of(self, call, line->at));
}

/* Header and payment, as poll hands them over. NULL: the bytes are none. */
static char *body_of(fwp_instance *self, fwp_call *call, const json_t *r)
{
    const char *text = text_of(r, "body_base64");
    size_t n = strlen(text);
    unsigned char *to;

    /* 121 bytes: the last group has one, and two signs of padding */
    if (n != (BODY_BYTES + 2) / 3 * 4 || strcmp(text + n - 2, "==") != 0)
        return NULL;
    to = self->host->alloc(call, n + 1);
    if (EVP_DecodeBlock(to, (const unsigned char *)text, (int)n) < BODY_BYTES)
        return NULL;
    return to[TRANSFER_LINE] == '\n' ? (char *)to : NULL;
}

fwp_rc transfer_message(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *r = read_request(request);
    const char *body = body_of(self, call, r), *why;
    transfer_line line;
    fwp_rc rc;

    if (strcmp(text_of(r, "channel"), "poll") != 0)
        why = "nothing is pushed here: the bank leaves files";
    else
        why = body ? transfer_line_read(self, body, body + TRANSFER_LINE + 1, &line)
                   : "it is no header and payment";
    if (why)
        rc = transfer_refuse(reply, FWP_REJECTED, why);
    else
        rc = transfer_answer(self, call, reply, fact_of(self, call, &line));
    json_decref(r);
    return rc;
}

/* ---- poll and ack ---- */

static const char *in_file(fwp_instance *self, fwp_call *call, const char *name, const char *why)
{
    return transfer_say(self, call, "the file %s: %s", name, why);
}

/* The file, proved; why not, or NULL. */
static const char *open_file(fwp_instance *self, fwp_call *call, const char *name, transfer_file *f)
{
    const char *bytes = NULL, *why;
    size_t n = 0;

    why = transfer_load(self, call, self->folder, name, &bytes, &n);
    if (!why)
        why = transfer_file_read(self, call, bytes, n, f);
    if (!why && transfer_is_done(self, call, f->key))
        why = transfer_say(self, call, "%s was taken before: the same file twice", f->key);
    return why ? in_file(self, call, name, why) : NULL;
}

/* Which of its lines are acknowledged is kept for one file at a time. */
static bool make_current(fwp_instance *self, const char *name, int n)
{
    if (strcmp(self->current, name) == 0 && self->acked)
        return true;
    free(self->acked);
    self->acked = calloc((size_t)n + 1, 1);
    self->n_acked = 0;
    snprintf(self->current, sizeof(self->current), "%s", name);
    return self->acked != NULL;
}

static json_t *message_of(fwp_instance *self, fwp_call *call, const transfer_file *f, int i)
{
    char body[BODY_BYTES];
    unsigned char *text = self->host->alloc(call, (BODY_BYTES + 2) / 3 * 4 + 1);

    memcpy(body, f->header, TRANSFER_LINE);
    body[TRANSFER_LINE] = '\n';
    memcpy(body + TRANSFER_LINE + 1, f->lines + (size_t)i * (size_t)f->step, TRANSFER_LINE);
    EVP_EncodeBlock(text, (const unsigned char *)body, BODY_BYTES);
    return json_pack("{s:s, s:s}", "id", transfer_say(self, call, "%s-%d", f->key, i),
                     "body_base64", text);
}

static json_t *messages_of(fwp_instance *self, fwp_call *call, const transfer_file *f, int most)
{
    json_t *list = json_array();

    for (int i = 0; i < f->n && (int)json_array_size(list) < most; i++)
        if (!self->acked[i])
            json_array_append_new(list, message_of(self, call, f, i));
    return list;
}

/* The first file that has payments; a file that is no good stops the rest: they may build on it. */
static const char *first_file(fwp_instance *self, fwp_call *call, const char **name,
                              transfer_file *f)
{
    char **names = NULL;
    const char *why = transfer_list(self, call, self->folder, &names);

    *name = NULL;
    for (size_t i = 0; !why && names[i]; i++) {
        why = open_file(self, call, names[i], f);
        if (!why && f->n > 0) {
            *name = names[i];
            return NULL;
        }
    }
    return why;
}

fwp_rc transfer_poll(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *r = read_request(request), *list;
    int most = (int)json_integer_value(json_object_get(r, "max"));
    const char *name = NULL, *why;
    transfer_file f = {.n = 0};

    json_decref(r);
    why = first_file(self, call, &name, &f);
    if (why)
        return transfer_refuse(reply, FWP_TEMPFAIL, why);
    if (name && !make_current(self, name, f.n))
        return transfer_refuse(reply, FWP_TEMPFAIL, "no memory");
    list = name ? messages_of(self, call, &f, most) : json_array();
    return transfer_answer(self, call, reply, json_pack("{s:o}", "messages", list));
}

static void mark(fwp_instance *self, const transfer_file *f, const json_t *ids)
{
    const json_t *id;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)ids, i, id)
    {
        const char *text = json_string_value(id);
        size_t n = strlen(f->key);
        long at =
            strncmp(text, f->key, n) == 0 && text[n] == '-' ? strtol(text + n + 1, NULL, 10) : -1;

        if (at < 0 || at >= f->n || self->acked[at])
            continue;
        self->acked[at] = 1;
        self->n_acked++;
    }
}

fwp_rc transfer_ack(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *r = read_request(request);
    const char *name = NULL, *why = NULL;
    transfer_file f = {.n = 0};

    why = first_file(self, call, &name, &f);
    if (!why && name && make_current(self, name, f.n)) {
        mark(self, &f, json_object_get(r, "ids"));
        if (self->n_acked == f.n) {
            why = transfer_put_away(self, call, name, f.key);
            self->current[0] = '\0';
        }
    }
    json_decref(r);
    if (why)
        return transfer_refuse(reply, FWP_TEMPFAIL, why);
    return transfer_answer(self, call, reply, json_object());
}

/* ---- query, health ---- */

static bool find_in(fwp_instance *self, fwp_call *call, const char *folder, const char *name,
                    const char *account, transfer_line *out)
{
    const char *bytes = NULL;
    transfer_file f;
    size_t n = 0;

    if (transfer_load(self, call, folder, name, &bytes, &n) ||
        transfer_file_read(self, call, bytes, n, &f))
        return false;
    for (int i = 0; i < f.n; i++)
        if (!transfer_line_read(self, f.header, f.lines + (size_t)i * (size_t)f.step, out) &&
            strcmp(out->account, account) == 0)
            return true;
    return false;
}

/* The newest files first. */
static const char *find(fwp_instance *self, fwp_call *call, const char *account, transfer_line *out,
                        bool *found)
{
    const char *folders[] = {self->folder, self->done};

    *found = false;
    for (int k = 0; k < 2; k++) {
        char **names = NULL;
        const char *why = transfer_list(self, call, folders[k], &names);
        size_t n = 0;

        if (why)
            return why;
        while (names[n])
            n++;
        while (n > 0 && !*found && self->host->remaining_ms(call) > 0)
            *found = find_in(self, call, folders[k], names[--n], account, out);
        if (*found)
            return NULL;
    }
    return self->host->remaining_ms(call) > 0 ? NULL : "no time left to look through the files";
}

fwp_rc transfer_query(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *r = read_request(request), *o;
    const char *order = transfer_say(self, call, "%s", text_of(r, "order_no")), *why;
    char account[TRANSFER_ACCOUNT + 1];
    transfer_line line = {.amount = 0};
    bool found = false;

    json_decref(r);
    if (!transfer_account_make(self->prefix, order, account))
        return transfer_refuse(reply, FWP_TEMPFAIL, "no digest could be made");
    why = find(self, call, account, &line, &found);
    if (why)
        return transfer_refuse(reply, FWP_TEMPFAIL, why);
    o = found ? fact_of(self, call, &line)
              : json_pack("{s:s, s:s}", "gateway_no", account, "gateway_code", "");
    json_object_del(o, "fact");
    json_object_set_new(o, "state", json_string(found ? "paid" : "unpaid"));
    json_object_set_new(o, "order_no", json_string(order));
    return transfer_answer(self, call, reply, o);
}

fwp_rc transfer_health(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    char **names = NULL;
    const char *why = transfer_list(self, call, self->folder, &names);

    (void)request;
    if (!why)
        why = transfer_list(self, call, self->done, &names);
    return why ? transfer_refuse(reply, FWP_TEMPFAIL, why) : FWP_OK;
}
