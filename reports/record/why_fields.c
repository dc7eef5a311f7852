/* SPDX-License-Identifier: BSD-3-Clause */
/* The tables of what was measured: where a step's time went, and what limited it. */
#include <config.h>

#include "reports/record/record_fields.h"

#define SECONDS(member, title)                                                                     \
    FIELD(result_path, member, DOUBLE, #member, title, .unit = "s", .why = "not timed",            \
          .range = RANGE_ANY, .since = "1.2.0", .leaves = true)

const struct field record_path_fields[] = {
    FIELD(result_path, steps, LONG, "steps", "steps from one arrival of the last rank to the next",
          .since = "1.2.0", .leaves = true),
    SECONDS(period_seconds, "of a mean step; what follows sums to it"),
    SECONDS(input_seconds, "waited for samples"),
    SECONDS(compute_seconds, "forward and backward"),
    SECONDS(withheld_seconds, "had work to do and no core"),
    SECONDS(exchange_cpu_seconds, "software of the exchange"),
    SECONDS(wire_seconds, "waited for sums after the last rank had arrived"),
    SECONDS(update_seconds, "optimiser"),
    SECONDS(agree_seconds, "ranks agreed about stopping"),
    SECONDS(other_seconds, "the rest"),
    FIELD_END,
};

const struct field record_clock_fields[] = {
    FIELD(result_clock, method, TEXT, "method",
          "one rank, same kernel (one clock), ping-pong (rounds of messages)",
          .why = "the clocks were not compared", .since = "1.2.0"),
    FIELD(result_clock, bound_seconds, DOUBLE, "bound_seconds",
          "most that a clock is off after its correction", .unit = "s",
          .why = "the clocks were not compared", .since = "1.2.0"),
    FIELD(result_clock, split, BOOL, "split",
          "skew and wire were told apart: the bound is below a tenth of a mean wait; else all of "
          "the wait is exposed_allreduce",
          .since = "1.2.0"),
    FIELD_END,
};

#define NO_NODE "no single node is named"

const struct field record_cause_fields[] = {
    FIELD(record_cause, cause, TEXT, "cause", "a cause of hpcai500-record(5)",
          .pattern = "^[a-z][a-z0-9_]*$", .since = "1.2.0"),
    FIELD(record_cause, node, TEXT, "node", "the node that it is about", .why = NO_NODE,
          .secret = SECRET_HOST, .since = "1.2.0"),
    FIELD(record_cause, suspect, TEXT, "suspect",
          "of a node that was slower in this run: what limits it when other runs say it too",
          .pattern = "^[a-z][a-z0-9_]*$", .why = "it does not depend on other runs",
          .since = "1.2.0"),
    FIELD(record_cause, share, DOUBLE, "share",
          "of a step, above what a healthy run of the class waits", .why = "not measured",
          .range = RANGE_PART, .since = "1.2.0"),
    FIELD_END,
};

const struct field record_why_fields[] = {
    FIELD(record_why, cause, TEXT, "cause", "what limited the steady state",
          .pattern = "^[a-z][a-z0-9_]*$", .since = "1.2.0"),
    FIELD(record_why, node, TEXT, "node", "the node that it is about", .why = NO_NODE,
          .secret = SECRET_HOST, .since = "1.2.0"),
    FIELD(record_why, confirmed, BOOL, "confirmed", "a second witness agrees", .since = "1.2.0"),
    FIELD(record_why, visible, DOUBLE, "visible", "part of a step that is waited for a cause",
          .why = "no steady state", .since = "1.2.0"),
    FIELD(record_why, jitter, DOUBLE, "jitter",
          "part of a step that chance makes it longer than the median node's", .range = RANGE_PART,
          .why = "no steady state", .since = "1.2.0"),
    FIELD(record_why, foreign, DOUBLE, "foreign",
          "part of a step for which other work had the cores of all nodes; it is no cause",
          .range = RANGE_PART, .why = "no steady state", .since = "1.2.0"),
    FIELD(record_why, whole, TEXT, "whole",
          "what takes more of the whole run: evaluation, checkpoint or staging",
          .pattern = "^[a-z][a-z0-9_]*$", .why = "the steps limit the whole run, too",
          .since = "1.2.0"),
    FIELD(record_why, verdict, TEXT, "verdict", "in words: what limits it", .since = "1.2.0"),
    FIELD(record_why, reason, TEXT, "why", "in words: from what that follows", .since = "1.2.0"),
    FIELD(record_why, next, TEXT, "next", "in words: what to do; what costs nothing comes first",
          .since = "1.2.0"),
    FIELD_END,
};

const struct field record_why_rows[] = {
    FIELD_ROWS(record_why_fields),
    FIELD_HAND(LIST, "causes", "what the steps waited for, the largest first",
               .below = record_cause_fields, .most = RECORD_MAX_CAUSES, .since = "1.2.0"),
    FIELD_END,
};
