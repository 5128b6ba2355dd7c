#include "fw_config.h"
#include "fw_random.h"

#include <openssl/rand.h>

#define EPOCH_MS     APR_INT64_C(1577836800000) /* 2020-01-01T00:00:00Z */
#define RANDOM_BITS  22
#define RANDOM_MASK  ((1u << RANDOM_BITS) - 1u)
#define ORDER_PREFIX "FW"

static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static const fw_err *draw_bytes(void *buf, size_t n, apr_pool_t *pool)
{
    if (RAND_bytes(buf, (int)n) == 1)
        return NULL;
    return FW_ERR(pool, FW_E_UNAVAILABLE, 0, "no random bytes");
}

static fw_id make_id(apr_time_t now, uint32_t random)
{
    int64_t ms = apr_time_as_msec(now) - EPOCH_MS;

    return (ms > 0 ? ms : 1) << RANDOM_BITS | (random & RANDOM_MASK);
}

const fw_err *fw_id_draw(fw_id *out, apr_time_t now, apr_pool_t *pool)
{
    uint32_t random;

    FW_TRY(draw_bytes(&random, sizeof(random), pool));
    *out = make_id(now, random);
    return NULL;
}

const fw_err *fw_ids_draw(fw_ids *out, apr_time_t now, apr_pool_t *pool)
{
    uint32_t random[FW_IDS];
    unsigned char order[sizeof(out->order) - 1];

    FW_TRY(draw_bytes(random, sizeof(random), pool));
    FW_TRY(draw_bytes(order, sizeof(order), pool));
    out->used = 0;
    for (int i = 0; i < FW_IDS; i++)
        out->id[i] = make_id(now, random[i]);
    for (size_t i = 0; i < sizeof(order); i++)
        out->order[i] = crockford[order[i] % 32];
    out->order[0] = ORDER_PREFIX[0];
    out->order[1] = ORDER_PREFIX[1];
    out->order[sizeof(order)] = '\0';
    return NULL;
}

const fw_err *fw_code_draw(const char **out, int chars, apr_pool_t *pool)
{
    unsigned char *buf = apr_palloc(pool, (apr_size_t)chars + 1);

    FW_TRY(draw_bytes(buf, (size_t)chars, pool));
    for (int i = 0; i < chars; i++)
        buf[i] = (unsigned char)crockford[buf[i] % 32];
    buf[chars] = '\0';
    *out = (const char *)buf;
    return NULL;
}
