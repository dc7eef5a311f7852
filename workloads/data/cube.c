/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/data/cube.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <hdf5.h>

#include "workloads/data/inflate.h"

enum { AXES = 4, LANES = 32, MAX_FILTERS = 8, MAX_LABEL_CHUNK = 65536 };

static const uint64_t max_chunk_bytes = UINT64_C(1) << 30;

/* Names of the two layouts. */
static const struct {
    const char *cube, *labels;
} names[] = {[DATA_CUT] = {"x", "y"}, [DATA_RAW] = {"full", "unitPar"}};

static const size_t type_size[] = {
    [DATASET_INT16] = sizeof(int16_t), [DATASET_FLOAT] = sizeof(float)};

static pthread_mutex_t library = PTHREAD_MUTEX_INITIALIZER;

/* How the cube of an open file is stored. */
struct stored {
    const char *path; /* for sentences */
    const char *name;
    hid_t file, set;
    int fd;         /* HDF5's own descriptor of the file */
    uint64_t bytes; /* of the file */
    enum dataset_type type;
    uint64_t dims[AXES];
    bool by_offset; /* contiguous, or chunks whose filters are known here */
    bool chunked;
    uint64_t offset; /* contiguous */
    uint64_t chunk[AXES];
    size_t chunk_bytes; /* decoded */
    int filters;
    H5Z_filter_t filter[MAX_FILTERS];
};

/* The region of the dataset that is a sample. */
struct region {
    uint64_t corner[AXES], size[AXES];
};

/* Walking down HDF5's own stack, the last reason is the innermost. */
static herr_t innermost(unsigned n, const H5E_error2_t *error, void *text)
{
    (void)n;
    snprintf(text, 160, "%s", error->desc ? error->desc : "");
    return 0;
}

static int library_error(const struct stored *f, const char *what, struct err *e)
{
    char reason[160] = "";

    H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, innermost, reason);
    return err_set(e, "%s: %s%s%s%s", f->path, what, reason[0] ? " (HDF5: " : "", reason,
                   reason[0] ? ")" : "");
}

static void library_start(void)
{
    static __thread bool started; /* a thread-safe build has a stack of errors for each */

    if (started)
        return;
    started = true;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    H5PLset_loading_state(0); /* no filter, no driver from outside */
}

static int open_file(struct stored *f, const char *path, uint64_t expected, struct err *e)
{
    struct stat st;
    void *handle;

    *f = (struct stored){.path = path, .file = -1, .set = -1};
    if (stat(path, &st) < 0)
        return err_set(e, "%s: %s", path, strerror(errno));
    f->bytes = (uint64_t)st.st_size;
    if (!S_ISREG(st.st_mode))
        return err_set(e, "%s: not a regular file", path);
    if (expected && (uint64_t)st.st_size != expected)
        return err_set(e, "%s: %lld bytes, expected %" PRIu64, path, (long long)st.st_size,
                       expected);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fapl_sec2(access);
#if H5_VERSION_GE(1, 12, 1) || (H5_VERS_MAJOR == 1 && H5_VERS_MINOR == 10 && H5_VERS_RELEASE >= 7)
    H5Pset_file_locking(access, 0, 1); /* readers; some file systems have no locks */
#endif
    f->file = H5Fopen(path, H5F_ACC_RDONLY, access);
    if (f->file < 0)
        library_error(f, "no HDF5 file, or a damaged one", e);
    H5Pclose(access); /* empties HDF5's stack of errors */
    if (f->file < 0)
        return -1;
    if (H5Fget_vfd_handle(f->file, H5P_DEFAULT, &handle) < 0)
        return library_error(f, "has no descriptor", e);
    f->fd = *(int *)handle;
    return 0;
}

/* Nothing but a dataset of this very file, with its data in this file. */
static hid_t open_set(const struct stored *f, const char *name, struct err *e)
{
    H5L_info_t link;

    if (H5Lexists(f->file, name, H5P_DEFAULT) <= 0)
        return err_set(e, "%s: dataset '%s' is missing", f->path, name);
    if (H5Lget_info(f->file, name, &link, H5P_DEFAULT) < 0 || link.type != H5L_TYPE_HARD)
        return err_set(e, "%s: '%s' is a link, expected a dataset", f->path, name);
    hid_t set = H5Dopen2(f->file, name, H5P_DEFAULT);
    if (set < 0)
        return library_error(f, "its dataset cannot be opened", e);
    hid_t p = H5Dget_create_plist(set);
    bool foreign = H5Pget_external_count(p) != 0 || H5Pget_layout(p) == H5D_VIRTUAL;
    H5Pclose(p);
    if (foreign) {
        H5Dclose(set);
        return err_set(e, "%s: dataset '%s' keeps its data in other files", f->path, name);
    }
    return set;
}

