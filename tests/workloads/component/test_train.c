/* SPDX-License-Identifier: BSD-3-Clause */
/* The training loop with a component that only tells the time: a clock that
 * the steps move by hand, so that every booked second is known exactly. */
#include <config.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "workloads/component/train.h"
#include "workloads/component/train_steps.h"

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

static double the_time;

static double now(void)
{
    return the_time;
}

/* A component of scripted steps. */
struct script {
    double input_seconds, compute_seconds, exposed_seconds, evaluate_seconds;
    double lib_seconds, withheld_seconds, tail_seconds, update_seconds; /* of compute_seconds */
    long slow_step; /* of every epoch takes slow_seconds more; -1 none */
    double slow_seconds;
    int fail_epoch; /* the loader fails there, at step 1; -1 never */
    int nan_epoch;
    const double *quality; /* per epoch */
    int evaluated;
    int idle_steps;
    long tell_batch, bad_batch; /* of an evaluation, from 1: a signal, a failure; 0 never */
    int batches;
};

static int step(void *ctx, struct train_step *s, struct err *e)
{
    struct script *p = ctx;

    p->idle_steps += s->idle;
    if (!s->idle && s->epoch == p->fail_epoch && s->step == 1)
        return err_set(e, "x.hdf5: cut short");
    const double slow = s->step == p->slow_step ? p->slow_seconds : 0;
    const double own = p->compute_seconds + slow - p->tail_seconds - p->update_seconds;
    const double ready = p->input_seconds + own, arrived = ready + p->tail_seconds;
    s->row = (struct step_row){
        .begin = the_time,
        .input = (float)p->input_seconds,
        .own = (float)own,
        .lib = (float)p->lib_seconds,
        .withheld = (float)p->withheld_seconds,
        .tail = (float)p->tail_seconds,
        .half = -1,
        .start = {(float)ready},
        .since_of = {(float)(ready + 2.5)},
        .half_of = {(float)(ready + 2.75)},
        .done_of = {(float)(ready + 3)},
        .bytes_of = {1e6F},
        .wait = {{(float)arrived, (float)(arrived + p->exposed_seconds)}},
        .waits = 1,
    };
    the_time += p->input_seconds + p->compute_seconds + slow + p->exposed_seconds;
    s->global_rows = 8;
    s->loss = s->epoch == p->nan_epoch ? NAN : 0.5;
    s->quality = 0.25;
    return 0;
}

enum { EVAL_STEPS = 7 };

static bool told;

static int evaluate(void *ctx, long batch, struct err *e)
{
    struct script *p = ctx;

    the_time += p->evaluate_seconds / EVAL_STEPS;
    told |= p->tell_batch && batch + 1 == p->tell_batch;
    p->batches++;
    return p->bad_batch && batch + 1 == p->bad_batch ? err_set(e, "y.hdf5: cut short") : 0;
}

static int judge(void *ctx, double *quality, struct err *e)
{
    struct script *p = ctx;

    (void)e;
    *quality = p->quality[p->evaluated++];
    return 0;
}

static const double falling[] = {0.5, 0.4, 0.3, 0.2, 0.1};

static struct script plain(void)
{
    return (struct script){.input_seconds = 1,
                           .compute_seconds = 4,
                           .evaluate_seconds = 7,
                           .slow_step = -1,
                           .fail_epoch = -1,
                           .nan_epoch = -1,
                           .quality = falling};
}

static bool is_stopped(void *ctx)
{
    (void)ctx;
    return told;
}

/* Epochs that a checkpoint had behind it, and their seconds; what was kept. */
static struct {
    int epochs;
    double seconds;
    int kept, kept_epochs;
    double kept_seconds;
} before;

static void keep(void *ctx, const struct train_state *s)
{
    (void)ctx;
    the_time += 2;
    before.kept++;
    before.kept_epochs = s->n_epochs;
    before.kept_seconds = s->trained_seconds;
}

/* Phases as the host is told of them, in their order. */
static enum phase borders[64];
static int n_borders;

static void note_border(void *ctx, enum phase p)
{
    (void)ctx;
    if (n_borders < 64)
        borders[n_borders++] = p;
}

