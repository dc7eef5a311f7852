/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "tests/reports/record/sample.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Two links, from the first rank's node to the last one's and back. */
static void sample_transport(struct workload_result *w)
{
    const struct result_value alpha = {5e-5, 4e-5, 7e-5}, rate = {1e8, 9e7, 1.25e8};

    w->transport = (struct result_transport){
        .rounds = 9,
        .pause_seconds = 0.03,
        .sum = {{1024, 1, {7e-5, 6e-5, 9e-5}},
                {65536, 2, {1e-3, 9e-4, 2e-3}},
                {1e6, 2, {1e-2, 9e-3, 2e-2}}},
        .alpha = alpha,
        .software = {2e-5, 1e-5, 3e-5},
        .rate = rate,
        .links = 2,
        .n_links = 2,
        .link = {{0, w->ranks - 1, alpha, rate}, {w->ranks - 1, 0, alpha, rate}},
    };
}

/* Rank 1 receives at half the speed; of rank 2 bytes and messages are not told apart. */
static struct result_wire sample_wire(int rank, int ranks)
{
    const double slow = rank == 1 ? 0.5 : 1;
    struct result_wire w = {.sums = 512,
                            .least_bytes = 8192,
                            .most_bytes = 262144,
                            .alpha = {1e-4, 5e-5, 2e-4},
                            .rate = {slow * 2e8, slow * 1e8, slow * 4e8}};

    if (rank == 2)
        w = (struct result_wire){64, 262144, 262144, {NAN, 0, 4e-3}, {NAN, 6.5536e7, NAN}};
    return ranks > 1 ? w : (struct result_wire){.sums = 0};
}

/* Of 100 steps of 0.4 s: operators of 0.25 s and, one step, 80 small ones. */
static void sample_profile(struct workload_result *w)
{
    static const struct result_operator large[] = {
        {"conv1", "conv", "weights", "own", "f32", 100, 12.5, 0.125, 2e11, 1.8e11, 1e9},
        {"conv1", "conv", "forward", "brgconv:avx512_core", "f32", 100, 10, 0.0625, 2e11, 1.8e11,
         1.5e9},
        {"maxpool1", "maxpool", "forward", "own", "f32", 100, 1.5, 0.0125, 0, 0, 8e9},
    };
    enum { LARGE = 3, ALL = LARGE + 80 };

    w->profile = (struct result_profile){
        .steps = 100,
        .steady = true,
        .step_seconds = 40,
        .operators_seconds = 26,
        .feed_seconds = 1,
        .zero_seconds = 0.0625,
        .exchange_seconds = 2,
        .wait_seconds = 4,
        .update_seconds = 1.5,
        .read_seconds = 0.03125,
        .input_seconds = 2.5,
        .agree_seconds = 2,
        .other_seconds = 0.90625,
        .exchanged_bytes = 100 * 4 * 57412,
        .n_operators = ALL,
    };
    w->operators = calloc(ALL, sizeof *w->operators);
    if (!w->operators)
        abort();
    memcpy(w->operators, large, sizeof large);
    for (int i = LARGE; i < ALL; i++) {
        w->operators[i] = (struct result_operator){.name = "scale",
                                                   .op = "scale",
                                                   .pass = "forward",
                                                   .implementation = "own",
                                                   .dtype = "f32",
                                                   .calls = 100,
                                                   .seconds = 0.025,
                                                   .least_seconds = 0.0001,
                                                   .bytes = 4096};
        snprintf(w->operators[i].name, sizeof w->operators[i].name, "scale%d", i);
    }
}

struct workload_result sample_result(int ranks, int epochs)
{
    struct workload_result w = {
        .name = "cosmoflow",
        .suite = "component",
        .class_name = "tiny",
        .engine = "cpu",
        .dtype = "f32",
        .ranks = ranks,
        .threads = 2,
        .batch = 8,
        .parameters = 57412,
        .hyper_parameters = "sgd momentum=0.9 lr=0.001",
        .data_origin = "generated",
        .data_path = "/home/user/.cache/hpcai500/cosmoflow-tiny",
        .train_samples = 512,
        .eval_samples = 128,
        .sample_bytes = 131072,
        .data_made_seconds = 2.25,
        .status = RUN_COMPLETE,
        .valid = true,
        .metric = "mae",
        .target = 0.34,
        .achieved = measured(0.31),
        .baseline = 0.503,
        .baseline_domain = measured(0.194),
        .baseline_domain_name = "ridge on log P(k)",
        .epochs_to_target = epochs,
        .rcp = {10, 9.5, 1.25, 7},
        .samples_per_second = measured(61.5),
        .flop_per_sample = 0.21e9,
        .flop_per_sample_3x = 0.22e9,
        .flop_per_second = measured(61.5 * 0.21e9),
        .mfu = 0.375,
        .time_to_quality_seconds = measured(83.25),
        .vflops_n5 = measured(result_vflops(61.5 * 0.21e9, 0.31, 0.34, false, 5)),
        .vflops_n10 = measured(result_vflops(61.5 * 0.21e9, 0.31, 0.34, false, 10)),
        .arena_bytes = 123456789,
        .stalls = {640, 3, 0.5, 0.125, 0.1875, 0.375},
        .asking = {2e-6, 1},
        .yardstick = {.what = "convolution 16 to 16, 3^3, 24^3, cpu f32, 2 threads",
                      .readings = 3,
                      .wall = {0.00175, 0.002, 0.00225},
                      .cpu = {0.0015, 0.00175, 0.0015},
                      .chain = {1e-9, 1.25e-9, 1e-9},
                      .peak = 8.61e9,
                      .speed = 0.875,
                      .least_speed = 0.75},
    };

