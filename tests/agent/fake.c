/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A workload for tests of the agent, in the place of each that there is: some epochs of
 * sleeps and sums whose quality falls by a law, and trouble on demand.
 *
 * FAKE_EPOCHS    epochs at most                    [4]
 * FAKE_STEP_MS   length of a step                  [2]
 * FAKE_TROUBLE   RANK:EPOCH:KIND; kill, stop, fail, sleep (10 s outside of comm),
 *                spin (for ever, deaf to everything); RANK -1: all
 * FAKE_RUN       command that rank 0 runs before it trains
 * FAKE_COUNT     files that it counts before it trains, ten a second
 * FAKE_STAGING   1: waits for a signal or the end of its time before it trains, then fails
 * FAKE_BYTES     arena that class small claims     [1 MiB]
 * FAKE_EXPECTED_NAME  seconds that the plan of workload NAME expects, of any class
 * FAKE_AFTER     bytes that it writes after its end, which are not its own [0]
 * FAKE_HIGHER    1: its quality is accuracy, rises, and has two others beside it
 */
#include <config.h>

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "workloads/workload.h"

enum { STEPS = 10, FLOATS = 20000, BATCH = 8 };

static double number(const char *variable, double fallback)
{
    const char *text = getenv(variable);

    return text ? atof(text) : fallback;
}

static void nap(double seconds)
{
    nanosleep(&(struct timespec){(time_t)seconds, (long)((seconds - floor(seconds)) * 1e9)}, NULL);
}

/* What the plan of this workload expects, of any class; < 0: the class's own. */
static double expected(const char *name)
{
    char variable[64];

    snprintf(variable, sizeof variable, "FAKE_EXPECTED_%s", name);
    return number(variable, -1);
}

static bool higher(void)
{
    return number("FAKE_HIGHER", 0) > 0;
}

static double quality_of(int epoch)
{
    return higher() ? 1 - 0.7 / epoch : 0.9 / epoch;
}

static int fake_plan(const struct workload *w, const struct runspec *spec, int index,
                     enum runspec_class class, const struct workload_host *host,
                     double flop_per_second, struct workload_plan *plan, struct err *e)
{
    (void)w, (void)e, (void)flop_per_second;
    *plan = (struct workload_plan){
        .class = class,
        .title = "a workload of the tests",
        .parameters = FLOATS,
        .batch = runspec_batch(spec, index) ? runspec_batch(spec, index) : BATCH,
        .epochs = runspec_epochs(spec, index) ? (int)runspec_epochs(spec, index)
                                              : (int)number("FAKE_EPOCHS", 4),
        .target = runspec_target(spec, index) > 0 ? runspec_target(spec, index)
                  : higher()                      ? 0.7
                                                  : 0.3,
        .train_samples = STEPS * BATCH,
        .eval_samples = BATCH,
        .arena_bytes = class == CLASS_SMALL ? (uint64_t)number("FAKE_BYTES", 1 << 20) : 1 << 20,
        .data_bytes = 1 << 20,
        .flop_per_sample = 1e6,
        .expected_seconds = class == CLASS_SMALL  ? 60
                            : class == CLASS_TINY ? 1
                                                  : 3600,
        .data_ready = class != CLASS_STANDARD,
    };
    (void)host;
    snprintf(plan->metric, sizeof plan->metric, higher() ? "accuracy" : "mae");
    double seconds = expected(runspec_workload(spec->workloads[index])->name);
    if (seconds >= 0)
        plan->expected_seconds = seconds;
    return 0;
}

struct fake {
    const struct workload_host *host;
    struct workload_result *result;
    float *gradients;
    double since;
    enum phase phase;
};

static void enter(struct fake *f, enum phase p)
{
    double now = f->host->now();

    f->result->phase_seconds[f->phase] += now - f->since;
    f->since = now;
    f->phase = p;
    f->host->phase(f->host->ctx, p);
}

