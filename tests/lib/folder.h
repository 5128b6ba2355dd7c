#ifndef TESTS_FOLDER_H
#define TESTS_FOLDER_H

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

/* Removes a folder of files. */
static inline void remove_folder(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *e;

    if (!d)
        return;
    for (e = readdir(d); e; e = readdir(d))
        unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
    rmdir(path);
}

#endif
