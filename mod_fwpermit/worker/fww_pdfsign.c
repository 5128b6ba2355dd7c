#include "fw_config.h"
#include "fww_pdfsign.h"
#include "fww_pdfread.h"

#include <string.h>

#include <apr_strings.h>
#include <openssl/evp.h>

#include "fw_sha256.h"

#define PAGE_DEPTH_MAX 16
#define CLAIM_MAX      400u /* bytes of each claim */
#define RANGE_BLANK    "0 0000000000 0000000000 0000000000"
#define ID_BYTES       16

/* One object that the update writes. */
typedef struct object {
    fww_ref ref;
    size_t offset;
} object;

enum { CATALOGUE, PAGE, FIELD, SIGNATURE, FILESPEC, STATEMENT, OBJECTS };

typedef struct update {
    fww_pdfread file;
    apr_pool_t *pool;
    char *bytes;
    size_t n, room;
    object objects[OBJECTS];
    size_t n_objects; /* without a statement the last two are not there */
    size_t range;     /* where the ByteRange's numbers are */
    size_t hole;
} update;

/* ---- writing ---- */

static void put_bytes(update *u, const char *p, size_t n)
{
    if (n > u->room - u->n) {
        size_t room = 2 * u->room + n;
        char *bytes = apr_palloc(u->pool, room);
        memcpy(bytes, u->bytes, u->n);
        u->bytes = bytes;
        u->room = room;
    }
    memcpy(u->bytes + u->n, p, n);
    u->n += n;
}

static void put(update *u, const char *text)
{
    put_bytes(u, text, strlen(text));
}

static void put_span(update *u, fww_span span)
{
    put_bytes(u, u->file.bytes + span.at, span.end - span.at);
}

static const char *ref_text(const update *u, fww_ref ref)
{
    return apr_psprintf(u->pool, "%u %u R", ref.number, ref.generation);
}

static void begin_object(update *u, object *o)
{
    o->offset = u->n;
    put(u, apr_psprintf(u->pool, "%u %u obj\n", o->ref.number, o->ref.generation));
}

/* A text as the format has it: UTF-16 in hexadecimal, which any letter fits. */
static const fw_err *put_claim(update *u, const char *key, const char *text)
{
    size_t n = text ? strlen(text) : 0;

    if (n == 0)
        return NULL;
    if (n > CLAIM_MAX)
        return FW_ERR(u->pool, FW_E_LIMIT, 0, "signature: %s is too long", key);
    put(u, apr_psprintf(u->pool, " %s <FEFF", key));
    for (size_t i = 0; i < n;) {
        unsigned char c = (unsigned char)text[i];
        size_t more = c < 0x80 ? 0 : c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
        uint32_t v = more == 0 ? c : c & (0x3fu >> more);
        if (c >= 0x80 && (c < 0xc2 || c > 0xf4))
            return FW_ERR(u->pool, FW_E_INPUT, 0, "signature: %s is not UTF-8", key);
        for (size_t k = 1; k <= more; k++) {
            if (((unsigned char)text[i + k] & 0xc0) != 0x80)
                return FW_ERR(u->pool, FW_E_INPUT, 0, "signature: %s is not UTF-8", key);
            v = v << 6 | ((unsigned char)text[i + k] & 0x3fu);
        }
        if (v >= 0x10000)
            put(u, apr_psprintf(u->pool, "%04X%04X", 0xd800 + ((v - 0x10000) >> 10),
                                0xdc00 + ((v - 0x10000) & 0x3ff)));
        else
            put(u, apr_psprintf(u->pool, "%04X", v));
        i += more + 1;
    }
    put(u, ">");
    return NULL;
}

/* ---- what the file has ---- */