/* Dimensions of a set of exactly `rank` axes. */
static int get_dims(const struct stored *f, hid_t set, const char *name, int rank, hsize_t *dims,
                    struct err *e)
{
    hid_t space = H5Dget_space(set);
    int have = H5Sget_simple_extent_ndims(space);
    int rc = 0;

    if (have != rank || H5Sget_simple_extent_dims(space, dims, NULL) != rank)
        rc = err_set(e, "%s: dataset '%s' has %d axes, expected %d", f->path, name, have, rank);
    H5Sclose(space);
    return rc;
}

/* Integers that int16 holds stay integers, other numbers become floats. */
static int get_type(struct stored *f, bool *native, struct err *e)
{
    hid_t type = H5Dget_type(f->set);
    H5T_class_t class = H5Tget_class(type);
    size_t size = H5Tget_size(type);
    bool narrow = size == 1 || (size == 2 && H5Tget_sign(type) == H5T_SGN_2);
    int rc = 0;

    f->type = class == H5T_INTEGER && narrow ? DATASET_INT16 : DATASET_FLOAT;
    *native = H5Tequal(type, f->type == DATASET_INT16 ? H5T_NATIVE_INT16 : H5T_NATIVE_FLOAT) > 0;
    if ((class != H5T_INTEGER && class != H5T_FLOAT) || size > 8)
        rc = err_set(e, "%s: dataset '%s' holds no numbers, expected int16 counts", f->path,
                     f->name);
    H5Tclose(type);
    return rc;
}

/* True when every filter is one that decode() undoes. */
static bool known_filters(struct stored *f, hid_t p)
{
    f->filters = H5Pget_nfilters(p);
    if (f->filters < 0 || f->filters > MAX_FILTERS)
        return false;
    for (int i = 0; i < f->filters; i++) {
        unsigned flags, config;
        size_t values = 0;
        f->filter[i] = H5Pget_filter2(p, (unsigned)i, &flags, &values, NULL, 0, NULL, &config);
        if (f->filter[i] != H5Z_FILTER_DEFLATE && f->filter[i] != H5Z_FILTER_SHUFFLE)
            return false;
    }
    return true;
}

static int get_storage(struct stored *f, bool native, struct err *e)
{
    hid_t p = H5Dget_create_plist(f->set), made = H5Fget_create_plist(f->file);
    H5D_layout_t layout = H5Pget_layout(p);
    hsize_t userblock = 1, chunk[AXES];
    uint64_t bytes = type_size[f->type];
    int rc = 0;

    H5Pget_userblock(made, &userblock);
    f->chunked = layout == H5D_CHUNKED;
    if (layout == H5D_CONTIGUOUS) {
        f->offset = H5Dget_offset(f->set);
        f->by_offset = f->offset != HADDR_UNDEF;
    } else if (f->chunked && H5Pget_chunk(p, AXES, chunk) == AXES) {
        for (int i = 0; i < AXES; i++) {
            f->chunk[i] = chunk[i];
            if (chunk[i] == 0 || bytes > max_chunk_bytes / chunk[i])
                rc = err_set(e, "%s: dataset '%s' has chunks of more than %" PRIu64 " bytes",
                             f->path, f->name, max_chunk_bytes);
            else
                bytes *= chunk[i];
        }
        f->chunk_bytes = (size_t)bytes;
        f->by_offset = known_filters(f, p);
    }
    f->by_offset = f->by_offset && native && userblock == 0;
    H5Pclose(made);
    H5Pclose(p);
    return rc;
}

