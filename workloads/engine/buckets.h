/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which gradients are exchanged together.
 *
 * The exchange of a bucket begins when the last of its gradients is ready, and buckets
 * go one after the other. One large bucket is ready when backward ends, so nothing of
 * it hides behind computing; very many cost a message time each. Between them the plan
 * of the graph decides: it says when in backward each gradient is complete.
 *
 * Model. An instruction takes max(FLOP / BUCKET_FLOPS, bytes / BUCKET_BANDWIDTH), a
 * bucket BUCKET_SECONDS + bytes / BUCKET_RATE from
 *     F(k, j) = min over i < j of max(F(k - 1, i), ready(j)) + cost(i .. j),
 * the end of the exchange of gradients 0 .. j in k buckets. The least k whose end is
 * within BUCKET_SLACK of backward of the best is taken: more buckets than that hide
 * nothing. The constants are of one core and a 10 Gbit/s network, and nothing measured
 * enters, so that one run is cut like the next. All ranks take rank 0's cut: a library
 * pads tensors by the processor it runs on, so plans may differ where nodes do. No sum
 * depends on the cut: each element is added over the ranks in their order.
 *
 * Life:    plain data of the caller; nothing is kept.
 * Failure: -1 when out of memory.
 * Threads: pure functions.
 */
#ifndef ENGINE_BUCKETS_H
#define ENGINE_BUCKETS_H

#include <stddef.h>

#define BUCKET_FLOPS     1e11
#define BUCKET_BANDWIDTH 1e10
#define BUCKET_SECONDS   1e-4
#define BUCKET_RATE      1e9
#define BUCKET_SLACK     0.01

enum { BUCKETS_MOST = 16 };

/* Gradients in the order in which they are exchanged. */
struct bucket_part {
    double ready; /* seconds after the beginning of backward */
    size_t bytes;
};

/* backward: its seconds. end[k]: one past the last part of bucket k. Returns how many
 * buckets there are, 1 to BUCKETS_MOST; 0 for no parts. */
int buckets_cut(const struct bucket_part *parts, int n, double backward, int end[BUCKETS_MOST]);

#endif
