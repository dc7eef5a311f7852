/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tests of one node, alone: no MPI, no other node, no root needed.
 *
 *   inventory  what there is: processors, memory, NUMA nodes, governor, clock source,
 *              microcode, kernel
 *   correct    checked operator calls: core.h
 *   replica    a small network trained by one thread on each core: network.h
 *   clock      a chain of multiplications, each of which needs the one before, on
 *              every core at once: the median core, and the slowest / the median
 *   gemm       1,024^3 (more threads: larger) matrix product of all cores
 *   triad      a = b + q c in arrays of 4 x the last caches (STREAM), all cores
 *   latency    a chase through 64 MiB in random order, one core [s a load]
 *   pattern    memory that is free: each word gets its address, is read back, then its
 *              complement
 *   disk       64 MiB written until fsync() has returned; reads of 4 KiB at random
 *              places of it, their pages dropped before: median time
 *   train      the small network on all cores: median time of a step; its 99 % point
 *              divided by that (from 400 steps on)
 *   ECC        corrected and uncorrected errors that the kernel counted meanwhile (EDAC)
 *
 * quick and standard end before a node is warm: they find no fault of cooling, deep does.
 *
 * Work runs in processes of its own (team.h): one that hangs or dies costs its test and
 * nothing else, and the caller starts no thread.
 *
 * Life:    plain values.
 * Failure: -1 and a sentence only when nothing could be measured; a test that fails is in
 *          r->unknown, a wrong number in r->faults.
 * Threads: one; it must not have used OpenMP before.
 */
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "reports/core/err.h"
#include "reports/core/node_result.h"

enum node_profile { PROFILE_QUICK, PROFILE_STANDARD, PROFILE_DEEP, PROFILES };

enum node_test {
#define NODE_TEST(symbol, name, quick, standard, deep, cause, power, finds) NODE_TEST_##symbol,
#include "workloads/node/tests.def"
    NODE_TESTS
};

/* Kinds of trouble, and how often each is the one that a node has: shipped priors
 * (communication is the commonest: the pair part finds it). */
enum node_cause {
    CAUSE_NETWORK,
    CAUSE_MEMORY,
    CAUSE_COMPUTE,
    CAUSE_DISK,
    CAUSE_NUMBERS,
    CAUSE_REST,
    NODE_CAUSES
};

struct node_options {
    enum node_profile profile;
    double budget_seconds; /* 0: the profile's own */
    const double *priors;  /* [NODE_CAUSES]; NULL: the shipped ones */
    unsigned only;         /* bits 1 << NODE_TEST_x; 0: as the profile says */
    long calls;            /* checked calls a core; 0: the profile's */
    int samples;           /* of what is measured; 0: five */
    uint64_t seed;
    uint64_t memory_bytes;          /* that may be used; 0: nothing is known, no pattern */
    const char *folder;             /* of the node's own disk */
    const char *root;               /* before /proc and /sys: "" but in tests */
    void (*said)(const char *test); /* a test begins; may be NULL */
};

const char *node_profile_word(enum node_profile p);
int node_profile_parse(const char *word); /* -1: none */
const char *node_test_word(enum node_test t);
const char *node_test_finds(enum node_test t);
int node_test_parse(const char *word); /* -1: none */

/* Seconds of a test in a profile, 0: it is not in it; checked calls of a core. */
double node_test_seconds(enum node_test t, enum node_profile p);
long node_calls(enum node_profile p);

/* The tests to run, as bits: all of the profile; with a budget those that find most in
 * it: inventory, then again and again the one with the greatest
 *     prior of its cause x chance that it is not found yet x power / seconds
 * that still fits. *seconds (may be NULL): what they take. */
unsigned node_choose(enum node_profile p, double budget, double *seconds);
/* The same with priors of the site's; NULL: the shipped ones. */
unsigned node_choose_by(enum node_profile p, double budget, const double priors[NODE_CAUSES],
                        double *seconds);

/* "network:0.4,memory:0.2,...": causes that are not named keep the shipped prior. */
int node_priors_parse(const char *text, double priors[NODE_CAUSES], struct err *e);

int node_measure(const struct node_options *o, struct node_result *r, struct err *e);

/* ---- of a node, without measuring ---- */

/* Names, class, inventory, key. */
void node_facts(const struct node_options *o, const char *backend, struct node_result *r);

/* ECC errors that the kernel has counted since it booted; -1: it counts none. where: the
 * label of the first DIMM with any. */
struct node_ecc {
    long corrected, uncorrected;
    char where[64];
};
struct node_ecc node_ecc_read(const char *root);

#endif
