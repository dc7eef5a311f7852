/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/report.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/comm/comm_mpi.h"
#include "agent/environment.h"
#include "agent/guard.h"
#include "agent/job.h"
#include "agent/say.h"
#include "agent/system.h"
#include "agent/why.h"
#include "reports/core/clock.h"
#include "reports/core/crc32c.h"
#include "workloads/engine/engine.h"
#include "workloads/throttled.h"

enum { PATH_SIZE = PATH_MAX + RECORD_ID_SIZE + 32 };

/* Phases are journalled when they change, but not more often than this. */
static const double phases_every_seconds = 1;

/* ---- opening ---- */

static void describe_run(struct run *r)
{
    struct record_run *run = &r->record.run;

    snprintf(run->text, sizeof run->text, "%s", r->o.run);
    runspec_format(&r->spec, run->canonical, sizeof run->canonical);
    run->seed = r->spec.seed;
    snprintf(run->division, sizeof run->division, "%s", runspec_division_name(r->spec.division));
}

/* Rank 0's start time and pid name a local record on all ranks. */
int report_name(struct run *r, struct err *e)
{
    struct {
        struct timespec start;
        int pid;
    } own = {.pid = (int)getpid()};
    char path[PATH_SIZE];
    int rc = 0;

    clock_gettime(CLOCK_REALTIME, &own.start);
    if (r->comm->broadcast(r->comm, &own, sizeof own, 0, e) < 0)
        return -1;
    r->record.time.start = own.start;
    r->record.time.pid = own.pid;
    job_read(&r->record.job);
    describe_run(r);
    record_id(&r->record, r->id);
    if (r->comm->rank == 0) {
        snprintf(path, sizeof path, "%s/%s.json", r->place.record, r->id);
        if (access(path, F_OK) == 0)
            rc = err_set(
                e,
                "%s exists already: this step has left a record before; move it away, or use out=",
                path);
    }
    return comm_agree(r->comm, rc, e);
}

/* Room on rank 0 for `n` cards and, where wanted, one count a rank. NULL on the
 * others; -1 on all ranks when there is none. */
static int room_of_rank_0(struct run *r, size_t n, size_t bytes, void **cards, size_t **counts,
                          const char *what, struct err *e)
{
    bool here = r->comm->rank == 0;

    *cards = here ? malloc(n * bytes) : NULL;
    *counts = here ? calloc((size_t)r->comm->size, sizeof **counts) : NULL;
    return comm_agree(
        r->comm, here && (!*cards || !*counts) ? err_set(e, "out of memory for %s", what) : 0, e);
}

static bool speaks_for_node(const struct run *r, int rank)
{
    int node = comm_mpi_node_index(r->comm, rank);

    while (--rank >= 0 && comm_mpi_node_index(r->comm, rank) != node)
        ;
    return rank < 0;
}

/* Cards of the nodes, on rank 0: from the first rank of each. */
static int gather_nodes(struct run *r, struct err *e)
{
    struct comm *c = r->comm;
    int n = comm_mpi_nodes(c);
    size_t *counts;
    void *room;
    int rc = room_of_rank_0(r, (size_t)n, sizeof r->self, &room, &counts, "the nodes", e);

    if (rc < 0)
        goto out;
    for (int i = 0, next = 0; i < c->size && c->rank == 0; i++)
        if (comm_mpi_node_index(c, i) == next) {
            counts[i] = sizeof r->self;
            next++;
        }
    rc = c->gatherv(c, &r->self, speaks_for_node(r, c->rank) ? sizeof r->self : 0, room, counts, e);
    if (rc < 0)
        goto out;
    const struct record_node *nodes = room;
    for (int i = 0; i < n && rc == 0 && c->rank == 0; i++)
        rc = record_add_node(&r->record, &nodes[i]) < 0 ? err_set(e, "out of memory for the nodes")
                                                        : 0;
    if (rc == 0 && c->rank == 0 && r->record.job.present)
        r->record.job.exclusive = job_exclusive(r->record.nodes, r->record.n_nodes);
    rc = comm_agree(c, rc, e);
out:
    free(room);
    free(counts);
    return rc;
}

