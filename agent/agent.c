/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The order of things once the command line is read (begin.c): start MPI,
 * agree on the text, plan, open the record, run each workload, gather, write.
 */
#include <config.h>

#include "agent/agent.h"

#include <math.h>
#include <mpi.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/begin.h"
#include "agent/comm/comm_mpi.h"
#include "agent/guard.h"
#include "agent/job.h"
#include "agent/micro/ceiling.h"
#include "agent/output.h"
#include "agent/report.h"
#include "agent/run.h"
#include "agent/run_delay.h"
#include "agent/say.h"
#include "reports/core/clock.h"
#include "workloads/engine/engine.h"

/* Kept back from the time for the end of the run: a step, an evaluation, the
 * record. At most this, and at most a tenth. */
static const double margin_seconds = 20;

/* After its time a run that has not ended is ended by the guard: a tenth of the
 * time later, within these bounds (man page: time=). */
static const double least_grace_seconds = 8, most_grace_seconds = 20;

static double grace_of(double seconds)
{
    return fmin(most_grace_seconds, fmax(least_grace_seconds, 0.1 * seconds));
}

/* ---- with the others ---- */

/* All ranks run the same text, or none runs; a rank without one takes that of
 * the others. */
static int agree_text(struct run *r, struct err *e)
{
    static char text[2 * RUNSPEC_MAX_BYTES + 1];
    char own[sizeof text] = "";
    double first = r->o.run ? r->comm->rank : r->comm->size;
    int rc = 0;

    if (r->comm->reduce(r->comm, &first, 1, COMM_MIN, e) < 0)
        return -1;
    if (first >= r->comm->size)
        return err_set(e, "no rank has a run text: give one, or set HPCAI500_RUN");
    if (r->o.run)
        runspec_format(&r->spec, own, sizeof own);
    memcpy(text, own, sizeof text);
    if (r->comm->broadcast(r->comm, text, sizeof text, (int)first, e) < 0)
        return -1;
    if (!r->o.run) {
        r->o.run = text;
        rc = runspec_parse(&r->spec, text, e);
    } else if (strcmp(text, own) != 0) {
        rc = err_set(e, "has the run text '%s', but rank %.0f has '%s': start all ranks with one",
                     own, first, text);
    }
    return comm_agree(r->comm, rc, e);
}

/* Rank 0 chooses the folder of the record; all see its choice, and keep to
 * their own node's drop folder if that is one. All read energy as its node's
 * configuration says, whatever their own does: they meet when it is read. */
static int agree_place(struct run *r, struct err *e)
{
    struct err why = ERR_INIT;
    char chosen[PATH_MAX];
    int rc = place_find(&r->place, &r->spec, &why);

    /* Only rank 0 must be able to write it. */
    if (comm_agree(r->comm, r->comm->rank == 0 ? rc : 0, &why) < 0)
        return err_set(e, "%s", why.text);
    memcpy(chosen, r->place.record, sizeof chosen);
    if (r->comm->broadcast(r->comm, chosen, sizeof chosen, 0, e) < 0 ||
        r->comm->broadcast(r->comm, r->place.energy, sizeof r->place.energy, 0, e) < 0)
        return -1;
    place_follow(&r->place, &r->spec, chosen);
    return 0;
}

static void on_phase(void *ctx, enum phase p)
{
    struct run *r = ctx;

    counters_phase(r->counters, p);
    progress_phase(&r->progress, p);
    report_phase(r, p);
}

/* Counters and energy are of the workload, not of the tests after it. Where a rank is lost the
 * last words come next, which must not wait for a command. */
static void on_over(void *ctx)
{
    struct run *r = ctx;

    counters_stop(r->counters);
    if (!comm_mpi_failed(r->comm))
        energy_stop(&r->energy);
}

static void on_progress(void *ctx, const struct workload_progress *now)
{
    struct run *r = ctx;

    progress_update(&r->progress, now, clock_now());
}

static void on_epoch(void *ctx, const struct result_epoch *row)
{
    struct run *r = ctx;

    progress_epoch(&r->progress, row);
    report_epoch(r, row);
    counters_sample(r->counters);
}

static void on_profile(void *ctx, const struct workload_result *so_far)
{
    report_profile(ctx, so_far);
}

static void on_steps(void *ctx, const struct steps_epoch *s)
{
    struct run *r = ctx;

    series_epoch(&r->series, s);
}

