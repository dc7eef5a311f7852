/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/data/loader_inner.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reports/core/clock.h"

enum { DEFAULT_AHEAD = 2 };

/* Weight of a sample in what is known of workers, and the least part of a core. */
static const double learn = 1.0 / 16, least_share = 0.05;

/* This rank's part of a step. */
static void slice(const struct loader *l, uint64_t epoch, long step, struct loader_batch *b)
{
    const long total = (long)l->info.samples, start = step * l->o.batch;
    const long m = total - start < l->o.batch ? total - start : l->o.batch;
    const long low = m * l->o.rank / l->o.size, high = m * (l->o.rank + 1) / l->o.size;

    b->n = (int)(high - low);
    b->first = start + low;
    b->global_n = m;
    b->epoch = epoch;
    b->step = step;
    b->steps = l->steps;
}

/* The next slot, with its batch to be made. Locked. */
static void open_slot(struct loader *l)
{
    struct slot *s = &l->slots[(l->ready + l->opened++) % l->n_slots];

    if (l->step >= l->steps) {
        l->step = 0;
        l->epoch++;
    }
    if (l->ordered != l->epoch + 1)
        loader_order(&l->info, l->o.seed, l->epoch, l->o.shuffle, l->order, l->groups);
    l->ordered = l->epoch + 1;
    slice(l, l->epoch, l->step++, &s->batch);
    s->claimed = 0;
    s->left = s->batch.n;
    l->open = s->left > 0 ? s : NULL;
    if (s->left == 0)
        pthread_cond_broadcast(&l->changed);
}

/* The sample that is taken so many after this one; false: in the next epoch. */
static bool later(const struct loader *l, const struct loader_batch *now, int at, int many,
                  uint64_t *id)
{
    struct loader_batch b = *now;

    for (at += many; at >= b.n; slice(l, b.epoch, b.step + 1, &b)) {
        at -= b.n;
        if (b.step + 1 == l->steps)
            return false;
    }
    *id = l->order[b.first + at];
    return true;
}

/* Locked; there is an open slot. */
static void claim(struct loader *l, struct ticket *t)
{
    struct slot *s = l->open;

    t->slot = s;
    t->at = s->claimed++;
    t->epoch = s->batch.epoch;
    t->id = s->ids[t->at] = l->order[s->batch.first + t->at];
    t->kept = l->kept ? l->kept[t->id] : NULL;
    t->hint =
        later(l, &s->batch, t->at, 1 + l->o.workers, &t->soon) && !(l->kept && l->kept[t->soon]);
    if (s->claimed == s->batch.n)
        l->open = NULL;
}

/* Samples are made one after the other while the consumer computes: its cores are its own.
 * Workers that block on files, with a core for a part of their time only, may be so many
 * that they take one core together. Locked. */
static bool may_work(const struct loader *l, const struct worker *w)
{
    return !w->helper || l->waiting || l->busy + 1 <= (int)(1 / l->share);
}

/* Waits until there is a sample to be made; false when there will be none. */
static bool take(struct worker *w, struct ticket *t)
{
    struct loader *l = w->loader;
    bool taken = false;

    pthread_mutex_lock(&l->lock);
    while (!taken && !l->stop && !l->failed) {
        const bool may = may_work(l, w);
        while (may && !l->open && l->opened + l->held < l->n_slots)
            open_slot(l);
        if (may && l->open) {
            claim(l, t);
            l->busy++;
            taken = true;
            if (l->share < 0.5)
                pthread_cond_broadcast(&l->changed); /* perhaps another one may, too */
        } else {
            pthread_cond_wait(&l->changed, &l->lock);
        }
    }
    pthread_mutex_unlock(&l->lock);
    return taken;
}

/* Locked. Nothing more is taken. Whatever was taken before this sample still
 * comes, so the first one that fails is the one that is told. */
static void fail(struct loader *l, const struct ticket *t, const struct err *e)
{
    struct slot *s = t->slot;

    if (!s->failed || t->at < s->failed_at) {
        s->failed = true;
        s->failed_at = t->at;
        s->err = *e;
    }
    if (l->open)
        l->open->left -= l->open->batch.n - l->open->claimed;
    l->open = NULL;
    l->failed = true;
}

static void add_time(struct loader_time *to, const struct loader_time *t)
{
    to->seconds += t->seconds;
    to->cpu_seconds += t->cpu_seconds;
}

static void add_reads(struct loader_reads *to, const struct loader_reads *r)
{
    to->samples += r->samples;
    to->seconds += r->seconds;
    to->bytes += r->bytes;
    to->readers += r->readers;
}

