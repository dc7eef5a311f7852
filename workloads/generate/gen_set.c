/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/generate/gen_set.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/core/atomic.h"
#include "workloads/generate/cosmo/gen_field.h"
#include "workloads/generate/cosmo/gen_ridge.h"
#include "workloads/generate/gen_write.h"

#define PLAN_NAME "PLAN"
#define LOCK_NAME "LOCK"
#define PART_HEAD "part-"

/* Validation boxes are the same however many training boxes there are. */
#define VALIDATION_SAMPLE (UINT64_C(1) << 40)

/* One whole cube in a part file; samples_per_file rows follow. */
struct part {
    uint64_t index; /* of the set's files, training first */
    uint64_t bytes;
    char sha256[72];
};

/* What all part files say together. */
struct parts {
    struct part *file;      /* [files]; bytes 0: missing */
    struct ridge_row *rows; /* [files][samples_per_file] */
    uint64_t found;
};

static uint64_t files(const struct gen_set *s)
{
    return s->train + s->validation;
}

static int cubed(int x)
{
    return x * x * x;
}

static void file_name(const struct gen_set *s, uint64_t i, char name[MANIFEST_PATH_SIZE])
{
    bool train = i < s->train;

    snprintf(name, MANIFEST_PATH_SIZE, "%s/cube_%07" PRIu64 ".hdf5", train ? "train" : "validation",
             train ? i : i - s->train);
}

/* folder/name into path; the folders of a set leave room for our own names. */
static const char *join(char path[PATH_MAX], const char *folder, const char *name)
{
    snprintf(path, PATH_MAX, "%s/%s", folder, name);
    return path;
}

int gen_set_init(struct gen_set *s, const struct cosmo_class *class, enum data_layout layout,
                 uint64_t seed, uint64_t train, uint64_t validation, const char *out, struct err *e)
{
    size_t n = strlen(out);

    while (n > 1 && out[n - 1] == '/')
        n--;
    if (n == 0 || n >= sizeof s->out)
        return err_set(e, "the folder's name must have 1 to %zu bytes", sizeof s->out - 1);
    *s = (struct gen_set){.class = class, .layout = layout, .seed = seed};
    s->edge = layout == DATA_RAW ? class->raw_edge : class->edge;
    s->samples_per_file = cubed(s->edge / class->edge);
    uint64_t per = (uint64_t)s->samples_per_file;
    s->train = ((train ? train : (uint64_t) class->train) + per - 1) / per;
    s->validation = ((validation ? validation : (uint64_t) class->validation) + per - 1) / per;
    if (files(s) > MANIFEST_MAX_FILES)
        return err_set(e, "%" PRIu64 " files, expected at most %d", files(s), MANIFEST_MAX_FILES);
    memcpy(s->out, out, n);
    snprintf(s->partial, sizeof s->partial, "%s.partial", s->out);
    return 0;
}

uint64_t gen_set_bytes(const struct gen_set *s)
{
    return (uint64_t)((double)files(s) * (double)cubed(s->edge) * COSMO_CHANNELS * sizeof(int16_t) /
                      s->class->deflates);
}

/* The manifest as far as it is known before the first cube. */
static void describe(const struct gen_set *s, struct manifest *m)
{
    size_t at = 0;

    memset(m, 0, sizeof *m);
    strcpy(m->workload, "cosmoflow");
    snprintf(m->class_name, sizeof m->class_name, "%s", runspec_class_name(s->class->class));
    m->layout = s->layout;
    m->generator = MANIFEST_GENERATOR;
    gen_write_build(m->build, sizeof m->build, fftw_version);
    m->seed = s->seed;
    m->edge = s->edge;
    m->cell_mpc = s->class->cell_mpc;
    for (int i = 0; i < COSMO_PARAMETERS; i++)
        at += (size_t)snprintf(m->parameters + at, sizeof m->parameters - at, "%s %.6g..%.6g, ",
                               cosmo_parameters[i].name, cosmo_parameters[i].low,
                               cosmo_parameters[i].high);
    snprintf(m->parameters + at, sizeof m->parameters - at, "Omega_b %g", COSMO_OMEGA_B);
    snprintf(m->redshifts, sizeof m->redshifts, "%g %g %g %g", cosmo_redshifts[0],
             cosmo_redshifts[1], cosmo_redshifts[2], cosmo_redshifts[3]);
    m->train = s->train;
    m->validation = s->validation;
}

