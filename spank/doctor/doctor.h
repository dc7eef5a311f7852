/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hpcai500 doctor: what keeps a run, or its record, from working here.
 *
 * doctor_main.c walks the table of checks on this machine and, when asked,
 * starts itself on the nodes (doctor_nodes.c) and brings their findings
 * together; doctor.c keeps the findings and prints them. A check adds one finding or more: how it is, what was seen, and what to do.
 *
 * Life:    the report owns copies of all texts.
 * Failure: a check that cannot look adds UNKNOWN; none fails.
 * Threads: none.
 */
#ifndef DOCTOR_DOCTOR_H
#define DOCTOR_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "reports/core/conf.h"
#include "reports/core/err.h"

/* Exit codes of monitoring verbs. */
enum doctor_status { DOCTOR_OK, DOCTOR_WARN, DOCTOR_CRITICAL, DOCTOR_UNKNOWN };

struct finding {
    enum doctor_status status;
    char node[64];
    char check[16];
    char text[320], advice[320];
};

struct doctor {
    const char *check; /* the one that runs */
    char node[64];     /* this machine, as Slurm calls it */
    bool as_node;      /* one of many: no checks of the whole site */
    int seconds;       /* that one program may take */
    struct conf config;
    bool conf_good;
    /* What plugstack says of the plugin; "" nothing. */
    char plugstack[CONF_TEXT_SIZE], plugin[CONF_TEXT_SIZE], agent[CONF_TEXT_SIZE],
        conf[CONF_TEXT_SIZE];
    int n, room;
    struct finding *findings;
};

/* Adds a finding of the running check on this machine. advice "" or NULL: none. */
void doctor_add(struct doctor *d, enum doctor_status status, const char *advice, const char *fmt,
                ...) __attribute__((format(printf, 4, 5)));
/* The same of another machine, for the parent of many. */
void doctor_put(struct doctor *d, const struct finding *f);

/* The worst: what is wrong before what is not known. */
enum doctor_status doctor_verdict(const struct doctor *d);

/* All findings on stdout, equal ones of several nodes as one; then the verdict. */
void doctor_print(const struct doctor *d, bool json);

/* Runs argv[0], looked for in PATH, for at most so many seconds; its output
 * (stdout and stderr) goes to *text (free() it, may be empty). The exit code;
 * 127: could not be started, 124: took too long and was ended, 128 + signal. */
int doctor_run(const char *const argv[], int seconds, char **text);

/* Cuts a text at its first line end. */
const char *doctor_line(char *text);

/* Finds the plugin's line in plugstack (doctor_slurm.c); before all checks. */
void doctor_find_plugin(struct doctor *d);

/* The checks. */
void doctor_config(struct doctor *d);
void doctor_plugin(struct doctor *d);
void doctor_option(struct doctor *d);
void doctor_pmix(struct doctor *d);
void doctor_agent(struct doctor *d);
void doctor_spool(struct doctor *d);
void doctor_name(struct doctor *d);
void doctor_counters(struct doctor *d);
void doctor_clock(struct doctor *d);
void doctor_disk(struct doctor *d);
void doctor_munge(struct doctor *d);
void doctor_history(struct doctor *d);
void doctor_collector(struct doctor *d);
void doctor_queues(struct doctor *d);

/* Starts this program on the nodes (NULL: all that are usable) with these
 * checks, adds their findings, and compares the nodes. */
void doctor_nodes(struct doctor *d, const char *nodes, char **checks, int n_checks);
/* What a node tells its parent, on stdout. */
void doctor_tell(const struct doctor *d);

#endif
