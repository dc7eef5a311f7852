/* SPDX-License-Identifier: BSD-3-Clause */
/* The tables of what was measured: a workload. */
#include <config.h>

#include <string.h>

#include "reports/core/runspec.h"
#include "reports/record/record_fields.h"

#define NAME_PATTERN "^[a-z][a-z0-9_]*$"

/* ---- closed vocabularies ---- */

static const char *const class_words[] = {"tiny", "small", "standard", NULL};
static const char *const engine_words[] = {"cpu", "cuda", "ref", "pytorch", "external", NULL};
static const char *const dtype_words[] = {"f32", "bf16", NULL};
static const char *const origin_words[] = {"generated", "published", "look-alike", "private", NULL};
static int suite_find(const char *word)
{
    static const char *const suites[] = {
#define SUITE(symbol, time, title) #symbol,
#include "reports/core/workloads.def"
    };

    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
        if (strcmp(word, suites[i]) == 0)
            return (int)i;
    return -1;
}

/* ---- counters that may leave ---- */

enum { MAY_ = 0, MAY_LEAVES = 1 };

static const struct {
    const char *name, *unit;
    int leaves;
} counters[] = {
#define COUNTER(symbol, backend, unit, kind, scope, title, ...) {#symbol, unit, MAY_##__VA_ARGS__},
#include "reports/core/counters.def"
};

static int counter_find(const char *name)
{
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++)
        if (counters[i].leaves && strcmp(name, counters[i].name) == 0)
            return (int)i;
    return -1;
}

static int unit_find(const char *unit)
{
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++)
        if (counters[i].leaves && strcmp(unit, counters[i].unit) == 0)
            return (int)i;
    return -1;
}

/* ---- what was measured ---- */

#define NO_CHOICE "stopped before it was chosen"
#define NO_DATA   "stopped before data were found"
#define NO_NET    "stopped before the net was built"

/* Fields that stand in a workload and in a layer. */
#define W_NAME                                                                                     \
    FIELD(workload_result, name, TEXT, "name", "name in the run text", .pattern = NAME_PATTERN,    \
          .leaves = true, .known = runspec_find)
#define W_CLASS                                                                                    \
    FIELD(workload_result, class_name, TEXT, "class", "size class", .why = NO_CHOICE,              \
          .words = class_words, .leaves = true)
#define W_BATCH                                                                                    \
    FIELD(workload_result, batch, LONG, "batch", "global batch", .unit = "samples",                \
          .why = NO_CHOICE, .leaves = true)
#define W_HYPER                                                                                    \
    FIELD(workload_result, hyper_parameters, TEXT, "hyper_parameters",                             \
          "optimiser, rates and schedule, as the workload says them; without the seed",            \
          .why = "the workload does not say")
#define W_ORIGIN                                                                                   \
    FIELD(workload_result, data_origin, TEXT, "data_origin",                                       \
          "where the data come from; different origins are never ranked together", .why = NO_DATA, \
          .words = origin_words, .leaves = true)
#define W_MANIFEST(name)                                                                           \
    FIELD(workload_result, data_manifest_sha256, TEXT, name, "SHA-256 of the data's manifest",     \
          .why = "the data have no manifest", .pattern = RECORD_SHA256_PATTERN,                    \
          .secret = SECRET_DATA)
#define W_TRAIN(name)                                                                              \
    FIELD(workload_result, train_samples, U64, name, "training samples", .why = NO_DATA,           \
          .leaves = true)
#define W_EVAL(name)                                                                               \
    FIELD(workload_result, eval_samples, U64, name, "evaluation samples", .why = NO_DATA,          \
          .leaves = true)
#define W_METRIC(name)                                                                             \
    FIELD(workload_result, metric, TEXT, name, "name of the quality metric", .why = NO_CHOICE,     \
          .leaves = true, .known = metric_find)
#define W_TARGET(name)                                                                             \
    FIELD(workload_result, target, POSITIVE, name, "value to reach, in the metric's unit",         \
          .why = "no target was set", .leaves = true)

const struct field record_hyper_fields[] = {
    W_NAME,
    W_BATCH,
    W_HYPER,
    FIELD_END,
};