/* Ranks of one node may run different builds, too (mpirun with two programs). */
static int compare_builds(struct run *r, struct err *e)
{
    uint32_t hash = crc32c(0, r->self.build_id, strlen(r->self.build_id));
    double most[2] = {hash, -(double)hash};

    if (r->comm->reduce(r->comm, most, 2, COMM_MAX, e) < 0)
        return -1;
    if (most[0] != -most[1]) {
        r->record.valid = false;
        record_reason(&r->record, "valid", "ranks run different builds");
        progress_say(&r->progress, "ranks run different builds: the run will not be valid");
    }
    return 0;
}

/* A variable of any rank that makes the run not comparable. */
static int compare_environments(struct run *r, struct err *e)
{
    int own = environment_objection();
    double first = own < 0 ? INFINITY : own;
    char text[160];

    if (r->comm->reduce(r->comm, &first, 1, COMM_MIN, e) < 0)
        return -1;
    if (isfinite(first)) {
        environment_sentence((int)first, text, sizeof text);
        r->record.valid = false;
        record_reason(&r->record, "valid", "%s", text);
        progress_say(&r->progress, text);
    }
    return 0;
}

static void say_plugin(struct run *r)
{
    char text[256];
    int missing = 0, first = -1;

    if (!r->record.job.present)
        return;
    for (int i = 0; i < r->record.n_nodes; i++)
        if (!r->record.nodes[i].plugin_remote && missing++ == 0)
            first = i;
    if (missing == 0 || missing == r->record.n_nodes)
        return; /* none has it: started by hand */
    snprintf(text, sizeof text, "the plugin hpcai500.so is missing on %d of %d nodes (%s)", missing,
             r->record.n_nodes, r->record.nodes[first].name);
    progress_say(&r->progress, text);
}

static int most_ranks_per_node(const struct comm *c)
{
    int most = 0;

    for (int node = 0; node < comm_mpi_nodes(c); node++) {
        int n = 0;
        for (int i = 0; i < c->size; i++)
            n += comm_mpi_node_index(c, i) == node;
        most = n > most ? n : most;
    }
    return most;
}

static void describe(struct run *r)
{
    struct system_told told = {
        .ranks = r->comm->size,
        .ranks_per_node = most_ranks_per_node(r->comm),
        .threads = r->threads,
        .thread_level = r->thread_level,
        .processors = r->resources.processors,
        .engine = r->spec.engine == ENGINE_AUTO ? engine_backend_name(0)
                                                : runspec_engine_name(r->spec.engine),
        .dtype = runspec_dtype_name(r->spec.dtype),
        .data_dir = r->plan.n ? r->plan.of[0].data_path : "",
        .out_dir = r->place.record,
    };

    system_facts(r->record.facts, &told);
    if (r->threads < r->threads_asked) {
        char text[sizeof r->resources.processors + 64];
        snprintf(text, sizeof text, "%s; OpenMP gives %d of %d threads", r->resources.processors,
                 r->threads, r->threads_asked);
        record_fact_text(&r->record.facts[FACT_programming_model_binding], text);
    }
    system_node(&r->self, comm_mpi_node(r->comm, r->comm->rank));
}

/* Without a journal the run goes on, after one sentence. */
static void open_journal(struct run *r)
{
    struct err why = ERR_INIT;
    const char *drop = r->place.drop;

    r->journal = journal_open(r->place.record, r->id, r->comm->rank, &why);
    if (r->journal && drop[0] && strcmp(drop, r->place.record) != 0)
        journal_copy(r->journal, drop, r->id, r->comm->rank, NULL); /* out=: for root to see */
    if (!r->journal ||
        journal_start(r->journal, &r->record, r->comm->rank, r->comm->size, &r->self, &why) < 0)
        progress_say(&r->progress, why.text);
}

