/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Losses and metrics: plain float32 in, sums in double. Both back ends on the
 * host run these; tests/workloads/engine/test_losses.c is their truth.
 *
 * x and t have R rows (R / batch per sample); a row has E elements with a loss
 * each. Cross-entropy: x is R C S, its E = S elements have C logits each, S
 * apart. A row is summed in pieces of PIECE elements, rows and their pieces in
 * order: the same bits for any number of threads.
 */
#include <config.h>

#include "workloads/engine/loss.h"
#include "workloads/engine/internal.h"

#include <math.h>
#include <string.h>

enum { PIECE = 4096 };

/* One row. */
struct row {
    enum op op;
    const float *x, *t;
    const float *w;  /* per element, or NULL */
    const float *of; /* cross-entropy: weight of each class, or NULL */
    double beta;     /* smooth L1 */
    long E, C;       /* C: 1 but for cross-entropy */
};

/* ---- one element ------------------------------------------------------ */

static double point_value(const struct row *r, double x, double t)
{
    double d = fabs(x - t);

    switch (r->op) {
    case OP_MSE:
        return d * d;
    case OP_BCE: /* -t log p - (1 - t) log (1 - p), p = 1 / (1 + e^-x) */
        return (x > 0 ? x : 0) - x * t + log1p(exp(-fabs(x)));
    case OP_SMOOTH_L1:
        return d < r->beta ? d * d / (2 * r->beta) : d - r->beta / 2;
    default: /* OP_MAE */
        return d;
    }
}

static double point_slope(const struct row *r, double x, double t)
{
    double d = x - t;

    switch (r->op) {
    case OP_MSE:
        return 2 * d;
    case OP_BCE:
        return 1 / (1 + exp(-x)) - t;
    default: /* OP_SMOOTH_L1 */
        return d >= r->beta ? 1 : d <= -r->beta ? -1 : d / r->beta;
    }
}

/* The class of element i, and its weight in *w; -1: it is left out. */
static long class_of(const struct row *r, long i, double *w)
{
    double t = (double)r->t[i];

    if (!(t >= 0 && t < (double)r->C))
        return -1;
    if (r->of)
        *w *= (double)r->of[(long)t];
    return (long)t;
}

/* log of the sum of exponentials of element i's logits. */
static double log_sum(const struct row *r, long i)
{
    double most = -INFINITY, sum = 0;

    for (long c = 0; c < r->C; c++)
        most = fmax(most, (double)r->x[c * r->E + i]);
    for (long c = 0; c < r->C; c++)
        sum += exp((double)r->x[c * r->E + i] - most);
    return most + log(sum);
}

/* ---- a piece of a row ------------------------------------------------- */

static double piece_value(const struct row *r, long from, long to)
{
    double sum = 0;

    for (long i = from; i < to; i++) {
        double w = r->w ? (double)r->w[i] : 1, v;

        if (w == 0)
            continue;
        if (r->op == OP_CROSS_ENTROPY) {
            long c = class_of(r, i, &w);

            v = c < 0 ? 0 : log_sum(r, i) - (double)r->x[c * r->E + i];
        } else {
            v = point_value(r, (double)r->x[i], (double)r->t[i]);
        }
        sum += r->w || r->of ? w * v : v;
    }
    return sum;
}

/* Gradient at element i of class `is` with weight w: every exponential once, where
 * there is room for them. */
static void class_slope(const struct row *r, long i, long is, double w, float *dx)
{
    enum { ROOM = 32 };
    double e[ROOM], most = -INFINITY, sum = 0;

    for (long c = 0; c < r->C; c++)
        most = fmax(most, (double)r->x[c * r->E + i]);
    for (long c = 0; c < r->C; c++) {
        double v = exp((double)r->x[c * r->E + i] - most);

        sum += v;
        if (c < ROOM)
            e[c] = v;
    }
    for (long c = 0; c < r->C; c++) {
        double p = c < ROOM ? e[c] : exp((double)r->x[c * r->E + i] - most);

        dx[c * r->E + i] = (float)(w * (p / sum - (c == is)));
    }
}

