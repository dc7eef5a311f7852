/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/validate/metric_tests.h"

#include <stddef.h>
#include <string.h>

#include "reports/core/node_result.h"
#include "reports/core/text.h"

bool metric_tests(unsigned metrics, char text[METRIC_TESTS_SIZE])
{
    static const struct {
        const char *metric, *test; /* the beginning of a metric's name */
    } list[] = {
        {"clock", "clock"},        {"gemm.f32", "gemm.f32"},      {"gemm.bf16", "gemm.bf16"},
        {"memory.triad", "triad"}, {"memory.latency", "latency"}, {"disk", "disk"},
        {"train", "train"}};
    bool links = false;

    *text = '\0';
    for (int metric = 0; metric < NODE_METRICS; metric++) {
        const char *name = node_metric_row(metric)->name;
        if (!(metrics & 1U << metric))
            continue;
        links |= strncmp(name, "net", 3) == 0;
        for (size_t i = 0; i < sizeof list / sizeof *list; i++)
            if (strncmp(name, list[i].metric, strlen(list[i].metric)) == 0 &&
                !strstr(text, list[i].test))
                text_add(text, METRIC_TESTS_SIZE, "%s%s", *text ? "," : "", list[i].test);
    }
    return links;
}
