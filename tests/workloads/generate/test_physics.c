/* SPDX-License-Identifier: BSD-3-Clause */
/* The generator's universes are those that its equations promise. */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "workloads/generate/cosmo/gen_field.h"
#include "workloads/generate/gen_math.h"
#include "workloads/generate/cosmo/gen_ridge.h"

enum { N = 64, CELLS = N * N * N };

static const double cell = 8; /* [Mpc/h]: boxes of 512 Mpc/h */
static const struct cosmology planck = {0.3089, 0.8159, 0.9667, 0.6774};

static void near(double got, double want, double relative)
{
    if (!(fabs(got - want) <= relative * fabs(want)))
        fail_msg("%.9g where %.9g was expected within %g", got, want, relative);
}

static struct cosmo_field *box(int n, double side, int particles)
{
    struct err e = ERR_INIT;
    struct cosmo_field *f = field_create(n, side, particles, &e);

    assert_non_null(f);
    return f;
}

static void own_functions_are_libm_s(void **state)
{
    (void)state;
    for (int i = -20000; i <= 20000; i++) {
        double x = i * 0.0312345, s, c;
        near(gen_exp(x), exp(x), 1e-14);
        near(gen_log(exp(x / 2)), x / 2, 1e-14);
        gen_sincos(x * 100, &s, &c);
        assert_true(fabs(s - sin(x * 100)) < 1e-12 && fabs(c - cos(x * 100)) < 1e-12);
    }
    near(gen_pow(0.02, -0.95), pow(0.02, -0.95), 1e-14);
}

/* Another implementation's values: Colossus 1.3, transferFunction(model =
 * 'eisenstein98') and matterPowerSpectrum() of this cosmology. Its P(k) is
 * interpolated in a table. */
static void transfer_function_is_published(void **state)
{
    static const struct {
        double k, transfer, power;
    } rows[] = {
        {1e-3, 0.99220845, 3798.750662},  {3e-3, 0.95174359, 10108.999485},
        {9e-3, 0.80266306, 20795.447803}, {0.027, 0.47353548, 20933.328233},
        {0.081, 0.17479844, 8249.753658}, {0.243, 0.04118645, 1324.737752},
        {0.729, 0.00778579, 136.916937},  {2.187, 0.00127301, 10.585925},
        {6.561, 0.00018952, 0.678633},    {19.683, 2.65015188e-05, 0.0383774688},
    };
    struct spectrum p;

    (void)state;
    spectrum_init(&p, &planck);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(fabs(spectrum_transfer(&p, rows[i].k) - rows[i].transfer) < 6e-9);
        near(spectrum_power(&p, rows[i].k), rows[i].power, 1e-4);
    }
    near(spectrum_sigma(&p, 8), planck.sigma_8, 1e-12);
}

static void growth_is_linear_theory_s(void **state)
{
    (void)state;
    /* matter alone: D = a, D2 = -3/7 a^2 */
    near(growth_first(1, 3), 0.25, 1e-3);
    near(growth_second(1, 3), -3.0 / 7 / 16, 2e-3);
    /* Colossus 1.3, growthFactor() */
    near(growth_first(0.3089, 3.0), 0.31677478, 2e-5);
    near(growth_first(0.3089, 1.5), 0.49757404, 2e-5);
    near(growth_first(0.3089, 0.5), 0.77063864, 2e-5);
}

/* The density in spheres of 8 Mpc/h, over three boxes. */
static void boxes_have_their_sigma_8(void **state)
{
    struct cosmo_field *f = box(N, 4, 1);
    const double side = 4 * N;
    struct spectrum p;
    double sum = 0;

    (void)state;
    spectrum_init(&p, &planck);
    for (uint64_t sample = 0; sample < 3; sample++) {
        field_linear(f, &p, 7, sample);
        for (int a = 0; a < N; a++)
            for (int b = 0; b < N; b++)
                for (int c = 0; c <= N / 2; c++) {
                    int ka = a <= N / 2 ? a : a - N, kb = b <= N / 2 ? b : b - N;
                    double x = 8 * 2 * M_PI / side * sqrt(ka * ka + kb * kb + c * c);
                    double w = x > 0 ? 3 * (sin(x) - x * cos(x)) / (x * x * x) : 0;
                    double m = cabs(f->delta[(a * N + b) * (N / 2 + 1) + c]) / CELLS * w;
                    sum += (c > 0 && c < N / 2 ? 2 : 1) * m * m;
                }
    }
    near(sqrt(sum / 3), planck.sigma_8, 0.02);
    field_destroy(f);
}

