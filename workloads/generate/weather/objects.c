/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/generate/weather/objects.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TROPICS      32.0
#define RIVERS_FROM  22.0
#define LEAST_DEPTH  250.0
#define LEAST_LOW    800.0
#define LEAST_SPIN   1e-5
#define LEAST_WARMTH 0.8
#define LEAST_WATER  14.0
#define WETTER       1.28
#define LEAST_LENGTH 16.0
#define MOST_WIDTH   0.55
#define LEAST_HEIGHT 5.0

struct objects *objects_create(const struct weather *w, struct err *e)
{
    struct objects *o = calloc(1, sizeof *o);
    const size_t n = w->plane->places;

    if (o) {
        o->weather = w;
        o->mask = malloc(n);
        o->seen = malloc(n);
        o->queue = malloc(n * sizeof *o->queue);
        o->transport = malloc(n * sizeof *o->transport);
        o->sorted = malloc(n * sizeof *o->sorted);
        o->median = malloc((size_t)w->plane->ny * sizeof *o->median);
        if (o->mask && o->seen && o->queue && o->transport && o->sorted && o->median)
            return o;
    }
    err_set(e, "no memory for the objects of %zu places", n);
    objects_destroy(o);
    return NULL;
}

void objects_destroy(struct objects *o)
{
    if (!o)
        return;
    free(o->median);
    free(o->sorted);
    free(o->transport);
    free(o->queue);
    free(o->seen);
    free(o->mask);
    free(o);
}

/* ---- geometry ------------------------------------------------------------ */

static double per_row(const struct objects *o)
{
    return 2 * PLANE_LATITUDE / o->weather->plane->ny;
}

static double per_column(const struct objects *o)
{
    return 360.0 / o->weather->plane->nx;
}

/* A column across the date line. */
static int around(const struct objects *o, int column)
{
    const int nx = o->weather->plane->nx;

    return (column % nx + nx) % nx;
}

static size_t place(const struct objects *o, int row, int column)
{
    return (size_t)row * (size_t)o->weather->plane->nx + (size_t)around(o, column);
}

/* Rows and columns that a disc of that many degrees about a place reaches. */
struct reach {
    int from_row, to_row, columns;
    double square; /* of the radius */
};

static struct reach reach_of(const struct objects *o, int row, double degrees)
{
    const int rows = (int)(degrees / per_row(o)), ny = o->weather->plane->ny;
    const int columns = (int)(degrees / per_column(o)), most = (o->weather->plane->nx - 1) / 2;

    return (struct reach){row > rows ? row - rows : 0, row + rows < ny ? row + rows : ny - 1,
                          columns < most ? columns : most, degrees * degrees};
}

static double distance2(const struct objects *o, int rows, int columns)
{
    const double north = rows * per_row(o), east = columns * per_column(o);

    return north * north + east * east;
}

/* Whether no place of the disc is lower; of equal ones the first counts. */
static bool is_lowest(const struct objects *o, int row, int column, double degrees)
{
    const double *p = o->weather->field[AIR_PRESSURE];
    const struct reach r = reach_of(o, row, degrees);
    const size_t here = place(o, row, column);

    for (int j = r.from_row; j <= r.to_row; j++)
        for (int i = -r.columns; i <= r.columns; i++) {
            const size_t there = place(o, j, column + i);
            if (distance2(o, j - row, i) <= r.square &&
                (p[there] < p[here] || (p[there] == p[here] && there < here)))
                return false;
        }
    return true;
}

/* Mean of a field over the ring between two distances. */
static double ring_mean(const struct objects *o, const double *field, int row, int column,
                        double from, double to)
{
    const struct reach r = reach_of(o, row, to);
    double sum = 0;
    int n = 0;

    for (int j = r.from_row; j <= r.to_row; j++)
        for (int i = -r.columns; i <= r.columns; i++) {
            const double d2 = distance2(o, j - row, i);
            if (d2 < from * from || d2 > r.square)
                continue;
            sum += field[place(o, j, column + i)];
            n++;
        }
    return n > 0 ? sum / n : field[place(o, row, column)];
}

/* v_x - u_y of the 850 hPa wind, positive where it turns as cyclones there do. */
static double cyclonic(const struct objects *o, int row, int column)
{
    const struct weather *w = o->weather;
    const double *u = w->field[AIR_U850], *v = w->field[AIR_V850];
    const int south = row > 0 ? row - 1 : row, north = row + 1 < w->plane->ny ? row + 1 : row;
    const double dx = 2 * per_column(o) * PLANE_DEGREE;
    const double dy = (north - south) * per_row(o) * PLANE_DEGREE;
    const double spin = (v[place(o, row, column + 1)] - v[place(o, row, column - 1)]) / dx -
                        (u[place(o, north, column)] - u[place(o, south, column)]) / dy;

    return plane_latitude(w->plane, row) > 0 ? spin : -spin;
}

