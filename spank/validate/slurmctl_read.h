/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What hpcai500-slurmctl reads of slurmctld. It alone includes this: it is linked with
 * libslurm.
 *
 * Failure: enum slurmctl_code and a sentence.
 * Threads: one.
 */
#ifndef VALIDATE_SLURMCTL_READ_H
#define VALIDATE_SLURMCTL_READ_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <slurm/slurm.h>

#include "reports/core/err.h"
#include "spank/validate/node.h"
#include "spank/validate/slurmctl.h"

/* What libslurm's last error comes to, with its words: "WHAT NAME: ...". */
enum slurmctl_code read_failed(struct err *e, const char *what, const char *name);

/* Words of node_flags.def of Slurm's bits of a node's state. */
unsigned read_flags(uint32_t state);

/* Prints `before` and the node's line. */
void read_print(const char *before, const struct node *n);

/* Prints "nodes TIME N" and a line for each, or "same TIME". One RPC. */
enum slurmctl_code read_nodes(time_t since, struct err *e);

enum slurmctl_code read_node(char *name, struct node *n, struct err *e);

struct reservation {
    char *nodes, *users; /* malloc */
    long long end;
    bool maintenance, ignores_jobs, specific;
};

/* One RPC; reservation_fini() also after a failure. */
enum slurmctl_code reservation_read(const char *name, struct reservation *r, struct err *e);
void reservation_fini(struct reservation *r);
void reservation_print(const struct reservation *r);

/* `look RESERVATION` and `look - NODES`: all that a poll needs, three RPCs. */
enum slurmctl_code read_look(char **word, struct err *e);
/* `events NODE SINCE UNTIL`: of slurmdbd. */
enum slurmctl_code read_events(char **word, struct err *e);

#endif
