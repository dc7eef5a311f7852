/* SPDX-License-Identifier: BSD-3-Clause */
/* The inside of struct counters, for what is not a back end, and for cgroup.c,
 * which asks whether the process is a job's. */
#ifndef PAPI_STATE_H
#define PAPI_STATE_H

#include "papi/backend.h"

enum { PATH_BYTES = 512 };

struct file {
    char path[PATH_BYTES];
    int first; /* source */
};

/* What was added up of one counter. */
struct row {
    int sources;
    bool barred; /* off for good in spite of sources */
    char from[SOURCE_TEXT_BYTES];
    char off[REASON_BYTES]; /* no source: why */
    uint64_t domain;
    double ratio;
    double sum[PHASE_COUNT]; /* PEAK: highest; LEVEL: sum of readings */
    long readings[PHASE_COUNT];
    const char *lost[PHASE_COUNT]; /* not NULL: the phase has no value; kept */
};

/* Whether anything is behind the counter. */
static inline bool row_counts(const struct row *r)
{
    return r->sources > 0 && !r->barred;
}

struct counters {
    char root[PATH_BYTES / 2];
    uint64_t machine; /* hash of the boot id */
    counters_canned_fn *canned;
    void *canned_ctx;
    bool in_job; /* see counters_options */
    struct file *files;
    int n_files;
    struct source *sources;
    int n_sources;
    char **kept; /* reasons, until close */
    int n_kept;
    struct row rows[COUNTER_COUNT];
    void *state[BACKEND_COUNT];
    bool open[BACKEND_COUNT];
    bool running;
    enum phase phase;
    uint64_t entered;    /* bits 1u << phase */
    double last_seconds; /* clock of the last reading */
    struct counters_cost cost;
    char buf[FILE_BYTES];
};

/* Knows the machine from here on: counter_domain() is about it. */
void sources_machine(struct counters *c);

#endif