int report_open(struct run *r, struct err *e)
{
    describe(r);
    if (gather_nodes(r, e) < 0 || compare_builds(r, e) < 0 || compare_environments(r, e) < 0)
        return -1;
    say_plugin(r);
    open_journal(r);
    return 0;
}

void report_close(struct run *r)
{
    pthread_mutex_lock(&r->lock);
    journal_close(r->journal);
    r->journal = NULL;
    pthread_mutex_unlock(&r->lock);
    record_fini(&r->record);
}

/* ---- while it runs ---- */

static void begin_energy(struct run *r)
{
    const struct record_job *job = &r->record.job;
    struct energy *n = &r->energy;

    snprintf(n->how, sizeof n->how, "%s", r->place.energy);
    n->step[0] = '\0';
    if (job->present)
        snprintf(n->step, sizeof n->step, "%ld.%.16s", job->job_id, job->step_id);
    energy_begin(n, r->comm, speaks_for_node(r, r->comm->rank));
}

/* The workload as far as it is known before it runs. */
void report_begin(struct run *r, int index, const struct workload_plan *plan)
{
    const struct runspec_workload *w = runspec_workload(r->spec.workloads[index]);
    struct workload_result known = {
        .ranks = r->comm->size,
        .threads = r->threads,
        .batch = plan->batch,
        .parameters = plan->parameters,
        .train_samples = plan->train_samples,
        .eval_samples = plan->eval_samples,
        .target = plan->target,
        .arena_bytes = plan->arena_bytes,
        .flop_per_sample = plan->flop_per_sample,
        .status = RUN_PARTIAL,
    };

    snprintf(known.name, sizeof known.name, "%s", w->name);
    snprintf(known.suite, sizeof known.suite, "%s", w->suite);
    snprintf(known.class_name, sizeof known.class_name, "%s", runspec_class_name(plan->class));
    snprintf(known.dtype, sizeof known.dtype, "%s", runspec_dtype_name(r->spec.dtype));
    snprintf(known.engine, sizeof known.engine, "%s",
             r->spec.engine == ENGINE_AUTO ? engine_backend_name(0)
                                           : runspec_engine_name(r->spec.engine));
    snprintf(known.data_path, sizeof known.data_path, "%s", plan->data_path);
    snprintf(known.metric, sizeof known.metric, "%s", plan->metric);
    const struct result_metric *metric = metric_of(metric_find(plan->metric));
    known.higher_is_better = metric && metric->higher_is_better;
    begin_energy(r);
    r->index = index;
    r->workload_begun = r->phase_begun = r->phases_written = clock_now();
    r->phase = PHASE_STAGING;
    r->throttled = 0;
    r->throttled_then = throttled_seconds();
    memset(r->phase_seconds, 0, sizeof r->phase_seconds);
    pthread_mutex_lock(&r->lock);
    if (r->journal)
        journal_workload(r->journal, index, &known, NULL);
    pthread_mutex_unlock(&r->lock);
}

/* The clock of the phases as the agent sees them, for the journal. */
static double turn(struct run *r, enum phase p)
{
    double now = clock_now();

    r->phase_seconds[r->phase] += now - r->phase_begun;
    r->phase_begun = now;
    r->phase = p;
    return now;
}

static void write_phases(struct run *r, double now)
{
    r->phases_written = now;
    pthread_mutex_lock(&r->lock);
    if (r->journal)
        journal_phases(r->journal, r->index, now - r->workload_begun, r->phase_seconds, NULL);
    pthread_mutex_unlock(&r->lock);
}

/* Time that a quota took of steady steps, as far as they have come. */
static void turn_throttled(struct run *r)
{
    const double now = throttled_seconds();

    if (r->phase == PHASE_COMPUTE)
        r->throttled += now - r->throttled_then;
    r->throttled_then = now;
}

void report_phases(struct run *r)
{
    write_phases(r, turn(r, r->phase));
}

