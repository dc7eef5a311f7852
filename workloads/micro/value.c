/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether pools, batch norms, activations, losses and optimisers are right: every
 * number anew, in double, from the formulas of engine.h; tolerances: operator.h. */
#include <config.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/micro/operator_inner.h"

/* ---- pools ------------------------------------------------------------ */

/* Planes I[0] x I[1] x I[2] to Q with windows K, strides S, B before. */
struct windows {
    long I[3], Q[3], K[3], S[3], B[3];
    long in, out;
};

static struct windows windows_of(const struct operation *o)
{
    struct windows w = {.in = 1, .out = 1};

    for (int i = 0; i < 3; i++) {
        int d = i - (3 - (o->s.x.n - 2));
        w.I[i] = d < 0 ? 1 : o->s.x.d[2 + d];
        w.Q[i] = d < 0 ? 1 : o->out.d[2 + d];
        w.K[i] = d < 0 ? 1 : o->s.win.kernel[d];
        w.S[i] = d < 0 || !o->s.win.stride[d] ? 1 : o->s.win.stride[d];
        w.B[i] = d < 0 ? 0 : o->s.win.before[d];
        w.in *= w.I[i];
        w.out *= w.Q[i];
    }
    return w;
}

/* Taps [from, to) of a window in the input, by dimension; their number. */
static long taps_of(const struct windows *w, long place, long from[3], long to[3])
{
    long q[3] = {place / w->Q[2] / w->Q[1], place / w->Q[2] % w->Q[1], place % w->Q[2]}, n = 1;

    for (int i = 0; i < 3; i++) {
        from[i] = q[i] * w->S[i] - w->B[i];
        to[i] = from[i] + w->K[i] < w->I[i] ? from[i] + w->K[i] : w->I[i];
        from[i] = from[i] > 0 ? from[i] : 0;
        n *= to[i] - from[i];
    }
    return n;
}

/* What one window makes of plane x, and *terms: the sum of |terms|; with dx: hands dy on
 * to the taps, |terms| to size. */
static double pool_window(const struct windows *w, bool max, const float *x, long place, double dy,
                          double *dx, double *size, double *terms)
{
    long from[3], to[3], n = taps_of(w, place, from, to), best = -1;
    double sum = 0;

    *terms = 0;
    for (long d = from[0]; d < to[0]; d++)
        for (long h = from[1]; h < to[1]; h++)
            for (long c = from[2]; c < to[2]; c++) {
                long i = (d * w->I[1] + h) * w->I[2] + c;
                sum += (double)x[i];
                *terms += fabs((double)x[i]) / (double)n;
                best = best < 0 || x[i] > x[best] ? i : best; /* the first of several */
                if (dx && !max) {
                    dx[i] += dy / (double)n;
                    size[i] += fabs(dy) / (double)n;
                }
            }
    if (dx && max) {
        dx[best] += dy;
        size[best] += fabs(dy);
    }
    return max ? (double)x[best] : sum / (double)n;
}

static long pool_plane(const struct operation *o, const struct windows *w, long plane, double *dx)
{
    const bool max = o->s.op == OP_MAXPOOL;
    const float *x = o->x.v + plane * w->in, *dy = o->dy.v + plane * w->out;
    const double step = max ? 0 : ldexp(1, -22), slack = step + operator_stored(o);
    double terms;
    long wrong = 0;

    for (long q = 0; q < w->out && !dx; q++) {
        double want = pool_window(w, max, x, q, 0, NULL, NULL, &terms);
        wrong += !operator_near((double)o->value.v[plane * w->out + q], want, slack, step * terms);
    }
    if (!dx)
        return wrong;
    double *size = dx + w->in;
    memset(dx, 0, 2 * (size_t)w->in * sizeof *dx);
    for (long q = 0; q < w->out; q++)
        pool_window(w, max, x, q, (double)dy[q], dx, size, &terms);
    /* In bfloat16 the means are rounded before they are summed, too, at the worst. */
    for (long i = 0; i < w->in; i++)
        wrong += !operator_near((double)o->dx.v[plane * w->in + i], dx[i], slack,
                                max ? 0 : (step + operator_stored(o)) * size[i]);
    return wrong;
}