static const fw_err *find_page(update *u, fww_span catalogue, object *page, fww_span *dict)
{
    fww_span value, kids;

    if (!fww_pdfread_get(&u->file, catalogue, "/Pages", &value) ||
        !fww_pdfread_ref(&u->file, value, &page->ref))
        return FW_ERR(u->pool, FW_E_INPUT, 0, "PDF: it has no pages");
    for (int depth = 0; depth < PAGE_DEPTH_MAX; depth++) {
        FW_TRY(fww_pdfread_dict(&u->file, page->ref, dict));
        if (fww_pdfread_get(&u->file, *dict, "/Type", &value) &&
            fww_pdfread_is(&u->file, value, "/Page"))
            return NULL;
        if (!fww_pdfread_get(&u->file, *dict, "/Kids", &value))
            return FW_ERR(u->pool, FW_E_INPUT, 0, "PDF: its tree of pages has no page");
        FW_TRY(fww_pdfread_resolve(&u->file, value, &kids));
        if (!fww_pdfread_ref(&u->file, fww_pdfread_first(&u->file, kids), &page->ref))
            return FW_ERR(u->pool, FW_E_INPUT, 0, "PDF: its tree of pages has no page");
    }
    return FW_ERR(u->pool, FW_E_LIMIT, 0, "PDF: its tree of pages is too deep");
}

/* ---- the update's objects ---- */

static const fw_err *put_catalogue(update *u, fww_span dict)
{
    fww_span value;

    if (fww_pdfread_get(&u->file, dict, "/AcroForm", &value))
        return FW_ERR(u->pool, FW_E_INPUT, 0, "PDF: it has a form already");
    if (u->n_objects > FILESPEC && fww_pdfread_get(&u->file, dict, "/Names", &value))
        return FW_ERR(u->pool, FW_E_INPUT, 0, "PDF: it has names already");
    begin_object(u, &u->objects[CATALOGUE]);
    put_span(u, (fww_span){dict.at, dict.end - 2});
    put(u, apr_psprintf(u->pool, " /AcroForm << /Fields [%s] /SigFlags 3 >>",
                        ref_text(u, u->objects[FIELD].ref)));
    if (u->n_objects > FILESPEC)
        put(u, apr_psprintf(
                   u->pool,
                   " /Names << /EmbeddedFiles << /Names [(" FWW_PDFSIGN_STATEMENT ") %s] >> >>"
                   " /AF [%s]",
                   ref_text(u, u->objects[FILESPEC].ref), ref_text(u, u->objects[FILESPEC].ref)));
    put(u, " >>\nendobj\n");
    return NULL;
}

/* The stream's dictionary begins as readers of ours look for it; docs/integrators/verify.md. */
static void put_statement(update *u, const char *statement)
{
    size_t n = strlen(statement);

    begin_object(u, &u->objects[FILESPEC]);
    put(u, apr_psprintf(u->pool,
                        "<</Type/Filespec/F(" FWW_PDFSIGN_STATEMENT ")/UF(" FWW_PDFSIGN_STATEMENT
                        ")/AFRelationship/Data/EF<</F %s/UF %s>>>>\nendobj\n",
                        ref_text(u, u->objects[STATEMENT].ref),
                        ref_text(u, u->objects[STATEMENT].ref)));
    begin_object(u, &u->objects[STATEMENT]);
    put(u, apr_psprintf(u->pool,
                        "<</Type/EmbeddedFile/Subtype/application#2Fjson/Length %" APR_SIZE_T_FMT
                        "/Params<</Size %" APR_SIZE_T_FMT ">>>>\nstream\n",
                        n, n));
    put_bytes(u, statement, n);
    put(u, "\nendstream\nendobj\n");
}

static const fw_err *put_page(update *u, fww_span dict)
{
    fww_span value, list;
    const char *field = ref_text(u, u->objects[FIELD].ref);

    begin_object(u, &u->objects[PAGE]);
    if (!fww_pdfread_get(&u->file, dict, "/Annots", &value)) {
        put_span(u, (fww_span){dict.at, dict.end - 2});
        put(u, apr_psprintf(u->pool, " /Annots [%s] >>\nendobj\n", field));
        return NULL;
    }
    FW_TRY(fww_pdfread_resolve(&u->file, value, &list));
    if (u->file.bytes[list.at] != '[')
        return FW_ERR(u->pool, FW_E_INPUT, 0, "PDF: a page's annotations are no list");
    put_span(u, (fww_span){dict.at, value.at});
    put_span(u, (fww_span){list.at, list.end - 1});
    put(u, apr_psprintf(u->pool, " %s]", field));
    put_span(u, (fww_span){value.end, dict.end});
    put(u, "\nendobj\n");
    return NULL;
}

