/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a step gains without something, from rounds of blocks: each round has one block
 * of each arm, in an order of its own.
 *
 *     ratio     median over the rounds of ln(arm / base of the same round)
 *     interval  5 % and 95 % of that median over 2,000 draws of the rounds
 *     dropped   rounds in which the run delay of two arms differs by more than 5 points:
 *               others' work came or went. More than half: nothing is said
 *     noisy     the interval is wider than 10 % to a side: nothing is named by it
 *
 * An arm shows what its resource could bring at infinite speed: the upper bound of what
 * a purchase can.
 *
 * Failure: none; `why` says why an arm has no ratio.
 * Threads: pure functions.
 */
#ifndef DIAGNOSE_ABLATION_H
#define DIAGNOSE_ABLATION_H

#include <stdbool.h>

#include "reports/core/result.h"

struct ablation_arm {
    bool made;
    double gain, low, high; /* part by which the step is shorter; below 0: longer. NAN */
    bool noisy;
};

struct ablation {
    int rounds, dropped;
    const char *why; /* nothing can be said; NULL */
    struct ablation_arm arm[ARM_COUNT];
};

void ablation_judge(const struct result_ablation *r, struct ablation *a);

#endif
