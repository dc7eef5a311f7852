/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The reference back end: plain loops, double accumulators, row-major
 * tensors. It is the truth for every test and is meant to be read.
 *
 * bfloat16 tensors are rounded when they are stored; weights are rounded when
 * they are read, as a back end does that keeps a bfloat16 copy; sums are not
 * rounded in between.
 */
#include <config.h>

#include "workloads/engine/backend.h"
#include "workloads/engine/loss.h"
#include "workloads/engine/norm.h"
#include "workloads/engine/ref.h"

#include <math.h>
#include <string.h>

/* ---- activations ------------------------------------------------------ */

static double act_of(const struct node *n, double v)
{
    if (n->act == ACT_TANH)
        return tanh(v);
    if (n->act == ACT_SIGMOID)
        return 1 / (1 + exp(-v));
    return v > 0 ? v : v * (double)n->slope;
}

/* From the output y. */
static double act_slope(const struct node *n, double y)
{
    if (n->act == ACT_TANH)
        return 1 - y * y;
    if (n->act == ACT_SIGMOID)
        return y * (1 - y);
    return y > 0 ? 1 : (double)n->slope;
}

/* ---- windows ---------------------------------------------------------- */

/* N C I[0] I[1] I[2] to N O Q[0] Q[1] Q[2] with kernel K, stride S, padding B
 * before, taps D apart; two dimensions are three with I[0] = K[0] = 1. */
struct geometry {
    long N, C, O, I[3], Q[3], K[3], S[3], B[3], D[3];
    long in, out, taps; /* products of I, Q, K */
};

static struct geometry geometry_of(const struct node *n)
{
    const struct shape *x = &n->in[0]->shape, *y = &n->out[0]->shape;
    int dims = x->n - 2, skip = 3 - dims;
    struct geometry g = {.N = x->d[0], .C = x->d[1], .O = y->d[1], .in = 1, .out = 1, .taps = 1};

    for (int i = 0; i < 3; i++) {
        bool real = i >= skip;

        g.I[i] = real ? x->d[2 + i - skip] : 1;
        g.Q[i] = real ? y->d[2 + i - skip] : 1;
        g.K[i] = real ? n->window.kernel[i - skip] : 1;
        g.S[i] = real ? n->window.stride[i - skip] : 1;
        g.B[i] = real ? n->window.before[i - skip] : 0;
        g.D[i] = real ? n->window.dilation[i - skip] : 1;
        g.in *= g.I[i];
        g.out *= g.Q[i];
        g.taps *= g.K[i];
    }
    return g;
}

/* Index in an input plane that tap k of output q sees, -1 in the padding. */
static inline long tap_index(const struct geometry *g, const long q[3], const long k[3])
{
    long at = 0;

    for (int i = 0; i < 3; i++) {
        long p = q[i] * g->S[i] + k[i] * g->D[i] - g->B[i];

        if (p < 0 || p >= g->I[i])
            return -1;
        at = at * g->I[i] + p;
    }
    return at;
}

static inline void split(long at, const long size[3], long out[3])
{
    out[2] = at % size[2];
    out[1] = at / size[2] % size[1];
    out[0] = at / size[2] / size[1];
}

/* Index in an output plane of the output whose tap k is input p, -1: none. */
static inline long seer_index(const struct geometry *g, const long p[3], const long k[3])
{
    long at = 0;

    for (int i = 0; i < 3; i++) {
        long r = p[i] + g->B[i] - k[i] * g->D[i];

        if (r < 0 || r % g->S[i] || r / g->S[i] >= g->Q[i])
            return -1;
        at = at * g->Q[i] + r / g->S[i];
    }
    return at;
}

/* ---- convolution ------------------------------------------------------ */

/* Channels of the other side that one of these sees, the first and how many: all, or of a
 * depthwise convolution its own. w has those of the input: w[o][c - first][k]. */
struct seen {
    long first, n;
};

static struct seen seen_of(const struct node *n, long channel, long all)
{
    return n->op == OP_DEPTHWISE ? (struct seen){channel, 1} : (struct seen){0, all};
}

/* y[n][o][q] = b[o] + sum over c, k of x[n][c][q S + k D - B] w[o][c][k] */
static void conv_forward(const struct exec *x, const struct node *n)
{
    const struct geometry g = geometry_of(n);
    enum tensor_dtype dt = n->out[0]->dtype;
    const void *in = exec_value(x, n->in[0]);
    void *out = exec_value(x, n->out[0]);
    const float *w = exec_master(x, n->weight);
    const float *b = n->bias ? exec_master(x, n->bias) : NULL;

#pragma omp parallel for collapse(2) schedule(static)
    for (long i = 0; i < g.N; i++)
        for (long o = 0; o < g.O; o++)
            for (long at = 0; at < g.out; at++) {
                const struct seen of = seen_of(n, o, g.C);
                double sum = b ? (double)b[o] : 0;
                long q[3], k[3];

                split(at, g.Q, q);
                for (long t = 0; t < g.taps; t++) {
                    split(t, g.K, k);
                    long p = tap_index(&g, q, k);
                    for (long c = 0; c < of.n && p >= 0; c++)
                        sum += load(in, dt, (size_t)((i * g.C + of.first + c) * g.in + p)) *
                               weight_at(w, dt, (size_t)((o * of.n + c) * g.taps + t));
                }
                store(out, dt, (size_t)((i * g.O + o) * g.out + at), sum);
            }
}