static void put_field(update *u)
{
    begin_object(u, &u->objects[FIELD]);
    put(u, apr_psprintf(u->pool,
                        "<< /Type /Annot /Subtype /Widget /FT /Sig /T (Signature1) /V %s /P %s"
                        " /Rect [0 0 0 0] /F 132 >>\nendobj\n",
                        ref_text(u, u->objects[SIGNATURE].ref), ref_text(u, u->objects[PAGE].ref)));
}

static const fw_err *put_signature(update *u, const fww_pdfsign_claim *claim, apr_time_t when)
{
    apr_time_exp_t t;
    char *zeros = apr_palloc(u->pool, 2 * FWW_PDFSIGN_ROOM);

    memset(zeros, '0', 2 * FWW_PDFSIGN_ROOM);
    apr_time_exp_tz(&t, when, 8 * 3600);
    begin_object(u, &u->objects[SIGNATURE]);
    put(u, "<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached");
    put(u, apr_psprintf(u->pool, " /M (D:%04d%02d%02d%02d%02d%02d+08'00')", t.tm_year + 1900,
                        t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec));
    FW_TRY(put_claim(u, "/Name", claim->name));
    FW_TRY(put_claim(u, "/Reason", claim->reason));
    FW_TRY(put_claim(u, "/Location", claim->location));
    put(u, " /ByteRange [");
    u->range = u->n;
    put(u, RANGE_BLANK "] /Contents ");
    u->hole = u->n;
    put(u, "<");
    put_bytes(u, zeros, 2 * FWW_PDFSIGN_ROOM);
    put(u, "> >>\nendobj\n");
    return NULL;
}

/* ---- its table and trailer ---- */

static void put_table(update *u)
{
    object *sorted[OBJECTS];
    size_t n = u->n_objects;

    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        for (; at > 0 && sorted[at - 1]->ref.number > u->objects[i].ref.number; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = &u->objects[i];
    }
    put(u, "xref\n");
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from + 1;
             to < n && sorted[to]->ref.number == sorted[from]->ref.number + (unsigned)(to - from);)
            to++;
        put(u, apr_psprintf(u->pool, "%u %u\n", sorted[from]->ref.number, (unsigned)(to - from)));
        for (size_t i = from; i < to; i++)
            put(u, apr_psprintf(u->pool, "%010" APR_SIZE_T_FMT " %05u n\r\n", sorted[i]->offset,
                                sorted[i]->ref.generation));
    }
}

/* The file's identifier: its first part stays, the second tells this revision. */
static const fw_err *put_id(update *u)
{
    const char *hex = apr_pstrmemdup(u->pool, fw_sha256_hex(u->bytes, u->n, u->pool), 2 * ID_BYTES);
    fww_span value, list, first = {0, 0};

    if (fww_pdfread_get(&u->file, u->file.trailer, "/ID", &value)) {
        FW_TRY(fww_pdfread_resolve(&u->file, value, &list));
        first = fww_pdfread_first(&u->file, list);
    }
    put(u, " /ID [");
    if (first.end > first.at)
        put_span(u, first);
    else
        put(u, apr_psprintf(u->pool, "<%s>", hex));
    put(u, apr_psprintf(u->pool, " <%s>]", hex));
    return NULL;
}

static const fw_err *put_trailer(update *u, size_t size)
{
    size_t table = u->n;
    fww_span info;

    put_table(u);
    put(u, apr_psprintf(u->pool,
                        "trailer\n<< /Size %" APR_SIZE_T_FMT " /Root %s /Prev %" APR_SIZE_T_FMT,
                        size + u->n_objects - FIELD, ref_text(u, u->objects[CATALOGUE].ref),
                        u->file.startxref));
    if (fww_pdfread_get(&u->file, u->file.trailer, "/Info", &info)) {
        put(u, " /Info ");
        put_span(u, info);
    }
    FW_TRY(put_id(u));
    put(u, apr_psprintf(u->pool, " >>\nstartxref\n%" APR_SIZE_T_FMT "\n%%%%EOF\n", table));
    return NULL;
}

