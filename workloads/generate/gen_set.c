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
#include "reports/core/slurp.h"
#include "workloads/generate/gen_file.h"
#include "workloads/generate/gen_part.h"

#define PLAN_NAME "PLAN"
#define LOCK_NAME "LOCK"

enum { PLAN_MAX_BYTES = 1 << 16 };

static uint64_t files(const struct gen_set *s)
{
    return s->train + s->validation;
}

/* folder/name into path; the folders of a set leave room for our own names. */
static const char *join(char path[PATH_MAX], const char *folder, const char *name)
{
    snprintf(path, PATH_MAX, "%s/%s", folder, name);
    return path;
}

int gen_set_init(struct gen_set *s, const struct generator *g, const struct data_class *class,
                 const struct layout *layout, uint64_t seed, uint64_t train, uint64_t validation,
                 const char *out, struct err *e)
{
    size_t n = strlen(out);

    while (n > 1 && out[n - 1] == '/')
        n--;
    if (n == 0 || n >= sizeof s->out)
        return err_set(e, "the folder's name must have 1 to %zu bytes", sizeof s->out - 1);
    *s = (struct gen_set){
        .generator = g, .science = g->science, .class = class, .layout = layout, .seed = seed};
    s->train_samples = train ? train : (uint64_t) class->train;
    s->validation_samples = validation ? validation : (uint64_t) class->validation;
    s->per_file = science_per_file(s->science, layout, class);
    s->train = (s->train_samples + s->per_file - 1) / s->per_file;
    s->validation = (s->validation_samples + s->per_file - 1) / s->per_file;
    if (layout->cut) { /* a file is always whole */
        s->train_samples = s->train * s->per_file;
        s->validation_samples = s->validation * s->per_file;
    }
    if (files(s) > MANIFEST_MAX_FILES)
        return err_set(e, "%" PRIu64 " files, expected at most %d", files(s), MANIFEST_MAX_FILES);
    memcpy(s->out, out, n);
    snprintf(s->partial, sizeof s->partial, "%s.partial", s->out);
    return 0;
}

uint64_t gen_set_bytes(const struct gen_set *s)
{
    return (uint64_t)((double)(s->train_samples + s->validation_samples) *
                      (double)science_sample_bytes(s->science, s->class) / s->class->deflates);
}

/* The manifest as far as it is known before the first file. */
static void describe(const struct gen_set *s, struct manifest *m)
{
    const struct generator *g = s->generator;

    memset(m, 0, sizeof *m);
    snprintf(m->science, sizeof m->science, "%s", s->science->name);
    snprintf(m->class_name, sizeof m->class_name, "%s", runspec_class_name(s->class->class));
    snprintf(m->layout, sizeof m->layout, "%s", s->layout->name);
    m->generator = s->science->version;
    h5_image_build(m->build, sizeof m->build, g->libraries ? g->libraries() : "");
    m->seed = s->seed;
    m->train = s->train;
    m->validation = s->validation;
    m->train_samples = s->train_samples;
    m->validation_samples = s->validation_samples;
    if (g->notes)
        g->notes(s->class, m);
}

/* Head of the manifest as one text, malloc'ed: two sets are the same when it
 * is. NULL: no memory. */
static char *plan_text(const struct manifest *m)
{
    struct manifest head = *m;
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return NULL;
    head.n_baselines = 0;
    head.files = NULL;
    head.n_files = 0;
    int rc = manifest_write(&head, f);
    if (fclose(f) == 0 && rc == 0)
        return text;
    free(text);
    return NULL;
}

/* The manifest that OUT has is this set's: 1; else -1. */
static int compare(const struct gen_set *s, const struct manifest *have, struct err *e)
{
    struct manifest want;

    describe(s, &want);
    char *a = plan_text(&want), *b = plan_text(have);
    int rc = a && b ? strcmp(a, b) : err_set(e, "no memory for the plan of %s", s->out);
    if (rc == 0)
        rc = manifest_verify(have, s->out, 8, e) < 0 ? -1 : 1;
    else if (a && b)
        rc = err_set(e,
                     "%s holds another set (%s, class %s, layout %s, seed %" PRIu64 ", %" PRIu64
                     " + %" PRIu64 " samples, build %s)",
                     s->out, have->science, have->class_name, have->layout, have->seed,
                     have->train_samples, have->validation_samples, have->build);
    free(a);
    free(b);
    return rc;
}

