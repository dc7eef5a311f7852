/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include <stdlib.h>

#include "workloads/micro/operator_inner.h"

int numbers_room(struct numbers *a, size_t n, struct err *e)
{
    a->v = malloc((n ? n : 1) * sizeof *a->v);
    a->n = n;
    return a->v ? 0 : err_set(e, "out of memory for %zu numbers of an operator", n);
}

void numbers_fini(struct numbers *a)
{
    free(a->v);
    *a = (struct numbers){NULL, 0};
}

int numbers_draw(struct numbers *a, size_t n, uint64_t seed, uint32_t stream, int range, float unit,
                 struct err *e)
{
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    const uint32_t kinds = 2 * (uint32_t)range + 1;

    if (numbers_room(a, n, e) < 0)
        return -1;
#pragma omp parallel for schedule(static)
    for (size_t block = 0; block < (n + 3) / 4; block++) {
        uint32_t at[4] = {(uint32_t)block, (uint32_t)((uint64_t)block >> 32), stream,
                          UINT32_C(0x6f706572)};
        philox4x32(at, key, at);
        for (size_t i = 4 * block; i < 4 * block + 4 && i < n; i++)
            a->v[i] = (float)((int)(at[i % 4] % kinds) - range) * unit;
    }
    return 0;
}
