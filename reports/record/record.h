/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The record of a run: what was asked, where it ran, what was measured. The
 * agent fills it, everything else reads it. The schema is
 * reports/record/record.schema.json; hpcai500-record(5) explains it.
 *
 *     record_init(&r);
 *     r.run = ...; r.job = ...; r.time.start = now;
 *     record_fact_text(&r.facts[FACT_operating_system_kernel], uts.release);
 *     record_add_node(&r, &node);                     for each node
 *     w = record_add_workload(&r, &result, ranks, n); for each workload
 *     record_add_counter(&r, w, &counter);            for each counter
 *     record_judge(&r);
 *     record_write(&r, dir, path, &e);
 *
 * What was not measured is null in the record, and `reasons` says why under
 * the path of the null ("workloads[0].quality.achieved"). NaN and infinity
 * become null too. Counts that must not be known are a negative number here.
 *
 * Life:    init/fini the caller's storage. Everything that is added is
 *          copied, unless a line says "takes". struct record_{run, job, node,
 *          rank, fact} are plain data: they may be sent between like
 *          machines as bytes.
 * Failure: 0/-1 and one sentence. A failed write leaves nothing visible.
 * Threads: one thread per record.
 */
#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "reports/core/err.h"
#include "reports/core/measure.h"
#include "reports/core/micro_row.h"
#include "reports/core/result.h"
#include "reports/core/runspec.h"

#define RECORD_SCHEMA         "hpcai500/record"
#define RECORD_SCHEMA_VERSION "1.3.0"
#define RECORD_RULES_VERSION  "1.0"

enum {
    RECORD_ID_SIZE = 160,
    RECORD_NAME_SIZE = 64,
    RECORD_JOB_SIZE = 64,
    RECORD_TEXT_SIZE = 192,
    RECORD_MAX_BYTES = 1 << 20, /* of a record, at any scale */
    RECORD_MAX_DEPTH = 32,
    /* of what grows with the machine: */
    RECORD_MAX_NAMES = 4096,   /* nodes by name */
    RECORD_MAX_NODES = 64,     /* described */
    RECORD_MAX_EPOCHS = 256,   /* per workload */
    RECORD_MAX_WORST = 8,      /* ranks per phase */
    RECORD_MAX_OPERATORS = 64, /* rows of a profile */
    RECORD_MAX_CAUSES = 4,     /* of what the steps waited for */
    RECORD_MAX_MICRO = 256,    /* rows of micro benchmarks */
    RECORD_MAX_SAMPLES = 64    /* of each */
};

/* ---- what was asked, and by which job ---- */

struct record_run {
    char text[RUNSPEC_MAX_BYTES + 1];          /* as it was typed */
    char canonical[2 * RUNSPEC_MAX_BYTES + 1]; /* runspec_format() */
    uint64_t seed;
    char level[16];    /* hardware, system, free; "": none claimed */
    char division[16]; /* closed, look-alike, private */
};

struct record_job {
    bool present; /* false: not started by Slurm, `job` is null */
    char cluster[RECORD_NAME_SIZE];
    long job_id;
    char step_id[16]; /* "0", "batch", ... */
    int restart;
    long array_job_id, array_task_id; /* -1: not an array job */
    long het_job_id, het_offset;      /* -1: not a heterogeneous job */
    char user[RECORD_NAME_SIZE];
    long uid;
    char account[RECORD_NAME_SIZE];
    char partition[RECORD_NAME_SIZE];
    int exclusive; /* had all processors of its nodes: 1 yes, 0 no, -1 unknown */
};

/* ---- where it ran ---- */

/* A value of the system description; zeroed: not recorded. */
struct record_fact {
    char text[RECORD_TEXT_SIZE]; /* the value, or why there is none */
    double number;
    enum { FACT_UNSET, FACT_TEXT, FACT_NUMBER, FACT_UNKNOWN } state;
};

/* Copies, cut to what fits. An empty text or a number that is not finite
 * becomes unknown. */
void record_fact_text(struct record_fact *f, const char *text);
void record_fact_number(struct record_fact *f, double number);
void record_fact_unknown(struct record_fact *f, const char *reason);

enum record_layer {
#define LAYER(key, title) LAYER_##key,
#include "reports/record/facts.def"
    LAYER_COUNT
};

