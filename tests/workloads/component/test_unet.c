/* SPDX-License-Identifier: BSD-3-Clause */
/* The U-Net has the published size, and learns.
 * That its equations are the common ones is held by PyTorch's twin. */
#include <config.h>

#include "tests/workloads/component/learn.h"

#include "workloads/component/unet.h"

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
        struct model *m = learn_model(engine_backend_name(0), &group);
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

static struct tensor *build(const void *net, struct model *m, int group, struct tensor *x)
{
    return unet_build(net, m, group, x);
}

/* A border between dark and bright is told from both sides in 30 steps. */
static void it_learns(void **state)
{
    enum { SIDE = 16, PIXELS = SIDE * SIDE };
    static const struct unet net = {.width = 16, .levels = 2, .classes = 3};
    static float x[LEARN_BATCH * PIXELS], t[LEARN_BATCH * PIXELS];

    (void)state;
    for (int i = 0; i < LEARN_BATCH * PIXELS; i++) {
        int column = i % SIDE, border = 5 + i / PIXELS * 4;
        x[i] = column < border ? -1 : 1;
        t[i] = column == border ? 2 : column > border;
    }
    learn_by_heart(build, &net, SIDE, x, t, 30, 0.1F);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_the_published),
        cmocka_unit_test(it_learns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
