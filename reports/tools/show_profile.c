/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the time of training steps went, as tables. */
#include <config.h>

#include "reports/tools/show_profile.h"

#include <math.h>
#include <stdio.h>

#include "reports/diagnose/memory_bound.h"
#include "reports/diagnose/roofline.h"
#include "reports/draw/table.h"
#include "reports/record/fields.h"
#include "reports/tools/show_text.h"

struct cell {
    char text[64];
};

static struct cell cell_number(double v, int digits)
{
    struct cell c = {"-"};

    if (isfinite(v))
        snprintf(c.text, sizeof c.text, "%.*f", digits, v);
    return c;
}

static struct cell cell_percent(double part)
{
    struct cell c = {"-"};

    if (isfinite(part))
        snprintf(c.text, sizeof c.text, fabs(part) < 1e12 ? "%.*f %%" : "%.*e %%",
                 part < 0.0995 ? 1 : 0, 100 * part);
    return c;
}

/* Nothing is counted where there is nothing: "-". */
static struct cell cell_rate(double v)
{
    return v > 0 ? cell_number(v / 1e9, v < 9.95e9 ? 2 : 1) : (struct cell){"-"};
}

/* ---- parts of a step -------------------------------------------------- */

static void show_parts(const cJSON *p, double steps)
{
    static const struct {
        const char *key, *title;
    } parts[] = {
        {"operators_seconds", "operators"},
        {"input_seconds", "waiting for samples"},
        {"feed_seconds", "feeding them"},
        {"zero_seconds", "zeroing gradients"},
        {"exchange_seconds", "moving the exchange on"},
        {"wait_seconds", "waiting for the exchange"},
        {"update_seconds", "update"},
        {"read_seconds", "reading the loss"},
        {"agree_seconds", "between steps"},
        {"other_seconds", "other"},
    };
    const double all = json_number(p, "step_seconds", NAN);

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const double v = json_number(p, parts[i].key, NAN);
        if (v > 0)
            show_line("  %-26s %12s  %6s", parts[i].title, show_duration(v / steps).text,
                      cell_percent(v / all).text);
    }
}

/* ---- operators -------------------------------------------------------- */

static void show_operator(struct table *t, const struct roofline *r, const cJSON *row, double steps,
                          double all)
{
    const struct roofline_work w = roofline_operator(row);
    const struct roofline_point p = roofline_point(r, &w);
    const double seconds = json_number(row, "seconds", NAN);
    const struct cell ms = cell_number(seconds / steps * 1e3, 3),
                      part = cell_percent(seconds / all), flops = cell_rate(p.flops),
                      bytes = cell_rate(p.bandwidth), share = cell_percent(p.share);
    char roof[80];

    snprintf(roof, sizeof roof, "%s%s", share.text, p.above ? " ABOVE" : "");
    const char *const cells[] = {
        json_text(row, "name", "?"),
        json_text(row, "pass", "?"),
        ms.text,
        part.text,
        flops.text,
        bytes.text,
        roof,
        p.level < 0 ? "-"
        : p.memory  ? r->level[p.level].name
                    : "FLOP",
        json_text(row, "dtype", "-"),
        json_text(row, "implementation", "-"),
    };
    table_row(t, cells);
}

static void show_rest(const cJSON *p, double steps, double all)
{
    const double n = json_number(p, "others.operators", 0);
    const double seconds = json_number(p, "others.seconds", 0);

    if (n > 0)
        show_line("  and %.0f more operators: %s ms a step, %s", n,
                  cell_number(seconds / steps * 1e3, 3).text, cell_percent(seconds / all).text);
}

static void show_operators(const struct roofline *r, const cJSON *p, double steps)
{
    static const struct table_column columns[] = {
        {"operator", false, 8, 0}, {"pass", false, 0, 0},     {"ms/step", true, 0, 0},
        {"time", true, 0, 0},      {"GFLOP/s", true, 0, 0},   {"GB/s", true, 0, 0},
        {"of roof", true, 0, 0},   {"bound by", false, 0, 3}, {"type", false, 0, 2},
        {"made by", false, 8, 1},
    };
    const double all = json_number(p, "step_seconds", NAN);
    const cJSON *row;
    struct table t;

    table_init(&t, stdout, table_terminal_width(), columns, sizeof columns / sizeof *columns);
    cJSON_ArrayForEach(row, json_at(p, "operators")) show_operator(&t, r, row, steps, all);
    table_fini(&t);
    show_rest(p, steps, all);
}

static void show_memory(const cJSON *w, const cJSON *ceilings)
{
    const struct memory_bound m = memory_bound(ceilings, w);
    char text[200];

    snprintf(text, sizeof text,
             "memory binds %.0f to %.0f %% of the operators' time; %.0f %% is spent in operators "
             "that take more than twice what either roof asks for",
             100 * m.low, 100 * m.high, 100 * m.slow);
    if (m.why[0])
        snprintf(text, sizeof text, "how much memory binds is not known: %s", m.why);
    show_wrapped("  ", text, 2);
}

static void show_workload(const cJSON *w, const cJSON *ceilings)
{
    const cJSON *p = json_at(w, "profile");
    const double steps = json_number(p, "steps", 0);
    struct roofline r;

    roofline_read(&r, ceilings, (int)json_integer(w, "threads", 0, 1 << 20, 0));
    show_line(
        "%s %s: %s a step, %.0f steps%s", json_text(w, "name", "?"), json_text(w, "class", ""),
        show_duration(json_number(p, "step_seconds", NAN) / steps).text, steps,
        cJSON_IsTrue(json_at(p, "steady")) ? " after the first epoch" : " of the first epoch");
    show_parts(p, steps);
    printf("\n");
    show_operators(&r, p, steps);
    if (r.why[0])
        show_wrapped("  ", r.why, 2);
    else
        show_memory(w, ceilings);
}

int show_profile(const cJSON *doc, const cJSON *ceilings, struct err *e)
{
    const cJSON *w;
    int shown = 0;

    cJSON_ArrayForEach(w, json_at(doc, "workloads"))
    {
        if (!(json_number(w, "profile.steps", 0) > 0))
            continue;
        if (shown++)
            printf("\n");
        show_workload(w, ceilings);
    }
    if (shown)
        return 0;
    err_set(e, "%s has no profile: it trained no network, ended early, or is of an older agent",
            json_text(doc, "id", "the record"));
    return 1;
}