/* Head of the manifest as one text: two sets are the same when it is. */
static int plan_text(const struct manifest *m, char *text, size_t size)
{
    struct manifest head = *m;
    FILE *f = fmemopen(text, size, "w");

    if (!f)
        return -1;
    head.constant_mae = head.ridge_mae = 0;
    head.files = NULL;
    head.n_files = 0;
    int rc = manifest_write(&head, f);
    return fclose(f) == 0 ? rc : -1;
}

/* 1: OUT holds this set; 0: OUT is free; -1. */
static int look_at_out(const struct gen_set *s, struct err *e)
{
    struct manifest want, have;
    char a[2048] = "", b[2048] = "";
    int rc = manifest_read(&have, s->out, NULL, e);

    if (rc < 0)
        return -1;
    if (rc == 1) {
        /* rename() replaces an empty folder and nothing else */
        if (rmdir(s->out) == 0 || errno == ENOENT)
            return 0;
        return err_set(e, "%s: %s, expected a new or empty folder", s->out,
                       errno == ENOTEMPTY || errno == EEXIST ? "not empty and without a manifest"
                                                             : strerror(errno));
    }
    describe(s, &want);
    plan_text(&want, a, sizeof a);
    plan_text(&have, b, sizeof b);
    if (strcmp(a, b) == 0)
        rc = manifest_verify(&have, s->out, 8, e) < 0 ? -1 : 1;
    else
        rc = err_set(e,
                     "%s holds another set (class %s, layout %s, seed %" PRIu64 ", %" PRIu64
                     " + %" PRIu64 " files, build %s)",
                     s->out, have.class_name, data_layout_name(have.layout), have.seed, have.train,
                     have.validation, have.build);
    manifest_fini(&have);
    return rc;
}

/* exclusive: EEXIST when it is there. */
static int put_text(const char *folder, const char *name, const char *text, bool exclusive)
{
    char path[PATH_MAX];

    return atomic_write(AT_FDCWD, join(path, folder, name), 0666,
                        ATOMIC_UMASK | (exclusive ? ATOMIC_NEW : 0), text, strlen(text));
}

/* All who make OUT.partial must mean the same set. */
static int agree_on_plan(const struct gen_set *s, struct err *e)
{
    struct manifest want;
    char mine[2048] = "", theirs[2048] = "", path[PATH_MAX];

    describe(s, &want);
    plan_text(&want, mine, sizeof mine);
    if (put_text(s->partial, PLAN_NAME, mine, true) == 0)
        return 0;
    if (errno != EEXIST)
        return err_set(e, "%s/%s: %s", s->partial, PLAN_NAME, strerror(errno));
    FILE *f = fopen(join(path, s->partial, PLAN_NAME), "re");
    if (!f)
        return err_set(e, "%s: %s", path, strerror(errno));
    size_t n = fread(theirs, 1, sizeof theirs - 1, f);
    fclose(f);
    theirs[n] = '\0';
    if (strcmp(mine, theirs) != 0)
        return err_set(e, "%s holds an unfinished set of other settings; remove it first",
                       s->partial);
    return 0;
}

int gen_set_begin(const struct gen_set *s, struct err *e)
{
    static const char *const folders[] = {".", "train", "validation"};
    char path[PATH_MAX];
    int rc = look_at_out(s, e);

    if (rc != 0)
        return rc;
    for (int i = 0; i < 3; i++)
        if (mkdir(i ? join(path, s->partial, folders[i]) : strcpy(path, s->partial), 0777) < 0 &&
            errno != EEXIST)
            return err_set(e, "%s: %s", path, strerror(errno));
    return agree_on_plan(s, e);
}