static long check_pool(const struct operation *o, enum engine_pass part)
{
    const struct windows w = windows_of(o);
    long planes = o->s.x.d[0] * o->s.x.d[1], wrong = 0, failed = 0;

#pragma omp parallel reduction(+ : wrong, failed)
    {
        double *room = part == ENGINE_DATA ? malloc(2 * (size_t)w.in * sizeof *room) : NULL;
        failed += part == ENGINE_DATA && !room;
#pragma omp for schedule(dynamic)
        for (long p = 0; p < planes; p++)
            if (part == ENGINE_FORWARD || room)
                wrong += pool_plane(o, &w, p, room);
        free(room);
    }
    return failed ? -1 : wrong;
}

/* ---- batch norm ------------------------------------------------------- */

/* The sums of one channel. */
struct channel {
    double count, mean, rstd, dy, dyx; /* dyx: of dy and the normalised x */
    double dy_size, dyx_size;          /* of |terms| */
};

static struct channel channel_of(const struct operation *o, long c, long C, long P)
{
    struct channel s = {.count = (double)(o->s.x.d[0] * P)};
    double squares = 0;

    for (long n = 0; n < o->s.x.d[0]; n++)
        for (long i = (n * C + c) * P; i < (n * C + c + 1) * P; i++)
            s.mean += (double)o->x.v[i] / s.count;
    for (long n = 0; n < o->s.x.d[0]; n++)
        for (long i = (n * C + c) * P; i < (n * C + c + 1) * P; i++)
            squares += ((double)o->x.v[i] - s.mean) * ((double)o->x.v[i] - s.mean);
    s.rstd = 1 / sqrt(squares / s.count + (double)1e-5f);
    for (long n = 0; n < o->s.x.d[0]; n++)
        for (long i = (n * C + c) * P; i < (n * C + c + 1) * P; i++) {
            double dy = (double)o->dy.v[i], xhat = ((double)o->x.v[i] - s.mean) * s.rstd;
            s.dy += dy;
            s.dyx += dy * xhat;
            s.dy_size += fabs(dy);
            s.dyx_size += fabs(dy * xhat);
        }
    return s;
}

static long norm_channel(const struct operation *o, enum engine_pass part, long c, long C, long P)
{
    const struct channel s = channel_of(o, c, C, P);
    const double gamma = (double)o->weight.v[c], beta = (double)o->bias.v[c], u = ldexp(1, -20);
    long wrong = 0;

    for (long n = 0; n < o->s.x.d[0]; n++)
        for (long i = (n * C + c) * P; i < (n * C + c + 1) * P; i++) {
            double x = (double)o->x.v[i], xhat = (x - s.mean) * s.rstd;
            if (part == ENGINE_FORWARD) {
                double size = fabs(gamma) * (fabs(x) + fabs(s.mean)) * s.rstd + fabs(beta);
                wrong += !operator_near((double)o->value.v[i], gamma * xhat + beta,
                                        operator_stored(o), u * size);
                continue;
            }
            double dy = (double)o->dy.v[i], scale = fabs(gamma) * s.rstd;
            double want = gamma * s.rstd * (dy - s.dy / s.count - xhat * s.dyx / s.count);
            double size = fabs(dy) + s.dy_size / s.count + fabs(xhat) * s.dyx_size / s.count;
            wrong += !operator_near((double)o->dx.v[i], want, operator_stored(o), u * scale * size);
        }
    if (part == ENGINE_DATA) {
        wrong += !operator_near((double)o->dw.v[c], s.dyx, 0, u * s.dyx_size);
        wrong += !operator_near((double)o->db.v[c], s.dy, 0, u * s.dy_size);
    }
    return wrong;
}

