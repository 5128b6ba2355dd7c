// A plugin of port notify in C++17: one POST for each notice.
#include "fwpermit_plugin.h"

#include <cstring>
#include <memory>
#include <new>
#include <string>

namespace {

struct settings {
    std::string url, token;
};

std::string text_of(fwp_str s)
{
    return std::string(s.n ? s.p : "", s.n);
}

const char *keep(const fwp_host *host, fwp_call *call, const std::string &text)
{
    char *p = static_cast<char *>(host->alloc(call, text.size() + 1));
    std::memcpy(p, text.c_str(), text.size() + 1);
    return p;
}

fwp_rc refuse(fwp_reply *reply, fwp_rc rc, const char *reason)
{
    reply->reason = reason;
    return rc;
}

/* Empty, or the name of the setting that is wrong. */
std::string read_settings(const fwp_kv *config, std::size_t n, settings &s)
{
    for (std::size_t i = 0; i < n; i++) {
        const std::string key = text_of(config[i].key);
        if (key == "url")
            s.url = text_of(config[i].value);
        else if (key == "token")
            s.token = text_of(config[i].value);
        else
            return key;
    }
    if (s.url.rfind("http", 0) != 0 || s.url.find_first_of(" \r\n") != std::string::npos)
        return "url";
    return s.token.empty() ? "token" : "";
}

/* What throws ends here: no exception leaves the plugin. */
template <typename work> fwp_rc guarded(fwp_reply *reply, work &&run) noexcept
{
    try {
        return run();
    } catch (const std::bad_alloc &) {
        return refuse(reply, FWP_TEMPFAIL, "no memory");
    } catch (...) {
        return refuse(reply, FWP_PERMFAIL, "an exception");
    }
}

} // namespace

struct fwp_instance {
    const fwp_host *host;
    settings set;
};

extern "C" {

static fwp_rc create(const fwp_host *host, const fwp_kv *config, size_t n, fwp_call *call, fwp_instance **self,
                     fwp_reply *reply)
{
    return guarded(reply, [&] {
        auto made = std::make_unique<fwp_instance>();
        made->host = host;
        const std::string wrong = read_settings(config, n, made->set);
        if (!wrong.empty())
            return refuse(reply, FWP_MISCONFIGURED, keep(host, call, "wrong setting: " + wrong));
        *self = made.release();
        return FWP_OK;
    });
}

static void destroy(fwp_instance *self)
{
    delete self;
}

static fwp_rc judge(fwp_instance *self, fwp_call *call, const fwp_http_response &a, fwp_reply *reply)
{
    const std::string why = "the far side answered " + std::to_string(a.status);
    if (a.status >= 500)
        return refuse(reply, FWP_TEMPFAIL, keep(self->host, call, why));
    if (a.status < 200 || a.status > 299)
        return refuse(reply, FWP_REJECTED, keep(self->host, call, why));
    const std::string body = std::string(R"({"message_id":")") + self->host->idempotency_key(call) + "\"}";
    reply->body = fwp_str{keep(self->host, call, body), body.size()};
    return FWP_OK;
}

static fwp_rc op_send(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    return guarded(reply, [&] {
        const char *key = self->host->idempotency_key(call);
        const std::string bearer = "Bearer " + self->set.token;
        const fwp_kv headers[] = {{{"Content-Type", 12}, {"application/json", 16}, 0},
                                  {{"Authorization", 13}, {bearer.c_str(), bearer.size()}, FWP_KV_SECRET},
                                  {{"Idempotency-Key", 15}, {key, std::strlen(key)}, 0}};
        fwp_http_request q{};
        fwp_http_response a{};
        q.size = sizeof(q);
        q.method = "POST";
        q.url = self->set.url.c_str();
        q.headers = headers;
        q.n_headers = 3;
        q.body = request;
        a.size = sizeof(a);
        if (self->host->http(call, &q, &a) != FWP_HTTP_OK)
            return refuse(reply, FWP_TEMPFAIL, a.error);
        return judge(self, call, a, reply);
    });
}

const fwp_plugin *fwpermit_plugin(uint32_t host_abi)
{
    static const fwp_notify_ops ops = {sizeof(fwp_notify_ops), op_send, nullptr};
    static const fwp_plugin plugin = {sizeof(fwp_plugin), FWP_ABI, FWP_PORT_NOTIFY, "notify_cplusplus", "0.1.0", 0,
                                      create, destroy, nullptr, &ops, nullptr, nullptr};
    return host_abi >> 16 == FWP_ABI_MAJOR ? &plugin : nullptr;
}
}