struct ran {
    int rc;
    struct workload_result r;
    struct err e;
};

static struct ran run(struct script *p, struct comm *comm, double target, double deadline)
{
    struct ran out = {.e = ERR_INIT};
    struct workload_host host = {
        .comm = comm, .now = now, .deadline = deadline, .stop = is_stopped, .phase = note_border};
    struct train_task t = {.host = &host,
                           .ctx = p,
                           .first_epoch = before.epochs,
                           .trained_seconds = before.seconds,
                           .epochs = 5,
                           .steps = 10,
                           .target = target,
                           .step = step,
                           .eval_steps = EVAL_STEPS,
                           .evaluate = evaluate,
                           .judge = judge,
                           .keep = before.epochs ? keep : NULL};
    struct phase_clock clock;

    n_borders = 0;
    the_time = 1000;
    phase_clock_start(&clock, now, PHASE_STAGING);
    the_time += 3;
    out.r.flop_per_sample = 1e9;
    out.r.target = target;
    for (int i = 0; i < before.epochs; i++)
        result_add_epoch(&out.r, &(struct result_epoch){.epoch = i + 1, .quality = p->quality[i]});
    p->evaluated = before.epochs;
    out.rc = train_run(&t, &clock, &out.r, &out.e);
    memcpy(out.r.phase_seconds, clock.seconds, sizeof clock.seconds);
    memcpy(out.r.split_seconds, clock.parts, sizeof out.r.split_seconds);
    out.r.wall_seconds = the_time - 1000;
    return out;
}

static double sum_phases(const struct workload_result *r)
{
    double sum = 0;

    for (int i = 0; i < PHASE_COUNT; i++)
        sum += r->phase_seconds[i];
    return sum;
}

static void stops_at_target(void **state)
{
    struct script p = plain();
    struct ran x = run(&p, comm_self(), 0.3, 0);

    (void)state;
    assert_int_equal(x.rc, 0);
    assert_int_equal(x.r.status, RUN_COMPLETE);
    assert_true(x.r.valid);
    assert_int_equal(x.r.epochs_to_target, 3);
    assert_int_equal(x.r.n_epochs, 3);
    assert_near(x.r.achieved.value, 0.3, 0);
    /* three epochs of ten steps of 1 + 4 s, three evaluations of 7 s */
    assert_null(x.r.time_to_quality_seconds.reason);
    assert_near(x.r.time_to_quality_seconds.value, 3 * 50 + 3 * 7, 1e-9);
    assert_near(x.r.phase_seconds[PHASE_STAGING], 3, 1e-9);
    assert_near(x.r.phase_seconds[PHASE_FIRST_EPOCH], 50, 1e-9);
    assert_near(x.r.phase_seconds[PHASE_COMPUTE], 80, 1e-9);
    assert_near(x.r.phase_seconds[PHASE_INPUT_WAIT], 20, 1e-9);
    assert_near(x.r.phase_seconds[PHASE_EVALUATION], 21, 1e-9);
    assert_near(sum_phases(&x.r), x.r.wall_seconds, 1e-9);
    /* steady state: 2 epochs x 80 samples in 100 s */
    assert_near(x.r.samples_per_second.value, 1.6, 1e-9);
    assert_near(x.r.flop_per_second.value, 1.6e9, 1);
    assert_near(x.r.vflops_n5.value, 1.6e9, 1);
    assert_near(x.r.epochs[2].train_loss, 0.5, 1e-12);
    assert_near(x.r.epochs[0].seconds, 50, 1e-9);
    assert_near(x.r.epochs[0].input_wait_seconds, 10, 1e-9);
    result_fini(&x.r);
}

/* The loop over steps ends where its last step does: what ranks then tell each other is not
 * counted in it. */
