#include "sim.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_date.h"
#include "fw_json.h"
#include "fw_store_case.h"

/* Employers and agencies: workers, applications, payments. */

#define COMPLETE   4     /* steps to a complete form: the fields and three files */
#define NEVER      99999 /* a version that nothing comes to */
#define ANEW       100   /* of a thousand who have begun to pay begin once more */
#define CASES_MOST 6     /* of one payment, as people do it; once in a while far more than may be */

static const struct {
    const char *slot, *mime;
} files[COMPLETE - 1] = {{"photo", "image/jpeg"},
                         {"passport_page", "application/pdf"},
                         {"employment_proof", "application/pdf"}};

static const char *day(int from_today)
{
    long today = fw_date_days(fw_date_of(sim.now));

    return fw_date_text(fw_date_from_days(today + from_today), sim.act);
}

/* ---- workers ---- */

static const char *worker_fields(int n)
{
    return apr_psprintf(
        sim.act,
        "{\"name_latin\":\"SANTOSO BUDI %c%c\",\"name_native\":\"Budi\",\"sex\":\"M\","
        "\"birth\":\"1990-05-04\",\"nationality\":\"IDN\",\"passport_no\":\"C%07d\","
        "\"passport_expiry\":\"%s\",\"permit_letter\":\"勞動發事字第1150012345號\"}",
        'A' + n / 26 % 26, 'A' + n % 26, n, day(!sim.calm && sim_chance(20) ? -1 : 2000));
}

static const sim_worker *some_worker(void)
{
    int n = sim.workers->nelts;

    return n ? &APR_ARRAY_IDX(sim.workers, sim_below(n), sim_worker) : NULL;
}

static void register_worker(void)
{
    fw_id employer = APR_ARRAY_IDX(sim.employers, sim_below(sim.employers->nelts), fw_id);
    const sim_person *who = sim_filer(employer, 0);
    const sim_worker *twin = sim_chance(50) ? some_worker() : NULL;
    int passport = twin ? twin->passport : ++sim.names;
    sim_worker w = {.employer_id = employer, .passport = passport};
    sim_answer a;

    if (!who)
        return;
    a = sim_give(who, (fw_command){.kind = FW_CMD_WORKER_REGISTER,
                                   .employer_id = employer,
                                   .fields = worker_fields(passport)});
    w.id = a.result.answer;
    if (sim_well(&a))
        APR_ARRAY_PUSH(sim.workers, sim_worker) = w;
}

static void update_worker(void)
{
    const sim_worker *w = some_worker();
    const sim_person *who = w ? sim_filer(w->employer_id, w->agency_id) : NULL;

    if (who)
        sim_give(who, (fw_command){.kind = FW_CMD_WORKER_UPDATE,
                                   .target = w->id,
                                   .version = sim_chance(100) ? NEVER : 0,
                                   .fields = "{\"phone\":\"0912345678\"}"});
}

/* ---- drafts ---- */

static void open_case(void)
{
    const sim_worker *w = some_worker();
    const sim_person *who = w ? sim_filer(w->employer_id, 0) : NULL;

    if (who)
        sim_give(who, (fw_command){.kind = FW_CMD_CASE_OPEN,
                                   .service = sim_chance(20)    ? "unheard-of"
                                              : sim_chance(350) ? "card"
                                                                : "epermit",
                                   .worker_id = w->id});
}

static const char *case_fields(const sim_case *c)
{
    static const char *const addresses[SIM_STATIONS] = {
        "桃園市桃園區縣府路106號", "臺北市中正區廣州街15號", "新竹縣竹北市三民路133號",
        "基隆市中正區義一路18號"};
    bool wrong = !sim.calm && sim_chance(40), gone = !sim.calm && sim_chance(40);
    int days = !sim.calm && sim_chance(100) ? 2 + sim_below(4) : 90 + sim_below(900);
    const char *entry =
        c->is_card
            ? apr_psprintf(sim.act,
                           "\"entry_date\":\"%s\",\"permit_letter\":\"勞動發事字第115%07d號\"",
                           day(gone ? 3 : -sim_below(80)), sim_below(SIM_LETTERS))
            : apr_psprintf(sim.act, "\"arrived\":\"no\",\"planned_entry\":\"%s\"",
                           day(gone ? -3 : 1 + sim_below(80)));

    return apr_psprintf(sim.act,
                        "{\"has_ui_no\":\"no\",%s,\"visa_no\":\"VN%d\","
                        "\"address\":\"%s\",\"category\":\"%s\",\"employer_ban\":\"22099131\","
                        "\"contract_from\":\"%s\",\"contract_to\":\"%s\","
                        "\"work_address\":\"桃園市龜山區文化一路5號\",\"declare\":\"yes\"}",
                        entry, sim_below(1000000), addresses[sim_below(SIM_STATIONS)],
                        wrong ? "piracy" : "manufacturing", day(1), day(days));
}

