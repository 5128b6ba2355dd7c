#include "fw_config.h"
#include "fw_db_watch.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "fw_wait.h"

#define LOOK_US 500000

struct fw_db_watched {
    fw_db_watch *watch;
    fw_db_watched *next;
    int fd;
    _Atomic(apr_time_t) due; /* 0: nothing was asked */
};

struct fw_db_watch {
    pthread_mutex_t mutex;
    pthread_cond_t ended;
    pthread_t thread;
    bool runs, ending;
    fw_db_watched *first;
};

static void look(fw_db_watch *watch)
{
    apr_time_t now = fw_monotonic();

    for (fw_db_watched *w = watch->first; w; w = w->next) {
        apr_time_t due = atomic_load(&w->due);

        if (due && due < now && atomic_compare_exchange_strong(&w->due, &due, 0))
            shutdown(w->fd, SHUT_RDWR);
    }
}

static void *watch_all(void *data)
{
    fw_db_watch *watch = data;

    pthread_mutex_lock(&watch->mutex);
    while (!watch->ending) {
        fw_wait(&watch->ended, &watch->mutex, LOOK_US);
        look(watch);
    }
    pthread_mutex_unlock(&watch->mutex);
    return NULL;
}

/* With all signals blocked: they are for the threads that wait for them. */
static bool start(fw_db_watch *watch)
{
    sigset_t all, before;

    if (watch->runs)
        return true;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    watch->runs = pthread_create(&watch->thread, NULL, watch_all, watch) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return watch->runs;
}

static apr_status_t end_watch(void *data)
{
    fw_db_watch *watch = data;

    pthread_mutex_lock(&watch->mutex);
    watch->ending = true;
    pthread_cond_signal(&watch->ended);
    pthread_mutex_unlock(&watch->mutex);
    if (watch->runs)
        pthread_join(watch->thread, NULL);
    return APR_SUCCESS;
}

fw_db_watch *fw_db_watch_make(apr_pool_t *pool)
{
    fw_db_watch *watch = apr_pcalloc(pool, sizeof(*watch));

    pthread_mutex_init(&watch->mutex, NULL);
    fw_wait_init(&watch->ended);
    apr_pool_cleanup_register(pool, watch, end_watch, apr_pool_cleanup_null);
    return watch;
}

static apr_status_t leave(void *data)
{
    fw_db_watched *gone = data;
    fw_db_watch *watch = gone->watch;
    fw_db_watched **at = &watch->first;

    pthread_mutex_lock(&watch->mutex);
    while (*at != gone)
        at = &(*at)->next;
    *at = gone->next;
    pthread_mutex_unlock(&watch->mutex);
    return APR_SUCCESS;
}

fw_db_watched *fw_db_watch_add(fw_db_watch *watch, int fd, apr_pool_t *pool)
{
    fw_db_watched *w = apr_pcalloc(pool, sizeof(*w));
    bool runs;

    w->watch = watch;
    w->fd = fd;
    pthread_mutex_lock(&watch->mutex);
    runs = start(watch);
    if (runs) {
        w->next = watch->first;
        watch->first = w;
    }
    pthread_mutex_unlock(&watch->mutex);
    if (!runs)
        return NULL;
    apr_pool_cleanup_register(pool, w, leave, apr_pool_cleanup_null);
    return w;
}

void fw_db_watch_begin(fw_db_watched *w, int ms)
{
    if (w && ms > 0)
        atomic_store(&w->due, fw_monotonic() + apr_time_from_msec(ms));
}

void fw_db_watch_end(fw_db_watched *w)
{
    if (w)
        atomic_store(&w->due, 0);
}