/* db[o] = sum over n, q of dy[n][o][q]; db may be NULL */
static void bias_gradient(const struct geometry *g, const void *dy, enum tensor_dtype dt,
                          const struct param *b, float *db)
{
    for (long o = 0; o < g->O && db; o++) {
        double sum = 0;

        for (long i = 0; i < g->N; i++)
            for (long at = 0; at < g->out; at++)
                sum += load(dy, dt, (size_t)((i * g->O + o) * g->out + at));
        add_gradient(db, b, (size_t)o, sum);
    }
}

/* dw[o][c][k] = sum over n, q of dy[n][o][q] x[n][c][q S + k D - B] */
static void conv_weights(const struct exec *x, const struct node *n)
{
    const struct geometry g = geometry_of(n);
    enum tensor_dtype dt = n->out[0]->dtype;
    const void *in = exec_value(x, n->in[0]), *dy = exec_grad(x, n->out[0]);
    float *dw = exec_gradient(x, n->weight);
    float *db = n->bias ? exec_gradient(x, n->bias) : NULL;
    const long each = seen_of(n, 0, g.C).n;

#pragma omp parallel for collapse(2) schedule(static)
    for (long o = 0; o < g.O; o++)
        for (long r = 0; r < each * g.taps; r++) {
            long c = seen_of(n, o, g.C).first + r / g.taps, q[3], k[3];
            double sum = 0;

            split(r % g.taps, g.K, k);
            for (long i = 0; i < g.N; i++)
                for (long at = 0; at < g.out; at++) {
                    split(at, g.Q, q);
                    long p = tap_index(&g, q, k);
                    if (p >= 0)
                        sum += load(dy, dt, (size_t)((i * g.O + o) * g.out + at)) *
                               load(in, dt, (size_t)((i * g.C + c) * g.in + p));
                }
            add_gradient(dw, n->weight, (size_t)(o * each * g.taps + r), sum);
        }
    bias_gradient(&g, dy, dt, n->bias, db);
}

/* dx[n][c][p] = sum over o and the (q, k) that see p of dy[n][o][q] w[o][c][k] */
static void conv_data(const struct exec *x, const struct node *n)
{
    const struct geometry g = geometry_of(n);
    enum tensor_dtype dt = n->out[0]->dtype;
    const void *dy = exec_grad(x, n->out[0]);
    const float *w = exec_master(x, n->weight);
    void *dx = exec_at(x, n->in_grad[0]);
    const long each = seen_of(n, 0, g.C).n;

#pragma omp parallel for collapse(2) schedule(static)
    for (long i = 0; i < g.N; i++)
        for (long c = 0; c < g.C; c++)
            for (long at = 0; at < g.in; at++) {
                const struct seen by = seen_of(n, c, g.O);
                double sum = 0;
                long p[3], k[3];

                split(at, g.I, p);
                for (long t = 0; t < g.taps; t++) {
                    split(t, g.K, k);
                    long q = seer_index(&g, p, k);
                    for (long o = by.first; o < by.first + by.n && q >= 0; o++)
                        sum += load(dy, dt, (size_t)((i * g.O + o) * g.out + q)) *
                               weight_at(w, dt, (size_t)((o * each + c % each) * g.taps + t));
                }
                store(dx, dt, (size_t)((i * g.C + c) * g.in + at), sum);
            }
}

/* ---- transposed convolution ------------------------------------------- */

/* x N C I to y N O Q, written from its definition, not as what a convolution
 * does backward. Index of tap k of input i in an output plane, -1: cut off. */
static inline long target_index(const struct geometry *g, const long i[3], const long k[3])
{
    long at = 0;

    for (int d = 0; d < 3; d++) {
        long q = i[d] * g->S[d] + k[d] - g->B[d];

        if (q < 0 || q >= g->Q[d])
            return -1;
        at = at * g->Q[d] + q;
    }
    return at;
}

/* The input whose tap k is output q; -1: none. */
static inline long source_index(const struct geometry *g, const long q[3], const long k[3])
{
    long at = 0;

    for (int d = 0; d < 3; d++) {
        long i = q[d] + g->B[d] - k[d];

        if (i < 0 || i % g->S[d] || i / g->S[d] >= g->I[d])
            return -1;
        at = at * g->I[d] + i / g->S[d];
    }
    return at;
}

