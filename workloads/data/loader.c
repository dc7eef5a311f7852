/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/data/loader.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "workloads/data/chunk.h"
#include "workloads/philox.h"

enum {
    DEFAULT_AHEAD = 2,
    LARGE_PAGE = 2 << 20,
    WINDOW_BYTES = 48 << 20 /* of groups whose samples are mixed: the reader's cache holds two */
};

/* Streams of one seed that must not meet. */
#define ORDER_KEY UINT64_C(0x6f72646572000000)
#define GROUP_KEY UINT64_C(0x67726f7570000000)

/* One batch in the queue, buffers for max_n samples. */
struct slot {
    struct loader_batch batch;
    float *feed[LOADER_FEEDS];
    uint64_t *ids;
    int claimed; /* samples that workers have taken */
    int left;    /* samples not yet there; 0: ready */
    bool failed;
    int failed_at; /* the first sample that did, and why */
    struct err err;
};

/* A thread that makes samples, and its own memory. */
struct worker {
    struct loader *loader;
    pthread_t thread;
    bool running;
    bool helper; /* works only while the consumer waits */
    void *sample;
    struct chunk_scratch scratch;
};

/* What a worker has taken: sample `at` of a slot. */
struct ticket {
    struct slot *slot;
    int at;
    uint64_t id, epoch;
    const void *kept; /* NULL: to be read */
    bool hint;
    uint64_t soon; /* with hint: what will be read a little later */
};

struct loader {
    struct loader_options o;
    struct dataset_info info;
    int max_n;
    long steps;
    struct worker *workers; /* [o.workers] */

    /* Under the lock. Slots ready..ready+opened-1 (mod n) hold batches, in
     * order, the last of which may still have samples to be taken; the one
     * before them may be the consumer's. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct slot *slots;
    int n_slots, ready, opened;
    struct slot *open; /* that has samples to be taken; NULL: none */
    uint64_t epoch;    /* of the next slot that is opened ... */
    long step;         /* ... and its step */
    uint64_t *order;   /* of the epoch of the newest slot */
    uint64_t *groups;  /* [info.groups] for making it */
    uint64_t ordered;  /* that epoch + 1; 0: none yet */
    void **kept;       /* [samples] their blocks; NULL when nothing is kept */
    bool held;         /* the consumer has a slot */
    bool waiting;      /* the consumer waits for one */
    bool stop, failed;
    struct loader_stats stats;

    /* The consumer's own. */
    bool epoch_over;
};

/* Fisher & Yates, each draw a function of its position: `first` of the whole. */
static void mix(uint64_t *v, uint64_t n, uint64_t first, uint64_t key, uint64_t epoch)
{
    for (uint64_t i = n; i-- > 1;) {
        uint32_t r[4];
        philox_at(key, epoch, first + i, r);
        uint64_t bits = (uint64_t)r[0] << 32 | r[1];
        uint64_t j = (uint64_t)((unsigned __int128)bits * (i + 1) >> 64);
        uint64_t t = v[i];
        v[i] = v[j];
        v[j] = t;
    }
}

/* The samples of the groups in their new sequence, mixed window by window. */
static void mix_groups(const struct dataset_info *info, uint64_t key, uint64_t epoch,
                       const uint64_t *group, uint64_t *order)
{
    const uint64_t fit = WINDOW_BYTES / (info->group_bytes ? info->group_bytes : 1);
    const uint64_t window = fit > 1 ? fit : 1;
    uint64_t at = 0, begin = 0;

    for (uint64_t g = 0; g < info->groups; g++) {
        for (uint64_t i = info->group_start[group[g]]; i < info->group_start[group[g] + 1]; i++)
            order[at++] = i;
        if ((g + 1) % window == 0 || g + 1 == info->groups) {
            mix(order + begin, at - begin, begin, key, epoch);
            begin = at;
        }
    }
}

void loader_order(const struct dataset_info *info, uint64_t seed, uint64_t epoch, bool shuffle,
                  uint64_t *order, uint64_t *group)
{
    for (uint64_t i = 0; i < info->samples; i++)
        order[i] = i;
    if (!shuffle)
        return;
    if (!info->group_start) {
        mix(order, info->samples, 0, seed ^ ORDER_KEY, epoch);
        return;
    }
    for (uint64_t g = 0; g < info->groups; g++)
        group[g] = g;
    mix(group, info->groups, 0, seed ^ GROUP_KEY, epoch);
    mix_groups(info, seed ^ ORDER_KEY, epoch, group, order);
}

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

/* Waits until there is a sample to be made; false when there will be none. */
static bool take(struct worker *w, struct ticket *t)
{
    struct loader *l = w->loader;
    bool taken = false;

    pthread_mutex_lock(&l->lock);
    while (!taken && !l->stop && !l->failed) {
        bool may = !w->helper || l->waiting;
        while (may && !l->open && l->opened + l->held < l->n_slots)
            open_slot(l);
        if (may && l->open) {
            claim(l, t);
            taken = true;
        } else {
            pthread_cond_wait(&l->changed, &l->lock);
        }
    }
    pthread_mutex_unlock(&l->lock);
    return taken;
}

