/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/data/import.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/data/netcdf.h"

/* Takes the values of an array, which it frees. */
static int hand_over(const struct import_sink *to, struct import_array *a, struct err *e)
{
    int rc = to->put(to->ctx, a, e);

    free(a->v);
    a->v = NULL;
    return rc;
}

static int no_memory(const char *path, uint64_t values, struct err *e)
{
    return err_set(e, "%s: no memory for %" PRIu64 " numbers", path, values);
}

/* ---- classic NetCDF ---------------------------------------------------- */

static int import_variable(const struct netcdf *n, int i, const struct import_sink *to,
                           struct err *e)
{
    const struct netcdf_var *v = &n->var[i];
    struct import_array a = {.name = v->name, .rank = v->rank, .values = v->values};

    memcpy(a.dims, v->dims, sizeof a.dims);
    a.v = malloc((size_t)v->values * sizeof *a.v + 1);
    if (!a.v)
        return no_memory(n->path, v->values, e);
    if (netcdf_read(n, i, a.v, e) < 0) {
        free(a.v);
        return -1;
    }
    return hand_over(to, &a, e);
}

static int import_netcdf(const unsigned char *data, size_t size, const char *path,
                         const struct import_sink *to, struct err *e)
{
    struct netcdf n;
    int rc = netcdf_open(&n, data, size, path, e);

    for (int i = 0; rc == 0 && i < n.n_vars; i++) {
        const bool text = n.var[i].type == 2;
        if (!text && n.var[i].values > 0 && to->wants(to->ctx, n.var[i].name))
            rc = import_variable(&n, i, to, e);
    }
    if (n.var)
        netcdf_close(&n);
    return rc;
}

/* ---- raw ---------------------------------------------------------------- */

struct sidecar {
    char dataset[IMPORT_NAME];
    unsigned type; /* as NetCDF numbers them */
    bool big;
    int rank;
    uint64_t dims[IMPORT_AXES], skip;
    double missing, scale, offset;
};

static const struct {
    const char *name;
    unsigned type;
} types[] = {{"int8", 1},   {"uint8", 7},  {"int16", 3},   {"uint16", 8},  {"int32", 4},
             {"uint32", 9}, {"int64", 10}, {"uint64", 11}, {"float32", 5}, {"float64", 6}};

/* A whole text as a number. */
static bool is_number(const char *text, double *v)
{
    char *end;

    errno = 0;
    *v = strtod(text, &end);
    return end != text && *end == '\0';
}

static bool is_count(const char *text, uint64_t *v)
{
    double x;

    if (!is_number(text, &x) || !(x >= 0 && x <= 9007199254740992.0) || x != floor(x))
        return false;
    *v = (uint64_t)x;
    return true;
}

static bool take_type(struct sidecar *s, const char *value)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(value, types[i].name) == 0)
            s->type = types[i].type;
    return s->type != 0;
}

static bool take_dims(struct sidecar *s, char *value)
{
    char *rest = value;

    for (s->rank = 0; rest; s->rank++) {
        char *one = strsep(&rest, ",");
        one += strspn(one, " ");
        one[strcspn(one, " ")] = '\0';
        if (s->rank == IMPORT_AXES || !is_count(one, &s->dims[s->rank]) || !s->dims[s->rank])
            return false;
    }
    return true;
}

static bool take_key(struct sidecar *s, const char *key, char *value)
{
    const struct {
        const char *name;
        double *number;
    } numbers[] = {{"missing", &s->missing}, {"scale", &s->scale}, {"offset", &s->offset}};

    if (strcmp(key, "type") == 0)
        return take_type(s, value);
    if (strcmp(key, "dims") == 0)
        return take_dims(s, value);
    if (strcmp(key, "skip") == 0)
        return is_count(value, &s->skip);
    if (strcmp(key, "order") == 0) {
        s->big = strcmp(value, "big") == 0;
        return s->big || strcmp(value, "little") == 0;
    }
    if (strcmp(key, "dataset") == 0) {
        snprintf(s->dataset, sizeof s->dataset, "%s", value);
        return *value && strlen(value) < sizeof s->dataset;
    }
    for (int i = 0; i < 3; i++)
        if (strcmp(key, numbers[i].name) == 0)
            return is_number(value, numbers[i].number);
    return false;
}

/* Without spaces at its ends. */
static char *trimmed(char *text)
{
    text += strspn(text, " \t\r");
    size_t n = strlen(text);
    while (n > 0 && strchr(" \t\r", text[n - 1]))
        text[--n] = '\0';
    return text;
}

