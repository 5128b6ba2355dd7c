#include "fw_config.h"
#include "fw_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <jansson.h>

#define SUFFIX     ".journal"
#define ROTATE_AT  8388608 /* bytes: then a new file is begun */
#define PATH_BYTES 4096

/* The writer holds a lock on its file as long as it lives: who can lock it knows that nothing more comes. */
struct fw_journal {
    const char *dir;
    apr_pool_t *pool;
    apr_thread_mutex_t *mutex;
    apr_thread_cond_t *synced;
    int fd;
    off_t size;
    int files;        /* begun by this process */
    uint64_t written; /* lines */
    uint64_t on_disk; /* of them */
    uint64_t lost;    /* lines up to here were in a group whose fsync failed */
    bool syncing;
};

/* ---- writing ---- */

static bool sync_dir(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    return good;
}

/* Locked before it has its name: nobody shall take it for one whose process is gone. */
static bool begin_file(fw_journal *j)
{
    char path[PATH_BYTES], fresh[PATH_BYTES + 4];
    int fd;

    snprintf(path, sizeof(path), "%s/%016llx-%d-%d" SUFFIX, j->dir,
             (unsigned long long)apr_time_now(), (int)getpid(), j->files++);
    snprintf(fresh, sizeof(fresh), "%s.new", path);
    fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 || rename(fresh, path) != 0 || !sync_dir(j->dir)) {
        close(fd);
        return false;
    }
    if (j->fd >= 0)
        close(j->fd);
    j->fd = fd;
    j->size = 0;
    return true;
}

static apr_status_t close_journal(void *data)
{
    fw_journal *j = data;

    if (j->fd >= 0)
        close(j->fd);
    j->fd = -1;
    return APR_SUCCESS;
}

const fw_err *fw_journal_open(fw_journal **out, const char *dir, apr_pool_t *pool)
{
    fw_journal *j = apr_pcalloc(pool, sizeof(*j));

    j->dir = apr_pstrdup(pool, dir);
    j->pool = pool;
    j->fd = -1;
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return FW_ERR(pool, FW_E_UNAVAILABLE, errno, "no folder %s", dir);
    if (apr_thread_mutex_create(&j->mutex, APR_THREAD_MUTEX_DEFAULT, pool) ||
        apr_thread_cond_create(&j->synced, pool))
        return FW_ERR(pool, FW_E_INTERNAL, 0, "no mutex");
    if (!begin_file(j))
        return FW_ERR(pool, FW_E_UNAVAILABLE, errno, "no journal in %s", dir);
    apr_pool_cleanup_register(pool, j, close_journal, apr_pool_cleanup_null);
    *out = j;
    return NULL;
}

static const char *make_line(const fw_actor *actor, const char *what, const char *about,
                             apr_time_t now, apr_pool_t *pool)
{
    json_t *o = json_pack("{s:I, s:s, s:s?, s:s, s:s?, s:s?}", "at", (json_int_t)now, "id",
                          apr_psprintf(pool, "%" APR_INT64_T_FMT, actor->account_id), "actor",
                          actor->login, "what", what, "about", about, "ip", actor->ip);
    char *text = json_dumps(o, JSON_COMPACT);
    const char *line = text ? apr_pstrcat(pool, text, "\n", NULL) : NULL;

    free(text);
    json_decref(o);
    return line;
}

/* A line that is written in part is taken back: nothing may follow on half a line. */
static bool write_line(fw_journal *j, const char *line)
{
    size_t n = strlen(line);

    if (j->size > ROTATE_AT && !j->syncing && j->on_disk == j->written && !begin_file(j))
        return false;
    if (write(j->fd, line, n) != (ssize_t)n) {
        if (ftruncate(j->fd, j->size) != 0)
            return begin_file(j) && false;
        return false;
    }
    j->size += (off_t)n;
    j->written++;
    return true;
}

/* Until line `mine` is on disk. The first that comes syncs for all that are written by then. */
static bool wait_for_disk(fw_journal *j, uint64_t mine)
{
    while (j->on_disk < mine && j->lost < mine) {
        uint64_t upto = j->written;
        int fd = j->fd;
        bool good;

        if (j->syncing) {
            apr_thread_cond_wait(j->synced, j->mutex);
            continue;
        }
        j->syncing = true;
        apr_thread_mutex_unlock(j->mutex);
        good = fdatasync(fd) == 0;
        apr_thread_mutex_lock(j->mutex);
        j->syncing = false;
        if (good)
            j->on_disk = upto;
        else
            j->lost = upto;
        apr_thread_cond_broadcast(j->synced);
    }
    return j->on_disk >= mine;
}

const fw_err *fw_journal_note(fw_journal *j, const fw_actor *actor, const char *what,
                              const char *about, apr_time_t now, apr_pool_t *pool)
{
    const char *line = make_line(actor, what, about, now, pool);
    bool good;

    if (!line)
        return FW_ERR(pool, FW_E_INPUT, 0, "a line that is not UTF-8");
    apr_thread_mutex_lock(j->mutex);
    good = write_line(j, line) && wait_for_disk(j, j->written);
    apr_thread_mutex_unlock(j->mutex);
    return good ? NULL : FW_ERR(pool, FW_E_UNAVAILABLE, errno, "the journal cannot be written");
}
