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

bool fw_utf8_valid(const char *text)
{
    while (*text) {
        const char *start = text;

        if (fw_utf8_next(&text) == FW_UTF8_NONE && text - start == 1)
            return false;
    }
    return true;
}
