/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/report/compare.h"

#include <math.h>
#include <string.h>

#include "reports/record/fields.h"

/* ---- intervals ---- */

/* 95 % point of Student's t, of whole degrees of freedom; between two rows the
 * one with fewer. */
static double student(double freedom)
{
    static const struct {
        double freedom, t;
    } table[] = {{1, 6.314},  {2, 2.920},  {3, 2.353},  {4, 2.132}, {5, 2.015},
                 {6, 1.943},  {7, 1.895},  {8, 1.860},  {9, 1.833}, {10, 1.812},
                 {15, 1.753}, {20, 1.725}, {30, 1.697}, {60, 1.671}};
    double t = table[0].t;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (freedom >= table[i].freedom)
            t = table[i].t;
    return t;
}

/* Mean and variance of the mean of logarithms. */
static void moments(const double *v, int n, double *mean, double *variance)
{
    double sum = 0, square = 0;

    for (int i = 0; i < n; i++)
        sum += log(v[i]);
    *mean = n > 0 ? sum / n : NAN;
    for (int i = 0; i < n; i++)
        square += (log(v[i]) - *mean) * (log(v[i]) - *mean);
    *variance = n > 1 ? square / (n - 1) / n : NAN;
}

struct ratio compare_ratio(const double *a, int n_a, const double *b, int n_b)
{
    double mean_a, mean_b, var_a, var_b;
    struct ratio r = {.low = NAN, .high = NAN};

    moments(a, n_a, &mean_a, &var_a);
    moments(b, n_b, &mean_b, &var_b);
    r.value = exp(mean_a - mean_b);
    double both = var_a + var_b;
    if (!isfinite(both))
        return r;
    /* Welch and Satterthwaite */
    double freedom = both > 0
                         ? both * both / (var_a * var_a / (n_a - 1) + var_b * var_b / (n_b - 1))
                         : n_a + n_b - 2;
    double half = student(freedom) * sqrt(both);
    r.low = exp(mean_a - mean_b - half);
    r.high = exp(mean_a - mean_b + half);
    r.differs = r.low > 1 || r.high < 1;
    return r;
}

/* ---- values ---- */

/* A number of each run that has it. */
static int values_of(const struct group *g, const char *path, bool reached, double *v)
{
    int n = 0;

    for (int i = 0; i < g->n; i++) {
        double x = json_number(g->runs[i].workload, path, NAN);
        if (x > 0 && isfinite(x) && (!reached || training_reached(g->runs[i].workload)))
            v[n++] = x;
    }
    return n;
}

enum { MOST_EPOCHS = 256 };

/* Seconds of the reported run's epochs after the first. */
static int epochs_of(const struct group *g, double *v)
{
    const cJSON *row;
    int n = 0;

    cJSON_ArrayForEach(row, json_at(group_reported(g)->workload, "epochs"))
    {
        double seconds = json_number(row, "seconds", NAN);
        if (json_number(row, "epoch", 0) > 1 && seconds > 0 && n < MOST_EPOCHS)
            v[n++] = seconds;
    }
    return n;
}

static struct ratio over_runs(const struct group *a, const struct group *b, const char *path,
                              bool reached)
{
    double x[BOOK_MOST_RECORDS], y[BOOK_MOST_RECORDS];
    int n = values_of(a, path, reached, x), m = values_of(b, path, reached, y);
    struct ratio r = compare_ratio(x, n, y, m);

    r.basis = isfinite(r.low) ? BASIS_RUNS : BASIS_NONE;
    return r;
}

/* Where the runs give no interval, that of the epochs about the same ratio:
 * fewer seconds are more per second. */
struct ratio compare_speed(const struct group *a, const struct group *b)
{
    double x[MOST_EPOCHS], y[MOST_EPOCHS];
    struct ratio r = over_runs(a, b, "performance.samples_per_second", false);

    if (r.basis == BASIS_RUNS || !isfinite(r.value))
        return r;
    struct ratio within = compare_ratio(y, epochs_of(b, y), x, epochs_of(a, x));
    if (!isfinite(within.low))
        return r;
    r.low = r.value * within.low / within.value;
    r.high = r.value * within.high / within.value;
    r.differs = r.low > 1 || r.high < 1;
    r.basis = BASIS_EPOCHS;
    return r;
}

/* ---- rankings ---- */

static double vflops_of(const cJSON *w, int n, bool bonus)
{
    double achieved = json_number(w, "quality.achieved", NAN);
    double target = json_number(w, "quality.target", NAN);
    double q = cJSON_IsTrue(json_at(w, "quality.higher_is_better")) ? achieved / target
                                                                    : target / achieved;

    if (!training_reached(w))
        return NAN;
    return json_number(w, "performance.flop_per_second", NAN) * pow(bonus ? q : fmin(q, 1), n);
}

double compare_vflops(const struct group *g, int n, bool bonus)
{
    return vflops_of(group_reported(g)->workload, n, bonus);
}

/* Those of each run that has them. */
static int all_vflops(const struct group *g, int n, bool bonus, double *v)
{
    int count = 0;

    for (int i = 0; i < g->n; i++) {
        double one = vflops_of(g->runs[i].workload, n, bonus);
        if (one > 0 && isfinite(one))
            v[count++] = one;
    }
    return count;
}

