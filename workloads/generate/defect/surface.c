/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/generate/defect/surface.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/generate/gen_math.h"

/* Where the draws of a sample start in its Philox stream. */
static const uint64_t noise_index = UINT64_C(1) << 40, camera_index = UINT64_C(2) << 40,
                      look_index = UINT64_C(3) << 40, flaw_index = UINT64_C(4) << 40;

enum { LONGEST = 6 /* waves an image: the field has nothing longer */, FEWEST = 12 /* places */ };

struct surface *surface_create(int n, struct err *e)
{
    const unsigned flags = FFTW_ESTIMATE | FFTW_NO_SIMD;
    const size_t places = (size_t)n * (size_t)n;
    struct surface *s = calloc(1, sizeof *s);

    assert(n >= 32 && (n & (n - 1)) == 0);
    if (!s)
        goto out;
    s->n = n;
    s->base = malloc(places * sizeof *s->base);
    s->scene = malloc(places * sizeof *s->scene);
    s->mask = malloc(places);
    s->noise = fftw_alloc_real(places);
    s->work = fftw_alloc_real(places);
    s->modes = fftw_alloc_complex((size_t)n * (size_t)(n / 2 + 1));
    if (!s->base || !s->scene || !s->mask || !s->noise || !s->work || !s->modes)
        goto out;
    s->forward = fftw_plan_dft_r2c_2d(n, n, s->noise, s->modes, flags);
    s->backward = fftw_plan_dft_c2r_2d(n, n, s->modes, s->work, flags);
out:
    if (s && s->forward && s->backward)
        return s;
    err_set(e, "no memory for pictures of %d^2 pixels", n);
    surface_destroy(s);
    return NULL;
}

void surface_destroy(struct surface *s)
{
    if (!s)
        return;
    fftw_destroy_plan(s->forward);
    fftw_destroy_plan(s->backward);
    fftw_free(s->modes);
    fftw_free(s->work);
    fftw_free(s->noise);
    free(s->mask);
    free(s->scene);
    free(s->base);
    free(s);
}

/* Three of four, which goes round the five classes evenly. */
#define FLAWED 0.75

bool surface_is_flawed(uint64_t sample)
{
    return sample % 4 != 0;
}

double surface_weight(uint64_t sample)
{
    return surface_is_flawed(sample) ? SURFACE_SHARE / FLAWED : (1 - SURFACE_SHARE) / (1 - FLAWED);
}

/* The reader of a sample's draws from that index on. */
static struct draw draws(uint64_t seed, uint64_t sample, uint64_t first)
{
    struct draw d;

    draw_init(&d, seed, sample);
    d.index = first;
    return d;
}

static void white_noise(double *out, size_t count, uint64_t seed, uint64_t sample, uint64_t first)
{
    struct draw d = draws(seed, sample, first);

    for (size_t i = 0; i < count; i++)
        out[i] = draw_normal(&d);
}

/* Threads cross at nearly a right angle, 6 to 10 px apart. */
static void draw_weave(struct weave *w, double angle, struct draw *d)
{
    for (int i = 0; i < 2; i++) {
        double k = 2 * M_PI / draw_between(d, 6, 10), sine, cosine;
        gen_sincos(angle + i * M_PI / 2 + draw_between(d, -0.15, 0.15), &sine, &cosine);
        w->k[i][0] = k * cosine;
        w->k[i][1] = k * sine;
        w->phase[i] = draw_between(d, 0, 2 * M_PI);
    }
}

void surface_draw_look(struct surface *s, uint64_t seed, uint64_t sample)
{
    struct draw d = draws(seed, sample, look_index);
    struct surface_look *l = &s->look;
    const bool brushed = draw_chance(&d, 0.5);

    l->slope = brushed ? draw_between(&d, 1, 2) : 2.5;
    l->aspect = brushed ? 8 : 1;
    l->angle = draw_between(&d, 0, M_PI);
    l->weave_share = draw_between(&d, 0.5, 0.7);
    l->mean = draw_between(&d, 0.4, 0.6);
    l->sigma = draw_between(&d, 0.05, 0.09);
    l->vignette = draw_between(&d, 0.1, 0.35);
    l->blur = draw_between(&d, 0.6, 1.2);
    l->electrons = draw_between(&d, 2000, 6000);
    l->read_noise = draw_between(&d, 5, 15);
    draw_weave(&l->weave, l->angle, &d);
}

/* Power of the mode (kx, ky), without its normalisation: k^-slope with k =
 * sqrt((aspect k_along)^2 + k_across^2), the streaks being along `angle`. */
static double power(const struct surface_look *l, double sine, double cosine, int kx, int ky)
{
    double along = l->aspect * (kx * cosine + ky * sine), across = ky * cosine - kx * sine;
    double k2 = along * along + across * across;

    return k2 < LONGEST * LONGEST ? 0 : gen_pow(k2, -l->slope / 2);
}

