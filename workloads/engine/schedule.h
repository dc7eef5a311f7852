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

/* How the rate falls from its base towards base x end_factor at `epochs`;
 * x = epoch / epochs, at most 1:
 *   STEPS       by the decays alone
 *   POLYNOMIAL  end + (1 - end) (1 - x)^power          (power 1: linear)
 *   COSINE      end + (1 - end) (1 + cos(pi x)) / 2    (Loshchilov, Hutter 2017)
 * The decays and the warm-up are factors on top of it. */
enum schedule_kind { SCHEDULE_STEPS, SCHEDULE_POLYNOMIAL, SCHEDULE_COSINE };

struct schedule {
    double base;          /* rate after warm-up, before any decay */
    double warmup_epochs; /* linear from base x warmup_factor; 0: none */
    double warmup_factor;
    int n_decays;
    struct schedule_decay decays[8]; /* by rising epoch */
    enum schedule_kind kind;
    double epochs;     /* POLYNOMIAL, COSINE: where the fall ends */
    double end_factor; /* ... and with what part of the base */
    double power;      /* POLYNOMIAL */
};

double schedule_rate(const struct schedule *s, double epoch);

#endif
