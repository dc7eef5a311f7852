/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * engine_ops DIR BACKEND: runs every op case in training, on a whole and on a
 * partial batch, and those with states in evaluation, and leaves in DIR what
 * went in and what came out: CASE.PART.f32, and index.txt, which says of each
 *
 *     case NAME.train|part|eval BATCH ROWS
 *     PART dimension...
 *
 * torch_ops.py does the same with PyTorch and compares. Exit 77: no such back
 * end in this build.
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/workloads/engine/harness.h"

static const char *dir, *backend;
static FILE *all;

static void write_part(const char *name, const struct outcome_part *p)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/%s.%s.f32", dir, name, p->name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(p->v, sizeof *p->v, p->n, f) != p->n || fclose(f))
        fail_msg("%s is not written", path);
    fprintf(all, "%s", p->name);
    for (int i = 0; i < p->shape.n; i++)
        fprintf(all, " %ld", p->shape.d[i]);
    fprintf(all, "\n");
}

/* Returns whether it has states. */
static bool write_case(const struct op_case *c, const char *how, int rows, bool eval)
{
    struct run_options o = {
        .backend = backend, .threads = 2, .rows = rows, .eval = eval, .values = true};
    struct outcome out = outcome_run(c, &o);
    char name[64];
    bool states = false;

    snprintf(name, sizeof name, "%s.%s", c->name, how);
    fprintf(all, "case %s %ld %d\n", name, c->batch, rows);
    for (int i = 0; i < out.n; i++) {
        write_part(name, &out.parts[i]);
        states |= !strncmp(out.parts[i].name, "state", 5);
    }
    outcome_free(&out);
    return states;
}

static void write_all(void **state)
{
    (void)state;
    for (int i = 0; i < n_op_cases; i++) {
        const struct op_case *c = &op_cases[i];
        bool states = write_case(c, "train", (int)c->batch, false);

        if (c->batch > 1)
            write_case(c, "part", (int)c->batch - 1, false);
        if (states)
            write_case(c, "eval", (int)c->batch, true);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(write_all)};
    char path[4096];
    bool known = false;

    if (argc != 3) {
        fprintf(stderr, "usage: engine_ops DIR BACKEND\n");
        return 2;
    }
    dir = argv[1];
    backend = argv[2];
    for (int i = 0; engine_backend_name(i); i++)
        known |= !strcmp(engine_backend_name(i), backend);
    if (!known) {
        printf("the engine '%s' is not in this build\n", backend);
        return 77;
    }
    snprintf(path, sizeof path, "%s/index.txt", dir);
    all = fopen(path, "w");
    if (!all) {
        perror(path);
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return fclose(all) || failed ? 1 : 0;
}
