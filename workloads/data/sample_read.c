/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "workloads/data/h5read.h"
#include "workloads/data/sample.h"
#include "workloads/data/sample_check.h"

enum { SLAB_BYTES = 1 << 20 /* read at a time where a sink takes it: stays in the cache */ };

#define MOST_SHARED (UINT64_C(1) << 40)

/* Whether a set has few values a sample, and is read once and kept whole. */
static bool is_small(const struct h5_set *s, const struct place *place)
{
    return place->axes[0] == 'n' && sample_place_values(s, place) <= SAMPLE_SMALL &&
           s->values <= SAMPLE_SMALL_FILE;
}

/* A sample's part of one dataset. */
static void region_of(const struct h5_set *s, const struct sample_form *form, int k, uint64_t part,
                      struct h5_region *r)
{
    const char *axes = form->layout->place[k].axes;
    const bool cut = form->layout->cut && k == 0;

    for (int i = s->rank - 1; i >= 0; i--) {
        const bool samples = i < (int)strlen(axes) && axes[i] == 'n';
        const uint64_t cuts = cut ? form->cuts[i] : 1;
        r->size[i] = samples ? 1 : s->dims[i] / cuts;
        r->corner[i] = samples ? part : part % cuts * r->size[i];
        if (cut)
            part /= cuts;
    }
}

/* The key of a dataset: its chunks are counted from its first value on, all of
 * it is one past that. */
static struct chunk_key key_of(const struct sample_reading *r, int k, int p, uint64_t chunk)
{
    return (struct chunk_key){r->file, (uint64_t)(k * SCIENCE_PARTS + p), chunk};
}

/* A whole dataset on its way into the cache. */
struct whole {
    const struct h5_set *set;
    struct sample_reading *reading;
};

static int make_whole(void *arg, void *to, size_t bytes, struct err *e)
{
    const struct whole *w = arg;
    struct h5_region all = {{0}, {0}};

    (void)bytes;
    memcpy(all.size, w->set->dims, sizeof all.size);
    return h5_read(w->set, &all, NULL, w->reading->scratch, to, &w->reading->bytes, e);
}

/* A few values out of the whole dataset, which is read once and kept. */
static int read_small(const struct h5_set *s, struct sample_reading *r, int k, int p,
                      uint64_t values, void *to, struct err *e)
{
    const size_t bytes = (size_t)values * h5_type_size(s->type);
    const struct chunk_key key = key_of(r, k, p, UINT64_MAX);
    struct whole w = {s, r};
    struct chunk_held *held = chunk_cache_take(
        r->cache, &key, (size_t)s->values * h5_type_size(s->type), make_whole, &w, e);

    if (!held)
        return -1;
    memcpy(to, (const char *)chunk_held_data(held) + r->part * bytes, bytes);
    chunk_cache_give(r->cache, held);
    return 0;
}

/* A sample's part of dataset p of field k, checked. */
static int read_set(const struct sample_file *f, const struct sample_form *form, int k, int p,
                    struct sample_reading *r, void *to, struct err *e)
{
    const struct h5_set *s = &f->set[k][p];
    const struct place *place = &form->layout->place[k];
    const uint64_t values = sample_place_values(s, place);
    const bool shared = r->cache && sample_chunk_samples(s, place) > 1;
    const struct h5_cache cache = {r->cache, r->file, (uint64_t)(k * SCIENCE_PARTS + p)};
    struct h5_region region;
    int rc;

    region_of(s, form, k, r->part, &region);
    if (r->cache && is_small(s, place))
        rc = read_small(s, r, k, p, values, to, e);
    else
        rc = h5_read(s, &region, shared ? &cache : NULL, r->scratch, to, &r->bytes, e);
    if (rc < 0 || r->any)
        return rc;
    return sample_check(&form->science->fields[k], s, &region, to, e);
}

static int read_field(const struct sample_file *f, const struct sample_form *form, int k,
                      struct sample_reading *r, void *sample, struct err *e)
{
    const struct dataset_field *field = &form->field[k];
    char *to = (char *)sample + field->offset;
    float *v = (float *)(void *)to;
    int sets = 0;

    while (sets < SCIENCE_PARTS && f->set[k][sets].open)
        sets++;
    for (uint64_t j = 0; sets == 0 && j < field->values; j++)
        v[j] = form->science->fields[k].fallback;
    for (int p = 0; p < sets; p++) {
        const size_t bytes = (size_t)field->values / (size_t)sets * h5_type_size(field->type);
        if (read_set(f, form, k, p, r, to + (size_t)p * bytes, e) < 0)
            return -1;
    }
    return 0;
}

int sample_read_rest(const struct sample_file *f, const struct sample_form *form,
                     struct sample_reading *r, void *sample, struct err *e)
{
    for (int k = 1; k < form->science->n_fields; k++)
        if (read_field(f, form, k, r, sample, e) < 0)
            return -1;
    return 0;
}