enum record_fact_id {
#define FACT(layer, key, kind, ...) FACT_##layer##_##key,
#include "reports/record/facts.def"
    FACT_COUNT
};

enum record_inventory_id {
#define INVENTORY(key, kind, ...) INVENTORY_##key,
#include "reports/record/facts.def"
    INVENTORY_COUNT
};

struct record_node {
    char name[RECORD_NAME_SIZE]; /* as Slurm calls it; outside of Slurm the host name */
    char host[RECORD_TEXT_SIZE]; /* as it calls itself, perhaps with its domain; "": unknown */
    char class_name[RECORD_TEXT_SIZE]; /* hardware class: site's word, or CPU + GPU + NIC + board */
    char build_id[RECORD_NAME_SIZE];   /* of the agent that ran there */
    bool plugin_remote;                /* the plugin's remote side announced itself there */
    struct record_fact inventory[INVENTORY_COUNT];
};

/* ---- what was measured ---- */

/* One rank's share of a workload, gathered by the agent. */
struct record_rank {
    int node;            /* index of record_add_node(); -1 unknown */
    double wall_seconds; /* NAN: nothing is known of this rank */
    double phase_seconds[PHASE_COUNT];
    double split_seconds[SPLIT_COUNT];
    struct result_rank steady;
    double throttled_seconds; /* by a CPU quota in steady steps, workloads/throttled.h; NAN */
};

/* One counter of a workload. total, phases, ratio are over all ranks; what
 * combines ranks that see one and the same counter (a node's energy) is the
 * business of who counted. */
struct record_counter {
    const char *name; /* [a-z][a-z0-9_]*, unit in the name */
    const char *unit;
    const char *source; /* "PAPI_TOT_CYC", "/proc/self/io"; "" unknown */
    struct measure total;
    struct measure phases[PHASE_COUNT];
    double ratio; /* least part of the time it was counted; NAN unknown */
    /* value of rank r in phase p at [r * (PHASE_COUNT + 1) + p], p = PHASE_COUNT:
     * all phases; NAN: none. Borrowed for the call; NULL: not known. */
    const double *per_rank;
};

/* What limited a workload: reports/diagnose has the rule and the words. */
struct record_cause {
    char cause[32];
    char node[RECORD_NAME_SIZE];
    char suspect[32]; /* "": it is named already */
    double share;
};

struct record_why {
    char cause[32]; /* "": it was not asked */
    char node[RECORD_NAME_SIZE];
    bool confirmed;
    double visible, jitter, foreign;
    char whole[32];
    char verdict[512], reason[512], next[512];
    struct record_cause causes[RECORD_MAX_CAUSES];
    int n_causes;
};

/* How far its operators are from what the same run measured as the machine's ceilings:
 * reports/diagnose/roofline.h. */
struct record_roofline {
    int points;   /* the step and its operators that have a roof; 0: there is none */
    int above;    /* of them */
    bool valid;   /* none is above */
    double share; /* of a step that its operators need at least; NAN */
    /* Of the operators' time, bound by memory, and by neither of both roofs; NAN. */
    double memory_low, memory_high, slow;
    char why[160]; /* no memory_low */
};

/* What steps gained without something: reports/diagnose/ablation.h. */
struct record_arm {
    char name[32];
    double gain, low, high; /* part by which a step was shorter */
    bool noisy;
};

struct record_ablation {
    int rounds, dropped; /* rounds 0: none */
    long steps;
    char reason[96]; /* why nothing can be said; "" */
    struct record_arm arms[ARM_COUNT];
    int n_arms;
};

struct record_workload {
    struct workload_result result; /* owned */
    struct record_why why;
    struct record_roofline roofline;
    struct record_ablation ablation;
    int n_ranks; /* of ranks[]; may be 0 or fewer than result.ranks */
    struct record_rank *ranks;
    int n_counters;
    struct record_counter *counters;
    struct measure energy_joules; /* training to the end, all nodes */
    struct measure cost;          /* in the site's currency */
};

/* ---- the record ---- */

