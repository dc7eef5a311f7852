/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/record/record_fields.h"

#include <string.h>

/* ---- closed vocabularies ---- */

static const char *const schema_words[] = {RECORD_SCHEMA, NULL};
static const char *const version_words[] = {RECORD_SCHEMA_VERSION, NULL};
static const char *const rules_words[] = {RECORD_RULES_VERSION, NULL};
static const char *const level_words[] = {"hardware", "system", "free", NULL};
static const char *const division_words[] = {"closed", "look-alike", "private", NULL};
/* Versions that this release reads, beside the one that it writes. */
static int version_find(const char *word)
{
    const size_t minor = strncmp(word, "1.", 2) == 0 ? strspn(word + 2, "0123456789") : 0;
    const char *patch = minor ? word + 2 + minor : "";

    return *patch == '.' && patch[1] && patch[1 + strspn(patch + 1, "0123456789")] == '\0' ? 0 : -1;
}

#define FILE_PATTERN "[A-Za-z0-9_][A-Za-z0-9._+-]*"
#define TIME_PATTERN                                                                               \
    "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:"            \
    "([0-5][0-9]|60)\\.[0-9]{3}Z$"

/* ---- what was asked ---- */

const struct field record_head_fields[] = {
    FIELD_HAND(CONST, "schema", "what this file is", .words = schema_words, .leaves = true),
    FIELD_HAND(CONST, "schema_version", "semantic version of this schema", .words = version_words,
               .leaves = true, .known = version_find),
    FIELD(record_head, id, TEXT, "id",
          "<cluster>-<job>[_<task>|+<offset>].<restart>.<step>, or local-<time>-<pid>",
          .pattern = "^" FILE_PATTERN "$", .secret = SECRET_ID, .leaves = true),
    FIELD(record_head, status, STATUS, "status",
          "complete: came to its end; partial: stopped, what was measured is here; crashed: a "
          "failure ended it",
          .leaves = true),
    FIELD(record_head, valid, BOOL, "valid",
          "whether the results may be compared; if not, reasons.valid says why", .leaves = true),
    FIELD_END,
};

const struct field record_ranks_file_fields[] = {
    FIELD(record_side, name, TEXT, "name", "its name, in the same folder",
          .pattern = "^" FILE_PATTERN "\\.ranks(-[0-9a-f]{8})?\\.json(\\.gz)?$"),
    FIELD(record_side, sha256, TEXT, "sha256", "digest of its bytes",
          .pattern = RECORD_SHA256_PATTERN),
    FIELD_END,
};

const struct field record_steps_file_fields[] = {
    FIELD(record_side, name, TEXT, "name", "its name, in the same folder",
          .pattern = "^" FILE_PATTERN "\\.steps(-[0-9a-f]{8})?\\.gz$", .since = "1.3.0"),
    FIELD(record_side, sha256, TEXT, "sha256", "digest of its bytes",
          .pattern = RECORD_SHA256_PATTERN, .since = "1.3.0"),
    FIELD_END,
};

const struct field record_run_fields[] = {
    FIELD(record_run, text, TEXT, "text", "the run text as it was typed",
          .secret = SECRET_RUN_TEXT),
    FIELD(record_run, canonical, TEXT, "canonical", "the same, in order and without defaults",
          .secret = SECRET_RUN_TEXT),
    FIELD(record_run, seed, U64, "seed", "seed of all random numbers"),
    FIELD(record_run, level, TEXT, "level", "HPC AI500 level that is claimed",
          .why = "no level was claimed", .words = level_words, .leaves = true),
    FIELD(record_run, division, TEXT, "division", "rules that were followed",
          .words = division_words, .leaves = true),
    FIELD_HAND(CONST, "rules_version", "version of the rules", .words = rules_words,
               .pattern = "^[0-9]+\\.[0-9]+$", .leaves = true),
    FIELD_END,
};

#define NO_ARRAY "not an array job"
#define NO_HET   "not a heterogeneous job"

