/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/engine/norm.h"

#include <math.h>

double norm_count(const struct exec *x, const struct node *n)
{
    const struct tensor *t = n->in[0];
    const struct step_block *step = exec_step(x);
    double per_sample = (double)shape_count(&t->shape) / (double)t->shape.d[1] / (double)x->batch;

    return fmax(1, (double)(n->local ? step->rows : step->global_rows) * per_sample);
}

void norm_settle(const struct exec *x, const struct node *n)
{
    const double *sums = exec_at(x, &n->sums);
    float *mean = x->states + n->state[0]->at, *variance = x->states + n->state[1]->at;
    double *at = exec_at(x, &n->work), count = norm_count(x, n), follow = (double)n->momentum;
    bool some = x->train && !(n->local && exec_step(x)->rows == 0);

    for (long c = 0; c < n->in[0]->shape.d[1]; c++) {
        double m = (double)mean[c], v = (double)variance[c];

        if (some) {
            m = sums[2 * c] / count;
            v = fmax(0, sums[2 * c + 1] / count - m * m);
        }
        at[2 * c] = m;
        at[2 * c + 1] = 1 / sqrt(v + (double)n->eps);
        if (!some || !n->weights_wanted)
            continue;
        double unbiased = count > 1 ? v * count / (count - 1) : v;
        mean[c] = (float)((1 - follow) * (double)mean[c] + follow * m);
        variance[c] = (float)((1 - follow) * (double)variance[c] + follow * unbiased);
    }
}

void norm_weights(const struct exec *x, const struct node *n)
{
    const double *back = exec_at(x, &n->back);
    float *dgamma = exec_gradient(x, n->weight), *dbeta = exec_gradient(x, n->bias);

    for (size_t c = 0; c < n->weight->count; c++) {
        dgamma[c] = (float)((n->weight->has_gradient ? (double)dgamma[c] : 0) + back[2 * c + 1]);
        dbeta[c] = (float)((n->bias->has_gradient ? (double)dbeta[c] : 0) + back[2 * c]);
    }
}
