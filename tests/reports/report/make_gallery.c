/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * make_gallery DIR: a golden record of each state that a report must survive,
 * by the writer of records itself. Their numbers are made here and fit each
 * other: the phases of a rank sum to its wall time, FLOP/s are work times speed.
 *
 *     whole again third   four nodes, three trainings and ceilings; repeats of it
 *     faster              the same on another network, the exchange shorter
 *     held                the same with a diagnosis, an operator profile and the
 *                         ceilings of every level, of the exchange and of reading
 *     several             the same where no single bottleneck explains the waits
 *     partial invalid     stopped early; a loss that is not finite
 *     alone               one rank on one node, no Slurm, no network row
 *     ceilings            no training
 *     hostile             names that act where they are not escaped
 *     thousands           20,000 ranks on 10,000 nodes
 */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/record/record.h"
#include "tests/reports/record/sample.h"

enum { RANKS_MOST = 20000, EPOCHS = 12 };

struct kind {
    const char *name;
    long job;
    int nodes, ranks;
    double day;      /* after the first */
    double exchange; /* of the exchange's seconds */
    double speed;    /* of everything */
    bool ceilings, trainings, hostile;
    enum { PLAIN, HELD, SEVERAL } diagnosed;
};

struct work {
    const char *name, *metric;
    bool higher;
    double target, reached, baseline, field, flop_per_sample, samples;
    double seconds[PHASE_COUNT];
};

static const struct work works[] = {
    {"cosmoflow",
     "mae",
     false,
     0.31,
     0.3,
     0.503,
     0.35,
     0.21e9,
     12288,
     {[PHASE_STAGING] = 2,
      [PHASE_FIRST_EPOCH] = 8,
      [PHASE_COMPUTE] = 40,
      [PHASE_INPUT_WAIT] = 42,
      [PHASE_EXPOSED_ALLREDUCE] = 2,
      [PHASE_IMBALANCE] = 1,
      [PHASE_EVALUATION] = 6,
      [PHASE_OTHER] = 1}},
    {"hep",
     "auc",
     true,
     0.975,
     0.981,
     0.5,
     0.93,
     0.05e9,
     98304,
     {[PHASE_STAGING] = 1,
      [PHASE_FIRST_EPOCH] = 4,
      [PHASE_COMPUTE] = 37,
      [PHASE_INPUT_WAIT] = 2,
      [PHASE_EXPOSED_ALLREDUCE] = 36,
      [PHASE_IMBALANCE] = 4,
      [PHASE_EVALUATION] = 6,
      [PHASE_OTHER] = 1}},
    {"defect",
     "mean_iou",
     true,
     0.45,
     0.52,
     0.2,
     0.4,
     0.4e9,
     12288,
     {[PHASE_STAGING] = 1,
      [PHASE_FIRST_EPOCH] = 7,
      [PHASE_COMPUTE] = 84,
      [PHASE_INPUT_WAIT] = 1,
      [PHASE_EXPOSED_ALLREDUCE] = 2,
      [PHASE_IMBALANCE] = 3,
      [PHASE_EVALUATION] = 6,
      [PHASE_OTHER] = 1}},
};
enum { WORKS = sizeof works / sizeof *works };

static const char act[] = "<script>document.title=1</script>";

/* ---- where it ran ---- */

static void add_nodes(struct record *r, const struct kind *k)
{
    for (int i = 0; i < k->nodes; i++) {
        struct record_node node = {.class_name = "EPYC 9354 | none | eth0 | H13",
                                   .plugin_remote = true};
        if (k->hostile)
            snprintf(node.name, sizeof node.name, "%s%d", act, i);
        else
            snprintf(node.name, sizeof node.name, "n%d", i + 1);
        snprintf(node.build_id, sizeof node.build_id, "0123456789ab");
        record_fact_text(&node.inventory[INVENTORY_cpu_model], k->hostile ? act : "AMD EPYC 9354");
        record_fact_number(&node.inventory[INVENTORY_cores], 64);
        record_fact_number(&node.inventory[INVENTORY_memory_bytes], 384e9);
        record_fact_number(&node.inventory[INVENTORY_network_mbit_per_second],
                           k->exchange < 1 ? 50000 : 25000);
        record_add_node(r, &node);
    }
}

/* ---- diagnoses: the parts of a step are those of the phases ---- */

enum { STEPS = 1536 };

