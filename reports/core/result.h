/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What one workload leaves: plain data that a workload fills, the agent
 * gathers over ranks, and the record prints. Field names are those of the
 * record (design: skeleton of the record), units in names.
 *
 * Life:    plain values; strings are copied into fixed arrays. `epochs` and
 *          `operators` are the two allocations: result_fini() frees them.
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

/* Parts of phases: splits.def. */
enum phase_part {
#define SPLIT(phase, name, title) SPLIT_##phase##_##name,
#include "reports/core/splits.def"
    SPLIT_COUNT
};

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
    /* Length of a step, 50 and 99 % (nearest rank) and the longest; 0: not timed. */
    double median_seconds, p99_seconds, most_seconds;
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

/* One pass of one operator of the network, summed over the calls of a profile. Per
 * rank: the mean over the ranks. */
struct result_operator {
    char name[48]; /* in the graph: "conv1" */
    char op[16];   /* its kind: "conv" */
    char pass[16]; /* "forward", "data" (gradient), "weights" (their gradient), ... */
    /* The library's name of its implementation, "own": a kernel of this project, "host",
     * "ranks": a sum over the ranks. */
    char implementation[48];
    char dtype[8]; /* "f32", "bf16" */
    uint64_t calls;
    double seconds;
    double least_seconds; /* of one call, any rank; NAN: none */
    double flop;          /* as flop_per_sample counts: products only, padding counted */
    double needed_flop;   /* of them: without those of padding */
    double bytes; /* that it must move: each tensor and parameter that it reads, and each that
                   * it writes, once a call */
};

/* Where the time of a rank's training steps went: seconds over all steps of the profile,
 * the mean over the ranks. What follows step_seconds sums to it. */
struct result_profile {
    long steps;  /* 0: the epoch was not walked */
    bool steady; /* steps after the first epoch; else there was no other */
    double step_seconds;
    double operators_seconds; /* all of them */
    double feed_seconds;      /* samples into the network */
    double zero_seconds;
    double exchange_seconds; /* sums of gradients: started, moved on between operators */
    double wait_seconds;     /* ... waited for: the exposed exchange */
    double update_seconds;   /* optimiser */
    double read_seconds;     /* loss and quality out of the network */
    double input_seconds;    /* waited for samples */
    double agree_seconds;    /* between steps: agreement of the ranks, progress line */
    double other_seconds;
    uint64_t exchanged_bytes; /* of gradients handed to the exchange, all steps, one rank */
    int n_operators;          /* of result.operators, most seconds first */
};

/* The slowest path through training steps, walked over all ranks: seconds of a mean
 * step, no wait for others among them; what follows period_seconds sums to it. */
struct result_path {
    long steps; /* 0: no profile was kept, and all else is 0 */
    double period_seconds;
    double input_seconds;
    double compute_seconds;
    double withheld_seconds;     /* wanted to run and had no core */
    double exchange_cpu_seconds; /* software of the exchange */
    double wire_seconds;         /* everybody had arrived */
    double met_seconds;          /* of wire: sums over the ranks inside forward and backward */
    double update_seconds;
    double agree_seconds;
    double other_seconds;
};

/* A measured value: the median of its readings, and an interval around it. */
struct result_value {
    double value, low, high; /* NAN: not measured */
};

/* What messages that a rank received cost while it trained: workloads/component/wire.h. */
struct result_wire {
    long sums;                       /* that tell it; 0: all else is 0 */
    double least_bytes, most_bytes;  /* of a message of them */
    struct result_value alpha, rate; /* seconds of a message beside its bytes; bytes per second */
};

/* One rank in the steady state, for comparing nodes; the agent gathers it. NAN:
 * not known. */
struct result_rank {
    long steps;                           /* 0: no steady state */
    double last;                          /* part of the steps in which it arrived last */
    double compute_error, withheld_error; /* standard errors of a step's means [s] */
    double late_seconds;                  /* run delay of a step while it waited for the exchange */
    double half_seconds;                  /* last arrival to the end of a sum's first half, mean */
    double lead_seconds;                  /* first bucket ready to the last one ready, mean */
    /* Of the loader, for a batch, all workers together: the sum of the three, and CPU time. */
    double produce_seconds;
    double read_seconds, inflate_seconds, convert_seconds;
    double read_cpu_seconds, inflate_cpu_seconds, convert_cpu_seconds;
    double find_seconds; /* of reading: until files were found and open */
    double read_gain;    /* rate of several readers / of one; NAN: there were too few of either */
    double file_bytes, memory_bytes; /* of samples in the steady state, by where they were */
    double ready;                    /* batches that were ready when one was asked for, mean */
    bool keeping;                    /* the loader keeps decoded samples in memory */
    double yardstick_seconds; /* of CPU, of a convolution of the yardstick; 0: there was none */
    struct result_wire wire;
};

