/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hpcai500-agent: one run, from the run text to the record, on every rank.
 * A test links it with workloads of its own.
 */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

/* Exit codes (design: places on a site). */
enum agent_exit {
    AGENT_OK = 0,
    AGENT_FAILED = 1, /* failed or not valid */
    AGENT_USAGE = 2,
    AGENT_COULD_NOT_RUN = 3,
    AGENT_PARTIAL = 4
};

/* main(); may also end the process itself when a peer is gone, for then MPI
 * cannot be ended in an orderly way. */
int agent_main(int argc, char **argv);

#endif
