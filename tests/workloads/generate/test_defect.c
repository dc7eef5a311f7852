/* SPDX-License-Identifier: BSD-3-Clause */
/* The generated surfaces are what their equations promise, and so are their
 * masks; a threshold on brightness finds what it should and no more. */
#include <config.h>

#include "tests/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/generate/defect/surface.h"
#include "workloads/generate/defect/threshold.h"

enum { N = 64, PIXELS = N * N, SEED = 5 };

static struct surface *surface(void)
{
    struct err e = ERR_INIT;
    struct surface *s = surface_create(N, &e);

    assert_non_null(s);
    return s;
}

static void near(double got, double want, double absolute)
{
    if (!(fabs(got - want) <= absolute))
        fail_msg("%.9g where %.9g was expected within %g", got, want, absolute);
}

/* Contrasts are at least .9 x .05; where a weave crosses what is left of it, the
 * two differ by less than 1e-9 in one place of 1e8. */
static void mask_is_where_the_scene_changed(void **state)
{
    struct surface *s = surface();

    (void)state;
    for (uint64_t sample = 0; sample < 400; sample++) {
        int changed = 0;
        surface_material(s, SEED, sample);
        for (int i = 0; i < PIXELS; i++) {
            assert_int_equal(fabs(s->scene[i] - s->base[i]) > 1e-9, s->mask[i] != FLAW_NONE);
            assert_true(s->mask[i] < FLAW_CLASSES);
            changed += s->mask[i] != FLAW_NONE;
        }
        assert_int_equal(changed > 0, surface_is_flawed(sample));
    }
    surface_destroy(s);
}

/* The lens spreads a flaw over 4 px and no further; the noise is not part of
 * it. */
static void picture_changes_around_the_mask_only(void **state)
{
    static double with[PIXELS], without[PIXELS];
    struct surface *s = surface();

    (void)state;
    for (uint64_t sample = 1; sample < 100; sample += 2) {
        double inside = 0;
        int n = 0;
        surface_material(s, SEED, sample);
        surface_optics(s, s->scene, with);
        surface_optics(s, s->base, without);
        for (int y = 0; y < N; y++)
            for (int x = 0; x < N; x++) {
                int near_mask = 0, at = y * N + x;
                for (int j = y > 4 ? y - 4 : 0; j <= y + 4 && j < N; j++)
                    for (int i = x > 4 ? x - 4 : 0; i <= x + 4 && i < N; i++)
                        near_mask |= s->mask[j * N + i];
                if (!near_mask)
                    assert_true(with[at] == without[at]);
                if (s->mask[at])
                    inside += fabs(with[at] - without[at]), n++;
            }
        assert_true(inside / n > 0.1 * s->look.sigma); /* the camera still sees it */
    }
    surface_destroy(s);
}

/* Power in shells of k = sqrt((aspect k_along)^2 + k_across^2), over 200
 * fields, fitted with their number of modes as weights: some 180 x 200, log k
 * spread by .4, make the slope good to 1 / sqrt(36,000) / .4 = .013. */
