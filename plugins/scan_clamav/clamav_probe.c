#include "clamav.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define DETAIL_BYTES 300
#define DAY          86400

typedef struct probing {
    fwp_instance *self;
    fwp_call *call;
    clamav_link link;
    json_t *steps;
} probing;

static bool step(probing *p, const char *name, bool ok, const char *detail)
{
    json_array_append_new(p->steps,
                          json_pack("{s:s, s:b, s:s}", "name", name, "ok", ok, "detail", detail));
    return ok;
}

/* One command and its answer, which must be `wanted` (NULL: any); the answer, or NULL where the step failed. */
static const char *ask(probing *p, const char *name, const char *command, const char *wanted)
{
    const char *answer = NULL;
    bool ok = clamav_link_ask(&p->link, command) &&
              (strcmp(command, "INSTREAM") != 0 || (clamav_link_chunk(&p->link, "harmless", 8) &&
                                                    clamav_link_chunk(&p->link, NULL, 0))) &&
              clamav_link_hear(&p->link, &answer);

    if (!ok)
        answer = p->link.why;
    return step(p, name, ok && (!wanted || strcmp(answer, wanted) == 0), answer) ? answer : NULL;
}

/* "ClamAV 1.4.3/27461/Mon Nov 24 09:35:00 2025": when the signatures were made; -1: it does not say. */
static time_t made(const char *version)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const char *slash = strchr(version, '/'), *month;
    struct tm when = {0};
    char name[4] = "";

    slash = slash ? strchr(slash + 1, '/') : NULL;
    if (!slash || sscanf(slash + 1, "%*3s %3s %2d %2d:%2d:%2d %4d", name, &when.tm_mday,
                         &when.tm_hour, &when.tm_min, &when.tm_sec, &when.tm_year) != 6)
        return -1;
    month = strstr(months, name);
    if (!month)
        return -1;
    when.tm_mon = (int)(month - months) / 3;
    when.tm_year -= 1900;
    return timegm(&when);
}

/* Old ones find nothing new: freshclam may have stopped long ago. */
static void tell_age(probing *p, const char *version)
{
    time_t since = made(version);
    int64_t days = (p->self->host->now(p->call) - (int64_t)since) / DAY;
    char detail[DETAIL_BYTES];
    bool old = since < 0 || days > p->self->signature_days;

    if (since < 0)
        snprintf(detail, sizeof(detail), "clamd does not say how old its signatures are");
    else
        snprintf(detail, sizeof(detail), "%lld days old%s", (long long)(days > 0 ? days : 0),
                 old ? ": is freshclam running?" : "");
    step(p, "signatures", !old, detail);
}

static void look(probing *p)
{
    const clamav_peer *peer = &p->self->peer;
    const char *version;
    char detail[DETAIL_BYTES];
    bool there = clamav_link_open(&p->link, p->self->host, p->call, peer);

    if (peer->socket)
        snprintf(detail, sizeof(detail), "%s", peer->socket);
    else
        snprintf(detail, sizeof(detail), "%s port %s", peer->host, peer->port);
    if (!step(p, "connect", there, there ? detail : p->link.why) || !ask(p, "ping", "PING", "PONG"))
        return;
    version = ask(p, "version", "VERSION", NULL);
    if (!version)
        return;
    tell_age(p, version);
    ask(p, "scan", "INSTREAM", "stream: OK");
}

fwp_rc clamav_probe(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    probing p = {.self = self, .call = call, .link = {.fd = -1}, .steps = json_array()};

    (void)request;
    look(&p);
    clamav_link_close(&p.link);
    clamav_answer(self, call, json_pack("{s:o}", "steps", p.steps), reply);
    return FWP_OK;
}
