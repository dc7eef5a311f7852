/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/diagnose/memory_bound.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "reports/diagnose/roofline.h"
#include "reports/record/fields.h"

static struct memory_bound nothing(const char *why)
{
    struct memory_bound m = {NAN, NAN, NAN, NAN, ""};

    snprintf(m.why, sizeof m.why, "%.*s", (int)sizeof m.why - 1, why);
    return m;
}

static bool is_convolution(const cJSON *row)
{
    const char *op = json_text(row, "op", "");

    return strcmp(op, "conv") == 0 || strcmp(op, "deconv") == 0;
}

/* Highest FLOP/s of that operator's kind. */
static double peak_of(const struct roofline *r, const cJSON *row, const char *dtype)
{
    for (int i = 0; i < ROOFLINE_TYPES && is_convolution(row); i++)
        if (strcmp(r->peak[i].dtype, dtype) == 0 && r->peak[i].convolution > 0)
            return r->peak[i].convolution;
    return roofline_peak_of(r, dtype);
}

/* Seconds of all its calls. */
struct sums {
    double all, low, high, slow;
};

static void add_operator(const struct roofline *r, const cJSON *row, struct sums *s)
{
    const struct roofline_work w = roofline_operator(row);
    const double calls = json_number(row, "calls", 0), peak = peak_of(r, row, w.dtype);
    int level;

    if (!(w.seconds > 0))
        return;
    const double moved = w.bytes / roofline_bandwidth(r, w.bytes, &level);
    const double computed = w.flop > 0 ? w.flop / peak : 0;
    s->all += calls * w.seconds;
    if (!isfinite(moved) || !isfinite(computed)) { /* no roof */
        s->high += calls * w.seconds;
        return;
    }
    if (moved > computed)
        s->low += calls * fmin(w.seconds, moved);
    if (moved > computed / 2)
        s->high += calls * w.seconds;
    if (w.seconds > 2 * fmax(moved, computed))
        s->slow += calls * w.seconds;
}

/* As steps on half the threads have it. */
static double halved(const cJSON *w)
{
    const double period = json_number(w, "path.period_seconds", NAN);
    const double own = json_number(w, "path.compute_seconds", NAN);
    const cJSON *arm;

    cJSON_ArrayForEach(arm, json_at(w, "ablation.arms"))
    {
        if (strcmp(json_text(arm, "name", ""), "half_threads") == 0 &&
            !cJSON_IsTrue(json_at(arm, "noisy"))) /* gain below 0: the step was longer */
            return 1 + json_number(arm, "gain", NAN) * period / own;
    }
    return NAN;
}

struct memory_bound memory_bound(const cJSON *ceilings, const cJSON *w)
{
    const double others = json_number(w, "profile.others.seconds", 0);
    struct sums s = {others, 0, others, 0};
    struct roofline r;
    const cJSON *row;
    char why[96];

    if (!(json_number(w, "profile.steps", 0) > 0))
        return nothing("the run has no profile of its steps");
    roofline_read(&r, ceilings, (int)json_integer(w, "threads", 0, 1 << 20, 0));
    if (r.why[0])
        return nothing(r.why);
    cJSON_ArrayForEach(row, json_at(w, "profile.operators")) add_operator(&r, row, &s);
    if (!(s.all > others))
        return nothing("the profile has no operators");
    struct memory_bound m = {s.low / s.all, s.high / s.all, s.slow / s.all, halved(w), ""};
    if (m.halved < m.low - MEMORY_BOUND_OFF || m.halved > m.high + MEMORY_BOUND_OFF) {
        snprintf(why, sizeof why,
                 "not established: half the threads say %.0f %%, the operators %.0f to %.0f %%",
                 100 * m.halved, 100 * m.low, 100 * m.high);
        return nothing(why);
    }
    return m;
}
