/* A state or an inventory of the card bureau, as it lies in its folder. What is taken for true keeps the port's contract. */
#include "fw_config.h"
#include "fuzz.h"

#include "fw_schema.h"

#include "../../plugins/card_bureau/card.h"

static fwp_instance self;
static fw_schema *contract;

static void *alloc(fwp_call *call, size_t n)
{
    return apr_pcalloc((apr_pool_t *)(void *)call, n);
}

static int64_t now(const fwp_call *call)
{
    (void)call;
    return 1790000000; /* 2026-09-21 */
}

void fuzz_setup(apr_pool_t *pool)
{
    static const fwp_host host = {.size = sizeof(host), .abi = FWP_ABI, .alloc = alloc, .now = now};
    kit_xml_fault fault;

    self.host = &host;
    self.state = kit_xml_schema_open("docs/contracts/card-state-1.xsd", CARD_NAMESPACE, &fault);
    fuzz_want(self.state, fault.text);
    self.stock = kit_xml_schema_open("docs/contracts/card-stock-1.xsd", CARD_NAMESPACE, &fault);
    fuzz_want(self.stock, fault.text);
    fuzz_want(!fw_schema_load(&contract, "docs/contracts/card.json", pool), "the contract");
}

static void judge(const char *definition, json_t *reply, apr_pool_t *pool)
{
    const fw_err *err = fw_schema_check(contract, definition, reply, pool);

    fuzz_want(!err, fw_err_text(err, pool));
}

void fuzz_one(const uint8_t *data, size_t n, apr_pool_t *pool)
{
    const char *why = NULL;
    json_t *said = card_said(&self, (fwp_call *)(void *)pool, (fwp_str){(const char *)data, n}, &why);

    fuzz_want(said || (why && *why), "a reason");
    if (!said)
        return;
    fuzz_want(n <= CARD_MESSAGE_BYTES, "the limit holds");
    judge(json_object_get(said, "job") ? "find.reply" : "stock.reply", said, pool);
    json_decref(said);
}
