/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Own kernels of the machine benchmark. micro.h says what they count.
 *
 * Each does its work `times` times over and leaves results that a check can
 * compare number by number: arithmetic is on small whole numbers, so exact in
 * any order and precision.
 *
 * Life:    buffers are the caller's.
 * Failure: the number of wrong results, 0: all right.
 * Threads: each kernel is one thread's part; the caller has the team.
 */
#ifndef MICRO_KERNEL_H
#define MICRO_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- multiply-adds of registers ---- */

enum fma_type { FMA_F32, FMA_BF16 };

/* Word for the instructions that are used: "avx512"; NULL: this processor has none
 * for the type (bfloat16 without vdpbf16ps). */
const char *fma_name(enum fma_type type);
/* FLOP of one time. */
double fma_flop(enum fma_type type);
/* times > 0 blocks; returns how many of the sums are wrong. */
long fma_run(enum fma_type type, long times);

/* ---- memory ---- */

enum memory_kernel { MEMORY_COPY, MEMORY_SCALE, MEMORY_ADD, MEMORY_TRIAD, MEMORY_KERNELS };

const char *memory_name(enum memory_kernel k);
/* Bytes that STREAM counts for an element. */
int memory_bytes(enum memory_kernel k);
/* Fills b and c, clears a: n doubles each, 64-byte aligned, n a multiple of 8. */
void memory_fill(double *a, double *b, double *c, size_t n, size_t from);
/* bypass: stores that do not go through the caches, where there are such. */
void memory_run(enum memory_kernel k, bool bypass, double *a, const double *b, const double *c,
                size_t n, long times);
/* How many of a[0..n) are not what the kernel makes of what memory_fill() left. */
long memory_wrong(enum memory_kernel k, const double *a, size_t n, size_t from);
/* Whether there are stores that bypass the caches. */
bool memory_can_bypass(void);

/* ---- dependent chain ---- */

enum { CHAIN_STEPS = 1 << 16 }; /* of one time */

/* x after times * CHAIN_STEPS steps of x = a x + 1 from x = 1, modulo 2^64. */
uint64_t chain_run(long times);
/* The same by repeated squaring. */
uint64_t chain_closed(long times);

#endif
