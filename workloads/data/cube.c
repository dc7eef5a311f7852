/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/data/cube.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <hdf5.h>

#include "workloads/data/chunk.h"

enum {
    AXES = 4,
    LANES = 32,
    MAX_LABEL_CHUNK = 65536,
    SLAB_BYTES = 1 << 20 /* read at a time where a sink takes it: stays in the cache */
};

_Static_assert((int)CHUNK_DEFLATE == H5Z_FILTER_DEFLATE &&
                   (int)CHUNK_SHUFFLE == H5Z_FILTER_SHUFFLE &&
                   (int)CHUNK_FLETCHER32 == H5Z_FILTER_FLETCHER32,
               "HDF5's numbers");

static const uint64_t max_chunk_bytes = UINT64_C(1) << 30;

/* Names of the two layouts. */
static const struct {
    const char *cube, *labels;
} names[] = {[DATA_CUT] = {"x", "y"}, [DATA_RAW] = {"full", "unitPar"}};

static const size_t type_size[] = {
    [DATASET_INT16] = sizeof(int16_t), [DATASET_FLOAT] = sizeof(float)};

static pthread_mutex_t library = PTHREAD_MUTEX_INITIALIZER;

/* An open file, and how the cube or the labels in it are stored. Sets of fewer
 * axes have leading ones of 1. */
struct stored {
    const char *path; /* for sentences */
    const char *name;
    hid_t file, set;
    int fd;         /* HDF5's own descriptor of the file */
    uint64_t bytes; /* of the file */
    int rank;
    enum dataset_type type; /* that its values become ... */
    bool native;            /* ... and are */
    char stored[16];        /* "uint16": what they are in the file */
    uint64_t dims[AXES];
    enum { BY_LIBRARY, CONTIGUOUS, CHUNKED } how;
    bool compact;    /* in the header, by library */
    uint64_t offset; /* contiguous */
    uint64_t chunk[AXES];
    struct chunk_form form;
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
    unsigned folders = 0;

    if (started)
        return;
    started = true;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    /* No filter, no driver from outside. HDF5 1.12 and later try whatever lies in
     * the plugin folders on a file that is none of theirs, also when forbidden. */
    H5PLset_loading_state(0);
    while (H5PLsize(&folders) >= 0 && folders > 0 && H5PLremove(folders - 1) >= 0)
        ;
}

/* Whether the file's superblock sends HDF5 to a block for a driver: up to 4 GiB
 * of memory by a number in the file, and for no file that one descriptor reads.
 * Format: HDF5 File Format Specification, II.A, versions 0 and 1. */
static bool names_driver(const struct stored *f, int fd)
{
    static const unsigned char signature[] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    enum { FORMAT = 8, OFFSET_BYTES = 13, OFFSETS = 24, DRIVER = 3 };
    unsigned char b[64];

    for (uint64_t at = 0; at + sizeof b <= f->bytes; at = at ? 2 * at : 512) {
        if (pread(fd, b, sizeof b, (off_t)at) != sizeof b ||
            memcmp(b, signature, sizeof signature) != 0)
            continue;
        const size_t n = b[OFFSET_BYTES], first = OFFSETS + (b[FORMAT] == 1 ? 4 : 0);
        if (b[FORMAT] > 1)
            return false;
        for (size_t i = 0; i < n; i++)
            if (first + DRIVER * n + i >= sizeof b || b[first + DRIVER * n + i] != 0xff)
                return true;
        return false;
    }
    return false;
}

