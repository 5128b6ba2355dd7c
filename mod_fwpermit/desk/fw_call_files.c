#include "fw_config.h"
#include "fw_call_files.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>
#include <openssl/evp.h>

#include "fw_sha256.h"
#include "fw_utf8.h"
#include "fw_wait.h"

#define SEALS     (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)
#define READ_SIZE 65536

static fw_call_file *at(const apr_array_header_t *files, int i)
{
    return &APR_ARRAY_IDX(files, i, fw_call_file);
}

static apr_status_t close_fd(void *fd)
{
    close((int)(intptr_t)fd);
    return APR_SUCCESS;
}

static void keep_fd(int fd, apr_pool_t *pool)
{
    apr_pool_cleanup_register(pool, (void *)(intptr_t)fd, close_fd, apr_pool_cleanup_null);
}

bool fw_call_file_name_valid(const char *name)
{
    size_t n = name ? strlen(name) : 0;

    if (n == 0 || n > FW_CALL_FILE_NAME_MAX || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return false;
    for (const char *p = name; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == '/')
            return false;
    return fw_utf8_valid(name);
}

/* ---- making ---- */

const fw_err *fw_call_file_new(fw_call_file **out, apr_array_header_t *files, const char *name,
                               apr_pool_t *pool)
{
    int fd;

    if (!fw_call_file_name_valid(name))
        return FW_ERR(pool, FW_E_INPUT, 0, "a file of a call has a name that it cannot have");
    if (files->nelts >= FW_CALL_FILES_MAX)
        return FW_ERR(pool, FW_E_LIMIT, 0, "more than %d files of a call", FW_CALL_FILES_MAX);
    fd = memfd_create("call", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return FW_ERR(pool, FW_E_UNAVAILABLE, errno, "memory file");
    keep_fd(fd, pool);
    *out = apr_array_push(files);
    **out = (fw_call_file){.name = apr_pstrdup(pool, name), .fd = fd};
    return NULL;
}

const fw_err *fw_call_file_append(fw_call_file *file, const apr_array_header_t *files,
                                  const void *bytes, apr_size_t n, apr_pool_t *pool)
{
    const char *from = bytes;
    apr_int64_t all = 0;

    for (int i = 0; i < files->nelts; i++)
        all += at(files, i)->size;
    if (n > (apr_size_t)(FW_CALL_FILES_BYTES - all))
        return FW_ERR(pool, FW_E_LIMIT, 0, "files of a call of more than %d bytes",
                      FW_CALL_FILES_BYTES);
    while (n > 0) {
        ssize_t w = pwrite(file->fd, from, n, file->size);

        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return FW_ERR(pool, FW_E_UNAVAILABLE, errno, "writing a file of a call");
        from += w;
        n -= (apr_size_t)w;
        file->size += w;
    }
    return NULL;
}

static const fw_err *reckon(int fd, apr_int64_t size, const char **sha256, apr_pool_t *pool)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char buf[READ_SIZE];
    apr_int64_t done = 0;
    ssize_t got = 1;

    EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
    while (done < size && got > 0) {
        got = pread(fd, buf, sizeof(buf), done);
        if (got > 0)
            EVP_DigestUpdate(ctx, buf, (size_t)got);
        done += got > 0 ? got : 0;
    }
    *sha256 = fw_sha256_end(ctx, pool);
    EVP_MD_CTX_free(ctx);
    return done == size ? NULL : FW_ERR(pool, FW_E_UNAVAILABLE, errno, "reading a file of a call");
}

const fw_err *fw_call_file_seal(fw_call_file *file, apr_pool_t *pool)
{
    if (fcntl(file->fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL) != 0)
        return FW_ERR(pool, FW_E_UNAVAILABLE, errno, "sealing a file of a call");
    return reckon(file->fd, file->size, &file->sha256, pool);
}

json_t *fw_call_files_json(const apr_array_header_t *files)
{
    json_t *list = json_array();

    for (int i = 0; i < files->nelts; i++)
        json_array_append_new(list, json_pack("{s:s, s:I, s:s}", "name", at(files, i)->name, "size",
                                              (json_int_t)at(files, i)->size, "sha256",
                                              at(files, i)->sha256));
    return list;
}

/* ---- the way ---- */

typedef union control {
    struct cmsghdr head;
    char room[CMSG_SPACE(FW_CALL_FILES_MAX * sizeof(int))];
} control;

static const fw_err *wait_for(int fd, short events, apr_time_t due, apr_pool_t *pool)
{
    struct pollfd p = {.fd = fd, .events = events};
    apr_time_t left = due - fw_monotonic();

    if (left <= 0)
        return FW_ERR(pool, FW_E_UNAVAILABLE, ETIMEDOUT, "files of a call");
    poll(&p, 1, (int)apr_time_as_msec(left) + 1);
    return NULL;
}

const fw_err *fw_call_files_send(int sock, apr_time_t due, const apr_array_header_t *files,
                                 apr_pool_t *pool)
{
    char byte = 'F';
    struct iovec v = {.iov_base = &byte, .iov_len = 1};
    control c = {0};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = c.room};
    struct cmsghdr *head = &c.head;
    int fds[FW_CALL_FILES_MAX];

    if (!files || files->nelts == 0)
        return NULL;
    for (int i = 0; i < files->nelts; i++)
        fds[i] = at(files, i)->fd;
    m.msg_controllen = CMSG_SPACE((size_t)files->nelts * sizeof(int));
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN((size_t)files->nelts * sizeof(int));
    memcpy(CMSG_DATA(head), fds, (size_t)files->nelts * sizeof(int));
    while (sendmsg(sock, &m, MSG_NOSIGNAL) != 1) {
        if (errno == EAGAIN)
            FW_TRY(wait_for(sock, POLLOUT, due, pool));
        else if (errno != EINTR)
            return FW_ERR(pool, FW_E_UNAVAILABLE, errno, "sending files of a call");
    }
    return NULL;
}

