#include "fw_config.h"
#include "fwk.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* A far side whose protocol is no text: a real program for each connection, as inetd starts one, in a folder of its own for each
 * trial. What stands in that folder tells when it has taken what it must. */

#define CHUNK     65536
#define BOOK_MAX  16384
#define WORDS_MAX 16

typedef struct fwk_relay {
    int plugin, program;
    const char *folder;
    const json_t
        *taken; /* a path in the folder, !path: it is gone, or how many bytes the plugin has sent */
    const fwk_line *line;
    fwk_mode mode;
    json_int_t sent;
    bool noted;
} fwk_relay;

/* ---- the folder ---- */

static int remove_one(const char *path, const struct stat *st, int what, struct FTW *at)
{
    (void)st, (void)what, (void)at;
    return remove(path);
}

void fwk_program_forget(const char *folder)
{
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Appends the paths below `path` to the book's record, folder by folder. */
static void list(const char *path, size_t root, char *book, size_t *used)
{
    struct dirent **names;
    int n = scandir(path, &names, NULL, alphasort);

    for (int i = 0; i < n; i++) {
        char below[4096];

        if (strcmp(names[i]->d_name, ".") != 0 && strcmp(names[i]->d_name, "..") != 0) {
            snprintf(below, sizeof(below), "%s/%s", path, names[i]->d_name);
            if (*used + strlen(below) + 1 < BOOK_MAX)
                *used += (size_t)snprintf(book + *used, BOOK_MAX - *used, "%s\n", below + root);
            if (names[i]->d_type == DT_DIR)
                list(below, root, book, used);
        }
        free(names[i]);
    }
    if (n >= 0)
        free(names);
}

static bool has_taken(const fwk_relay *r)
{
    const char *path = json_string_value(r->taken);
    char pattern[4096];
    glob_t found;
    bool there;

    if (!path)
        return r->sent >= json_integer_value(r->taken);
    snprintf(pattern, sizeof(pattern), "%s/%s", r->folder, path + (*path == '!'));
    there = glob(pattern, GLOB_NOSORT, NULL, &found) == 0;
    if (there)
        globfree(&found);
    return there != (*path == '!');
}

/* ---- between plugin and program ---- */

/* Before an answer goes back: is this the moment? False: the connection ends. */
static bool watch(fwk_relay *r)
{
    const struct linger at_once = {.l_onoff = 1};
    char book[BOOK_MAX], byte;
    size_t used = 0;

    if (r->noted || !has_taken(r))
        return true;
    r->noted = true;
    list(r->folder, strlen(r->folder) + 1, book, &used);
    fwk_note(r->line->book, book, used);
    if (r->mode == FWK_LOST) {
        setsockopt(r->plugin, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        return false;
    }
    if (r->mode != FWK_KILL && r->mode != FWK_HOLD)
        return true;
    return write(r->line->taken, "t", 1) == 1 && read(r->line->go, &byte, 1) == 1;
}

static bool pass(fwk_relay *r, int from, int to)
{
    char bytes[CHUNK];
    ssize_t n = recv(from, bytes, sizeof(bytes), 0);

    if (n <= 0 || (from == r->program && !watch(r)))
        return false;
    if (from == r->plugin)
        r->sent += n;
    return send(to, bytes, (size_t)n, MSG_NOSIGNAL) == n;
}

static void relay(fwk_relay *r)
{
    struct pollfd ends[] = {{.fd = r->plugin, .events = POLLIN},
                            {.fd = r->program, .events = POLLIN}};
    bool on = true;

    while (on) {
        if (poll(ends, 2, -1) < 0)
            on = errno == EINTR;
        else if (ends[0].revents)
            on = pass(r, r->plugin, r->program);
        else
            on = pass(r, r->program, r->plugin);
    }
}

/* ---- the program ---- */

/* ${DIR} is filled in by the shell's way: it is one of the variables that the program has. */
static void become(const json_t *words, const char *folder, const char *dir, int fd)
{
    char *argv[WORDS_MAX + 1] = {NULL}, in_folder[4096], in_dir[4096], path[4096];
    char *const envp[] = {in_folder, in_dir, path, NULL};
    const char *word;

    snprintf(in_folder, sizeof(in_folder), "FOLDER=%s", folder);
    snprintf(in_dir, sizeof(in_dir), "DIR=%s", dir);
    snprintf(path, sizeof(path),
             "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    for (size_t i = 0; i < WORDS_MAX && i < json_array_size(words); i++) {
        word = json_string_value(json_array_get(words, i));
        argv[i] = (char *)(uintptr_t)(word ? word : "");
    }
    if (chdir(dir) != 0 || dup2(fd, 0) < 0 || dup2(fd, 1) < 0)
        _exit(71);
    if (argv[0])
        execvpe(argv[0], argv, envp);
    _exit(72);
}

void fwk_program_talk(int plugin, const json_t *program, const char *folder, const char *dir,
                      fwk_mode mode, const fwk_line *line)
{
    fwk_relay r = {.plugin = plugin,
                   .folder = folder,
                   .taken = json_object_get(program, "taken"),
                   .line = line,
                   .mode = mode};
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        _exit(70);
    r.program = ends[0];
    if (fwk_fork() == 0)
        become(json_object_get(program, "run"), folder, dir, ends[1]);
    close(ends[1]);
    relay(&r);
}
