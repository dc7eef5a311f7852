/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/generate/weather/weather.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/generate/gen_math.h"
#include "workloads/generate/weather/streams.h"

enum { SNAPSHOTS = WEATHER_CARRIED / WEATHER_STEP + 1 };

#define LOWER   0.55 /* the 850 hPa wind to the flow's */
#define SHEAR   0.8  /* what the layer up to 200 hPa adds */
#define CARRIES 0.6  /* of the flow, what carries the air */
#define GRAVITY 9.80665
#define GAS     287.05               /* J/(kg K), dry air */
#define LN5     1.609437912434100375 /* ln(1000 / 200) */

double weather_scale(const struct plane *p)
{
    const double place = sqrt(2 * PLANE_LATITUDE / p->ny * (360.0 / p->nx));

    return place > 1 ? place : 1;
}

struct weather *weather_create(int ny, int nx, const struct weather_grid *grid, struct err *e)
{
    struct weather *w = calloc(1, sizeof *w);
    bool ok = true;

    if (!w)
        return err_set(e, "no memory for the weather"), NULL;
    w->grid = *grid;
    w->flow = flow_create(grid->flow_ny, grid->flow_nx, e);
    w->plane = w->flow ? plane_create(ny, nx, e) : NULL;
    if (!w->plane)
        goto fail;
    const size_t bytes = w->plane->places * sizeof(double);
    for (int k = 0; k < AIR_FIELDS; k++)
        ok = (w->field[k] = malloc(bytes)) && ok;
    for (int s = 0; s < SNAPSHOTS; s++)
        for (int k = 0; k < 2; k++)
            ok = (w->wind[s][k] = malloc(w->flow->plane->places * sizeof(double))) && ok;
    w->psi = malloc(bytes);
    w->from_row = malloc(bytes);
    w->moisture = malloc(bytes);
    w->eddies = fftw_alloc_complex(w->flow->plane->n_modes);
    w->moist_spectrum = plane_spectrum(w->plane, 2, 2);
    w->rain_spectrum = plane_spectrum(w->plane, 2, 4);
    w->noise_spectrum = plane_spectrum(w->plane, 1.5, 4);
    if (ok && w->psi && w->from_row && w->moisture && w->eddies && w->moist_spectrum &&
        w->rain_spectrum && w->noise_spectrum)
        return w;
    err_set(e, "no memory for weather of %d x %d places", ny, nx);
fail:
    weather_destroy(w);
    return NULL;
}

void weather_destroy(struct weather *w)
{
    if (!w)
        return;
    free(w->noise_spectrum);
    free(w->rain_spectrum);
    free(w->moist_spectrum);
    fftw_free(w->eddies);
    free(w->moisture);
    free(w->from_row);
    free(w->psi);
    for (int s = 0; s < SNAPSHOTS; s++)
        for (int k = 0; k < 2; k++)
            free(w->wind[s][k]);
    for (int k = 0; k < AIR_FIELDS; k++)
        free(w->field[k]);
    plane_destroy(w->plane);
    flow_destroy(w->flow);
    free(w);
}

/* ---- wind and where the air comes from -------------------------------- */

/* The flow's winds of now become the last of those that are kept. */
static void keep_winds(struct weather *w)
{
    const size_t bytes = w->flow->plane->places * sizeof(double);
    double *const oldest[2] = {w->wind[0][0], w->wind[0][1]};

    memmove(w->wind, w->wind + 1, (SNAPSHOTS - 1) * sizeof w->wind[0]);
    memcpy(w->wind[SNAPSHOTS - 1], oldest, sizeof w->wind[0]);
    flow_winds(w->flow);
    memcpy(oldest[0], w->flow->u, bytes);
    memcpy(oldest[1], w->flow->v, bytes);
}

