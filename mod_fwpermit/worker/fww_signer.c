#include "fw_config.h"
#include "fww_signer.h"
#include "fww_cms.h"
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
#include <apr_hash.h>
#include <apr_strings.h>
#include <openssl/pem.h>

#define STOP_LOOK_MS  500     /* how often an idle process looks whether it is to stop */
#define PATIENCE_S    2       /* with a client in the middle of a frame */
#define POOL_KEPT     1048576 /* bytes that are kept between requests */
#define LOG_ERROR     3
#define LOG_WARNING   4
#define LOG_INFO      6
#define KEYS_MAX      32
#define EXPIRY_WARN_S (30 * 86400)

typedef struct signer {
    const fww_role_env *env;
    apr_hash_t *keys; /* of fww_key by name */
} signer;

/* ---- keys ---- */

static const char *file_of(const json_t *key, const char *name)
{
    return json_string_value(json_object_get(key, name));
}

static void warn_of_expiry(const signer *g, const char *name, const fww_key *k)
{
    time_t soon = time(NULL) + EXPIRY_WARN_S;

    if (k->cert && X509_cmp_time(X509_get0_notAfter(k->cert), &soon) < 0)
        g->env->log(LOG_WARNING, "signer: the certificate of %s ends within %d days", name,
                    EXPIRY_WARN_S / 86400);
}

static const fw_err *load_keys(signer *g)
{
    apr_pool_t *pool = g->env->pool;
    json_t *keys = json_object_get(g->env->settings, "keys");
    const char *name;
    json_t *key;

    g->keys = apr_hash_make(pool);
    if (json_object_size(keys) == 0 || json_object_size(keys) > KEYS_MAX)
        return FW_ERR(pool, FW_E_CONFIG, 0, "signer: not 1 to %d keys", KEYS_MAX);
    json_object_foreach(keys, name, key)
    {
        fww_key *k = apr_pcalloc(pool, sizeof(*k));
        const fw_err *err;
        if (!file_of(key, "key"))
            return FW_ERR(pool, FW_E_CONFIG, 0, "signer: %s has no file \"key\"", name);
        err =
            fww_key_load(k, file_of(key, "key"), file_of(key, "cert"), file_of(key, "chain"), pool);
        if (err)
            return FW_WRAP(pool, err, "signer: %s", name);
        warn_of_expiry(g, name, k);
        apr_hash_set(g->keys, apr_pstrdup(pool, name), APR_HASH_KEY_STRING, k);
    }
    return NULL;
}

/* ---- requests ---- */

static const fw_err *write_pem(const fww_key *k, const char **pem, size_t *n, apr_pool_t *pool)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *bytes;
    long len;
    bool ok = out && k->cert && PEM_write_bio_X509(out, k->cert) == 1;

    for (int i = 0; ok && i < sk_X509_num(k->chain); i++)
        ok = PEM_write_bio_X509(out, sk_X509_value(k->chain, i)) == 1;
    if (ok) {
        len = BIO_get_mem_data(out, &bytes);
        *pem = apr_pmemdup(pool, bytes, (size_t)len);
        *n = (size_t)len;
    }
    BIO_free(out);
    return ok ? NULL : FW_ERR(pool, FW_E_CONFIG, 0, "this key has no certificate");
}

typedef struct request {
    const char *op, *key;
    const char *blob;
    size_t n_blob;
    const char *result;
    size_t n_result;
} request;

static const fw_err *perform(const signer *g, request *r, apr_pool_t *pool)
{
    const fww_key *k = r->key ? apr_hash_get(g->keys, r->key, APR_HASH_KEY_STRING) : NULL;

    if (!r->op || !k)
        return FW_ERR(pool, FW_E_NOTFOUND, 0, "no operation, or a key that is not known");
    if (strcmp(r->op, "cert") == 0)
        return write_pem(k, &r->result, &r->n_result, pool);
    if (strcmp(r->op, "cms") != 0 && strcmp(r->op, "sign") != 0)
        return FW_ERR(pool, FW_E_NOTFOUND, 0, "an operation that is not known");
    if (r->n_blob == 0)
        return FW_ERR(pool, FW_E_INPUT, 0, "nothing to sign");
    if (strcmp(r->op, "cms") == 0)
        return fww_cms_sign(k, r->blob, r->n_blob, &r->result, &r->n_result, pool);
    return fww_key_sign(k, r->blob, r->n_blob, &r->result, &r->n_result, pool);
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
        a = json_pack("{s:b, s:s}", "ok", 0, "error", err->msg);
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

static void accept_client(const signer *g, struct pollfd *fds, int *n)
{
    struct timeval patience = {.tv_sec = PATIENCE_S};
    int fd = accept4(fds[0].fd, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0)
        return;
    if (!is_ours(fd)) {
        g->env->log(LOG_WARNING, "signer: a client of another user is turned away");
        close(fd);
        return;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    fds[*n] = (struct pollfd){.fd = fd, .events = POLLIN};
    (*n)++;
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
    struct pollfd fds[1 + FWW_SIGNER_CLIENTS] = {{.fd = listener}};
    apr_pool_t *pool = make_pool(g->env->pool);
    int n = 1;

    while (!*g->env->stop) {
        fds[0].events = n > FWW_SIGNER_CLIENTS ? 0 : POLLIN;
        if (poll(fds, (nfds_t)n, STOP_LOOK_MS) <= 0)
            continue;
        for (int i = n - 1; i > 0 && !*g->env->stop; i--) {
            bool goes_on = !fds[i].revents || serve(g, fds[i].fd, pool);
            apr_pool_clear(pool);
            if (goes_on)
                continue;
            close(fds[i].fd);
            fds[i] = fds[--n];
        }
        if (fds[0].revents & POLLIN)
            accept_client(g, fds, &n);
    }
    for (int i = 1; i < n; i++)
        close(fds[i].fd);
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
    err = load_keys(&g);
    if (err) {
        env->log(LOG_ERROR, "%s", fw_err_text(err, env->pool));
        return 1;
    }
    if (env->drop && !env->drop(env))
        return 1;
    prctl(PR_SET_DUMPABLE, 0); /* no memory image, no debugger of the same user */
    listener = listen_at(&g);
    if (listener < 0)
        return 1;
    env->log(LOG_INFO, "signer: serves with %u keys", apr_hash_count(g.keys));
    serve_all(&g, listener);
    close(listener);
    return 0;
}
