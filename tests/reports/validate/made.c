/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "tests/reports/validate/made.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "reports/validate/past.h"
#include "tests/unit.h"

struct node_result made_node(const char *node, int round, unsigned salt)
{
    struct node_result r = {.cpus = 64,
                            .numa_nodes = 2,
                            .memory_bytes = 256e9,
                            .calls = 40000,
                            .steps = 1500,
                            .corrected = -1,
                            .uncorrected = -1,
                            .round = round,
                            .time = 1764511620};

    snprintf(r.node, sizeof r.node, "%s", node);
    snprintf(r.class, sizeof r.class, "AMD EPYC 7543, H12DSU");
    snprintf(r.key, sizeof r.key, "381de3d51ec3c43e");
    snprintf(r.results, sizeof r.results, "7e3a3924a1cfe5d4");
    snprintf(r.weights, sizeof r.weights, "949ec5c4a5917fdf");
    snprintf(r.boot_id, sizeof r.boot_id, "boot");
    for (int m = 0; m < NODE_METRICS; m++)
        r.values[m] = (struct node_value){NAN, NAN, 0};
    double off = 1 + 0.004 * ((salt * 2654435761U >> 16) % 1000 / 1000.0 - 0.5);
    r.values[NODE_METRIC_clock] = (struct node_value){8.8e8 * off, 0.5, 5};
    r.values[NODE_METRIC_gemm_f32] = (struct node_value){2e12 / off, 1, 5};
    r.values[NODE_METRIC_triad] = (struct node_value){3.5e11 * off, 1, 5};
    return r;
}

void made_run(const char *path, unsigned k, struct node_result *r, int n)
{
    const struct node_result **lines = calloc((size_t)n, sizeof *lines);
    struct err e = ERR_INIT;
    char run[16], name[16];

    assert_non_null(lines);
    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof name, "n%d", i + 1);
        r[i] = made_node(name, 0, 100 * k + (unsigned)i);
        lines[i] = &r[i];
    }
    snprintf(run, sizeof run, "r%u", k);
    assert_int_equal(past_append(path, run, lines, n, &e), 0);
    free(lines);
}