/* Density contrast of counts (mean 1) into power [(Mpc/h)^3] by shells. */
static void count_power(struct cosmo_field *f, const int16_t *counts, double *power, int bins)
{
    for (int i = 0; i < CELLS; i++)
        f->real[i] = counts[i] - 1.0;
    field_shells(f, f->real, power, bins);
    for (int i = 0; i < bins; i++)
        power[i] *= cell * cell * cell;
}

/* Many large boxes at high redshift: what is counted has the linear spectrum
 * that went in, and grows as linear theory says. */
static void spectrum_and_growth_are_recovered(void **state)
{
    enum { BINS = 10, BOXES = 6 };
    struct cosmo_field *f = box(N, cell, 1);
    int16_t *counts = malloc(CELLS * sizeof *counts);
    struct err e = ERR_INIT;
    double early[BINS] = {0}, late[BINS] = {0}, power[BINS], ratio = 0, growth = 0;
    const double d3 = growth_first(planck.omega_m, 3), d15 = growth_first(planck.omega_m, 1.5);
    const double second3 = growth_second(planck.omega_m, 3);
    const double second15 = growth_second(planck.omega_m, 1.5);
    struct spectrum p;

    (void)state;
    spectrum_init(&p, &planck);
    for (uint64_t s = 0; s < BOXES; s++) {
        field_linear(f, &p, 3, s);
        field_displace(f);
        field_count(f, 3, s, 1, &d3, &second3, counts, &e);
        count_power(f, counts, power, BINS);
        for (int i = 0; i < BINS; i++)
            early[i] += power[i] / BOXES;
        field_count(f, 3, s, 1, &d15, &second15, counts, &e);
        count_power(f, counts, power, BINS);
        for (int i = 0; i < BINS; i++)
            late[i] += power[i] / BOXES;
    }
    /* the innermost shells hold too few modes to judge one by one */
    for (int i = 2; i < BINS; i++) {
        double want = spectrum_power(&p, 2 * M_PI / (N * cell) * (i + 1)) * d3 * d3;
        near(early[i], want, 0.12);
        ratio += early[i] / want / (BINS - 2);
        growth += sqrt(late[i] / early[i]) / (BINS - 2);
    }
    near(ratio, 1, 0.06);
    near(growth, d15 / d3, 0.02);
    free(counts);
    field_destroy(f);
}

static double skewness(const int16_t *counts)
{
    double two = 0, three = 0;

    for (int i = 0; i < CELLS; i++) {
        double d = counts[i] - 1.0;
        two += d * d / CELLS;
        three += d * d * d / CELLS;
    }
    return three / pow(two, 1.5);
}

/* No particle is lost, at any redshift, in the cosmologies at the corners;
 * second order makes the density more skewed than Zel'dovich's. */
static void particles_are_conserved_and_skewed(void **state)
{
    struct cosmo_field *f = box(N, cell, 1);
    int16_t *counts = malloc(CELLS * COSMO_CHANNELS * sizeof *counts);
    struct err e = ERR_INIT;

    (void)state;
    for (int corner = 0; corner < 4; corner++) {
        double unit[4] = {corner & 1 ? 1 : -1, corner & 2 ? 1 : -1, corner & 1 ? -1 : 1, 0};
        struct cosmology c = cosmology_from_unit(unit);
        struct spectrum p;
        long total[COSMO_CHANNELS] = {0};

        assert_int_equal(field_sample(f, &c, 5, (uint64_t)corner, counts, &e), 0);
        for (int i = 0; i < CELLS * COSMO_CHANNELS; i++)
            total[i % COSMO_CHANNELS] += counts[i];
        for (int i = 0; i < COSMO_CHANNELS; i++)
            assert_int_equal(total[i], CELLS);

        spectrum_init(&p, &c);
        field_linear(f, &p, 5, (uint64_t)corner);
        field_displace(f);
        const double one = 1, none = 0, second = growth_second(c.omega_m, 0);
        field_count(f, 5, (uint64_t)corner, 1, &one, &none, counts, &e);
        double first = skewness(counts);
        field_count(f, 5, (uint64_t)corner, 1, &one, &second, counts, &e);
        assert_true(skewness(counts) > first && first > 0);
    }
    free(counts);
    field_destroy(f);
}

