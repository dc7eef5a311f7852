/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/diagnose/roofline.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "reports/record/fields.h"

static const char *const types[ROOFLINE_TYPES] = {"f32", "bf16"};
static const char *const levels[ROOFLINE_LEVELS] = {"L1", "L2", "L3", "DRAM"};

/* ---- roofs ------------------------------------------------------------ */

static bool is_row(const cJSON *m, const char *name)
{
    const char *status = json_text(m, "status", "OK");

    return strcmp(json_text(m, "name", ""), name) == 0 &&
           (strcmp(status, "OK") == 0 || strcmp(status, "SLOW") == 0);
}

static int type_of(const char *dtype)
{
    for (int i = 0; i < ROOFLINE_TYPES; i++)
        if (strcmp(types[i], dtype) == 0)
            return i;
    return -1;
}

/* Index of the level that a shape begins with: "L2", "DRAM non-temporal"; -1. */
static int level_of(const char *shape)
{
    for (int i = 0; i < ROOFLINE_LEVELS; i++) {
        const size_t n = strlen(levels[i]);
        if (strncmp(shape, levels[i], n) == 0 && (!shape[n] || shape[n] == ' '))
            return i;
    }
    return -1;
}

static void take_peak(struct roofline *r, const cJSON *m, double value)
{
    const char *what = json_text(m, "what", "");
    const int type = type_of(json_text(m, "dtype", ""));

    if (type < 0)
        return;
    struct roofline_peak *p = &r->peak[type];
    if (strcmp(what, "convolution") == 0)
        p->convolution = fmax(p->convolution, value);
    if (!(value > p->peak) || strcmp(json_text(m, "unit", ""), "FLOP/s") != 0)
        return;
    p->peak = value;
    if (strcmp(what, "peak") == 0)
        snprintf(p->source, sizeof p->source, "%.63s", json_text(m, "shape", ""));
    else
        snprintf(p->source, sizeof p->source, "%.24s %.36s", what, json_text(m, "shape", ""));
}

/* A row works on half of what its level holds for a rank (workloads/micro/micro.h). */
static void take_level(struct roofline_level all[ROOFLINE_LEVELS], const cJSON *m, double value)
{
    const char *shape = json_text(m, "shape", "");
    const int i = level_of(shape);

    if (i < 0 || !(value > all[i].bandwidth))
        return;
    all[i].bandwidth = value;
    all[i].bytes = i == ROOFLINE_LEVELS - 1 ? INFINITY : 2 * json_number(m, "bytes", 0);
    snprintf(all[i].kernel, sizeof all[i].kernel, "%.24s %.36s", json_text(m, "what", ""), shape);
}

static void explain(struct roofline *r, bool any)
{
    if (any)
        snprintf(r->why, sizeof r->why,
                 "the rows of machine have no ceilings for %d thread%s; use the same threads= for "
                 "both",
                 r->threads, r->threads == 1 ? "" : "s");
    else
        snprintf(r->why, sizeof r->why,
                 "the record has no ceilings; run machine+WORKLOAD, or name a run that has them "
                 "with --ceilings");
}

void roofline_read(struct roofline *r, const cJSON *doc, int threads)
{
    struct roofline_level all[ROOFLINE_LEVELS] = {0};
    const cJSON *m;
    bool any = false, peak = false;

    memset(r, 0, sizeof *r);
    r->threads = threads;
    for (int i = 0; i < ROOFLINE_TYPES; i++)
        snprintf(r->peak[i].dtype, sizeof r->peak[i].dtype, "%s", types[i]);
    cJSON_ArrayForEach(m, json_at(doc, "micro"))
    {
        const double value = json_number(m, "median", NAN);

        if (!is_row(m, "machine"))
            continue;
        any = true;
        if (!(value > 0) || !isfinite(value) || json_number(m, "threads", 0) != threads)
            continue;
        take_peak(r, m, value);
        if (strcmp(json_text(m, "unit", ""), "B/s") == 0)
            take_level(all, m, value);
    }
    for (int i = 0; i < ROOFLINE_LEVELS; i++)
        if (all[i].bandwidth > 0) {
            snprintf(all[i].name, sizeof all[i].name, "%s", levels[i]);
            r->level[r->n_levels++] = all[i];
        }
    for (int i = 0; i < ROOFLINE_TYPES; i++)
        peak = peak || r->peak[i].peak > 0;
    if (!peak || r->n_levels == 0)
        explain(r, any);
}