/* 1: OUT holds this set; 0: OUT is free; -1. */
static int look_at_out(const struct gen_set *s, struct err *e)
{
    struct manifest have;
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
    rc = compare(s, &have, e);
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
    char path[PATH_MAX];
    char *theirs = NULL;
    size_t n = 0;
    int rc = -1;

    describe(s, &want);
    char *mine = plan_text(&want);
    if (!mine)
        return err_set(e, "no memory for the plan of %s", s->out);
    join(path, s->partial, PLAN_NAME);
    if (put_text(s->partial, PLAN_NAME, mine, true) == 0)
        rc = 0;
    else if (errno != EEXIST || !(theirs = slurp(AT_FDCWD, path, 0, PLAN_MAX_BYTES, &n)))
        err_set(e, "%s: %s", path, strerror(errno));
    else if (n == strlen(mine) && memcmp(mine, theirs, n) == 0)
        rc = 0;
    else
        err_set(e, "%s holds an unfinished set of other settings; remove it first", s->partial);
    free(mine);
    free(theirs);
    return rc;
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

/* Makes file i and says it in the part file. */
static int make_file(struct gen_file *file, struct part_writer *w, uint64_t i, float *features,
                     struct err *e)
{
    char name[MANIFEST_PATH_SIZE], path[PATH_MAX];
    struct part one = {.index = i};

    gen_set_name(w->set, i, name);
    if (gen_file_make(file, i, join(path, w->set->partial, name), features, one.sha256, &one.bytes,
                      e) < 0)
        return -1;
    return part_append(w, &one, features, e);
}

int gen_set_share(const struct gen_set *s, uint64_t rank, uint64_t size, _Atomic uint64_t *made,
                  struct err *e)
{
    struct parts p;
    struct part_writer w = {.fd = -1};
    int rc = parts_read(s, &p, e);

    if (rc < 0)
        return -1;
    struct gen_file *file = gen_file_open(s, e);
    float *features = calloc(s->per_file * (size_t)s->generator->features + 1, sizeof *features);
    if (file && !features)
        err_set(e, "no memory for the features of a file");
    rc = file && features ? part_open(&w, s, e) : -1;
    for (uint64_t i = rank; rc == 0 && i < files(s); i += size) {
        if (p.file[i].bytes == 0)
            rc = make_file(file, &w, i, features, e);
        if (rc == 0)
            atomic_fetch_add(made, 1);
    }
    part_close(&w);
    free(features);
    gen_file_close(file);
    parts_fini(&p);
    return rc;
}

/* What the science's simple predictors reach. */
static int take_baselines(const struct gen_set *s, const struct parts *p, struct manifest *m,
                          struct err *e)
{
    const size_t features = (size_t)s->generator->features;
    double value[SCIENCE_BASELINES] = {0};

    if (!s->generator->baselines)
        return 0;
    if (s->generator->baselines(p->features, s->train_samples,
                                p->features + s->train * s->per_file * features,
                                s->validation_samples, value, e) < 0)
        return -1;
    for (int i = 0; i < SCIENCE_BASELINES && s->science->baselines[i]; i++)
        if (!manifest_baseline(m, s->science->baselines[i], value[i]))
            return err_set(e, "the baseline %s is %g", s->science->baselines[i], value[i]);
    return 0;
}

/* The science's side file, which no list of files has: it is made of them. */
static int make_side_file(const struct gen_set *s, const struct parts *p, struct err *e)
{
    char sha256[SHA256_HEX_SIZE], path[PATH_MAX];
    uint64_t bytes;

    if (!s->generator->beside)
        return 0;
    struct h5_image *file = h5_image_begin(e);
    if (!file)
        return -1;
    if (s->generator->beside(p->features, s->train_samples, file, e) < 0) {
        h5_image_drop(file);
        return -1;
    }
    return h5_image_write(file, join(path, s->partial, s->science->side_files[0]), sha256, &bytes,
                          e);
}

/* Baselines, list of files; then MANIFEST stands in OUT.partial. */
static int write_manifest(const struct gen_set *s, const struct parts *p, struct err *e)
{
    struct manifest m;
    char path[PATH_MAX];
    int rc = -1;

    describe(s, &m);
    m.n_files = files(s);
    m.files = calloc(m.n_files, sizeof *m.files);
    if (!m.files)
        return err_set(e, "no memory for the manifest");
    for (uint64_t i = 0; i < m.n_files; i++) {
        gen_set_name(s, i, m.files[i].path);
        memcpy(m.files[i].sha256, p->file[i].sha256, sizeof m.files[i].sha256);
        m.files[i].bytes = p->file[i].bytes;
    }
    if (take_baselines(s, p, &m, e) < 0 || make_side_file(s, p, e) < 0)
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
            bool ours = (n > 4 && strcmp(name + n - 4, ".tmp") == 0) ||
                        (i == 2 && (strcmp(name, PLAN_NAME) == 0 || strcmp(name, LOCK_NAME) == 0 ||
                                    strncmp(name, PART_HEAD, strlen(PART_HEAD)) == 0));
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
