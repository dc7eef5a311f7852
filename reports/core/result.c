/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/core/result.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *title;
    bool inside;
} phases[PHASE_COUNT] = {
#define PHASE(symbol, name, inside, title) {#name, title, inside},
#include "reports/core/phases.def"
};

static const char *const metrics[] = {
#define METRIC(name, title) #name,
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
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
        if (strcmp(name, metrics[i]) == 0)
            return (int)i;
    return -1;
}

void result_fini(struct workload_result *r)
{
    if (!r)
        return;
    free(r->epochs);
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
