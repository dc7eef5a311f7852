/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/micro/ceiling.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "agent/comm/comm_mpi.h"
#include "agent/guard.h"
#include "agent/micro/bench.h"
#include "agent/report.h"
#include "reports/core/clock.h"
#include "workloads/micro/condition.h"
#include "workloads/micro/kernel.h"

/* ---- turns ---- */

/* Threads busy for so long; the part of it that they may wait for a core. */
static const double probe_seconds = 0.05, most_delay = 0.02;

/* Part of its time that this rank's threads waited, all ranks being busy. */
static double busy_delay(int threads)
{
    struct condition before, after;
    double end = clock_now() + probe_seconds;

    condition_read(&before, clock_now());
#pragma omp parallel num_threads(threads)
    while (clock_now() < end)
        chain_run(1);
    condition_read(&after, clock_now());
    return (after.delay - before.delay) / ((after.wall - before.wall) * threads);
}

static bool any_ceiling(const struct runspec *spec)
{
    for (int i = 0; i < spec->n_workloads; i++)
        if (runspec_workload(spec->workloads[i])->ceiling)
            return true;
    return false;
}

int ceiling_turns(struct run *r, struct err *e)
{
    char text[160];

    r->turns = r->spec.turns == TURNS_YES;
    if (!any_ceiling(&r->spec) || r->spec.turns != TURNS_AUTO || comm_mpi_nodes(r->comm) < 2)
        return 0;
    if (r->comm->barrier(r->comm, e) < 0)
        return -1;
    double delay = busy_delay(r->threads);
    if (r->comm->reduce(r->comm, &delay, 1, COMM_MAX, e) < 0)
        return -1;
    r->turns = delay > most_delay; /* not known: no */
    if (r->turns) {
        snprintf(text, sizeof text,
                 "cores are shared (busy threads waited %.0f %% of their time): nodes measure one "
                 "at a time; turns=no measures all at once",
                 100 * delay);
        progress_say(&r->progress, text);
    }
    return 0;
}

/* ---- hosts ---- */

static const char *node_name(void *ctx, int rank)
{
    const struct run *r = ctx;

    return comm_mpi_node(r->comm, rank);
}

static int node_of(void *ctx, int rank)
{
    const struct run *r = ctx;

    return comm_mpi_node_index(r->comm, rank);
}

static bool told(void *ctx)
{
    (void)ctx;
    return guard_told();
}

static void count(void *ctx, const char *what, uint64_t done, uint64_t all)
{
    struct run *r = ctx;

    progress_count(&r->progress, what, done, all, clock_now());
}

/* Rank 0: into the journal and the record. */
static int take(void *ctx, struct micro_row *row, struct err *e)
{
    struct run *r = ctx;

    report_micro(r, row);
    int rc = record_add_micro(&r->record, row) < 0
                 ? err_set(e, "out of memory for a row of %s", row->name)
                 : 0;

    if (row->reason[0] && row->status != MICRO_SKIPPED) {
        static const char *const words[] = MICRO_STATUS_WORDS;
        char text[320];
        snprintf(text, sizeof text, "%s %s %s: %s: %s", row->name, row->what, row->shape,
                 words[row->status], row->reason);
        progress_say(&r->progress, text);
    }
    micro_row_fini(row);
    return rc;
}

/* Rank 0: a line of standard output, which --json keeps for the record. */
static void put_line(void *ctx, const char *line)
{
    struct run *r = ctx;

    if (r->o.json)
        return;
    fputs(line, r->out);
    fflush(r->out);
}

static struct micro_host host_of(struct run *r, int index, enum runspec_class class)
{
    struct micro_host h = bench_host(r, index, class);

    h.ctx = r;
    h.node_name = node_name;
    h.node_of = node_of;
    h.stop = told;
    h.count = count;
    h.blocking = guard_blocking;
    h.line = put_line;
    h.before_script = !r->o.by_option; /* the plugin gives its vet an argument */
    h.row = take;
    return h;
}

/* ---- run ---- */

static const char *name_of(const struct runspec *spec, int index)
{
    return runspec_workload(spec->workloads[index])->name;
}

/* Rows of one benchmark in the order of its list, not in that of measuring. */
static void sort_rows(struct micro_row *rows, int n)
{
    for (int i = 1; i < n; i++)
        for (int k = i; k > 0 && rows[k].index < rows[k - 1].index; k--) {
            struct micro_row t = rows[k];
            rows[k] = rows[k - 1];
            rows[k - 1] = t;
        }
}

/* Ended before all rows were measured: said in the record. */
static void say_partial(struct run *r, const char *name, int done, int all, const char *why)
{
    r->record.status = r->record.status > RUN_PARTIAL ? r->record.status : RUN_PARTIAL;
    record_reason(&r->record, "status", "%s: %d of %d measurements: %s", name, done, all, why);
}

static void say_end(struct run *r, const char *name, int first, int done, int all)
{
    char text[160];
    int slow = 0, faulty = 0;

    for (int i = first; i < r->record.n_micro; i++) {
        slow += r->record.micro[i].status == MICRO_SLOW;
        faulty += r->record.micro[i].status == MICRO_FAULTY;
    }
    snprintf(text, sizeof text, "%s: %d of %d measurements, %d row%s%s", name, done, all,
             r->record.n_micro - first, r->record.n_micro - first == 1 ? "" : "s",
             faulty ? ", some FAULTY"
             : slow ? ", some SLOW"
                    : "");
    progress_say(&r->progress, text);
}

int ceiling_run(struct run *r, int index, bool *could_not, struct err *e)
{
    const char *name = name_of(&r->spec, index);
    const struct workload_plan *plan = &r->plan.of[index];
    struct micro_host h = host_of(r, index, plan->class);
    const struct micro_bench *b = bench_of(name);
    struct micro_plan own = {0};
    struct micro_swap swap = {.again = false};
    struct err why = ERR_INIT;
    int done = 0, first = r->record.n_micro;

    progress_workload(&r->progress, name);
    r->index = index;
    r->phase = PHASE_OTHER;
    r->phase_begun = r->workload_begun = r->phases_written = clock_now();
    memset(r->phase_seconds, 0, sizeof r->phase_seconds);
    h.swap = &swap;
    b->plan(&h, &own);
    int rc = b->run(&h, &done, &why);
    progress_clear(&r->progress);
    if (rc < 0 && comm_mpi_failed(r->comm))
        return err_set(e, "%s", why.text);
    if (rc < 0) {
        progress_say(&r->progress, why.text);
        say_partial(r, name, done, own.rows, why.text);
        r->record.status = RUN_CRASHED;
        *could_not = done == 0;
    } else if (done < own.rows) {
        say_partial(r, name, done, own.rows,
                    guard_told() ? "told to stop"
                                 : "time= was over; give more, or a smaller class");
    }
    if (r->comm->rank == 0)
        sort_rows(r->record.micro + first, r->record.n_micro - first);
    if (r->comm->rank == 0)
        say_end(r, name, first, done, own.rows);
    return 0;
}
