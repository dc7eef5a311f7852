/* SPDX-License-Identifier: BSD-3-Clause */
/* What a node computed to the others, and that at equal processor. */
#include <config.h>

#include <math.h>
#include <string.h>

#include "reports/record/even.h"
#include "reports/record/fields.h"
#include "tests/unit.h"

static bool is(double a, double b)
{
    return isnan(b) ? isnan(a) : fabs(a - b) < 1e-12;
}

/* Of two ranks the median is the mean: the other's seconds follow from it. */
static void a_node_is_compared_with_the_others(void **state)
{
    (void)state;
    assert_true(is(even_to_others(12, 11, 2), 1.2));
    assert_true(is(even_to_others(12, 10, 3), 1.2));
    assert_true(isnan(even_to_others(12, 12, 1)) && isnan(even_to_others(NAN, 10, 4)) &&
                isnan(even_to_others(12, NAN, 4)) && isnan(even_to_others(20, 10, 2)));
}

#define COMPUTE(median)          "\"phases\":{\"compute\":{\"median_seconds\":" median ",\"worst\":["
#define ROW(rank, node, seconds) "{\"rank\":" rank ",\"node\":\"" node "\",\"seconds\":" seconds "}"
#define YARDSTICK(mean)          "]}},\"yardstick\":{\"cpu\":{\"mean_seconds\":" mean "},\"of_slowest\":["

static void its_yardstick_divides_it(void **state)
{
    static const struct {
        const char *work, *node;
        double seconds, even;
    } cases[] = {
        /* the processor explains it: 20 % longer, 20 % slower */
        {"{\"ranks\":2," COMPUTE("11") ROW("1", "n2", "12") "," ROW("0", "n1", "10")
             YARDSTICK("0.011") ROW("1", "n2", "0.012") "]}}",
         "n2", 1.2, 1},
        /* it does not */
        {"{\"ranks\":2," COMPUTE("11") ROW("1", "n2", "12") YARDSTICK("0.01")
             ROW("1", "n2", "0.01") "]}}",
         "n2", 1.2, 1.2},
        /* of four ranks two are on the node: its slowest counts, with its own yardstick */
        {"{\"ranks\":4," COMPUTE("10") ROW("3", "n2", "15") "," ROW("2", "n2", "14")
             YARDSTICK("0.011") ROW("2", "n2", "0.01") "," ROW("3", "n2", "0.014") "]}}",
         "n2", 1.5, 1.5 / 1.4},
        /* no yardstick: none of that rank, an older record, another node */
        {"{\"ranks\":2," COMPUTE("11") ROW("1", "n2", "12") YARDSTICK("0.01")
             ROW("0", "n1", "0.01") "]}}",
         "n2", 1.2, NAN},
        {"{\"ranks\":2," COMPUTE("11") ROW("1", "n2", "12") "]}}}", "n2", 1.2, NAN},
        {"{\"ranks\":2," COMPUTE("11") ROW("1", "n2", "12") YARDSTICK("0.01")
             ROW("1", "n2", "0.01") "]}}",
         "n1", NAN, NAN},
        {"{}", "n2", NAN, NAN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cJSON *work = cJSON_Parse(cases[i].work);
        assert_non_null(work);
        if (!is(even_computed(work, cases[i].node), cases[i].seconds) ||
            !is(even_computed_by_yardstick(work, cases[i].node), cases[i].even))
            fail_msg("case %zu: %g, %g", i, even_computed(work, cases[i].node),
                     even_computed_by_yardstick(work, cases[i].node));
        cJSON_Delete(work);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_is_compared_with_the_others),
        cmocka_unit_test(its_yardstick_divides_it),
    };

    return cmocka_run_group_tests_name("even", tests, NULL, NULL);
}