struct steps_set;
struct record {
    enum run_status status;
    bool valid;
    struct record_run run;
    struct record_job job;
    struct record_fact facts[FACT_COUNT];
    struct {
        struct timespec start, end; /* CLOCK_REALTIME */
        double wall_seconds;        /* CLOCK_MONOTONIC */
        int pid;                    /* names a local record */
    } time;
    int n_nodes;
    struct record_node *nodes;
    int n_workloads;
    struct record_workload *workloads;
    int n_micro;
    struct micro_row *micro;
    int n_reasons;
    struct record_reason {
        char *path, *text;
    } * reasons;
    struct steps_set *steps; /* of its steps file, owned; NULL: none */
    int n_kept;
    char **kept; /* strings that record_keep() holds */
};

void record_init(struct record *r);
void record_fini(struct record *r);

/* All return the index of the new row, or -1 when out of memory or when the
 * row cannot be (a counter without a name). */
int record_add_node(struct record *r, const struct record_node *node);
/* Takes *result on success (it is then empty) and what its epochs point at;
 * copies ranks, rank r at [r]. energy and cost are unmeasured until set. */
int record_add_workload(struct record *r, struct workload_result *result,
                        const struct record_rank *ranks, int n_ranks);
int record_add_counter(struct record *r, int workload, const struct record_counter *c);
/* Copies *m with its samples and parts. */
int record_add_micro(struct record *r, const struct micro_row *m);

/* Index of the node of that name, -1 when there is none. */
int record_find_node(const struct record *r, const char *name);

/* A copy of text that lives as long as the record, for measure.reason. */
const char *record_keep(struct record *r, const char *text);

/* Adds a sentence to `reasons` under a path ("valid", "status",
 * "workloads[0].valid", ...); one path holds one sentence, later ones are
 * put behind the first. */
int record_reason(struct record *r, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Sets status and valid from what was added, with reasons: the worst status
 * of the workloads; not valid when a workload is not, when nodes ran
 * different builds, when there is no workload. A status or reason that was
 * set before stays when it is worse. Call once, after the last add. */
void record_judge(struct record *r);

/* Exit code of a run verb: 0 complete and valid, 1 not valid or crashed,
 * 4 partial. */
int record_exit_code(const struct record *r);

/* `<job>[_<task>|+<offset>]` */
void record_job_name(const struct record_job *j, char job[RECORD_JOB_SIZE]);

/* `<cluster>-<job>[_<task>|+<offset>].<restart>.<step>`, or
 * `local-<time>-<pid>`; other characters than [A-Za-z0-9._+-] become '_'. */
void record_id(const struct record *r, char id[RECORD_ID_SIZE]);

/* "2026-11-22T19:02:57.250Z" */
enum { RECORD_UTC_SIZE = 25 };
void record_utc(struct timespec t, char utc[RECORD_UTC_SIZE]);

/* The record as text of at most RECORD_MAX_BYTES; free() it. Lists that grow
 * with the machine are cut (worst ranks, odd nodes and latest epochs stay)
 * and say how many they leave out. sides: the files beside it; NULL: none. */
struct record_side {
    char name[RECORD_ID_SIZE + 32]; /* "": there is none */
    char sha256[65];
};
struct record_sides {
    struct record_side ranks, steps;
};
char *record_to_json(const struct record *r, const struct record_sides *sides, struct err *e);

/* Writes `<id>.json` in dir, and with more than one rank, or with micro benchmarks,
 * everything per rank and every sample as `<id>.ranks.json.gz` beside it (without zlib:
 * `.ranks.json`), with steps `<id>.steps.gz` (steps_file.h): exclusive temporary file,
 * fsync, rename that never replaces, fsync of the folder. Temporary files that killed writers of this record left go then. path: where it is.
 * The caller ignores SIGXFSZ. */
int record_write(const struct record *r, const char *dir, char path[PATH_MAX], struct err *e);

/* Reads a record that may be hostile: regular file, at most RECORD_MAX_BYTES,
 * depth at most RECORD_MAX_DEPTH, UTF-8, no key twice, no number that is not
 * finite, schema name and major version ours. Returns the parsed document
 * (cJSON_Delete it); fields may still be absent or of another type. */
struct cJSON;
struct cJSON *record_read(const char *path, struct err *e);
/* Its two halves: the bytes (free() them), and the document in them; name is
 * for the sentence. */
char *record_load(const char *path, size_t *size, struct err *e);
struct cJSON *record_parse(const char *text, size_t size, const char *name, struct err *e);

#endif
