/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/generate/defect/flaw.h"

#include <math.h>

#include "workloads/generate/gen_math.h"

static double thread_at(const struct weave *w, int thread, int x, int y)
{
    double sine, cosine;

    gen_sincos(w->k[thread][0] * x + w->k[thread][1] * y + w->phase[thread], &sine, &cosine);
    return cosine;
}

double weave_at(const struct weave *w, int x, int y)
{
    return thread_at(w, 0, x, y) + thread_at(w, 1, x, y);
}

/* Extents are stated for 64 pixels; lengths grow with the image, radii with
 * its root, widths are the tool's and do not. */
static double longer(const struct canvas *c, double at_64)
{
    return at_64 * c->n / 64;
}

static double wider(const struct canvas *c, double at_64)
{
    return at_64 * sqrt(c->n / 64.0);
}

static int paint(struct canvas *c, int x, int y, enum flaw what, double change)
{
    if (x < 0 || y < 0 || x >= c->n || y >= c->n)
        return 0;
    const int at = y * c->n + x, is_new = c->mask[at] != what;

    c->scene[at] = c->base[at] + change;
    c->mask[at] = (uint8_t)what;
    return is_new;
}

/* A disc of that radius, or the pixel that holds its centre. */
static int stamp(struct canvas *c, double x, double y, double radius, enum flaw what, double change)
{
    int count = paint(c, (int)floor(x + 0.5), (int)floor(y + 0.5), what, change);

    for (int j = (int)ceil(y - radius); j <= y + radius; j++)
        for (int i = (int)ceil(x - radius); i <= x + radius; i++)
            if ((i - x) * (i - x) + (j - y) * (j - y) <= radius * radius)
                count += paint(c, i, j, what, change);
    return count;
}

/* A quadratic Bezier curve from one side of its middle to the other. */
static int put_scratch(struct canvas *c, struct draw *d)
{
    const double x = draw_between(d, 0, c->n), y = draw_between(d, 0, c->n);
    const double reach = draw_between(d, longer(c, 10), longer(c, 26));
    const double bend = draw_between(d, -0.5, 0.5) * reach;
    const double radius = draw_between(d, 0.5, 1.5);
    const double sign = draw_chance(d, 0.5) ? -1 : 1;
    const double change = sign * draw_between(d, 2.5, 4.5) * c->sigma;
    const int steps = (int)(10 * reach);
    double sine, cosine;
    int count = 0;

    gen_sincos(draw_between(d, 0, M_PI), &sine, &cosine);
    for (int i = 0; i <= steps; i++) {
        double t = (double)i / steps;
        double along = reach * (2 * t - 1), across = 2 * t * (1 - t) * bend;
        count += stamp(c, x + along * cosine - across * sine, y + along * sine + across * cosine,
                       radius, FLAW_SCRATCH, change);
    }
    return count;
}

static int put_pit(struct canvas *c, struct draw *d)
{
    const double x = draw_between(d, 0, c->n), y = draw_between(d, 0, c->n);
    const double radius = draw_between(d, wider(c, 2.5), wider(c, 6));
    const double depth = draw_between(d, 2.5, 4.5) * c->sigma;
    const double rim = draw_between(d, 0.4, 0.8) * depth;
    int count = stamp(c, x, y, radius + 1, FLAW_PIT, rim);

    stamp(c, x, y, radius, FLAW_PIT, -depth);
    return count;
}

/* One branch from (x, y): steps of half a pixel, a heading that wanders. */
static int walk(struct canvas *c, struct draw *d, double *x, double *y, double heading,
                double reach, double radius, double change)
{
    int count = 0;

    for (int i = 0; i < 2 * reach; i++) {
        double sine, cosine;
        heading += draw_between(d, -0.35, 0.35);
        gen_sincos(heading, &sine, &cosine);
        *x += 0.5 * cosine;
        *y += 0.5 * sine;
        count += stamp(c, *x, *y, radius, FLAW_CRACK, change);
    }
    return count;
}