static int trouble(struct fake *f, int epoch, struct err *e)
{
    const char *text = getenv("FAKE_TROUBLE");
    char kind[16] = "";
    int rank, when;

    if (!text || sscanf(text, "%d:%d:%15s", &rank, &when, kind) != 3 ||
        (rank >= 0 && rank != f->host->comm->rank) || when != epoch)
        return 0;
    if (strcmp(kind, "kill") == 0)
        raise(SIGKILL);
    if (strcmp(kind, "stop") == 0)
        raise(SIGSTOP);
    if (strcmp(kind, "sleep") == 0)
        for (int i = 0; i < 100; i++)
            nap(0.1);
    if (strcmp(kind, "spin") == 0)
        for (volatile unsigned turns = 0;; turns++)
            ;
    return strcmp(kind, "fail") == 0 ? err_set(e, "sample 7 of x.h5 is cut short") : 0;
}

/* Sets *stop when any rank was told to, or time is over. */
static int one_step(struct fake *f, double *stop, struct err *e)
{
    struct comm *c = f->host->comm;
    int request;

    for (int i = 0; i < FLOATS; i++)
        f->gradients[i] = 1;
    nap(number("FAKE_STEP_MS", 2) / 1000);
    if (c->allreduce_start(c, f->gradients, FLOATS, &request, e) < 0 || c->progress(c, e) < 0 ||
        c->wait(c, request, e) < 0)
        return -1;
    if (f->gradients[FLOATS - 1] != (float)c->size)
        return err_set(e, "a sum is wrong");
    *stop = f->host->stop(f->host->ctx) ? 2 : f->host->now() > f->host->deadline ? 1 : 0;
    return c->reduce(c, stop, 1, COMM_MAX, e);
}

static int run_epoch(struct fake *f, int epoch, int epochs, double *stop, struct err *e)
{
    const struct workload_host *host = f->host;
    struct result_epoch row = {.epoch = epoch, .quality = NAN};
    double begin = host->now();

    enter(f, epoch == 1 ? PHASE_FIRST_EPOCH : PHASE_COMPUTE);
    if (comm_agree(host->comm, trouble(f, epoch, e), e) < 0)
        return -1;
    for (long step = 0; step < STEPS && *stop == 0; step++) {
        if (one_step(f, stop, e) < 0)
            return -1;
        struct workload_progress now = {.phase = f->phase,
                                        .epoch = epoch,
                                        .epochs = epochs,
                                        .step = step + 1,
                                        .steps = STEPS,
                                        .loss = 1.0 / epoch,
                                        .quality = epoch > 1 ? quality_of(epoch - 1) : NAN,
                                        .target = f->result->target,
                                        .samples_per_second = 100,
                                        .eta_seconds = NAN};
        host->progress(host->ctx, &now);
    }
    row.seconds = host->now() - begin;
    row.train_loss = 1.0 / epoch;
    row.train_quality =
        higher() ? unmeasured("it would take a second evaluation") : measured(row.train_loss);
    enter(f, PHASE_EVALUATION);
    if (*stop == 0)
        row.quality = quality_of(epoch);
    enter(f, PHASE_OTHER);
    if (*stop == 0)
        f->result->achieved = measured(row.quality);
    host->epoch(host->ctx, &row);
    return result_add_epoch(f->result, &row);
}

static void begin_result(struct workload_result *r, const struct runspec *spec, int index,
                         const struct workload_plan *plan, const struct workload_host *host)
{
    const char *none = "the workload of the tests measures none";

    snprintf(r->name, sizeof r->name, "%s", runspec_workload(spec->workloads[index])->name);
    snprintf(r->suite, sizeof r->suite, "component");
    snprintf(r->class_name, sizeof r->class_name, "%s", runspec_class_name(plan->class));
    snprintf(r->engine, sizeof r->engine, "ref");
    snprintf(r->dtype, sizeof r->dtype, "%s", runspec_dtype_name(spec->dtype));
    snprintf(r->hyper_parameters, sizeof r->hyper_parameters, "seed %llu",
             (unsigned long long)spec->seed);
    snprintf(r->data_origin, sizeof r->data_origin, "generated");
    snprintf(r->metric, sizeof r->metric, "%s", plan->metric);
    r->higher_is_better = higher();
    r->ranks = host->comm->size;
    r->threads = host->threads;
    r->batch = plan->batch;
    r->parameters = plan->parameters;
    r->train_samples = plan->train_samples;
    r->eval_samples = plan->eval_samples;
    r->sample_bytes = 100;
    r->status = RUN_COMPLETE;
    r->target = plan->target;
    r->baseline = 1;
    r->flop_per_sample = r->flop_per_sample_3x = plan->flop_per_sample;
    r->arena_bytes = plan->arena_bytes;
    r->achieved = unmeasured("no evaluation was finished");
    r->time_to_quality_seconds = unmeasured("the quality target was not reached");
    r->baseline_domain = r->samples_per_second = r->flop_per_second = unmeasured(none);
    r->vflops_n5 = r->vflops_n10 = unmeasured(none);
    snprintf(r->reason, sizeof r->reason, "the quality target was not reached");
}

