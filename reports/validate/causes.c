/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/validate/causes.h"

#include <string.h>

#include "reports/core/node_result.h"
#include "reports/core/text.h"
#include "reports/validate/past.h"

/* Of workloads/node/plan.c, in its order. */
static const struct {
    const char *word;
    double shipped;
} causes[] = {{"network", 0.4}, {"memory", 0.2},   {"compute", 0.15},
              {"disk", 0.1},    {"numbers", 0.05}, {"rest", 0.1}};

enum { NETWORK, MEMORY, COMPUTE, DISK, NUMBERS, REST, CAUSES };

static const double shipped_weight = 10;

static int cause_of(const struct verdict_line *v)
{
    static const int of_kind[KIND_COUNT] = {[KIND_COMPUTE] = COMPUTE,
                                            [KIND_MEMORY] = MEMORY,
                                            [KIND_NETWORK] = NETWORK,
                                            [KIND_DISK] = DISK};
    const int metric = node_metric_find(v->metric);

    if (strncmp(v->metric, "train", 5) == 0)
        return REST;
    if (metric >= 0)
        return of_kind[past_kind(metric)];
    return strstr(v->reason, "correct:") || strstr(v->reason, "replica:") ||
                   strstr(v->reason, "differ")
               ? NUMBERS
           : strstr(v->reason, "ecc:") || strstr(v->reason, "pattern:") ? MEMORY
                                                                        : REST;
}

void causes_text(const struct verdict_line *v, int n, char text[CAUSES_SIZE])
{
    double count[CAUSES] = {0}, all = 0;

    *text = '\0';
    for (int i = n - 1; i >= 0 && all < CAUSES_RECENT; i--) {
        const enum verdict is = verdict_of(&v[i]);
        if (is != VERDICT_SUSPECT && is != VERDICT_SLOW && is != VERDICT_FAULTY)
            continue;
        count[cause_of(&v[i])]++;
        all++;
    }
    for (int c = 0; c < CAUSES && all > 0; c++)
        text_add(text, CAUSES_SIZE, "%s%s:%.3f", c ? "," : "", causes[c].word,
                 (count[c] + shipped_weight * causes[c].shipped) / (all + shipped_weight));
}
