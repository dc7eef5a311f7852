/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/component/train.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/component/train_steps.h"

/* Ranks agree about stopping every so many seconds. */
static const double agree_seconds = 0.5;

/* Why training ends, as the ranks agree on it. */
enum stop { STOP_NOT, STOP_TIME, STOP_TOLD, STOP_DIVERGED, STOP_FAILED };

struct loop {
    const struct train_task *task;
    struct phase_clock *clock;
    struct workload_result *result;
    struct comm *comm;
    int epoch;
    enum stop stop;
    int rc;          /* this rank's own, -1 after its first failure */
    struct err said; /* what it failed of */
    long stride;     /* steps between agreements */
    double begun;    /* training began */
    double quality;  /* last evaluation */
    /* of the running epoch */
    long made; /* steps made */
    double loss, quality_sum, rows;
    struct train_steps steps;
    /* of all epochs after the first */
    double *lengths; /* [n_lengths] seconds of each step */
    size_t n_lengths;
    double steady_rows, steady_seconds;
};

/* Returns the moment. */
static double enter(struct loop *l, enum phase p)
{
    const double at = phase_clock_to(l->clock, p);

    if (l->task->host->phase)
        l->task->host->phase(l->task->host->ctx, p);
    return at;
}

/* The first epoch of this process: not steady state. */
static bool first(const struct loop *l)
{
    return l->epoch == l->task->first_epoch;
}

static bool reached(const struct train_task *t, double quality)
{
    return t->higher_is_better ? quality >= t->target : quality <= t->target;
}

/* The worst of what the ranks know becomes what all know. */
static int agree(struct loop *l, struct err *e)
{
    const struct workload_host *host = l->task->host;
    double why = STOP_NOT;

    if (host->deadline > 0 && l->clock->now() >= host->deadline)
        why = STOP_TIME;
    if (host->stop && host->stop(host->ctx))
        why = STOP_TOLD;
    if (!isfinite(l->loss))
        why = STOP_DIVERGED;
    if (l->rc < 0)
        why = STOP_FAILED;
    if (l->comm->size > 1 && l->comm->reduce(l->comm, &why, 1, COMM_MAX, e) < 0)
        return -1;
    l->stop = (enum stop)why;
    if (l->stop != STOP_FAILED)
        return 0;
    if (l->rc < 0 && e)
        *e = l->said;
    return comm_agree(l->comm, l->rc, e);
}

static void say_progress(struct loop *l, const struct train_step *s, double seconds)
{
    const struct workload_host *host = l->task->host;
    const struct train_task *t = l->task;

    if (!host->progress)
        return;
    const double left = (double)(t->epochs - l->epoch) * t->steps - l->made;
    const double behind = (double)(l->epoch - t->first_epoch) * t->steps + l->made;
    struct workload_progress p = {
        .phase = first(l) ? PHASE_FIRST_EPOCH : PHASE_COMPUTE,
        .epoch = l->epoch + 1,
        .epochs = t->epochs,
        .step = l->made,
        .steps = t->steps,
        .loss = s->loss * l->comm->size,
        .quality = l->quality,
        .target = t->target,
        .samples_per_second = s->global_rows / seconds,
        .eta_seconds = left * (l->clock->now() - l->begun) / behind,
    };
    host->progress(host->ctx, &p);
}

/* One step, its seconds booked. A failure of this rank alone is kept for the
 * next agreement; a failure of the exchange ends all. */
static int make_step(struct loop *l, struct err *e)
{
    const struct train_task *t = l->task;
    struct phase_clock *c = l->clock;
    double begin = phase_clock_to(c, PHASE_COMPUTE);
    struct train_step s = {
        .epoch = l->epoch,
        .step = l->made,
        .place = l->epoch + (double)l->made / t->steps,
        .idle = l->rc < 0,
        .asked = train_steps_asks(&l->steps),
    };

    if (t->step(t->ctx, &s, e) < 0) {
        if (s.idle)
            return -1;
        l->rc = -1;
        if (e)
            l->said = *e;
        s.idle = true;
        if (!s.exchanged && t->step(t->ctx, &s, e) < 0)
            return -1;
    }
    const double end = phase_clock_to(c, PHASE_COMPUTE), seconds = end - begin;
    train_steps_stamp(&l->steps, &s, begin, end);
    l->loss += s.loss * s.global_rows;
    l->quality_sum += s.quality * s.global_rows;
    l->rows += s.global_rows;
    l->made++;
    if (!first(l))
        l->lengths[l->n_lengths++] = seconds;
    say_progress(l, &s, seconds);
    return 0;
}

