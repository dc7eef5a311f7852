/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/component/harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/component/ablate.h"
#include "workloads/component/harness_say.h"
#include "workloads/component/resume.h"
#include "workloads/component/step_profile.h"
#include "workloads/component/train.h"
#include "workloads/component/transport.h"
#include "workloads/component/yardstick.h"
#include "workloads/data/cache.h"

enum { MAX_WORKERS = 8 /* more than storage feeds */ };

struct run {
    const struct component *component;
    const struct recipe *recipe;
    const struct runspec *spec;
    int index;
    const struct workload_plan *plan;
    const struct workload_host *host;
    struct net net;
    struct schedule schedule;
    struct dataset *data[2]; /* by enum dataset_split */
    struct loader *loader[2];
    void *feed;
    float *out[NET_OUTS]; /* values of net.out[] */
    size_t out_count[NET_OUTS];
    float *rolled[2];        /* feed 0 of a roll-out, and the next one */
    double seen[TALLY_SUMS]; /* of this rank's batches of the first epoch */
    struct tally tally;
    struct judgement last, best;
    bool judged;
    struct resume resume;
    struct step_profile profile;
    long profile_told; /* steps of the profile that the host was told last */
    struct yardstick *yardstick;
    struct phase_clock *clock;
    int first_epoch;           /* of this process */
    double delay;              /* run delay when the batch was there */
    struct loader_stats begun; /* of the training loader, when the steady state began */
};

void judgement_add(struct judgement *j, const char *name, struct metric m, bool higher_is_better)
{
    struct result_quality *q = &j->others[j->n_others++];

    snprintf(q->name, sizeof q->name, "%s", name);
    q->value = isnan(m.value) ? unmeasured(m.why) : measured(m.value);
    q->target = NAN;
    q->higher_is_better = higher_is_better;
}

/* An idle rank's batch: no rows, the step's global count. */
static struct loader_batch no_rows(const struct run *r, const struct train_step *s)
{
    static const float none[1];
    const long left =
        (long)dataset_info(r->data[DATASET_TRAIN])->samples - s->step * r->plan->batch;
    struct loader_batch b = {
        .global_n = left < r->plan->batch ? left : r->plan->batch,
        .epoch = (uint64_t)s->epoch,
    };

    for (int k = 0; k < LOADER_FEEDS; k++)
        b.feed[k] = none;
    return b;
}

/* The next batch; where an epoch or an evaluation has ended before, the first
 * of the next one. */
static int next_batch(struct loader *l, bool first, struct loader_batch *b, const char *what,
                      struct err *e)
{
    int got = loader_next(l, b, e);

    if (got == 0 && first)
        got = loader_next(l, b, e);
    if (got > 0)
        return 0;
    return got < 0 ? -1 : err_set(e, "the loader ended %s early", what);
}

/* Asks the loader, and stamps it. */
static int take_batch(struct run *r, struct train_step *s, struct loader_batch *b, struct err *e)
{
    s->row.begin = r->host->now();
    int rc = next_batch(r->loader[DATASET_TRAIN], s->step == 0, b, "an epoch", e);
    s->row.input = (float)(r->host->now() - s->row.begin);
    s->row.ready = b->look.ready;
    s->row.reading = b->look.reading;
    s->row.inflating = b->look.inflating;
    s->row.converting = b->look.converting;
    r->profile.input += (double)s->row.input;
    r->delay = s->asked ? r->host->run_delay() : 0;
    return rc;
}

/* From the end of the wait for input on; seconds after row->begin. */
static void stamp_exchange(const struct engine_stamps *x, struct step_row *row)
{
    const double begin = row->begin, input = (double)row->input;

    row->own = (float)(x->ready - begin - input);
    row->lib = (float)x->before;
    row->met = (float)x->met;
    row->tail = (float)(x->wait[0].from - x->ready);
    row->half = x->half > 0 ? (float)(x->half - x->ready) : -1;
    row->waits = x->waits;
    for (int i = 0; i < x->waits; i++) {
        const struct engine_wait *w = &x->wait[i];
        row->wait[i][0] = (float)(w->from - begin);
        row->wait[i][1] = (float)(w->to - begin);
        row->start[i] = (float)(w->ready - begin);
        row->half_of[i] = w->half > 0 ? (float)(w->half - begin) : -1;
        row->done_of[i] = w->done > 0 ? (float)(w->done - begin) : -1;
        row->since_of[i] = w->since > 0 ? (float)(w->since - begin) : -1;
        row->bytes_of[i] = (float)w->bytes;
    }
}

