/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/data/check.h"
#include "workloads/data/h5read.h"

/* Read at a time; more where that takes whole chunks. A test may take less. */
#ifndef CHECK_REGION_BYTES
#define CHECK_REGION_BYTES (64 << 20)
#endif

enum { REGION_BYTES = CHECK_REGION_BYTES, CHUNKS_BYTES = 4 * REGION_BYTES };

/* Where the value at v[i] of a region stands. */
static void say_where(const struct h5_set *s, const struct h5_region *r, uint64_t i, double value,
                      char *text, size_t size)
{
    char index[H5_INDEX_SIZE];
    uint64_t at[H5_AXES] = {0};

    for (int a = s->rank - 1; a >= 0; a--) {
        at[a] = r->corner[a] + i % r->size[a];
        i /= r->size[a];
    }
    snprintf(text, size, "%s: dataset '%s'%s%s is %g", s->file->path, s->name,
             s->rank ? " at " : "", h5_index(index, s->rank, at), value);
}

/* One value; false: it is not what the field says. */
static bool take(struct check_field *to, double v)
{
    const struct field *f = to->field;

    to->values++;
    if (!isfinite(v)) {
        to->not_finite++;
        return false;
    }
    to->least = v < to->least ? v : to->least;
    to->greatest = v > to->greatest ? v : to->greatest;
    to->sum += v;
    if (v < f->least || v > f->greatest) {
        to->out_of_range++;
        return false;
    }
    if (f->whole && trunc(v) != v) {
        to->fractions++;
        return false;
    }
    if (to->levels)
        to->count[(int)(v - f->least)]++;
    return true;
}

static void take_region(struct check_field *to, const struct h5_set *s, const struct h5_region *r,
                        const void *values)
{
    uint64_t n = 1;

    for (int a = 0; a < s->rank; a++)
        n *= r->size[a];
    for (uint64_t i = 0; i < n; i++) {
        const double v = s->type == NUMBER_INT16 ? ((const int16_t *)values)[i]
                                                 : (double)((const float *)values)[i];
        if (!take(to, v) && !to->first_bad[0])
            say_where(s, r, i, v, to->first_bad, sizeof to->first_bad);
    }
}

/* How far a region may go along each axis: as much as fits from the last axis
 * on, whole chunks where they are not too large; returns its bytes. */
static size_t choose_steps(const struct h5_set *s, uint64_t step[H5_AXES])
{
    uint64_t bytes = h5_type_size(s->type);

    for (int a = s->rank - 1; a >= 0; a--) {
        const uint64_t chunk = s->chunked ? s->chunk[a] : 1;
        uint64_t most = REGION_BYTES / bytes;
        if (most < chunk && bytes <= CHUNKS_BYTES / chunk)
            most = chunk;
        most = most > chunk ? most / chunk * chunk : most;
        step[a] = most >= s->dims[a] ? s->dims[a] : most ? most : 1;
        bytes *= step[a];
    }
    return (size_t)bytes;
}

/* The next region in row-major order; false after the last. */
static bool advance(const struct h5_set *s, const uint64_t step[H5_AXES], struct h5_region *r)
{
    for (int a = s->rank - 1; a >= 0; a--) {
        r->corner[a] += step[a];
        if (r->corner[a] < s->dims[a])
            return true;
        r->corner[a] = 0;
    }
    return false;
}

static int look_at_set(const struct h5_set *s, struct check_field *to,
                       struct chunk_scratch *scratch, struct err *e)
{
    struct h5_region r = {{0}, {0}};
    uint64_t step[H5_AXES], bytes = 0;
    const size_t size = choose_steps(s, step);
    void *values = malloc(size);
    int rc = values ? 0 : err_set(e, "%s: no memory for %zu bytes", s->file->path, size);

    while (rc == 0) {
        for (int a = 0; a < s->rank; a++)
            r.size[a] = s->dims[a] - r.corner[a] < step[a] ? s->dims[a] - r.corner[a] : step[a];
        rc = h5_read(s, &r, NULL, scratch, values, &bytes, e);
        if (rc == 0)
            take_region(to, s, &r, values);
        if (rc == 0 && !advance(s, step, &r))
            break;
    }
    free(values);
    return rc;
}

int check_values(const struct sample_file *f, const struct sample_form *form, int k,
                 struct check_field *to, struct err *e)
{
    struct chunk_scratch scratch = {0};
    int rc = 0;

    (void)form;
    for (int p = 0; rc == 0 && p < SCIENCE_PARTS && f->set[k][p].open; p++)
        rc = look_at_set(&f->set[k][p], to, &scratch, e);
    chunk_scratch_fini(&scratch);
    return rc;
}
