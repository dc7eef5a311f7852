/* SPDX-License-Identifier: BSD-3-Clause */
/* hpcai500 baseline: what nodes are measured against, proposed and approved. */
#include <config.h>

#include <getopt.h>
#include <math.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "reports/core/conf.h"
#include "reports/core/option.h"
#include "reports/core/out.h"
#include "reports/judge/stat.h"
#include "reports/validate/baseline.h"
#include "reports/validate/page.h"

enum { USAGE = 2, FAILED = 3, PATH_SIZE = 4096 };

/* A drift is marked when it is so many times its own error, and above so many %. */
static const double drift_errors = 3, drift_percent = 1;

struct options {
    const char *class, *note, *conf;
    bool all, approved, json, yes;
    char values[PATH_SIZE], baselines[PATH_SIZE];
};

struct site {
    struct past *past;
    struct baseline *approved, *proposed;
    int n_approved, n_proposed;
};

static int usage(FILE *f)
{
    fprintf(f,
            "usage: hpcai500 baseline propose [--class=CLASS] [--json] [--conf=FILE]\n"
            "       hpcai500 baseline show [--class=CLASS] [--all] [--json] [--conf=FILE]\n"
            "       hpcai500 baseline approve [--class=CLASS] [--note=TEXT] [--yes] [--conf=FILE]\n"
            "       hpcai500 baseline inventory [--class=CLASS] [--approved] [--conf=FILE]\n"
            "What nodes are measured against: a person approves it.\n");
    return f == stdout ? 0 : USAGE;
}

/* ---- options ---- */