/* A sample of the class standard deflates like the published ones, 5.93 : 1:
 * loaders meet the same work. Displaced particles are a little less clumped
 * than those of an N-body code, so within a tenth. */
static void standard_compresses_like_the_published(void **state)
{
    const struct data_class *class = science_class(&science_cosmo, CLASS_STANDARD);
    const struct cosmo_own *own = class->own;
    const size_t bytes = science_dims(&science_cosmo, COSMO_X, class, NULL) * sizeof(int16_t);
    struct cosmo_field *f = box((int)class->size[1], own->cell_mpc, own->particles);
    int16_t *counts = malloc(bytes);
    uLongf deflated = compressBound(bytes);
    void *to = malloc(deflated);
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(field_sample(f, &planck, 1, 0, counts, &e), 0);
    assert_int_equal(compress2(to, &deflated, (void *)counts, bytes, class->deflate), Z_OK);
    near((double)bytes / (double)deflated, 5.93, 0.1);
    free(to);
    free(counts);
    field_destroy(f);
}

/* Parameters are uniform in their ranges and differ by sample. */
static void parameters_fill_their_ranges(void **state)
{
    enum { SAMPLES = 4000 };
    double mean[COSMO_PARAMETERS] = {0}, square[COSMO_PARAMETERS] = {0};

    (void)state;
    for (uint64_t s = 0; s < SAMPLES; s++) {
        double unit[COSMO_PARAMETERS];
        field_parameters(1, s, unit);
        for (int i = 0; i < COSMO_PARAMETERS; i++) {
            assert_true(unit[i] >= -1 && unit[i] < 1);
            mean[i] += unit[i] / SAMPLES;
            square[i] += unit[i] * unit[i] / SAMPLES;
        }
    }
    for (int i = 0; i < COSMO_PARAMETERS; i++) {
        assert_true(fabs(mean[i]) < 0.05);
        near(square[i], 1.0 / 3, 0.05);
    }
    assert_true(cosmology_from_unit((double[]){-1, 0, 0, 0}).omega_m == cosmo_parameters[0].low);
    near(cosmology_from_unit((double[]){0, 0, 0, 1}).h, 1.3 * 0.6774, 1e-12);
}

/* A linear law with noise is found again; a constant guess is not as good. */
static void ridge_finds_a_linear_law(void **state)
{
    enum { ROWS = 600, TRAIN = 500 };
    struct ridge_row *rows = calloc(ROWS, sizeof *rows);
    struct err e = ERR_INIT;
    double constant, ridge, noise = 0;

    (void)state;
    for (int r = 0; r < ROWS; r++) {
        for (int i = 0; i < RIDGE_FEATURES; i++)
            rows[r].x[i] = (float)(5 * sin(1.7 * r + 2.3 * i * i) + i);
        for (int p = 0; p < COSMO_PARAMETERS; p++) {
            double error = 0.01 * sin(31.7 * r + 7 * p);
            rows[r].y[p] = (float)(0.1 * rows[r].x[p] - 0.05 * rows[r].x[p + 9] + 3 + error);
            noise += fabs(error) / (ROWS * COSMO_PARAMETERS);
        }
    }
    assert_int_equal(ridge_fit(rows, TRAIN, rows + TRAIN, ROWS - TRAIN, &constant, &ridge, &e), 0);
    assert_true(ridge < 1.5 * noise);
    assert_true(constant > 10 * ridge);
    assert_int_equal(ridge_fit(rows, 4, rows, 1, &constant, &ridge, &e), -1);
    assert_string_equal(e.text, "4 training and 1 validation samples are too few for a baseline");
    free(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_functions_are_libm_s),
        cmocka_unit_test(transfer_function_is_published),
        cmocka_unit_test(growth_is_linear_theory_s),
        cmocka_unit_test(boxes_have_their_sigma_8),
        cmocka_unit_test(spectrum_and_growth_are_recovered),
        cmocka_unit_test(particles_are_conserved_and_skewed),
        cmocka_unit_test(standard_compresses_like_the_published),
        cmocka_unit_test(parameters_fill_their_ranges),
        cmocka_unit_test(ridge_finds_a_linear_law),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
