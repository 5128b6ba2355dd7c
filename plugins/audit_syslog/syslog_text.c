#include "syslog_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_BYTES 12   /* room for the octet count and its space */
#define PIECE_BYTES 1024 /* of data at least in each message, however long its head is */
#define NOTICE      5
#define INFO        6
#define BOM         "\xef\xbb\xbf"

/* ---- bytes ---- */

static void put(syslog_writer *w, const char *p, size_t n)
{
    if (w->n + n > w->room) {
        w->room = 2 * (w->n + n) + SYSLOG_MESSAGE_BYTES;
        w->bytes = realloc(w->bytes, w->room);
        if (!w->bytes)
            abort();
    }
    memcpy(w->bytes + w->n, p, n);
    w->n += n;
}

static void put_text(syslog_writer *w, const char *text)
{
    put(w, text, strlen(text));
}

static void put_number(syslog_writer *w, json_int_t number)
{
    char text[24];

    snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, number);
    put_text(w, text);
}

/* RFC 5424, 6.3.3. */
static void put_escaped(syslog_writer *w, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '"' || text[i] == '\\' || text[i] == ']')
            put(w, "\\", 1);
        put(w, text + i, 1);
    }
}

/* ---- parts of a message ---- */

static const char *text_of(const json_t *o, const char *name)
{
    return json_string_value(json_object_get(o, name));
}

static void begin(syslog_writer *w, int severity, const char *at, const char *msgid)
{
    const syslog_origin *o = w->origin;
    char pri[16];

    w->n = 0;
    put(w, "            ", COUNT_BYTES);
    snprintf(pri, sizeof(pri), "<%d>1 ", o->facility * 8 + severity);
    put_text(w, pri);
    put_text(w, at);
    put(w, " ", 1);
    put_text(w, o->hostname);
    put(w, " ", 1);
    put_text(w, o->app_name);
    put_text(w, " - ");
    put_text(w, msgid);
    put_text(w, " [fwpermit@");
    put_text(w, o->enterprise);
}

static void begin_param(syslog_writer *w, const char *name)
{
    put(w, " ", 1);
    put_text(w, name);
    put_text(w, "=\"");
}

/* What is null is left out. */
static void param_of(syslog_writer *w, const json_t *o, const char *member, const char *name)
{
    const json_t *value = json_object_get(o, member);

    if (!json_is_string(value) && !json_is_integer(value))
        return;
    begin_param(w, name);
    if (json_is_string(value))
        put_escaped(w, json_string_value(value), json_string_length(value));
    else
        put_number(w, json_integer_value(value));
    put(w, "\"", 1);
}

static void number_param(syslog_writer *w, const char *name, size_t number)
{
    begin_param(w, name);
    put_number(w, (json_int_t)number);
    put(w, "\"", 1);
}

/* The count goes before the message, where room was left for it. */
static bool end(syslog_writer *w)
{
    char count[COUNT_BYTES + 1];
    int n = snprintf(count, sizeof(count), "%lu ", (unsigned long)(w->n - COUNT_BYTES));
    size_t at = COUNT_BYTES - (size_t)n;

    memcpy(w->bytes + at, count, (size_t)n);
    w->written++;
    return w->take(w->baton, w->bytes + at, w->n - at);
}

/* ---- records ---- */

static void record_params(syslog_writer *w, const json_t *seal, const json_t *r)
{
    static const char *const names[] = {"id",       "aggregate", "seq",  "actor",
                                        "actor_id", "command",   "prev", "hash"};

    begin(w, INFO, text_of(r, "at"), "record");
    param_of(w, seal, "n", "seal");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        param_of(w, r, names[i], names[i]);
}

static bool end_with(syslog_writer *w, const char *data, size_t n)
{
    put(w, "] " BOM, 2 + strlen(BOM));
    put(w, data, n);
    return end(w);
}

/* How many of n bytes go into `room`, cut before a character's first byte. */
static size_t piece_of(const char *data, size_t n, size_t room)
{
    size_t take = room < n ? room : n;

    while (take < n && take > 0 && ((unsigned char)data[take] & 0xc0) == 0x80)
        take--;
    return take;
}

/* Each message tells how many bytes of the data come before its own, and how many there are in all. */
static bool write_pieces(syslog_writer *w, const json_t *seal, const json_t *r, size_t from,
                         size_t size)
{
    const json_t *data = json_object_get(r, "data");
    const char *p = json_string_value(data);
    size_t left = json_string_length(data);
    bool good = true;

    while (good && left > 0) {
        size_t most = SYSLOG_MESSAGE_BYTES + COUNT_BYTES - 2 - strlen(BOM), take;

        record_params(w, seal, r);
        number_param(w, "from", from);
        number_param(w, "size", size);
        take = piece_of(p, left, w->n + PIECE_BYTES < most ? most - w->n : PIECE_BYTES);
        good = end_with(w, p, take);
        p += take;
        from += take;
        left -= take;
    }
    return good;
}

