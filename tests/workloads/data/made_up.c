/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "tests/workloads/data/made_up.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct field fields[] = {
    {.name = "image",
     .title = "energy in a cell",
     .axes = "cyx",
     .size = {MADE_C, 0, 0},
     .least = 0,
     .greatest = FLT_MAX,
     .stored = NUMBER_FLOAT},
    {.name = "label",
     .title = "kind",
     .axes = "",
     .whole = true,
     .least = 0,
     .greatest = 5,
     .stored = NUMBER_UINT8},
    {.name = "weight",
     .title = "how often it is seen",
     .axes = "",
     .least = 0,
     .greatest = FLT_MAX,
     .stored = NUMBER_FLOAT,
     .optional = true,
     .fallback = 1},
    {.name = "mask",
     .title = "kind of each cell",
     .axes = "yx",
     .whole = true,
     .least = 0,
     .greatest = 9,
     .stored = NUMBER_UINT8},
};

static const struct layout layouts[] = {
    {.name = "flat",
     .place = {{{"data"}, "nyxc"}, {{"label"}, "n"}, {{"weight"}, "n"}, {{"mask"}, "nyx"}}},
    {.name = "events",
     .place = {{{"all/events/r", "all/events/g", "all/events/b"}, "nyx"},
               {{"all/y"}, "n"},
               {{NULL}, ""},
               {{"all/mask"}, "ynx"}}},
    {.name = "single",
     .place = {{{"image"}, "cyx"}, {{"kind"}, ""}, {{"seen"}, ""}, {{"mask"}, "xy"}}},
};

const struct data_class made_up_class = {.size = {0, 0, MADE_Y, MADE_X}};

const struct science made_up = {
    .name = "made_up",
    .title = "made-up images",
    .fields = fields,
    .n_fields = sizeof fields / sizeof fields[0],
    .layouts = layouts,
    .n_layouts = sizeof layouts / sizeof layouts[0],
    .side_files = {"stats.h5"},
};

int made_up_image(int s, int c, int y, int x)
{
    return (s * 29 + c * 41 + y * 13 + x * 7 + s * c * x) % 120;
}

int made_up_label(int s)
{
    return s * 7 % 6;
}

float made_up_weight(int s)
{
    return (float)(s % 11) / 8;
}

int made_up_mask(int s, int y, int x)
{
    return (s * 3 + y * 5 + x) % 10;
}