const struct field record_job_fields[] = {
    FIELD(record_job, cluster, TEXT, "cluster", "name of the cluster; may be empty", .empty = true,
          .secret = SECRET_CLUSTER, .leaves = true),
    FIELD(record_job, job_id, LONG, "job_id", "job", .secret = SECRET_JOB),
    FIELD(record_job, step_id, TEXT, "step_id", "step",
          .pattern = "^([0-9]+|batch|extern|interactive)$"),
    FIELD(record_job, restart, INT, "restart", "how often the job was requeued", .leaves = true),
    FIELD(record_job, array_job_id, LONG, "array_job_id", "array this job is of", .why = NO_ARRAY,
          .none = -1, .secret = SECRET_JOB),
    FIELD(record_job, array_task_id, LONG, "array_task_id", "its task", .why = NO_ARRAY, .none = -1,
          .secret = SECRET_JOB),
    FIELD(record_job, het_job_id, LONG, "het_job_id", "heterogeneous job this one is of",
          .why = NO_HET, .none = -1, .secret = SECRET_JOB),
    FIELD(record_job, het_offset, LONG, "het_offset", "its component", .why = NO_HET, .none = -1,
          .secret = SECRET_JOB),
    FIELD(record_job, user, TEXT, "user", "user; may be empty", .empty = true,
          .secret = SECRET_USER, .leaves = true),
    FIELD(record_job, uid, LONG, "uid", "user id", .secret = SECRET_UID),
    FIELD(record_job, account, TEXT, "account", "account", .why = "Slurm names no account",
          .secret = SECRET_ACCOUNT, .leaves = true),
    FIELD(record_job, partition, TEXT, "partition", "partition", .why = "Slurm names no partition",
          .secret = SECRET_PARTITION, .leaves = true),
    FIELD(record_job, exclusive, MAYBE, "exclusive",
          "whether the job had all processors of its nodes",
          .why = "what Slurm says of the job's processors does not tell whether it had all of them",
          .leaves = true),
    FIELD_HAND(TEXTS, "nodes", "nodes, in the order of the ranks", .most = RECORD_MAX_NAMES,
               .secret = SECRET_HOST, .leaves = true),
    FIELD_HAND(INT, "nodes_omitted", "nodes left out; all are in the ranks' file"),
    FIELD_HAND(TEXTS, "plugin_remote", "nodes on which the plugin announced itself",
               .by = "the plugin, on each node", .most = RECORD_MAX_NAMES, .secret = SECRET_HOST),
    FIELD_HAND(INT, "plugin_remote_omitted", "of them, left out"),
    FIELD_END,
};

const struct field record_times_fields[] = {
    FIELD(record_times, start, TEXT, "start", "RFC 3339, UTC", .pattern = TIME_PATTERN,
          .secret = SECRET_TIME, .leaves = true),
    FIELD(record_times, end, TEXT, "end", "RFC 3339, UTC", .pattern = TIME_PATTERN,
          .secret = SECRET_TIME, .leaves = true),
    FIELD(record_times, wall_seconds, DOUBLE, "wall_seconds", "by a clock that never jumps",
          .unit = "s", .why = "not timed", .leaves = true),
    FIELD_END,
};

/* ---- where it ran ---- */

#define HASH_FIELD                                                                                 \
    FIELD_HAND(TEXT, "hash", "SHA-256 of this layer", .pattern = RECORD_SHA256_PATTERN, .most = 64)

