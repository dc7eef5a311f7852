/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines and facts. Proposing: propose.c */
#include <config.h>

#include "reports/validate/baseline.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/validate/json_line.h"
#include "reports/validate/lines.h"

static const char kind[] = "baseline 1", what[] = "the baselines";

/* ---- facts ---- */

enum { FACT_CPUS, FACT_MEMORY, FACT_MICROCODE, FACT_NUMA, FACT_GOVERNOR, FACT_CLOCK };

static const char *const names[BASELINE_FACTS] = {
    [FACT_CPUS] = "cpus",       [FACT_MEMORY] = "memory_gib", [FACT_MICROCODE] = "microcode",
    [FACT_NUMA] = "numa_nodes", [FACT_GOVERNOR] = "governor", [FACT_CLOCK] = "clock_source"};

const char *baseline_fact(int fact)
{
    return names[fact];
}

/* As libexec/health writes words: all but A-Z a-z 0-9 . _ - becomes '_'. */
static void put_word(char fact[BASELINE_FACT_SIZE], const char *text)
{
    snprintf(fact, BASELINE_FACT_SIZE, "%s", *text ? text : "-");
    for (char *c = fact; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("._-", *c))
            *c = '_';
}

static void put_count(char fact[BASELINE_FACT_SIZE], double n)
{
    snprintf(fact, BASELINE_FACT_SIZE, n > 0 ? "%.0f" : "-", n);
}

void baseline_facts(const struct node_result *r, char facts[BASELINE_FACTS][BASELINE_FACT_SIZE])
{
    put_count(facts[FACT_CPUS], r->cpus);
    put_count(facts[FACT_MEMORY], r->memory_bytes / 1073741824);
    put_count(facts[FACT_NUMA], r->numa_nodes);
    put_word(facts[FACT_MICROCODE], r->microcode);
    put_word(facts[FACT_GOVERNOR], r->governor);
    put_word(facts[FACT_CLOCK], r->clock_source);
}

bool baseline_same(int fact, const char *is, const char *approved)
{
    if (!*is || !*approved || strcmp(is, "-") == 0 || strcmp(approved, "-") == 0 ||
        strcmp(is, approved) == 0)
        return true;
    return fact == FACT_MEMORY && fabs(atof(is) - atof(approved)) < 0.02 * atof(approved);
}

/* ---- lines ---- */

static const struct field fields[] = {
    FIELD(baseline, class, TEXT, "class", "of hardware"),
    FIELD(baseline, version, INT, "version", "of the class"),
    FIELD(baseline, software, TEXT, "software", "kernel and instruction set", .empty = true),
    FIELD(baseline, by, TEXT, "by", "who approved it", .empty = true),
    FIELD(baseline, note, TEXT, "note", "why", .empty = true),
    FIELD(baseline, time, LONG, "time", "when", .unit = "Unix seconds"),
    FIELD(baseline, runs, INT, "runs", "that it is of"),
    FIELD(baseline, nodes, INT, "nodes", "that it is of"),
    FIELD_END,
};

static int put_metrics(cJSON *o, const struct baseline *b)
{
    cJSON *metrics = put_object(o, "metrics");

    for (int m = 0; metrics && m < NODE_METRICS; m++) {
        const struct baseline_metric *is = &b->metrics[m];
        const double parts[] = {is->value, is->between, is->run, is->step, is->shift, is->freedom};
        cJSON *row = is->there ? cJSON_AddArrayToObject(metrics, node_metric_row(m)->name) : NULL;
        for (size_t i = 0; row && i < sizeof parts / sizeof *parts; i++)
            cJSON_AddItemToArray(row, cJSON_CreateNumber(json_line_short(parts[i])));
    }
    return metrics ? 0 : -1;
}

static int put_facts(cJSON *o, const struct baseline *b)
{
    cJSON *facts = put_object(o, "inventory");

    for (int i = 0; facts && i < BASELINE_FACTS; i++)
        if (b->facts[i][0])
            put_text(facts, names[i], b->facts[i], NULL, NULL);
    return facts ? 0 : -1;
}

bool baseline_print(const struct baseline *b, char line[BASELINE_LINE_SIZE])
{
    cJSON *o = json_line_begin(kind, fields, b);

    if (o && (put_metrics(o, b) < 0 || put_facts(o, b) < 0)) {
        cJSON_Delete(o);
        o = NULL;
    }
    return json_line_end(o, line, BASELINE_LINE_SIZE);
}

