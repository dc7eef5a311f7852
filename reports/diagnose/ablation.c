/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/diagnose/ablation.h"

#include <math.h>

#include "reports/judge/random.h"
#include "reports/judge/stat.h"

enum { DRAWS = 2000, LEAST_ROUNDS = 3 };

static const double most_delay = 0.05;
static const double most_width = 0.10; /* ln, to a side */

/* Whether others' work was alike in all arms of a round. */
static bool is_even(const struct result_ablation *r, int round)
{
    double least = INFINITY, most = -INFINITY;

    for (int a = 0; a < ARM_COUNT; a++)
        if (r->made[a] && isfinite(r->delay[round][a])) {
            least = fmin(least, r->delay[round][a]);
            most = fmax(most, r->delay[round][a]);
        }
    return !(most - least > most_delay);
}

static double median_of(const double *v, int n)
{
    double copy[RESULT_ROUNDS];

    for (int i = 0; i < n; i++)
        copy[i] = v[i];
    return stat_median(copy, n);
}

static void judge_arm(const double *ln, int n, struct ablation_arm *a)
{
    struct random g = RANDOM_SEED(1);
    static const int low = DRAWS / 20, high = DRAWS - DRAWS / 20;
    double medians[DRAWS];

    for (int d = 0; d < DRAWS; d++) {
        double v[RESULT_ROUNDS];
        for (int i = 0; i < n; i++)
            v[i] = ln[random_below(&g, n)];
        medians[d] = stat_median(v, n);
    }
    const double middle = median_of(ln, n);
    const double longest = stat_select(medians, DRAWS, high);
    const double shortest = stat_select(medians, DRAWS, low);
    a->gain = -expm1(middle);
    a->low = -expm1(longest);
    a->high = -expm1(shortest);
    a->noisy = longest - middle > most_width || middle - shortest > most_width;
}

void ablation_judge(const struct result_ablation *r, struct ablation *a)
{
    int even[RESULT_ROUNDS], n = 0;

    *a = (struct ablation){.rounds = r->rounds};
    for (int i = 0; i < ARM_COUNT; i++)
        a->arm[i] = (struct ablation_arm){.gain = NAN, .low = NAN, .high = NAN};
    for (int i = 0; i < r->rounds; i++)
        if (is_even(r, i))
            even[n++] = i;
    a->dropped = r->rounds - n;
    if (r->rounds == 0)
        a->why = "no ablation was made";
    else if (2 * a->dropped > r->rounds || n < LEAST_ROUNDS)
        a->why = "others' work came or went between its blocks: repeat it on quiet nodes";
    if (a->why)
        return;
    for (int arm = 0; arm < ARM_COUNT; arm++) {
        double ln[RESULT_ROUNDS];
        if (arm == ARM_BASE || !r->made[arm])
            continue;
        for (int i = 0; i < n; i++)
            ln[i] = log(r->seconds[even[i]][arm] / r->seconds[even[i]][ARM_BASE]);
        a->arm[arm].made = true;
        judge_arm(ln, n, &a->arm[arm]);
    }
}
