#include "fw_config.h"
#include "fwk.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIGNALS 65

static struct {
    char folder[PATH_MAX];
    char locale[200];
    mode_t mask;
    struct sigaction handlers[SIGNALS];
    sigset_t blocked;
    volatile sig_atomic_t forked;
} before;

static void on_fork(void)
{
    before.forked = 1;
}

static mode_t the_umask(void)
{
    mode_t mask = umask(077);
    umask(mask);
    return mask;
}

void fwk_watch_begin(void)
{
    const char *name = setlocale(LC_ALL, NULL);

    if (!getcwd(before.folder, sizeof(before.folder)))
        before.folder[0] = 0;
    snprintf(before.locale, sizeof(before.locale), "%s", name ? name : "");
    before.mask = the_umask();
    for (int s = 1; s < SIGNALS; s++)
        sigaction(s, NULL, &before.handlers[s]);
    sigprocmask(SIG_BLOCK, NULL, &before.blocked);
    pthread_atfork(on_fork, NULL, NULL);
}

static bool signals_changed(void)
{
    struct sigaction now;
    sigset_t blocked;

    for (int s = 1; s < SIGNALS; s++)
        if (sigaction(s, NULL, &now) == 0 && now.sa_handler != before.handlers[s].sa_handler)
            return true;
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    for (int s = 1; s < SIGNALS; s++)
        if (sigismember(&blocked, s) != sigismember(&before.blocked, s))
            return true;
    return false;
}

static bool has_child(void)
{
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 || errno != ECHILD;
}

void fwk_watch_end(json_t *broke)
{
    const char *name = setlocale(LC_ALL, NULL);
    char folder[PATH_MAX];

    if (!getcwd(folder, sizeof(folder)) || strcmp(folder, before.folder) != 0)
        json_object_set_new(broke, "it changed the working directory", json_true());
    if (strcmp(name ? name : "", before.locale) != 0)
        json_object_set_new(broke, "it changed the locale", json_true());
    if (the_umask() != before.mask)
        json_object_set_new(broke, "it changed the umask", json_true());
    if (signals_changed())
        json_object_set_new(broke, "it changed how a signal is handled", json_true());
    if (before.forked || has_child())
        json_object_set_new(broke, "it started a process", json_true());
}

static int entries(const char *folder)
{
    DIR *d = opendir(folder);
    int n = 0;

    if (!d)
        return 0;
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

fwk_size fwk_measure(void)
{
    struct mallinfo2 m = mallinfo2();
    fwk_size size = {.heap = m.uordblks + m.hblkhd};
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    if (f) {
        if (fscanf(f, "%*u %lu", &pages) == 1)
            size.resident = (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
        fclose(f);
    }
    size.files = entries("/proc/self/fd");
    size.threads = entries("/proc/self/task");
    return size;
}