static void the_loop_has_borders(void **state)
{
    static const enum phase expected[] = {PHASE_OTHER,      PHASE_FIRST_EPOCH, PHASE_OTHER,
                                          PHASE_EVALUATION, PHASE_OTHER,       PHASE_COMPUTE,
                                          PHASE_OTHER,      PHASE_EVALUATION,  PHASE_OTHER};
    struct script p = plain();
    struct ran x = run(&p, comm_self(), 0.4, 0);

    (void)state;
    assert_int_equal(x.r.n_epochs, 2);
    assert_int_equal(n_borders, sizeof expected / sizeof *expected);
    assert_memory_equal(borders, expected, sizeof expected);
    result_fini(&x.r);
}

/* Those of a phase sum to it, and each has what happened in it. */
static void phases_have_parts(void **state)
{
    struct script p = plain();
    double *s;

    (void)state;
    p.lib_seconds = 0.25;
    p.withheld_seconds = 0.5;
    p.tail_seconds = 0.125;
    p.update_seconds = 1;
    p.exposed_seconds = 2;
    before.epochs = 1;
    before.seconds = 40;
    struct ran x = run(&p, comm_self(), 0.3, 0);
    memset(&before, 0, sizeof before);
    s = x.r.split_seconds;
    assert_int_equal(x.r.n_epochs, 3);
    /* ten steps: 4 s of compute, of them update, tail, software, no core */
    assert_near(s[SPLIT_first_epoch_input], 10, 1e-5);
    assert_near(s[SPLIT_first_epoch_compute], 10 * (4 - 1 - 0.125 - 0.25 - 0.5), 1e-5);
    assert_near(s[SPLIT_first_epoch_withheld], 5, 1e-5);
    assert_near(s[SPLIT_first_epoch_exchange_cpu], 3.75, 1e-5);
    assert_near(s[SPLIT_first_epoch_wire], 20, 1e-5);
    assert_near(s[SPLIT_first_epoch_skew], 0, 1e-5);
    assert_near(s[SPLIT_first_epoch_update], 10, 1e-5);
    assert_near(s[SPLIT_first_epoch_agree] + s[SPLIT_first_epoch_other], 0, 1e-5);
    assert_near(x.r.phase_seconds[PHASE_FIRST_EPOCH], 70, 1e-5);
    /* two evaluations, two checkpoints */
    assert_near(s[SPLIT_evaluation_compute], 14, 1e-9);
    assert_near(s[SPLIT_evaluation_wait] + s[SPLIT_evaluation_input], 0, 1e-9);
    assert_near(s[SPLIT_checkpoint_output], 4, 1e-9);
    assert_near(s[SPLIT_staging_compute], 3, 1e-9);
    result_fini(&x.r);
}

static void never_reaching_is_a_result(void **state)
{
    struct script p = plain();
    struct ran x = run(&p, comm_self(), 0.05, 0);

    (void)state;
    assert_int_equal(x.rc, 0);
    assert_int_equal(x.r.status, RUN_COMPLETE);
    assert_false(x.r.valid);
    assert_string_equal(x.r.reason, "the quality target was not reached");
    assert_int_equal(x.r.n_epochs, 5);
    assert_non_null(x.r.time_to_quality_seconds.reason);
    /* (target / achieved)^n: half the quality */
    assert_near(x.r.vflops_n5.value / x.r.flop_per_second.value, pow(0.5, 5), 1e-12);
    assert_near(x.r.vflops_n10.value / x.r.flop_per_second.value, pow(0.5, 10), 1e-12);
    result_fini(&x.r);
}

static void stops_in_time(void **state)
{
    struct script p = plain();
    struct ran x = run(&p, comm_self(), 0.05, 1003 + 57 + 22);

    (void)state;
    assert_int_equal(x.rc, 0);
    assert_int_equal(x.r.status, RUN_COMPLETE);
    assert_false(x.r.valid);
    assert_string_equal(x.r.reason, "the time was over before the target was reached");
    assert_int_equal(x.r.n_epochs, 2);
    assert_true(isnan(x.r.epochs[1].quality));
    assert_near(x.r.achieved.value, 0.5, 0);
    assert_near(the_time, 1003 + 57 + 25, 1e-9);
    result_fini(&x.r);
}

