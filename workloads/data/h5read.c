/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/data/h5read.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include <hdf5.h>

enum {
    PIECE_BYTES = 4 << 20, /* that are converted at a time */
    MANY_CHUNKS = 1024     /* where finding one takes as long as decoding one */
};

static hid_t native_type(enum number type)
{
    return type == NUMBER_INT16 ? H5T_NATIVE_INT16 : H5T_NATIVE_FLOAT;
}

int h5_read_bytes(const struct h5_set *s, void *to, size_t n, uint64_t at, uint64_t *bytes,
                  struct err *e)
{
    char *p = to;

    *bytes += n;
    while (n > 0) {
        ssize_t got = pread(s->file->fd, p, n, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return err_set(e, "%s: %s where dataset '%s' should be", s->file->path,
                           got < 0 ? strerror(errno) : "the file ends", s->name);
        p += got;
        n -= (size_t)got;
        at += (uint64_t)got;
    }
    return 0;
}

/* Values of the file, in place, to what they become. */
static int convert(const struct h5_set *s, void *values, size_t n, struct err *e)
{
    int rc = 0;

    if (s->native)
        return 0;
    h5_lock();
    if (H5Tconvert(s->file_type, native_type(s->type), n, values, NULL, H5P_DEFAULT) < 0)
        rc = h5_error(s->file, "its values cannot be converted", e);
    h5_unlock();
    return rc;
}

/* The last axes that a region has from end to end lie together: the first axis
 * of such a run, and its values. */
static int run_of(int rank, const uint64_t *size, const uint64_t *in, uint64_t *values)
{
    int axis = rank;

    *values = 1;
    while (axis > 0) {
        *values *= size[--axis];
        if (size[axis] != in[axis])
            break;
    }
    return axis;
}

/* The next index of axes 0..axes-1 within [low, high); false past the last. */
static bool next(int axes, const uint64_t *low, const uint64_t *high, uint64_t *at)
{
    for (int i = axes - 1; i >= 0; i--) {
        if (++at[i] < high[i])
            return true;
        at[i] = low[i];
    }
    return false;
}

/* Where an index lies in an array of such sides. */
static uint64_t offset_of(int rank, const uint64_t *at, const uint64_t *origin,
                          const uint64_t *sides)
{
    uint64_t n = 0;

    for (int i = 0; i < rank; i++)
        n = n * sides[i] + at[i] - origin[i];
    return n;
}

/* n values that lie together, by way of scratch memory where they change size. */
static int read_run(const struct h5_set *s, uint64_t first, uint64_t n,
                    struct chunk_scratch *scratch, char *to, uint64_t *bytes, struct err *e)
{
    const size_t made = h5_type_size(s->type), element = s->form.element;
    const size_t wide = made > element ? made : element;
    const uint64_t most = s->native ? n : PIECE_BYTES / wide;
    const struct chunk_form form = {.room = (size_t)(n < most ? n : most) * wide};

    if (!s->native && chunk_prepare(&form, scratch, form.room, e) < 0)
        return -1;
    for (uint64_t some; n > 0; first += some, n -= some, to += some * made) {
        some = n < most ? n : most;
        void *values = s->native ? (void *)to : scratch->stored;
        if (h5_read_bytes(s, values, (size_t)some * element, s->offset + first * element, bytes,
                          e) < 0 ||
            convert(s, values, (size_t)some, e) < 0)
            return -1;
        if (!s->native)
            memcpy(to, values, (size_t)some * made);
    }
    return 0;
}

static int read_contiguous(const struct h5_set *s, const struct h5_region *r,
                           struct chunk_scratch *scratch, char *to, uint64_t *bytes, struct err *e)
{
    static const uint64_t zero[H5_AXES];
    const size_t made = h5_type_size(s->type);
    uint64_t at[H5_AXES], end[H5_AXES], values;
    const int axes = run_of(s->rank, r->size, s->dims, &values);

