/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/engine/cpu/kernel_unfold.h"

/* Up to four places always; up to sixteen where channels become fewer (measured by
 * `engine_bench profile` over ResNet-50's layers, two cores of a Zen 4: from 80 to 185
 * GFLOP/s in float32 and from 90 to 325 in bfloat16 on 2 x 2; on 4 x 4 the library's own
 * wins by 5 % unless there are more channels in than out, where it loses 10 and 40 %). */
enum { ALWAYS = 4, TO_FEWER = 16, LEAST_CHANNELS = 128 };

bool unfold_suits(const struct unfold *u)
{
    return u->dy.S <= (u->x.C > u->dy.C ? TO_FEWER : ALWAYS) && u->x.C >= LEAST_CHANNELS &&
           u->dy.C >= LEAST_CHANNELS;
}

long unfold_rows(const struct unfold *u)
{
    return u->dy.N * u->dy.S;
}

long unfold_columns(const struct unfold *u)
{
    return u->x.C * u->K[0] * u->K[1] * u->K[2];
}

/* Where output place q's window at k reads: a place of the input, -1: outside. */
static long place_of(const struct unfold *u, long q, long k)
{
    long at[3] = {q / (u->Q[1] * u->Q[2]), q / u->Q[2] % u->Q[1], q % u->Q[2]};
    long in[3] = {k / (u->K[1] * u->K[2]), k / u->K[2] % u->K[1], k % u->K[2]};
    long place = 0;

    for (int i = 0; i < 3; i++) {
        long v = at[i] * u->S[i] + in[i] - u->P[i];
        if (v < 0 || v >= u->I[i])
            return -1;
        place = place * u->I[i] + v;
    }
    return place;
}

/* Channels of one place, `step` values apart in `to`; place -1: zeros. */
#define COPY_CHANNELS(type)                                                                        \
    static void copy_##type(const struct map *m, const type *x, long n, long place, type *to,      \
                            long step)                                                             \
    {                                                                                              \
        for (long first = 0; first < m->C; first += m->b) {                                        \
            long count = m->C - first < m->b ? m->C - first : m->b;                                \
            const type *from = place < 0 ? NULL : x + map_index(m, n, first, place);               \
            for (long c = 0; c < count; c++)                                                       \
                to[(first + c) * step] = from ? from[c] : 0;                                       \
        }                                                                                          \
    }

COPY_CHANNELS(float)
COPY_CHANNELS(uint16_t)

static void copy_channels(const struct map *m, const void *x, long n, long place, void *to,
                          size_t at, long step)
{
    if (m->dtype == TENSOR_BF16)
        copy_uint16_t(m, x, n, place, (uint16_t *)to + at, step);
    else
        copy_float(m, x, n, place, (float *)to + at, step);
}

void unfold_input(const struct unfold *u, const void *x, void *to)
{
    long window = u->K[0] * u->K[1] * u->K[2], columns = unfold_columns(u), rows = unfold_rows(u);

#pragma omp parallel for schedule(static)
    for (long r = 0; r < rows; r++)
        for (long k = 0; k < window; k++)
            copy_channels(&u->x, x, r / u->dy.S, place_of(u, r % u->dy.S, k), to,
                          (size_t)(r * columns + k), window);
}

void unfold_gradient(const struct unfold *u, const void *dy, void *to)
{
    long rows = unfold_rows(u);

#pragma omp parallel for schedule(static)
    for (long r = 0; r < rows; r++)
        copy_channels(&u->dy, dy, r / u->dy.S, r % u->dy.S, to, (size_t)(r * u->dy.C), 1);
}
