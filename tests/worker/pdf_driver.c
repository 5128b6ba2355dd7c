/* Drives papers and signatures for tests/worker/run:
 *   pdf_driver photo OUT.png|OUT.jpg            draws a portrait
 *   pdf_driver mend PHOTO OUT                   the photo as the vault keeps it
 *   pdf_driver render MODEL PHOTO|- FONTS|- OUT prints {"pages":…,"unknown":…}
 *   pdf_driver signer SETTINGS RUN_DIR          is the signer until SIGTERM
 *   pdf_driver seal RUN_DIR KEY IN OUT UNIX     signs a PDF through the signer
 *   pdf_driver ask RUN_DIR OP KEY IN OUT        what a client asks: cms, sign, cert
 *   pdf_driver stamp RUN_DIR HOLDER OUT         builds a permit's visible seal through the signer
 *   pdf_driver qr TEXT                          prints the modules of its code
 *   pdf_driver mangle IN SEED COUNT             prepares so many damaged copies
 * An error is one line on standard error, "CODE text", and the exit code 3. */
#include "fw_config.h"
#include "fww_pdf.h"
#include "fww_pdfsign.h"
#include "fww_photo.h"
#include "fww_seal.h"
#include "fww_signer.h"
#include "fww_signer_client.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <cairo.h>
#include <pango/pangocairo.h>
#include <qrencode.h>
#include <vips/vips.h>

static volatile sig_atomic_t stop;

static void on_term(int sig)
{
    (void)sig;
    stop = 1;
}

static void say(int level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(int level, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fprintf(stderr, "%d ", level);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
}

static int fail(const fw_err *err, apr_pool_t *pool)
{
    fprintf(stderr, "%d %s\n", (int)err->code, fw_err_text(err, pool));
    return 3;
}

static char *slurp(const char *path, size_t *n, apr_pool_t *pool)
{
    apr_file_t *f;
    apr_finfo_t info;
    char *bytes;

    if (apr_file_open(&f, path, APR_FOPEN_READ | APR_FOPEN_BINARY, 0, pool) != APR_SUCCESS ||
        apr_file_info_get(&info, APR_FINFO_SIZE, f) != APR_SUCCESS)
        return NULL;
    *n = (size_t)info.size;
    bytes = malloc(*n > 0 ? *n : 1); /* malloc: a reader beyond the end is seen by the sanitizers */
    if (*n > 0 && apr_file_read_full(f, bytes, *n, NULL) != APR_SUCCESS) {
        free(bytes);
        return NULL;
    }
    return bytes;
}

static int spill(const char *path, const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");

    if (!f)
        return 1;
    if (fwrite(bytes, 1, n, f) != n) {
        fclose(f);
        return 1;
    }
    return fclose(f) != 0;
}

/* ---- a portrait ---- */

static void oval(cairo_t *cr, double x, double y, double rx, double ry, const double colour[3])
{
    cairo_save(cr);
    cairo_translate(cr, x, y);
    cairo_scale(cr, rx, ry);
    cairo_arc(cr, 0, 0, 1, 0, 2 * G_PI);
    cairo_restore(cr);
    cairo_set_source_rgb(cr, colour[0], colour[1], colour[2]);
    cairo_fill(cr);
}

static cairo_surface_t *portrait(void)
{
    static const double skin[3] = {0.86, 0.68, 0.55}, hair[3] = {0.13, 0.10, 0.09},
                        cloth[3] = {0.22, 0.31, 0.45}, lip[3] = {0.72, 0.38, 0.36},
                        neck[3] = {0.80, 0.61, 0.49};
    cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 700, 900);
    cairo_t *cr = cairo_create(s);

    cairo_set_source_rgb(cr, 0.97, 0.97, 0.98);
    cairo_paint(cr);
    oval(cr, 350, 930, 300, 240, cloth);
    oval(cr, 350, 700, 78, 120, neck);
    oval(cr, 350, 375, 195, 235, hair);
    oval(cr, 350, 430, 165, 218, skin);
    oval(cr, 350, 262, 158, 82, hair);
    oval(cr, 288, 410, 20, 11, hair);
    oval(cr, 412, 410, 20, 11, hair);
    oval(cr, 350, 486, 15, 30, neck);
    oval(cr, 350, 556, 44, 12, lip);
    cairo_destroy(cr);
    return s;
}

