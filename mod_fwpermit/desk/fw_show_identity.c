#include "fw_config.h"
#include "fw_show_int.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "fw_json.h"
#include "fw_name.h"
#include "fw_stay.h"
#include "fw_store_identity.h"

/* The identity check as officers read it: what is to be compared, and what other agencies warn of. Each line says which by a word. */

/* What is found of one case. */
typedef struct checks {
    const fw_show *s;
    const fw_service *service; /* or NULL: files are told without their field */
    fw_moved *moved;
    int n_moved;
    const char *passport_no;
    fw_value lines;
} checks;

static const char *day_of(const checks *c, apr_time_t at)
{
    return fw_date_text(fw_date_of(at), c->s->pool);
}

static fw_value add(const checks *c, const char *check, bool warns, fw_value args)
{
    const fw_show *s = c->s;
    const char *key = apr_pstrcat(s->pool, "identity.", check, NULL);
    fw_value o =
        fw_pack(s->pool, "{s:s, s:b, s:s, s:s, s:n}", "check", check, "is_warning", warns, "word",
                fw_show_text(s, warns ? "identity.warns" : "identity.compares"), "text",
                fw_locale_format(s->desk->locale, s->lang, key, args, s->pool), "href");

    fw_add(c->lines, o);
    return o;
}

/* ---- what is to be compared ---- */

static bool can_be(const checks *c, const char *name, const char *as_name)
{
    return name && as_name && fw_name_can_be(name, as_name, c->s->pool);
}

static fw_value text_args(const checks *c, const char *text, const char *what)
{
    return fw_pack(c->s->pool, "{s:s, s:s}", "text", text ? text : "", "what", what ? what : "");
}

static void add_case(const checks *c, const fw_identity *i, const char *check, const char *what)
{
    fw_value o = add(c, check, false, text_args(c, i->text, what));

    fw_show_set(o, c->s, "href", "/review/%" APR_INT64_T_FMT, i->other);
}

static const char *slot_of(const checks *c, const fw_identity *i)
{
    const fw_field *f = c->service ? fw_service_field(c->service, i->what) : NULL;

    return f ? fw_label_text(&f->label, c->s->lang) : i->what;
}

static const char *member(const fw_identity *i, const char *object, const char *name,
                          apr_pool_t *pool)
{
    const json_t *o = i->data ? fw_json_parse(i->data, pool) : NULL;

    return json_string_value(json_object_get(object ? json_object_get(o, object) : o, name));
}

static void add_arrival(const checks *c, const fw_identity *i)
{
    if (can_be(c, i->name, member(i, "person", "name_latin", c->s->pool)))
        add(c, "arrival", false, text_args(c, i->text, day_of(c, i->at)));
}

/* ---- what is warned of ---- */

static void add_named(const checks *c, const fw_identity *i)
{
    const char *to = member(i, NULL, "valid_to", c->s->pool);

    if (i->is_another_s)
        add(c, "letter_other", true, text_args(c, i->text, NULL));
    else if (to && strcmp(to, day_of(c, c->s->now)) < 0)
        add(c, "letter_over", true, text_args(c, i->text, to));
}

static void note_movement(checks *c, const fw_identity *i)
{
    const char *direction = member(i, NULL, "direction", c->s->pool);

    c->passport_no = i->passport_no;
    c->moved[c->n_moved++] =
        (fw_moved){.at = i->at,
                   .is_arrival = direction && strcmp(direction, "arrival") == 0,
                   .is_cancelled = strcmp(i->what, "cancelled") == 0,
                   .passport_no = i->text};
}

static void add_stay(const checks *c)
{
    static const char *const names[] = {[FW_STAY_DEPARTED] = "departed",
                                        [FW_STAY_TWICE] = "twice",
                                        [FW_STAY_NEVER_CAME] = "never_came",
                                        [FW_STAY_OTHER_PASSPORT] = "other_passport"};
    fw_stay_warning found[FW_STAY_WARNINGS];
    int n = fw_stay_judge(c->moved, c->n_moved, c->passport_no, found);

    for (int i = 0; i < n; i++)
        add(c, names[found[i].what], true,
            fw_pack(c->s->pool, "{s:s, s:s, s:s}", "day", day_of(c, found[i].of->at), "before",
                    found[i].before ? day_of(c, found[i].before->at) : "", "text",
                    found[i].of->passport_no ? found[i].of->passport_no : ""));
}

/* ---- both ---- */

static void add_one(checks *c, const fw_identity *i)
{
    switch (i->kind) {
    case FW_IDENTITY_PASSPORT:
        if (can_be(c, i->name, i->as_name))
            add(c, "passport", false, text_args(c, i->text, NULL));
        break;
    case FW_IDENTITY_OPEN:
        add_case(c, i, "open",
                 fw_show_text(c->s, apr_pstrcat(c->s->pool, "state.", i->what, NULL)));
        break;
    case FW_IDENTITY_FILE:
        add_case(c, i, "file", slot_of(c, i));
        break;
    case FW_IDENTITY_LETTER:
        add(c, "letter", true, text_args(c, i->text, NULL));
        break;
    case FW_IDENTITY_MOVEMENT:
        note_movement(c, i);
        break;
    case FW_IDENTITY_ARRIVAL:
        add_arrival(c, i);
        break;
    case FW_IDENTITY_NAMED:
        add_named(c, i);
        break;
    case FW_IDENTITY_LATE:
        add(c, "late", true, fw_pack(c->s->pool, "{s:i}", "days", i->days));
        break;
    case FW_IDENTITY_REVOKED:
        add(c, "revoked", true, text_args(c, i->text, NULL));
        break;
    }
}

/* Warnings stand first. */
static fw_value in_order(const checks *c)
{
    fw_value list = fw_list(c->s->pool), o;

    for (int turn = 0; turn < 2; turn++) {
        fw_each(c->lines, i, o)
        {
            if (fw_is_true(fw_get(o, "is_warning")) == (turn == 0))
                fw_add(list, o);
        }
    }
    return list;
}

static fw_value lines_of(const fw_show *s, const apr_array_header_t *all, fw_id kase,
                         const fw_service *service)
{
    checks c = {.s = s, .service = service, .lines = fw_list(s->pool)};

    c.moved = apr_pcalloc(s->pool, sizeof(*c.moved) * (apr_size_t)(all->nelts + 1));
    for (int i = 0; i < all->nelts; i++) {
        const fw_identity *found = &APR_ARRAY_IDX(all, i, fw_identity);

        if (found->case_id == kase)
            add_one(&c, found);
    }
    add_stay(&c);
    return in_order(&c);
}

const fw_err *fw_show_identity(const fw_show *s, fw_id id, const fw_service *service, fw_value *out)
{
    apr_array_header_t *list = NULL;

    FW_TRY(fw_identity_list(s->db, &id, 1, &list, s->pool));
    *out = lines_of(s, list, id, service);
    return NULL;
}

static fw_id id_of(fw_value line)
{
    return apr_strtoi64(fw_chars(fw_get(line, "id")), NULL, 10);
}

const fw_err *fw_show_identities(const fw_show *s, fw_value lines)
{
    apr_array_header_t *list = NULL;
    int n = (int)fw_size(lines);
    fw_id *ids = apr_pcalloc(s->pool, sizeof(fw_id) * (apr_size_t)(n + 1));
    fw_value line;

    fw_each(lines, i, line) ids[i] = id_of(line);
    FW_TRY(fw_identity_list(s->db, ids, n, &list, s->pool));
    fw_each(lines, i, line) fw_set(line, "identity", lines_of(s, list, ids[i], NULL));
    return NULL;
}