static void on_say(void *ctx, const char *sentence)
{
    struct run *r = ctx;

    progress_say(&r->progress, sentence);
}

static void on_count(void *ctx, const char *what, uint64_t done, uint64_t all)
{
    struct run *r = ctx;

    progress_count(&r->progress, what, done, all, clock_now());
}

static bool on_stop(void *ctx)
{
    (void)ctx;
    return guard_told();
}

static struct workload_host host_of(struct run *r)
{
    return (struct workload_host){
        .comm = r->comm,
        .now = clock_now,
        .deadline = r->workload_deadline,
        .run_delay = run_delay_known() ? run_delay : NULL,
        .threads = r->threads,
        .memory_bytes = r->resources.memory_bytes,
        .cache_dir = r->place.cache,
        .generator = r->place.generator,
        .ctx = r,
        .phase = on_phase,
        .over = on_over,
        .progress = on_progress,
        .epoch = on_epoch,
        .profile = on_profile,
        .steps = on_steps,
        .say = on_say,
        .count = on_count,
        .stop = on_stop,
    };
}

/* Until when training may go on: `time`, or the job's end when that is
 * earlier; the same on all ranks within their clocks. */
static int set_deadline(struct run *r, struct err *e)
{
    double left = r->spec.time_seconds, job = job_seconds_left();

    if (job > 0 && job < left)
        left = job;
    if (r->comm->reduce(r->comm, &left, 1, COMM_MIN, e) < 0)
        return -1;
    r->end = r->begun + left;
    r->deadline = r->workload_deadline = r->end - fmin(margin_seconds, 0.1 * left);
    guard_end(r->end, grace_of(left));
    return 0;
}

/* Each workload may take its share of the time that is left; what one does not
 * need is of those after it. */
static int share_time(struct run *r, int i, struct err *e)
{
    double left = plan_share(&r->plan, i, r->deadline - clock_now());

    if (r->comm->reduce(r->comm, &left, 1, COMM_MIN, e) < 0)
        return -1;
    r->workload_deadline = clock_now() + left;
    return 0;
}

/* What OpenMP gives may be less than what is asked for: the least of all ranks
 * counts, and a person is told. */
static int settle_threads(struct run *r, struct err *e)
{
    char text[256];

    r->threads_asked = r->spec.threads ? r->spec.threads : r->resources.threads;
    double most[2] = {r->threads_asked, -engine_team(r->threads_asked)};
    if (r->comm->reduce(r->comm, most, 2, COMM_MAX, e) < 0)
        return -1;
    r->threads = (int)-most[1] < r->threads_asked ? (int)-most[1] : r->threads_asked;
    if (-most[1] < most[0]) {
        const char *limit = getenv("OMP_THREAD_LIMIT");
        snprintf(text, sizeof text,
                 "OpenMP gives a rank %d of the %d threads asked for%s%s: %d used", (int)-most[1],
                 (int)most[0], limit ? ", OMP_THREAD_LIMIT=" : "", limit ? limit : "", r->threads);
        progress_say(&r->progress, text);
    }
    return 0;
}

/* Everything up to the first workload. */
static int prepare(struct run *r, struct err *e)
{
    struct workload_host host;
    int node = comm_mpi_node_index(r->comm, r->comm->rank);

    if (agree_text(r, e) < 0 || agree_place(r, e) < 0 || set_deadline(r, e) < 0 ||
        (!r->o.dry_run && report_name(r, e) < 0) ||
        resources_find(&r->resources, r->comm, node, e) < 0 || settle_threads(r, e) < 0 ||
        resources_probe(&r->resources, r->comm, &r->spec, e) < 0)
        return -1;
    say_crowded(r);
    if (ceiling_turns(r, e) < 0)
        return -1;
    host = host_of(r);
    return plan_make(&r->plan, &r->spec, &host, &r->resources, r->deadline - clock_now(), e);
}

