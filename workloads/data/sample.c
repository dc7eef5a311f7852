/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/data/sample.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "workloads/data/h5read.h"
#include "workloads/data/sample_check.h"

enum {
    SMALL_CHUNK = 65536, /* values of a chunk of a field that has few, of one sample ... */
    SMALL_CHUNKS = SAMPLE_SMALL_FILE, /* ... and of many */
    ALIGNMENT = 64
};

static const uint64_t max_sample_bytes = UINT64_C(1) << 34;
static const char letters[] = "czyx";

/* A file being held against a layout. */
struct fitting {
    struct sample_file *f;
    const struct science *science;
    const struct layout *layout;
    const struct sample_form *form; /* that it must have; NULL: it is the first ... */
    long size[SCIENCE_AXES];        /* ... of these sizes by letter, 0: not known yet */
    uint64_t cuts[H5_AXES];         /* found */
};

static const struct field *field_of(const struct fitting *w, int k)
{
    return &w->science->fields[k];
}

/* Length of axis j of field k's samples; 0: any. */
static uint64_t want_of(const struct fitting *w, int k, int j)
{
    const struct field *field = field_of(w, k);

    if (w->form)
        return (uint64_t)w->form->field[k].dims[j];
    return (uint64_t)(field->size[j] ? field->size[j]
                                     : w->size[strchr(letters, field->axes[j]) - letters]);
}

/* Axis of the field that a letter of its place is. */
static int axis_of(const struct field *field, char letter)
{
    const char *at = strchr(field->axes, letter);

    assert(at);
    return (int)(at - field->axes);
}

/* Whether the field's first axis is made of several datasets. */
static bool is_stacked(const struct field *field, const struct place *place)
{
    return field->axes[0] && !strchr(place->axes, field->axes[0]);
}

static int count_paths(const struct place *place)
{
    int n = 0;

    while (n < SCIENCE_PARTS && place->path[n])
        n++;
    return n;
}

static bool is_cut(const struct fitting *w, int k, char letter)
{
    return w->layout->cut && k == 0 && letter != 'c';
}

/* A length of an axis that was free is known now, of all those that are like it. */
static void learn(struct fitting *w, int k, int j, uint64_t n)
{
    const struct field *field = field_of(w, k);

    for (int i = 0; field->axes[i]; i++)
        if (field->size[i] == 0 && (i == j || field->cube))
            w->size[strchr(letters, field->axes[i]) - letters] = (long)n;
}

/* "(n,z,y,3)", or "D" for the sides of a cube. */
static void describe_place(const struct fitting *w, int k, char *text, size_t size)
{
    const struct field *field = field_of(w, k);
    const char *axes = w->layout->place[k].axes;
    bool any = false;
    int n = snprintf(text, size, "%s(", w->layout->cut && k == 0 ? "a multiple of " : "");

    for (int i = 0; axes[i]; i++) {
        const int j = axes[i] == 'n' ? -1 : axis_of(field, axes[i]);
        const uint64_t want = j < 0 ? 0 : want_of(w, k, j);
        n += snprintf(text + n, size - (size_t)n, i ? "," : "");
        if (want)
            n += snprintf(text + n, size - (size_t)n, "%" PRIu64, want);
        else
            n += snprintf(text + n, size - (size_t)n, "%c", j >= 0 && field->cube ? 'D' : axes[i]);
        any |= j >= 0 && !want;
    }
    if (any)
        snprintf(text + n, size - (size_t)n, ") with sides up to %d", DATASET_MAX_EDGE);
    else
        snprintf(text + n, size - (size_t)n, ")");
}

static int refuse_dims(const struct h5_set *s, const char *expected, struct err *e)
{
    char have[H5_INDEX_SIZE];
    int n = 0;

    for (int i = 0; i < s->rank; i++)
        n += snprintf(have + n, sizeof have - (size_t)n, "%s%" PRIu64, i ? "," : "", s->dims[i]);
    return err_set(e, "%s: dataset '%s' is (%s), expected %s", s->file->path, s->name,
                   s->rank ? have : "", expected);
}

/* Length of axis i of the place of field k. */
static bool axis_fits(struct fitting *w, int k, int i, uint64_t n)
{
    const char letter = w->layout->place[k].axes[i];
    const int j = axis_of(field_of(w, k), letter);
    const uint64_t want = want_of(w, k, j);

    if (n < 1 || n > DATASET_MAX_EDGE)
        return false;
    if (want == 0)
        learn(w, k, j, n);
    else if (is_cut(w, k, letter) ? n % want != 0 : n != want)
        return false;
    if (k == 0)
        w->cuts[i] = want ? n / want : 1;
    return k != 0 || !w->form || w->cuts[i] == w->form->cuts[i];
}

static int count_samples(struct fitting *w, const struct h5_set *s, uint64_t n, struct err *e)
{
    if (n < 1 || n > INT32_MAX)
        return err_set(e, "%s: dataset '%s' has %" PRIu64 " samples, expected 1 to %d",
                       s->file->path, s->name, n, INT32_MAX);
    if (w->f->samples && w->f->samples != n)
        return err_set(e,
                       "%s: dataset '%s' has %" PRIu64 " samples, expected %" PRIu64
                       " as in the one before it",
                       s->file->path, s->name, n, w->f->samples);
    w->f->samples = n;
    return 0;
}