static int read_sidecar(struct sidecar *s, const char *text, const char *path, struct err *e)
{
    char *copy = strdup(text), *rest = copy, *line;
    int rc = copy ? 0 : no_memory(path, strlen(text), e);

    *s = (struct sidecar){.dataset = "data", .missing = NAN, .scale = 1};
    for (int n = 1; rc == 0 && (line = strsep(&rest, "\n")); n++) {
        line[strcspn(line, "#")] = '\0';
        line = trimmed(line);
        char *equals = strchr(line, '=');
        if (!*line)
            continue;
        if (equals)
            *equals = '\0';
        if (!equals || !take_key(s, trimmed(line), trimmed(equals + 1)))
            rc = err_set(e,
                         "the sidecar of %s, line %d: expected type=, dims=, order=, dataset=, "
                         "skip=, missing=, scale= or offset= and its value (see man hpcai500-data)",
                         path, n);
    }
    if (rc == 0 && (!s->type || !s->rank))
        rc = err_set(e, "the sidecar of %s: type= and dims= must be said", path);
    free(copy);
    return rc;
}

/* Value i. */
static float raw_value(const struct sidecar *s, const unsigned char *data, uint64_t i)
{
    const size_t bytes = netcdf_bytes(s->type);
    unsigned char turned[8];

    data += s->skip + i * bytes;
    for (size_t k = 0; k < bytes; k++)
        turned[k] = s->big ? data[k] : data[bytes - 1 - k];
    const double x = netcdf_number(turned, s->type);
    return x == s->missing ? NAN : (float)(x * s->scale + s->offset);
}

static int import_raw(const unsigned char *data, size_t size, const char *path, const char *sidecar,
                      const struct import_sink *to, struct err *e)
{
    struct sidecar s;
    uint64_t bytes;

    if (read_sidecar(&s, sidecar, path, e) < 0)
        return -1;
    struct import_array a = {.name = s.dataset, .rank = s.rank, .values = 1};
    bytes = netcdf_bytes(s.type);
    bool fits = true;
    for (int i = 0; i < s.rank; i++) {
        a.dims[i] = s.dims[i];
        fits = fits && !__builtin_mul_overflow(a.values, s.dims[i], &a.values);
    }
    fits = fits && !__builtin_mul_overflow(bytes, a.values, &bytes) &&
           !__builtin_add_overflow(bytes, s.skip, &bytes);
    if (!fits || bytes != size)
        return err_set(e, "%s has %zu bytes, and its sidecar says %s", path, size,
                       !fits || bytes > size ? "more" : "fewer");
    if (!to->wants(to->ctx, a.name))
        return 0;
    a.v = malloc((size_t)a.values * sizeof *a.v);
    if (!a.v)
        return no_memory(path, a.values, e);
    for (uint64_t i = 0; i < a.values; i++)
        a.v[i] = raw_value(&s, data, i);
    return hand_over(to, &a, e);
}

/* ---- CSV ---------------------------------------------------------------- */

enum { CSV_COLUMNS = 1024, CSV_CELL = 64 };

struct csv {
    const char *path;
    const unsigned char *at, *end;
    char separator;
    uint64_t line;
    int columns;
    char name[CSV_COLUMNS][IMPORT_NAME];
    float *v; /* [rows][columns] */
    uint64_t rows, room;
};

/* Where the line ends that begins at `at`. */
static const unsigned char *end_of_line(const struct csv *c)
{
    const unsigned char *n = memchr(c->at, '\n', (size_t)(c->end - c->at));

    return n ? n : c->end;
}

/* The next cell of a line, without quotes and spaces; NULL: it is too long. *at NULL
 * behind the last. */
static char *next_cell(const struct csv *c, const unsigned char **at, const unsigned char *end,
                       char cell[CSV_CELL])
{
    const unsigned char *p = *at;
    size_t n = 0;
    bool quoted = false;

    for (; p < end && (quoted || *p != (unsigned char)c->separator); p++) {
        if (*p == '"')
            quoted = !quoted;
        else if (n == CSV_CELL - 1)
            return NULL;
        else
            cell[n++] = *p ? (char)*p : ' ';
    }
    cell[n] = '\0';
    *at = p < end ? p + 1 : NULL;
    return trimmed(cell);
}

/* "" and the like are missing. */
static bool cell_value(const char *cell, float *v)
{
    double x;

    if (!*cell || strcmp(cell, "NA") == 0 || strcmp(cell, "nan") == 0 || strcmp(cell, "NaN") == 0) {
        *v = NAN;
        return true;
    }
    if (!is_number(cell, &x))
        return false;
    *v = (float)x;
    return true;
}

