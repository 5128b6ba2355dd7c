#include "fw_config.h"
#include "fwk.h"

#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "fw_file.h"

#define PAGE_MAX 262144

/* What the contract takes from a plugin: its process is not its own. */
static const char *const forbidden[] = {
    "fork",   "vfork",  "exit",   "_exit",       "_Exit",        "quick_exit", "daemon",
    "signal", "system", "popen",  "posix_spawn", "posix_spawnp", "setlocale",  "umask",
    "chdir",  "fchdir", "printf", "puts",        "putchar",      "vprintf",    "__printf_chk",
    "setenv", "putenv", "alarm",  "setitimer",   "unsetenv"};

static bool is_toolchain(const char *name)
{
    return strncmp(name, "__asan", 6) == 0 || strncmp(name, "__odr_asan", 10) == 0 ||
           strncmp(name, "__ubsan", 7) == 0;
}

static void check_exported(fwk *k, const json_t *elf)
{
    const json_t *name;
    const char *others = "";
    bool door = false;
    size_t i;

    json_array_foreach(json_object_get(elf, "exported"), i, name)
    {
        const char *text = json_string_value(name);
        if (strcmp(text, "fwpermit_plugin") == 0)
            door = true;
        else if (!is_toolchain(text))
            others = apr_pstrcat(k->pool, others, " ", text, NULL);
    }
    if (!door)
        fwk_fail(k, "symbols",
                 "fwpermit_plugin is not exported: define it as the header declares it, extern "
                 "\"C\" in C++");
    else if (*others)
        fwk_fail(k, "symbols",
                 "more than fwpermit_plugin is exported:%.300s; link with "
                 "-Wl,--version-script=fwpermit_plugin.map",
                 others);
    else
        fwk_ok(k, "symbols", "fwpermit_plugin alone");
}

static void check_wanted(fwk *k, const json_t *elf)
{
    const char *found = "";
    const json_t *name;
    size_t i;

    json_array_foreach(json_object_get(elf, "wanted"), i, name)
    {
        for (size_t f = 0; f < sizeof(forbidden) / sizeof(forbidden[0]); f++)
            if (strcmp(json_string_value(name), forbidden[f]) == 0)
                found = apr_pstrcat(k->pool, found, " ", forbidden[f], NULL);
    }
    if (*found)
        fwk_fail(k, "calls", "it calls what belongs to the process:%s; leave that out", found);
    else
        fwk_ok(k, "calls", "nothing that belongs to the process");
}

static void check_versions(fwk *k)
{
    if (json_is_true(json_object_get(k->shown, "takes_next_major")))
        fwk_fail(k, "versions",
                 "it gives itself out for interface %u when asked for that: return "
                 "NULL if host_abi >> 16 is not FWP_ABI_MAJOR",
                 FWP_ABI_MAJOR + 1);
    else if (!json_is_true(json_object_get(k->shown, "newer")))
        fwk_fail(k, "versions",
                 "it refuses a host of interface %u.999: compare host_abi >> 16 "
                 "alone",
                 FWP_ABI_MAJOR);
    else if (!json_is_true(json_object_get(k->shown, "older")))
        fwk_fail(k, "versions", "it refuses a host of interface %u.0: compare host_abi >> 16 alone",
                 FWP_ABI_MAJOR);
    else
        fwk_ok(k, "versions", "another major number is refused, another minor one is not");
}

static void check_sizes(fwk *k)
{
    json_int_t size = json_integer_value(json_object_get(k->shown, "size"));
    json_int_t ops = json_integer_value(json_object_get(k->shown, "ops_size"));
    json_int_t least = offsetof(fwp_plugin, ops) + sizeof(void *);

    if (size < least || size > 4096 || size % 8 != 0)
        fwk_fail(k, "sizes", "fwp_plugin.size is %d: set it to sizeof(fwp_plugin)", (int)size);
    else if (ops < 16 || ops > 4096 || ops % 8 != 0)
        fwk_fail(k, "sizes", "the size of the port's struct is %d: set it to its sizeof", (int)ops);
    else
        fwk_ok(k, "sizes", "%d and %d bytes", (int)size, (int)ops);
}

