/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the time of a training went, for a person: the record's phases (the
 * median rank's seconds) in the parts that the page draws, and what may be
 * said of them.
 *
 * What may be said by the time split alone (diagnosis.md, 4): below
 * SPLIT_BUSY of the time in waits, the processors are the limit. Above it the
 * largest wait is named if it is at least SPLIT_NAMED of all waiting, else
 * there is no single bottleneck. A split is one witness of three: nothing that
 * is named here is a confirmed cause, and no purchase follows from it.
 *
 * Failure: none; what is not known is NAN.
 * Threads: pure functions.
 */
#ifndef REPORT_SPLIT_H
#define REPORT_SPLIT_H

#include <cjson/cJSON.h>

#include "reports/draw/chart.h"
#include "reports/report/words.h"

#define SPLIT_BUSY  0.10 /* of the time: waits below it are not a finding */
#define SPLIT_NAMED 0.80 /* of all waiting: the largest wait is named */
#define SPLIT_START 0.50 /* of the time: more of it is start-up, the run was too short */
#define SPLIT_MISS  0.02 /* of the wall time: a sum that misses it by more is said */

enum part {
    PART_COMPUTE,
    PART_INPUT,
    PART_EXCHANGE,
    PART_SKEW,
    PART_WITHHELD, /* work to do and no core: a quota, other work, too many threads */
    PART_EVALUATION,
    PART_START, /* staging and the first epoch */
    PART_OTHER, /* checkpoints, the rest, phases that this release does not know */
    PART_COUNT
};

enum limit {
    LIMIT_UNKNOWN, /* no phases */
    LIMIT_START,   /* more than half is start-up: nothing can be said of training */
    LIMIT_COMPUTE,
    LIMIT_NAMED,  /* the largest wait */
    LIMIT_SEVERAL /* no single bottleneck */
};

struct split {
    double seconds[PART_COUNT];
    double sum;        /* of them */
    double wall;       /* of the workload, the slowest rank; NAN */
    double miss;       /* (sum - wall) / wall; NAN */
    double wait;       /* input, exchange, skew and withheld */
    enum part largest; /* of the four */
    enum limit limit;
};

void split_of(const cJSON *workload, struct split *s);

/* Percent of the sum. */
double split_percent(const struct split *s, enum part p);

/* The part that a phase of the record belongs to. */
enum part split_part(const char *phase);
enum ink part_ink(enum part p);
enum word part_word(enum part p);

#endif
