/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/data/check.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "workloads/data/dataset_list.h"
#include "workloads/data/h5info.h"
#include "workloads/data/manifest.h"

static void problem(struct check *c, const struct err *why)
{
    if (c->problems++ == 0)
        snprintf(c->problem, sizeof c->problem, "%s", why->text);
}

/* A layout that the file does not have. */
static void tried(struct check *c, const char *path, const struct science *s,
                  const struct layout *l, const struct err *why)
{
    const size_t n = strlen(path);
    const bool prefixed = strncmp(why->text, path, n) == 0 && why->text[n] == ':';

    if (c->n_tried == CHECK_TRIED)
        return;
    struct check_tried *t = &c->tried[c->n_tried++];
    t->science = s->name;
    t->layout = l->name;
    snprintf(t->lacks, sizeof t->lacks, "%s", why->text + (prefixed ? n + 2 : 0));
}

/* Opens a file in the first layout of a science that it has. */
static int probe_science(struct check *c, struct sample_file *f, const char *path,
                         const struct science *s, struct sample_form *form)
{
    for (int i = 0; i < s->n_layouts; i++) {
        struct science one = *s;
        struct err why = ERR_INIT;
        one.layouts = &s->layouts[i];
        one.n_layouts = 1;
        if (sample_probe(f, path, 0, &one, NULL, form, &why) == 0) {
            form->science = s;
            return 0;
        }
        tried(c, path, s, &s->layouts[i], &why);
    }
    return -1;
}

/* The same of any science, or of the one that is known. */
static int probe(struct check *c, struct sample_file *f, const char *path,
                 const struct science *known, struct sample_form *form)
{
    struct h5_file h5;
    struct err why = ERR_INIT;
    const struct science *s;

    if (h5_open(&h5, path, 0, &why) < 0) {
        problem(c, &why);
        return -1;
    }
    h5_close(&h5);
    for (int i = 0; (s = science_at(i)); i++)
        if ((!known || s == known) && probe_science(c, f, path, s, form) == 0) {
            c->science = s;
            c->layout = form->layout;
            c->n_tried = 0;
            return 0;
        }
    return -1;
}

/* How many values of a whole-number field are counted one by one. */
static int levels_of(const struct field *f)
{
    const double n = f->greatest - f->least + 1;

    return f->whole && n > 1 && n <= CHECK_LEVELS ? (int)n : 0;
}

/* What the first file of a part says of its fields. */
static void begin_part(struct check_part *part, const struct sample_file *f,
                       const struct sample_form *form)
{
    for (int k = 0; k < form->science->n_fields; k++) {
        struct check_field *to = &part->field[k];
        const struct h5_set *s = &f->set[k][0];
        struct h5_info info;
        *to = (struct check_field){
            .field = &form->science->fields[k], .least = INFINITY, .greatest = -INFINITY};
        to->levels = levels_of(to->field);
        if (!s->open)
            continue;
        h5_info(s, &info);
        while (to->sets < SCIENCE_PARTS && f->set[k][to->sets].open) {
            to->set[to->sets] = form->layout->place[k].path[to->sets];
            to->sets++;
        }
        memcpy(to->type, s->stored, sizeof to->type);
        memcpy(to->filters, info.filters, sizeof to->filters);
        to->rank = s->rank;
        to->chunked = s->chunked;
        memcpy(to->dims, s->dims, sizeof to->dims);
        memcpy(to->chunk, s->chunk, sizeof to->chunk);
    }
}

/* Adds what one file holds. */
static void add_file(struct check *c, struct check_part *part, const struct sample_file *f,
                     const struct sample_form *form, bool values)
{
    struct err why = ERR_INIT;

    part->samples += f->samples;
    part->bytes += f->h5.bytes;
    for (int k = 0; k < form->science->n_fields; k++) {
        struct check_field *to = &part->field[k];
        for (int p = 0; p < SCIENCE_PARTS && f->set[k][p].open; p++) {
            const struct h5_set *s = &f->set[k][p];
            struct h5_info info;
            h5_info(s, &info);
            to->stored_bytes += info.bytes;
            to->plain_bytes += s->values * s->form.element;
        }
        if (values && check_values(f, form, k, to, &why) < 0) {
            problem(c, &why);
            return;
        }
    }
}

/* The classes of the science that the first file fits. */
static void find_classes(struct check *c, const char *path, const struct sample_form *form)
{
    const struct check_part *part = &c->part[0];

    for (int i = 0; i < c->science->n_classes && c->n_classes < CHECK_CLASSES; i++) {
        const struct data_class *class = &c->science->classes[i];
        struct sample_file f;
        struct sample_form fits;
        if (sample_probe(&f, path, 0, c->science, class, &fits, NULL) < 0)
            continue;
        if (c->n_classes == 0)
            check_speed(c, &f, &fits);
        c->class[c->n_classes].class = class;
        c->class[c->n_classes++].samples = fits.parts ? part->files * fits.parts : part->samples;
        sample_close(&f);
    }
    if (c->n_classes == 0) { /* of a size that no class has */
        struct sample_file f;
        if (sample_open(&f, path, 0, form, false, NULL) == 0) {
            check_speed(c, &f, form);
            sample_close(&f);
        }
    }
}

