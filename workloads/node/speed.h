/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside node.c: what is measured of a node, in one child (team.h), in rounds. node.h says
 * what each test does.
 *
 * Life:    speed_work() is the child's; found is shared memory.
 * Failure: a test that cannot be measured leaves its sentence and no sample.
 * Threads: one, which uses as many OpenMP threads as there are processors.
 */
#ifndef NODE_SPEED_H
#define NODE_SPEED_H

#include <stddef.h>

#include "workloads/node/node.h"

struct speed_found {
    volatile int test; /* that runs now: enum node_test; whose end hangs */
    struct speed_metric {
        int n;
        double samples[NODE_SAMPLES];
    } of[NODE_METRICS];
    struct speed_test {
        long wrong; /* numbers */
        char error[128];
    } tests[NODE_TESTS];
    double pattern_bytes;
};

struct speed_task {
    const struct node_options *o;
    unsigned tests;
    const char *backend;
    const int *cpus;
    int n_cpus;
    const char *hook; /* of a test build: "METRIC:PERCENT" takes so much longer; NULL */
    struct speed_found *found;
};

/* Tests that are measured here. */
unsigned speed_tests(void);
/* Most that they may take before they are called hung: seconds. */
double speed_patience(const struct speed_task *t);

int speed_work(void *ctx, int i);

/* Medians and problems into *r. end: of team_run(). */
void speed_summarise(const struct speed_task *t, int end, struct node_result *r);

/* ---- parts of it, in files of their own ---- */

/* Seconds of a load in a chase through 64 MiB; -1: out of memory. */
struct chase;
struct chase *chase_open(uint64_t seed, struct err *e);
double chase_load_seconds(struct chase *c, double seconds);
void chase_close(struct chase *c);

/* Walks at most so many bytes for at most so many seconds; *wrong words. */
int pattern_walk(uint64_t most, double seconds, int threads, double *bytes, long *wrong,
                 struct err *e);

/* Writes a file of 64 MiB in the folder until it is on the device [B/s], and reads pages of
 * it [s]. */
int disk_sample(const char *folder, uint64_t seed, double *write_rate, double *read_seconds,
                struct err *e);

#endif
