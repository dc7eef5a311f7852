/* SPDX-License-Identifier: BSD-3-Clause */
/* hpcai500 history: all runs of the site, as a table, JSON, CSV, a picture. */
#include <config.h>

#include <getopt.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reports/judge/change.h"
#include "reports/core/conf.h"
#include "reports/record/fields.h"
#include "reports/history/history.h"
#include "reports/history/history_series.h"
#include "reports/draw/table.h"
#include "reports/history/history_words.h"
#include "reports/history/reader.h"
#include "reports/draw/plot.h"
#include "reports/tools/history_rows.h"
#include "reports/tools/repeats.h"
#include "reports/core/option.h"
#include "reports/core/out.h"

enum {
    LIMIT = 1000,
    PANELS = 24,
    SPARK_WIDTH = 50,
    SPARK_REST = 30 /* of its line: "60 values, median 59.63" and the marks of steps */
};

static const char note[] =
    "Changes: rank test for one change (max-type Wilcoxon), 1 % false alarms "
    "per series without change; hpcai500-history(1).";

/* ---- JSON ---- */

static double percent(const struct change *c)
{
    return c->before != 0 ? 100 * (c->after / c->before - 1) : NAN;
}

static cJSON *change_json(const struct series *s, const struct change *c)
{
    cJSON *o = cJSON_CreateObject();
    const struct nulls nowhere = {NULL, ""};
    char when[HISTORY_UTC];

    put_text(o, "kind", c->kind == CHANGE_STEP ? "step" : "drift", NULL, &nowhere);
    put_text(o, "at", history_utc(s->time[c->at], when), NULL, &nowhere);
    put_text(o, "first_run", s->key[c->at], NULL, &nowhere);
    put_number(o, "before", c->before, NULL, &nowhere);
    put_number(o, "after", c->after, NULL, &nowhere);
    put_number(o, "percent", percent(c), NULL, &nowhere);
    put_number(o, "statistic", c->statistic, NULL, &nowhere);
    put_number(o, "critical", c->critical, NULL, &nowhere);
    return o;
}

static void series_json(const struct series *s, int n)
{
    cJSON *o = cJSON_CreateObject(), *list;
    const struct nulls nowhere = {NULL, ""};

    put_text(o, "title", s->title, NULL, &nowhere);
    put_text(o, "metric", s->metric, NULL, &nowhere);
    put_text(o, "node", s->node, "", &nowhere);
    put_number(o, "values", (double)s->total, NULL, &nowhere);
    put_number(o, "tested", s->n < CHANGE_LONGEST ? s->n : CHANGE_LONGEST, NULL, &nowhere);
    put_number(o, "median", s->median, NULL, &nowhere);
    list = put_array(o, "changes");
    for (int i = 0; i < s->n_changes; i++)
        cJSON_AddItemToArray(list, change_json(s, &s->changes[i]));
    fputs(n ? ",\n" : "\n", stdout);
    history_json(o);
}

/* ---- the table ---- */

static const struct table_column runs_head[] = {
    {"begin (UTC)", false, 0, 0}, {"run", false, 12, 0},       {"user", false, 6, 2},
    {"workload", false, 10, 0},   {"nodes", false, 6, 3},      {"status", false, 0, 0},
    {"seen", false, 0, 4},        {"samples/s", true, 0, 0},   {"quality", true, 0, 1},
    {"to quality", true, 0, 5},   {"limited by", false, 12, 6}};
static const struct table_column values_head[] = {
    {"begin (UTC)", false, 0, 0}, {"run", false, 12, 0},    {"user", false, 6, 2},
    {"workload", false, 10, 0},   {"nodes", false, 6, 3},   {"status", false, 0, 0},
    {"seen", false, 0, 4},        {"rank on", false, 5, 1}, {"value", true, 0, 0}};

static const char *shown(double v, const char *unit, char buf[32])
{
    snprintf(buf, 32, isfinite(v) ? "%.4g%s" : "-", v, unit);
    return buf;
}

static void table_line(struct table *t, const struct history_row *r)
{
    char begin[HISTORY_UTC], workload[160], status[32], a[32], b[32], c[32];
    const char *cells[TABLE_COLUMNS] = {begin, r->key, r->user, workload, r->nodes, status};

    history_utc(r->begin, begin);
    if (begin[0]) {
        begin[10] = ' ';
        begin[16] = '\0';
    }
    snprintf(workload, sizeof workload, "%s%s%s", *r->workload ? r->workload : "-",
             *r->class_name ? " " : "", r->class_name);
    snprintf(status, sizeof status, "%s%s",
             history_status(r->position < 0 ? r->status : r->workload_status),
             r->workload_status == RUN_COMPLETE && !r->workload_valid ? ", not valid" : "");
    cells[6] = r->witnessed ? "root" : "claim"; /* root saw it, or the user's word alone */
    if (*r->metric) {
        cells[7] = *r->metric_node ? r->metric_node : "-";
        cells[8] = shown(r->value, "", a);
    } else {
        cells[7] = shown(r->samples_per_second, "", a);
        cells[8] = shown(r->quality, "", b);
        cells[9] = shown(r->time_to_quality_seconds, " s", c);
        cells[10] = *r->verdict ? r->verdict : "-";
    }
    table_row(t, cells);
}

