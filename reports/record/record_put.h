/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parts of a record's text, each in a file of its own; record_json.c
 * calls them.
 *
 * Failure: -1 only when out of memory.
 */
#ifndef RECORD_RECORD_PUT_H
#define RECORD_RECORD_PUT_H

#include "reports/record/record_fields.h"

/* What grows with the machine, halved until the text fits. */
struct record_limits {
    int nodes;          /* rows of system.nodes */
    int names;          /* of job.nodes and job.plugin_remote */
    int epochs;         /* per workload */
    int worst;          /* ranks per phase */
    int operators;      /* rows of a profile */
    int micro, samples; /* rows of micro benchmarks, samples of each */
};

/* record_system.c: system and job of doc. */
int record_put_system(cJSON *doc, const struct record *r, const struct record_limits *limit,
                      const struct nulls *n);
int record_put_job(cJSON *doc, const struct record *r, const struct record_limits *limit,
                   const struct nulls *n);

/* record_ranks.c: of workload w's object o. */
int record_put_phases(cJSON *o, const struct record *r, const struct record_workload *w,
                      const struct record_limits *limit, const struct nulls *n);
int record_put_counters(cJSON *o, const struct record *r, const struct record_workload *w,
                        const struct nulls *n);

/* record_profile.c: `profile` of workload w's object o. */
int record_put_profile(cJSON *o, const struct workload_result *w, const struct record_limits *limit,
                       const struct nulls *n);

/* record_profile.c, too: `roofline` of it. */
int record_put_roofline(cJSON *o, const struct record_workload *w, const struct nulls *n);

/* record_why.c: `path`, `first_path`, `clock`, `yardstick`, `loader`, `transport` and `why` of
 * workload w's object o. */
int record_put_why(cJSON *o, const struct record *r, const struct record_workload *w,
                   const struct nulls *n);

/* record_micro.c: `micro` of doc. */
int record_put_micro(cJSON *doc, const struct record *r, const struct record_limits *limit,
                     const struct nulls *n);
/* Who measured which samples of row m, for the ranks' file. */
cJSON *record_micro_samples(const struct record *r, const struct micro_row *m);

/* record.c: room for one more row of `size` bytes; doubles at powers of two; the
 * array moves only when this succeeds. A copy of so many bytes. Why there is no
 * value, kept by the record. */
void *record_grown(void *rows, int n, size_t size);
void *record_copied(const void *p, size_t bytes);
void record_keep_reason(struct record *r, struct measure *m);

#endif
