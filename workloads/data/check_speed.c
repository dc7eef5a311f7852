/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "workloads/data/check.h"
#include "workloads/data/dataset.h"
#include "workloads/data/h5info.h"

/* From where on a sample is read in too many pieces that are too small: storage
 * answers some 10,000 requests a second, so that 64 pieces hold a reader to 150
 * samples a second, whatever is in them. */
enum { MANY_PIECES = 64, SMALL_PIECE = 16384 };

/* Reading more than so many times what is needed is worth a sentence; not of
 * pieces so small that a disk reads as much anyway. */
static const double wasteful = 2;

static void slow(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void slow(struct check *c, const char *fmt, ...)
{
    va_list ap;

    if (c->n_slow == CHECK_SLOW)
        return;
    va_start(ap, fmt);
    vsnprintf(c->slow[c->n_slow++], sizeof c->slow[0], fmt, ap);
    va_end(ap);
}

/* How a sample's part of a dataset lies in it. */
struct lie {
    uint64_t size[H5_AXES]; /* of a sample's region */
    uint64_t bytes;         /* of its values as they are stored, without filters */
    double pieces;          /* chunks that it lies in, on average; runs of a contiguous set */
    uint64_t piece_bytes;   /* of one, decoded */
    uint64_t samples;       /* that lie in the same chunks along n */
};

/* Chunks that samples of this size meet along an axis, on average. */
static double met(uint64_t length, uint64_t size, uint64_t chunk)
{
    const uint64_t n = length / size;
    uint64_t sum = 0;

    if (size % chunk == 0)
        return (double)(size / chunk);
    if (chunk % size == 0)
        return 1;
    for (uint64_t i = 0; i < n; i++)
        sum += (i * size + size - 1) / chunk - i * size / chunk + 1;
    return (double)sum / (double)n;
}

static void lie_in_chunks(const struct h5_set *s, struct lie *l)
{
    l->pieces = 1;
    l->piece_bytes = s->form.bytes;
    for (int a = 0; a < s->rank; a++)
        l->pieces *= met(s->dims[a], l->size[a], s->chunk[a]);
}

static void lie_in_runs(const struct h5_set *s, struct lie *l)
{
    uint64_t run = 1;
    int a = s->rank - 1;

    for (; a >= 0 && l->size[a] == s->dims[a]; a--)
        run *= s->dims[a];
    if (a >= 0)
        run *= l->size[a];
    l->piece_bytes = run * s->form.element;
    l->pieces = (double)l->bytes / (double)l->piece_bytes;
}

static struct lie lie_of(const struct h5_set *s, const struct sample_form *form, int k)
{
    const char *axes = form->layout->place[k].axes;
    struct lie l = {.bytes = s->form.element};

    for (int a = 0; a < s->rank; a++) {
        const bool samples = a < (int)strlen(axes) && axes[a] == 'n';
        l.size[a] = samples ? 1 : s->dims[a] / (form->layout->cut && k == 0 ? form->cuts[a] : 1);
        l.bytes *= l.size[a];
    }
    l.samples = sample_chunk_samples(s, &form->layout->place[k]);
    if (s->chunked)
        lie_in_chunks(s, &l);
    else
        lie_in_runs(s, &l);
    return l;
}

static void check_set(struct check *c, const struct h5_set *s, const struct sample_form *form,
                      int k)
{
    const struct lie l = lie_of(s, form, k);
    const double wasted = s->chunked ? l.pieces * (double)l.piece_bytes / (double)l.bytes : 1;
    struct h5_info info;

    if (form->parts == 0 && sample_place_values(s, &form->layout->place[k]) <= SAMPLE_SMALL)
        return; /* read once a file */
    h5_info(s, &info);
    if (s->how == H5_BY_LIBRARY && !s->compact && info.bytes > 0)
        slow(c, "dataset '%s': %s: only the HDF5 library reads it, one thread at a time", s->name,
             s->file->userblock ? "behind a user block" : info.filters);
    if (l.samples <= 1 && wasted >= wasteful && l.piece_bytes > SMALL_PIECE)
        slow(c,
             "dataset '%s': a sample is 1/%.0f of the chunks that it lies in, which are read and "
             "decoded for it alone: store it in chunks of a sample or less",
             s->name, wasted);
    /* chunks that samples share are read once for all of them */
    if (l.pieces / (double)l.samples >= MANY_PIECES && l.piece_bytes <= SMALL_PIECE)
        slow(c, "dataset '%s': a sample lies in %.0f %s of %llu bytes", s->name, l.pieces,
             s->chunked ? "chunks" : "places", (unsigned long long)l.piece_bytes);
    if (info.deflated && info.bytes > s->values * s->form.element / 100 * 95)
        slow(c, "dataset '%s': its compression saves next to nothing, and is undone all the same",
             s->name);
}

/* Chunks of many samples are kept until all their samples were used; a pass over
 * the set mixes the samples of two groups of them. */
static void check_groups(struct check *c, const struct sample_file *f,
                         const struct sample_form *form)
{
    uint64_t bytes;
    const uint64_t samples = sample_sharing(f, form, &bytes);

    if (2 * bytes > DATASET_CACHE_MOST)
        slow(c,
             "dataset '%s': %llu samples share chunks of %.2f GB, more than can be kept (%.2f GB): "
             "they are decoded again and again; store it in chunks of some MB",
             f->set[0][0].name, (unsigned long long)samples, (double)bytes / 1e9,
             (double)DATASET_CACHE_MOST / 2e9);
}

void check_speed(struct check *c, const struct sample_file *f, const struct sample_form *form)
{
    for (int k = 0; k < form->science->n_fields; k++)
        for (int p = 0; p < SCIENCE_PARTS; p++)
            if (f->set[k][p].open)
                check_set(c, &f->set[k][p], form, k);
    if (form->parts == 0)
        check_groups(c, f, form);
}