static void parts_fini(struct parts *p)
{
    free(p->file);
    free(p->rows);
}

/* Takes the records of one part file; a torn one at its end is not there. */
static void read_part(const struct gen_set *s, struct parts *p, FILE *f)
{
    const size_t per = (size_t)s->samples_per_file;
    struct ridge_row *rows = malloc(per * sizeof *rows);
    char name[MANIFEST_PATH_SIZE], path[PATH_MAX];
    struct stat st;
    struct part one;

    while (rows && fread(&one, sizeof one, 1, f) == 1 && fread(rows, sizeof *rows, per, f) == per) {
        if (one.index >= files(s) || one.bytes == 0 || p->file[one.index].bytes ||
            strnlen(one.sha256, sizeof one.sha256) != 64)
            continue;
        file_name(s, one.index, name);
        if (stat(join(path, s->partial, name), &st) < 0 || (uint64_t)st.st_size != one.bytes)
            continue;
        p->file[one.index] = one;
        memcpy(p->rows + one.index * per, rows, per * sizeof *rows);
        p->found++;
    }
    free(rows);
}

static int parts_read(const struct gen_set *s, struct parts *p, struct err *e)
{
    char path[PATH_MAX];
    struct dirent *entry;
    DIR *d = opendir(s->partial);

    *p = (struct parts){0};
    if (!d)
        return err_set(e, "%s: %s", s->partial, strerror(errno));
    p->file = calloc(files(s), sizeof *p->file);
    p->rows = calloc(files(s) * (size_t)s->samples_per_file, sizeof *p->rows);
    if (!p->file || !p->rows) {
        closedir(d);
        parts_fini(p);
        return err_set(e, "no memory for the list of %" PRIu64 " files", files(s));
    }
    while ((entry = readdir(d))) {
        if (strncmp(entry->d_name, PART_HEAD, strlen(PART_HEAD)) != 0)
            continue;
        FILE *f = fopen(join(path, s->partial, entry->d_name), "re");
        if (!f)
            continue;
        read_part(s, p, f);
        fclose(f);
    }
    closedir(d);
    return 0;
}

/* A worker: its boxes, its part file. */
struct worker {
    const struct gen_set *set;
    struct field *box;     /* a file's cube */
    struct field *sample;  /* a sample's cube, == box when that is the same */
    int16_t *counts, *cut; /* of box, of sample */
    struct ridge_row *rows;
    int part; /* descriptor */
    char part_path[PATH_MAX];
};

static void worker_fini(struct worker *w)
{
    if (w->part >= 0)
        close(w->part);
    if (w->sample != w->box)
        field_destroy(w->sample);
    field_destroy(w->box);
    free(w->counts);
    free(w->cut);
    free(w->rows);
    *w = (struct worker){.part = -1};
}

static int worker_init(struct worker *w, const struct gen_set *s, struct err *e)
{
    char host[64] = "";
    const int edge = s->class->edge;

    *w = (struct worker){.set = s, .part = -1};
    w->box = field_create(s->edge, s->class->cell_mpc, s->class->particles, e);
    w->sample = w->box && edge != s->edge
                    ? field_create(edge, s->class->cell_mpc, s->class->particles, e)
                    : w->box;
    w->counts = malloc((size_t)cubed(s->edge) * COSMO_CHANNELS * sizeof *w->counts);
    w->cut = malloc((size_t)cubed(edge) * COSMO_CHANNELS * sizeof *w->cut);
    w->rows = calloc((size_t)s->samples_per_file, sizeof *w->rows);
    if (!w->box || !w->sample)
        goto fail;
    if (!w->counts || !w->cut || !w->rows) {
        err_set(e, "no memory for a cube of %d^3 cells", s->edge);
        goto fail;
    }
    gethostname(host, sizeof host - 1);
    snprintf(w->part_path, sizeof w->part_path, "%s/%s%s-%ld-XXXXXX", s->partial, PART_HEAD, host,
             (long)getpid());
    w->part = mkostemp(w->part_path, O_CLOEXEC | O_APPEND);
    if (w->part >= 0)
        return 0;
    err_set(e, "%s: %s", w->part_path, strerror(errno));
fail:
    worker_fini(w);
    return -1;
}

