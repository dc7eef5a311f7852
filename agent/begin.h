/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Before MPI: the command line, what needs no run to be answered, and whether
 * this process is inside another agent's step.
 */
#ifndef AGENT_BEGIN_H
#define AGENT_BEGIN_H

#include "agent/run.h"

/* Says the sentence on standard error, once for all ranks: only rank 0 speaks,
 * and it speaks before the others end. */
void begin_complain(const char *sentence);

/* Reads the command line into r->o and r->spec, answers what needs no MPI, and
 * marks the environment as an agent's. Returns the exit code, -1: go on. */
int begin_run(struct run *r, int argc, char **argv);

#endif
