/* SPDX-License-Identifier: BSD-3-Clause */
/* What the forecast workload plans, feeds and judges; the propagator and the errors. */
#include <config.h>

#include "tests/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/component/harness_say.h"
#include "workloads/component/propagator.h"
#include "workloads/data/science_sequence.h"
#include "workloads/philox.h"

enum { C = 3, H = 4, W = 6, PLANE = H * W, STATE = C * PLANE, T = SEQUENCE_MOMENTS };

static void near(double got, double want, double absolute)
{
    if (!(fabs(got - want) <= absolute))
        fail_msg("%.9g where %.9g was expected within %g", got, want, absolute);
}

static const struct component *component(void)
{
    return workload_of(runspec_find("forecast"))->own;
}

static void classes_have_their_networks(void **state)
{
    static const struct {
        enum runspec_class class;
        uint64_t parameters, samples;
        double flop; /* of a training sample: forward, data, weights */
        const char *title;
    } rows[] = {
        {CLASS_TINY, 834528, 512, 0.72e9, "6 x 32 x 64, 128 tokens, 4 layers of 128"},
        {CLASS_SMALL, 5034560, 512, 19.8e9, "20 x 64 x 128, 512 tokens, 6 layers of 256"},
        {CLASS_STANDARD, 99465728, 1024, 37.5e12,
         "20 x 720 x 1440, 16200 tokens, 12 layers of 768"},
    };
    struct workload_host host = {
        .comm = comm_self(), .threads = 1, .cache_dir = "/nonexistent", .generator = "none"};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct workload *w = workload_of(runspec_find("forecast"));
        struct workload_plan p = {.class = CLASS_AUTO};
        struct err e = ERR_INIT;
        struct runspec spec;
        if (runspec_parse(&spec, "forecast,engine=ref", &e) < 0 ||
            w->plan(w, &spec, 0, rows[i].class, &host, 1e11, &p, &e) < 0)
            fail_msg("%s", e.text);
        assert_int_equal(p.parameters, rows[i].parameters);
        assert_int_equal(p.train_samples, rows[i].samples);
        assert_non_null(strstr(p.title, rows[i].title));
        near(p.flop_per_sample, rows[i].flop, 0.02 * rows[i].flop);
    }
}

static void tokens_and_use_are_of_the_steady_state(void **state)
{
    const struct recipe *r = &component()->recipes[0];
    struct workload_result w = {.ranks = 2,
                                .tokens_per_sample = 128,
                                .samples_per_second = measured(50),
                                .flop_per_second = measured(36e9),
                                .yardstick = {.peak = 45e9}};

    (void)state;
    assert_int_equal(component()->tokens(r, science_class(&science_sequence, CLASS_TINY)), 128);
    say_use(&w);
    near(w.tokens_per_second, 6400, 1e-9);
    near(w.mfu, 0.4, 1e-12);
    w.mfu = w.yardstick.peak = 0;
    say_use(&w);
    assert_true(w.mfu == 0); /* the peak is not known */
    w.tokens_per_second = 0;
    w.yardstick.peak = 45e9;
    w.samples_per_second = unmeasured("no epoch after the first");
    say_use(&w);
    assert_true(w.tokens_per_second == 0 && w.mfu == 0);
}

/* ---- the feed --------------------------------------------------------- */

/* As begin() leaves it, the propagator left out. */
struct feed {
    long C, H, W;
    float mean[PROPAGATOR_VARIABLES], scale[PROPAGATOR_VARIABLES];
    float change[PROPAGATOR_VARIABLES], by[PROPAGATOR_VARIABLES];
    float *climatology;
    struct propagator ridge;
};

/* Variables last, as the files have them: variable c of moment t at a place is 1000 t +
 * 100 c + place. */
struct sample {
    struct dataset_info info;
    float values[T * STATE];
    struct loader_sample in;
    float climatology[C * H];
    struct feed feed;
};

static void sample_init(struct sample *s)
{
    *s = (struct sample){.in = {.seed = 1, .count = T},
                         .feed = {.C = C, .H = H, .W = W, .climatology = s->climatology}};
    s->info.field[0] = (struct dataset_field){.type = NUMBER_FLOAT,
                                              .rank = 4,
                                              .dims = {T, H, W, C},
                                              .stride = {STATE, (long)W * C, C, 1},
                                              .values = T * STATE};
    for (int t = 0; t < T; t++)
        for (int i = 0; i < PLANE; i++)
            for (int c = 0; c < C; c++)
                s->values[t * STATE + i * C + c] = (float)(1000 * t + 100 * c + i);
    for (int c = 0; c < C; c++) {
        s->feed.scale[c] = s->feed.change[c] = s->feed.by[c] = 1;
        s->feed.mean[c] = 0;
    }
    s->in.info = &s->info;
    s->in.field[0] = s->values;
}

struct made {
    float x[STATE], change[STATE], truth[(T - 1) * STATE];
};

