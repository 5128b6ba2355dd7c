/* Preloaded: a byte in the file that HASHES names for each password that is hashed. */
#define _GNU_SOURCE
#include <argon2.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void count(void)
{
    int fd = open(getenv("HASHES"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, "x", 1) != 1)
        abort();
    close(fd);
}

int argon2id_ctx(argon2_context *context)
{
    int (*real)(argon2_context *) = (int (*)(argon2_context *))dlsym(RTLD_NEXT, "argon2id_ctx");

    count();
    return real(context);
}

int argon2id_verify_ctx(argon2_context *context, const char *hash)
{
    int (*real)(argon2_context *, const char *) =
        (int (*)(argon2_context *, const char *))dlsym(RTLD_NEXT, "argon2id_verify_ctx");

    count();
    return real(context, hash);
}
