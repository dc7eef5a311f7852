/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What one workload leaves: plain data that a workload fills, the agent
 * gathers over ranks, and the record prints. Field names are those of the
 * record (design: skeleton of the record), units in names.
 *
 * Life:    plain values; strings are copied into fixed arrays. `epochs` is
 *          the one allocation: result_fini() frees it.
 * Threads: none inside.
 */
#ifndef CORE_RESULT_H
#define CORE_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "reports/core/measure.h"

/* Where a rank's wall time goes: phases.def. FIRST_EPOCH holds all training
 * steps of the first epoch, so that the later ones are steady state. */
enum phase {
#define PHASE(symbol, name, inside, title) PHASE_##symbol,
#include "reports/core/phases.def"
    PHASE_COUNT
};

const char *phase_name(enum phase p);  /* "exposed_allreduce", ... */
const char *phase_title(enum phase p); /* what it is, in a few words */
bool phase_inside_step(enum phase p);  /* a part of training steps */

/* A quality metric: a row of metrics.def. */
struct result_metric {
    const char *name, *unit, *title;
    bool higher_is_better;
    double most; /* INFINITY: any; the least is 0 */
};

/* Index of a metric by its name, -1: none. */
int metric_find(const char *name);

/* Row i, NULL past the end. */
const struct result_metric *metric_of(int i);

enum {
#define METRIC(name, better, most, unit, title) METRIC_OF_##name,
#include "reports/core/metrics.def"
    METRIC_COUNT
};

/* Status of a run and of a workload. */
enum run_status { RUN_COMPLETE, RUN_PARTIAL, RUN_CRASHED };

struct result_epoch {
    int epoch;                 /* from 1 */
    double seconds;            /* training part, slowest rank */
    double input_wait_seconds; /* of it, slowest rank; NAN unknown */
    double train_loss;
    struct measure train_quality; /* same metric as quality, on training samples seen; no value:
                                   * what it would take (mAP, KS: a second evaluation) */
    double quality;               /* on the validation set; NAN when not evaluated */
};

struct result_stalls {
    long steps;   /* training steps in all */
    long stalled; /* steps longer than 1.5 x the median */
    double stalled_seconds;
};

/* Reference convergence point that the class carries, 0 seeds: none. */
struct result_rcp {
    int seeds;
    double mean_epochs;
    double std_epochs;
    double min_epochs; /* fewer epochs than this is not plausible */
};

/* A quality beside the primary one, of the evaluation that gave the primary
 * its `achieved`: signal efficiency, IoU of one class, false rejects, ... */
struct result_quality {
    char name[32];        /* a row of metrics.def, or it is hidden in a confidential record */
    struct measure value; /* no value: why (no defect in the set, 0 / 0, ...) */
    double target;        /* NAN or 0: none; it never decides whether the run converged */
    bool higher_is_better;
};

enum { RESULT_MAX_OTHERS = 8 };

struct workload_result {
    char name[32];
    char suite[32];
    char class_name[16];
    char engine[16];
    char dtype[8];
    int ranks;
    int threads;
    long batch;                 /* global */
    uint64_t parameters;        /* trainable */
    char hyper_parameters[512]; /* "sgd momentum=0.9 lr=0.001 warmup_epochs=4"; no seed */
    char data_origin[16];       /* generated, published, look-alike, private */
    char data_path[576];
    char data_manifest_sha256[65]; /* "" when there is none */
    uint64_t train_samples;
    uint64_t eval_samples;
    uint64_t sample_bytes; /* as stored, mean */
    double
        data_made_seconds; /* wall time in staging spent making the set or waiting for it; 0: none */

    enum run_status status;
    bool valid;
    char reason[256]; /* why not valid or not complete; "" */

    /* quality */
    char metric[32]; /* "mae" */
    bool higher_is_better;
    double target;
    struct measure achieved;
    double baseline;                /* best trivial: constant predictor */
    struct measure baseline_domain; /* field's own: ridge on log P(k), ... */
    char baseline_domain_name[48];
    struct result_quality others[RESULT_MAX_OTHERS];
    int n_others;
    int epochs_to_target; /* 0: not reached */
    struct result_rcp rcp;

    /* performance; steady state = epochs after the first */
    struct measure samples_per_second;
    double flop_per_sample;         /* as executed: no data gradient of the input layer */
    double flop_per_sample_3x;      /* 3 x forward, as HPC AI500 counts */
    struct measure flop_per_second; /* flop_per_sample x samples_per_second */
    struct measure time_to_quality_seconds;
    struct measure vflops_n5; /* FLOPS x (achieved/target)^n; inverted when lower is better */
    struct measure vflops_n10;
    uint64_t arena_bytes; /* planned */
    struct result_stalls stalls;

    /* this rank's; the agent gathers them */
    double phase_seconds[PHASE_COUNT];
    double wall_seconds;

    struct result_epoch *epochs;
    int n_epochs;
};

/* Frees what the struct owns; the struct is then empty. */
void result_fini(struct workload_result *r);

/* Appends a copy of *q. -1 when there are RESULT_MAX_OTHERS already. */
int result_add_other(struct workload_result *r, const struct result_quality *q);

/* Appends a copy of *row. -1 only when out of memory. */
int result_add_epoch(struct workload_result *r, const struct result_epoch *row);

/* VFLOPS = FLOPS x (achieved / target)^n (HPC AI500 V2); target / achieved
 * where lower is better. */
double result_vflops(double flop_per_second, double achieved, double target, bool higher_is_better,
                     int n);

#endif
