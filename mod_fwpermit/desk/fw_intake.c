#include "fw_config.h"
#include "fw_intake.h"

#include <string.h>

#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <magic.h>

#include "fw_call_files.h"
#include "fw_file_name.h"
#include "fw_json.h"
#include "fw_login.h"
#include "fw_picture_size.h"
#include "fw_pictures.h"
#include "fw_sha256.h"

#define IDLE_COOKIES 64
/* What is accepted is known by the bytes it begins with: libmagic's parsers of text, archives and programs see nothing of strangers. */
#define BY_ITS_BYTES_ALONE                                                                       \
    (MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_TAR | MAGIC_NO_CHECK_ELF | MAGIC_NO_CHECK_TEXT |   \
     MAGIC_NO_CHECK_ENCODING | MAGIC_NO_CHECK_TOKENS | MAGIC_NO_CHECK_CDF | MAGIC_NO_CHECK_CSV | \
     MAGIC_NO_CHECK_JSON | MAGIC_NO_CHECK_APPTYPE)
#define PDF_TAIL 1024 /* bytes within which a PDF says that it ends, as viewers look for it */

/* ---- what a file is ---- */

struct fw_sniffer {
    apr_thread_mutex_t *lock;
    magic_t idle[IDLE_COOKIES];
    int n;
};

static apr_status_t close_cookies(void *data)
{
    fw_sniffer *s = data;

    while (s->n > 0)
        magic_close(s->idle[--s->n]);
    return APR_SUCCESS;
}

const fw_err *fw_sniffer_make(fw_sniffer **out, apr_pool_t *pool)
{
    fw_sniffer *s = apr_pcalloc(pool, sizeof(*s));
    apr_status_t rv = apr_thread_mutex_create(&s->lock, APR_THREAD_MUTEX_DEFAULT, pool);

    if (rv)
        return FW_ERR(pool, FW_E_INTERNAL, rv, "no mutex");
    apr_pool_cleanup_register(pool, s, close_cookies, apr_pool_cleanup_null);
    *out = s;
    return NULL;
}

static magic_t open_cookie(void)
{
    magic_t m = magic_open(MAGIC_MIME_TYPE | BY_ITS_BYTES_ALONE);

    if (m && magic_load(m, NULL) != 0) {
        magic_close(m);
        return NULL;
    }
    return m;
}

static magic_t take_cookie(fw_sniffer *s)
{
    magic_t m = NULL;

    apr_thread_mutex_lock(s->lock);
    if (s->n > 0)
        m = s->idle[--s->n];
    apr_thread_mutex_unlock(s->lock);
    return m ? m : open_cookie();
}

static void give_cookie(fw_sniffer *s, magic_t m)
{
    apr_thread_mutex_lock(s->lock);
    if (s->n < IDLE_COOKIES) {
        s->idle[s->n++] = m;
        m = NULL;
    }
    apr_thread_mutex_unlock(s->lock);
    if (m)
        magic_close(m);
}

const fw_err *fw_sniff(fw_sniffer *s, const void *head, apr_size_t n, const char **mime,
                       apr_pool_t *pool)
{
    magic_t m = take_cookie(s);
    const char *type;

    if (!m)
        return FW_ERR(pool, FW_E_UNAVAILABLE, 0, "libmagic's data cannot be loaded");
    type = magic_buffer(m, head, n < FW_SNIFF_BYTES ? n : FW_SNIFF_BYTES);
    *mime = apr_pstrdup(pool, type ? type : "application/octet-stream");
    give_cookie(s, m);
    return NULL;
}

/* ---- taking in ---- */

struct fw_intake {
    const fw_desk *desk;
    fw_sniffer *sniffer;
    const fw_field *field;
    apr_pool_t *pool;
    const char *name;
    int64_t most;
    int64_t size;
    fw_vault_writer *writer; /* NULL for a photo: it is written when it has been judged */
    char *bytes;             /* a photo's, or the head of another file */
    apr_size_t room, have;
    bool photo;
    fw_picture_size picture;
    char tail[PDF_TAIL]; /* the last bytes of a file that is no photo */
    apr_size_t n_tail;
};

int64_t fw_intake_most(const fw_desk *desk, const fw_field *field)
{
    int64_t most = desk->settings->upload_max;

    if (desk->scan_plugin && most > FW_CALL_FILES_BYTES)
        most = FW_CALL_FILES_BYTES;
    return field->max_bytes > 0 && field->max_bytes < most ? field->max_bytes : most;
}

const fw_err *fw_intake_begin(fw_intake **out, const fw_desk *desk, fw_sniffer *sniffer,
                              const fw_field *field, const char *name, apr_pool_t *pool)
{
    fw_intake *in = apr_pcalloc(pool, sizeof(*in));

    in->desk = desk;
    in->sniffer = sniffer;
    in->field = field;
    in->pool = pool;
    in->name = fw_file_name_clean(name ? name : "", pool);
    in->photo = field->type == FW_FIELD_PHOTO;
    in->most = fw_intake_most(desk, field);
    if (in->photo && in->most > (int64_t)FW_PICTURES_BYTES_MAX)
        in->most = FW_PICTURES_BYTES_MAX;
    in->room = in->photo ? 262144 : FW_SNIFF_BYTES;
    in->bytes = apr_palloc(pool, in->room);
    if (!in->photo)
        FW_TRY(fw_vault_create(&in->writer, desk->vault, pool));
    *out = in;
    return NULL;
}

