/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/micro/polish.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/micro/sample.h"

/* The fit moves less than this long before. */
enum { MOST_ROUNDS = 50 };
static const double still = 1e-9;

/* Spread of network rates from node to node where nothing else is known. */
static const double prior = 0.05;

/* Median of n values at a stride, of those that are there; NAN: none is. */
static double median_at(const double *v, int n, int stride, double *room)
{
    int count = 0;

    for (int i = 0; i < n; i++)
        if (isfinite(v[i * stride]))
            room[count++] = v[i * stride];
    return sample_median(room, count);
}

/* Takes the median of each row (or column) into its effect. Returns the most that
 * one moved. */
static double sweep(double *v, int n, bool rows, double *effect, double *room)
{
    double most = 0;

    for (int i = 0; i < n; i++) {
        double *line = rows ? v + (size_t)i * (size_t)n : v + i;
        int stride = rows ? 1 : n;
        double m = median_at(line, n, stride, room);
        if (isnan(m)) {
            effect[i] = NAN;
            continue;
        }
        for (int j = 0; j < n; j++)
            line[j * stride] -= m;
        effect[i] += m;
        most = fmax(most, fabs(m));
    }
    return most;
}

/* Moves what all effects have in common into *all. */
static void centre(double *effect, int n, double *all, double *room)
{
    double m = median_at(effect, n, 1, room);

    if (isnan(m))
        return;
    for (int i = 0; i < n; i++)
        effect[i] -= m;
    *all += m;
}

int polish_fit(double *v, int n, double *all, double *send, double *receive)
{
    double *room = malloc((size_t)n * sizeof *room);

    if (!room)
        return -1;
    *all = 0;
    for (int i = 0; i < n; i++)
        send[i] = receive[i] = 0;
    for (int round = 0; round < MOST_ROUNDS; round++) {
        double moved = sweep(v, n, true, send, room);
        moved = fmax(moved, sweep(v, n, false, receive, room));
        centre(send, n, all, room);
        centre(receive, n, all, room);
        if (moved < still)
            break;
    }
    free(room);
    return 0;
}

double polish_t4(double p)
{
    double alpha = 4 * p * (1 - p), root = sqrt(alpha);
    double q = cos(acos(root) / 3) / root;

    return (p < 0.5 ? -2 : 2) * sqrt(q - 1);
}

/* 1.4826 x the median of the absolute residuals: a standard deviation. */
static double scatter(const double *residuals, int n, double *room)
{
    int count = 0;

    for (int i = 0; i < n * n; i++)
        if (isfinite(residuals[i]))
            room[count++] = fabs(residuals[i]);
    return count ? 1.4826 * sample_median(room, count) : 0;
}

double polish_noise(const double *v, int n, double *room)
{
    if (n < POLISH_LEAST_LINKS)
        return NAN;
    for (int i = 0; i < n; i++)
        room[i] = log(v[i]);
    double middle = sample_median(room, n);
    for (int i = 0; i < n; i++)
        room[i] = fabs(room[i] - middle);
    return 1.4826 * sample_median(room, n) * n / (n - 0.8) * sqrt(1.57 / n);
}

/* The links that tell of an end: as many as its median needs? */
static bool enough_links(const double *left, int n, int node, bool sends)
{
    int links = 0;

    for (int i = 0; i < n; i++)
        links += isfinite(left[sends ? node * n + i : i * n + node]);
    return links >= POLISH_LEAST_LINKS;
}

/* The worst end of one kind, if it is worse than the one that stands. */
static void worst_of(const double *left, const double *effect, int n, bool sends, double noise,
                     double *room, struct polish_end *worst)
{
    int there = 0;

    for (int i = 0; i < n; i++)
        there += isfinite(effect[i]);
    if (there < POLISH_LEAST_NODES)
        return;
    double s0 = fmax(prior, noise), scale = s0 * sqrt(1 + 1.57 / (there - 1));
    double limit = polish_t4(1 - 0.01 / (2 * n)) * scale;
    for (int i = 0; i < n; i++) {
        int others = 0;
        for (int j = 0; j < n; j++)
            if (j != i && isfinite(effect[j]))
                room[others++] = effect[j];
        double loss = sample_median(room, others) - effect[i];
        if (isfinite(effect[i]) && loss > limit && (worst->node < 0 || loss > worst->loss) &&
            enough_links(left, n, i, sends))
            *worst = (struct polish_end){i, sends, loss, limit};
    }
}

/* Room for one round: logarithms, effects of both kinds, scratch. */
struct fit {
    double *v, *send, *receive, *room;
};

static int name_one(const double *left, int n, double known, struct fit *f,
                    struct polish_end *worst)
{
    double all;

    memcpy(f->v, left, (size_t)n * (size_t)n * sizeof *left);
    if (polish_fit(f->v, n, &all, f->send, f->receive) < 0)
        return -1;
    double noise = fmax(known, scatter(f->v, n, f->room));
    *worst = (struct polish_end){.node = -1};
    worst_of(left, f->send, n, true, noise, f->room, worst);
    worst_of(left, f->receive, n, false, noise, f->room, worst);
    return worst->node >= 0;
}

/* Without the links of that end. */
static void drop(double *v, int n, const struct polish_end *end)
{
    for (int i = 0; i < n; i++)
        v[end->sends ? end->node * n + i : i * n + end->node] = NAN;
}

int polish_name(const double *rates, int n, double noise, struct polish_end *ends)
{
    size_t cells = (size_t)n * (size_t)n, size = (size_t)n;
    double *left = malloc((3 * cells + 2 * size) * sizeof *left);
    int found = 0, rc;

    if (!left)
        return -1;
    struct fit f = {left + cells, left + 2 * cells, left + 2 * cells + size,
                    left + 2 * cells + 2 * size};
    for (size_t i = 0; i < cells; i++)
        left[i] = rates[i] > 0 ? log(rates[i]) : NAN;
    while (found < 2 * n && (rc = name_one(left, n, noise, &f, &ends[found])) > 0)
        drop(left, n, &ends[found++]);
    free(left);
    return found < 2 * n && rc < 0 ? -1 : found;
}
