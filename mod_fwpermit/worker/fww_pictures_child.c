#include "fw_config.h"
#include "fww_pictures_child.h"
#include "fww_page.h"
#include "fww_pdf.h"
#include "fww_plugin_frame.h"

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define FD_FIRST    3  /* after the standard ones */
#define FILES_MAX   16 /* open files; a decoder needs none */
#define CHILD_DONE  0
#define CHILD_AWAY  1 /* nobody asked, or nobody waited for the answer */
#define CHILD_FAILS 2

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true /* needs all address space, and its reports */
#else
#define SANITIZED false
#endif

/* ---- walls around the decoder ---- */

static size_t mapped_now(void)
{
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    if (!f)
        return 0;
    if (fscanf(f, "%lu", &pages) != 1)
        pages = 0;
    fclose(f);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static bool limit_to(__rlimit_resource_t what, size_t most)
{
    struct rlimit r = {.rlim_cur = most, .rlim_max = most};
    return setrlimit(what, &r) == 0;
}

/* Leaves the standard files, which become /dev/null, and moves both of ours behind them. */
static bool close_the_rest(int *fd, int *progress)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC), a, b;

    if (null < 0)
        return false;
    for (int i = 0; i < (SANITIZED ? STDERR_FILENO : FD_FIRST); i++)
        if (dup2(null, i) < 0)
            return false;
    /* First out of the way of each other, then down. */
    a = fcntl(*fd, F_DUPFD_CLOEXEC, FILES_MAX);
    b = fcntl(*progress, F_DUPFD_CLOEXEC, FILES_MAX);
    if (a < 0 || b < 0 || dup2(a, FD_FIRST) < 0 || dup2(b, FD_FIRST + 1) < 0)
        return false;
    *fd = FD_FIRST;
    *progress = FD_FIRST + 1;
    return close_range(FD_FIRST + 2, ~0u, 0) == 0;
}

/* Without the right to write files, to gain rights, to leave a core, or to outlive the role. */
static bool wall_in(const fww_child_limits *limits)
{
    size_t mapped = mapped_now();

    signal(SIGTERM, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    mallopt(M_ARENA_MAX, 1); /* each further one reserves 64 MiB */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_DUMPABLE, 0) != 0)
        return false;
    if (!limit_to(RLIMIT_CORE, 0) || !limit_to(RLIMIT_FSIZE, 0) ||
        !limit_to(RLIMIT_NOFILE, FILES_MAX) || !limit_to(RLIMIT_CPU, (size_t)limits->cpu_seconds))
        return false;
    return SANITIZED || (mapped > 0 && limit_to(RLIMIT_AS, mapped + limits->memory));
}

/* ---- one request ---- */

static const char *error_name(fw_code_e code)
{
    if (code == FW_E_INPUT)
        return "input";
    return code == FW_E_LIMIT ? "limit" : "internal";
}

static bool is_op(const char *op, const char *name)
{
    return op && strcmp(op, name) == 0;
}

static const fw_err *draw_page(const json_t *request, const char *blob, size_t n,
                               const fww_photo_rules *rules, fww_photo_result *out,
                               apr_pool_t *pool)
{
    json_int_t page = json_integer_value(json_object_get(request, "page"));
    json_int_t size = json_integer_value(json_object_get(request, "size"));

    if (page < 1 || page > INT32_MAX || size < 1 || size > INT32_MAX)
        return FW_ERR(pool, FW_E_INPUT, 0, "no page or no size");
    return fww_page_draw(&(fww_page){blob, n, (int)page, (int)size}, rules, out, pool);
}

static const fw_err *draw_paper(const json_t *request, const char *blob, size_t n,
                                fww_photo_result *out, apr_pool_t *pool)
{
    fww_pdf pdf;

    FW_TRY(fww_pdf_render(json_object_get(request, "model"), n ? blob : NULL, n, &pdf, pool));
    out->jpeg = pdf.bytes;
    out->n_jpeg = pdf.n;
    out->answer = json_pack("{s:b, s:[], s:{s:i, s:i}}", "ok", 1, "problems", "measures", "pages",
                            pdf.pages, "unknown", pdf.unknown);
    return NULL;
}

/* The answer to a request, always one; *out may have a JPEG. */
static json_t *serve(const json_t *request, const char *blob, size_t n,
                     const fww_photo_rules *rules, fww_photo_result *out, apr_pool_t *pool)
{
    const char *op = json_string_value(json_object_get(request, "op"));
    json_int_t size = json_integer_value(json_object_get(request, "size"));
    const fw_err *err;

    *out = (fww_photo_result){.ok = false};
    if (is_op(op, "health"))
        return json_pack("{s:b, s:[], s:{}}", "ok", 1, "problems", "measures");
    if (is_op(op, "photo"))
        err = fww_photo_check(blob, n, rules, out, pool);
    else if (is_op(op, "page"))
        err = draw_page(request, blob, n, rules, out, pool);
    else if (is_op(op, "paper"))
        err = draw_paper(request, blob, n, out, pool);
    else if (is_op(op, "thumb") && size > 0 && size < INT32_MAX)
        err = fww_photo_thumb(blob, n, (int)size, rules, out, pool);
    else
        err = FW_ERR(pool, FW_E_INPUT, 0, "no such request");
    if (err)
        return json_pack("{s:s, s:s}", "error", error_name(err->code), "reason", err->msg);
    return out->answer;
}

static bool tell(int progress, char how_far)
{
    return write(progress, &how_far, 1) == 1;
}

static char how_far(const json_t *request)
{
    const char *op = json_string_value(json_object_get(request, "op"));

    if (is_op(op, "paper"))
        return FWW_CHILD_DRAWS;
    return is_op(op, "page") ? FWW_CHILD_LEAFS : FWW_CHILD_DECODES;
}

static int run(int fd, int progress, const fww_photo_rules *rules, apr_pool_t *pool)
{
    json_t *request = NULL, *answer;
    const char *blob = "";
    size_t n = 0;
    fww_photo_result out;

    if (fww_frame_read_blob(fd, FWW_PICTURES_BLOB_MAX, &request, &blob, &n, pool) || !request)
        return CHILD_AWAY;
    if (!tell(progress, how_far(request)))
        return CHILD_FAILS;
    answer = serve(request, blob, n, rules, &out, pool);
    if (!answer || !tell(progress, FWW_CHILD_ANSWERS))
        return CHILD_FAILS;
    if (fww_frame_write_blob(fd, answer, out.jpeg, out.n_jpeg, pool))
        return CHILD_AWAY;
    return CHILD_DONE;
}

void fww_pictures_child(int fd, int progress, const fww_child_limits *limits,
                        const fww_photo_rules *rules, apr_pool_t *pool)
{
    int code = CHILD_FAILS;

    alarm((unsigned)limits->deadline_ms / 1000 + 2); /* should the role be gone before */
    if (close_the_rest(&fd, &progress) && wall_in(limits))
        code = run(fd, progress, rules, pool);
    _exit(code);
}
