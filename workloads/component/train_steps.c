/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/component/train_steps.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READINGS = 3 /* of the run delay, in a step */ };

static const double most_part = 0.01, wanted_part = 0.005; /* of a step, for them */

int train_steps_init(struct train_steps *t, const struct train_task *task,
                     struct phase_clock *clock, struct workload_result *result, struct err *e)
{
    *t = (struct train_steps){.clock = clock,
                              .result = result,
                              .comm = task->host->comm,
                              .host = task->host,
                              .run_delay = task->host->run_delay,
                              .every = 1};
    t->packed = calloc(2 * (size_t)task->steps, sizeof *t->packed);
    t->asked = calloc((size_t)task->steps, sizeof *t->asked);
    if (!t->packed || !t->asked)
        return err_set(e, "out of memory for the times of %ld steps", task->steps);
    return steps_init(&t->steps, task->steps, e);
}

void train_steps_fini(struct train_steps *t)
{
    free(t->packed);
    free(t->asked);
    steps_fini(&t->steps);
}

int train_steps_start(struct train_steps *t, struct err *e)
{
    struct comm *c = t->comm;

    if (c->compare_clocks && c->compare_clocks(c, e) < 0)
        return -1;
    t->clock_then = c->clock;
    t->compared = t->clock->now();
    return 0;
}

void train_steps_epoch(struct train_steps *t, double begin)
{
    t->steps.n = 0;
    t->left = begin;
    t->agreed = 0;
}

/* ---- which steps are asked for their run delay ---- */

/* splitmix64 of the block: any of its steps, so that nothing that comes at even distances
 * (agreements, small batches) is met always or never. */
static long place_in_block(uint64_t block, long every)
{
    uint64_t z = (block + 1) * 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (long)((z ^ z >> 31) % (uint64_t)every);
}

bool train_steps_asks(const struct train_steps *t)
{
    const long k = t->before + t->steps.n;

    if (!t->run_delay)
        return false;
    return t->steps.n == 0 || k % t->every == place_in_block((uint64_t)(k / t->every), t->every);
}

/* What a reading costs: the least of some, of which a task switch may make any longer. */
static double cost_of_asking(const struct train_steps *t)
{
    enum { TIMES = 5, CALLS = 8 };
    double least = INFINITY;

    for (int i = 0; i < TIMES; i++) {
        const double since = t->clock->now();
        for (int k = 0; k < CALLS; k++)
            t->run_delay();
        least = fmin(least, (t->clock->now() - since) / CALLS);
    }
    return least;
}

/* After the first epoch, whose steps took so long on the mean. */
static void thin_out(struct train_steps *t, double step_seconds)
{
    if (!t->run_delay || !(step_seconds > 0))
        return;
    t->asking = READINGS * cost_of_asking(t);
    if (t->asking > most_part * step_seconds)
        t->every = (long)ceil(t->asking / (wanted_part * step_seconds));
}

/* Steps that were not asked get what those that were had. */
static void fill_unasked(struct train_steps *t)
{
    double own = 0, withheld = 0, late = 0, asked = 0;

    for (long k = 0; k < t->steps.n && t->every > 1; k++)
        if (t->asked[k]) {
            own += (double)t->steps.row[k].own;
            withheld += (double)t->steps.row[k].withheld;
            t->withheld.n++;
            t->withheld.sum += (double)t->steps.row[k].withheld;
            t->withheld.squares += pow((double)t->steps.row[k].withheld, 2);
            late += (double)t->steps.row[k].late;
            asked++;
        }
    for (long k = 0; k < t->steps.n && asked > 0; k++)
        if (!t->asked[k]) {
            struct step_row *row = &t->steps.row[k];
            row->withheld = own > 0 ? (float)((double)row->own * withheld / own) : 0;
            row->late = (float)(late / asked);
        }
}

void train_steps_stamp(struct train_steps *t, const struct train_step *s, double begin, double end)
{
    struct step_row *row = &t->steps.row[t->steps.n];

    *row = s->row;
    t->asked[t->steps.n] = s->asked && row->begin > 0;
    if (row->begin == 0) /* an idle step has nothing to do but wait for the others */
        *row = (struct step_row){
            .begin = begin, .half = -1, .waits = 1, .wait = {{0, (float)(end - begin)}}};
    else if (s->asked)
        row->late = (float)(t->run_delay() - s->arrived_delay);
    row->length = (float)(end - row->begin);
    row->agree = (float)t->agreed;
    row->other = (float)(row->begin - t->left - t->agreed);
    t->left = end;
    t->agreed = 0;
    t->steps.n++;
}

/* The epoch's moments move to rank 0's clock, which was compared before and after it. */
static int to_common_clock(struct train_steps *t, double *bound, struct err *e)
{
    struct comm *c = t->comm;
    const struct clock_offset then = t->clock_then;

    if (c->compare_clocks && c->compare_clocks(c, e) < 0)
        return -1;
    const double now = t->clock->now();
    *bound = c->clock_method ? fmax(then.bound, c->clock.bound) : INFINITY;
    for (long k = 0; k < t->steps.n; k++) {
        struct step_row *row = &t->steps.row[k];
        row->begin += clock_between(t->compared, then, now, c->clock, row->begin).seconds;
    }
    t->clock_then = c->clock;
    t->compared = now;
    return 0;
}