/* Agreement between steps, its seconds kept for the next step's row. */
static int agree_between(struct loop *l, struct err *e)
{
    const double since = l->clock->now();
    int rc = agree(l, e);

    l->steps.agreed += l->clock->now() - since;
    return rc;
}

/* The training part of an epoch; row gets its length and means. */
static int train_epoch(struct loop *l, struct result_epoch *row, struct err *e)
{
    double input_wait = 0;

    l->made = 0;
    l->loss = l->quality_sum = l->rows = 0;
    enter(l, first(l) ? PHASE_FIRST_EPOCH : PHASE_COMPUTE);
    double begin = phase_clock_to(l->clock, PHASE_COMPUTE);
    train_steps_epoch(&l->steps, begin);
    while (l->made < l->task->steps) {
        if (make_step(l, e) < 0)
            return -1;
        if (l->made % l->stride == 0) {
            if (agree_between(l, e) < 0)
                return -1;
            if (l->stop)
                break;
        }
    }
    const double end = enter(l, PHASE_OTHER);
    if (train_steps_split(&l->steps, row->epoch, first(l), end - begin, &input_wait, e) < 0)
        return -1;

    double slowest[2] = {end - begin, input_wait};
    double sums[2] = {l->loss, l->quality_sum};
    if (l->comm->size > 1 && (l->comm->reduce(l->comm, slowest, 2, COMM_MAX, e) < 0 ||
                              l->comm->reduce(l->comm, sums, 2, COMM_SUM, e) < 0))
        return -1;
    const double longest = slowest[0];
    row->seconds = longest;
    row->input_wait_seconds = slowest[1];
    row->train_loss = sums[0] / l->rows;
    row->train_quality =
        isnan(sums[1]) ? unmeasured("it would take a second evaluation, of the training samples")
                       : measured(sums[1] / l->rows);
    l->stride = (long)fmax(1, agree_seconds * l->made / fmax(longest, 1e-6));
    if (!first(l)) {
        l->steady_rows += l->rows;
        l->steady_seconds += longest;
    }
    return 0;
}

/* Batches until the next agreement: about agree_seconds for the slowest rank. */
static int set_stride(struct loop *l, double seconds_per_batch, long *stride, struct err *e)
{
    if (l->comm->size > 1 && l->comm->reduce(l->comm, &seconds_per_batch, 1, COMM_MAX, e) < 0)
        return -1;
    *stride = (long)fmax(1, agree_seconds / fmax(seconds_per_batch, 1e-6));
    return 0;
}

/* The batches of an evaluation. A rank that fails waits for the next agreement
 * with the others, as in training. */
static int evaluate_batches(struct loop *l, struct err *e)
{
    const struct train_task *t = l->task;
    double since = l->clock->now();
    long stride = 1, agreed = 0;

    for (long i = 0; i < t->eval_steps;) {
        if (l->rc == 0 && (l->rc = t->evaluate(t->ctx, i, e)) < 0 && e)
            l->said = *e;
        if (++i == t->eval_steps || i - agreed < stride)
            continue;
        double seconds = (l->clock->now() - since) / (double)(i - agreed);
        phase_clock_part(l->clock, SPLIT_evaluation_wait);
        if (agree(l, e) < 0)
            return -1;
        if (l->stop)
            return 0;
        if (set_stride(l, seconds, &stride, e) < 0)
            return -1;
        phase_clock_part(l->clock, SPLIT_evaluation_compute);
        since = l->clock->now();
        agreed = i;
    }
    phase_clock_part(l->clock, SPLIT_evaluation_wait);
    if (l->rc < 0 && e)
        *e = l->said;
    return comm_agree(l->comm, l->rc, e);
}

