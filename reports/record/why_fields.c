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
    SECONDS(period_seconds, "of a mean step; what follows, up to other_seconds, sums to it"),
    SECONDS(input_seconds, "waited for samples"),
    SECONDS(compute_seconds, "forward and backward"),
    SECONDS(withheld_seconds, "had work to do and no core"),
    SECONDS(exchange_cpu_seconds, "software of the exchange"),
    SECONDS(wire_seconds, "waited for sums after the last rank had arrived"),
    SECONDS(update_seconds, "optimiser"),
    SECONDS(agree_seconds, "ranks agreed about stopping"),
    SECONDS(other_seconds, "the rest"),
    FIELD(result_path, met_seconds, DOUBLE, "met_seconds",
          "of wire_seconds: sums over the ranks that are part of forward and backward (batch norm)",
          .unit = "s", .range = RANGE_ANY, .why = "no step was timed", .since = "1.3.0",
          .leaves = true),
    FIELD_END,
};

const struct field record_clock_fields[] = {
    FIELD(result_clock, method, TEXT, "method",
          "one rank, same kernel (one clock), ping-pong (rounds of messages)",
          .why = "the clocks were not compared", .since = "1.2.0"),
    FIELD(result_clock, bound_seconds, DOUBLE, "bound_seconds",
          "most that a clock is off after its correction", .unit = "s",
          .why = "the clocks were not compared", .since = "1.2.0"),
    FIELD(result_clock, wire_error_seconds, DOUBLE, "wire_error_seconds",
          "most that the clocks make the path's wire wrong by, of a mean step: bound_seconds (of "
          "more than two ranks twice that) x the part of the steps after which another rank was "
          "last",
          .unit = "s", .why = "the clocks were not compared, or there was no steady state",
          .since = "1.3.0"),
    FIELD(result_clock, least_wait_seconds, DOUBLE, "least_wait_seconds",
          "of a mean step, the wait of the rank that waited least: its wire without any clock, "
          "which may be low by half where one direction is slow",
          .unit = "s", .why = "there was no steady state", .since = "1.3.0"),
    FIELD(result_clock, split, BOOL, "split",
          "skew and wire were told apart: the bound is below a tenth of a mean wait; else all of "
          "the wait is exposed_allreduce",
          .since = "1.2.0"),
    FIELD_END,
};

const struct field record_asking_fields[] = {
    FIELD(result_asking, seconds, POSITIVE, "cost_seconds",
          "of asking in a step, of the slowest rank, as the first epoch showed it", .unit = "s",
          .why = "the kernel does not tell it, or no step was made", .since = "1.3.0",
          .leaves = true),
    FIELD(result_asking, every, LONG, "every",
          "one of so many steps after the first epoch was asked, of the rank that asks seldomest; "
          "the others have its part",
          .since = "1.3.0", .leaves = true),
    FIELD_END,
};

#define READING(member, title)                                                                     \
    FIELD(result_yardstick, member, POSITIVE, #member "_seconds", title, .unit = "s",              \
          .why = "no yardstick was read", .since = "1.3.0", .leaves = true)

const struct field record_yardstick_fields[] = {
    FIELD(result_yardstick, what, TEXT, "what",
          "the convolution that was timed; compare figures of the same one only", .since = "1.3.0"),
    FIELD(result_yardstick, readings, INT, "readings",
          "before the first step, between epochs, after the last", .since = "1.3.0"),
    FIELD_HAND(OBJECT, "wall", "of one convolution", .since = "1.3.0", .leaves = true),
    READING(wall.start, "a convolution before the first step"),
    READING(wall.mean, "mean of the later readings"),
    READING(wall.end, "after the last step"),
    FIELD_HAND(OBJECT, "cpu", "of the same, CPU time", .since = "1.3.0", .leaves = true),
    READING(cpu.start, "CPU of the thread that trains, before the first step"),
    READING(cpu.mean, "mean of the later readings"),
    READING(cpu.end, "after the last step"),
    FIELD_HAND(OBJECT, "chain", "of one of a chain of multiplications, CPU time", .since = "1.3.0",
               .leaves = true),
    READING(chain.start, "one of a chain of multiplications, before the first step"),
    READING(chain.mean, "mean of the later readings"),
    READING(chain.end, "after the last step"),
    FIELD(result_yardstick, peak, POSITIVE, "peak_flop_per_second",
          "that a rank could reach: the best of its multiply-adds of registers and of the "
          "convolution, mean over the ranks",
          .unit = "FLOP/s", .why = "no yardstick was read", .since = "1.3.0", .leaves = true),
    FIELD(result_yardstick, speed, POSITIVE, "speed",
          "of the processor while it trained, of its speed at the start: cpu.start / cpu.mean, "
          "mean over the ranks",
          .why = "no yardstick was read", .since = "1.3.0", .leaves = true),
    FIELD(result_yardstick, least_speed, POSITIVE, "least_speed",
          "the same of the rank that slowed down most", .why = "no yardstick was read",
          .since = "1.3.0", .leaves = true),
    FIELD_END,
};