static long check_norm(const struct operation *o, enum engine_pass part)
{
    long C = o->s.x.d[1], P = (long)(o->x.n / (size_t)(o->s.x.d[0] * C)), wrong = 0;

#pragma omp parallel for schedule(dynamic) reduction(+ : wrong)
    for (long c = 0; c < C; c++)
        wrong += norm_channel(o, part, c, C, P);
    return wrong;
}

/* ---- activations ------------------------------------------------------ */

static long check_act(const struct operation *o, enum engine_pass part)
{
    const bool smooth = o->s.act != ACT_LEAKY;
    const double slope = (double)o->s.factor, u = ldexp(1, smooth ? -20 : -22);
    long wrong = 0;

#pragma omp parallel for schedule(static) reduction(+ : wrong)
    for (size_t i = 0; i < o->x.n; i++) {
        double x = (double)o->x.v[i], dy = (double)o->dy.v[i], y = (double)o->value.v[i];
        double want = o->s.act == ACT_TANH      ? tanh(x)
                      : o->s.act == ACT_SIGMOID ? 1 / (1 + exp(-x))
                                                : (x > 0 ? x : slope * x);
        double by = o->s.act == ACT_TANH      ? 1 - y * y
                    : o->s.act == ACT_SIGMOID ? y * (1 - y)
                                              : (y > 0 ? 1 : slope);
        double have = part == ENGINE_FORWARD ? y : (double)o->dx.v[i];
        double right = part == ENGINE_FORWARD ? want : dy * by;
        double slack = !smooth ? 0 : part == ENGINE_FORWARD ? u : u * fabs(dy);
        wrong += !operator_near(have, right, operator_stored(o) + (smooth ? 0 : u), slack);
    }
    return wrong;
}

/* ---- losses ----------------------------------------------------------- */

/* Cross-entropy of element i of row r: its logits are E apart. */
static double log_sum(const float *x, long C, long E)
{
    double most = (double)x[0], sum = 0;

    for (long c = 1; c < C; c++)
        most = fmax(most, (double)x[c * E]);
    for (long c = 0; c < C; c++)
        sum += exp((double)x[c * E] - most);
    return most + log(sum);
}

static double entropy(const struct operation *o, long row, long i, long C, long E, bool back,
                      long *wrong)
{
    const float *x = o->x.v + row * C * E + i;
    const double elements = (double)(o->s.x.d[0] * E), u = ldexp(1, -20);
    long is = (long)o->t.v[row * E + i];
    double sum = log_sum(x, C, E);

    for (long c = 0; c < C && back; c++) {
        double want = (exp((double)x[c * E] - sum) - (c == is)) / elements;
        *wrong +=
            !operator_near((double)o->dx.v[row * C * E + i + c * E], want, 0, u * 2 / elements);
    }
    return sum - (double)x[is * E];
}

static double point(const struct operation *o, size_t i, bool back, long *wrong)
{
    double x = (double)o->x.v[i], t = (double)o->t.v[i], d = fabs(x - t), value, slope;
    const double beta = (double)o->s.factor, elements = (double)o->x.n, u = ldexp(1, -20);

    if (o->s.op == OP_BCE) {
        value = (x > 0 ? x : 0) - x * t + log1p(exp(-fabs(x)));
        slope = 1 / (1 + exp(-x)) - t;
    } else if (o->s.op == OP_SMOOTH_L1) {
        value = d < beta ? d * d / (2 * beta) : d - beta / 2;
        slope = fmax(-1, fmin(1, (x - t) / beta));
    } else {
        value = d * d;
        slope = 2 * (x - t);
    }
    if (back)
        *wrong += !operator_near((double)o->dx.v[i], slope / elements, u, u * 2 / elements);
    return value;
}

