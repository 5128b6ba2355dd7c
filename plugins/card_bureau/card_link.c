#include "card_link.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/evp.h>

#define WHY_BYTES    240
#define DIGEST_BYTES 32   /* SHA-256 */
#define ASK_MS       3000 /* how long the connection of an earlier call may take to answer */
#define LEAVE_MS     300  /* for the goodbye */

/* Newer kinds first. What the bureau's server has of these is what `host_key` must name. */
#define HOST_KEYS                                                                  \
    "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-" \
    "sha2-512,rsa-sha2-256"

/* ---- what went wrong ---- */

static bool fail(card_link *l, fwp_rc rc, const char *what, const char *detail)
{
    char *why = l->host->alloc(l->call, WHY_BYTES);

    snprintf(why, WHY_BYTES, "%s%s%s", what, *detail ? ": " : "", detail);
    l->why = why;
    l->rc = rc;
    return false;
}

/* The session's own words. */
static bool fail_ssh(card_link *l, fwp_rc rc, const char *what)
{
    char *words = NULL;

    libssh2_session_last_error(l->session, &words, NULL, 0);
    return fail(l, rc, what, words ? words : "");
}

/* ---- time ---- */

/* Gives the next call of libssh2 what is left; false: nothing is. */
static bool has_time(card_link *l)
{
    int left = l->host->remaining_ms(l->call);

    if (left > 0)
        libssh2_session_set_timeout(l->session, left);
    return left > 0;
}

/* ---- the end ---- */

void card_link_close(card_link *l)
{
    if (l->session) {
        libssh2_session_set_timeout(l->session, LEAVE_MS);
        if (l->sftp)
            libssh2_sftp_shutdown(l->sftp);
        libssh2_session_disconnect(l->session, "done");
        libssh2_session_free(l->session);
    }
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
    l->session = NULL;
    l->sftp = NULL;
    l->broken = false;
}

/* After something that broke nobody is waited for any more. What is open is still closed by whoever opened it, which frees its
 * memory; the next call closes the rest. */
static void cut(card_link *l)
{
    if (l->fd >= 0)
        shutdown(l->fd, SHUT_RDWR);
    l->broken = true;
}

/* ---- a new connection ---- */

static bool wait_for_room(card_link *l)
{
    struct pollfd p = {.fd = l->fd, .events = POLLOUT};
    int n;

    do
        n = poll(&p, 1, l->host->remaining_ms(l->call));
    while (n < 0 && errno == EINTR);
    return n > 0;
}

static bool connect_to(card_link *l, const struct addrinfo *a)
{
    const int at_once = 1;
    int error = 0;
    socklen_t n = sizeof(error);

    l->fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
    if (l->fd < 0)
        return fail(l, FWP_TEMPFAIL, "no socket", strerror(errno));
    setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &at_once,
               sizeof(at_once)); /* each request waits for its answer */
    if (connect(l->fd, a->ai_addr, a->ai_addrlen) != 0) {
        if (errno != EINPROGRESS)
            error = errno;
        else if (!wait_for_room(l))
            error = ETIMEDOUT;
        else
            getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &n);
    }
    if (error == 0)
        return true;
    close(l->fd);
    l->fd = -1;
    return fail(l, FWP_TEMPFAIL, "the bureau is not reached", strerror(error));
}

bool card_link_reach(card_link *l)
{
    struct addrinfo want = {.ai_socktype = SOCK_STREAM}, *all = NULL;
    bool done = false;
    int rc = getaddrinfo(l->peer->host, l->peer->port, &want, &all);

    if (rc != 0)
        return fail(l, FWP_TEMPFAIL, "no address of the bureau", gai_strerror(rc));
    for (const struct addrinfo *a = all; a && !done; a = a->ai_next)
        done = connect_to(l, a);
    freeaddrinfo(all);
    return done;
}