/* dx of the piece, times scale; scale 0: the row counts nothing. */
static void piece_slope(const struct row *r, double scale, float *dx, long from, long to)
{
    for (long i = from; i < to; i++) {
        double w = scale == 0 ? 0 : r->w ? scale * (double)r->w[i] : scale;

        if (r->op != OP_CROSS_ENTROPY) {
            dx[i] = w != 0 ? (float)(w * point_slope(r, (double)r->x[i], (double)r->t[i])) : 0;
            continue;
        }
        long is = w != 0 ? class_of(r, i, &w) : -1;
        if (is >= 0)
            class_slope(r, i, is, w, dx);
        for (long c = 0; c < r->C && is < 0; c++)
            dx[c * r->E + i] = 0;
    }
}

/* ---- a tensor --------------------------------------------------------- */

struct losses {
    long R, per_row; /* rows; values of x in a row */
    struct row first;
    bool by_element; /* the weights */
    const float *w;
};

static struct losses losses_of(const struct exec *x, const struct node *n)
{
    const struct shape *s = &n->in[0]->shape;
    struct losses l = {.R = s->d[0], .per_row = (long)shape_count(s) / s->d[0]};
    long C = n->op == OP_CROSS_ENTROPY ? s->d[1] : 1;

    l.first = (struct row){.op = n->op,
                           .x = exec_value(x, n->in[0]),
                           .t = exec_value(x, n->in[1]),
                           .of = n->table,
                           .beta = (double)n->factor,
                           .E = l.per_row / C,
                           .C = C};
    if (n->n_in > 2) {
        l.w = exec_value(x, n->in[2]);
        l.by_element = shape_count(&n->in[2]->shape) != (size_t)l.R;
    }
    return l;
}

static struct row row_at(const struct losses *l, long r)
{
    struct row row = l->first;

    row.x += r * l->per_row;
    row.t += r * row.E;
    row.w = l->by_element ? l->w + r * row.E : NULL;
    return row;
}

/* 0 past the step's real samples. */
static double row_weight(const struct exec *x, const struct losses *l, long r)
{
    if (r / (l->R / x->batch) >= exec_step(x)->rows)
        return 0;
    return l->w && !l->by_element ? (double)l->w[r] : 1;
}

static double divisor(const struct exec *x, const struct losses *l)
{
    return (double)exec_step(x)->global_rows * (double)(l->R * l->first.E) / (double)x->batch;
}

void loss_forward(const struct exec *x, const struct node *n)
{
    enum { MANY = 256 };
    const struct losses l = losses_of(x, n);
    const long pieces = (l.first.E + PIECE - 1) / PIECE, all = l.R * pieces;
    double part[MANY], sum = 0;

    for (long at = 0; at < all; at += MANY) {
        long count = all - at < MANY ? all - at : MANY;

#pragma omp parallel for schedule(static) if (count > 1)
        for (long p = 0; p < count; p++) {
            const struct row row = row_at(&l, (at + p) / pieces);
            long from = (at + p) % pieces * PIECE;
            double w = row_weight(x, &l, (at + p) / pieces);

            part[p] = w != 0
                          ? w * piece_value(&row, from, from + PIECE < row.E ? from + PIECE : row.E)
                          : 0;
        }
        for (long p = 0; p < count; p++)
            sum += part[p];
    }
    *(float *)exec_value(x, n->out[0]) = (float)(sum / divisor(x, &l));
}

void loss_data(const struct exec *x, const struct node *n)
{
    const struct losses l = losses_of(x, n);
    double scale = (double)*(const float *)exec_grad(x, n->out[0]) / divisor(x, &l);
    float *dx = exec_at(x, n->in_grad[0]);
    long pieces = (l.first.E + PIECE - 1) / PIECE;

#pragma omp parallel for collapse(2) schedule(static)
    for (long r = 0; r < l.R; r++)
        for (long p = 0; p < pieces; p++) {
            const struct row row = row_at(&l, r);
            long to = (p + 1) * PIECE < row.E ? (p + 1) * PIECE : row.E;

            piece_slope(&row, scale * row_weight(x, &l, r), dx + r * l.per_row, p * PIECE, to);
        }
}