/* The flow up to the hour, with its winds of the last WEATHER_CARRIED hours. */
static void blow(struct weather *w, uint64_t seed, uint64_t sample, int hours)
{
    const int last = (WEATHER_SPIN_UP + hours) / WEATHER_STEP;
    struct flow *f = w->flow;

    assert(hours >= 0 && hours <= WEATHER_CARRIED && hours % WEATHER_STEP == 0);
    if (!w->blown || w->seed != seed || w->sample != sample || w->step > last) {
        flow_start(f, seed, sample);
        keep_winds(w);
        w->blown = true;
        w->seed = seed;
        w->sample = sample;
        w->step = 0;
    }
    for (; w->step < last; w->step++) {
        for (int s = 0; s < w->grid.steps; s++)
            flow_step(f, WEATHER_STEP * 3600.0 / w->grid.steps);
        keep_winds(w);
    }
}

/* Moves a parcel at (*y, *x), places of the flow's plane, by the winds of two snapshots:
 * the mean of where it is and of where the first takes it; sign -1: backwards. */
static void move(const struct weather *w, int from, int to, double sign, double *y, double *x)
{
    const struct plane *p = w->flow->plane;
    const double reach = CARRIES * WEATHER_STEP * 3600.0 / PLANE_DEGREE;
    const double per_row = reach * p->ny / (2 * PLANE_LATITUDE), per_column = reach * p->nx / 360;
    double *const *now = w->wind[from], *const *then = w->wind[to];
    const double v = per_row * plane_at(p, now[1], *y, *x);
    const double u = per_column * plane_at(p, now[0], *y, *x);
    const double then_v = per_row * plane_at(p, then[1], *y + sign * v, *x + sign * u);
    const double then_u = per_column * plane_at(p, then[0], *y + sign * v, *x + sign * u);

    *y += sign * ((v + then_v) / 2);
    *x += sign * ((u + then_u) / 2);
}

static double warmth(double latitude)
{
    return 300 - 0.0115 * latitude * latitude;
}

/* Water that a column holds at most, given its temperature at the ground. */
static double saturation(double t)
{
    return 11 * gen_exp(17.27 * (t - 273.15) / (t - 35.86));
}

static double held(double latitude)
{
    return latitude < -PLANE_LATITUDE  ? -PLANE_LATITUDE
           : latitude > PLANE_LATITUDE ? PLANE_LATITUDE
                                       : latitude;
}

/* Latitude from which each place's air came, into from_row [degrees], and its water. */
static void carry(struct weather *w, uint64_t seed, uint64_t sample)
{
    const struct plane *coarse = w->flow->plane;
    struct plane *p = w->plane;
    struct draw d = stream_open(seed, sample, STREAM_MOISTURE);
    const double ratio_y = (double)p->ny / coarse->ny, ratio_x = (double)p->nx / coarse->nx;
    double *water = w->field[AIR_WATER];

    plane_draw(p, w->moist_spectrum, &d);
    plane_backward(p);
    memcpy(w->moisture, p->real, p->places * sizeof *p->real);
    for (int j = 0; j < p->ny; j++)
        for (int i = 0; i < p->nx; i++) {
            double y = (j + 0.5) / ratio_y - 0.5, x = i / ratio_x;
            for (int slot = SNAPSHOTS - 1; slot > 0; slot--)
                move(w, slot, slot - 1, -1, &y, &x);
            const size_t at = (size_t)j * (size_t)p->nx + (size_t)i;
            const double from = held(-PLANE_LATITUDE + 2 * PLANE_LATITUDE * (y + 0.5) / coarse->ny);
            const double wet =
                0.62 + 0.1 * plane_at(p, w->moisture, (y + 0.5) * ratio_y - 0.5, x * ratio_x);
            const double room = saturation(warmth(plane_latitude(p, j)));
            const double brought = saturation(warmth(from)) * wet;
            w->from_row[at] = from;
            water[at] = 0.75 * (brought < 1.1 * room ? brought : 1.1 * room) + 0.25 * 0.62 * room;
        }
}