/* Opens and checks the cube of a layout; caps come before any allocation. */
static int open_cube(struct stored *f, enum data_layout layout, struct err *e)
{
    hsize_t d[AXES];
    bool native;

    f->name = names[layout].cube;
    f->set = open_set(f, f->name, e);
    if (f->set < 0 || get_dims(f, f->set, f->name, AXES, d, e) < 0)
        return -1;
    if (d[0] < 4 || d[0] > DATASET_MAX_EDGE || d[1] != d[0] || d[2] != d[0] ||
        d[3] != COSMO_CHANNELS)
        return err_set(e,
                       "%s: dataset '%s' is (%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
                       "), expected (D,D,D,%d) with D from 4 to %d",
                       f->path, f->name, (uint64_t)d[0], (uint64_t)d[1], (uint64_t)d[2],
                       (uint64_t)d[3], COSMO_CHANNELS, DATASET_MAX_EDGE);
    for (int i = 0; i < AXES; i++)
        f->dims[i] = d[i];
    if (get_type(f, &native, e) < 0)
        return -1;
    return get_storage(f, native, e);
}

static void close_file(struct stored *f)
{
    if (f->set >= 0)
        H5Dclose(f->set);
    if (f->file >= 0)
        H5Fclose(f->file);
}

/* HDF5 makes room for what a file says of its chunks: before it reads any. */
static int check_stored(const struct stored *f, hid_t set, const char *name, struct err *e)
{
    uint64_t bytes = H5Dget_storage_size(set);

    if (bytes <= f->bytes)
        return 0;
    return err_set(e, "%s: dataset '%s' is said to take %" PRIu64 " bytes of a file of %" PRIu64,
                   f->path, name, bytes, f->bytes);
}

static int check_label_chunks(const struct stored *f, hid_t set, const char *name, struct err *e)
{
    hid_t p = H5Dget_create_plist(set);
    hsize_t chunk = 0;

    if (H5Pget_layout(p) == H5D_CHUNKED)
        H5Pget_chunk(p, 1, &chunk);
    H5Pclose(p);
    if (chunk <= MAX_LABEL_CHUNK)
        return check_stored(f, set, name, e);
    return err_set(e, "%s: dataset '%s' has chunks of %" PRIu64 " values, expected %d", f->path,
                   name, (uint64_t)chunk, DATASET_LABELS);
}

static int read_labels(const struct stored *f, enum data_layout layout, float *y, struct err *e)
{
    const char *name = names[layout].labels;
    hsize_t dims[1];
    int rc = -1;
    hid_t set = open_set(f, name, e);

    if (set < 0)
        return -1;
    hid_t type = H5Dget_type(set);
    if (get_dims(f, set, name, 1, dims, e) < 0)
        goto out;
    if (dims[0] != DATASET_LABELS) {
        err_set(e, "%s: dataset '%s' has %" PRIu64 " values, expected %d", f->path, name,
                (uint64_t)dims[0], DATASET_LABELS);
        goto out;
    }
    if (H5Tget_class(type) != H5T_FLOAT || H5Tget_size(type) > sizeof(double)) {
        err_set(e, "%s: dataset '%s' holds no floats", f->path, name);
        goto out;
    }
    if (check_label_chunks(f, set, name, e) < 0)
        goto out;
    if (H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, y) < 0) {
        library_error(f, "its labels cannot be read", e);
        goto out;
    }
    rc = 0;
    for (int i = 0; i < DATASET_LABELS && rc == 0; i++)
        if (!isfinite(y[i]))
            rc = err_set(e, "%s: dataset '%s' has %g at %d, expected a finite number", f->path,
                         name, (double)y[i], i);
out:
    H5Tclose(type);
    H5Dclose(set);
    return rc;
}

static int read_all(const struct stored *f, void *to, size_t n, uint64_t at, uint64_t *bytes,
                    struct err *e)
{
    char *p = to;

