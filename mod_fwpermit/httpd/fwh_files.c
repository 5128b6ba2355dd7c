#include "fw_config.h"
#include "fwh.h"

#include <string.h>

#include <apr_encode.h>
#include <apr_strings.h>

#include "fw_access.h"
#include "fw_json.h"
#include "fw_multipart.h"
#include "fw_pictures.h"
#include "fw_store_payment.h"

APLOG_USE_MODULE(fwpermit);

/* Files of cases: taken in as they stream, handed out from the vault. */

#define FIELD_BYTES 200   /* of the small fields that come with a file */
#define OVERHEAD    65536 /* of a body beside its file */
#define VIEW_PIXELS 1600
#define VIEW_SOURCE 20971520u /* bytes of a PDF that is shown */

/* ---- taking in ---- */

typedef struct upload {
    fwh_req *q;
    const fw_field *field;
    fw_intake *intake; /* of the file, once its part began */
    bool in_file, done;
    const char *name;
    char small[FIELD_BYTES + 1];
    apr_size_t n_small;
    fw_taken_file taken;
    bool allowed;
    fw_multipart *parser;
} upload;

static const fw_err *begin_part(void *baton, const fw_part *part)
{
    upload *u = baton;

    u->name = apr_pstrdup(u->q->pool, part->name);
    u->n_small = 0;
    u->in_file = strcmp(part->name, "file") == 0;
    if (!u->in_file)
        return NULL;
    /* The token comes before the file: who may not send it costs us nothing. */
    if (!u->allowed)
        return fw_err_told(u->q->pool, FW_E_FORBIDDEN, NULL, "problem.csrf");
    if (u->intake)
        return fw_err_told(u->q->pool, FW_E_INPUT, u->field->name, "body.repeated");
    return fw_intake_begin(&u->intake, u->q->desk, u->q->child->sniffer, u->field,
                           part->filename ? part->filename : "", u->q->pool);
}

static const fw_err *part_data(void *baton, const char *data, apr_size_t n)
{
    upload *u = baton;

    if (u->in_file)
        return fw_intake_feed(u->intake, data, n);
    if (u->n_small + n > FIELD_BYTES)
        return fw_err_told(u->q->pool, FW_E_LIMIT, u->name, "field.too_long");
    memcpy(u->small + u->n_small, data, n);
    u->n_small += n;
    return NULL;
}

static const fw_err *end_part(void *baton)
{
    upload *u = baton;
    const char *value;

    if (u->in_file) {
        u->done = true;
        return fw_intake_end(u->intake, &u->taken);
    }
    value = apr_pstrmemdup(u->q->pool, u->small, u->n_small);
    if (strcmp(u->name, "_csrf") == 0)
        u->allowed = fwh_token_right(u->q, value);
    else if (strcmp(u->name, "_request") == 0)
        return fwh_request_id(u->q, value);
    else if (strcmp(u->name, "version") != 0 && strcmp(u->name, "_go") != 0)
        return fw_err_told(u->q->pool, FW_E_INPUT, u->name, "field.unknown");
    return NULL;
}

static const fw_err *feed(void *baton, const char *data, apr_size_t n)
{
    return fw_multipart_feed(((upload *)baton)->parser, data, n);
}

static const fw_err *receive(fwh_req *q, upload *u)
{
    fw_multipart_limits limits = {.parts = 8,
                                  .header = FW_MULTIPART_HEADER,
                                  .part = q->desk->settings->upload_max,
                                  .total = (apr_off_t)q->desk->settings->upload_max + OVERHEAD};
    fw_multipart_sink sink = {begin_part, part_data, end_part, u};
    const char *type = apr_table_get(q->r->headers_in, "Content-Type");

    FW_TRY(fwh_request_id(q, NULL));
    FW_TRY(fw_multipart_make(&u->parser, type ? type : "", &limits, &sink, q->pool));
    FW_TRY(fwh_body_stream(q, limits.total, feed, u));
    FW_TRY(fw_multipart_finish(u->parser));
    if (!u->done)
        return fw_err_told(q->pool, FW_E_INPUT, u->field->name, "field.file_missing");
    return NULL;
}