/* Of this rank, for a journal: what is lost with a rank that is killed, and no more often
 * than that costs nothing. */
static void tell_profile(struct run *r)
{
    struct workload_result so_far = {0};

    if (!r->host->profile || r->profile.steps < 1 || r->profile.steps < 2 * r->profile_told)
        return;
    if (step_profile_gather(&r->profile, r->net.model, r->net.graph, comm_self(), &so_far, NULL) ==
        0)
        r->host->profile(r->host->ctx, &so_far);
    r->profile_told = r->profile.steps;
    result_fini(&so_far);
}

static int step(void *ctx, struct train_step *s, struct err *e)
{
    struct run *r = ctx;
    struct net *n = &r->net;
    struct loader_batch b = no_rows(r, s);
    float loss, quality = NAN;

    if (s->step == 0)
        tell_profile(r);
    if (s->step == 0 && s->epoch == r->first_epoch + 1) {
        r->profile_told = 0;
        step_profile_restart(&r->profile, n->model);
        loader_stats(r->loader[DATASET_TRAIN], &r->begun);
    }
    step_profile_enter(&r->profile, s->step == 0);
    if (!s->idle && take_batch(r, s, &b, e) < 0)
        return -1;
    if (s->idle)
        model_abandon(n->model);
    if (s->epoch == 0 && r->component->meet)
        r->component->meet(r->seen, &b);
    model_zero(n->model, n->group);
    if (net_forward(n, &b, ENGINE_TRAIN, e) < 0 || engine_backward(n->graph, true, e) < 0)
        return -1;
    if (!s->idle && s->asked) {
        s->arrived_delay = r->host->run_delay();
        s->row.withheld = (float)(s->arrived_delay - r->delay);
    }
    if (model_step(n->model, n->group, schedule_rate(&r->schedule, s->place), e) < 0)
        return -1;
    s->exchanged = true;
    if (s->idle)
        s->row.begin = 0;
    else
        stamp_exchange(model_stamps(n->model), &s->row);
    if (engine_read(n->graph, n->loss, &loss, 1, e) < 0 ||
        (n->quality && engine_read(n->graph, n->quality, &quality, 1, e) < 0))
        return -1;
    const struct engine_stats stats = model_stats(n->model, true);
    s->global_rows = b.global_n;
    s->loss = loss;
    s->quality = quality;
    if (!s->idle)
        step_profile_leave(&r->profile, stats.exchanged_bytes);
    return 0;
}

/* What the first epoch showed, of all ranks. */
static int begin_evaluation(void *ctx, struct err *e)
{
    struct run *r = ctx;
    struct comm *comm = r->host->comm;

    tally_clear(&r->tally);
    memcpy(r->tally.seen, r->seen, sizeof r->seen);
    return comm->size == 1 ? 0 : comm->reduce(comm, r->tally.seen, TALLY_SUMS, COMM_SUM, e);
}

static int read_outputs(struct run *r, struct err *e)
{
    for (int k = 0; k < NET_OUTS && r->net.out[k]; k++)
        if (engine_read(r->net.graph, r->net.out[k], r->out[k], r->out_count[k], e) < 0)
            return -1;
    return 0;
}

/* The batch, then what the network made of it, and so on. */
static int roll_out(struct run *r, const struct loader_batch *first, struct err *e)
{
    struct loader_batch b = *first;

    for (int at = 0; at < r->component->rolls; at++) {
        float *next = r->rolled[at % 2];
        if (net_forward(&r->net, &b, ENGINE_EVAL, e) < 0 || read_outputs(r, e) < 0 ||
            r->component->roll(r->feed, &r->tally, &b, at, b.feed[0], (const float *const *)r->out,
                               next, e) < 0)
            return -1;
        b.feed[0] = next;
    }
    return 0;
}

static int evaluate(void *ctx, long batch, struct err *e)
{
    struct run *r = ctx;
    struct loader_batch b;

    phase_clock_part(r->clock, SPLIT_evaluation_input);
    const int rc = next_batch(r->loader[DATASET_VALIDATION], batch == 0, &b, "an evaluation", e);
    phase_clock_part(r->clock, SPLIT_evaluation_compute);
    if (rc == 0 && r->component->roll)
        return roll_out(r, &b, e);
    if (rc < 0 || net_forward(&r->net, &b, ENGINE_EVAL, e) < 0 || read_outputs(r, e) < 0)
        return -1;
    return r->component->observe(&r->tally, &b, (const float *const *)r->out, e);
}

