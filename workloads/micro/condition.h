/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What else goes on while a benchmark measures: read before and after each
 * sample, summed over the samples of a row.
 *
 * Life:    plain data.
 * Failure: what the system does not show is NAN.
 * Threads: reads those of the whole process.
 */
#ifndef MICRO_CONDITION_H
#define MICRO_CONDITION_H

/* Totals since some time, but clock and temperature, which are of now. */
struct condition {
    double wall;      /* seconds */
    double delay;     /* seconds that threads of this process waited for a core */
    double throttled; /* seconds that a quota of its cgroup, or of one above, kept it back */
    double busy;      /* processor seconds of the node, of whoever, host's steal included */
    double own;       /* processor seconds of this process */
    double hertz;     /* least clock of the processors it may use */
    double celsius;   /* hottest sensor */
};

void condition_read(struct condition *c, double now);

/* Adds what happened between two readings; clock: the least, temperature: the most. */
void condition_add(struct condition *sum, const struct condition *before,
                   const struct condition *after);

/* Nothing yet. */
struct condition condition_none(void);

#endif
