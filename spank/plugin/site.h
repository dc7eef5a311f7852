/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the site says in plugstack.conf: the arguments after the plugin's name.
 * One table (site.c) drives parsing, defaults and sentences; the man page
 * spank-hpcai500(8) describes them.
 *
 * Life:    plain data; strings are borrowed from Slurm's argv, which lives as
 *          long as the plugin.
 * Failure: -1 and a sentence.
 */
#ifndef PLUGIN_SITE_H
#define PLUGIN_SITE_H

#include <stdbool.h>

#include "reports/core/err.h"

enum { SITE_MAX_AGENTS = 16 };

struct site {
    /* agent=[PARTITION:]PATH, repeatable: one agent per MPI flavour */
    struct {
        const char *partition; /* not terminated: partition_length bytes */
        int partition_length;
        const char *path;
    } agents[SITE_MAX_AGENTS];
    int n_agents;
    const char *conf;       /* configuration file for the agent; NULL */
    const char *spool;      /* in the place of the configuration's; NULL */
    const char *witness;    /* program for prolog and epilog; NULL: none */
    const char *srun;       /* path of srun on the nodes; NULL: in PATH */
    const char *partitions; /* a,b,c; NULL: all */
    double max_node_hours;  /* for one run; 0: no cap */
    bool reexec;            /* srun without a command becomes srun with the agent */
    bool step;              /* srun runs the agent before another command */
    bool batch;             /* batch scripts are preceded by the agent */
};

/* Fills s from defaults and the arguments KEY=VALUE. */
int site_parse(struct site *s, int argc, char *const argv[], struct err *e);

/* The agent for that partition (NULL: not known), else the last one that was
 * given for all, else the one installed with the plugin. */
const char *site_agent(const struct site *s, const char *partition);

/* Whether the partition is on the allow-list. */
bool site_has_partition(const struct site *s, const char *partition);

#endif
