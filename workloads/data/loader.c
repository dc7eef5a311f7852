/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/data/loader.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/engine/philox.h"

enum { AXES = 3, COUNTS = INT16_MAX + 1, DEFAULT_AHEAD = 2 };

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
    float *log_table;  /* [C][COUNTS] normed log(1 + count) */
    long *offsets;     /* [AXES][edge], of a symmetry */

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

/* Where out cell (i, j, k) comes from: offsets[0][i] + offsets[1][j] +
 * offsets[2][k] values into the stored cube. The symmetry permutes the axes,
 * reflects each or not, and shifts a periodic box along each. */
static void symmetry(const struct loader *l, uint64_t id, uint64_t epoch)
{
    static const int permutations[6][AXES] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                              {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    const long edge = l->info.edge, channels = l->info.channels;
    const long stride[AXES] = {edge * edge * channels, edge * channels, channels};
    uint32_t turn[4] = {0}, shift[4] = {0};

    if (l->o.augment)
        philox_at(l->o.seed ^ SYMMETRY_KEY, id, epoch * 2, turn);
    if (l->o.augment && l->info.periodic)
        philox_at(l->o.seed ^ SYMMETRY_KEY, id, epoch * 2 + 1, shift);
    const int *from = permutations[turn[0] % 6];
    for (int a = 0; a < AXES; a++)
        for (long i = 0; i < edge; i++) {
            long at = turn[1] >> a & 1 ? edge - 1 - i : i;
            at = (at + (long)((uint64_t)shift[a] * (uint64_t)edge >> 32)) % edge;
            l->offsets[a * edge + i] = stride[from[a]] * at;
        }
}

/* One row of cells: o are the cells' places in the cube, x[0..3] where the
 * channels of the first go, step floats from cell to cell. */
static void convert_counts(const struct loader *l, const int16_t *row, const long *o,
                           float *const x[COSMO_CHANNELS], long step)
{
    const float *t = l->log_table;
    float *x0 = x[0], *x1 = x[1], *x2 = x[2], *x3 = x[3];

    for (long k = 0; k < l->info.edge; k++) {
        const int16_t *cell = row + o[k];
        x0[k * step] = t[cell[0]];
        x1[k * step] = t[COUNTS + cell[1]];
        x2[k * step] = t[2 * COUNTS + cell[2]];
        x3[k * step] = t[3 * COUNTS + cell[3]];
    }
}

static void convert_floats(const struct loader *l, const float *row, const long *o,
                           float *const x[COSMO_CHANNELS], long step)
{
    for (long k = 0; k < l->info.edge; k++)
        for (int c = 0; c < COSMO_CHANNELS; c++)
            x[c][k * step] = (log1pf(row[o[k] + c]) - l->o.norm.shift[c]) * l->o.norm.scale[c];
}

/* cube [D][D][D][C] -> out [C][D][D][D] or [D][D][D][C] */
static void convert(const struct loader *l, const void *cube, float *out)
{
    const long edge = l->info.edge, C = COSMO_CHANNELS;
    const long *o = l->offsets;
    const bool first = l->o.layout == LOADER_NCDHW;
    const long plane = first ? edge * edge * edge : 1, step = first ? 1 : C;

    for (long i = 0; i < edge; i++)
        for (long j = 0; j < edge; j++) {
            const long row = o[i] + o[edge + j];
            float *to = out + (i * edge + j) * edge * step;
            float *const x[] = {to, to + plane, to + 2 * plane, to + 3 * plane};
            if (l->info.type == DATASET_INT16)
                convert_counts(l, (const int16_t *)cube + row, o + 2 * edge, x, step);
            else
                convert_floats(l, (const float *)cube + row, o + 2 * edge, x, step);
        }
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
    symmetry(l, id, epoch);
    convert(l, cube, s->x + (size_t)at * l->info.values);
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
    l->log_table = malloc(COSMO_CHANNELS * (size_t)COUNTS * sizeof *l->log_table);
    l->offsets = malloc(AXES * (size_t)l->info.edge * sizeof *l->offsets);
    l->slots = calloc((size_t)l->n_slots, sizeof *l->slots);
    ok = l->order && l->cube && l->log_table && l->offsets && l->slots;
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
    for (int c = 0; ok && c < COSMO_CHANNELS; c++)
        for (long i = 0; i < COUNTS; i++)
            l->log_table[c * COUNTS + i] =
                ((float)log1p((double)i) - l->o.norm.shift[c]) * l->o.norm.scale[c];
    return ok;
}

static void default_norm(struct loader_norm *n)
{
    for (int c = 0; c < COSMO_CHANNELS; c++)
        if (n->scale[c] != 0)
            return;
    for (int c = 0; c < COSMO_CHANNELS; c++) {
        n->shift[c] = 0;
        n->scale[c] = 1;
    }
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
    default_norm(&l->o.norm);
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
    free(l->offsets);
    free(l->log_table);
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
