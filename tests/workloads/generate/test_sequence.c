/* SPDX-License-Identifier: BSD-3-Clause */
/* Sequences of weather are one flow, looked at again: moments belong together. */
#include <config.h>

#include "tests/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/data/science_sequence.h"
#include "workloads/generate/generator.h"
#include "workloads/generate/weather/weather.h"

enum { SEED = 5, NY = 32, NX = 64, PLACES = NY * NX, T = SEQUENCE_MOMENTS };

extern const struct generator generator_sequence;

static const struct weather_grid grid = {NY, NX, 1};
static struct err e = ERR_INIT;

static struct weather *weather(void)
{
    struct weather *w = weather_create(NY, NX, &grid, &e);

    assert_non_null(w);
    return w;
}

/* A moment is the same whether the flow went on to it, or began for it. */
static void a_flow_that_goes_on_is_the_same(void **state)
{
    static const int hours[] = {0, 6, 24, 12, 24, 0};
    struct weather *on = weather(), *anew;

    (void)state;
    for (size_t i = 0; i < sizeof hours / sizeof hours[0]; i++) {
        weather_make(on, SEED, 3, hours[i]);
        anew = weather();
        weather_make(anew, SEED, 3, hours[i]);
        for (int k = 0; k < AIR_FIELDS; k++)
            assert_memory_equal(on->field[k], anew->field[k], PLACES * sizeof(double));
        weather_destroy(anew);
    }
    weather_make(on, SEED, 4, 6); /* another sample, and its fields */
    anew = weather();
    weather_make(anew, SEED, 4, 6);
    assert_memory_equal(on->field[AIR_U850], anew->field[AIR_U850], PLACES * sizeof(double));
    weather_destroy(anew);
    weather_destroy(on);
}

/* Where the flow at a vortex would take it in 24 hours is where it is, within what the
 * wind changes by on the way; it stays in its hemisphere. */
static void vortices_drift_with_the_wind(void **state)
{
    const double step = 0.6 * 6 * 3600 / PLANE_DEGREE; /* degrees for each m/s in six hours */
    struct weather *w = weather();
    double off = 0;
    int n = 0;

    (void)state;
    for (uint64_t s = 0; s < 12; s++) {
        double row[WEATHER_MOST_VORTICES], column[WEATHER_MOST_VORTICES];
        weather_make(w, SEED, s, 0);
        for (int k = 0; k < w->n_vortices; k++) {
            row[k] = w->vortex[k].row;
            column[k] = w->vortex[k].column;
        }
        for (int hours = 6; hours <= 24; hours += 6) {
            const double *const *wind =
                (const double *const *)w->wind[WEATHER_CARRIED / WEATHER_STEP];
            for (int k = 0; k < w->n_vortices; k++) {
                const double u = plane_at(w->flow->plane, wind[0], row[k], column[k]);
                const double v = plane_at(w->flow->plane, wind[1], row[k], column[k]);
                column[k] += step * u * NX / 360;
                row[k] += step * v * NY / (2 * PLANE_LATITUDE);
            }
            weather_make(w, SEED, s, hours);
        }
        for (int k = 0; k < w->n_vortices; k++, n++) {
            const struct vortex *v = &w->vortex[k];
            const double x = fmod(v->column - column[k] + 1.5 * NX, NX) - NX / 2.0;
            assert_true(fabs(v->latitude) >= 5);
            off += hypot(x, v->row - row[k]);
        }
    }
    assert_true(n > 20);
    print_message("%d vortices end %.2f places from where four steps of six hours take them\n", n,
                  off / n);
    assert_true(off < 0.35 * n);
    weather_destroy(w);
}

/* ---- the generator ------------------------------------------------------ */

static float *sequence(enum runspec_class class, uint64_t sample, long *variables)
{
    const struct data_class *c = science_class(&science_sequence, class);
    void *maker = generator_sequence.open(c, &science_sequence.layouts[0], &e);
    float *v = malloc(science_dims(&science_sequence, 0, c, NULL) * sizeof *v);

    assert_non_null(maker);
    assert_non_null(v);
    assert_int_equal(generator_sequence.make(maker, SEED, sample, (void *const[]){v}, NULL, &e), 0);
    generator_sequence.close(maker);
    *variables = c->size[0];
    return v;
}

/* The root mean square of what a variable changes by between two moments. */
static double change(const float *v, long C, long places, int c, int from, int to)
{
    double sum = 0;

    for (long i = 0; i < places; i++) {
        const double d =
            (double)v[(to * places + i) * C + c] - (double)v[(from * places + i) * C + c];
        sum += d * d;
    }
    return sqrt(sum / (double)places);
}

static void moments_move_apart(void **state)
{
    long C;

    (void)state;
    for (uint64_t s = 0; s < 3; s++) {
        float *v = sequence(CLASS_TINY, s, &C);
        assert_int_equal(C, SEQUENCE_FEW);
        for (int c = 0; c < C; c++) {
            const double first = change(v, C, PLACES, c, 0, 1);
            assert_true(first > 0);
            assert_true(change(v, C, PLACES, c, 0, T - 1) > 1.5 * first);
        }
        for (long i = 0; i < T * PLACES; i++) {
            const float *at = v + i * C;
            assert_true(at[SEQUENCE_PSL] > 8e4f && at[SEQUENCE_PSL] < 1.2e5f);
            assert_true(at[SEQUENCE_TS] > 220 && at[SEQUENCE_TS] < 330);
            assert_true(at[SEQUENCE_PRECT] >= 0 && at[SEQUENCE_QREFHT] > 0);
        }
        free(v);
    }
}

/* The wind grows upwards by the layer's shear, in proportion to ln p. */
static void winds_aloft_belong_to_those_below(void **state)
{
    long C;
    float *v = sequence(CLASS_SMALL, 1, &C);
    const double share = log(850.0 / 500) / log(850.0 / 200);

    (void)state;
    assert_int_equal(C, SEQUENCE_VARIABLES);
    for (long i = 0; i < T * 64L * 128; i += 97) {
        const float *at = v + i * C;
        const double u = (double)(at[SEQUENCE_U200] - at[SEQUENCE_U850]);
        const double n = (double)(at[SEQUENCE_V200] - at[SEQUENCE_V850]);
        assert_true(fabs((double)(at[SEQUENCE_U500] - at[SEQUENCE_U850]) - share * u) < 1e-2);
        assert_true(fabs((double)(at[SEQUENCE_V500] - at[SEQUENCE_V850]) - share * n) < 1e-2);
    }
    free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flow_that_goes_on_is_the_same),
        cmocka_unit_test(vortices_drift_with_the_wind),
        cmocka_unit_test(moments_move_apart),
        cmocka_unit_test(winds_aloft_belong_to_those_below),
    };

    return cmocka_run_group_tests_name("sequence", tests, NULL, NULL);
}
