/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/record/even.h"

#include <math.h>
#include <string.h>

#include "reports/record/fields.h"

double even_to_others(double node, double median, int ranks)
{
    const double others = ranks == 2 ? 2 * median - node : median; /* of two the mean */

    return ranks > 1 && node > 0 && others > 0 ? node / others : NAN;
}

static int ranks_of(const cJSON *work)
{
    return (int)json_integer(work, "ranks", 0, 1 << 30, 0);
}

/* The first of rows that are of the node: its slowest rank; NULL: none. */
static const cJSON *row_of_node(const cJSON *rows, const char *node)
{
    const cJSON *row;

    cJSON_ArrayForEach(row, rows)
    {
        if (strcmp(json_text(row, "node", ""), node) == 0)
            return row;
    }
    return NULL;
}

static double seconds_of_rank(const cJSON *rows, double rank)
{
    const cJSON *row;

    cJSON_ArrayForEach(row, rows)
    {
        if (json_number(row, "rank", NAN) == rank)
            return json_number(row, "seconds", NAN);
    }
    return NAN;
}

double even_computed(const cJSON *work, const char *node)
{
    const cJSON *row = row_of_node(json_at(work, "phases.compute.worst"), node);

    return even_to_others(json_number(row, "seconds", NAN),
                          json_number(work, "phases.compute.median_seconds", NAN), ranks_of(work));
}

double even_computed_by_yardstick(const cJSON *work, const char *node)
{
    const cJSON *row = row_of_node(json_at(work, "phases.compute.worst"), node);
    const double ranks = ranks_of(work);
    const double own =
        seconds_of_rank(json_at(work, "yardstick.of_slowest"), json_number(row, "rank", NAN));
    const double others =
        (ranks * json_number(work, "yardstick.cpu.mean_seconds", NAN) - own) / (ranks - 1);

    return own > 0 && others > 0 ? even_computed(work, node) / (own / others) : NAN;
}
