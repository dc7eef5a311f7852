/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/data/h5file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <hdf5.h>

#include "reports/core/clock.h"

_Static_assert((int)CHUNK_DEFLATE == H5Z_FILTER_DEFLATE &&
                   (int)CHUNK_SHUFFLE == H5Z_FILTER_SHUFFLE &&
                   (int)CHUNK_FLETCHER32 == H5Z_FILTER_FLETCHER32,
               "HDF5's numbers");
_Static_assert(sizeof(hid_t) <= sizeof(int64_t), "an identifier fits");

enum { H5_NAME_SIZE = 256 };

static const uint64_t max_chunk_bytes = UINT64_C(1) << 30;

static pthread_mutex_t library = PTHREAD_MUTEX_INITIALIZER;

void h5_lock(void)
{
    pthread_mutex_lock(&library);
}

void h5_unlock(void)
{
    pthread_mutex_unlock(&library);
}

size_t h5_type_size(enum number type)
{
    return type == NUMBER_INT16 ? sizeof(int16_t) : sizeof(float);
}

const char *h5_index(char text[H5_INDEX_SIZE], int rank, const uint64_t *at)
{
    int n = 0;

    text[0] = '\0';
    for (int i = 0; i < rank; i++)
        n += snprintf(text + n, (size_t)(H5_INDEX_SIZE - n), "[%" PRIu64 "]", at[i]);
    return text;
}

/* Walking down HDF5's own stack, the last reason is the innermost. */
static herr_t innermost(unsigned n, const H5E_error2_t *error, void *text)
{
    (void)n;
    snprintf(text, 160, "%s", error->desc ? error->desc : "");
    return 0;
}

int h5_error(const struct h5_file *f, const char *what, struct err *e)
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
static bool names_driver(const struct h5_file *f, int fd)
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