static int judge(void *ctx, double *quality, struct err *e)
{
    struct run *r = ctx;
    struct judgement *j = &r->last;
    const double sign = r->component->higher_is_better ? 1 : -1;

    if (tally_join(&r->tally, r->host->comm, e) < 0)
        return -1;
    *j = (struct judgement){.trivial = NAN};
    r->component->judge(&r->tally, j);
    if (isnan(j->quality) && j->why) /* the same on every rank */
        return err_set(e, "%s has no value on the validation data: %s", r->component->metric,
                       j->why);
    if (!r->judged || sign * j->quality > sign * r->best.quality)
        r->best = *j;
    r->judged = true;
    *quality = j->quality;
    return 0;
}

/* After each epoch, where the run text wants it. */
static void keep(void *ctx, const struct train_state *t)
{
    struct run *r = ctx;

    resume_save(&r->resume, r->net.model, t, r->tally.seen, r->host);
}

/* After each epoch that another one follows. */
static void between(void *ctx)
{
    const struct run *r = ctx;

    yardstick_between(r->yardstick);
}

static int open_loader(struct run *r, enum dataset_split s, uint64_t epoch, struct err *e)
{
    const struct component *c = r->component;
    const int threads = r->host->threads;
    struct loader_options o = {
        .data = r->data[s],
        .feed = net_feed(&r->net, c, r->feed),
        .rank = r->host->comm->rank,
        .size = r->host->comm->size,
        .batch = r->plan->batch,
        .seed = r->spec->seed,
        .shuffle = s == DATASET_TRAIN,
        .augment = s == DATASET_TRAIN && r->recipe->augment,
        .epoch = epoch,
        .ahead = r->spec->ahead,
        .workers = r->spec->workers        ? r->spec->workers
                   : threads < MAX_WORKERS ? threads
                                           : MAX_WORKERS,
        .keep_bytes = r->spec->keep ? r->host->memory_bytes / 8 : 0,
        .now = r->host->now,
    };

    r->loader[s] = loader_create(&o, e);
    return r->loader[s] ? 0 : -1;
}

/* Memory for what is read after each batch of an evaluation. */
static int make_outputs(struct run *r, struct err *e)
{
    for (int k = 0; k < NET_OUTS && r->net.out[k]; k++) {
        struct shape shape = tensor_shape(r->net.out[k]);
        r->out_count[k] = shape_count(&shape);
        r->out[k] = malloc(r->out_count[k] * sizeof *r->out[k]);
        if (!r->out[k])
            return err_set(e, "no memory for %zu values of an evaluation", r->out_count[k]);
    }
    const struct shape fed = tensor_shape(r->net.feed[0]);
    for (int k = 0; k < 2 && r->component->roll; k++) {
        r->rolled[k] = calloc(shape_count(&fed), sizeof *r->rolled[k]);
        if (!r->rolled[k])
            return err_set(e, "no memory for %zu values of a roll-out", shape_count(&fed));
    }
    return 0;
}

/* The data, and what the feed must know of them. Local. */
static int open_data(struct run *r, const char *path, struct err *e)
{
    const struct component *c = r->component;
    const struct data_class *class = science_class(c->science, r->plan->class);

    r->feed = calloc(1, c->feed_bytes + 1);
    if (!r->feed)
        return err_set(e, "no memory for the feed");
    for (int s = DATASET_TRAIN; s <= DATASET_VALIDATION; s++) {
        r->data[s] = dataset_open(path, (enum dataset_split)s, c->science, class, e);
        if (!r->data[s] || dataset_can_train(r->data[s], e) < 0)
            return -1;
    }
    return c->begin ? c->begin(r->feed, r->recipe, r->data[DATASET_TRAIN], e) : 0;
}

/* The network, and room for what it gives. Local. */
static int make_all(struct run *r, struct err *e)
{
    if (net_make(&r->net, r->component, r->recipe, r->spec, r->host,
                 harness_rows(r->plan->batch, r->host->comm->size), r->feed, e) < 0)
        return -1;
    return make_outputs(r, e);
}