/* Seconds of training until an epoch was as good as that; NAN: none was. */
static double seconds_to(const struct group *g, double target)
{
    const cJSON *w = group_reported(g)->workload, *row;
    bool higher = cJSON_IsTrue(json_at(w, "quality.higher_is_better"));
    double sum = 0;

    cJSON_ArrayForEach(row, json_at(w, "epochs"))
    {
        double q = json_number(row, "quality", NAN);
        sum += json_number(row, "seconds", NAN);
        if (higher ? q >= target : q <= target)
            return sum;
    }
    return NAN;
}

static int best(const double *v, int n, bool most)
{
    int at = -1;

    for (int i = 0; i < n; i++)
        if (isfinite(v[i]) && (at < 0 || (most ? v[i] > v[at] : v[i] < v[at])))
            at = i;
    return at;
}

/* Whether the runs of a side are above those of each other that reached the target. */
static bool is_clear(const struct compared *c, int n, int side, int exponent, bool bonus)
{
    double own[BOOK_MOST_RECORDS], other[BOOK_MOST_RECORDS];
    int n_own = all_vflops(c->group[side], exponent, bonus, own);

    for (int i = 0; i < n; i++) {
        if (i == side || !c->reached[i])
            continue;
        int n_other = all_vflops(c->group[i], exponent, bonus, other);
        if (!(compare_ratio(own, n_own, other, n_other).low > 1))
            return false;
    }
    return true;
}

static void rank(struct compared *c, int n, bool bonus)
{
    double v[COMPARE_SIDES];

    for (int e = 0; e < COMPARE_EXPONENTS; e++) {
        for (int i = 0; i < n; i++)
            v[i] = c->group[i] ? compare_vflops(c->group[i], e + 1, bonus) : NAN;
        c->leader[e] = best(v, n, true);
        c->shown[e] = c->leader[e] >= 0 && is_clear(c, n, c->leader[e], e + 1, bonus);
    }
}

static void move_target(struct compared *c, int n)
{
    static const double moved[COMPARE_TARGETS] = {-.1, 0, .1};
    const cJSON *w = group_reported(c->group[0])->workload;
    double target = json_number(w, "quality.target", NAN), v[COMPARE_SIDES];
    double step = target - json_number(w, "quality.baseline", NAN);

    for (int t = 0; t < COMPARE_TARGETS; t++) {
        c->target[t] = target + (moved[t] != 0 ? moved[t] * step : 0);
        for (int i = 0; i < n; i++)
            v[i] = c->group[i] ? seconds_to(c->group[i], c->target[t]) : NAN;
        c->first[t] = best(v, n, false);
    }
}

/* ---- one training ---- */

static const struct group *same(const struct book *b, const struct group *of)
{
    for (int i = 0; i < b->n_groups; i++)
        if (strcmp(b->groups[i].name, of->name) == 0 &&
            strcmp(b->groups[i].class_name, of->class_name) == 0 &&
            strcmp(b->groups[i].dtype, of->dtype) == 0)
            return &b->groups[i];
    return NULL;
}

/* CPU seconds of a's convolution over b's; NAN: it is not the same, or there is none. */
static double processor_ratio(const struct group *a, const struct group *b)
{
    const cJSON *x = json_at(group_reported(a)->workload, "yardstick");
    const cJSON *y = json_at(group_reported(b)->workload, "yardstick");
    const char *what = json_text(x, "what", "");

    if (!what[0] || strcmp(what, json_text(y, "what", "")) != 0)
        return NAN;
    return json_number(x, "cpu.mean_seconds", NAN) / json_number(y, "cpu.mean_seconds", NAN);
}

static double geometric(const struct group *g, const char *path, bool reached)
{
    double v[BOOK_MOST_RECORDS], mean, variance;
    int n = values_of(g, path, reached, v);

    moments(v, n, &mean, &variance);
    return exp(mean);
}

double compare_mean_speed(const struct group *g)
{
    return geometric(g, "performance.samples_per_second", false);
}

/* What is known of a side without the first. */
static void add_side(struct compared *c, int i)
{
    const struct group *g = c->group[i];

    c->speeds[i] = c->times[i] = NAN;
    if (!g)
        return;
    for (int k = 0; k < g->n; k++)
        c->failed[i] += !training_reached(g->runs[k].workload);
    c->reached[i] = training_reached(group_reported(g)->workload);
    c->rivals += c->reached[i];
    c->speeds[i] = compare_mean_speed(g);
    if (c->reached[i])
        c->times[i] = geometric(g, "performance.time_to_quality_seconds", true);
}

void compare_group(const struct side *sides, int n, const struct group *of, bool bonus,
                   struct compared *c)
{
    static const struct ratio unknown = {NAN, NAN, NAN, BASIS_NONE, false};

    *c = (struct compared){.group = {of}};
    for (int i = 0; i < n; i++) {
        const struct group *g = i ? same(sides[i].book, of) : of;
        c->group[i] = g;
        add_side(c, i);
        c->speed[i] = g && i ? compare_speed(g, of) : unknown;
        c->processor[i] = g && i ? processor_ratio(of, g) : NAN;
        c->time[i] =
            g && i ? over_runs(g, of, "performance.time_to_quality_seconds", true) : unknown;
        if (c->failed[i] || c->failed[0])
            c->time[i].differs = false;
    }
    rank(c, n, bonus);
    move_target(c, n);
}