const struct field record_domain_fields[] = {
    W_NAME,
    W_CLASS,
    W_ORIGIN,
    W_MANIFEST("manifest_sha256"),
    W_TRAIN("train_samples"),
    W_EVAL("eval_samples"),
    W_METRIC("metric"),
    W_TARGET("target"),
    FIELD_END,
};

const struct field record_workload_head_fields[] = {
    W_NAME,
    FIELD(workload_result, suite, TEXT, "suite", "suite it belongs to", .pattern = NAME_PATTERN,
          .leaves = true, .known = suite_find),
    W_CLASS,
    FIELD(workload_result, engine, TEXT, "engine", "what executed the graph", .why = NO_CHOICE,
          .words = engine_words, .leaves = true),
    FIELD(workload_result, dtype, TEXT, "dtype", "precision of the products", .why = NO_CHOICE,
          .words = dtype_words, .leaves = true),
    FIELD(workload_result, ranks, INT, "ranks", "processes that trained together",
          .range = RANGE_ONE, .leaves = true),
    FIELD(workload_result, threads, INT, "threads", "compute threads per rank", .why = NO_CHOICE,
          .leaves = true),
    W_BATCH,
    FIELD(workload_result, parameters, U64, "parameters", "trainable parameters", .why = NO_NET,
          .leaves = true),
    W_HYPER,
    W_ORIGIN,
    FIELD_HAND(OBJECT, "data", "the data set", .leaves = true),
    FIELD(workload_result, data_path, TEXT, "data.path", "folder or file", .why = NO_DATA,
          .secret = SECRET_FOLDER),
    W_MANIFEST("data.manifest_sha256"),
    W_TRAIN("data.train_samples"),
    W_EVAL("data.eval_samples"),
    FIELD(workload_result, sample_bytes, U64, "data.sample_bytes",
          "mean size of a sample as stored", .unit = "bytes", .why = "not asked of the files",
          .leaves = true),
    FIELD(workload_result, data_made_seconds, POSITIVE, "data.made_seconds",
          "of the staging phase, spent making the data set or waiting for who made it; since 1.2.0",
          .unit = "s", .why = "the data were there, or were not looked for yet", .leaves = true),
    FIELD_HAND(OBJECT, "quality", "how well it learned", .leaves = true),
    W_METRIC("quality.metric"),
    FIELD(workload_result, higher_is_better, BOOL, "quality.higher_is_better",
          "direction of the metric", .leaves = true),
    W_TARGET("quality.target"),
    FIELD_END,
};

/* Of a quality beside the primary one. */
const struct field record_quality_fields[] = {
    FIELD(result_quality, name, TEXT, "name", "name of the metric", .pattern = NAME_PATTERN,
          .leaves = true, .known = metric_find),
    FIELD(result_quality, value, MEASURE, "value",
          "its value in the evaluation that gave `achieved`", .range = RANGE_ANY, .leaves = true),
    FIELD(result_quality, target, POSITIVE, "target",
          "value to reach; it does not decide whether the run converged", .why = "it has no target",
          .leaves = true),
    FIELD(result_quality, higher_is_better, BOOL, "higher_is_better", "direction of the metric",
          .leaves = true),
    FIELD_END,
};

#define STEP(member, title)                                                                        \
    FIELD(workload_result, stalls.member, POSITIVE, "performance.stalls." #member, title,          \
          .unit = "s", .why = "steps were not timed", .since = "1.3.0")

#define NO_RCP "no reference convergence point for this run"

