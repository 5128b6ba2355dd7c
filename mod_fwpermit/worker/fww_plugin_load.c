#include "fw_config.h"
#include "fww_plugin_load.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

typedef const fwp_plugin *(*entry_fn)(uint32_t);

/* The slots of each port's struct, in its order. */
static const struct {
    const char *port;
    const char *ops[FWW_OPS_MAX];
} ports[] = {
    {FWP_PORT_PAYMENT,
     {"payment.begin", "payment.message", "payment.query", "payment.refund", "payment.settlement",
      "payment.poll", "payment.ack"}},
    {FWP_PORT_LABOUR, {"labour.find", "labour.poll", "labour.ack", "labour.message"}},
    {FWP_PORT_BORDER,
     {"border.permit", "border.movements", "border.poll", "border.ack", "border.message"}},
    {FWP_PORT_RESIDENTS,
     {"residents.put", "residents.find", "residents.compare", "residents.poll", "residents.ack",
      "residents.message"}},
    {FWP_PORT_PENALTY,
     {"penalty.put", "penalty.find", "penalty.poll", "penalty.ack", "penalty.message"}},
    {FWP_PORT_CARD,
     {"card.order", "card.find", "card.cancel", "card.stock", "card.poll", "card.ack",
      "card.message"}},
    {FWP_PORT_ARCHIVE, {"archive.put", "archive.verify", "archive.get"}},
    {FWP_PORT_AUDIT, {"audit.records"}},
    {FWP_PORT_MONITOR, {"monitor.report"}},
    {FWP_PORT_NOTIFY, {"notify.send", "notify.message"}},
    {FWP_PORT_SCAN, {"scan.scan"}},
    {FWP_PORT_BUS, {"bus.publish", "bus.poll", "bus.ack"}},
};

static const fw_err *check_place(const char *dir, const char *path, char *real, apr_pool_t *pool)
{
    char real_dir[PATH_MAX];
    const char *slash;
    struct stat st;

    if (!realpath(dir, real_dir))
        return FW_ERR(pool, FW_E_CONFIG, errno, "plugin directory %s", dir);
    if (!realpath(path, real))
        return FW_ERR(pool, FW_E_CONFIG, errno, "plugin %s", path);
    slash = strrchr(real, '/');
    if ((size_t)(slash - real) != strlen(real_dir) ||
        strncmp(real, real_dir, strlen(real_dir)) != 0)
        return FW_ERR(pool, FW_E_CONFIG, 0, "plugin %s is not in %s", path, dir);
    if (stat(real_dir, &st) != 0)
        return FW_ERR(pool, FW_E_CONFIG, errno, "plugin directory %s", dir);
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s is writable by others", dir);
    if (stat(real, &st) != 0)
        return FW_ERR(pool, FW_E_CONFIG, errno, "plugin %s", path);
    if (!S_ISREG(st.st_mode))
        return FW_ERR(pool, FW_E_CONFIG, 0, "plugin %s is not a file", path);
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        return FW_ERR(pool, FW_E_CONFIG, 0, "plugin %s is writable by others", path);
    if (st.st_uid != 0 && st.st_uid != geteuid())
        return FW_ERR(pool, FW_E_CONFIG, 0, "plugin %s belongs neither to root nor to us", path);
    return NULL;
}

/* Calls the entry and copies what it shows. */
static const fw_err *enter(fww_loaded *out, void *handle, const char *path, apr_pool_t *pool)
{
    const fwp_plugin *theirs;
    entry_fn entry;
    void *symbol = dlsym(handle, "fwpermit_plugin");

    if (!symbol)
        return FW_ERR(pool, FW_E_CONFIG, 0, "plugin %s exports no fwpermit_plugin", path);
    memcpy(&entry, &symbol, sizeof(entry));
    theirs = entry(FWP_ABI);
    if (!theirs)
        return FW_ERR(pool, FW_E_CONFIG, 0, "plugin %s does not serve interface %u.%u", path,
                      FWP_ABI_MAJOR, FWP_ABI_MINOR);
    if (theirs->size < 2 * sizeof(uint32_t))
        return FW_ERR(pool, FW_E_CONFIG, 0, "plugin %s gives no size of its struct fwp_plugin",
                      path);
    if (theirs->abi >> 16 != FWP_ABI_MAJOR)
        return FW_ERR(pool, FW_E_CONFIG, 0, "plugin %s is made for interface %u, not %u", path,
                      theirs->abi >> 16, FWP_ABI_MAJOR);
    memcpy(&out->plugin, theirs,
           theirs->size < sizeof(out->plugin) ? theirs->size : sizeof(out->plugin));
    if (!out->plugin.port || !out->plugin.name || !out->plugin.version || !out->plugin.create ||
        !out->plugin.destroy || !out->plugin.ops)
        return FW_ERR(pool, FW_E_CONFIG, 0, "plugin %s leaves out what it must have", path);
    return NULL;
}

/* The port's slots: the struct's size, then pointers of one type, as many as the size says. */
static const fw_err *copy_ops(fww_loaded *out, const char *path, apr_pool_t *pool)
{
    const char *const *names = NULL;
    const size_t first = offsetof(fwp_notify_ops, send);
    const char *bytes = out->plugin.ops;
    uint32_t size;

    for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
        if (strcmp(ports[i].port, out->plugin.port) == 0)
            names = ports[i].ops;
    if (!names)
        return FW_ERR(pool, FW_E_CONFIG, 0, "plugin %s serves port %.32s, which is not known", path,
                      out->plugin.port);
    memcpy(&size, bytes, sizeof(size));
    for (int i = 0; i < FWW_OPS_MAX && names[i]; i++) {
        size_t at = first + (size_t)i * sizeof(fwp_op);
        out->ops[i].name = names[i];
        if (at + sizeof(fwp_op) <= size)
            memcpy(&out->ops[i].run, bytes + at, sizeof(fwp_op));
        out->n_ops = i + 1;
    }
    return NULL;
}

const fw_err *fww_plugin_load(fww_loaded *out, const char *dir, const char *path, apr_pool_t *pool)
{
    char real[PATH_MAX];
    void *handle;

    *out = (fww_loaded){0};
    FW_TRY(check_place(dir, path, real, pool));
    handle = dlopen(real, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!handle)
        return FW_ERR(pool, FW_E_CONFIG, 0, "plugin %s: %s", path, dlerror());
    FW_TRY(enter(out, handle, path, pool));
    return copy_ops(out, path, pool);
}