/* One clock for all ranks: when the epoch's first step began and its last ended.
 * Skew and wire are told apart when what the clocks do not know is less than a tenth
 * of a mean wait. */
static int common_epoch(struct train_steps *t, struct steps_pack *pack, bool *split, struct err *e)
{
    const struct comm *c = t->comm;
    const struct step_row *row = t->steps.row, *last = row + t->steps.n - 1;
    double waited = 0, bound;

    if (to_common_clock(t, &bound, e) < 0)
        return -1;
    for (long k = 0; k < t->steps.n; k++)
        waited += steps_waited(&t->steps, k);
    double v[4] = {-row->begin, last->begin + (double)last->length, bound,
                   waited / (double)t->steps.n};
    if (c->size > 1 && t->comm->reduce(t->comm, v, 4, COMM_MAX, e) < 0)
        return -1;
    *pack = steps_packing(-v[0] - 1, v[1] + v[0] + 2);
    *split = v[2] <= 0.1 * v[3] || c->size == 1;
    struct result_clock *clock = &t->result->clock;
    snprintf(clock->method, sizeof clock->method, "%s", c->clock_method ? c->clock_method : "");
    clock->bound_seconds = v[2];
    clock->split = *split;
    return 0;
}

/* Who was last in each step, then this rank's parts of them: one maximum over the
 * ranks, whatever their number. */
static int account_epoch(struct train_steps *t, int epoch, struct steps_sums *sums, struct err *e)
{
    struct steps_pack pack;
    bool split;

    if (t->steps.n == 0)
        return 0;
    fill_unasked(t);
    if (common_epoch(t, &pack, &split, e) < 0)
        return -1;
    double *least = t->packed + t->steps.n;
    for (long k = 0; k < t->steps.n; k++) {
        const struct step_row *row = &t->steps.row[k];
        t->packed[k] =
            steps_packed(&pack, row->begin + (double)row->input + (double)row->own, t->comm->rank);
        least[k] = row->own > 0 ? -(double)row->met : -INFINITY;
    }
    if (t->comm->size > 1 &&
        t->comm->reduce(t->comm, t->packed, 2 * (int)t->steps.n, COMM_MAX, e) < 0)
        return -1;
    for (long k = 0; k < t->steps.n; k++)
        least[k] = -least[k];
    steps_account(&t->steps, &pack, t->packed, least, t->comm->rank, 0, split, sums);
    sums->part[STEP_AGREE] += t->agreed;
    if (t->host->steps)
        t->host->steps(t->host->ctx, &(struct steps_epoch){.epoch = epoch,
                                                           .before = t->before,
                                                           .steps = &t->steps,
                                                           .pack = &pack,
                                                           .packed = t->packed});
    t->before += t->steps.n;
    return 0;
}

/* Books the parts of the steps that the clock has on COMPUTE; of the first epoch all
 * stay one phase. */
static void book_parts(struct train_steps *t, const struct steps_sums *sums)
{
    static const enum phase phases[STEP_PARTS] = {
        [STEP_INPUT] = PHASE_INPUT_WAIT,  [STEP_COMPUTE] = PHASE_COMPUTE,
        [STEP_WITHHELD] = PHASE_WITHHELD, [STEP_EXCHANGE_CPU] = PHASE_EXCHANGE_CPU,
        [STEP_SKEW] = PHASE_IMBALANCE,    [STEP_WIRE] = PHASE_EXPOSED_ALLREDUCE,
        [STEP_UPDATE] = PHASE_UPDATE,     [STEP_AGREE] = PHASE_AGREE,
        [STEP_OTHER] = PHASE_OTHER,
    };

    for (int i = 0; i < STEP_PARTS; i++)
        if (i != STEP_COMPUTE)
            phase_clock_move(t->clock, PHASE_COMPUTE, phases[i], sums->part[i]);
}

/* The parts of the steps of the first epoch, which took so many seconds: what is no part of
 * a step is the rest. */
static void book_first(struct train_steps *t, const struct steps_sums *sums, double seconds)
{
    static const enum phase_part parts[STEP_PARTS] = {
        [STEP_INPUT] = SPLIT_first_epoch_input,
        [STEP_COMPUTE] = SPLIT_first_epoch_compute,
        [STEP_WITHHELD] = SPLIT_first_epoch_withheld,
        [STEP_EXCHANGE_CPU] = SPLIT_first_epoch_exchange_cpu,
        [STEP_SKEW] = SPLIT_first_epoch_skew,
        [STEP_WIRE] = SPLIT_first_epoch_wire,
        [STEP_UPDATE] = SPLIT_first_epoch_update,
        [STEP_AGREE] = SPLIT_first_epoch_agree,
        [STEP_OTHER] = SPLIT_first_epoch_other,
    };
    double rest = seconds;

    phase_clock_move(t->clock, PHASE_COMPUTE, PHASE_FIRST_EPOCH, seconds);
    for (int i = 0; i < STEP_PARTS; i++) {
        t->clock->parts[parts[i]] += sums->part[i];
        rest -= sums->part[i];
    }
    t->clock->parts[SPLIT_first_epoch_other] += rest;
}

