/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How much of the operators' time memory binds, without counters of the processor: from
 * the profile of the steps and the ceilings of `machine` (roofline.h), of which a call
 * of an operator that takes t seconds needs
 *
 *     t_c = FLOP / peak of its precision; of a convolution the peak of convolutions
 *     t_m = bytes / bandwidth of the level that holds them
 *
 *     low    sum of min(t, t_m) over operators with t_m > t_c, over the sum of all t
 *     high   sum of t over operators with t_m > t_c / 2 and those without a roof, likewise
 *     slow   sum of t over operators with t > 2 max(t_c, t_m): neither resource is their
 *            limit, and buying either does not help them
 *
 * The truth is between low and high: t_m is a least time, and an operator near the ridge
 * may be bound by either. Where an ablation ran the steps on half the threads, they say it
 * too: work that the processor binds takes twice as long, work that memory binds does not, so that
 *
 *     share = 2 - own(half) / own(all)
 *
 * which must lie in [low - 0.1, high + 0.1], or nothing is established. Nothing that runs
 * in a virtual machine slows memory alone: no share is tested by an injected fault.
 *
 * Life:    plain data; `why` is constant text.
 * Failure: what cannot be said is NAN, and `why` says what to do.
 * Threads: pure functions.
 */
#ifndef DIAGNOSE_MEMORY_BOUND_H
#define DIAGNOSE_MEMORY_BOUND_H

#include <cjson/cJSON.h>

#define MEMORY_BOUND_OFF 0.1

struct memory_bound {
    double low, high; /* of the operators' time, 0 to 1; NAN */
    double slow;      /* likewise */
    double halved;    /* as half the threads say; NAN: not asked */
    char why[160];    /* low and high are NAN; "": they are not */
};

/* ceilings: where rows of machine are; w: a workload of any record. */
struct memory_bound memory_bound(const cJSON *ceilings, const cJSON *w);

#endif
