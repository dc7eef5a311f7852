/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What this node can do at most, as root reads it: the collector refuses
 * records that claim more.
 *
 * Life, Threads: none. Failure: none; what cannot be told stays NAN.
 */
#ifndef WITNESS_MACHINE_H
#define WITNESS_MACHINE_H

#include "spank/relay/witness.h"

/* Fastest clock that is taken for possible: above all that is sold (6.2 GHz,
 * 2024), since neither /proc/cpuinfo nor cpufreq always knows the turbo. */
#define MACHINE_HERTZ 6.5e9

/* w->cpus: online processors. w->flop_f32, w->flop_bf16: MACHINE_HERTZ times
 * the operations in a cycle that the flags in /proc/cpuinfo (path NULL) allow,
 * times cpus. Per cycle, two units of multiply-and-add: AVX-512 64 in f32;
 * AVX2 with FMA 32; AVX 16; SSE2 8. In bf16: AMX 2048; AVX-512 BF16 128; else
 * as f32 (Intel's and AMD's optimisation manuals). Other processors: NAN. */
void machine_read(struct witness *w, const char *path);

#endif
