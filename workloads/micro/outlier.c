/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/micro/outlier.h"

#include <math.h>

#include "workloads/micro/polish.h"
#include "workloads/micro/sample.h"

enum { ENOUGH_TO_SPREAD = 8 };

/* Logarithms of all but one; returns how many. skip -1: of all. */
static int logs(const double *rates, int n, int skip, double *room)
{
    int count = 0;

    for (int i = 0; i < n; i++)
        if (i != skip && rates[i] > 0)
            room[count++] = log(rates[i]);
    return count;
}

static double deviation(const double *rates, int n, double *room)
{
    int count = logs(rates, n, -1, room);
    double middle = sample_median(room, count);

    for (int i = 0; i < count; i++)
        room[i] = fabs(room[i] - middle);
    return 1.4826 * sample_median(room, count);
}

struct outlier outlier_find(const double *rates, int n, double error, double prior, int rows,
                            double *room)
{
    struct outlier worst = {.node = -1};
    int there = logs(rates, n, -1, room);
    double scale = hypot(prior, isfinite(error) ? error : 0);

    if (there < OUTLIER_LEAST_NODES)
        return worst;
    if (there >= ENOUGH_TO_SPREAD)
        scale = fmax(scale, deviation(rates, n, room));
    scale *= sqrt(1 + 1.57 / (there - 1));
    worst.limit = scale * polish_t4(1 - 0.01 / ((double)there * (rows > 0 ? rows : 1)));
    for (int i = 0; i < n; i++) {
        if (!(rates[i] > 0))
            continue;
        int others = logs(rates, n, i, room);
        double loss = sample_median(room, others) - log(rates[i]);
        if (loss > worst.limit && (worst.node < 0 || loss > worst.loss))
            worst = (struct outlier){i, loss, worst.limit};
    }
    return worst;
}
