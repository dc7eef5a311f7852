/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What may be asked of a run, and what it changes of it. Each question needs
 * something that was measured; without it it is refused by name.
 *
 *     compute x k     cpu / k, decode / k, software of the exchange / k; withheld stays.
 *                     What memory binds does not get shorter: its lower and its upper
 *                     bound are two models
 *     memory x k      only that part / k; untested
 *     bandwidth x k   inv / k; alpha, c stay. Residual scaled or not: two models
 *     latency / k     alpha / k; both ends of its interval: two models
 *     storage x k     read above its page-cache time / k
 *     data in memory  read falls to its page-cache time
 *     nodes x k       rows / k by own(q) = o + (1 - o) q, o from half the batch (else
 *                     proportional, and twice as wide); draws common or independent: two
 *                     models; storage is each node's own
 *     weak            the same rows, batch x k
 *     workers x k     of the loader
 *     accumulate x m  m passes before a sum, batch x m
 *     bf16            own work by the ratio that operators were measured to have
 *     batch x k       rows x k by the same law
 *     bucket / k      readiness from the curve of gradients over own work
 *     threads         never: an ablation measures them
 *
 * Failure: -1 and the sentence: why there is no answer.
 * Threads: pure functions.
 */
#ifndef PREDICT_WHAT_H
#define PREDICT_WHAT_H

#include <stdbool.h>

#include "reports/predict/play.h"

enum what_kind {
#define WHAT(symbol, name, free, percent, runs, said) WHAT_##symbol,
#include "reports/predict/whats.def"
    WHAT_COUNT
};

struct what {
    enum what_kind kind;
    double factor; /* above 1: more or faster */
};

struct what_row {
    const char *name;
    bool free;
    double sigma; /* of ln, the model's own */
    int runs;
    const char *said;
};
const struct what_row *what_row(enum what_kind k);

/* Kind of a name as prices.conf has it; WHAT_COUNT: none. */
enum what_kind what_find(const char *name);

/* "network_bandwidth:2", as many as there are with commas between, into w[most]; how many,
 * -1 and a sentence. */
int what_parse(const char *text, struct what *w, int most, struct err *e);

/* "network bandwidth x 2" */
void what_text(const struct what *w, char *text, int size);

/* Why this series cannot answer it; 0: it can. */
int what_refuse(const struct series *s, const struct what *w, struct err *e);

/* Changes *p. model: 0 or 1, the two ends of what is not known. Batch: samples of a
 * step are multiplied by *batch. */
int what_apply(const struct series *s, const struct what *w, int model, struct play *p,
               double *batch, struct err *e);

/* The part of a step, 0 to 1, that it is about; NAN: not of one resource. */
double what_part(const struct series *s, enum what_kind k);

/* Its model doubles the width, for want of a measurement. */
bool what_is_wide(const struct series *s, enum what_kind k);

#endif