void surface_texture(struct surface *s, uint64_t seed, uint64_t sample, double *out)
{
    const int n = s->n, half = n / 2;
    const size_t places = (size_t)n * (size_t)n;
    double sine, cosine, sum = 0;

    white_noise(s->noise, places, seed, sample, noise_index);
    fftw_execute(s->forward);
    gen_sincos(s->look.angle, &sine, &cosine);
    for (int y = 0; y < n; y++)
        for (int x = 0; x <= half; x++) {
            double p = power(&s->look, sine, cosine, x, y <= half ? y : y - n);
            s->modes[y * (half + 1) + x] *= sqrt(p);
            sum += x > 0 && x < half ? 2 * p : p; /* the conjugate half */
        }
    fftw_execute(s->backward);
    /* <|noise's mode|^2> is n^2, and so is what the two transforms multiply by */
    for (size_t i = 0; i < places; i++)
        out[i] = s->work[i] / ((double)n * sqrt(sum));
}

/* One to three flaws, the first of the class that the sample's turn gives. One
 * that lies outside is drawn again. */
static void add_flaws(struct surface *s, uint64_t seed, uint64_t sample)
{
    struct draw d = draws(seed, sample, flaw_index);
    struct canvas c = {.n = s->n,
                       .sigma = s->look.sigma,
                       .weave_sigma = s->look.sigma * sqrt(s->look.weave_share),
                       .weave = s->look.weave,
                       .base = s->base,
                       .scene = s->scene,
                       .mask = s->mask};
    const int count = 1 + (int)draw_between(&d, 0, 3);

    for (int i = 0; i < count; i++) {
        int turn = i == 0 ? (int)(sample % (FLAW_CLASSES - 1))
                          : (int)draw_between(&d, 0, FLAW_CLASSES - 1);
        while (flaw_put(&c, (enum flaw)(1 + turn), &d) < FEWEST)
            ;
    }
}

void surface_material(struct surface *s, uint64_t seed, uint64_t sample)
{
    const int n = s->n;
    const size_t places = (size_t)n * (size_t)n;
    const struct surface_look *l = &s->look;

    surface_draw_look(s, seed, sample);
    surface_texture(s, seed, sample, s->base);
    const double field = l->sigma * sqrt(1 - l->weave_share),
                 weave = l->sigma * sqrt(l->weave_share);
    for (int y = 0; y < n; y++)
        for (int x = 0; x < n; x++)
            s->base[y * n + x] =
                l->mean + field * s->base[y * n + x] + weave * weave_at(&l->weave, x, y);
    memcpy(s->scene, s->base, places * sizeof *s->scene);
    memset(s->mask, FLAW_NONE, places);
    if (surface_is_flawed(sample))
        add_flaws(s, seed, sample);
}

/* Along rows of `in`, transposed into out; mirrored at the borders. */
static void blur_rows(const double *in, double *out, int n, const double *kernel, int reach)
{
    for (int y = 0; y < n; y++)
        for (int x = 0; x < n; x++) {
            double sum = 0;
            for (int i = -reach; i <= reach; i++) {
                int at = x + i < 0 ? -1 - x - i : x + i >= n ? 2 * n - 1 - x - i : x + i;
                sum += kernel[i + reach] * in[y * n + at];
            }
            out[x * n + y] = sum;
        }
}

void surface_optics(struct surface *s, const double *scene, double *out)
{
    enum { REACH = 4 };
    const int n = s->n;
    const double middle = (n - 1) / 2.0;
    double kernel[2 * REACH + 1], sum = 0;

    for (int i = -REACH; i <= REACH; i++)
        sum += kernel[i + REACH] = gen_exp(-i * i / (2 * s->look.blur * s->look.blur));
    for (int i = 0; i <= 2 * REACH; i++)
        kernel[i] /= sum;
    for (int y = 0; y < n; y++)
        for (int x = 0; x < n; x++) {
            double r2 = (x - middle) * (x - middle) + (y - middle) * (y - middle);
            s->noise[y * n + x] =
                scene[y * n + x] * (1 - s->look.vignette * r2 / (2 * middle * middle));
        }
    blur_rows(s->noise, s->work, n, kernel, REACH);
    blur_rows(s->work, s->noise, n, kernel, REACH);
    memcpy(out, s->noise, (size_t)n * (size_t)n * sizeof *out);
}

void surface_photograph(struct surface *s, const double *scene, uint64_t seed, uint64_t sample,
                        uint8_t *image)
{
    const size_t places = (size_t)s->n * (size_t)s->n;
    const struct surface_look *l = &s->look;

    surface_optics(s, scene, s->work);
    white_noise(s->noise, places, seed, sample, camera_index);
    for (size_t i = 0; i < places; i++) {
        double light = fmax(s->work[i], 0) * l->electrons;
        light += sqrt(light + l->read_noise * l->read_noise) * s->noise[i];
        double grey = floor(light / l->electrons * 255 + 0.5);
        image[i] = (uint8_t)fmin(fmax(grey, 0), 255);
    }
}

void surface_sample(struct surface *s, uint64_t seed, uint64_t sample, uint8_t *image,
                    uint8_t *mask)
{
    surface_material(s, seed, sample);
    surface_photograph(s, s->scene, seed, sample, image);
    memcpy(mask, s->mask, (size_t)s->n * (size_t)s->n);
}
