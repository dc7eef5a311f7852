/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A validation of many nodes out of recorded ones, for contrib/evidence/nodes.sh: how long
 * filing, judging and planning take, and how much memory.
 *
 *     thousand FOLDER NODES RUNS < LINES
 *
 * LINES are lines of hpcai500-node. Each of the NODES is one of them with a spread of its own
 * (1 %) and fresh noise (1 %) in every run; each meets five partners, drawn anew in every run
 * (noise of a link 5 %). RUNS runs are filed, as `hpcai500 validate` does; then one is judged
 * in which one node in a hundred lost 8 % of a metric and another 25 % of what it sends, with
 * its further rounds, and what follows is planned. Prints rows of a table.
 */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "reports/core/clock.h"
#include "reports/judge/link.h"
#include "reports/judge/random.h"
#include "reports/validate/node_line.h"
#include "reports/validate/page.h"
#include "tests/spank/validate/thousand.h"

enum { TURNS = 6, BAD_ONE_IN = 100, TIME = 1764511620 };

static const double spread = 0.01, noise = 0.01, lost = 0.92;
static const double link_noise = 0.05, link_lost = 0.75;

struct fleet {
    int n, n_recorded, runs;
    struct node_result *recorded;
    double (*own)[NODE_METRICS]; /* [n] */
    struct random random;
    int *partner; /* [LINK_ROUNDS * n] of link_partners() */
    char values[512], verdicts[512];
    const char **names;
    char (*room)[16];
};

static void fail(const char *what)
{
    fprintf(stderr, "thousand: %s\n", what);
    exit(1);
}

static void must(int rc, const struct err *e)
{
    if (rc < 0)
        fail(e->text);
}

static double megabytes(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_maxrss / 1024;
}

static double size_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (double)st.st_size / 1048576 : 0;
}

static void say(const char *what, double seconds, const char *note)
{
    printf("| %s | %.2f | %.0f | %s |\n", what, seconds, megabytes(), note);
    fflush(stdout);
}

/* ---- nodes ---- */

static void read_recorded(struct fleet *f)
{
    char line[NODE_LINE_SIZE + 1];

    f->recorded = calloc(64, sizeof *f->recorded);
    while (f->recorded && f->n_recorded < 64 && fgets(line, sizeof line, stdin))
        f->n_recorded += node_line_parse(line, &f->recorded[f->n_recorded]) == 0;
    if (f->n_recorded == 0)
        fail("no line of a node on standard input");
}

static struct node_result take(struct fleet *f, int i, int round)
{
    struct node_result r = f->recorded[i % f->n_recorded];

    snprintf(r.node, sizeof r.node, "%s", f->names[i]);
    r.serial[0] = '\0';
    r.round = round;
    r.time = TIME;
    for (int m = 0; m < NODE_METRICS; m++)
        r.values[m].value =
            f->recorded[0].values[m].value * exp(f->own[i][m] + noise * random_normal(&f->random));
    return r;
}

static bool is_bad(int i)
{
    return i % BAD_ONE_IN == BAD_ONE_IN / 2;
}

/* Of the judged run. */
static struct node_result today(struct fleet *f, int i, int round)
{
    struct node_result r = take(f, i, round);

    if (is_bad(i))
        for (int m = 0; m < NODE_METRICS; m++)
            if (isfinite(r.values[m].value)) {
                r.values[m].value *= node_metric_row(m)->more_is_better ? lost : 1 / lost;
                break;
            }
    return r;
}

/* ---- links ---- */

static bool sends_slowly(int i)
{
    return i % BAD_ONE_IN == 0;
}

/* Of the pairs of this draw: what i sends to its partner in a round, and their latency. */
static double bandwidth(struct fleet *f, int i, bool today)
{
    return 24e9 * exp(f->own[i][0] + link_noise * random_normal(&f->random)) *
           (today && sends_slowly(i) ? link_lost : 1);
}

static double latency(struct fleet *f)
{
    return 2e-6 * exp(link_noise * random_normal(&f->random));
}

static void draw_partners(struct fleet *f, int k)
{
    if (link_partners(f->n, link_rounds(f->n), (uint64_t)k + 1, f->partner) < 0)
        fail("out of memory");
}

static int partner_of(const struct fleet *f, int i, int round)
{
    return f->partner[round * f->n + i];
}

