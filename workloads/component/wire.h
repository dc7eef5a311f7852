/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a message costs while a training runs, from the sums of its gradients: each bucket
 * has its bytes and stamps (workloads/steps.h), and no message is sent for it. Beside the
 * test after training (transport.h), which has the cores for itself.
 *
 *     sum     of a bucket in a steady step, up to 64 steps of an epoch, at even distances.
 *             It counts where all sums before it were over on all ranks when the last rank
 *             began it: what follows it, and sums inside forward and backward, which are
 *             short, may share the links, and what they take of them is in y
 *     R       the last rank has begun it: one maximum over the ranks for each. To that rank
 *             itself a short message may have come before; the others wait for its message,
 *             which began then, and they count
 *     y       R to the end of its first half at this rank (of a sum that is sent whole: to
 *             its end). A rank that computes looks between operators only, so y is an
 *             interval: from the look before to the one that saw it, wider by the bound of
 *             the clocks
 *     x       bytes of a message: of n ranks the bucket's / n; of a sum sent whole all
 *     size    sums of one x: median of both ends of y, with the 95 % interval of a median by
 *             order statistics (Conover, Practical Nonparametric Statistics, 1999, 3.2);
 *             8 sums at least
 *
 * The model is transport.h's, y = c + (n - 1) (alpha + x / rate), with c and what a sender
 * that computes lets wait in alpha: while it trains they cannot be told apart.
 *
 *     rate    slope over all pairs of sizes of which one is twice the other and more, their
 *             median (Theil, 1950; Sen, J. Am. Stat. Assoc. 63 (1968) 1379); interval: the
 *             least and the largest that the sizes' intervals allow, of eight pairs and more
 *             the second of each
 *     alpha   what the slope leaves: median over the sizes; interval of the smallest size
 *
 * A high end that is not finite is NAN: chance hides the bytes. Where no size is twice
 * another, bytes and messages cannot be told apart: values are NAN, and of the largest size
 * alpha is at most all of y, rate at least what all of it being bytes gives.
 *
 * Per link: messages come from all others, and the slowest decides. What a rank receives of
 * two ranks is one link; of more it is the slowest link to it.
 *
 * Life:    plain data of 40 KiB; nothing is gathered, each rank keeps its own.
 * Failure: wire_epoch() -1 and a sentence: the exchange broke.
 * Threads: the trainer's.
 */
#ifndef COMPONENT_WIRE_H
#define COMPONENT_WIRE_H

#include "reports/core/result.h"
#include "workloads/comm.h"
#include "workloads/steps.h"

enum {
    WIRE_STEPS = 64, /* of an epoch */
    WIRE_SIZES = 16,
    WIRE_SUMS = 256, /* of a size; the latest */
    WIRE_LEAST = 8
};

struct wire {
    int sizes;
    struct wire_size {
        double bytes; /* of a message */
        long sums;    /* all; kept are the latest */
        float low[WIRE_SUMS], high[WIRE_SUMS];
    } size[WIRE_SIZES];
};

/* Takes the sums of an epoch whose steps are on one clock; bound: most that two ranks are off
 * against each other on it. Collective. */
int wire_epoch(struct wire *w, const struct steps *s, double bound, struct comm *c, struct err *e);

/* What they say, of a rank among so many. */
void wire_fit(const struct wire *w, int ranks, struct result_wire *r);

#endif