#define VALUE(from, of, name, tail, is, title, not_known)                                          \
    FIELD(from, of.value, DOUBLE, name tail, title, .unit = is, .why = not_known,                  \
          .since = "1.3.0", .leaves = true),                                                       \
        FIELD(from, of.low, DOUBLE, name "_low" tail, "the low end of its interval", .unit = is,   \
              .why = not_known, .since = "1.3.0", .leaves = true),                                 \
        FIELD(from, of.high, DOUBLE, name "_high" tail, "the high end", .unit = is,                \
              .why = not_known, .since = "1.3.0", .leaves = true)
#define TIME(from, of, name, title) VALUE(from, of, name, "_seconds", "s", title, "not timed")
#define RATE(from, of, title)                                                                      \
    VALUE(from, of, "rate", "_bytes_per_second", "bytes/s", title, "not timed")

const struct field record_sum_fields[] = {
    FIELD(result_sum, bytes, DOUBLE, "bytes", "that each rank has", .unit = "bytes",
          .why = "not known", .since = "1.3.0", .leaves = true),
    FIELD(result_sum, phases, INT, "phases",
          "1: each rank sends it whole to all; 2: a piece to each, then the sum of its own",
          .since = "1.3.0", .leaves = true),
    TIME(result_sum, seconds, "sum", "of a sum over the ranks, of the rank that came last"),
    FIELD_END,
};

const struct field record_link_fields[] = {
    FIELD(record_link, from, NAME, "from", "the node that sends",
          .why = "the rank did not say on which node it ran", .most = RECORD_NAME_SIZE - 1,
          .secret = SECRET_HOST, .since = "1.3.0", .leaves = true),
    FIELD(record_link, to, NAME, "to", "the node that receives",
          .why = "the rank did not say on which node it ran", .most = RECORD_NAME_SIZE - 1,
          .secret = SECRET_HOST, .since = "1.3.0", .leaves = true),
    TIME(record_link, alpha, "alpha", "half of the round trip of 1 KiB"),
    RATE(record_link, rate, "of a message as long as a bucket, in this direction"),
    FIELD_END,
};

const struct field record_transport_fields[] = {
    FIELD(result_transport, rounds, INT, "rounds",
          "of all sums and links, in an order that changes", .since = "1.3.0", .leaves = true),
    FIELD(result_transport, pause_seconds, DOUBLE, "pause_seconds",
          "before each message, as in a step", .unit = "s", .why = "not timed", .since = "1.3.0",
          .leaves = true),
    TIME(result_transport, alpha, "alpha",
         "of a message between two nodes: half of the round trip of 1 KiB, median of the links, or "
         "what a sum of 1 KiB leaves to each message"),
    TIME(result_transport, software, "software",
         "of one phase of a sum that takes neither messages nor bytes"),
    RATE(result_transport, rate, "of the median link"),
    FIELD(result_transport, links, INT, "links_measured",
          "each direction of a pair of nodes; the slowest are listed", .since = "1.3.0",
          .leaves = true),
    FIELD_END,
};

const struct field record_transport_rows[] = {
    FIELD_ROWS(record_transport_fields),
    FIELD_HAND(LIST, "sums", "sums over all ranks, the smallest first", .below = record_sum_fields,
               .most = RESULT_SUMS, .since = "1.3.0", .leaves = true),
    FIELD_HAND(LIST, "links", "links between nodes, the slowest first", .below = record_link_fields,
               .most = RESULT_LINKS, .since = "1.3.0", .leaves = true),
    FIELD_END,
};

#define UNTOLD                                                                                     \
    "messages are too alike in size to tell bytes from messages, or chance hides what it takes"
#define ALPHA(from, of)                                                                            \
    VALUE(from, of, "alpha", "_seconds", "s",                                                      \
          "of a message beside its bytes: software and what a sender that computes lets wait are " \
          "in it",                                                                                 \
          UNTOLD)
#define PER_BYTE(from, of, title)                                                                  \
    VALUE(from, of, "rate", "_bytes_per_second", "bytes/s", title, UNTOLD)

const struct field record_received_fields[] = {
    FIELD(record_received, rank, INT, "rank", "that received it", .since = "1.3.0", .leaves = true),
    FIELD(record_received, node, NAME, "node", "its node",
          .why = "the rank did not say on which node it ran", .most = RECORD_NAME_SIZE - 1,
          .secret = SECRET_HOST, .since = "1.3.0", .leaves = true),
    ALPHA(record_received, alpha),
    PER_BYTE(record_received, rate, "of the slowest link to it; of two ranks there is one"),
    FIELD_END,
};

