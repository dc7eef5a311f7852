/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Systems, runs or dates side by side. Layers that differ come first: if two
 * of them changed, nothing here can tell which made a difference.
 *
 * A ratio is that of a side to the first side, per workload, of the geometric means of
 * their runs:
 *     speed  samples per second
 *     time   seconds to the target quality, of the runs that reached it; where one did
 *            not, these are the better runs of that side: such a ratio differs in nothing
 * Its 90 % interval is Welch's on the logarithms, over the runs where both
 * sides have two or more; for the speed of single runs over the seconds of
 * their epochs after the first, which covers the noise within the runs alone
 * and says nothing of the next run.
 *
 * Processor: how fast a side's was while its training ran, of the first side's, by the
 * yardstick of the reported runs (workloads/component/yardstick.h): CPU seconds of one and
 * the same convolution. Speed over that is the speed at equal processor: what is left when
 * the hosts' clocks, neighbours and temperatures are taken out.
 *
 * Ranking (HPC AI500 V2): FLOP/s x q^n, q = achieved / target (inverted where
 * lower is better), n = 1 to 10. q above 1 counts as 1 unless `bonus`; who did
 * not reach the target has none. The order is that of the reported runs; a lead is shown
 * where the 90 % interval of its VFLOPS over those of each other side, over their runs, is
 * above 1, and where nobody else reached the target.
 * Targets: each is moved by part of its distance to the trivial baseline; the
 * side whose training got there first, by the seconds of its epochs. Without a baseline
 * only the target itself is known, the others are NAN.
 *
 * Life:    borrows its books.
 * Failure: none; what is not known is NAN.
 * Threads: pure functions.
 */
#ifndef REPORT_COMPARE_H
#define REPORT_COMPARE_H

#include <stdbool.h>

#include "reports/report/book.h"

enum { COMPARE_SIDES = 8, COMPARE_EXPONENTS = 10, COMPARE_TARGETS = 3 };

struct side {
    const char *name; /* as it was asked for */
    struct book *book;
};

enum basis { BASIS_NONE, BASIS_EPOCHS, BASIS_RUNS };

struct ratio {
    double value, low, high; /* NAN: not known */
    enum basis basis;        /* of the interval */
    bool differs;            /* 1 is outside of it */
};

struct compared {
    const struct group *group[COMPARE_SIDES]; /* NULL: this side has no such training */
    struct ratio speed[COMPARE_SIDES], time[COMPARE_SIDES]; /* [0] is 1 */
    double processor[COMPARE_SIDES]; /* NAN: not of the same convolution, or none */
    double speeds[COMPARE_SIDES], times[COMPARE_SIDES]; /* geometric means of the runs; NAN */
    int failed[COMPARE_SIDES];                          /* runs that did not reach the target */
    bool reached[COMPARE_SIDES];                        /* by the reported run */
    int leader[COMPARE_EXPONENTS];  /* side for n = index + 1; -1: nobody reached */
    bool shown[COMPARE_EXPONENTS];  /* that lead is more than the spread of the runs */
    int rivals;                     /* sides that reached it */
    double target[COMPARE_TARGETS]; /* [1] the record's own; NAN: not known */
    int first[COMPARE_TARGETS];     /* side that got to it first; -1: nobody */
};

/* One training of the first side against the same of the others, whatever
 * their nodes. */
void compare_group(const struct side *sides, int n, const struct group *of, bool bonus,
                   struct compared *c);

/* FLOP/s x q^n of a group's reported run; NAN: it did not reach its target. */
double compare_vflops(const struct group *g, int n, bool bonus);

/* Samples per second of a group, the geometric mean of its runs; NAN. */
double compare_mean_speed(const struct group *g);

/* Samples per second of a to those of b, with its interval and on what it stands. */
struct ratio compare_speed(const struct group *a, const struct group *b);

/* Ratio of means of a to b by their logarithms with a 90 % interval; needs two
 * values of each, else the interval is NAN. */
struct ratio compare_ratio(const double *a, int n_a, const double *b, int n_b);

#endif