/* ---- answers ---- */

static const char *edit_href(fwh_req *q, const char *slot)
{
    return apr_psprintf(q->pool, "/cases/%" APR_INT64_T_FMT "/edit#f-%s", q->kase->id, slot);
}

static const fw_refusal *photo_refusals(fwh_req *q, const json_t *problems, int *n)
{
    fw_refusal *list = apr_pcalloc(q->pool, sizeof(*list) * (json_array_size(problems) + 1));
    json_t *p;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)problems, i, p)
    {
        list[i].field = apr_pstrdup(q->pool, q->arg[1]);
        list[i].key = json_string_value(json_object_get(p, "key"));
        list[i].args =
            fw_json_text(json_object_get(p, "args"), JSON_COMPACT | JSON_ENCODE_ANY, q->pool);
    }
    *n = (int)json_array_size(problems);
    return list;
}

/* A form that is shown again with what is wrong with the file. */
static const fw_err *show_again(fwh_req *q, const fw_refusal *refusals, int n, int status)
{
    fw_result result = {.code = FW_E_INPUT, .refusals = refusals, .n_refusals = n};
    fw_show s = fwh_show(q);
    fw_dossier d;
    fw_value model = {0};

    FW_TRY(fw_dossier_load(&s, q->kase, false, &d));
    fwh_form_errors(q, &result);
    q->status = status;
    FW_TRY(fw_show_case_edit(&s, &d, NULL, refusals, n, &model));
    return fwh_page(q, "case_edit", model);
}

static const fw_err *tell_refused(fwh_req *q, const fw_refusal *refusals, int n, int status,
                                  const upload *u)
{
    fw_show s = fwh_show(q);
    fw_value o;

    if (!q->json)
        return show_again(q, refusals, n, status);
    q->status = status;
    o = fw_pack(q->pool, "{s:s, s:s, s:i, s:s, s:o, s:n}", "type", "/problems/file", "title",
                fw_show_text(&s, "problem.file"), "status", status, "detail",
                n ? fw_show_reason(&s, &refusals[0]) : "", "errors", fwh_errors(q, refusals, n),
                "preview");
    if (u && u->taken.preview)
        fw_set(o, "preview",
               fw_text(apr_pencode_base64_binary(q->pool, (const unsigned char *)u->taken.preview,
                                                 (apr_ssize_t)u->taken.n_preview, APR_ENCODE_NONE,
                                                 NULL)));
    return fwh_page(q, "", o);
}

static const fw_err *tell_taken(fwh_req *q, const fw_result *result, const char *slot)
{
    fw_show s = fwh_show(q);
    apr_array_header_t *missing = NULL;
    fw_case *now = NULL;
    fw_dossier d;
    fw_value files, mine = {0}, f;
    const char *id = fw_show_id_text(&s, result->answer);

    if (!q->json)
        return fwh_redirect(q, edit_href(q, slot), NULL);
    FW_TRY(fw_case_load(q->db, q->kase->id, &now, q->pool));
    FW_TRY(fw_dossier_load(&s, now, false, &d));
    files = fw_show_files(&s, d.service, d.files, d.n_files,
                          apr_psprintf(q->pool, "/cases/%" APR_INT64_T_FMT "/files", now->id));
    fw_each(files, i, f)
    {
        if (strcmp(fw_chars(fw_get(f, "id")), id) == 0)
            mine = f;
    }
    return fwh_page(q, "",
                    fw_pack(q->pool, "{s:s, s:s, s:o, s:i, s:i}", "verdict", "done", "answer", id,
                            "file", fw_is(mine) ? mine : fw_null(), "missing_n",
                            fw_dossier_missing(&s, &d, &missing), "version", now->version));
}