/* All descriptors that came, kept by the pool. */
static size_t take_fds(struct msghdr *m, int fds[FW_CALL_FILES_MAX], apr_pool_t *pool)
{
    struct cmsghdr *head = CMSG_FIRSTHDR(m);
    size_t n;

    if (!head || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
        return 0;
    n = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(fds, CMSG_DATA(head), n * sizeof(int));
    for (size_t i = 0; i < n; i++)
        keep_fd(fds[i], pool);
    return n;
}

const fw_err *fw_call_files_receive(int sock, apr_time_t due, const json_t *list,
                                    apr_array_header_t **out, apr_pool_t *pool)
{
    size_t wanted = json_array_size(list), n;
    char byte;
    struct iovec v = {.iov_base = &byte, .iov_len = 1};
    control c;
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = c.room};
    int fds[FW_CALL_FILES_MAX];
    ssize_t got;

    *out = apr_array_make(pool, (int)(wanted < FW_CALL_FILES_MAX ? wanted : FW_CALL_FILES_MAX) + 1,
                          sizeof(fw_call_file));
    if (wanted == 0)
        return NULL;
    if (wanted > FW_CALL_FILES_MAX)
        return FW_ERR(pool, FW_E_CORRUPT, 0, "more than %d files of a call", FW_CALL_FILES_MAX);
    for (;;) {
        m.msg_controllen = sizeof(c.room);
        got = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
        if (got >= 0)
            break;
        if (errno == EAGAIN)
            FW_TRY(wait_for(sock, POLLIN, due, pool));
        else if (errno != EINTR)
            return FW_ERR(pool, FW_E_UNAVAILABLE, errno, "files of a call");
    }
    n = got == 1 ? take_fds(&m, fds, pool) : 0;
    if (n != wanted || m.msg_flags & MSG_CTRUNC)
        return FW_ERR(pool, FW_E_CORRUPT, 0, "other files of a call came than were named");
    for (size_t i = 0; i < n; i++)
        *(fw_call_file *)apr_array_push(*out) = (fw_call_file){.fd = fds[i]};
    return NULL;
}

/* ---- proof ---- */

static const fw_err *prove(fw_call_file *f, const json_t *named, apr_int64_t *left,
                           apr_pool_t *pool)
{
    const char *name = json_string_value(json_object_get(named, "name"));
    const char *sha256 = json_string_value(json_object_get(named, "sha256"));
    const json_t *size = json_object_get(named, "size");
    int seals = fcntl(f->fd, F_GET_SEALS);
    struct stat st;

    if (!fw_call_file_name_valid(name))
        return FW_ERR(pool, FW_E_INPUT, 0, "a file of the call has a name that it cannot have");
    f->name = apr_pstrdup(pool, name);
    if (seals < 0 || (seals & SEALS) != SEALS || fstat(f->fd, &st) != 0)
        return FW_ERR(pool, FW_E_INPUT, 0, "a file of the call is not sealed");
    f->size = st.st_size;
    if (!json_is_integer(size) || json_integer_value(size) != f->size)
        return FW_ERR(pool, FW_E_INPUT, 0, "a file of the call has another size than is said");
    if (f->size > *left)
        return FW_ERR(pool, FW_E_INPUT, 0, "files of the call of more than %d bytes",
                      FW_CALL_FILES_BYTES);
    *left -= f->size;
    FW_TRY(reckon(f->fd, f->size, &f->sha256, pool));
    if (!sha256 || strcmp(sha256, f->sha256) != 0)
        return FW_ERR(pool, FW_E_INPUT, 0, "a file of the call has another SHA-256 than is said");
    return NULL;
}

const fw_err *fw_call_files_prove(const apr_array_header_t *files, const json_t *list,
                                  apr_pool_t *pool)
{
    apr_int64_t left = FW_CALL_FILES_BYTES;

    for (int i = 0; i < files->nelts; i++) {
        FW_TRY(prove(at(files, i), json_array_get(list, (size_t)i), &left, pool));
        for (int j = 0; j < i; j++)
            if (strcmp(at(files, i)->name, at(files, j)->name) == 0)
                return FW_ERR(pool, FW_E_INPUT, 0, "two files of the call have one name");
    }
    return NULL;
}
