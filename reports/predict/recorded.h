/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A series from a run's steps file and its record: the steps of the epochs after the
 * first that all ranks of the file have.
 *
 *     cpu      own - exchange_cpu - withheld (up to r)
 *     half     end of the first half of the last bucket's sum
 *     exit     end of the last wait
 *     ready    start of bucket b after i1, over own: median over steps and ranks
 *     bytes    exchanged_bytes of the profile / steps / buckets: the engine makes buckets
 *              alike; which parameters end one is not in the record
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

struct recorded {
    struct series series;
    struct series_step *step;
    struct series_loader *loader;
    double *last;
    bool *first;
};

/* workload: its index in the file; work: the record's object of it. */
int recorded_read(struct recorded *r, struct steps_file *f, int workload, const struct cJSON *work,
                  struct err *e);
void recorded_fini(struct recorded *r);

#endif
