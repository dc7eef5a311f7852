/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How much memory the ranks of this node may use, and which limit it comes from.
 *
 * Life:    plain struct. Failure: none, what cannot be read limits nothing.
 * Threads: any.
 */
#ifndef AGENT_MEMORY_H
#define AGENT_MEMORY_H

struct memory_limit {
    double bytes;     /* 0: nothing limits */
    char source[192]; /* "cgroup /slurm/job_7, memory.max" */
};

/* The least of: what is free on the node, Slurm's words for node, processor and
 * GPU (of the step, for it sets them again), and the control groups of this
 * process, v1 and v2, from its own up to the root. All that its ranks on this
 * node have together. root stands before /proc and /sys: "" but in tests. */
struct memory_limit memory_of_node(const char *root);

/* The least that this process alone may have: the node's share of one of so many
 * ranks, or its own resource limits. */
struct memory_limit memory_of_rank(const char *root, int ranks);

#endif
