#include "sim_pump.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_date.h"
#include "fw_store_case.h"
#include "fw_store_party.h"
#include "fw_store_question.h"
#include "fw_store_record.h"

/* The border, the labour agency and the scanner: what they tell comes late, twice, in any order, and at times it cannot be. */

#define DAY   apr_time_from_sec(86400)
#define BIRTH "1990-05-04" /* of all workers */

typedef struct sim_word {
    const char *name, *state;
    int passport;
    apr_time_t at;
    const char *direction; /* of a movement */
} sim_word;

static apr_array_header_t *moves, *letters; /* sim_word *: their own books */

static apr_array_header_t *books(apr_array_header_t **of)
{
    if (!*of)
        *of = apr_array_make(sim.pool, 64, sizeof(sim_word *));
    return *of;
}

static sim_word *some(apr_array_header_t **of)
{
    int n = books(of)->nelts;

    return n ? APR_ARRAY_IDX(*of, sim_below(n), sim_word *) : NULL;
}

static sim_word *add(apr_array_header_t **of, const char *name)
{
    sim_word *w = apr_pcalloc(sim.pool, sizeof(*w));

    w->name = apr_pstrdup(sim.pool, name);
    APR_ARRAY_PUSH(books(of), sim_word *) = w;
    return w;
}

static const sim_worker *some_worker(void)
{
    int n = sim.workers->nelts;

    return n ? &APR_ARRAY_IDX(sim.workers, sim_below(n), sim_worker) : NULL;
}

static int some_passport(void)
{
    const sim_worker *w = some_worker();

    return w && sim_chance(900) ? w->passport : 9000000 + sim_below(1000); /* else of nobody here */
}

static fw_record record_of(const char *kind, const sim_word *w, const char *data)
{
    return (fw_record){.kind = kind,
                       .name = w->name,
                       .state = w->state,
                       .nationality = "IDN",
                       .passport_no =
                           w->passport ? apr_psprintf(sim.act, "C%07d", w->passport) : NULL,
                       .birth = w->passport ? BIRTH : NULL,
                       .at = w->at,
                       .data = data};
}

/* ---- the border ---- */

static sim_answer tell_movement(const sim_word *m)
{
    fw_record r = record_of(
        "movement", m,
        apr_psprintf(sim.act, "{\"direction\":\"%s\",\"state\":\"%s\"}", m->direction, m->state));

    return sim_give(
        &sim.system,
        (fw_command){.kind = FW_CMD_MOVEMENT_TAKE, .record = &r, .direction = m->direction});
}

static sim_word *new_movement(int passport)
{
    sim_word *m = add(&moves, apr_psprintf(sim.act, "M%d", ++sim.names));

    m->state = "current";
    m->direction = sim_chance(800) ? "arrival" : "departure";
    m->passport = passport;
    m->at = sim.now - (apr_time_t)sim_below(50) * DAY;
    return m;
}

static void move(void)
{
    sim_word *m = new_movement(some_passport());
    sim_answer a = tell_movement(m);

    if (sim_well(&a) && sim_chance(100)) {
        tell_movement(m);
        sim_hit(SIM_WORD_REPEATED);
    }
}

void sim_arrive(const sim_worker *worker, int days)
{
    sim_word *m = new_movement(worker->passport);

    m->direction = "arrival";
    m->at = sim.now - days * DAY;
    tell_movement(m);
}

/* Recorded by mistake; and then the older word of it, which comes late and changes nothing. */
static void take_back(void)
{
    sim_word *m = some(&moves);
    fw_record *before = NULL, *after = NULL;
    sim_answer a;

    if (!m)
        return;
    m->state = "cancelled";
    a = tell_movement(m);
    if (!sim_well(&a) || !sim_chance(300))
        return;
    SIM_OK(fw_record_by_name(sim.db, "movement", m->name, &before, sim.act));
    m->state = "current";
    a = tell_movement(m);
    m->state = "cancelled";
    SIM_OK(fw_record_by_name(sim.db, "movement", m->name, &after, sim.act));
    if (strcmp(before->state, after->state) != 0)
        sim_fail("an older word of the border counts");
    if (sim_well(&a))
        sim_hit(SIM_WORD_OLD);
}

static void move_absurdly(void)
{
    sim_word m = {.name = "absurd",
                  .state = "current",
                  .direction = "arrival",
                  .passport = some_passport(),
                  .at = sim_chance(500) ? sim.now + 3 * DAY : 0};
    sim_answer a = tell_movement(&m);

    if (sim_well(&a))
        sim_fail("an arrival that cannot be is taken");
    if (a.end == SIM_REFUSED)
        sim_hit(SIM_WORD_ABSURD);
}

/* An officer says who somebody at the border is. */
static void say_who(void)
{
    const sim_person *who = sim_somebody(FW_ROLE_DISPATCHER, NULL);
    const sim_worker *w = some_worker();
    apr_array_header_t *open = NULL;

    SIM_OK(fw_record_open(sim.db, "movement", 20, &open, sim.act));
    if (open->nelts == 0 || !who || !w)
        return;
    sim_give(who, (fw_command){.kind = FW_CMD_MOVEMENT_LINK,
                               .target = APR_ARRAY_IDX(open, sim_below(open->nelts), fw_record).id,
                               .worker_id = sim_chance(50) ? 12345 : w->id});
}