/* SHA256:… as ssh-keygen -l writes it: base64 without padding. */
static const char *fingerprint(card_link *l)
{
    const char *digest = libssh2_hostkey_hash(l->session, LIBSSH2_HOSTKEY_HASH_SHA256);
    char *text = l->host->alloc(l->call, 64);

    if (!digest)
        return NULL;
    memcpy(text, "SHA256:", 7);
    EVP_EncodeBlock((unsigned char *)text + 7, (const unsigned char *)digest, DIGEST_BYTES);
    text[strcspn(text, "=")] = '\0';
    return text;
}

/* Whether a word of the list is that fingerprint. */
static bool is_listed(const char *list, const char *word)
{
    size_t n = strlen(word);

    for (const char *at = strstr(list, word); at; at = strstr(at + n, word)) {
        if ((at == list || at[-1] == ' ') && (at[n] == '\0' || at[n] == ' '))
            return true;
    }
    return false;
}

bool card_link_know(card_link *l)
{
    l->session = libssh2_session_init();
    if (!l->session)
        return fail(l, FWP_TEMPFAIL, "no memory", "");
    libssh2_session_set_blocking(l->session, 1);
    libssh2_session_method_pref(l->session, LIBSSH2_METHOD_HOSTKEY, HOST_KEYS);
    if (!has_time(l))
        return fail(l, FWP_TEMPFAIL, "the bureau is silent", "");
    if (libssh2_session_handshake(l->session, l->fd) != 0)
        return fail_ssh(l, FWP_TEMPFAIL, "no SSH");
    l->seen = fingerprint(l);
    if (!l->seen)
        return fail(l, FWP_TEMPFAIL, "no SSH", "without a host key");
    if (!is_listed(l->peer->host_key, l->seen))
        return fail(l, FWP_MISCONFIGURED, "not the key that host_key names; the bureau showed",
                    l->seen);
    return true;
}

/* A key that is refused, or cannot be read, is for somebody to mend; a connection that breaks is not. */
static fwp_rc rc_of_login(int error)
{
    switch (error) {
    case LIBSSH2_ERROR_AUTHENTICATION_FAILED:
    case LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED:
    case LIBSSH2_ERROR_FILE:
    case LIBSSH2_ERROR_KEYFILE_AUTH_FAILED:
    case LIBSSH2_ERROR_METHOD_NOT_SUPPORTED:
        return FWP_MISCONFIGURED;
    default:
        return FWP_TEMPFAIL;
    }
}

/* Of a key that has one, libssh2 says nothing but its number. */
static const char *words_of_login(int error)
{
    return error == LIBSSH2_ERROR_KEYFILE_AUTH_FAILED ? "key: it has a passphrase"
                                                      : "user and key are not let in";
}

bool card_link_log_in(card_link *l)
{
    const card_peer *p = l->peer;
    int rc = LIBSSH2_ERROR_TIMEOUT;

    if (has_time(l))
        rc = libssh2_userauth_publickey_frommemory(l->session, p->user, strlen(p->user), NULL, 0,
                                                   p->key, strlen(p->key), NULL);
    if (rc != 0)
        return fail_ssh(l, rc_of_login(rc), words_of_login(rc));
    if (has_time(l))
        l->sftp = libssh2_sftp_init(l->session);
    return l->sftp != NULL || fail_ssh(l, FWP_TEMPFAIL, "no SFTP");
}

/* Whether the connection of an earlier call still answers. */
static bool still_there(card_link *l)
{
    char path[1024];
    int left = l->host->remaining_ms(l->call);

    if (l->fd >= 0 && !l->broken) {
        libssh2_session_set_timeout(l->session, left < ASK_MS ? left : ASK_MS);
        if (libssh2_sftp_realpath(l->sftp, ".", path, sizeof(path)) >= 0)
            return true;
        cut(l);
    }
    card_link_close(l);
    return false;
}

bool card_link_begin(card_link *l, fwp_call *call)
{
    l->call = call;
    l->why = "";
    l->seen = NULL;
    if (l->host->remaining_ms(call) < 2)
        return fail(l, FWP_CANCELLED, "no time left", "");
    if (still_there(l))
        return true;
    if (l->host->remaining_ms(call) < 2)
        return fail(l, FWP_CANCELLED, "no time left", "");
    if (card_link_reach(l) && card_link_know(l) && card_link_log_in(l))
        return true;
    cut(l);
    return false;
}

