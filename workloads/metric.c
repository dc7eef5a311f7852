/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/metric.h"

#include <math.h>
#include <stdlib.h>

static struct metric value(double v)
{
    return (struct metric){v, NULL};
}

static struct metric undefined(const char *why)
{
    return (struct metric){NAN, why};
}

/* ---- what ranks have -------------------------------------------------- */

/* The records of all ranks, in rank order. Every rank takes part to the end,
 * whatever fails on it. */
static int gather(struct comm *c, const void *mine, size_t n, size_t size, void **all,
                  size_t *n_all, struct err *e)
{
    size_t *counts = calloc((size_t)c->size, sizeof *counts);
    double *number = calloc((size_t)c->size, sizeof *number), sum = 0;
    int rc = counts && number ? 0 : err_set(e, "out of memory for the counts of %d ranks", c->size);

    *all = NULL;
    if (comm_agree(c, rc, e))
        goto fail;
    number[c->rank] = (double)n;
    if (c->reduce(c, number, c->size, COMM_SUM, e))
        goto fail;
    for (int r = 0; r < c->size; r++) {
        counts[r] = (size_t)number[r] * size;
        sum += number[r];
    }
    *n_all = (size_t)sum;
    *all = malloc(*n_all * size + 1);
    rc = *all ? 0 : err_set(e, "out of memory for %zu samples of %d ranks", *n_all, c->size);
    if (comm_agree(c, rc, e) || c->allgatherv(c, mine, *all, counts, e))
        goto fail;
    free(counts);
    free(number);
    return 0;
fail:
    free(*all);
    *all = NULL;
    free(counts);
    free(number);
    return -1;
}

/* ---- scored samples --------------------------------------------------- */