    for (int i = 0; i < s->rank; i++) {
        at[i] = r->corner[i];
        end[i] = r->corner[i] + r->size[i];
    }
    do {
        if (read_run(s, offset_of(s->rank, at, zero, s->dims), values, scratch, to, bytes, e) < 0)
            return -1;
        to += values * made;
    } while (next(axes, r->corner, end, at));
    return 0;
}

/* The part of the chunk at origin that lies in the region, into it. */
static void copy_overlap(const struct h5_set *s, const struct h5_region *r, const uint64_t *origin,
                         const char *chunk, char *to)
{
    const size_t element = h5_type_size(s->type);
    uint64_t low[H5_AXES], high[H5_AXES], at[H5_AXES], size[H5_AXES], run, other;

    for (int i = 0; i < s->rank; i++) {
        const uint64_t end = r->corner[i] + r->size[i], chunk_end = origin[i] + s->chunk[i];
        at[i] = low[i] = origin[i] > r->corner[i] ? origin[i] : r->corner[i];
        high[i] = chunk_end < end ? chunk_end : end;
        size[i] = high[i] - low[i];
    }
    int axes = run_of(s->rank, size, s->chunk, &run);
    const int most = run_of(s->rank, size, r->size, &other);
    if (most > axes) { /* the shorter of the two runs */
        axes = most;
        run = other;
    }
    do
        memcpy(to + offset_of(s->rank, at, r->corner, r->size) * element,
               chunk + offset_of(s->rank, at, origin, s->chunk) * element, (size_t)run * element);
    while (next(axes, low, high, at));
}

/* A chunk that is not in the file has the fill value everywhere. */
static int fill_chunk(const struct h5_set *s, struct chunk_scratch *scratch, struct err *e)
{
    const size_t element = h5_type_size(s->type);
    char value[sizeof(float)];
    int rc = 0;

    h5_lock();
    hid_t p = H5Dget_create_plist(s->id);
    if (H5Pget_fill_value(p, native_type(s->type), value) < 0)
        rc = h5_error(s->file, "lacks chunks and does not say what is in them", e);
    H5Pclose(p);
    h5_unlock();
    if (rc < 0 || chunk_prepare(&s->form, scratch, 0, e) < 0)
        return -1;
    for (size_t i = 0; i < s->form.bytes / s->form.element; i++)
        memcpy((char *)scratch->stored + i * element, value, element);
    return 0;
}

static int check_size(const struct h5_set *s, uint64_t size, struct err *e)
{
    return size <= s->file->bytes
               ? 0
               : err_set(e,
                         "%s: dataset '%s' is said to take %" PRIu64 " bytes of a file of %" PRIu64,
                         s->file->path, s->name, size, s->file->bytes);
}

/* A chunk as it is stored, into scratch. *size 0: it is not in the file. */
static int fetch_chunk(const struct h5_set *s, const hsize_t *at, struct chunk_scratch *scratch,
                       unsigned *mask, hsize_t *size, uint64_t *bytes, struct err *e)
{
    haddr_t where = HADDR_UNDEF;
    int rc = 0;

    h5_lock();
    if (H5Dget_chunk_info_by_coord(s->id, at, mask, &where, size) < 0)
        rc = h5_error(s->file, "its chunks cannot be found", e);
    h5_unlock();
    if (rc < 0)
        return -1;
    if (where == HADDR_UNDEF)
        *size = 0;
    if (*size == 0)
        return 0;
    return check_size(s, *size, e) < 0 || chunk_prepare(&s->form, scratch, (size_t)*size, e) < 0 ||
                   h5_read_bytes(s, scratch->stored, (size_t)*size, where, bytes, e) < 0
               ? -1
               : 0;
}

/* The same by the library, under its lock. What fetch_chunk() asks for walks over
 * all chunks of the set (to HDF5 1.14 at least), this goes down the index. */
static int fetch_of_many(const struct h5_set *s, const hsize_t *at, struct chunk_scratch *scratch,
                         unsigned *mask, hsize_t *size, uint64_t *bytes, struct err *e)
{
    uint32_t left_out = 0;
    int rc = 0;

    h5_lock();
    const bool there = H5Dget_chunk_storage_size(s->id, at, size) >= 0 && *size != 0;
    if (there &&
        (check_size(s, *size, e) < 0 || chunk_prepare(&s->form, scratch, (size_t)*size, e) < 0))
        rc = -1;
    else if (there && H5Dread_chunk(s->id, H5P_DEFAULT, at, &left_out, scratch->stored) < 0)
        rc = h5_error(s->file, "its chunks cannot be read", e);
    h5_unlock();
    if (!there) /* or not to be found: it says which */
        return fetch_chunk(s, at, scratch, mask, size, bytes, e);
    *mask = left_out;
    *bytes += *size;
    return rc;
}

static bool has_many_chunks(const struct h5_set *s)
{
    uint64_t n = 1;

    for (int i = 0; i < s->rank && n <= MANY_CHUNKS; i++)
        n *= (s->dims[i] - 1) / s->chunk[i] + 1;
    return n > MANY_CHUNKS;
}

const void *h5_read_chunk(const struct h5_set *s, const uint64_t *origin,
                          struct chunk_scratch *scratch, uint64_t *bytes, struct err *e)
{
    char text[H5_INDEX_SIZE];
    unsigned mask = 0;
    hsize_t size = 0, at[H5_AXES];

