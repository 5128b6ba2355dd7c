#include "transfer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MOST 2000
#define PATH_BYTES 700
#define SAY_BYTES  300

const char *transfer_say(fwp_instance *self, fwp_call *call, const char *fmt, ...)
{
    char *text = self->host->alloc(call, SAY_BYTES);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, SAY_BYTES, fmt, ap);
    va_end(ap);
    return text;
}

static const char *path_of(fwp_instance *self, fwp_call *call, const char *folder, const char *name)
{
    char *path = self->host->alloc(call, PATH_BYTES);

    snprintf(path, PATH_BYTES, "%s/%s", folder, name);
    return path;
}

/* Letters, digits, dot, dash, underscore, and .txt at the end: what the bank is still writing has another name. */
static bool is_ours(const char *name)
{
    size_t n = strlen(name);

    return n > 4 && n <= TRANSFER_NAME_MAX && name[0] != '.' && strcmp(name + n - 4, ".txt") == 0 &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == n;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

const char *transfer_list(fwp_instance *self, fwp_call *call, const char *folder, char ***names)
{
    char **list = self->host->alloc(call, (FILES_MOST + 1) * sizeof(char *));
    DIR *dir = opendir(folder);
    const struct dirent *e;
    size_t n = 0;

    if (!dir)
        return transfer_say(self, call, "the folder %.200s: %s", folder, strerror(errno));
    for (e = readdir(dir); e && n < FILES_MOST; e = readdir(dir)) {
        if (!is_ours(e->d_name))
            continue;
        list[n] = self->host->alloc(call, strlen(e->d_name) + 1);
        memcpy(list[n], e->d_name, strlen(e->d_name) + 1);
        n++;
    }
    closedir(dir);
    qsort(list, n, sizeof(*list), by_name);
    *names = list;
    return NULL;
}

static const char *read_all(fwp_instance *self, fwp_call *call, int fd, size_t size,
                            const char **bytes, size_t *n)
{
    char *room = self->host->alloc(call, size + 1);
    ssize_t got = 1;

    for (*n = 0; *n < size && got > 0; *n += (size_t)got) {
        got = read(fd, room + *n, size - *n);
        if (got < 0)
            return transfer_say(self, call, "%s", strerror(errno));
    }
    *bytes = room;
    return *n == size ? NULL : "it became shorter while it was read";
}

const char *transfer_load(fwp_instance *self, fwp_call *call, const char *folder, const char *name,
                          const char **bytes, size_t *n)
{
    int fd = open(path_of(self, call, folder, name), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    const char *why = NULL;

    if (fd < 0)
        return transfer_say(self, call, "%s", strerror(errno));
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        why = "it is no file";
    else if (st.st_size > TRANSFER_FILE_MAX)
        why = "it has more than 1 MiB";
    else
        why = read_all(self, call, fd, (size_t)st.st_size, bytes, n);
    close(fd);
    return why;
}

static bool sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    return good;
}

static const char *done_path(fwp_instance *self, fwp_call *call, const char *key)
{
    return path_of(self, call, self->done, transfer_say(self, call, "%s.txt", key));
}

bool transfer_is_done(fwp_instance *self, fwp_call *call, const char *key)
{
    return access(done_path(self, call, key), F_OK) == 0;
}

const char *transfer_put_away(fwp_instance *self, fwp_call *call, const char *name, const char *key)
{
    if (rename(path_of(self, call, self->folder, name), done_path(self, call, key)) != 0 ||
        !sync_folder(self->done) || !sync_folder(self->folder))
        return transfer_say(self, call, "the file %s cannot be put away: %s", name,
                            strerror(errno));
    return NULL;
}
