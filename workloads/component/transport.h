/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a message costs the transport of this very run: after training, sums and messages
 * go through struct comm as in a step, each after a pause of a step's length (50 ms at
 * most), in which token buckets refill and a connection's window closes, as they do
 * while a step computes.
 *
 *     round   sums of 1 KiB, of 64 KiB and of a bucket, then of each pair of nodes a message
 *             of 1 KiB and one of a bucket (64 KiB to 1 MiB) in each direction, in an order
 *             that changes from round to round. Five to nine rounds: as many as fit into
 *             2 % of the training
 *     sum     mean of the two least of all ranks. Ranks leave a barrier up to a message's
 *             time D apart: who starts last, at s, finds the others' numbers there D after
 *             the one before it started, at r, and waits D - (s - r); that one waits
 *             D + (s - r) for his
 *     pairs   first ranks of nodes, at most 64 nodes, each with at most 8 others, by the
 *             circle method (all at once, each node in one pair at a time)
 *     value   median of the rounds; interval: the second least and the second largest of
 *             eight and more, else the least and the largest. It holds the median of all
 *             rounds there could be with 93 % (eight) to 98 % (seven): binomial(n, 1/2)
 *             (Conover, Practical Nonparametric Statistics, 1999, 3.2)
 *
 * The model (Hockney, Parallel Computing 20 (1994) 389; reports/predict/play.h): a phase
 * in which a rank sends a message to each of the n - 1 others takes
 *
 *     c + (n - 1) (alpha + bytes / rate)
 *
 *     alpha   half of the round trip of 1 KiB, median of the links; but no more than what a
 *             sum of 1 KiB leaves to each of its n - 1 messages, which overlap
 *     rate    of a link and direction: bytes by which the two messages differ / seconds by
 *             which their round trips do
 *     c       sum of 1 KiB (one phase up to 64 ranks, else two: half of it) - (n - 1) alpha
 *
 * Ranks of one node share memory, and nothing is measured; nor is where training was
 * shorter than five rounds. No figure of the training has these seconds in it.
 *
 * Life:    keeps nothing.
 * Failure: -1 and a sentence, on all ranks: the ranks cannot go on together. What cannot
 *          be measured is a reason in the result.
 * Threads: the one that may talk to the other ranks; collective.
 */
#ifndef COMPONENT_TRANSPORT_H
#define COMPONENT_TRANSPORT_H

#include "reports/core/result.h"
#include "workloads/workload.h"

struct transport {
    const struct workload_host *host;
    double bucket_bytes;          /* of this rank's buckets, mean; 0: not known */
    double period_seconds;        /* of a step; 0 or NAN: not known */
    double trained_seconds;       /* a fiftieth of it may be spent */
    void (*rest)(double seconds); /* NULL: sleeps */
};

/* What was measured, on rank 0; on the others that it was, or why not. */
int transport_run(const struct transport *t, struct result_transport *r, struct err *e);

#endif