static void stops_when_told(void **state)
{
    struct script p = plain();

    (void)state;
    told = true;
    struct ran x = run(&p, comm_self(), 0.05, 0);
    told = false;
    assert_int_equal(x.rc, 0);
    assert_int_equal(x.r.status, RUN_PARTIAL);
    assert_string_equal(x.r.reason, "stopped by a signal before the target");
    assert_int_equal(x.r.n_epochs, 1);
    assert_non_null(x.r.achieved.reason);
    assert_non_null(x.r.samples_per_second.reason);
    result_fini(&x.r);
}

/* The validation set of `standard` takes hours: nothing waits for its end. */
static void an_evaluation_stops_in_time(void **state)
{
    struct script p = plain();
    struct ran x = run(&p, comm_self(), 0.05, 1003 + 50 + 2.5);

    (void)state;
    assert_int_equal(x.rc, 0);
    assert_int_equal(x.r.status, RUN_COMPLETE);
    assert_string_equal(x.r.reason, "the time was over before the target was reached");
    assert_int_equal(x.r.n_epochs, 1);
    assert_true(isnan(x.r.epochs[0].quality));
    assert_non_null(x.r.achieved.reason);
    assert_int_equal(p.batches, 3);
    assert_int_equal(p.evaluated, 0);
    assert_near(x.r.phase_seconds[PHASE_EVALUATION], 3, 1e-9);
    assert_near(sum_phases(&x.r), x.r.wall_seconds, 1e-9);
    result_fini(&x.r);
}

static void an_evaluation_stops_when_told(void **state)
{
    struct script p = plain();

    (void)state;
    p.tell_batch = 4;
    struct ran x = run(&p, comm_self(), 0.05, 0);
    told = false;
    assert_int_equal(x.rc, 0);
    assert_int_equal(x.r.status, RUN_PARTIAL);
    assert_string_equal(x.r.reason, "stopped by a signal before the target");
    assert_int_equal(p.batches, 4);
    assert_int_equal(p.evaluated, 0);
    result_fini(&x.r);
}

/* Judged within the time, by its last batch: it counts. */
static void what_was_judged_counts(void **state)
{
    struct script p = plain();
    struct ran x = run(&p, comm_self(), 0.5, 1003 + 50 + 6.5);

    (void)state;
    assert_int_equal(x.rc, 0);
    assert_int_equal(x.r.epochs_to_target, 1);
    assert_near(x.r.achieved.value, 0.5, 0);
    result_fini(&x.r);
}

static void a_failed_evaluation_is_agreed(void **state)
{
    struct script p = plain();

    (void)state;
    p.bad_batch = EVAL_STEPS;
    struct ran x = run(&p, comm_self(), 0.05, 0);
    assert_int_equal(x.rc, -1);
    assert_string_equal(x.e.text, "y.hdf5: cut short");
    assert_int_equal(p.evaluated, 0);
    result_fini(&x.r);
}

static void not_finite_ends(void **state)
{
    struct script p = plain();

    (void)state;
    p.nan_epoch = 1;
    struct ran x = run(&p, comm_self(), 0.05, 0);
    assert_int_equal(x.rc, 0);
    assert_int_equal(x.r.status, RUN_PARTIAL);
    assert_false(x.r.valid);
    assert_string_equal(x.r.reason, "the loss or the quality was not finite in epoch 2");
    assert_int_equal(x.r.n_epochs, 2);
    assert_int_equal(p.evaluated, 1); /* the epoch ends at the agreement that sees it */
    result_fini(&x.r);
}

/* Weights that are gone give a quality that is not a number. */
static void quality_not_finite_ends(void **state)
{
    static const double gone[] = {0.5, NAN, NAN, NAN, NAN};
    struct script p = plain();

    (void)state;
    p.quality = gone;
    struct ran x = run(&p, comm_self(), 0.05, 0);
    assert_int_equal(x.rc, 0);
    assert_int_equal(x.r.n_epochs, 2);
    assert_false(x.r.valid);
    assert_near(x.r.achieved.value, 0.5, 0);
    assert_string_equal(x.r.reason, "the loss or the quality was not finite in epoch 2");
    result_fini(&x.r);
}