/* row->quality stays NAN when the evaluation was stopped. */
static int evaluate(struct loop *l, struct result_epoch *row, struct err *e)
{
    const struct train_task *t = l->task;

    enter(l, PHASE_EVALUATION);
    phase_clock_part(l->clock, SPLIT_evaluation_wait);
    int rc = t->begin_evaluation ? t->begin_evaluation(t->ctx, e) : 0;
    phase_clock_part(l->clock, SPLIT_evaluation_compute);
    if (rc == 0)
        rc = evaluate_batches(l, e);
    phase_clock_part(l->clock, SPLIT_evaluation_wait);
    if (rc == 0 && !l->stop)
        rc = t->judge(t->ctx, &row->quality, e);
    enter(l, PHASE_OTHER);
    if (rc < 0)
        return -1;
    l->quality = row->quality;
    return 0;
}

static void end_because(struct workload_result *r, enum run_status status, const char *why)
{
    r->status = status;
    r->valid = false;
    snprintf(r->reason, sizeof r->reason, "%.*s", (int)sizeof r->reason - 1, why);
}

/* Seconds of training up to now, those before it was resumed included. */
static double trained(const struct loop *l)
{
    return l->task->trained_seconds + (l->begun > 0 ? l->clock->now() - l->begun : 0);
}

