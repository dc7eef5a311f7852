/* SPDX-License-Identifier: BSD-3-Clause */
/* What both halves of page one ask of the groups. */
#include <config.h>

#include <math.h>

#include "reports/record/fields.h"
#include "reports/report/section.h"

double page_node_hours(const struct page *p)
{
    double sum = 0;

    for (int i = 0; i < p->book->n; i++)
        sum += record_nodes(p->book->records[i]) *
               json_number(p->book->records[i], "time.wall_seconds", NAN) / 3600;
    return sum;
}

double page_quality_hours(const struct page *p, int i)
{
    const cJSON *w = group_work(p, i);

    return training_reached(w) ? p->book->groups[i].nodes / 3600 *
                                     json_number(w, "performance.time_to_quality_seconds", NAN)
                               : NAN;
}

/* The group that waits most of its time; -1: none is known. */
int page_worst_wait(const struct page *p)
{
    int worst = -1;
    double most = -1;

    for (int i = 0; i < p->book->n_groups; i++)
        if (p->split[i].limit != LIMIT_UNKNOWN && p->split[i].wait / p->split[i].sum > most) {
            most = p->split[i].wait / p->split[i].sum;
            worst = i;
        }
    return worst;
}

int page_worst_held(const struct page *p)
{
    int worst = -1;

    for (int i = 0; i < p->book->n_groups; i++) {
        if (!held_waits(&p->held[i]))
            continue;
        if (worst < 0 || p->held[i].share > p->held[worst].share)
            worst = i;
    }
    return worst;
}

int page_first_held(const struct page *p)
{
    for (int i = 0; i < p->book->n_groups; i++)
        if (held_known(&p->held[i]))
            return i;
    return -1;
}

int page_disturbed(const struct page *p)
{
    int worst = -1;

    for (int i = 0; i < p->book->n_groups; i++)
        if (p->held[i].foreign > (worst < 0 ? HELD_FOREIGN : p->held[worst].foreign))
            worst = i;
    return worst;
}

struct said page_cause(const struct page *p, int i)
{
    struct said s;

    cause_said(p->held[i].cause, p->held[i].node, p->pen.lang, s.text, sizeof s.text);
    return s;
}