static const struct record_why whys[] = {
    {.cause = "storage_bandwidth",
     .confirmed = true,
     .visible = 0.46,
     .jitter = 0.01,
     .causes = {{.cause = "storage_bandwidth", .node = "", .share = 0.46}},
     .n_causes = 1},
    {.cause = "network_bandwidth",
     .node = "n2",
     .visible = 0.42,
     .jitter = 0.02,
     .whole = "evaluation",
     .causes = {{.cause = "network_bandwidth", .node = "n2", .share = 0.40},
                {.cause = "storage_latency", .node = "", .share = 0.02}},
     .n_causes = 2},
    {.cause = "processor", .visible = 0.04, .jitter = 0.03}};

static const struct record_why several = {
    .cause = "no_single_bottleneck",
    .visible = 0.44,
    .jitter = 0.02,
    .causes = {{.cause = "storage_latency", .node = "", .share = 0.24},
               {.cause = "network_latency", .node = "", .share = 0.2}},
    .n_causes = 2};

static void add_path(struct result_path *p, const double *seconds)
{
    *p =
        (struct result_path){.steps = STEPS - 1,
                             .input_seconds = seconds[PHASE_INPUT_WAIT] / STEPS,
                             .compute_seconds = 0.96 * seconds[PHASE_COMPUTE] / STEPS,
                             .update_seconds = 0.04 * seconds[PHASE_COMPUTE] / STEPS,
                             .withheld_seconds = seconds[PHASE_IMBALANCE] / STEPS,
                             .exchange_cpu_seconds = 0.1 * seconds[PHASE_EXPOSED_ALLREDUCE] / STEPS,
                             .wire_seconds = 0.9 * seconds[PHASE_EXPOSED_ALLREDUCE] / STEPS};
    p->period_seconds = p->input_seconds + p->compute_seconds + p->update_seconds +
                        p->withheld_seconds + p->exchange_cpu_seconds + p->wire_seconds;
}

/* Four operators that share the compute of STEPS steps: two near their roof, one of
 * memory, one far below. */
static void add_profile(struct workload_result *v, const double *seconds)
{
    static const struct {
        const char *name, *op, *pass;
        double part, flop, intensity;
    } rows[] = {{"conv1", "conv", "weights", 0.40, 0.55, 60},
                {"conv1", "conv", "forward", 0.28, 0.35, 45},
                {"pool1", "maxpool", "forward", 0.12, 0, 1},
                {"dense1", "dense", "forward", 0.14, 0.10, 6}};
    enum { ROWS = sizeof rows / sizeof *rows };
    double flop = v->flop_per_sample * (double)v->batch / v->ranks,
           compute = seconds[PHASE_COMPUTE];

    v->profile = (struct result_profile){.steps = STEPS,
                                         .steady = true,
                                         .step_seconds = v->path.period_seconds * STEPS,
                                         .operators_seconds = 0.94 * compute,
                                         .update_seconds = 0.04 * compute,
                                         .input_seconds = seconds[PHASE_INPUT_WAIT],
                                         .wait_seconds = seconds[PHASE_EXPOSED_ALLREDUCE],
                                         .exchanged_bytes = 4.0 * (double)v->parameters * STEPS,
                                         .n_operators = ROWS};
    v->operators = calloc(ROWS, sizeof *v->operators);
    for (int i = 0; v->operators && i < ROWS; i++) {
        double own = flop * rows[i].flop;
        v->operators[i] = (struct result_operator){
            .calls = STEPS,
            .seconds = rows[i].part * compute,
            .least_seconds = 0.9 * rows[i].part * compute / STEPS,
            .flop = own * STEPS,
            .needed_flop = own * STEPS,
            .bytes = (own > 0 ? own / rows[i].intensity : 0.05 * flop / 40) * STEPS};
        snprintf(v->operators[i].name, sizeof v->operators[i].name, "%s", rows[i].name);
        snprintf(v->operators[i].op, sizeof v->operators[i].op, "%s", rows[i].op);
        snprintf(v->operators[i].pass, sizeof v->operators[i].pass, "%s", rows[i].pass);
        snprintf(v->operators[i].implementation, sizeof v->operators[i].implementation, "own");
        snprintf(v->operators[i].dtype, sizeof v->operators[i].dtype, "f32");
    }
}

/* ---- trainings ---- */

