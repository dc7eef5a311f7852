/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/core/node_result.h"

#include <stddef.h>
#include <string.h>

static const struct node_metric_row rows[NODE_METRICS] = {
#define NODE_METRIC(symbol, name, kind, unit, more_is_better, what)                                \
    {name, unit, what, more_is_better},
#include "reports/core/node_metrics.def"
};

const struct node_metric_row *node_metric_row(int metric)
{
    return metric >= 0 && metric < NODE_METRICS ? &rows[metric] : NULL;
}

int node_metric_find(const char *name)
{
    for (int i = 0; i < NODE_METRICS; i++)
        if (strcmp(rows[i].name, name) == 0)
            return i;
    return -1;
}
