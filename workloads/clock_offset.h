/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How far another machine's clock is from ours, and how well that is known, from
 * messages alone: no common clock is needed.
 *
 * An offset is what must be added to a moment of the other clock to get ours.
 *
 *   rounds       t0 (ours) -> there (theirs) -> t1 (ours): offset (t0 + t1) / 2 - there
 *                of the round that took least, known to +- half of that round, whatever
 *                the two directions took (Cristian, Distributed Computing 3 (1989) 146)
 *   along a tree offsets add up, and so do their bounds
 *   over time    linear between two moments: crystals drift, up to 50 ppm
 *   constraints  no sum ends at one rank before the other has begun it: every sum
 *                bounds the offset from one side, for nothing
 *
 * Life, Failure: none. Threads: pure functions.
 */
#ifndef WORKLOADS_CLOCK_OFFSET_H
#define WORKLOADS_CLOCK_OFFSET_H

/* Seconds; bound: the true offset is within +- bound of it. */
struct clock_offset {
    double seconds, bound;
};

struct clock_round {
    double t0, there, t1;
};

/* Of n >= 1 rounds. */
struct clock_offset clock_of_rounds(const struct clock_round *rounds, int n);

/* From a to c, by way of b: a's clock against b's, b's against c's. */
struct clock_offset clock_chain(struct clock_offset a_b, struct clock_offset b_c);

/* At a moment `at` of our clock between two times at which it was measured; the
 * bound is the larger, and what the clocks drift at most outside of the two. */
struct clock_offset clock_between(double t0, struct clock_offset at_t0, double t1,
                                  struct clock_offset at_t1, double at);

/* What all constraints leave: least <= offset <= most. Begin with -+INFINITY. */
struct clock_range {
    double least, most;
};

/* A sum that began here at our_begin and there at their_begin, and ended here at
 * our_end and there at their_end (theirs by their clock). */
void clock_constrain(struct clock_range *r, double our_begin, double our_end, double their_begin,
                     double their_end);

#endif