/* y[n][o][i S + k - B] += x[n][c][i] w[c][o][k], from y = b[o] */
static void deconv_forward(const struct exec *x, const struct node *n)
{
    const struct geometry g = geometry_of(n);
    enum tensor_dtype dt = n->out[0]->dtype;
    const void *in = exec_value(x, n->in[0]);
    void *out = exec_value(x, n->out[0]);
    const float *w = exec_master(x, n->weight);
    const float *b = n->bias ? exec_master(x, n->bias) : NULL;

#pragma omp parallel for collapse(2) schedule(static)
    for (long s = 0; s < g.N; s++)
        for (long o = 0; o < g.O; o++)
            for (long at = 0; at < g.out; at++) {
                double sum = b ? (double)b[o] : 0;
                long q[3], k[3];

                split(at, g.Q, q);
                for (long t = 0; t < g.taps; t++) {
                    split(t, g.K, k);
                    long p = source_index(&g, q, k);
                    for (long c = 0; c < g.C && p >= 0; c++)
                        sum += load(in, dt, (size_t)((s * g.C + c) * g.in + p)) *
                               weight_at(w, dt, (size_t)((c * g.O + o) * g.taps + t));
                }
                store(out, dt, (size_t)((s * g.O + o) * g.out + at), sum);
            }
}

/* dw[c][o][k] = sum over n, i of x[n][c][i] dy[n][o][i S + k - B] */
static void deconv_weights(const struct exec *x, const struct node *n)
{
    const struct geometry g = geometry_of(n);
    enum tensor_dtype dt = n->out[0]->dtype;
    const void *in = exec_value(x, n->in[0]), *dy = exec_grad(x, n->out[0]);
    float *dw = exec_gradient(x, n->weight);
    float *db = n->bias ? exec_gradient(x, n->bias) : NULL;

#pragma omp parallel for collapse(2) schedule(static)
    for (long c = 0; c < g.C; c++)
        for (long r = 0; r < g.O * g.taps; r++) {
            long o = r / g.taps, i[3], k[3];
            double sum = 0;

            split(r % g.taps, g.K, k);
            for (long s = 0; s < g.N; s++)
                for (long p = 0; p < g.in; p++) {
                    split(p, g.I, i);
                    long at = target_index(&g, i, k);
                    if (at >= 0)
                        sum += load(in, dt, (size_t)((s * g.C + c) * g.in + p)) *
                               load(dy, dt, (size_t)((s * g.O + o) * g.out + at));
                }
            add_gradient(dw, n->weight, (size_t)(c * g.O * g.taps + r), sum);
        }
    bias_gradient(&g, dy, dt, n->bias, db);
}

/* dx[n][c][i] = sum over o, k of dy[n][o][i S + k - B] w[c][o][k] */
static void deconv_data(const struct exec *x, const struct node *n)
{
    const struct geometry g = geometry_of(n);
    enum tensor_dtype dt = n->out[0]->dtype;
    const void *dy = exec_grad(x, n->out[0]);
    const float *w = exec_master(x, n->weight);
    void *dx = exec_at(x, n->in_grad[0]);

#pragma omp parallel for collapse(2) schedule(static)
    for (long s = 0; s < g.N; s++)
        for (long c = 0; c < g.C; c++)
            for (long p = 0; p < g.in; p++) {
                double sum = 0;
                long i[3], k[3];

                split(p, g.I, i);
                for (long t = 0; t < g.taps; t++) {
                    split(t, g.K, k);
                    long at = target_index(&g, i, k);
                    for (long o = 0; o < g.O && at >= 0; o++)
                        sum += load(dy, dt, (size_t)((s * g.O + o) * g.out + at)) *
                               weight_at(w, dt, (size_t)((c * g.O + o) * g.taps + t));
                }
                store(dx, dt, (size_t)((s * g.C + c) * g.in + p), sum);
            }
}

/* ---- max-pool --------------------------------------------------------- */

/* work[n][c][q] = index in the input plane of the largest, first on a tie */
static void pool_forward(const struct exec *x, const struct node *n)
{
    const struct geometry g = geometry_of(n);
    enum tensor_dtype dt = n->out[0]->dtype;
    const void *in = exec_value(x, n->in[0]);
    void *out = exec_value(x, n->out[0]);
    int32_t *arg = exec_at(x, &n->work);

#pragma omp parallel for schedule(static)
    for (long plane = 0; plane < g.N * g.C; plane++)
        for (long at = 0; at < g.out; at++) {
            double best = -INFINITY;
            long where = -1, q[3], k[3];

            split(at, g.Q, q);
            for (long t = 0; t < g.taps; t++) {
                split(t, g.K, k);
                long p = tap_index(&g, q, k);
                double v = p >= 0 ? load(in, dt, (size_t)(plane * g.in + p)) : 0;
                if (p >= 0 && (where < 0 || v > best)) {
                    best = v;
                    where = p;
                }
            }
            store(out, dt, (size_t)(plane * g.out + at), best);
            arg[plane * g.out + at] = (int32_t)where;
        }
}

static void pool_data(const struct exec *x, const struct node *n)
{
    const struct geometry g = geometry_of(n);
    enum tensor_dtype dt = n->out[0]->dtype;
    const void *dy = exec_grad(x, n->out[0]);
    const int32_t *arg = exec_at(x, &n->work);
    void *dx = exec_at(x, n->in_grad[0]);

#pragma omp parallel for schedule(static)
    for (long plane = 0; plane < g.N * g.C; plane++) {
        for (long p = 0; p < g.in; p++)
            store(dx, dt, (size_t)(plane * g.in + p), 0);
        for (long at = 0; at < g.out; at++) {
            size_t to = (size_t)(plane * g.in + arg[plane * g.out + at]);

            store(dx, dt, to, load(dx, dt, to) + load(dy, dt, (size_t)(plane * g.out + at)));
        }
    }
}

