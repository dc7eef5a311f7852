/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Learning-rate schedules: pure functions of the place in the run.
 *
 * `epoch` is a real number, counted from 0: step s of an epoch of S steps in
 * epoch k (from 0) is k + s / S, so that warm-up moves with every step and
 * does not depend on how many ranks share it.
 */
#ifndef ENGINE_SCHEDULE_H
#define ENGINE_SCHEDULE_H

struct schedule_decay {
    double epoch;  /* from here on ... */
    double factor; /* ... this times the base rate (not cumulative) */
};

struct schedule {
    double base;          /* rate after warm-up, before any decay */
    double warmup_epochs; /* linear from base x warmup_factor; 0: none */
    double warmup_factor;
    int n_decays;
    struct schedule_decay decays[8]; /* by rising epoch */
};

double schedule_rate(const struct schedule *s, double epoch);

#endif
