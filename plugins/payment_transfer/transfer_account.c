#include "transfer.h"

#include <string.h>

#include <openssl/sha.h>

/* docs/integrators/transfer.md tells the scheme, with examples. */

#define BODY (TRANSFER_ACCOUNT - 1)

/* Weights 3, 7, 1 from the left; what is missing to the next ten. */
static char check_digit(const char *digits)
{
    static const int weights[] = {3, 7, 1};
    int sum = 0;

    for (int i = 0; i < BODY; i++)
        sum += (digits[i] - '0') * weights[i % 3];
    return (char)('0' + (10 - sum % 10) % 10);
}

bool transfer_account_make(const char *prefix, const char *order, char out[TRANSFER_ACCOUNT + 1])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    uint64_t number = 0;

    if (!SHA256((const unsigned char *)order, strlen(order), digest))
        return false;
    for (int i = 0; i < 8; i++)
        number = number << 8 | digest[i];
    memcpy(out, prefix, TRANSFER_PREFIX);
    for (int i = BODY - 1; i >= TRANSFER_PREFIX; i--, number /= 10)
        out[i] = (char)('0' + number % 10);
    out[BODY] = check_digit(out);
    out[TRANSFER_ACCOUNT] = '\0';
    return true;
}

bool transfer_account_good(const char *prefix, const char *account)
{
    return strlen(account) == TRANSFER_ACCOUNT &&
           strspn(account, "0123456789") == TRANSFER_ACCOUNT &&
           strncmp(account, prefix, TRANSFER_PREFIX) == 0 && account[BODY] == check_digit(account);
}
