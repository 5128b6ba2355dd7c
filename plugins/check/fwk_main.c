#include "fw_config.h"
#include "fwk.h"

#include <dlfcn.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "fw_file.h"

#define SECRET_MAX     65536
#define CONTRACTS      "/usr/share/fwpermit/contracts"
#define CONTRACTS_HERE "docs/contracts" /* in a checkout */

static const char usage[] =
    "usage: fwpermit-plugin-check FILE.so [--fixtures DIR] [--set KEY=VALUE] [--secret KEY=FILE]\n"
    "                             [--port PORT] [--contracts DIR] [--quiet | --json]\n"
    "Holds a plugin to the contract of fwpermit_plugin.h. Exit code 0: all of it holds.\n";

static void die(const char *what, const char *name)
{
    fprintf(stderr, "fwpermit-plugin-check: %s%s\n%s", what, name, usage);
    exit(2);
}

/* KEY=VALUE, or KEY=FILE with the file's bytes as the value, as FwPermitPluginSecret has it. */
static void take_pair(fwk *k, json_t *into, const char *pair, bool file)
{
    const char *is = strchr(pair, '=');
    char *value = apr_pstrdup(k->pool, is ? is + 1 : "");
    apr_size_t n = strlen(value);

    if (!is || is == pair)
        die("KEY=VALUE is wanted, not ", pair);
    if (file && fw_file_read(&value, &n, is + 1, SECRET_MAX, k->pool))
        die("cannot read ", is + 1);
    json_object_set_new(into, apr_pstrmemdup(k->pool, pair, (apr_size_t)(is - pair)),
                        json_stringn(value, n));
}

static void take_options(fwk *k, int argc, char **argv)
{
    static const struct option known[] = {
        {"fixtures", 1, NULL, 'f'},  {"set", 1, NULL, 's'},   {"secret", 1, NULL, 'S'},
        {"port", 1, NULL, 'p'},      {"quiet", 0, NULL, 'q'}, {"json", 0, NULL, 'j'},
        {"contracts", 1, NULL, 'c'}, {"help", 0, NULL, 'h'},  {NULL, 0, NULL, 0}};
    int c;

    for (c = getopt_long(argc, argv, "", known, NULL); c != -1;
         c = getopt_long(argc, argv, "", known, NULL)) {
        if (c == 'f')
            k->fixtures.dir = optarg;
        else if (c == 's' || c == 'S')
            take_pair(k, c == 's' ? k->set : k->secrets, optarg, c == 'S');
        else if (c == 'p')
            k->port = optarg;
        else if (c == 'c')
            k->contracts = optarg;
        else if (c == 'q')
            k->quiet = true;
        else if (c == 'j')
            k->json = true;
        else if (c == 'h') {
            fputs(usage, stdout);
            exit(0);
        } else
            die("see above", "");
    }
    if (optind != argc - 1)
        die("one plugin is wanted", "");
    k->file = argv[optind];
}

static void find_place(fwk *k)
{
    char real[PATH_MAX];

    if (!realpath(k->file, real))
        die("there is no file ", k->file);
    k->file = apr_pstrdup(k->pool, real);
    k->dir = apr_pstrmemdup(k->pool, real, (apr_size_t)(strrchr(real, '/') - real));
    if (!k->contracts)
        k->contracts = access(CONTRACTS_HERE, R_OK) == 0 ? CONTRACTS_HERE : CONTRACTS;
}

/* What the allocator keeps aside for a thread counts as taken, and fills up over many rounds: start anew without it. */
static void prepare_allocator(char **argv)
{
    static char plain[] = "GLIBC_TUNABLES=glibc.malloc.tcache_count=0";

    if (getenv("GLIBC_TUNABLES"))
        return;
    putenv(plain);
    execv("/proc/self/exe", argv);
    die("cannot start again with ", plain);
}

/* A plugin that was built with the address sanitizer needs its library first: start anew with that. */
static void prepare_sanitizer(fwk *k, char **argv)
{
    json_t *elf = fwk_elf_read(k->file);
    const char *library = NULL;
    const json_t *name;
    size_t i;

    json_array_foreach(json_object_get(elf, "needed"), i, name)
    {
        if (strncmp(json_string_value(name), "libasan.so", 10) == 0)
            library = json_string_value(name);
    }
    k->sanitized = dlsym(RTLD_DEFAULT, "__asan_init") != NULL;
    if (library && !k->sanitized && !getenv("LD_PRELOAD")) {
        putenv(apr_pstrcat(k->pool, "LD_PRELOAD=", library, NULL));
        execv("/proc/self/exe", argv);
        die("cannot start again with ", library);
    }
    json_decref(elf);
}

static void run(fwk *k)
{
    const char *dir = k->fixtures.dir;
    bool read = dir && fwk_fixtures_read(k, dir);

    fwk_check_file(k);
    if (!k->shown)
        return;
    if (!dir)
        fwk_fail(k, "fixtures",
                 "none are given: --fixtures DIR, a folder with settings.json and "
                 "one file for each recorded exchange");
    if (read) {
        fwk_check_settings(k);
        fwk_check_cases(k);
        fwk_check_trouble(k);
        fwk_check_repeats(k);
        fwk_check_growth(k);
    }
    fwk_check_manners(k);
}

int main(int argc, char **argv)
{
    fwk k = {.set = json_object(),
             .secrets = json_object(),
             .report = json_array(),
             .broke = json_object(),
             .leaks = json_object()};
    int code;

    fwk_leak_watch(false);
    apr_initialize();
    apr_pool_create(&k.pool, NULL);
    signal(SIGPIPE, SIG_IGN);
    take_options(&k, argc, argv);
    find_place(&k);
    prepare_allocator(argv);
    prepare_sanitizer(&k, argv);
    run(&k);
    code = fwk_sum(&k);
    fflush(NULL);
    _exit(code);
}