const struct field record_workload_fields[] = {
    FIELD(workload_result, status, STATUS, "status", "as the record's, of this workload",
          .leaves = true),
    FIELD(workload_result, valid, BOOL, "valid",
          "whether the result may be compared; if not, `reasons` says why", .leaves = true),
    FIELD(workload_result, achieved, MEASURE, "quality.achieved",
          "best value reached on the evaluation samples", .range = RANGE_ANY, .leaves = true),
    FIELD(workload_result, baseline, DOUBLE, "quality.baseline",
          "best trivial predictor's value: the constant", .why = "not computed", .range = RANGE_ANY,
          .leaves = true),
    FIELD_HAND(OBJECT, "quality.baseline_domain", "the field's own baseline"),
    FIELD(workload_result, baseline_domain_name, TEXT, "quality.baseline_domain.name", "what it is",
          .why = "no baseline of the field"),
    FIELD(workload_result, baseline_domain, MEASURE, "quality.baseline_domain.value", "its value",
          .range = RANGE_ANY),
    FIELD(workload_result, epochs_to_target, INT, "quality.epochs_to_target",
          "epoch in which the target was reached", .why = "the target was not reached",
          .leaves = true),
    FIELD_HAND(OBJECT, "quality.rcp", "reference convergence point of the class"),
    FIELD(workload_result, rcp.seeds, INT, "quality.rcp.seeds", "runs it was made of; 0: none"),
    FIELD(workload_result, rcp.mean_epochs, DOUBLE, "quality.rcp.mean_epochs",
          "mean epochs to target", .why = NO_RCP),
    FIELD(workload_result, rcp.std_epochs, DOUBLE, "quality.rcp.std_epochs",
          "their standard deviation", .why = NO_RCP),
    FIELD(workload_result, rcp.min_epochs, DOUBLE, "quality.rcp.min_epochs",
          "fewer epochs than this are not plausible", .why = NO_RCP),
    FIELD_HAND(OBJECT, "performance", "how fast; steady state is all epochs after the first",
               .leaves = true),
    FIELD(workload_result, samples_per_second, MEASURE, "performance.samples_per_second",
          "training samples, steady state", .unit = "1/s", .leaves = true),
    FIELD(workload_result, flop_per_sample, POSITIVE, "performance.flop_per_sample",
          "as executed: forward, data and weight gradients, without the data gradient of layers "
          "that read the input",
          .unit = "FLOP", .why = NO_NET, .leaves = true),
    FIELD(workload_result, flop_per_sample_3x, POSITIVE, "performance.flop_per_sample_3x",
          "3 x forward, as HPC AI500 counts", .unit = "FLOP", .why = NO_NET, .leaves = true),
    FIELD(workload_result, flop_per_second, MEASURE, "performance.flop_per_second",
          "flop_per_sample x samples_per_second", .unit = "FLOP/s", .leaves = true),
    FIELD(workload_result, tokens_per_second, POSITIVE, "performance.tokens_per_second",
          "tokens (patches) that training works on, steady state", .unit = "1/s",
          .why = "its network has no tokens, or there was no steady state", .since = "1.3.0",
          .leaves = true),
    FIELD(workload_result, mfu, POSITIVE, "performance.mfu",
          "model FLOP utilisation: flop_per_second / (ranks x yardstick.peak_flop_per_second)",
          .why = "no steady state, or no peak was measured", .since = "1.3.0", .leaves = true),
    FIELD(workload_result, time_to_quality_seconds, MEASURE, "performance.time_to_quality_seconds",
          "from the first training step to the target; staging comes before it", .unit = "s",
          .leaves = true),
    FIELD_HAND(OBJECT, "performance.vflops",
               "FLOP/s x (achieved / target)^n, inverted where lower is better (HPC AI500 V2)",
               .unit = "FLOP/s", .leaves = true),
    FIELD(workload_result, vflops_n5, MEASURE, "performance.vflops.n5", "n = 5", .unit = "FLOP/s",
          .leaves = true),
    FIELD(workload_result, vflops_n10, MEASURE, "performance.vflops.n10", "n = 10",
          .unit = "FLOP/s", .leaves = true),
    FIELD(workload_result, arena_bytes, U64, "performance.arena_bytes", "planned memory per rank",
          .unit = "bytes", .why = "stopped before memory was planned"),
    FIELD_HAND(OBJECT, "performance.stalls",
               "lengths of the steps, and those longer than 1.5 x the median"),
    FIELD(workload_result, stalls.steps, LONG, "performance.stalls.steps", "training steps in all"),
    FIELD(workload_result, stalls.stalled, LONG, "performance.stalls.stalled", "of them, stalled"),
    FIELD(workload_result, stalls.stalled_seconds, DOUBLE, "performance.stalls.stalled_seconds",
          "time in stalled steps", .unit = "s", .why = "steps were not timed"),
    STEP(median_seconds, "length of a step after the first epoch, on rank 0: half are shorter"),
    STEP(p99_seconds, "of 99 in 100 it is at most that, nearest rank"),
    STEP(most_seconds, "of the longest"),
    FIELD_END,
};