static bool plain_terminal(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
}

static void print_change(const struct series *s, const struct change *c)
{
    char when[HISTORY_UTC];

    if (c->kind == CHANGE_STEP)
        printf("  step %+.2g %% at %s (%s): %.4g, then %.4g\n", percent(c),
               history_utc(s->time[c->at], when), s->key[c->at], c->before, c->after);
    else
        printf("  drift %+.2g %% since %s (%s): from %.4g to %.4g\n", percent(c),
               history_utc(s->time[c->at], when), s->key[c->at], c->before, c->after);
}

static void print_series(const struct series *s, int width)
{
    char spark[SPARK_SIZE], title[sizeof s->metric + SERIES_TITLE + 2];
    int room = width ? width - SPARK_REST : SPARK_WIDTH;

    snprintf(title, sizeof title, "%s: %s", s->metric, s->title);
    putchar('\n');
    table_wrap(stdout, width, title);
    room = room > SPARK_WIDTH ? SPARK_WIDTH : room < 8 ? 8 : room;
    plot_spark(spark, s->value, s->n, s->changes, s->n_changes, room, plain_terminal());
    printf("  %s  %ld value%s, median %.4g\n", spark, s->total, s->total == 1 ? "" : "s",
           s->median);
    for (int i = 0; i < s->n_changes; i++)
        print_change(s, &s->changes[i]);
    if (s->n < CHANGE_SHORTEST)
        printf("  too few values to tell a change (%d are needed)\n", CHANGE_SHORTEST);
}

static void print_all_series(const struct series_set *set)
{
    const int width = table_terminal_width();

    for (int i = 0; i < set->n; i++)
        print_series(set->series[i], width);
    if (set->omitted)
        printf("\n%ld values belong to further series.\n", set->omitted);
    if (set->n) {
        putchar('\n');
        table_wrap(stdout, width, note);
    }
}

static int plot(const char *path, const struct series_set *set, struct err *e)
{
    struct plot_series p[PANELS];
    int n = set->n < PANELS ? set->n : PANELS;
    char words[sizeof note + 64];

    snprintf(words, sizeof words, "%s", note);
    if (set->n > n)
        snprintf(words, sizeof words, "The first %d of %d series. %s", n, set->n, note);
    for (int i = 0; i < n; i++) {
        const struct series *s = set->series[i];
        p[i] = (struct plot_series){s->title, s->metric,    s->n,      s->time,
                                    s->value, s->n_changes, s->changes};
    }
    return plot_svg(path, p, n, words, e);
}

/* ---- the question ---- */

enum form { FORM_TABLE, FORM_JSON, FORM_CSV };

struct options {
    struct history_filter filter;
    char key[HISTORY_KEY_SIZE];
    enum form form;
    const char *plot, *file;
};

static long print_rows(struct history *h, struct history_query *q, const struct options *o,
                       struct series_set *set, struct err *e)
{
    char verdict[REPEATS_VERDICT];
    struct history_row row;
    struct table t;
    bool values = o->filter.metric != NULL;
    long n = 0;
    int rc;

    table_init(&t, stdout, table_terminal_width(), values ? values_head : runs_head,
               values ? sizeof values_head / sizeof *values_head
                      : sizeof runs_head / sizeof *runs_head);
    while ((rc = history_next(q, &row, e)) > 0) {
        repeats_row(h, &row, verdict);
        if (o->form == FORM_JSON)
            history_row_json(&row, n);
        else if (o->form == FORM_CSV)
            history_csv_row(&row);
        else
            table_line(&t, &row);
        if (series_add(set, &row) < 0) {
            rc = err_set(e, "out of memory");
            break;
        }
        n++;
    }
    table_fini(&t);
    return rc < 0 ? -1 : n;
}

static void finish(const struct options *o, const struct series_set *set, long n)
{
    if (o->form == FORM_TABLE) {
        print_all_series(set);
        if (n > 0 && n == o->filter.limit)
            printf("Only the newest %ld rows were looked at; --limit=0 takes all.\n", n);
        return;
    }
    if (o->form == FORM_CSV)
        return;
    printf("],\n\"series\": [");
    for (int i = 0; i < set->n; i++)
        series_json(set->series[i], i);
    printf("],\n\"test\": {\"name\": \"max-type Wilcoxon\", \"false_alarm_rate\": %g}}\n",
           CHANGE_RATE);
}