void report_phase(struct run *r, enum phase p)
{
    turn_throttled(r);
    double now = turn(r, p);

    if (now - r->phases_written >= phases_every_seconds)
        write_phases(r, now);
}

void report_epoch(struct run *r, const struct result_epoch *row)
{
    double now = turn(r, r->phase);

    pthread_mutex_lock(&r->lock);
    if (r->journal)
        journal_epoch(r->journal, r->index, row, NULL);
    pthread_mutex_unlock(&r->lock);
    if (now - r->phases_written >= phases_every_seconds)
        write_phases(r, now);
}

void report_profile(struct run *r, const struct workload_result *so_far)
{
    pthread_mutex_lock(&r->lock);
    if (r->journal)
        journal_profile(r->journal, r->index, so_far, NULL);
    pthread_mutex_unlock(&r->lock);
}

void report_micro(struct run *r, const struct micro_row *row)
{
    pthread_mutex_lock(&r->lock);
    if (r->journal)
        journal_micro(r->journal, row, NULL);
    pthread_mutex_unlock(&r->lock);
}

/* ---- a workload's end ---- */

/* Times of each rank, on rank 0, into the record; *at: the workload there. */
static int gather_ranks(struct run *r, struct workload_result *result, int *at, struct err *e)
{
    struct comm *c = r->comm;
    struct record_rank own = {
        .node = comm_mpi_node_index(c, c->rank),
        .wall_seconds = result->wall_seconds,
    };
    size_t *counts;
    void *room;
    int rc = room_of_rank_0(r, (size_t)c->size, sizeof own, &room, &counts, "the ranks' times", e);

    memcpy(own.phase_seconds, result->phase_seconds, sizeof own.phase_seconds);
    memcpy(own.split_seconds, result->split_seconds, sizeof own.split_seconds);
    own.steady = result->rank;
    turn_throttled(r);
    own.throttled_seconds = r->throttled;
    for (int i = 0; i < c->size && c->rank == 0 && rc == 0; i++)
        counts[i] = sizeof own;
    if (rc == 0)
        rc = c->gatherv(c, &own, sizeof own, room, counts, e);
    if (rc < 0)
        goto out;
    if (c->rank == 0 && (*at = record_add_workload(&r->record, result, room, c->size)) < 0)
        rc = err_set(e, "out of memory for the result");
    rc = comm_agree(c, rc, e);
out:
    free(counts);
    free(room);
    return rc;
}

/* Why rank 0 has no value where it has none, else why the ranks have none. */
static struct measure combined(const struct run *r, const struct counters_row *rows, int i,
                               enum phase p)
{
    struct measure m = counters_combine(rows, 1, r->comm->size, i, p);

    if (m.reason) {
        struct measure own = counters_value(r->counters, i, p);
        if (own.reason)
            m.reason = own.reason;
    }
    return m;
}

/* What the site named takes the place of what the kernel shows. */
static void name_energy(struct run *r, struct record_counter *c)
{
    const struct energy *n = &r->energy;

    c->source = energy_source(n);
    c->total =
        n->why.text[0] ? unmeasured(record_keep(&r->record, n->why.text)) : measured(n->total);
    for (int p = 0; p < PHASE_COUNT; p++)
        c->phases[p] = unmeasured("read as the workload begins and ends");
}

/* This rank's row of it: of the ranks that read one. */
static void put_energy(const struct run *r, struct counters_row *row)
{
    if (!energy_asked(&r->energy))
        return;
    for (int p = 0; p < PHASE_COUNT; p++)
        row->value[p] = NAN;
    row->value[PHASE_COUNT] = r->energy.joules;
    row->ratio = 1;
}

/* Rank 0: one counter over all ranks into the record. rows: one a rank; values:
 * scratch. */