static struct workload_result result_of(const struct kind *k, const struct work *w, double seconds)
{
    struct workload_result v = {.suite = "component",
                                .class_name = "small",
                                .engine = "cpu",
                                .dtype = "f32",
                                .ranks = k->ranks,
                                .threads = 8,
                                .batch = 8L * k->ranks,
                                .parameters = 57412,
                                .hyper_parameters = "sgd momentum=0.9 lr=0.001",
                                .data_origin = "generated",
                                .train_samples = 1024,
                                .eval_samples = 256,
                                .sample_bytes = 131072,
                                .valid = true,
                                .higher_is_better = w->higher,
                                .target = w->target,
                                .achieved = measured(w->reached),
                                .baseline = w->baseline,
                                .baseline_domain = measured(w->field),
                                .epochs_to_target = EPOCHS,
                                .rcp = {10, 11, 1, 9},
                                .samples_per_second = measured(w->samples / seconds),
                                .flop_per_sample = w->flop_per_sample,
                                .flop_per_sample_3x = w->flop_per_sample,
                                .flop_per_second =
                                    measured(w->samples / seconds * w->flop_per_sample),
                                .time_to_quality_seconds = measured(seconds),
                                .stalls = {.steps = 1536, .stalled = 11, .stalled_seconds = 0.5}};
    double flops = w->samples / seconds * w->flop_per_sample;

    snprintf(v.name, sizeof v.name, "%s", k->hostile ? "<b onclick=1>x" : w->name);
    snprintf(v.metric, sizeof v.metric, "%s", k->hostile ? "\" onload=\"x" : w->metric);
    snprintf(v.baseline_domain_name, sizeof v.baseline_domain_name, "a method of the field");
    v.stalls.median_seconds = 0.9 * seconds / (double)v.stalls.steps;
    v.stalls.p99_seconds = 1.5 * v.stalls.median_seconds;
    v.stalls.most_seconds = 2 * v.stalls.median_seconds;
    v.vflops_n5 = measured(result_vflops(flops, w->reached, w->target, w->higher, 5));
    v.vflops_n10 = measured(result_vflops(flops, w->reached, w->target, w->higher, 10));
    if (strcmp(w->name, "defect") == 0)
        result_add_other(&v, &(struct result_quality){
                                 .name = "false_rejects", .value = measured(0.14), .target = NAN});
    for (int i = 1; i <= EPOCHS; i++) {
        double near = (w->baseline - w->reached) * exp(-i / 3.0);
        result_add_epoch(&v, &(struct result_epoch){i, seconds / EPOCHS * (1 + 0.01 * (i % 3)), 0.5,
                                                    1.0 / i, measured(w->reached),
                                                    i == EPOCHS ? w->reached : w->reached + near});
    }
    return v;
}

static void add_training(struct record *r, const struct kind *k, const struct work *w)
{
    struct record_rank *rows = calloc((size_t)k->ranks, sizeof *rows);
    double seconds = 0;

    for (int p = 0; p < PHASE_COUNT; p++) {
        double own = w->seconds[p] * k->speed * (p == PHASE_EXPOSED_ALLREDUCE ? k->exchange : 1);
        seconds += own;
        for (int i = 0; rows && i < k->ranks; i++)
            rows[i].phase_seconds[p] = own;
    }
    for (int i = 0; rows && i < k->ranks;
         i++) { /* the last node computes longer, others wait for it */
        double late = i >= k->ranks - k->ranks / k->nodes && k->nodes > 1 ? 0.9 : 0.01 * (i % 7);
        rows[i].node = (int)((long)i * k->nodes / k->ranks);
        rows[i].phase_seconds[PHASE_COMPUTE] *= 1 + 0.08 * late;
        rows[i].phase_seconds[PHASE_OTHER] += 0.001 * (i % 5);
        for (int p = 0; p < PHASE_COUNT; p++)
            rows[i].wall_seconds += rows[i].phase_seconds[p];
    }
    struct workload_result v = result_of(k, w, seconds);
    if (rows)
        v.wall_seconds = rows[0].wall_seconds;
    if (k->diagnosed) {
        add_path(&v.path, w->seconds);
        add_profile(&v, w->seconds);
        v.clock = (struct result_clock){"ping-pong", 5e-6, true, 2e-6, 1e-3};
    }
    int at = record_add_workload(r, &v, rows, k->ranks);
    if (k->diagnosed)
        r->workloads[at].why = k->diagnosed == SEVERAL ? several : whys[w - works];
    double *each = calloc((size_t)k->ranks * (PHASE_COUNT + 1), sizeof *each);
    for (int i = 0; each && i < k->ranks * (PHASE_COUNT + 1); i++)
        each[i] = seconds * 7;
    struct record_counter c = {.name = "cpu_user_seconds",
                               .unit = "s",
                               .source = "getrusage",
                               .total = measured(7 * seconds * k->ranks),
                               .ratio = 1,
                               .per_rank = each};
    for (int p = 0; p < PHASE_COUNT; p++)
        c.phases[p] = unmeasured("not counted by phase");
    record_add_counter(r, at, &c);
    c.name = "cpu_system_seconds";
    c.total = measured(0.1 * seconds * k->ranks);
    record_add_counter(r, at, &c);
    c.name = "energy_package_joules";
    c.unit = "J";
    c.total = measured(400 * seconds * k->nodes);
    record_add_counter(r, at, &c);
    free(each);
    free(rows);
}