const struct field record_inventory_fields[] = {
#define INVENTORY(key, kind, ...)                                                                  \
    FIELD(record_node, inventory[INVENTORY_##key], FACT_##kind, #key, __VA_ARGS__,                 \
          .why = "not recorded"),
#include "reports/record/facts.def"
    FIELD_END,
};

const struct field record_hardware_fields[] = {
    FIELD(record_hardware, node_count, INT, "node_count", "nodes of the run"),
    FIELD(record_hardware, inventories_sha256, TEXT, "inventories_sha256",
          "SHA-256 over the nodes' inventories, in the order of their own hashes: equal for the "
          "same machines under other names",
          .pattern = RECORD_SHA256_PATTERN),
#define INVENTORY(key, kind, ...)                                                                  \
    FIELD(record_hardware, inventory[INVENTORY_##key], FACT_##kind, #key, __VA_ARGS__,             \
          .why = "not recorded"),
#include "reports/record/facts.def"
    HASH_FIELD,
    FIELD_END,
};

/* The facts of all layers, one after the other: each table ends where the
 * row of the next layer stands. */
static const struct field layer_fields[] = {
#define LAYER(key, title) HASH_FIELD, FIELD_END,
#define FACT(layer, key, kind, ...)                                                                \
    FIELD(record, facts[FACT_##layer##_##key], FACT_##kind, #key, __VA_ARGS__,                     \
          .why = "not recorded"),
#include "reports/record/facts.def"
    HASH_FIELD,
    FIELD_END,
};

enum {
#define LAYER(key, title)           ROW_HASH_BEFORE_##key, ROW_END_BEFORE_##key,
#define FACT(layer, key, kind, ...) ROW_##layer##_##key,
#include "reports/record/facts.def"
    ROW_COUNT
};

const struct record_layer_info record_layers[LAYER_COUNT] = {
#define LAYER(key, title) {#key, title, layer_fields + ROW_END_BEFORE_##key + 1},
#include "reports/record/facts.def"
};

const struct field record_nodes_fields[] = {
    FIELD(record_nodes, node_count, INT, "node_count", "nodes of the run", .leaves = true),
    FIELD(record_nodes, nodes_omitted, INT, "nodes_omitted",
          "nodes left out; all are in the ranks' file"),
    FIELD_END,
};

const struct field record_node_fields[] = {
    FIELD(record_node, name, TEXT, "name",
          "the node, as Slurm calls it; outside of Slurm the host name", .secret = SECRET_HOST,
          .leaves = true),
    FIELD(record_node, host, TEXT, "host", "host name, as the node calls itself",
          .why = "the node did not say", .secret = SECRET_HOST),
    FIELD(record_node, class_name, TEXT, "class",
          "hardware class: the site's word, or CPU, GPU, NIC and board",
          .why = "the site names no class"),
    FIELD(record_node, build_id, TEXT, "build_id", "build of the agent that ran there",
          .why = "the node did not say"),
    FIELD_HAND(OBJECT, "inventory", "what the node is made of", .below = record_inventory_fields),
    FIELD_END,
};

/* ---- the whole ---- */

static const struct field hyper_layer_fields[] = {
    FIELD_HAND(LIST, "workloads", "one row per workload", .below = record_hyper_fields),
    HASH_FIELD,
    FIELD_END,
};

static const struct field domain_layer_fields[] = {
    FIELD_HAND(LIST, "workloads", "one row per workload", .below = record_domain_fields),
    FIELD_HAND(TEXT, "hash", "SHA-256 of this layer", .pattern = RECORD_SHA256_PATTERN, .most = 64,
               .secret = SECRET_DATA), /* tells equal data */
    FIELD_END,
};

/* The layers that are not made of facts alone. */
#define BELOW_hardware          record_hardware_fields
#define BELOW_hyper_parameters  hyper_layer_fields
#define BELOW_problem_domain    domain_layer_fields
#define BELOW_facts(key)        (layer_fields + ROW_END_BEFORE_##key + 1)
#define BELOW_operating_system  BELOW_facts(operating_system)
#define BELOW_communication     BELOW_facts(communication)
#define BELOW_libraries         BELOW_facts(libraries)
#define BELOW_framework         BELOW_facts(framework)
#define BELOW_programming_model BELOW_facts(programming_model)
#define BELOW_implementation    BELOW_facts(implementation)

static const struct field layers_fields[] = {
#define LAYER(key, title) FIELD_HAND(OBJECT, #key, title, .below = BELOW_##key),
#include "reports/record/facts.def"
    FIELD_END,
};

static const struct field system_fields[] = {
    FIELD_HAND(OBJECT, "layers",
               "the nine layers of HPC AI500 V2; `hash` is the SHA-256 of the layer's JSON without "
               "white space and without `hash`. `hardware` holds the value that all nodes have, "
               "null where they differ",
               .below = layers_fields),
    FIELD_HAND(LIST, "nodes", "the nodes; of very many the odd ones first",
               .below = record_node_fields, .leaves = true),
    FIELD_ROWS(record_nodes_fields),
    FIELD_END,
};

const struct field record_fields[] = {
    FIELD_ROWS(record_head_fields),
    FIELD_HAND(OBJECT, "ranks_file",
               "file beside this one that holds everything per rank and node; null when this one "
               "does",
               .why = "one rank: the record holds it all", .below = record_ranks_file_fields,
               .secret = SECRET_RANKS_FILE),
    FIELD_HAND(OBJECT, "steps_file",
               "file beside this one that holds steps of training one by one (hpcai500/steps)",
               .why = "no steps were kept", .below = record_steps_file_fields,
               .secret = SECRET_RANKS_FILE, .since = "1.3.0"),
    FIELD_HAND(OBJECT, "run", "what was asked", .by = "the agent, from the run text",
               .below = record_run_fields, .leaves = true),
    FIELD_HAND(OBJECT, "job", "the Slurm job; null without Slurm", .why = "not started by Slurm",
               .by = "the agent, from what Slurm tells a task", .below = record_job_fields,
               .leaves = true),
    FIELD_HAND(OBJECT, "system", "where it ran", .by = "the agent, on each node",
               .below = system_fields, .leaves = true),
    FIELD_HAND(OBJECT, "time", "when", .by = "the agent of rank 0", .below = record_times_fields,
               .leaves = true),
    FIELD_HAND(LIST, "workloads", "workloads, in the order they ran",
               .by = "the workload; what is over ranks, the agent of rank 0",
               .below = record_workload_rows, .most = RUNSPEC_MAX_WORKLOADS, .leaves = true),
    FIELD_HAND(LIST, "micro",
               "micro benchmarks, slow and faulty ones first; of very many the first rows",
               .by = "the micro benchmark", .below = record_micro_fields, .most = RECORD_MAX_MICRO),
    FIELD_HAND(INT, "micro_omitted", "rows of micro left out; all are in the ranks' file",
               .by = "the micro benchmark", .since = "1.1.0"),
    FIELD_HAND(
        MAP, "reasons", "why a value is null, a result not valid or a run not complete, by path",
        .by = "who left the value empty", .pattern = "^[A-Za-z0-9_.\\[\\]-]+$", .most = 4096),
    FIELD_END,
};