/* Runs workload i. *could_not: it failed before its first epoch. */
static int run_workload(struct run *r, int i, bool *could_not, struct err *e)
{
    const struct runspec_workload *row = runspec_workload(r->spec.workloads[i]);
    const struct workload *w = workload_of(r->spec.workloads[i]);
    struct workload_host host = host_of(r);
    struct workload_result result = {0};
    struct runspec own = r->spec; /* with the seed of this run of it */
    struct err why = ERR_INIT;

    own.seed = runspec_seed(&r->spec, i);
    if (row->ceiling)
        return ceiling_run(r, i, could_not, e);
    progress_workload(&r->progress, row->name);
    counters_reset(r->counters);
    report_begin(r, i, &r->plan.of[i]);
    series_begin(&r->series);
    on_phase(r, PHASE_STAGING);
    int rc = w->run(w, &own, i, &r->plan.of[i], &host, &result, &why);
    counters_stop(r->counters);
    progress_clear(&r->progress);
    if (rc < 0 && comm_mpi_failed(r->comm)) {
        result_fini(&result);
        return err_set(e, "%s", why.text);
    }
    if (rc < 0) {
        /* What was told to stop is partial, not crashed, also before its
         * first epoch; likewise what had no time left to begin. */
        double told[2] = {guard_told(), clock_now() >= host.deadline && result.n_epochs == 0};
        if (r->comm->reduce(r->comm, told, 2, COMM_MAX, e) < 0) {
            result_fini(&result);
            return -1;
        }
        bool stopped = told[0] > 0 || told[1] > 0;
        result.status = stopped ? RUN_PARTIAL : RUN_CRASHED;
        result.valid = false;
        snprintf(result.reason, sizeof result.reason, "%.*s", (int)sizeof result.reason - 1,
                 why.text);
        *could_not = !stopped && result.n_epochs == 0;
    }
    say_result(r, &result);
    rc = report_result(r, &result, e);
    result_fini(&result);
    return rc;
}

static void print_file(const struct run *r, const char *path)
{
    char buf[65536];
    size_t n;
    FILE *f = fopen(path, "re");

    if (!f)
        return;
    while ((n = fread(buf, 1, sizeof buf, f)) > 0)
        fwrite(buf, 1, n, r->out);
    fclose(f);
}

/* The record that could not be stored is at least shown. */
static void print_record(const struct run *r)
{
    char *text = record_to_json(&r->record, NULL, NULL);

    if (text)
        fprintf(r->out, "%s\n", text);
    free(text);
}

/* A signal may have reached some ranks only: all hear of it. */
static int anyone_told(struct run *r, bool *told, struct err *e)
{
    double any = guard_told();

    if (r->comm->reduce(r->comm, &any, 1, COMM_MAX, e) < 0)
        return -1;
    *told = any > 0;
    return 0;
}

/* The whole run; an exit code, -1 when the ranks cannot go on together. */
static int run_all(struct run *r, struct err *e)
{
    bool could_not = false, any_could_not = false;
    char path[PATH_MAX], text[PATH_MAX + 64];

    if (prepare(r, e) < 0)
        return -1;
    say_plan(r);
    if (r->o.dry_run) {
        struct workload_host host = host_of(r);
        if (r->comm->rank == 0)
            plan_print(r->out, &r->plan, &r->spec, &host, &r->resources, comm_mpi_nodes(r->comm),
                       r->place.file[0] ? r->place.file : r->place.record);
        return AGENT_OK;
    }
    say_cost(r);
    if (report_open(r, e) < 0)
        return -1;
    for (int i = 0; i < r->spec.n_workloads && !any_could_not; i++) {
        bool told;
        if (anyone_told(r, &told, e) < 0)
            return -1;
        if (told)
            break;
        if (share_time(r, i, e) < 0 || run_workload(r, i, &could_not, e) < 0)
            return -1;
        any_could_not |= could_not;
    }
    guard_finishing();
    if (report_write(r, path, e) < 0) {
        if (r->comm->rank == 0 && r->o.json && !comm_mpi_failed(r->comm))
            print_record(r);
        return -1;
    }
    if (r->comm->rank == 0) {
        snprintf(text, sizeof text, "record: %s", path);
        progress_say(&r->progress, text);
        say_copy(r);
        if (r->o.json)
            print_file(r, path);
    }
    double code = any_could_not ? AGENT_COULD_NOT_RUN : record_exit_code(&r->record);
    return r->comm->broadcast(r->comm, &code, sizeof code, 0, e) < 0 ? -1 : (int)code;
}

/* ---- the end ---- */

/* A peer is gone: MPI cannot end in an orderly way, nor can this process.
 * The lowest rank that is left writes what was measured and ends all. */