/* ---- average pool ----------------------------------------------------- */

/* How many taps of output q are in the input. */
static long taps_inside(const struct geometry *g, const long q[3])
{
    long n = 1;

    for (int i = 0; i < 3; i++) {
        long from = q[i] * g->S[i] - g->B[i], to = from + g->K[i];

        n *= (to < g->I[i] ? to : g->I[i]) - (from > 0 ? from : 0);
    }
    return n;
}

static void avgpool_forward(const struct exec *x, const struct node *n)
{
    const struct geometry g = geometry_of(n);
    enum tensor_dtype dt = n->out[0]->dtype;
    const void *in = exec_value(x, n->in[0]);
    void *out = exec_value(x, n->out[0]);

#pragma omp parallel for schedule(static)
    for (long plane = 0; plane < g.N * g.C; plane++)
        for (long at = 0; at < g.out; at++) {
            long q[3], k[3];
            double sum = 0;

            split(at, g.Q, q);
            for (long t = 0; t < g.taps; t++) {
                split(t, g.K, k);
                long p = tap_index(&g, q, k);
                sum += p >= 0 ? load(in, dt, (size_t)(plane * g.in + p)) : 0;
            }
            store(out, dt, (size_t)(plane * g.out + at), sum / (double)taps_inside(&g, q));
        }
}

/* dx[p] = sum over the outputs q that see p of dy[q] / taps inside q */
static void avgpool_data(const struct exec *x, const struct node *n)
{
    const struct geometry g = geometry_of(n);
    enum tensor_dtype dt = n->out[0]->dtype;
    const void *dy = exec_grad(x, n->out[0]);
    void *dx = exec_at(x, n->in_grad[0]);

#pragma omp parallel for schedule(static)
    for (long plane = 0; plane < g.N * g.C; plane++)
        for (long p = 0; p < g.in; p++) {
            double sum = 0;

            for (long at = 0; at < g.out; at++) {
                long q[3], k[3];

                split(at, g.Q, q);
                for (long t = 0; t < g.taps; t++) {
                    split(t, g.K, k);
                    if (tap_index(&g, q, k) == p)
                        sum +=
                            load(dy, dt, (size_t)(plane * g.out + at)) / (double)taps_inside(&g, q);
                }
            }
            store(dx, dt, (size_t)(plane * g.in + p), sum);
        }
}

/* ---- upsample --------------------------------------------------------- */

/* Weight of cell p of I for place q of I x f: 1 where q lies in it (NEAREST),
 * or 1 - the distance of their middles in cells, the border repeated. */
static double cell_weight(enum upsample how, long q, long f, long I, long p)
{
    if (how == UPSAMPLE_NEAREST)
        return q / f == p;
    double at = ((double)q + 0.5) / (double)f - 0.5;
    at = fmin(fmax(at, 0), (double)(I - 1));
    return fmax(0, 1 - fabs(at - (double)p));
}

/* Product over the dimensions of the weight of cell p for place q. */
static double weight_between(const struct node *n, const struct geometry *g, long q, long p)
{
    long a[3], b[3];
    double w = 1;

    split(q, g->Q, a);
    split(p, g->I, b);
    for (int i = 0; i < 3; i++)
        w *= cell_weight(n->upsample, a[i], g->Q[i] / g->I[i], g->I[i], b[i]);
    return w;
}

/* to[i] = sum over j of w(i, j) from[j]; up: i are places, j cells. */
static void resample(const struct node *n, bool up, const void *from, void *to)
{
    const struct geometry g = geometry_of(n);
    enum tensor_dtype dt = n->out[0]->dtype;
    long N = up ? g.out : g.in, M = up ? g.in : g.out;

#pragma omp parallel for schedule(static)
    for (long plane = 0; plane < g.N * g.C; plane++)
        for (long i = 0; i < N; i++) {
            double sum = 0;

            for (long j = 0; j < M; j++) {
                double w = up ? weight_between(n, &g, i, j) : weight_between(n, &g, j, i);
                sum += w != 0 ? w * load(from, dt, (size_t)(plane * M + j)) : 0;
            }
            store(to, dt, (size_t)(plane * N + i), sum);
        }
}

static void upsample_forward(const struct exec *x, const struct node *n)
{
    resample(n, true, exec_value(x, n->in[0]), exec_value(x, n->out[0]));
}

static void upsample_data(const struct exec *x, const struct node *n)
{
    resample(n, false, exec_grad(x, n->out[0]), exec_at(x, n->in_grad[0]));
}

/* ---- batch norm ------------------------------------------------------- */

/* x[n][c][s]: S places, the first `rows` of the N rows are real. */
struct channels {
    long N, C, S, rows;
};

static struct channels channels_of(const struct exec *x, const struct node *n)
{
    const struct shape *s = &n->in[0]->shape;

