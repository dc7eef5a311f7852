/* SPDX-License-Identifier: BSD-3-Clause */
/* make_records DIR: a gallery of records, every kind that there is, for the
 * schema's tests and for looking at. */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/record/journal.h"
#include "reports/record/record.h"
#include "reports/record/steps_file.h"
#include "tests/reports/record/sample.h"

static int write_one(struct record *r, const char *dir, long job)
{
    struct err e = ERR_INIT;
    char path[PATH_MAX];

    r->job.job_id = job;
    record_judge(r);
    int rc = record_write(r, dir, path, &e);
    if (rc < 0)
        fprintf(stderr, "make_records: %s\n", e.text);
    else
        puts(path);
    record_fini(r);
    return rc;
}

/* Three steps of rank 0 on n1 and of rank 1 on n2, with one wait each. */
static int add_steps(struct record *r)
{
    const struct steps_workload w = {"cosmoflow", 4, 1, 1, 3, 128, 1};
    struct steps_row rows[3];
    struct err e = ERR_INIT;
    int rc = (r->steps = steps_set_create()) ? steps_set_workload(r->steps, &w) : -1;

    for (int rank = 0; rc == 0 && rank < 2; rank++) {
        struct steps_block b = {.rank = rank, .epoch = 1, .rows = 3};
        for (int k = 0; k < 3; k++) {
            rows[k] = (struct steps_row){.step = k,
                                         .begin = 100 + 0.25 * k,
                                         .own = 0.125,
                                         .length = 0.1875,
                                         .last_ready = 0.15,
                                         .last_rank = 1,
                                         .buckets = 1,
                                         .start = {0.125},
                                         .half = {NAN},
                                         .wait_begin = {0.125},
                                         .wait_end = {0.1625}};
        }
        snprintf(b.node, sizeof b.node, "n%d", rank + 1);
        void *bytes = steps_pack(rows, 3, 1, &b.bytes, &e);
        rc = bytes ? steps_set_block(r->steps, &b, bytes) : -1;
        free(bytes);
    }
    return rc;
}

static int complete(const char *dir)
{
    struct record r;
    double samples[] = {1.5, 1.25, 2, 1.75, 1};
    struct micro_row m = {.name = "conv2d",
                          .shape = "5x16x768x1152 16 2x2",
                          .dtype = "f32",
                          .direction = "forward",
                          .checked = true,
                          .median = measured(1.5),
                          .p95 = measured(2),
                          .unit = "ms",
                          .what = "library",
                          .bytes = 283115520,
                          .ranks = 4,
                          .threads = 2,
                          .position = 3,
                          .p99 = measured(2),
                          .best = measured(1),
                          .algbw = unmeasured("not a collective"),
                          .busbw = unmeasured("not a collective"),
                          .slowest = measured(1.75),
                          .slowest_rank = 3,
                          .run_delay = measured(0.125),
                          .throttled_seconds = measured(0),
                          .foreign_cores = measured(0.5),
                          .clock_hertz = unmeasured("the system shows no clock"),
                          .celsius = measured(61.5),
                          .n_samples = 5,
                          .samples = samples,
                          .slowest_node = "n2"};

    sample_record(&r, 4, 2, 3);
    record_add_micro(&r, &m);
    snprintf(r.run.level, sizeof r.run.level, "free");
    return add_steps(&r) < 0 ? -1 : write_one(&r, dir, 4711);
}

/* One rank, no Slurm, little known. */
static int local(const char *dir)
{
    struct record r;

    sample_record(&r, 1, 1, 1);
    r.job.present = false;
    memset(&r.nodes[0].inventory, 0, sizeof r.nodes[0].inventory);
    r.nodes[0].class_name[0] = '\0';
    return write_one(&r, dir, 0);
}

/* The text of an enemy, or of a user with another keyboard. */
static int strange(const char *dir)
{
    struct record r;

    sample_record(&r, 2, 1, 2);
    snprintf(r.job.account, sizeof r.job.account, "phys\x1b[2J\n");
    snprintf(r.nodes[0].class_name, sizeof r.nodes[0].class_name, "Knoten f\xc3\xbcr \xff\"\\");
    snprintf(r.workloads[0].result.data_path, sizeof r.workloads[0].result.data_path,
             "/data/\xe2\x80\xae%%s<b>");
    record_fact_unknown(&r.facts[FACT_libraries_papi], "/opt/\xe9t\xe9\x07 is not readable");
    record_reason(&r, "workloads[0].status", "odd \xfe\n");
    r.job.exclusive = -1;
    r.job.array_job_id = 4000;
    r.job.array_task_id = 7;
    return write_one(&r, dir, 4712);
}

static int not_valid(const char *dir)
{
    struct record r;
    struct workload_result *w;

    sample_record(&r, 4, 2, 300);
    w = &r.workloads[0].result;
    w->valid = false;
    w->achieved = measured(NAN);
    w->vflops_n5 = w->vflops_n10 = unmeasured("no quality");
    w->time_to_quality_seconds = unmeasured("the target was not reached");
    w->epochs_to_target = 0;
    w->rcp.seeds = 0;
    snprintf(w->reason, sizeof w->reason, "the loss is not finite in epoch 3");
    snprintf(r.nodes[1].build_id, sizeof r.nodes[1].build_id, "fedcba987654");
    r.workloads[0].ranks[1].wall_seconds += 10;
    return write_one(&r, dir, 4713);
}

static int crashed(const char *dir)
{
    struct record r;
    struct workload_result w = {.name = "cosmoflow",
                                .suite = "component",
                                .ranks = 4,
                                .status = RUN_CRASHED,
                                .reason = "no data at /nowhere"};

    sample_record(&r, 1, 1, 1);
    record_add_workload(&r, &w, NULL, 0);
    return write_one(&r, dir, 4714);
}

static int empty(const char *dir)
{
    struct record r;

    record_init(&r);
    snprintf(r.run.text, sizeof r.run.text, "cosmoflow");
    snprintf(r.run.canonical, sizeof r.run.canonical, "cosmoflow");
    snprintf(r.run.division, sizeof r.run.division, "closed");
    r.time.pid = 77;
    r.time.wall_seconds = NAN;
    return write_one(&r, dir, 0);
}

/* Journals of ranks 0 and 1 of 3, in one folder of their own. */
static int journals(const char *dir)
{
    struct record r;
    struct err e = ERR_INIT;
    double seconds[PHASE_COUNT] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    int rc = 0;

    sample_record(&r, 3, 3, 2);
    r.job.job_id = 4715;
    for (int k = 0; rc == 0 && k < 2; k++) {
        struct workload_result w = sample_result(3, 0);
        struct journal *j = journal_open(dir, "lab-4715.0.3", k, &e);
        rc = journal_start(j, &r, k, 3, &r.nodes[k], &e) | journal_workload(j, 0, &w, &e) |
             journal_epoch(j, 0, &r.workloads[0].result.epochs[1], &e) |
             journal_phases(j, 0, 45, seconds, &e);
        if (k == 1)
            rc |= journal_failure(j, 2, "n3", "no answer for 60 s in compute", &e);
        journal_close(j);
        result_fini(&w);
    }
    record_fini(&r);
    return rc;
}

static int large(const char *dir)
{
    struct record r;

    sample_record(&r, 4096, 1024, 400);
    return write_one(&r, dir, 4716);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: make_records DIR\n");
        return 2;
    }
    int rc = complete(argv[1]) | local(argv[1]) | strange(argv[1]) | not_valid(argv[1]) |
             crashed(argv[1]) | empty(argv[1]) | journals(argv[1]) | large(argv[1]);
    return rc ? 1 : 0;
}