    *bytes += n;
    while (n > 0) {
        ssize_t got = pread(f->fd, p, n, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return err_set(e, "%s: %s where dataset '%s' should be", f->path,
                           got < 0 ? strerror(errno) : "the file ends", f->name);
        p += got;
        n -= (size_t)got;
        at += (uint64_t)got;
    }
    return 0;
}

/* Rows of the region, or all of it at once when it is the whole set. */
static int read_contiguous(const struct stored *f, const struct region *r, char *cube,
                           uint64_t *bytes, struct err *e)
{
    const uint64_t cell = type_size[f->type] * f->dims[3];
    const uint64_t row = r->size[2] * cell;

    if (r->size[0] == f->dims[0])
        return read_all(f, cube, (size_t)(f->dims[0] * f->dims[1] * f->dims[2] * cell), f->offset,
                        bytes, e);
    for (uint64_t a = 0; a < r->size[0]; a++)
        for (uint64_t b = 0; b < r->size[1]; b++, cube += row) {
            uint64_t at =
                ((r->corner[0] + a) * f->dims[1] + r->corner[1] + b) * f->dims[2] + r->corner[2];
            if (read_all(f, cube, (size_t)row, f->offset + at * cell, bytes, e) < 0)
                return -1;
        }
    return 0;
}

static int make_room(void **p, size_t *have, size_t want, struct err *e)
{
    if (*have >= want)
        return 0;
    void *q = realloc(*p, want);
    if (!q)
        return err_set(e, "no memory for a chunk of %zu bytes", want);
    *p = q;
    *have = want;
    return 0;
}

/* What decode() works in. */
static int make_plain(struct cube_scratch *s, size_t bytes, struct err *e)
{
    size_t other = s->plain_size;

    if (!s->inflate && !(s->inflate = inflate_create(false)))
        return err_set(e, "no memory to inflate chunks");
    return make_room(&s->plain[1], &other, bytes, e) < 0 ||
                   make_room(&s->plain[0], &s->plain_size, bytes, e) < 0
               ? -1
               : 0;
}

/* Bytes of equal rank were stored together: give each element its own again. */
static void unshuffle(const unsigned char *from, unsigned char *to, size_t bytes, size_t element)
{
    const size_t n = bytes / element;

    if (element == 2)
        for (size_t i = 0; i < n; i++) {
            to[2 * i] = from[i];
            to[2 * i + 1] = from[n + i];
        }
    else
        for (size_t b = 0; b < element; b++)
            for (size_t i = 0; i < n; i++)
                to[i * element + b] = from[b * n + i];
}

/* Undoes the filters from the last to the first, but for those that the mask
 * says were left out. Returns where the plain chunk is, NULL on damage. */
static const void *decode(const struct stored *f, struct cube_scratch *s, size_t stored,
                          unsigned mask)
{
    const void *at = s->stored;
    size_t have = stored;
    int next = 0;

    for (int i = f->filters - 1; i >= 0; i--) {
        if (mask & 1u << i)
            continue;
        void *to = s->plain[next];
        if (f->filter[i] == H5Z_FILTER_SHUFFLE) {
            if (have != f->chunk_bytes)
                return NULL;
            unshuffle(at, to, have, type_size[f->type]);
        } else {
            long n = inflate_run(s->inflate, at, have, to, f->chunk_bytes);
            if (n < 0)
                return NULL;
            have = (size_t)n;
        }
        at = to;
        next = !next;
    }
    return have == f->chunk_bytes ? at : NULL;
}

/* The part of the chunk at origin that lies in the region, into the cube. */
static void copy_overlap(const struct stored *f, const struct region *r, const uint64_t *origin,
                         const char *chunk, char *cube)
{
    const uint64_t element = type_size[f->type];
    uint64_t low[AXES], high[AXES], at[AXES];

    for (int i = 0; i < AXES; i++) {
        uint64_t end = r->corner[i] + r->size[i], chunk_end = origin[i] + f->chunk[i];
        low[i] = origin[i] > r->corner[i] ? origin[i] : r->corner[i];
        high[i] = chunk_end < end ? chunk_end : end;
    }
    const uint64_t run = (high[3] - low[3]) * element;
    const bool rows = f->chunk[3] == r->size[3]; /* cells are whole: copy rows of them */
    for (at[0] = low[0]; at[0] < high[0]; at[0]++)
        for (at[1] = low[1]; at[1] < high[1]; at[1]++)
            for (at[2] = low[2]; at[2] < high[2]; at[2]++) {
                uint64_t from = 0, to = 0;
                at[3] = low[3];
                for (int i = 0; i < AXES; i++) {
                    from = from * f->chunk[i] + at[i] - origin[i];
                    to = to * r->size[i] + at[i] - r->corner[i];
                }
                memcpy(cube + to * element, chunk + from * element,
                       (size_t)(rows ? (high[2] - at[2]) * run : run));
                if (rows)
                    break;
            }
}

/* One chunk by its offset. 1: the library must do it (not stored: fill value). */
static int read_chunk(const struct stored *f, const struct region *r, const uint64_t *origin,
                      struct cube_scratch *s, char *cube, uint64_t *bytes, struct err *e)
{
    const hsize_t at[AXES] = {origin[0], origin[1], origin[2], origin[3]};
    unsigned mask = 0;
    haddr_t where = HADDR_UNDEF;
    hsize_t size = 0;