/* ---- what the bureau's server answers ---- */

static card_end say(card_link *l, card_end end, const char *why)
{
    l->why = why;
    return end;
}

/* What came of an operation that ended with `rc`. */
static card_end end_of(card_link *l, int rc)
{
    if (rc >= 0)
        return CARD_DONE;
    if (rc != LIBSSH2_ERROR_SFTP_PROTOCOL) {
        fail_ssh(l, FWP_TEMPFAIL, "the connection broke");
        cut(l);
        return CARD_BROKEN;
    }
    switch (libssh2_sftp_last_error(l->sftp)) {
    case LIBSSH2_FX_NO_SUCH_FILE:
    case LIBSSH2_FX_NO_SUCH_PATH:
        return say(l, CARD_NO_FILE, "no such file or folder");
    case LIBSSH2_FX_PERMISSION_DENIED:
    case LIBSSH2_FX_WRITE_PROTECT:
        return say(l, CARD_DENIED, "permission denied");
    default:
        return say(l, CARD_REFUSED, "the bureau's server refuses it");
    }
}

/* The same for what answers a pointer. */
static card_end end_of_open(card_link *l, const void *got)
{
    int rc = libssh2_session_last_errno(l->session);

    return got ? CARD_DONE : end_of(l, rc < 0 ? rc : LIBSSH2_ERROR_SOCKET_DISCONNECT);
}

/* Whether there is a connection, and time; `*end` is what to answer otherwise. */
static bool may_go(card_link *l, card_end *end)
{
    *end = CARD_UNSENT;
    if (l->broken)
        return false;
    if (has_time(l))
        return true;
    l->why = "the time was over";
    cut(l);
    return false;
}

static unsigned length(const char *path)
{
    return (unsigned)strlen(path);
}

/* ---- reading ---- */

card_end card_link_stat(card_link *l, const char *path, LIBSSH2_SFTP_ATTRIBUTES *found)
{
    card_end end;

    if (!may_go(l, &end))
        return end;
    return end_of(l, libssh2_sftp_stat_ex(l->sftp, path, length(path), LIBSSH2_SFTP_STAT, found));
}

static card_end too_long(card_link *l)
{
    return say(l, CARD_TOO_LONG, "it is too long");
}

/* To its end, which may have moved since its size was told. */
static card_end read_all(card_link *l, LIBSSH2_SFTP_HANDLE *file, size_t room, fwp_str *bytes)
{
    char *p = l->host->alloc(l->call, room + 1);
    size_t n = 0;
    ssize_t got = 1;
    card_end end;

    while (got > 0 && n < room) {
        if (!may_go(l, &end))
            return end;
        got = libssh2_sftp_read(file, p + n, room - n);
        if (got < 0)
            return end_of(l, (int)got);
        n += (size_t)got;
    }
    *bytes = (fwp_str){p, n};
    return CARD_DONE;
}

static card_end read_file(card_link *l, LIBSSH2_SFTP_HANDLE *file, size_t most, card_file *got)
{
    LIBSSH2_SFTP_ATTRIBUTES found = {0};
    card_end end;

    if (!may_go(l, &end))
        return end;
    end = end_of(l, libssh2_sftp_fstat(file, &found));
    if (end == CARD_DONE && found.filesize > most)
        return too_long(l);
    if (end == CARD_DONE)
        end = read_all(l, file, most + 1, &got->bytes);
    got->changed = (int64_t)found.mtime;
    return end == CARD_DONE && got->bytes.n > most ? too_long(l) : end;
}

card_end card_link_get(card_link *l, const char *path, size_t most, card_file *got)
{
    LIBSSH2_SFTP_HANDLE *file;
    card_end end;

    if (!may_go(l, &end))
        return end;
    file = libssh2_sftp_open_ex(l->sftp, path, length(path), LIBSSH2_FXF_READ, 0,
                                LIBSSH2_SFTP_OPENFILE);
    end = end_of_open(l, file);
    if (end != CARD_DONE)
        return end;
    end = read_file(l, file, most, got);
    libssh2_sftp_close(file);
    return end;
}