static void counts_stalls(void **state)
{
    struct script p = plain();

    (void)state;
    p.slow_step = 4;
    p.slow_seconds = 10;
    struct ran x = run(&p, comm_self(), 0.05, 0);
    assert_int_equal(x.r.stalls.steps, 40); /* the first epoch is not steady */
    assert_int_equal(x.r.stalls.stalled, 4);
    assert_near(x.r.stalls.stalled_seconds, 40, 1e-9);
    assert_near(x.r.stalls.median_seconds, x.r.stalls.most_seconds - 10, 1e-9);
    assert_near(x.r.stalls.p99_seconds, x.r.stalls.most_seconds, 1e-9); /* 4 of 40 are long */
    assert_true(x.r.stalls.median_seconds > 0);
    result_fini(&x.r);
}

static void failure_is_agreed(void **state)
{
    struct script p = plain();

    (void)state;
    p.fail_epoch = 0;
    struct ran x = run(&p, comm_self(), 0.05, 0);
    assert_int_equal(x.rc, -1);
    assert_string_equal(x.e.text, "x.hdf5: cut short");
    assert_string_equal(x.r.reason, "x.hdf5: cut short");
    assert_int_equal(x.r.status, RUN_PARTIAL);
    assert_int_equal(p.idle_steps, 1);
    result_fini(&x.r);
}

/* A second rank as seen through the table: it is ready two seconds after us in every
 * step. An agreement takes a quarter of a second. */
static int reduce_with_later(struct comm *c, double *v, int n, enum comm_op op, struct err *e)
{
    const double later = 2 / 0.25e-6 * STEPS_RANKS + 1;

    (void)c, (void)e;
    for (int i = 0; i < n && op == COMM_MAX && n == 10 * 2 * STEPS_BUCKETS; i++)
        v[i] += 2; /* it begins and ends each sum */
    for (int i = 0; i < 10 && op == COMM_MAX && n == 2 * 10;
         i++) /* who was last; what follows stays */
        v[i] += later;
    the_time += op == COMM_MAX && n == 1 ? 0.25 : 0;
    return 0;
}

static int broadcast_nothing(struct comm *c, void *buf, size_t bytes, int root, struct err *e)
{
    (void)c, (void)buf, (void)bytes, (void)root, (void)e;
    return 0;
}

/* Each second of a step is in the phase it belongs to, to a microsecond. */
static void every_phase_is_right(void **state)
{
    struct comm two = *comm_self();
    struct script p = plain();

    (void)state;
    two.size = 2;
    two.reduce = reduce_with_later;
    two.broadcast = broadcast_nothing;
    two.clock_method = "same kernel";
    p.exposed_seconds = 3;
    p.lib_seconds = 0.5;
    p.withheld_seconds = 0.75;
    p.tail_seconds = 0.125;
    p.update_seconds = 0.25;
    struct ran x = run(&p, &two, 0.4, 0);
    const double *s = x.r.phase_seconds, us = 1e-6 * 10;
    assert_int_equal(x.rc, 0);
    assert_int_equal(x.r.n_epochs, 2);
    /* ten steady steps of 1 + 4 + 3 s; the other rank is ready 2 s after us, which
     * is 1.875 s after we began to wait */
    assert_near(s[PHASE_INPUT_WAIT], 10, us);
    assert_near(s[PHASE_COMPUTE], 10 * (4 - 0.5 - 0.75 - 0.125 - 0.25), us);
    assert_near(s[PHASE_WITHHELD], 7.5, us);
    assert_near(s[PHASE_EXCHANGE_CPU], 6.25, us);
    assert_near(s[PHASE_IMBALANCE], 18.75, us);
    assert_near(s[PHASE_EXPOSED_ALLREDUCE], 11.25, us);
    assert_near(s[PHASE_UPDATE], 2.5, us);
    assert_true(s[PHASE_AGREE] > 0.2);
    assert_near(fmod(s[PHASE_AGREE], 0.25), 0, us);
    assert_near(s[PHASE_FIRST_EPOCH], 80 + 10 * 0.25, us);
    assert_near(sum_phases(&x.r), x.r.wall_seconds, 1e-9);
    /* nobody waits for us: our stretch of the path is nothing, and we were never last */
    assert_int_equal(x.r.path.steps, 9);
    assert_near(x.r.path.period_seconds, 0, 1e-12);
    assert_near(x.r.clock.wire_error_seconds, 0, 0);
    assert_near(x.r.clock.least_wait_seconds, 3, 1e-6);
    /* ten sums of a steady epoch, of one size: half of it took 0.5 to 0.75 s after that rank's */
    assert_int_equal(x.r.rank.wire.sums, 10);
    assert_near(x.r.rank.wire.alpha.high, 0.75, 1e-6);
    assert_near(x.r.rank.wire.rate.low, 5e5 / 0.75, 1);
    assert_true(isnan(x.r.rank.wire.rate.value));
    assert_near(x.r.rank.last, 0, 0);
    result_fini(&x.r);

    /* of three ranks two are off by twice what each is against rank 0; a half has two messages */
    p = plain();
    p.exposed_seconds = 3;
    two.size = 3;
    two.clock.bound = 0.05;
    x = run(&p, &two, 0.4, 0);
    assert_int_equal(x.r.rank.wire.sums, 10);
    assert_near(x.r.rank.wire.alpha.high, (0.75 + 2 * 0.05) / 2, 1e-6);
    assert_near(x.r.rank.wire.rate.low, 2 * (1e6 / 3) / (0.75 + 2 * 0.05), 1);
    result_fini(&x.r);

    /* clocks that nobody compared tell no skew */
    p = plain();
    p.exposed_seconds = 3;
    two.clock_method = NULL;
    x = run(&p, &two, 0.4, 0);
    assert_false(x.r.clock.split);
    assert_near(x.r.phase_seconds[PHASE_IMBALANCE], 0, 1e-9);
    assert_near(x.r.phase_seconds[PHASE_EXPOSED_ALLREDUCE], 30, us);
    result_fini(&x.r);
}

