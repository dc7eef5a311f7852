/* SPDX-License-Identifier: BSD-3-Clause */
/* Sentences of a comparison, its text and its JSON. */
#include <config.h>

#include "reports/report/compare_show.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/text.h"
#include "reports/record/fields.h"
#include "reports/record/record_fields.h"
#include "reports/report/rules.h"

/* ---- sentences ---- */

double compared_value(const struct compared *c, int side, bool time)
{
    if (!c->group[side] || (time && !c->reached[side]))
        return NAN;
    return time ? c->times[side] : c->speeds[side];
}

enum word compared_says(const struct compared *c, int side, bool time)
{
    const struct ratio *r = time ? &c->time[side] : &c->speed[side];

    if (!c->reached[side] || !c->reached[0])
        return W_C_NOT_REACHED;
    if (side == 0)
        return W_C_FIRST;
    if (time && (c->failed[side] || c->failed[0]))
        return W_C_SOME_FAILED;
    if (r->basis == BASIS_NONE)
        return W_C_NO_INTERVAL;
    if (!r->differs)
        return W_C_NOTHING;
    return r->basis == BASIS_RUNS ? W_C_DIFFERS : W_C_WITHIN;
}

/* "hardware, libraries": the layers of these bits; how many. */
static int layer_names(unsigned bits, char *names, size_t size)
{
    int n = 0;

    names[0] = '\0';
    for (int i = 0; i < RULES_LAYERS; i++)
        if (bits >> i & 1)
            text_add(names, size, "%s%s", n++ ? ", " : "", record_layers[i].key);
    return n;
}

static const cJSON *first_of(const struct comparison *c, int side)
{
    return c->sides[side].book->records[0];
}

struct said compared_layers(const struct pen *p, const struct comparison *c, int side)
{
    const cJSON *a = first_of(c, 0), *b = first_of(c, side);
    char names[512];
    int n = layer_names(rules_differ(a, b), names, sizeof names);

    if (n == 0)
        return said(p, rules_unknown(a, b) ? W_C_SAME_KNOWN : W_C_SAME, T(c->sides[0].name),
                    T(c->sides[side].name));
    return said(p, n == 1 ? W_C_ONE : W_C_MANY, T(c->sides[0].name), T(c->sides[side].name),
                T(names), N(n));
}

struct said compared_unknown(const struct pen *p, const struct comparison *c, int side)
{
    char names[512];
    int n = layer_names(rules_unknown(first_of(c, 0), first_of(c, side)), names, sizeof names);

    return n == 0 ? (struct said){""}
                  : said(p, W_C_UNKNOWN, T(c->sides[0].name), T(c->sides[side].name), T(names));
}

const char *compared_level(const struct comparison *c, bool *certain)
{
    unsigned differ = 0, unknown = 0;

    for (int i = 1; i < c->n; i++) {
        differ |= rules_differ(first_of(c, 0), first_of(c, i));
        unknown |= rules_unknown(first_of(c, 0), first_of(c, i));
    }
    *certain = rules_strictest(differ | unknown) == rules_strictest(differ);
    return rules_strictest(differ);
}

struct said compared_level_says(const struct pen *p, const struct comparison *c)
{
    bool certain;
    const char *level = compared_level(c, &certain);

    return !level ? said(p, W_C_NO_LEVEL)
                  : said(p, certain ? W_C_LEVEL : W_C_LEVEL_KNOWN, T(level));
}

struct said compared_rank(const struct pen *p, const struct comparison *c,
                          const struct compared *row)
{
    int first = row->leader[0], turn = 0, last = 0;

    for (int e = 1; e < COMPARE_EXPONENTS; e++) {
        turn = turn ? turn : row->leader[e] != first ? e : 0;
        last = row->leader[e] != row->leader[e - 1] ? e : last;
    }
    if (first < 0)
        return said(p, W_C_RANK_NONE, T(row->group[0]->name));
    if (!turn)
        return said(p, W_C_RANK_SAME, T(row->group[0]->name), T(c->sides[first].name));
    return said(p, last > turn ? W_C_RANK_AGAIN : W_C_RANK_TURNS, T(row->group[0]->name),
                T(c->sides[first].name), T(c->sides[row->leader[turn]].name), N(turn + 1),
                T(c->sides[row->leader[last]].name), N(last + 1));
}

struct said compared_shown(const struct pen *p, const struct compared *row)
{
    int shown = 0;

    for (int e = 0; e < COMPARE_EXPONENTS; e++)
        shown += row->shown[e];
    if (row->rivals == 0)
        return (struct said){""};
    if (row->rivals == 1)
        return said(p, W_C_LEAD_ALONE);
    return said(p,
                shown == COMPARE_EXPONENTS ? W_C_LEAD_SHOWN
                : shown                    ? W_C_LEAD_PART
                                           : W_C_LEAD_OPEN,
                N(shown), N(COMPARE_EXPONENTS));
}