card_end card_link_list(card_link *l, const char *path, card_name_fn take, void *baton)
{
    LIBSSH2_SFTP_ATTRIBUTES found;
    LIBSSH2_SFTP_HANDLE *folder;
    char name[256];
    card_end end;
    int n = 1, left = CARD_NAMES_MOST;

    if (!may_go(l, &end))
        return end;
    folder = libssh2_sftp_open_ex(l->sftp, path, length(path), 0, 0, LIBSSH2_SFTP_OPENDIR);
    end = end_of_open(l, folder);
    while (end == CARD_DONE && n > 0 && left-- > 0 && may_go(l, &end)) {
        n = libssh2_sftp_readdir(folder, name, sizeof(name) - 1, &found);
        end = n == LIBSSH2_ERROR_BUFFER_TOO_SMALL ? CARD_DONE : end_of(l, n);
        if (n > 0) {
            name[n] = '\0';
            take(baton, name);
        }
        if (n == LIBSSH2_ERROR_BUFFER_TOO_SMALL)
            n = 1;
    }
    if (folder)
        libssh2_sftp_closedir(folder);
    return end;
}

/* ---- writing ---- */

card_end card_link_create(card_link *l, const char *path, LIBSSH2_SFTP_HANDLE **file)
{
    card_end end;

    *file = NULL;
    if (!may_go(l, &end))
        return end;
    *file = libssh2_sftp_open_ex(l->sftp, path, length(path),
                                 LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT | LIBSSH2_FXF_EXCL, 0640,
                                 LIBSSH2_SFTP_OPENFILE);
    return end_of_open(l, *file);
}

card_end card_link_write(card_link *l, LIBSSH2_SFTP_HANDLE *file, const char *p, size_t n)
{
    card_end end;

    while (n > 0) {
        ssize_t sent;

        if (!may_go(l, &end))
            return end;
        sent = libssh2_sftp_write(file, p, n);
        if (sent < 0)
            return end_of(l, (int)sent);
        p += sent;
        n -= (size_t)sent;
    }
    return CARD_DONE;
}

/* A server without fsync@openssh.com refuses it, which is no fault. */
card_end card_link_finish(card_link *l, LIBSSH2_SFTP_HANDLE *file)
{
    card_end end, closed;

    if (may_go(l, &end))
        end = end_of(l, libssh2_sftp_fsync(file));
    closed = l->broken ? CARD_BROKEN : CARD_DONE;
    if (libssh2_sftp_close(file) < 0 && closed == CARD_DONE)
        closed = end_of(l, LIBSSH2_ERROR_SFTP_PROTOCOL);
    return end == CARD_BROKEN ? end : closed;
}

card_end card_link_make_folder(card_link *l, const char *path)
{
    card_end end;

    return may_go(l, &end) ? end_of(l, libssh2_sftp_mkdir_ex(l->sftp, path, length(path), 0750))
                           : end;
}

card_end card_link_rename(card_link *l, const char *from, const char *to)
{
    const long flags = LIBSSH2_SFTP_RENAME_ATOMIC | LIBSSH2_SFTP_RENAME_NATIVE;
    card_end end;

    if (!may_go(l, &end))
        return end;
    return end_of(l, libssh2_sftp_rename_ex(l->sftp, from, length(from), to, length(to), flags));
}

card_end card_link_remove(card_link *l, const char *path)
{
    card_end end;

    return may_go(l, &end) ? end_of(l, libssh2_sftp_unlink_ex(l->sftp, path, length(path))) : end;
}

card_end card_link_remove_folder(card_link *l, const char *path)
{
    card_end end;

    return may_go(l, &end) ? end_of(l, libssh2_sftp_rmdir_ex(l->sftp, path, length(path))) : end;
}
