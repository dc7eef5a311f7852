/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/validate/spares.h"

#include <math.h>
#include <stdlib.h>

struct candidate {
    int node, grade;
    double behind;
};

/* FAULTY and UNKNOWN 3, SLOW 2, SUSPECT 1, all else 0. */
static int grade_of(enum verdict v)
{
    return v == VERDICT_FAULTY || v == VERDICT_UNKNOWN ? 3
           : v == VERDICT_SLOW                         ? 2
           : v == VERDICT_SUSPECT                      ? 1
                                                       : 0;
}

double spares_behind(const struct assess *a, int i, int *metric, double *loss)
{
    double most = 0;

    if (metric)
        *metric = -1;
    *loss = NAN;
    for (int g = 0; g < a->n_groups; g++) {
        const struct assess_group *is = &a->groups[g];
        for (int k = 0; k < is->n; k++) {
            const struct judge_seen *s = &is->seen[k];
            if (is->node[k] != i || !s->has || !(s->d / s->scale > most))
                continue;
            most = s->d / s->scale;
            *loss = judge_percent(s->d);
            if (metric)
                *metric = is->of[k];
        }
    }
    return most;
}

/* The worst first. */
static int by_grade(const void *x, const void *y)
{
    const struct candidate *a = x, *b = y;

    if ((a->node == 0) != (b->node == 0))
        return a->node == 0 ? 1 : -1;
    if (a->grade != b->grade)
        return b->grade - a->grade;
    if (a->behind != b->behind)
        return a->behind < b->behind ? 1 : -1;
    return b->node - a->node;
}

int spares_choose(const struct assess *a, int k, bool *spare)
{
    struct candidate *all = malloc(((size_t)a->n + 1) * sizeof *all);
    double loss;
    int bad = 0, left = 0;

    if (!all)
        return -1;
    for (int i = 0; i < a->n; i++) {
        all[i] =
            (struct candidate){i, grade_of(a->nodes[i].verdict), spares_behind(a, i, NULL, &loss)};
        spare[i] = false;
    }
    qsort(all, (size_t)a->n, sizeof *all, by_grade);
    for (; left < k && left < a->n - 1; left++)
        spare[all[left].node] = true;
    for (int i = left; i < a->n; i++)
        bad += all[i].grade >= 2;
    free(all);
    return bad;
}
