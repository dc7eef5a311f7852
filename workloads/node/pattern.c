/* SPDX-License-Identifier: BSD-3-Clause */
/* A walk of memory that is free: what is written is read back. */
#include <config.h>

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "reports/core/clock.h"
#include "workloads/node/speed.h"

enum { CHUNK_WORDS = 8 << 20, BLOCK = 4096 }; /* 64 MiB; sizes are whole pages */

/* Of the word at index i: its bits depend on the place, so that a wrong line of the address
 * bus shows, too (SplitMix64's finaliser, Steele et al. 2014). */
static uint64_t word_of(uint64_t i)
{
    i = (i ^ i >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    i = (i ^ i >> 27) * UINT64_C(0x94d049bb133111eb);
    return i ^ i >> 31;
}

/* Words of [from, from + n) that are not as written; flip: all bits turned. */
static long write_and_read(uint64_t *v, uint64_t from, uint64_t n, uint64_t flip, int threads)
{
    long wrong = 0;

#pragma omp parallel for num_threads(threads) schedule(static)
    for (uint64_t i = from; i < from + n; i++)
        v[i] = word_of(i) ^ flip;
    __asm__ volatile("" ::: "memory");
#pragma omp parallel for num_threads(threads) schedule(static) reduction(+ : wrong)
    for (uint64_t i = from; i < from + n; i++)
        wrong += v[i] != (word_of(i) ^ flip);
    return wrong;
}

int pattern_walk(uint64_t most, double seconds, int threads, double *bytes, long *wrong,
                 struct err *e)
{
    uint64_t words = most / sizeof(uint64_t) / BLOCK * BLOCK;
    double end = clock_now() + seconds;
    uint64_t *v = mmap(NULL, words * sizeof *v, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (v == MAP_FAILED)
        return err_set(e, "%.0f MiB for the pattern: %s", (double)most / 1048576, strerror(errno));
    for (uint64_t at = 0; at < words && (at == 0 || clock_now() < end); at += CHUNK_WORDS) {
        uint64_t n = words - at < CHUNK_WORDS ? words - at : CHUNK_WORDS;
        *wrong +=
            write_and_read(v, at, n, 0, threads) + write_and_read(v, at, n, ~UINT64_C(0), threads);
        *bytes += (double)n * sizeof *v;
    }
    munmap(v, words * sizeof *v);
    return 0;
}
