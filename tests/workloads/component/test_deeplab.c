/* SPDX-License-Identifier: BSD-3-Clause */
/* DeepLabv3+ has the published size, layer by layer, and learns. That its equations are
 * those of the reference's modules is held by PyTorch's twin. */
#include <config.h>

#include "tests/workloads/component/learn.h"

#include <math.h>
#include <string.h>

#include "workloads/component/deeplab.h"
#include "workloads/engine/backend.h"

static const struct deeplab published = {.divide = 1, .middle = 16, .classes = 3};

/* What the published table has (MLPerf HPC's reference, counted from its modules): of each
 * stage, parameters and 10^7 FLOP of a forward pass at 768 x 1152, 2 per multiply-add. */
static const struct {
    const char *prefix; /* of its nodes' names; the first that fits */
    uint64_t parameters;
    double ten_mflop;
} stages[] = {
    {"conv1", 4608 + 64, 204},
    {"conv2", 18432 + 128, 815},
    {"block1.", 52800, 1448},
    {"block2.", 203904, 1404},
    {"block3.", 1452480, 2505},
    {"block", UINT64_C(16) * 1613976, 16 * 1113.0},
    {"exit.", 3097376, 2137},
    {"conv", 1582080 + 2373120 + 3159552 + 10240, 4918},
    {"aspp", 524800 + 3 * 4719104, 10145},
    {"pool", 524288 + 512, 0},
    {"bottleneck", 328192, 226},
    {"low", 6240, 68},
    {"up1", 590336, 407.7},
    {"up2", 590336, 1630.7},
    {"last", 700928 + 590336 + 65792, 14994},
    {"up3", 590336, 6523},
    {"up4", 6912, 305.8},
};
enum { STAGES = sizeof stages / sizeof stages[0] };

static int stage_of(const char *name)
{
    for (int i = 0; i < STAGES; i++)
        if (strncmp(name, stages[i].prefix, strlen(stages[i].prefix)) == 0)
            return i;
    return -1;
}

static void layers_are_the_published(void **state)
{
    uint64_t parameters[STAGES] = {0};
    double flop[STAGES] = {0};
    int group, depthwise = 0;
    struct err e = ERR_INIT;
    struct model *m = learn_model("ref", &group);
    struct graph *g = graph_create(m, "deeplab", 1);
    struct tensor *x = graph_input(g, "x", SHAPE(16, 768, 1152), CHANNELS_FIRST);
    struct tensor *y = graph_output(deeplab_build(&published, m, group, x));

    (void)state;
    if (engine_compile(g, NULL, &e) < 0)
        fail_msg("%s", e.text);
    assert_int_equal(model_parameters(m, -1), 56454720);
    const double all = graph_flop(g).forward;
    if (fabs(all / 655.3e9 - 1) > 1e-4)
        fail_msg("%g FLOP forward, not 655.3e9", all);
    const struct graph_view v = graph_view(g);
    for (int i = 0; i < v.n_nodes; i++) {
        const struct node *n = v.nodes[i];
        const int at = n->weight ? stage_of(n->name) : -1;

        if (!n->weight)
            continue;
        assert_true(at >= 0);
        depthwise += n->op == OP_DEPTHWISE;
        parameters[at] += n->weight->count + (n->bias ? n->bias->count : 0);
        if (n->op == OP_CONV || n->op == OP_DECONV || n->op == OP_DEPTHWISE) {
            double each = 2;
            for (int d = 1; d < n->weight->shape.n; d++)
                each *= (double)n->weight->shape.d[d];
            const struct tensor *t = n->op == OP_DECONV ? n->in[0] : n->out[0];
            flop[at] += each * (double)shape_count(&t->shape);
        }
    }
    for (int i = 0; i < STAGES; i++) {
        if (parameters[i] != stages[i].parameters)
            fail_msg("%s: %llu parameters, not %llu", stages[i].prefix,
                     (unsigned long long)parameters[i], (unsigned long long)stages[i].parameters);
        if (fabs(flop[i] / 1e7 - stages[i].ten_mflop) > 0.51 + 1e-3 * stages[i].ten_mflop)
            fail_msg("%s: %g FLOP, not %ge7", stages[i].prefix, flop[i], stages[i].ten_mflop);
    }
    assert_int_equal(depthwise, 63 + 1); /* and the factors of the pooled branch */
    const struct shape s = tensor_shape(y);
    assert_true(s.n == 4 && s.d[1] == 3 && s.d[2] == 768 && s.d[3] == 1152);
    model_destroy(m);
}

/* Every inner width of a narrower one is a multiple of 16. */
static void narrow_widths_are_sixteens(void **state)
{
    const struct deeplab narrow = {.divide = 8, .middle = 2, .classes = 3};
    int group;
    struct err e = ERR_INIT;
    struct model *m = learn_model("ref", &group);
    struct graph *g = graph_create(m, "deeplab", 1);
    struct tensor *x = graph_input(g, "x", SHAPE(16, 64, 96), CHANNELS_FIRST);

    (void)state;
    graph_output(deeplab_build(&narrow, m, group, x));
    if (engine_compile(g, NULL, &e) < 0)
        fail_msg("%s", e.text);
    const struct graph_view v = graph_view(g);
    for (int i = 0; i < v.n_tensors; i++) {
        const long C = v.tensors[i]->shape.n > 1 ? v.tensors[i]->shape.d[1] : 16;
        assert_true(C % 16 == 0 || C == 3);
    }
    model_destroy(m);
}

/* A map whose sides are not multiples of 16 does not fit together, and is refused. */
static void odd_sizes_are_refused(void **state)
{
    int group;
    struct err e = ERR_INIT;
    struct model *m = learn_model("ref", &group);
    struct graph *g = graph_create(m, "deeplab", 1);
    struct tensor *x = graph_input(g, "x", SHAPE(16, 48, 72), CHANNELS_FIRST);

    (void)state;
    graph_output(deeplab_build(&published, m, group, x));
    assert_int_equal(engine_compile(g, NULL, &e), -1);
    assert_non_null(strstr(e.text, "differs from the first in more than its channels"));
    model_destroy(m);
}

static struct tensor *build(const void *net, struct model *m, int group, struct tensor *x)
{
    return deeplab_build(net, m, group, x);
}

/* A border between dark and bright is told from both sides. */
static void it_learns(void **state)
{
    enum { SIDE = 32, PIXELS = SIDE * SIDE };
    static const struct deeplab net = {.divide = 16, .middle = 1, .classes = 3};
    static float x[LEARN_BATCH * PIXELS], t[LEARN_BATCH * PIXELS];

    (void)state;
    for (int i = 0; i < LEARN_BATCH * PIXELS; i++) {
        const int column = i % SIDE, border = 10 + i / PIXELS * 8;
        x[i] = column < border ? -1 : 1;
        t[i] = column / 2 == border / 2 ? 2 : column > border;
    }
    learn_by_heart(build, &net, SIDE, x, t, 40, 0.2F);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_are_the_published),
        cmocka_unit_test(narrow_widths_are_sixteens),
        cmocka_unit_test(odd_sizes_are_refused),
        cmocka_unit_test(it_learns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
