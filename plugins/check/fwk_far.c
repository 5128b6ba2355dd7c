#include "fw_config.h"
#include "fwk.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fnmatch.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define TAKEN_MAX 262144 /* bytes of one connection that are kept */
#define PATIENCE  20     /* seconds that it waits for the plugin */

/* One connection: what came, and how far the script has read of it. */
typedef struct fwk_talk {
    int fd;
    const fwk_line *line;
    fwk_mode mode;
    char taken[TAKEN_MAX + 1];
    size_t n, read;
} fwk_talk;

void fwk_note(int book, const char *p, size_t n)
{
    uint32_t size = (uint32_t)n;
    struct iovec parts[] = {{&size, sizeof(size)}, {(void *)(uintptr_t)p, n}};

    if (book >= 0 && writev(book, parts, 2) < 0)
        _exit(70);
}

/* More bytes of the plugin's. False: it closed, or says nothing. */
static bool hear(fwk_talk *t)
{
    ssize_t got;

    if (t->n >= TAKEN_MAX)
        return false;
    got = recv(t->fd, t->taken + t->n, TAKEN_MAX - t->n, 0);
    if (got <= 0)
        return false;
    t->n += (size_t)got;
    t->taken[t->n] = 0;
    return true;
}

/* Reads through `end`; its place in what came, or -1. */
static ssize_t read_through(fwk_talk *t, const char *end)
{
    size_t n = strlen(end);
    const char *at = memmem(t->taken + t->read, t->n - t->read, end, n);

    while (!at && hear(t))
        at = memmem(t->taken + t->read, t->n - t->read, end, n);
    return at ? at - t->taken : -1;
}

static bool complain(const fwk_talk *t, const char *wanted, const char *got)
{
    char line[FWK_TEXT];

    if (t->mode == FWK_PLAIN) {
        snprintf(line, sizeof(line), "its socket says %.150s, the recorded one %.150s", got,
                 wanted);
        fwk_note(t->line->faults, line, strlen(line));
    }
    return false;
}

static bool expect_line(fwk_talk *t, const char *pattern)
{
    ssize_t end = read_through(t, "\n");
    char line[FWK_TEXT];
    size_t n;

    if (end < 0)
        return complain(t, pattern, "nothing more");
    n = (size_t)end - t->read;
    snprintf(line, sizeof(line), "%.*s", (int)(n < sizeof(line) ? n : sizeof(line) - 1),
             t->taken + t->read);
    line[strcspn(line, "\r")] = 0;
    t->read = (size_t)end + 1;
    return fnmatch(pattern, line, 0) == 0 || complain(t, pattern, line);
}

static bool expect_through(fwk_talk *t, const char *end)
{
    ssize_t at = read_through(t, end);

    if (at < 0)
        return complain(t, end, "nothing more");
    t->read = (size_t)at + strlen(end);
    return true;
}

static bool say(const fwk_talk *t, const char *text)
{
    return send(t->fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

/* Ends the connection as when the other machine fell over: the plugin must not take that for an end. */
static void break_off(int fd)
{
    struct linger at_once = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

/* The far side has what it must have. False: it says no more. */
static bool has_taken(fwk_talk *t)
{
    char byte = 0;

    fwk_note(t->line->book, t->taken, t->n);
    if (t->mode == FWK_LOST) {
        break_off(t->fd);
        return false;
    }
    if (t->mode != FWK_KILL && t->mode != FWK_HOLD)
        return true;
    return write(t->line->taken, "t", 1) == 1 && read(t->line->go, &byte, 1) == 1;
}

static bool step(fwk_talk *t, const json_t *s)
{
    const char *text = json_string_value(json_object_get(s, "send"));

    if (text)
        return say(t, text);
    text = json_string_value(json_object_get(s, "expect"));
    if (text)
        return expect_line(t, text);
    text = json_string_value(json_object_get(s, "until"));
    if (text)
        return expect_through(t, text);
    if (json_object_get(s, "end")) {
        while (hear(t))
            continue;
        return true;
    }
    if (json_object_get(s, "taken"))
        return has_taken(t);
    return false;
}

/* Ends as a program does that said all it had to say: what the plugin still sends is read, since
 * unread bytes would reset the connection, and with it what was said last. */
static void leave(int fd)
{
    char rest[4096];

    shutdown(fd, SHUT_WR);
    while (recv(fd, rest, sizeof(rest), 0) > 0)
        continue;
}

static void talk(int fd, const json_t *script, const fwk_far *far, const char *dir, fwk_mode mode,
                 const fwk_line *line)
{
    static fwk_talk t;
    struct timeval patience = {.tv_sec = PATIENCE};
    const int at_once = 1;
    const json_t *s;
    size_t i;

    t = (fwk_talk){.fd = fd, .mode = mode, .line = line};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof(at_once));
    if (mode == FWK_NONSENSE)
        say(&t, "\xff\x01 nonsense\r\n");
    if (mode == FWK_MUTE)
        pause();
    if (mode == FWK_ERROR)
        break_off(fd);
    if (mode == FWK_NONSENSE || mode == FWK_ERROR)
        return;
    if (json_is_object(script))
        fwk_program_talk(fd, script, far->folder, dir, mode, line);
    json_array_foreach(script, i, s)
    {
        if (!step(&t, s))
            return;
    }
    leave(fd);
}

static void serve(int listener, const json_t *script, const fwk_far *far, const char *dir,
                  fwk_mode mode, const fwk_line *line)
{
    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        if (fwk_fork() == 0) {
            talk(fd, script, far, dir, mode, line);
            _exit(0);
        }
        close(fd);
    }
}

static void make_folder(fwk_far *far)
{
    snprintf(far->folder, sizeof(far->folder), P_tmpdir "/fwk-XXXXXX");
    if (!mkdtemp(far->folder))
        abort();
}

void fwk_far_start(fwk_far *far, const json_t *script, const char *dir, fwk_mode mode,
                   const fwk_line *line)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t n = sizeof(at);

    if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof(at)) != 0 ||
        getsockname(listener, (struct sockaddr *)&at, &n) != 0)
        abort();
    far->port = ntohs(at.sin_port);
    if (mode != FWK_NOT_SENT && mode != FWK_SLOW && listen(listener, 16) != 0)
        abort();
    if (json_is_object(script))
        make_folder(far);
    far->pid = fwk_fork();
    if (far->pid == 0)
        serve(listener, script, far, dir, mode, line);
    close(listener);
}

void fwk_far_stop(fwk_far *far)
{
    if (far->pid <= 0)
        return;
    kill(far->pid, SIGKILL);
    waitpid(far->pid, NULL, 0);
    far->pid = 0;
    if (*far->folder)
        fwk_program_forget(far->folder);
}
