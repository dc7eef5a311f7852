/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/core/result.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *title;
    bool inside;
} phases[PHASE_COUNT] = {
#define PHASE(symbol, name, inside, title) {#name, title, inside},
#include "reports/core/phases.def"
};

enum { LOWER, HIGHER };

static const struct result_metric metrics[METRIC_COUNT] = {
#define METRIC(name, better, most, unit, title) {#name, unit, title, better == HIGHER, most},
#include "reports/core/metrics.def"
};

const char *phase_name(enum phase p)
{
    return p < PHASE_COUNT ? phases[p].name : NULL;
}

const char *phase_title(enum phase p)
{
    return p < PHASE_COUNT ? phases[p].title : NULL;
}

bool phase_inside_step(enum phase p)
{
    return p < PHASE_COUNT && phases[p].inside;
}

int metric_find(const char *name)
{
    for (int i = 0; i < METRIC_COUNT; i++)
        if (strcmp(name, metrics[i].name) == 0)
            return i;
    return -1;
}

const struct result_metric *metric_of(int i)
{
    return i >= 0 && i < METRIC_COUNT ? &metrics[i] : NULL;
}

void result_fini(struct workload_result *r)
{
    if (!r)
        return;
    free(r->epochs);
    free(r->operators);
    *r = (struct workload_result){0};
}

int result_add_other(struct workload_result *r, const struct result_quality *q)
{
    if (r->n_others >= RESULT_MAX_OTHERS)
        return -1;
    r->others[r->n_others++] = *q;
    return 0;
}

int result_add_epoch(struct workload_result *r, const struct result_epoch *row)
{
    struct result_epoch *grown = realloc(r->epochs, (size_t)(r->n_epochs + 1) * sizeof *grown);

    if (!grown)
        return -1;
    r->epochs = grown;
    r->epochs[r->n_epochs++] = *row;
    return 0;
}

double result_vflops(double flop_per_second, double achieved, double target, bool higher_is_better,
                     int n)
{
    double ratio = higher_is_better ? achieved / target : target / achieved;
    double vflops = flop_per_second;

    for (int i = 0; i < n; i++)
        vflops *= ratio;
    return vflops;
}
