#include "fw_config.h"
#include "fw_stay.h"

#include <stdlib.h>
#include <string.h>

#include "fw_date.h"

typedef struct judging {
    const fw_moved *list;
    int n;
    const char *passport_no;
} judging;

static int newest_first(const void *a, const void *b)
{
    const fw_moved *x = a, *y = b;

    return (x->at < y->at) - (x->at > y->at);
}

/* The next that stands, from `i` on; NULL: none. */
static const fw_moved *standing(const judging *j, int *i)
{
    while (*i < j->n && j->list[*i].is_cancelled)
        (*i)++;
    return *i < j->n ? &j->list[(*i)++] : NULL;
}

static bool has_departed(const judging *j, fw_stay_warning *w)
{
    int i = 0;

    w->of = standing(j, &i);
    return w->of && !w->of->is_arrival;
}

static bool came_twice(const judging *j, fw_stay_warning *w)
{
    int i = 0;

    for (w->of = standing(j, &i); w->of; w->of = w->before) {
        w->before = standing(j, &i);
        if (w->before && w->of->is_arrival && w->before->is_arrival)
            return true;
    }
    return false;
}

static bool stands_that_day(const judging *j, const fw_moved *m)
{
    int i = 0;

    for (const fw_moved *o = standing(j, &i); o; o = standing(j, &i)) {
        if (o->is_arrival && fw_date_compare(fw_date_of(o->at), fw_date_of(m->at)) == 0)
            return true;
    }
    return false;
}

static bool never_came(const judging *j, fw_stay_warning *w)
{
    for (int i = 0; i < j->n; i++) {
        w->of = &j->list[i];
        if (w->of->is_cancelled && w->of->is_arrival && !stands_that_day(j, w->of))
            return true;
    }
    return false;
}

static bool under_another(const judging *j, fw_stay_warning *w)
{
    int i = 0;

    for (w->of = standing(j, &i); w->of; w->of = standing(j, &i)) {
        if (j->passport_no && w->of->passport_no && strcmp(w->of->passport_no, j->passport_no) != 0)
            return true;
    }
    return false;
}

int fw_stay_judge(fw_moved *list, int n, const char *passport_no,
                  fw_stay_warning out[FW_STAY_WARNINGS])
{
    static bool (*const judges[])(const judging *,
                                  fw_stay_warning *) = {[FW_STAY_DEPARTED] = has_departed,
                                                        [FW_STAY_TWICE] = came_twice,
                                                        [FW_STAY_NEVER_CAME] = never_came,
                                                        [FW_STAY_OTHER_PASSPORT] = under_another};
    judging j = {list, n, passport_no};
    int found = 0;

    if (n > 1)
        qsort(list, (size_t)n, sizeof(*list), newest_first);
    for (int i = 0; i < FW_STAY_WARNINGS; i++) {
        fw_stay_warning w = {.what = (fw_stay_e)i};

        if (judges[i](&j, &w))
            out[found++] = w;
    }
    return found;
}
