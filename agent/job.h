/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Slurm job that this process belongs to, as its environment says.
 *
 * Life:    no state. Failure: none. Threads: any.
 */
#ifndef AGENT_JOB_H
#define AGENT_JOB_H

#include "reports/record/record.h"

/* job->present is false outside of Slurm. */
void job_read(struct record_job *job);

/* Whether the job had its nodes to itself: 1 when it had every hardware thread
 * of them, 0 when it had fewer processors than they have cores, -1 when Slurm
 * says too little: a site may count threads or cores as processors, and nodes
 * must be all of the job's. (Two jobs on the same processors, which a
 * partition's OverSubscribe=FORCE allows, are not seen.) */
int job_exclusive(const struct record_node *nodes, int n);

/* Seconds until the job's time is over; NAN when Slurm does not say. */
double job_seconds_left(void);

/* The name of this node: Slurm's (NodeName) in a job, else the host name. A host
 * name may be an alias or have a domain; accounting and root's witness go by
 * Slurm's. */
const char *job_node_name(char *name, size_t size);

/* A number from the environment, -1 when it is not set or none. */
long job_number(const char *variable);

#endif
