/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Wrong numbers of one core: checked operator calls, one thread, the same on every core.
 *
 * A call is a product of 192 x 192 matrices by the engine, 14 MFLOP, with one of
 * CORE_INPUTS inputs in turn: normal numbers, small whole numbers, numbers from 2^-40 to
 * 2^40, mantissas of ones. Its result is compared bit by bit with that of the first call
 * with this input, which is compared with sums in double precision:
 *
 *     |y - Y| <= 192 2^-24 sum |x w|         the bound of a sum of 192 rounded products
 *
 * A flip that reaches a result is seen by the comparison, whatever its size, so that the
 * number of calls is all that matters: n calls find a rate of p with 1 - (1 - p)^n,
 * 40,000 calls 1 in 10,000 in 98.2 % of runs.
 *
 * Cores are then compared with each other (core_compare()): the digests of what each had
 * first, and of the weights of its replica. The majority is right. Nodes with an equal key
 * are compared by the majority's digests.
 *
 * Life:    plain values; core_work() is for a child of its own (team.h).
 * Failure: -1, and core_found.error says why.
 * Threads: one.
 */
#ifndef NODE_CORE_H
#define NODE_CORE_H

#include <stdint.h>

#include "reports/core/node_result.h"
#include "workloads/node/network.h"

enum { CORE_EDGE = 192, CORE_INPUTS = 16, CORE_DIGEST = 17 };

struct core_found {
    long calls, wrong; /* made; those whose result differs from the first's */
    long first;        /* wrong call, from 1; 0: none */
    long beyond;       /* numbers of the first results beyond the bound of double precision */
    long steps;        /* of the replica */
    char digest[CORE_INPUTS][CORE_DIGEST]; /* "": not computed */
    char weights[CORE_DIGEST];             /* "": no replica */
    char error[128];
};

struct core_task {
    const char *backend;
    long calls;     /* 0: none */
    long steps;     /* of the replica; 0: none */
    double seconds; /* calls end after so many, however few were made */
    uint64_t seed;
    const int *cpus;
    struct core_found *found; /* [i]: shared memory */
    const char *hook;         /* of a test build: "CPU:CALL", a bit flips there; NULL */
};

/* The task of child i. ctx: struct core_task. */
int core_work(void *ctx, int i);

/* What n cores found: faults (the core by number) and the digests of the majority into *r.
 * ends: of team_run(). */
void core_compare(const struct core_found *found, const int *cpus, const int *ends, int n,
                  struct node_result *r);

/* One problem more, as long as there is room. */
void node_fault(struct node_result *r, const char *test, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void node_unknown(struct node_result *r, const char *test, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