    memset(w.data_manifest_sha256, 'a', 64);
    result_add_other(
        &w, &(struct result_quality){.name = "rmse", .value = measured(0.42), .target = 0.45});
    result_add_other(&w, &(struct result_quality){.name = "accuracy",
                                                  .value = unmeasured("no class in the set"),
                                                  .target = NAN,
                                                  .higher_is_better = true});
    sample_profile(&w);
    if (ranks > 1)
        sample_transport(&w);
    for (int i = 1; i <= epochs; i++)
        result_add_epoch(&w, &(struct result_epoch){i, 8.25, i == 1 ? 0.5 : 0.02, 1.0 / i,
                                                    measured(0.5 - 0.19 * i / epochs),
                                                    i == 1 ? NAN : 0.5 - 0.19 * i / epochs});
    return w;
}

static struct record_node sample_node(int i)
{
    struct record_node node = {.class_name = "Xeon 8480+ | none | ib0 | X13",
                               .plugin_remote = true};

    snprintf(node.name, sizeof node.name, "n%d", i + 1);
    snprintf(node.host, sizeof node.host, "n%d.example.org", i + 1);
    snprintf(node.build_id, sizeof node.build_id, "0123456789ab");
    record_fact_text(&node.inventory[INVENTORY_cpu_model], "Intel(R) Xeon(R) Platinum 8480+");
    record_fact_number(&node.inventory[INVENTORY_sockets], 2);
    record_fact_number(&node.inventory[INVENTORY_cores], 112);
    record_fact_number(&node.inventory[INVENTORY_hardware_threads], 224);
    record_fact_number(&node.inventory[INVENTORY_numa_nodes], 2);
    record_fact_number(&node.inventory[INVENTORY_memory_bytes], 512e9);
    record_fact_unknown(&node.inventory[INVENTORY_microcode], "the kernel does not show it");
    return node;
}

static void sample_facts(struct record *r)
{
    record_fact_text(&r->facts[FACT_operating_system_distribution], "Debian GNU/Linux 12");
    record_fact_text(&r->facts[FACT_operating_system_kernel], "6.1.0-28-amd64");
    record_fact_number(&r->facts[FACT_operating_system_perf_event_paranoid], 2);
    record_fact_text(&r->facts[FACT_communication_mpi], "Open MPI v4.1.4");
    record_fact_text(&r->facts[FACT_libraries_onednn], "2.6.3 OMP");
    record_fact_unknown(&r->facts[FACT_libraries_cuda], "this build has no CUDA");
    record_fact_text(&r->facts[FACT_framework_name], "hpcai500");
    record_fact_number(&r->facts[FACT_programming_model_threads_per_rank], 2);
    record_fact_text(&r->facts[FACT_implementation_build_id], "0123456789ab");
}

/* n2 is held back by a quota; the numbers are binary fractions. */
static void sample_why(struct record_workload *w)
{
    w->result.path = (struct result_path){.steps = 127,
                                          .period_seconds = 0.0625,
                                          .input_seconds = 0.001953125,
                                          .compute_seconds = 0.0390625,
                                          .withheld_seconds = 0.015625,
                                          .wire_seconds = 0.00390625,
                                          .update_seconds = 0.001953125};
    w->result.clock = (struct result_clock){"ping-pong", 0.00000762939453125, true,
                                            0.000003814697265625, 0.0030517578125};
    w->why = (struct record_why){.cause = "node_quota",
                                 .node = "n2",
                                 .visible = 0.25,
                                 .jitter = 0.0625,
                                 .verdict = "node n2: CPU quota (not confirmed)",
                                 .reason = "of a step of 62.5 ms: node n2: CPU quota 25 %, jitter "
                                           "6 %; the rest is compute",
                                 .next = "lift the quota of this node's control group",
                                 .causes = {{.cause = "node_quota", .node = "n2", .share = 0.25}},
                                 .n_causes = 1};
}

