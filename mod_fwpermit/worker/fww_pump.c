#include "fw_config.h"
#include "fww_pump.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <apr_allocator.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>

#include "fw_json.h"
#include "fw_store_link.h"
#include "fw_store_outbox.h"
#include "fw_wait.h"
#include "fw_wake.h"
#include "fww_desk.h"
#include "fww_pump_int.h"

#define IDLE        apr_time_from_sec(2) /* at most: then a lane looks by itself */
#define TROUBLE     apr_time_from_sec(1) /* after an error of the database */
#define POLL_EVERY  apr_time_from_sec(15)
#define POLL_DEMO   apr_time_from_sec(1)
#define CLOCK_EVERY apr_time_from_sec(30)
#define CLOCK_DEMO  apr_time_from_sec(5)
#define END_WITHIN  apr_time_from_sec(5)
#define LOCK_LOOK   apr_time_from_msec(100)
#define LANES_MOST  32
#define PORTS_BYTES 64      /* of a waking */
#define POOL_KEPT   4194304 /* bytes that a lane's pool keeps between rounds */

typedef enum lane_e { LANE_OUT, LANE_IN, LANE_POLL, LANE_CLOCK, LANE_STATUS } lane_e;

/* A thread with a connection of its own while it works. */
typedef struct lane {
    fww_pump *pump;
    lane_e kind;
    const char *port;
    const char *plugin; /* or NULL */
    bool urgent;        /* only what a person waits for */
    pthread_cond_t woken;
    bool called; /* there is something for it */
    bool troubled;
    bool mute; /* its plugin leaves nothing to be fetched */
    apr_thread_t *thread;
} lane;

/* What a person waits for is never behind bulk: it has a lane that takes nothing else. */
static const struct {
    const char *port;
    bool urgent;
    bool needs_plugin; /* without one there is no lane: another node may have one */
} out_lanes[] = {{.port = "payment", .urgent = true},
                 {.port = "payment"},
                 {.port = "notify"},
                 {.port = "press", .urgent = true},
                 {.port = "press"},
                 {.port = "labour", .needs_plugin = true},
                 {.port = "penalty", .needs_plugin = true},
                 {.port = "border", .needs_plugin = true},
                 {.port = "card", .needs_plugin = true},
                 {.port = "scan", .needs_plugin = true},
                 {.port = "audit", .needs_plugin = true}};

/* ---- what deliveries need ---- */

void fww_end_set(fww_end *end, fww_end_e what, const char *reason)
{
    *end = (fww_end){.what = what, .reason = reason};
}

const fw_actor *fww_system(void)
{
    static const fw_actor system = {
        .login = "system", .name = "system", .roles = FW_ROLE_SYSTEM, .lang = "en"};

    return &system;
}

const fw_err *fww_perform(const fww_turn *t, fw_command *cmd, const char **refused)
{
    fw_result result;
    const char *why = NULL;

    if (refused)
        *refused = NULL;
    if (apr_time_now() > t->until)
        return FW_ERR(t->pool, FW_E_BUSY, 0, "the lease ran out: another one goes on");
    cmd->actor = fww_system();
    FW_TRY(fw_perform(t->pump->desk, t->db, cmd, &result, t->pool));
    if (result.verdict != FW_REFUSED)
        return NULL;
    why = result.n_refusals > 0 ? result.refusals[0].key : "refused";
    if (refused)
        *refused = why;
    t->pump->env->log(FWW_INFO, FWW_N_REFUSED " %s of %" APR_INT64_T_FMT " is refused: %s",
                      fw_cmd_name(cmd->kind), cmd->target, why);
    return NULL;
}

const char *fww_payload_text(const fww_turn *t, const fw_delivery *d, const char *name)
{
    json_t *o = json_loads(d->payload, JSON_REJECT_DUPLICATES, NULL);
    const char *text = json_string_value(json_object_get(o, name));

    text = text ? apr_pstrdup(t->pool, text) : NULL;
    json_decref(o);
    return text;
}

fw_id fww_payload_id(const fww_turn *t, const fw_delivery *d, const char *name)
{
    const char *text = fww_payload_text(t, d, name);

    return text ? apr_strtoi64(text, NULL, 10) : 0;
}

const char *fww_dump(const fww_turn *t, const json_t *o)
{
    return fw_json_text(o, JSON_COMPACT, t->pool);
}

/* ---- lanes ---- */

static bool stops(fww_pump *pump)
{
    return atomic_load(&pump->stopping);
}

/* Until there is something for it, or `most` is over. */
static void wait_for_work(lane *l, apr_interval_time_t most)
{
    pthread_mutex_lock(&l->pump->mutex);
    if (!l->called && !stops(l->pump))
        fw_wait(&l->woken, &l->pump->mutex, most);
    l->called = false;
    pthread_mutex_unlock(&l->pump->mutex);
}