static void file_links(struct fleet *f, int k, const char *run)
{
    struct link_line *links = calloc((size_t)f->n * LINK_ROUNDS, sizeof *links);
    struct err e = ERR_INIT;
    int n = 0;

    if (!links)
        fail("out of memory");
    draw_partners(f, k);
    for (int round = 0; round < link_rounds(f->n); round++)
        for (int i = 0; i < f->n; i++) {
            const int to = partner_of(f, i, round);
            if (to < 0)
                continue;
            struct link_line *l = &links[n++];
            *l = (struct link_line){.time = TIME + k,
                                    .bandwidth = bandwidth(f, i, false),
                                    .latency = i < to ? latency(f) : (double)NAN};
            snprintf(l->from, sizeof l->from, "%s", f->names[i]);
            snprintf(l->to, sizeof l->to, "%s", f->names[to]);
        }
    must(past_append_links(f->values, run, links, n, &e), &e);
    free(links);
}

/* Of the judged run: all pairs of the draw. */
static void measure_links(struct fleet *f, struct assess *a)
{
    struct err e = ERR_INIT;

    for (int k = 0; k < link_rounds(f->n); k++)
        for (int i = 0; i < f->n; i++) {
            const int to = partner_of(f, i, k);
            if (to >= 0)
                must(assess_pair(a, 0, f->names[i], f->names[to], bandwidth(f, i, true),
                                 i < to ? latency(f) : (double)NAN, &e),
                     &e);
        }
}

/* ---- filing ---- */

static void file_run(struct fleet *f, int k)
{
    struct node_result *r = calloc((size_t)f->n, sizeof *r);
    const struct node_result **lines = calloc((size_t)f->n, sizeof *lines);
    struct verdict_line *v = calloc((size_t)f->n, sizeof *v);
    struct err e = ERR_INIT;
    char run[32];

    if (!r || !lines || !v)
        fail("out of memory");
    snprintf(run, sizeof run, "run%04d", k);
    for (int i = 0; i < f->n; i++) {
        r[i] = take(f, i, 0);
        lines[i] = &r[i];
        v[i] = (struct verdict_line){
            .word = "GOOD", .loss = NAN, .limit = NAN, .blind = 4.4, .time = TIME + k};
        snprintf(v[i].node, sizeof v[i].node, "%s", f->names[i]);
        snprintf(v[i].run, sizeof v[i].run, "%s", run);
        snprintf(v[i].class, sizeof v[i].class, "%s", r[i].class);
    }
    must(past_append(f->values, run, lines, f->n, &e), &e);
    file_links(f, k, run);
    must(verdicts_append(f->verdicts, v, f->n, &e), &e);
    free(v);
    free(lines);
    free(r);
}

static void file_all(struct fleet *f)
{
    double begin = clock_now(), longest = 0;
    char note[160];

    for (int k = 0; k < f->runs; k++) {
        double one = clock_now();
        file_run(f, k);
        longest = fmax(longest, clock_now() - one);
    }
    snprintf(note, sizeof note, "longest %.2f s; values %.1f MB, verdicts %.1f MB", longest,
             size_of(f->values), size_of(f->verdicts));
    say("file all runs", clock_now() - begin, note);
}

/* ---- judging ---- */

/* A round. Of the nodes that are measured again all meet five of each other. */
static void measure_again(struct fleet *f, struct assess *a, const struct assess_todo *todo, int k)
{
    const unsigned links = 1U << NODE_METRIC_net_out | 1U << NODE_METRIC_net_latency;
    const int rounds = link_rounds(todo->n);
    int *partner = malloc(((size_t)rounds * (size_t)todo->n + 1) * sizeof *partner);
    struct err e = ERR_INIT;

    if (!partner || link_partners(todo->n, rounds, (uint64_t)k, partner) < 0)
        fail("out of memory");
    for (int i = 0; i < todo->n; i++) {
        const int node = todo->nodes[i];
        struct node_result r = today(f, node, k);
        must(assess_line(a, &r, &e), &e);
        for (int round = 0; round < rounds && todo->metrics & links; round++) {
            const int to = partner[round * todo->n + i];
            if (to >= 0)
                must(assess_pair(a, k, f->names[node], f->names[todo->nodes[to]],
                                 bandwidth(f, node, true), i < to ? latency(f) : (double)NAN, &e),
                     &e);
        }
    }
    free(partner);
}

