/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/generate/weather/regression.h"

#include <math.h>
#include <string.h>

#include "workloads/generate/gen_math.h"
#include "workloads/metric.h"

enum {
    K = REGRESSION_INPUTS,
    CLASSES = WEATHER_CLASSES,
    ALL = (CLASSES - 1) * K,
    EVERY = 8,
    NEWTON_STEPS = 8
};

/* In the order of the channels: where the levels begin and end. */
static const double range[WEATHER_CHANNELS][2] = {
    {0, 1.5e-6}, {98000, 103500}, {98000, 103500}, {0, 0.04}, {205, 230}, {205, 270},
    {0, 95},     {240, 310},      {240, 310},      {-45, 45}, {-40, 40},  {-40, 40},
    {-35, 35},   {-250, 300},     {10000, 12800},  {50, 70},
};

static uint8_t level(int channel, double value)
{
    const double *r = range[channel], part = (value - r[0]) / (r[1] - r[0]) * 256;

    return (uint8_t)(part < 0 ? 0 : part > 255 ? 255 : part);
}

void regression_see(struct regression_seen *s, const float *data, const unsigned char *mask, int ny,
                    int nx)
{
    const int rows = ny / REGRESSION_ROWS, columns = nx / REGRESSION_COLUMNS;

    for (int j = 0; j < REGRESSION_ROWS; j++)
        for (int i = 0; i < REGRESSION_COLUMNS; i++) {
            const int at = j * REGRESSION_COLUMNS + i;
            const size_t there =
                (size_t)(j * rows + rows / 2) * (size_t)nx + (size_t)(i * columns + columns / 2);
            s->label[at] = mask[there];
            for (int c = 0; c < WEATHER_CHANNELS; c++)
                s->level[c][at] =
                    level(c, (double)data[(size_t)c * (size_t)ny * (size_t)nx + there]);
        }
}

static void standardise(struct regression *r, const struct regression_seen *const seen[], size_t n)
{
    const double places = (double)n * REGRESSION_PLACES;

    for (int c = 0; c < WEATHER_CHANNELS; c++) {
        double sum = 0, squares = 0; /* whole numbers: exact */
        for (size_t s = 0; s < n; s++)
            for (int i = 0; i < REGRESSION_PLACES; i++) {
                const double v = seen[s]->level[c][i];
                sum += v;
                squares += v * v;
            }
        r->mean[c] = sum / places;
        const double variance = squares / places - r->mean[c] * r->mean[c];
        r->deviation[c] = variance > 0 ? sqrt(variance) : 1;
    }
}

/* x[K]: the place's inputs; score[k]: log odds of class k + 1 to the background. */
static void look(const struct regression *r, const struct regression_seen *s, int place,
                 double x[K], double score[CLASSES - 1])
{
    for (int c = 0; c < WEATHER_CHANNELS; c++)
        x[c] = (s->level[c][place] - r->mean[c]) / r->deviation[c];
    x[K - 1] = 1;
    for (int k = 0; k < CLASSES - 1; k++) {
        score[k] = 0;
        for (int c = 0; c < K; c++)
            score[k] += r->slope[k][c] * x[c];
    }
}

/* p[k]: of class k + 1. */
static void probabilities(const double score[CLASSES - 1], double p[CLASSES - 1])
{
    double most = 0, sum;

    for (int k = 0; k < CLASSES - 1; k++)
        most = score[k] > most ? score[k] : most;
    sum = gen_exp(most < 600 ? -most : -600);
    for (int k = 0; k < CLASSES - 1; k++) {
        const double below = score[k] - most;
        p[k] = gen_exp(below > -600 ? below : -600);
        sum += p[k];
    }
    for (int k = 0; k < CLASSES - 1; k++)
        p[k] /= sum;
}

struct newton {
    double hessian[ALL][ALL], gradient[ALL];
};

