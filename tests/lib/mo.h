#ifndef TESTS_MO_H
#define TESTS_MO_H

/* Writes GNU .mo files for tests. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define MO_HEAD "Content-Type: text/plain; charset=UTF-8\n"

typedef struct mo_bytes {
    unsigned char s[8192];
    size_t n;
} mo_bytes;

static inline void mo_word(mo_bytes *mo, size_t at, uint32_t v, bool swapped)
{
    v = swapped ? __builtin_bswap32(v) : v;
    memcpy(mo->s + at, &v, sizeof(v));
}

/* `rows`: key, text; the caller writes the header's row, of the key "". */
static inline void mo_make(mo_bytes *mo, const char *const (*rows)[2], size_t n, bool swapped)
{
    const uint32_t head[] = {0x950412DE, 0, (uint32_t)n, 28, 28 + 8 * (uint32_t)n, 0, 0};

    memset(mo, 0, sizeof(*mo));
    for (size_t i = 0; i < 7; i++)
        mo_word(mo, 4 * i, head[i], swapped);
    mo->n = 28 + 16 * n;
    for (size_t i = 0; i < 2 * n; i++) {
        const char *text = rows[i % n][i / n];
        size_t length = strlen(text);

        mo_word(mo, 28 + 8 * i, (uint32_t)length, swapped);
        mo_word(mo, 32 + 8 * i, (uint32_t)mo->n, swapped);
        memcpy(mo->s + mo->n, text, length + 1);
        mo->n += length + 1;
    }
}

static inline bool mo_put(const mo_bytes *mo, const char *path)
{
    FILE *f = fopen(path, "wb");
    bool good = f && fwrite(mo->s, 1, mo->n, f) == mo->n;

    return f && fclose(f) == 0 && good;
}

#endif
