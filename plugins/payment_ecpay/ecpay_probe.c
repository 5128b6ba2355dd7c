#include "ecpay.h"

#include <stdio.h>
#include <string.h>

#define DETAIL_BYTES 320
#define STEP         "query of an order that is not there"

fwp_rc ecpay_probe(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    fwp_reply found = {.size = sizeof(found)};
    const char *detail = "address, merchant number and keys are right";
    char question[64];
    bool ok;

    (void)request;
    snprintf(question, sizeof(question), "{\"order_no\":\"PROBE%lld\"}",
             (long long)self->host->now(call));
    ok = ecpay_query(self, call, (fwp_str){question, strlen(question)}, &found) == FWP_OK;
    if (!ok) {
        char *why = self->host->alloc(call, DETAIL_BYTES);

        snprintf(why, DETAIL_BYTES,
                 "%.200s; merchant_id, hash_key, hash_iv and api_url go together", found.reason);
        detail = why;
    }
    return ecpay_answer(
        self->host, call, reply, FWP_OK,
        json_pack("{s:[{s:s, s:b, s:s}]}", "steps", "name", STEP, "ok", ok, "detail", detail));
}
