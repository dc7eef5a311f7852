/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The machine over its nodes: how far they are apart, and what is said of each. It must
 * never claim: a broken part, only what differs; a node's name in a redacted report; that
 * one run, or a witness that is not confirmed, makes a slow node.
 */
#include <config.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/draw/html.h"
#include "reports/record/fields.h"
#include "reports/report/section.h"

/* ---- node spread ---- */

enum { WORST_MOST = 8 };

#define WATCH 4.0 /* percent above the median: looked at; beyond ACT: measured again */
#define ACT   6.0

/* Seconds of one phase over the ranks, as percent above the median. */
struct spread {
    struct strip_point points[WORST_MOST];
    char names[WORST_MOST][80];
    struct strip_row row;
    struct said label;
    double median, ranks;
};

static double above(double seconds, double median)
{
    return 100 * (seconds / median - 1);
}

static void spread_of(struct page *p, int group, struct spread *s)
{
    const cJSON *w = group_work(p, group), *phase = json_at(w, "phases.compute"), *worst;
    double median = json_number(phase, "median_seconds", NAN);
    int n = 0;

    *s = (struct spread){.median = median, .ranks = json_number(w, "ranks_known", NAN)};
    s->label = group_name(p, group);
    cJSON_ArrayForEach(worst, json_at(phase, "worst")) if (n < WORST_MOST)
    {
        snprintf(s->names[n], sizeof s->names[n], "%.70s", json_text(worst, "node", "–"));
        s->points[n] =
            (struct strip_point){s->names[n], above(json_number(worst, "seconds", NAN), median)};
        n++;
    }
    /* of at most eight ranks each is among the worst: points alone tell all */
    s->row =
        (struct strip_row){.label = s->label.text,
                           .points = s->points,
                           .n = n,
                           .boxed = s->ranks > n,
                           .quantile = {above(json_number(phase, "min_seconds", NAN), median), NAN,
                                        0, above(json_number(phase, "p95_seconds", NAN), median),
                                        above(json_number(phase, "max_seconds", NAN), median)}};
}

struct spreads {
    struct spread *of;
    int n;
};

static void draw_spreads(struct page *p, struct pic *pic, const void *what)
{
    const struct spreads *s = what;
    struct strip_row rows[BOOK_MOST_GROUPS];
    struct said title = said(&p->pen, W_SPREAD_TITLE), watch = said(&p->pen, W_ZONE_WATCH);
    struct said act = said(&p->pen, W_ZONE_ACT), desc;
    const char *const zones[2] = {watch.text, act.text};
    char texts[8][TICK_TEXT], all[4096] = "";
    struct tick ticks[8];
    double least = -2, most = 10;
    size_t used = 0;

    for (int i = 0; i < s->n; i++) {
        rows[i] = s->of[i].row;
        least = fmin(least, isfinite(rows[i].quantile[0]) ? rows[i].quantile[0] : 0);
        most = fmax(most, isfinite(rows[i].quantile[4]) ? 1.1 * rows[i].quantile[4] : 0);
        desc = said(&p->pen, W_SPREAD_DESC, T(rows[i].label), N(rows[i].quantile[0]),
                    N(rows[i].quantile[4]), N(s->of[i].ranks));
        if (used < sizeof all)
            used += (size_t)snprintf(all + used, sizeof all - used, "%s", desc.text);
    }
    struct axis x = {.least = least, .most = most, .ticks = ticks};
    x.n = chart_ticks(least, most, false, ticks, texts, 8);
    pic->title = title.text;
    pic->desc = all;
    draw_strip(pic, rows, s->n, &x, WATCH, ACT, zones);
}

static void spread_table(struct page *p, const struct spreads *s)
{
    static const struct column columns[] = {{W_WORKLOAD, false},    {W_RANKS, true},
                                            {W_MEDIAN, true},       {W_FASTEST_RANK, true},
                                            {W_SLOWEST_RANK, true}, {W_SLOWEST, false}};
    struct grid g;

    grid_open(&g, p, columns, 6, false);
    for (int i = 0; i < s->n; i++) {
        const struct spread *own = &s->of[i];
        grid_row(&g);
        grid_value(&g, T(own->label.text), "");
        grid_value(&g, N(own->ranks), "n");
        grid_value(&g, N(own->median), "dur");
        grid_value(&g, N(own->row.quantile[0]), "pct1");
        grid_value(&g, N(own->row.quantile[4]), "pct1");
        grid_value(&g, T(own->row.n ? own->names[0] : "–"), "");
    }
    grid_close(&g);
}