const struct field record_wire_fields[] = {
    FIELD(record_wire, ranks, INT, "ranks", "that tell it", .range = RANGE_ONE, .since = "1.3.0",
          .leaves = true),
    FIELD(record_wire, of.sums, LONG, "sums",
          "of gradients, of all these ranks, that began when no other was under way",
          .since = "1.3.0", .leaves = true),
    FIELD(record_wire, of.least_bytes, DOUBLE, "least_bytes", "the smallest of their messages",
          .unit = "bytes", .why = "not known", .since = "1.3.0", .leaves = true),
    FIELD(record_wire, of.most_bytes, DOUBLE, "most_bytes", "the largest", .unit = "bytes",
          .why = "not known", .since = "1.3.0", .leaves = true),
    ALPHA(record_wire, of.alpha),
    PER_BYTE(record_wire, of.rate, "of the median rank"),
    FIELD_END,
};

const struct field record_wire_rows[] = {
    FIELD_ROWS(record_wire_fields),
    FIELD_HAND(LIST, "received", "ranks, the one that receives slowest first",
               .below = record_received_fields, .most = RESULT_LINKS, .since = "1.3.0",
               .leaves = true),
    FIELD_END,
};

#define PART(member, title)                                                                        \
    FIELD(record_arm, member, DOUBLE, #member, title, .why = "nothing can be said",                \
          .range = RANGE_ANY, .since = "1.3.0", .leaves = true)

const struct field record_arm_fields[] = {
    FIELD(record_arm, name, TEXT, "name",
          "what the steps lacked: data_from_memory, empty_exchange (one number a bucket), "
          "no_exchange, memory_and_no_exchange, half_threads, half_batch, one_node",
          .pattern = "^[a-z][a-z_]*$", .since = "1.3.0"),
    PART(gain, "part by which a step was shorter without it; below 0: longer"),
    PART(low, "5 % of that"),
    PART(high, "95 % of that: the most that a purchase of it can bring"),
    FIELD(record_arm, noisy, BOOL, "noisy", "the interval is wider than 10 % to a side",
          .since = "1.3.0"),
    FIELD_END,
};

const struct field record_ablation_fields[] = {
    FIELD(record_ablation, rounds, INT, "rounds", "of one block of each arm", .since = "1.3.0"),
    FIELD(record_ablation, dropped, INT, "dropped",
          "of them: other work came or went between the blocks", .since = "1.3.0"),
    FIELD(record_ablation, steps, LONG, "steps", "that a block counts", .since = "1.3.0"),
    FIELD_END,
};

const struct field record_ablation_rows[] = {
    FIELD_ROWS(record_ablation_fields),
    FIELD_HAND(LIST, "arms", "steps that lacked something", .below = record_arm_fields,
               .since = "1.3.0"),
    FIELD_END,
};

#define LOADER(member, title)                                                                      \
    FIELD(record_loader, of.member, DOUBLE, #member, title, .unit = "s", .why = "not timed",       \
          .since = "1.3.0", .leaves = true)

const struct field record_loader_fields[] = {
    FIELD(record_loader, keeping, BOOL, "keeping",
          "decoded samples stay in memory: no file is read after the first epoch", .since = "1.3.0",
          .leaves = true),
    LOADER(produce_seconds, "to produce a batch; the next three sum to it"),
    LOADER(read_seconds, "reading files"),
    LOADER(inflate_seconds, "undoing their filters"),
    LOADER(convert_seconds, "making floats"),
    LOADER(read_cpu_seconds, "CPU time of reading: much less than its seconds is a wait for files"),
    LOADER(inflate_cpu_seconds, "CPU time of undoing filters"),
    LOADER(convert_cpu_seconds, "CPU time of making floats"),
    LOADER(find_seconds, "of reading: until files were found and open"),
    FIELD(record_loader, of.read_gain, DOUBLE, "read_gain",
          "rate of several readers together over that of one: about 1 where bandwidth limits "
          "reading, their number where latency does",
          .why = "fewer than 16 samples were read by one alone, or by several at once",
          .since = "1.3.0", .leaves = true),
    FIELD(record_loader, file_bytes, DOUBLE, "file_bytes",
          "of a step, all ranks: read from files, as stored", .unit = "bytes", .why = "not counted",
          .since = "1.3.0", .leaves = true),
    FIELD(record_loader, memory_bytes, DOUBLE, "memory_bytes",
          "of a step, all ranks: from the loaders' memory, decoded", .unit = "bytes",
          .why = "not counted", .since = "1.3.0", .leaves = true),
    FIELD(record_loader, of.ready, DOUBLE, "ready",
          "batches that were ready when one was asked for, mean", .why = "not counted",
          .since = "1.3.0", .leaves = true),
    FIELD(record_loader, most, DOUBLE, "most_seconds",
          "to produce a batch, on the rank that takes longest", .unit = "s", .why = "not timed",
          .since = "1.3.0", .leaves = true),
    FIELD(record_loader, most_node, NAME, "most_node", "its node",
          .why = "the rank did not say on which node it ran", .most = RECORD_NAME_SIZE - 1,
          .secret = SECRET_HOST, .since = "1.3.0", .leaves = true),
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
