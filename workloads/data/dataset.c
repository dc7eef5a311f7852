/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/data/dataset.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workloads/data/cube.h"

struct entry {
    char *name;     /* below the folder */
    uint64_t bytes; /* as the manifest says; 0: foreign */
};

struct dataset {
    struct dataset_info info;
    char folder[PATH_MAX];
    struct entry *files;
    uint64_t n_files;
    struct cube_shape shape;
    int per_file; /* samples */
    struct chunk_scratch scratch;
};

static const char *const split_names[] = {"train", "validation"};

static int add_file(struct dataset *d, const char *folder, const char *name, uint64_t bytes,
                    struct err *e)
{
    char path[PATH_MAX];
    uint64_t n = d->n_files;

    if (n == MANIFEST_MAX_FILES)
        return err_set(e, "%s: more than %d files", d->folder, MANIFEST_MAX_FILES);
    if ((n & (n - 1)) == 0) { /* 0, 1, 2, 4, ... are full */
        void *p = realloc(d->files, (n ? 2 * n : 1) * sizeof *d->files);
        if (!p)
            return err_set(e, "no memory for a list of %llu files", (unsigned long long)n);
        d->files = p;
    }
    snprintf(path, sizeof path, "%s%s%s", folder, *folder ? "/" : "", name);
    d->files[n] = (struct entry){strdup(path), bytes};
    if (!d->files[n].name)
        return err_set(e, "no memory for a list of %llu files", (unsigned long long)n);
    d->n_files++;
    return 0;
}

