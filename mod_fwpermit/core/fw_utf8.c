#include "fw_config.h"
#include "fw_utf8.h"

uint32_t fw_utf8_next(const char **text)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    const unsigned char *p = (const unsigned char *)*text;
    int more = p[0] >= 0xF0 ? 3 : p[0] >= 0xE0 ? 2 : 1;
    uint32_t c = p[0] & (0x3FU >> more);

    (*text)++;
    if (p[0] < 0x80)
        return p[0];
    if (p[0] < 0xC2 || p[0] > 0xF4)
        return FW_UTF8_NONE;
    for (int i = 1; i <= more; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return FW_UTF8_NONE;
        c = c << 6 | (p[i] & 0x3FU);
    }
    if (c < least[more] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return FW_UTF8_NONE;
    *text += more;
    return c;
}

/* Arabic and Hebrew letters are letters, and the joiners U+200C and U+200D belong to several scripts. */
bool fw_utf8_hidden(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } spans[] = {{0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},
                 {0x180e, 0x180e}, {0x200b, 0x200b}, {0x200e, 0x200f}, {0x2028, 0x202e},
                 {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff0, 0xfffb}, {0xfffe, 0xffff}};

    for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
        if (c >= spans[i].first && c <= spans[i].last)
            return true;
    }
    return false;
}

bool fw_utf8_valid(const char *text)
{
    while (*text) {
        const char *start = text;

        if (fw_utf8_next(&text) == FW_UTF8_NONE && text - start == 1)
            return false;
    }
    return true;
}

size_t fw_utf8_fit(const char *text, size_t most)
{
    const char *at = text;
    size_t n = 0;

    while (*at) {
        fw_utf8_next(&at);
        if ((size_t)(at - text) > most)
            break;
        n = (size_t)(at - text);
    }
    return n;
}