void made_up_put(hid_t file, const struct made_set *s, const void *data)
{
    hid_t p = H5Pcreate(H5P_DATASET_CREATE), way = H5Pcreate(H5P_LINK_CREATE);
    hid_t space = s->rank ? H5Screate_simple(s->rank, s->dims, NULL) : H5Screate(H5S_SCALAR);

    H5Pset_create_intermediate_group(way, 1);
    if (s->chunk[0])
        H5Pset_chunk(p, s->rank, s->chunk);
    if (s->chunk[0] && s->filter)
        s->filter(p);
    hid_t set = H5Dcreate2(file, s->path, s->type, space, way, p, H5P_DEFAULT);
    if (set < 0 || (data && H5Dwrite(set, s->held, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0))
        abort();
    H5Dclose(set);
    H5Sclose(space);
    H5Pclose(way);
    H5Pclose(p);
}

/* A set of a file with axes of these letters. */
static struct made_set set_of(const struct made_file *m, const char *path, const char *axes,
                              hid_t type, long chunk)
{
    struct made_set s = {
        path,     type ? type : H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, (int)strlen(axes), {0}, {0},
        m->filter};

    for (int i = 0; i < s.rank; i++) {
        s.dims[i] = axes[i] == 'n'   ? (hsize_t)m->n
                    : axes[i] == 'c' ? MADE_C
                    : axes[i] == 'y' ? MADE_Y
                                     : MADE_X;
        if (m->chunk)
            s.chunk[i] = axes[i] == 'n'              ? (hsize_t)(chunk < m->n ? chunk : m->n)
                         : axes[i] == 'y' && m->rows ? (hsize_t)m->rows
                                                     : s.dims[i];
    }
    return s;
}

/* The image's values in the order of these axes; c: the one channel, -1: all. */
static void put_image(hid_t file, const struct made_file *m, const char *path, const char *axes,
                      int channel)
{
    const struct made_set s = set_of(m, path, axes, m->image, m->chunk);
    float *v = malloc((size_t)m->n * MADE_C * MADE_Y * MADE_X * sizeof *v);
    size_t k = 0;
    int size[256] = {['n'] = m->n, ['c'] = MADE_C, ['y'] = MADE_Y, ['x'] = MADE_X}, at[256];
    size_t values = 1;

    for (int i = 0; i < s.rank; i++)
        values *= (size_t)size[(int)axes[i]];
    for (k = 0; k < values; k++) {
        size_t rest = k;
        at['n'] = 0;
        at['c'] = channel;
        for (int i = s.rank - 1; i >= 0; i--) {
            at[(int)axes[i]] = (int)(rest % (size_t)size[(int)axes[i]]);
            rest /= (size_t)size[(int)axes[i]];
        }
        v[k] = (float)made_up_image(m->first + at['n'], at['c'], at['y'], at['x']);
    }
    made_up_put(file, &s, v);
    free(v);
}

static void put_mask(hid_t file, const struct made_file *m, const char *path, const char *axes)
{
    const struct made_set s = set_of(m, path, axes, m->other, m->chunk + 2);
    const bool by_column = axes[0] == 'x', by_row = axes[0] == 'y';
    float *v = malloc((size_t)m->n * MADE_Y * MADE_X * sizeof *v);

    for (int i = 0; i < m->n; i++)
        for (int y = 0; y < MADE_Y; y++)
            for (int x = 0; x < MADE_X; x++)
                v[by_column ? x * MADE_Y + y
                  : by_row  ? (y * m->n + i) * MADE_X + x
                            : (i * MADE_Y + y) * MADE_X + x] =
                    (float)made_up_mask(m->first + i, y, x);
    made_up_put(file, &s, v);
    free(v);
}

static void put_numbers(hid_t file, const struct made_file *m, const char *path, const char *axes,
                        bool weights)
{
    struct made_set s = set_of(m, path, axes, weights ? 0 : m->other, m->chunk);
    float *v = malloc((size_t)m->n * sizeof *v);

    if (m->columns && !weights && s.rank) {
        s.dims[s.rank] = 1;
        s.chunk[s.rank++] = 1;
    }
    for (int i = 0; i < m->n; i++)
        v[i] = weights ? made_up_weight(m->first + i) : (float)made_up_label(m->first + i);
    made_up_put(file, &s, v);
    free(v);
}

void made_up_write(const char *folder, const char *name, const struct made_file *given)
{
    struct made_file m = *given;
    char path[512];

    if (m.n == 0)
        m.n = 1;
    if (!m.layout)
        m.layout = "flat";
    snprintf(path, sizeof path, "%s/%s", folder, name);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    if (strcmp(m.layout, "flat") == 0) {
        put_image(file, &m, "data", "nyxc", -1);
        put_numbers(file, &m, "label", "n", false);
        put_mask(file, &m, "mask", "nyx");
        if (!m.no_weight)
            put_numbers(file, &m, "weight", "n", true);
    } else if (strcmp(m.layout, "events") == 0) {
        put_image(file, &m, "all/events/r", "nyx", 0);
        put_image(file, &m, "all/events/g", "nyx", 1);
        put_image(file, &m, "all/events/b", "nyx", 2);
        put_numbers(file, &m, "all/y", "n", false);
        put_mask(file, &m, "all/mask", "ynx");
    } else {
        m.chunk = 0;
        put_image(file, &m, "image", "cyx", -1);
        put_numbers(file, &m, "kind", "", false);
        put_mask(file, &m, "mask", "xy");
        if (!m.no_weight)
            put_numbers(file, &m, "seen", "", true);
    }
    if (H5Fclose(file) < 0)
        abort();
}