static const fw_err *work(lane *l, fw_pass_e pass, bool *any, apr_pool_t *pool)
{
    fww_turn t = {.pump = l->pump, .pool = pool};
    bool paused = false;

    FW_TRY(fw_db_acquire(&t.db, l->pump->desk->dbs, pool));
    if (l->plugin)
        FW_TRY(fw_link_is_paused(t.db, l->plugin, &paused, pool));
    if (paused || (pass == FW_PASS_PROBE && !fww_port_is_back(&t, l->plugin)))
        return NULL;
    if (l->kind == LANE_OUT)
        return fww_pump_deliver(&t, l->port, l->urgent, any);
    if (l->kind == LANE_IN)
        return fww_pump_receive(&t, l->port, l->plugin, any);
    if (l->kind == LANE_POLL)
        return fww_pump_poll(&t, l->port, l->plugin, any, &l->mute);
    return fww_clock_round(&t);
}

static const fw_err *do_round(lane *l, bool *any, apr_pool_t *pool)
{
    const fw_err *err;
    fw_pass_e pass;

    *any = false;
    if (l->mute)
        return NULL;
    if (l->kind == LANE_STATUS)
        return fww_status_round(l->pump, pool);
    pass = fww_port_pass(l->pump, l->plugin);
    if (pass == FW_PASS_REST)
        return NULL;
    if (l->plugin)
        fww_port_await(l->pump, l->plugin, pool);
    err = work(l, pass, any, pool);
    if (pass == FW_PASS_PROBE)
        fww_port_probed(l->pump, l->plugin);
    return err;
}

/* Trouble is told when it comes and when it goes, not at every round. */
static void tell(lane *l, const fw_err *err, apr_pool_t *pool)
{
    const fww_role_env *env = l->pump->env;

    if (err && !l->troubled)
        env->log(FWW_ERROR, FWW_N_DATABASE " lane %s: %s", l->port, fw_err_text(err, pool));
    if (!err && l->troubled)
        env->log(FWW_NOTICE, FWW_N_DATABASE " lane %s goes on", l->port);
    l->troubled = err != NULL;
}

static apr_interval_time_t pause_of(const lane *l)
{
    bool demo = l->pump->env->site->demo;

    if (l->kind == LANE_CLOCK)
        return demo ? CLOCK_DEMO : CLOCK_EVERY;
    if (l->kind == LANE_POLL)
        return demo ? POLL_DEMO : POLL_EVERY;
    if (l->kind == LANE_STATUS)
        return l->pump->status_due - fw_monotonic();
    return IDLE;
}

/* A lane's memory is its own, and what one round needed much of goes back. */
static apr_pool_t *make_pool(void)
{
    apr_allocator_t *allocator;
    apr_pool_t *pool;

    apr_allocator_create(&allocator);
    apr_allocator_max_free_set(allocator, POOL_KEPT);
    apr_pool_create_unmanaged_ex(&pool, NULL, allocator);
    apr_allocator_owner_set(allocator, pool);
    return pool;
}

static void *APR_THREAD_FUNC run_lane(apr_thread_t *thread, void *data)
{
    lane *l = data;
    apr_pool_t *pool = make_pool();

    (void)thread;
    while (!stops(l->pump)) {
        bool any = false;
        const fw_err *err = do_round(l, &any, pool);

        tell(l, err, pool);
        apr_pool_clear(pool);
        if (err)
            apr_sleep(TROUBLE);
        else if (!any)
            wait_for_work(l, pause_of(l));
    }
    apr_pool_destroy(pool);
    pthread_mutex_lock(&l->pump->mutex);
    l->pump->running--;
    pthread_cond_signal(&l->pump->ended);
    pthread_mutex_unlock(&l->pump->mutex);
    return NULL;
}

static int make_lanes(fww_pump *pump, lane *lanes)
{
    const apr_array_header_t *plugins = pump->env->site->plugins;
    int n = 0;

    for (size_t i = 0; i < sizeof(out_lanes) / sizeof(out_lanes[0]); i++) {
        const char *plugin = fww_port_plugin(pump, out_lanes[i].port);

        if (plugin || !out_lanes[i].needs_plugin)
            lanes[n++] = (lane){.pump = pump,
                                .kind = LANE_OUT,
                                .port = out_lanes[i].port,
                                .plugin = plugin,
                                .urgent = out_lanes[i].urgent};
    }
    for (int i = 0; i < plugins->nelts && n < LANES_MOST - 3; i++) {
        const fw_plugin_conf *p = &APR_ARRAY_IDX(plugins, i, fw_plugin_conf);

        if (!fww_port_polls(p->port))
            continue;
        lanes[n++] = (lane){.pump = pump, .kind = LANE_IN, .port = p->port, .plugin = p->name};
        lanes[n++] = (lane){.pump = pump, .kind = LANE_POLL, .port = p->port, .plugin = p->name};
    }
    lanes[n++] = (lane){.pump = pump, .kind = LANE_CLOCK, .port = "clock"};
    lanes[n++] = (lane){.pump = pump, .kind = LANE_STATUS, .port = "status"};
    return n;
}

