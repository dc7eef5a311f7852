/* SPDX-License-Identifier: BSD-3-Clause */
/* What the climate workload plans, feeds and judges. */
#include <config.h>

#include "tests/unit.h"

#include <math.h>
#include <string.h>

#include "workloads/component/harness.h"
#include "workloads/data/science_weather.h"

enum { K = WEATHER_CLASSES, C = WEATHER_CHANNELS, H = 4, W = 6, PLACES = H * W };

static void near(double got, double want, double absolute)
{
    if (!(fabs(got - want) <= absolute))
        fail_msg("%.9g where %.9g was expected within %g", got, want, absolute);
}

static const struct component *component(void)
{
    return workload_of(runspec_find("deepcam"))->own;
}

static void classes_have_their_networks(void **state)
{
    static const struct {
        const char *text, *title;
        enum runspec_class class;
        uint64_t parameters, train;
    } rows[] = {
        {"deepcam,engine=ref", "U-Net, 48 x 72, 4 levels from 16 channels", CLASS_TINY, 484643,
         512},
        {"deepcam,engine=ref", "U-Net, 192 x 288, 5 levels from 16 channels", CLASS_SMALL, 1944483,
         512},
        {"deepcam,engine=ref,model=deeplab",
         "DeepLabv3+, 192 x 288, Xception of 8 blocks, an eighth of the widths", CLASS_SMALL,
         627168, 512},
        {"deepcam,engine=ref", "DeepLabv3+, 768 x 1152, Xception of 20 blocks", CLASS_STANDARD,
         56454720, 1024},
    };
    struct workload_host host = {
        .comm = comm_self(), .threads = 1, .cache_dir = "/nonexistent", .generator = "none"};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct workload *w = workload_of(runspec_find("deepcam"));
        struct workload_plan p = {.class = CLASS_AUTO};
        struct err e = ERR_INIT;
        struct runspec spec;
        if (runspec_parse(&spec, rows[i].text, &e) < 0 ||
            w->plan(w, &spec, 0, rows[i].class, &host, 1e11, &p, &e) < 0)
            fail_msg("%s", e.text);
        assert_int_equal(p.parameters, rows[i].parameters);
        assert_int_equal(p.train_samples, rows[i].train);
        assert_non_null(strstr(p.title, rows[i].title));
    }
}

/* ---- the feed --------------------------------------------------------- */

/* Channels last, as the files have them: channel c of a place is 100 c + place; a label is
 * its place modulo 3. */
struct sample {
    struct dataset_info info;
    float data[C * PLACES], labels[PLACES];
    struct loader_sample in;
};

static void sample_init(struct sample *s)
{
    *s = (struct sample){.in = {.seed = 1, .count = C}, .info = {.generated = true}};
    s->info.field[WEATHER_DATA] = (struct dataset_field){.type = NUMBER_FLOAT,
                                                         .rank = 3,
                                                         .dims = {C, H, W},
                                                         .stride = {1, (long)W * C, C},
                                                         .values = C * PLACES};
    s->info.field[WEATHER_LABELS] = (struct dataset_field){
        .type = NUMBER_FLOAT, .rank = 2, .dims = {H, W}, .stride = {W, 1}, .values = PLACES};
    for (int i = 0; i < PLACES; i++) {
        s->labels[i] = (float)(i % K);
        for (int c = 0; c < C; c++)
            s->data[i * C + c] = (float)(100 * c + i);
    }
    s->in.info = &s->info;
    s->in.field[WEATHER_DATA] = s->data;
    s->in.field[WEATHER_LABELS] = s->labels;
}

/* The feed's means and scales, in this order, as begin() leaves them. */
struct scales {
    float mean[C], scale[C];
};

static int make(const struct sample *s, const struct scales *f, float data[C * PLACES],
                float labels[PLACES], struct err *e)
{
    float *const out[] = {data, labels};

    return component()->make(f, &s->in, out, e);
}

static void channels_come_first_and_are_scaled(void **state)
{
    float data[C * PLACES], labels[PLACES];
    struct scales f = {{0}, {0}};
    struct sample s;
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(component()->feed_bytes, sizeof f);
    for (int c = 0; c < C; c++) {
        f.mean[c] = (float)(100 * c);
        f.scale[c] = 0.5f;
    }
    sample_init(&s);
    assert_int_equal(make(&s, &f, data, labels, &e), 0);
    for (int i = 0; i < PLACES; i++) {
        assert_true(labels[i] == (float)(i % K));
        for (int c = 0; c < C; c++)
            assert_true(data[c * PLACES + i] == 0.5f * (float)i);
    }
}

/* All rolls come, and mirrors, labels with them; a mirror turns the winds along the
 * meridian round, and no other channel. */
static void moments_are_rolled_and_mirrored(void **state)
{
    float data[C * PLACES], labels[PLACES];
    bool seen[W][2] = {{false}};
    struct scales f = {{0}, {0}};
    struct sample s;
    struct err e = ERR_INIT;
    int kinds = 0;

    (void)state;
    for (int c = 0; c < C; c++)
        f.scale[c] = 1;
    sample_init(&s);
    s.in.augment = true;
    for (uint64_t epoch = 0; epoch < 200; epoch++) {
        s.in.epoch = epoch;
        assert_int_equal(make(&s, &f, data, labels, &e), 0);
        const int corner = (int)data[0], roll = corner % W;
        const bool mirror = corner >= W;
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                const int from = (mirror ? H - 1 - y : y) * W + (x + roll) % W;
                assert_true(labels[y * W + x] == (float)(from % K));
                for (int c = 0; c < C; c++) {
                    const bool turns = mirror && (c == WEATHER_V850 || c == WEATHER_VBOT);
                    const float value = (float)(100 * c + from);
                    assert_true(data[c * PLACES + y * W + x] == (turns ? -value : value));
                }
            }
        kinds += !seen[roll][mirror];
        seen[roll][mirror] = true;
    }
    assert_int_equal(kinds, 2 * W);
}