static void texture_slope(double slope, double aspect, double angle)
{
    enum { FIELDS = 200, LEAST = 8, MOST = 32 };
    double power[MOST] = {0}, count[MOST] = {0}, where[MOST] = {0}, variance = 0;
    double sx = 0, sy = 0, sxx = 0, sxy = 0, n = 0;
    static double field[PIXELS];
    struct surface *s = surface();

    s->look = (struct surface_look){.slope = slope, .aspect = aspect, .angle = angle};
    for (uint64_t f = 0; f < FIELDS; f++) {
        surface_texture(s, SEED, f, field);
        for (int i = 0; i < PIXELS; i++)
            variance += field[i] * field[i] / ((double)PIXELS * FIELDS);
        memcpy(s->noise, field, sizeof field);
        fftw_execute(s->forward);
        for (int y = 0; y < N; y++)
            for (int x = 0; x <= N / 2; x++) {
                int ky = y <= N / 2 ? y : y - N;
                double a = aspect * (x * cos(angle) + ky * sin(angle));
                double b = ky * cos(angle) - x * sin(angle), k = sqrt(a * a + b * b);
                double p = cabs(s->modes[y * (N / 2 + 1) + x]);
                if (k < 5.99) /* nothing longer than 6 waves an image */
                    assert_true(p < 1e-9);
                else if (k >= LEAST && k < MOST) {
                    power[(int)k] += p * p;
                    where[(int)k] += log(k);
                    count[(int)k] += 1;
                }
            }
    }
    for (int k = LEAST; k < MOST; k++) {
        if (count[k] == 0)
            continue;
        double x = where[k] / count[k], y = log(power[k] / count[k]);
        sx += count[k] * x, sy += count[k] * y, n += count[k];
        sxx += count[k] * x * x, sxy += count[k] * x * y;
    }
    assert_true(n > 150 * FIELDS);
    near((n * sxy - sx * sy) / (n * sxx - sx * sx), -slope, 0.06);
    near(variance, 1, 0.05);
    surface_destroy(s);
}

static void textures_have_their_slope(void **state)
{
    (void)state;
    texture_slope(1, 8, 0.4);
    texture_slope(2, 8, 2.1);
    texture_slope(2.5, 1, 0);
}

/* What a flaw of one class adds to a flat scene, in standard deviations. */
static void one_flaw(enum flaw what, uint64_t draw_stream, double *least, double *most,
                     double *mean, int *count)
{
    static double base[PIXELS], scene[PIXELS];
    static uint8_t mask[PIXELS];
    struct canvas c = {.n = N,
                       .sigma = 0.1,
                       .weave_sigma = 0.07,
                       .weave = {.k = {{0.9, 0.2}, {-0.2, 1.1}}},
                       .base = base,
                       .scene = scene,
                       .mask = mask};
    struct draw d;

    draw_init(&d, SEED, draw_stream);
    memset(scene, 0, sizeof scene);
    memset(mask, 0, sizeof mask);
    int put = flaw_put(&c, what, &d);
    *least = *most = *mean = 0;
    *count = 0;
    for (int i = 0; i < PIXELS; i++) {
        double x = scene[i] / c.sigma;
        assert_true(mask[i] == (x != 0 ? what : FLAW_NONE));
        *least = fmin(*least, x);
        *most = fmax(*most, x);
        *mean += x;
        *count += x != 0;
    }
    *mean /= *count ? *count : 1;
    assert_int_equal(put, *count);
}

static void flaws_have_their_contrast(void **state)
{
    static const struct {
        enum flaw what;
        double least, most; /* contrasts lie between; of pits: without the rim */
        int fewest, greatest;
    } rows[] = {
        {FLAW_SCRATCH, -4.5, 4.5, 0, 53 * 5},
        {FLAW_PIT, -4.5, 0.8 * 4.5, 0, 169},
        {FLAW_CRACK, -4, 0, 0, 600},
        {FLAW_STAIN, -1.3, 0, 0, 1400},
        {FLAW_MISSING, -3, 3, 14 * 14, 28 * 28},
    };

    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++)
        for (uint64_t i = 0; i < 300; i++) {
            double least, most, mean;
            int count;
            one_flaw(rows[r].what, i, &least, &most, &mean, &count);
            assert_in_range(count, rows[r].fewest, rows[r].greatest);
            assert_true(least >= rows[r].least && most <= rows[r].most);
            if (count < 12) /* outside; drawn again */
                continue;
            if (rows[r].what == FLAW_SCRATCH) /* of one sign */
                assert_true((least == 0) != (most == 0));
            if (rows[r].what == FLAW_PIT) /* a rim about a dark disc */
                assert_true(most > 0 && (least <= -2.5 || least == 0));
            if (rows[r].what == FLAW_STAIN) /* a plateau */
                assert_true(most == 0 && fabs(least - mean) < 1e-9);
            if (rows[r].what == FLAW_MISSING) /* no brighter, no darker: whole waves cancel */
                assert_true(fabs(mean) < 0.5);
        }
}

