/* The pictures role and its client: role FOLDER, where the drawn pictures are. One line for each check. */
#include "fw_config.h"
#include "fw_frame.h"
#include "fw_pictures.h"
#include "fw_wait.h"
#include "fww_pictures.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>

static apr_pool_t *pool;
static const char *folder, *run_dir;
static int passed, failed;

static void check(bool good, const char *what)
{
    printf("%s: %s\n", good ? "ok" : "FAIL", what);
    passed += good;
    failed += !good;
}

/* ---- the role as a process ---- */

static volatile sig_atomic_t stop;

static void on_term(int sig)
{
    (void)sig;
    stop = 1;
}

static void log_line(int level, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "role[%d] ", level);
    vfprintf(stderr, fmt, ap);
    fprintf(stderr, "\n");
    va_end(ap);
}

static bool is_there(void)
{
    apr_finfo_t info;
    return apr_stat(&info, apr_pstrcat(pool, run_dir, "/pictures.sock", NULL), APR_FINFO_TYPE,
                    pool) == APR_SUCCESS;
}

static pid_t begin_role(const char *settings)
{
    pid_t pid = fork();
    if (pid == 0) {
        fww_role_env env = {.pool = pool, .run_dir = run_dir, .stop = &stop, .log = log_line};
        struct sigaction a = {.sa_handler = on_term};
        sigaction(SIGTERM, &a, NULL);
        env.settings = json_loads(settings, 0, NULL);
        exit(fww_pictures_main(&env));
    }
    for (int i = 0; i < 200 && !is_there(); i++)
        apr_sleep(20000);
    apr_sleep(100000);
    return pid;
}

static int end_role(pid_t pid)
{
    int status = -1;
    kill(pid, SIGTERM);
    waitpid(pid, &status, 0);
    return status;
}

/* ---- pictures ---- */

static char *slurp(const char *name, apr_size_t *n)
{
    apr_file_t *f;
    apr_finfo_t info;
    char *bytes;
    if (apr_file_open(&f, apr_pstrcat(pool, folder, "/", name, NULL),
                      APR_FOPEN_READ | APR_FOPEN_BINARY, 0, pool) ||
        apr_file_info_get(&info, APR_FINFO_SIZE, f))
        exit(2);
    *n = (apr_size_t)info.size;
    bytes = apr_palloc(pool, *n + 1);
    if (apr_file_read_full(f, bytes, *n, NULL))
        exit(2);
    apr_file_close(f);
    return bytes;
}

static const char *first_problem(const json_t *answer)
{
    const json_t *p = json_array_get(json_object_get(answer, "problems"), 0);
    const char *key = json_string_value(json_object_get(p, "key"));
    return key ? key : "";
}

/* The first problem's key, "ok", or "error N" by the code. */
static const char *photo(const char *name, apr_size_t *n_jpeg)
{
    apr_size_t n, n_out = 0;
    char *bytes = slurp(name, &n);
    const char *jpeg, *found;
    json_t *answer;
    const fw_err *err = fw_pictures_photo(run_dir, bytes, n, &answer, &jpeg, &n_out, pool);
    if (n_jpeg)
        *n_jpeg = n_out;
    if (err)
        return apr_psprintf(pool, "error %d: %s", (int)err->code, fw_err_text(err, pool));
    if (json_is_true(json_object_get(answer, "ok")))
        found = jpeg && n_out > 4 && memcmp(jpeg, "\xff\xd8\xff", 3) == 0 ? "ok"
                                                                          : "ok without a picture";
    else
        found = apr_pstrdup(pool, first_problem(answer));
    json_decref(answer);
    return found;
}

static void expect(const char *name, const char *wanted)
{
    apr_time_t begun = apr_time_now();
    const char *got = photo(name, NULL);
    check(strcmp(got, wanted) == 0,
          apr_psprintf(pool, "%s: %s (wanted %s) in %d ms", name, got, wanted,
                       (int)apr_time_as_msec(apr_time_now() - begun)));
}

static const fw_err *raw(const char *text, const void *blob, apr_size_t n, json_t **answer)
{
    apr_time_t due = fw_monotonic() + apr_time_from_sec(5);
    json_t *request = json_loads(text, 0, NULL);
    const char *out;
    apr_size_t n_out;
    int fd;
    *answer = NULL;
    FW_TRY(fw_frame_connect(run_dir, "pictures", due, &fd, pool));
    FW_TRY(fw_frame_write(fd, due, request, blob, n, pool));
    json_decref(request);
    return fw_frame_read(fd, due, 1048576, answer, &out, &n_out, pool);
}