/* The samples that a cube is cut into, in the reader's order. */
static void cut_rows(struct worker *w, const double unit[COSMO_PARAMETERS])
{
    const int edge = w->set->class->edge, whole = w->set->edge, per = whole / edge;

    for (int i = 0; i < w->set->samples_per_file; i++) {
        const int corner[3] = {i / per / per * edge, i / per % per * edge, i % per * edge};
        for (int a = 0; a < edge; a++)
            for (int b = 0; b < edge; b++) {
                size_t from = ((size_t)(corner[0] + a) * (size_t)whole + (size_t)(corner[1] + b)) *
                                  (size_t)whole +
                              (size_t)corner[2];
                memcpy(w->cut +
                           ((size_t)a * (size_t)edge + (size_t)b) * (size_t)edge * COSMO_CHANNELS,
                       w->counts + from * COSMO_CHANNELS,
                       (size_t)edge * COSMO_CHANNELS * sizeof *w->cut);
            }
        ridge_features(w->sample, w->cut, w->rows[i].x);
        for (int p = 0; p < COSMO_PARAMETERS; p++)
            w->rows[i].y[p] = (float)unit[p];
    }
}

/* Record and rows in one write, so that they are torn together or not at all. */
static int append_part(struct worker *w, const struct part *one, struct err *e)
{
    const size_t rows = (size_t)w->set->samples_per_file * sizeof *w->rows;
    char *text = malloc(sizeof *one + rows);

    if (!text)
        return err_set(e, "no memory for a record");
    memcpy(text, one, sizeof *one);
    memcpy(text + sizeof *one, w->rows, rows);
    ssize_t n = write(w->part, text, sizeof *one + rows);
    free(text);
    if (n != (ssize_t)(sizeof *one + rows))
        return err_set(e, "%s: %s", w->part_path, n < 0 ? strerror(errno) : strerror(ENOSPC));
    return 0;
}

static int make_cube(struct worker *w, uint64_t i, struct err *e)
{
    const struct gen_set *s = w->set;
    const uint64_t sample = i < s->train ? i : VALIDATION_SAMPLE + i - s->train;
    struct gen_cube cube = {
        .counts = w->counts, .edge = s->edge, .layout = s->layout, .deflate = s->class->deflate};
    char name[MANIFEST_PATH_SIZE], path[PATH_MAX];
    struct part one = {.index = i};

    field_parameters(s->seed, sample, cube.unit);
    struct cosmology c = cosmology_from_unit(cube.unit);
    if (field_sample(w->box, &c, s->seed, sample, w->counts, e) < 0)
        return -1;
    cut_rows(w, cube.unit);
    file_name(s, i, name);
    if (gen_write(join(path, s->partial, name), &cube, one.sha256, &one.bytes, e) < 0)
        return -1;
    return append_part(w, &one, e);
}

int gen_set_share(const struct gen_set *s, uint64_t rank, uint64_t size, _Atomic uint64_t *made,
                  struct err *e)
{
    struct parts p;
    struct worker w;
    int rc = parts_read(s, &p, e);

    if (rc < 0)
        return -1;
    rc = worker_init(&w, s, e);
    for (uint64_t i = rank; rc == 0 && i < files(s); i += size) {
        if (p.file[i].bytes == 0)
            rc = make_cube(&w, i, e);
        if (rc == 0)
            atomic_fetch_add(made, 1);
    }
    worker_fini(&w);
    parts_fini(&p);
    return rc;
}

