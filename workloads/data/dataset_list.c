/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/data/dataset_list.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "workloads/data/manifest.h"

enum { SPLIT_NAMES = 3 };

/* Of a folder with a split's files, or of its one file; the first that is there. */
static const char *const split_names[][SPLIT_NAMES] = {
    [DATASET_TRAIN] = {"train"},
    [DATASET_VALIDATION] = {"validation", "val", "valid"},
};

static const char *const endings[] = {".h5", ".hdf5"};

static int add_file(struct dataset_list *l, const char *folder, const char *name, uint64_t bytes,
                    struct err *e)
{
    char path[PATH_MAX];
    uint64_t n = l->n;

    if (n == MANIFEST_MAX_FILES)
        return err_set(e, "more than %d files in '%s'", MANIFEST_MAX_FILES, folder);
    if ((n & (n - 1)) == 0) { /* 0, 1, 2, 4, ... are full */
        void *p = realloc(l->files, (n ? 2 * n : 1) * sizeof *l->files);
        if (!p)
            return err_set(e, "no memory for a list of %llu files", (unsigned long long)n);
        l->files = p;
    }
    snprintf(path, sizeof path, "%s%s%s", folder, *folder ? "/" : "", name);
    l->files[n] = (struct dataset_file){strdup(path), bytes};
    if (!l->files[n].name)
        return err_set(e, "no memory for a list of %llu files", (unsigned long long)n);
    l->n++;
    return 0;
}

static bool is_sample_name(const char *name, const struct science *s)
{
    const char *dot = strrchr(name, '.');

    for (int i = 0; i < SCIENCE_PARTS && s->side_files[i]; i++)
        if (strcmp(name, s->side_files[i]) == 0)
            return false;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (name[0] != '.' && dot && strcmp(dot, endings[i]) == 0)
            return true;
    return false;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct dataset_file *)a)->name, ((const struct dataset_file *)b)->name);
}

/* All files of DIR/SPLIT by name, "": of the folder itself. 1: there is no such folder. */
static int list_folder(struct dataset_list *l, const char *folder, const char *split,
                       const struct science *s, struct err *e)
{
    char path[PATH_MAX];
    struct dirent *entry;
    int rc = 0;

    if ((size_t)snprintf(path, sizeof path, "%s%s%s", folder, *split ? "/" : "", split) >=
        sizeof path)
        return err_set(e, "the path '%.80s...' is too long", folder);
    DIR *dir = opendir(path);
    if (!dir)
        return errno == ENOENT ? 1 : err_set(e, "%s: %s", path, strerror(errno));
    while (rc == 0 && (entry = readdir(dir)))
        if (is_sample_name(entry->d_name, s))
            rc = add_file(l, split, entry->d_name, 0, e);
    closedir(dir);
    if (rc == 0 && l->n == 0 && *split)
        rc = err_set(e, "%s: no .hdf5 or .h5 file in it", path);
    if (rc == 0 && l->n > 0)
        qsort(l->files, l->n, sizeof *l->files, by_name);
    return rc;
}

/* DIR/SPLIT.h5. 1: there is none. */
static int list_file(struct dataset_list *l, const char *folder, const char *split, struct err *e)
{
    char path[PATH_MAX], name[32];
    struct stat st;

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        snprintf(name, sizeof name, "%s%s", split, endings[i]);
        if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, name) >= sizeof path)
            return err_set(e, "the path '%.80s...' is too long", folder);
        if (stat(path, &st) == 0)
            return add_file(l, "", name, 0, e);
    }
    return 1;
}

/* A split by any of its names. 1: there is none. */
static int list_split(struct dataset_list *l, const char *folder, enum dataset_split split,
                      const struct science *s, struct err *e)
{
    const char *const *names = split_names[split];
    int rc = 1;

    for (int i = 0; i < SPLIT_NAMES && names[i] && rc == 1; i++) {
        rc = list_folder(l, folder, names[i], s, e);
        if (rc == 1)
            rc = list_file(l, folder, names[i], e);
    }
    return rc;
}

/* A folder that has neither split: the last eighth of its files by name, at least one,
 * is for validation, so that neighbours in time do not stand on both sides. 1: there
 * is no file. */