static struct assess *judge(struct fleet *f, struct past *p)
{
    struct err e = ERR_INIT;
    struct assess *a = assess_create(f->names, f->n, p, &e);
    double begin = clock_now();
    char note[160];
    int again = 0;

    if (!a)
        fail(e.text);
    for (int i = 0; i < f->n; i++) {
        struct node_result r = today(f, i, 0);
        must(assess_line(a, &r, &e), &e);
    }
    draw_partners(f, f->runs);
    measure_links(f, a);
    must(assess_look(a, &e), &e);
    for (int turn = 1; turn <= TURNS; turn++) {
        struct assess_todo todo;
        int n = assess_todo(a, turn, &todo, &e);
        must(n, &e);
        if (n == 0)
            break;
        for (int k = todo.from; k < todo.from + todo.rounds; k++, again += n)
            measure_again(f, a, &todo, k);
        free(todo.nodes);
    }
    must(assess_decide(a, &e), &e);
    int slow = 0, links = 0, wrong = 0, bad = 0;
    for (int i = 0; i < f->n; i++) {
        bad += is_bad(i);
        slow += is_bad(i) && a->nodes[i].verdict == VERDICT_SLOW;
        links += sends_slowly(i) && a->nodes[i].verdict == VERDICT_SLOW &&
                 a->nodes[i].metric == NODE_METRIC_net_out;
        wrong += !is_bad(i) && !sends_slowly(i) && a->nodes[i].verdict >= VERDICT_SUSPECT;
    }
    snprintf(note, sizeof note,
             "%d of %d slow nodes and %d of %d slow senders SLOW, %d healthy ones named; %d lines "
             "again",
             slow, bad, links, (f->n + BAD_ONE_IN - 1) / BAD_ONE_IN, wrong, again);
    say("judge a run, its further rounds too", clock_now() - begin, note);
    return a;
}

static void print_page(const struct fleet *f, const struct assess *a)
{
    const struct page p = {.a = a, .run = "r", .profile = "standard", .job = 7};
    FILE *null = fopen("/dev/null", "w");
    double begin = clock_now();

    (void)f;
    if (!null)
        fail("no /dev/null");
    page_text(&p, null);
    fclose(null);
    say("the page", clock_now() - begin, "");
}

/* ---- planning ---- */

static void plan(const struct fleet *f)
{
    const double begin = clock_now();
    struct err e = ERR_INIT;
    char note[96];

    must(thousand_plan(f->names, f->n, f->verdicts, TIME, TIME + f->runs, note, &e), &e);
    say("plan what follows", clock_now() - begin, note);
}

int main(int argc, char **argv)
{
    struct fleet f = {.random = RANDOM_SEED(20261130)};
    struct err e = ERR_INIT;

    if (argc != 4 || (f.n = atoi(argv[2])) < 1 || (f.runs = atoi(argv[3])) < 0)
        fail("usage: thousand FOLDER NODES RUNS < LINES");
    snprintf(f.values, sizeof f.values, "%s/values.jsonl", argv[1]);
    snprintf(f.verdicts, sizeof f.verdicts, "%s/verdicts.jsonl", argv[1]);
    f.own = calloc((size_t)f.n, sizeof *f.own);
    f.room = calloc((size_t)f.n, sizeof *f.room);
    f.names = calloc((size_t)f.n, sizeof *f.names);
    f.partner = calloc((size_t)f.n * LINK_ROUNDS + 1, sizeof *f.partner);
    if (!f.own || !f.room || !f.names || !f.partner)
        fail("out of memory");
    read_recorded(&f);
    for (int i = 0; i < f.n; i++) {
        snprintf(f.room[i], sizeof f.room[i], "n%d", i);
        f.names[i] = f.room[i];
        for (int m = 0; m < NODE_METRICS; m++)
            f.own[i][m] = spread * random_normal(&f.random);
    }
    printf("| %d nodes, %d runs | s | peak MB | |\n|---|---|---|---|\n", f.n, f.runs);
    file_all(&f);
    double begin = clock_now();
    struct past *p = past_open(f.values, &e);
    if (!p)
        fail(e.text);
    say("open the past", clock_now() - begin, "");
    struct assess *a = judge(&f, p);
    print_page(&f, a);
    plan(&f);
    assess_close(a);
    past_close(p);
    return 0;
}