bool syslog_write_record(syslog_writer *w, const json_t *seal, const json_t *r)
{
    const json_t *data = json_object_get(r, "data"), *cut = json_object_get(r, "cut");
    size_t n = json_string_length(data);

    if (cut)
        return write_pieces(w, seal, r, (size_t)json_integer_value(json_object_get(cut, "from")),
                            (size_t)json_integer_value(json_object_get(cut, "size")));
    record_params(w, seal, r);
    if (!json_is_string(data)) {
        put(w, "]", 1);
        return end(w);
    }
    if (w->n + 2 + strlen(BOM) + n <= SYSLOG_MESSAGE_BYTES + COUNT_BYTES)
        return end_with(w, json_string_value(data), n);
    return write_pieces(w, seal, r, 0, n);
}

bool syslog_write_seal(syslog_writer *w, const json_t *seal)
{
    begin(w, NOTICE, text_of(seal, "at"), "seal");
    param_of(w, seal, "n", "seal");
    param_of(w, seal, "records", "records");
    param_of(w, seal, "prev", "prev");
    param_of(w, seal, "hash", "hash");
    param_of(w, seal, "signature", "signature");
    put(w, "]", 1);
    return end(w);
}

void syslog_end(syslog_writer *w)
{
    free(w->bytes);
    w->bytes = NULL;
}

/* ---- faults ---- */

/* "2026-11-25T06:30:00.123456Z": what RFC 5424 takes as it is. */
static bool is_time(const char *at)
{
    static const char form[] = "0000-00-00T00:00:00.000000Z";

    if (!at || strlen(at) != sizeof(form) - 1)
        return false;
    for (size_t i = 0; form[i]; i++) {
        bool digit = at[i] >= '0' && at[i] <= '9';

        if (form[i] == '0' ? !digit : at[i] != form[i])
            return false;
    }
    return true;
}

static bool is_hash(const char *hash, bool may_be_empty)
{
    if (!hash)
        return false;
    return (may_be_empty && !*hash) ||
           (strlen(hash) == 64 && strspn(hash, "0123456789abcdef") == 64);
}

static bool is_id(const char *id)
{
    return id && *id && strspn(id, "0123456789") == strlen(id);
}

static bool is_number(const json_t *o, const char *name)
{
    return json_integer_value(json_object_get(o, name)) > 0;
}

static const char *place_fault(const json_t *o)
{
    if (!is_time(text_of(o, "at")))
        return "at is no time";
    if (!is_hash(text_of(o, "prev"), true))
        return "prev is no hash";
    return is_hash(text_of(o, "hash"), false) ? NULL : "hash is no hash";
}

const char *syslog_seal_fault(const json_t *seal)
{
    const char *signature = text_of(seal, "signature");

    if (!is_number(seal, "n") || !is_number(seal, "records"))
        return "a seal without n or records";
    if (!signature || !*signature)
        return "a seal without signature";
    return place_fault(seal);
}

static bool is_text_or_null(const json_t *value)
{
    return json_is_string(value) || json_is_null(value);
}

static const char *cut_fault(const json_t *r)
{
    const json_t *cut = json_object_get(r, "cut");
    size_t n = json_string_length(json_object_get(r, "data"));
    json_int_t from = json_integer_value(json_object_get(cut, "from"));

    if (!cut)
        return NULL;
    if (n == 0 || !json_is_integer(json_object_get(cut, "from")) || from < 0 ||
        json_integer_value(json_object_get(cut, "size")) < from + (json_int_t)n)
        return "cut does not fit the data";
    return NULL;
}

const char *syslog_record_fault(const json_t *r)
{
    const char *aggregate = text_of(r, "aggregate"), *command = text_of(r, "command");
    const char *why = place_fault(r);

    if (why)
        return why;
    if (!is_id(text_of(r, "id")) || !is_id(text_of(r, "actor_id")) || !is_number(r, "seq"))
        return "a record without id, actor_id or seq";
    if (!aggregate || !*aggregate || !command || !*command)
        return "a record without aggregate or command";
    if (!is_text_or_null(json_object_get(r, "actor")) ||
        !is_text_or_null(json_object_get(r, "data")))
        return "a record without actor or data";
    return cut_fault(r);
}

bool syslog_name_good(const char *name, size_t most)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < n; i++) {
        if (name[i] < 0x21 || name[i] > 0x7e)
            return false;
    }
    return n > 0 && n <= most;
}