static bool is_cube_name(const char *name)
{
    const char *dot = strrchr(name, '.');

    return name[0] != '.' && dot && (strcmp(dot, ".hdf5") == 0 || strcmp(dot, ".h5") == 0);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

/* All cubes of DIR/SPLIT, by name. */
static int list_folder(struct dataset *d, const char *split, struct err *e)
{
    char path[PATH_MAX];
    struct dirent *entry;
    int rc = 0;

    if ((size_t)snprintf(path, sizeof path, "%s/%s", d->folder, split) >= sizeof path)
        return err_set(e, "the path '%.80s...' is too long", d->folder);
    DIR *dir = opendir(path);
    if (!dir)
        return err_set(e, "%s: %s, expected a folder of .hdf5 files", path, strerror(errno));
    while (rc == 0 && (entry = readdir(dir)))
        if (is_cube_name(entry->d_name))
            rc = add_file(d, split, entry->d_name, 0, e);
    closedir(dir);
    if (rc == 0 && d->n_files == 0)
        rc = err_set(e, "%s: no .hdf5 or .h5 file in it", path);
    if (rc == 0)
        qsort(d->files, d->n_files, sizeof *d->files, by_name);
    return rc;
}

/* What the manifest says. 1: there is none. */
static int list_manifest(struct dataset *d, enum dataset_split split, struct err *e)
{
    struct manifest m;
    uint64_t total = 0;
    int rc = manifest_read(&m, d->folder, d->info.manifest_sha256, e);

    if (rc != 0)
        return rc;
    const uint64_t first = split == DATASET_TRAIN ? 0 : m.train;
    const uint64_t end = split == DATASET_TRAIN ? m.train : m.n_files;
    for (uint64_t i = first; rc == 0 && i < end; i++) {
        rc = add_file(d, "", m.files[i].path, m.files[i].bytes, e);
        total += m.files[i].bytes;
    }
    if (rc == 0 && d->n_files == 0)
        rc = err_set(e, "%s: its manifest lists no %s file", d->folder, split_names[split]);
    if (rc == 0) {
        d->info.generated = true;
        d->info.ridge_mae = measured(m.ridge_mae);
        d->info.constant_mae = measured(m.constant_mae);
        d->info.stored_bytes = total / d->n_files;
    }
    manifest_fini(&m);
    return rc;
}

/* folder/name of a file; false when it does not fit. */
static bool file_path(const struct dataset *d, uint64_t file, char path[PATH_MAX])
{
    return (size_t)snprintf(path, PATH_MAX, "%s/%s", d->folder, d->files[file].name) < PATH_MAX;
}

/* The first file speaks for all. */
static int probe(struct dataset *d, int edge, struct err *e)
{
    char path[PATH_MAX];
    struct stat st;

    if (!file_path(d, 0, path))
        return err_set(e, "the path '%.80s...' is too long", d->folder);
    if (cube_probe(path, &d->shape, e) < 0)
        return -1;
    d->shape.edge = edge ? edge : d->shape.whole;
    if (d->shape.whole % d->shape.edge != 0)
        return err_set(e, "%s: a cube of %d^3 cells, expected %d^3 or a multiple of it", path,
                       d->shape.whole, edge);
    if (d->shape.layout == DATA_CUT && d->shape.whole != d->shape.edge)
        return err_set(e, "%s: samples of %d^3 cells, expected %d^3", path, d->shape.whole, edge);
    if (!d->info.stored_bytes && stat(path, &st) == 0)
        d->info.stored_bytes = (uint64_t)st.st_size;
    const uint64_t side = (uint64_t)d->shape.edge;
    const int per = d->shape.whole / d->shape.edge;
    d->per_file = per * per * per;
    d->info.layout = d->shape.layout;
    d->info.type = d->shape.type;
    memcpy(d->info.stored, d->shape.stored, sizeof d->info.stored);
    d->info.edge = d->shape.edge;
    d->info.channels = COSMO_CHANNELS;
    d->info.samples = d->n_files * (uint64_t)d->per_file;
    d->info.values = side * side * side * COSMO_CHANNELS;
    d->info.stored_bytes /= (uint64_t)d->per_file;
    d->info.periodic = d->info.generated && d->per_file == 1;
    return 0;
}

struct dataset *dataset_open(const char *folder, enum dataset_split split, int edge, struct err *e)
{
    const char *foreign = "the data were not generated here";
    struct dataset *d = calloc(1, sizeof *d);

    if (!d) {
        err_set(e, "no memory for a data set");
        return NULL;
    }
    d->info.ridge_mae = d->info.constant_mae = unmeasured(foreign);
    int rc = (size_t)snprintf(d->folder, sizeof d->folder, "%s", folder) < sizeof d->folder
                 ? list_manifest(d, split, e)
                 : err_set(e, "the path '%.80s...' is too long", folder);
    if (rc == 1) {
        if (e)
            e->text[0] = '\0'; /* no manifest is no failure */
        rc = list_folder(d, split_names[split], e);
    }
    if (rc == 0)
        rc = probe(d, edge, e);
    if (rc == 0)
        return d;
    dataset_close(d);
    return NULL;
}

void dataset_close(struct dataset *d)
{
    if (!d)
        return;
    int kept = errno;
    for (uint64_t i = 0; i < d->n_files; i++)
        free(d->files[i].name);
    free(d->files);
    chunk_scratch_fini(&d->scratch);
    free(d);
    errno = kept;
}

const struct dataset_info *dataset_info(const struct dataset *d)
{
    return &d->info;
}

int dataset_read_with(const struct dataset *d, struct chunk_scratch *s, uint64_t i, void *cube,
                      const struct cube_sink *sink, float *y, uint64_t *bytes, struct err *e)
{
    char path[PATH_MAX];
    uint64_t read = 0;

    if (i >= d->info.samples)
        return err_set(e, "sample %llu of %s is not there: it has %llu", (unsigned long long)i,
                       d->folder, (unsigned long long)d->info.samples);
    const uint64_t file = i / (uint64_t)d->per_file;
    const int part = (int)(i % (uint64_t)d->per_file);
    if (!file_path(d, file, path))
        return err_set(e, "the path '%.80s...' is too long", d->folder);
    if (cube_read(path, &d->shape, part, d->files[file].bytes, s, cube, sink, y, &read, e) < 0)
        return -1;
    if (bytes)
        *bytes = read;
    return 0;
}

int dataset_read(struct dataset *d, uint64_t i, void *cube, float *y, uint64_t *bytes,
                 struct err *e)
{
    return dataset_read_with(d, &d->scratch, i, cube, NULL, y, bytes, e);
}

void dataset_will_read(const struct dataset *d, uint64_t i)
{
    char path[PATH_MAX];
    struct stat st;

    if (d->per_file != 1 || i >= d->info.samples || !file_path(d, i, path))
        return;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED);
    close(fd);
}

int dataset_read_labels(struct dataset *d, uint64_t i, float *y, struct err *e)
{
    return dataset_read(d, i, NULL, y, NULL, e);
}
