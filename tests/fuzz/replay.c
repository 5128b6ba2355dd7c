/* Feeds a target the files that are named, each in memory of its own size. */
#include "fw_config.h"
#include "fuzz.h"

static void replay(const char *path)
{
    FILE *f = fopen(path, "rb");
    long n;
    uint8_t *data;

    fuzz_want(f && fseek(f, 0, SEEK_END) == 0, path);
    n = ftell(f);
    rewind(f);
    data = malloc((size_t)n + !n);
    fuzz_want(fread(data, 1, (size_t)n, f) == (size_t)n, path);
    fclose(f);
    LLVMFuzzerTestOneInput(data, (size_t)n);
    free(data);
}

int main(int argc, char **argv)
{
    LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    return argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
