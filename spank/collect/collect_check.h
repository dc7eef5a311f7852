/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Can it be true? What a record says of itself against what root saw of its
 * job. The collector refuses what cannot be, `hpcai500 verify` shows it.
 *
 * The bounds are generous: they find another job's record, an edited number
 * and a wrong clock, never a fast machine. One table (collect_check.c) holds
 * them, each with its reason. FLOP/s are bounded by what root's epilog read of
 * its node: processors x 6.5 GHz x the operations in a cycle that their flags
 * allow (spank/witness/machine.h); quality by the class's target.
 *
 * What is within the bounds is possible, not proven: root saw the file, not
 * the run.
 *
 * Life:    borrows everything for the call.
 * Failure: -1 and a sentence with the value and the bound.
 * Threads: pure functions.
 */
#ifndef COLLECT_COLLECT_CHECK_H
#define COLLECT_COLLECT_CHECK_H

#include <stdbool.h>

#include "reports/core/err.h"
#include "reports/history/history.h"
#include "spank/relay/witness.h"

struct cJSON;

struct claim {
    const struct cJSON *doc;       /* of record_parse() */
    const struct history_run *run; /* of history_claim() */
    const struct witness *seen;
};

/* One bound: its name and why it is where it is; NULL past the end. */
struct check_row {
    const char *name, *reason;
};
const struct check_row *check_row(int i);

/* Bound i; a value that is not there (null) is within. */
int check_one(int i, const struct claim *c, struct err *e);

/* All of them; the sentence is of the first that does not hold. */
int check_all(const struct claim *c, struct err *e);

/* The runs of one job together: *spent (0 before the first) is what they took
 * of it, wall time (0.1 s at least) times ranks times threads, and must stay
 * within four times what its nodes have (steps may overlap). This one's is
 * added when it holds. */
int check_sum(const struct claim *c, double *spent, struct err *e);

#endif