static int by_score(const void *a, const void *b)
{
    const struct score *x = a, *y = b;

    if (isnan(x->score) != isnan(y->score))
        return isnan(x->score) ? 1 : -1;
    if (x->score != y->score && !isnan(x->score))
        return x->score > y->score ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

void scores_sort(struct score *s, size_t n)
{
    if (n > 1)
        qsort(s, n, sizeof *s, by_score);
}

int scores_gather(struct comm *c, const struct score *mine, size_t n, struct score **all,
                  size_t *n_all, struct err *e)
{
    void *list;

    *all = NULL;
    if (gather(c, mine, n, sizeof *mine, &list, n_all, e))
        return -1;
    *all = list;
    scores_sort(*all, *n_all);
    return 0;
}

/* What all metrics of scores ask first. */
struct weights {
    double of[2]; /* per label */
    double squares[2];
    size_t n[2];
    const char *why; /* the list cannot be used */
};

static struct weights weigh(const struct score *s, size_t n)
{
    struct weights w = {.why = NULL};

    for (size_t i = 0; i < n; i++) {
        double x = (double)s[i].weight;
        int label = s[i].label != 0;

        if (isnan(s[i].score))
            w.why = "a score is not a number";
        if (!(x >= 0 && isfinite(x)))
            w.why = "a weight is negative or not finite";
        w.of[label] += x;
        w.squares[label] += x * x;
        w.n[label]++;
    }
    if (!w.why && !(w.of[0] > 0 && w.of[1] > 0))
        w.why = w.of[1] > 0 ? "no sample of class 0" : "no sample of class 1";
    return w;
}

/* Adds the weights of the group of equal scores that begins at i; returns
 * where the next one begins. */
static size_t add_group(const struct score *s, size_t n, size_t i, double add[2])
{
    float score = s[i].score;

    add[0] = add[1] = 0;
    for (; i < n && s[i].score == score; i++)
        add[s[i].label != 0] += (double)s[i].weight;
    return i;
}

struct metric metric_auc(const struct score *s, size_t n)
{
    struct weights w = weigh(s, n);
    double above = 0, area = 0, group[2];

    if (w.why)
        return undefined(w.why);
    for (size_t i = 0; i < n;) {
        i = add_group(s, n, i, group);
        above += group[0];
        area += group[1] * (w.of[0] - above + group[0] / 2);
    }
    return value(area / (w.of[1] * w.of[0]));
}

struct metric metric_efficiency(const struct score *s, size_t n, double rejection)
{
    struct weights w = weigh(s, n);
    double pass[2] = {0, 0}, group[2];

    if (w.why)
        return undefined(w.why);
    if (w.of[0] * w.of[0] / w.squares[0] * (1 - rejection) < 10 * (1 - 1e-9))
        return undefined("fewer than ten background events would decide");
    for (size_t i = 0; i < n;) {
        i = add_group(s, n, i, group);
        if (pass[0] + group[0] > (1 - rejection) * w.of[0])
            break;
        pass[0] += group[0];
        pass[1] += group[1];
    }
    return value(pass[1] / w.of[1]);
}

struct metric metric_average_precision(const struct score *s, size_t n)
{
    struct weights w = weigh(s, n);
    double pass[2] = {0, 0}, group[2], sum = 0;

    if (w.why)
        return undefined(w.why);
    for (size_t i = 0; i < n;) {
        i = add_group(s, n, i, group);
        pass[0] += group[0];
        pass[1] += group[1];
        if (group[1] > 0)
            sum += group[1] / w.of[1] * (pass[1] / (pass[0] + pass[1]));
    }
    return value(sum);
}

struct metric metric_false_rejects(const struct score *s, size_t n, double recall, size_t fewest)
{
    struct weights w = weigh(s, n);
    double pass[2] = {0, 0}, group[2];

    if (w.why)
        return undefined(w.why);
    if (w.n[1] < fewest)
        return undefined("too few defective samples");
    for (size_t i = 0; i < n && pass[1] < recall * w.of[1] * (1 - 1e-12);) {
        i = add_group(s, n, i, group);
        pass[0] += group[0];
        pass[1] += group[1];
    }
    return value(pass[0] / w.of[0]);
}

/* ---- counts ----------------------------------------------------------- */

static struct metric ratio(double part, double whole)
{
    return whole > 0 ? value(part / whole)
                     : undefined("there was nothing to find and nothing found");
}

struct metric metric_iou(const struct counts *k)
{
    return ratio(k->hit, k->hit + k->false_alarm + k->miss);
}

struct metric metric_false_alarm_ratio(const struct counts *k)
{
    return ratio(k->false_alarm, k->hit + k->false_alarm);
}

struct metric metric_detection(const struct counts *k)
{
    return ratio(k->hit, k->hit + k->miss);
}

double metric_sample_iou(const struct counts *k, int classes)
{
    double sum = 0;

    for (int i = 0; i < classes; i++) {
        struct metric m = metric_iou(&k[i]);

        sum += m.why ? 1 : m.value;
    }
    return sum / classes;
}

/* ---- detections ------------------------------------------------------- */

static int by_frame(const void *a, const void *b)
{
    const struct detection *x = a, *y = b;

    if (x->frame != y->frame)
        return x->frame < y->frame ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static int by_confidence(const void *a, const void *b)
{
    const struct detection *x = a, *y = b;

    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return by_frame(a, b);
}

int detections_gather(struct comm *c, const struct detection *mine, size_t n,
                      struct detection **all, size_t *n_all, struct err *e)
{
    void *list;

    *all = NULL;
    if (gather(c, mine, n, sizeof *mine, &list, n_all, e))
        return -1;
    *all = list;
    if (*n_all > 1)
        qsort(*all, *n_all, sizeof **all, by_frame);
    return 0;
}

double box_iou(const float a[4], const float b[4])
{
    double w = fmin((double)a[2], (double)b[2]) - fmax((double)a[0], (double)b[0]);
    double h = fmin((double)a[3], (double)b[3]) - fmax((double)a[1], (double)b[1]);
    double both = w > 0 && h > 0 ? w * h : 0;
    double all = ((double)a[2] - (double)a[0]) * ((double)a[3] - (double)a[1]) +
                 ((double)b[2] - (double)b[0]) * ((double)b[3] - (double)b[1]) - both;

    return all > 0 ? both / all : 0;
}

/* The true box of the class that this one covers best in its frame. */
static long best_box(const struct detection *d, const struct detection *truth, size_t n,
                     int32_t class, double *iou)
{
    long best = -1;

    *iou = 0;
    for (size_t i = 0; i < n; i++) {
        if (truth[i].frame != d->frame || truth[i].class != class)
            continue;
        double x = box_iou(d->box, truth[i].box);
        if (x > *iou) {
            *iou = x;
            best = (long)i;
        }
    }
    return best;
}

/* at[k] = detections down to hit k; returns the hits. */
static size_t match(const struct detection *found, size_t n_found, const struct detection *truth,
                    size_t n_truth, int32_t class, double iou, bool *taken, double *at)
{
    size_t hits = 0;
    double n = 0;

    for (size_t i = 0; i < n_found; i++) {
        double covers;

        if (found[i].class != class)
            continue;
        long b = best_box(&found[i], truth, n_truth, class, &covers);
        n++;
        if (b < 0 || covers < iou || taken[b])
            continue;
        taken[b] = true;
        at[hits++] = n;
    }
    return hits;
}

struct metric metric_detection_ap(struct detection *found, size_t n_found,
                                  const struct detection *truth, size_t n_truth, int32_t class,
                                  double iou)
{
    size_t boxes = 0;

    for (size_t i = 0; i < n_truth; i++)
        boxes += truth[i].class == class;
    if (!boxes)
        return undefined("no true box of this class");
    if (n_found > 1)
        qsort(found, n_found, sizeof *found, by_confidence);
    bool *taken = calloc(n_truth, sizeof *taken);
    double *at = calloc(boxes, sizeof *at), envelope = 0, area = 0;
    if (!taken || !at) {
        free(taken);
        free(at);
        return undefined("out of memory");
    }
    /* precision at hit k is (k + 1) / at[k]; its envelope from the right */
    for (size_t k = match(found, n_found, truth, n_truth, class, iou, taken, at); k-- > 0;) {
        envelope = fmax(envelope, (double)(k + 1) / at[k]);
        area += envelope;
    }
    free(taken);
    free(at);
    return value(area / (double)boxes);
}

/* ---- distributions ---------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

static bool any_nan(const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (isnan(x[i]))
            return true;
    return false;
}

struct metric metric_ks(double *a, size_t n, double *b, size_t m)
{
    double most = 0;

    if (!n || !m)
        return undefined("one of the two has no values");
    if (any_nan(a, n) || any_nan(b, m))
        return undefined("a value is not a number");
    qsort(a, n, sizeof *a, by_value);
    qsort(b, m, sizeof *b, by_value);
    for (size_t i = 0, j = 0; i < n && j < m;) {
        double x = fmin(a[i], b[j]);

        while (i < n && a[i] == x)
            i++;
        while (j < m && b[j] == x)
            j++;
        most = fmax(most, fabs((double)i / (double)n - (double)j / (double)m));
    }
    return value(most);
}

double metric_ks_p(double distance, size_t n, size_t m)
{
    double k = sqrt((double)n * (double)m / ((double)n + (double)m));
    double x = (k + 0.12 + 0.11 / k) * distance, sum = 0, sign = 2;

    if (x < 0.2) /* the series converges slowly there: 1 to 1e-12 */
        return 1;
    for (int j = 1; j <= 100; j++) {
        double term = exp(-2.0 * j * j * x * x);

        sum += sign * term;
        if (term < 1e-17)
            break;
        sign = -sign;
    }
    return fmin(fmax(sum, 0), 1);
}