/* Most that two ranks' clocks are off against each other: each is off against rank 0's. */
static double between_clocks(const struct train_steps *t)
{
    return (t->comm->size > 2 ? 2 : 1) * t->result->clock.bound_seconds;
}

/* Of some steps of the epoch the least wait of all ranks. */
static int add_least(struct train_steps *t, struct err *e)
{
    const long n = t->steps.n < WIRE_STEPS ? t->steps.n : WIRE_STEPS;
    double v[WIRE_STEPS];

    for (long i = 0; i < n; i++) {
        const long k = t->steps.n * i / n;
        v[i] = steps_waited(&t->steps, k) + (double)t->steps.row[k].met;
    }
    if (t->comm->size > 1 && t->comm->reduce(t->comm, v, (int)n, COMM_MIN, e) < 0)
        return -1;
    for (long i = 0; i < n; i++)
        t->least += v[i];
    t->leasts += n;
    return 0;
}

/* What a steady epoch says beside its parts. */
static int sample_epoch(struct train_steps *t, struct err *e)
{
    return t->steps.n == 0 || (add_least(t, e) == 0 &&
                               wire_epoch(&t->wire, &t->steps, between_clocks(t), t->comm, e) == 0)
               ? 0
               : -1;
}

int train_steps_split(struct train_steps *t, int epoch, bool first, double seconds, double *input,
                      struct err *e)
{
    struct steps_sums sums = {.steps = 0};

    if (account_epoch(t, epoch, &sums, e) < 0)
        return -1;
    if (!first && sample_epoch(t, e) < 0)
        return -1;
    *input = sums.part[STEP_INPUT];
    if (first)
        book_first(t, &sums, seconds);
    else
        book_parts(t, &sums);
    steps_add(first ? &t->first : &t->steady, &sums);
    if (first && t->steps.n > 0)
        thin_out(t, seconds / (double)t->steps.n);
    return 0;
}

/* The ranks' stretches put together, as a mean step of the path. */
static int join_path(struct train_steps *t, const struct steps_sums *own, struct result_path *p,
                     struct err *e)
{
    const double steps = own->path_steps > 0 ? (double)own->path_steps : 1;
    double v[STEP_PARTS + 1];

    memcpy(v, own->path, sizeof own->path);
    v[STEP_PARTS] = own->path_met;
    if (t->comm->size > 1 && t->comm->reduce(t->comm, v, STEP_PARTS + 1, COMM_SUM, e) < 0)
        return -1;
    *p = (struct result_path){
        .steps = own->path_steps,
        .input_seconds = v[STEP_INPUT] / steps,
        .compute_seconds = v[STEP_COMPUTE] / steps,
        .withheld_seconds = v[STEP_WITHHELD] / steps,
        .exchange_cpu_seconds = v[STEP_EXCHANGE_CPU] / steps,
        .wire_seconds = v[STEP_WIRE] / steps,
        .met_seconds = v[STEP_PARTS] / steps,
        .update_seconds = v[STEP_UPDATE] / steps,
        .agree_seconds = v[STEP_AGREE] / steps,
        .other_seconds = v[STEP_OTHER] / steps,
    };
    for (int i = 0; i < STEP_PARTS; i++)
        p->period_seconds += v[i] / steps;
    return 0;
}

/* Of the rank that asks seldomest. */
static int join_asking(struct train_steps *t, struct result_asking *a, struct err *e)
{
    double v[2] = {t->asking, (double)t->every};

    if (t->comm->size > 1 && t->comm->reduce(t->comm, v, 2, COMM_MAX, e) < 0)
        return -1;
    *a = (struct result_asking){v[0], (long)v[1]};
    return 0;
}

int train_steps_fill(struct train_steps *t, struct err *e)
{
    const struct steps_sums *s = &t->steady;
    struct result_rank *r = &t->result->rank;

    if (join_asking(t, &t->result->asking, e) < 0 ||
        join_path(t, &t->first, &t->result->first_path, e) < 0 ||
        join_path(t, s, &t->result->path, e) < 0)
        return -1;
    struct result_clock *clock = &t->result->clock;

    wire_fit(&t->wire, t->comm->size, &r->wire);
    r->steps = s->steps;
    clock->wire_error_seconds = clock->least_wait_seconds = NAN;
    if (s->steps == 0)
        return 0;
    if (s->path_steps > 0)
        clock->wire_error_seconds = between_clocks(t) * (double)s->changes / (double)s->path_steps;
    clock->least_wait_seconds = t->least / (double)t->leasts;
    r->last = (double)s->last / (double)s->steps;
    r->compute_error = steps_error(&s->compute);
    r->withheld_error = steps_error(t->every > 1 ? &t->withheld : &s->withheld);
    r->late_seconds = s->late / (double)s->steps;
    r->lead_seconds = s->leads ? s->lead / (double)s->leads : NAN;
    r->half_seconds = s->halves ? s->half / (double)s->halves : NAN;
    return 0;
}
