/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The reference of the operators over rows of tokens, from their definitions in engine.h:
 * plain loops, sums in double. R rows: N tokens of each sample, one behind the other.
 */
#include <config.h>

#include "workloads/engine/ref.h"

#include <math.h>
#include <string.h>

/* ---- patches ---------------------------------------------------------- */

/* C x H x W in patches of p x p: N = (H / p) (W / p) rows of C p p values. */
struct tiling {
    long B, C, H, W, p, across, N, row;
};

static struct tiling tiling_of(const struct tensor *map, int p)
{
    const long *d = map->shape.d;
    struct tiling t = {.B = d[0], .C = d[1], .H = d[2], .W = d[3], .p = p};

    t.across = t.W / p;
    t.N = t.H / p * t.across;
    t.row = t.C * p * p;
    return t;
}

/* Where value k of row r lies in the map. */
static size_t place_of(const struct tiling *t, long r, long k)
{
    long c = k / (t->p * t->p), i = k / t->p % t->p, j = k % t->p;
    long y = r % t->N / t->across * t->p + i, x = r % t->N % t->across * t->p + j;

    return (size_t)(((r / t->N * t->C + c) * t->H + y) * t->W + x);
}

/* The same values in the other order. */
static void gather(const struct tiling *t, const void *map, enum tensor_dtype dt, void *rows)
{
    for (long r = 0; r < t->B * t->N; r++)
        for (long k = 0; k < t->row; k++)
            store(rows, dt, (size_t)(r * t->row + k), load(map, dt, place_of(t, r, k)));
}

static void scatter(const struct tiling *t, const void *rows, enum tensor_dtype dt, void *map)
{
    for (long r = 0; r < t->B * t->N; r++)
        for (long k = 0; k < t->row; k++)
            store(map, dt, place_of(t, r, k), load(rows, dt, (size_t)(r * t->row + k)));
}

void ref_patches_forward(const struct exec *x, const struct node *n)
{
    const struct tiling t = tiling_of(n->in[0], n->window.kernel[0]);

    gather(&t, exec_value(x, n->in[0]), n->out[0]->dtype, exec_value(x, n->out[0]));
}

void ref_patches_data(const struct exec *x, const struct node *n)
{
    const struct tiling t = tiling_of(n->in[0], n->window.kernel[0]);

    scatter(&t, exec_grad(x, n->out[0]), n->out[0]->dtype, exec_at(x, n->in_grad[0]));
}

void ref_unpatch_forward(const struct exec *x, const struct node *n)
{
    const struct tiling t = tiling_of(n->out[0], n->window.kernel[0]);

    scatter(&t, exec_value(x, n->in[0]), n->out[0]->dtype, exec_value(x, n->out[0]));
}

void ref_unpatch_data(const struct exec *x, const struct node *n)
{
    const struct tiling t = tiling_of(n->out[0], n->window.kernel[0]);

    gather(&t, exec_grad(x, n->out[0]), n->out[0]->dtype, exec_at(x, n->in_grad[0]));
}

/* ---- positions -------------------------------------------------------- */

/* y[r][d] = x[r][d] + p[r % N][d] */
void ref_positions_forward(const struct exec *x, const struct node *n)
{
    const size_t all = shape_count(&n->out[0]->shape), own = n->weight->count;
    enum tensor_dtype dt = n->out[0]->dtype;
    const float *p = exec_master(x, n->weight);

    for (size_t i = 0; i < all; i++)
        store(exec_value(x, n->out[0]), dt, i,
              load(exec_value(x, n->in[0]), dt, i) + (double)p[i % own]);
}

/* dp[n][d] = sum over samples of dy */
void ref_positions_weights(const struct exec *x, const struct node *n)
{
    const size_t all = shape_count(&n->out[0]->shape), own = n->weight->count;

    for (size_t i = 0; i < own; i++) {
        double sum = 0;

        for (size_t k = i; k < all; k += own)
            sum += load(exec_grad(x, n->out[0]), n->out[0]->dtype, k);
        add_gradient(exec_gradient(x, n->weight), n->weight, i, sum);
    }
}

void ref_positions_data(const struct exec *x, const struct node *n)
{
    memmove(exec_at(x, n->in_grad[0]), exec_grad(x, n->out[0]), n->out[0]->grad.bytes);
}

/* ---- layer norm ------------------------------------------------------- */

/* Mean and 1 / sqrt(v + eps) of a row of D values. */
static void moments(const void *in, enum tensor_dtype dt, size_t at, long D, double eps,
                    double *mean, double *inv)
{
    double sum = 0, squares = 0;

    for (long d = 0; d < D; d++)
        sum += load(in, dt, at + (size_t)d);
    *mean = sum / (double)D;
    for (long d = 0; d < D; d++) {
        double off = load(in, dt, at + (size_t)d) - *mean;

        squares += off * off;
    }
    *inv = 1 / sqrt(squares / (double)D + eps);
}

