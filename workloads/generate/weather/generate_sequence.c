/* SPDX-License-Identifier: BSD-3-Clause */
/* The set of sequences for the driver: one flow, looked at every six hours. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "workloads/data/science_sequence.h"
#include "workloads/generate/gen_fftw.h"
#include "workloads/generate/generator.h"
#include "workloads/generate/weather/weather.h"

/* Levels between 850 and 200 hPa, from what the wind grows by in the whole layer
 * (weather.h), in proportion to ln p. */
#define SHARE_500 0.3667 /* ln(850 / 500) / ln(850 / 200) */

struct maker {
    struct weather *weather;
    double *upper[2]; /* what u and v grow by from 850 to 200 hPa [places] */
    int variables;
};

static void close_maker(void *maker)
{
    struct maker *m = maker;

    if (!m)
        return;
    free(m->upper[1]);
    free(m->upper[0]);
    weather_destroy(m->weather);
    free(m);
}

static void *open_maker(const struct data_class *c, const struct layout *l, struct err *e)
{
    const size_t bytes = (size_t)(c->size[2] * c->size[3]) * sizeof(double);
    struct maker *m = calloc(1, sizeof *m);

    (void)l;
    if (m) {
        m->variables = (int)c->size[0];
        m->upper[0] = malloc(bytes);
        m->upper[1] = malloc(bytes);
    }
    if (!m || !m->upper[0] || !m->upper[1])
        err_set(e, "no memory for a sequence of weather");
    else if ((m->weather = weather_create((int)c->size[2], (int)c->size[3], c->own, e)))
        return m;
    close_maker(m);
    return NULL;
}

/* The channel of a moment (science_weather.h) that a variable is; -1: a wind aloft. */
static int channel_of(int variable)
{
    static const int channels[SEQUENCE_VARIABLES] = {
        [SEQUENCE_PSL] = WEATHER_PSL,   [SEQUENCE_U850] = WEATHER_U850,
        [SEQUENCE_V850] = WEATHER_V850, [SEQUENCE_PRECT] = WEATHER_PRECT,
        [SEQUENCE_TS] = WEATHER_TS,     [SEQUENCE_QREFHT] = WEATHER_QREFHT,
        [SEQUENCE_T200] = WEATHER_T200, [SEQUENCE_T500] = WEATHER_T500,
        [SEQUENCE_TMQ] = WEATHER_TMQ,   [SEQUENCE_TREFHT] = WEATHER_TREFHT,
        [SEQUENCE_PS] = WEATHER_PS,     [SEQUENCE_UBOT] = WEATHER_UBOT,
        [SEQUENCE_VBOT] = WEATHER_VBOT, [SEQUENCE_Z1000] = WEATHER_Z1000,
        [SEQUENCE_Z200] = WEATHER_Z200, [SEQUENCE_ZBOT] = WEATHER_ZBOT,
        [SEQUENCE_U500] = -1,           [SEQUENCE_V500] = -1,
        [SEQUENCE_U200] = -1,           [SEQUENCE_V200] = -1,
    };

    return channels[variable];
}

/* Winds above 850 hPa: the vortices' are the same there. */
static double wind(const struct maker *m, int variable, size_t at)
{
    const bool north = variable == SEQUENCE_V500 || variable == SEQUENCE_V200;
    const bool top = variable == SEQUENCE_U200 || variable == SEQUENCE_V200;

    return m->weather->field[north ? AIR_V850 : AIR_U850][at] +
           (top ? 1 : SHARE_500) * m->upper[north][at];
}

static int make(void *maker, uint64_t seed, uint64_t sample, void *const field[], float *features,
                struct err *e)
{
    struct maker *m = maker;
    const struct plane *p = m->weather->plane;
    float *to = field[SEQUENCE_WEATHER];

    (void)features, (void)e;
    for (int t = 0; t < SEQUENCE_MOMENTS; t++) {
        weather_make(m->weather, seed, sample, t * SEQUENCE_HOURS);
        if (m->variables > SEQUENCE_FEW)
            weather_shear(m->weather, m->upper);
        for (size_t i = 0; i < p->places; i++)
            for (int v = 0; v < m->variables; v++)
                *to++ = (float)(channel_of(v) < 0 ? wind(m, v, i)
                                                  : weather_channel(m->weather, channel_of(v), i));
    }
    return 0;
}

static void notes(const struct data_class *c, struct manifest *m)
{
    const struct weather_grid *g = c->own;

    manifest_note(m, "moments", "%d, %d hours apart, the first %d hours from the flow's start",
                  SEQUENCE_MOMENTS, SEQUENCE_HOURS, WEATHER_SPIN_UP);
    manifest_note(m, "wind", "barotropic, %d x %d", g->flow_ny, g->flow_nx);
    manifest_note(m, "places", "%ld rows from 66 S to 66 N, %ld columns", c->size[2], c->size[3]);
}

const struct generator generator_sequence = {
    .science = &science_sequence,
    .open = open_maker,
    .close = close_maker,
    .make = make,
    .notes = notes,
    .libraries = gen_fftw_name,
};
