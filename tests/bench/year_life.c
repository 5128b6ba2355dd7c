#include "year.h"

#include <string.h>

#include "fw_date.h"
#include "fw_random.h"
#include "fw_store_case.h"
#include "fw_store_payment.h"

/* The life of a case, step by step. */

#define FILES 3
#define VAULT "0123456789abcdef0123456789abcdef"

/* Taken for a group of cases at once, so many days after they are registered. */
typedef struct step {
    int days;
    fw_command (*command)(const year_case *c);
    void (*note)(year_case *c, const fw_result *r); /* or NULL */
} step;

static const char *const addresses[YEAR_STATIONS] = {
    "桃園市桃園區縣府路106號", "臺北市中正區廣州街15號", "新竹縣竹北市三民路133號",
    "基隆市中正區義一路18號"};
static const struct {
    const char *slot, *mime;
} files[FILES] = {{"photo", "image/jpeg"},
                  {"passport_page", "application/pdf"},
                  {"employment_proof", "application/pdf"}};

static const char *day(int from_today)
{
    return fw_date_text(fw_date_from_days(fw_date_days(fw_date_of(year.now)) + from_today),
                        year.act);
}

static fw_command register_worker(const year_case *c)
{
    int n = c->n;
    const char *fields = apr_psprintf(
        year.act,
        "{\"name_latin\":\"SANTOSO BUDI %c%c%c\",\"name_native\":\"Budi\",\"sex\":\"M\","
        "\"birth\":\"1990-05-04\",\"nationality\":\"IDN\",\"passport_no\":\"C%07d\","
        "\"passport_expiry\":\"%s\",\"permit_letter\":\"勞動發事字第1150012345號\"}",
        'A' + n / 676 % 26, 'A' + n / 26 % 26, 'A' + n % 26, n, day(2000));

    return (fw_command){.kind = FW_CMD_WORKER_REGISTER,
                        .actor = &year.agents[c->agency],
                        .employer_id =
                            year.employers[c->agency][n / YEAR_AGENCIES % YEAR_EMPLOYERS],
                        .fields = fields};
}

static void note_worker(year_case *c, const fw_result *r)
{
    c->worker = r->answer;
}

static fw_command open_case(const year_case *c)
{
    return (fw_command){.kind = FW_CMD_CASE_OPEN,
                        .actor = &year.agents[c->agency],
                        .service = "epermit",
                        .worker_id = c->worker};
}

static void note_case(year_case *c, const fw_result *r)
{
    c->id = r->answer;
}

static fw_command save(const year_case *c)
{
    const char *fields = apr_psprintf(
        year.act,
        "{\"has_ui_no\":\"no\",\"arrived\":\"no\",\"planned_entry\":\"%s\",\"visa_no\":\"VN%07d\","
        "\"address\":\"%s\",\"category\":\"manufacturing\",\"employer_ban\":\"22099131\","
        "\"contract_from\":\"%s\",\"contract_to\":\"%s\","
        "\"work_address\":\"桃園市龜山區文化一路5號\",\"declare\":\"yes\"}",
        day(30), c->n, addresses[c->station], day(1), day(700));

    return (fw_command){.kind = FW_CMD_CASE_SAVE,
                        .actor = &year.agents[c->agency],
                        .target = c->id,
                        .fields = fields};
}

static fw_command attach(const year_case *c, int i)
{
    fw_file *file = apr_pcalloc(year.act, sizeof(*file));

    *file = (fw_file){.slot = files[i].slot,
                      .vault = VAULT,
                      .name = "scan",
                      .mime = files[i].mime,
                      .size = 512000,
                      .sha256 = "00",
                      .measures = "{}"};
    return (fw_command){.kind = FW_CMD_CASE_ATTACH,
                        .actor = &year.agents[c->agency],
                        .target = c->id,
                        .file = file};
}

static fw_command attach_photo(const year_case *c)
{
    return attach(c, 0);
}

static fw_command attach_passport(const year_case *c)
{
    return attach(c, 1);
}

static fw_command attach_proof(const year_case *c)
{
    return attach(c, 2);
}

static fw_command submit(const year_case *c)
{
    return (fw_command){
        .kind = FW_CMD_CASE_SUBMIT, .actor = &year.agents[c->agency], .target = c->id};
}

static fw_command add_document(const year_case *c, const char *kind, const char *number,
                               fw_id payment)
{
    fw_document *doc = apr_pcalloc(year.act, sizeof(*doc));

    *doc = (fw_document){.kind = kind,
                         .number = number,
                         .payment_id = payment,
                         .vault = VAULT,
                         .sha256 = "00",
                         .size = 1};
    return (fw_command){
        .kind = FW_CMD_DOCUMENT_ADD, .actor = &year.system, .target = c->id, .document = doc};
}

static fw_case *load(const year_case *c)
{
    fw_case *kase = NULL;

    YEAR_MUST(fw_case_load(year.db, c->id, &kase, year.act));
    return kase;
}