/* Axes and sizes of one dataset of field k. Axes of 1 behind the last are none. */
static int fit_dims(struct fitting *w, int k, const struct h5_set *s, struct err *e)
{
    const char *axes = w->layout->place[k].axes;
    const int n = (int)strlen(axes);
    char expected[128];
    int rank = s->rank;

    describe_place(w, k, expected, sizeof expected);
    while (rank > n && s->dims[rank - 1] == 1)
        rank--;
    if (rank != n)
        return err_set(e, "%s: dataset '%s' has %d axes, expected %d: %s", s->file->path, s->name,
                       s->rank, n, expected);
    for (int i = 0; i < n; i++)
        if (axes[i] != 'n' && !axis_fits(w, k, i, s->dims[i]))
            return refuse_dims(s, expected, e);
    for (int i = 0; i < n; i++)
        if (axes[i] == 'n' && count_samples(w, s, s->dims[i], e) < 0)
            return -1;
    return 0;
}

uint64_t sample_place_values(const struct h5_set *s, const struct place *place)
{
    uint64_t n = 1;

    for (int i = 0; place->axes[i]; i++)
        n *= place->axes[i] == 'n' ? 1 : s->dims[i];
    return n;
}

uint64_t sample_chunk_samples(const struct h5_set *s, const struct place *place)
{
    const char *n = strchr(place->axes, 'n');

    return n && s->chunked ? s->chunk[n - place->axes] : 1;
}

static int fit_storage(const struct fitting *w, int k, struct h5_set *s, struct err *e)
{
    const struct field *field = field_of(w, k);
    const struct place *place = &w->layout->place[k];
    const bool small = sample_place_values(s, place) <= SAMPLE_SMALL;
    const bool many = strchr(place->axes, 'n') != NULL;

    if (h5_storage(s, field->floats || field->optional || is_stacked(field, place),
                   !small ? 0
                   : many ? SMALL_CHUNKS
                          : SMALL_CHUNK,
                   e) < 0)
        return -1;
    if (s->chunked && s->how == H5_BY_LIBRARY && (k > 0 || sample_chunk_samples(s, place) > 1))
        return err_set(e,
                       "%s: dataset '%s' has other filters than deflate, shuffle and "
                       "fletcher32, or lies behind a user block",
                       s->file->path, s->name);
    return 0;
}

static int open_set(struct fitting *w, int k, int part, struct err *e)
{
    struct h5_set *s = &w->f->set[k][part];
    const struct place *place = &w->layout->place[k];

    if (h5_open_set(s, &w->f->h5, place->path[part], e) < 0 || fit_dims(w, k, s, e) < 0)
        return -1;
    if (sample_place_values(s, place) > max_sample_bytes / sizeof(float))
        return err_set(e, "%s: dataset '%s' has samples of more than %" PRIu64 " bytes",
                       s->file->path, s->name, max_sample_bytes);
    if (fit_storage(w, k, s, e) < 0)
        return -1;
    if (w->form && s->type != w->form->field[k].type)
        return err_set(e, "%s: dataset '%s' is %s, expected %s as before", s->file->path, s->name,
                       s->stored, w->form->field[k].stored);
    return 0;
}

/* How many datasets a field's place has, which its first axis must agree with. */
static int fit_stack(struct fitting *w, int k, struct err *e)
{
    const int paths = count_paths(&w->layout->place[k]);

    if (!is_stacked(field_of(w, k), &w->layout->place[k]))
        return 0;
    if (want_of(w, k, 0) == 0)
        learn(w, k, 0, (uint64_t)paths);
    if (want_of(w, k, 0) != (uint64_t)paths)
        return err_set(e, "%s: %d datasets from '%s' on, expected %" PRIu64, w->f->h5.path, paths,
                       w->layout->place[k].path[0], want_of(w, k, 0));
    return 0;
}

static int open_field(struct fitting *w, int k, struct err *e)
{
    const struct place *place = &w->layout->place[k];
    const int paths = count_paths(place);

    if (paths == 0) {
        assert(field_of(w, k)->optional);
        return 0;
    }
    const bool had = w->form && w->form->field[k].stored[0];
    if (field_of(w, k)->optional && !h5_has_set(&w->f->h5, place->path[0]))
        return had && field_of(w, k)->answer
                   ? err_set(e, "%s: dataset '%s' is missing, and the first file has it",
                             w->f->h5.path, place->path[0])
                   : 0;
    if (w->form && !had && field_of(w, k)->answer)
        return err_set(e, "%s: has a dataset '%s', and the first file does not", w->f->h5.path,
                       place->path[0]);
    if (fit_stack(w, k, e) < 0)
        return -1;
    for (int part = 0; part < paths; part++)
        if (open_set(w, k, part, e) < 0)
            return -1;
    return 0;
}

static void close_sets(struct sample_file *f)
{
    for (int k = 0; k < SCIENCE_FIELDS; k++)
        for (int part = 0; part < SCIENCE_PARTS; part++)
            h5_close_set(&f->set[k][part]);
    f->samples = 0;
}