static void end_alone(struct run *r, const char *sentence)
{
    int culprit = comm_mpi_culprit(r->comm), rank = r->comm->rank;
    bool speaker = comm_mpi_speaker(r->comm) == rank;
    struct err why = ERR_INIT;
    char path[PATH_MAX];

    guard_finishing();
    report_last_words(r);
    /* Others see the same end at about the same time; their last words and,
     * if the speaker fails, their record. */
    double patience = speaker ? 0.1 : 3 + fmin(0.05 * rank, 2), end = clock_now() + patience;
    while (clock_now() < end && !(r->id[0] && report_written(r, path)))
        comm_mpi_linger(r->comm, 0.1);
    progress_clear(&r->progress);
    if (speaker || r->o.verbose)
        fprintf(stderr, "hpcai500-agent: %s\n", sentence);
    if (r->id[0] && report_partial(r, culprit, sentence, path, &why) < 0)
        fprintf(stderr, "hpcai500-agent: %s\n", why.text);
    else if (r->id[0] && speaker) {
        fprintf(stderr, "hpcai500-agent: partial record: %s\n", path);
        report_sweep(r);
        if (r->o.json)
            print_file(r, path);
    }
    fflush(NULL);
    if (speaker) {
        guard_blocking(NULL, "MPI_Abort");
        MPI_Abort(MPI_COMM_WORLD, AGENT_PARTIAL);
    }
    _exit(AGENT_PARTIAL);
}

static int with_mpi(struct run *r, struct err *e)
{
    char node[RECORD_NAME_SIZE];
    struct comm_mpi_options options = {
        .timeout_seconds = r->o.timeout_seconds,
        .blocking = guard_blocking,
        .node = job_node_name(node, sizeof node),
        .over = guard_late,
    };

    r->comm = comm_mpi_create(&options, e);
    if (!r->comm) {
        begin_complain(e->text);
        MPI_Abort(MPI_COMM_WORLD, AGENT_COULD_NOT_RUN);
        _exit(AGENT_COULD_NOT_RUN);
    }
    progress_init(&r->progress, r->comm->rank == 0 || r->o.verbose, r->o.verbose, r->comm->rank);
    r->counters =
        counters_open(&(struct counters_options){.in_job = job_number("SLURM_JOB_ID") > 0}, e);
    int code = comm_agree(r->comm, r->counters ? 0 : -1, e) < 0 ? -1 : run_all(r, e);
    if (code < 0 && comm_mpi_failed(r->comm))
        end_alone(r, e->text);
    if (code < 0) {
        progress_say(&r->progress, e->text);
        code = r->record.n_workloads > 0 ? AGENT_FAILED : AGENT_COULD_NOT_RUN;
        double same = code;
        if (r->comm->reduce(r->comm, &same, 1, COMM_MIN, NULL) == 0)
            code = (int)same;
    }
    guard_finishing();
    report_close(r);
    counters_close(r->counters);
    if (r->comm->barrier(r->comm, e) < 0)
        end_alone(r, e->text);
    comm_mpi_destroy(r->comm);
    r->comm = NULL;
    return code;
}

/* What was to be read on standard output and did not arrive is a failure. */
static int written(struct run *r, int code)
{
    struct err e = ERR_INIT;

    if (output_close(r->out, &e) == 0)
        return code;
    fprintf(stderr, "hpcai500-agent: %s\n", e.text);
    return code == AGENT_OK ? AGENT_FAILED : code;
}

int agent_main(int argc, char **argv)
{
    static struct run run = {.lock = PTHREAD_MUTEX_INITIALIZER, .index = -1};
    struct err e = ERR_INIT;

    run.out = output_open();
    int code = begin_run(&run, argc, argv);
    if (code >= 0)
        return written(&run, code);
    run.begun = clock_now();
    record_init(&run.record);
    run.record.valid = true;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    struct guard_options options = {
        .timeout_seconds = run.o.timeout_seconds,
        .patience_seconds = 0.2,
        .grace_seconds = grace_of(run.spec.time_seconds),
        .emergency = report_emergency,
        .ctx = &run,
    };
    if (guard_start(&options, &e) < 0) {
        begin_complain(e.text);
        return AGENT_COULD_NOT_RUN;
    }
    if (run.o.run)
        guard_end(run.begun + run.spec.time_seconds, options.grace_seconds);
    guard_blocking(NULL, "MPI_Init_thread");
    MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &run.thread_level);
    guard_blocking(NULL, NULL);
    code = with_mpi(&run, &e);
    guard_blocking(NULL, "MPI_Finalize");
    MPI_Finalize();
    guard_blocking(NULL, NULL);
    guard_stop();
    return written(&run, code);
}
