/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What root saw of one job on one node, at the job's end: the payload of the
 * credential in a bundle (spank/relay/bundle.h). One line of JSON:
 *
 *   {"witness":1, "cluster","job","restart","array_job","array_task","het_job","het_offset",
 *    "uid","user","account","partition","node","nodes","asked","begin","end","interrupted",
 *    "cgroup":{"cpu_user_seconds","cpu_system_seconds","memory_peak_bytes","read_bytes",
 *    "write_bytes"},"cgroup_reason","machine":{"cpus","flop_f32","flop_bf16"},"skipped","skipped_reason","files":[{"name","size","sha256"}]}
 *
 * What is not known is null. All but `asked` (the option's text, which the
 * user chose) is what slurmd told root or what root read.
 *
 * Life:    witness_parse() and witness_add() allocate the list of files,
 *          witness_fini() frees it. WITNESS_INIT knows nothing.
 * Failure: -1 and a sentence; parsing refuses what lacks job, uid, node or a
 *          good list of files.
 * Threads: any.
 */
#ifndef RELAY_WITNESS_H
#define RELAY_WITNESS_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/core/err.h"
#include "reports/core/runspec.h"
#include "reports/core/sha256.h"

enum {
    WITNESS_MAX_FILES = 2048,
    WITNESS_NAME_SIZE = 128,
    WITNESS_NODES_SIZE = 8192,
    WITNESS_FILE_NAME_SIZE = 201,
    WITNESS_WHY_SIZE = 200
};

struct witness_file {
    char name[WITNESS_FILE_NAME_SIZE]; /* as in the bundle */
    uint64_t size;
    char sha256[SHA256_HEX_SIZE];
};

struct witness {
    char cluster[WITNESS_NAME_SIZE];
    long job;
    int restart;
    long array_job, array_task, het_job, het_offset; /* -1: Slurm does not tell root */
    long uid;
    char user[WITNESS_NAME_SIZE], account[WITNESS_NAME_SIZE], partition[WITNESS_NAME_SIZE];
    char node[WITNESS_NAME_SIZE];
    char nodes[WITNESS_NODES_SIZE];        /* host list of the job, "" unknown or too long */
    char asked[2 * RUNSPEC_MAX_BYTES + 1]; /* "": the option was not used */
    double begin, end;                     /* Unix time of prolog and epilog; NAN unknown */
    bool interrupted; /* no epilog ran (the node died): seen later, end is NAN */

    /* Of the whole job on this node; NAN with the reason. */
    double cpu_user_seconds, cpu_system_seconds, memory_peak_bytes, read_bytes, write_bytes;
    char cgroup_reason[WITNESS_WHY_SIZE]; /* "": all of them are there */

    /* What the node can do at most (spank/witness/machine.h); FLOP/s; NAN unknown. */
    double cpus, flop_f32, flop_bf16;

    int skipped;                           /* entries of the folder that were not taken */
    char skipped_reason[WITNESS_WHY_SIZE]; /* of the first */

    int n_files;
    struct witness_file *files;
};

#define WITNESS_INIT                                                                               \
    {                                                                                              \
        .job = -1, .array_job = -1, .array_task = -1, .het_job = -1, .het_offset = -1, .uid = -1,  \
        .begin = NAN, .end = NAN, .cpu_user_seconds = NAN, .cpu_system_seconds = NAN,              \
        .memory_peak_bytes = NAN, .read_bytes = NAN, .write_bytes = NAN, .cpus = NAN,              \
        .flop_f32 = NAN, .flop_bf16 = NAN                                                          \
    }

/* One more file; its number of bytes and hash are filled in by the caller. */
struct witness_file *witness_add(struct witness *w, const char *name, struct err *e);
void witness_fini(struct witness *w);

/* The file of that name, NULL when root did not see it. */
const struct witness_file *witness_find(const struct witness *w, const char *name);

/* The line, without newline; the caller frees it. Libc only. */
char *witness_format(const struct witness *w, struct err *e);

/* The line back into *w (which is overwritten). Needs cJSON. */
int witness_parse(const char *text, struct witness *w, struct err *e);

#endif