const struct field record_cost_fields[] = {
    FIELD(record_workload, energy_joules, MEASURE, "performance.energy_joules",
          "energy of all nodes, from training to the end", .unit = "J", .leaves = true),
    FIELD(record_workload, cost, MEASURE, "performance.cost",
          "in the currency of the site's price file"),
    FIELD_END,
};

const struct field record_epoch_fields[] = {
    FIELD(result_epoch, epoch, INT, "epoch", "from 1", .range = RANGE_ONE, .leaves = true),
    FIELD(result_epoch, seconds, DOUBLE, "seconds", "training part, slowest rank", .unit = "s",
          .why = "not timed", .leaves = true),
    FIELD(result_epoch, input_wait_seconds, DOUBLE, "input_wait_seconds",
          "of it, wait for input, slowest rank", .unit = "s", .why = "not timed", .leaves = true),
    FIELD(result_epoch, train_loss, DOUBLE, "train_loss", "mean training loss",
          .why = "the loss is not finite", .range = RANGE_ANY, .leaves = true),
    FIELD(result_epoch, train_quality, MEASURE, "train_quality", "the metric on training samples",
          .range = RANGE_ANY, .leaves = true),
    FIELD(result_epoch, quality, DOUBLE, "quality", "the metric on evaluation samples",
          .why = "not evaluated in this epoch", .range = RANGE_ANY, .leaves = true),
    FIELD_END,
};

/* ---- over the ranks ---- */

#define NO_NODE "the rank did not say on which node it ran"

const struct field record_shares_fields[] = {
    FIELD(record_shares, utilisation, DOUBLE, "performance.utilisation",
          "AU of DLIO and MLPerf Storage: compute / (compute + input wait), steady state, median "
          "over "
          "ranks",
          .why = "there was no steady state: no epoch after the first", .range = RANGE_PART,
          .leaves = true),
    FIELD(record_shares, wall_seconds, DOUBLE, "wall_seconds",
          "from the start to the end of the workload, rank 0", .unit = "s", .why = "not timed",
          .leaves = true),
    FIELD(record_shares, phase_sum_error, DOUBLE, "phase_sum_error",
          "most that a rank's phases miss its wall time by, as part of it",
          .why = "no rank left its phases"),
    FIELD(record_shares, ranks_known, INT, "ranks_known",
          "ranks whose phases are known; fewer than `ranks` in a partial record", .leaves = true),
    FIELD_END,
};

const struct field record_worst_fields[] = {
    FIELD(record_worst, rank, INT, "rank", "rank"),
    FIELD(record_worst, node, NAME, "node", "its node", .why = NO_NODE,
          .most = RECORD_NAME_SIZE - 1, .secret = SECRET_HOST),
    FIELD(record_worst, seconds, DOUBLE, "seconds", "its time", .unit = "s"),
    FIELD_END,
};

const struct field record_yardstick_rows[] = {
    FIELD_ROWS(record_yardstick_fields),
    FIELD_HAND(LIST, "of_slowest",
               "CPU time of a convolution, mean of the later readings, on the ranks that computed "
               "longest",
               .below = record_worst_fields, .most = RECORD_MAX_WORST, .since = "1.3.0"),
    FIELD_END,
};

const struct field record_spread_fields[] = {
    FIELD(record_spread, min, DOUBLE, "min_seconds", "least", .unit = "s", .leaves = true),
    FIELD(record_spread, median, DOUBLE, "median_seconds", "median", .unit = "s", .leaves = true),
    FIELD(record_spread, p95, DOUBLE, "p95_seconds", "95th percentile, nearest rank", .unit = "s",
          .leaves = true),
    FIELD(record_spread, max, DOUBLE, "max_seconds", "most", .unit = "s", .leaves = true),
    FIELD(record_spread, max_node, NAME, "max_node", "node of the rank with the most",
          .why = NO_NODE, .most = RECORD_NAME_SIZE - 1, .secret = SECRET_HOST, .leaves = true),
    FIELD_HAND(LIST, "worst", "the ranks with the most", .below = record_worst_fields,
               .most = RECORD_MAX_WORST),
    FIELD_END,
};