/* y = gamma (x - m) inv + beta */
void ref_layer_norm_forward(const struct exec *x, const struct node *n)
{
    const long R = n->in[0]->shape.d[0], D = n->in[0]->shape.d[1];
    enum tensor_dtype dt = n->out[0]->dtype;
    const void *in = exec_value(x, n->in[0]);
    const float *gamma = exec_master(x, n->weight), *beta = exec_master(x, n->bias);

    for (long r = 0; r < R; r++) {
        const size_t at = (size_t)(r * D);
        double mean, inv;

        moments(in, dt, at, D, (double)n->eps, &mean, &inv);
        for (long d = 0; d < D; d++)
            store(exec_value(x, n->out[0]), dt, at + (size_t)d,
                  (double)gamma[d] * (load(in, dt, at + (size_t)d) - mean) * inv + (double)beta[d]);
    }
}

/* dgamma = sum over rows of dy x^, dbeta = sum of dy; x^ = (x - m) inv */
void ref_layer_norm_weights(const struct exec *x, const struct node *n)
{
    const long R = n->in[0]->shape.d[0], D = n->in[0]->shape.d[1];
    enum tensor_dtype dt = n->out[0]->dtype;
    const void *in = exec_value(x, n->in[0]), *dy = exec_grad(x, n->out[0]);

    for (long d = 0; d < D; d++) {
        double dgamma = 0, dbeta = 0;

        for (long r = 0; r < R; r++) {
            const size_t at = (size_t)(r * D);
            double mean, inv;

            moments(in, dt, at, D, (double)n->eps, &mean, &inv);
            dgamma += load(dy, dt, at + (size_t)d) * (load(in, dt, at + (size_t)d) - mean) * inv;
            dbeta += load(dy, dt, at + (size_t)d);
        }
        add_gradient(exec_gradient(x, n->weight), n->weight, (size_t)d, dgamma);
        add_gradient(exec_gradient(x, n->bias), n->bias, (size_t)d, dbeta);
    }
}

/* dx = inv (g - mean of g - x^ mean of g x^), g = gamma dy */
void ref_layer_norm_data(const struct exec *x, const struct node *n)
{
    const long R = n->in[0]->shape.d[0], D = n->in[0]->shape.d[1];
    enum tensor_dtype dt = n->out[0]->dtype;
    const void *in = exec_value(x, n->in[0]), *dy = exec_grad(x, n->out[0]);
    const float *gamma = exec_master(x, n->weight);

    for (long r = 0; r < R; r++) {
        const size_t at = (size_t)(r * D);
        double mean, inv, g = 0, gx = 0;

        moments(in, dt, at, D, (double)n->eps, &mean, &inv);
        for (long d = 0; d < D; d++) {
            double one = (double)gamma[d] * load(dy, dt, at + (size_t)d);

            g += one / (double)D;
            gx += one * (load(in, dt, at + (size_t)d) - mean) * inv / (double)D;
        }
        for (long d = 0; d < D; d++) {
            double hat = (load(in, dt, at + (size_t)d) - mean) * inv;

            store(exec_at(x, n->in_grad[0]), dt, at + (size_t)d,
                  inv * ((double)gamma[d] * load(dy, dt, at + (size_t)d) - g - hat * gx));
        }
    }
}

/* ---- GELU ------------------------------------------------------------- */

static double normal_below(double v)
{
    return erfc(-v / sqrt(2)) / 2;
}

void ref_gelu_forward(const struct exec *x, const struct node *n)
{
    enum tensor_dtype dt = n->out[0]->dtype;

    for (size_t i = 0; i < shape_count(&n->out[0]->shape); i++) {
        double v = load(exec_value(x, n->in[0]), dt, i);

        store(exec_value(x, n->out[0]), dt, i, v * normal_below(v));
    }
}

void ref_gelu_data(const struct exec *x, const struct node *n)
{
    const double pi = 3.14159265358979323846;
    enum tensor_dtype dt = n->out[0]->dtype;

    for (size_t i = 0; i < shape_count(&n->out[0]->shape); i++) {
        double v = load(exec_value(x, n->in[0]), dt, i);
        double slope = normal_below(v) + v * exp(-v * v / 2) / sqrt(2 * pi);

        store(exec_at(x, n->in_grad[0]), dt, i, load(exec_grad(x, n->out[0]), dt, i) * slope);
    }
}

/* ---- attention -------------------------------------------------------- */

/* One head of one sample: N tokens, d values each; q, k, v of token i are at
 * in[(row + i) 3 D + {0, D, 2 D} + column]. */
struct head {
    const struct exec *x;
    const struct node *n;
    enum tensor_dtype dt;
    const void *in;
    long N, D, d, row, column;
    double scale;
    double *sums; /* of token i at [i]: the logarithm of its sum of exponentials */
};