double roofline_peak_of(const struct roofline *r, const char *dtype)
{
    const int type = type_of(dtype);

    return type < 0 ? 0 : r->peak[type].peak;
}

double roofline_bandwidth(const struct roofline *r, double bytes, int *level)
{
    int i = 0;

    while (i < r->n_levels && bytes > r->level[i].bytes)
        i++;
    *level = i < r->n_levels ? i : -1;
    if (*level < 0) /* larger than the last level that was measured */
        return NAN;
    if (i == 0)
        return r->level[0].bandwidth;
    const struct roofline_level *in = &r->level[i - 1];
    const double there = in->bytes / in->bandwidth;
    const double below = (bytes - in->bytes) / r->level[i].bandwidth;
    return fmin(bytes / fmax(there, below), in->bandwidth); /* all of it passes that level */
}

/* ---- points ----------------------------------------------------------- */

struct roofline_point roofline_point(const struct roofline *r, const struct roofline_work *w)
{
    struct roofline_point p = {.floor = NAN, .share = NAN, .level = -1};
    const double peak = roofline_peak_of(r, w->dtype);
    const double bandwidth = roofline_bandwidth(r, w->set > 0 ? w->set : w->bytes, &p.level);

    if (!(w->seconds > 0))
        return p;
    p.intensity = w->bytes > 0 ? w->flop / w->bytes : 0;
    p.flops = w->flop / w->seconds;
    p.bandwidth = w->bytes / w->seconds;
    if ((w->flop > 0 && !(peak > 0)) || !isfinite(bandwidth))
        return p;
    const double moved = w->bytes / bandwidth, computed = w->flop > 0 ? w->flop / peak : 0;
    p.memory = moved > computed;
    p.floor = fmax(moved, computed);
    p.share = p.floor / w->seconds;
    p.above = p.share > 1 + ROOFLINE_GRACE;
    return p;
}

struct roofline_work roofline_operator(const cJSON *row)
{
    const double calls = json_number(row, "calls", 0);
    struct roofline_work w = {.dtype = json_text(row, "dtype", "f32"), .seconds = NAN};

    if (calls > 0) {
        w.flop = json_number(row, "needed_flop", 0) / calls;
        w.bytes = json_number(row, "bytes", 0) / calls;
        w.seconds = json_number(row, "seconds", NAN) / calls;
    }
    return w;
}

bool roofline_micro(const cJSON *row, int threads, struct roofline_work *w)
{
    const char *unit = json_text(row, "unit", "");
    const double value = json_number(row, "median", NAN);

    *w = (struct roofline_work){.dtype = json_text(row, "dtype", "f32"),
                                .flop = json_number(row, "flop", NAN),
                                .bytes = json_number(row, "bytes", 0)};
    if (is_row(row, "machine") || strcmp(json_text(row, "status", "OK"), "OK") != 0 ||
        json_number(row, "threads", 0) != threads || !(w->flop >= 0) || !(w->bytes > 0) ||
        !(value > 0))
        return false;
    w->seconds = strcmp(unit, "FLOP/s") == 0 ? w->flop / value
                 : strcmp(unit, "B/s") == 0  ? w->bytes / value
                 : strcmp(unit, "s") == 0    ? value
                                             : NAN;
    return w->seconds > 0;
}

static void count_point(struct roofline_count *n, struct roofline_point p)
{
    n->points += isfinite(p.share);
    n->above += p.above;
}

struct roofline_count roofline_count(const struct roofline *r, const cJSON *doc,
                                     const cJSON *workload)
{
    const struct roofline_step step = roofline_step(doc, workload);
    struct roofline_count n = {0, 0};
    const cJSON *row;

    count_point(&n, roofline_point(r, &step.work));
    cJSON_ArrayForEach(row, json_at(workload, "profile.operators"))
    {
        const struct roofline_work w = roofline_operator(row);
        count_point(&n, roofline_point(r, &w));
    }
    return n;
}

