/* Preloaded: there is no memory for a copy of what NO_MEMORY_FOR says. */
#include <stdlib.h>
#include <string.h>

char *strdup(const char *text)
{
    const char *denied = getenv("NO_MEMORY_FOR");
    size_t n = strlen(text) + 1;
    char *copy = denied && strcmp(text, denied) == 0 ? NULL : malloc(n);

    return copy ? memcpy(copy, text, n) : NULL;
}