static void make(const struct sample *s, struct made *m)
{
    float *const out[] = {m->x, m->change, m->truth};
    struct err e = ERR_INIT;

    assert_int_equal(component()->feed_bytes, sizeof(struct feed));
    if (component()->make(&s->feed, &s->in, out, &e) < 0)
        fail_msg("%s", e.text);
}

static void an_evaluation_has_all_moments(void **state)
{
    struct sample s;
    struct made m;

    (void)state;
    sample_init(&s);
    for (int c = 0; c < C; c++) {
        s.feed.mean[c] = (float)(100 * c);
        s.feed.scale[c] = 0.5f;
        s.feed.by[c] = 0.25f;
    }
    make(&s, &m);
    for (int c = 0; c < C; c++)
        for (int i = 0; i < PLANE; i++) {
            assert_true(m.x[c * PLANE + i] == 0.5f * (float)i);
            assert_true(m.change[c * PLANE + i] == 0.25f * 500);
            for (int k = 0; k < T - 1; k++)
                assert_true(m.truth[k * STATE + c * PLANE + i] ==
                            0.5f * (float)(i + 1000 * (k + 1)));
        }
}

/* Every moment but the last, every roll and both mirrors come; the winds to the north turn
 * round, with what they change by. */
static void pairs_are_drawn_rolled_and_mirrored(void **state)
{
    bool seen[T - 1][W][2] = {{{false}}};
    struct sample s;
    struct made m;
    int kinds = 0;

    (void)state;
    sample_init(&s);
    s.in.augment = true;
    for (uint64_t epoch = 0; epoch < 600; epoch++) {
        s.in.epoch = epoch;
        make(&s, &m);
        const int t = (int)m.x[0] / 1000, corner = (int)m.x[0] % 1000, roll = corner % W;
        const bool mirror = corner >= W;
        assert_in_range(t, 0, T - 2);
        for (int c = 0; c < C; c++)
            for (int y = 0; y < H; y++)
                for (int x = 0; x < W; x++) {
                    const int from = (mirror ? H - 1 - y : y) * W + (x + roll) % W;
                    const float sign = mirror && c == SEQUENCE_V850 ? -1 : 1;
                    const int at = c * PLANE + y * W + x;
                    assert_true(m.x[at] == sign * (float)(1000 * t + 100 * c + from));
                    assert_true(m.change[at] == sign * 1000);
                }
        kinds += !seen[t][roll][mirror];
        seen[t][roll][mirror] = true;
    }
    assert_int_equal(kinds, (T - 1) * W * 2);
}

static void other_moments_are_refused(void **state)
{
    struct made m;
    float *const out[] = {m.x, m.change, m.truth};
    struct err e = ERR_INIT;
    struct sample s;

    (void)state;
    sample_init(&s);
    s.in.id = 17;
    for (int axis = 0; axis < 4; axis++) {
        s.info.field[0].dims[axis]--;
        assert_int_equal(component()->make(&s.feed, &s.in, out, &e), -1);
        assert_string_equal(e.text, "sample 17 has other moments than the training set");
        s.info.field[0].dims[axis]++;
        e.text[0] = '\0';
    }
}

/* ---- roll-outs and quality --------------------------------------------- */

static double other(const struct judgement *j, const char *name)
{
    for (int i = 0; i < j->n_others; i++)
        if (!strcmp(j->others[i].name, name))
            return j->others[i].value.value;
    fail_msg("there is no %s", name);
    return NAN;
}

/* Each moment is the last one plus 1000; the network says what of it. */
static struct judgement judge_answer(struct sample *s, float answer, float step)
{
    struct tally t = {.n_scores = 0};
    struct judgement j = {.trivial = NAN};
    float out[STATE], next[2][STATE];
    const float *const outs[] = {out};
    struct err e = ERR_INIT;
    struct made m;

    make(s, &m);
    struct loader_batch b = {.n = 1, .feed = {m.x, m.change, m.truth}};
    for (int i = 0; i < STATE; i++)
        out[i] = answer;
    assert_int_equal(propagator_init(&s->feed.ridge, C, H, W, &e), 0);
    for (int y = 0; y < H; y++) /* the input 1 is the last */
        for (int c = 0; c < C; c++)
            s->feed.ridge.step[(y + 1) * s->feed.ridge.inputs * C - C + c] = step;
    for (int at = 0; at < component()->rolls; at++) {
        assert_int_equal(component()->roll(&s->feed, &t, &b, at, b.feed[0], outs, next[at % 2], &e),
                         0);
        b.feed[0] = next[at % 2];
    }
    component()->judge(&t, &j);
    propagator_fini(&s->feed.ridge);
    tally_fini(&t);
    return j;
}