/* A flat scene gives the variance of shot and read noise and of rounding (64
 * pictures of 4,096 pixels: a variance good to .3 %); a bright dot a spot of the
 * lens's width; a corner what the vignette leaves. */
static void camera_is_its_equations(void **state)
{
    static double scene[PIXELS], out[PIXELS];
    static uint8_t image[PIXELS];
    struct surface *s = surface();
    double sum = 0, squares = 0, spread = 0, light = 0;

    (void)state;
    s->look = (struct surface_look){.blur = 0.9, .electrons = 2000, .read_noise = 10};
    for (int i = 0; i < PIXELS; i++)
        scene[i] = 0.5;
    for (uint64_t f = 0; f < 64; f++) {
        surface_photograph(s, scene, SEED, f, image);
        for (int i = 0; i < PIXELS; i++) {
            sum += image[i] / (64.0 * PIXELS);
            squares += (double)image[i] * image[i] / (64.0 * PIXELS);
        }
    }
    double variance = (1000 + 100) * (255.0 / 2000) * (255.0 / 2000) + 1.0 / 12;
    near(sum, 127.5, 0.05);
    near(squares - sum * sum, variance, 0.015 * variance);

    memset(scene, 0, sizeof scene);
    scene[30 * N + 20] = 1;
    surface_optics(s, scene, out);
    for (int y = 0; y < N; y++)
        for (int x = 0; x < N; x++) {
            light += out[y * N + x];
            spread += out[y * N + x] * (x - 20) * (x - 20);
        }
    near(light, 1, 1e-12);
    near(spread, 0.9 * 0.9, 0.01); /* cut at 4 px */

    s->look.vignette = 0.3;
    for (int i = 0; i < PIXELS; i++)
        scene[i] = 1;
    surface_optics(s, scene, out);
    near(out[N / 2 * N + N / 2], 1, 1e-3);
    near(out[0], 0.7, 0.01); /* blurred towards the middle */
    surface_destroy(s);
}

static void a_part_is_flawed_and_weights_say_what_share(void **state)
{
    double flawed = 0, all = 0;
    int count = 0, classes[FLAW_CLASSES] = {0};
    struct surface *s = surface();

    (void)state;
    for (uint64_t sample = 1024; sample < 1536; sample++) {
        bool has[FLAW_CLASSES] = {false};
        surface_material(s, SEED, sample);
        for (int i = 0; i < PIXELS; i++)
            has[s->mask[i]] = true;
        for (int k = 1; k < FLAW_CLASSES; k++)
            classes[k] += has[k];
        count += surface_is_flawed(sample);
        flawed += surface_is_flawed(sample) ? surface_weight(sample) : 0;
        all += surface_weight(sample);
    }
    assert_int_equal(count, 384);
    near(flawed / all, SURFACE_SHARE, 1e-12);
    near(all, 512, 1e-9);
    /* 77 in turn; .187 of the other 307 by chance: 57 +- 7; later flaws cover a few */
    for (int k = 1; k < FLAW_CLASSES; k++)
        assert_in_range(classes[k], 77 + 57 - 35, 77 + 57 + 28);
    surface_destroy(s);
}

static void samples_are_the_same_in_any_order(void **state)
{
    enum { SAMPLES = 40 };
    static uint8_t image[SAMPLES][PIXELS], mask[SAMPLES][PIXELS], i2[PIXELS], m2[PIXELS];
    struct surface *s = surface();

    (void)state;
    for (int i = 0; i < SAMPLES; i++)
        surface_sample(s, SEED, (uint64_t)i, image[i], mask[i]);
    surface_destroy(s);
    for (int i = SAMPLES; i-- > 0;) {
        s = i % 8 == 7 ? surface() : s;
        surface_sample(s, SEED, (uint64_t)i, i2, m2);
        assert_memory_equal(image[i], i2, PIXELS);
        assert_memory_equal(mask[i], m2, PIXELS);
        if (i % 8 == 0)
            surface_destroy(s);
    }
    s = surface();
    surface_sample(s, SEED + 1, 1, i2, m2);
    assert_memory_not_equal(image[1], i2, PIXELS);
    surface_destroy(s);
}

