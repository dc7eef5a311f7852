/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Acting on verdicts: one pass looks, computes what follows (plan.h) and, with `apply`,
 * does it. A pass keeps nothing in memory that the next one needs: one that is killed
 * anywhere is continued by the next.
 *
 * A pass polls slurmctld with three RPCs, whatever the number of nodes and jobs. Before
 * each write the lease is renewed and the deed filed, both on the device: without the
 * history nothing is written. A drain is written only when slurmdbd has no row of the
 * same drain since its verdict, so that a node which a person has resumed stays resumed
 * though whoever drained it died before he could say so. After a write slurmdbd's events
 * are looked at (event.h), again by the next pass when slurmdbd does not answer.
 *
 * Failure: ACT_FAILED and a sentence, with which the pass ends.
 * Threads: none.
 */
#ifndef VALIDATE_ACT_H
#define VALIDATE_ACT_H

#include "spank/validate/act_base.h"

enum act_status { ACT_DONE = 0, ACT_WAITS = 1, ACT_FAILED = 3 };

enum act_status act_pass(struct act *a, struct err *e);

#endif
