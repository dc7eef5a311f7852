/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/generate/gen_file.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { SLAB_BYTES = 2 << 20 };

/* What the maker fills for one field: of a sample, or of a file that is cut. */
struct buffer {
    const struct field *field;
    const struct place *place; /* path[0] NULL: the layout lacks it */
    int parts;                 /* datasets that it is spread over */
    size_t part_bytes;         /* of what is made at once, in each of them */
    char *values;              /* [parts][makes][part_bytes] */
    char *one;                 /* [parts][part_bytes] where that is another order, else NULL */
};

struct gen_file {
    const struct gen_set *set;
    void *maker;
    bool many;      /* samples of a file lie side by side along n */
    uint64_t makes; /* at most so many for a file */
    struct buffer buffer[SCIENCE_FIELDS];
};

/* Along one axis of field k, in what is made at once. */
static uint64_t length(const struct gen_set *s, int k, char axis)
{
    long dims[SCIENCE_AXES];
    const char *at = strchr(s->science->fields[k].axes, axis);

    assert(axis && at);
    science_dims(s->science, k, s->class, dims);
    return (uint64_t)dims[at - s->science->fields[k].axes] *
           (k == 0 && s->layout->cut && axis != 'c' ? (uint64_t)s->class->cuts : 1);
}

/* Bytes of field k that are made at once. */
static uint64_t made_bytes(const struct gen_set *s, int k)
{
    uint64_t bytes = number_bytes(s->science->fields[k].stored);

    for (const char *a = s->science->fields[k].axes; *a; a++)
        bytes *= length(s, k, *a);
    return bytes;
}

static int buffer_init(struct buffer *b, const struct gen_file *f, int k, struct err *e)
{
    const struct gen_set *s = f->set;
    const uint64_t bytes = made_bytes(s, k);

    *b =
        (struct buffer){.field = &s->science->fields[k], .place = &s->layout->place[k], .parts = 1};
    while (b->parts < SCIENCE_PARTS && b->place->path[b->parts])
        b->parts++;
    b->part_bytes = bytes / (uint64_t)b->parts;
    b->values = malloc(f->makes * bytes);
    b->one = b->parts > 1 && f->makes > 1 ? malloc(bytes) : NULL;
    if (b->values && (b->one || b->parts == 1 || f->makes == 1))
        return 0;
    return err_set(e, "no memory for %" PRIu64 " x %" PRIu64 " bytes of '%s'", f->makes, bytes,
                   b->field->name);
}

struct gen_file *gen_file_open(const struct gen_set *s, struct err *e)
{
    struct gen_file *f = calloc(1, sizeof *f);

    if (!f)
        return err_set(e, "no memory for a file"), NULL;
    f->set = s;
    f->many = s->layout->place[0].axes[0] == 'n';
    f->makes = f->many ? s->per_file : 1;
    f->maker = s->generator->open(s->class, s->layout, e);
    int rc = f->maker ? 0 : -1;
    for (int k = 0; rc == 0 && k < s->science->n_fields; k++)
        rc = buffer_init(&f->buffer[k], f, k, e);
    if (rc == 0)
        return f;
    gen_file_close(f);
    return NULL;
}

void gen_file_close(struct gen_file *f)
{
    if (!f)
        return;
    f->set->generator->close(f->maker);
    for (int k = 0; k < f->set->science->n_fields; k++) {
        free(f->buffer[k].values);
        free(f->buffer[k].one);
    }
    free(f);
}

/* Sample i of the `makes` that the file has. */
static int make_one(struct gen_file *f, uint64_t sample, uint64_t i, uint64_t makes,
                    float *features, struct err *e)
{
    const struct gen_set *s = f->set;
    void *field[SCIENCE_FIELDS];

    for (int k = 0; k < s->science->n_fields; k++) {
        const struct buffer *b = &f->buffer[k];
        field[k] = b->one ? b->one : b->values + i * b->part_bytes * (uint64_t)b->parts;
    }
    if (s->generator->make(f->maker, s->seed, sample, field, features, e) < 0)
        return -1;
    for (int k = 0; k < s->science->n_fields; k++) {
        const struct buffer *b = &f->buffer[k];
        for (size_t p = 0; b->one && p < (size_t)b->parts; p++)
            memcpy(b->values + (p * makes + i) * b->part_bytes, b->one + p * b->part_bytes,
                   b->part_bytes);
    }
    return 0;
}

/* The datasets of field k, of a file with `makes` samples. */
static void put_field(const struct gen_file *f, struct h5_image *file, int k, uint64_t makes)
{
    const struct gen_set *s = f->set;
    const struct buffer *b = &f->buffer[k];
    const char *axes = b->place->axes;
    uint64_t dims[H5_IMAGE_AXES], chunk[H5_IMAGE_AXES], bytes = number_bytes(b->field->stored);
    int rank = 0;

    if (!b->place->path[0])
        return;
    for (; axes[rank]; rank++) {
        dims[rank] = f->many && rank == 0 ? makes : length(s, k, axes[rank]);
        chunk[rank] = dims[rank];
        bytes *= dims[rank];
    }
    if (f->many && chunk[0] > (uint64_t)s->class->per_chunk)
        chunk[0] = (uint64_t)s->class->per_chunk;
    while (!f->many && rank > 0 && chunk[0] > 1 && bytes / dims[0] * chunk[0] > SLAB_BYTES)
        chunk[0] /= 2;
    for (size_t p = 0; p < (size_t)b->parts; p++)
        h5_image_put(file, b->place->path[p], b->field->stored, rank, dims, rank > 1 ? chunk : NULL,
                     s->class->deflate, b->values + p * makes * b->part_bytes);
}

int gen_file_make(struct gen_file *f, uint64_t i, const char *path, float *features,
                  char sha256[SHA256_HEX_SIZE], uint64_t *bytes, struct err *e)
{
    const struct gen_set *s = f->set;
    const bool train = i < s->train;
    const uint64_t all = train ? s->train_samples : s->validation_samples;
    const uint64_t first = (train ? i : i - s->train) * f->makes;
    const uint64_t makes = f->many && all - first < f->makes ? all - first : f->makes;
    const uint64_t sample = first + (train ? 0 : GENERATOR_VALIDATION);
    const size_t row = (size_t)s->generator->features;

    memset(features, 0, s->per_file * row * sizeof *features);
    for (uint64_t j = 0; j < makes; j++)
        if (make_one(f, sample + j, j, makes, features + j * row, e) < 0)
            return -1;
    struct h5_image *file = h5_image_begin(e);
    if (!file)
        return -1;
    for (int k = 0; k < s->science->n_fields; k++)
        put_field(f, file, k, makes);
    if (s->generator->also && s->generator->also(f->maker, s->seed, sample, file, e) < 0) {
        h5_image_drop(file);
        return -1;
    }
    return h5_image_write(file, path, sha256, bytes, e);
}