/* A sample is there, or its failure. */
static void finish(struct loader *l, const struct ticket *t, int rc, const struct loader_stats *sum,
                   double blocked, const struct err *e)
{
    pthread_mutex_lock(&l->lock);
    l->stats.read_samples += sum->read_samples;
    l->stats.kept_samples += sum->kept_samples;
    l->stats.read_bytes += sum->read_bytes;
    l->stats.kept_bytes += sum->kept_bytes;
    add_time(&l->stats.read, &sum->read);
    add_time(&l->stats.inflate, &sum->inflate);
    add_time(&l->stats.convert, &sum->convert);
    l->stats.find_seconds += sum->find_seconds;
    add_reads(&l->stats.one, &sum->one);
    add_reads(&l->stats.more, &sum->more);
    l->busy--;
    l->share = fmax(l->share + learn * (1 - blocked - l->share), least_share);
    l->stats.keeping &= sum->keeping;
    if (rc < 0)
        fail(l, t, e);
    if (--t->slot->left == 0 || rc < 0)
        pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
}

static void *thread_main(void *arg)
{
    struct worker *w = arg;
    struct ticket t = {.slot = NULL};

    w->delay = clock_delay_open();
    while (take(w, &t)) {
        struct err e = ERR_INIT;
        struct loader_stats sum = {.keeping = w->loader->kept != NULL};
        double blocked;
        int rc = loader_make_sample(w, &t, &sum, &blocked, &e);
        finish(w->loader, &t, rc, &sum, blocked, &e);
    }
    if (w->delay >= 0)
        close(w->delay);
    return NULL;
}

/* How many different samples this loader can meet. */
static uint64_t meets(const struct loader *l)
{
    uint64_t most = (uint64_t)l->steps * (uint64_t)l->max_n;

    return l->o.shuffle || most > l->info.samples ? l->info.samples : most;
}

static bool allocate_slot(const struct loader *l, struct slot *s)
{
    const size_t max_n = (size_t)l->max_n;
    bool ok = true;

    s->ids = malloc(max_n * sizeof *s->ids);
    s->batch.ids = s->ids;
    for (int k = 0; k < l->o.feed.n; k++) {
        s->feed[k] = loader_large(max_n * l->o.feed.floats[k] * sizeof(float));
        s->batch.feed[k] = s->feed[k];
        s->batch.floats[k] = l->o.feed.floats[k];
        ok = ok && s->feed[k];
    }
    return ok && s->ids;
}

static bool allocate_worker(struct loader *l, struct worker *w)
{
    w->loader = l;
    w->helper = w != l->workers;
    w->sample = loader_large(l->info.sample_bytes);
    return w->sample != NULL;
}

static bool allocate(struct loader *l)
{
    bool ok;

    l->order = malloc(l->info.samples * sizeof *l->order);
    l->groups = malloc((l->info.groups + 1) * sizeof *l->groups);
    l->slots = calloc((size_t)l->n_slots, sizeof *l->slots);
    l->workers = calloc((size_t)l->o.workers, sizeof *l->workers);
    ok = l->order && l->groups && l->slots && l->workers;
    if (meets(l) <= l->o.keep_bytes / l->info.sample_bytes) {
        l->kept = calloc(l->info.samples, sizeof *l->kept);
        l->stats.keeping = l->kept != NULL;
    }
    for (int i = 0; ok && i < l->n_slots; i++)
        ok = allocate_slot(l, &l->slots[i]);
    for (int i = 0; ok && i < l->o.workers; i++)
        ok = allocate_worker(l, &l->workers[i]);
    return ok;
}

static int start(struct loader *l, struct err *e)
{
    for (int i = 0; i < l->o.workers; i++) {
        struct worker *w = &l->workers[i];
        int rc = pthread_create(&w->thread, NULL, thread_main, w);
        if (rc != 0)
            return err_set(e, "no thread for the loader: %s", strerror(rc));
        w->running = true;
    }
    return 0;
}

struct loader *loader_create(const struct loader_options *o, struct err *e)
{
    const struct dataset_info *info = dataset_info(o->data);
    struct loader *l = NULL;

    assert(o->size >= 1 && o->rank >= 0 && o->rank < o->size && o->now && o->feed.make);
    if (o->batch < 1 || o->batch > INT32_MAX || info->samples > INT32_MAX) {
        err_set(e, "batch %ld of %llu samples: expected 1 to %d of each", o->batch,
                (unsigned long long)info->samples, INT32_MAX);
        return NULL;
    }
    l = calloc(1, sizeof *l);
    if (!l) {
        err_set(e, "no memory for a loader");
        return NULL;
    }
    l->o = *o;
    l->info = *info;
    if ((uint64_t)o->batch > info->samples) /* one short step an epoch */
        l->o.batch = (long)info->samples;
    l->max_n = (int)((l->o.batch + o->size - 1) / o->size);
    l->steps = ((long)info->samples + l->o.batch - 1) / l->o.batch;
    l->share = 1;
    l->epoch = o->epoch;
    l->step = o->step;
    l->epoch_over = o->step >= l->steps;
    l->o.workers = o->workers > 0 ? o->workers : 1;
    l->n_slots = (o->ahead > 0 ? o->ahead : DEFAULT_AHEAD) + 1;
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->changed, NULL);
    if (!allocate(l)) {
        err_set(e, "no memory for %d batches of %d samples of %zu bytes", l->n_slots, l->max_n,
                info->sample_bytes);
        goto fail;
    }
    if (start(l, e) == 0)
        return l;
