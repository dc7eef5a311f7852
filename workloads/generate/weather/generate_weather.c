/* SPDX-License-Identifier: BSD-3-Clause */
/* The set of weather for the driver: channels, masks, boxes, statistics, what a
 * regression reaches. */
#include <config.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/generate/gen_fftw.h"
#include "workloads/generate/generator.h"
#include "workloads/generate/weather/objects.h"
#include "workloads/generate/weather/regression.h"

/* A sample's features: what the baselines see of it, as bytes, and of each channel the
 * mean, the mean square, the least and the most. */
enum {
    SEEN_FLOATS = (sizeof(struct regression_seen) + sizeof(float) - 1) / sizeof(float),
    STATISTICS = 4,
    FEATURES = SEEN_FLOATS + STATISTICS * WEATHER_CHANNELS
};

struct maker {
    struct weather *weather;
    struct objects *objects;
    float *data; /* [channel][ny][nx] */
    uint64_t seed, sample;
    bool has_sample; /* objects are of that one */
};

static void close_maker(void *maker)
{
    struct maker *m = maker;

    if (!m)
        return;
    objects_destroy(m->objects);
    weather_destroy(m->weather);
    free(m->data);
    free(m);
}

static void *open_maker(const struct data_class *c, const struct layout *l, struct err *e)
{
    const int ny = (int)c->size[2], nx = (int)c->size[3];
    struct maker *m = calloc(1, sizeof *m);

    (void)l;
    if (!m)
        return err_set(e, "no memory for the weather"), NULL;
    m->weather = weather_create(ny, nx, c->own, e);
    m->objects = m->weather ? objects_create(m->weather, e) : NULL;
    m->data = malloc(WEATHER_CHANNELS * (size_t)ny * (size_t)nx * sizeof *m->data);
    if (m->objects && m->data)
        return m;
    if (m->objects)
        err_set(e, "no memory for a picture of %d x %d", ny, nx);
    close_maker(m);
    return NULL;
}

static void make_weather(struct maker *m, uint64_t seed, uint64_t sample)
{
    weather_make(m->weather, seed, sample, 0);
    objects_find(m->objects);
    m->seed = seed;
    m->sample = sample;
    m->has_sample = true;
}

/* out[statistic * channels + channel] */
static void take_statistics(const float *data, size_t places, float *out)
{
    for (int c = 0; c < WEATHER_CHANNELS; c++) {
        const float *x = data + (size_t)c * places;
        double sum = 0, squares = 0;
        float least = x[0], most = x[0];
        for (size_t i = 0; i < places; i++) {
            sum += (double)x[i];
            squares += (double)x[i] * (double)x[i];
            least = x[i] < least ? x[i] : least;
            most = x[i] > most ? x[i] : most;
        }
        out[c] = (float)(sum / (double)places);
        out[WEATHER_CHANNELS + c] = (float)(squares / (double)places);
        out[2 * WEATHER_CHANNELS + c] = least;
        out[3 * WEATHER_CHANNELS + c] = most;
    }
}

static int make(void *maker, uint64_t seed, uint64_t sample, void *const field[], float *features,
                struct err *e)
{
    struct maker *m = maker;
    const struct plane *p = m->weather->plane;
    float *data = field[WEATHER_DATA], *labels = field[WEATHER_LABELS];

    (void)e;
    make_weather(m, seed, sample);
    weather_channels(m->weather, seed, sample, m->data);
    for (size_t i = 0; i < p->places; i++) {
        labels[i] = m->objects->mask[i];
        for (size_t c = 0; c < WEATHER_CHANNELS; c++)
            data[i * WEATHER_CHANNELS + c] = m->data[c * p->places + i];
    }
    regression_see((struct regression_seen *)features, m->data, m->objects->mask, p->ny, p->nx);
    take_statistics(m->data, p->places, features + SEEN_FLOATS);
    return 0;
}

/* The boxes of the file's sample, for a detector. */
static int also(void *maker, uint64_t seed, uint64_t sample, struct h5_image *file, struct err *e)
{
    const uint64_t dims[] = {WEATHER_BOXES, WEATHER_BOX};
    float rows[WEATHER_BOXES][WEATHER_BOX];
    struct maker *m = maker;

    (void)e;
    if (!m->has_sample || m->seed != seed || m->sample != sample)
        make_weather(m, seed, sample);
    objects_boxes(m->objects, rows);
    h5_image_put(file, "climate/boxes", NUMBER_FLOAT, 2, dims, NULL, 0, rows);
    return 0;
}

/* What DeepCAM's stats.h5 has. */
static int beside(const float *train, size_t n, struct h5_image *file, struct err *e)
{
    static const char *const names[STATISTICS] = {"climate/mean", "climate/sqmean",
                                                  "climate/minval", "climate/maxval"};
    const uint64_t one = 1, channels = WEATHER_CHANNELS;
    const float count = (float)n;

    (void)e;
    h5_image_put(file, "climate/count", NUMBER_FLOAT, 1, &one, NULL, 0, &count);
    for (int s = 0; s < STATISTICS; s++) {
        float value[WEATHER_CHANNELS];
        for (int c = 0; c < WEATHER_CHANNELS; c++) {
            const float *x = train + SEEN_FLOATS + s * WEATHER_CHANNELS + c;
            double sum = 0, least = INFINITY, most = -INFINITY;
            for (size_t i = 0; i < n; i++) {
                const double v = (double)x[i * FEATURES];
                sum += v;
                least = v < least ? v : least;
                most = v > most ? v : most;
            }
            value[c] = (float)(s < 2 ? sum / (double)n : s == 2 ? least : most);
        }
        h5_image_put(file, names[s], NUMBER_FLOAT, 1, &channels, NULL, 0, value);
    }
    return 0;
}

static const struct regression_seen **see(const float *rows, size_t n)
{
    const struct regression_seen **seen = calloc(n + 1, sizeof *seen);

    for (size_t i = 0; seen && i < n; i++)
        seen[i] = (const struct regression_seen *)(rows + i * FEATURES);
    return seen;
}

static int baselines(const float *train, size_t n, const float *validation, size_t m,
                     double value[SCIENCE_BASELINES], struct err *e)
{
    const struct regression_seen **fitted = see(train, n), **judged = see(validation, m);
    int rc = fitted && judged ? 0 : err_set(e, "no memory for %zu pictures", n + m);
    struct regression r;

    if (rc == 0) {
        regression_fit(&r, fitted, n);
        value[WEATHER_CONSTANT_IOU] = constant_iou(judged, m);
        value[WEATHER_LOGISTIC_IOU] = regression_iou(&r, judged, m);
    }
    free(judged);
    free(fitted);
    return rc;
}

static void notes(const struct data_class *c, struct manifest *m)
{
    const struct weather_grid *g = c->own;

    manifest_note(m, "classes", "0 background, 1 tropical cyclone, 2 atmospheric river");
    manifest_note(m, "wind", "barotropic, %d x %d, %d hours from its start", g->flow_ny, g->flow_nx,
                  WEATHER_SPIN_UP);
    manifest_note(m, "places", "%ld rows from 66 S to 66 N, %ld columns", c->size[2], c->size[3]);
}

const struct generator generator_weather = {
    .science = &science_weather,
    .features = FEATURES,
    .open = open_maker,
    .close = close_maker,
    .make = make,
    .also = also,
    .beside = beside,
    .baselines = baselines,
    .notes = notes,
    .libraries = gen_fftw_name,
};