static bool raw_error(const char *text, const char *wanted)
{
    json_t *answer;
    const char *error;
    if (raw(text, "x", 1, &answer))
        return false;
    error = json_string_value(json_object_get(answer, "error"));
    return error && strcmp(error, wanted) == 0;
}

/* ---- checks ---- */

static void check_answers(void)
{
    static const char *const ops[] = {"{}",
                                      "{\"op\": 1}",
                                      "{\"op\": \"thumb\"}",
                                      "{\"op\": \"thumb\", \"size\": -1}",
                                      "{\"op\": \"thumb\", \"size\": 15}",
                                      "{\"op\": \"thumb\", \"size\": 99999999999}",
                                      "{\"op\": \"exec\"}"};
    json_t *answer;
    expect("size-413x531.jpg", "ok");
    expect("kind.heic", "ok");
    expect("kind-24.bmp", "ok");
    expect("turned-exif-6.jpg", "ok");
    expect("size-412x531.jpg", "photo.too_small");
    expect("cut-off.jpg", "photo.unreadable");
    expect("bomb-30000x30000.png", "photo.too_many_pixels");
    expect("text.jpg", "photo.format");
    expect("nothing", "photo.too_few_bytes");
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
        check(raw_error(ops[i], "input"), apr_psprintf(pool, "refused: %s", ops[i]));
    check(!raw("{\"op\": \"health\"}", "", 0, &answer) &&
              json_is_true(json_object_get(answer, "ok")),
          "health");
}

static void check_large(void)
{
    expect("large-49-megapixels.jpg", "ok");
    expect("large-49-megapixels-progressive.jpg", "ok");
    expect("large-49-megapixels-turned.jpg", "ok");
    expect("large-24-megapixels.heic", "ok");
    expect("large-49-megapixels-interlaced.png", "ok");
}

static void check_thumb(void)
{
    apr_size_t n, n_jpeg;
    char *bytes = slurp("turned-exif-6.jpg", &n);
    const char *jpeg;
    json_t *answer = NULL;
    const fw_err *err = fw_pictures_thumb(run_dir, bytes, n, 96, &answer, &jpeg, &n_jpeg, pool);
    json_t *m = json_object_get(answer, "measures");
    check(!err && jpeg && json_integer_value(json_object_get(m, "height")) == 96 &&
              json_integer_value(json_object_get(m, "width")) == 75,
          "thumb of 96 pixels is 75 x 96, upright");
    bytes = slurp("noise.jpg", &n);
    err = fw_pictures_thumb(run_dir, bytes, n, 96, &answer, &jpeg, &n_jpeg, pool);
    check(!err && !jpeg && strcmp(first_problem(answer), "photo.unreadable") == 0,
          "no thumb of noise");
}

static void check_limits_of_client(void)
{
    json_t *answer;
    const char *jpeg;
    apr_size_t n_jpeg, n = FW_PICTURES_BYTES_MAX + 1;
    char *bytes = apr_pcalloc(pool, n);
    const fw_err *err = fw_pictures_photo(run_dir, bytes, n, &answer, &jpeg, &n_jpeg, pool);
    check(err && err->code == FW_E_LIMIT, "a byte more than 10 MiB is not sent");
    err = fw_pictures_photo(run_dir, bytes, n - 1, &answer, &jpeg, &n_jpeg, pool);
    check(!err && strcmp(first_problem(answer), "photo.format") == 0, "10 MiB of zeros are judged");
}

static void check_parallel(void)
{
    pid_t pids[16];
    int good = 0;
    apr_time_t begun = apr_time_now();
    for (int i = 0; i < 16; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            _exit(strcmp(photo("kind.heic", NULL), "ok") != 0);
    }
    for (int i = 0; i < 16; i++) {
        int status = -1;
        waitpid(pids[i], &status, 0);
        good += status == 0;
    }
    check(good == 16, apr_psprintf(pool, "%d of 16 at once are answered in %d ms", good,
                                   (int)apr_time_as_msec(apr_time_now() - begun)));
}