void roofline_verdict(int above, char *text, size_t size)
{
    snprintf(text, size, "%s", "");
    if (above)
        snprintf(text, size,
                 "the roofline is not valid: %d point%s more than %.0f %% above the roof; the "
                 "ceilings were taken on a slower or busier machine than the work, measure both "
                 "again",
                 above, above == 1 ? " is" : "s are", 100 * ROOFLINE_GRACE);
}

double roofline_floor(const struct roofline *r, const cJSON *workload)
{
    const double steps = json_number(workload, "profile.steps", 0);
    const cJSON *row;
    double floor = 0;

    cJSON_ArrayForEach(row, json_at(workload, "profile.operators"))
    {
        const struct roofline_work w = roofline_operator(row);
        if (w.seconds > 0)
            floor += roofline_point(r, &w).floor * json_number(row, "calls", 0);
    }
    return steps > 0 ? floor / steps : NAN;
}

/* ---- steps of a workload ---------------------------------------------- */

/* Bytes of all operators of a step, and the largest set of one of them. */
static void sum_operators(const cJSON *profile, struct roofline_work *w)
{
    const double steps = json_number(profile, "steps", 0);
    const cJSON *row;

    w->flop = json_number(profile, "others.needed_flop", 0);
    w->bytes = json_number(profile, "others.bytes", 0);
    cJSON_ArrayForEach(row, json_at(profile, "operators"))
    {
        w->flop += json_number(row, "needed_flop", 0);
        w->bytes += json_number(row, "bytes", 0);
        w->set = fmax(w->set, roofline_operator(row).bytes);
    }
    w->flop /= steps;
    w->bytes /= steps;
    w->seconds = json_number(profile, "step_seconds", NAN) / steps;
}

/* The rate of the message whose size is nearest, by the best way to send it. */
static double exchange_rate(const cJSON *doc, double bytes, char *source, size_t size)
{
    const cJSON *m;
    double best = NAN, nearest = INFINITY;

    cJSON_ArrayForEach(m, json_at(doc, "micro"))
    {
        const double sent = json_number(m, "bytes", 0);
        const double rate = json_number(m, "algbw_bytes_per_second", NAN);
        const double far = fabs(log(sent / bytes));

        if (!is_row(m, "allreduce") || !(sent > 0) || !(rate > 0) || far > nearest + 1e-9 ||
            (far > nearest - 1e-9 && rate <= best))
            continue;
        nearest = far;
        best = rate;
        snprintf(source, size, "allreduce %.20s of %.0f B", json_text(m, "what", ""), sent);
    }
    return best;
}

static double read_rate(const cJSON *doc, char *source, size_t size)
{
    const cJSON *m;
    double best = NAN;

    cJSON_ArrayForEach(m, json_at(doc, "micro"))
    {
        const double rate = json_number(m, "median", NAN);

        if (!is_row(m, "read") || strcmp(json_text(m, "unit", ""), "B/s") != 0 || !(rate > 0) ||
            rate <= best)
            continue;
        best = rate;
        snprintf(source, size, "read %.24s %.28s", json_text(m, "what", ""),
                 json_text(m, "shape", ""));
    }
    return best;
}

struct roofline_step roofline_step(const cJSON *doc, const cJSON *w)
{
    const cJSON *profile = json_at(w, "profile");
    const double steps = json_number(profile, "steps", 0);
    const double rows = json_number(w, "batch", NAN) / json_number(w, "ranks", NAN);
    struct roofline_step s = {.work = {.dtype = json_text(w, "dtype", "f32"), .seconds = NAN},
                              .exchange_rate = NAN,
                              .read_rate = NAN};

    if (!(steps > 0))
        return s;
    sum_operators(profile, &s.work);
    if (json_number(w, "ranks", 1) > 1)
        s.exchanged_bytes = json_number(profile, "exchanged_bytes", 0) / steps;
    s.read_bytes = rows * json_number(w, "data.sample_bytes", 0);
    if (!isfinite(s.read_bytes))
        s.read_bytes = 0;
    if (s.exchanged_bytes > 0)
        s.exchange_rate =
            exchange_rate(doc, s.exchanged_bytes, s.exchange_source, sizeof s.exchange_source);
    if (s.read_bytes > 0)
        s.read_rate = read_rate(doc, s.read_source, sizeof s.read_source);
    return s;
}