    pthread_mutex_lock(&library);
    herr_t found = H5Dget_chunk_info_by_coord(f->set, at, &mask, &where, &size);
    pthread_mutex_unlock(&library);
    if (found < 0 || where == HADDR_UNDEF || size == 0)
        return 1;
    if (size > 2 * max_chunk_bytes)
        return err_set(e, "%s: dataset '%s' has a chunk of %" PRIu64 " bytes", f->path, f->name,
                       (uint64_t)size);
    if (make_room(&s->stored, &s->stored_size, (size_t)size, e) < 0)
        return -1;
    if (make_plain(s, f->chunk_bytes, e) < 0)
        return -1;
    if (read_all(f, s->stored, (size_t)size, where, bytes, e) < 0)
        return -1;
    const void *plain = decode(f, s, (size_t)size, mask);
    if (!plain)
        return err_set(e, "%s: dataset '%s' is damaged at (%" PRIu64 ",%" PRIu64 ",%" PRIu64 ")",
                       f->path, f->name, origin[0], origin[1], origin[2]);
    copy_overlap(f, r, origin, plain, cube);
    return 0;
}

static int read_chunks(const struct stored *f, const struct region *r, struct cube_scratch *s,
                       char *cube, uint64_t *bytes, struct err *e)
{
    uint64_t first[AXES], o[AXES];
    int rc = 0;

    for (int i = 0; i < AXES; i++)
        first[i] = r->corner[i] / f->chunk[i] * f->chunk[i];
    for (o[0] = first[0]; rc == 0 && o[0] < r->corner[0] + r->size[0]; o[0] += f->chunk[0])
        for (o[1] = first[1]; rc == 0 && o[1] < r->corner[1] + r->size[1]; o[1] += f->chunk[1])
            for (o[2] = first[2]; rc == 0 && o[2] < r->corner[2] + r->size[2]; o[2] += f->chunk[2])
                for (o[3] = first[3]; rc == 0 && o[3] < r->size[3]; o[3] += f->chunk[3])
                    rc = read_chunk(f, r, o, s, cube, bytes, e);
    return rc;
}

static int read_by_library(const struct stored *f, const struct region *r, void *cube,
                           uint64_t *bytes, struct err *e)
{
    hsize_t corner[AXES], size[AXES];
    int rc = 0;

    for (int i = 0; i < AXES; i++) {
        corner[i] = r->corner[i];
        size[i] = r->size[i];
    }
    pthread_mutex_lock(&library);
    if (check_stored(f, f->set, f->name, e) < 0) {
        pthread_mutex_unlock(&library);
        return -1;
    }
    hid_t space = H5Dget_space(f->set), held = H5Screate_simple(AXES, size, NULL);
    if (H5Sselect_hyperslab(space, H5S_SELECT_SET, corner, NULL, size, NULL) < 0 ||
        H5Dread(f->set, f->type == DATASET_INT16 ? H5T_NATIVE_INT16 : H5T_NATIVE_FLOAT, held, space,
                H5P_DEFAULT, cube) < 0)
        rc = library_error(f, "its cube cannot be read", e);
    else
        *bytes += H5Dget_storage_size(f->set);
    H5Sclose(held);
    H5Sclose(space);
    pthread_mutex_unlock(&library);
    return rc;
}

/* Counts: finite and not negative. The first loop only finds whether there is
 * anything to say. */
static int check_values(const struct stored *f, const void *cube, size_t n, struct err *e)
{
    const int16_t *c = cube;
    const float *v = cube;
    int16_t signs = 0;
    size_t bad = n;

    if (f->type == DATASET_INT16) {
        int16_t lane[LANES] = {0}; /* whole runs of them, which compilers make vectors of */
        for (size_t i = 0; i + LANES <= n; i += LANES)
            for (int k = 0; k < LANES; k++)
                lane[k] |= c[i + (size_t)k];
        for (int k = 0; k < LANES; k++)
            signs |= lane[k];
        for (size_t i = n - n % LANES; i < n; i++)
            signs |= c[i];
        for (size_t i = 0; signs < 0 && i < n && bad == n; i++)
            if (c[i] < 0)
                bad = i;
    } else {
        for (size_t i = 0; i < n && bad == n; i++)
            if (!(v[i] >= 0 && v[i] <= 3.4e38f))
                bad = i;
    }
    if (bad == n)
        return 0;
    return err_set(e, "%s: dataset '%s' has %g in a cell, expected finite counts from 0", f->path,
                   f->name, f->type == DATASET_INT16 ? c[bad] : (double)v[bad]);
}

static int read_cube(const struct stored *f, const struct cube_shape *shape, int part,
                     struct cube_scratch *s, void *cube, uint64_t *bytes, struct err *e)
{
    const uint64_t edge = (uint64_t)shape->edge, per = f->dims[0] / edge, p = (uint64_t)part;
    const struct region r = {
        {p / per / per * edge, p / per % per * edge, p % per * edge, 0},
        {edge, edge, edge, f->dims[3]},
    };
    int rc = 1;