/* A file that is not the first: of the form that the first has. */
static int open_next(struct check *c, struct sample_file *f, const char *path,
                     const struct sample_form *form)
{
    struct err why = ERR_INIT;

    if (sample_open(f, path, 0, form, false, &why) == 0)
        return 0;
    problem(c, &why);
    return -1;
}

/* One part of n files; form is filled by the first part that has a file. */
static void check_files(struct check *c, struct check_part *part, const struct dataset_list *l,
                        const struct science *known, struct sample_form *form, bool values)
{
    char path[2 * PATH_MAX];
    bool begun = false;

    part->files = l->n;
    for (uint64_t i = 0; i < l->n; i++) {
        struct sample_file f;
        snprintf(path, sizeof path, "%s%s%s", c->folder ? c->path : "", c->folder ? "/" : "",
                 l->files[i].name);
        if (c->layout ? open_next(c, &f, path, form) < 0 : probe(c, &f, path, known, form) < 0) {
            if (!c->layout)
                return; /* the first file speaks for all */
            continue;
        }
        if (!begun)
            begin_part(part, &f, form);
        begun = true;
        add_file(c, part, &f, form, values);
        sample_close(&f);
    }
}

/* Which science the manifest of a folder says; sizes of files are compared. */
static const struct science *read_manifest(struct check *c)
{
    struct manifest m;
    struct err why = ERR_INIT;
    const int rc = manifest_read(&m, c->path, NULL, &why);
    const struct science *s = rc == 0 ? science_find(m.science) : NULL;

    if (rc == 0) {
        snprintf(c->title, sizeof c->title, "generated, class %s, seed %" PRIu64, m.class_name,
                 m.seed);
        if (!s)
            err_set(&why, "%s: science '%s' is not known here", c->path, m.science);
        if (!s || manifest_verify(&m, c->path, 0, &why) < 0)
            problem(c, &why);
        manifest_fini(&m);
    } else if (rc < 0) {
        problem(c, &why);
    }
    return s;
}

static void check_folder(struct check *c, bool values)
{
    static const char *const splits[] = {
        [DATASET_TRAIN] = "train", [DATASET_VALIDATION] = "validation"};
    const struct science *known = read_manifest(c);
    struct sample_form form;
    char first[2 * PATH_MAX] = "";

    for (int i = 0; i < CHECK_PARTS; i++) {
        struct check_part *part = &c->part[c->n_parts];
        const struct science *s = known ? known : c->science ? c->science : science_at(0);
        struct dataset_list list = {0};
        struct dataset_info info = {0};
        struct err why = ERR_INIT;
        part->split = splits[i];
        if (dataset_list(&list, &info, c->path, (enum dataset_split)i, s, &why) < 0) {
            problem(c, &why);
        } else {
            check_files(c, part, &list, known, &form, values);
            if (!first[0])
                snprintf(first, sizeof first, "%s/%s", c->path, list.files[0].name);
            c->n_parts += c->layout != NULL;
        }
        dataset_list_fini(&list);
        if (!c->layout && c->n_tried)
            return;
    }
    if (c->layout)
        find_classes(c, first, &form);
}

static void check_file(struct check *c, bool values)
{
    struct dataset_file one = {c->path, 0};
    const struct dataset_list list = {&one, 1};
    struct sample_form form;

    check_files(c, &c->part[0], &list, NULL, &form, values);
    c->n_parts = c->layout != NULL;
    if (c->layout)
        find_classes(c, c->path, &form);
}

int check_path(struct check *c, const char *path, bool values, struct err *e)
{
    struct stat st;

    memset(c, 0, sizeof *c);
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    if (n == 0 || n >= sizeof c->path)
        return err_set(e, "a path must have 1 to %zu bytes", sizeof c->path - 1);
    memcpy(c->path, path, n);
    if (stat(c->path, &st) < 0)
        return err_set(e, "%s: %s", c->path, strerror(errno));
    c->folder = S_ISDIR(st.st_mode);
    if (c->folder)
        check_folder(c, values);
    else
        check_file(c, values);
    return 0;
}

const struct field *check_lacks(const struct check *c)
{
    for (int i = 0; i < c->n_parts; i++)
        for (int k = 0; k < c->science->n_fields; k++)
            if (c->science->fields[k].answer && c->part[i].field[k].sets == 0)
                return &c->science->fields[k];
    return NULL;
}

bool check_good(const struct check *c)
{
    uint64_t bad = c->problems + (c->layout == NULL);

    for (int i = 0; i < c->n_parts; i++)
        for (int k = 0; k < c->science->n_fields; k++)
            bad += c->part[i].field[k].not_finite + c->part[i].field[k].out_of_range +
                   c->part[i].field[k].fractions;
    return bad == 0;
}
