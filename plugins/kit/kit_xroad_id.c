#include "kit_xroad_int.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

/* Identifiers and message ids. */

#define PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

static int hex_value(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) % 16 : -1;
}

/* One character at **p, which moves on; -1: none that an identifier may have. A slash comes percent-encoded. */
static int decode_one(const char **p)
{
    char c = *(*p)++;
    int high, low;

    if (c != '%')
        return (unsigned char)c > 0x20 && c != 0x7f && !strchr("\\:;", c) ? (unsigned char)c : -1;
    high = hex_value(**p);
    low = high < 0 ? -1 : hex_value((*p)[1]);
    if (low < 0 || high * 16 + low < 0x20)
        return -1;
    *p += 2;
    return high * 16 + low;
}

/* Up to the next slash or the end. */
static bool decode_part(const char **p, char *out)
{
    size_t n = 0;

    while (**p && **p != '/') {
        int c = decode_one(p);
        if (c < 0 || n == KIT_XROAD_PART)
            return false;
        out[n++] = (char)c;
    }
    out[n] = '\0';
    return n > 0 && strcmp(out, ".") != 0 && strcmp(out, "..") != 0;
}

bool kit_xroad_decode(const char *text, kit_xroad_subsystem *out)
{
    const char *p = text;

    for (int i = 0; i < KIT_XROAD_PARTS; i++) {
        json_t *utf8;
        bool good = decode_part(&p, out->part[i]) && *p == (i + 1 < KIT_XROAD_PARTS ? '/' : '\0');
        if (!good)
            return false;
        if (*p)
            p++;
        utf8 = json_string(out->part[i]);
        if (!utf8)
            return false;
        json_decref(utf8);
    }
    return true;
}

bool kit_xroad_is_subsystem(const char *v)
{
    kit_xroad_subsystem s;
    return kit_xroad_decode(v, &s);
}

static char *encode_part(char *to, const char *part)
{
    static const char digits[] = "0123456789ABCDEF";

    for (; *part; part++) {
        unsigned char c = (unsigned char)*part;
        if (strchr(PLAIN, c)) {
            *to++ = (char)c;
            continue;
        }
        *to++ = '%';
        *to++ = digits[c >> 4];
        *to++ = digits[c & 15];
    }
    return to;
}

const char *kit_xroad_encode(const fwp_host *host, fwp_call *call, const kit_xroad_subsystem *s)
{
    char *out = host->alloc(call, KIT_XROAD_PARTS * (3 * KIT_XROAD_PART + 1));
    char *to = out;

    for (int i = 0; i < KIT_XROAD_PARTS; i++) {
        if (i > 0)
            *to++ = '/';
        to = encode_part(to, s->part[i]);
    }
    *to = '\0';
    return out;
}

/* A UUID of version 5 (RFC 4122): the same name always gives the same one. */
void kit_xroad_uuid(const char *client, const char *service, const char *key,
                    char out[KIT_XROAD_UUID])
{
    static const unsigned char space[16] = {0x7c, 0x1e, 0x5a, 0x0f, 0x2d, 0x84, 0x4b, 0x6e,
                                            0x9a, 0x31, 0xc5, 0x08, 0xe7, 0x42, 0xd6, 0x9b};
    const char *names[] = {client, service, key};
    unsigned char h[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *sha = EVP_MD_CTX_new();

    memset(h, 0, sizeof(h));
    EVP_DigestInit_ex(sha, EVP_sha1(), NULL);
    EVP_DigestUpdate(sha, space, sizeof(space));
    for (size_t i = 0; i < 3; i++)
        EVP_DigestUpdate(sha, names[i], strlen(names[i]) + 1);
    EVP_DigestFinal_ex(sha, h, NULL);
    EVP_MD_CTX_free(sha);
    h[6] = (unsigned char)((h[6] & 0x0f) | 0x50);
    h[8] = (unsigned char)((h[8] & 0x3f) | 0x80);
    snprintf(out, KIT_XROAD_UUID,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", h[0], h[1],
             h[2], h[3], h[4], h[5], h[6], h[7], h[8], h[9], h[10], h[11], h[12], h[13], h[14],
             h[15]);
}