static sim_answer save(sim_case *c, const sim_person *who)
{
    sim_answer a = sim_give(
        who, (fw_command){.kind = FW_CMD_CASE_SAVE, .target = c->id, .fields = case_fields(c)});

    return a;
}

static sim_answer attach(sim_case *c, const sim_person *who, int i)
{
    const fw_file file = {.slot = !sim.calm && sim_chance(20) ? "no_slot" : files[i].slot,
                          .vault = "0123456789abcdef0123456789abcdef",
                          .name = "scan",
                          .mime = files[i].mime,
                          .size = 12345,
                          .sha256 = "00",
                          .measures = "{}"};
    sim_answer a =
        sim_give(who, (fw_command){.kind = FW_CMD_CASE_ATTACH, .target = c->id, .file = &file});

    if (sim_well(&a))
        c->file = a.result.answer;
    return a;
}

static void detach(sim_case *c, const sim_person *who)
{
    const fw_file file = {.id = c->file};
    sim_answer a =
        sim_give(who, (fw_command){.kind = FW_CMD_CASE_DETACH, .target = c->id, .file = &file});

    c->file = 0;
    if (sim_well(&a) && c->filled == COMPLETE)
        c->filled--;
}

static void submit(sim_case *c, const sim_person *who)
{
    sim_answer a = sim_give(who, (fw_command){.kind = FW_CMD_CASE_SUBMIT, .target = c->id});

    /* What is lacking is entered once more. */
    if (a.end == SIM_REFUSED && c->state == FW_STATE_DRAFT)
        c->filled = 0;
    if (a.end == SIM_REFUSED)
        c->mended = 0;
}

static void withdraw(sim_case *c, const sim_person *who)
{
    sim_give(who, (fw_command){.kind = FW_CMD_CASE_WITHDRAW, .target = c->id});
}

static void work_on_draft(void)
{
    sim_case *c = sim_pick(FW_STATE_DRAFT);
    const sim_person *who = c ? sim_filer(c->employer_id, c->agency_id) : NULL;
    sim_answer a;

    if (!who)
        return;
    if (c->filled == COMPLETE || sim_chance(60)) {
        submit(c, who);
        return;
    }
    if (c->file && sim_chance(60)) {
        detach(c, who);
        return;
    }
    a = c->filled == 0 ? save(c, who) : attach(c, who, c->filled - 1);
    if (sim_well(&a))
        c->filled++;
}

/* ---- what came back ---- */

/* One of the items that were returned, by an officer or for what the scanner found. */
static const char *some_mark(const sim_case *c)
{
    fw_case *row = NULL;
    const json_t *marks;

    SIM_OK(fw_case_load(sim.db, c->id, &row, sim.act));
    marks = fw_json_parse(row->marks, sim.act);
    return json_string_value(json_object_get(
        json_array_get(marks, (size_t)sim_below((int)json_array_size(marks))), "item"));
}

static int slot_of(const char *item)
{
    for (int i = 0; item && i < COMPLETE - 1; i++) {
        if (strcmp(files[i].slot, item) == 0)
            return i;
    }
    return -1;
}

static void mend(void)
{
    sim_case *c = sim_pick(FW_STATE_RETURNED);
    const sim_person *who = c ? sim_filer(c->employer_id, c->agency_id) : NULL;
    sim_answer a;
    int slot;

    if (!who)
        return;
    if (c->mended || sim_chance(100)) {
        submit(c, who);
        return;
    }
    if (sim_chance(80)) { /* what nobody marked */
        save(c, who);
        return;
    }
    slot = slot_of(some_mark(c));
    if (slot >= 0)
        a = attach(c, who, slot);
    else
        a = sim_give(who, (fw_command){.kind = FW_CMD_CASE_SAVE,
                                       .target = c->id,
                                       .fields = apr_psprintf(sim.act, "{\"visa_no\":\"VN%d\"}",
                                                              sim_below(1000000))});
    c->mended = sim_well(&a);
}

static void give_up(void)
{
    static const fw_state_e from[] = {FW_STATE_DRAFT, FW_STATE_SUBMITTED, FW_STATE_RETURNED,
                                      FW_STATE_AWAITING_PAYMENT, FW_STATES};
    sim_case *c = sim_pick(from[sim_below(sizeof(from) / sizeof(from[0]))]);
    const sim_person *who = c ? sim_filer(c->employer_id, c->agency_id) : NULL;

    if (who)
        withdraw(c, who);
}

