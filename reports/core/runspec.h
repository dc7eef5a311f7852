/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The run text: one line says the whole run.
 *
 *     SUITE-or-WORKLOAD[+WORKLOAD...][,key=value]...
 *
 * model, data, epochs, target, batch, checkpoint and resume belong to a workload:
 * where several run, they say whose they are (target=hep:0.97), once for each. A
 * folder without a name is for all: each has FOLDER/WORKLOAD.
 *
 * srun, the remote side of the plugin, and the agent parse it with this one
 * function, so a bad word fails on the login node with the sentence that the
 * agent would have said. The text is hostile until parsed: it may come from
 * a user's environment. One table (runspec.c) drives parse, format, defaults
 * and help.
 *
 * Life:    struct runspec is plain data, by value; no allocation anywhere.
 * Failure: -1 and a sentence naming the bad word and, where there is a near
 *          one, the good word; the struct is unchanged.
 * Threads: pure functions.
 */
#ifndef CORE_RUNSPEC_H
#define CORE_RUNSPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "reports/core/err.h"

enum {
    RUNSPEC_MAX_BYTES = 512, /* of a text: a suite of eight has two values for each */
    RUNSPEC_MAX_WORKLOADS = 32,
    RUNSPEC_MODEL_SIZE = 32,
    RUNSPEC_FOLDER_SIZE = RUNSPEC_MAX_BYTES + 34 /* with "/WORKLOAD" behind it */
};

enum runspec_class { CLASS_AUTO, CLASS_TINY, CLASS_SMALL, CLASS_STANDARD, CLASS_COUNT };
enum runspec_dtype { DTYPE_F32, DTYPE_BF16, DTYPE_COUNT };
enum runspec_engine { ENGINE_AUTO, ENGINE_CPU, ENGINE_REF, ENGINE_COUNT };
enum runspec_division { DIVISION_CLOSED, DIVISION_LOOK_ALIKE, DIVISION_PRIVATE, DIVISION_COUNT };

enum runspec_diagnose { DIAGNOSE_NO, DIAGNOSE_QUICK, DIAGNOSE_YES, DIAGNOSE_COUNT };
enum runspec_profile { TESTS_QUICK, TESTS_STANDARD, TESTS_DEEP };
enum runspec_turns { TURNS_AUTO, TURNS_NO, TURNS_YES, TURNS_COUNT };

#define RUNSPEC_DTYPE_BIT(d) (1u << DTYPE_##d)

/* Keys, in the order of the canonical text. */
enum runspec_key {
    KEY_CLASS,        /* auto, tiny, small, standard; auto: the agent picks */
    KEY_DTYPE,        /* f32, bf16 */
    KEY_MODEL,        /* of the workload's models; unset: its first */
    KEY_DATA,         /* folder; when several run, theirs are FOLDER/WORKLOAD */
    KEY_EPOCHS,       /* at most so many; unset: the class's own limit */
    KEY_TARGET,       /* quality target instead of the class's own */
    KEY_TIME,         /* for the whole run: s, m or h; 10m, or the suite's own */
    KEY_SEED,         /* unset: 1 */
    KEY_RUNS,         /* of each training, with seeds from `seed` on; 1 */
    KEY_BATCH,        /* global batch; unset: the class's own */
    KEY_THREADS,      /* per rank; unset: as many as the rank may use */
    KEY_ENGINE,       /* auto, cpu, ref */
    KEY_CHECKPOINT,   /* folder that each epoch's state goes to */
    KEY_RESUME,       /* folder whose state the run goes on from */
    KEY_TURNS,        /* auto, no, yes: micro benchmarks one node or pair at a time */
    KEY_PROFILE,      /* quick, standard, deep: tests of validate */
    KEY_BUDGET,       /* seconds of its tests of a node; unset: the profile's own */
    KEY_PAUSE,        /* seconds between its rounds; unset: 60, of vet none */
    KEY_SPARES,       /* nodes that vet leaves out */
    KEY_BUCKET,       /* bytes of gradients exchanged together; unset: from the plan */
    KEY_WORKERS,      /* threads of a rank's loader; unset: as many as compute */
    KEY_AHEAD,        /* batches kept ready; unset: 2 */
    KEY_KEEP,         /* no: samples are read from files in every epoch */
    KEY_DIAGNOSE,     /* after training, steps without something are timed */
    KEY_OUT,          /* folder for the record */
    KEY_GATE,         /* yes: a failed or invalid run stops the command after it */
    KEY_DIVISION,     /* closed, look-alike, private */
    KEY_REDACT,       /* what sinks hide beside what the site hides: user+host+... */
    KEY_CONFIDENTIAL, /* yes: sinks show what identifies nobody, no more */
    KEY_COUNT
};

/* One row of workloads.def. */
struct runspec_workload {
    const char *name;
    const char *suite;
    const char *field;
    const char *science; /* whose data it trains on; NULL: none */
    const char *title;
    unsigned dtypes; /* bits 1u << DTYPE_x */
    bool ceiling;    /* a micro benchmark: agent/micro/ runs it */
};

/* Arrays have an entry per entry of `workloads`, in its order; those of folders
 * one more, the folder that was said for all. */
