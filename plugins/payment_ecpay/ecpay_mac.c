#include "ecpay_mac.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

static bool is_named(const ecpay_field *f, const char *name)
{
    return f->key.n == strlen(name) && memcmp(f->key.p, name, f->key.n) == 0;
}

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* The order of names: bytes as lower case. */
static int compare_names(fwp_str a, fwp_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    for (size_t i = 0; i < n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return lower(a.p[i]) - lower(b.p[i]);
    return a.n < b.n ? -1 : a.n > b.n;
}

static size_t sort_fields(const ecpay_field **out, const ecpay_field *fields, size_t n)
{
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        size_t at = m;
        if (is_named(&fields[i], "CheckMacValue"))
            continue;
        while (at > 0 && compare_names(out[at - 1]->key, fields[i].key) > 0) {
            out[at] = out[at - 1];
            at--;
        }
        out[at] = &fields[i];
        m++;
    }
    return m;
}

/* Digests `s` as .NET's form encoder writes it, in lower case. */
static void digest_encoded(EVP_MD_CTX *ctx, fwp_str s)
{
    static const char hex[] = "0123456789abcdef";

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = lower(s.p[i]);
        char escape[3] = {'%', hex[c >> 4], hex[c & 15]};
        if (c == ' ')
            EVP_DigestUpdate(ctx, "+", 1);
        else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr("-_.!*()", c)))
            EVP_DigestUpdate(ctx, &c, 1);
        else
            EVP_DigestUpdate(ctx, escape, 3);
    }
}

static void digest_text(EVP_MD_CTX *ctx, const char *text)
{
    digest_encoded(ctx, (fwp_str){text, strlen(text)});
}

static void digest_all(EVP_MD_CTX *ctx, const ecpay_key *key, const ecpay_field **sorted, size_t n)
{
    digest_text(ctx, "HashKey=");
    digest_encoded(ctx, key->hash_key);
    for (size_t i = 0; i < n; i++) {
        digest_text(ctx, "&");
        digest_encoded(ctx, sorted[i]->key);
        digest_text(ctx, "=");
        digest_encoded(ctx, sorted[i]->value);
    }
    digest_text(ctx, "&HashIV=");
    digest_encoded(ctx, key->hash_iv);
}

bool ecpay_mac_make(const ecpay_key *key, const ecpay_field *fields, size_t n,
                    char mac[ECPAY_MAC_CHARS + 1])
{
    static const char hex[] = "0123456789ABCDEF";
    const ecpay_field *sorted[ECPAY_FIELDS_MAX];
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    bool ok = false;
    EVP_MD_CTX *ctx = n <= ECPAY_FIELDS_MAX ? EVP_MD_CTX_new() : NULL;

    if (ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1) {
        digest_all(ctx, key, sorted, sort_fields(sorted, fields, n));
        ok = EVP_DigestFinal_ex(ctx, sum, &len) == 1 && len * 2 == ECPAY_MAC_CHARS;
    }
    EVP_MD_CTX_free(ctx);
    for (unsigned int i = 0; ok && i < len; i++) {
        mac[2 * i] = hex[sum[i] >> 4];
        mac[2 * i + 1] = hex[sum[i] & 15];
    }
    mac[ok ? ECPAY_MAC_CHARS : 0] = '\0';
    return ok;
}

bool ecpay_mac_right(const ecpay_key *key, const ecpay_field *fields, size_t n)
{
    fwp_str theirs = ecpay_find(fields, n, "CheckMacValue");
    char ours[ECPAY_MAC_CHARS + 1];

    return theirs.p && theirs.n == ECPAY_MAC_CHARS && ecpay_mac_make(key, fields, n, ours) &&
           CRYPTO_memcmp(theirs.p, ours, ECPAY_MAC_CHARS) == 0;
}

fwp_str ecpay_find(const ecpay_field *fields, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (is_named(&fields[i], name))
            return fields[i].value;
    return (fwp_str){NULL, 0};
}