static void sample_counters(struct record *r, int workload, int ranks)
{
    double *v = calloc((size_t)ranks * (PHASE_COUNT + 1), sizeof *v);
    struct record_counter c = {.name = "instructions",
                               .unit = "instructions",
                               .source = "PAPI_TOT_INS",
                               .total = measured(ranks * 9e9),
                               .ratio = 0.75,
                               .per_rank = v};
    struct record_counter absent = {.name = "energy_package_joules",
                                    .unit = "J",
                                    .total = unmeasured("/sys/class/powercap is not readable"),
                                    .ratio = NAN};

    for (int p = 0; p < PHASE_COUNT; p++) {
        c.phases[p] = p == PHASE_CHECKPOINT ? unmeasured("no such phase") : measured(ranks * 1e9);
        absent.phases[p] = absent.total;
    }
    for (int k = 0; k < ranks * (PHASE_COUNT + 1); k++)
        v[k] = 1e9 + k;
    record_add_counter(r, workload, &c);
    record_add_counter(r, workload, &absent);
    free(v);
}

struct record_job sample_job(void)
{
    return (struct record_job){.present = true,
                               .cluster = "lab",
                               .job_id = 4711,
                               .step_id = "3",
                               .array_job_id = -1,
                               .array_task_id = -1,
                               .het_job_id = -1,
                               .het_offset = -1,
                               .user = "ada",
                               .uid = 1000,
                               .account = "phys",
                               .partition = "batch",
                               .exclusive = 1};
}

void sample_record(struct record *r, int ranks, int nodes, int epochs)
{
    struct workload_result w = sample_result(ranks, epochs);
    struct record_rank *rows = calloc((size_t)ranks, sizeof *rows);

    record_init(r);
    r->run = (struct record_run){.text = "cosmoflow,class=tiny",
                                 .canonical = "cosmoflow,class=tiny",
                                 .seed = 18446744073709551615u,
                                 .division = "closed"};
    r->job = sample_job();
    r->time.start = (struct timespec){1795374177, 250000000};
    r->time.end = (struct timespec){1795374277, 0};
    r->time.wall_seconds = 99.75;
    r->time.pid = 42;
    sample_facts(r);
    for (int i = 0; i < nodes; i++) {
        struct record_node node = sample_node(i);
        record_add_node(r, &node);
    }
    for (int k = 0; k < ranks; k++) {
        static const int seconds[PHASE_COUNT] = {
            [PHASE_STAGING] = 1,    [PHASE_FIRST_EPOCH] = 2,       [PHASE_COMPUTE] = 3,
            [PHASE_INPUT_WAIT] = 4, [PHASE_EXPOSED_ALLREDUCE] = 5, [PHASE_IMBALANCE] = 6,
            [PHASE_EVALUATION] = 7, [PHASE_CHECKPOINT] = 8,        [PHASE_OTHER] = 9};
        rows[k].node = k % nodes;
        for (int p = 0; p < PHASE_COUNT; p++)
            rows[k].wall_seconds += rows[k].phase_seconds[p] = seconds[p] ? seconds[p] + k % 7 : 0;
        rows[k].steady = (struct result_rank){.steps = 100,
                                              .produce_seconds = 0.010 + 0.001 * (k % 7),
                                              .read_seconds = 0.006,
                                              .inflate_seconds = 0.003,
                                              .convert_seconds = 0.001 + 0.001 * (k % 7),
                                              .read_cpu_seconds = 0.001,
                                              .inflate_cpu_seconds = 0.003,
                                              .convert_cpu_seconds = 0.001,
                                              .find_seconds = 0.0005,
                                              .read_gain = k % 2 ? 1.5 : NAN,
                                              .file_bytes = 1e8,
                                              .ready = 1.5,
                                              .yardstick_seconds = 0.00175 + 0.00025 * (k % 2),
                                              .wire = sample_wire(k, ranks)};
        rows[k].split_seconds[SPLIT_staging_input] = 1 + k % 7;
        rows[k].split_seconds[SPLIT_first_epoch_compute] = 2 + k % 7;
        rows[k].split_seconds[SPLIT_evaluation_input] = 1 + k % 7;
        rows[k].split_seconds[SPLIT_evaluation_compute] = 6;
        rows[k].split_seconds[SPLIT_checkpoint_output] = 8 + k % 7;
    }
    w.wall_seconds = rows[0].wall_seconds;
    int i = record_add_workload(r, &w, rows, ranks);
    sample_counters(r, i, ranks);
    sample_why(&r->workloads[i]);
    free(rows);
}