    return (struct channels){s->d[0], s->d[1], (long)shape_count(s) / (s->d[0] * s->d[1]),
                             exec_rows(x, n->in[0])};
}

/* sums[c] = (sum of x, sum of x^2) over real rows and places */
static void norm_stats(const struct exec *x, const struct node *n)
{
    const struct channels k = channels_of(x, n);
    enum tensor_dtype dt = n->in[0]->dtype;
    const void *in = exec_value(x, n->in[0]);
    double *sums = exec_at(x, &n->sums);

    for (long c = 0; c < k.C; c++) {
        sums[2 * c] = sums[2 * c + 1] = 0;
        for (long i = 0; i < k.rows; i++)
            for (long s = 0; s < k.S; s++) {
                double v = load(in, dt, (size_t)((i * k.C + c) * k.S + s));

                sums[2 * c] += v;
                sums[2 * c + 1] += v * v;
            }
    }
}

/* y = act(gamma (x - mean) inv + beta [+ z]) */
static void norm_forward(const struct exec *x, const struct node *n)
{
    const struct channels k = channels_of(x, n);
    enum tensor_dtype dt = n->out[0]->dtype;
    const void *in = exec_value(x, n->in[0]), *z = n->n_in > 1 ? exec_value(x, n->in[1]) : NULL;
    const float *gamma = exec_master(x, n->weight), *beta = exec_master(x, n->bias);
    const double *at = exec_at(x, &n->work);
    void *out = exec_value(x, n->out[0]);

    norm_settle(x, n);
    for (long r = 0; r < k.N * k.C * k.S; r++) {
        long c = r / k.S % k.C;
        double v = (double)gamma[c] * (load(in, dt, (size_t)r) - at[2 * c]) * at[2 * c + 1] +
                   (double)beta[c] + (z ? load(z, dt, (size_t)r) : 0);

        store(out, dt, (size_t)r, n->act == ACT_NONE ? v : act_of(n, v));
    }
}

/* dy before the activation, in place; back[c] = (sum of dy, sum of dy x^) */
static void norm_sums(const struct exec *x, const struct node *n)
{
    const struct channels k = channels_of(x, n);
    enum tensor_dtype dt = n->out[0]->dtype;
    const void *in = exec_value(x, n->in[0]), *y = exec_value(x, n->out[0]);
    const double *at = exec_at(x, &n->work);
    double *back = exec_at(x, &n->back);
    void *dy = exec_grad(x, n->out[0]);

    memset(back, 0, n->back.bytes);
    for (long r = 0; r < k.N * k.C * k.S; r++) {
        long c = r / k.S % k.C;

        if (n->act != ACT_NONE)
            store(dy, dt, (size_t)r,
                  load(dy, dt, (size_t)r) * act_slope(n, load(y, dt, (size_t)r)));
        if (r / (k.C * k.S) >= k.rows)
            continue;
        double d = load(dy, dt, (size_t)r);
        back[2 * c] += d;
        back[2 * c + 1] += d * (load(in, dt, (size_t)r) - at[2 * c]) * at[2 * c + 1];
    }
}

/* dx = gamma inv (dy - mean of dy - x^ mean of dy x^), 0 in rows past the end */
static void norm_data(const struct exec *x, const struct node *n)
{
    const struct channels k = channels_of(x, n);
    enum tensor_dtype dt = n->out[0]->dtype;
    const void *in = exec_value(x, n->in[0]), *dy = exec_grad(x, n->out[0]);
    const float *gamma = exec_master(x, n->weight);
    const double *at = exec_at(x, &n->work), *back = exec_at(x, &n->back);
    double count = norm_count(x, n);

    for (long r = 0; n->in_grad[0] && r < k.N * k.C * k.S; r++) {
        long c = r / k.S % k.C;
        double inv = at[2 * c + 1], hat = (load(in, dt, (size_t)r) - at[2 * c]) * inv;
        double d = load(dy, dt, (size_t)r) - back[2 * c] / count - hat * back[2 * c + 1] / count;

        store(exec_at(x, n->in_grad[0]), dt, (size_t)r,
              r / (k.C * k.S) < k.rows ? (double)gamma[c] * inv * d : 0);
    }
    if (n->n_in > 1 && n->in_grad[1])
        memmove(exec_at(x, n->in_grad[1]), dy, n->out[0]->grad.bytes);
}

/* ---- dense ------------------------------------------------------------ */

/* y[n][o] = b[o] + sum over i of x[n][i] w[o][i] */
static void dense_forward(const struct exec *x, const struct node *n)
{
    long N = n->in[0]->shape.d[0], I = n->in[0]->shape.d[1], O = n->out[0]->shape.d[1];
    enum tensor_dtype dt = n->out[0]->dtype;
    const void *in = exec_value(x, n->in[0]);
    void *out = exec_value(x, n->out[0]);
    const float *w = exec_master(x, n->weight);
    const float *b = n->bias ? exec_master(x, n->bias) : NULL;

#pragma omp parallel for collapse(2) schedule(static)
    for (long r = 0; r < N; r++)
        for (long o = 0; o < O; o++) {
            double sum = b ? (double)b[o] : 0;

            for (long i = 0; i < I; i++)
                sum += load(in, dt, (size_t)(r * I + i)) * weight_at(w, dt, (size_t)(o * I + i));
            store(out, dt, (size_t)(r * O + o), sum);
        }
}

