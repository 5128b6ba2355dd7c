/* What all targets share. */
#include "fw_config.h"
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include <apr_general.h>
#include <sanitizer/lsan_interface.h>

static apr_pool_t *root;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    apr_initialize();
    apr_pool_create(&root, NULL);
    __lsan_disable(); /* it does not see what pools, which are no memory of malloc, point at */
    fuzz_setup(root);
    __lsan_enable();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    apr_pool_t *pool;

    apr_pool_create(&pool, root);
    fuzz_one(data, n, pool);
    apr_pool_destroy(pool);
    return 0;
}

const char *fuzz_file(const void *data, size_t n, apr_pool_t *pool)
{
    static int fd = -1;

    if (fd < 0)
        fd = memfd_create("input", MFD_CLOEXEC);
    fuzz_want(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, data, n, 0) == (ssize_t)n, "a file");
    return apr_psprintf(pool, "/proc/self/fd/%d", fd);
}
