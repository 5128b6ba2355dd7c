#include "clamav_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define WHY_BYTES 240

static bool fail(clamav_link *l, const char *what, const char *detail)
{
    char *why = l->host->alloc(l->call, WHY_BYTES);

    snprintf(why, WHY_BYTES, "%s%s%s", what, *detail ? ": " : "", detail);
    l->why = why;
    return false;
}

static bool wait_for(clamav_link *l, short events)
{
    struct pollfd p = {.fd = l->fd, .events = events};
    int n;

    do
        n = poll(&p, 1, l->host->remaining_ms(l->call));
    while (n < 0 && errno == EINTR);
    return n > 0 ? true : fail(l, "clamd is silent", n < 0 ? strerror(errno) : "time-out");
}

/* ---- connecting ---- */

static bool connect_to(clamav_link *l, int family, const struct sockaddr *at, socklen_t n)
{
    const int at_once = 1;
    int error = 0;
    socklen_t size = sizeof(error);

    if (l->fd >= 0)
        close(l->fd);
    l->fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (l->fd < 0)
        return fail(l, "no socket", strerror(errno));
    if (family != AF_UNIX) /* a command goes out at once, not when the one before is acknowledged */
        setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof(at_once));
    if (connect(l->fd, at, n) == 0)
        return true;
    error = errno;
    if (error == EINPROGRESS) {
        if (!wait_for(l, POLLOUT))
            return false;
        getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    return error == 0 ? true : fail(l, "cannot connect to clamd", strerror(error));
}

static bool connect_unix(clamav_link *l)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};

    snprintf(at.sun_path, sizeof(at.sun_path), "%s", l->peer->socket);
    return connect_to(l, AF_UNIX, (struct sockaddr *)&at, sizeof(at));
}

static bool connect_tcp(clamav_link *l)
{
    struct addrinfo want = {.ai_socktype = SOCK_STREAM}, *all = NULL;
    bool done = false;
    int rc = getaddrinfo(l->peer->host, l->peer->port, &want, &all);

    if (rc != 0)
        return fail(l, "no address of clamd's host", gai_strerror(rc));
    for (const struct addrinfo *a = all; a && !done; a = a->ai_next)
        done = connect_to(l, a->ai_family, a->ai_addr, a->ai_addrlen);
    freeaddrinfo(all);
    return done;
}

/* ---- sending ---- */

/* What clamd hung up on is no fault yet: its answer comes first. */
static bool send_all(clamav_link *l, const char *p, size_t n)
{
    while (n > 0 && !l->broken) {
        ssize_t sent = send(l->fd, p, n, MSG_NOSIGNAL);

        if (sent >= 0) {
            p += sent;
            n -= (size_t)sent;
        } else if (errno == EPIPE || errno == ECONNRESET) {
            l->broken = true;
        } else if (errno != EAGAIN && errno != EINTR) {
            return fail(l, "the connection to clamd was lost", strerror(errno));
        } else if (!wait_for(l, POLLOUT)) {
            return false;
        }
    }
    return true;
}

bool clamav_link_open(clamav_link *l, const fwp_host *host, fwp_call *call, const clamav_peer *peer)
{
    static const char session[] = "nIDSESSION\n";

    *l = (clamav_link){.host = host, .call = call, .peer = peer, .why = "", .fd = -1};
    return (peer->socket ? connect_unix(l) : connect_tcp(l)) &&
           send_all(l, session, sizeof(session) - 1);
}

bool clamav_link_ask(clamav_link *l, const char *command)
{
    char line[32];
    int n = snprintf(line, sizeof(line), "n%s\n", command);

    l->asked++;
    return send_all(l, line, (size_t)n);
}

bool clamav_link_chunk(clamav_link *l, const char *bytes, size_t n)
{
    uint32_t size = htonl((uint32_t)n);

    return send_all(l, (const char *)&size, sizeof(size)) && send_all(l, bytes, n);
}

/* ---- hearing ---- */

static bool hear_more(clamav_link *l)
{
    ssize_t got;

    if (l->n_held == sizeof(l->held))
        return fail(l, "clamd's answer is too long", "");
    if (!wait_for(l, POLLIN))
        return false;
    got = recv(l->fd, l->held + l->n_held, sizeof(l->held) - l->n_held, 0);
    if (got > 0)
        l->n_held += (size_t)got;
    else if (got == 0)
        return fail(l, "clamd ended the connection before its answer was whole", "");
    else if (errno != EAGAIN && errno != EINTR)
        return fail(l, "the connection to clamd was lost", strerror(errno));
    return true;
}

/* Moves what is held up to its first line's end into the call's memory. */
static char *take_line(clamav_link *l, size_t n)
{
    char *line = l->host->alloc(l->call, n + 1);

    memcpy(line, l->held, n);
    l->n_held -= n + 1;
    memmove(l->held, l->held + n + 1, l->n_held);
    for (size_t i = 0; i < n; i++) {
        if (line[i] < 0x20 || line[i] > 0x7e)
            line[i] = '?';
    }
    return line;
}

bool clamav_link_hear(clamav_link *l, const char **answer)
{
    const char *end;
    char number[16], *line;
    size_t n = (size_t)snprintf(number, sizeof(number), "%d: ", l->asked);

    while (!(end = memchr(l->held, '\n', l->n_held))) {
        if (!hear_more(l))
            return false;
    }
    line = take_line(l, (size_t)(end - l->held));
    if (strncmp(line, number, n) != 0)
        return fail(l, "an answer that is not clamd's", line);
    *answer = line + n;
    return true;
}

void clamav_link_close(clamav_link *l)
{
    if (l->fd >= 0)
        close(l->fd);
}