/* One rank is its own slowest path. */
static void one_rank_is_the_path(void **state)
{
    struct script p = plain();

    (void)state;
    p.exposed_seconds = 0.5;
    p.update_seconds = 0.25;
    struct ran x = run(&p, comm_self(), 0.05, 0);
    const struct result_path *path = &x.r.path;
    assert_int_equal(path->steps, 4 * 9);
    assert_near(path->period_seconds, 5.5, 1e-5);
    assert_near(path->input_seconds, 1, 1e-6);
    assert_near(path->compute_seconds, 3.75, 1e-6);
    assert_near(path->wire_seconds, 0.5, 1e-5);
    assert_near(path->update_seconds, 0.25, 1e-6);
    assert_near(x.r.rank.last, 1, 0);
    assert_int_equal(x.r.first_path.steps, 9);
    assert_true(x.r.clock.split);
    result_fini(&x.r);
}

/* A run that was resumed after two epochs goes on with the third: the epochs and
 * the seconds before count, the first epoch of the process is not steady. */
static void goes_on_after_a_checkpoint(void **state)
{
    struct script p = plain();

    (void)state;
    before.epochs = 2;
    before.seconds = 500;
    struct ran x = run(&p, comm_self(), 0.25, 0);
    assert_int_equal(x.rc, 0);
    assert_int_equal(x.r.n_epochs, 4);
    assert_int_equal(x.r.epochs_to_target, 4);
    assert_int_equal(p.evaluated, 4);
    /* two epochs of ten steps of 1 + 4 s and an evaluation of 7 s, one checkpoint of 2 s */
    assert_near(x.r.time_to_quality_seconds.value, 500 + 2 * 57 + 2, 1e-9);
    assert_near(x.r.phase_seconds[PHASE_CHECKPOINT], 4, 1e-9);
    assert_near(x.r.phase_seconds[PHASE_FIRST_EPOCH], 50, 1e-9);
    assert_near(x.r.samples_per_second.value, 80 / 50.0, 1e-9);
    assert_int_equal(before.kept, 2);
    assert_int_equal(before.kept_epochs, 4);
    assert_near(sum_phases(&x.r), x.r.wall_seconds, 1e-9);
    result_fini(&x.r);

    /* the checkpoint was at the target: nothing is trained */
    p = plain();
    before.kept = 0;
    x = run(&p, comm_self(), 0.45, 0);
    assert_true(x.r.valid && x.r.epochs_to_target == 2 && x.r.n_epochs == 2);
    assert_int_equal(before.kept, 0);
    assert_near(x.r.time_to_quality_seconds.value, 500, 1e-9);
    result_fini(&x.r);
    memset(&before, 0, sizeof before);
}