struct said compared_target(const struct pen *p, const struct comparison *c,
                            const struct compared *row, int t)
{
    if (isnan(row->target[t]))
        return t == 0 ? said(p, W_C_TARGETS_FIXED, T(row->group[0]->name)) : (struct said){""};
    if (row->first[t] < 0)
        return said(p, W_C_TARGETS_NONE, T(row->group[0]->name), N(row->target[t]));
    return said(p, W_C_TARGETS, T(row->group[0]->name), N(row->target[t]),
                T(c->sides[row->first[t]].name));
}

struct said compared_vflops(const struct pen *p, const struct comparison *c,
                            const struct compared *row, int side)
{
    const struct group *g = row->group[side];

    return said(p, W_C_VFLOPS, T(c->sides[side].name), N(compare_vflops(g, 1, false)),
                N(compare_vflops(g, 5, false)), N(compare_vflops(g, 10, false)),
                N(compare_vflops(g, 1, true)), N(compare_vflops(g, 5, true)),
                N(compare_vflops(g, 10, true)));
}

bool comparison_repeats(const struct comparison *c)
{
    for (int i = 0; i < c->n; i++)
        if (c->sides[i].book->n > 1)
            return true;
    return false;
}

/* ---- text ---- */

static void line(const struct pen *p, const struct comparison *c, const struct compared *row,
                 int side, bool time)
{
    const struct ratio *r = time ? &row->time[side] : &row->speed[side];

    fprintf(p->f, "  %-18.18s ", c->sides[side].name);
    say_value(p, N(compared_value(row, side, time)), time ? "dur" : "g");
    if (isfinite(r->value)) {
        fputs("  × ", p->f);
        say_value(p, N(r->value), "n3");
    }
    if (isfinite(r->low)) {
        fputc(' ', p->f);
        say(p, W_C_INTERVAL, N(r->low), N(r->high));
    }
    if (side && !time && isfinite(row->processor[side]) && isfinite(r->value)) {
        fputc(' ', p->f);
        say(p, W_C_PROCESSOR, N(row->processor[side]), N(r->value / row->processor[side]));
    }
    fputs("  ", p->f);
    say(p, compared_says(row, side, time));
    fputc('\n', p->f);
}

static void text_line(const struct pen *p, struct said s)
{
    if (s.text[0])
        fprintf(p->f, "  %s\n", s.text);
}

static void text_group(const struct pen *p, const struct comparison *c, const struct group *g)
{
    struct compared row;

    compare_group(c->sides, c->n, g, c->bonus, &row);
    for (int time = 0; time < 2; time++) {
        fprintf(p->f, "\n%s %s, ", g->name, g->class_name);
        say(p, time ? W_C_TIME : W_C_SPEED);
        fputc('\n', p->f);
        for (int i = 0; i < c->n; i++)
            if (row.group[i])
                line(p, c, &row, i, time);
    }
    fputc('\n', p->f);
    for (int i = 0; i < c->n; i++)
        if (row.group[i] && row.reached[i])
            text_line(p, compared_vflops(p, c, &row, i));
    text_line(p, compared_rank(p, c, &row));
    text_line(p, compared_shown(p, &row));
    for (int t = 0; t < COMPARE_TARGETS; t++)
        text_line(p, compared_target(p, c, &row, t));
}

void compare_text(FILE *f, const struct comparison *c)
{
    const struct pen p = {.f = f, .lang = c->lang, .plain = true};

    for (int i = 1; i < c->n; i++) {
        struct said unknown = compared_unknown(&p, c, i);
        fprintf(f, "%s\n", compared_layers(&p, c, i).text);
        if (unknown.text[0])
            fprintf(f, "%s\n", unknown.text);
    }
    fprintf(f, "%s\n", compared_level_says(&p, c).text);
    for (int i = 0; i < c->sides[0].book->n_groups; i++)
        text_group(&p, c, &c->sides[0].book->groups[i]);
    fprintf(f, "\n%s\n",
            said(&p, c->sides[0].book->n_groups == 0 ? W_C_NO_SHARED
                     : c->bonus                      ? W_C_BONUS
                                                     : W_C_NO_BONUS)
                .text);
    if (comparison_repeats(c))
        fprintf(f, "%s\n", said(&p, W_C_MEANS).text);
}

/* ---- JSON ---- */

static void put_ratio(cJSON *o, const char *name, const struct ratio *r)
{
    static const char *const basis[] = {"none", "epochs", "runs"};
    cJSON *at = put_object(o, name);

    put_number(at, "ratio", r->value, NULL, NULL);
    put_number(at, "low", r->low, NULL, NULL);
    put_number(at, "high", r->high, NULL, NULL);
    put_text(at, "interval_over", basis[r->basis], NULL, NULL);
    put_bool(at, "differs", r->differs);
}

