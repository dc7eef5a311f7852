/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/generate/defect/threshold.h"

#include <math.h>

static int bin_of(double level)
{
    double bin = floor(level * 5 + THRESHOLD_BINS / 2);

    return (int)fmin(fmax(bin, 0), THRESHOLD_BINS - 1);
}

void threshold_add(struct threshold_counts *c, const uint8_t *image, const uint8_t *mask,
                   size_t pixels)
{
    uint64_t sum = 0, squares = 0;

    for (size_t i = 0; i < pixels; i++) {
        sum += image[i];
        squares += (uint64_t)image[i] * image[i];
    }
    const double mean = (double)sum / (double)pixels;
    const double deviation = sqrt(fmax((double)squares / (double)pixels - mean * mean, 1e-12));
    for (size_t i = 0; i < pixels; i++)
        c->pixels[mask[i]][bin_of((image[i] - mean) / deviation)]++;
}

static uint64_t sum(const struct threshold_counts *c, int class, int from, int to)
{
    uint64_t n = 0;

    for (int i = from; i < to; i++)
        n += c->pixels[class][i];
    return n;
}

/* Of a class that all pixels of bins [from, to) are called. */
static double iou_of(const struct threshold_counts *c, int class, int from, int to)
{
    uint64_t hits = sum(c, class, from, to), called = 0;

    for (int k = 0; k < FLAW_CLASSES; k++)
        called += sum(c, k, from, to);
    uint64_t either = called + sum(c, class, 0, THRESHOLD_BINS) - hits;
    return either ? (double)hits / (double)either : NAN;
}

/* The dark side first, then the bright one with another class. */
struct threshold threshold_fit(const struct threshold_counts *train)
{
    struct threshold t = {.above = THRESHOLD_BINS};
    double best = 0;

    for (int k = 1; k < FLAW_CLASSES; k++)
        for (int i = 1; i <= THRESHOLD_BINS / 2; i++)
            if (iou_of(train, k, 0, i) > best) {
                best = iou_of(train, k, 0, i);
                t.below = i;
                t.dark = (enum flaw)k;
            }
    best = 0;
    for (int k = 1; k < FLAW_CLASSES; k++)
        for (int i = THRESHOLD_BINS / 2; k != (int)t.dark && i < THRESHOLD_BINS; i++)
            if (iou_of(train, k, i, THRESHOLD_BINS) > best) {
                best = iou_of(train, k, i, THRESHOLD_BINS);
                t.above = i;
                t.bright = (enum flaw)k;
            }
    return t;
}

double threshold_iou(const struct threshold *t, const struct threshold_counts *c,
                     double iou[FLAW_CLASSES])
{
    double total = 0;
    int present = 0;

    for (int k = 0; k < FLAW_CLASSES; k++) {
        int from = 0, to = 0;
        if (k == FLAW_NONE) {
            from = t->below;
            to = t->above;
        } else if (k == (int)t->dark) {
            to = t->below;
        } else if (k == (int)t->bright) {
            from = t->above;
            to = THRESHOLD_BINS;
        }
        iou[k] = iou_of(c, k, from, to);
        if (k == FLAW_NONE || !sum(c, k, 0, THRESHOLD_BINS))
            continue;
        total += iou[k];
        present++;
    }
    return present ? total / present : NAN;
}