size_t ref_attention_work(const struct node *n)
{
    return (size_t)(n->in[0]->shape.d[0] * n->heads) * sizeof(double);
}

static long heads_of(const struct node *n)
{
    return n->in[0]->shape.d[0] / n->tokens * n->heads;
}

static struct head head_of(const struct exec *x, const struct node *n, long at)
{
    struct head h = {.x = x, .n = n, .dt = n->out[0]->dtype, .in = exec_value(x, n->in[0])};

    h.N = n->tokens;
    h.D = n->out[0]->shape.d[1];
    h.d = h.D / n->heads;
    h.row = at / n->heads * h.N;
    h.column = at % n->heads * h.d;
    h.scale = 1 / sqrt((double)h.d);
    h.sums = (double *)exec_at(x, &n->work) + at * h.N;
    return h;
}

enum { QUERY, KEY, VALUE };

static size_t index_of(const struct head *h, int which, long token, long c)
{
    return (size_t)((h->row + token) * 3 * h->D + which * h->D + h->column + c);
}

static double part(const struct head *h, int which, long token, long c)
{
    return load(h->in, h->dt, index_of(h, which, token, c));
}

/* q_i k_j / sqrt(d) */
static double score(const struct head *h, long i, long j)
{
    double sum = 0;

    for (long c = 0; c < h->d; c++)
        sum += part(h, QUERY, i, c) * part(h, KEY, j, c);
    return sum * h->scale;
}

/* Output, or its gradient, of token i. */
static size_t out_index(const struct head *h, long i, long c)
{
    return (size_t)((h->row + i) * h->D + h->column + c);
}

static double dy_at(const struct head *h, long i, long c)
{
    return load(exec_grad(h->x, h->n->out[0]), h->dt, out_index(h, i, c));
}

/* y_i = sum_j p_ij v_j */
static void put_output(const struct head *h, long i)
{
    double y[HEAD_VALUES] = {0};

    for (long j = 0; j < h->N; j++) {
        double p = exp(score(h, i, j) - h->sums[i]);

        for (long c = 0; c < h->d; c++)
            y[c] += p * part(h, VALUE, j, c);
    }
    for (long c = 0; c < h->d; c++)
        store(exec_value(h->x, h->n->out[0]), h->dt, out_index(h, i, c), y[c]);
}

void ref_attention_forward(const struct exec *x, const struct node *n)
{
    for (long at = 0; at < heads_of(n); at++) {
        const struct head h = head_of(x, n, at);

        for (long i = 0; i < h.N; i++) {
            double most = -INFINITY, sum = 0;

            for (long j = 0; j < h.N; j++)
                most = fmax(most, score(&h, i, j));
            for (long j = 0; j < h.N; j++)
                sum += exp(score(&h, i, j) - most);
            h.sums[i] = most + log(sum);
            put_output(&h, i);
        }
    }
}

/* ds[i][j] = p_ij (dy_i v_j - dy_i o_i), the gradient of the score; *p: p_ij */
static double score_gradient(const struct head *h, long i, long j, double *p)
{
    double dp = 0;

    *p = exp(score(h, i, j) - h->sums[i]);
    for (long c = 0; c < h->d; c++) {
        double o = load(exec_value(h->x, h->n->out[0]), h->dt, out_index(h, i, c));

        dp += dy_at(h, i, c) * (part(h, VALUE, j, c) - o);
    }
    return *p * dp;
}

/* dq_i = sum_j ds_ij k_j / sqrt(d), dk_j = sum_i ds_ij q_i / sqrt(d), dv_j = sum_i p_ij dy_i */
static void token_gradients(const struct head *h, long t)
{
    double dq[HEAD_VALUES] = {0}, dk[HEAD_VALUES] = {0}, dv[HEAD_VALUES] = {0}, p;
    void *to = exec_at(h->x, h->n->in_grad[0]);

    for (long o = 0; o < h->N; o++) {
        double as_query = score_gradient(h, t, o, &p) * h->scale;
        double as_key = score_gradient(h, o, t, &p) * h->scale;

        for (long c = 0; c < h->d; c++) {
            dq[c] += as_query * part(h, KEY, o, c);
            dk[c] += as_key * part(h, QUERY, o, c);
            dv[c] += p * dy_at(h, o, c);
        }
    }
    for (long c = 0; c < h->d; c++) {
        store(to, h->dt, index_of(h, QUERY, t, c), dq[c]);
        store(to, h->dt, index_of(h, KEY, t, c), dk[c]);
        store(to, h->dt, index_of(h, VALUE, t, c), dv[c]);
    }
}

void ref_attention_data(const struct exec *x, const struct node *n)
{
    for (long at = 0; at < heads_of(n); at++) {
        const struct head h = head_of(x, n, at);

        for (long t = 0; t < h.N; t++)
            token_gradients(&h, t);
    }
}