/* ---- the labour agency ---- */

static const char *number(int i)
{
    return apr_psprintf(sim.act, "勞動發事字第115%07d號", i);
}

static sim_answer tell_letter(const sim_word *l, const char *ban)
{
    fw_record r = record_of("letter", l,
                            apr_psprintf(sim.act,
                                         "{\"letter_no\":\"%s\",\"state\":\"%s\",\"employer\":"
                                         "{\"id\":\"%s\"}}",
                                         l->name, l->state, ban));

    return sim_give(&sim.system, (fw_command){.kind = FW_CMD_LETTER_TAKE, .record = &r});
}

/* In its books; NULL: not issued. Of three numbers it knows two. */
static sim_word *letter_of(const char *no, const sim_worker *of)
{
    sim_word *l;

    for (int i = 0; i < books(&letters)->nelts; i++) {
        l = APR_ARRAY_IDX(letters, i, sim_word *);
        if (strcmp(l->name, no) == 0)
            return l;
    }
    if (sim_chance(333))
        return NULL;
    l = add(&letters, no);
    l->state = "valid";
    l->passport = of && sim_chance(700) ? of->passport : sim_chance(500) ? some_passport() : 0;
    l->at = sim.now - (apr_time_t)sim_below(100) * DAY;
    return l;
}

static void push_letter(void)
{
    static const char *const states[] = {"valid", "ended", "revoked"};
    sim_word *l = letter_of(number(sim_below(SIM_LETTERS)), some_worker());

    if (!l)
        return;
    if (sim_chance(300))
        l->state = states[sim_below(3)];
    tell_letter(l, "42000001");
}

static const sim_worker *worker_of(fw_id id)
{
    for (int i = 0; i < sim.workers->nelts; i++) {
        if (APR_ARRAY_IDX(sim.workers, i, sim_worker).id == id)
            return &APR_ARRAY_IDX(sim.workers, i, sim_worker);
    }
    return NULL;
}

static ending_e answer(fw_id question, bool given_up)
{
    sim_answer a = sim_give(
        &sim.system,
        (fw_command){.kind = FW_CMD_LETTER_ANSWER, .target = question, .is_given_up = given_up});

    return sim_end_of(&a);
}

ending_e sim_letter_find(const fw_delivery *d)
{
    fw_question *q = NULL;
    sim_word *l;

    SIM_OK(fw_question_load(sim.db, sim_payload_id(d, "question"), &q, sim.act));
    l = letter_of(q->letter_no, worker_of(q->worker_id));
    if (l) {
        sim_answer a = tell_letter(l, "42000001");

        if (!sim_well(&a))
            return a.end == SIM_ERROR ? END_AGAIN : END_DEAD;
    }
    return answer(q->id, false);
}

ending_e sim_letter_give_up(const fw_delivery *d)
{
    return answer(sim_payload_id(d, "question"), true) == END_AGAIN ? END_AGAIN : END_DEAD;
}

/* A person gives a number on the worker's page. */
static void ask(void)
{
    const sim_worker *w = some_worker();
    const sim_person *who = w ? sim_filer(w->employer_id, 0) : NULL;

    if (who)
        sim_give(who, (fw_command){.kind = FW_CMD_LETTER_ASK,
                                   .worker_id = w->id,
                                   .letter_no = sim_chance(50) ? "no number"
                                                               : number(sim_below(SIM_LETTERS))});
}

/* An applicant or an officer asks about the one that a form names. */
static void ask_for_case(void)
{
    const sim_case *c = sim_pick(FW_STATES);
    const sim_person *who = NULL;

    if (c && *c->station && sim_chance(500))
        who = sim_somebody(FW_ROLE_INITIAL | FW_ROLE_SECOND, c->station);
    else if (c)
        who = sim_filer(c->employer_id, c->agency_id);
    if (who)
        sim_give(who, (fw_command){.kind = FW_CMD_LETTER_ASK, .target = c->id});
}

void sim_act_agencies(void)
{
    static void (*const acts[])(void) = {move,      move,          move,        move,
                                         take_back, move_absurdly, say_who,     say_who,
                                         ask,       ask_for_case,  push_letter, push_letter};

    acts[sim_below(sizeof(acts) / sizeof(acts[0]))]();
}

/* ---- the scanner ---- */

ending_e sim_scan(const fw_delivery *d)
{
    fw_file *f = NULL, judged;
    sim_answer a;

    SIM_OK(fw_file_load(sim.db, sim_payload_id(d, "file"), &f, sim.act));
    if (f->scan != FW_SCAN_PENDING)
        return END_DONE;
    judged = (fw_file){.id = f->id,
                       .scan = !sim.calm && sim_chance(40) ? FW_SCAN_INFECTED : FW_SCAN_CLEAN};
    a = sim_give(&sim.system, (fw_command){.kind = FW_CMD_FILE_JUDGE,
                                           .target = f->case_id,
                                           .file = &judged,
                                           .engine = "scanner 1"});
    return a.end == SIM_ERROR ? END_AGAIN : END_DONE;
}