static int split_here(struct dataset_list *l, const char *folder, enum dataset_split split,
                      const struct science *s, struct err *e)
{
    int rc = list_folder(l, folder, "", s, e);

    if (rc != 0 || l->n == 0)
        return rc == 0 ? 1 : rc;
    if (l->n == 1)
        return err_set(e,
                       "%s: has one file and no folders 'train' and 'validation'; a set needs "
                       "files for both",
                       folder);
    const uint64_t validation = l->n / 8 ? l->n / 8 : 1, train = l->n - validation;
    const uint64_t first = split == DATASET_TRAIN ? train : 0;
    const uint64_t drop = split == DATASET_TRAIN ? validation : train;
    for (uint64_t i = first; i < first + drop; i++)
        free(l->files[i].name);
    memmove(l->files + first, l->files + first + drop, (l->n - first - drop) * sizeof *l->files);
    l->n -= drop;
    return 0;
}

static int list_found(struct dataset_list *l, struct dataset_info *info, const char *folder,
                      enum dataset_split split, const struct science *s, struct err *e)
{
    const enum dataset_split other = split == DATASET_TRAIN ? DATASET_VALIDATION : DATASET_TRAIN;
    struct dataset_list none = {0};
    struct stat st;
    int rc = list_split(l, folder, split, s, e);

    if (rc != 1)
        return rc;
    if (stat(folder, &st) < 0)
        return err_set(e, "%s: %s", folder, strerror(errno));
    rc = list_split(&none, folder, other, s, NULL); /* an empty one is there, too */
    dataset_list_fini(&none);
    if (rc == 1 && (rc = split_here(l, folder, split, s, e)) != 1) {
        info->split_here = rc == 0;
        return rc;
    }
    return err_set(e, "%s: has neither a folder '%s' of .hdf5 files nor a file %s.h5", folder,
                   split_names[split][0], split_names[split][0]);
}

static void take_baselines(struct dataset_info *info, const struct manifest *m,
                           const struct science *s)
{
    for (int i = 0; i < SCIENCE_BASELINES && s->baselines[i]; i++) {
        info->baseline[i] = unmeasured("the manifest does not have it");
        for (int k = 0; k < m->n_baselines; k++)
            if (strcmp(m->baseline[k].name, s->baselines[i]) == 0)
                info->baseline[i] = measured(m->baseline[k].value);
    }
}

/* What the manifest says. 1: there is none. */
static int list_manifest(struct dataset_list *l, struct dataset_info *info, const char *folder,
                         enum dataset_split split, const struct science *s, struct err *e)
{
    struct manifest m;
    uint64_t total = 0;
    int rc = manifest_read(&m, folder, info->manifest_sha256, e);

    if (rc != 0)
        return rc;
    if (strcmp(m.science, s->name) != 0)
        rc = err_set(e, "%s: its manifest says data of '%s', expected '%s'", folder, m.science,
                     s->name);
    const uint64_t first = split == DATASET_TRAIN ? 0 : m.train;
    const uint64_t end = split == DATASET_TRAIN ? m.train : m.n_files;
    for (uint64_t i = first; rc == 0 && i < end; i++) {
        rc = add_file(l, "", m.files[i].path, m.files[i].bytes, e);
        total += m.files[i].bytes;
    }
    if (rc == 0 && l->n == 0)
        rc = err_set(e, "%s: its manifest lists no %s file", folder, split_names[split][0]);
    if (rc == 0) {
        info->generated = true;
        take_baselines(info, &m, s);
        info->stored_bytes = total / l->n;
    }
    manifest_fini(&m);
    return rc;
}

static void no_baselines(struct dataset_info *info)
{
    for (int i = 0; i < SCIENCE_BASELINES; i++)
        info->baseline[i] = unmeasured("the data were not generated here");
}

int dataset_list_file(struct dataset_list *l, struct dataset_info *info, const char *name,
                      struct err *e)
{
    no_baselines(info);
    return add_file(l, "", name, 0, e);
}

int dataset_list(struct dataset_list *l, struct dataset_info *info, const char *folder,
                 enum dataset_split split, const struct science *s, struct err *e)
{
    no_baselines(info);
    int rc = list_manifest(l, info, folder, split, s, e);
    if (rc == 1) {
        if (e)
            e->text[0] = '\0'; /* no manifest is no failure */
        rc = list_found(l, info, folder, split, s, e);
    }
    return rc;
}

void dataset_list_fini(struct dataset_list *l)
{
    for (uint64_t i = 0; i < l->n; i++)
        free(l->files[i].name);
    free(l->files);
    *l = (struct dataset_list){0};
}