static void close_all(struct run *r)
{
    for (int s = DATASET_TRAIN; s <= DATASET_VALIDATION; s++) {
        loader_destroy(r->loader[s]);
        dataset_close(r->data[s]);
    }
    for (int k = 0; k < NET_OUTS; k++)
        free(r->out[k]);
    for (int k = 0; k < 2; k++)
        free(r->rolled[k]);
    tally_fini(&r->tally);
    model_destroy(r->net.model);
    if (r->feed && r->component->end)
        r->component->end(r->feed);
    free(r->feed);
    yardstick_close(r->yardstick);
    resume_fini(&r->resume);
}

static int find_data(struct run *r, struct workload_result *w, struct err *e)
{
    const struct cache_order order = {
        .comm = r->host->comm,
        .now = r->host->now,
        .deadline = r->host->deadline,
        .threads = r->host->threads,
        .folder = r->host->cache_dir,
        .workload = r->component->name,
        .generator = r->host->generator,
        .ctx = r->host->ctx,
        .say = r->host->say,
        .count = r->host->count,
        .stop = r->host->stop,
    };

    if (*runspec_data(r->spec, r->index))
        return 0;
    return cache_prepare(&order, r->component->science, r->plan->class, w->data_path,
                         sizeof w->data_path, &w->data_made_seconds, e);
}

static void enter(const struct run *r, struct phase_clock *clock, enum phase p)
{
    phase_clock_to(clock, p);
    if (r->host->phase)
        r->host->phase(r->host->ctx, p);
}

/* Goes on from a checkpoint where the run text says so. Collective. */
static int resume_run(struct run *r, struct phase_clock *clock, struct workload_result *w,
                      struct train_task *task, struct err *e)
{
    const bool resumes = r->resume.load[0];

    if (resumes) {
        enter(r, clock, PHASE_CHECKPOINT);
        phase_clock_part(clock, SPLIT_checkpoint_input);
    }
    int rc = resume_load(&r->resume, r->net.model, w, task, r->seen, r->host, e);
    if (resumes)
        enter(r, clock, PHASE_STAGING);
    return rc;
}

/* Before the loader's threads are there. */
static void measure_start(struct run *r)
{
    const struct shape x = tensor_shape(r->net.feed[0]);

    r->yardstick = yardstick_open(r->spec, r->host, x.n == 5 ? 3 : 2);
    yardstick_start(r->yardstick);
}

/* comm_agree(), whose wait is no work of staging. */
static int staging_agree(struct run *r, int rc, struct err *e)
{
    phase_clock_part(r->clock, SPLIT_staging_wait);
    rc = comm_agree(r->host->comm, rc, e);
    phase_clock_part(r->clock, SPLIT_staging_compute);
    return rc;
}

/* Everything up to the first step; agreed over the ranks. */
static int stage_run(struct run *r, struct phase_clock *clock, struct workload_result *w,
                     struct train_task *task, struct err *e)
{
    if (resume_init(&r->resume, r->component->name, r->spec, r->index, r->plan, e) < 0)
        return -1; /* on all ranks: the text is the same */
    phase_clock_part(clock, SPLIT_staging_input);
    if (find_data(r, w, e) < 0)
        return -1; /* likewise */
    int rc = open_data(r, w->data_path, e);
    phase_clock_part(clock, SPLIT_staging_compute);
    if (rc == 0)
        rc = make_all(r, e);
    if (staging_agree(r, rc, e) < 0)
        return -1;
    say_data(w, r->component, r->data, r->spec);
    say_network(w, &r->net);
    if (staging_agree(r, engine_start(r->net.model, e), e) < 0 ||
        resume_run(r, clock, w, task, e) < 0)
        return -1;
    measure_start(r);
    rc = open_loader(r, DATASET_TRAIN, (uint64_t)task->first_epoch, e);
    if (rc == 0)
        rc = open_loader(r, DATASET_VALIDATION, 0, e);
    if (staging_agree(r, rc, e) < 0)
        return -1;
    task->steps = loader_steps(r->loader[DATASET_TRAIN]);
    task->eval_steps = loader_steps(r->loader[DATASET_VALIDATION]);
    return 0;
}