static void dense_weights(const struct exec *x, const struct node *n)
{
    long N = n->in[0]->shape.d[0], I = n->in[0]->shape.d[1], O = n->out[0]->shape.d[1];
    enum tensor_dtype dt = n->out[0]->dtype;
    const void *in = exec_value(x, n->in[0]), *dy = exec_grad(x, n->out[0]);
    float *dw = exec_gradient(x, n->weight);
    float *db = n->bias ? exec_gradient(x, n->bias) : NULL;

#pragma omp parallel for schedule(static)
    for (long o = 0; o < O; o++) {
        double bias = 0;

        for (long i = 0; i < I; i++) {
            double sum = 0;

            for (long r = 0; r < N; r++)
                sum += load(dy, dt, (size_t)(r * O + o)) * load(in, dt, (size_t)(r * I + i));
            add_gradient(dw, n->weight, (size_t)(o * I + i), sum);
        }
        for (long r = 0; r < N; r++)
            bias += load(dy, dt, (size_t)(r * O + o));
        if (db)
            add_gradient(db, n->bias, (size_t)o, bias);
    }
}

static void dense_data(const struct exec *x, const struct node *n)
{
    long N = n->in[0]->shape.d[0], I = n->in[0]->shape.d[1], O = n->out[0]->shape.d[1];
    enum tensor_dtype dt = n->out[0]->dtype;
    const void *dy = exec_grad(x, n->out[0]);
    const float *w = exec_master(x, n->weight);
    void *dx = exec_at(x, n->in_grad[0]);

#pragma omp parallel for collapse(2) schedule(static)
    for (long r = 0; r < N; r++)
        for (long i = 0; i < I; i++) {
            double sum = 0;

            for (long o = 0; o < O; o++)
                sum += load(dy, dt, (size_t)(r * O + o)) * weight_at(w, dt, (size_t)(o * I + i));
            store(dx, dt, (size_t)(r * I + i), sum);
        }
}

/* ---- element by element ----------------------------------------------- */

static void act_forward(const struct exec *x, const struct node *n)
{
    enum tensor_dtype dt = n->out[0]->dtype;
    const void *in = exec_value(x, n->in[0]);
    void *out = exec_value(x, n->out[0]);

    for (size_t i = 0; i < shape_count(&n->out[0]->shape); i++)
        store(out, dt, i, act_of(n, load(in, dt, i)));
}

static void act_data(const struct exec *x, const struct node *n)
{
    enum tensor_dtype dt = n->out[0]->dtype;
    const void *y = exec_value(x, n->out[0]), *dy = exec_grad(x, n->out[0]);
    void *dx = exec_at(x, n->in_grad[0]);

    for (size_t i = 0; i < shape_count(&n->out[0]->shape); i++)
        store(dx, dt, i, load(dy, dt, i) * act_slope(n, load(y, dt, i)));
}

static void scale_forward(const struct exec *x, const struct node *n)
{
    enum tensor_dtype dt = n->out[0]->dtype;
    const void *in = exec_value(x, n->in[0]);
    void *out = exec_value(x, n->out[0]);

    for (size_t i = 0; i < shape_count(&n->out[0]->shape); i++)
        store(out, dt, i, load(in, dt, i) * (double)n->factor);
}

static void scale_data(const struct exec *x, const struct node *n)
{
    enum tensor_dtype dt = n->out[0]->dtype;
    const void *dy = exec_grad(x, n->out[0]);
    void *dx = exec_at(x, n->in_grad[0]);

    for (size_t i = 0; i < shape_count(&n->out[0]->shape); i++)
        store(dx, dt, i, load(dy, dt, i) * (double)n->factor);
}

/* Forward and backward are the same mask. */
static void dropout(const struct exec *x, const struct node *n, const void *in, void *out)
{
    const struct step_block *step = exec_step(x);
    enum tensor_dtype dt = n->out[0]->dtype;
    const struct shape *s = &n->out[0]->shape;
    size_t per_row = shape_count(s) / (size_t)s->d[0];
    double keep = x->train ? 1 / (1 - (double)n->factor) : 1;
    uint32_t limit = x->train ? dropout_limit(n->factor) : 0, words[4];

    for (long r = 0; r < s->d[0]; r++)
        for (size_t i = 0; i < per_row; i++) {
            size_t at = (size_t)r * per_row + i;

            if (i % 4 == 0)
                dropout_words(step, n, r, (uint32_t)i, words);
            store(out, dt, at, words[i % 4] >= limit ? load(in, dt, at) * keep : 0);
        }
}

static void dropout_forward(const struct exec *x, const struct node *n)
{
    dropout(x, n, exec_value(x, n->in[0]), exec_value(x, n->out[0]));
}

