#include "sim.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <jansson.h>

/* usage: sim SEED COMMANDS DIR    One run over a database in DIR (made and removed). Figures as JSON on stdout; the
 * exit code is 1, with the reason on stderr, where an invariant is broken. */

#define CHECKED 500 /* commands between two checks of everything */

static const char *dir;

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static void clean_up(void)
{
    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void sim_fail(const char *fmt, ...)
{
    va_list args;

    fprintf(stderr, "seed %llu, command %d: ", (unsigned long long)sim.seed, sim.n);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, "\n");
    clean_up();
    exit(1);
}

/* ---- the run ---- */

static void move_clock(void)
{
    int what = sim_below(10000);

    if (what < 20) {
        sim.now -= apr_time_from_sec(1 + sim_below(120));
        sim_hit(SIM_CLOCK_BACK);
    } else if (what < 35) {
        sim.now += apr_time_from_sec(sim_below(5 * 86400));
    } else if (what < 250) {
        sim.now += apr_time_from_sec(sim_below(3600));
    } else {
        sim.now += apr_time_from_sec(sim_below(60)) + sim_below(1000000);
    }
}

static void act(void)
{
    int what = sim_below(100);

    move_clock();
    if (what < 33)
        sim_act_applicant();
    else if (what < 54)
        sim_act_officer();
    else if (what < 57)
        sim_act_admin();
    else if (what < 86)
        sim_act_system();
    else if (what < 91)
        sim_act_payer();
    else if (what < 93)
        sim_act_fines();
    else if (what < 96)
        sim_act_agencies();
    else if (what < 98)
        sim_act_bureau();
    else
        sim_clock_round();
    apr_pool_clear(sim.act);
}

static void run(void)
{
    int checked = 0;

    while (sim.n < sim.commands) {
        act();
        if (sim.n - checked >= CHECKED) {
            checked = sim.n;
            check_all();
            apr_pool_clear(sim.act);
        }
    }
    sim_come_to_rest();
    check_rest();
}

/* ---- figures ---- */

static json_t *commands_json(void)
{
    static const char *const ends[SIM_ENDS] = {"done", "accepted", "repeated", "refused", "error"};
    json_t *all = json_object();

    for (int k = 0; k < FW_CMDS; k++) {
        json_t *one = json_object();

        for (int e = 0; e < SIM_ENDS; e++)
            json_object_set_new(one, ends[e], json_integer(sim.given[k][e]));
        json_object_set_new(all, fw_cmd_name((fw_cmd_e)k), one);
    }
    return all;
}

static json_t *faults_json(void)
{
    json_t *all = json_object();

    for (int f = 0; f < SIM_FAULT_KINDS; f++)
        json_object_set_new(all, sim_fault_name((sim_fault_e)f), json_integer(sim.hits[f]));
    return all;
}

static json_t *refusals_json(void)
{
    json_t *all = json_object();

    for (apr_hash_index_t *at = apr_hash_first(sim.pool, sim.refusals); at;
         at = apr_hash_next(at)) {
        const void *name;
        void *n;

        apr_hash_this(at, &name, NULL, &n);
        json_object_set_new(all, name, json_integer(*(int64_t *)n));
    }
    return all;
}

static void print(void)
{
    json_t *o =
        json_pack("{s:i, s:I, s:o, s:o, s:o, s:s}", "commands", sim.n, "checks",
                  (json_int_t)sim.checks, "by_command", commands_json(), "faults", faults_json(),
                  "refusals", refusals_json(), "digest", check_digest(sim.pool));

    json_dumpf(o, stdout, JSON_SORT_KEYS);
    printf("\n");
    json_decref(o);
}

int main(int argc, char **argv)
{
    char made[] = "/run-XX"
                  "XX"
                  "XX";
    char path[1024];

    if (argc != 4) {
        fprintf(stderr, "usage: sim SEED COMMANDS DIR\n");
        return 2;
    }
    snprintf(path, sizeof(path), "%s%s", argv[3], made);
    dir = mkdtemp(path);
    if (!dir) {
        perror(argv[3]);
        return 2;
    }
    apr_initialize();
    sim_open(strtoull(argv[1], NULL, 10), (int)strtol(argv[2], NULL, 10), dir);
    run();
    print();
    sim_close();
    clean_up();
    return 0;
}