static long answer(struct history *h, const struct options *o, struct err *e)
{
    struct series_set set = {.n = 0};
    struct history_query *q = history_ask(h, &o->filter, e);

    if (!q)
        return -1;
    if (o->form == FORM_JSON)
        printf("{\"rows\": [");
    if (o->form == FORM_CSV)
        history_csv_head();
    long n = print_rows(h, q, o, &set, e);
    history_done(q);
    series_test(&set);
    if (n >= 0)
        finish(o, &set, n);
    if (n >= 0 && o->plot && plot(o->plot, &set, e) < 0)
        n = -1;
    series_fini(&set);
    return n;
}

/* ---- main ---- */

static const char usage_text[] =
    "usage: hpcai500 history [OPTION...]\n"
    "  --node=N --workload=W --metric=M --user=U --cluster=C --job=J[_TASK|+OFFSET]|RUN\n"
    "  --since=WHEN --until=WHEN   2026-11-22, 2026-11-22T19:02, 7d (ago), @unix, now\n"
    "  --witnessed                 only what root saw\n"
    "  --limit=ROWS                the newest so many (1000); 0: all\n"
    "  --json | --csv              for machines\n"
    "  --plot=FILE.svg             the series as a picture too\n"
    "  --history=FILE              instead of the site's\n";

static int usage(FILE *f)
{
    fputs(usage_text, f);
    return f == stdout ? 0 : 2;
}

static int set_option(struct options *o, int c, const char *text, struct err *e)
{
    struct history_filter *f = &o->filter;
    const struct {
        int letter;
        const char **to;
    } texts[] = {{'n', &f->node},    {'w', &f->workload}, {'m', &f->metric}, {'u', &f->user},
                 {'c', &f->cluster}, {'p', &o->plot},     {'f', &o->file}};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].letter == c) {
            *texts[i].to = text;
            return 0;
        }
    if (c == 's' || c == 't')
        return words_time(text, time(NULL), c == 's' ? &f->since : &f->until, e);
    if (c == 'j')
        return words_job(text, f, o->key, e);
    if (c == 'l')
        return words_count(text, "--limit", &f->limit, e);
    if (c == 'W')
        f->witnessed = true;
    else
        o->form = c == 'J' ? FORM_JSON : FORM_CSV;
    return 0;
}

static int parse(struct options *o, int argc, char **argv, struct err *e)
{
    static const struct option longs[] = {
        {"node", required_argument, NULL, 'n'},    {"workload", required_argument, NULL, 'w'},
        {"metric", required_argument, NULL, 'm'},  {"user", required_argument, NULL, 'u'},
        {"cluster", required_argument, NULL, 'c'}, {"job", required_argument, NULL, 'j'},
        {"since", required_argument, NULL, 's'},   {"until", required_argument, NULL, 't'},
        {"limit", required_argument, NULL, 'l'},   {"witnessed", no_argument, NULL, 'W'},
        {"json", no_argument, NULL, 'J'},          {"csv", no_argument, NULL, 'C'},
        {"plot", required_argument, NULL, 'p'},    {"history", required_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
    int c;

    *o = (struct options){.filter = HISTORY_FILTER_INIT};
    o->filter.limit = LIMIT;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        if (c == 'h')
            return 1;
        if (c == '?')
            return option_refuse(argv, longs, e);
        if (set_option(o, c, optarg, e) < 0)
            return -1;
    }
    if (optind < argc)
        return err_set(
            e, "'%.64s' is not an option; use --job=, --node=, --user= or what --help lists",
            argv[optind]);
    return 0;
}

int main(int argc, char **argv)
{
    static struct conf site;
    struct options o;
    struct err e = ERR_INIT;

    out_guard("hpcai500 history");
    setlocale(LC_CTYPE, "");
    int rc = parse(&o, argc, argv, &e);
    if (rc > 0)
        return usage(rc == 1 ? stdout : stderr);
    if (rc < 0) {
        fprintf(stderr, "hpcai500 history: %s\n", e.text);
        return 2;
    }
    if (!o.file && conf_load(&site, NULL, 0, &e) < 0)
        goto failed;
    struct history *h =
        o.file ? history_open_reader(o.file, &e) : reader_history(&site, &o.filter, &e);
    if (!h)
        goto failed;
    long n = -1;
    if ((rc = words_check(h, &o.filter, &e)) == 0)
        n = answer(h, &o, &e);
    history_close(h);
    if (n == 0 && o.form == FORM_TABLE)
        fprintf(stderr, "hpcai500 history: no run matches%s\n",
                o.file
                    ? ""
                    : "; a run is there when it was collected, and only to those who may read it");
    if (n >= 0)
        return fflush(stdout) ? 3 : n > 0 ? 0 : 1;
failed:
    fflush(stdout);
    fprintf(stderr, "hpcai500 history: %s\n", e.text);
    return rc > 0 ? 1 : 3;
}