/* ---- what is said of a node ---- */

enum { NAMES_MOST = 512, ROWS_MOST = 24 };

/* Nodes that the records tell of, each once. */
struct names {
    int n;
    const char *of[NAMES_MOST];
};

static void add_name(struct names *names, const char *name)
{
    if (!name[0])
        return;
    for (int i = 0; i < names->n; i++)
        if (strcmp(names->of[i], name) == 0)
            return;
    if (names->n < NAMES_MOST)
        names->of[names->n++] = name;
}

static void names_of(const struct page *p, struct names *names)
{
    const cJSON *row;

    names->n = 0;
    for (int i = 0; i < p->book->n_groups; i++) {
        cJSON_ArrayForEach(row, json_at(group_work(p, i), "why.causes"))
            add_name(names, json_text(row, "node", ""));
        cJSON_ArrayForEach(row, json_at(group_work(p, i), "phases.compute.worst"))
            add_name(names, json_text(row, "node", ""));
    }
    for (int i = 0; i < p->book->n; i++)
        cJSON_ArrayForEach(row, json_at(p->book->records[i], "system.nodes"))
            add_name(names, json_text(row, "name", ""));
}

/* The table, opened by its first row. */
struct witnesses {
    struct page *p;
    struct grid g;
    int rows, left; /* left: beyond ROWS_MOST */
};

static bool open_row(struct witnesses *w, const char *node, enum word who)
{
    static const struct column columns[] = {{W_NODE_NAME, false}, {W_WITNESS, false},
                                            {W_SAYS, false},      {W_SAYS_OF, false},
                                            {W_SAYS_BY, true},    {W_SAYS_SURE, false}};

    if (w->rows == ROWS_MOST) {
        w->left++;
        return false;
    }
    if (w->rows++ == 0)
        grid_open(&w->g, w->p, columns, 6, false);
    grid_row(&w->g);
    grid_value(&w->g, T(node), "");
    grid_say(&w->g, who);
    return true;
}

/* The diagnosis of a training; true: it names this node. */
static bool by_diagnosis(struct witnesses *w, int group, const char *node)
{
    const cJSON *why = json_at(group_work(w->p, group), "why"), *row;
    bool named = false;
    char said_[SAID_SIZE];

    cJSON_ArrayForEach(row, json_at(why, "causes"))
    {
        const int cause = cause_find(json_text(row, "cause", ""));
        if (cause < 0 || strcmp(json_text(row, "node", ""), node) != 0)
            continue;
        named = true;
        if (!open_row(w, node, W_BY_DIAGNOSIS))
            continue;
        const bool sure = cJSON_IsTrue(json_at(why, "confirmed")) &&
                          strcmp(json_text(why, "cause", ""), json_text(row, "cause", "")) == 0;
        cause_said((enum cause)cause, node, w->p->pen.lang, said_, sizeof said_);
        grid_cell(&w->g);
        html_text(w->p->pen.f, said_, 0);
        grid_value(&w->g, T(group_name(w->p, group).text), "");
        grid_say(&w->g, W_OF_STEP, N(100 * json_number(row, "share", NAN)));
        grid_say(&w->g, sure ? W_CAUSE_CONFIRMED : W_CAUSE_OPEN);
    }
    return named;
}

/* Time of the same work, of a node's slowest rank; true: it is beyond ACT. */
static bool by_time(struct witnesses *w, int group, const char *node)
{
    const cJSON *phase = json_at(group_work(w->p, group), "phases.compute"), *row;
    const double median = json_number(phase, "median_seconds", NAN);

    cJSON_ArrayForEach(row, json_at(phase, "worst"))
    {
        const double more = above(json_number(row, "seconds", NAN), median);
        if (strcmp(json_text(row, "node", ""), node) != 0 || !(more > ACT))
            continue;
        if (open_row(w, node, W_BY_COMPUTE_TIME)) {
            grid_say(&w->g, W_SLOWER_THAN_MEDIAN);
            grid_value(&w->g, T(group_name(w->p, group).text), "");
            grid_say(&w->g, W_MORE_TIME, N(more));
            grid_say(&w->g, W_THIS_RUN_ALONE);
        }
        return true;
    }
    return false;
}