static int check_superblock(const struct stored *f, struct err *e)
{
    int fd = open(f->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd < 0)
        return err_set(e, "%s: %s", f->path, strerror(errno));
    bool driver = names_driver(f, fd);
    close(fd);
    return driver ? err_set(e, "%s: for a driver of HDF5, expected one plain file", f->path) : 0;
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
    if (check_superblock(f, e) < 0)
        return -1;
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

/* Dimensions of a set of exactly f->rank axes. */
static int get_dims(struct stored *f, struct err *e)
{
    hid_t space = H5Dget_space(f->set);
    int have = H5Sget_simple_extent_ndims(space);
    hsize_t dims[AXES];
    int rc = 0;

    if (have != f->rank || H5Sget_simple_extent_dims(space, dims, NULL) != f->rank)
        rc = err_set(e, "%s: dataset '%s' has %d axes, expected %d", f->path, f->name, have,
                     f->rank);
    for (int i = 0; rc == 0 && i < AXES; i++)
        f->dims[i] = i < AXES - f->rank ? 1 : dims[i - (AXES - f->rank)];
    H5Sclose(space);
    return rc;
}

static hid_t native_type(enum dataset_type type)
{
    return type == DATASET_INT16 ? H5T_NATIVE_INT16 : H5T_NATIVE_FLOAT;
}

/* Whether the bits of a number lie in its bytes: HDF5 looks no further. */
static bool fits(hid_t type, H5T_class_t class)
{
    const size_t bits = 8 * H5Tget_size(type);
    size_t sign, exponent, exponent_bits, mantissa, mantissa_bits;

    if (H5Tget_offset(type) < 0 || H5Tget_precision(type) > bits ||
        (size_t)H5Tget_offset(type) > bits - H5Tget_precision(type))
        return false;
    if (class != H5T_FLOAT)
        return true;
    return H5Tget_fields(type, &sign, &exponent, &exponent_bits, &mantissa, &mantissa_bits) >= 0 &&
           sign < bits && exponent_bits <= bits && exponent <= bits - exponent_bits &&
           mantissa_bits <= bits && mantissa <= bits - mantissa_bits;
}

/* Integers that int16 holds stay integers, other numbers become floats. Labels
 * are floats. */
static int get_type(struct stored *f, bool labels, struct err *e)
{
    hid_t type = H5Dget_type(f->set);
    H5T_class_t class = H5Tget_class(type);
    size_t size = H5Tget_size(type);
    bool narrow = size == 1 || (size == 2 && H5Tget_sign(type) == H5T_SGN_2);
    int rc = 0;

    snprintf(f->stored, sizeof f->stored, "%s%zu",
             class == H5T_FLOAT                  ? "float"
             : H5Tget_sign(type) == H5T_SGN_NONE ? "uint"
                                                 : "int",
             8 * size);
    f->type = class == H5T_INTEGER && narrow ? DATASET_INT16 : DATASET_FLOAT;
    f->native = H5Tequal(type, native_type(f->type)) > 0;
    f->form.element = size;
    if (labels && (class != H5T_FLOAT || size > sizeof(double)))
        rc = err_set(e, "%s: dataset '%s' holds no floats", f->path, f->name);
    else if ((class != H5T_INTEGER && class != H5T_FLOAT) || size > 8)
        rc = err_set(e, "%s: dataset '%s' holds no numbers, expected int16 counts", f->path,
                     f->name);
    else if (!fits(type, class))
        rc = err_set(e, "%s: dataset '%s' has numbers that are wider than their %zu bytes", f->path,
                     f->name, size);
    H5Tclose(type);
    return rc;
}

/* True when every filter is one that chunk_decode() undoes. */
static bool known_filters(struct stored *f, hid_t p)
{
    const int n = H5Pget_nfilters(p);

    if (n < 0 || n > CHUNK_MAX_FILTERS)
        return false;
    f->form.filters = n;
    for (int i = 0; i < n; i++) {
        unsigned flags, config;
        size_t values = 0;
        int filter = H5Pget_filter2(p, (unsigned)i, &flags, &values, NULL, 0, NULL, &config);
        if (filter != CHUNK_DEFLATE && filter != CHUNK_SHUFFLE && filter != CHUNK_FLETCHER32)
            return false;
        f->form.filter[i] = (enum chunk_filter)filter;
    }
    return true;
}

static int get_chunk(struct stored *f, hid_t p, struct err *e)
{
    const size_t native = type_size[f->type];
    const size_t wide = f->form.element > native ? f->form.element : native;
    uint64_t values = 1;
    hsize_t chunk[AXES];

    if (H5Pget_chunk(p, f->rank, chunk) != f->rank)
        return library_error(f, "its chunks cannot be known", e);
    for (int i = 0; i < AXES; i++) {
        f->chunk[i] = i < AXES - f->rank ? 1 : chunk[i - (AXES - f->rank)];
        if (f->rank == 1 && f->chunk[i] > MAX_LABEL_CHUNK)
            return err_set(e, "%s: dataset '%s' has chunks of %" PRIu64 " values, expected %d",
                           f->path, f->name, f->chunk[i], DATASET_LABELS);
        if (f->chunk[i] == 0 || values * wide > max_chunk_bytes / f->chunk[i])
            return err_set(e, "%s: dataset '%s' has chunks of more than %" PRIu64 " bytes", f->path,
                           f->name, max_chunk_bytes);
        values *= f->chunk[i];
    }
    f->form.bytes = (size_t)values * f->form.element;
    f->form.room = (size_t)values * wide;
    return 0;
}

static int get_storage(struct stored *f, struct err *e)
{
    hid_t p = H5Dget_create_plist(f->set), made = H5Fget_create_plist(f->file);
    H5D_layout_t layout = H5Pget_layout(p);
    hsize_t userblock = 1;
    int rc = 0;

    H5Pget_userblock(made, &userblock);
    f->how = BY_LIBRARY;
    f->compact = layout == H5D_COMPACT;
    f->offset = layout == H5D_CONTIGUOUS ? H5Dget_offset(f->set) : HADDR_UNDEF;
    if (f->offset != HADDR_UNDEF && userblock == 0)
        f->how = CONTIGUOUS;
    if (layout == H5D_CHUNKED) {
        rc = get_chunk(f, p, e);
        /* Behind a user block it depends on HDF5's release what offsets of
         * chunks count from. */
        if (known_filters(f, p) && userblock == 0)
            f->how = CHUNKED;
        else if (rc == 0 && f->rank == 1)
            rc = err_set(e,
                         "%s: dataset '%s' has other filters than deflate, shuffle and "
                         "fletcher32, or lies behind a user block",
                         f->path, f->name);
    }
    H5Pclose(made);
    H5Pclose(p);
    return rc;
}

/* Opens and checks the cube of a layout; caps come before any allocation. */
static int open_cube(struct stored *f, enum data_layout layout, struct err *e)
{
    const uint64_t *d = f->dims;

    f->name = names[layout].cube;
    f->rank = AXES;
    f->set = open_set(f, f->name, e);
    if (f->set < 0 || get_dims(f, e) < 0)
        return -1;
    if (d[0] < 4 || d[0] > DATASET_MAX_EDGE || d[1] != d[0] || d[2] != d[0] ||
        d[3] != COSMO_CHANNELS)
        return err_set(e,
                       "%s: dataset '%s' is (%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
                       "), expected (D,D,D,%d) with D from 4 to %d",
                       f->path, f->name, d[0], d[1], d[2], d[3], COSMO_CHANNELS, DATASET_MAX_EDGE);
    if (get_type(f, false, e) < 0)
        return -1;
    return get_storage(f, e);
}

/* The same for the labels of the same file. */
static int open_labels(struct stored *f, enum data_layout layout, struct err *e)
{
    f->name = names[layout].labels;
    f->rank = 1;
    f->set = open_set(f, f->name, e);
    if (f->set < 0 || get_dims(f, e) < 0)
        return -1;
    if (f->dims[3] != DATASET_LABELS)
        return err_set(e, "%s: dataset '%s' has %" PRIu64 " values, expected %d", f->path, f->name,
                       f->dims[3], DATASET_LABELS);
    if (get_type(f, true, e) < 0)
        return -1;
    return get_storage(f, e);
}

static void close_file(struct stored *f)
{
    if (f->set >= 0)
        H5Dclose(f->set);
    if (f->file >= 0)
        H5Fclose(f->file);
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

/* Values of the file, in place, to what they become. */
static int convert(const struct stored *f, void *values, size_t n, struct err *e)
{
    if (f->native)
        return 0;
    pthread_mutex_lock(&library);
    hid_t type = H5Dget_type(f->set);
    herr_t rc = H5Tconvert(type, native_type(f->type), n, values, NULL, H5P_DEFAULT);
    int failed = rc < 0 ? library_error(f, "its values cannot be converted", e) : 0;
    H5Tclose(type);
    pthread_mutex_unlock(&library);
    return failed;
}

/* Rows of the region, or all of it at once when it is the whole set. */
static int read_contiguous(const struct stored *f, const struct region *r, struct chunk_scratch *s,
                           char *cube, uint64_t *bytes, struct err *e)
{
    const uint64_t cell = f->form.element * f->dims[3], made = type_size[f->type] * f->dims[3];
    const bool whole = f->native && r->size[0] == f->dims[0];
    const uint64_t row = whole ? f->dims[0] * f->dims[1] * f->dims[2] : r->size[2];
    const struct chunk_form form = {.room = (size_t)(row * (cell > made ? cell : made))};

    if (!f->native && chunk_prepare(&form, s, form.room, e) < 0)
        return -1;
    for (uint64_t a = 0; a < (whole ? 1 : r->size[0]); a++)
        for (uint64_t b = 0; b < (whole ? 1 : r->size[1]); b++, cube += row * made) {
            uint64_t at =
                ((r->corner[0] + a) * f->dims[1] + r->corner[1] + b) * f->dims[2] + r->corner[2];
            void *to = f->native ? cube : s->stored;
            if (read_all(f, to, (size_t)(row * cell), f->offset + at * cell, bytes, e) < 0 ||
                convert(f, to, (size_t)(row * f->dims[3]), e) < 0)
                return -1;
            if (!f->native)
                memcpy(cube, to, (size_t)(row * made));
        }
    return 0;
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

/* A chunk that is not in the file has the fill value everywhere. */
static int fill_chunk(const struct stored *f, struct chunk_scratch *s, struct err *e)
{
    const size_t element = type_size[f->type];
    char value[sizeof(float)];

    pthread_mutex_lock(&library);
    hid_t p = H5Dget_create_plist(f->set);
    herr_t rc = H5Pget_fill_value(p, native_type(f->type), value);
    H5Pclose(p);
    int failed = rc < 0 ? library_error(f, "lacks chunks and does not say what is in them", e) : 0;
    pthread_mutex_unlock(&library);
    if (failed || chunk_prepare(&f->form, s, 0, e) < 0)
        return -1;
    for (size_t i = 0; i < f->form.bytes / f->form.element; i++)
        memcpy((char *)s->stored + i * element, value, element);
    return 0;
}

/* One chunk by its offset; the values, NULL on failure. */
static const void *read_chunk(const struct stored *f, const uint64_t *origin,
                              struct chunk_scratch *s, uint64_t *bytes, struct err *e)
{
    hsize_t at[AXES];
    unsigned mask = 0;
    haddr_t where = HADDR_UNDEF;
    hsize_t size = 0;

    for (int i = 0; i < f->rank; i++)
        at[i] = origin[AXES - f->rank + i];
    pthread_mutex_lock(&library);
    herr_t found = H5Dget_chunk_info_by_coord(f->set, at, &mask, &where, &size);
    int rc = found < 0 ? library_error(f, "its chunks cannot be found", e) : 0;
    pthread_mutex_unlock(&library);
    if (rc < 0)
        return NULL;
    if (where == HADDR_UNDEF || size == 0)
        return fill_chunk(f, s, e) < 0 ? NULL : s->stored;
    if (size > f->bytes) {
        err_set(e, "%s: dataset '%s' is said to take %" PRIu64 " bytes of a file of %" PRIu64,
                f->path, f->name, (uint64_t)size, f->bytes);
        return NULL;
    }
    if (chunk_prepare(&f->form, s, (size_t)size, e) < 0 ||
        read_all(f, s->stored, (size_t)size, where, bytes, e) < 0)
        return NULL;
    void *plain = chunk_decode(&f->form, s, (size_t)size, mask);
    if (!plain)
        err_set(e, "%s: dataset '%s' is damaged at (%" PRIu64 ",%" PRIu64 ",%" PRIu64 ")", f->path,
                f->name, origin[0], origin[1], origin[2]);
    else if (convert(f, plain, f->form.bytes / f->form.element, e) < 0)
        return NULL;
    return plain;
}

static int read_chunks(const struct stored *f, const struct region *r, struct chunk_scratch *s,
                       char *cube, uint64_t *bytes, struct err *e)
{
    uint64_t first[AXES], o[AXES];
    int rc = 0;

    for (int i = 0; i < AXES; i++)
        first[i] = r->corner[i] / f->chunk[i] * f->chunk[i];
    for (o[0] = first[0]; rc == 0 && o[0] < r->corner[0] + r->size[0]; o[0] += f->chunk[0])
        for (o[1] = first[1]; rc == 0 && o[1] < r->corner[1] + r->size[1]; o[1] += f->chunk[1])
            for (o[2] = first[2]; rc == 0 && o[2] < r->corner[2] + r->size[2]; o[2] += f->chunk[2])
                for (o[3] = first[3]; rc == 0 && o[3] < r->size[3]; o[3] += f->chunk[3]) {
                    const void *chunk = read_chunk(f, o, s, bytes, e);
                    if (chunk)
                        copy_overlap(f, r, o, chunk, cube);
                    rc = chunk ? 0 : -1;
                }
    return rc;
}

/* HDF5 reads a set that lies in its header past the end when there is less of
 * it than the extent says. */
static int check_stored(const struct stored *f, struct err *e)
{
    const uint64_t bytes = H5Dget_storage_size(f->set);
    const uint64_t plain = f->dims[0] * f->dims[1] * f->dims[2] * f->dims[3] * f->form.element;

    if (bytes > f->bytes)
        return err_set(e,
                       "%s: dataset '%s' is said to take %" PRIu64 " bytes of a file of %" PRIu64,
                       f->path, f->name, bytes, f->bytes);
    if (bytes < plain && !f->form.room && (f->compact || bytes != 0)) /* 0: never written */
        return err_set(e, "%s: dataset '%s' has %" PRIu64 " bytes, expected %" PRIu64, f->path,
                       f->name, bytes, plain);
    return 0;
}

/* What lies in the header, behind a user block, or was never written, and what
 * only HDF5 decodes: szip, nbit, scaleoffset. Its decoders trust the file. */
static int read_by_library(const struct stored *f, const struct region *r, void *cube,
                           uint64_t *bytes, struct err *e)
{
    const int skip = AXES - f->rank;
    hsize_t corner[AXES], size[AXES];
    int rc = -1;

    for (int i = 0; i < f->rank; i++) {
        corner[i] = r->corner[skip + i];
        size[i] = r->size[skip + i];
    }
    pthread_mutex_lock(&library);
    if (check_stored(f, e) < 0)
        goto out;
    hid_t space = H5Dget_space(f->set), held = H5Screate_simple(f->rank, size, NULL);
    if (H5Sselect_hyperslab(space, H5S_SELECT_SET, corner, NULL, size, NULL) < 0 ||
        H5Dread(f->set, native_type(f->type), held, space, H5P_DEFAULT, cube) < 0)
        library_error(f, "its values cannot be read", e);
    else
        rc = 0;
    *bytes += H5Dget_storage_size(f->set);
    H5Sclose(held);
    H5Sclose(space);
out:
    pthread_mutex_unlock(&library);
    return rc;
}

static int read_region(const struct stored *f, const struct region *r, struct chunk_scratch *s,
                       void *to, uint64_t *bytes, struct err *e)
{
    if (f->how == CHUNKED)
        return read_chunks(f, r, s, to, bytes, e);
    if (f->how == CONTIGUOUS)
        return read_contiguous(f, r, s, to, bytes, e);
    return read_by_library(f, r, to, bytes, e);
}

/* The labels of an open file, by their own set. */
static int read_labels(const struct stored *file, enum data_layout layout, struct chunk_scratch *s,
                       float *y, struct err *e)
{
    const struct region all = {{0}, {1, 1, 1, DATASET_LABELS}};
    struct stored f = *file;
    uint64_t bytes = 0;

    pthread_mutex_lock(&library);
    int rc = open_labels(&f, layout, e);
    pthread_mutex_unlock(&library);
    if (rc == 0)
        rc = read_region(&f, &all, s, y, &bytes, e);
    pthread_mutex_lock(&library);
    if (f.set >= 0)
        H5Dclose(f.set);
    pthread_mutex_unlock(&library);
    for (int i = 0; i < DATASET_LABELS && rc == 0; i++)
        if (!isfinite(y[i]))
            rc = err_set(e, "%s: dataset '%s' has %g at %d, expected a finite number", f.path,
                         f.name, (double)y[i], i);
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

/* A whole cube, some planes of it at a time. */
static int read_planes(const struct stored *f, struct chunk_scratch *s,
                       const struct cube_sink *sink, uint64_t *bytes, struct err *e)
{
    const uint64_t values = f->dims[1] * f->dims[2] * f->dims[3];
    const size_t plane = (size_t)values * f->form.element;
    const uint64_t fit = plane < SLAB_BYTES ? SLAB_BYTES / plane : 1;
    const uint64_t step = f->how == CHUNKED ? f->chunk[0] : fit;
    const struct chunk_form slab = {.room = (size_t)fit * plane};

    if (f->how == CONTIGUOUS && chunk_prepare(&slab, s, slab.room, e) < 0)
        return -1;
    for (uint64_t at[AXES] = {0}; at[0] < f->dims[0]; at[0] += step) {
        const uint64_t left = f->dims[0] - at[0], n = left < step ? left : step;
        const void *cells = s->stored;
        if (f->how == CHUNKED)
            cells = read_chunk(f, at, s, bytes, e);
        else if (read_all(f, s->stored, (size_t)n * plane, f->offset + at[0] * plane, bytes, e) < 0)
            return -1;
        if (!cells || check_values(f, cells, (size_t)(n * values), e) < 0)
            return -1;
        sink->planes(sink->arg, cells, (int)at[0], (int)n);
    }
    return 0;
}

/* Whether a sample's planes lie one behind the other. */
static bool has_planes(const struct stored *f, const struct cube_shape *shape)
{
    return (uint64_t)shape->edge == f->dims[0] &&
           ((f->how == CONTIGUOUS && f->native) ||
            (f->how == CHUNKED && f->chunk[1] == f->dims[1] && f->chunk[2] == f->dims[2] &&
             f->chunk[3] == f->dims[3]));
}

static int read_cube(const struct stored *f, const struct cube_shape *shape, int part,
                     struct chunk_scratch *s, void *cube, const struct cube_sink *sink,
                     uint64_t *bytes, struct err *e)
{
    const uint64_t edge = (uint64_t)shape->edge, per = f->dims[0] / edge, p = (uint64_t)part;
    const struct region r = {
        {p / per / per * edge, p / per % per * edge, p % per * edge, 0},
        {edge, edge, edge, f->dims[3]},
    };

    if (sink && has_planes(f, shape))
        return read_planes(f, s, sink, bytes, e);
    if (read_region(f, &r, s, cube, bytes, e) < 0 ||
        check_values(f, cube, (size_t)(edge * edge * edge * f->dims[3]), e) < 0)
        return -1;
    if (sink)
        sink->planes(sink->arg, cube, 0, shape->edge);
    return 0;
}

/* The layout by what the file holds; its cube, checked. Locked. */
static int probe(struct stored *f, const char *path, enum data_layout *layout, struct err *e)
{
    library_start();
    if (open_file(f, path, 0, e) < 0)
        return -1;
    *layout = H5Lexists(f->file, names[DATA_CUT].cube, H5P_DEFAULT) > 0 ? DATA_CUT : DATA_RAW;
    if (*layout == DATA_RAW && H5Lexists(f->file, names[DATA_RAW].cube, H5P_DEFAULT) <= 0)
        return err_set(e, "%s: dataset 'x' (cut layout) or 'full' (raw layout) is missing", path);
    return open_cube(f, *layout, e);
}

int cube_probe(const char *path, struct cube_shape *shape, struct err *e)
{
    struct chunk_scratch s = {0};
    float y[DATASET_LABELS];
    struct stored f;

    pthread_mutex_lock(&library);
    int rc = probe(&f, path, &shape->layout, e);
    pthread_mutex_unlock(&library);
    if (rc == 0)
        rc = read_labels(&f, shape->layout, &s, y, e);
    if (rc == 0) {
        shape->type = f.type;
        memcpy(shape->stored, f.stored, sizeof shape->stored);
        shape->whole = (int)f.dims[0];
        shape->by_library = f.how == BY_LIBRARY && f.form.room;
    }
    pthread_mutex_lock(&library);
    close_file(&f);
    pthread_mutex_unlock(&library);
    chunk_scratch_fini(&s);
    return rc;
}

int cube_read(const char *path, const struct cube_shape *shape, int part, uint64_t expected_bytes,
              struct chunk_scratch *s, void *cube, const struct cube_sink *sink, float *y,
              uint64_t *bytes, struct err *e)
{
    struct stored f;

    pthread_mutex_lock(&library);
    library_start();
    int rc = open_file(&f, path, expected_bytes, e);
    pthread_mutex_unlock(&library);
    if (rc == 0)
        rc = read_labels(&f, shape->layout, s, y, e);
    pthread_mutex_lock(&library);
    if (rc == 0 && cube)
        rc = open_cube(&f, shape->layout, e);
    pthread_mutex_unlock(&library);
    if (rc == 0 && cube && (f.dims[0] != (uint64_t)shape->whole || f.type != shape->type))
        rc = err_set(e, "%s: dataset '%s' is %s of %" PRIu64 "^3, expected %s of %d^3 as before",
                     path, f.name, f.stored, f.dims[0], shape->stored, shape->whole);
    if (rc == 0 && cube)
        rc = read_cube(&f, shape, part, s, cube, sink, bytes, e);
    pthread_mutex_lock(&library);
    close_file(&f);
    pthread_mutex_unlock(&library);
    return rc;
}
