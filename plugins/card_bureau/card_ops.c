#include "card.h"

#include <stdio.h>
#include <string.h>

#include <openssl/rand.h>

#define NO_BYTES   32
#define PIECE      262144 /* of a file that goes up: libssh2 sends several packets before it waits */
#define TEMP_BYTES 64

/* ---- requests ---- */

/* A job's number, or NULL: it becomes part of a path. */
static const char *job_no_of(const json_t *request)
{
    const char *v = json_string_value(json_object_get(request, "job_no"));
    size_t n = v ? strspn(v, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") : 0;

    return n > 0 && n <= NO_BYTES && v[n] == '\0' ? v : NULL;
}

/* The link for an operation of one request. FWP_OK, or what to answer. */
static fwp_rc begin(fwp_instance *self, fwp_call *call, fwp_reply *reply)
{
    if (card_link_begin(&self->link, call))
        return FWP_OK;
    return card_refuse(reply, self->link.rc, self->link.why);
}

/* ---- the bureau's books ---- */

static const char *named(const fwp_instance *self, fwp_call *call, const char *folder,
                         const char *job_no, const char *rest)
{
    char name[TEMP_BYTES];

    snprintf(name, sizeof(name), "%s%s", job_no, rest);
    return card_path(self, call, folder, name);
}

static bool is_job(const json_t *job, const char *job_no)
{
    const char *no = json_string_value(json_object_get(job, "job_no"));
    return no && strcmp(no, job_no) == 0;
}

/* The request's job as the bureau's books have it, new; NULL: they do not know it. A folder that is not there knows nothing. */
static fwp_rc look_up(fwp_instance *self, fwp_call *call, const json_t *request, json_t **job,
                      fwp_reply *reply)
{
    const char *job_no = job_no_of(request);
    LIBSSH2_SFTP_ATTRIBUTES found;
    card_file file = {{NULL, 0}, 0};
    const char *why = NULL;
    json_t *said;
    card_end end;
    fwp_rc rc;

    *job = NULL;
    if (!job_no)
        return card_refuse(reply, FWP_PERMFAIL, "job_no: missing, or no number of a job");
    rc = begin(self, call, reply);
    if (rc != FWP_OK)
        return rc;
    end = card_link_get(&self->link, named(self, call, self->books, job_no, ".xml"),
                        CARD_MESSAGE_BYTES, &file);
    if (end == CARD_NO_FILE && card_link_stat(&self->link, self->books, &found) == CARD_DONE)
        return FWP_OK;
    if (end != CARD_DONE)
        return card_failed(self, call, end, "the books of the job", reply);
    said = card_said(self, call, file.bytes, &why);
    if (said && is_job(json_object_get(said, "job"), job_no))
        *job = json_incref(json_object_get(said, "job"));
    json_decref(said);
    return *job ? FWP_OK
                : card_refuse_with(self, call, reply, FWP_TEMPFAIL, "the books of the job",
                                   why ? why : "they tell of another one");
}

fwp_rc card_find(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *r = json_loadb(request.p, request.n, JSON_REJECT_DUPLICATES, NULL);
    json_t *job = NULL;
    fwp_rc rc = look_up(self, call, r, &job, reply);

    if (rc == FWP_OK)
        rc = card_answer(self, call, json_pack("{s:o}", "job", job ? job : json_null()), reply);
    json_decref(r);
    return rc;
}

fwp_rc card_stock(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *r = json_loadb(request.p, request.n, JSON_REJECT_DUPLICATES, NULL);
    json_t *said = NULL, *shelves, *store = json_object_get(r, "store");
    card_file file = {{NULL, 0}, 0};
    const char *why = "it is of a job";
    fwp_rc rc = begin(self, call, reply);
    card_end end;

    if (rc == FWP_OK) {
        end = card_link_get(&self->link, card_path(self, call, self->books, "stock.xml"),
                            CARD_MESSAGE_BYTES, &file);
        if (end == CARD_DONE)
            said = card_said(self, call, file.bytes, &why);
        else
            rc = card_failed(self, call, end, "the inventory", reply);
    }
    shelves = json_object_get(said, "shelves");
    for (size_t i = json_array_size(shelves); store && i > 0; i--) {
        if (!json_equal(json_object_get(json_array_get(shelves, i - 1), "store"), store))
            json_array_remove(shelves, i - 1);
    }
    if (rc == FWP_OK && shelves)
        rc = card_answer(self, call, json_incref(said), reply);
    else if (rc == FWP_OK)
        rc = card_refuse_with(self, call, reply, FWP_TEMPFAIL, "the inventory",
                              why ? why : "it is of a job");
    json_decref(said);
    json_decref(r);
    return rc;
}

/* ---- writing beside, and renaming into place ---- */

/* A name that the bureau leaves alone, and no other attempt has. */
static const char *temporary(const fwp_instance *self, fwp_call *call, const char *job_no)
{
    unsigned char random[8];
    char name[TEMP_BYTES], hex[17];

    if (RAND_bytes(random, sizeof(random)) != 1)
        return NULL;
    for (size_t i = 0; i < sizeof(random); i++)
        snprintf(hex + 2 * i, 3, "%02x", random[i]);
    snprintf(name, sizeof(name), ".new-%s-%s", job_no, hex);
    return card_path(self, call, self->in, name);
}

static card_end put_bytes(fwp_instance *self, const char *path, fwp_str bytes)
{
    LIBSSH2_SFTP_HANDLE *file;
    card_end end = card_link_create(&self->link, path, &file), closed;

    if (end != CARD_DONE)
        return end;
    end = card_link_write(&self->link, file, bytes.p, bytes.n);
    closed = card_link_finish(&self->link, file);
    return end == CARD_DONE ? closed : end;
}

/* Into place, where nothing is yet. What is there already is the same, of an earlier attempt or of one at
 * the same time; where the bureau took that in between, the place is free again, and the bureau tells the
 * same job by its number. */
static fwp_rc put_in_place(fwp_instance *self, fwp_call *call, const char *temp, const char *place,
                           fwp_reply *reply)
{
    LIBSSH2_SFTP_ATTRIBUTES found;
    card_end end = card_link_rename(&self->link, temp, place);
    const char *why = self->link.why;

    if (end != CARD_DONE && end != CARD_BROKEN) {
        if (card_link_stat(&self->link, place, &found) == CARD_DONE)
            return FWP_PENDING;
        end = card_link_rename(&self->link, temp, place);
        why = self->link.why;
    }
    if (end == CARD_DONE)
        return FWP_PENDING;
    if (end == CARD_BROKEN)
        return card_refuse_with(self, call, reply, FWP_UNKNOWN, "renaming into place", why);
    return card_failed(self, call, end, "renaming into place", reply);
}

static fwp_rc pending(fwp_reply *reply, fwp_rc rc, const char *what)
{
    return rc == FWP_PENDING ? card_refuse(reply, rc, what) : rc;
}

/* ---- order ---- */

static card_end put_file(fwp_instance *self, fwp_call *call, const char *name, const char *path)
{
    LIBSSH2_SFTP_HANDLE *file;
    card_end end = card_link_create(&self->link, path, &file), closed;
    char *piece = self->host->alloc(call, PIECE);
    int64_t at = 0, n = 1;

    if (end != CARD_DONE)
        return end;
    while (end == CARD_DONE && n > 0) {
        n = self->host->file_read(call, name, at, piece, PIECE);
        at += n;
        if (n > 0)
            end = card_link_write(&self->link, file, piece, (size_t)n);
    }
    closed = card_link_finish(&self->link, file);
    if (n < 0)
        self->link.why = "a file of the call cannot be read";
    return end == CARD_DONE && n < 0 ? CARD_REFUSED : end == CARD_DONE ? closed : end;
}

static card_end fill(fwp_instance *self, fwp_call *call, const json_t *r, fwp_str job,
                     const char *folder)
{
    const json_t *files = json_object_get(r, "files"), *file;
    card_end end = card_link_make_folder(&self->link, folder);
    size_t i;

    json_array_foreach(files, i, file)
    {
        const char *to = card_path(self, call, folder, card_file_name(self, call, r, i));

        if (end == CARD_DONE)
            end = put_file(self, call, json_string_value(json_object_get(file, "name")), to);
    }
    if (end == CARD_DONE)
        end = put_bytes(self, card_path(self, call, folder, "job.xml"), job);
    if (end == CARD_DONE)
        end = put_bytes(self, card_path(self, call, folder, "SHA256SUMS"),
                        card_sums(self, call, r, job));
    return end;
}

/* As far as it can: what stays has a name that the bureau removes after a day. */
static void tidy(fwp_instance *self, fwp_call *call, const json_t *r, const char *folder)
{
    const char *why = self->link.why;
    size_t n = json_array_size(json_object_get(r, "files"));

    for (size_t i = 0; i < n; i++)
        card_link_remove(&self->link,
                         card_path(self, call, folder, card_file_name(self, call, r, i)));
    card_link_remove(&self->link, card_path(self, call, folder, "job.xml"));
    card_link_remove(&self->link, card_path(self, call, folder, "SHA256SUMS"));
    card_link_remove_folder(&self->link, folder);
    self->link.why = why;
}

static fwp_rc send_package(fwp_instance *self, fwp_call *call, const json_t *r, fwp_str job,
                           fwp_reply *reply)
{
    const char *temp = temporary(self, call, job_no_of(r));
    const char *place = card_path(self, call, self->in, job_no_of(r));
    LIBSSH2_SFTP_ATTRIBUTES found;
    fwp_rc rc;
    card_end end = card_link_stat(&self->link, place, &found);

    if (end == CARD_DONE)
        return FWP_PENDING; /* it lies there still */
    if (!temp)
        return card_refuse(reply, FWP_TEMPFAIL, "no random numbers");
    if (end == CARD_NO_FILE)
        end = fill(self, call, r, job, temp);
    if (end != CARD_DONE) {
        rc = card_failed(self, call, end, "the package", reply);
        tidy(self, call, r, temp);
        return rc;
    }
    rc = put_in_place(self, call, temp, place, reply);
    if (card_link_stat(&self->link, temp, &found) == CARD_DONE)
        tidy(self, call, r, temp);
    return rc;
}

/* NULL, or which file of the request is not there. */
static const char *file_fault(const fwp_instance *self, fwp_call *call, const json_t *r)
{
    const json_t *files = json_object_get(r, "files"), *file;
    bool photo = false;
    size_t i;

    json_array_foreach(files, i, file)
    {
        const json_t *name = json_object_get(file, "name");

        if (!json_is_string(name) || self->host->file_size(call, json_string_value(name)) < 0)
            return "files: one of them is not there";
        photo = photo || json_equal(name, json_object_get(r, "photo"));
    }
    return photo ? NULL : "photo: none of the files";
}

/* What the bureau's books say of a job that was to be ordered. The bureau refuses one by cancelling it as its first step. */
static fwp_rc answer_known(const fwp_instance *self, fwp_call *call, json_t *job, fwp_reply *reply)
{
    const char *state = json_string_value(json_object_get(job, "state"));

    if (json_integer_value(json_object_get(job, "seq")) == 1 && strcmp(state, "cancelled") == 0) {
        json_decref(job);
        return card_refuse(reply, FWP_REJECTED, "the bureau will not make it; the job tells why");
    }
    return card_answer(self, call, json_pack("{s:o}", "job", job), reply);
}

fwp_rc card_order(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *r = json_loadb(request.p, request.n, JSON_REJECT_DUPLICATES, NULL), *job = NULL;
    fwp_str xml = {NULL, 0};
    const char *why = file_fault(self, call, r);
    fwp_rc rc;

    if (!why)
        xml = card_job_xml(self, call, r, &why);
    rc = xml.n == 0 ? card_refuse(reply, FWP_PERMFAIL, why) : look_up(self, call, r, &job, reply);
    if (rc == FWP_OK && job)
        rc = answer_known(self, call, job, reply);
    else if (rc == FWP_OK)
        rc = pending(reply, send_package(self, call, r, xml, reply),
                     "the package lies at the bureau");
    json_decref(r);
    return rc;
}

/* ---- cancel ---- */

static fwp_rc send_cancel(fwp_instance *self, fwp_call *call, const char *job_no, fwp_str xml,
                          fwp_reply *reply)
{
    const char *temp = temporary(self, call, job_no);
    card_end end;
    fwp_rc rc;

    if (!temp)
        return card_refuse(reply, FWP_TEMPFAIL, "no random numbers");
    end = put_bytes(self, temp, xml);
    if (end == CARD_DONE)
        rc = put_in_place(self, call, temp, named(self, call, self->in, job_no, ".cancel.xml"),
                          reply);
    else
        rc = card_failed(self, call, end, "the request to cancel", reply);
    card_link_remove(&self->link, temp); /* where it did not go into place */
    return rc;
}

/* What a job that is known, or is to be yet, has to say to a request to cancel it: FWP_PENDING, where the request must be laid. */
static fwp_rc answer_cancel(const fwp_instance *self, fwp_call *call, json_t *job, fwp_reply *reply)
{
    const char *state = job ? json_string_value(json_object_get(job, "state")) : "accepted";

    if (strcmp(state, "cancelled") == 0)
        return card_answer(self, call, json_pack("{s:O}", "job", job), reply);
    if (strcmp(state, "accepted") != 0 && strcmp(state, "spoiled") != 0)
        return card_refuse(reply, FWP_REJECTED, "the card is made already");
    return FWP_PENDING;
}

fwp_rc card_cancel(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *r = json_loadb(request.p, request.n, JSON_REJECT_DUPLICATES, NULL), *job = NULL;
    const char *why = NULL;
    fwp_str xml = card_cancel_xml(self, call, r, &why);
    fwp_rc rc =
        xml.n == 0 ? card_refuse(reply, FWP_PERMFAIL, why) : look_up(self, call, r, &job, reply);

    if (rc == FWP_OK)
        rc = answer_cancel(self, call, job, reply);
    if (rc == FWP_PENDING)
        rc = pending(reply, send_cancel(self, call, job_no_of(r), xml, reply),
                     "the request lies at the bureau");
    json_decref(job);
    json_decref(r);
    return rc;
}
