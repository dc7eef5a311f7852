/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/data/loader.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/data/convert.h"
#include "workloads/engine/philox.h"

enum { DEFAULT_AHEAD = 2 };

/* Streams of one seed that must not meet. */
#define ORDER_KEY    UINT64_C(0x6f72646572000000)
#define SYMMETRY_KEY UINT64_C(0x73796d6d65747279)

/* One batch in the queue, buffers for max_n samples. */
struct slot {
    struct loader_batch batch;
    float *x, *y;
    uint64_t *ids;
};

/* A sample kept in memory. */
struct kept {
    void *cube; /* NULL: not met yet */
    float y[DATASET_LABELS];
};

struct loader {
    struct loader_options o;
    struct dataset_info info;
    size_t cube_bytes;
    int max_n;
    long steps;

    /* The thread's own. */
    uint64_t *order;
    void *cube;
    struct kept *kept; /* [samples], NULL when nothing is kept */
    struct convert convert;
    struct convert_turn turn;

    /* Between the two, under the lock. Slots ready..ready+filled-1 (mod n)
     * hold batches; the one before them may be the consumer's. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct slot *slots;
    int n_slots, ready, filled;
    bool held; /* the consumer has one */
    bool stop, failed;
    struct err err;
    struct loader_stats stats;

    /* The consumer's own. */
    bool epoch_over;
    pthread_t thread;
    bool running;
};

void loader_order(uint64_t *order, uint64_t n, uint64_t seed, uint64_t epoch, bool shuffle)
{
    for (uint64_t i = 0; i < n; i++)
        order[i] = i;
    /* Fisher & Yates, each draw a function of its position. */
    for (uint64_t i = n; shuffle && i-- > 1;) {
        uint32_t r[4];
        philox_at(seed ^ ORDER_KEY, epoch, i, r);
        uint64_t bits = (uint64_t)r[0] << 32 | r[1];
        uint64_t j = (uint64_t)((unsigned __int128)bits * (i + 1) >> 64);
        uint64_t t = order[i];
        order[i] = order[j];
        order[j] = t;
    }
}

/* The symmetry of a sample in an epoch. */
static void turn(struct loader *l, uint64_t id, uint64_t epoch)
{
    uint32_t draw[4] = {0}, shift[4] = {0};

    if (l->o.augment)
        philox_at(l->o.seed ^ SYMMETRY_KEY, id, epoch * 2, draw);
    if (l->o.augment && l->info.periodic)
        philox_at(l->o.seed ^ SYMMETRY_KEY, id, epoch * 2 + 1, shift);
    convert_turn_set(&l->turn, l->info.edge, draw[0] % 6, draw[1], shift);
}

/* Counters of one batch, added under the lock when it is done. */
static int load_sample(struct loader *l, struct slot *s, int at, uint64_t id, uint64_t epoch,
                       struct loader_stats *sum, struct err *e)
{
    struct kept *kept = l->kept ? &l->kept[id] : NULL;
    float *y = s->y + (size_t)at * DATASET_LABELS;
    const void *cube = kept ? kept->cube : NULL;
    double start = l->o.now();

    if (cube) {
        memcpy(y, kept->y, sizeof kept->y);
        sum->kept_samples++;
    } else {
        uint64_t bytes = 0;
        void *to = kept ? malloc(l->cube_bytes) : NULL;
        void *into = to ? to : l->cube;
        sum->keeping &= to != NULL;
        if (dataset_read(l->o.data, id, into, y, &bytes, e) < 0) {
            free(to);
            return -1;
        }
        if (to) {
            kept->cube = to;
            memcpy(kept->y, y, sizeof kept->y);
        }
        cube = into;
        sum->read_samples++;
        sum->read_bytes += bytes;
    }
    double read = l->o.now();
    turn(l, id, epoch);
    convert_cube(&l->convert, &l->turn, cube, s->x + (size_t)at * l->info.values);
    s->ids[at] = id;
    sum->read_seconds += read - start;
    sum->convert_seconds += l->o.now() - read;
    return 0;
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

/* Waits for a free slot; NULL when told to stop. */
static struct slot *free_slot(struct loader *l)
{
    struct slot *s = NULL;

