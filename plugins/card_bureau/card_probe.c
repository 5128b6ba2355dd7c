#include "card.h"

#include <stdio.h>
#include <string.h>

#include <openssl/rand.h>

#define DETAIL_BYTES 300

typedef struct probing {
    fwp_instance *self;
    fwp_call *call;
    json_t *steps;
} probing;

static bool step(probing *p, const char *name, bool ok, const char *detail)
{
    json_array_append_new(p->steps, json_pack("{s:s, s:b, s:s}", "name", name, "ok", ok, "detail",
                                              ok ? detail : p->self->link.why));
    return ok;
}

/* ---- health ---- */

fwp_rc card_health(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    const char *folders[] = {self->in, self->out, self->books};
    LIBSSH2_SFTP_ATTRIBUTES found;

    (void)request;
    if (!card_link_begin(&self->link, call))
        return card_refuse(reply, self->link.rc, self->link.why);
    for (size_t i = 0; i < 3; i++) {
        card_end end = card_link_stat(&self->link, folders[i], &found);

        if (end != CARD_DONE)
            return card_failed(self, call, end, folders[i], reply);
    }
    return FWP_OK;
}

/* ---- probe ---- */

/* A new connection, whatever is open. */
static bool connects(probing *p)
{
    card_link *l = &p->self->link;
    char detail[DETAIL_BYTES];
    bool known;

    card_link_close(l);
    l->call = p->call;
    l->why = "";
    snprintf(detail, sizeof(detail), "%s port %s", l->peer->host, l->peer->port);
    if (!step(p, "reach", card_link_reach(l), detail))
        return false;
    known = card_link_know(l);
    if (!step(p, "host key", known, l->seen))
        return false;
    return step(p, "log in", card_link_log_in(l), l->peer->user);
}

static void look_at_folder(probing *p, const char *name, const char *folder)
{
    LIBSSH2_SFTP_ATTRIBUTES found;

    step(p, name, card_link_stat(&p->self->link, folder, &found) == CARD_DONE, folder);
}

/* A file with a name that the bureau leaves alone; it is gone again afterwards. */
static void write_and_remove(probing *p)
{
    card_link *l = &p->self->link;
    unsigned char random[4];
    LIBSSH2_SFTP_HANDLE *file = NULL;
    char name[40];
    const char *path;
    bool done;

    if (RAND_bytes(random, sizeof(random)) != 1)
        return;
    snprintf(name, sizeof(name), ".probe-%02x%02x%02x%02x", random[0], random[1], random[2],
             random[3]);
    path = card_path(p->self, p->call, p->self->in, name);
    done = card_link_create(l, path, &file) == CARD_DONE &&
           card_link_write(l, file, "probe\n", 6) == CARD_DONE;
    if (file)
        done = card_link_finish(l, file) == CARD_DONE && done;
    if (step(p, "write", done, p->self->in))
        step(p, "remove", card_link_remove(l, path) == CARD_DONE, p->self->in);
}

static void count(void *baton, const char *name)
{
    if (name[0] != '.')
        ++*(unsigned *)baton;
}

static void look_for_messages(probing *p)
{
    char detail[DETAIL_BYTES];
    unsigned n = 0;
    bool done = card_link_list(&p->self->link, p->self->out, count, &n) == CARD_DONE;

    snprintf(detail, sizeof(detail), "%u files wait", n);
    step(p, "messages", done, detail);
}

static void look(probing *p)
{
    const fwp_instance *self = p->self;

    step(p, "schemas", true, self->s.schemas ? self->s.schemas : "as installed");
    if (!connects(p))
        return;
    look_at_folder(p, "folder_in", self->in);
    look_at_folder(p, "folder_out", self->out);
    look_at_folder(p, "folder_books", self->books);
    write_and_remove(p);
    look_for_messages(p);
}

fwp_rc card_probe(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    probing p = {.self = self, .call = call, .steps = json_array()};

    (void)request;
    look(&p);
    card_link_close(&self->link);
    return card_answer(self, call, json_pack("{s:o}", "steps", p.steps), reply);
}