static void get_metric(const cJSON *metrics, int metric, struct baseline_metric *m)
{
    const cJSON *row = cJSON_GetObjectItemCaseSensitive(metrics, node_metric_row(metric)->name);

    *m = (struct baseline_metric){.value = json_number(row, "[0]", NAN),
                                  .between = json_number(row, "[1]", NAN),
                                  .run = json_number(row, "[2]", NAN),
                                  .step = json_number(row, "[3]", NAN),
                                  .shift = json_number(row, "[4]", NAN),
                                  .freedom = json_number(row, "[5]", NAN)};
    m->there = m->value > 0 && m->between >= 0 && m->run >= 0 && m->step >= 0 && m->shift >= 0 &&
               m->freedom >= 1;
}

int baseline_parse(const char *line, struct baseline *b)
{
    *b = (struct baseline){.version = 0};
    cJSON *o = lines_is(line, kind) ? json_line_open(line, kind, fields, b) : NULL;
    const cJSON *metrics = cJSON_GetObjectItemCaseSensitive(o, "metrics"),
                *facts = cJSON_GetObjectItemCaseSensitive(o, "inventory");
    const bool is = o != NULL;

    for (int m = 0; m < NODE_METRICS && is; m++)
        get_metric(metrics, m, &b->metrics[m]);
    for (int i = 0; i < BASELINE_FACTS && is; i++) {
        const char *fact = json_text(facts, names[i], "");
        if (*fact)
            put_word(b->facts[i], fact);
    }
    cJSON_Delete(o);
    return is && b->class[0] && b->version > 0 ? 0 : -1;
}

/* ---- the file ---- */

int baseline_path(const char *history, char *path, int size, struct err *e)
{
    return lines_path(history, "baseline.jsonl", path, size, e);
}

struct reading {
    struct baseline *b;
    int n, room;
};

static int take_line(const char *line, void *ctx, struct err *e)
{
    struct reading *r = ctx;

    void *more = json_line_room(r->b, r->n, &r->room, sizeof *r->b);
    if (!more)
        return err_set(e, "out of memory for %d baselines", r->n);
    r->b = more;
    r->n += baseline_parse(line, &r->b[r->n]) == 0;
    return 0;
}

int baseline_read(const char *path, struct baseline **b, int *n, struct err *e)
{
    char line[BASELINE_LINE_SIZE + 1];
    struct reading r = {.b = NULL};
    int rc = lines_read(what, path, line, sizeof line, take_line, &r, e);

    if (rc < 0) {
        free(r.b);
        r = (struct reading){.b = NULL};
    }
    *b = r.b;
    *n = r.n;
    return rc;
}

const struct baseline *baseline_newest(const struct baseline *b, int n, const char *class)
{
    const struct baseline *newest = NULL;

    for (int i = 0; i < n; i++)
        if (strcmp(b[i].class, class) == 0 && (!newest || b[i].version >= newest->version))
            newest = &b[i];
    return newest;
}

int baseline_approve(const char *path, struct baseline *b, int n, struct err *e)
{
    char *text = malloc((size_t)n * BASELINE_LINE_SIZE + 1), *to = text;
    struct baseline *there = NULL;
    struct lines l = {.fd = -1};
    int n_there = 0, rc = text ? lines_open(&l, what, path, e) : err_set(e, "out of memory");

    if (rc == 0)
        rc = baseline_read(path, &there, &n_there, e);
    for (int i = 0; i < n && rc == 0; i++) {
        const struct baseline *newest = baseline_newest(there, n_there, b[i].class);
        b[i].version = newest ? newest->version + 1 : 1;
        if (!baseline_print(&b[i], to))
            rc = err_set(e, "the baseline of %s does not fit a line: take a shorter note",
                         b[i].class);
        else
            to += strlen(to);
    }
    if (rc == 0)
        rc = lines_add(&l, text, (size_t)(to - text), e);
    lines_close(&l);
    free(there);
    free(text);
    return rc;
}

/* ---- judging ---- */

bool baseline_join(const struct baseline *b, const char *software, int metric,
                   struct judge_history *h)
{
    const struct baseline_metric *m = b ? &b->metrics[metric] : NULL;

    if (!m || !m->there || strcmp(b->software, software) != 0)
        return false;
    const double at = judge_loss(m->value, 1, node_metric_row(metric)->more_is_better);
    if (!h->known)
        *h = (struct judge_history){.between = m->between,
                                    .run = m->run,
                                    .step = m->step,
                                    .shift = m->shift,
                                    .freedom = m->freedom,
                                    .baseline = at,
                                    .known = true,
                                    .metrics = h->metrics};
    h->approved = true;
    h->approved_at = at;
    return true;
}