    pthread_mutex_lock(&l->lock);
    while (!l->stop && l->filled + l->held == l->n_slots)
        pthread_cond_wait(&l->changed, &l->lock);
    if (!l->stop)
        s = &l->slots[(l->ready + l->filled) % l->n_slots];
    pthread_mutex_unlock(&l->lock);
    return s;
}

/* Hands over a filled slot, or the failure. */
static void hand_over(struct loader *l, int rc, const struct loader_stats *sum, const struct err *e)
{
    pthread_mutex_lock(&l->lock);
    l->stats.read_samples += sum->read_samples;
    l->stats.kept_samples += sum->kept_samples;
    l->stats.read_bytes += sum->read_bytes;
    l->stats.read_seconds += sum->read_seconds;
    l->stats.convert_seconds += sum->convert_seconds;
    l->stats.keeping &= sum->keeping;
    if (rc == 0) {
        l->filled++;
    } else {
        l->failed = true;
        l->err = *e;
    }
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
}

static void *thread_main(void *arg)
{
    struct loader *l = arg;
    struct err e = ERR_INIT;
    long step = l->o.step;
    int rc = 0;

    for (uint64_t epoch = l->o.epoch; rc == 0; epoch++, step = 0) {
        loader_order(l->order, l->info.samples, l->o.seed, epoch, l->o.shuffle);
        for (; rc == 0 && step < l->steps; step++) {
            struct loader_stats sum = {.keeping = l->kept};
            struct slot *s = free_slot(l);
            if (!s)
                return NULL;
            slice(l, epoch, step, &s->batch);
            for (int i = 0;
                 rc == 0 && i < s->batch.n && !__atomic_load_n(&l->stop, __ATOMIC_RELAXED); i++)
                rc = load_sample(l, s, i, l->order[s->batch.first + i], epoch, &sum, &e);
            hand_over(l, rc, &sum, &e);
        }
    }
    return NULL;
}

/* How many different samples this loader can meet. */
static uint64_t meets(const struct loader *l)
{
    uint64_t most = (uint64_t)l->steps * (uint64_t)l->max_n;

    return l->o.shuffle || most > l->info.samples ? l->info.samples : most;
}

static bool allocate(struct loader *l)
{
    const size_t max_n = (size_t)l->max_n;
    bool ok;

    l->order = malloc(l->info.samples * sizeof *l->order);
    l->cube = malloc(l->cube_bytes);
    l->slots = calloc((size_t)l->n_slots, sizeof *l->slots);
    ok = l->order && l->cube && l->slots &&
         convert_init(&l->convert, &l->info, l->o.layout, &l->o.norm, NULL) == 0 &&
         convert_turn_init(&l->turn, l->info.edge, NULL) == 0;
    if (meets(l) <= l->o.keep_bytes / l->cube_bytes) {
        l->kept = calloc(l->info.samples, sizeof *l->kept);
        l->stats.keeping = l->kept != NULL;
    }
    for (int i = 0; ok && i < l->n_slots; i++) {
        struct slot *s = &l->slots[i];
        void *x = NULL;
        if (posix_memalign(&x, 64, max_n * l->info.values * sizeof(float)) != 0)
            x = NULL;
        s->x = x;
        s->y = malloc(max_n * DATASET_LABELS * sizeof *s->y);
        s->ids = malloc(max_n * sizeof *s->ids);
        s->batch.x = s->x;
        s->batch.y = s->y;
        s->batch.ids = s->ids;
        ok = s->x && s->y && s->ids;
    }
    return ok;
}

struct loader *loader_create(const struct loader_options *o, struct err *e)
{
    const struct dataset_info *info = dataset_info(o->data);
    struct loader *l = NULL;

