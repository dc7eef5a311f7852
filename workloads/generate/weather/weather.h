/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Weather of a moment: fields that belong together, as pure functions of
 * (seed, sample, hour).
 *
 * 1. Wind: flow.h, from its start on for WEATHER_SPIN_UP hours, and `hours` more for
 *    the later pictures of a sequence. The 850 hPa wind is .55 of it, the layer up to
 *    200 hPa adds .8.
 * 2. Air: a zonal climate, T(latitude) = 300 K - .0115 latitude^2, and column water of
 *    .62 of what its temperature holds (Clausius, Clapeyron in Magnus' form). Both are
 *    carried by .6 of the wind from where the air was WEATHER_CARRIED hours ago
 *    (backward trajectories, Heun's steps of three hours), water up to 1.1 of what
 *    the air can hold where it arrives: filaments.
 * 3. Pressure at sea level: the zonal mean in geostrophic balance with the zonal wind,
 *    the eddies as f rho psi.
 * 4. Vortices: Holland's (1980) profile V = vmax sqrt(g e^(1 - g)), g = (rm / r)^B, B =
 *    1.2 + vmax / 60, deficit of pressure rho e vmax^2 / B (1 - e^-g), with moisture.
 *    Cyclones (Poisson 2.2 a picture; vmax 18 m/s and more) have a warm core,
 *    depressions (Poisson 1.2; 10 to 16 m/s) have none. On a grid with places larger
 *    than a degree radii are that much larger: weather_scale(). In later pictures of a
 *    sequence they are where .6 of the wind has brought them, in their own hemisphere.
 * 5. Rain: what the wind of the lowest level, turned 15 degrees to the low by friction,
 *    brings together of the water, and what wet air lets fall by itself.
 * 6. Heights by the hypsometric equation from the layer's mean temperature, whose
 *    eddies are those that the wind's shear asks for (thermal wind).
 * What is stored adds each channel's small scales (weather_channels()); no label looks
 * at these.
 *
 * Life:    create ... destroy; the fields hold until the next call.
 * Failure: NULL and a sentence when there is no memory; nothing else fails.
 * Threads: one per struct weather; create and destroy one at a time (FFTW). The same
 *          bits on every CPU: compile without contraction.
 */
#ifndef WEATHER_WEATHER_H
#define WEATHER_WEATHER_H

#include "workloads/data/science_weather.h"
#include "workloads/generate/weather/flow.h"

enum { WEATHER_SPIN_UP = 96, WEATHER_CARRIED = 96, WEATHER_STEP = 3 /* all hours */ };

#define WEATHER_RHO 1.2 /* kg/m^3 */

/* A field of the picture. */
enum weather_field {
    AIR_SURFACE_T, /* K, at the ground */
    AIR_T500,
    AIR_T200,
    AIR_COLUMN_T, /* mean of 1000 to 200 hPa */
    AIR_WATER,    /* kg/m^2 in the column */
    AIR_PRESSURE, /* Pa at sea level */
    AIR_U850,     /* m/s */
    AIR_V850,
    AIR_UBOT,
    AIR_VBOT,
    AIR_RAIN, /* kg/(m^2 day) */
    AIR_FIELDS
};

struct vortex {
    double row, column; /* places */
    double latitude;
    double vmax, rm, b; /* m/s, degrees, 1 */
    bool warm;
};

enum { WEATHER_MOST_VORTICES = 32 };

struct weather {
    struct weather_grid grid;
    struct flow *flow;
    struct plane *plane;       /* the picture's */
    double *field[AIR_FIELDS]; /* [ny][nx] each */
    struct vortex vortex[WEATHER_MOST_VORTICES];
    int n_vortices;
    /* Which flow stands at which of WEATHER_STEP, so that a later picture goes on from it. */
    bool blown;
    uint64_t seed, sample;
    int step;
    /* Inner work. */
    double *moist_spectrum, *rain_spectrum, *noise_spectrum;
    double *psi, *from_row, *moisture;                   /* [ny][nx] */
    double *wind[WEATHER_CARRIED / WEATHER_STEP + 1][2]; /* on the flow's plane, oldest first */
    fftw_complex *eddies;
};

struct weather *weather_create(int ny, int nx, const struct weather_grid *grid, struct err *e);
void weather_destroy(struct weather *w);

/* All fields of (seed, sample) that many hours, a multiple of WEATHER_STEP and at most
 * WEATHER_CARRIED, behind the sample's first picture. Of the same sample in rising order
 * the flow goes on; the fields are the same in any. */
void weather_make(struct weather *w, uint64_t seed, uint64_t sample, int hours);

/* The sixteen channels (science_weather.h), their small scales drawn from (seed,
 * sample): out[c * places + place] as CAM5 states them. */
void weather_channels(struct weather *w, uint64_t seed, uint64_t sample, float *out);

/* A channel at a place of the picture without its small scales. */
double weather_channel(const struct weather *w, int c, size_t place);

/* What the winds grow by from 850 to 200 hPa [ny][nx], without the vortices. */
void weather_shear(struct weather *w, double *const grows[2]);

/* How much larger than a degree a place of the plane is, at least 1. */
double weather_scale(const struct plane *p);

/* Holland's wind and deficit of pressure r degrees from the centre [m/s, Pa]. */
double vortex_wind(const struct vortex *v, double r);
double vortex_deficit(const struct vortex *v, double r);

/* Degrees from the vortex to a place, east and north of it. */
void vortex_offset(const struct plane *p, const struct vortex *v, int row, int column, double *east,
                   double *north);

#endif