/* ---- extents -------------------------------------------------------------- */

/* Whether a place (rows and columns from where it began) is part of what spreads. */
typedef bool belongs(const struct objects *o, const void *arg, int row, int column, int rows,
                     int columns);

/* From a place on over all that are joined to it and belong; their count stands in
 * x->places, their box in x->box, they in o->queue and o->seen. */
static void spread(struct objects *o, struct object *x, belongs *is_part, const void *arg)
{
    const int nx = o->weather->plane->nx, ny = o->weather->plane->ny, half = nx / 2;
    int least_row = x->row, most_row = x->row, least = 0, most = 0, n = 1;

    o->queue[0] = (int)place(o, x->row, x->column);
    o->seen[o->queue[0]] = 1;
    for (int at = 0; at < n; at++) {
        const int row = o->queue[at] / nx, column = o->queue[at] % nx;
        const int columns = around(o, column - x->column + half) - half;
        least_row = row < least_row ? row : least_row;
        most_row = row > most_row ? row : most_row;
        least = columns < least ? columns : least;
        most = columns > most ? columns : most;
        for (int k = 0; k < 9; k++) {
            const int j = row + k / 3 - 1, i = column + k % 3 - 1;
            if (j < 0 || j >= ny || o->seen[place(o, j, i)] ||
                !is_part(o, arg, j, around(o, i), j - x->row,
                         around(o, i - x->column + half) - half))
                continue;
            o->seen[place(o, j, i)] = 1;
            o->queue[n++] = (int)place(o, j, i);
        }
    }
    x->places = n;
    x->box[0] = least_row;
    x->box[1] = x->column + least;
    x->box[2] = most_row + 1;
    x->box[3] = x->column + most + 1;
}

struct basin {
    const struct object *object;
    double most; /* degrees from the centre */
};

static bool is_in_basin(const struct objects *o, const void *arg, int row, int column, int rows,
                        int columns)
{
    const struct basin *b = arg;
    const double p = o->weather->field[AIR_PRESSURE][place(o, row, column)];

    return distance2(o, rows, columns) <= b->most * b->most &&
           b->object->ring - p >= OBJECT_PART * b->object->depth;
}

bool objects_is_wet(const struct objects *o, int row, int column)
{
    const struct weather *w = o->weather;
    const size_t at = place(o, row, column);
    const double water = w->field[AIR_WATER][at];

    return fabs(plane_latitude(w->plane, row)) > RIVERS_FROM && water >= LEAST_WATER &&
           water >= WETTER * o->median[row] && o->transport[at] >= o->sorted[0];
}

static bool is_wet(const struct objects *o, const void *arg, int row, int column, int rows,
                   int columns)
{
    (void)arg, (void)rows, (void)columns;
    return objects_is_wet(o, row, column);
}

/* ---- finding -------------------------------------------------------------- */

static struct object *next(struct objects *o)
{
    return o->n < OBJECTS_MOST ? &o->object[o->n] : NULL;
}

/* The place as the centre of a low of that scale, and as deep. */
static bool is_low(const struct objects *o, struct object *x, double lowest, double from, double to,
                   double least)
{
    const double *p = o->weather->field[AIR_PRESSURE];

    if (!is_lowest(o, x->row, x->column, lowest))
        return false;
    x->ring = ring_mean(o, p, x->row, x->column, from, to);
    x->depth = x->ring - p[place(o, x->row, x->column)];
    return x->depth >= least;
}

/* A vortex, or an extratropical low, with its extent. */
static bool find_centre(struct objects *o, struct object *x)
{
    const double s = weather_scale(o->weather->plane);
    const double *t500 = o->weather->field[AIR_T500];
    const bool tropical = fabs(plane_latitude(o->weather->plane, x->row)) <= TROPICS;
    const struct basin b = {x, tropical ? 3.6 * s : 14};

    if (tropical ? !is_low(o, x, 2 * s, 2.8 * s, 3.6 * s, LEAST_DEPTH)
                 : !is_low(o, x, 8, 10, 14, LEAST_LOW))
        return false;
    if (tropical && cyclonic(o, x->row, x->column) < LEAST_SPIN)
        return false;
    x->warm =
        t500[place(o, x->row, x->column)] - ring_mean(o, t500, x->row, x->column, 2.8 * s, 3.6 * s);
    x->class = !tropical                 ? OBJECT_LOW
               : x->warm >= LEAST_WARMTH ? OBJECT_CYCLONE
                                         : OBJECT_DEPRESSION;
    memset(o->seen, 0, o->weather->plane->places);
    spread(o, x, is_in_basin, &b);
    return true;
}

