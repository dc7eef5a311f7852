/* SPDX-License-Identifier: BSD-3-Clause */
/* The tables of what was measured: the profile of a workload's training steps. */
#include <config.h>

#include "reports/record/record_fields.h"

#define SECONDS(member, title)                                                                     \
    FIELD(result_profile, member, DOUBLE, #member, title, .unit = "s", .why = "not timed")

const struct field record_profile_fields[] = {
    FIELD(result_profile, steps, LONG, "steps", "training steps that are in it"),
    FIELD(result_profile, steady, BOOL, "steady",
          "they are those after the first epoch; false: there was no other"),
    SECONDS(step_seconds, "all of it; what follows sums to it"),
    SECONDS(operators_seconds, "operators of the network, all of them"),
    SECONDS(feed_seconds, "samples into the network"),
    SECONDS(zero_seconds, "gradients set to zero"),
    SECONDS(exchange_seconds, "sums of gradients started, and moved on between operators"),
    SECONDS(wait_seconds, "waited for the sums of gradients: the exposed exchange"),
    SECONDS(update_seconds, "optimiser"),
    SECONDS(read_seconds, "loss and quality out of the network"),
    SECONDS(input_seconds, "waited for samples"),
    SECONDS(agree_seconds, "between steps: agreement of the ranks, progress line"),
    SECONDS(other_seconds, "the rest"),
    FIELD(result_profile, exchanged_bytes, U64, "exchanged_bytes",
          "gradients that a rank handed to the exchange", .unit = "bytes"),
    FIELD_END,
};

#define FLOP_TITLE   "of products (convolutions, dense layers), full batches, padding counted"
#define NEEDED_TITLE "of them, without those of padding: what no direct kernel can leave out"
#define BYTES_TITLE                                                                                \
    "that it must move: each tensor and parameter that it reads, and each that it writes, once a " \
    "call"

const struct field record_operator_fields[] = {
    FIELD(result_operator, name, TEXT, "name", "in the graph"),
    FIELD(result_operator, op, TEXT, "op", "kind of the operator"),
    FIELD(result_operator, pass, TEXT, "pass",
          "forward, data (gradient of its inputs), weights (gradient of its parameters), act "
          "(gradient of its activation), stats and sums (of a normalisation), reduce (sum of those "
          "over the ranks), add (of two gradients), again (forward, made a second time)"),
    FIELD(result_operator, implementation, TEXT, "implementation",
          "the library's name of it; own: a kernel of this project; host: a function of the "
          "workload; ranks: a sum over the ranks"),
    FIELD(result_operator, dtype, TEXT, "dtype", "precision of what it reads or writes"),
    FIELD(result_operator, calls, U64, "calls", "calls in all steps"),
    FIELD(result_operator, seconds, DOUBLE, "seconds", "of all calls", .unit = "s",
          .why = "not timed"),
    FIELD(result_operator, least_seconds, DOUBLE, "least_seconds", "of the fastest call, any rank",
          .unit = "s", .why = "not timed"),
    FIELD(result_operator, flop, DOUBLE, "flop", FLOP_TITLE, .unit = "FLOP", .why = "not counted"),
    FIELD(result_operator, needed_flop, DOUBLE, "needed_flop", NEEDED_TITLE, .unit = "FLOP",
          .why = "not counted"),
    FIELD(result_operator, bytes, DOUBLE, "bytes", BYTES_TITLE, .unit = "bytes",
          .why = "not counted"),
    FIELD_END,
};

const struct field record_operators_rest_fields[] = {
    FIELD(record_operators_rest, operators, INT, "operators", "how many"),
    FIELD(record_operators_rest, calls, U64, "calls", "calls in all steps"),
    FIELD(record_operators_rest, seconds, DOUBLE, "seconds", "of all calls", .unit = "s",
          .why = "not timed"),
    FIELD(record_operators_rest, flop, DOUBLE, "flop", FLOP_TITLE, .unit = "FLOP",
          .why = "not counted"),
    FIELD(record_operators_rest, needed_flop, DOUBLE, "needed_flop", NEEDED_TITLE, .unit = "FLOP",
          .why = "not counted"),
    FIELD(record_operators_rest, bytes, DOUBLE, "bytes", BYTES_TITLE, .unit = "bytes",
          .why = "not counted"),
    FIELD_END,
};

const struct field record_profile_rows[] = {
    FIELD_ROWS(record_profile_fields),
    FIELD_HAND(LIST, "operators",
               "a row per operator of the network and pass, most seconds first; "
               "seconds, flop and bytes are of all calls",
               .below = record_operator_fields, .most = RECORD_MAX_OPERATORS),
    FIELD_HAND(OBJECT, "others", "the operators that have no row, in one sum",
               .below = record_operators_rest_fields),
    FIELD_END,
};

#define NO_SHARE "not established"

const struct field record_roofline_fields[] = {
    FIELD(record_roofline, valid, BOOL, "valid",
          "no point is above the roof; else the ceilings are not those of this work",
          .since = "1.2.0"),
    FIELD(record_roofline, points, INT, "points", "the step and its operators that have a roof",
          .since = "1.2.0"),
    FIELD(record_roofline, above, INT, "above", "of them, more than 5 % above it",
          .since = "1.2.0"),
    FIELD(record_roofline, share, DOUBLE, "step_share",
          "time that the operators of a step take at least / time that it took",
          .why = "an operator has no roof", .range = RANGE_ANY, .since = "1.2.0"),
    FIELD(record_roofline, memory_low, DOUBLE, "memory_low",
          "least part of the operators' time that memory binds: the bytes of those that need more "
          "time for bytes than for FLOP",
          .why = NO_SHARE, .range = RANGE_PART, .since = "1.3.0"),
    FIELD(record_roofline, memory_high, DOUBLE, "memory_high",
          "most of it: all of those that need at least half as much time for bytes as for FLOP, "
          "and those without a roof",
          .why = NO_SHARE, .range = RANGE_PART, .since = "1.3.0"),
    FIELD(record_roofline, slow, DOUBLE, "slow",
          "part of it in operators that take more than twice what either roof asks for: buying "
          "does not help them",
          .why = NO_SHARE, .range = RANGE_PART, .since = "1.3.0"),
    FIELD_END,
};
