#include "fw_config.h"
#include "fww_press.h"

#include <string.h>

#include "fw_frame.h"
#include "fw_wait.h"
#include "fww_pdf.h"
#include "fww_pdfsign.h"
#include "fww_signer_client.h"

#define ROLE        "pictures" /* it draws papers too, each in a process with limits */
#define DRAW_WITHIN apr_time_from_sec(40)

/* ---- the photo ---- */

static const fw_err *read_photo(fww_turn *t, const char *name, const char **bytes, apr_size_t *n)
{
    fw_vault_reader *r = NULL;
    const unsigned char *part = NULL;
    apr_size_t room, got = 0;
    char *out;

    FW_TRY(fw_vault_read_open(&r, t->pump->desk->vault, name, t->pool));
    if (fw_vault_size(r) > FWW_PDF_PHOTO_MAX)
        return FW_ERR(t->pool, FW_E_LIMIT, 0, "a photo of too many bytes");
    room = (apr_size_t)fw_vault_size(r);
    out = apr_palloc(t->pool, room + 1);
    *n = 0;
    do {
        FW_TRY(fw_vault_read(r, &part, &got));
        if (got > room - *n)
            return FW_ERR(t->pool, FW_E_CORRUPT, 0, "a photo longer than it says");
        memcpy(out + *n, part, got);
        *n += got;
    } while (got > 0);
    *bytes = out;
    return NULL;
}

/* ---- drawing ---- */

static const fw_err *error_of(const fww_turn *t, const json_t *answer)
{
    const char *error = json_string_value(json_object_get(answer, "error"));
    const char *reason = json_string_value(json_object_get(answer, "reason"));
    fw_code_e code = FW_E_INTERNAL;

    if (json_is_true(json_object_get(answer, "ok")))
        return NULL;
    if (error && strcmp(error, "input") == 0)
        code = FW_E_INPUT;
    if (error && strcmp(error, "limit") == 0)
        code = FW_E_LIMIT;
    return FW_ERR(t->pool, code, 0, "paper: %s", reason ? reason : "it was not drawn");
}

static const fw_err *draw(fww_turn *t, json_t *model, const char *photo, apr_size_t n_photo,
                          const char **pdf, apr_size_t *n_pdf)
{
    apr_time_t due = fw_monotonic() + DRAW_WITHIN;
    json_t *request = json_pack("{s:s, s:O}", "op", "paper", "model", model), *answer = NULL;
    const fw_err *err;
    int fd = -1;

    err = fw_frame_connect(t->pump->desk->run_dir, ROLE, due, &fd, t->pool);
    if (!err) {
        err = fw_frame_write(fd, due, request, photo, n_photo, t->pool);
        if (!err)
            err = fw_frame_read(fd, due, FWW_PDF_MAX, &answer, pdf, n_pdf, t->pool);
        fw_frame_close(fd, t->pool);
    }
    json_decref(request);
    FW_TRY(err);
    err = error_of(t, answer);
    json_decref(answer);
    return err;
}

/* ---- signing, keeping ---- */

static const fw_err *sign(fww_turn *t, const fww_pressing *p, const char *pdf, apr_size_t n,
                          fww_pdfsign *out)
{
    const fw_settings *site = t->pump->env->site;
    fww_pdfsign_claim claim = {site->agency_en, p->reason, NULL, p->statement};
    const char *der = NULL;
    apr_size_t n_der = 0;

    FW_TRY(fww_pdfsign_prepare(out, pdf, n, &claim, apr_time_now(), t->pool));
    FW_TRY(fww_signer_cms(t->pump->desk->run_dir, p->key, out->to_sign, out->n_to_sign, &der,
                          &n_der, t->pool));
    return fww_pdfsign_finish(out, der, n_der, t->pool);
}

static const fw_err *put_away(fww_turn *t, const fww_pdfsign *s, fw_document *out)
{
    fw_vault_writer *w = NULL;

    FW_TRY(fw_vault_create(&w, t->pump->desk->vault, t->pool));
    FW_TRY(fw_vault_write(w, s->pdf, s->n));
    return fw_vault_finish(w, &out->vault, &out->size, &out->sha256, t->pool);
}

static const fw_err *make(fww_turn *t, const fww_pressing *p, fw_document *out)
{
    const char *photo = NULL, *pdf = NULL;
    apr_size_t n_photo = 0, n_pdf = 0;
    fww_pdfsign signing;

    if (!p->model || !p->statement)
        return FW_ERR(t->pool, FW_E_INPUT, 0, "a paper that is not UTF-8");
    if (p->photo)
        FW_TRY(read_photo(t, p->photo, &photo, &n_photo));
    FW_TRY(draw(t, p->model, photo, n_photo, &pdf, &n_pdf));
    FW_TRY(sign(t, p, pdf, n_pdf, &signing));
    return put_away(t, &signing, out);
}

const fw_err *fww_press_make(fww_turn *t, const fww_pressing *p, fw_document *out)
{
    const fw_err *err = make(t, p, out);

    json_decref(p->model);
    return err;
}