static const fw_err *refuse(const fw_intake *in, fw_code_e code, const char *key)
{
    return fw_err_told(in->pool, code, in->field->name, key);
}

/* A photo is held whole; of another file its head. */
static void hold(fw_intake *in, const char *data, apr_size_t n)
{
    if (!in->photo && n > FW_SNIFF_BYTES - in->have)
        n = FW_SNIFF_BYTES - in->have;
    if (in->have + n > in->room) {
        apr_size_t room = 2 * (in->have + n);
        char *bytes = apr_palloc(in->pool, room);

        memcpy(bytes, in->bytes, in->have);
        in->bytes = bytes;
        in->room = room;
    }
    memcpy(in->bytes + in->have, data, n);
    in->have += n;
}

static void hold_tail(fw_intake *in, const char *data, apr_size_t n)
{
    apr_size_t take = n < PDF_TAIL ? n : PDF_TAIL;
    apr_size_t keep = in->n_tail < PDF_TAIL - take ? in->n_tail : PDF_TAIL - take;

    memmove(in->tail, in->tail + in->n_tail - keep, keep);
    memcpy(in->tail + keep, data + n - take, take);
    in->n_tail = keep + take;
}

const fw_err *fw_intake_feed(fw_intake *in, const void *data, apr_size_t n)
{
    in->size += (int64_t)n;
    if (in->size > in->most)
        return refuse(in, FW_E_LIMIT, "file.too_large");
    hold(in, data, n);
    if (!in->writer)
        return NULL;
    hold_tail(in, data, n);
    fw_picture_size_feed(&in->picture, data, n);
    return fw_vault_write(in->writer, data, n);
}

static bool accepts(const fw_field *f, const char *mime)
{
    size_t n = strlen(mime);
    const char *list = f->accept ? f->accept : "image/jpeg image/png application/pdf";

    for (const char *p = list; p && *p; p = strchr(p, ' ') ? strchr(p, ' ') + 1 : NULL) {
        if (strncmp(p, mime, n) == 0 && (p[n] == ' ' || p[n] == '\0'))
            return true;
    }
    return false;
}

/* Whoever opens it decodes it: by then its size must have been judged. */
static const fw_err *judge_picture(const fw_intake *in)
{
    const fw_picture_size *p = &in->picture;

    if (p->width == 0 || p->height == 0)
        return refuse(in, FW_E_INPUT, "file.incomplete");
    if ((uint64_t)p->width * p->height > FW_ATTACHMENT_MEGAPIXELS * UINT64_C(1000000))
        return refuse(in, FW_E_INPUT, "file.too_many_pixels");
    return NULL;
}

static const fw_err *judge_content(const fw_intake *in, const char *mime)
{
    if (!accepts(in->field, mime))
        return refuse(in, FW_E_INPUT, "file.type");
    if (strncmp(mime, "image/", 6) == 0)
        return judge_picture(in);
    if (strcmp(mime, "application/pdf") == 0 && !memmem(in->tail, in->n_tail, "%%EOF", 5))
        return refuse(in, FW_E_INPUT, "file.incomplete");
    return NULL;
}

static const fw_err *keep_photo(fw_intake *in, const char *jpeg, apr_size_t n, fw_taken_file *out)
{
    FW_TRY(fw_vault_create(&in->writer, in->desk->vault, in->pool));
    FW_TRY(fw_vault_write(in->writer, jpeg, n));
    out->file.mime = "image/jpeg";
    return fw_vault_finish(in->writer, &out->file.vault, &out->file.size, &out->file.sha256,
                           in->pool);
}

static const fw_err *judge_photo(fw_intake *in, fw_taken_file *out)
{
    json_t *answer = NULL;
    const char *jpeg = NULL;
    apr_size_t n = 0;

    FW_TRY(fw_pictures_photo(in->desk->run_dir, in->bytes, in->have, &answer, &jpeg, &n, in->pool));
    fw_json_keep(answer, in->pool);
    if (!json_is_true(json_object_get(answer, "ok"))) {
        out->problems = json_object_get(answer, "problems");
        out->preview = jpeg;
        out->n_preview = n;
        return NULL;
    }
    out->file.measures = fw_json_text(json_object_get(answer, "measures"), JSON_COMPACT, in->pool);
    return keep_photo(in, jpeg, n, out);
}

const fw_err *fw_intake_end(fw_intake *in, fw_taken_file *out)
{
    const fw_err *err;

    *out = (fw_taken_file){0};
    out->file.slot = in->field->name;
    out->file.name = in->name;
    if (in->size == 0)
        return refuse(in, FW_E_INPUT, "file.empty");
    if (in->photo) {
        out->came = fw_sha256_hex(in->bytes, in->have, in->pool);
        return judge_photo(in, out);
    }
    FW_TRY(fw_sniff(in->sniffer, in->bytes, in->have, &out->file.mime, in->pool));
    FW_TRY(judge_content(in, out->file.mime));
    err =
        fw_vault_finish(in->writer, &out->file.vault, &out->file.size, &out->file.sha256, in->pool);
    out->came = out->file.sha256;
    return err;
}