/* Published weather has continents. */
static void only_generated_moments_are_turned(void **state)
{
    float data[C * PLACES], labels[PLACES];
    struct scales f = {{0}, {0}};
    struct sample s;
    struct err e = ERR_INIT;

    (void)state;
    for (int c = 0; c < C; c++)
        f.scale[c] = 1;
    sample_init(&s);
    s.in.augment = true;
    s.info.generated = false;
    for (s.in.epoch = 0; s.in.epoch < 20; s.in.epoch++) {
        assert_int_equal(make(&s, &f, data, labels, &e), 0);
        for (int i = 0; i < PLACES; i++)
            assert_true(data[i] == (float)i && labels[i] == (float)(i % K));
    }
}

static void labels_of_another_size_are_refused(void **state)
{
    float data[C * PLACES], labels[PLACES];
    struct scales f = {{0}, {0}};
    struct sample s;
    struct err e = ERR_INIT;

    (void)state;
    sample_init(&s);
    s.info.field[WEATHER_LABELS].dims[1] = W - 1;
    s.in.id = 17;
    assert_int_equal(make(&s, &f, data, labels, &e), -1);
    assert_string_equal(e.text, "sample 17: a moment of 4 x 6 has labels of 4 x 5");
}

/* ---- quality ---------------------------------------------------------- */

enum { SEEN = 10 };

static void observe(struct tally *t, const int truth[SEEN], const int called[SEEN])
{
    static const uint64_t id = 0;
    float logits[K * SEEN], labels[SEEN];
    const float *const out[] = {logits};
    struct loader_batch b = {.n = 1, .ids = &id, .feed = {NULL, labels}, .floats = {0, SEEN}};
    struct err e = ERR_INIT;

    for (int i = 0; i < SEEN; i++) {
        labels[i] = (float)truth[i];
        for (int k = 0; k < K; k++)
            logits[k * SEEN + i] = called[i] == k ? 1.5f : -0.5f;
    }
    assert_int_equal(component()->observe(t, &b, out, &e), 0);
}

static double other(const struct judgement *j, const char *name)
{
    for (int i = 0; i < j->n_others; i++)
        if (!strcmp(j->others[i].name, name))
            return j->others[i].value.value;
    fail_msg("there is no %s", name);
    return NAN;
}

/* First moment: background 7 of 9, cyclone 1 of 3, river neither there nor called; second:
 * background all of 7, no cyclone but one called, river 2 of 3. */
static void quality_is_the_mean_over_moments(void **state)
{
    static const int truth[2][SEEN] = {{0, 0, 0, 0, 0, 0, 1, 1}, {0, 0, 0, 0, 0, 0, 0, 2, 2, 2}};
    static const int called[2][SEEN] = {{0, 0, 0, 0, 0, 1, 1, 0}, {0, 0, 0, 0, 0, 0, 0, 2, 2, 1}};
    struct tally t = {.n_scores = 0};
    struct judgement j = {.trivial = NAN};

    (void)state;
    observe(&t, truth[0], called[0]);
    observe(&t, truth[1], called[1]);
    component()->judge(&t, &j);
    const double first = (7 / 9.0 + 1 / 3.0 + 1) / 3, second = (7 / 7.0 + 0 + 2 / 3.0) / 3;
    near(j.quality, (first + second) / 2, 1e-12);
    near(j.trivial, ((8 / 10.0 + 0 + 1) / 3 + (7 / 10.0 + 1 + 0) / 3) / 2, 1e-12);
    near(other(&j, "iou_background"), 14 / 16.0, 1e-12);
    near(other(&j, "iou_cyclone"), 1 / 4.0, 1e-12);
    near(other(&j, "iou_river"), 2 / 3.0, 1e-12);
}

static void equal_logits_are_the_lower_class(void **state)
{
    static const uint64_t id = 0;
    float logits[K * SEEN] = {0}, labels[SEEN] = {0};
    const float *const out[] = {logits};
    struct loader_batch b = {.n = 1, .ids = &id, .feed = {NULL, labels}, .floats = {0, SEEN}};
    struct tally t = {.n_scores = 0};
    struct judgement j = {.trivial = NAN};
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(component()->observe(&t, &b, out, &e), 0);
    component()->judge(&t, &j);
    near(j.quality, 1, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_have_their_networks),
        cmocka_unit_test(channels_come_first_and_are_scaled),
        cmocka_unit_test(moments_are_rolled_and_mirrored),
        cmocka_unit_test(only_generated_moments_are_turned),
        cmocka_unit_test(labels_of_another_size_are_refused),
        cmocka_unit_test(quality_is_the_mean_over_moments),
        cmocka_unit_test(equal_logits_are_the_lower_class),
    };

    return cmocka_run_group_tests_name("deepcam", tests, NULL, NULL);
}
