/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A small network whose training is a test of the machine: convolution, pool,
 * convolution, dense layer, cross-entropy, SGD with momentum. Some 20 operators a step,
 * whose results all flow into the weights: their digest shows a wrong number anywhere on
 * the way. Its 16 batches are drawn from the seed and come in turn.
 *
 * Life:    network_close() frees; NULL is fine.
 * Failure: NULL or -1 and a sentence.
 * Threads: one, which uses `threads` OpenMP threads. Digests of different numbers of
 *          threads differ: sums have another order.
 */
#ifndef NODE_NETWORK_H
#define NODE_NETWORK_H

#include <stdint.h>

#include "reports/core/err.h"

struct network;

struct network *network_open(const char *backend, int threads, uint64_t seed, struct err *e);
void network_close(struct network *n);

/* The next step. */
int network_step(struct network *n, struct err *e);

/* 16 hexadecimal digits and a NUL, of all weights; refuses weights that are not finite. */
int network_digest(struct network *n, char digest[17], struct err *e);

#endif
