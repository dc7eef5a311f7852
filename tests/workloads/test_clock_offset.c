/* SPDX-License-Identifier: BSD-3-Clause */
/* Clocks whose offset is known, over links that are not alike in their directions. */
#include <config.h>

#include "workloads/clock_offset.h"

#include <math.h>

#include "tests/unit.h"
#include "workloads/philox.h"

static double uniform(uint64_t i)
{
    uint32_t r[4];

    philox_at(12, 1, i, r);
    return philox_double(r[0], r[1]);
}

static void near(double a, double b, double within)
{
    if (!(fabs(a - b) <= within))
        fail_msg("%.9f is not within %g of %.9f", a, within, b);
}

/* A round there and back at our time t: their clock shows ours less `offset`. */
static struct clock_round round_of(double t, double offset, double there, double back)
{
    return (struct clock_round){t, t + there - offset, t + there + back};
}

static void the_shortest_round_counts(void **state)
{
    const struct clock_round rounds[] = {
        round_of(1, 0.25, 0.010, 0.020),
        round_of(2, 0.25, 0.001, 0.003),
        round_of(3, 0.25, 0.002, 0.004),
    };
    struct clock_offset o = clock_of_rounds(rounds, 3);

    (void)state;
    /* wrong by half of the asymmetry, within half of the round */
    near(o.seconds, 0.25 + 0.001, 1e-12);
    near(o.bound, 0.002, 1e-12);
}

/* Whatever the links do, the true offset is within the bound. */
static void the_bound_holds(void **state)
{
    struct clock_round rounds[20];

    (void)state;
    for (uint64_t c = 0; c < 500; c++) {
        double offset = 10 * (uniform(3 * c) - 0.5);
        for (uint64_t i = 0; i < 20; i++)
            rounds[i] = round_of((double)i, offset, 1e-5 * uniform(1000 * c + 2 * i),
                                 1e-3 * uniform(1000 * c + 2 * i + 1));
        struct clock_offset o = clock_of_rounds(rounds, 20);
        assert_true(fabs(o.seconds - offset) <= o.bound + 1e-12);
    }
}

static void offsets_add_up_along_a_tree(void **state)
{
    struct clock_offset o =
        clock_chain((struct clock_offset){1.5, 1e-6}, (struct clock_offset){-0.25, 2e-6});

    (void)state;
    near(o.seconds, 1.25, 1e-12);
    near(o.bound, 3e-6, 1e-15);
}

/* A crystal of 40 ppm: one measurement is off by 2.4 ms after a minute, two are not. */
static void drift_is_followed(void **state)
{
    const struct clock_offset first = {1, 1e-6}, second = {1 + 60 * 40e-6, 2e-6};

    (void)state;
    near(clock_between(100, first, 160, second, 130).seconds, 1 + 30 * 40e-6, 1e-9);
    near(clock_between(100, first, 160, second, 130).bound, 2e-6, 1e-15);
    /* outside of the two it says how far it may be off */
    struct clock_offset later = clock_between(100, first, 160, second, 190);
    assert_true(fabs(later.seconds - (1 + 90 * 40e-6)) <= later.bound);
    near(clock_between(100, first, 100, first, 100).seconds, 1, 1e-12);
}

static void sums_bound_the_offset(void **state)
{
    struct clock_range r = {-INFINITY, INFINITY};
    const double offset = -3;

    (void)state;
    for (uint64_t k = 0; k < 200; k++) {
        double ours = (double)k + 0.01 * uniform(2 * k),
               theirs = (double)k + 0.01 * uniform(2 * k + 1);
        double end = fmax(ours, theirs) + 1e-4;
        clock_constrain(&r, ours, end, theirs - offset, end + 1e-4 - offset);
        assert_true(r.least <= offset && offset <= r.most);
    }
    near(r.most - r.least, 0.0003, 0.0002); /* the wire, both ways, and little more */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shortest_round_counts),   cmocka_unit_test(the_bound_holds),
        cmocka_unit_test(offsets_add_up_along_a_tree), cmocka_unit_test(drift_is_followed),
        cmocka_unit_test(sums_bound_the_offset),
    };

    return cmocka_run_group_tests_name("clock_offset", tests, NULL, NULL);
}