static void dropout_data(const struct exec *x, const struct node *n)
{
    dropout(x, n, exec_grad(x, n->out[0]), exec_at(x, n->in_grad[0]));
}

static void add_forward(const struct exec *x, const struct node *n)
{
    enum tensor_dtype dt = n->out[0]->dtype;
    const void *a = exec_value(x, n->in[0]), *b = exec_value(x, n->in[1]);
    void *out = exec_value(x, n->out[0]);

    for (size_t i = 0; i < shape_count(&n->out[0]->shape); i++)
        store(out, dt, i, load(a, dt, i) + load(b, dt, i));
}

static void add_data(const struct exec *x, const struct node *n)
{
    const void *dy = exec_grad(x, n->out[0]);

    for (int k = 0; k < 2; k++)
        if (n->in_grad[k])
            memmove(exec_at(x, n->in_grad[k]), dy, n->out[0]->grad.bytes);
}

static void mul_forward(const struct exec *x, const struct node *n)
{
    enum tensor_dtype dt = n->out[0]->dtype;
    const void *a = exec_value(x, n->in[0]), *b = exec_value(x, n->in[1]);
    void *out = exec_value(x, n->out[0]);

    for (size_t i = 0; i < shape_count(&n->out[0]->shape); i++)
        store(out, dt, i, load(a, dt, i) * load(b, dt, i));
}

static void mul_data(const struct exec *x, const struct node *n)
{
    enum tensor_dtype dt = n->out[0]->dtype;
    const void *dy = exec_grad(x, n->out[0]);

    for (int k = 0; k < 2; k++) {
        const void *other = exec_value(x, n->in[1 - k]);

        for (size_t i = 0; n->in_grad[k] && i < shape_count(&n->out[0]->shape); i++)
            store(exec_at(x, n->in_grad[k]), dt, i, load(dy, dt, i) * load(other, dt, i));
    }
}

static void cast_copy(const void *in, enum tensor_dtype from, void *out, enum tensor_dtype to,
                      size_t n)
{
    for (size_t i = 0; i < n; i++)
        store(out, to, i, load(in, from, i));
}

static void cast_forward(const struct exec *x, const struct node *n)
{
    cast_copy(exec_value(x, n->in[0]), n->in[0]->dtype, exec_value(x, n->out[0]), n->out[0]->dtype,
              shape_count(&n->out[0]->shape));
}

static void cast_data(const struct exec *x, const struct node *n)
{
    cast_copy(exec_grad(x, n->out[0]), n->out[0]->dtype, exec_at(x, n->in_grad[0]), n->in[0]->dtype,
              shape_count(&n->out[0]->shape));
}

/* ---- channels --------------------------------------------------------- */

/* Copies `count` channels of every sample, from channel `a` of a tensor with A
 * channels to channel `b` of one with B; bytes: of one channel of one sample. */
static void copy_channels(const char *in, long A, long a, char *out, long B, long b, long N,
                          long count, size_t bytes)
{
    for (long i = 0; i < N; i++)
        memmove(out + (size_t)(i * B + b) * bytes, in + (size_t)(i * A + a) * bytes,
                (size_t)count * bytes);
}

static size_t channel_bytes(const struct tensor *t)
{
    return plain_bytes(&t->shape, t->dtype) / (size_t)(t->shape.d[0] * t->shape.d[1]);
}

static void concat_forward(const struct exec *x, const struct node *n)
{
    const struct shape *y = &n->out[0]->shape;
    long at = 0;

    for (int k = 0; k < n->n_in; k++) {
        long C = n->in[k]->shape.d[1];

        copy_channels(exec_value(x, n->in[k]), C, 0, exec_value(x, n->out[0]), y->d[1], at, y->d[0],
                      C, channel_bytes(n->out[0]));
        at += C;
    }
}

static void concat_data(const struct exec *x, const struct node *n)
{
    const struct shape *y = &n->out[0]->shape;
    long at = 0;

    for (int k = 0; k < n->n_in; k++) {
        long C = n->in[k]->shape.d[1];

        if (n->in_grad[k])
            copy_channels(exec_grad(x, n->out[0]), y->d[1], at, exec_at(x, n->in_grad[k]), C, 0,
                          y->d[0], C, channel_bytes(n->out[0]));
        at += C;
    }
}

static void slice_forward(const struct exec *x, const struct node *n)
{
    const struct shape *a = &n->in[0]->shape, *y = &n->out[0]->shape;

    copy_channels(exec_value(x, n->in[0]), a->d[1], n->from, exec_value(x, n->out[0]), y->d[1], 0,
                  y->d[0], y->d[1], channel_bytes(n->out[0]));
}

static void slice_data(const struct exec *x, const struct node *n)
{
    const struct shape *a = &n->in[0]->shape, *y = &n->out[0]->shape;

    memset(exec_at(x, n->in_grad[0]), 0, n->in_grad[0]->bytes);
    copy_channels(exec_grad(x, n->out[0]), y->d[1], 0, exec_at(x, n->in_grad[0]), a->d[1], n->from,
                  y->d[0], y->d[1], channel_bytes(n->out[0]));
}

/* ---- the table -------------------------------------------------------- */

