/* SPDX-License-Identifier: BSD-3-Clause */
/* Imported arrays as an HDF5 file. */
#include <config.h>

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/slurp.h"
#include "workloads/data/h5_image.h"
#include "workloads/data/import.h"

enum { MOST_SETS = 4096, SET_NAME = 256 };

#define MOST_BYTES ((size_t)1 << 34)
#define MOST_WORDS ((size_t)1 << 16) /* of a sidecar */

struct target {
    const struct import_order *order;
    struct h5_image *file;
    FILE *say;
    bool seen[IMPORT_WANTED];
    int n_sets;
    char (*set)[SET_NAME]; /* paths that were written [n_sets] */
};

/* Length of the name in "NAME" or "NAME:PATH". */
static size_t name_length(const char *wanted)
{
    return strcspn(wanted, ":");
}

static int find_wanted(const struct target *t, const char *name)
{
    for (int i = 0; i < t->order->n_wanted; i++) {
        const char *w = t->order->wanted[i];
        if (strlen(name) == name_length(w) && strncmp(name, w, strlen(name)) == 0)
            return i;
    }
    return -1;
}

static bool wants(void *ctx, const char *name)
{
    const struct target *t = ctx;

    return t->order->n_wanted == 0 || find_wanted(t, name) >= 0;
}

/* Where it goes; -1 and a sentence when that is no path of a dataset, or taken. */
static int path_of(struct target *t, const char *name, char path[SET_NAME], struct err *e)
{
    const int i = find_wanted(t, name);
    const char *colon = i >= 0 ? strchr(t->order->wanted[i], ':') : NULL;
    const char *to = colon ? colon + 1 : name;

    if (i >= 0)
        t->seen[i] = true;
    if (!*to || *to == '/' || to[strlen(to) - 1] == '/' || strstr(to, "//") ||
        strlen(to) >= SET_NAME)
        return err_set(e, "'%.80s' is not the path of a dataset: give NAME:PATH, like SST:sea/sst",
                       to);
    for (int k = 0; k < t->n_sets; k++)
        if (strcmp(t->set[k], to) == 0)
            return err_set(e, "two arrays would be called '%.80s': choose with --variable", to);
    if (t->n_sets == MOST_SETS)
        return err_set(e, "more than %d arrays: choose some with --variable", MOST_SETS);
    char(*more)[SET_NAME] = realloc(t->set, ((size_t)t->n_sets + 1) * sizeof *more);
    if (!more)
        return err_set(e, "no memory for the name '%.80s'", to);
    t->set = more;
    snprintf(t->set[t->n_sets++], SET_NAME, "%s", to);
    snprintf(path, SET_NAME, "%s", to);
    return 0;
}

/* "SST: 12 x 90 x 180, -1.8 to 30.1, 38.2 % missing" */
static void say(const struct target *t, const char *path, const struct import_array *a)
{
    double least = INFINITY, most = -INFINITY;
    uint64_t missing = 0;

    for (uint64_t i = 0; i < a->values; i++) {
        const double v = (double)a->v[i];
        missing += !isfinite(v);
        least = isfinite(v) && v < least ? v : least;
        most = isfinite(v) && v > most ? v : most;
    }
    fprintf(t->say, "%s: ", path);
    for (int i = 0; i < a->rank; i++)
        fprintf(t->say, "%s%" PRIu64, i ? " x " : "", a->dims[i]);
    fputs(a->rank ? ", " : "one number, ", t->say);
    if (missing < a->values)
        fprintf(t->say, "%g to %g", least, most);
    fprintf(t->say, "%s%.3g %% missing\n", missing < a->values ? ", " : "",
            100 * (double)missing / (double)a->values);
}

static int put(void *ctx, const struct import_array *a, struct err *e)
{
    struct target *t = ctx;
    char path[SET_NAME];

    if (path_of(t, a->name, path, e) < 0)
        return -1;
    if (h5_image_put(t->file, path, NUMBER_FLOAT, a->rank, a->dims, NULL, 0, a->v) < 0)
        return err_set(e, "'%s' cannot be put into an HDF5 file", path);
    say(t, path, a);
    return 0;
}

static int format_of(const struct import_order *o, enum import_format *to, struct err *e)
{
    static const struct {
        const char *name, *ending;
        enum import_format format;
    } rows[] = {{"netcdf", ".nc", IMPORT_NETCDF}, {"netcdf", ".cdf", IMPORT_NETCDF},
                {"csv", ".csv", IMPORT_CSV},      {"csv", ".tsv", IMPORT_CSV},
                {"raw", ".raw", IMPORT_RAW},      {"raw", ".bin", IMPORT_RAW},
                {"raw", ".dat", IMPORT_RAW}};
    const size_t n = strlen(o->input);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const size_t k = strlen(rows[i].ending);
        if (o->format ? strcmp(o->format, rows[i].name) == 0
                      : n > k && strcmp(o->input + n - k, rows[i].ending) == 0) {
            *to = rows[i].format;
            return 0;
        }
    }
    return err_set(e, "%s: give --format=netcdf, raw or csv", o->format ? o->format : o->input);
}

static char *read_whole(const char *path, size_t most, size_t *size, struct err *e)
{
    char *text = slurp(AT_FDCWD, path, 0, most, size);

    if (!text)
        err_set(e, "%s: %s", path, errno == EFBIG ? "it is too large to import" : strerror(errno));
    return text;
}

/* Both files of an order. */
static int read_input(const struct import_order *o, enum import_format format, char **data,
                      size_t *size, char **sidecar, struct err *e)
{
    char path[4096];
    size_t n;

    *data = read_whole(o->input, MOST_BYTES, size, e);
    if (!*data || format != IMPORT_RAW)
        return *data ? 0 : -1;
    snprintf(path, sizeof path, "%s.txt", o->input);
    *sidecar = read_whole(o->sidecar ? o->sidecar : path, MOST_WORDS, &n, e);
    return *sidecar ? 0 : -1;
}

static int check_wanted(const struct target *t, struct err *e)
{
    for (int i = 0; i < t->order->n_wanted; i++)
        if (!t->seen[i])
            return err_set(e, "%s has no array of numbers '%.*s'", t->order->input,
                           (int)name_length(t->order->wanted[i]), t->order->wanted[i]);
    return t->n_sets ? 0 : err_set(e, "%s has no arrays of numbers", t->order->input);
}

int import_file(const struct import_order *o, FILE *talk, struct err *e)
{
    struct target t = {.order = o, .say = talk};
    const struct import_sink to = {wants, put, &t};
    enum import_format format = IMPORT_NETCDF;
    char *data = NULL, *sidecar = NULL, sha256[SHA256_HEX_SIZE];
    uint64_t bytes;
    size_t size;
    int rc = -1;

    if (format_of(o, &format, e) < 0 || read_input(o, format, &data, &size, &sidecar, e) < 0)
        goto out;
    t.file = h5_image_begin(e);
    if (!t.file ||
        import_bytes(format, (const unsigned char *)data, size, o->input, sidecar, &to, e) < 0 ||
        check_wanted(&t, e) < 0)
        goto out;
    rc = h5_image_write(t.file, o->output, sha256, &bytes, e);
    t.file = NULL;
out:
    if (t.file)
        h5_image_drop(t.file);
    free(t.set);
    free(sidecar);
    free(data);
    return rc;
}
