/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A series from a run's steps file and its record: the steps of the epochs after the
 * first that all ranks of the file have.
 *
 *     cpu      own - exchange_cpu - met - withheld (up to r)
 *     lib      exchange_cpu, and of met the least of the ranks: the rest is their waiting for
 *              each other, which the play makes again
 *     half     end of the first half of the last bucket's sum
 *     exit     end of the last wait
 *     ready    start of bucket b after i1, over own: median over steps and ranks
 *     bytes    exchanged_bytes of the profile / steps / buckets: the engine makes buckets
 *              alike; which parameters end one is not in the record
 *     loader   the record's means; read from the page cache is its CPU time
 *     alpha    the transport's test, not transport_in_training: while it trains a message
 *              waits until its sender has an operator behind it, which play.h plays by itself;
 *              and bytes a second are fitted to these steps' own halves (fit.h)
 *     c        likewise; else what the ablation empty_exchange left of the wait, half of it a
 *              phase
 *     half     own work at half the rows, from the ablation half_batch: what the step lost is
 *              own work
 *     memory   both bounds of roofline, of the operators' time
 *     curve    those points, straight between them; needs two buckets
 *
 * Of a run of more than 64 ranks the file has some; the last arrival is the whole
 * run's.
 *
 * Life:    recorded_read() fills, recorded_fini() frees; the series borrows from it.
 * Failure: -1 and a sentence.
 * Threads: pure functions.
 */
#ifndef PREDICT_RECORDED_H
#define PREDICT_RECORDED_H

#include "reports/predict/series.h"

struct cJSON;
struct steps_file;

/* Part by which a step was shorter in an arm of the record's ablation: its middle, or with
 * `most` the upper end; NAN: not made, or noise hides it. */
double recorded_arm(const struct cJSON *work, const char *arm, bool most);

struct recorded {
    struct series series;
    struct series_step *step;
    struct series_loader *loader;
    double *last;
    bool *first;
};

/* workload: its index in the file; work: the record's object of it; workers, ahead: of
 * the run text, 0: what a run without them has. */
int recorded_read(struct recorded *r, struct steps_file *f, int workload, const struct cJSON *work,
                  int workers, int ahead, struct err *e);
void recorded_fini(struct recorded *r);

#endif
