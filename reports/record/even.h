/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a node computed, against the others of its run, and that at equal processor: each
 * rank's compute seconds in units of its own yardstick (workloads/component/yardstick.h).
 *
 *     x   compute seconds of the node's slowest rank / those of the others: the median over the
 *         ranks, of two ranks the other's (the median is their mean)
 *     y   CPU seconds of a convolution of the yardstick on that rank / on the others, mean
 *     x / y   at equal processor: 1 where the node computes as long as its processor explains
 *
 * A node whose x is above 1 and whose x / y is not has a slow processor: a low clock, a cap. One
 * whose x / y is above 1, too, takes longer than its processor does: its memory, its loader.
 *
 * Failure: NAN: it cannot be told.
 * Threads: pure functions.
 */
#ifndef RECORD_EVEN_H
#define RECORD_EVEN_H

struct cJSON;

/* Of a time of the node to that of the others, of the median of so many ranks. */
double even_to_others(double node, double median, int ranks);

/* x and x / y of a node in a record's workload. Only the ranks that computed longest are in a
 * record: of others they are not known. */
double even_computed(const struct cJSON *work, const char *node);
double even_computed_by_yardstick(const struct cJSON *work, const char *node);

#endif
