/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Benchmarks of the network, by MPI's own calls and by ours.
 *
 * p2p: latency and bandwidth between nodes (their first ranks; on one node between
 * its ranks). Up to 16 nodes every pair meets, beyond that each node meets k = 3
 * partners or 5, drawn from the seed. In a round of the schedule (the circle method) a
 * node is in one pair at most; with turns one pair at a time measures.
 *     latency     half of the mean round trip of a batch of 8-byte messages that takes
 *                 some 5 ms [s]
 *     bandwidth   one direction at a time: messages of 1 MiB, eight under way, as many as
 *                 take 0.12 s (256 at most, so that the free burst of a token bucket is a
 *                 small part), then a word back; bytes / time at the sender [B/s]
 * Each pass over the schedule takes one sample of each; a pass before them warms up. The
 * receiver compares the last eight messages of each sample, byte by byte. From
 * the directed bandwidths median polish (workloads/micro/polish.h) gives each node a
 * rate as sender and one as receiver: rows "node sends", "node receives"; SLOW is who
 * stands out.
 *
 * Collectives: allreduce, reduce_scatter, allgather, alltoall, bcast of S bytes. S is
 * what nccl-tests calls size: of the sum, of the whole that is gathered or
 * scattered. With t the time of the slowest rank of a repeat and n ranks
 *     algbw = S / t,  busbw = algbw x f
 *     f = 2 (n-1)/n for allreduce; (n-1)/n for reduce_scatter, allgather, alltoall;
 *     1 for bcast                                   (nccl-tests, PERFORMANCE.md)
 * what: "library" is MPI's non-blocking call; allreduce also by struct comm as
 * training does it, "window" in memory of its alloc() (where ranks share a node),
 * "messages" elsewhere. direction: "back to back", and "in rhythm" with an idle pause
 * of 20 ms (a training step's) before each. All results are compared, number by
 * number, on each rank, before timing and after the last repeat.
 *
 * Life, Failure, Threads: as workloads/micro/micro.h.
 */
#ifndef MICRO_NETWORK_H
#define MICRO_NETWORK_H

#include <mpi.h>

#include "workloads/micro/harness.h"

extern const struct micro_bench micro_p2p, micro_allreduce, micro_reduce_scatter, micro_allgather,
    micro_alltoall, micro_bcast;

/* ---- the schedule of pairs: pure ---- */

enum { PAIRS_ALL = 16 };

/* Rounds in which n ends meet: of all pairs for n <= PAIRS_ALL, else of an odd number
 * of random partners each. */
int pairs_rounds(int n);
/* Partner of end i in that round, -1: it rests. partner(partner(i)) = i. */
int pairs_partner(int i, int round, int n, uint64_t seed);

/* ---- waiting, with an end ---- */

/* Waits for n requests of this rank; a peer that does not answer for `patience`
 * seconds is a failure, whose requests are left alone. */
int network_wait(MPI_Request *requests, int n, double patience, const char *what, struct err *e);

/* busbw / algbw of an operation's factor kind. */
enum network_factor { FACTOR_ALLREDUCE, FACTOR_PART, FACTOR_ONE };
double network_factor(enum network_factor f, int n);

#endif