/* A wind of the flow's plane on the picture's, into its real. */
static void refine_wind(struct weather *w, int k)
{
    struct plane *coarse = w->flow->plane;

    memcpy(coarse->real, w->wind[SNAPSHOTS - 1][k], coarse->places * sizeof(double));
    plane_forward(coarse);
    plane_refine(w->plane, coarse, coarse->modes);
}

void weather_shear(struct weather *w, double *const grows[2])
{
    for (int k = 0; k < 2; k++) {
        refine_wind(w, k);
        for (size_t i = 0; i < w->plane->places; i++)
            grows[k][i] = SHEAR * w->plane->real[i];
    }
}

/* Winds and the stream function of the eddies on the picture's plane. */
static void refine(struct weather *w)
{
    struct flow *f = w->flow;
    struct plane *p = w->plane, *coarse = f->plane;

    flow_eddies(f, w->eddies);
    plane_refine(p, coarse, w->eddies);
    memcpy(w->psi, p->real, p->places * sizeof *p->real);
    for (int k = 0; k < 2; k++) {
        refine_wind(w, k);
        for (size_t i = 0; i < p->places; i++)
            w->field[k ? AIR_V850 : AIR_U850][i] = LOWER * p->real[i];
    }
}

/* ---- pressure and temperature ------------------------------------------ */

static double row_mean(const struct plane *p, const double *field, int row)
{
    double sum = 0;

    for (int i = 0; i < p->nx; i++)
        sum += field[row * p->nx + i];
    return sum / p->nx;
}

/* Of the zonal mean: dp/dy = -rho f u, from the equator to both sides. */
static void balance(const struct weather *w, double *mean)
{
    const struct plane *p = w->plane;
    const double dy = 2 * PLANE_LATITUDE / p->ny * PLANE_DEGREE;
    const int equator = p->ny / 2;

    for (int side = 0; side < 2; side++) {
        double level = 101300, slope = 0;
        for (int s = 0; s < p->ny / 2; s++) {
            const int row = side ? equator - 1 - s : equator + s;
            const double next = -WEATHER_RHO * plane_coriolis(plane_latitude(p, row)) *
                                row_mean(p, w->field[AIR_U850], row) * (side ? -1 : 1);
            level +=
                s ? (slope + next) / 2 * dy : next / 4 * dy; /* from the equator: half a place */
            slope = next;
            mean[row] = level;
        }
    }
}

static void put_pressure(struct weather *w)
{
    const struct plane *p = w->plane;
    double *mean = w->plane->real; /* ny of them */

    balance(w, mean);
    for (int j = 0; j < p->ny; j++) {
        const double f = plane_coriolis(plane_latitude(p, j));
        for (int i = 0; i < p->nx; i++)
            w->field[AIR_PRESSURE][j * p->nx + i] =
                mean[j] + WEATHER_RHO * f * LOWER * w->psi[j * p->nx + i];
    }
}

/* The layer's eddies are those whose thickness makes the wind's shear: f SHEAR psi =
 * R ln 5 T'. */
static void put_temperature(struct weather *w, struct draw *d)
{
    const struct plane *p = w->plane;
    const double season = 1.2 * draw_normal(d);

    for (int j = 0; j < p->ny; j++) {
        const double latitude = plane_latitude(p, j), own = warmth(latitude);
        const double f = plane_coriolis(latitude);
        for (int i = 0; i < p->nx; i++) {
            const size_t at = (size_t)j * (size_t)p->nx + (size_t)i;
            const double eddy = f * SHEAR * w->psi[at] / (GAS * LN5);
            const double brought = 0.25 * (warmth(w->from_row[at]) - own);
            const double ground = own + season + brought + 0.5 * eddy;
            w->field[AIR_SURFACE_T][at] = ground;
            w->field[AIR_COLUMN_T][at] = own + season - 45 + eddy;
            w->field[AIR_T500][at] = own + season - 38 + brought + eddy;
            w->field[AIR_T200][at] = 218 + 0.15 * (own + season - 285) + 0.3 * eddy;
        }
    }
}