/* A PNG, or a JPEG that says where it was made. */
static int draw_photo(const char *path, apr_pool_t *pool)
{
    cairo_surface_t *s = portrait();
    const char *png = apr_pstrcat(pool, path, ".png", NULL);
    VipsImage *in = NULL, *out = NULL;
    int rc;

    if (strstr(path, ".png")) {
        rc = cairo_surface_write_to_png(s, path) != CAIRO_STATUS_SUCCESS;
        cairo_surface_destroy(s);
        return rc;
    }
    rc = cairo_surface_write_to_png(s, png) != CAIRO_STATUS_SUCCESS;
    cairo_surface_destroy(s);
    in = vips_image_new_from_file(png, NULL);
    if (rc || !in || vips_copy(in, &out, NULL) != 0)
        return 1;
    vips_image_set_string(out, "exif-ifd0-Software", "WHEREABOUTS (x, ASCII, 11 components)");
    rc = vips_jpegsave(out, path, "Q", 92, NULL);
    g_object_unref(out);
    g_object_unref(in);
    remove(png);
    return rc != 0;
}

/* ---- commands ---- */

static int mend(const char *from, const char *to, apr_pool_t *pool)
{
    size_t n = 0;
    char *bytes = slurp(from, &n, pool);
    fww_photo_result mended;
    const fw_err *err = fww_photo_check(bytes, n, &fww_photo_rules_default, &mended, pool);

    free(bytes);
    if (err)
        return fail(err, pool);
    json_decref(mended.answer);
    return spill(to, mended.jpeg, mended.n_jpeg);
}

static int render(const char *const *arg, apr_pool_t *pool)
{
    const char *photo = arg[1], *fonts = arg[2], *to = arg[3];
    json_error_t why;
    json_t *doc = json_load_file(arg[0], 0, &why);
    size_t n_photo = 0;
    char *bytes = strcmp(photo, "-") == 0 ? NULL : slurp(photo, &n_photo, pool);
    const fw_err *err;
    fww_pdf pdf;
    int rc = 0;

    if (strcmp(fonts, "-") != 0 && !fww_pdf_fonts(fonts, pool))
        return 1;
    err = fww_pdf_render(doc, bytes, n_photo, &pdf, pool);
    json_decref(doc);
    free(bytes);
    if (err)
        rc = fail(err, pool);
    else if (spill(to, pdf.bytes, pdf.n) != 0)
        rc = 1;
    else
        printf("{\"pages\": %d, \"unknown\": %d}\n", pdf.pages, pdf.unknown);
    pango_cairo_font_map_set_default(NULL);
    return rc;
}

static int be_signer(const char *settings, const char *run_dir, apr_pool_t *pool)
{
    json_error_t why;
    json_t *json = json_load_file(settings, 0, &why);
    fww_role_env env = {
        .pool = pool, .run_dir = run_dir, .settings = json, .stop = &stop, .log = say};
    int rc;

    signal(SIGTERM, on_term);
    rc = fww_signer_main(&env);
    json_decref(json);
    return rc;
}

static int seal(const char *const *arg, apr_pool_t *pool)
{
    static const fww_pdfsign_claim claim = {"內政部移民署 🏛 Agency", "Issued (許可)\\",
                                            NULL, NULL};
    size_t n = 0, n_der;
    char *pdf = slurp(arg[2], &n, pool);
    const char *der;
    const fw_err *err;
    fww_pdfsign s;

    err = fww_pdfsign_prepare(&s, pdf, n, &claim, apr_time_from_sec(atoll(arg[4])), pool);
    if (!err)
        err = fww_signer_cms(arg[0], arg[1], s.to_sign, s.n_to_sign, &der, &n_der, pool);
    if (!err)
        err = fww_pdfsign_finish(&s, der, n_der, pool);
    free(pdf);
    if (err)
        return fail(err, pool);
    return spill(arg[3], s.pdf, s.n);
}

static int ask(const char *const *arg, apr_pool_t *pool)
{
    size_t n = 0, n_out = 0;
    char *bytes = slurp(arg[3], &n, pool);
    const char *out = NULL;
    const fw_err *err;

    if (strcmp(arg[1], "cms") == 0)
        err = fww_signer_cms(arg[0], arg[2], bytes, n, &out, &n_out, pool);
    else if (strcmp(arg[1], "sign") == 0)
        err = fww_signer_sign(arg[0], arg[2], bytes, n, &out, &n_out, pool);
    else
        err = fww_signer_cert(arg[0], arg[2], &out, &n_out, pool);
    free(bytes);
    return err ? fail(err, pool) : spill(arg[4], out, n_out);
}

