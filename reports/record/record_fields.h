/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tables of a record: what each of its values is, from which member it
 * is read, what may stand there, who fills it in and who may see it. The
 * record, the journals, the schema, hpcai500-record(5) and redaction walk
 * them. Beside them the structs that exist only to be written.
 */
#ifndef RECORD_RECORD_FIELDS_H
#define RECORD_RECORD_FIELDS_H

#include "reports/record/fields.h"
#include "reports/record/record.h"

/* ---- what is counted up from the ranks, as it is written ---- */

struct record_head {
    char id[RECORD_ID_SIZE];
    enum run_status status;
    bool valid;
};

struct record_times {
    char start[RECORD_UTC_SIZE], end[RECORD_UTC_SIZE];
    double wall_seconds;
};

/* The inventory that all nodes share. */
struct record_hardware {
    int node_count;
    char inventories_sha256[65];
    struct record_fact inventory[INVENTORY_COUNT];
};

struct record_nodes {
    int node_count, nodes_omitted;
};

/* Of a workload, over its ranks. */
struct record_shares {
    double utilisation, wall_seconds, phase_sum_error;
    int ranks_known;
};

/* Seconds of a phase, over the ranks. */
struct record_spread {
    double min, median, p95, max;
    const char *max_node;
};

struct record_worst {
    int rank;
    const char *node;
    double seconds;
};

struct record_counter_ranks {
    int counted;
    double min, median, max;
    const char *max_node, *min_node;
};

struct record_counter_head {
    const char *unit, *source;
    double total, ratio;
};

/* A loader in the steady state: seconds of a batch, all workers together, mean over the
 * ranks. */
struct record_loader {
    bool keeping;
    struct result_rank of;           /* its times, bytes and `ready` */
    double file_bytes, memory_bytes; /* of a step, all ranks */
    double most;                     /* produce_seconds of the slowest rank ... */
    const char *most_node;           /* ... and its node */
};

/* A link between two nodes, by name. */
struct record_link {
    const char *from, *to;
    struct result_value alpha, rate;
};

/* What messages cost in training, over the ranks that tell it: medians; and what one of
 * them received. */
struct record_wire {
    int ranks;
    struct result_wire of; /* sums: of all of them; bytes: the least and the most */
};

struct record_received {
    int rank;
    const char *node;
    struct result_value alpha, rate;
};

/* Operators that have no row of their own. */
struct record_operators_rest {
    int operators;
    uint64_t calls;
    double seconds, flop, needed_flop, bytes;
};

/* Of a micro benchmark, beside struct micro_row. */
struct record_micro_head {
    const char *status;
};

/* ---- the tables ---- */

#define RECORD_SHA256_PATTERN "^[0-9a-f]{64}$"

extern const struct field record_fields[]; /* the whole record; all others stand below it */
extern const struct field record_head_fields[];
extern const struct field record_ranks_file_fields[];
extern const struct field record_steps_file_fields[];
extern const struct field record_run_fields[];
extern const struct field record_job_fields[];
extern const struct field record_times_fields[];
extern const struct field record_hardware_fields[];
extern const struct field record_hyper_fields[];  /* rows of that layer, of a workload_result */
extern const struct field record_domain_fields[]; /* the same */
extern const struct field record_nodes_fields[];
extern const struct field record_node_fields[]; /* all but the inventory */
extern const struct field record_inventory_fields[];
extern const struct field record_workload_rows[];        /* all of a workload */
extern const struct field record_workload_head_fields[]; /* who: fixed when it begins */
extern const struct field record_workload_fields[];      /* what it reached */
extern const struct field record_quality_fields[];       /* one of its others */
extern const struct field record_cost_fields[];
extern const struct field record_shares_fields[];
extern const struct field record_epoch_fields[];
extern const struct field record_spread_fields[];
extern const struct field record_worst_fields[];
extern const struct field record_part_fields[];
extern const struct field record_counter_fields[];
extern const struct field record_counter_ranks_fields[];
extern const struct field record_path_fields[];
extern const struct field record_clock_fields[];
extern const struct field record_asking_fields[];
extern const struct field record_yardstick_rows[]; /* all of a struct result_yardstick */
extern const struct field record_yardstick_fields[];
extern const struct field record_loader_fields[];
extern const struct field record_transport_rows[]; /* all of a struct result_transport */
extern const struct field record_transport_fields[], record_sum_fields[];
extern const struct field record_link_fields[]; /* of a struct record_link */
extern const struct field record_wire_rows[];   /* all of a struct record_wire */
extern const struct field record_wire_fields[], record_received_fields[];
extern const struct field record_ablation_rows[]; /* all of a struct record_ablation */
extern const struct field record_ablation_fields[], record_arm_fields[];
extern const struct field record_why_rows[];   /* all of a struct record_why */
extern const struct field record_why_fields[]; /* without its causes */
extern const struct field record_cause_fields[];
extern const struct field record_profile_rows[];          /* all of a profile */
extern const struct field record_roofline_fields[];       /* of a struct record_roofline */
extern const struct field record_profile_fields[];        /* of a struct result_profile */
extern const struct field record_operator_fields[];       /* of a struct result_operator */
extern const struct field record_operators_rest_fields[]; /* of a struct record_operators_rest */
extern const struct field record_micro_fields[];          /* all of a micro benchmark */
extern const struct field record_micro_row_fields[];      /* of struct micro_row */
extern const struct field record_micro_head_fields[];

/* Counters are read at the borders of the loop over training steps, never inside a step. */
#define RECORD_TRAIN "train"
#define RECORD_NO_WIRE                                                                             \
    "no sum of gradients after the first epoch was timed: one rank, ranks that share memory, "     \
    "clocks that were not compared, or sums always under way before the next began"
#define RECORD_NO_ROOFLINE                                                                         \
    "the run has no ceilings of machine for as many threads, or no profile of its steps"

/* The layers of facts.def; facts are members of struct record. */
struct record_layer_info {
    const char *key, *title;
    const struct field *facts;
};
extern const struct record_layer_info record_layers[LAYER_COUNT];

/* ---- parts that records and journals share ---- */

/* All facts, an object per layer, and back. Without n (journals) what is not
 * known stands as {"why": "..."}. */
int record_facts_put(cJSON *o, const struct record *r);
void record_facts_get(const cJSON *o, struct record *r);

/* A node with its inventory, and back. */
int record_node_put(cJSON *o, const struct record_node *node, const struct nulls *n);
void record_node_get(const cJSON *o, struct record_node *node);

/* The qualities beside the primary one, and back: below what holds `quality`. */
int record_others_put(cJSON *o, const struct workload_result *w, const struct nulls *n);
void record_others_get(const cJSON *o, struct workload_result *w, struct record *r);
/* A row of a micro benchmark as journals keep it, with its first 16,384 samples. get: adds it
 * to the record; -1 when it is not one. */
int record_micro_put(cJSON *o, const struct micro_row *m);
int record_micro_get(const cJSON *o, struct record *r);

/* What an unfinished or zeroed result claims by accident becomes unmeasured. */
struct workload_result record_honest(const struct workload_result *r);

/* More than one rank or node: there is more than the record can hold. */
bool record_has_ranks(const struct record *r);

#endif