/* ---- vortices ----------------------------------------------------------- */

/* g of Holland's profile. */
static double holland(const struct vortex *v, double r)
{
    return gen_pow(v->rm / r, v->b);
}

double vortex_wind(const struct vortex *v, double r)
{
    if (r < 1e-6)
        return 0;
    const double g = holland(v, r);
    return g > 600 ? 0 : v->vmax * sqrt(g * gen_exp(1 - g));
}

double vortex_deficit(const struct vortex *v, double r)
{
    const double most = WEATHER_RHO * M_E * v->vmax * v->vmax / v->b;

    if (r < 1e-6)
        return most;
    const double g = holland(v, r);
    return g > 600 ? most : most * (1 - gen_exp(-g));
}

void vortex_offset(const struct plane *p, const struct vortex *v, int row, int column, double *east,
                   double *north)
{
    const double columns = column - v->column + 1.5 * p->nx;

    *east = (columns - p->nx * floor(columns / p->nx) - p->nx / 2.0) * 360 / p->nx;
    *north = (row - v->row) * 2 * PLANE_LATITUDE / p->ny;
}

static void draw_vortices(struct weather *w, uint64_t seed, uint64_t sample)
{
    struct draw d = stream_open(seed, sample, STREAM_VORTICES);
    const struct plane *p = w->plane;
    const double scale = weather_scale(p);
    const int cyclones = draw_poisson(&d, 2.2), all = cyclones + draw_poisson(&d, 1.2);

    w->n_vortices = all < WEATHER_MOST_VORTICES ? all : WEATHER_MOST_VORTICES;
    for (int k = 0; k < w->n_vortices; k++) {
        struct vortex *v = &w->vortex[k];
        const double side = draw_chance(&d, 0.5) ? -1 : 1;
        v->latitude = side * draw_between(&d, 9, 28);
        v->row = (v->latitude + PLANE_LATITUDE) * p->ny / (2 * PLANE_LATITUDE) - 0.5;
        v->column = draw_between(&d, 0, p->nx);
        v->warm = k < cyclones;
        v->vmax = v->warm ? 18 + 7 * draw_gamma(&d, 2.2) : draw_between(&d, 10, 16);
        v->rm = draw_between(&d, 0.5, 1.1) * scale * (v->warm ? 1 : 1.4);
        v->b = 1.2 + v->vmax / 60;
    }
}

/* The vortex is where the winds of so many hours have taken it. */
static void drift(struct weather *w, struct vortex *v, int hours)
{
    const struct plane *p = w->plane, *coarse = w->flow->plane;
    const double ratio_y = (double)p->ny / coarse->ny, ratio_x = (double)p->nx / coarse->nx;
    const double side = v->latitude > 0 ? 1 : -1, nearest = 5; /* degrees from the equator */
    double y = (v->row + 0.5) / ratio_y - 0.5, x = v->column / ratio_x;

    for (int slot = SNAPSHOTS - 1 - hours / WEATHER_STEP; slot < SNAPSHOTS - 1; slot++)
        move(w, slot, slot + 1, 1, &y, &x);
    v->latitude = held(-PLANE_LATITUDE + 2 * PLANE_LATITUDE * (y + 0.5) / coarse->ny);
    if (side * v->latitude < nearest)
        v->latitude = side * nearest;
    v->row = (v->latitude + PLANE_LATITUDE) * p->ny / (2 * PLANE_LATITUDE) - 0.5;
    v->column = x * ratio_x;
    v->column -= p->nx * floor(v->column / p->nx);
}

