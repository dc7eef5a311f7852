/* SPDX-License-Identifier: BSD-3-Clause */
/* What particle physics is fed, what its plans say, and its quality. */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit.h"
#include "tests/workloads/data/fixture.h"
#include "workloads/component/harness.h"
#include "workloads/data/science_hep.h"

extern const struct workload workload_hep;

enum { EDGE = 8, CELLS = EDGE * EDGE, PIXELS = HEP_IMAGE_CHANNELS * CELLS, EVENTS = 4 };

static const struct component *component(void)
{
    return workload_hep.own;
}

static float cell(int i, int c, int y, int x)
{
    return (float)(i * PIXELS + c * CELLS + y * EDGE + x) / 4;
}

/* The root of channel c's mean square over all events. */
static double root_of(int c)
{
    double sum = 0;

    for (int k = 0; k < EVENTS * CELLS; k++)
        sum += pow((double)cell(k / CELLS, c, k / EDGE % EDGE, k % EDGE), 2);
    return sqrt(sum / (EVENTS * CELLS));
}

static void put(hid_t file, const char *name, int rank, const hsize_t *dims, const float *values)
{
    hid_t space = H5Screate_simple(rank, dims, NULL);
    hid_t set =
        H5Dcreate2(file, name, H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);

    H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Dclose(set);
    H5Sclose(space);
}