static const fw_err *keep_upload(fwh_req *q, upload *u)
{
    fw_command cmd = fwh_command(q, FW_CMD_CASE_ATTACH, q->kase->id);
    fw_result result = {0};
    const fw_err *err;

    cmd.file = &u->taken.file;
    cmd.body_hash = fwh_body_hash(q, u->taken.came, strlen(u->taken.came));
    err = fwh_perform(q, &cmd, &result);
    /* What no row names has no business in the vault. */
    if (!err && (result.verdict == FW_REFUSED || result.repeated))
        FW_TRY(fw_vault_remove(q->desk->vault, u->taken.file.vault, q->pool));
    FW_TRY(err);
    if (result.verdict == FW_REFUSED && result.code == FW_E_INPUT)
        return tell_refused(q, result.refusals, result.n_refusals, HTTP_UNPROCESSABLE_ENTITY, NULL);
    if (result.verdict == FW_REFUSED)
        return fwh_refused(q, &result);
    return tell_taken(q, &result, u->field->name);
}

/* What a person can mend is told beside the field. */
static const fw_err *judge_failure(fwh_req *q, const upload *u, const fw_err *err)
{
    fw_refusal r = {u->field->name, err->user_key, NULL};

    if (!err->user_key)
        return err;
    /* Many times too long: it was not even read until its own limit. */
    if (strcmp(err->user_key, "body.too_long") == 0 ||
        strcmp(err->user_key, "body.part_too_long") == 0)
        r.key = "file.too_large";
    if (strncmp(r.key, "file.", 5) != 0)
        return err;
    r.args =
        apr_psprintf(q->pool, "{\"max\":\"%s\",\"max_megapixels\":%d}",
                     fw_show_size(&(fw_show){.pool = q->pool}, fw_intake_most(q->desk, u->field)),
                     FW_ATTACHMENT_MEGAPIXELS);
    return tell_refused(q, &r, 1, fwh_status_of(err->code), NULL);
}

const fw_err *fwh_do_file_upload(fwh_req *q)
{
    upload u = {.q = q, .allowed = fwh_token_right(q, NULL)};
    const fw_service *service = NULL;
    const fw_err *err;
    const fw_refusal *refusals;
    int n = 0;

    FW_TRY(fw_desk_service(q->desk, q->db, q->kase->service, q->kase->service_hash, &service,
                           q->pool));
    u.field = fw_service_field(service, q->arg[1]);
    if (!u.field || !fw_field_is_file(u.field))
        return fwh_problem(q, HTTP_NOT_FOUND, "problem.not_found", fw_null());
    fwh_db_give(q);
    err = receive(q, &u);
    FW_TRY(fwh_db_take(q));
    if (err && u.taken.file.vault)
        FW_TRY(fw_vault_remove(q->desk->vault, u.taken.file.vault, q->pool));
    if (err && err->code == FW_E_FORBIDDEN)
        return fwh_problem(q, HTTP_FORBIDDEN, "problem.csrf", fw_null());
    if (err)
        return judge_failure(q, &u, err);
    if (u.taken.problems) {
        refusals = photo_refusals(q, u.taken.problems, &n);
        return tell_refused(q, refusals, n, HTTP_UNPROCESSABLE_ENTITY, &u);
    }
    return keep_upload(q, &u);
}

const fw_err *fwh_do_file_remove(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_CASE_DETACH, q->kase->id);
    fw_file meant = {.id = fwh_id(q->arg[1])};
    fw_result result = {0};

    (void)fwh_take(q, "version");
    FW_TRY(fwh_fields_end(q));
    cmd.file = &meant;
    FW_TRY(fwh_perform(q, &cmd, &result));
    return fwh_result(q, &result, edit_href(q, ""), "file_removed");
}

/* ---- handing out ---- */