/* Adds it where it is felt: beyond 40 radii its wind is below a tenth of a m/s. */
static void put_vortex(struct weather *w, const struct vortex *v)
{
    const struct plane *p = w->plane;
    const double spin = v->latitude > 0 ? 1 : -1, core = 2.2 * v->rm, wet = 3.2 * v->rm;
    const double heat = v->warm ? 0.09 * v->vmax : 0, water = v->vmax < 44 ? v->vmax / 2 : 22;

    for (int j = 0; j < p->ny; j++)
        for (int i = 0; i < p->nx; i++) {
            const size_t at = (size_t)j * (size_t)p->nx + (size_t)i;
            double east, north;
            vortex_offset(p, v, j, i, &east, &north);
            const double r = sqrt(east * east + north * north);
            if (r > 40 * v->rm)
                continue;
            const double wind = r > 0 ? spin * vortex_wind(v, r) / r : 0;
            w->field[AIR_U850][at] -= wind * north;
            w->field[AIR_V850][at] += wind * east;
            w->field[AIR_PRESSURE][at] -= vortex_deficit(v, r);
            if (r > 6 * wet) /* the others are gone */
                continue;
            const double warm = heat * gen_exp(-r * r / (core * core));
            w->field[AIR_WATER][at] += water * gen_exp(-r * r / (wet * wet));
            w->field[AIR_T500][at] += 0.8 * warm;
            w->field[AIR_T200][at] += 0.9 * warm;
            w->field[AIR_COLUMN_T][at] += 0.7 * warm;
        }
}

/* ---- the lowest level and rain ------------------------------------------ */

/* Four fifths of the wind, turned to the low. */
static void put_friction(struct weather *w)
{
    const struct plane *p = w->plane;

    for (int j = 0; j < p->ny; j++) {
        double sine, cosine, turn = plane_latitude(p, j) / 10; /* less about the equator */
        turn = turn > 1 ? 1 : turn < -1 ? -1 : turn;
        gen_sincos(turn * M_PI / 12, &sine, &cosine);
        for (int i = 0; i < p->nx; i++) {
            const size_t at = (size_t)j * (size_t)p->nx + (size_t)i;
            const double u = 0.8 * w->field[AIR_U850][at], v = 0.8 * w->field[AIR_V850][at];
            w->field[AIR_UBOT][at] = cosine * u - sine * v;
            w->field[AIR_VBOT][at] = sine * u + cosine * v;
        }
    }
}

/* -(u_x + v_y) of the lowest level at a place [1/s]. */
static double convergence(const struct weather *w, int j, int i)
{
    const struct plane *p = w->plane;
    const double dx = 360.0 / p->nx * PLANE_DEGREE;
    const double dy = 2 * PLANE_LATITUDE / p->ny * PLANE_DEGREE;
    const int west = i > 0 ? i - 1 : p->nx - 1, east = i + 1 < p->nx ? i + 1 : 0;
    const int south = j > 0 ? j - 1 : j, north = j + 1 < p->ny ? j + 1 : j;
    const double *u = w->field[AIR_UBOT] + j * p->nx, *v = w->field[AIR_VBOT] + i;

    return (u[west] - u[east]) / (2 * dx) +
           (v[south * p->nx] - v[north * p->nx]) / ((north - south) * dy);
}

static void put_rain(struct weather *w, uint64_t seed, uint64_t sample)
{
    struct plane *p = w->plane;
    struct draw d = stream_open(seed, sample, STREAM_RAIN);

    plane_draw(p, w->rain_spectrum, &d);
    plane_backward(p);
    for (int j = 0; j < p->ny; j++)
        for (int i = 0; i < p->nx; i++) {
            const size_t at = (size_t)j * (size_t)p->nx + (size_t)i;
            const double water = w->field[AIR_WATER][at];
            const double rain =
                0.15 * (water - 25) + 86400 * convergence(w, j, i) * water + 1.5 * p->real[at];
            w->field[AIR_RAIN][at] = rain > 0 ? rain : 0;
        }
}