static void check_rude_clients(void)
{
    int fds[3];
    apr_time_t due = fw_monotonic() + apr_time_from_sec(5);
    for (int i = 0; i < 3; i++) /* they say nothing, or half of it */
        if (fw_frame_connect(run_dir, "pictures", due, &fds[i], pool))
            check(false, "connecting");
    check(write(fds[1], "\0\0\0\x0f{\"op\":", 10) == 10, "half a frame");
    check(write(fds[2], "\xff\xff\xff\xff", 4) == 4, "a frame of 4 GiB");
    expect("size-413x531.jpg", "ok");
    for (int i = 0; i < 3; i++)
        fw_frame_close(fds[i], pool);
    expect("size-413x531.jpg", "ok");
}

/* Sends `sig` to the first child of `parent` that appears, and `after` (0: nothing) to the parent. */
static pid_t assassin(pid_t parent, int sig, int after)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    for (int i = 0; i < 4000; i++) {
        char text[64] = "", path[64];
        snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)parent, (int)parent);
        FILE *f = fopen(path, "r");
        if (f && fgets(text, sizeof(text), f) && strtol(text, NULL, 10) > 0) {
            usleep(60000); /* in the middle of decoding */
            kill((pid_t)strtol(text, NULL, 10), sig);
            _exit(after ? kill(parent, after) : 0);
        }
        if (f)
            fclose(f);
        usleep(500);
    }
    _exit(1);
}

static void check_crashes(void)
{
    pid_t role = begin_role("{\"at_once\": 2}"), killer;
    killer = assassin(role, SIGSEGV, 0);
    expect("large-24-megapixels.heic", "photo.unreadable");
    waitpid(killer, NULL, 0);
    expect("size-413x531.jpg", "ok");
    check(waitpid(role, NULL, WNOHANG) == 0, "the role lives on after a crash");
    kill(role, SIGKILL);
    waitpid(role, NULL, 0);
    check(is_there(), "a killed role leaves its socket");
    check(strncmp(photo("size-413x531.jpg", NULL), "error 8:", 8) == 0 && FW_E_UNAVAILABLE == 8,
          "nobody behind the socket: unavailable");

    role = begin_role("{\"deadline_ms\": 350}");
    expect("size-413x531.jpg", "ok");
    expect("large-24-megapixels.heic", "photo.unreadable");
    expect("size-413x531.jpg", "ok");
    check(end_role(role) == 0, "ended in order");
    role = begin_role("{\"cpu_seconds\": 1, \"memory_mib\": 4}");
    expect("large-24-megapixels.heic", "photo.unreadable");
    check(waitpid(role, NULL, WNOHANG) == 0, "the role lives on after a lack of memory");
    check(end_role(role) == 0, "ended in order");
}

/* Not the picture's fault: it is to be sent again. */
static void check_end_within_a_picture(void)
{
    pid_t role = begin_role("{}"), killer = assassin(role, SIGSTOP, SIGTERM);
    int status = -1;

    check(strncmp(photo("large-24-megapixels.heic", NULL), "error 8:", 8) == 0,
          "what the role's end cut off is unavailable, not unreadable");
    waitpid(killer, NULL, 0);
    check(waitpid(role, &status, 0) == role && status == 0, "ended in order");
}

static void check_settings(void)
{
    pid_t role = begin_role("{\"rules\": {\"min_width\": 900}}");
    int status;
    expect("good-00-short-ffffff.jpg", "photo.too_small");
    check(end_role(role) == 0, "ended in order");
    role = begin_role("{\"rules\": {\"min_widht\": 900}}");
    waitpid(role, &status, 0);
    check(WIFEXITED(status) && WEXITSTATUS(status) == 1, "a rule of an unknown name is refused");
}

int main(int argc, char **argv)
{
    pid_t role;
    apr_time_t begun;

    if (argc != 3)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    apr_initialize();
    apr_pool_create(&pool, NULL);
    folder = argv[1];
    run_dir = argv[2];
    check(strncmp(photo("size-413x531.jpg", NULL), "error 8:", 8) == 0, "no role: unavailable");
    role = begin_role("{}");
    check_answers();
    check_thumb();
    check_limits_of_client();
    check_rude_clients();
    check_parallel();
    check_large();
    begun = apr_time_now();
    check(end_role(role) == 0 && !is_there(), "SIGTERM ends the role and its socket");
    check(apr_time_now() - begun < apr_time_from_sec(3), "within 3 s");
    check_crashes();
    check_end_within_a_picture();
    check_settings();
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}