/* Books a finished epoch. Returns true when training is over. */
static bool book_epoch(struct loop *l, const struct result_epoch *row)
{
    struct workload_result *r = l->result;
    double best = r->achieved.value;
    bool better = r->achieved.reason ||
                  (l->task->higher_is_better ? row->quality > best : row->quality < best);

    if (better && isfinite(row->quality))
        r->achieved = measured(row->quality);
    if (!isfinite(row->train_loss) || !isfinite(row->quality)) {
        char why[128];
        snprintf(why, sizeof why, "the loss or the quality was not finite in epoch %d", row->epoch);
        end_because(r, RUN_PARTIAL, why);
        return true;
    }
    if (!reached(l->task, row->quality))
        return false;
    r->epochs_to_target = row->epoch;
    r->time_to_quality_seconds = measured(trained(l));
    r->valid = true;
    r->reason[0] = '\0';
    return true;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Lengths of the steps, and stalls: those longer than 1.5 x the median (benchmark: record
 * of a run). */
static void count_stalls(struct loop *l)
{
    struct result_stalls *s = &l->result->stalls;

    s->steps = (long)l->n_lengths;
    if (l->n_lengths == 0)
        return;
    qsort(l->lengths, l->n_lengths, sizeof *l->lengths, by_value);
    double median = l->lengths[l->n_lengths / 2];
    s->median_seconds = median;
    s->p99_seconds = l->lengths[(size_t)ceil(0.99 * (double)l->n_lengths) - 1];
    s->most_seconds = l->lengths[l->n_lengths - 1];
    for (size_t i = l->n_lengths; i-- > 0 && l->lengths[i] > 1.5 * median;) {
        s->stalled++;
        s->stalled_seconds += l->lengths[i] - median;
    }
}

static void fill_performance(struct loop *l)
{
    struct workload_result *r = l->result;
    const char *none = "no epoch after the first: there was no steady state";

    r->samples_per_second = r->flop_per_second = unmeasured(none);
    r->vflops_n5 = r->vflops_n10 = unmeasured(none);
    if (l->steady_seconds <= 0)
        return;
    double rate = l->steady_rows / l->steady_seconds;
    double flops = rate * r->flop_per_sample;
    r->samples_per_second = measured(rate);
    r->flop_per_second = measured(flops);
    if (r->achieved.reason) {
        r->vflops_n5 = r->vflops_n10 = unmeasured(r->achieved.reason);
        return;
    }
    r->vflops_n5 =
        measured(result_vflops(flops, r->achieved.value, r->target, r->higher_is_better, 5));
    r->vflops_n10 =
        measured(result_vflops(flops, r->achieved.value, r->target, r->higher_is_better, 10));
}

/* Keeps what was reached, where somebody wants it. */
static void keep(struct loop *l)
{
    const struct workload_result *r = l->result;
    const struct train_state s = {r->epochs, r->n_epochs, trained(l)};

    if (!l->task->keep)
        return;
    enter(l, PHASE_CHECKPOINT);
    l->task->keep(l->task->ctx, &s);
    enter(l, PHASE_OTHER);
}

/* What a resumed run reached before. Returns true when that was enough. */
static bool book_before(struct loop *l)
{
    for (int i = 0; i < l->result->n_epochs; i++)
        if (book_epoch(l, &l->result->epochs[i]))
            return true;
    return false;
}

static int run_epochs(struct loop *l, struct err *e)
{
    const struct train_task *t = l->task;

    for (l->epoch = t->first_epoch; l->epoch < t->epochs; l->epoch++) {
        struct result_epoch row = {.epoch = l->epoch + 1, .quality = NAN};

        if (train_epoch(l, &row, e) < 0)
            return -1;
        if (!l->stop && evaluate(l, &row, e) < 0)
            return -1;
        bool judged = !l->stop; /* what was judged counts, also when time ends now */
        if (!l->stop && agree(l, e) < 0)
            return -1;
        if (result_add_epoch(l->result, &row) < 0)
            return err_set(e, "out of memory for the epochs' rows");
        if (t->host->epoch)
            t->host->epoch(t->host->ctx, &row);
        const bool over = (judged || l->stop == STOP_DIVERGED) && book_epoch(l, &row);
        if (judged && isfinite(row.train_loss))
            keep(l);
        if (over)
            return 0;
        if (l->stop == STOP_TOLD)
            end_because(l->result, RUN_PARTIAL, "stopped by a signal before the target");
        else if (l->stop == STOP_TIME)
            end_because(l->result, RUN_COMPLETE, "the time was over before the target was reached");
        if (l->stop)
            return 0;
        if (t->between && l->epoch + 1 < t->epochs)
            t->between(t->ctx);
    }
    return 0;
}

int train_run(const struct train_task *t, struct phase_clock *clock, struct workload_result *r,
              struct err *e)
{
    struct loop l = {
        .task = t,
        .clock = clock,
        .result = r,
        .comm = t->host->comm,
        .stride = 1,
        .quality = NAN,
    };
    const size_t lengths = (size_t)t->steps * (size_t)t->epochs;
    int rc = -1;

    r->status = RUN_COMPLETE;
    r->valid = false;
    r->achieved = unmeasured("no evaluation was finished");
    r->time_to_quality_seconds = unmeasured("the quality target was not reached");
    snprintf(r->reason, sizeof r->reason, "the quality target was not reached");
    l.lengths = calloc(lengths + 1, sizeof *l.lengths);
    rc = train_steps_init(&l.steps, t, clock, r, e);
    if (rc == 0 && !l.lengths)
        rc = err_set(e, "out of memory for the times of %zu steps", lengths);
    enter(&l, PHASE_OTHER);
    if ((rc = comm_agree(l.comm, rc, e)) < 0 || (rc = train_steps_start(&l.steps, e)) < 0)
        goto out;
    const bool over = book_before(&l);
    l.begun = clock->now();
    rc = over ? 0 : run_epochs(&l, e);
    if (rc == 0)
        rc = train_steps_fill(&l.steps, e);
    if (rc < 0)
        end_because(r, RUN_PARTIAL, e ? e->text : "training failed");
    count_stalls(&l);
    fill_performance(&l);
out:
    phase_clock_to(clock, PHASE_OTHER);
    free(l.lengths);
    train_steps_fini(&l.steps);
    return rc;
}

void train_gate(struct workload_result *r, const struct train_rules *rules)
{
    const double sign = r->higher_is_better ? 1 : -1;
    const struct measure *domain = &r->baseline_domain;

    if (!r->valid)
        return;
    if (sign * r->achieved.value <= sign * r->baseline)
        snprintf(r->reason, sizeof r->reason, "%s %.4f is no better than the trivial %.4f",
                 r->metric, r->achieved.value, r->baseline);
    else if (rules->beats_domain && !domain->reason &&
             sign * r->achieved.value <= sign * domain->value)
        snprintf(r->reason, sizeof r->reason, "%s %.4f is no better than %.4f of the %s", r->metric,
                 r->achieved.value, domain->value, r->baseline_domain_name);
    else if (sign * r->target < sign * rules->target)
        snprintf(r->reason, sizeof r->reason, "target %g is easier than the class's own %g",
                 r->target, rules->target);
    else if (rules->class_recipe && r->rcp.seeds && r->epochs_to_target < r->rcp.min_epochs)
        snprintf(r->reason, sizeof r->reason,
                 "%d epochs to the target are fewer than the %g that reference runs make plausible",
                 r->epochs_to_target, r->rcp.min_epochs);
    r->valid = !r->reason[0];
}
