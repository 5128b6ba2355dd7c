#include "sim.h"

#include <openssl/rand.h>
#include <string.h>

static uint64_t crowd, bytes;

/* SplitMix64. */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void sim_seed(uint64_t seed)
{
    crowd = seed;
    bytes = ~seed;
}

int sim_below(int n)
{
    return n > 0 ? (int)(draw(&crowd) % (uint64_t)n) : 0;
}

bool sim_chance(int permille)
{
    return sim_below(1000) < permille;
}

/* Stands in the place of OpenSSL's: identities, order numbers and codes come from the seed too. */
int RAND_bytes(unsigned char *buf, int num)
{
    for (int i = 0; i < num; i += (int)sizeof(uint64_t)) {
        uint64_t z = draw(&bytes);
        size_t rest = (size_t)(num - i);

        memcpy(buf + i, &z, rest < sizeof(z) ? rest : sizeof(z));
    }
    return 1;
}
