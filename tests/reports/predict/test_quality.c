/* SPDX-License-Identifier: BSD-3-Clause */
/* Time to quality after a change: quality.c is compiled into this program, with points of
 * the test. */
#include <config.h>

#define QUALITY_CONVERGENCE "tests/reports/predict/convergence.def"
#include "reports/predict/quality.c"

#include "tests/unit.h"

/* 10 epochs of 1,000 samples at 100 a second, 2 s of evaluation each, 7 s before. */
static struct quality_run a_run(const char *canonical)
{
    static const char json[] =
        "{\"name\":\"cosmoflow\",\"class\":\"tiny\",\"batch\":8,\"data\":{\"train_samples\":1000},"
        "\"quality\":{\"epochs_to_target\":10},\"performance\":{\"samples_per_second\":100,"
        "\"time_to_quality_seconds\":127},\"phases\":{\"evaluation\":{\"median_seconds\":15},"
        "\"checkpoint\":{\"median_seconds\":5}},\"epochs\":[0,0,0,0],\"epochs_omitted\":6}";
    static cJSON *doc; /* its texts are borrowed */
    struct quality_run q;

    cJSON_Delete(doc);
    doc = cJSON_Parse(json);
    assert_non_null(doc);
    quality_read(&q, doc, canonical);
    return q;
}

static struct prediction gain_of(double middle)
{
    return (struct prediction){
        .state = PREDICTED, .gain = middle, .low = 0.9 * middle, .high = 1.1 * middle};
}

static void near(double a, double b)
{
    print_message("%g, wanted %g\n", a, b);
    assert_true(fabs(a / b - 1) < 1e-9);
}

static void times(void **state)
{
    const struct quality_run q = a_run("cosmoflow,class=tiny");
    const struct what faster = {WHAT_BANDWIDTH, 2}, strong = {WHAT_NODES, 4},
                      weak = {WHAT_NODES_WEAK, 2}, batch = {WHAT_BATCH, 2};
    const struct prediction twice = gain_of(2);
    struct quality after;

    (void)state;
    assert_false(q.own);
    near(q.evaluation, 2);
    quality_after(&q, &faster, 1, &twice, &after); /* samples take half, the rest stays */
    assert_int_equal(after.state, QUALITY_KNOWN);
    near(after.epochs, 1);
    near(after.gain, 127 / (7 + 10 * (5 + 2.0)));
    near(after.low, 127 / (7 + 10 * (10 / 1.8 + 2)));
    near(after.high, 127 / (7 + 10 * (10 / 2.2 + 2)));
    quality_after(&q, &strong, 1, &twice, &after); /* an evaluation is shared by the nodes */
    near(after.gain, 127 / (7 + 10 * (5 + 0.5)));
    quality_after(&q, &batch, 1, &twice, &after); /* half again as many epochs */
    near(after.epochs, 1.5);
    near(after.gain, 127 / (7 + 15 * (5 + 2.0)));
    quality_after(&q, &weak, 1, &twice, &after);
    near(after.gain, 127 / (7 + 15 * (5 + 1.0)));
    /* what the epochs' spread adds: t(18) sqrt((1/10)^2 / 10 + (3/15)^2 / 10) */
    const double own = log(after.gain / (127 / (7 + 15 * (10 / 1.8 + 1))));
    near(log(after.gain / after.low), hypot(own, 1.7340636066175 * sqrt(0.001 + 0.004)));
    assert_true(after.low < after.gain && after.gain < after.high);
}

/* Both ways of taking changes together: at once, and one on top of the other. */
static void on_top(void **state)
{
    const struct quality_run q = a_run("cosmoflow,class=tiny");
    const struct quality_run then = quality_faster(&q, 2);
    const struct what both[] = {{WHAT_BUCKET, 2}, {WHAT_NODES, 2}}, nodes = {WHAT_NODES, 2};
    const struct prediction four = gain_of(4), twice = gain_of(2);
    struct quality at_once, after;

    (void)state;
    near(then.seconds, 7 + 10 * (5 + 2.0));
    quality_after(&q, both, 2, &four, &at_once);
    quality_after(&then, &nodes, 1, &twice, &after);
    near(at_once.gain, q.seconds / then.seconds * after.gain);
}

static void no_answer(void **state)
{
    static const struct {
        const char *canonical;
        struct what what;
        enum quality_state state;
        const char *why;
    } rows[] = {
        {"cosmoflow,class=tiny",
         {WHAT_BATCH, 3},
         QUALITY_REFUSED,
         "epochs to the target at a batch of 24 were not measured"},
        {"cosmoflow,class=tiny",
         {WHAT_ACCUMULATE, 4},
         QUALITY_NEVER,
         "it would not converge: at a batch of 32 the target was reached by 8 of 10 seeds"},
        {"cosmoflow,class=tiny,target=0.4",
         {WHAT_BATCH, 2},
         QUALITY_REFUSED,
         "the run has a target, data or a model of its own: how many epochs those take at another "
         "batch was not measured"},
        {"cosmoflow,class=tiny,data=/d",
         {WHAT_NODES_WEAK, 2},
         QUALITY_REFUSED,
         "the run has a target, data or a model of its own: how many epochs those take at another "
         "batch was not measured"},
        {"cosmoflow,class=tiny,target=0.4", {WHAT_NODES, 2}, QUALITY_KNOWN, ""}, /* same batch */
    };
    struct prediction refused = {.state = PREDICT_REFUSED, .why = "the network was not measured"};
    const struct prediction twice = gain_of(2);
    struct prediction bound = {.state = PREDICT_BOUND, .gain = NAN, .low = NAN, .high = 1.04};
    const struct what strong = {WHAT_NODES, 2};
    struct quality_run q;
    struct quality after;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        q = a_run(rows[i].canonical);
        quality_after(&q, &rows[i].what, 1, &twice, &after);
        print_message("%s\n", after.why);
        assert_int_equal(after.state, rows[i].state);
        assert_string_equal(after.why, rows[i].why);
        assert_int_equal(isnan(after.gain), rows[i].state != QUALITY_KNOWN);
    }
    q = a_run("cosmoflow,class=tiny");
    quality_after(&q, &strong, 1, &refused, &after);
    assert_int_equal(after.state, QUALITY_REFUSED);
    assert_string_equal(after.why, "the network was not measured");
    quality_after(&q, &strong, 1, &bound, &after);
    assert_int_equal(after.state, QUALITY_BOUND);
    near(after.high, 127 / (7 + 10 * (10 / 1.04 + 1)));
    q.seconds = NAN;
    quality_after(&q, &strong, 1, &twice, &after);
    assert_string_equal(after.why, "the run did not reach its target");
    q = a_run("not a run text");
    assert_true(q.own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times),
        cmocka_unit_test(on_top),
        cmocka_unit_test(no_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
