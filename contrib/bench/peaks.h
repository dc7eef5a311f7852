/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What this machine can do at most, measured: multiply-adds of registers, the
 * engine's library on large matrices, and memory read and written with stores that
 * bypass the caches.
 *
 * Life, Failure: none. Threads: starts `threads` OpenMP threads.
 */
#ifndef BENCH_PEAKS_H
#define BENCH_PEAKS_H

#include <stdbool.h>

struct peaks {
    double flops;   /* FLOP/s in the type, of multiply-adds between registers */
    double product; /* of the library's product of large matrices: with matrix units
                     * (AMX) more than of registers; 0: the engine has no library */
    double bytes;   /* bytes/s, read and written, of a triad */
};

struct peaks peaks_measure(int threads, bool bf16, double (*now)(void));

#endif