static void by_validation(struct witnesses *w, const struct verdict_line *v)
{
    static const enum word words[VERDICT_COUNT] = {
        [VERDICT_GOOD] = W_VERDICT_GOOD,       [VERDICT_TRANSIENT] = W_VERDICT_TRANSIENT,
        [VERDICT_SYSTEM] = W_VERDICT_SYSTEM,   [VERDICT_INCONCLUSIVE] = W_VERDICT_INCONCLUSIVE,
        [VERDICT_SUSPECT] = W_VERDICT_SUSPECT, [VERDICT_UNKNOWN] = W_VERDICT_UNKNOWN,
        [VERDICT_SLOW] = W_VERDICT_SLOW,       [VERDICT_FAULTY] = W_VERDICT_FAULTY};

    if (!open_row(w, v->node, W_BY_VALIDATION))
        return;
    grid_say(&w->g, words[verdict_of(v)]);
    grid_value(&w->g, T(v->metric[0] ? v->metric : "–"), "");
    if (isfinite(v->loss))
        grid_say(&w->g, W_LOSES, N(v->loss));
    else
        grid_value(&w->g, N(NAN), "");
    grid_say(&w->g, v->gated ? W_MEASURED_ONCE : W_MEASURED_ON, N((double)v->time));
}

enum { SEEN_GOOD, SEEN_WATCH, SEEN_BAD, SEEN_NOT, SEEN_COUNT };

static int seen(const struct verdict_line *v)
{
    switch (v ? verdict_of(v) : VERDICT_COUNT) {
    case VERDICT_GOOD:
    case VERDICT_TRANSIENT:
        return SEEN_GOOD;
    case VERDICT_SLOW:
    case VERDICT_FAULTY:
        return SEEN_BAD;
    case VERDICT_COUNT:
        return SEEN_NOT;
    default:
        return SEEN_WATCH;
    }
}

static void witnesses(struct page *p)
{
    static struct names names;
    struct witnesses w = {.p = p};
    const char *cluster = json_text(p->book->records[0], "job.cluster", "");
    int count[SEEN_COUNT] = {0};

    names_of(p, &names);
    for (int i = 0; i < names.n; i++) {
        const struct verdict_line *v =
            p->o->verdicts ? node_verdict(p->o->verdicts, names.of[i], cluster) : NULL;
        bool named = false;
        for (int k = 0; k < p->book->n_groups; k++) {
            named |= by_diagnosis(&w, k, names.of[i]);
            named |= by_time(&w, k, names.of[i]);
        }
        if (v && (named || seen(v) != SEEN_GOOD))
            by_validation(&w, v);
        count[seen(v)]++;
    }
    if (w.rows)
        grid_close(&w.g);
    else
        para(p, NULL, W_NOTHING_OF_NODES);
    if (w.left)
        para(p, "small", W_WITNESSES_LEFT, N(w.left));
    if (p->o->verdicts)
        para(p, NULL, W_VERDICTS, N(names.n), N(count[SEEN_GOOD]), N(count[SEEN_WATCH]),
             N(count[SEEN_BAD]), N(count[SEEN_NOT]));
    else if (!p->o->redacted) /* verdicts are found by names */
        para(p, "small", W_VERDICTS_NOT_ASKED);
}

void section_nodes(struct page *p)
{
    struct spread *of = calloc(BOOK_MOST_GROUPS, sizeof *of);
    struct spreads s = {of, 0};

    for (int i = 0; of && i < p->book->n_groups; i++) {
        spread_of(p, i, &of[s.n]);
        of[s.n].row.label = of[s.n].label.text;
        of[s.n].row.points = of[s.n].points;
        s.n += of[s.n].median > 0 && of[s.n].ranks >= 2;
    }
    if (s.n == 0) {
        para(p, NULL, W_NO_SPREAD);
    } else {
        figure_open(p, false);
        say(&p->pen, p->o->redacted ? W_SPREAD_REDACTED : W_SPREAD_CAPTION);
        figure_chart(p, draw_spreads, &s, 520);
        spread_table(p, &s);
        figure_close(p);
    }
    free(of);
    heading(p, 3, W_OF_NODES);
    witnesses(p);
}
