#include "fw_config.h"
#include "fw_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "fw_template.h"
#include "fw_utf8.h"
#include "fw_wait.h"

#define SUFFIX     ".journal"
#define ROTATE_AT  8388608 /* bytes: then a new file is begun */
#define PATH_BYTES 4096

/* The writer holds a lock on its file as long as it lives: who can lock it knows that nothing more comes. */
struct fw_journal {
    const char *dir;
    apr_pool_t *pool;
    pthread_mutex_t mutex;
    pthread_cond_t synced;
    int fd;
    off_t size;
    int files;        /* begun by this process */
    uint64_t written; /* lines */
    uint64_t on_disk; /* of them */
    uint64_t lost;    /* lines up to here were in a group whose fsync failed */
    bool syncing;
    apr_interval_time_t behind; /* how long after a line its fsync may be; 0: a line waits for it */
    bool goes_behind;           /* a thread syncs */
    pthread_t syncer;
    pthread_cond_t fresh; /* there is something for it to do */
    bool ending;
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

/* Until line `mine` is on disk. The first that comes syncs for all that are written by then. */
static bool wait_for_disk(fw_journal *j, uint64_t mine)
{
    while (j->on_disk < mine && j->lost < mine) {
        uint64_t upto = j->written;
        int fd = j->fd;
        bool good;

        if (j->syncing) {
            pthread_cond_wait(&j->synced, &j->mutex);
            continue;
        }
        j->syncing = true;
        pthread_mutex_unlock(&j->mutex);
        good = fdatasync(fd) == 0;
        pthread_mutex_lock(&j->mutex);
        j->syncing = false;
        if (good)
            j->on_disk = upto;
        else
            j->lost = upto;
        pthread_cond_broadcast(&j->synced);
    }
    return j->on_disk >= mine;
}

/* What was written goes to the disk a moment later, all at once. */
static void *sync_behind(void *data)
{
    fw_journal *j = data;

    pthread_mutex_lock(&j->mutex);
    while (!j->ending) {
        if (j->on_disk < j->written && j->lost < j->written) {
            fw_wait(&j->fresh, &j->mutex, j->behind);
            wait_for_disk(j, j->written);
        } else {
            pthread_cond_wait(&j->fresh, &j->mutex);
        }
    }
    wait_for_disk(j, j->written);
    pthread_mutex_unlock(&j->mutex);
    return NULL;
}

/* Not a thread of APR's: that takes its pool away from ours as it ends, which waits for us while we wait for it. */
static bool start_syncer(fw_journal *j)
{
    if (j->behind == 0)
        return true;
    fw_wait_init(&j->fresh);
    j->goes_behind = pthread_create(&j->syncer, NULL, sync_behind, j) == 0;
    return j->goes_behind;
}

static void end_syncer(fw_journal *j)
{
    if (!j->goes_behind)
        return;
    pthread_mutex_lock(&j->mutex);
    j->ending = true;
    pthread_cond_signal(&j->fresh);
    pthread_mutex_unlock(&j->mutex);
    pthread_join(j->syncer, NULL);
    j->goes_behind = false;
}

static apr_status_t close_journal(void *data)
{
    fw_journal *j = data;

    end_syncer(j);
    if (j->fd >= 0)
        close(j->fd);
    j->fd = -1;
    return APR_SUCCESS;
}

const fw_err *fw_journal_open(fw_journal **out, const char *dir, int sync_ms, apr_pool_t *pool)
{
    fw_journal *j = apr_pcalloc(pool, sizeof(*j));

    j->dir = apr_pstrdup(pool, dir);
    j->pool = pool;
    j->fd = -1;
    j->behind = apr_time_from_msec(sync_ms);
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return FW_ERR(pool, FW_E_UNAVAILABLE, errno, "no folder %s", dir);
    pthread_mutex_init(&j->mutex, NULL);
    fw_wait_init(&j->synced);
    if (!begin_file(j))
        return FW_ERR(pool, FW_E_UNAVAILABLE, errno, "no journal in %s", dir);
    if (!start_syncer(j))
        return FW_ERR(pool, FW_E_INTERNAL, 0, "no thread");
    apr_pool_cleanup_register(pool, j, close_journal, apr_pool_cleanup_null);
    *out = j;
    return NULL;
}

static const char *make_line(const fw_actor *actor, const char *what, const char *about,
                             apr_time_t now, apr_pool_t *pool)
{
    fw_value o = fw_object(pool);
    const char *text = NULL;
    apr_size_t n;

    fw_set(o, "at", fw_number(now));
    fw_set(o, "id", fw_text(apr_psprintf(pool, "%" APR_INT64_T_FMT, actor->account_id)));
    fw_set(o, "actor", fw_text(actor->login));
    fw_set(o, "what", fw_text(what));
    fw_set(o, "about", fw_text(about));
    fw_set(o, "ip", fw_text(actor->ip));
    if (fw_value_json(o, &text, &n, pool) || !fw_utf8_valid(text))
        return NULL;
    return apr_pstrcat(pool, text, "\n", NULL);
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

/* Whether the line may go to the disk after this. Where the last group could not, the next line waits to see whether it can again;
 * and a file that is full is left when all of it is there. */
static bool may_go_behind(fw_journal *j)
{
    if (!j->goes_behind || j->lost > j->on_disk || j->size > ROTATE_AT)
        return false;
    if (j->on_disk + 1 == j->written)
        pthread_cond_signal(&j->fresh);
    return true;
}

const fw_err *fw_journal_note(fw_journal *j, const fw_actor *actor, const char *what,
                              const char *about, apr_time_t now, apr_pool_t *pool)
{
    const char *line = make_line(actor, what, about, now, pool);
    bool good;

    if (!line)
        return FW_ERR(pool, FW_E_INPUT, 0, "a line that is not UTF-8");
    pthread_mutex_lock(&j->mutex);
    good = write_line(j, line) && (may_go_behind(j) || wait_for_disk(j, j->written));
    pthread_mutex_unlock(&j->mutex);
    return good ? NULL : FW_ERR(pool, FW_E_UNAVAILABLE, errno, "the journal cannot be written");
}
