/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How fast was the processor while this ran? One and the same work, timed before the
 * first step, between epochs and after the last one: a convolution (the operators that
 * dominate all components) by the run's own engine, precision and threads, and a chain
 * of multiplications, each of which needs the one before (workloads/micro/kernel.h),
 * which knows neither caches nor other threads. On shared cores the CPU seconds of one
 * step move by half within a quarter of an hour; a run that is compared with another,
 * or predicts one, is compared at the same yardstick.
 *
 * What the processor could do at most, once a reading but the last: the better of the
 * rate of multiply-adds of registers in the run's precision (workloads/micro/fma_team.h; the
 * best of three milliseconds) and of the convolution, which alone has matrix units (AMX); the
 * best of all readings, the mean over the ranks. The record's MFU is held against it.
 *
 * The convolution, of one sample: 16 to 16 channels, 3^3, 24^3 places (191 MFLOP), or in
 * two dimensions 32 to 32, 3^2, 96^2 (170 MFLOP); engine `ref` gets a third of each
 * side. It is repeated for about 20 ms. `wall` and `cpu` are seconds of one of them, of
 * the thread that trains; of the chain CPU time is taken alone.
 *
 * Cost: 28 ms each. Between epochs at least 10 s after the one before; the last one as
 * long as all of them stay within 0.5 % of the training, but at least one convolution.
 *
 * Life:    open returns, close frees; NULL is a yardstick that measures nothing.
 * Failure: a rank without memory has none: then the record has none.
 * Threads: the trainer's; gather is collective.
 */
#ifndef COMPONENT_YARDSTICK_H
#define COMPONENT_YARDSTICK_H

#include "reports/core/result.h"
#include "workloads/component/harness.h"

struct yardstick;

/* Local. places: 2 or 3 dimensions. The model is made, and the convolution run once. */
struct yardstick *yardstick_open(const struct runspec *spec, const struct workload_host *host,
                                 int places);
void yardstick_close(struct yardstick *y);

/* Local: before the first step; after an epoch; after the last, when training took so long. */
void yardstick_start(struct yardstick *y);
void yardstick_between(struct yardstick *y);
void yardstick_end(struct yardstick *y, double trained_seconds);

/* Means over the ranks into r->yardstick, this rank's own into r->rank. */
int yardstick_gather(const struct yardstick *y, struct comm *c, struct workload_result *r,
                     struct err *e);

#endif