fail:
    loader_destroy(l);
    return NULL;
}

/* Locked. */
static struct loader_look look(const struct loader *l)
{
    struct loader_look now = {0};

    while (now.ready < l->opened && l->slots[(l->ready + now.ready) % l->n_slots].left == 0)
        now.ready++;
    for (int i = 0; i < l->o.workers; i++) {
        const struct worker *w = &l->workers[i];
        bool inflating;
        now.reading += loader_reading(w, &inflating);
        now.inflating += inflating;
        now.converting += atomic_load_explicit(&w->doing, memory_order_relaxed) == DOING_CONVERT;
    }
    return now;
}

/* Locked. Waits until the oldest batch is ready or has failed. */
static struct slot *oldest(struct loader *l, struct loader_look *then)
{
    double begin = l->o.now();

    *then = look(l);
    l->stats.ready += (uint64_t)then->ready;
    l->waiting = l->opened == 0 || l->slots[l->ready].left > 0;
    l->stats.waits += l->waiting;
    if (l->waiting)
        pthread_cond_broadcast(&l->changed); /* helpers */
    while (l->opened == 0 || l->slots[l->ready].left > 0)
        pthread_cond_wait(&l->changed, &l->lock);
    l->waiting = false;
    l->stats.wait_seconds += l->o.now() - begin;
    return &l->slots[l->ready];
}

int loader_next(struct loader *l, struct loader_batch *b, struct err *e)
{
    int rc = 1;

    pthread_mutex_lock(&l->lock);
    if (l->held) {
        l->held = false;
        pthread_cond_broadcast(&l->changed);
    }
    if (l->epoch_over) {
        l->epoch_over = false;
        rc = 0;
        goto out;
    }
    struct loader_look then;
    const struct slot *s = oldest(l, &then);
    if (s->failed) {
        rc = err_set(e, "%s", s->err.text);
        goto out;
    }
    *b = s->batch;
    b->look = then;
    l->ready = (l->ready + 1) % l->n_slots;
    l->opened--;
    l->held = true;
    l->stats.samples += (uint64_t)b->n;
    l->epoch_over = b->step == l->steps - 1;
out:
    pthread_mutex_unlock(&l->lock);
    return rc;
}

int loader_max_n(const struct loader *l)
{
    return l->max_n;
}

long loader_steps(const struct loader *l)
{
    return l->steps;
}

void loader_stats(struct loader *l, struct loader_stats *s)
{
    pthread_mutex_lock(&l->lock);
    *s = l->stats;
    pthread_mutex_unlock(&l->lock);
}

static struct loader_reads since(const struct loader_reads *begun, const struct loader_reads *now)
{
    return (struct loader_reads){now->samples - begun->samples, now->seconds - begun->seconds,
                                 now->bytes - begun->bytes, now->readers - begun->readers};
}

double loader_gain(const struct loader_stats *begun, const struct loader_stats *now)
{
    const struct loader_reads one = since(&begun->one, &now->one),
                              more = since(&begun->more, &now->more);

    if (one.samples < LOADER_READS || more.samples < LOADER_READS || !(one.seconds > 0) ||
        !(more.seconds > 0) || !(one.bytes > 0))
        return NAN;
    return more.readers / more.samples * (more.bytes / more.seconds) / (one.bytes / one.seconds);
}

static void stop(struct loader *l)
{
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
    for (int i = 0; l->workers && i < l->o.workers; i++)
        if (l->workers[i].running)
            pthread_join(l->workers[i].thread, NULL);
}

void loader_destroy(struct loader *l)
{
    if (!l)
        return;
    int kept = errno;
    stop(l);
    for (int i = 0; l->slots && i < l->n_slots; i++) {
        for (int k = 0; k < l->o.feed.n; k++)
            free(l->slots[i].feed[k]);
        free(l->slots[i].ids);
    }
    for (int i = 0; l->workers && i < l->o.workers; i++) {
        free(l->workers[i].sample);
        chunk_scratch_fini(&l->workers[i].scratch);
    }
    for (uint64_t i = 0; l->kept && i < l->info.samples; i++)
        free(l->kept[i]);
    free(l->kept);
    free(l->slots);
    free(l->workers);
    free(l->order);
    free(l->groups);
    pthread_cond_destroy(&l->changed);
    pthread_mutex_destroy(&l->lock);
    free(l);
    errno = kept;
}