static const fw_err *write_update(update *u, const fww_pdfsign_claim *claim, apr_time_t when)
{
    fww_span value, catalogue, page;
    size_t size;

    if (!fww_pdfread_get(&u->file, u->file.trailer, "/Root", &value) ||
        !fww_pdfread_ref(&u->file, value, &u->objects[CATALOGUE].ref))
        return FW_ERR(u->pool, FW_E_INPUT, 0, "PDF: it has no catalogue");
    if (!fww_pdfread_get(&u->file, u->file.trailer, "/Size", &value) ||
        !fww_pdfread_uint(&u->file, value, &size) || size < (size_t)u->file.table->nelts)
        return FW_ERR(u->pool, FW_E_INPUT, 0, "PDF: its size is wrong");
    if (size > INT32_MAX - OBJECTS)
        return FW_ERR(u->pool, FW_E_LIMIT, 0, "PDF: too many objects");
    u->n_objects = claim->statement ? OBJECTS : FILESPEC;
    for (size_t i = FIELD; i < u->n_objects; i++)
        u->objects[i].ref = (fww_ref){(unsigned)(size + i - FIELD), 0};
    FW_TRY(fww_pdfread_dict(&u->file, u->objects[CATALOGUE].ref, &catalogue));
    FW_TRY(find_page(u, catalogue, &u->objects[PAGE], &page));
    put_bytes(u, u->file.bytes, u->file.n);
    if (u->bytes[u->n - 1] != '\n')
        put(u, "\n");
    FW_TRY(put_catalogue(u, catalogue));
    FW_TRY(put_page(u, page));
    put_field(u);
    FW_TRY(put_signature(u, claim, when));
    if (claim->statement)
        put_statement(u, claim->statement);
    return put_trailer(u, size);
}

static void patch_range(update *u, size_t after)
{
    size_t room = strlen(RANGE_BLANK);
    const char *text =
        apr_psprintf(u->pool, "0 %" APR_SIZE_T_FMT " %" APR_SIZE_T_FMT " %" APR_SIZE_T_FMT, u->hole,
                     after, u->n - after);

    memset(u->bytes + u->range, ' ', room);
    memcpy(u->bytes + u->range, text, strlen(text));
}

const fw_err *fww_pdfsign_prepare(fww_pdfsign *s, const char *pdf, size_t n,
                                  const fww_pdfsign_claim *claim, apr_time_t when, apr_pool_t *pool)
{
    update u = {.pool = pool};
    size_t after;

    if (n > FWW_PDFSIGN_MAX)
        return FW_ERR(pool, FW_E_LIMIT, 0, "PDF: %" APR_SIZE_T_FMT " bytes", n);
    FW_TRY(fww_pdfread_open(&u.file, pdf, n, pool));
    u.room = n + 2 * FWW_PDFSIGN_ROOM + 16384;
    u.bytes = apr_palloc(pool, u.room);
    FW_TRY(write_update(&u, claim, when));
    after = u.hole + 2 * FWW_PDFSIGN_ROOM + 2;
    patch_range(&u, after);
    *s = (fww_pdfsign){.pdf = u.bytes, .n = u.n, .hole = u.hole, .hole_end = after};
    s->n_to_sign = u.n - (after - u.hole);
    s->to_sign = apr_palloc(pool, s->n_to_sign);
    memcpy(s->to_sign, u.bytes, u.hole);
    memcpy(s->to_sign + u.hole, u.bytes + after, u.n - after);
    return NULL;
}

const fw_err *fww_pdfsign_finish(fww_pdfsign *s, const void *der, size_t n_der, apr_pool_t *pool)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *from = der;
    char *to = s->pdf + s->hole + 1;

    if (n_der == 0 || n_der > FWW_PDFSIGN_ROOM)
        return FW_ERR(pool, FW_E_LIMIT, 0, "signature of %" APR_SIZE_T_FMT " bytes", n_der);
    for (size_t i = 0; i < n_der; i++) {
        *to++ = digits[from[i] >> 4];
        *to++ = digits[from[i] & 15];
    }
    return NULL;
}