    for (int i = 0; i < s->rank; i++)
        at[i] = origin[i];
    if ((has_many_chunks(s) ? fetch_of_many : fetch_chunk)(s, at, scratch, &mask, &size, bytes, e) <
        0)
        return NULL;
    if (size == 0)
        return fill_chunk(s, scratch, e) < 0 ? NULL : scratch->stored;
    void *plain = chunk_decode(&s->form, scratch, (size_t)size, mask);
    if (!plain)
        err_set(e, "%s: dataset '%s' is damaged at %s", s->file->path, s->name,
                h5_index(text, s->rank, origin));
    else if (convert(s, plain, s->form.bytes / s->form.element, e) < 0)
        return NULL;
    return plain;
}

/* A chunk on its way into the cache. */
struct making {
    const struct h5_set *set;
    const uint64_t *origin;
    struct chunk_scratch *scratch;
    uint64_t *bytes;
};

static int make_chunk(void *arg, void *to, size_t bytes, struct err *e)
{
    const struct making *m = arg;
    const void *chunk = h5_read_chunk(m->set, m->origin, m->scratch, m->bytes, e);

    if (!chunk)
        return -1;
    memcpy(to, chunk, bytes);
    return 0;
}

static int copy_chunk(const struct h5_set *s, const struct h5_region *r, const uint64_t *origin,
                      const struct h5_cache *cache, struct chunk_scratch *scratch, void *to,
                      uint64_t *bytes, struct err *e)
{
    static const uint64_t zero[H5_AXES];
    struct making m = {s, origin, scratch, bytes};

    if (!cache || !cache->chunks) {
        const void *chunk = h5_read_chunk(s, origin, scratch, bytes, e);
        if (chunk)
            copy_overlap(s, r, origin, chunk, to);
        return chunk ? 0 : -1;
    }
    /* The index of its first value: one chunk, one number. */
    const struct chunk_key key = {cache->file, cache->set,
                                  offset_of(s->rank, origin, zero, s->dims)};
    const size_t size = s->form.bytes / s->form.element * h5_type_size(s->type);
    struct chunk_held *held = chunk_cache_take(cache->chunks, &key, size, make_chunk, &m, e);
    if (!held)
        return -1;
    copy_overlap(s, r, origin, chunk_held_data(held), to);
    chunk_cache_give(cache->chunks, held);
    return 0;
}

static int read_chunks(const struct h5_set *s, const struct h5_region *r,
                       const struct h5_cache *cache, struct chunk_scratch *scratch, void *to,
                       uint64_t *bytes, struct err *e)
{
    uint64_t first[H5_AXES], end[H5_AXES], at[H5_AXES], origin[H5_AXES];

    for (int i = 0; i < s->rank; i++) {
        at[i] = first[i] = r->corner[i] / s->chunk[i];
        end[i] = (r->corner[i] + r->size[i] - 1) / s->chunk[i] + 1;
    }
    do {
        for (int i = 0; i < s->rank; i++)
            origin[i] = at[i] * s->chunk[i];
        if (copy_chunk(s, r, origin, cache, scratch, to, bytes, e) < 0)
            return -1;
    } while (next(s->rank, first, end, at));
    return 0;
}

/* HDF5 reads a set that lies in its header past the end when there is less of
 * it than the extent says. */
static int check_stored(const struct h5_set *s, struct err *e)
{
    const uint64_t bytes = H5Dget_storage_size(s->id), plain = s->values * s->form.element;

    if (check_size(s, bytes, e) < 0)
        return -1;
    if (bytes < plain && !s->chunked && (s->compact || bytes != 0)) /* 0: never written */
        return err_set(e, "%s: dataset '%s' has %" PRIu64 " bytes, expected %" PRIu64,
                       s->file->path, s->name, bytes, plain);
    return 0;
}

/* What lies in the header, behind a user block, or was never written, and what
 * only HDF5 decodes: szip, nbit, scaleoffset. Its decoders trust the file. */
static int read_by_library(const struct h5_set *s, const struct h5_region *r, void *to,
                           uint64_t *bytes, struct err *e)
{
    hsize_t corner[H5_AXES], size[H5_AXES];
    int rc = -1;

    for (int i = 0; i < s->rank; i++) {
        corner[i] = r->corner[i];
        size[i] = r->size[i];
    }
    h5_lock();
    if (check_stored(s, e) < 0)
        goto out;
    hid_t space = H5Dget_space(s->id);
    hid_t held = s->rank ? H5Screate_simple(s->rank, size, NULL) : H5Screate(H5S_SCALAR);
    if ((s->rank && H5Sselect_hyperslab(space, H5S_SELECT_SET, corner, NULL, size, NULL) < 0) ||
        H5Dread(s->id, native_type(s->type), held, space, H5P_DEFAULT, to) < 0)
        h5_error(s->file, "its values cannot be read", e);
    else
        rc = 0;
    *bytes += H5Dget_storage_size(s->id);
    H5Sclose(held);
    H5Sclose(space);
out:
    h5_unlock();
    return rc;
}

int h5_read(const struct h5_set *s, const struct h5_region *r, const struct h5_cache *cache,
            struct chunk_scratch *scratch, void *to, uint64_t *bytes, struct err *e)
{
    if (s->how == H5_CHUNKED)
        return read_chunks(s, r, cache, scratch, to, bytes, e);
    if (s->how == H5_CONTIGUOUS)
        return read_contiguous(s, r, scratch, to, bytes, e);
    return read_by_library(s, r, to, bytes, e);
}
