/* SPDX-License-Identifier: BSD-3-Clause */
/* The tables of what was measured: a micro benchmark. */
#include <config.h>

#include "reports/record/record_fields.h"

static const char *const direction_words[] = {
    "forward", "backward_data", "backward_weights", "none", "back to back", "in rhythm", NULL};
static const char *const status_words[] = MICRO_STATUS_WORDS;

static const char *const cache_words[] = MICRO_CACHE_WORDS;

#define NEW .since = "1.1.0"

const struct field record_micro_head_fields[] = {
    FIELD(record_micro_head, status, NAME, "status",
          "OK: measured; SLOW: a node or a direction stands out from the others; FAULTY: a wrong "
          "number came out, whatever its speed; SKIPPED: not measured; UNSTEADY: it changed with "
          "the order of rows by more than its repeats detect",
          .words = status_words, NEW),
    FIELD_END,
};

const struct field record_micro_row_fields[] = {
    FIELD(micro_row, name, TEXT, "name", "operator or ceiling"),
    FIELD(micro_row, what, TEXT, "what", "what of it: kernel, operation or way",
          .why = "has one kind only", NEW),
    FIELD(micro_row, shape, TEXT, "shape", "sizes, level of the memory, or ranks"),
    FIELD(micro_row, dtype, TEXT, "dtype", "precision", .why = "has no numbers"),
    FIELD(micro_row, direction, TEXT, "direction",
          "what was computed; of an exchange its rhythm: back to back, or with the pause of a "
          "training step between",
          .words = direction_words),
    FIELD(micro_row, from, TEXT, "from", "node that sends", .why = "not a link between nodes",
          .secret = SECRET_HOST, NEW),
    FIELD(micro_row, to, TEXT, "to", "node that receives", .why = "not a link between nodes",
          .secret = SECRET_HOST, NEW),
    FIELD(micro_row, bytes, U64, "bytes",
          "of a message, or that a rank works on; of an operator: must read and write at least; 0: "
          "no "
          "size",
          .unit = "bytes", NEW),
    FIELD(micro_row, flop, DOUBLE, "flop",
          "of one time, 2 per multiply-add; 0: the row does not count FLOP", .unit = "FLOP", NEW),
    FIELD(micro_row, found_in, TEXT, "found_in",
          "which suite has this shape, which network in how many layers",
          .why = "not an operator of a network", NEW),
    FIELD(micro_row, implementation, TEXT, "implementation", "as the library calls it",
          .why = "not one of a library, or it has no name", NEW),
    FIELD(
        micro_row, cache, TEXT, "cache",
        "where what was read lay when the clock started: cold: nothing of it in the node's memory "
        "(caches of servers, hosts and disks are part of the storage); warm: all of it; unknown: "
        "the system does not tell, or only a part of it could be dropped",
        .why = "reads no files", .words = cache_words, NEW),
    FIELD(micro_row, ranks, INT, "ranks", "that measured it", NEW),
    FIELD(micro_row, threads, INT, "threads", "of each rank", NEW),
    FIELD(micro_row, position, INT, "position",
          "from 1, in the order that the seed gave the measurements; 0: made of other rows", NEW),
    FIELD(micro_row, checked, BOOL, "checked", "whether the numbers were checked before timing"),
    FIELD(micro_row, reason, TEXT, "reason",
          "why the status is not OK; of an order swap what was found", .why = "it is OK",
          .secret = SECRET_HOST, NEW),
    FIELD(micro_row, median, MEASURE, "median",
          "what half of the samples reached or beat, in `unit`; of several ranks the median of "
          "their medians",
          .range = RANGE_ANY),
    FIELD(micro_row, p95, MEASURE, "p95", "what 95 % of all samples reached or beat, in `unit`",
          .range = RANGE_ANY),
    FIELD(micro_row, p99, MEASURE, "p99", "what 99 % of all samples reached or beat, in `unit`",
          .range = RANGE_ANY, NEW),
    FIELD(micro_row, best, MEASURE, "best", "the best sample, in `unit`", .range = RANGE_ANY, NEW),
    FIELD(micro_row, unit, TEXT, "unit", "unit of median, p95, p99, best, slowest and samples"),
    FIELD(micro_row, more_is_better, BOOL, "more_is_better", "a rate, not a time", NEW),
    FIELD(micro_row, algbw, MEASURE, "algbw_bytes_per_second",
          "bytes / median time, as nccl-tests counts", .unit = "bytes/s", NEW),
    FIELD(micro_row, busbw, MEASURE, "busbw_bytes_per_second",
          "algbw x the operation's factor, to compare with a link's rate", .unit = "bytes/s", NEW),
    FIELD(micro_row, slowest, MEASURE, "slowest", "median of the slowest rank, in `unit`",
          .range = RANGE_ANY, NEW),
    FIELD(micro_row, slowest_rank, INT, "slowest_rank", "rank with the worst median",
          .why = "one rank measured it", .none = -1, NEW),
    FIELD(micro_row, slowest_node, TEXT, "slowest_node", "node with the worst median",
          .why = "ran on one node", .secret = SECRET_HOST),
    FIELD(micro_row, run_delay, MEASURE, "run_delay",
          "part of their time that threads waited for a core, worst rank", NEW),
    FIELD(micro_row, throttled_seconds, MEASURE, "throttled_seconds",
          "a CPU quota kept the processes back, worst rank", .unit = "s", NEW),
    FIELD(micro_row, foreign_cores, MEASURE, "foreign_cores",
          "cores that other processes took, worst node", NEW),
    FIELD(micro_row, clock_hertz, MEASURE, "clock_hertz", "as the system says, slowest rank",
          .unit = "Hz", NEW),
    FIELD(micro_row, celsius, MEASURE, "celsius", "hottest sensor, worst node", .unit = "degrees C",
          .range = RANGE_ANY, NEW),
    FIELD(micro_row, resident, MEASURE, "resident",
          "part of its files that was in the node's memory when the clock started (mincore), the "
          "rank that is farthest from what was asked for",
          NEW),
    FIELD(micro_row, n_samples, INT, "samples_taken", "of all ranks", NEW),
    FIELD_END,
};

const struct field record_micro_fields[] = {
    FIELD_ROWS(record_micro_row_fields),
    FIELD_ROWS(record_micro_head_fields),
    FIELD_HAND(NUMBERS, "samples", "repeats, in `unit`; of very many the first"),
    FIELD_HAND(INT, "samples_omitted", "of them, left out; all are in the ranks' file", NEW),
    FIELD_END,
};
