#include "ecpay.h"

#include <stdio.h>
#include <string.h>

/* One exchange with the gateway. */

#define BACK_OFF_S 1800 /* after 403 the gateway wants half an hour of rest */
#define LEAST_MS   2

/* Told once that it is asked too often, the gateway is left alone by all operations. */
static fwp_rc rest(fwp_instance *self, fwp_call *call, fwp_reply *reply)
{
    int64_t left = self->rest_until - self->host->now(call);

    reply->retry_after_ms = (uint32_t)(left > 0 ? left : 1) * 1000u;
    return ecpay_refuse(reply, FWP_TEMPFAIL, "403: the gateway was asked too often");
}

static bool rests(fwp_instance *self, fwp_call *call)
{
    int64_t now = self->host->now(call);

    /* A clock that was set back does not lengthen it. */
    return self->rest_until > now && self->rest_until - now <= BACK_OFF_S;
}

static fwp_rc judge_status(fwp_instance *self, fwp_call *call, int status, fwp_rc lost,
                           fwp_reply *reply)
{
    if (status == 200) {
        reply->retry_after_ms = 0;
        return FWP_OK;
    }
    if (status == 403) {
        self->rest_until = self->host->now(call) + BACK_OFF_S;
        return rest(self, call, reply);
    }
    return ecpay_refuse(reply, status >= 500 ? lost : FWP_TEMPFAIL,
                        ecpay_number_text(self, call, status));
}

fwp_rc ecpay_post(fwp_instance *self, fwp_call *call, const char *base, const char *path,
                  ecpay_form *form, size_t most, fwp_str *out, fwp_rc lost, fwp_reply *reply)
{
    static const fwp_kv type = {{"Content-Type", 12}, {"application/x-www-form-urlencoded", 33}, 0};
    fwp_http_request q = {.size = sizeof(q),
                          .method = "POST",
                          .headers = &type,
                          .n_headers = 1,
                          .max_response = most};
    fwp_http_response a = {.size = sizeof(a)};
    size_t n = strlen(base) + strlen(path) + 1;
    char *url = self->host->alloc(call, n);
    int sent;

    if (rests(self, call))
        return rest(self, call, reply);
    if (self->host->remaining_ms(call) < LEAST_MS)
        return ecpay_refuse(reply, FWP_CANCELLED, "no time left");
    if (!ecpay_sign(self, call, form))
        return ecpay_refuse(reply, FWP_TEMPFAIL, "no digest could be made");
    snprintf(url, n, "%s%s", base, path);
    q.url = url;
    q.body = ecpay_form_encode(form, self->host, call);
    reply->retry_after_ms = ECPAY_RETRY_MS;
    sent = self->host->http(call, &q, &a);
    if (sent == FWP_HTTP_REFUSED)
        return ecpay_refuse(reply, FWP_MISCONFIGURED, a.error);
    if (sent != FWP_HTTP_OK)
        return ecpay_refuse(reply, sent == FWP_HTTP_LOST ? lost : FWP_TEMPFAIL, a.error);
    *out = a.body;
    return judge_status(self, call, a.status, lost, reply);
}

fwp_rc ecpay_ask(fwp_instance *self, fwp_call *call, const char *path, ecpay_form *form,
                 ecpay_form *out, fwp_rc lost, fwp_reply *reply)
{
    fwp_str body = {NULL, 0};
    fwp_rc rc =
        ecpay_post(self, call, self->api_url, path, form, ECPAY_FORM_MAX, &body, lost, reply);

    if (rc != FWP_OK || !ecpay_form_parse(out, body, self->host->alloc(call, body.n + 1)))
        return rc;
    reply->retry_after_ms = ECPAY_RETRY_MS;
    return ecpay_refuse(reply, lost, "the gateway's answer is not a form");
}