/* By exponent from 1 on. */
static void put_vflops(cJSON *o, const char *name, const struct group *g, bool bonus)
{
    cJSON *list = put_array(o, name);

    for (int e = 1; e <= COMPARE_EXPONENTS; e++) {
        double v = compare_vflops(g, e, bonus);
        cJSON_AddItemToArray(list, isfinite(v) ? cJSON_CreateNumber(v) : cJSON_CreateNull());
    }
}

static void put_side(cJSON *list, const struct comparison *c, const struct compared *row, int i)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddItemToArray(list, o);
    put_text(o, "system", c->sides[i].name, NULL, NULL);
    put_number(o, "samples_per_second", compared_value(row, i, false), NULL, NULL);
    put_number(o, "time_to_quality_seconds", compared_value(row, i, true), NULL, NULL);
    put_bool(o, "reached", row->reached[i]);
    put_number(o, "runs", row->group[i]->n, NULL, NULL);
    put_number(o, "runs_not_reached", row->failed[i], NULL, NULL);
    put_vflops(o, "vflops_capped", row->group[i], false);
    put_vflops(o, "vflops_as_published", row->group[i], true);
    if (i) {
        put_ratio(o, "speed", &row->speed[i]);
        put_ratio(o, "time", &row->time[i]);
        put_number(o, "processor", row->processor[i], NULL, NULL);
        put_number(o, "speed_at_equal_processor", row->speed[i].value / row->processor[i], NULL,
                   NULL);
    }
}

static cJSON *name_of(const struct comparison *c, int side)
{
    return side < 0 ? cJSON_CreateNull() : json_string(c->sides[side].name);
}

/* By exponent from 1 on, then by target. */
static void put_order(cJSON *o, const struct comparison *c, const struct compared *row)
{
    cJSON *leaders = put_array(o, "leader_by_exponent"), *shown = put_array(o, "lead_shown");
    cJSON *targets = put_array(o, "first_by_target");

    for (int e = 0; e < COMPARE_EXPONENTS; e++) {
        cJSON_AddItemToArray(leaders, name_of(c, row->leader[e]));
        cJSON_AddItemToArray(shown, cJSON_CreateBool(row->shown[e]));
    }
    for (int t = 0; t < COMPARE_TARGETS; t++) {
        if (isnan(row->target[t]))
            continue;
        cJSON *one = cJSON_CreateObject();
        cJSON_AddItemToArray(targets, one);
        put_number(one, "target", row->target[t], NULL, NULL);
        cJSON_AddItemToObject(one, "first", name_of(c, row->first[t]));
    }
}

static void put_group(cJSON *list, const struct comparison *c, const struct group *g)
{
    cJSON *o = cJSON_CreateObject(), *sides;
    struct compared row;

    compare_group(c->sides, c->n, g, c->bonus, &row);
    cJSON_AddItemToArray(list, o);
    put_text(o, "workload", g->name, NULL, NULL);
    put_text(o, "class", g->class_name, NULL, NULL);
    sides = put_array(o, "systems");
    for (int i = 0; i < c->n; i++)
        if (row.group[i])
            put_side(sides, c, &row, i);
    put_order(o, c, &row);
}

/* Per side after the first: the layers of these bits. */
static void put_layers(cJSON *o, const char *name, const struct comparison *c,
                       unsigned (*bits_of)(const cJSON *a, const cJSON *b))
{
    cJSON *list = put_array(o, name);

    for (int i = 1; i < c->n; i++) {
        unsigned bits = bits_of(first_of(c, 0), first_of(c, i));
        cJSON *one = cJSON_CreateObject(), *names;
        cJSON_AddItemToArray(list, one);
        put_text(one, "system", c->sides[i].name, NULL, NULL);
        names = put_array(one, "layers");
        for (int k = 0; k < RULES_LAYERS; k++)
            if (bits >> k & 1)
                cJSON_AddItemToArray(names, json_string(record_layers[k].key));
    }
}

static cJSON *document(const struct comparison *c)
{
    cJSON *o = cJSON_CreateObject(), *groups;
    bool certain;
    const char *level = compared_level(c, &certain);

    put_layers(o, "differing_layers", c, rules_differ);
    put_layers(o, "unknown_layers", c, rules_unknown);
    cJSON_AddItemToObject(o, "level", level ? json_string(level) : cJSON_CreateNull());
    put_bool(o, "level_certain", certain);
    put_bool(o, "bonus", c->bonus);
    groups = put_array(o, "workloads");
    for (int i = 0; i < c->sides[0].book->n_groups; i++)
        put_group(groups, c, &c->sides[0].book->groups[i]);
    return o;
}

int compare_json(FILE *f, const struct comparison *c, struct err *e)
{
    cJSON *o = document(c);
    char *text = o ? cJSON_Print(o) : NULL;

    if (text)
        fprintf(f, "%s\n", text);
    cJSON_Delete(o);
    cJSON_free(text);
    return text ? 0 : err_set(e, "out of memory");
}