static bool name_is_good(const char *name, const char *port)
{
    size_t n = strlen(port);

    return strlen(name) <= 32 && strncmp(name, port, n) == 0 && name[n] == '_' && name[n + 1] &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(name);
}

static bool version_is_good(const char *v)
{
    int dots = 0;

    for (const char *p = v; *p; p++) {
        if (*p == '.')
            dots++;
        else if (*p < '0' || *p > '9')
            return false;
    }
    return dots == 2 && v[0] != '.' && v[strlen(v) - 1] != '.' && !strstr(v, "..");
}

static void check_names(fwk *k)
{
    const char *port = json_string_value(json_object_get(k->shown, "port"));
    const char *name = json_string_value(json_object_get(k->shown, "name"));
    const char *version = json_string_value(json_object_get(k->shown, "version"));
    size_t n = json_array_size(json_object_get(k->shown, "ops"));

    if (k->port && strcmp(k->port, port) != 0)
        fwk_fail(k, "name", "it serves port %s, not %s", port, k->port);
    else if (n == 0)
        fwk_fail(k, "name", "it has no operation of port %s: fill in its struct, with its size",
                 port);
    else if (!name_is_good(name, port))
        fwk_fail(k, "name",
                 "its name is %.60s: it is %s_ and more of a-z 0-9 _ -, 32 bytes at most", name,
                 port);
    else if (!version_is_good(version))
        fwk_fail(k, "name", "its version is %.40s: it is three numbers, as 0.1.0", version);
    else
        fwk_ok(k, "name", "%s %s, port %s, %d operations", name, version, port, (int)n);
}

static void check_page(fwk *k)
{
    const char *path = apr_pstrcat(k->pool, k->fixtures.dir, "/../README.md", NULL);
    json_t *all[] = {json_object_get(k->fixtures.common, "settings"),
                     json_object_get(k->fixtures.common, "secrets")};
    const fw_err *err;
    char *text;
    const char *missing = "";
    const char *key;
    json_t *value;

    err = fw_file_read(&text, NULL, path, PAGE_MAX, k->pool);
    if (err) {
        fwk_fail(k, "page",
                 "%s cannot be read: tell there what the plugin does, its settings, and "
                 "what a repetition of each operation does",
                 path);
        return;
    }
    for (int i = 0; i < 2; i++)
        json_object_foreach(all[i], key, value)
        {
            if (strncmp(key, "http.", 5) != 0 && !strstr(text, apr_psprintf(k->pool, "`%s`", key)))
                missing = apr_pstrcat(k->pool, missing, " `", key, "`", NULL);
        }
    if (*missing)
        fwk_fail(k, "page", "README.md does not tell of the settings%s", missing);
    else
        fwk_ok(k, "page", "README.md tells of every setting");
}

void fwk_check_file(fwk *k)
{
    json_t *elf = fwk_elf_read(k->file);
    fwk_trial t = {.k = k, .work = fwk_work_show};

    if (!elf) {
        fwk_fail(k, "symbols", "%s is no shared object of this machine", k->file);
        return;
    }
    check_exported(k, elf);
    check_wanted(k, elf);
    json_decref(elf);
    fwk_try(&t);
    if (fwk_try_wrong(&t)) {
        fwk_fail(k, "loads", "%s", fwk_try_wrong(&t));
    } else {
        fwk_ok(k, "loads", "%s", "");
        k->shown = json_incref(t.out);
    }
    fwk_try_free(&t);
    if (!k->shown)
        return;
    check_versions(k);
    check_sizes(k);
    check_names(k);
    if (k->fixtures.dir)
        check_page(k);
}