static void gates(void **state)
{
    static const struct {
        double achieved, baseline, target, class_target;
        int epochs, rcp_seeds;
        bool class_recipe, beats_domain; /* which is 0.32 */
        const char *reason;
    } cases[] = {
        {0.30, 0.5, 0.33, 0.33, 5, 10, true, true, ""},
        {0.30, 0.5, 0.33, 0.33, 2, 10, true, false,
         "2 epochs to the target are fewer than the 4 that reference runs make plausible"},
        {0.30, 0.5, 0.33, 0.33, 2, 10, false, false, ""},
        {0.30, 0.5, 0.33, 0.33, 2, 0, true, false, ""},
        {0.45, 0.5, 0.46, 0.33, 5, 10, true, false,
         "target 0.46 is easier than the class's own 0.33"},
        {0.55, 0.5, 0.60, 0.60, 5, 10, true, false,
         "mae 0.5500 is no better than the trivial 0.5000"},
        {0.325, 0.5, 0.33, 0.33, 5, 10, true, false, ""},
        {0.325, 0.5, 0.33, 0.33, 5, 10, true, true,
         "mae 0.3250 is no better than 0.3200 of the ridge"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct workload_result r = {.metric = "mae", .valid = true};
        r.achieved = measured(cases[i].achieved);
        r.baseline = cases[i].baseline;
        r.target = cases[i].target;
        r.baseline_domain = measured(0.32);
        strcpy(r.baseline_domain_name, "ridge");
        r.epochs_to_target = cases[i].epochs;
        r.rcp = (struct result_rcp){cases[i].rcp_seeds, 8, 1, 4};
        train_gate(&r, &(struct train_rules){.target = cases[i].class_target,
                                             .class_recipe = cases[i].class_recipe,
                                             .beats_domain = cases[i].beats_domain});
        assert_string_equal(r.reason, cases[i].reason);
        assert_int_equal(r.valid, cases[i].reason[0] == '\0');
    }
}

/* A rank that has failed is never the last to arrive, whatever its idle steps take. */
static void idle_steps_wait(void **state)
{
    struct step_row row;
    bool asked;
    struct train_steps t = {.steps = {.row = &row}, .asked = &asked, .left = 10};
    const struct train_step idle = {.idle = true};

    (void)state;
    train_steps_stamp(&t, &idle, 10, 12);
    assert_false(asked);
    assert_true(row.begin == 10 && row.input + row.own == 0);
    assert_int_equal(row.waits, 1);
    assert_true(row.wait[0][0] == 0 && row.wait[0][1] == 2 && row.length == 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idle_steps_wait),
        cmocka_unit_test(stops_at_target),
        cmocka_unit_test(phases_have_parts),
        cmocka_unit_test(the_loop_has_borders),
        cmocka_unit_test(never_reaching_is_a_result),
        cmocka_unit_test(stops_in_time),
        cmocka_unit_test(stops_when_told),
        cmocka_unit_test(an_evaluation_stops_in_time),
        cmocka_unit_test(an_evaluation_stops_when_told),
        cmocka_unit_test(what_was_judged_counts),
        cmocka_unit_test(a_failed_evaluation_is_agreed),
        cmocka_unit_test(not_finite_ends),
        cmocka_unit_test(quality_not_finite_ends),
        cmocka_unit_test(counts_stalls),
        cmocka_unit_test(failure_is_agreed),
        cmocka_unit_test(every_phase_is_right),
        cmocka_unit_test(one_rank_is_the_path),
        cmocka_unit_test(goes_on_after_a_checkpoint),
        cmocka_unit_test(gates),
    };

    return cmocka_run_group_tests_name("train", tests, NULL, NULL);
}
