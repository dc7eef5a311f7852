/* SPDX-License-Identifier: BSD-3-Clause */
/* A baseline for each class, out of what its nodes measured. */
#include <config.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/validate/baseline.h"
#include "reports/validate/lines.h"
#include "reports/validate/names.h"
#include "reports/validate/node_line.h"

/* ---- what nodes said last ---- */

struct census {
    struct names nodes;
    struct baseline_node *of; /* [room] */
    int room;
};

static int count_line(const char *line, void *ctx, struct err *e)
{
    struct census *c = ctx;
    struct node_result r;

    if (node_line_parse(line, &r) < 0 || !r.run[0] || strcmp(r.class, "links") == 0)
        return 0;
    const int node = names_add(&c->nodes, past_identity(&r));
    if (node >= c->room) {
        int room = c->room ? 2 * c->room : 64;
        struct baseline_node *more = realloc(c->of, (size_t)room * sizeof *more);
        if (!more)
            return err_set(e, "out of memory for the inventory");
        c->of = more;
        c->room = room;
    }
    if (node < 0)
        return err_set(e, "out of memory for the inventory");
    snprintf(c->of[node].node, sizeof c->of[node].node, "%s", r.node);
    snprintf(c->of[node].class, sizeof c->of[node].class, "%s", r.class);
    baseline_facts(&r, c->of[node].facts);
    return 0;
}

int baseline_nodes(const char *values, struct baseline_node **nodes, int *n, struct err *e)
{
    char line[NODE_LINE_SIZE + 1];
    struct census c = {.of = NULL};
    const int rc = lines_read("the values", values, line, sizeof line, count_line, &c, e);

    *n = rc == 0 ? c.nodes.n : 0;
    *nodes = rc == 0 ? c.of : NULL;
    if (rc < 0)
        free(c.of);
    names_fini(&c.nodes);
    return rc;
}

/* What more than half of the class's nodes have (Boyer and Moore 1981); "": nothing. */
static void majority(const struct baseline_node *nodes, int n, const char *class, int fact,
                     char is[BASELINE_FACT_SIZE])
{
    int lead = 0, all = 0, equal = 0;
    const char *candidate = "";

    for (int i = 0; i < n; i++) {
        const char *has = nodes[i].facts[fact];
        if (strcmp(nodes[i].class, class) != 0 || strcmp(has, "-") == 0)
            continue;
        all++;
        if (lead == 0)
            candidate = has;
        lead += strcmp(has, candidate) == 0 ? 1 : -1;
    }
    for (int i = 0; i < n; i++)
        equal += strcmp(nodes[i].class, class) == 0 && strcmp(nodes[i].facts[fact], candidate) == 0;
    snprintf(is, BASELINE_FACT_SIZE, "%s", 2 * equal > all ? candidate : "");
}

/* ---- proposing ---- */

static int fill(struct past *p, int class, const struct baseline_node *nodes, int n,
                struct baseline *b, struct err *e)
{
    struct judge_history h;

    *b = (struct baseline){.runs = past_software_runs(p, class)};
    snprintf(b->class, sizeof b->class, "%s", past_class(p, class));
    snprintf(b->software, sizeof b->software, "%s", past_software(p, class));
    for (int i = 0; i < n; i++)
        b->nodes += strcmp(nodes[i].class, b->class) == 0;
    for (int m = 0; m < NODE_METRICS; m++) {
        if (past_parts(p, class, m, true, &h, e) < 0)
            return -1;
        if (!h.known)
            continue;
        b->metrics[m] = (struct baseline_metric){
            .there = true,
            .value = exp((node_metric_row(m)->more_is_better ? -h.baseline : h.baseline) / 100),
            .between = h.between,
            .run = h.run,
            .step = h.step,
            .shift = h.shift,
            .freedom = h.freedom};
    }
    for (int i = 0; i < BASELINE_FACTS; i++)
        majority(nodes, n, b->class, i, b->facts[i]);
    return 0;
}

int baseline_propose(const char *values, struct past *p, struct baseline **b, int *n, struct err *e)
{
    struct baseline_node *nodes;
    int n_nodes, classes = 0, rc = baseline_nodes(values, &nodes, &n_nodes, e);

    while (past_class(p, classes))
        classes++;
    *n = 0;
    *b = calloc((size_t)classes + 1, sizeof **b);
    if (rc == 0 && !*b)
        rc = err_set(e, "out of memory for %d baselines", classes);
    for (int class = 0; class < classes && rc == 0; class ++)
        if (past_software(p, class) && strcmp(past_class(p, class), "links") != 0)
            rc = fill(p, class, nodes, n_nodes, &(*b)[(*n)++], e);
    free(nodes);
    if (rc < 0) {
        free(*b);
        *b = NULL;
        *n = 0;
    }
    return rc;
}