/* The separator, and the names, of which the line is used up; or names of our own. */
static int csv_head(struct csv *c, struct err *e)
{
    const unsigned char *end = end_of_line(c), *at = c->at;
    bool names = false;

    c->separator = memchr(at, ',', (size_t)(end - at))    ? ','
                   : memchr(at, ';', (size_t)(end - at))  ? ';'
                   : memchr(at, '\t', (size_t)(end - at)) ? '\t'
                                                          : ',';
    while (at) {
        char text[CSV_CELL], *cell = next_cell(c, &at, end, text);
        float v;
        if (!cell || c->columns == CSV_COLUMNS)
            return err_set(e, "%s: more than %d columns, or a name of more than %d letters",
                           c->path, CSV_COLUMNS, CSV_CELL - 1);
        names |= !cell_value(cell, &v);
        for (char *s = cell; *s; s++)
            *s = *s == '/' || (unsigned char)*s < ' ' ? '_' : *s;
        snprintf(c->name[c->columns++], IMPORT_NAME, "%s", *cell && *cell != '.' ? cell : "_");
    }
    for (int i = 0; !names && i < c->columns; i++)
        snprintf(c->name[i], IMPORT_NAME, "c%d", i);
    if (names)
        c->at = end < c->end ? end + 1 : end;
    return 0;
}

static float *csv_row(struct csv *c, struct err *e)
{
    if (c->rows == c->room) {
        const uint64_t room = c->room ? 2 * c->room : 64;
        float *more = realloc(c->v, (size_t)room * (size_t)c->columns * sizeof *more);
        if (!more)
            return no_memory(c->path, room * (uint64_t)c->columns, e), NULL;
        c->v = more;
        c->room = room;
    }
    return c->v + c->rows++ * (uint64_t)c->columns;
}

static int csv_line(struct csv *c, const unsigned char *end, struct err *e)
{
    const unsigned char *at = c->at;
    float *row = csv_row(c, e);
    int n = 0;

    if (!row)
        return -1;
    while (at) {
        char text[CSV_CELL], *cell = next_cell(c, &at, end, text);
        if (!cell || (n < c->columns && !cell_value(cell, &row[n])))
            return err_set(e, "%s, line %" PRIu64 ", column %d: '%.40s' is not a number", c->path,
                           c->line, n + 1, cell ? cell : "a long text");
        n++;
    }
    return n == c->columns ? 0
                           : err_set(e, "%s, line %" PRIu64 ": %d cells, expected %d", c->path,
                                     c->line, n, c->columns);
}

static bool is_blank(const unsigned char *at, const unsigned char *end)
{
    while (at < end && (*at == ' ' || *at == '\r' || *at == '\t'))
        at++;
    return at == end || *at == '#';
}

/* Lines that say something, the first one as the head. */
static int csv_lines(struct csv *c, struct err *e)
{
    for (; c->at < c->end; c->line++) {
        const unsigned char *end = end_of_line(c);
        if (!is_blank(c->at, end)) {
            if (c->columns == 0) {
                const unsigned char *before = c->at;
                if (csv_head(c, e) < 0)
                    return -1;
                if (c->at != before)
                    continue;
            }
            if (csv_line(c, end, e) < 0)
                return -1;
        }
        c->at = end < c->end ? end + 1 : end;
    }
    return c->rows ? 0 : err_set(e, "%s: no line of numbers in it", c->path);
}

static int csv_columns(struct csv *c, const struct import_sink *to, struct err *e)
{
    for (int i = 0; i < c->columns; i++) {
        struct import_array a = {
            .name = c->name[i], .rank = 1, .dims = {c->rows}, .values = c->rows};
        if (!to->wants(to->ctx, a.name))
            continue;
        if (!(a.v = malloc((size_t)c->rows * sizeof *a.v)))
            return no_memory(c->path, c->rows, e);
        for (uint64_t k = 0; k < c->rows; k++)
            a.v[k] = c->v[k * (uint64_t)c->columns + (uint64_t)i];
        if (hand_over(to, &a, e) < 0)
            return -1;
    }
    return 0;
}

static int import_csv(const unsigned char *data, size_t size, const char *path,
                      const struct import_sink *to, struct err *e)
{
    struct csv *c = calloc(1, sizeof *c);

    if (!c)
        return no_memory(path, 0, e);
    c->path = path;
    c->at = data;
    c->end = data + size;
    c->line = 1;
    int rc = csv_lines(c, e) < 0 ? -1 : csv_columns(c, to, e);
    free(c->v);
    free(c);
    return rc;
}

int import_bytes(enum import_format format, const unsigned char *data, size_t size,
                 const char *path, const char *sidecar, const struct import_sink *to, struct err *e)
{
    switch (format) {
    case IMPORT_NETCDF:
        return import_netcdf(data, size, path, to, e);
    case IMPORT_RAW:
        return import_raw(data, size, path, sidecar, to, e);
    default:
        return import_csv(data, size, path, to, e);
    }
}
