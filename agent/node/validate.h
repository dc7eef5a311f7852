/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * validate: the nodes of a run are measured and compared with each other; nothing acts.
 *
 * Node part. The first rank of each node starts hpcai500-node (workloads/node/node.h), all
 * nodes at once, with turns one after the other; the others wait. Its line of at most 4 KiB
 * comes to rank 0 when the node is ready, whatever the others do; one that gives none is
 * UNKNOWN. While programs run the ranks meet every half second, so that no wait is longer
 * than that, and a rank that dies is found.
 * Link part. p2p (agent/micro/network.h) between the nodes.
 * Further rounds. What stands out is measured again, on those nodes and controls, each round
 * `pause` seconds (host->pause_seconds) after what was measured before: what passes within a
 * minute is then told from what stays. At most half of the time that is left until the
 * deadline is waited, in equal parts. A vet does not wait, unless it is told to.
 *
 * It is judged by the rule of reports/judge with the shipped priors: a job knows no history.
 * Rows, in the record's `micro`:
 *     a metric's name   over the nodes of a class (shape): quantiles, every node's value; the
 *                       slowest node
 *     "good"            how many nodes are GOOD
 *     "blind"           the greatest blind spot of them, %
 *     "verdict"         one for each node that is not GOOD (from): its verdict and metric
 *                       (shape), its loss in %, and why (reason): rounds, seconds apart
 *
 * Life, Failure, Threads: as workloads/micro/micro.h.
 */
#ifndef NODE_VALIDATE_H
#define NODE_VALIDATE_H

#include "workloads/micro/micro.h"

/* vet: the same before a batch script, and exactly `spares` nodes to be left out
 * (reports/validate/spares.h). Rows "spare" say which and why. Instead of the nodes' lines one
 * line on standard output, which the plugin reads (reports/core/vet.h):
 *     hpcai500-vet ok|short INDEX:NODE[,INDEX:NODE...]
 * the index in the order of the job's nodes; "short": a node that stays is bad. Where it is
 * for a person (host->before_script is not set: the run text came by srun's or salloc's option)
 * the words that a script would have, as lines for a shell's eval. */
extern const struct micro_bench micro_validate, micro_vet;

#endif