static int stamp(const char *run_dir, const char *holder, const char *to, apr_pool_t *pool)
{
    json_t *o = json_load_file(holder, 0, NULL);
    const char *valid_from = "", *valid_to = "", *issued = "", *sex = "X";
    fw_mrz mrz = {.code = "AR", .state = "TWN"};
    fww_seal seal = {0};
    const unsigned char *bytes = NULL;
    const fw_err *err;
    size_t n = 0;
    int rc;

    json_unpack(o, "{s:s, s:s, s:s, s:s, s:s, s?s, s?s, s?s, s?s, s?s, s?s}", "signer",
                &seal.signer, "permit_no", &seal.permit_no, "issued", &issued, "valid_from",
                &valid_from, "valid_to", &valid_to, "passport_no", &seal.passport_no, "surname",
                &mrz.surname, "given", &mrz.given, "nationality", &mrz.nationality, "birth",
                &mrz.birth, "sex", &sex);
    mrz.sex = *sex;
    mrz.number = seal.permit_no;
    mrz.expiry = valid_to;
    if (mrz.surname)
        seal.holder = &mrz;
    fw_date_parse(issued, &seal.issued);
    fw_date_parse(valid_from, &seal.valid_from);
    fw_date_parse(valid_to, &seal.valid_to);
    err = fww_seal_make(&seal, run_dir, &bytes, &n, pool);
    rc = err ? fail(err, pool) : spill(to, bytes, n);
    json_decref(o);
    return rc;
}

static int print_qr(const char *text)
{
    QRcode *code = QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);

    for (int y = 0; code && y < code->width; y++) {
        for (int x = 0; x < code->width; x++)
            putchar(code->data[y * code->width + x] & 1 ? '1' : '0');
        putchar('\n');
    }
    if (!code)
        return 1;
    QRcode_free(code);
    return 0;
}

/* Damages what a parser looks at: words and numbers, most of all near the end; or cuts the file. */
static size_t damage(char *pdf, size_t n)
{
    static const char marks[] = "0123456789<>[]()/ %R\nfx";
    size_t from = random() % 2 && n > 3000 ? n - 3000 : 0;

    for (long i = random() % 6; i >= 0; i--)
        pdf[from + (size_t)random() % (n - from)] =
            random() % 4 ? marks[(size_t)random() % (sizeof(marks) - 1)] : (char)random();
    return random() % 5 ? n : (size_t)random() % n;
}

static int mangle(const char *path, const char *seed, const char *count, apr_pool_t *parent)
{
    static const fww_pdfsign_claim claim = {.name = "name"};
    size_t n = 0;
    char *pdf = slurp(path, &n, parent);
    int taken = 0, refused = 0;

    srandom((unsigned)atoi(seed));
    for (int i = atoi(count); i > 0; i--) {
        apr_pool_t *pool;
        fww_pdfsign s;
        char *copy = malloc(n);
        size_t m;

        apr_pool_create(&pool, parent);
        memcpy(copy, pdf, n);
        m = damage(copy, n);
        if (fww_pdfsign_prepare(&s, copy, m, &claim, 0, pool))
            refused++;
        else
            taken++;
        free(copy);
        apr_pool_destroy(pool);
    }
    free(pdf);
    printf("%d taken, %d refused\n", taken, refused);
    return 0;
}

static int run(int argc, const char *const *argv, apr_pool_t *pool)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (strcmp(what, "photo") == 0 && argc == 3)
        return draw_photo(argv[2], pool);
    if (strcmp(what, "mend") == 0 && argc == 4)
        return mend(argv[2], argv[3], pool);
    if (strcmp(what, "render") == 0 && argc == 6)
        return render(argv + 2, pool);
    if (strcmp(what, "signer") == 0 && argc == 4)
        return be_signer(argv[2], argv[3], pool);
    if (strcmp(what, "seal") == 0 && argc == 7)
        return seal(argv + 2, pool);
    if (strcmp(what, "ask") == 0 && argc == 7)
        return ask(argv + 2, pool);
    if (strcmp(what, "stamp") == 0 && argc == 5)
        return stamp(argv[2], argv[3], argv[4], pool);
    if (strcmp(what, "qr") == 0 && argc == 3)
        return print_qr(argv[2]);
    if (strcmp(what, "mangle") == 0 && argc == 5)
        return mangle(argv[2], argv[3], argv[4], pool);
    fprintf(stderr, "not a command: %s\n", what);
    return 2;
}

int main(int argc, const char *const *argv)
{
    apr_pool_t *pool;
    int rc;

    apr_initialize();
    if (VIPS_INIT(argv[0]) != 0)
        return 1;
    fww_photo_init();
    apr_pool_create(&pool, NULL);
    rc = run(argc, argv, pool);
    apr_pool_destroy(pool);
    vips_shutdown();
    apr_terminate();
    return rc;
}