void weather_make(struct weather *w, uint64_t seed, uint64_t sample, int hours)
{
    struct draw climate = stream_open(seed, sample, STREAM_CLIMATE);

    blow(w, seed, sample, hours);
    carry(w, seed, sample);
    refine(w);
    put_pressure(w);
    put_temperature(w, &climate);
    draw_vortices(w, seed, sample);
    for (int k = 0; k < w->n_vortices; k++) {
        if (hours > 0)
            drift(w, &w->vortex[k], hours);
        put_vortex(w, &w->vortex[k]);
    }
    put_friction(w);
    put_rain(w, seed, sample);
}

/* ---- channels ----------------------------------------------------------- */

double weather_channel(const struct weather *w, int c, size_t at)
{
    const double p = w->field[AIR_PRESSURE][at], ground = w->field[AIR_SURFACE_T][at];
    const double z1000 = GAS / GRAVITY * ground * gen_log(p / 100000);

    switch (c) {
    case WEATHER_PRECT:
        return w->field[AIR_RAIN][at] / 86400 / 1000; /* m/s of water of 1000 kg/m^3 */
    case WEATHER_PS:
        return p - 50;
    case WEATHER_PSL:
        return p;
    case WEATHER_QREFHT:
        return 0.42e-3 * w->field[AIR_WATER][at];
    case WEATHER_T200:
        return w->field[AIR_T200][at];
    case WEATHER_T500:
        return w->field[AIR_T500][at];
    case WEATHER_TMQ:
        return w->field[AIR_WATER][at];
    case WEATHER_TREFHT:
        return ground;
    case WEATHER_TS:
        return ground + 1;
    case WEATHER_U850:
        return w->field[AIR_U850][at];
    case WEATHER_UBOT:
        return w->field[AIR_UBOT][at];
    case WEATHER_V850:
        return w->field[AIR_V850][at];
    case WEATHER_VBOT:
        return w->field[AIR_VBOT][at];
    case WEATHER_Z1000:
        return z1000;
    case WEATHER_Z200:
        return z1000 + GAS / GRAVITY * LN5 * w->field[AIR_COLUMN_T][at];
    default: /* ZBOT: the lowest of CAM5's levels is at .9926 of the pressure below */
        return GAS / GRAVITY * ground * 0.0074;
    }
}

void weather_channels(struct weather *w, uint64_t seed, uint64_t sample, float *out)
{
    /* standard deviation of the small scales; of two channels as a part of the value */
    static const double noise[WEATHER_CHANNELS] = {
        [WEATHER_PRECT] = 0.3, [WEATHER_PS] = 60,    [WEATHER_PSL] = 50,  [WEATHER_QREFHT] = 0.03,
        [WEATHER_T200] = 0.5,  [WEATHER_T500] = 0.5, [WEATHER_TMQ] = 1,   [WEATHER_TREFHT] = 0.8,
        [WEATHER_TS] = 0.6,    [WEATHER_U850] = 1.2, [WEATHER_UBOT] = 1,  [WEATHER_V850] = 1.2,
        [WEATHER_VBOT] = 1,    [WEATHER_Z1000] = 6,  [WEATHER_Z200] = 12, [WEATHER_ZBOT] = 0.3,
    };
    struct plane *p = w->plane;

    for (int c = 0; c < WEATHER_CHANNELS; c++) {
        struct draw d = stream_open(seed, sample, STREAM_NOISE + c);
        const bool is_part = c == WEATHER_PRECT || c == WEATHER_QREFHT;
        const bool is_least_0 = is_part || c == WEATHER_TMQ;
        plane_draw(p, w->noise_spectrum, &d);
        plane_backward(p);
        for (size_t i = 0; i < p->places; i++) {
            const double value = weather_channel(w, c, i), small = noise[c] * p->real[i];
            const double sum = is_part ? value * (1 + small) : value + small;
            out[(size_t)c * p->places + i] = (float)(is_least_0 && sum < 0 ? 0 : sum);
        }
    }
}