/* One place's part of the upper half of the Hessian, and of the gradient. */
static void add(struct newton *m, const double x[K], const double p[CLASSES - 1], int label,
                double weight)
{
    for (int a = 0; a < CLASSES - 1; a++) {
        const double off = weight * (p[a] - (label == a + 1));
        for (int i = 0; i < K; i++)
            m->gradient[a * K + i] += off * x[i];
        for (int b = a; b < CLASSES - 1; b++) {
            const double bend = weight * p[a] * ((a == b) - p[b]);
            for (int i = 0; i < K; i++)
                for (int k = 0; k < K; k++)
                    m->hessian[a * K + i][b * K + k] += bend * x[i] * x[k];
        }
    }
}

/* hessian x = gradient of a positive definite one; leaves x in the gradient (Gauss,
 * Jordan). */
static void solve(struct newton *m)
{
    for (int k = 0; k < ALL; k++)
        for (int r = 0; r < ALL; r++) {
            const double factor = m->hessian[r][k] / m->hessian[k][k];
            if (r == k)
                continue;
            for (int c = k; c < ALL; c++)
                m->hessian[r][c] -= factor * m->hessian[k][c];
            m->gradient[r] -= factor * m->gradient[k];
        }
    for (int k = 0; k < ALL; k++)
        m->gradient[k] /= m->hessian[k][k];
}

/* freq^-.125 of each class. */
static void weigh(const struct regression_seen *const seen[], size_t n, double weight[CLASSES])
{
    double count[CLASSES] = {0};

    for (size_t s = 0; s < n; s++)
        for (int i = 0; i < REGRESSION_PLACES; i++)
            count[seen[s]->label[i]]++;
    for (int k = 0; k < CLASSES; k++)
        weight[k] = count[k] > 0 ? gen_pow(count[k] / ((double)n * REGRESSION_PLACES), -0.125) : 0;
}

void regression_fit(struct regression *r, const struct regression_seen *const seen[], size_t n)
{
    double weight[CLASSES], x[K], score[CLASSES - 1], p[CLASSES - 1];
    static struct newton m;

    memset(r, 0, sizeof *r);
    standardise(r, seen, n);
    weigh(seen, n, weight);
    for (int step = 0; step < NEWTON_STEPS; step++) {
        double total = 0;
        memset(&m, 0, sizeof m);
        for (size_t s = 0; s < n; s++)
            for (int i = (int)(s % EVERY); i < REGRESSION_PLACES; i += EVERY) {
                const int label = seen[s]->label[i];
                look(r, seen[s], i, x, score);
                probabilities(score, p);
                add(&m, x, p, label, weight[label]);
                total += weight[label];
            }
        for (int i = 0; i < ALL; i++) {
            m.hessian[i][i] += 1e-6 * total;
            for (int k = 0; k < i; k++)
                m.hessian[i][k] = m.hessian[k][i];
        }
        solve(&m);
        for (int k = 0; k < CLASSES - 1; k++)
            for (int c = 0; c < K; c++)
                r->slope[k][c] -= m.gradient[k * K + c];
    }
}

/* r NULL: background everywhere. */
static double iou(const struct regression *r, const struct regression_seen *const seen[], size_t n)
{
    double sum = 0, x[K], score[CLASSES - 1];

    for (size_t s = 0; s < n; s++) {
        struct counts counts[CLASSES] = {{0}};
        for (int i = 0; i < REGRESSION_PLACES; i++) {
            const int is = seen[s]->label[i];
            int called = 0;
            if (r)
                look(r, seen[s], i, x, score);
            for (int k = 1; r && k < CLASSES; k++)
                if (score[k - 1] > (called ? score[called - 1] : 0))
                    called = k;
            if (called == is) {
                counts[is].hit++;
            } else {
                counts[is].miss++;
                counts[called].false_alarm++;
            }
        }
        sum += metric_sample_iou(counts, CLASSES) / (double)n;
    }
    return sum;
}

double regression_iou(const struct regression *r, const struct regression_seen *const seen[],
                      size_t n)
{
    return iou(r, seen, n);
}

double constant_iou(const struct regression_seen *const seen[], size_t n)
{
    return iou(NULL, seen, n);
}