/* ---- payments ---- */

/* Cases of the filer that wait for money; sometimes one twice, or one of another state. */
static int gather(const sim_person *who, fw_id *ids, int most)
{
    int n = 0, all = sim.cases->nelts, from = sim_below(all);

    for (int i = 0; i < all && n < most; i++) {
        const sim_case *c = APR_ARRAY_IDX(sim.cases, (from + i) % all, sim_case *);

        if (c->state == FW_STATE_AWAITING_PAYMENT && (!c->payment_id || sim_chance(ANEW)) &&
            sim_filer(c->employer_id, c->agency_id) &&
            (c->employer_id == who->actor.org_id || c->agency_id == who->actor.org_id))
            ids[n++] = c->id;
    }
    if (n > 0 && n < most && sim_chance(20))
        ids[n] = ids[n - 1], n++;
    if (n > 0 && n < most && sim_chance(20))
        ids[n++] = sim_pick(FW_STATES)->id;
    return n;
}

static void begin_payment(void)
{
    static const char *const methods[] = {"card", "atm", "cvs"};
    const sim_case *c = sim_pick(FW_STATE_AWAITING_PAYMENT);
    const sim_person *who = c ? sim_filer(c->employer_id, c->agency_id) : NULL;
    fw_id ids[CASES_MOST];
    int most = 1 + sim_below(CASES_MOST), n;

    if (!who || (c->payment_id && !sim_chance(ANEW)))
        return;
    n = gather(who, ids, most);
    sim_give(who, (fw_command){.kind = FW_CMD_PAYMENT_BEGIN,
                               .cases = ids,
                               .n_cases = n,
                               .method = methods[sim_below(3)]});
}

/* ---- a big house ---- */

static const sim_person *another_reviewer(const sim_case *c)
{
    for (int i = 0; i < sim.people->nelts; i++) {
        const sim_person *p = APR_ARRAY_IDX(sim.people, i, sim_person *);

        if ((p->actor.roles & FW_ROLE_SECOND) && p->actor.account_id != c->first_reviewer &&
            strcmp(p->actor.station, c->station) == 0)
            return p;
    }
    return NULL;
}

/* The worker's case as far as it comes without anything in its way; NULL: nobody reviews there. */
static const sim_case *to_payment(const sim_person *who, fw_id worker)
{
    fw_id id =
        sim_give(who,
                 (fw_command){.kind = FW_CMD_CASE_OPEN, .service = "epermit", .worker_id = worker})
            .result.answer;
    sim_case *c = sim_find(id);

    save(c, who);
    for (int i = 0; i < COMPLETE - 1; i++)
        attach(c, who, i);
    submit(c, who);
    sim_scan_all();
    if (!c->first_reviewer)
        return NULL;
    sim_give(sim_person_of(c->first_reviewer),
             (fw_command){.kind = FW_CMD_CASE_APPROVE, .target = id});
    sim_give(another_reviewer(c), (fw_command){.kind = FW_CMD_CASE_CONFIRM, .target = id});
    return c;
}

void sim_big_house(void)
{
    fw_id ids[FW_MAX_CASES + 1];
    const sim_person *who = sim_somebody(FW_ROLE_EMPLOYER, NULL);
    fw_command pay = {.kind = FW_CMD_PAYMENT_BEGIN, .cases = ids, .method = "card"};
    int n = 0;

    while (n < FW_MAX_CASES + 1) {
        fw_id worker = sim_give(who, (fw_command){.kind = FW_CMD_WORKER_REGISTER,
                                                  .employer_id = who->actor.org_id,
                                                  .fields = worker_fields(++sim.names)})
                           .result.answer;
        const sim_case *c = to_payment(who, worker);

        if (c)
            ids[n++] = c->id;
        apr_pool_clear(sim.act);
    }
    pay.n_cases = n;
    sim_give(who, pay);
    pay.n_cases = n - 1;
    sim_give(who, pay);
}

/* ---- the crowd ---- */

void sim_act_applicant(void)
{
    static const struct {
        void (*act)(void);
        int weight;
    } acts[] = {{register_worker, 5}, {update_worker, 2}, {open_case, 8},     {work_on_draft, 60},
                {mend, 12},           {give_up, 2},       {begin_payment, 10}};
    int at = sim_below(99);

    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        at -= acts[i].weight;
        if (at < 0) {
            acts[i].act();
            return;
        }
    }
}
