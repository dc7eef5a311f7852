/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From SPOOL/out into the history: the collector's one pass.
 *
 * A bundle is opened and hashed once (collect_judge.h). Bundles of one job
 * stand one behind the other when names are sorted, and are filed together
 * (collect_file.h), each start of a requeued job for itself: each record that
 * is what root saw and can be; for a run that left journals only, a partial
 * record from the journals of all nodes (collect_journals.h); for a job that
 * asked and left nothing, that. A bundle goes only after the history has
 * committed what was in it; a pass that dies anywhere is made good by the
 * next one, which files the same again. What is refused goes into the
 * quarantine with its reason, one line a bundle.
 *
 * A job without a record is waited for, up to `grace` seconds after its last
 * bundle, until all of its nodes have sent theirs.
 *
 * Life:    none.
 * Failure: -1 and a sentence: nothing can be filed now (no munged, no disk, no
 *          folder). Bundles that could not be are then still there.
 * Threads: one.
 */
#ifndef COLLECT_COLLECT_PASS_H
#define COLLECT_COLLECT_PASS_H

#include "reports/core/err.h"
#include "spank/collect/collector.h"

int collect_pass(struct collector *c, struct err *e);

#endif
