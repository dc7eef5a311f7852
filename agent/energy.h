/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Energy of whole nodes where the kernel shows none to a user: by the site's command, or
 * by Slurm's own plugin (acct_gather_energy). `energy` of hpcai500.conf(5) says which; the
 * counter energy_node_joules of the record has it.
 *
 *     a path    each node's first rank runs it as the workload begins and as it ends. It
 *               prints one line, what the node has taken since some moment that stays:
 *               NUMBER and J, kJ, Wh or kWh (a Redfish EnergykWh, the sum a daemon keeps
 *               of IPMI's watts). Joules are the second reading less the first; a count
 *               that went back gives none.
 *     slurm     rank 0 asks sstat for ConsumedEnergyRaw of its step, all nodes together,
 *               as often. 0 after a workload means that Slurm reads none.
 *
 * A command has ENERGY_SECONDS; what it leaves running is ended. Readings stand outside of
 * the workload's wall time. What the node takes for others in that time is in it.
 *
 * Life:    plain data of a run.
 * Failure: none: `why` says in one sentence what is missing.
 * Threads: the one that may talk to the other ranks.
 */
#ifndef AGENT_ENERGY_H
#define AGENT_ENERGY_H

#include <limits.h>
#include <stdbool.h>

#include "reports/core/err.h"
#include "workloads/comm.h"

enum { ENERGY_SECONDS = 5 };

struct energy {
    char how[PATH_MAX]; /* a path, "slurm"; "": only what the kernel shows */
    char step[64];      /* JOB.STEP for sstat; "": not under Slurm */
    bool reads;         /* this rank does: for its node, or for all */
    double begun;       /* joules as the workload began; NAN: not read */
    bool stopped;       /* its end was read: */
    double then;        /* joules */
    double joules;      /* of what this rank reads; NAN */
    double total;       /* of all nodes; NAN */
    struct err why;     /* no value, on all ranks */
};

/* Whether the site named a source. */
bool energy_asked(const struct energy *n);
/* Where it comes from, for the record. */
const char *energy_source(const struct energy *n);

/* As a workload begins; local. leader: this rank speaks for its node. */
void energy_begin(struct energy *n, const struct comm *c, bool leader);
/* As it is over, before what follows it (tests, steps that train nothing); local. Whoever does
 * not call it has that in the workload's energy. */
void energy_stop(struct energy *n);
/* At its end. Collective; -1: the exchange broke. */
int energy_end(struct energy *n, struct comm *c, struct err *e);

/* "12.5 kJ" as joules, white space around it; NAN and a sentence. */
double energy_parse(const char *text, struct err *e);

#endif