/* ---- ceilings ---- */

static void add_ceiling(struct record *r, const char *name, const char *what, const char *unit,
                        double value, bool link)
{
    double samples[] = {value, 0.99 * value, 1.01 * value};
    struct micro_row m = {.checked = true,
                          .ranks = 1,
                          .threads = 8,
                          .position = 1 + r->n_micro,
                          .more_is_better = true,
                          .median = measured(value),
                          .p95 = measured(0.99 * value),
                          .p99 = measured(0.99 * value),
                          .best = measured(1.01 * value),
                          .algbw = unmeasured("not a collective"),
                          .busbw = unmeasured("not a collective"),
                          .slowest = measured(0.9 * value),
                          .slowest_rank = 1,
                          .slowest_node = "n1",
                          .run_delay = measured(0),
                          .throttled_seconds = measured(0),
                          .foreign_cores = measured(0),
                          .clock_hertz = unmeasured("the system shows no clock"),
                          .celsius = unmeasured("no sensor"),
                          .n_samples = 3,
                          .samples = samples,
                          .shape = "1 GiB"};

    snprintf(m.name, sizeof m.name, "%s", name);
    snprintf(m.what, sizeof m.what, "%s", what);
    snprintf(m.unit, sizeof m.unit, "%s", unit);
    snprintf(m.dtype, sizeof m.dtype, "f32");
    if (link) {
        snprintf(m.from, sizeof m.from, "n1");
        snprintf(m.to, sizeof m.to, "n2");
    }
    record_add_micro(r, &m);
}

/* Of the row that was added last. */
static void set_shape(struct record *r, const char *shape, uint64_t bytes)
{
    struct micro_row *m = &r->micro[r->n_micro - 1];

    snprintf(m->shape, sizeof m->shape, "%s", shape);
    m->bytes = bytes;
}

/* Every level of the memory, the exchange of so many parameters, reading. */
static void add_levels(struct record *r)
{
    static const struct {
        const char *shape;
        uint64_t bytes;
        double rate;
    } levels[] = {{"L1", 16 << 10, 1100e9},
                  {"L2", 512 << 10, 600e9},
                  {"L3", 16 << 20, 260e9},
                  {"DRAM non-temporal", 1u << 30, 92e9}};

    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        add_ceiling(r, "machine", "triad", "B/s", levels[i].rate, false);
        set_shape(r, levels[i].shape, levels[i].bytes);
    }
    add_ceiling(r, "allreduce", "window", "B/s", 1.1e9, false);
    set_shape(r, "224 KiB", 4 * 57412);
    r->micro[r->n_micro - 1].algbw = measured(0.6e9);
    r->micro[r->n_micro - 1].busbw = measured(1.1e9);
    add_ceiling(r, "read", "hdf5", "B/s", 1.4e9, false);
    set_shape(r, "4 workers", 64 << 20);
}

static void add_ceilings(struct record *r, const struct kind *k)
{
    if (k->diagnosed)
        add_levels(r);
    add_ceiling(r, "machine", "fma", "FLOP/s", 450e9, false);
    add_ceiling(r, "machine", "convolution", "FLOP/s", 330e9, false);
    add_ceiling(r, "machine", "triad", "B/s", 92e9, false);
    if (k->nodes > 1)
        add_ceiling(r, "p2p", "both", "B/s", 2.9e9 / k->exchange, true);
}

/* ---- a record ---- */