/* Seconds of one piece of work at the start, mean of all readings after that, and at the
 * end: means over the ranks. */
struct result_reading {
    double start, mean, end;
};

/* How fast the processor was: workloads/component/yardstick.h. */
struct result_yardstick {
    char what[64]; /* "": there was none */
    int readings;
    struct result_reading wall, cpu; /* of the convolution */
    struct result_reading chain;     /* of one multiplication */
    double peak;                     /* FLOP/s that a rank could reach, mean over the ranks */
    double speed;                    /* start / mean of cpu, mean over the ranks ... */
    double least_speed;              /* ... and of the rank that slowed down most */
};

/* How rank clocks were compared. */
struct result_clock {
    char method[24];      /* "one rank", "same kernel", "ping-pong"; "": not at all */
    double bound_seconds; /* of the worst rank */
    bool split;           /* skew and wire could be told apart */
    /* Of the path's wire, seconds of a mean step of the steady state: what the clocks may have
     * it wrong; and the wait of the rank that waited least, which no clock is in. */
    double wire_error_seconds, least_wait_seconds;
};

/* Arms of an ablation: ablation.def. */
enum ablation_arm_kind {
#define ARM(symbol, name, rebuild, title) ARM_##symbol,
#include "reports/core/ablation.def"
    ARM_COUNT
};

/* The run delay is asked for three times in a step, unless that costs more than 1 % of it. */
struct result_asking {
    double seconds; /* that it costs in a step, of the slowest rank; 0: never asked */
    long every;     /* one of so many steps after the first epoch is asked */
};

enum { RESULT_SUMS = 3, RESULT_LINKS = 8 };

/* The transport's own test: workloads/component/transport.h. Rank 0's. */
struct result_transport {
    int rounds;           /* 0: none was made */
    char reason[96];      /* why not; "": it was */
    double pause_seconds; /* before each message */
    struct result_sum {
        double bytes;
        int phases; /* 1: each rank sends all of it to all; 2: a piece, then the piece's sum */
        struct result_value seconds;
    } sum[RESULT_SUMS];           /* the smallest first; the last is as large as a bucket */
    struct result_value alpha;    /* seconds of a message */
    struct result_value software; /* of a phase of a sum that no byte and no message takes */
    struct result_value rate;     /* bytes per second, of the median link */
    int n_links, links;           /* that are kept, the slowest first; that were measured */
    struct result_link {
        int from, to; /* ranks */
        struct result_value alpha, rate;
    } link[RESULT_LINKS];
};

enum { RESULT_ROUNDS = 8 };

/* Blocks of steps with something taken away, rounds of one block of each arm. */
struct result_ablation {
    int rounds;      /* 0: none was made */
    long steps;      /* that a block counts */
    char reason[96]; /* why nothing can be said; "": it can */
    bool made[ARM_COUNT];
    double seconds[RESULT_ROUNDS][ARM_COUNT]; /* of a step of the block, slowest rank */
    double delay[RESULT_ROUNDS][ARM_COUNT];   /* run delay over time, of the rank with most */
};

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
    double tokens_per_sample;       /* 0: the network has none */
    double tokens_per_second;       /* tokens_per_sample x samples_per_second; 0: none */
    double mfu; /* model FLOP utilisation: flop_per_second / (ranks x yardstick.peak); 0: none */
    struct measure time_to_quality_seconds;
    struct measure vflops_n5; /* FLOPS x (achieved/target)^n; inverted when lower is better */
    struct measure vflops_n10;
    uint64_t arena_bytes; /* planned */
    struct result_stalls stalls;

    struct result_profile profile; /* over the ranks already */

    struct result_transport transport;
    struct result_ablation ablation;
    struct result_path path, first_path; /* steady state; first epoch */
    struct result_clock clock;
    struct result_asking asking;
    struct result_yardstick yardstick;

    /* this rank's; the agent gathers them */
    struct result_rank rank;
    double phase_seconds[PHASE_COUNT];
    double split_seconds[SPLIT_COUNT];
    double wall_seconds;

    struct result_epoch *epochs;
    int n_epochs;
    struct result_operator *operators; /* of the profile */
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
