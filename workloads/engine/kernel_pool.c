/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/engine/kernel_pool.h"

#include <math.h>
#include <string.h>

/* Channels that are treated side by side. */
enum { LANES = 16 };

size_t pool_winner_bytes(const struct pool *p)
{
    return p->K[0] * p->K[1] * p->K[2] <= 256 ? 1 : sizeof(uint16_t);
}

size_t pool_work_bytes(const struct pool *p)
{
    return map_count(&p->out) * pool_winner_bytes(p);
}

static inline long tap_place(const struct pool *p, const long q[3], const long k[3])
{
    long at = 0;

    for (int i = 0; i < 3; i++) {
        long r = q[i] * p->S[i] + k[i] - p->P[i];

        if (r < 0 || r >= p->I[i])
            return -1;
        at = at * p->I[i] + r;
    }
    return at;
}

static inline void split(long at, const long size[3], long out[3])
{
    out[2] = at % size[2];
    out[1] = at / size[2] % size[1];
    out[0] = at / size[2] / size[1];
}

static inline void winner_set(void *work, size_t bytes, size_t at, int v)
{
    if (bytes == 1)
        ((uint8_t *)work)[at] = (uint8_t)v;
    else
        ((uint16_t *)work)[at] = (uint16_t)v;
}

static inline int winner_get(const void *work, size_t bytes, size_t at)
{
    return bytes == 1 ? ((const uint8_t *)work)[at] : ((const uint16_t *)work)[at];
}

/* Output place q, channels [c, c + n) of one block. x: the block's input. */
static void forward_lanes(const struct pool *p, const void *x, size_t x_at, const long q[3],
                          float best[LANES], int where[LANES], long c, long n)
{
    int taps = (int)(p->K[0] * p->K[1] * p->K[2]);
    bool first = true;
    long k[3];

    for (int t = 0; t < taps; t++) {
        float v[LANES];

        split(t, p->K, k);
        long at = tap_place(p, q, k);
        if (at < 0)
            continue;
        map_load(v, x, p->in.dtype, x_at + (size_t)(at * p->in.b + c), n);
        for (long i = 0; i < n; i++) {
            bool wins = first || v[i] > best[i];

            best[i] = wins ? v[i] : best[i];
            where[i] = wins ? t : where[i];
        }
        first = false;
    }
}

static inline float act_value(const struct pool *p, float v)
{
    if (p->act == ACT_TANH)
        return tanhf(v);
    return p->act == ACT_NONE || v > 0 ? v : p->slope * v;
}

static inline float act_slope(const struct pool *p, float y)
{
    if (p->act == ACT_TANH)
        return 1 - y * y;
    return p->act == ACT_NONE || y > 0 ? 1 : p->slope;
}

void pool_forward_plain(const struct pool *p, const void *x, void *y, void *work)
{
    size_t bytes = pool_winner_bytes(p);
    long b = p->in.b;

#pragma omp parallel for collapse(2) schedule(static)
    for (long block = 0; block < p->in.N * p->in.B; block++)
        for (long at = 0; at < p->out.S; at++) {
            size_t y_at = (size_t)((block * p->out.S + at) * b);
            long q[3];

            split(at, p->Q, q);
            for (long c = 0; c < b; c += LANES) {
                long n = c + LANES < b ? LANES : b - c;
                float best[LANES];
                int where[LANES];

                forward_lanes(p, x, (size_t)(block * p->in.S * b), q, best, where, c, n);
                for (long i = 0; i < n; i++) {
                    best[i] = act_value(p, best[i]);
                    winner_set(work, bytes, y_at + (size_t)(c + i), where[i]);
                }
                map_store(y, p->out.dtype, y_at + (size_t)c, best, n);
            }
        }
}

void pool_backward_plain(const struct pool *p, const void *y, const void *dy, const void *work,
                         void *dx)
{
    size_t bytes = pool_winner_bytes(p), size = dtype_bytes(p->in.dtype);
    long b = p->in.b;

#pragma omp parallel for schedule(static)
    for (long block = 0; block < p->in.N * p->in.B; block++) {
        size_t x_at = (size_t)(block * p->in.S * b);

        memset((char *)dx + x_at * size, 0, (size_t)(p->in.S * b) * size);
        for (long at = 0; at < p->out.S; at++) {
            long q[3], k[3];

            split(at, p->Q, q);
            for (long c = 0; c < b; c++) {
                size_t y_at = (size_t)((block * p->out.S + at) * b + c);
                float v, d, sum;

                split(winner_get(work, bytes, y_at), p->K, k);
                size_t to = x_at + (size_t)(tap_place(p, q, k) * b + c);
                map_load(&v, y, p->out.dtype, y_at, 1);
                map_load(&d, dy, p->out.dtype, y_at, 1);
                map_load(&sum, dx, p->in.dtype, to, 1);
                sum += d * act_slope(p, v);
                map_store(dx, p->in.dtype, to, &sum, 1);
            }
        }
    }
}

void pool_forward(const struct pool *p, const void *x, void *y, void *work)
{
    pool_forward_plain(p, x, y, work);
}

void pool_backward(const struct pool *p, const void *y, const void *dy, const void *work, void *dx)
{
    pool_backward_plain(p, y, dy, work, dx);
}