static long check_loss(const struct operation *o, enum engine_pass part)
{
    const bool classes = o->s.op == OP_CROSS_ENTROPY, back = part == ENGINE_DATA;
    const long C = classes ? o->s.x.d[1] : 1, R = o->s.x.d[0];
    const long E = (long)o->x.n / R / C;
    double sum = 0;
    long wrong = 0;

#pragma omp parallel for schedule(static) reduction(+ : sum, wrong)
    for (long k = 0; k < R * E; k++)
        sum += classes ? entropy(o, k / E, k % E, C, E, back, &wrong)
                       : point(o, (size_t)k, back, &wrong);
    if (part == ENGINE_FORWARD) /* all terms are positive */
        wrong += !operator_near((double)o->value.v[0], sum / (double)(R * E), ldexp(1, -20), 0);
    return wrong;
}

long value_check(const struct operation *o, enum engine_pass part)
{
    switch (o->s.kind) {
    case OPERATOR_POOL:
        return check_pool(o, part);
    case OPERATOR_ATTENTION:
        return attention_check(o, part);
    case OPERATOR_NORM:
        return o->s.op == OP_LAYER_NORM ? layer_norm_check(o, part) : check_norm(o, part);
    case OPERATOR_ACT:
        return o->s.op == OP_GELU ? gelu_check(o, part) : check_act(o, part);
    default:
        return check_loss(o, part);
    }
}

/* ---- optimisers ------------------------------------------------------- */

/* One weight of which m and v are the moments; the step that LAMB scales, else the
 * new weight. */
static double rule_step(const struct optimizer *p, int t, double g0, double w, double rate,
                        double *m, double *v)
{
    const double b1 = (double)p->beta[0], b2 = (double)p->beta[1], decay = (double)p->weight_decay;
    const bool coupled = p->kind != OPTIMIZER_ADAMW && p->kind != OPTIMIZER_LAMB;
    const double g = coupled ? g0 + decay * w : g0;

    if (p->kind == OPTIMIZER_SGD) {
        *m = (double)p->momentum * *m + g;
        return w - rate * *m;
    }
    *v = b2 * *v + (1 - b2) * g * g;
    if (p->kind == OPTIMIZER_RMSPROP) {
        *m = (double)p->momentum * *m + g / (sqrt(*v) + (double)p->eps);
        return w - rate * *m;
    }
    *m = b1 * *m + (1 - b1) * g;
    double step = *m / (1 - pow(b1, t)) / (sqrt(*v / (1 - pow(b2, t))) + (double)p->eps);
    if (p->kind == OPTIMIZER_LAMB)
        return step + decay * w;
    if (p->kind == OPTIMIZER_ADAMW)
        w -= rate * decay * w;
    return w - rate * step;
}

long value_check_rule(const struct operation *o, const float *before, const float *have, int steps,
                      double rate)
{
    const struct optimizer *p = operator_rule(o->s.rule);
    const size_t n = o->weight.n;
    const bool whole = p->kind == OPTIMIZER_LAMB;
    double *w = calloc(4 * n, sizeof *w), *m = w + n, *v = m + n, *d = v + n;
    long wrong = 0;

    if (!w)
        return -1;
    for (size_t i = 0; i < n; i++)
        w[i] = (double)before[i];
    for (int t = 1; t <= steps; t++) {
        double ww = 0, dd = 0;
#pragma omp parallel for schedule(static) reduction(+ : ww, dd)
        for (size_t i = 0; i < n; i++) {
            d[i] = rule_step(p, t, (double)o->dy.v[i], w[i], rate, &m[i], &v[i]);
            ww += w[i] * w[i];
            dd += d[i] * d[i];
        }
        const double ratio = ww > 0 && dd > 0 ? sqrt(ww / dd) : 1;
        for (size_t i = 0; i < n; i++)
            w[i] = whole ? w[i] - rate * ratio * d[i] : d[i];
    }
    for (size_t i = 0; i < n; i++)
        wrong +=
            !operator_near((double)have[i], w[i], ldexp(1, -20), ldexp(1, -20) * rate * steps * 4);
    free(w);
    return wrong;
}