    if (f->by_offset)
        rc = f->chunked ? read_chunks(f, &r, s, cube, bytes, e)
                        : read_contiguous(f, &r, cube, bytes, e);
    if (rc == 1)
        rc = read_by_library(f, &r, cube, bytes, e);
    return rc < 0 ? -1 : check_values(f, cube, (size_t)(edge * edge * edge * f->dims[3]), e);
}

void cube_scratch_fini(struct cube_scratch *s)
{
    free(s->stored);
    free(s->plain[0]);
    free(s->plain[1]);
    inflate_destroy(s->inflate);
    *s = (struct cube_scratch){0};
}

int cube_probe(const char *path, struct cube_shape *shape, struct err *e)
{
    struct stored f;
    float y[DATASET_LABELS];
    int rc = -1;

    pthread_mutex_lock(&library);
    library_start();
    if (open_file(&f, path, 0, e) < 0)
        goto out;
    shape->layout = H5Lexists(f.file, names[DATA_CUT].cube, H5P_DEFAULT) > 0 ? DATA_CUT : DATA_RAW;
    if (shape->layout == DATA_RAW && H5Lexists(f.file, names[DATA_RAW].cube, H5P_DEFAULT) <= 0) {
        err_set(e, "%s: dataset 'x' (cut layout) or 'full' (raw layout) is missing", path);
        goto out;
    }
    if (open_cube(&f, shape->layout, e) < 0 || read_labels(&f, shape->layout, y, e) < 0)
        goto out;
    shape->type = f.type;
    shape->whole = (int)f.dims[0];
    rc = 0;
out:
    close_file(&f);
    pthread_mutex_unlock(&library);
    return rc;
}

int cube_read(const char *path, const struct cube_shape *shape, int part, uint64_t expected_bytes,
              struct cube_scratch *s, void *cube, float *y, uint64_t *bytes, struct err *e)
{
    struct stored f;

    pthread_mutex_lock(&library);
    library_start();
    int rc = open_file(&f, path, expected_bytes, e);
    if (rc == 0)
        rc = read_labels(&f, shape->layout, y, e);
    if (rc == 0 && cube)
        rc = open_cube(&f, shape->layout, e);
    pthread_mutex_unlock(&library);
    if (rc == 0 && cube && (f.dims[0] != (uint64_t)shape->whole || f.type != shape->type))
        rc = err_set(e, "%s: dataset '%s' is %s of %" PRIu64 "^3, expected %s of %d^3 as before",
                     path, f.name, f.type == DATASET_INT16 ? "int16" : "float", f.dims[0],
                     shape->type == DATASET_INT16 ? "int16" : "float", shape->whole);
    if (rc == 0 && cube)
        rc = read_cube(&f, shape, part, s, cube, bytes, e);
    pthread_mutex_lock(&library);
    close_file(&f);
    pthread_mutex_unlock(&library);
    return rc;
}
