/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/micro/kernel.h"

/* Knuth's MMIX multiplier: odd, so that no step loses a bit. */
static const uint64_t factor = UINT64_C(6364136223846793005);

uint64_t chain_run(long times)
{
    uint64_t x = 1;

    for (long t = 0; t < times; t++)
        for (int i = 0; i < CHAIN_STEPS; i++) {
            x = factor * x + 1;
            __asm__ volatile("" : "+r"(x)); /* steps are not put together */
        }
#ifdef MICRO_FLIP_A_BIT
    x ^= 1u << 3;
#endif
    return x;
}

/* n steps are x -> f x + g: begin with none, and double. */
uint64_t chain_closed(long times)
{
    uint64_t f = 1, g = 0, step_f = factor, step_g = 1;

    for (uint64_t n = (uint64_t)times * CHAIN_STEPS; n; n >>= 1) {
        if (n & 1) {
            g = step_f * g + step_g;
            f = step_f * f;
        }
        step_g = step_f * step_g + step_g;
        step_f = step_f * step_f;
    }
    return f + g;
}
