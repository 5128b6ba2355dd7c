#include "fw_config.h"
#include "fww_plugin_log.h"
#include "fww_log.h"
#include "fww_plugin_call.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define LOG_FD_LEAST 64 /* out of the way of a plugin that closes what it finds */

static struct {
    pthread_mutex_t mutex;
    int64_t filled_ms; /* when `room` was last reckoned; 0: never */
    int64_t room;      /* thousandths of a line */
    long left_out;
} flood = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static struct {
    const fww_role_env *env;
    const char *name;
    pthread_t thread;
    int from; /* the pipe's end */
    bool runs;
} capture;

static bool has_room(void)
{
    int64_t now = fww_call_clock_ms();
    bool out;

    pthread_mutex_lock(&flood.mutex);
    flood.room += flood.filled_ms ? (now - flood.filled_ms) * FWW_SAY_PER_S : FWW_SAY_BURST * 1000;
    if (flood.room > FWW_SAY_BURST * 1000)
        flood.room = FWW_SAY_BURST * 1000;
    flood.filled_ms = now;
    out = flood.room >= 1000;
    flood.room -= out ? 1000 : 0;
    flood.left_out += !out;
    pthread_mutex_unlock(&flood.mutex);
    return out;
}

void fww_plugin_say(const fww_role_env *env, const char *name, int level, const char *line)
{
    if (!has_room())
        return;
    fww_plugin_say_rest(env, name);
    env->log(level, "plugin %s: %s", name, line);
}

void fww_plugin_say_rest(const fww_role_env *env, const char *name)
{
    long n;

    pthread_mutex_lock(&flood.mutex);
    n = flood.left_out;
    flood.left_out = 0;
    pthread_mutex_unlock(&flood.mutex);
    if (n > 0)
        env->log(FWP_LOG_WARNING, "plugin %s: %ld lines of it are left out here", name, n);
}

/* ---- what it prints ---- */

static void say_printed(const char *line)
{
    char text[FWW_SAY_BYTES + 16] = "prints: ";

    if (!*line)
        return;
    strncat(text, line, sizeof(text) - strlen(text) - 1);
    fww_plugin_say(capture.env, capture.name, FWP_LOG_WARNING, text);
}

static void *read_prints(void *unused)
{
    char buf[FWW_SAY_BYTES + 1];
    size_t n = 0;

    (void)unused;
    for (;;) {
        ssize_t got = read(capture.from, buf + n, FWW_SAY_BYTES - n);
        char *end;

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        for (ssize_t i = 0; i < got; i++)
            if (buf[n + (size_t)i] == '\0')
                buf[n + (size_t)i] = ' ';
        n += (size_t)got;
        buf[n] = '\0';
        for (end = strchr(buf, '\n'); end; end = strchr(buf, '\n')) {
            *end = '\0';
            say_printed(buf);
            n -= (size_t)(end + 1 - buf);
            memmove(buf, end + 1, n + 1);
        }
        if (n == FWW_SAY_BYTES) {
            say_printed(buf);
            n = 0;
        }
    }
    buf[n] = '\0';
    say_printed(buf);
    return NULL;
}

bool fww_plugin_capture(const fww_role_env *env, const char *name)
{
    int ends[2], log_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, LOG_FD_LEAST);

    capture.env = env;
    capture.name = name;
    if (log_fd < 0 || pipe2(ends, O_CLOEXEC) != 0) {
        env->log(FWP_LOG_ERROR, "plugin %s: no descriptors for its log", name);
        return false;
    }
    fww_log_to(log_fd);
    capture.from = fcntl(ends[0], F_DUPFD_CLOEXEC, LOG_FD_LEAST);
    close(ends[0]);
    if (dup2(ends[1], STDOUT_FILENO) < 0 || dup2(ends[1], STDERR_FILENO) < 0 ||
        pthread_create(&capture.thread, NULL, read_prints, NULL) != 0) {
        env->log(FWP_LOG_ERROR, "plugin %s: what it prints cannot be read", name);
        return false;
    }
    close(ends[1]);
    capture.runs = true;
    return true;
}

void fww_plugin_capture_end(void)
{
    if (!capture.runs)
        return;
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
    pthread_join(capture.thread, NULL);
    capture.runs = false;
    fww_plugin_say_rest(capture.env, capture.name);
}