static int put_crack(struct canvas *c, struct draw *d)
{
    double x = draw_between(d, 0, c->n), y = draw_between(d, 0, c->n);
    double heading = draw_between(d, 0, 2 * M_PI);
    const double radius = draw_between(d, 0.6, 1.2);
    const double change = -draw_between(d, 2.5, 4) * c->sigma;
    const int parts = 2 + (int)draw_between(d, 0, 3);
    int count = 0;

    for (int i = 0; i < parts; i++) {
        double side = draw_chance(d, 0.5) ? -1 : 1;
        side *= draw_between(d, 0.5, 1.1);
        double reach = draw_between(d, longer(c, 7), longer(c, 16));
        double bx = x, by = y;
        if (i > 0)
            count += walk(c, d, &bx, &by, heading + side, reach / 2, radius, change);
        count += walk(c, d, &x, &y, heading, reach, radius, change);
    }
    return count;
}

/* Where 1 - (r / R)^2 and a sum of six long waves is above 0. */
static int put_stain(struct canvas *c, struct draw *d)
{
    enum { WAVES = 6 };
    const double x = draw_between(d, 0, c->n), y = draw_between(d, 0, c->n);
    const double radius = draw_between(d, longer(c, 7), longer(c, 14));
    const double change = -draw_between(d, 0.9, 1.3) * c->sigma;
    double k[WAVES][3], sine, cosine;
    int count = 0;

    for (int w = 0; w < WAVES; w++) {
        gen_sincos(draw_between(d, 0, 2 * M_PI), &sine, &cosine);
        double length = draw_between(d, 1, 3) / radius;
        k[w][0] = length * cosine;
        k[w][1] = length * sine;
        k[w][2] = draw_between(d, 0, 2 * M_PI);
    }
    for (int j = (int)(y - 1.5 * radius); j <= y + 1.5 * radius; j++)
        for (int i = (int)(x - 1.5 * radius); i <= x + 1.5 * radius; i++) {
            double level = 1 - ((i - x) * (i - x) + (j - y) * (j - y)) / (radius * radius);
            if (fabs(level) > 1.25) /* the waves cannot lift it above 0 */
                continue;
            for (int w = 0; w < WAVES; w++) {
                gen_sincos(k[w][0] * i + k[w][1] * j + k[w][2], &sine, &cosine);
                level += 0.2 * cosine;
            }
            if (level > 0)
                count += paint(c, i, j, FLAW_STAIN, change);
        }
    return count;
}

static int put_missing(struct canvas *c, struct draw *d)
{
    const int wide = (int)draw_between(d, longer(c, 14), longer(c, 28));
    const int high = (int)draw_between(d, longer(c, 14), longer(c, 28));
    const int x = (int)draw_between(d, 0, c->n - wide + 1);
    const int y = (int)draw_between(d, 0, c->n - high + 1);
    const int thread = draw_chance(d, 0.5);
    struct weave rest = c->weave;
    int count = 0;

    rest.phase[thread] += draw_between(d, 0.7, 1.3) * M_PI;
    for (int j = y; j < y + high; j++)
        for (int i = x; i < x + wide; i++) {
            double left = M_SQRT2 * thread_at(&rest, thread, i, j);
            count +=
                paint(c, i, j, FLAW_MISSING, c->weave_sigma * (left - weave_at(&c->weave, i, j)));
        }
    return count;
}

int flaw_put(struct canvas *c, enum flaw what, struct draw *d)
{
    static int (*const put[FLAW_CLASSES])(struct canvas *, struct draw *) = {
        [FLAW_SCRATCH] = put_scratch, [FLAW_PIT] = put_pit,         [FLAW_CRACK] = put_crack,
        [FLAW_STAIN] = put_stain,     [FLAW_MISSING] = put_missing,
    };

    return put[what] ? put[what](c, d) : 0;
}
