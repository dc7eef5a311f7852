/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hpcai500 validate --nodes LIST | --reservation NAME: nodes are measured by jobs, what
 * stands out is measured again, and verdicts are filed. It changes nothing in Slurm.
 *
 * A job's script has two parts: the node part, one `srun --mpi=none` in which every task
 * is alone (hpcai500-node), and the part of links, one MPI step (the agent's p2p); a step
 * that fails is tried once more in halves, so that a node that cannot start is found. A
 * confirmation job repeats what stood out on those nodes and on controls, `spacing`
 * seconds apart. All that the nodes say goes into files of one folder, which they must
 * see, and is judged from there by pure functions (reports/validate/assess.h).
 *
 * Life:    measure_init(), measure_fini().
 * Failure: -1 and a sentence. What a node could not do is its verdict and no failure.
 * Threads: one.
 */
#ifndef VALIDATE_MEASURE_H
#define VALIDATE_MEASURE_H

#include <limits.h>
#include <stdbool.h>

#include "reports/core/err.h"
#include "reports/validate/assess.h"

enum { MEASURE_JOBS = 6 };

struct measure_options {
    const char *nodes, *reservation; /* one of them; both: those nodes of it */
    const char *profile;             /* of hpcai500-node */
    const char *folder;              /* NULL: beside the history */
    const char *only;                /* tests; NULL: as the profile says */
    const char *partition, *account; /* NULL: the user's own */
    const char *mpi;                 /* of srun; NULL: the site's default; "none": no links */
    const char *node_program;        /* another build of hpcai500-node; NULL */
    const char *agent;               /* another agent; NULL */
    const char *conf;                /* NULL: the site's */
    const char *tests_folder;        /* of the nodes' own disk; NULL: /tmp */
    long budget, calls, samples;     /* 0: the profile's */
    long spacing;                    /* seconds between rounds */
    long patience;                   /* seconds until a job must have started */
    long minutes;                    /* limit of a job; 0: from the profile */
    bool turns;                      /* one node at a time: nodes that share cores */
    bool dry_run, json, quiet;
    const char *junit; /* file; NULL */
};

struct measure {
    const struct measure_options *o;
    char folder[PATH_MAX - 128], history[PATH_MAX];
    char node_program[PATH_MAX], agent[PATH_MAX];
    char run[64];
    int n;
    char (*names)[256]; /* [n] */
    const char **list;  /* [n]: the same */
    bool *there;        /* [n]: Slurm would start a job on it */
    struct assess *assess;
    struct past *past;
    struct baseline *baselines; /* malloc */
    int n_baselines;
    char priors[160]; /* for a budget, of the verdicts so far; "" the shipped ones */
    long job;         /* the last */
};

int measure_init(struct measure *m, const struct measure_options *o, struct err *e);
void measure_fini(struct measure *m);

/* Nodes by name, and which of them are up: measure_slurm.c */
int measure_nodes(struct measure *m, struct err *e);

/* A job: which nodes, which rounds, which tests. */
struct measure_job {
    const char *name; /* "look", "confirm-1": of its files */
    const int *nodes; /* indices */
    int n;
    int from, rounds; /* numbers of the rounds */
    const char *only; /* tests of the node part; NULL: the profile's; "": no node part */
    bool links;
};

/* The script, as text to free(); NULL: out of memory. */
char *measure_script(const struct measure *m, const struct measure_job *j);
/* The command that submits it, for people. */
void measure_command(const struct measure *m, const struct measure_job *j, char *text, int size);
/* Seconds that it is expected to take. */
double measure_seconds(const struct measure *m, const struct measure_job *j);

/* Submits, waits to its end, hands over all that the nodes said. */
int measure_run(struct measure *m, const struct measure_job *j, struct err *e);

/* One line of progress, with the time. */
void measure_say(const struct measure *m, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