/* 0, 1 help, -1 and a sentence. */
static int parse(struct options *o, int argc, char **argv, struct err *e)
{
    static const struct option longs[] = {{"class", required_argument, NULL, 'c'},
                                          {"note", required_argument, NULL, 'n'},
                                          {"conf", required_argument, NULL, 'f'},
                                          {"all", no_argument, NULL, 'a'},
                                          {"approved", no_argument, NULL, 'i'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"yes", no_argument, NULL, 'y'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        if (c == 'h' || c == '?')
            return c == 'h' ? 1 : option_refuse(argv, longs, e);
        if (c == 'c' || c == 'n' || c == 'f')
            *(c == 'c' ? &o->class : c == 'n' ? &o->note : &o->conf) = optarg;
        o->all |= c == 'a';
        o->approved |= c == 'i';
        o->json |= c == 'j';
        o->yes |= c == 'y';
    }
    if (optind == argc)
        return err_set(e, "what is to be done is missing: propose, show, approve or inventory");
    return optind + 1 < argc ? err_set(e, "'%.64s' is one word too many", argv[optind + 1]) : 0;
}

static int open_site(struct options *o, struct site *s, struct err *e)
{
    static struct conf conf;

    if (conf_load(&conf, o->conf, 0, e) < 0 ||
        past_path(conf.history, o->values, sizeof o->values, e) < 0 ||
        baseline_path(conf.history, o->baselines, sizeof o->baselines, e) < 0 ||
        !(s->past = past_open(o->values, e)) ||
        baseline_read(o->baselines, &s->approved, &s->n_approved, e) < 0)
        return -1;
    return baseline_propose(o->values, s->past, &s->proposed, &s->n_proposed, e);
}

static void close_site(struct site *s)
{
    past_close(s->past);
    free(s->approved);
    free(s->proposed);
}

/* ---- tables ---- */

static bool wanted(const struct options *o, const struct baseline *b)
{
    return !o->class || strcmp(o->class, b->class) == 0;
}

static void print_json(const struct baseline *b)
{
    char line[BASELINE_LINE_SIZE];

    if (baseline_print(b, line))
        fputs(line, stdout);
}

/* How much slower it is than what was approved, in %; NAN: nothing was. */
static double drift_of(int metric, const struct baseline *b, const struct baseline *approved)
{
    const struct baseline_metric *is = &b->metrics[metric],
                                 *was = approved ? &approved->metrics[metric] : NULL;

    return was && was->there
               ? judge_loss(is->value, was->value, node_metric_row(metric)->more_is_better)
               : (double)NAN;
}

/* Of the drift: both are medians over nodes of medians over runs, and a run has a shift. */
static double error_of(const struct baseline_metric *m, int nodes, int runs)
{
    const double noise = m->run * m->run + m->step * m->step, n = nodes > 0 ? nodes : 1,
                 k = runs > 0 ? runs : 1;

    return sqrt(STAT_MEDIAN *
                (m->between * m->between / n + noise / (n * k) + m->shift * m->shift / k));
}

static void print_metric(int metric, const struct baseline *b, const struct baseline *approved)
{
    const struct baseline_metric *m = &b->metrics[metric];
    const double drift = drift_of(metric, b, approved),
                 error = M_SQRT2 * error_of(m, b->nodes, b->runs);
    char value[PAGE_NUMBER_SIZE], was[PAGE_NUMBER_SIZE];

    printf("%-17s %11s %4.1f %4.1f %4.1f %4.1f %3.0f", node_metric_row(metric)->name,
           page_number(value, metric, m->value), m->between, m->run, m->step, m->shift, m->freedom);
    if (isfinite(drift))
        printf(" %11s %+6.1f%s", page_number(was, metric, approved->metrics[metric].value),
               -judge_percent(drift),
               fabs(drift) > fmax(drift_percent, drift_errors * error) ? " DRIFT" : "");
    putchar('\n');
}

static void print_facts(const struct baseline *b, const struct baseline *approved)
{
    int at = printf("inventory:");

    for (int i = 0; i < BASELINE_FACTS; i++) {
        char fact[128];
        const bool same = !approved || baseline_same(i, b->facts[i], approved->facts[i]);
        const int n = snprintf(
            fact, sizeof fact, "%s=%s%s%s%s", baseline_fact(i), b->facts[i][0] ? b->facts[i] : "-",
            same ? "" : " (approved: ", same ? "" : approved->facts[i], same ? "" : ")");
        if (at + 1 + n > PAGE_COLUMNS)
            at = printf("\n%10s", "") - 1;
        at += printf(" %s", fact);
    }
    putchar('\n');
}

static void print_baseline(const struct baseline *b, const struct baseline *approved)
{
    int metrics = 0;

    printf("class %s\n", b->class);
    printf("software %s; %d node%s, %d run%s\n", b->software, b->nodes, b->nodes == 1 ? "" : "s",
           b->runs, b->runs == 1 ? "" : "s");
    for (int m = 0; m < NODE_METRICS; m++)
        metrics += b->metrics[m].there;
    if (metrics > 0)
        printf("                              noise, %%: node, run, step, all\n"
               "METRIC                  VALUE    b    r    w    t  nu    APPROVED  %% SINCE\n");
    for (int m = 0; m < NODE_METRICS; m++)
        if (b->metrics[m].there)
            print_metric(m, b, approved);
    if (metrics == 0)
        printf("no noise is known yet: that takes %d runs\n", VARIANCE_RUNS);
    print_facts(b, approved);
}

/* ---- the tasks ---- */

static int propose(const struct options *o, const struct site *s)
{
    int n = 0;

    for (int i = 0; i < s->n_proposed; i++) {
        const struct baseline *b = &s->proposed[i],
                              *was = baseline_newest(s->approved, s->n_approved, b->class);
        if (!wanted(o, b))
            continue;
        if (o->json)
            print_json(b);
        else {
            printf("%s", n++ ? "\n" : "");
            print_baseline(b, was);
            if (was)
                printf("approved: version %d of %s%s\n", was->version, was->software,
                       strcmp(was->software, b->software) ? ", other software" : "");
        }
    }
    return n;
}

static void print_approval(const struct baseline *b)
{
    const time_t when = b->time;
    struct tm tm;
    char text[32] = "";

    if (gmtime_r(&when, &tm))
        strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &tm);
    printf("version %d, %s, by %s%s%s\n", b->version, text, b->by, b->note[0] ? ": " : "", b->note);
}

static int show(const struct options *o, const struct site *s)
{
    int n = 0;

    for (int i = 0; i < s->n_approved; i++) {
        const struct baseline *b = &s->approved[i];
        if (!wanted(o, b) ||
            (!o->all && b != baseline_newest(s->approved, s->n_approved, b->class)))
            continue;
        n++;
        if (o->json) {
            print_json(b);
            continue;
        }
        if (n > 1 && !o->all)
            putchar('\n');
        if (o->all)
            printf("%s: ", b->class);
        else
            print_baseline(b, NULL);
        print_approval(b);
    }
    if (n == 0 && !o->json)
        printf("nothing is approved\n");
    return n;
}