static int add_counter(struct run *r, int workload, const struct counters_row *rows, int i,
                       double *values)
{
    const struct counter_info *info = counters_info(i);
    struct record_counter c = {
        .name = info->name,
        .unit = info->unit,
        .source = counters_source(r->counters, i),
        .total = combined(r, rows, i, PHASE_COUNT),
        .ratio = NAN,
        .per_rank = values,
    };
    enum { EACH = PHASE_COUNT + 1 };

    for (int p = 0; p < PHASE_COUNT; p++)
        c.phases[p] = combined(r, rows, i, (enum phase)p);
    if (i == COUNTER_energy_node_joules && energy_asked(&r->energy))
        name_energy(r, &c);
    for (int rank = 0; rank < r->comm->size; rank++) {
        const struct counters_row *row = &rows[rank];
        memcpy(values + (size_t)rank * EACH, row->value, EACH * sizeof *values);
        c.ratio = fmin(c.ratio, row->ratio);
    }
    if (i == COUNTER_energy_package_joules ||
        (i == COUNTER_energy_node_joules && !c.total.reason)) /* it has the packages in it */
        r->record.workloads[workload].energy_joules = c.total;
    return record_add_counter(&r->record, workload, &c);
}

/* One counter after the other, so that rank 0 holds one row of each rank. */
static int gather_counters(struct run *r, int workload, struct err *e)
{
    struct comm *c = r->comm;
    struct counters_row own[COUNTER_COUNT];
    size_t size = (size_t)c->size, *counts;
    double *values = c->rank == 0 ? malloc(size * (PHASE_COUNT + 1) * sizeof *values) : NULL;
    void *rows;
    int rc = room_of_rank_0(r, size, sizeof own[0], &rows, &counts, "the counters", e);

    if (rc == 0 && ((c->rank == 0 && !values) || !r->counters))
        rc = err_set(e, "out of memory for the counters");
    if (comm_agree(c, rc, e) < 0) {
        rc = -1;
        goto out;
    }
    counters_export(r->counters, own);
    put_energy(r, &own[COUNTER_energy_node_joules]);
    for (size_t i = 0; i < size && c->rank == 0; i++)
        counts[i] = sizeof own[0];
    for (int i = 0; i < COUNTER_COUNT && !comm_mpi_failed(c); i++) {
        if (c->gatherv(c, &own[i], sizeof own[i], rows, counts, e) < 0)
            rc = -1;
        else if (c->rank == 0 && rc == 0 && add_counter(r, workload, rows, i, values) < 0)
            rc = err_set(e, "out of memory for the counters");
    }
    rc = comm_agree(c, rc, e);
out:
    free(counts);
    free(values);
    free(rows);
    return rc;
}

/* Rank 0: what limited it, in the record and for the person who waits. */
static void result_why(struct run *r, int workload)
{
    struct rusage self = {.ru_maxrss = 0};
    getrusage(RUSAGE_SELF, &self);
    const double held = 1024.0 * (double)self.ru_maxrss, may = (double)r->resources.memory_bytes;
    const struct why_host host = {.cores = r->resources.share,
                                  .threads = r->threads,
                                  .node_memory = may > 0 ? (double)sysconf(_SC_PHYS_PAGES) *
                                                               (double)sysconf(_SC_PAGESIZE)
                                                         : 0,
                                  .left = r->comm->local_size * (may - held)};

    if (why_find(&r->record, workload, &host) == 0)
        say_why(r, &r->record.workloads[workload].why);
}

int report_result(struct run *r, struct workload_result *result, struct err *e)
{
    int at = -1;

    report_phases(r);
    pthread_mutex_lock(&r->lock);
    if (r->journal)
        journal_result(r->journal, r->index, result, NULL);
    pthread_mutex_unlock(&r->lock);
    if (energy_end(&r->energy, r->comm, e) < 0 || gather_ranks(r, result, &at, e) < 0)
        return -1;
    if (r->comm->rank == 0)
        result_why(r, at);
    return series_collect(r, at, e) < 0 ? -1 : gather_counters(r, at, e);
}
