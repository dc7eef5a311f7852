/* SPDX-License-Identifier: BSD-3-Clause */
/* The inspection set for the driver: pictures, masks, the threshold's quality. */
#include <config.h>

#include <math.h>
#include <string.h>

#include "workloads/generate/defect/surface.h"
#include "workloads/generate/defect/threshold.h"
#include "workloads/generate/gen_fftw.h"
#include "workloads/generate/generator.h"

/* A sample's features are its threshold_counts as floats, which hold them
 * exactly: a picture has fewer than 2^24 pixels. */
enum { FEATURES = FLAW_CLASSES * THRESHOLD_BINS };

static void *defect_open(const struct data_class *c, const struct layout *l, struct err *e)
{
    (void)l;
    return surface_create((int)c->size[3], e);
}

static void defect_close(void *maker)
{
    surface_destroy(maker);
}

static int defect_make(void *maker, uint64_t seed, uint64_t sample, void *const field[],
                       float *features, struct err *e)
{
    struct surface *s = maker;
    struct threshold_counts counts = {{{0}}};

    (void)e;
    surface_sample(s, seed, sample, field[DEFECT_IMAGE], field[DEFECT_MASK]);
    *(float *)field[DEFECT_WEIGHT] = (float)surface_weight(sample);
    threshold_add(&counts, field[DEFECT_IMAGE], field[DEFECT_MASK], (size_t)s->n * (size_t)s->n);
    for (int i = 0; i < FEATURES; i++)
        features[i] = (float)counts.pixels[i / THRESHOLD_BINS][i % THRESHOLD_BINS];
    return 0;
}

static void sum_rows(const float *rows, size_t n, struct threshold_counts *c)
{
    memset(c, 0, sizeof *c);
    for (size_t r = 0; r < n; r++)
        for (int i = 0; i < FEATURES; i++)
            c->pixels[i / THRESHOLD_BINS][i % THRESHOLD_BINS] += (uint64_t)rows[r * FEATURES + i];
}

/* One class for every pixel: the best of the five. */
static double constant_iou(const struct threshold_counts *c)
{
    double iou[FLAW_CLASSES], best = 0;

    for (int k = 1; k < FLAW_CLASSES; k++) {
        const struct threshold all = {.below = THRESHOLD_BINS, .above = THRESHOLD_BINS, .dark = k};
        best = fmax(best, threshold_iou(&all, c, iou));
    }
    return best;
}

static int defect_baselines(const float *train, size_t n, const float *validation, size_t m,
                            double value[SCIENCE_BASELINES], struct err *e)
{
    struct threshold_counts fitted, judged;
    double iou[FLAW_CLASSES];

    sum_rows(train, n, &fitted);
    sum_rows(validation, m, &judged);
    const struct threshold t = threshold_fit(&fitted);
    value[0] = constant_iou(&judged);
    value[1] = threshold_iou(&t, &judged, iou);
    return isnan(value[1]) ? err_set(e, "%zu validation pictures are too few for a baseline", m)
                           : 0;
}

static void defect_notes(const struct data_class *c, struct manifest *m)
{
    (void)c;
    manifest_note(m, "classes", "0 good, 1 scratch, 2 pit, 3 crack, 4 stain, 5 missing part");
    manifest_note(m, "flawed", "three of four pictures; %g %% by weight", 100 * SURFACE_SHARE);
}

const struct generator generator_defect = {
    .science = &science_defect,
    .features = FEATURES,
    .open = defect_open,
    .close = defect_close,
    .make = defect_make,
    .baselines = defect_baselines,
    .notes = defect_notes,
    .libraries = gen_fftw_name,
};