/* ---- the process ---- */

static bool is_for(const lane *l, const char *ports)
{
    if (stops(l->pump))
        return true;
    return (l->kind == LANE_OUT || l->kind == LANE_IN) && (!*ports || strstr(ports, l->port));
}

static void wake_lanes(fww_pump *pump, lane *lanes, int n, const char *ports)
{
    pthread_mutex_lock(&pump->mutex);
    for (int i = 0; i < n; i++) {
        if (!is_for(&lanes[i], ports))
            continue;
        lanes[i].called = true;
        pthread_cond_signal(&lanes[i].woken);
    }
    pthread_mutex_unlock(&pump->mutex);
}

/* The first thread hears the wakings, until it is told to stop. */
static void listen_to_wakings(fww_pump *pump, lane *lanes, int n, int fd)
{
    char ports[PORTS_BYTES];

    while (!*pump->env->stop) {
        struct pollfd p = {.fd = fd, .events = POLLIN};

        if (poll(&p, 1, 500) <= 0)
            continue;
        while (fw_wake_next(fd, ports, sizeof(ports)))
            wake_lanes(pump, lanes, n, ports);
    }
    atomic_store(&pump->stopping, true);
    wake_lanes(pump, lanes, n, "");
}

static const fw_err *open_pump(fww_pump *pump)
{
    pump->started = fw_monotonic();
    pump->owner = fww_owner(pump->env);
    FW_TRY(fww_desk_open(&pump->desk, pump->env, true));
    pthread_mutex_init(&pump->mutex, NULL);
    fw_wait_init(&pump->ended);
    return fww_ports_make(pump);
}

static bool start_lanes(fww_pump *pump, lane *lanes, int n)
{
    apr_threadattr_t *attr = NULL;

    if (apr_threadattr_create(&attr, pump->env->pool) || apr_threadattr_detach_set(attr, 1))
        return false;
    pump->running = n;
    for (int i = 0; i < n; i++) {
        fw_wait_init(&lanes[i].woken);
        if (apr_thread_create(&lanes[i].thread, attr, run_lane, &lanes[i], pump->env->pool)) {
            pump->env->log(FWW_ERROR, "no thread for a lane: %s", strerror(errno));
            return false;
        }
    }
    return true;
}

/* What is under way may come to its end; what takes too long is taken up again after its lease. */
static void wait_for_lanes(fww_pump *pump)
{
    apr_time_t until = fw_monotonic() + END_WITHIN;

    pthread_mutex_lock(&pump->mutex);
    while (pump->running > 0 && fw_monotonic() < until)
        fw_wait(&pump->ended, &pump->mutex, until - fw_monotonic());
    pthread_mutex_unlock(&pump->mutex);
}

/* One pump for each run directory: waits until the one before has gone, however it went. The lock lasts as long as the process. */
static bool be_the_only_one(const fww_role_env *env)
{
    const char *path = apr_pstrcat(env->pool, env->run_dir, "/pump.lock", NULL);
    int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);

    while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK || *env->stop)
            return false;
        apr_sleep(LOCK_LOOK);
    }
    return fd >= 0;
}

/* What the one before had under way is taken up at once, not only after its leases: that is a later attempt, and an answer
 * that still comes to the earlier one is fenced off. */
static const fw_err *take_up(fww_pump *pump)
{
    fw_db *db = NULL;
    const fw_err *err;

    FW_TRY(fw_db_acquire(&db, pump->desk->dbs, pump->env->pool));
    err = fw_db_begin(db);
    if (!err)
        err = fw_outbox_reclaim(db, fww_node(pump->env), pump->env->pool);
    if (!err)
        err = fw_db_commit(db);
    if (!err)
        err = fww_ports_load(pump, db);
    fw_db_release(db);
    return err;
}

int fww_pump_main(const fww_role_env *env)
{
    fww_pump *pump = apr_pcalloc(env->pool, sizeof(*pump));
    lane *lanes = apr_pcalloc(env->pool, sizeof(*lanes) * LANES_MOST);
    const fw_err *err;
    int n, fd;

    pump->env = env;
    if (!be_the_only_one(env)) {
        env->log(FWW_ERROR, "pump: %s/pump.lock: %s", env->run_dir, strerror(errno));
        return *env->stop ? 0 : 1;
    }
    err = open_pump(pump);
    if (!err)
        err = take_up(pump);
    if (err) {
        env->log(FWW_ERROR, "pump: %s", fw_err_text(err, env->pool));
        return 1;
    }
    fd = fw_wake_listen(env->run_dir);
    if (fd < 0) {
        env->log(FWW_ERROR, "pump: no socket in %s: %s", env->run_dir, strerror(errno));
        return 1;
    }
    n = make_lanes(pump, lanes);
    if (!start_lanes(pump, lanes, n))
        return 1;
    env->log(FWW_INFO, "pump: %d lanes", n);
    listen_to_wakings(pump, lanes, n, fd);
    wait_for_lanes(pump);
    close(fd);
    return 0;
}
