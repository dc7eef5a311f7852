/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/generate/cosmo/gen_ridge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/generate/gen_math.h"

enum { F = RIDGE_FEATURES, P = COSMO_PARAMETERS };

/* Centred and scaled normal equations: (A + penalty n I) w = b. */
struct normal {
    double mean[F], scale[F], label[P];
    double a[F][F], b[F][P];
    double w[F][P];
    size_t n;
};

/* log(1 + count); nearly all counts are small. */
static double log_count(int16_t count)
{
    static double table[256]; /* 0: not computed yet */

    if (count == 0)
        return 0;
    if (count >= 256)
        return gen_log(1.0 + count);
    if (table[count] == 0)
        table[count] = gen_log(1.0 + count);
    return table[count];
}

/* Shells are merged evenly where a cube has more than RIDGE_SHELLS of them. */
void ridge_features(struct cosmo_field *f, const int16_t *counts, float x[RIDGE_FEATURES])
{
    const size_t total = (size_t)f->n * (size_t)f->n * (size_t)f->n;
    const int shells = f->n / 2, merge = shells > RIDGE_SHELLS ? shells / RIDGE_SHELLS : 1;
    double *power = f->amplitude + shells; /* behind field_shells()'s own scratch */

    for (int c = 0; c < COSMO_CHANNELS; c++) {
        for (size_t i = 0; i < total; i++)
            f->real[i] = log_count(counts[i * COSMO_CHANNELS + (size_t)c]);
        field_shells(f, f->real, power, shells);
        for (int s = 0; s < RIDGE_SHELLS; s++) {
            double sum = 0;
            for (int i = s * merge; i < (s + 1) * merge && i < shells; i++)
                sum += power[i];
            x[c * RIDGE_SHELLS + s] = (float)gen_log(sum / merge + 1e-6);
        }
    }
}

static void accumulate(struct normal *m, const struct ridge_row *rows, size_t n)
{
    memset(m, 0, sizeof *m);
    m->n = n;
    for (size_t r = 0; r < n; r++) {
        for (int i = 0; i < F; i++)
            m->mean[i] += rows[r].x[i] / (double)n;
        for (int p = 0; p < P; p++)
            m->label[p] += rows[r].y[p] / (double)n;
    }
    for (size_t r = 0; r < n; r++)
        for (int i = 0; i < F; i++)
            m->scale[i] += (rows[r].x[i] - m->mean[i]) * (rows[r].x[i] - m->mean[i]);
    for (int i = 0; i < F; i++)
        m->scale[i] = m->scale[i] > 0 ? 1 / sqrt(m->scale[i] / (double)n) : 0;
    for (size_t r = 0; r < n; r++) {
        double z[F];
        for (int i = 0; i < F; i++)
            z[i] = (rows[r].x[i] - m->mean[i]) * m->scale[i];
        for (int i = 0; i < F; i++) {
            for (int j = 0; j <= i; j++)
                m->a[i][j] += z[i] * z[j];
            for (int p = 0; p < P; p++)
                m->b[i][p] += z[i] * (rows[r].y[p] - m->label[p]);
        }
    }
}

/* Cholesky: A + penalty n I = L L^T (lower triangle), then two substitutions. */
static void solve(struct normal *m, double penalty)
{
    double l[F][F];

    for (int i = 0; i < F; i++)
        for (int j = 0; j <= i; j++) {
            double sum = m->a[i][j] + (i == j ? penalty * (double)m->n : 0);
            for (int k = 0; k < j; k++)
                sum -= l[i][k] * l[j][k];
            l[i][j] = i == j ? sqrt(sum) : sum / l[j][j];
        }
    for (int p = 0; p < P; p++) {
        for (int i = 0; i < F; i++) {
            double sum = m->b[i][p];
            for (int k = 0; k < i; k++)
                sum -= l[i][k] * m->w[k][p];
            m->w[i][p] = sum / l[i][i];
        }
        for (int i = F - 1; i >= 0; i--) {
            double sum = m->w[i][p];
            for (int k = i + 1; k < F; k++)
                sum -= l[k][i] * m->w[k][p];
            m->w[i][p] = sum / l[i][i];
        }
    }
}

/* constant: judge the mean of the labels alone. */
static double mean_error(const struct normal *m, const struct ridge_row *rows, size_t n,
                         bool constant)
{
    double sum = 0;

    for (size_t r = 0; r < n; r++)
        for (int p = 0; p < P; p++) {
            double y = m->label[p];
            for (int i = 0; i < F && !constant; i++)
                y += m->w[i][p] * (rows[r].x[i] - m->mean[i]) * m->scale[i];
            sum += fabs(y - rows[r].y[p]);
        }
    return sum / (double)(n * P);
}

int ridge_fit(const struct ridge_row *train, size_t n_train, const struct ridge_row *test,
              size_t n_test, double *constant_mae, double *ridge_mae, struct err *e)
{
    const size_t held = n_train / 5;
    double best = INFINITY, best_penalty = 1;

    if (held == 0 || n_test == 0)
        return err_set(e, "%zu training and %zu validation samples are too few for a baseline",
                       n_train, n_test);
    struct normal *m = malloc(sizeof *m);
    if (!m)
        return err_set(e, "no memory for the baseline");
    accumulate(m, train, n_train - held);
    for (double penalty = 1e-6; penalty < 2; penalty *= 10) {
        solve(m, penalty);
        double error = mean_error(m, train + n_train - held, held, false);
        if (error < best) {
            best = error;
            best_penalty = penalty;
        }
    }
    accumulate(m, train, n_train);
    solve(m, best_penalty);
    *constant_mae = mean_error(m, test, n_test, true);
    *ridge_mae = mean_error(m, test, n_test, false);
    free(m);
    return 0;
}
