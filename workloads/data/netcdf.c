/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The header of a classic file, in this order, all big-endian, names and values padded to
 * four bytes:
 *
 *     'C' 'D' 'F' version, records
 *     10, n, n x [name, length]                                   dimensions; 0, 0: none
 *     12, n, n x [name, type, count, values]                      attributes
 *     11, n, n x [name, rank, dimension..., attributes, type, bytes, begin]    variables
 *
 * Counts are 4 bytes, of CDF-5 8; begin 4 bytes, 8 from CDF-2 on; types and tags 4.
 */
#include <config.h>

#include "workloads/data/netcdf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TAG_DIMENSION = 10, TAG_VARIABLE = 11, TAG_ATTRIBUTE = 12 };
enum { TYPE_CHAR = 2, TYPES = 12 };

/* Records that were never counted: all bits of the count are set. */
static uint64_t streaming(int version)
{
    return version == 5 ? UINT64_MAX : UINT32_MAX;
}

/* ---- numbers ---------------------------------------------------------- */

static const size_t type_bytes[TYPES] = {0, 1, 1, 2, 4, 4, 8, 1, 2, 4, 8, 8};

static uint64_t big(const unsigned char *p, size_t n)
{
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

static double real_of(const unsigned char *p, unsigned type)
{
    const uint64_t bits = big(p, type_bytes[type]);

    if (type == 5) {
        const uint32_t low = (uint32_t)bits;
        float v;
        memcpy(&v, &low, sizeof v);
        return (double)v;
    }
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

size_t netcdf_bytes(unsigned type)
{
    return type < TYPES ? type_bytes[type] : 0;
}

double netcdf_number(const unsigned char *p, unsigned type)
{
    const size_t bytes = type_bytes[type];

    if (type == 5 || type == 6)
        return real_of(p, type);
    const uint64_t bits = big(p, bytes), sign = UINT64_C(1) << (8 * bytes - 1);
    if (type == 7 || type == 8 || type == 9 || type == 11) /* without a sign */
        return (double)bits;
    return (double)(int64_t)((bits ^ sign) - sign);
}

/* ---- the header ------------------------------------------------------- */

struct walk {
    struct netcdf *n;
    size_t at;
    uint64_t n_dims, *dims; /* their lengths; 0: the records */
    bool bad;
};

/* The next bytes; NULL past the end of the file. */
static const unsigned char *take(struct walk *w, uint64_t bytes)
{
    if (w->bad || bytes > w->n->size - w->at) {
        w->bad = true;
        return NULL;
    }
    w->at += (size_t)bytes;
    return w->n->data + w->at - bytes;
}

static uint64_t take_number(struct walk *w, size_t bytes)
{
    const unsigned char *p = take(w, bytes);

    return p ? big(p, bytes) : 0;
}

static uint64_t take_count(struct walk *w)
{
    return take_number(w, w->n->version == 5 ? 8 : 4);
}

static uint64_t padded(uint64_t bytes)
{
    return (bytes + 3) / 4 * 4;
}

/* A name that can be one of a dataset: no control characters, no slash. */
static void take_name(struct walk *w, char name[NETCDF_NAME])
{
    const uint64_t n = take_count(w);
    const unsigned char *p = n < NETCDF_NAME ? take(w, padded(n)) : NULL;

    name[0] = '\0';
    if (!p) {
        w->bad = true;
        return;
    }
    for (uint64_t i = 0; i < n; i++)
        w->bad |= p[i] < ' ' || p[i] == 127 || p[i] == '/';
    memcpy(name, p, (size_t)n);
    name[n] = '\0';
    w->bad |= n == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* How many of a list follow. Each has a name of one to four letters and a number at least. */
static uint64_t take_list(struct walk *w, unsigned tag)
{
    enum { LEAST = 12 };
    const uint64_t have = take_number(w, 4), n = take_count(w);

    if ((have != tag && (have != 0 || n != 0)) || n > NETCDF_MOST ||
        n > (w->n->size - w->at) / LEAST)
        w->bad = true;
    return w->bad ? 0 : n;
}

static void take_dimensions(struct walk *w)
{
    char name[NETCDF_NAME];
    const uint64_t n = take_list(w, TAG_DIMENSION);

    w->dims = n ? calloc((size_t)n, sizeof *w->dims) : NULL;
    w->n_dims = w->dims ? n : 0;
    w->bad |= n && !w->dims;
    for (uint64_t i = 0; i < w->n_dims && !w->bad; i++) {
        take_name(w, name);
        w->dims[i] = take_count(w);
    }
}

/* Attributes; of a variable those that say what its numbers mean. v NULL: of the file. */
static void take_attributes(struct walk *w, struct netcdf_var *v)
{
    static const char *const names[] = {"_FillValue", "missing_value", "scale_factor",
                                        "add_offset"};
    double *const to[] = {v ? &v->missing[0] : NULL, v ? &v->missing[1] : NULL,
                          v ? &v->scale : NULL, v ? &v->offset : NULL};
    const uint64_t n = take_list(w, TAG_ATTRIBUTE);

    for (uint64_t i = 0; i < n && !w->bad; i++) {
        char name[NETCDF_NAME];
        take_name(w, name);
        const uint64_t type = take_number(w, 4), count = take_count(w);
        w->bad |= type < 1 || type >= TYPES || count > w->n->size;
        const unsigned char *p = w->bad ? NULL : take(w, padded(count * type_bytes[type]));
        for (size_t k = 0; p && v && type != TYPE_CHAR && count == 1 && k < 4; k++)
            if (strcmp(name, names[k]) == 0)
                *to[k] = netcdf_number(p, (unsigned)type);
    }
}

static void take_variable(struct walk *w, struct netcdf_var *v)
{
    *v = (struct netcdf_var){.missing = {NAN, NAN}, .scale = 1};
    take_name(w, v->name);
    const uint64_t rank = take_count(w);
    if (rank > NETCDF_AXES)
        w->bad = true;
    v->rank = w->bad ? 0 : (int)rank;
    for (int i = 0; i < v->rank && !w->bad; i++) {
        const uint64_t d = take_count(w);
        if (d >= w->n_dims || (w->dims[d] == 0 && i > 0)) {
            w->bad = true;
            break;
        }
        v->dims[i] = w->dims[d];
        v->record |= w->dims[d] == 0;
    }
    take_attributes(w, v);
    v->type = (unsigned)take_number(w, 4);
    w->bad |= v->type < 1 || v->type >= TYPES;
    take_count(w); /* its bytes, which the sizes say better */
    v->begin = take_number(w, w->n->version == 1 ? 4 : 8);
}

static void take_variables(struct walk *w)
{
    const uint64_t n = take_list(w, TAG_VARIABLE);

    w->n->var = n ? calloc((size_t)n, sizeof *w->n->var) : NULL;
    w->bad |= n && !w->n->var;
    for (uint64_t i = 0; i < n && !w->bad; i++) {
        take_variable(w, &w->n->var[i]);
        w->n->n_vars++;
    }
}

/* ---- where everything lies --------------------------------------------- */

/* Bytes of a variable, of one record of it where it has records; false: more than any
 * file has. */
static bool bytes_of(const struct netcdf_var *v, uint64_t *bytes)
{
    *bytes = type_bytes[v->type];
    for (int i = v->record; i < v->rank; i++)
        if (__builtin_mul_overflow(*bytes, v->dims[i], bytes))
            return false;
    return *bytes <= INT64_MAX;
}

/* Records lie one behind the other, in each the variables that have records, each padded;
 * not padded where there is one alone. */
static bool count_records(struct netcdf *n, uint64_t said)
{
    uint64_t first = n->size, bytes, sum = 0;
    int with = 0;

    for (int i = 0; i < n->n_vars; i++) {
        const struct netcdf_var *v = &n->var[i];
        if (!bytes_of(v, &bytes))
            return false;
        if (!v->record)
            continue;
        with++;
        n->record_bytes = bytes;
        if (__builtin_add_overflow(sum, padded(bytes), &sum))
            return false;
        first = v->begin < first ? v->begin : first;
    }
    if (with > 1)
        n->record_bytes = sum;
    n->records = said;
    if (said == streaming(n->version))
        n->records = n->record_bytes ? (n->size - first) / n->record_bytes : 0;
    return true;
}

/* Whether all of it is in the file. */
static bool lies_inside(const struct netcdf *n, struct netcdf_var *v)
{
    uint64_t bytes, end;

    bytes_of(v, &bytes);
    v->values = bytes / type_bytes[v->type];
    end = bytes;
    if (v->record) {
        v->dims[0] = n->records;
        if (__builtin_mul_overflow(v->values, n->records, &v->values))
            return false;
        if (n->records == 0)
            return true;
        if (__builtin_mul_overflow(n->records - 1, n->record_bytes, &end) ||
            __builtin_add_overflow(end, bytes, &end))
            return false;
    }
    return !__builtin_add_overflow(end, v->begin, &end) && end <= n->size;
}

static int place_variables(struct netcdf *n, struct err *e)
{
    for (int i = 0; i < n->n_vars; i++)
        if (!lies_inside(n, &n->var[i]))
            return err_set(e, "%s: variable '%s' goes past the end of the file: it was cut off",
                           n->path, n->var[i].name);
    return 0;
}

/* ---- open, read -------------------------------------------------------- */

static int refuse_magic(const struct netcdf *n, struct err *e)
{
    if (n->size >= 8 && memcmp(n->data, "\211HDF\r\n\032\n", 8) == 0)
        return err_set(e, "%s is an HDF5 file (NetCDF-4 is): it needs no import", n->path);
    return err_set(e, "%s is not a classic NetCDF file", n->path);
}

int netcdf_open(struct netcdf *n, const void *data, size_t size, const char *path, struct err *e)
{
    struct walk w = {.n = n, .at = 4};
    int rc = 0;

    *n = (struct netcdf){.data = data, .size = size, .path = path};
    if (size < 4 || memcmp(n->data, "CDF", 3) != 0)
        return refuse_magic(n, e);
    n->version = n->data[3];
    if (n->version != 1 && n->version != 2 && n->version != 5)
        return err_set(e, "%s: classic NetCDF of version %d; 1, 2 and 5 are known", path,
                       n->version);
    const uint64_t said = take_count(&w);
    take_dimensions(&w);
    take_attributes(&w, NULL);
    take_variables(&w);
    if (w.bad || !count_records(n, said))
        rc = err_set(e, "%s: the header is damaged, or has what is not supported, at byte %zu",
                     path, w.at);
    else
        rc = place_variables(n, e);
    free(w.dims);
    if (rc < 0)
        netcdf_close(n);
    return rc;
}

void netcdf_close(struct netcdf *n)
{
    free(n->var);
    n->var = NULL;
    n->n_vars = 0;
}

/* Value i of a variable, in the file. */
static const unsigned char *value_at(const struct netcdf *n, const struct netcdf_var *v, uint64_t i)
{
    const size_t bytes = type_bytes[v->type];
    const uint64_t each = v->record ? v->values / n->records : v->values;

    return n->data + v->begin + (v->record ? i / each * n->record_bytes : 0) + i % each * bytes;
}

int netcdf_read(const struct netcdf *n, int var, float *to, struct err *e)
{
    const struct netcdf_var *v = &n->var[var];

    if (v->type == TYPE_CHAR)
        return err_set(e, "%s: variable '%s' is text", n->path, v->name);
    for (uint64_t i = 0; i < v->values; i++) {
        const double x = netcdf_number(value_at(n, v, i), v->type);
        const bool missing = x == v->missing[0] || x == v->missing[1];
        to[i] = missing ? NAN : (float)(x * v->scale + v->offset);
    }
    return 0;
}