/* Of a struct record_spread. */
const struct field record_part_fields[] = {
    FIELD(record_spread, median, DOUBLE, "median_seconds", "median", .unit = "s", .since = "1.3.0",
          .leaves = true),
    FIELD(record_spread, max, DOUBLE, "max_seconds", "most", .unit = "s", .since = "1.3.0",
          .leaves = true),
    FIELD(record_spread, max_node, NAME, "max_node", "node of the rank with the most",
          .why = NO_NODE, .most = RECORD_NAME_SIZE - 1, .secret = SECRET_HOST, .since = "1.3.0",
          .leaves = true),
    FIELD_END,
};

static const struct field splits_fields[] = {
#define SPLIT_OF(symbol, phase, title)                                                             \
    FIELD_HAND(OBJECT, #phase, title, .since = "1.3.0", .leaves = true),
#define SPLIT(phase, name, title)                                                                  \
    FIELD_HAND(OBJECT, #phase "." #name, title, .below = record_part_fields, .since = "1.3.0",     \
               .leaves = true),
#include "reports/core/splits.def"
    FIELD_END,
};

static const struct field phases_fields[] = {
#define PHASE(symbol, name, inside, title)                                                         \
    FIELD_HAND(OBJECT, #name, title, .below = record_spread_fields, .leaves = true),
#include "reports/core/phases.def"
    FIELD_END,
};

static const struct field counter_phases_fields[] = {
    FIELD_HAND(DOUBLE, RECORD_TRAIN, "training steps after the first epoch, all that is in them",
               .why = "not counted in this phase", .range = RANGE_ANY, .since = "1.3.0"),
#define PHASE(symbol, name, inside, title)                                                         \
    FIELD_HAND(DOUBLE, #name, title, .why = "not counted in this phase", .range = RANGE_ANY),
#include "reports/core/phases.def"
    FIELD_END,
};

const struct field record_counter_ranks_fields[] = {
    FIELD(record_counter_ranks, counted, INT, "counted", "ranks with a value", .range = RANGE_ONE),
    FIELD(record_counter_ranks, min, DOUBLE, "min", "least", .range = RANGE_ANY),
    FIELD(record_counter_ranks, median, DOUBLE, "median", "median", .range = RANGE_ANY),
    FIELD(record_counter_ranks, max, DOUBLE, "max", "most", .range = RANGE_ANY),
    FIELD(record_counter_ranks, max_node, NAME, "max_node", "node of the most", .why = NO_NODE,
          .most = RECORD_NAME_SIZE - 1, .secret = SECRET_HOST),
    FIELD(record_counter_ranks, min_node, NAME, "min_node", "node of the least", .why = NO_NODE,
          .most = RECORD_NAME_SIZE - 1, .secret = SECRET_HOST),
    FIELD_END,
};

const struct field record_counter_fields[] = {
    FIELD(record_counter_head, unit, NAME, "unit", "its unit", .most = 31, .leaves = true,
          .known = unit_find),
    FIELD(record_counter_head, source, NAME, "source", "what was read",
          .why = "the counter does not say", .most = RECORD_TEXT_SIZE - 1),
    FIELD(record_counter_head, total, DOUBLE, "total", "over ranks and phases", .range = RANGE_ANY,
          .leaves = true),
    FIELD(record_counter_head, ratio, DOUBLE, "running_ratio",
          "least part of the time it was really counted; less than 1: scaled up",
          .why = "not a counter that is multiplexed", .range = RANGE_PART, .leaves = true),
    FIELD_HAND(OBJECT, "ranks", "over the ranks that counted", .why = "no value per rank",
               .below = record_counter_ranks_fields),
    FIELD_HAND(OBJECT, "phases", "by phase", .below = counter_phases_fields),
    FIELD_END,
};

const struct field record_workload_rows[] = {
    FIELD_ROWS(record_workload_head_fields),
    FIELD_ROWS(record_workload_fields),
    FIELD_HAND(LIST, "quality.others", "qualities beside that of `metric`",
               .below = record_quality_fields, .most = RESULT_MAX_OTHERS, .since = "1.1.0",
               .leaves = true),
    FIELD_ROWS(record_cost_fields),
    FIELD_ROWS(record_shares_fields),
    FIELD_HAND(LIST, "epochs", "one row per epoch; of very many the first and the latest",
               .below = record_epoch_fields, .most = RECORD_MAX_EPOCHS, .leaves = true),
    FIELD_HAND(INT, "epochs_omitted", "epochs left out after the first; all are in the ranks' file",
               .leaves = true),
    FIELD_HAND(OBJECT, "phases",
               "where the ranks' wall time went; at any moment a rank is in exactly one phase",
               .why = "no rank left its phases", .below = phases_fields, .leaves = true),
    FIELD_HAND(OBJECT, "splits",
               "what phases are made of; the parts of one sum to it on each rank, their medians "
               "nearly",
               .why = "the run ended before its ranks could be asked", .below = splits_fields,
               .since = "1.3.0", .leaves = true),
    FIELD_HAND(
        MAP, "counters", "what the machine did, by counter; null where it could not be counted",
        .why = "no counter was read", .by = "the back ends of papi/", .pattern = NAME_PATTERN,
        .below = record_counter_fields, .known = counter_find, .leaves = true),
    FIELD_HAND(OBJECT, "profile",
               "where the time of training steps went on a rank: seconds, FLOP and bytes over "
               "all steps of the profile, the mean over the ranks",
               .why = "the run ended before its ranks could be asked", .since = "1.1.0",
               .below = record_profile_rows),
    FIELD_HAND(OBJECT, "roofline",
               "how far the operators are from the ceilings that the same run measured with "
               "`machine`",
               .why = RECORD_NO_ROOFLINE, .below = record_roofline_fields, .since = "1.2.0"),
    FIELD_HAND(OBJECT, "path",
               "the slowest path through the steps after the first epoch, walked back over all "
               "ranks: seconds of a mean step; no wait for other ranks is on it",
               .why = "there was no epoch after the first", .below = record_path_fields,
               .since = "1.2.0", .leaves = true),
    FIELD_HAND(OBJECT, "first_path", "the same of the first epoch",
               .why = "the first epoch has fewer than two steps", .below = record_path_fields,
               .since = "1.2.0", .leaves = true),
    FIELD_HAND(OBJECT, "clock", "how the ranks' clocks were compared", .below = record_clock_fields,
               .since = "1.2.0"),
    FIELD_HAND(
        OBJECT, "run_delay",
        "how often steps were asked how long they had wanted to run and had no core: always, "
        "unless that costs more than 1 % of a step",
        .below = record_asking_fields, .since = "1.3.0", .leaves = true),
    FIELD_HAND(OBJECT, "loader",
               "how samples came to the steps after the first epoch: seconds of a batch, all "
               "workers of a rank together, mean over the ranks",
               .why = "there was no epoch after the first, or its ranks could not be asked",
               .below = record_loader_fields, .since = "1.3.0", .leaves = true),
    FIELD_HAND(OBJECT, "yardstick",
               "how fast the processor was while this ran: the same work timed again and again, "
               "means over the ranks",
               .why = "the run ended before a second reading, or a rank had no memory for it",
               .below = record_yardstick_rows, .since = "1.3.0", .leaves = true),
    FIELD_HAND(OBJECT, "transport",
               "what a message costs the transport of the run: sums and messages between nodes "
               "after training, each after a pause of a step",
               .why = "the ranks of one node share memory", .below = record_transport_rows,
               .since = "1.3.0", .leaves = true),
    FIELD_HAND(OBJECT, "transport_in_training",
               "what a message cost while the steps after the first epoch ran, from the sums of "
               "gradients themselves; medians over the ranks",
               .why = RECORD_NO_WIRE, .below = record_wire_rows, .since = "1.3.0", .leaves = true),
    FIELD_HAND(OBJECT, "ablation",
               "steps after training that lacked something (diagnose=), against steps that did not",
               .why = "it was not asked for (diagnose=no)", .below = record_ablation_rows,
               .since = "1.3.0", .leaves = true),
    FIELD_HAND(OBJECT, "why", "what limited the run, and what to do",
               .why = "the run ended before its ranks could be compared", .below = record_why_rows,
               .since = "1.2.0"),
    FIELD_END,
};