static const fw_err *load_file(fwh_req *q, fw_file **out)
{
    fw_file *f = NULL;

    FW_TRY(fw_file_load(q->db, fwh_id(q->arg[1]), &f, q->pool));
    if (f->case_id != q->kase->id)
        return FW_ERR(q->pool, FW_E_NOTFOUND, 0, "a file of another case");
    *out = f;
    return NULL;
}

/* What is locked away, or not to be had by this reader yet, is told as such: that it is there they may know. */
static const fw_err *refuse_file(fwh_req *q, const fw_file *f)
{
    if (f->scan == FW_SCAN_INFECTED)
        return fwh_problem(q, HTTP_GONE, "file.quarantined", fw_null());
    return fwh_problem(q, HTTP_CONFLICT, "file.unchecked", fw_null());
}

const fw_err *fwh_do_file(fwh_req *q)
{
    fw_file *f = NULL;

    FW_TRY(load_file(q, &f));
    if (!fw_access_file(&q->actor, f))
        return refuse_file(q, f);
    return fwh_vault_file(q, f->vault, f->mime, f->name);
}

const fw_err *fwh_do_document(fwh_req *q)
{
    fw_show s = fwh_show(q);
    fw_document *doc = NULL;
    bool may;

    FW_TRY(fw_document_load(q->db, fwh_id(q->arg[1]), &doc, q->pool));
    FW_TRY(fw_show_may_read(&s, q->kase, doc, &may));
    if (!may || (doc->case_id != q->kase->id &&
                 (!doc->payment_id || doc->payment_id != q->kase->payment_id)))
        return fwh_problem(q, HTTP_NOT_FOUND, "problem.not_found", fw_null());
    return fwh_vault_file(q, doc->vault, "application/pdf",
                          apr_psprintf(q->pool, "%s-%s.pdf", doc->kind, doc->number));
}

/* The whole file in memory: of what is shown as a picture, within a limit. */
static const fw_err *read_whole(fwh_req *q, const fw_file *f, const char **bytes, apr_size_t *n)
{
    fw_vault_reader *reader = NULL;
    const unsigned char *data;
    size_t got = 1;
    char *out;

    if (f->size > (int64_t)VIEW_SOURCE)
        return FW_ERR(q->pool, FW_E_LIMIT, 0, "too large to be shown");
    FW_TRY(fw_vault_read_open(&reader, q->desk->vault, f->vault, q->pool));
    out = apr_palloc(q->pool, (apr_size_t)f->size + 1);
    *n = 0;
    while (got > 0) {
        FW_TRY(fw_vault_read(reader, &data, &got));
        if (*n + got > (apr_size_t)f->size)
            return FW_ERR(q->pool, FW_E_CORRUPT, 0, "a file is longer than its row says");
        memcpy(out + *n, data, got);
        *n += got;
    }
    *bytes = out;
    return NULL;
}

const fw_err *fwh_do_review_view(fwh_req *q)
{
    fw_file *f = NULL;
    const char *bytes = NULL, *jpeg = NULL;
    apr_size_t n = 0, n_jpeg = 0;
    json_t *answer = NULL;
    int page = strlen(q->arg[2]) < 6 ? (int)fwh_id(q->arg[2]) : 0;

    FW_TRY(load_file(q, &f));
    if (!fw_access_file(&q->actor, f))
        return refuse_file(q, f);
    if (strcmp(f->mime, "application/pdf") != 0)
        return fwh_vault_file(q, f->vault, f->mime, f->name);
    fwh_db_give(q);
    FW_TRY(read_whole(q, f, &bytes, &n));
    FW_TRY(fw_pictures_page(q->desk->run_dir, bytes, n, page, VIEW_PIXELS, &answer, &jpeg, &n_jpeg,
                            q->pool));
    json_decref(answer);
    if (!jpeg)
        return fwh_problem(q, HTTP_UNPROCESSABLE_ENTITY, "pdf.unreadable", fw_null());
    return fwh_bytes(q, "image/jpeg", jpeg, n_jpeg);
}