/* The plan of the set: a threshold finds some scratches and pits (an IoU of .05
 * to .15 over the five classes) and next to nothing of stains and missing parts. */
static void threshold_finds_only_what_is_bright_or_dark(void **state)
{
    enum { TRAIN = 1024, ALL = 1536 };
    static struct threshold_counts counts[2];
    static uint8_t image[PIXELS], mask[PIXELS];
    struct surface *s = surface();
    double iou[FLAW_CLASSES], marked[FLAW_CLASSES];

    (void)state;
    for (uint64_t i = 0; i < ALL; i++) {
        surface_sample(s, SEED, i, image, mask);
        threshold_add(&counts[i >= TRAIN], image, mask, PIXELS);
    }
    struct threshold t = threshold_fit(&counts[0]);
    double mean = threshold_iou(&t, &counts[1], iou);
    for (int k = 0; k < FLAW_CLASSES; k++) {
        double all = 0, found = 0;
        for (int b = 0; b < THRESHOLD_BINS; b++) {
            all += (double)counts[1].pixels[k][b];
            found += b < t.below || b >= t.above ? (double)counts[1].pixels[k][b] : 0;
        }
        marked[k] = found / all;
    }
    if (!(mean > 0.05 && mean < 0.15))
        fail_msg("the threshold's mean IoU is %.4f", mean);
    assert_true(marked[FLAW_SCRATCH] > 0.1 && marked[FLAW_PIT] > 0.1);
    assert_true(marked[FLAW_STAIN] < 0.02 && marked[FLAW_MISSING] < 0.01);
    assert_true(iou[FLAW_STAIN] == 0 && iou[FLAW_MISSING] == 0);
    surface_destroy(s);
}

/* Levels, IoU and mean on a set that can be counted by hand. */
static void threshold_counts_what_it_says(void **state)
{
    /* mean 100; deviation 50: levels -2, 0 x 6, 2 */
    static const uint8_t image[8] = {0, 100, 100, 100, 100, 100, 100, 200};
    static const uint8_t mask[8] = {FLAW_PIT, 0, 0, FLAW_PIT, 0, 0, FLAW_STAIN, FLAW_SCRATCH};
    struct threshold_counts c = {0};
    double iou[FLAW_CLASSES];

    (void)state;
    threshold_add(&c, image, mask, 8);
    struct threshold t = threshold_fit(&c);
    assert_int_equal(t.dark, FLAW_PIT);
    assert_int_equal(t.bright, FLAW_SCRATCH);
    double mean = threshold_iou(&t, &c, iou);
    near(iou[FLAW_PIT], 0.5, 0);
    near(iou[FLAW_SCRATCH], 1, 0);
    near(iou[FLAW_STAIN], 0, 0);
    near(iou[FLAW_NONE], 4 / 6.0, 1e-15);
    assert_true(isnan(iou[FLAW_CRACK]));
    near(mean, 1.5 / 3, 1e-15); /* cracks and missing parts are not in the set */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mask_is_where_the_scene_changed),
        cmocka_unit_test(picture_changes_around_the_mask_only),
        cmocka_unit_test(textures_have_their_slope),
        cmocka_unit_test(flaws_have_their_contrast),
        cmocka_unit_test(camera_is_its_equations),
        cmocka_unit_test(a_part_is_flawed_and_weights_say_what_share),
        cmocka_unit_test(samples_are_the_same_in_any_order),
        cmocka_unit_test(threshold_finds_only_what_is_bright_or_dark),
        cmocka_unit_test(threshold_counts_what_it_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