/* Baselines, list of files; then MANIFEST stands in OUT.partial. */
static int write_manifest(const struct gen_set *s, const struct parts *p, struct err *e)
{
    const size_t per = (size_t)s->samples_per_file;
    struct manifest m;
    char path[PATH_MAX];
    int rc = -1;

    describe(s, &m);
    m.n_files = files(s);
    m.files = calloc(m.n_files, sizeof *m.files);
    if (!m.files)
        return err_set(e, "no memory for the manifest");
    for (uint64_t i = 0; i < m.n_files; i++) {
        file_name(s, i, m.files[i].path);
        memcpy(m.files[i].sha256, p->file[i].sha256, sizeof m.files[i].sha256);
        m.files[i].bytes = p->file[i].bytes;
    }
    if (ridge_fit(p->rows, s->train * per, p->rows + s->train * per, s->validation * per,
                  &m.constant_mae, &m.ridge_mae, e) < 0)
        goto out;
    FILE *f = fopen(join(path, s->partial, MANIFEST_NAME), "we");
    if (f) {
        rc = manifest_write(&m, f) == 0 && syncfs(fileno(f)) == 0 ? 0 : -1;
        if (fclose(f) != 0)
            rc = -1;
    }
    if (rc < 0)
        err_set(e, "%s: %s", path, strerror(errno));
out:
    manifest_fini(&m);
    return rc;
}

/* Removes from OUT what only the making needed: parts, plan, temporary names. */
static void sweep(const struct gen_set *s)
{
    static const char *const folders[] = {"train", "validation", "."};
    char folder[PATH_MAX], path[2 * PATH_MAX];
    struct dirent *entry;

    for (int i = 0; i < 3; i++) {
        DIR *d = opendir(join(folder, s->out, folders[i]));
        while (d && (entry = readdir(d))) {
            const char *name = entry->d_name;
            size_t n = strlen(name);
            bool ours = i < 2 ? n > 4 && strcmp(name + n - 4, ".tmp") == 0
                              : strcmp(name, PLAN_NAME) == 0 || strcmp(name, LOCK_NAME) == 0 ||
                                    strncmp(name, PART_HEAD, strlen(PART_HEAD)) == 0;
            snprintf(path, sizeof path, "%s/%s", folder, name);
            if (ours)
                unlink(path);
        }
        if (d)
            closedir(d);
    }
}

/* rename(), and the name is on storage. */
static int publish(const struct gen_set *s, struct err *e)
{
    char parent[sizeof s->out];

    if (rename(s->partial, s->out) < 0)
        return err_set(e, "%s: %s", s->out, strerror(errno));
    strcpy(parent, s->out);
    char *slash = strrchr(parent, '/');
    if (slash)
        slash[slash == parent] = '\0';
    int fd = open(slash ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        atomic_sync_folder(fd);
        close(fd);
    }
    sweep(s);
    return 0;
}

int gen_set_finish(const struct gen_set *s, uint64_t *missing, struct err *e)
{
    char path[PATH_MAX];
    struct parts p;
    int rc = -1;

    *missing = 0;
    int lock = open(join(path, s->partial, LOCK_NAME), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (lock < 0) /* gone: another process published it */
        return errno == ENOENT ? look_at_out(s, e) : err_set(e, "%s: %s", path, strerror(errno));
    flock(lock, LOCK_EX); /* where locks do not work, one rename wins */
    if (access(s->partial, F_OK) < 0) {
        rc = look_at_out(s, e);
        goto out;
    }
    if (parts_read(s, &p, e) < 0)
        goto out;
    *missing = files(s) - p.found;
    rc = 0;
    if (*missing == 0 && (rc = write_manifest(s, &p, e)) == 0)
        rc = publish(s, e) == 0 || look_at_out(s, e) == 1 ? 1 : -1;
    parts_fini(&p);
out:
    close(lock);
    return rc;
}