/* Facts as a file for libexec/health; behind '#' what differs. */
static int inventory(const struct options *o, const struct site *s, struct err *e)
{
    const struct baseline *all = o->approved ? s->approved : s->proposed;
    const int n = o->approved ? s->n_approved : s->n_proposed;
    struct baseline_node *nodes;
    int n_nodes;

    if (baseline_nodes(o->values, &nodes, &n_nodes, e) < 0)
        return -1;
    for (int i = 0; i < n; i++) {
        if (!wanted(o, &all[i]) || &all[i] != baseline_newest(all, n, all[i].class))
            continue;
        printf("# %s\n", all[i].class);
        for (int f = 0; f < BASELINE_FACTS; f++)
            if (all[i].facts[f][0])
                printf("%s=%s\n", baseline_fact(f), all[i].facts[f]);
        for (int k = 0; k < n_nodes; k++)
            for (int f = 0; f < BASELINE_FACTS; f++)
                if (strcmp(nodes[k].class, all[i].class) == 0 &&
                    !baseline_same(f, nodes[k].facts[f], all[i].facts[f]))
                    printf("# %s: %s=%s\n", nodes[k].node, baseline_fact(f), nodes[k].facts[f]);
    }
    free(nodes);
    return 0;
}

/* ---- approving ---- */

static void name_self(char by[64])
{
    const struct passwd *pw = getpwuid(getuid());
    const char *sudo = getenv("SUDO_USER");

    snprintf(by, 64, "%.40s", pw ? pw->pw_name : "?");
    if (sudo && *sudo && getuid() == 0)
        snprintf(by, 64, "%.40s by sudo", sudo);
}

static bool says_yes(void)
{
    char answer[16] = "";

    printf("Approve? yes or no: ");
    fflush(stdout);
    return fgets(answer, sizeof answer, stdin) && strcmp(answer, "yes\n") == 0;
}

/* What is asked for, at the front; how many. */
static int choose(const struct options *o, struct site *s)
{
    int n = 0;

    for (int i = 0; i < s->n_proposed; i++)
        if (wanted(o, &s->proposed[i]))
            s->proposed[n++] = s->proposed[i];
    return s->n_proposed = n;
}

static int approve(const struct options *o, struct site *s, struct err *e)
{
    if (choose(o, s) == 0)
        return err_set(e, "there is nothing to approve: %s has no values%s%s", o->values,
                       o->class ? " of the class " : "", o->class ? o->class : "");
    if (!o->yes && !isatty(STDIN_FILENO))
        return err_set(e, "a person approves: answer on a terminal, or give --yes");
    propose(o, s);
    if (!o->yes && !says_yes())
        return err_set(e, "nothing was approved");
    for (int i = 0; i < s->n_proposed; i++) {
        name_self(s->proposed[i].by);
        snprintf(s->proposed[i].note, sizeof s->proposed[i].note, "%s", o->note ? o->note : "");
        s->proposed[i].time = time(NULL);
    }
    if (baseline_approve(o->baselines, s->proposed, s->n_proposed, e) < 0)
        return -1;
    for (int i = 0; i < s->n_proposed; i++)
        printf("approved: %s, version %d\n", s->proposed[i].class, s->proposed[i].version);
    return 0;
}

static int run(struct options *o, const char *task, struct err *e)
{
    struct site s = {.past = NULL};
    int rc = open_site(o, &s, e);

    if (rc == 0 && strcmp(task, "propose") == 0) {
        if (propose(o, &s) == 0 && s.n_proposed == 0 && !o->json)
            printf("no values yet: hpcai500 validate measures them\n");
    } else if (rc == 0 && strcmp(task, "show") == 0) {
        show(o, &s);
    } else if (rc == 0 && strcmp(task, "inventory") == 0) {
        rc = inventory(o, &s, e);
    } else if (rc == 0) {
        rc = approve(o, &s, e);
    }
    close_site(&s);
    return rc;
}

int main(int argc, char **argv)
{
    static const char *const tasks[] = {"propose", "show", "approve", "inventory"};
    static struct options o;
    struct err e = ERR_INIT;
    bool known = false;

    out_guard("hpcai500 baseline");
    int rc = parse(&o, argc, argv, &e);
    if (rc > 0)
        return usage(stdout);
    for (size_t i = 0; rc == 0 && i < sizeof tasks / sizeof *tasks; i++)
        known |= strcmp(tasks[i], argv[optind]) == 0;
    if (rc == 0 && !known)
        rc = err_set(&e,
                     "'%.32s' is not a task of baseline; propose, show, approve and inventory are",
                     argv[optind]);
    if (rc < 0) {
        fprintf(stderr, "hpcai500 baseline: %s\n", e.text);
        return USAGE;
    }
    if (run(&o, argv[optind], &e) == 0)
        return fflush(stdout) ? FAILED : 0;
    fprintf(stderr, "hpcai500 baseline: %s\n", e.text);
    return FAILED;
}
