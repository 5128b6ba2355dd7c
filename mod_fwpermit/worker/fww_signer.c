#include "fw_config.h"
#include "fww_signer.h"
#include "fw_wait.h"
#include "fww_cms.h"
#include "fww_keyring.h"
#include "fww_plugin_frame.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <apr_allocator.h>
#include <apr_strings.h>
#include <openssl/pem.h>

#include "fw_json.h"

#define STOP_LOOK_MS 500     /* how often an idle process looks whether it is to stop */
#define PATIENCE_S   2       /* with a client in the middle of a frame */
#define POOL_KEPT    1048576 /* bytes that are kept between requests */
#define LOG_ERROR    3
#define LOG_WARNING  4
#define LOG_INFO     6

typedef struct signer {
    const fww_role_env *env;
    fww_keyring *ring;
} signer;

/* ---- requests ---- */

typedef struct request {
    const char *op, *key;
    const char *blob;
    size_t n_blob;
    const char *result;
    size_t n_result;
} request;

static const fw_err *tell_cert(const signer *g, request *r, apr_pool_t *pool)
{
    BIO *out = BIO_new(BIO_s_mem());
    const fww_cert *c = NULL;
    const fw_err *err = fww_keyring_cert(g->ring, r->key, &c, pool);
    char *bytes;
    bool ok = !err && out && c->cert && PEM_write_bio_X509(out, c->cert) == 1;

    for (int i = 0; ok && i < sk_X509_num(c->chain); i++)
        ok = PEM_write_bio_X509(out, sk_X509_value(c->chain, i)) == 1;
    if (ok) {
        r->n_result = (size_t)BIO_get_mem_data(out, &bytes);
        r->result = apr_pmemdup(pool, bytes, r->n_result);
    }
    BIO_free(out);
    if (!ok && !err)
        err = FW_ERR(pool, FW_E_CONFIG, 0, "this key has no certificate");
    return err;
}

static const fw_err *tell_certs(const signer *g, request *r, apr_pool_t *pool)
{
    json_t *all = fww_keyring_certs(g->ring);
    r->result = fw_json_text(all, JSON_COMPACT, pool);
    r->n_result = r->result ? strlen(r->result) : 0;
    json_decref(all);
    return r->result ? NULL : FW_ERR(pool, FW_E_INTERNAL, 0, "the certificates cannot be told");
}

static const fw_err *sign_by(const fww_key *k, request *r, apr_pool_t *pool)
{
    if (strcmp(r->op, "cms") == 0)
        return fww_cms_sign(k, r->blob, r->n_blob, &r->result, &r->n_result, pool);
    return fww_key_sign(k, r->blob, r->n_blob, &r->result, &r->n_result, pool);
}

/* A token may have been away and back since it was opened: so once more by one opened anew. */
static const fw_err *sign(const signer *g, request *r, apr_pool_t *pool)
{
    const fww_key *k = NULL;
    const fw_err *err;

    FW_TRY(fww_keyring_get(g->ring, r->key, &k, pool));
    if (r->n_blob == 0)
        return FW_ERR(pool, FW_E_INPUT, 0, "nothing to sign");
    err = sign_by(k, r, pool);
    if (!err || err->code != FW_E_INTERNAL || !fww_keyring_reset(g->ring, k))
        return err;
    FW_TRY(fww_keyring_get(g->ring, r->key, &k, pool));
    return sign_by(k, r, pool);
}

static const fw_err *perform(const signer *g, request *r, apr_pool_t *pool)
{
    if (!r->op)
        return FW_ERR(pool, FW_E_NOTFOUND, 0, "no operation, or a key that is not known");
    if (strcmp(r->op, "certs") == 0)
        return tell_certs(g, r, pool);
    if (strcmp(r->op, "cert") == 0)
        return tell_cert(g, r, pool);
    if (strcmp(r->op, "cms") == 0 || strcmp(r->op, "sign") == 0)
        return sign(g, r, pool);
    return FW_ERR(pool, FW_E_NOTFOUND, 0, "an operation that is not known");
}

static const fw_err *answer(const signer *g, int fd, const json_t *frame, request *r,
                            apr_pool_t *pool)
{
    const fw_err *err;
    json_t *a;

    r->op = json_string_value(json_object_get(frame, "op"));
    r->key = json_string_value(json_object_get(frame, "key"));
    err = perform(g, r, pool);
    if (err) {
        g->env->log(LOG_WARNING, "signer: refused: %s", fw_err_text(err, pool));
        a = json_pack("{s:b, s:s, s:b}", "ok", 0, "error", err->msg, "away",
                      err->code == FW_E_UNAVAILABLE);
    } else
        a = json_pack("{s:b}", "ok", 1);
    err = fww_frame_write_blob(fd, a, r->result, r->n_result, pool);
    json_decref(a);
    return err;
}