static int open_fields(struct fitting *w, int first, struct err *e)
{
    for (int k = first; k < w->science->n_fields; k++)
        if (open_field(w, k, e) < 0) {
            close_sets(w->f);
            return -1;
        }
    return 0;
}

/* Memory has the axes in the file's order, behind that of stacked datasets. */
static void order_axes(const struct field *field, const struct place *place,
                       struct dataset_field *to)
{
    const bool stored = place->path[0] != NULL;
    const char *axes = stored ? place->axes : field->axes;

    to->values = 1;
    for (int i = (int)strlen(axes) - 1; i >= 0; i--)
        if (axes[i] != 'n') {
            const int j = axis_of(field, axes[i]);
            to->stride[j] = (long)to->values;
            to->values *= (uint64_t)to->dims[j];
        }
    if (stored && is_stacked(field, place)) {
        to->stride[0] = (long)to->values;
        to->values *= (uint64_t)to->dims[0];
    }
}

static int form_field(const struct fitting *w, int k, struct sample_form *form, struct err *e)
{
    const struct field *field = field_of(w, k);
    const struct h5_set *s = &w->f->set[k][0];
    struct dataset_field *to = &form->field[k];

    *to = (struct dataset_field){.type = s->open ? s->type : NUMBER_FLOAT,
                                 .rank = (int)strlen(field->axes),
                                 .offset = form->bytes};
    memcpy(to->stored, s->open ? s->stored : "", s->open ? sizeof to->stored : 1);
    for (int j = 0; j < to->rank; j++) {
        to->dims[j] = (long)want_of(w, k, j);
        if (to->dims[j] == 0)
            return err_set(e, "%s: nothing says how long axis %c of '%s' is", w->f->h5.path,
                           field->axes[j], field->name);
    }
    order_axes(field, &w->layout->place[k], to);
    const size_t bytes = (size_t)to->values * h5_type_size(to->type);
    form->bytes += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return 0;
}

static int make_form(const struct fitting *w, struct sample_form *form, struct err *e)
{
    *form = (struct sample_form){.science = w->science, .layout = w->layout, .parts = 1};
    for (int k = 0; k < w->science->n_fields; k++)
        if (form_field(w, k, form, e) < 0)
            return -1;
    memcpy(form->cuts, w->cuts, sizeof form->cuts);
    for (int i = 0; w->layout->place[0].axes[i]; i++)
        if (w->layout->place[0].axes[i] == 'n')
            form->parts = 0;
    for (int i = 0; form->parts && w->layout->place[0].axes[i]; i++)
        form->parts *= form->cuts[i];
    if (form->parts)
        w->f->samples = form->parts;
    return 0;
}

static int try_layout(struct sample_file *f, const struct science *s, int layout,
                      const struct data_class *c, struct sample_form *form, struct err *e)
{
    struct fitting w = {.f = f, .science = s, .layout = &s->layouts[layout]};

    if (c)
        memcpy(w.size, c->size, sizeof w.size);
    for (int i = 0; i < H5_AXES; i++)
        w.cuts[i] = 1;
    if (open_fields(&w, 0, e) < 0)
        return -1;
    if (make_form(&w, form, e) == 0)
        return 0;
    close_sets(f);
    return -1;
}

int sample_probe(struct sample_file *f, const char *path, uint64_t expected_bytes,
                 const struct science *s, const struct data_class *c, struct sample_form *form,
                 struct err *e)
{
    const size_t skip = strlen(path) + 2; /* "PATH: " of each reason */
    struct err all = ERR_INIT;
    int n = 0;

    *f = (struct sample_file){0};
    if (h5_open(&f->h5, path, expected_bytes, e) < 0)
        return -1;
    for (int i = 0; i < s->n_layouts; i++) {
        struct err one = ERR_INIT;
        if (try_layout(f, s, i, c, form, &one) == 0)
            return 0;
        if (s->n_layouts == 1)
            all = one;
        else if (n < (int)sizeof all.text)
            n += snprintf(all.text + n, sizeof all.text - (size_t)n, "%s layout '%s': %s",
                          i ? ";" : "", s->layouts[i].name,
                          strlen(one.text) > skip ? one.text + skip : one.text);
    }
    sample_close(f);
    return s->n_layouts == 1 ? err_set(e, "%s", all.text)
                             : err_set(e, "%s: fits no layout of %s:%s", path, s->title, all.text);
}

int sample_open(struct sample_file *f, const char *path, uint64_t expected_bytes,
                const struct sample_form *form, bool rest, struct err *e)
{
    struct fitting w = {.f = f, .science = form->science, .layout = form->layout, .form = form};

    *f = (struct sample_file){0};
    if (h5_open(&f->h5, path, expected_bytes, e) < 0)
        return -1;
    if (open_fields(&w, rest ? 1 : 0, e) < 0) {
        h5_close(&f->h5);
        return -1;
    }
    if (form->parts)
        f->samples = form->parts;
    return 0;
}

void sample_close(struct sample_file *f)
{
    close_sets(f);
    h5_close(&f->h5);
}