static fw_payment *load_payment(const year_case *c)
{
    fw_payment *p = NULL;

    YEAR_MUST(fw_payment_load(year.db, c->payment, &p, year.act));
    return p;
}

static fw_command receipt_of_filing(const year_case *c)
{
    return add_document(c, "filing", load(c)->case_no, 0);
}

static fw_command approve(const year_case *c)
{
    fw_id reviewer = load(c)->first_reviewer;
    const fw_actor *who = year.first;

    while (who->account_id != reviewer)
        who++;
    return (fw_command){.kind = FW_CMD_CASE_APPROVE, .actor = who, .target = c->id};
}

static fw_command confirm(const year_case *c)
{
    int officer = c->station * YEAR_OFFICERS + (int)(c->id % YEAR_OFFICERS);

    return (fw_command){
        .kind = FW_CMD_CASE_CONFIRM, .actor = &year.second[officer], .target = c->id};
}

static fw_command begin_payment(const year_case *c)
{
    return (fw_command){.kind = FW_CMD_PAYMENT_BEGIN,
                        .actor = &year.agents[c->agency],
                        .cases = &c->id,
                        .n_cases = 1,
                        .method = "card"};
}

static void note_payment(year_case *c, const fw_result *r)
{
    c->payment = r->answer;
}

static fw_command payment_begun(const year_case *c)
{
    return (fw_command){.kind = FW_CMD_PAYMENT_BEGUN,
                        .actor = &year.system,
                        .target = c->payment,
                        .redirect = "{\"action\":\"https://pay.example\"}"};
}

static fw_command settle(const year_case *c)
{
    return (fw_command){.kind = FW_CMD_PAYMENT_SETTLE,
                        .actor = &year.system,
                        .target = c->payment,
                        .amount = load_payment(c)->amount,
                        .gateway_no = apr_psprintf(year.act, "G%d", c->n),
                        .at = year.now};
}

static fw_command receipt_of_payment(const year_case *c)
{
    return add_document(c, "receipt",
                        apr_psprintf(year.act, "%" APR_INT64_T_FMT, load_payment(c)->receipt_no),
                        c->payment);
}

static fw_command issue(const year_case *c)
{
    const fw_case *kase = load(c);
    const fw_service *service = NULL;
    fw_permit *permit = apr_pcalloc(year.act, sizeof(*permit));
    fw_terms terms = {0};
    fw_command cmd;

    YEAR_MUST(
        fw_desk_service(year.desk, year.db, kase->service, kase->service_hash, &service, year.act));
    fw_terms_reckon(&terms, year.desk->rules, year.desk->calendar, service, kase->data, year.now,
                    year.act);
    *permit = (fw_permit){.permit_no = apr_pstrcat(year.act, service->prefix, kase->case_no, NULL),
                          .kind = service->kind,
                          .valid_from = terms.valid_from,
                          .valid_to = terms.valid_to};
    YEAR_MUST(fw_code_draw(&permit->code, 16, year.act));
    cmd = add_document(c, "permit", permit->permit_no, 0);
    cmd.kind = FW_CMD_PERMIT_ISSUE;
    cmd.permit = permit;
    return cmd;
}

static void note_issued(year_case *c, const fw_result *r)
{
    (void)c;
    if (strcmp(r->state, fw_state_name(FW_STATE_ISSUED)) != 0)
        year_fail("a case that should be issued is", r->state);
    year.issued++;
}

static const step steps[] = {{0, register_worker, note_worker},
                             {0, open_case, note_case},
                             {0, save, NULL},
                             {0, attach_photo, NULL},
                             {0, attach_passport, NULL},
                             {0, attach_proof, NULL},
                             {0, submit, NULL},
                             {0, receipt_of_filing, NULL},
                             {2, approve, NULL},
                             {3, confirm, NULL},
                             {4, begin_payment, note_payment},
                             {4, payment_begun, NULL},
                             {4, settle, NULL},
                             {4, receipt_of_payment, NULL},
                             {4, issue, note_issued}};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

static void take_group(const step *s, year_case *cases, int n)
{
    fw_command cmds[YEAR_GROUP] = {0};
    fw_result results[YEAR_GROUP];

    for (int i = 0; i < n; i++)
        cmds[i] = s->command(&cases[i]);
    year_perform(cmds, n, results);
    for (int i = 0; s->note && i < n; i++)
        s->note(&cases[i], &results[i]);
    apr_pool_clear(year.act);
}

static void take_step(const step *s, year_case *cases, int n)
{
    for (int at = 0; at < n; at += YEAR_GROUP)
        take_group(s, &cases[at], n - at < YEAR_GROUP ? n - at : YEAR_GROUP);
}

void year_day(year_case *cases, int n, int today, int per_day)
{
    for (size_t i = 0; i < STEPS; i++) {
        int from = (today - steps[i].days) * per_day;

        if (from >= 0 && from < n)
            take_step(&steps[i], &cases[from], n - from < per_day ? n - from : per_day);
    }
}

int year_last_day(int n, int per_day)
{
    return (n - 1) / per_day + steps[STEPS - 1].days;
}