static int check_superblock(struct h5_file *f, double begin, struct err *e)
{
    int fd = open(f->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    f->find_seconds = clock_now() - begin;
    if (fd < 0)
        return err_set(e, "%s: %s", f->path, strerror(errno));
    bool driver = names_driver(f, fd);
    close(fd);
    return driver ? err_set(e, "%s: for a driver of HDF5, expected one plain file", f->path) : 0;
}

/* By the library. Locked. */
static int open_plain(struct h5_file *f, struct err *e)
{
    hsize_t userblock = 1;
    void *handle;

    library_start();
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fapl_sec2(access);
#if H5_VERSION_GE(1, 12, 1) || (H5_VERS_MAJOR == 1 && H5_VERS_MINOR == 10 && H5_VERS_RELEASE >= 7)
    H5Pset_file_locking(access, 0, 1); /* readers; some file systems have no locks */
#endif
    f->id = H5Fopen(f->path, H5F_ACC_RDONLY, access);
    f->open = f->id >= 0;
    if (!f->open)
        h5_error(f, "not an HDF5 file, or a damaged one", e);
    H5Pclose(access); /* empties HDF5's stack of errors */
    if (!f->open)
        return -1;
    if (H5Fget_vfd_handle(f->id, H5P_DEFAULT, &handle) < 0)
        return h5_error(f, "has no descriptor", e);
    f->fd = *(int *)handle;
    hid_t made = H5Fget_create_plist(f->id);
    H5Pget_userblock(made, &userblock);
    H5Pclose(made);
    f->userblock = userblock != 0;
    return 0;
}

int h5_open(struct h5_file *f, const char *path, uint64_t expected, struct err *e)
{
    const double begin = clock_now();
    struct stat st;

    f->open = false;
    f->find_seconds = 0;
    if ((size_t)snprintf(f->path, sizeof f->path, "%s", path) >= sizeof f->path)
        return err_set(e, "the path '%.80s...' is too long", path);
    if (stat(path, &st) < 0)
        return err_set(e, "%s: %s", path, strerror(errno));
    f->bytes = (uint64_t)st.st_size;
    if (!S_ISREG(st.st_mode))
        return err_set(e, "%s: not a regular file", path);
    if (expected && f->bytes != expected)
        return err_set(e, "%s: %lld bytes, expected %" PRIu64, path, (long long)st.st_size,
                       expected);
    if (check_superblock(f, begin, e) < 0)
        return -1;
    h5_lock();
    int rc = open_plain(f, e);
    h5_unlock();
    if (rc < 0)
        h5_close(f);
    return rc;
}

void h5_close(struct h5_file *f)
{
    if (!f->open)
        return;
    h5_lock();
    H5Fclose(f->id);
    h5_unlock();
    f->open = false;
}

/* How far hard links lead on the way to a set: nothing leads elsewhere. Locked. */
enum way { WAY_THERE, WAY_MISSING, WAY_LINK };

static enum way follow(const struct h5_file *f, const char *name, char step[H5_NAME_SIZE])
{
    H5L_info_t link;

    for (const char *at = name; at; at = strchr(at + 1, '/')) {
        const char *end = strchr(at + 1, '/');
        snprintf(step, H5_NAME_SIZE, "%.*s", end ? (int)(end - name) : H5_NAME_SIZE, name);
        if (H5Lexists(f->id, step, H5P_DEFAULT) <= 0)
            return WAY_MISSING;
        if (H5Lget_info(f->id, step, &link, H5P_DEFAULT) < 0 || link.type != H5L_TYPE_HARD)
            return WAY_LINK;
    }
    return WAY_THERE;
}

bool h5_has_set(const struct h5_file *f, const char *name)
{
    char step[H5_NAME_SIZE];

    h5_lock();
    library_start();
    bool has = follow(f, name, step) != WAY_MISSING;
    h5_unlock();
    return has;
}

/* Nothing but a dataset of this very file, with its data in this file. */
static int open_set(struct h5_set *s, struct err *e)
{
    char step[H5_NAME_SIZE];
    const enum way way = follow(s->file, s->name, step);

    if (way == WAY_MISSING)
        return err_set(e, "%s: dataset '%s' is missing", s->file->path, s->name);
    if (way == WAY_LINK)
        return err_set(e, "%s: '%s' is a link, expected a %s", s->file->path, step,
                       strcmp(step, s->name) == 0 ? "dataset" : "group");
    s->id = H5Dopen2(s->file->id, s->name, H5P_DEFAULT);
    if (s->id < 0)
        return h5_error(s->file, "its dataset cannot be opened", e);
    s->file_type = H5Dget_type(s->id);
    s->open = true;
    hid_t p = H5Dget_create_plist(s->id);
    bool foreign = H5Pget_external_count(p) != 0 || H5Pget_layout(p) == H5D_VIRTUAL;
    H5Pclose(p);
    return foreign ? err_set(e, "%s: dataset '%s' keeps its data in other files", s->file->path,
                             s->name)
                   : 0;
}

static int get_dims(struct h5_set *s, struct err *e)
{
    hid_t space = H5Dget_space(s->id);
    hsize_t dims[H5S_MAX_RANK];
    int rc = 0;

    s->rank = H5Sget_simple_extent_type(space) == H5S_NULL ? -1 : H5Sget_simple_extent_ndims(space);
    if (s->rank < 0 || s->rank > H5_AXES)
        rc = err_set(e, "%s: dataset '%s' has %d axes, expected 0 to %d", s->file->path, s->name,
                     s->rank, H5_AXES);
    else if (s->rank > 0 && H5Sget_simple_extent_dims(space, dims, NULL) != s->rank)
        rc = h5_error(s->file, "its axes cannot be known", e);
    for (int i = 0; rc == 0 && i < s->rank; i++)
        s->dims[i] = dims[i];
    H5Sclose(space);
    return rc;
}

int h5_open_set(struct h5_set *s, const struct h5_file *f, const char *name, struct err *e)
{
    *s = (struct h5_set){.file = f, .name = name};
    h5_lock();
    library_start();
    int rc = open_set(s, e) < 0 ? -1 : get_dims(s, e);
    h5_unlock();
    if (rc < 0)
        h5_close_set(s);
    return rc;
}

void h5_close_set(struct h5_set *s)
{
    if (!s->open)
        return;
    h5_lock();
    H5Tclose(s->file_type);
    H5Dclose(s->id);
    h5_unlock();
    s->open = false;
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

/* What Python's booleans are stored as: the numbers behind the names. */
static void look_behind_names(struct h5_set *s)
{
    if (H5Tget_class(s->file_type) != H5T_ENUM)
        return;
    hid_t numbers = H5Tget_super(s->file_type);
    H5Tclose(s->file_type);
    s->file_type = numbers;
}

/* Integers that int16 holds stay integers where they may, other numbers become
 * floats. */
static int get_type(struct h5_set *s, bool floats, struct err *e)
{
    look_behind_names(s);
    const hid_t type = s->file_type;
    const H5T_class_t class = H5Tget_class(type);
    const size_t size = H5Tget_size(type);
    const bool narrow = size == 1 || (size == 2 && H5Tget_sign(type) == H5T_SGN_2);

    if ((class != H5T_INTEGER && class != H5T_FLOAT) || size > 8)
        return err_set(e, "%s: dataset '%s' does not hold numbers of up to 8 bytes", s->file->path,
                       s->name);
    if (!fits(type, class))
        return err_set(e, "%s: dataset '%s' has numbers that are wider than their %zu bytes",
                       s->file->path, s->name, size);
    snprintf(s->stored, sizeof s->stored, "%s%zu",
             class == H5T_FLOAT                  ? "float"
             : H5Tget_sign(type) == H5T_SGN_NONE ? "uint"
                                                 : "int",
             8 * size);
    s->type = class == H5T_INTEGER && narrow && !floats ? NUMBER_INT16 : NUMBER_FLOAT;
    s->native = H5Tequal(type, s->type == NUMBER_INT16 ? H5T_NATIVE_INT16 : H5T_NATIVE_FLOAT) > 0;
    s->form.element = size;
    return 0;
}

/* True when every filter is one that chunk_decode() undoes. */
static bool known_filters(struct h5_set *s, hid_t p)
{
    const int n = H5Pget_nfilters(p);

    if (n < 0 || n > CHUNK_MAX_FILTERS)
        return false;
    s->form.filters = n;
    for (int i = 0; i < n; i++) {
        unsigned flags, config;
        size_t values = 0;
        int filter = H5Pget_filter2(p, (unsigned)i, &flags, &values, NULL, 0, NULL, &config);
        if (filter != CHUNK_DEFLATE && filter != CHUNK_SHUFFLE && filter != CHUNK_FLETCHER32)
            return false;
        s->form.filter[i] = (enum chunk_filter)filter;
    }
    return true;
}

static int get_chunk(struct h5_set *s, hid_t p, uint64_t most, struct err *e)
{
    const size_t made = h5_type_size(s->type);
    const size_t wide = s->form.element > made ? s->form.element : made;
    uint64_t values = 1;
    hsize_t chunk[H5_AXES];

    if (s->rank < 1 || H5Pget_chunk(p, s->rank, chunk) != s->rank)
        return h5_error(s->file, "its chunks cannot be known", e);
    for (int i = 0; i < s->rank; i++) {
        s->chunk[i] = chunk[i];
        if (most && s->chunk[i] > most / values)
            return err_set(e, "%s: dataset '%s' has chunks of more than %" PRIu64 " values",
                           s->file->path, s->name, most);
        if (s->chunk[i] == 0 || values * wide > max_chunk_bytes / s->chunk[i])
            return err_set(e, "%s: dataset '%s' has chunks of more than %" PRIu64 " bytes",
                           s->file->path, s->name, max_chunk_bytes);
        values *= s->chunk[i];
    }
    s->chunked = true;
    s->form.bytes = (size_t)values * s->form.element;
    s->form.room = (size_t)values * wide;
    return 0;
}

/* Locked. */
static int get_storage(struct h5_set *s, uint64_t most_chunk, struct err *e)
{
    hid_t p = H5Dget_create_plist(s->id);
    const H5D_layout_t layout = H5Pget_layout(p);
    int rc = 0;

    s->how = H5_BY_LIBRARY;
    s->compact = layout == H5D_COMPACT;
    s->offset = layout == H5D_CONTIGUOUS ? H5Dget_offset(s->id) : HADDR_UNDEF;
    if (s->offset != HADDR_UNDEF && !s->file->userblock)
        s->how = H5_CONTIGUOUS;
    if (layout == H5D_CHUNKED) {
        rc = get_chunk(s, p, most_chunk, e);
        /* Behind a user block it depends on HDF5's release what offsets of
         * chunks count from. */
        if (known_filters(s, p) && !s->file->userblock)
            s->how = H5_CHUNKED;
    }
    H5Pclose(p);
    return rc;
}

int h5_storage(struct h5_set *s, bool floats, uint64_t most_chunk, struct err *e)
{
    s->values = 1;
    for (int i = 0; i < s->rank; i++)
        s->values *= s->dims[i];
    h5_lock();
    int rc = get_type(s, floats, e) < 0 ? -1 : get_storage(s, most_chunk, e);
    h5_unlock();
    return rc;
}
