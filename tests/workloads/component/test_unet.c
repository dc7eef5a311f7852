/* SPDX-License-Identifier: BSD-3-Clause */
/* The U-Net has the published size, and learns.
 * That its equations are the common ones is held by PyTorch's twin. */
#include <config.h>

#include "tests/unit.h"

#include <math.h>
#include <stdlib.h>

#include "workloads/component/unet.h"

static struct model *model(int *group)
{
    struct err e = ERR_INIT;
    struct engine_config config = {
        .backend = engine_backend_name(0), .threads = 1, .seed = 3, .comm = comm_self()};
    struct optimizer adam = {.kind = OPTIMIZER_ADAM, OPTIMIZER_ADAM_COMMON};
    struct model *m = model_create(&config, &e);

    assert_non_null(m);
    *group = model_group(m, "all", &adam);
    return m;
}

static void sizes_are_the_published(void **state)
{
    static const struct {
        int side;
        struct unet net;
        uint64_t parameters;
    } rows[] = {
        {256, {.width = 64, .levels = 4, .classes = 2}, 31036546}, /* the common form's */
        {256, {.width = 64, .levels = 4, .classes = 6}, 31036806},
        {128, {.width = 32, .levels = 4, .classes = 6}, 7762630},
        {64, {.width = 16, .levels = 3, .classes = 6}, 482534},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = ERR_INIT;
        int group;
        struct model *m = model(&group);
        struct graph *g = graph_create(m, "unet", 2);
        struct tensor *x =
            graph_input(g, "x", SHAPE(1, rows[i].side, rows[i].side), CHANNELS_FIRST);
        struct tensor *y = graph_output(unet_build(&rows[i].net, m, group, x));
        if (engine_compile(g, NULL, &e) < 0)
            fail_msg("%s", e.text);
        assert_int_equal(model_parameters(m, -1), rows[i].parameters);
        struct shape s = tensor_shape(y);
        assert_true(s.n == 4 && s.d[0] == 2 && s.d[1] == rows[i].net.classes);
        assert_true(s.d[2] == rows[i].side && s.d[3] == rows[i].side);
        model_destroy(m);
    }
}

/* A border between dark and bright is told from both sides in 30 steps; at the
 * start the loss is that of no knowledge, about log 3. */
static void it_learns(void **state)
{
    enum { SIDE = 16, PIXELS = SIDE * SIDE, BATCH = 2 };
    static const struct unet net = {.width = 16, .levels = 2, .classes = 3};
    static float x[BATCH * PIXELS], t[BATCH * PIXELS];
    const struct engine_step step = {
        .rows = BATCH, .global_rows = BATCH, .ids = (const uint64_t[]){0, 1}};
    struct err e = ERR_INIT;
    float first = 0, loss = 0;
    int group;
    struct model *m = model(&group);
    struct graph *g = graph_create(m, "unet", BATCH);
    struct tensor *in = graph_input(g, "x", SHAPE(1, SIDE, SIDE), CHANNELS_FIRST);
    struct tensor *truth = graph_input(g, "t", SHAPE(SIDE, SIDE), CHANNELS_FIRST);
    struct tensor *out = op_cross_entropy(unet_build(&net, m, group, in), truth, NULL, NULL);

    (void)state;
    for (int i = 0; i < BATCH * PIXELS; i++) {
        int column = i % SIDE, border = 5 + i / PIXELS * 4;
        x[i] = column < border ? -1 : 1;
        t[i] = column == border ? 2 : column > border;
    }
    if (engine_compile(g, out, &e) < 0 || engine_start(m, &e) < 0)
        fail_msg("%s", e.text);
    for (int i = 0; i < 30; i++) {
        assert_int_equal(engine_begin(g, &step, &e), 0);
        assert_int_equal(engine_feed(g, in, x, &e), 0);
        assert_int_equal(engine_feed(g, truth, t, &e), 0);
        model_zero(m, group);
        assert_int_equal(engine_forward(g, ENGINE_TRAIN, &e), 0);
        assert_int_equal(engine_backward(g, true, &e), 0);
        assert_int_equal(engine_read(g, out, &loss, 1, &e), 0);
        assert_int_equal(model_step(m, group, 0.01, &e), 0);
        first = i == 0 ? loss : first;
    }
    assert_true(first > 0.5 && first < 4);
    if (!(loss < 0.1 * first))
        fail_msg("the loss went from %g to %g only", (double)first, (double)loss);
    model_destroy(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_the_published),
        cmocka_unit_test(it_learns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