static void finish(const struct run *r, struct workload_result *w)
{
    const struct recipe *c = r->recipe;
    const bool own = r->plan->batch != c->batch || r->plan->epochs != c->epochs ||
                     *runspec_data(r->spec, r->index);

    say_loader(&w->rank, r->loader[DATASET_TRAIN], &r->begun);
    say_use(w);
    w->baseline = r->last.trivial;
    if (r->last.domain > 0)
        w->baseline_domain = measured(r->last.domain);
    for (int i = 0; i < r->best.n_others; i++)
        result_add_other(w, &r->best.others[i]);
    train_gate(w, &(struct train_rules){
                      .target = c->target, .class_recipe = !own, .beats_domain = c->beats_domain});
}

/* Steps without something, where the run text wants them. What was trained stays valid
 * whatever becomes of them. */
static int ablate(struct run *r, struct workload_result *w, double trained, struct err *e)
{
    const struct ablate a = {
        .component = r->component,
        .recipe = r->recipe,
        .spec = r->spec,
        .host = r->host,
        .net = &r->net,
        .loader = r->loader[DATASET_TRAIN],
        .feed = r->feed,
        .batch = r->plan->batch,
        .step_seconds = w->path.period_seconds,
        .trained_seconds = trained,
    };

    if (r->spec->diagnose == DIAGNOSE_NO)
        return 0;
    return ablate_run(&a, &w->ablation, e);
}

/* What the transport costs, in the rhythm of the steps that were made. */
static int probe(struct run *r, struct workload_result *w, double trained, struct err *e)
{
    const double steps = fmax(1, (double)w->profile.steps);
    const double buckets = fmax(1, model_stamps(r->net.model)->waits);
    const struct transport t = {
        .host = r->host,
        .bucket_bytes = (double)w->profile.exchanged_bytes / steps / buckets,
        .period_seconds = w->path.period_seconds,
        .trained_seconds = trained,
    };

    return transport_run(&t, &w->transport, e);
}

int harness_run(const struct workload *workload, const struct runspec *spec, int index,
                const struct workload_plan *plan, const struct workload_host *host,
                struct workload_result *w, struct err *e)
{
    const struct component *c = workload->own;
    struct phase_clock clock;
    struct run r = {
        .component = c,
        .recipe = harness_recipe(c, plan->class, runspec_model(spec, index), e),
        .spec = spec,
        .index = index,
        .plan = plan,
        .host = host,
        .last = {.trivial = NAN},
        .profile = {.now = host->now},
        .clock = &clock,
    };
    struct train_task task = {
        .host = host,
        .ctx = &r,
        .epochs = plan->epochs,
        .target = plan->target,
        .higher_is_better = c->higher_is_better,
        .step = step,
        .begin_evaluation = begin_evaluation,
        .evaluate = evaluate,
        .judge = judge,
        .keep = *runspec_checkpoint(spec, index) ? keep : NULL,
        .between = between,
    };
    double trained = 0;

    if (!r.recipe)
        return -1;
    phase_clock_start(&clock, host->now, PHASE_STAGING);
    if (host->phase)
        host->phase(host->ctx, PHASE_STAGING);
    r.schedule = say_schedule(r.recipe, plan);
    say_run(w, c, r.recipe, &r.schedule, spec, plan, host);
    int rc = stage_run(&r, &clock, w, &task, e);
    if (rc == 0) {
        r.first_epoch = task.first_epoch;
        const double since = host->now();
        rc = train_run(&task, &clock, w, e);
        trained = host->now() - since;
        yardstick_end(r.yardstick, trained);
        if (rc == 0)
            rc = yardstick_gather(r.yardstick, host->comm, w, e);
        if (rc == 0)
            rc = step_profile_gather(&r.profile, r.net.model, r.net.graph, host->comm, w, e);
        finish(&r, w);
    } else {
        snprintf(w->reason, sizeof w->reason, "%.*s", (int)sizeof w->reason - 1,
                 e ? e->text : "staging failed");
    }
    phase_clock_to(&clock, PHASE_OTHER);
    memcpy(w->phase_seconds, clock.seconds, sizeof w->phase_seconds);
    memcpy(w->split_seconds, clock.parts, sizeof w->split_seconds);
    w->wall_seconds = clock.since - clock.start;
    if (host->over)
        host->over(host->ctx);
    if (rc == 0)
        rc = probe(&r, w, trained, e);
    if (rc == 0)
        rc = ablate(&r, w, trained, e);
    close_all(&r);
    return rc;
}
