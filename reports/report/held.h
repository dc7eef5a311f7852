/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What held a training back, as its record says it: the diagnosis that its run
 * made of the waits of all its ranks (`why`, reports/diagnose/cause.h has the
 * rule), and the parts of a mean step on the slowest path (`path`).
 *
 * The page names a cause by this alone. Without one the time split speaks
 * (split.h), which is one witness and names no cause.
 *
 * Life:    texts are borrowed from the record.
 * Failure: none; what is not known is NAN.
 * Threads: pure functions.
 */
#ifndef REPORT_HELD_H
#define REPORT_HELD_H

#include <stdbool.h>
#include <cjson/cJSON.h>

#include "reports/diagnose/words.h"
#include "reports/draw/chart.h"
#include "reports/report/split.h"

enum { HELD_MOST = 4 };

/* Of a step: more of it by other work, and the run says nothing of the machine. */
#define HELD_FOREIGN 0.05

struct held {
    enum cause cause; /* CAUSE_UNKNOWN: there is no diagnosis, or one of a later release */
    bool asked;       /* the run has one, though it may name nothing */
    const char *node; /* "": none is named */
    bool confirmed;
    double foreign;   /* part of a step for which other work had the cores: no cause */
    double visible;   /* part of a step that is waited for a cause, 0 to 1 */
    double share;     /* of it the cause's own; of no single bottleneck all; NAN: it is no wait */
    enum cause whole; /* what takes more of the whole run; CAUSE_UNKNOWN: nothing */
    struct {
        enum cause cause;
        double share;
    } of[HELD_MOST]; /* the largest first */
    int n_of;
    double compute, network, input; /* parts of a mean step on the slowest path */
};

void held_of(const cJSON *workload, struct held *h);

/* A cause is known; it is something that the steps waited for. */
bool held_known(const struct held *h);
bool held_waits(const struct held *h);

enum ink held_ink(enum cause c);

/* The most of a training's time, 0 to 1, that a faster resource of the price file
 * (network_bandwidth, network_latency, storage) could save: what its steps wait for
 * it on the slowest path, and everything before and between the steps, of which is not
 * known what it waited for. NAN: the record does not tell, or another resource. */
double held_bound(const struct held *h, const struct split *s, const char *resource);

#endif
