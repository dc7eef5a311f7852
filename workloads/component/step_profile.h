/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the time of training steps goes: the engine's profile (operators and parts of a
 * step), and around it the wait for samples and what lies between steps. The harness
 * calls it in each step,
 *
 *     step_profile_enter(&p, first step of an epoch)
 *     p.input += seconds waited for samples
 *     step_profile_leave(&p, bytes that were exchanged)
 *
 * and once after training step_profile_gather().
 *
 * Life:    plain data.
 * Failure: gather() -1 and a sentence, on all ranks.
 * Threads: the trainer's.
 */
#ifndef COMPONENT_STEP_PROFILE_H
#define COMPONENT_STEP_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "reports/core/result.h"
#include "workloads/comm.h"
#include "workloads/engine/engine.h"

struct step_profile {
    double (*now)(void);
    bool steady; /* begun anew after the first epoch */
    long steps;
    double inside, between; /* seconds in steps; from one step to the next of an epoch */
    double input;           /* of inside: waited for samples */
    uint64_t exchanged_bytes;
    double entered, left; /* when a step began, and the last one ended; left 0: none */
};

/* Forgets all, the engine's part too: what follows is the steady state. */
void step_profile_restart(struct step_profile *p, struct model *m);

/* A step that is not left (it failed) is in no number. */
void step_profile_enter(struct step_profile *p, bool first);
void step_profile_leave(struct step_profile *p, uint64_t exchanged_bytes);

/* Collective: fills r->profile and r->operators, the mean over the ranks. Without a
 * step r->profile.steps stays 0. All ranks have the same graph. */
int step_profile_gather(const struct step_profile *p, const struct model *m, const struct graph *g,
                        struct comm *c, struct workload_result *r, struct err *e);

#endif
