/* SPDX-License-Identifier: BSD-3-Clause */
/* Sentences of a comparison, its text and its JSON. */
#include <config.h>

#include "reports/report/compare_show.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/record/fields.h"
#include "reports/record/record_fields.h"
#include "reports/report/rules.h"

/* ---- sentences ---- */

double compared_value(const struct compared *c, int side, bool time)
{
    if (!c->group[side] || (time && !c->reached[side]))
        return NAN;
    return json_number(
        group_reported(c->group[side])->workload,
        time ? "performance.time_to_quality_seconds" : "performance.samples_per_second", NAN);
}

enum word compared_says(const struct compared *c, int side, bool time)
{
    const struct ratio *r = time ? &c->time[side] : &c->speed[side];

    if (!c->reached[side] || !c->reached[0])
        return W_C_NOT_REACHED;
    if (side == 0)
        return W_C_FIRST;
    if (r->basis == BASIS_NONE)
        return W_C_NO_INTERVAL;
    if (!r->differs)
        return W_C_NOTHING;
    return r->basis == BASIS_RUNS ? W_C_DIFFERS : W_C_WITHIN;
}

struct said compared_layers(const struct pen *p, const struct comparison *c, int side)
{
    unsigned bits = rules_differ(c->sides[0].book->records[0], c->sides[side].book->records[0]);
    char names[512] = "";
    size_t used = 0;
    int n = 0;

    for (int i = 0; i < RULES_LAYERS; i++)
        if (bits >> i & 1 && used < sizeof names)
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", n++ ? ", " : "",
                                     record_layers[i].key);
    return n == 0 ? said(p, W_C_SAME)
                  : said(p, n == 1 ? W_C_ONE : W_C_MANY, T(c->sides[0].name),
                         T(c->sides[side].name), T(names), N(n));
}

const char *compared_level(const struct comparison *c)
{
    unsigned bits = 0;

    for (int i = 1; i < c->n; i++)
        bits |= rules_differ(c->sides[0].book->records[0], c->sides[i].book->records[0]);
    return rules_strictest(bits);
}

struct said compared_rank(const struct pen *p, const struct comparison *c,
                          const struct compared *row)
{
    int first = row->leader[0], turn = 0;

    for (int e = 1; e < COMPARE_EXPONENTS && !turn; e++)
        turn = row->leader[e] != first ? e : 0;
    if (first < 0)
        return said(p, W_C_RANK_NONE, T(row->group[0]->name));
    if (!turn)
        return said(p, W_C_RANK_SAME, T(row->group[0]->name), T(c->sides[first].name));
    return said(p, W_C_RANK_TURNS, T(row->group[0]->name), T(c->sides[first].name),
                T(c->sides[row->leader[turn]].name), N(turn + 1));
}

struct said compared_target(const struct pen *p, const struct comparison *c,
                            const struct compared *row, int t)
{
    if (row->first[t] < 0)
        return said(p, W_C_TARGETS_NONE, T(row->group[0]->name), N(row->target[t]));
    return said(p, W_C_TARGETS, T(row->group[0]->name), N(row->target[t]),
                T(c->sides[row->first[t]].name));
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
    fprintf(p->f, "  %s\n", compared_rank(p, c, &row).text);
    for (int t = 0; t < COMPARE_TARGETS; t++)
        fprintf(p->f, "  %s\n", compared_target(p, c, &row, t).text);
}

void compare_text(FILE *f, const struct comparison *c)
{
    const struct pen p = {.f = f, .lang = c->lang, .plain = true};
    const char *level = compared_level(c);

    for (int i = 1; i < c->n; i++)
        fprintf(f, "%s\n", compared_layers(&p, c, i).text);
    fprintf(f, "%s\n", (level ? said(&p, W_C_LEVEL, T(level)) : said(&p, W_C_NO_LEVEL)).text);
    for (int i = 0; i < c->sides[0].book->n_groups; i++)
        text_group(&p, c, &c->sides[0].book->groups[i]);
    fprintf(f, "\n%s\n",
            said(&p, c->sides[0].book->n_groups == 0 ? W_C_NO_SHARED
                     : c->bonus                      ? W_C_BONUS
                                                     : W_C_NO_BONUS)
                .text);
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

static void put_side(cJSON *list, const struct comparison *c, const struct compared *row, int i)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddItemToArray(list, o);
    put_text(o, "system", c->sides[i].name, NULL, NULL);
    put_number(o, "samples_per_second", compared_value(row, i, false), NULL, NULL);
    put_number(o, "time_to_quality_seconds", compared_value(row, i, true), NULL, NULL);
    put_bool(o, "reached", row->reached[i]);
    if (i) {
        put_ratio(o, "speed", &row->speed[i]);
        put_ratio(o, "time", &row->time[i]);
        put_number(o, "processor", row->processor[i], NULL, NULL);
        put_number(o, "speed_at_equal_processor", row->speed[i].value / row->processor[i], NULL,
                   NULL);
    }
}

static void put_group(cJSON *list, const struct comparison *c, const struct group *g)
{
    cJSON *o = cJSON_CreateObject(), *sides, *leaders;
    struct compared row;

    compare_group(c->sides, c->n, g, c->bonus, &row);
    cJSON_AddItemToArray(list, o);
    put_text(o, "workload", g->name, NULL, NULL);
    put_text(o, "class", g->class_name, NULL, NULL);
    sides = put_array(o, "systems");
    for (int i = 0; i < c->n; i++)
        if (row.group[i])
            put_side(sides, c, &row, i);
    leaders = put_array(o, "leader_by_exponent");
    for (int e = 0; e < COMPARE_EXPONENTS; e++)
        cJSON_AddItemToArray(leaders, row.leader[e] < 0
                                          ? cJSON_CreateNull()
                                          : json_string(c->sides[row.leader[e]].name));
}

static cJSON *document(const struct comparison *c)
{
    cJSON *o = cJSON_CreateObject(), *differs = put_array(o, "differing_layers"), *groups;
    const char *level = compared_level(c);

    for (int i = 1; i < c->n; i++) {
        unsigned bits = rules_differ(c->sides[0].book->records[0], c->sides[i].book->records[0]);
        cJSON *one = cJSON_CreateObject(), *names;
        cJSON_AddItemToArray(differs, one);
        put_text(one, "system", c->sides[i].name, NULL, NULL);
        names = put_array(one, "layers");
        for (int k = 0; k < RULES_LAYERS; k++)
            if (bits >> k & 1)
                cJSON_AddItemToArray(names, json_string(record_layers[k].key));
    }
    cJSON_AddItemToObject(o, "level", level ? json_string(level) : cJSON_CreateNull());
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
