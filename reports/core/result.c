/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/core/result.h"

#include <stdlib.h>

static const char *const phase_names[PHASE_COUNT] = {
    [PHASE_STAGING] = "staging",
    [PHASE_FIRST_EPOCH] = "first_epoch",
    [PHASE_COMPUTE] = "compute",
    [PHASE_INPUT_WAIT] = "input_wait",
    [PHASE_EXPOSED_ALLREDUCE] = "exposed_allreduce",
    [PHASE_IMBALANCE] = "imbalance",
    [PHASE_EVALUATION] = "evaluation",
    [PHASE_CHECKPOINT] = "checkpoint",
    [PHASE_OTHER] = "other",
};

const char *phase_name(enum phase p)
{
    return p < PHASE_COUNT ? phase_names[p] : NULL;
}

void result_fini(struct workload_result *r)
{
    if (!r)
        return;
    free(r->epochs);
    *r = (struct workload_result){0};
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