struct runspec {
    char suite[32]; /* first word when it is a suite, else "" */
    int n_workloads;
    /* Indices for runspec_workload(), in the order in which they run. With runs=N each
     * training has N entries, one behind the other, with the same values. */
    int workloads[RUNSPEC_MAX_WORKLOADS];
    unsigned set; /* bit 1u << KEY_x: said, and not its default */
    enum runspec_class class;
    enum runspec_dtype dtype;
    char model[RUNSPEC_MAX_WORKLOADS][RUNSPEC_MODEL_SIZE];     /* "" unset */
    char data[RUNSPEC_MAX_WORKLOADS + 1][RUNSPEC_FOLDER_SIZE]; /* "" unset */
    long epochs[RUNSPEC_MAX_WORKLOADS];                        /* 0 unset */
    double target[RUNSPEC_MAX_WORKLOADS];                      /* 0 unset */
    double time_seconds;
    uint64_t seed; /* of the first run of each training */
    int runs;
    long batch[RUNSPEC_MAX_WORKLOADS]; /* 0 unset */
    int threads;                       /* 0 unset */
    enum runspec_engine engine;
    char checkpoint[RUNSPEC_MAX_WORKLOADS + 1][RUNSPEC_FOLDER_SIZE]; /* "" unset */
    char resume[RUNSPEC_MAX_WORKLOADS + 1][RUNSPEC_FOLDER_SIZE];     /* "" unset */
    enum runspec_turns turns;
    enum runspec_profile profile;
    double budget_seconds; /* 0 unset */
    double pause_seconds;  /* 0 unset */
    int spares;            /* 0 unset */
    uint64_t bucket_bytes; /* 0: from the plan */
    int workers, ahead;    /* 0 unset */
    bool keep;
    enum runspec_diagnose diagnose;
    char out[RUNSPEC_MAX_BYTES + 1]; /* "" unset */
    bool gate;
    enum runspec_division division;
    uint32_t redact; /* bits of enum conf_redact (reports/core/conf.h) */
    bool confidential;
};

/* Parses NUL-terminated text of at most RUNSPEC_MAX_BYTES bytes. */
int runspec_parse(struct runspec *r, const char *text, struct err *e);

/* Writes the canonical text: words in order, keys in enum order, only those
 * that differ from their default; parse(format(r)) gives r again and the text
 * is never longer than the one that was parsed. Returns the length, or -1 when
 * size is too small (RUNSPEC_MAX_BYTES + 1 always does). */
int runspec_format(const struct runspec *r, char *buf, size_t size);

/* Forgets every folder: what is left may be shown to anybody who may see what
 * was run. */
void runspec_strip(struct runspec *r);

/* Row i of the table of workloads, NULL past the end. */
const struct runspec_workload *runspec_workload(int i);

/* Index of the workload of that name, -1 when there is none. */
int runspec_find(const char *name);

/* What the run says of its index-th workload: 0 or "" when it says nothing, and
 * then the class, or the workload, decides. Texts are borrowed from *r. */
static inline long runspec_epochs(const struct runspec *r, int index)
{
    return r->epochs[index];
}

static inline double runspec_target(const struct runspec *r, int index)
{
    return r->target[index];
}

static inline long runspec_batch(const struct runspec *r, int index)
{
    return r->batch[index];
}

/* Whether the run is a vet: it chooses nodes for what follows it. */
bool runspec_is_vet(const struct runspec *r);

/* Which run of its training the index-th entry is, from 0 on. */
static inline int runspec_repeat(const struct runspec *r, int index)
{
    int repeat = 0;

    while (index > repeat && r->workloads[index - repeat - 1] == r->workloads[index])
        repeat++;
    return repeat;
}

/* Its seed: the runs of a training differ in it alone. */
static inline uint64_t runspec_seed(const struct runspec *r, int index)
{
    return r->seed + (uint64_t)runspec_repeat(r, index);
}

static inline const char *runspec_model(const struct runspec *r, int index)
{
    return r->model[index];
}

static inline const char *runspec_data(const struct runspec *r, int index)
{
    return r->data[index];
}

static inline const char *runspec_checkpoint(const struct runspec *r, int index)
{
    return r->checkpoint[index];
}

static inline const char *runspec_resume(const struct runspec *r, int index)
{
    return r->resume[index];
}

/* The default time of a run of this suite, as the run text spells it; suite "": of
 * workloads by name. NULL when no suite has that name. */
const char *runspec_suite_time(const char *suite);

/* The words of the enums, as the run text spells them. */
const char *runspec_class_name(enum runspec_class c);
const char *runspec_dtype_name(enum runspec_dtype d);
const char *runspec_engine_name(enum runspec_engine x);
const char *runspec_profile_name(enum runspec_profile p);
const char *runspec_division_name(enum runspec_division d);

/* Most that the run may cost: nodes x time. [node-hours] */
double runspec_node_hours(const struct runspec *r, unsigned nodes);

/* What `--hpcai500=help` and `=list` print. */
void runspec_help(FILE *f);
void runspec_list(FILE *f);

/* When the text is `help` or `list`, prints the answer and returns 1; else 0. */
int runspec_answer(const char *text, FILE *f);

#endif