    assert(o->size >= 1 && o->rank >= 0 && o->rank < o->size && o->now);
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
    l->cube_bytes = info->values * (info->type == DATASET_INT16 ? sizeof(int16_t) : sizeof(float));
    if ((uint64_t)o->batch > info->samples) /* one short step an epoch */
        l->o.batch = (long)info->samples;
    l->max_n = (int)((l->o.batch + o->size - 1) / o->size);
    l->steps = ((long)info->samples + l->o.batch - 1) / l->o.batch;
    l->epoch_over = o->step >= l->steps;
    l->n_slots = (o->ahead > 0 ? o->ahead : DEFAULT_AHEAD) + 1;
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->changed, NULL);
    if (!allocate(l)) {
        err_set(e, "no memory for %d batches of %d samples of %d^3 cells", l->n_slots, l->max_n,
                info->edge);
        goto fail;
    }
    int rc = pthread_create(&l->thread, NULL, thread_main, l);
    if (rc != 0) {
        err_set(e, "no thread for the loader: %s", strerror(rc));
        goto fail;
    }
    l->running = true;
    return l;
fail:
    loader_destroy(l);
    return NULL;
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
    double start = l->o.now();
    l->stats.waits += l->filled == 0;
    while (l->filled == 0 && !l->failed)
        pthread_cond_wait(&l->changed, &l->lock);
    l->stats.wait_seconds += l->o.now() - start;
    if (l->filled == 0) {
        rc = err_set(e, "%s", l->err.text);
        goto out;
    }
    *b = l->slots[l->ready].batch;
    l->ready = (l->ready + 1) % l->n_slots;
    l->filled--;
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

void loader_destroy(struct loader *l)
{
    if (!l)
        return;
    int kept = errno;
    if (l->running) {
        pthread_mutex_lock(&l->lock);
        __atomic_store_n(&l->stop, true, __ATOMIC_RELAXED);
        pthread_cond_broadcast(&l->changed);
        pthread_mutex_unlock(&l->lock);
        pthread_join(l->thread, NULL);
    }
    for (int i = 0; l->slots && i < l->n_slots; i++) {
        free(l->slots[i].x);
        free(l->slots[i].y);
        free(l->slots[i].ids);
    }
    for (uint64_t i = 0; l->kept && i < l->info.samples; i++)
        free(l->kept[i].cube);
    free(l->kept);
    free(l->slots);
    convert_turn_fini(&l->turn);
    convert_fini(&l->convert);
    free(l->cube);
    free(l->order);
    pthread_cond_destroy(&l->changed);
    pthread_mutex_destroy(&l->lock);
    free(l);
    errno = kept;
}

int loader_measure_norm(struct dataset *data, uint64_t samples, struct loader_norm *norm,
                        struct err *e)
{
    const struct dataset_info *info = dataset_info(data);
    const bool integer = info->type == DATASET_INT16;
    const uint64_t n = samples < info->samples ? samples : info->samples;
    double sum[COSMO_CHANNELS] = {0}, square[COSMO_CHANNELS] = {0};
    float y[DATASET_LABELS];
    void *cube = malloc(info->values * (integer ? sizeof(int16_t) : sizeof(float)));
    int rc = cube ? 0 : err_set(e, "no memory for a cube");

    for (uint64_t i = 0; rc == 0 && i < n; i++) {
        rc = dataset_read(data, i, cube, y, NULL, e);
        for (uint64_t k = 0; rc == 0 && k < info->values; k++) {
            double v = log1p(integer ? ((int16_t *)cube)[k] : (double)((float *)cube)[k]);
            sum[k % COSMO_CHANNELS] += v;
            square[k % COSMO_CHANNELS] += v * v;
        }
    }
    double cells = (double)n * (double)info->values / COSMO_CHANNELS;
    for (int c = 0; rc == 0 && c < COSMO_CHANNELS; c++) {
        double mean = sum[c] / cells, variance = square[c] / cells - mean * mean;
        norm->shift[c] = (float)mean;
        norm->scale[c] = variance > 0 ? (float)(1 / sqrt(variance)) : 1;
    }
    free(cube);
    return rc;
}
