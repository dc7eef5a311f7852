/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which kind of trouble the nodes of a site have: priors by which hpcai500-node chooses tests
 * for a budget. Of the newest CAUSES_RECENT verdicts that named a node (SUSPECT, SLOW,
 * FAULTY), by the metric or test that decided:
 *
 *     p_f = (verdicts of cause f + W shipped_f) / (verdicts + W),   W = 10
 *
 * so that without a history the shipped priors stand, and ten verdicts weigh as much as they.
 *
 * Failure: none. Threads: pure functions.
 */
#ifndef VALIDATE_CAUSES_H
#define VALIDATE_CAUSES_H

#include "reports/validate/verdicts.h"

enum { CAUSES_RECENT = 1000, CAUSES_SIZE = 160 };

/* As --priors of hpcai500-node takes them: "network:0.4,memory:0.2,..."; "" when no verdict
 * named a node. */
void causes_text(const struct verdict_line *v, int n, char text[CAUSES_SIZE]);

#endif