/* One request of one client. False: the client is done with, or broke the framing. */
static bool serve(const signer *g, int fd, apr_pool_t *pool)
{
    request r = {0};
    json_t *frame = NULL;
    const fw_err *err =
        fww_frame_read_blob(fd, FWW_SIGNER_BLOB_MAX, &frame, &r.blob, &r.n_blob, pool);

    if (!err && !frame)
        return false;
    if (!err)
        err = answer(g, fd, frame, &r, pool);
    json_decref(frame);
    if (err)
        g->env->log(LOG_WARNING, "signer: client dropped: %s", fw_err_text(err, pool));
    return !err;
}

/* ---- the socket ---- */

/* Put in its place in one step so that a client never meets a dead one. */
static int listen_at(const signer *g)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const char *place = apr_psprintf(g->env->pool, "%s/" FWW_SIGNER_SOCKET, g->env->run_dir);
    const char *fresh = apr_psprintf(g->env->pool, "%s.new", place);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || strlen(fresh) >= sizeof(at.sun_path)) {
        g->env->log(LOG_ERROR, "signer: no socket, or its path is too long: %s", fresh);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    memcpy(at.sun_path, fresh, strlen(fresh) + 1);
    unlink(fresh);
    if (bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || chmod(fresh, 0600) != 0 ||
        listen(fd, 4 * FWW_SIGNER_CLIENTS) != 0 || rename(fresh, place) != 0) {
        g->env->log(LOG_ERROR, "signer: socket %s: %s", place, strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

static bool is_ours(int fd)
{
    struct ucred who;
    socklen_t n = sizeof(who);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 && who.uid == geteuid();
}

/* The clients; the first place is the listener's. */
typedef struct clients {
    struct pollfd fds[1 + FWW_SIGNER_CLIENTS];
    apr_time_t heard[1 + FWW_SIGNER_CLIENTS];
    int n;
} clients;

static void accept_client(const signer *g, clients *c)
{
    struct timeval patience = {.tv_sec = PATIENCE_S};
    int fd = accept4(c->fds[0].fd, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0)
        return;
    if (!is_ours(fd)) {
        g->env->log(LOG_WARNING, "signer: a client of another user is turned away");
        close(fd);
        return;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    c->fds[c->n] = (struct pollfd){.fd = fd, .events = POLLIN};
    c->heard[c->n++] = fw_monotonic();
}

static void drop_client(clients *c, int i)
{
    close(c->fds[i].fd);
    c->n--;
    c->fds[i] = c->fds[c->n];
    c->heard[i] = c->heard[c->n];
}

/* Where all places are taken, who says nothing makes room. */
static void make_room(clients *c)
{
    apr_time_t silent = fw_monotonic() - apr_time_from_sec(PATIENCE_S);

    for (int i = c->n - 1; i > 0 && c->n > FWW_SIGNER_CLIENTS; i--) {
        if (c->heard[i] < silent)
            drop_client(c, i);
    }
}

static void serve_ready(const signer *g, clients *c, apr_pool_t *pool)
{
    for (int i = c->n - 1; i > 0 && !*g->env->stop; i--) {
        bool goes_on = true;

        if (c->fds[i].revents) {
            goes_on = serve(g, c->fds[i].fd, pool);
            c->heard[i] = fw_monotonic();
        }
        apr_pool_clear(pool);
        if (!goes_on)
            drop_client(c, i);
    }
}

/* A pool whose memory goes back to the system when much was needed once. */
static apr_pool_t *make_pool(apr_pool_t *parent)
{
    apr_allocator_t *allocator;
    apr_pool_t *pool;

    apr_allocator_create(&allocator);
    apr_allocator_max_free_set(allocator, POOL_KEPT);
    apr_pool_create_ex(&pool, parent, NULL, allocator);
    apr_allocator_owner_set(allocator, pool);
    return pool;
}

static void serve_all(const signer *g, int listener)
{
    clients c = {.fds = {{.fd = listener}}, .n = 1};
    apr_pool_t *pool = make_pool(g->env->pool);

    while (!*g->env->stop) {
        make_room(&c);
        c.fds[0].events = c.n > FWW_SIGNER_CLIENTS ? 0 : POLLIN;
        if (poll(c.fds, (nfds_t)c.n, STOP_LOOK_MS) <= 0)
            continue;
        serve_ready(g, &c, pool);
        if (c.fds[0].revents & POLLIN)
            accept_client(g, &c);
    }
    for (int i = 1; i < c.n; i++)
        close(c.fds[i].fd);
    apr_pool_destroy(pool);
}

int fww_signer_main(const fww_role_env *env)
{
    signer g = {.env = env};
    const struct rlimit none = {0, 0};
    const fw_err *err;
    int listener;

    umask(0077);
    setrlimit(RLIMIT_CORE, &none);
    err = fww_keyring_load(&g.ring, env);
    if (err) {
        env->log(LOG_ERROR, "%s", fw_err_text(err, env->pool));
        return 1;
    }
    if (env->drop && !env->drop(env))
        return 1;
    prctl(PR_SET_DUMPABLE, 0); /* no memory image, no debugger of the same user */
    fww_keyring_open(g.ring);
    listener = listen_at(&g);
    if (listener < 0)
        return 1;
    env->log(LOG_INFO, "signer: serves with %d keys", fww_keyring_count(g.ring));
    serve_all(&g, listener);
    close(listener);
    return 0;
}
