/* SPDX-License-Identifier: BSD-3-Clause */
/* The cosmology set for the driver: boxes, their labels, their baseline. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/data/science_cosmo.h"
#include "workloads/generate/cosmo/gen_field.h"
#include "workloads/generate/cosmo/gen_ridge.h"
#include "workloads/generate/gen_fftw.h"
#include "workloads/generate/generator.h"

enum { ROW_FLOATS = sizeof(struct ridge_row) / sizeof(float), NAME_BYTES = 8 };

_Static_assert(ROW_FLOATS == RIDGE_FEATURES + COSMO_PARAMETERS, "a row is floats only");

/* A file is one box; a sample is that, or one of the cubes it is cut into. */
struct maker {
    int edge, whole; /* cells along a side: of a sample, of a box */
    bool raw;
    struct cosmo_field *box, *sample; /* the same where they are as large */
    int16_t *cut;                     /* [edge][edge][edge][COSMO_CHANNELS]; NULL: not cut */
};

static void cosmo_close(void *maker)
{
    struct maker *m = maker;

    if (!m)
        return;
    if (m->sample != m->box)
        field_destroy(m->sample);
    field_destroy(m->box);
    free(m->cut);
    free(m);
}

static void *cosmo_open(const struct data_class *c, const struct layout *l, struct err *e)
{
    const struct cosmo_own *own = c->own;
    const int edge = (int)c->size[1], whole = l->cut ? edge * (int)c->cuts : edge;
    const size_t values = (size_t)edge * (size_t)edge * (size_t)edge * COSMO_CHANNELS;
    struct maker *m = calloc(1, sizeof *m);

    if (!m)
        return err_set(e, "no memory for a box"), NULL;
    m->edge = edge;
    m->whole = whole;
    m->raw = l->cut;
    m->box = m->sample = field_create(whole, own->cell_mpc, own->particles, e);
    if (m->box && whole != edge) {
        m->sample = field_create(edge, own->cell_mpc, own->particles, e);
        m->cut = malloc(values * sizeof *m->cut);
        if (m->sample && !m->cut)
            err_set(e, "no memory for a cube of %d^3 cells", edge);
    }
    if (m->box && m->sample && (whole == edge || m->cut))
        return m;
    cosmo_close(m);
    return NULL;
}

/* Copies the cube whose first cell is at `corner` out of a box. */
static void cut_cube(struct maker *m, const int16_t *counts, const int corner[3])
{
    const size_t edge = (size_t)m->edge, whole = (size_t)m->whole;

    for (size_t a = 0; a < edge; a++)
        for (size_t b = 0; b < edge; b++) {
            size_t from = (((size_t)corner[0] + a) * whole + (size_t)corner[1] + b) * whole +
                          (size_t)corner[2];
            memcpy(m->cut + (a * edge + b) * edge * COSMO_CHANNELS, counts + from * COSMO_CHANNELS,
                   edge * COSMO_CHANNELS * sizeof *m->cut);
        }
}

static int cosmo_make(void *maker, uint64_t seed, uint64_t sample, void *const field[],
                      float *features, struct err *e)
{
    struct maker *m = maker;
    int16_t *counts = field[COSMO_X];
    float *labels = field[COSMO_Y];
    struct ridge_row *rows = (struct ridge_row *)features;
    const int edge = m->edge, per = m->whole / edge;
    double unit[COSMO_PARAMETERS];

    field_parameters(seed, sample, unit);
    struct cosmology c = cosmology_from_unit(unit);
    if (field_sample(m->box, &c, seed, sample, counts, e) < 0)
        return -1;
    for (int p = 0; p < COSMO_PARAMETERS; p++)
        labels[p] = (float)unit[p];
    for (int i = 0; i < per * per * per; i++) { /* in the reader's order */
        const int corner[3] = {i / per / per * edge, i / per % per * edge, i % per * edge};
        if (m->cut)
            cut_cube(m, counts, corner);
        ridge_features(m->sample, m->cut ? m->cut : counts, rows[i].x);
        memcpy(rows[i].y, labels, sizeof rows[i].y);
    }
    return 0;
}

/* What the published simulations have besides. */
static int cosmo_also(void *maker, uint64_t seed, uint64_t sample, struct h5_image *file,
                      struct err *e)
{
    const struct maker *m = maker;
    const uint64_t parameters = COSMO_PARAMETERS, channels = COSMO_CHANNELS;
    double unit[COSMO_PARAMETERS];
    float physical[COSMO_PARAMETERS], redshifts[COSMO_CHANNELS];
    const char *names[COSMO_PARAMETERS];

    if (!m->raw)
        return 0;
    field_parameters(seed, sample, unit);
    for (int i = 0; i < COSMO_PARAMETERS; i++) {
        const struct cosmo_parameter *p = &cosmo_parameters[i];
        physical[i] = (float)(p->low + (p->high - p->low) * (unit[i] + 1) / 2);
        names[i] = p->name;
    }
    for (int i = 0; i < COSMO_CHANNELS; i++)
        redshifts[i] = (float)cosmo_redshifts[i];
    if (h5_image_put(file, "physPar", NUMBER_FLOAT, 1, &parameters, NULL, 0, physical) < 0 ||
        h5_image_put_texts(file, "namePar", COSMO_PARAMETERS, NAME_BYTES, names) < 0 ||
        h5_image_put(file, "redshifts", NUMBER_FLOAT, 1, &channels, NULL, 0, redshifts) < 0)
        return err_set(e, "HDF5 refused the parameters");
    return 0;
}

static int cosmo_baselines(const float *train, size_t n, const float *validation, size_t m,
                           double value[SCIENCE_BASELINES], struct err *e)
{
    return ridge_fit((const struct ridge_row *)train, n, (const struct ridge_row *)validation, m,
                     &value[0], &value[1], e);
}

static void cosmo_notes(const struct data_class *c, struct manifest *m)
{
    const struct cosmo_own *own = c->own;
    char text[256];
    size_t at = 0;

    for (int i = 0; i < COSMO_PARAMETERS; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s %.6g..%.6g, ",
                               cosmo_parameters[i].name, cosmo_parameters[i].low,
                               cosmo_parameters[i].high);
    manifest_note(m, "cells", "%g Mpc/h", own->cell_mpc);
    manifest_note(m, "parameters", "%sOmega_b %g", text, COSMO_OMEGA_B);
    manifest_note(m, "redshifts", "%g %g %g %g", cosmo_redshifts[0], cosmo_redshifts[1],
                  cosmo_redshifts[2], cosmo_redshifts[3]);
}

const struct generator generator_cosmo = {
    .science = &science_cosmo,
    .features = ROW_FLOATS,
    .open = cosmo_open,
    .close = cosmo_close,
    .make = cosmo_make,
    .also = cosmo_also,
    .baselines = cosmo_baselines,
    .notes = cosmo_notes,
    .libraries = gen_fftw_name,
};
