/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random numbers for simulations: splitmix64 (Steele, Lea & Flood, OOPSLA 2014),
 * normal ones by Marsaglia's polar method, whose second value is kept.
 *
 * Failure: none.
 * Threads: one thread per struct random. The same seed gives the same numbers.
 */
#ifndef JUDGE_RANDOM_H
#define JUDGE_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
    uint64_t state;
    bool kept;
    double other;
};

#define RANDOM_SEED(seed)                                                                          \
    {                                                                                              \
        .state = (seed)                                                                            \
    }

uint64_t random_bits(struct random *g);
double random_uniform(struct random *g);         /* in (0, 1) */
int random_below(struct random *g, int n);       /* 0 ... n-1 */
double random_normal(struct random *g);          /* variance 1 */
double random_student3(struct random *g);        /* Student's t, 3 degrees, variance 1 */
double random_chi2(struct random *g, double nu); /* mean nu; Wilson & Hilferty (1931), nu >= 10 */

#endif