/* Memory that is used from end to end: in large pages where there are some. */
static void *large(size_t bytes)
{
    void *p = NULL;

    if (posix_memalign(&p, bytes >= LARGE_PAGE ? LARGE_PAGE : 64, bytes) != 0)
        return NULL;
    if (bytes >= LARGE_PAGE)
        madvise(p, bytes, MADV_HUGEPAGE);
    return p;
}

/* Keeps the sample for the next epoch, unless another worker was faster. */
static void keep(struct loader *l, uint64_t id, void *sample)
{
    pthread_mutex_lock(&l->lock);
    if (!l->kept[id]) {
        l->kept[id] = sample;
        sample = NULL;
    }
    pthread_mutex_unlock(&l->lock);
    free(sample);
}

/* A sample on its way into its slot. */
struct making {
    const struct loader *loader;
    struct loader_sample sample;
    float *out[LOADER_FEEDS];
    double convert_seconds;
};

/* Field 0 from `values`, the others from the sample's block. */
static int feed(struct making *m, const void *block, const void *values, long first, long n,
                struct err *e)
{
    const struct loader *l = m->loader;
    const double start = l->o.now();

    m->sample.field[0] = values;
    for (int k = 1; k < l->info.science->n_fields; k++)
        m->sample.field[k] = (const char *)block + l->info.field[k].offset;
    m->sample.first = first;
    m->sample.count = n;
    int rc = l->o.feed.make(l->o.feed.ctx, &m->sample, m->out, e);
    m->convert_seconds += l->o.now() - start;
    return rc;
}

static int feed_whole(struct making *m, const void *block, struct err *e)
{
    const struct dataset_field *f = &m->loader->info.field[0];
    long slowest = 1; /* entries along the slowest axis in memory */

    for (int i = 0; i < f->rank; i++)
        if (f->stride[i] * f->dims[i] == (long)f->values)
            slowest = f->dims[i];
    return feed(m, block, (const char *)block + f->offset, 0, slowest, e);
}

static int take_slab(void *arg, const void *block, const void *values, long first, long n,
                     struct err *e)
{
    return feed(arg, block, values, first, n, e);
}

/* From a file; a sample that is to be kept is read whole, fed afterwards. */
static int make_from_file(struct making *m, struct worker *w, const struct ticket *t,
                          struct loader_stats *sum, struct err *e)
{
    struct loader *l = w->loader;
    const struct dataset_sink sink = {take_slab, m};
    void *own = l->kept ? large(l->info.sample_bytes) : NULL;
    const bool slabs = l->o.feed.slabs && !own;

    if (t->hint)
        dataset_will_read(l->o.data, t->soon);
    int rc = dataset_read_with(l->o.data, &w->scratch, t->id, own ? own : w->sample,
                               slabs ? &sink : NULL, &sum->read_bytes, e);
    if (rc == 0 && !slabs)
        rc = feed_whole(m, own ? own : w->sample, e);
    sum->keeping = own != NULL;
    sum->read_samples++;
    if (rc == 0 && own)
        keep(l, t->id, own);
    else
        free(own);
    return rc;
}

static int make(struct worker *w, const struct ticket *t, struct loader_stats *sum, struct err *e)
{
    struct loader *l = w->loader;
    struct making m = {.loader = l,
                       .sample = {.info = &l->info,
                                  .id = t->id,
                                  .epoch = t->epoch,
                                  .seed = l->o.seed,
                                  .augment = l->o.augment}};
    const double start = l->o.now();
    int rc;

    for (int k = 0; k < l->o.feed.n; k++)
        m.out[k] = t->slot->feed[k] + (size_t)t->at * l->o.feed.floats[k];
    if (t->kept) {
        rc = feed_whole(&m, t->kept, e);
        sum->kept_samples++;
    } else {
        rc = make_from_file(&m, w, t, sum, e);
    }
    sum->convert_seconds = m.convert_seconds;
    sum->read_seconds = l->o.now() - start - m.convert_seconds;
    return rc;
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

/* A sample is there, or its failure. */
static void finish(struct loader *l, const struct ticket *t, int rc, const struct loader_stats *sum,
                   const struct err *e)
{
    pthread_mutex_lock(&l->lock);
    l->stats.read_samples += sum->read_samples;
    l->stats.kept_samples += sum->kept_samples;
    l->stats.read_bytes += sum->read_bytes;
    l->stats.read_seconds += sum->read_seconds;
    l->stats.convert_seconds += sum->convert_seconds;
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

    while (take(w, &t)) {
        struct err e = ERR_INIT;
        struct loader_stats sum = {.keeping = w->loader->kept != NULL};
        int rc = make(w, &t, &sum, &e);
        finish(w->loader, &t, rc, &sum, &e);
    }
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
        s->feed[k] = large(max_n * l->o.feed.floats[k] * sizeof(float));
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
    w->sample = large(l->info.sample_bytes);
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

/* Locked. Waits until the oldest batch is ready or has failed. */
static struct slot *oldest(struct loader *l)
{
    double begin = l->o.now();

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
    const struct slot *s = oldest(l);
    if (s->failed) {
        rc = err_set(e, "%s", s->err.text);
        goto out;
    }
    *b = s->batch;
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