static void find_centres(struct objects *o, bool tropical)
{
    const struct plane *p = o->weather->plane;

    for (int j = 1; j + 1 < p->ny; j++)
        for (int i = 0; i < p->nx; i++) {
            struct object *x = next(o);
            if (!x)
                return;
            *x = (struct object){.row = j, .column = i};
            if ((fabs(plane_latitude(p, j)) <= TROPICS) != tropical || !find_centre(o, x))
                continue;
            o->n++;
            for (int k = 0; x->class == OBJECT_CYCLONE && k < x->places; k++)
                o->mask[o->queue[k]] = WEATHER_CYCLONE;
        }
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Medians of the water of each row; the least transport of a river stands in sorted[0]. */
static void measure(struct objects *o)
{
    const struct weather *w = o->weather;
    const struct plane *p = w->plane;
    const size_t nx = (size_t)p->nx;
    size_t n = 0;

    for (int j = 0; j < p->ny; j++) {
        memcpy(o->sorted, w->field[AIR_WATER] + (size_t)j * nx, nx * sizeof *o->sorted);
        qsort(o->sorted, nx, sizeof *o->sorted, compare);
        o->median[j] = (o->sorted[nx / 2] + o->sorted[nx / 2 - 1]) / 2;
    }
    for (size_t i = 0; i < p->places; i++) {
        const double u = w->field[AIR_U850][i], v = w->field[AIR_V850][i];
        o->transport[i] = w->field[AIR_WATER][i] * sqrt(u * u + v * v);
        if (fabs(plane_latitude(p, (int)(i / nx))) > RIVERS_FROM)
            o->sorted[n++] = o->transport[i];
    }
    qsort(o->sorted, n, sizeof *o->sorted, compare);
    o->sorted[0] = o->sorted[(size_t)((1 - RIVER_PART) * (double)n)];
}

static bool is_river(const struct objects *o, const struct object *x)
{
    const double high = (x->box[2] - x->box[0]) * per_row(o);
    const double wide = (x->box[3] - x->box[1]) * per_column(o);
    const double length = sqrt(high * high + wide * wide);
    const double area = x->places * per_row(o) * per_column(o);

    return length > LEAST_LENGTH && high > LEAST_HEIGHT && area / length < MOST_WIDTH * length;
}

static void find_rivers(struct objects *o)
{
    const struct plane *p = o->weather->plane;

    memset(o->seen, 0, p->places);
    for (int j = 0; j < p->ny; j++)
        for (int i = 0; i < p->nx; i++) {
            struct object *x = next(o);
            if (!x)
                return;
            if (o->seen[place(o, j, i)] || !objects_is_wet(o, j, i))
                continue;
            *x = (struct object){.class = OBJECT_RIVER, .row = j, .column = i};
            spread(o, x, is_wet, NULL);
            if (!is_river(o, x))
                continue;
            o->n++;
            for (int k = 0; k < x->places; k++)
                if (o->mask[o->queue[k]] == WEATHER_BACKGROUND)
                    o->mask[o->queue[k]] = WEATHER_RIVER;
        }
}

void objects_find(struct objects *o)
{
    o->n = 0;
    memset(o->mask, WEATHER_BACKGROUND, o->weather->plane->places);
    measure(o);
    find_centres(o, true);
    find_centres(o, false);
    find_rivers(o);
}

/* A box that passes the date line is moved to begin left of it; what is beyond the
 * picture's edge then is cut: boxes do not wrap. */
void objects_boxes(const struct objects *o, float rows[WEATHER_BOXES][WEATHER_BOX])
{
    const double nx = o->weather->plane->nx;

    for (int k = 0; k < WEATHER_BOXES; k++) {
        const struct object *x = &o->object[k];
        for (int i = 0; i < WEATHER_BOX; i++)
            rows[k][i] = -1;
        if (k >= o->n)
            continue;
        const double shift = x->box[1] < 0 ? nx : 0;
        rows[k][0] = (float)x->box[0];
        rows[k][1] = (float)(x->box[1] + shift);
        rows[k][2] = (float)x->box[2];
        rows[k][3] = (float)fmin(x->box[3] + shift, nx);
        rows[k][4] = (float)x->class;
    }
}