static void errors_are_of_the_first_and_the_last_step(void **state)
{
    struct judgement j;
    struct sample s;

    (void)state;
    sample_init(&s);
    for (int c = 0; c < C; c++)
        s.feed.change[c] = 2; /* an answer of 1 is a change of 2 */
    j = judge_answer(&s, 495, 900);
    near(other(&j, "rmse_step"), 10, 1e-3);
    near(j.quality, 40, 1e-3);
    near(other(&j, "rmse_persistence"), 4000, 1e-2);
    near(j.domain, 400, 1e-2);
    near(other(&j, "rmse_ridge"), 400, 1e-2);
    assert_true(other(&j, "rmse_climatology") > 4000); /* of 0 */
    near(j.trivial, 4000, 1e-2);
    j = judge_answer(&s, 500, 1000);
    near(j.quality, 0, 1e-3);
    near(other(&j, "acc_day"), 1, 1e-6);
    near(other(&j, "acc_step"), 1, 1e-6);
}

/* A row on the equator weighs more than one at 60 degrees, by the cosine. */
static void rows_weigh_as_their_latitude(void **state)
{
    enum { ROWS = 3, COLUMNS = 2 };
    const float none[ROWS] = {0};
    float forecast[ROWS * COLUMNS] = {0}, truth[ROWS * COLUMNS] = {0};
    const double latitude = 90, all = cos(60 * M_PI / 180) * 2 + 1;

    (void)state;
    truth[0] = truth[1] = 2; /* rows at -60, 0, 60 */
    near(forecast_error(1, ROWS, COLUMNS, latitude, none, forecast, truth).rmse,
         sqrt(4 * 0.5 / all), 1e-9);
    forecast[0] = forecast[1] = 2;
    truth[2] = truth[3] = 2;
    near(forecast_error(1, ROWS, COLUMNS, latitude, none, forecast, truth).rmse, sqrt(4 * 1 / all),
         1e-9);
    near(forecast_error(1, ROWS, COLUMNS, latitude, none, forecast, truth).acc,
         0.5 / sqrt(0.5 * 1.5), 1e-9);
    const float climatology[ROWS] = {2, 0, 0};
    near(forecast_error(1, ROWS, COLUMNS, latitude, climatology, forecast, truth).acc, 0, 1e-9);
}

/* ---- the propagator ----------------------------------------------------- */

static float wave(int which, int i)
{
    uint32_t draw[4];

    philox_at(9, (uint64_t)which, (uint64_t)i, draw);
    return (float)philox_double(draw[0], draw[1]) - 0.5f;
}

/* What comes is a different mixture of the neighbours in each row: found, but for what
 * the ridge keeps, from pairs that say it. */
static void a_linear_step_is_found(void **state)
{
    float now[STATE], next[STATE], made[STATE];
    struct propagator p;
    struct err e = ERR_INIT;
    double off = 0, size = 0;

    (void)state;
    assert_int_equal(propagator_init(&p, C, H, W, &e), 0);
    for (int pair = 0; pair < 400; pair++) {
        for (int i = 0; i < STATE; i++)
            now[i] = wave(pair, i);
        for (int i = 0; i < STATE; i++) {
            const int c = i / PLANE, y = i / W % H, x = i % W, south = y > 0 ? i - W : i;
            const float east = now[i - x + (x + 1) % W];
            const float with = now[(i + PLANE) % STATE];
            next[i] = 0.9f * now[i] + 0.1f * (float)(y + 1) * east - 0.3f * now[south] +
                      0.2f * with + 0.05f * (float)c;
        }
        if (pair < 399)
            propagator_add(&p, now, next, 1);
    }
    assert_int_equal(propagator_solve(&p, &e), 0);
    propagator_step(&p, now, made);
    for (int i = 0; i < STATE; i++) {
        off += ((double)made[i] - (double)next[i]) * ((double)made[i] - (double)next[i]);
        size += (double)next[i] * (double)next[i];
    }
    assert_true(off < 1e-5 * size);
    propagator_fini(&p);
}

static void nothing_is_no_propagator(void **state)
{
    struct propagator p;
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(propagator_init(&p, C, H, W, &e), 0);
    assert_int_equal(propagator_solve(&p, &e), -1);
    propagator_fini(&p);
    assert_int_equal(propagator_init(&p, PROPAGATOR_VARIABLES + 1, H, W, &e), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_have_their_networks),
        cmocka_unit_test(tokens_and_use_are_of_the_steady_state),
        cmocka_unit_test(an_evaluation_has_all_moments),
        cmocka_unit_test(pairs_are_drawn_rolled_and_mirrored),
        cmocka_unit_test(other_moments_are_refused),
        cmocka_unit_test(errors_are_of_the_first_and_the_last_step),
        cmocka_unit_test(rows_weigh_as_their_latitude),
        cmocka_unit_test(a_linear_step_is_found),
        cmocka_unit_test(nothing_is_no_propagator),
    };

    return cmocka_run_group_tests_name("forecast", tests, NULL, NULL);
}