/* Whether a sample's slabs lie one behind the other. */
static bool has_slabs(const struct sample_file *f, const struct sample_form *form)
{
    const struct h5_set *s = &f->set[0][0];

    if (form->parts != 1 || f->set[0][1].open || s->rank == 0)
        return false;
    if (s->how == H5_CONTIGUOUS)
        return s->native;
    for (int i = 1; i < s->rank; i++)
        if (s->chunk[i] != s->dims[i])
            return false;
    return s->how == H5_CHUNKED;
}

/* A whole set, some slabs of it at a time. */
static int read_slabs(const struct h5_set *s, const struct sample_form *form,
                      struct sample_reading *r, const void *sample, const struct dataset_sink *sink,
                      struct err *e)
{
    const size_t slab = (size_t)(s->values / s->dims[0]) * s->form.element;
    const uint64_t fit = slab < SLAB_BYTES ? SLAB_BYTES / slab : 1;
    const uint64_t step = s->how == H5_CHUNKED ? s->chunk[0] : fit;
    const struct chunk_form piece = {.room = (size_t)fit * slab};
    struct h5_region region = {{0}, {0}};

    memcpy(region.size, s->dims, sizeof region.size);
    if (s->how == H5_CONTIGUOUS && chunk_prepare(&piece, r->scratch, piece.room, e) < 0)
        return -1;
    for (uint64_t at = 0; at < s->dims[0]; at += step) {
        const uint64_t left = s->dims[0] - at, n = left < step ? left : step;
        const void *values = r->scratch->stored;
        region.corner[0] = at;
        region.size[0] = n;
        if (s->how == H5_CHUNKED)
            values = h5_read_chunk(s, region.corner, r->scratch, &r->bytes, e);
        else if (h5_read_bytes(s, r->scratch->stored, (size_t)n * slab, s->offset + at * slab,
                               &r->bytes, e) < 0)
            return -1;
        if (!values || sample_check(&form->science->fields[0], s, &region, values, e) < 0 ||
            sink->slab(sink->arg, sample, values, (long)at, (long)n, e) < 0)
            return -1;
    }
    return 0;
}

/* Length of field 0's slowest axis in memory. */
static long slowest(const struct dataset_field *field)
{
    int at = 0;

    for (int j = 1; j < field->rank; j++)
        if (field->stride[j] > field->stride[at])
            at = j;
    return field->rank ? field->dims[at] : 1;
}

int sample_read_first(const struct sample_file *f, const struct sample_form *form,
                      struct sample_reading *r, void *sample, const struct dataset_sink *sink,
                      struct err *e)
{
    if (sink && has_slabs(f, form))
        return read_slabs(&f->set[0][0], form, r, sample, sink, e);
    if (read_field(f, form, 0, r, sample, e) < 0)
        return -1;
    return sink ? sink->slab(sink->arg, sample, (char *)sample + form->field[0].offset, 0,
                             slowest(&form->field[0]), e)
                : 0;
}

/* Chunks of many samples that are not read whole: those that samples share. */
static bool is_shared(const struct h5_set *s, const struct place *place)
{
    return s->open && s->how == H5_CHUNKED && sample_chunk_samples(s, place) > 1 &&
           !is_small(s, place);
}

/* What the chunks of a set take decoded in which so many neighbours lie; a number
 * from the file's header, which may be larger than any memory. */
static uint64_t chunks_bytes(const struct h5_set *s, const struct place *place, uint64_t samples)
{
    const uint64_t along = sample_chunk_samples(s, place);
    const uint64_t chunks = samples % along == 0 ? samples / along : (samples - 1) / along + 2;
    double bytes = (double)h5_type_size(s->type) * (double)chunks * (double)along;

    for (int i = 0; i < s->rank; i++)
        if (i >= (int)strlen(place->axes) || place->axes[i] != 'n')
            bytes *= (double)(((s->dims[i] - 1) / s->chunk[i] + 1) * s->chunk[i]);
    return bytes < (double)MOST_SHARED ? (uint64_t)bytes : MOST_SHARED;
}

uint64_t sample_sharing(const struct sample_file *f, const struct sample_form *form,
                        uint64_t *bytes)
{
    uint64_t along = 1;

    for (int k = 0; k < form->science->n_fields; k++)
        for (int p = 0; p < SCIENCE_PARTS; p++) {
            const struct place *place = &form->layout->place[k];
            if (is_shared(&f->set[k][p], place) &&
                sample_chunk_samples(&f->set[k][p], place) > along)
                along = sample_chunk_samples(&f->set[k][p], place);
        }
    *bytes = 0;
    for (int k = 0; k < form->science->n_fields; k++)
        for (int p = 0; p < SCIENCE_PARTS; p++)
            if (is_shared(&f->set[k][p], &form->layout->place[k]))
                *bytes += chunks_bytes(&f->set[k][p], &form->layout->place[k], along);
    return along < f->samples ? along : f->samples;
}