/* A file of events by the layout of the row; nothing optional. */
static void write_events(const char *path, const char *layout)
{
    const bool last = layout[0] == 'l', split = layout[0] == 'a';
    static float image[EVENTS * PIXELS], label[EVENTS] = {0, 1, 0, 1};
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hsize_t first[] = {EVENTS, HEP_IMAGE_CHANNELS, EDGE, EDGE};
    const hsize_t end[] = {EVENTS, EDGE, EDGE, HEP_IMAGE_CHANNELS};
    const hsize_t part[] = {EVENTS, EDGE, EDGE}, n[] = {EVENTS};
    static const char *const parts[] = {"all_events/hist", "all_events/histEM",
                                        "all_events/histtrack"};

    if (split)
        H5Gclose(H5Gcreate2(file, "all_events", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    for (int c = 0; c < HEP_IMAGE_CHANNELS; c++) {
        for (int i = 0; i < EVENTS; i++)
            for (int k = 0; k < CELLS; k++) {
                const int at = split  ? i * CELLS + k
                               : last ? (i * CELLS + k) * HEP_IMAGE_CHANNELS + c
                                      : (i * HEP_IMAGE_CHANNELS + c) * CELLS + k;
                image[at] = cell(i, c, k / EDGE, k % EDGE);
            }
        if (split)
            put(file, parts[c], 3, part, image);
    }
    if (!split)
        put(file, "data", 4, last ? end : first, image);
    put(file, split ? "all_events/y" : "label", 1, n, label);
    H5Fclose(file);
}

/* Every published layout gives the same: each channel over the root of its mean
 * square, rolled in phi and mirrored in eta where wanted, never in phi. */
static void layouts_are_fed_alike(void **state)
{
    static const char *const layouts[] = {"flat", "last", "all_events"};
    const struct component *c = component();
    float scale[HEP_IMAGE_CHANNELS], x[PIXELS], label, weight;
    float *const out[] = {x, &label, &weight};
    int rolled = 0, mirrored = 0, kept = 0;

    (void)state;
    for (size_t l = 0; l < sizeof layouts / sizeof *layouts; l++) {
        struct err e = ERR_INIT;
        char path[256], file[300];
        fixture_folder(path);
        snprintf(file, sizeof file, "%s/train/events.h5", path);
        write_events(file, layouts[l]);
        struct dataset *d = dataset_open(path, DATASET_TRAIN, c->science, NULL, &e);
        if (!d)
            fail_msg("%s", e.text);
        const struct dataset_info *info = dataset_info(d);
        assert_string_equal(info->layout->name, layouts[l]);
        assert_int_equal(info->samples, EVENTS);
        assert_int_equal(c->feed_bytes, sizeof scale);
        assert_int_equal(c->begin(scale, NULL, d, &e), 0);
        char *block = aligned_alloc(64, info->sample_bytes);
        for (int i = 0; i < 64; i++) {
            struct loader_sample in = {
                .info = info, .id = (uint64_t)(i % EVENTS), .epoch = (uint64_t)i, .augment = i > 3};
            assert_int_equal(dataset_read(d, in.id, block, NULL, &e), 0);
            for (int k = 0; k < c->science->n_fields; k++)
                in.field[k] = block + info->field[k].offset;
            assert_int_equal(c->make(scale, &in, out, &e), 0);
            assert_true(label == (float)(i % 2) && weight == 1); /* the fallback */
            int roll = -1, mirror = -1;
            for (int try = 0; try < 2 * EDGE && roll < 0; try++) {
                bool same = true;
                for (int p = 0; p < PIXELS && same; p++) {
                    const int ch = p / CELLS, eta = p / EDGE % EDGE, phi = p % EDGE;
                    const float want = cell((int)in.id, ch, try / EDGE ? EDGE - 1 - eta : eta,
                                            (phi + try % EDGE) % EDGE) /
                                       (float)root_of(ch);
                    same = fabsf(x[p] - want) <= 1e-6F * fabsf(want) /* two roundings */;
                }
                if (same) {
                    roll = try % EDGE;
                    mirror = try / EDGE;
                }
            }
            assert_true(roll >= 0); /* it is one of these symmetries */
            if (i < 4)
                assert_true(roll == 0 && mirror == 0);
            rolled += roll > 0;
            mirrored += mirror;
            kept += roll == 0 && mirror == 0;
        }
        free(block);
        dataset_close(d);
        fixture_remove(path);
    }
    /* of 3 x 60: 7 in 8 rolled, half mirrored; four standard deviations */
    assert_true(rolled > 139 && rolled < 176 && mirrored > 63 && mirrored < 117);
    assert_true(kept >= 12 && kept < 40);
}

static struct workload_plan plan_of(const char *text, enum runspec_class class)
{
    struct workload_host host = {
        .comm = comm_self(), .threads = 1, .cache_dir = "/nonexistent", .generator = "none"};
    struct workload_plan p = {.class = CLASS_AUTO};
    struct err e = ERR_INIT;
    struct runspec spec;

    if (runspec_parse(&spec, text, &e) < 0 ||
        workload_hep.plan(&workload_hep, &spec, 0, class, &host, 1e11, &p, &e) < 0)
        fail_msg("%s", e.text);
    return p;
}

static void plans_have_the_published_networks(void **state)
{
    (void)state;
    assert_int_equal(plan_of("hep,engine=ref", CLASS_STANDARD).parameters, 23512130);
    assert_int_equal(plan_of("hep,model=hepcnn,engine=ref", CLASS_STANDARD).parameters, 594178);
    assert_int_equal(plan_of("hep,engine=ref", CLASS_TINY).parameters, 127506);
    assert_int_equal(plan_of("hep,model=resnet50,engine=ref", CLASS_SMALL).parameters, 880210);
    assert_string_equal(plan_of("hep,engine=ref", CLASS_TINY).metric, "auc");
}

/* Scores are differences of logits, weights and labels those that were fed. */
static void quality_is_the_weighted_area(void **state)
{
    static const float logits[] = {1, 0, 0, 1, 0, 2, 3, 3};
    const float label[] = {0, 1, 0, 1}, weight[] = {1, 1, 2, 3};
    const uint64_t ids[] = {4, 5, 6, 7};
    const struct loader_batch b = {.feed = {NULL, label, weight}, .ids = ids, .n = 4};
    const float *const out[] = {logits};
    struct judgement j = {.trivial = NAN};
    struct tally t = {.n_scores = 0};
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(component()->observe(&t, &b, out, &e), 0);
    assert_int_equal(tally_join(&t, comm_self(), &e), 0);
    component()->judge(&t, &j);
    /* scores -1 (background 1), 1 (signal 1), 2 (background 2), 0 (signal 3):
     * (1 x 1 + 3 x 1) / (4 x 3) */
    assert_float_equal(j.quality, 4.0 / 12, 1e-12);
    assert_float_equal(j.trivial, 0.5, 0);
    assert_int_equal(j.n_others, 1);
    assert_non_null(j.others[0].value.reason); /* two events cannot tell .9996 */
    /* of one class there is no curve, and the run is told why */
    t.n_scores = 1;
    component()->judge(&t, &j);
    assert_true(isnan(j.quality));
    assert_string_equal(j.why, "no sample of class 1");
    tally_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layouts_are_fed_alike),
        cmocka_unit_test(plans_have_the_published_networks),
        cmocka_unit_test(quality_is_the_weighted_area),
    };

    return cmocka_run_group_tests_name("hep", tests, NULL, NULL);
}