static ref_kernel *const kernels[OP_COUNT][PASS_COUNT] = {
    [OP_CONV] = {conv_forward, NULL, conv_weights, conv_data},
    [OP_DECONV] = {deconv_forward, NULL, deconv_weights, deconv_data},
    [OP_DEPTHWISE] = {conv_forward, NULL, conv_weights, conv_data},
    [OP_MAXPOOL] = {pool_forward, NULL, NULL, pool_data},
    [OP_AVGPOOL] = {avgpool_forward, NULL, NULL, avgpool_data},
    [OP_BATCH_NORM] = {[PASS_FORWARD] = norm_forward,
                       [PASS_WEIGHTS] = norm_weights,
                       [PASS_DATA] = norm_data,
                       [PASS_STATS] = norm_stats,
                       [PASS_SUMS] = norm_sums},
    [OP_UPSAMPLE] = {upsample_forward, NULL, NULL, upsample_data},
    [OP_ACT] = {act_forward, NULL, NULL, act_data},
    [OP_SCALE] = {scale_forward, NULL, NULL, scale_data},
    [OP_DENSE] = {dense_forward, NULL, dense_weights, dense_data},
    [OP_DROPOUT] = {dropout_forward, NULL, NULL, dropout_data},
    [OP_ADD] = {add_forward, NULL, NULL, add_data},
    [OP_MUL] = {mul_forward, NULL, NULL, mul_data},
    [OP_CONCAT] = {concat_forward, NULL, NULL, concat_data},
    [OP_SLICE] = {slice_forward, NULL, NULL, slice_data},
    [OP_PATCHES] = {ref_patches_forward, NULL, NULL, ref_patches_data},
    [OP_UNPATCH] = {ref_unpatch_forward, NULL, NULL, ref_unpatch_data},
    [OP_POSITIONS] = {ref_positions_forward, NULL, ref_positions_weights, ref_positions_data},
    [OP_LAYER_NORM] = {ref_layer_norm_forward, NULL, ref_layer_norm_weights, ref_layer_norm_data},
    [OP_GELU] = {ref_gelu_forward, NULL, NULL, ref_gelu_data},
    [OP_ATTENTION] = {ref_attention_forward, NULL, NULL, ref_attention_data},
    [OP_MSE] = {loss_forward, NULL, NULL, loss_data},
    [OP_MAE] = {loss_forward, NULL, NULL, NULL},
    [OP_BCE] = {loss_forward, NULL, NULL, loss_data},
    [OP_SMOOTH_L1] = {loss_forward, NULL, NULL, loss_data},
    [OP_CROSS_ENTROPY] = {loss_forward, NULL, NULL, loss_data},
    [OP_CAST] = {cast_forward, NULL, NULL, cast_data},
};

static int ref_run(const struct exec *x, struct node *n, enum pass pass, struct err *e)
{
    if (!kernels[n->op][pass])
        return err_set(e, "the reference engine cannot run pass %d of %s", (int)pass,
                       op_name(n->op));
    kernels[n->op][pass](x, n);
    return 0;
}

static int ref_prepare(struct graph *g, void *context, struct err *e)
{
    struct graph_view v = graph_view(g);

    (void)context, (void)e;
    for (int i = 0; i < v.n_nodes; i++) {
        struct node *n = v.nodes[i];

        if (n->op == OP_MAXPOOL)
            n->work.bytes = shape_count(&n->out[0]->shape) * sizeof(int32_t);
        if (n->op == OP_BATCH_NORM) /* mean and 1 / deviation */
            n->work.bytes = n->weight->count * 2 * sizeof(double);
        if (n->op == OP_ATTENTION)
            n->work.bytes = ref_attention_work(n);
    }
    return 0;
}

static int ref_accumulate(const struct exec *x, struct tensor *t, const struct buffer *dst,
                          const struct buffer *src, struct err *e)
{
    void *a = exec_at(x, dst);
    const void *b = exec_at(x, src);

    (void)e;
    for (size_t i = 0; i < shape_count(&t->shape); i++)
        store(a, t->dtype, i, load(a, t->dtype, i) + load(b, t->dtype, i));
    return 0;
}

/* data: rows of C x S or S x C values, S being all but batch and channels */
static int ref_feed(const struct exec *x, struct tensor *t, const float *data, long rows,
                    struct err *e)
{
    long N = t->shape.d[0], C = t->shape.n > 1 ? t->shape.d[1] : 1;
    long S = (long)shape_count(&t->shape) / (N * C);
    void *v = exec_value(x, t);

    (void)e;
    for (long i = 0; i < N; i++)
        for (long c = 0; c < C; c++)
            for (long s = 0; s < S; s++) {
                long from = t->layout == CHANNELS_LAST ? s * C + c : c * S + s;

                store(v, t->dtype, (size_t)((i * C + c) * S + s),
                      i < rows ? (double)data[i * C * S + from] : 0);
            }
    return 0;
}

const struct backend engine_backend_ref = {
    .name = "ref",
    .prepare = ref_prepare,
    .run = ref_run,
    .accumulate = ref_accumulate,
    .feed = ref_feed,
};