static void start(struct record *r, const struct kind *k)
{
    record_init(r);
    snprintf(r->run.text, sizeof r->run.text, "cosmoflow+hep+defect+machine,class=small");
    snprintf(r->run.canonical, sizeof r->run.canonical, "%s",
             k->hostile ? "cosmoflow,data='/x</code><script>'"
                        : "cosmoflow+hep+defect+machine,class=small");
    snprintf(r->run.division, sizeof r->run.division, "closed");
    snprintf(r->run.level, sizeof r->run.level, "system");
    r->job = sample_job();
    r->job.present = k->nodes > 1;
    r->job.job_id = k->job;
    snprintf(r->job.step_id, sizeof r->job.step_id, "0");
    if (k->hostile)
        snprintf(r->job.cluster, sizeof r->job.cluster, "%s", "\" onload=\"document.title=1");
    r->time.start.tv_sec = 1795374177 + (time_t)(k->day * 86400);
    r->time.end.tv_sec = r->time.start.tv_sec + 400;
    r->time.wall_seconds = 400 * k->speed;
    r->time.pid = (int)k->job;
    record_fact_text(&r->facts[FACT_operating_system_kernel], k->hostile ? act : "6.1.0-28-amd64");
    record_fact_text(&r->facts[FACT_communication_mpi], "Open MPI v4.1.4");
    record_fact_text(&r->facts[FACT_implementation_build_id], "0123456789ab");
    add_nodes(r, k);
    for (size_t i = 0; k->trainings && i < WORKS; i++)
        add_training(r, k, &works[i]);
    if (k->ceilings)
        add_ceilings(r, k);
}

/* What sets a state apart. */
static void spoil(struct record *r, const struct kind *k)
{
    struct workload_result *w = r->n_workloads ? &r->workloads[0].result : NULL;

    if (strcmp(k->name, "partial") == 0) {
        w->status = RUN_PARTIAL;
        w->valid = false;
        w->epochs_to_target = 0;
        w->achieved = measured(0.4);
        w->time_to_quality_seconds = unmeasured("the target was not reached");
        w->vflops_n5 = w->vflops_n10 = unmeasured("the target was not reached");
        snprintf(w->reason, sizeof w->reason, "the time was over before the target was reached");
    } else if (strcmp(k->name, "invalid") == 0) {
        w->valid = false;
        w->achieved = w->time_to_quality_seconds = w->vflops_n5 = w->vflops_n10 =
            unmeasured("the loss is not finite");
        w->epochs_to_target = 0;
        snprintf(w->reason, sizeof w->reason, "the loss is not finite in epoch 3");
    }
}

static int make(const char *dir, const struct kind *k)
{
    struct record *r = malloc(sizeof *r);
    char path[PATH_MAX], name[PATH_MAX];
    struct err e = ERR_INIT;

    if (!r)
        return 1;
    start(r, k);
    spoil(r, k);
    record_judge(r);
    int rc = record_write(r, dir, path, &e);
    snprintf(name, sizeof name, "%s/%s.json", dir, k->name);
    if (rc < 0 || rename(path, name) < 0)
        fprintf(stderr, "make_gallery: %s: %s\n", k->name, e.text);
    record_fini(r);
    free(r);
    return rc < 0;
}

int main(int argc, char **argv)
{
    static const struct kind kinds[] = {
        {"whole", 4801, 4, 8, 0, 1, 1, true, true, false, PLAIN},
        {"again", 4802, 4, 8, 7, 1, 1.03, true, true, false, PLAIN},
        {"third", 4803, 4, 8, 14, 1, 0.98, true, true, false, PLAIN},
        {"faster", 4804, 4, 8, 15, 0.5, 1, true, true, false, PLAIN},
        {"held", 4812, 4, 8, 0, 1, 1, true, true, false, HELD},
        {"several", 4813, 4, 8, 0, 1, 1, true, true, false, SEVERAL},
        {"wider", 4805, 8, 16, 16, 1, 0.6, true, true, false, PLAIN},
        {"partial", 4806, 4, 8, 0, 1, 1, true, true, false, PLAIN},
        {"invalid", 4807, 4, 8, 0, 1, 1, true, true, false, PLAIN},
        {"alone", 4808, 1, 1, 0, 1, 4, true, true, false, PLAIN},
        {"ceilings", 4809, 2, 2, 0, 1, 1, true, false, false, PLAIN},
        {"hostile", 4810, 4, 8, 0, 1, 1, true, true, true, PLAIN},
        {"thousands", 4811, 10000, RANKS_MOST, 0, 1, 1, true, true, false, PLAIN},
    };
    int rc = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: make_gallery DIR\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        rc |= make(argv[1], &kinds[i]);
    return rc;
}
