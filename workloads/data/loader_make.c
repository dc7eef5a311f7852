/* SPDX-License-Identifier: BSD-3-Clause */
/* One sample on its way into its slot: read, inflated, converted, each by its own clock. */
#include <config.h>

#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "reports/core/clock.h"
#include "workloads/data/loader_inner.h"

enum { LARGE_PAGE = 2 << 20 };

void *loader_large(size_t bytes)
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
    struct worker *worker;
    struct loader_time convert;
};

static void doing(struct worker *w, enum doing what)
{
    atomic_store_explicit(&w->doing, what, memory_order_relaxed);
}

/* Field 0 from `values`, the others from the sample's block. */
static int feed(struct making *m, const void *block, const void *values, long first, long n,
                struct err *e)
{
    const struct loader *l = m->loader;
    const double start = l->o.now(), cpu = clock_thread();

    doing(m->worker, DOING_CONVERT);
    m->sample.field[0] = values;
    for (int k = 1; k < l->info.science->n_fields; k++)
        m->sample.field[k] = (const char *)block + l->info.field[k].offset;
    m->sample.first = first;
    m->sample.count = n;
    int rc = l->o.feed.make(l->o.feed.ctx, &m->sample, m->out, e);
    m->convert.seconds += l->o.now() - start;
    m->convert.cpu_seconds += clock_thread() - cpu;
    doing(m->worker, DOING_READ);
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
    void *own = l->kept ? loader_large(l->info.sample_bytes) : NULL;
    const bool slabs = l->o.feed.slabs && !own;

    if (t->hint)
        dataset_will_read(l->o.data, &w->scratch, t->soon);
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

bool loader_reading(const struct worker *w, bool *inflating)
{
    const bool at_file = atomic_load_explicit(&w->doing, memory_order_relaxed) == DOING_READ;

    *inflating = at_file && atomic_load_explicit(&w->scratch.decoding, memory_order_relaxed);
    return at_file && !*inflating;
}

static int readers(const struct loader *l)
{
    bool inflating;
    int n = 0;

    for (int i = 0; i < l->o.workers; i++)
        n += loader_reading(&l->workers[i], &inflating);
    return n;
}

/* *blocked of what took so many seconds, of them with a core, of them waiting for one. */
static double part_blocked(double seconds, double cpu, double delay)
{
    return seconds > 0 ? fmin(fmax((seconds - cpu - fmax(0, delay)) / seconds, 0), 1) : 0;
}

int loader_make_sample(struct worker *w, const struct ticket *t, struct loader_stats *sum,
                       double *blocked, struct err *e)
{
    struct loader *l = w->loader;
    struct making m = {.loader = l,
                       .worker = w,
                       .sample = {.info = &l->info,
                                  .id = t->id,
                                  .epoch = t->epoch,
                                  .seed = l->o.seed,
                                  .augment = l->o.augment}};
    const double start = l->o.now(), cpu = clock_thread(), delay = clock_delay(w->delay);
    const struct loader_time inflated = {w->scratch.seconds, w->scratch.cpu_seconds};
    const double found = w->scratch.find_seconds;
    int rc;

    doing(w, DOING_READ);
    const int reading = readers(l);
    for (int k = 0; k < l->o.feed.n; k++)
        m.out[k] = t->slot->feed[k] + (size_t)t->at * l->o.feed.floats[k];
    if (t->kept) {
        rc = feed_whole(&m, t->kept, e);
        sum->kept_samples++;
        sum->kept_bytes += l->info.sample_bytes;
    } else {
        rc = make_from_file(&m, w, t, sum, e);
    }
    const double seconds = l->o.now() - start, used = clock_thread() - cpu;
    doing(w, DOING_NOTHING);
    *blocked = part_blocked(seconds, used, clock_delay(w->delay) - delay);
    sum->convert = m.convert;
    sum->inflate = (struct loader_time){w->scratch.seconds - inflated.seconds,
                                        w->scratch.cpu_seconds - inflated.cpu_seconds};
    sum->read =
        (struct loader_time){fmax(0, seconds - sum->convert.seconds - sum->inflate.seconds),
                             fmax(0, used - sum->convert.cpu_seconds - sum->inflate.cpu_seconds)};
    if (t->kept)
        return rc;
    sum->find_seconds = w->scratch.find_seconds - found;
    *(reading > 1 ? &sum->more : &sum->one) =
        (struct loader_reads){1, sum->read.seconds, (double)sum->read_bytes, reading};
    return rc;
}