/* Qualities beside the primary one. */
static void add_others(struct workload_result *r)
{
    if (!higher())
        return;
    result_add_other(r, &(struct result_quality){.name = "iou_pit",
                                                 .value = measured(r->achieved.value / 2),
                                                 .target = 0.3,
                                                 .higher_is_better = true});
    result_add_other(r, &(struct result_quality){.name = "iou_crack",
                                                 .value = unmeasured("no crack in the set"),
                                                 .target = NAN,
                                                 .higher_is_better = true});
}

static void write_more(double bytes)
{
    static const char nothing[10000];
    FILE *f = bytes > 0 ? fopen("/dev/null", "we") : NULL;

    for (; f && bytes > 0; bytes -= sizeof nothing)
        if (fwrite(nothing, sizeof nothing, 1, f) != 1)
            break;
    if (f)
        fclose(f);
}

static int fake_run(const struct workload *w, const struct runspec *spec, int index,
                    const struct workload_plan *plan, const struct workload_host *host,
                    struct workload_result *result, struct err *e)
{
    struct fake f = {.host = host, .result = result, .since = host->now()};
    double begun = f.since, stop = 0;
    int rc = 0;

    (void)w;
    begin_result(result, spec, index, plan, host);
    f.gradients = host->comm->alloc(host->comm, FLOATS * sizeof(float), e);
    if (!f.gradients)
        return -1;
    const char *command = getenv("FAKE_RUN");
    if (command && host->comm->rank == 0 && system(command) < 0)
        return err_set(e, "FAKE_RUN cannot be run");
    for (int i = 1, n = (int)number("FAKE_COUNT", 0); i <= n && host->comm->rank == 0; i++) {
        host->count(host->ctx, "making data, files", (uint64_t)i, (uint64_t)n);
        nap(0.1);
    }
    for (double told = 0; getenv("FAKE_STAGING") && rc == 0; nap(0.05)) {
        told = host->stop(host->ctx) || host->now() > host->deadline;
        if ((rc = host->comm->reduce(host->comm, &told, 1, COMM_MAX, e)) == 0 && told > 0)
            rc = err_set(e, "stopped while the data were made");
    }
    for (int epoch = 1; epoch <= plan->epochs && rc == 0 && stop == 0; epoch++) {
        rc = run_epoch(&f, epoch, plan->epochs, &stop, e);
        if (rc == 0 && !result->achieved.reason &&
            (higher() ? result->achieved.value >= result->target
                      : result->achieved.value <= result->target)) {
            result->epochs_to_target = epoch;
            result->time_to_quality_seconds = measured(host->now() - begun);
            result->valid = true;
            result->reason[0] = '\0';
            break;
        }
    }
    if (stop > 1) {
        result->status = RUN_PARTIAL;
        snprintf(result->reason, sizeof result->reason, "stopped by a signal before the target");
    }
    add_others(result);
    enter(&f, PHASE_OTHER);
    result->wall_seconds = host->now() - begun;
    host->over(host->ctx);
    write_more(number("FAKE_AFTER", 0));
    host->comm->free(host->comm, f.gradients);
    return rc;
}

static const struct workload fake = {.plan = fake_plan, .run = fake_run};

/* It answers for every workload that there is. */
const struct workload *workload_of(int index)
{
    return runspec_workload(index) ? &fake : NULL;
}
