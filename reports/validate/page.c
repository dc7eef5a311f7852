/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/validate/page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/text.h"

enum { NAME_WIDTH = 14, CLASSES = 26, REASON_BYTES = 120, FIRST_OF_TEXT = 22 };

/* What to look at, by metric and by test. */
static const struct {
    const char *begins, *look;
} looks[] = {
    {"memory", "dmidecode -t memory; ras-mc-ctl --errors; numactl -H"},
    {"ecc", "ras-mc-ctl --errors"},
    {"correct", "ras-mc-ctl --errors; this node again with --profile=deep"},
    {"replica", "ras-mc-ctl --errors; this node again with --profile=deep"},
    {"pattern", "ras-mc-ctl --errors; memtest"},
    {"clock", "cpupower frequency-info; turbostat; ipmitool sel list"},
    {"gemm", "cpupower frequency-info; turbostat; top; cgroup quotas"},
    {"disk", "smartctl -a; df; dmesg"},
    {"train", "top; cgroup quotas; irqbalance"},
    {"net", "cable and port; ethtool -S; ibdiagnet"},
    {"inventory", "dmidecode; lscpu; the firmware's log"},
};

static const char *look_for(const struct assess_node *n)
{
    const char *of = n->metric >= 0 ? node_metric_row(n->metric)->name : n->text;

    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
        if (strncmp(of, looks[i].begins, strlen(looks[i].begins)) == 0)
            return looks[i].look;
    return NULL;
}

void page_count(const struct assess *a, int counts[VERDICT_COUNT])
{
    memset(counts, 0, VERDICT_COUNT * sizeof *counts);
    for (int i = 0; i < a->n; i++)
        counts[a->nodes[i].verdict]++;
}

/* ---- numbers ---- */

const char *page_number(char buf[PAGE_NUMBER_SIZE], int metric, double v)
{
    static const struct {
        double from;
        const char *prefix;
    } steps[] = {{1e15, "P"}, {1e12, "T"}, {1e9, "G"},  {1e6, "M"},  {1e3, "k"},
                 {1, ""},     {1e-3, "m"}, {1e-6, "u"}, {1e-9, "n"}, {0, "p"}};
    const char *unit = node_metric_row(metric)->unit;
    int i = 0;

    if (!isfinite(v)) {
        snprintf(buf, PAGE_NUMBER_SIZE, "-");
    } else if (strcmp(unit, "ratio") == 0) {
        snprintf(buf, PAGE_NUMBER_SIZE, "%.3f", v);
    } else {
        while (v < steps[i].from)
            i++;
        double scale = steps[i].from > 0 ? steps[i].from : 1e-12;
        snprintf(buf, PAGE_NUMBER_SIZE, "%.3g %s%s", v / scale, steps[i].prefix,
                 strcmp(unit, "1/s") == 0 ? "/s" : unit);
    }
    return buf;
}

/* ---- the reason ---- */

/* Only what Slurm's tools print so that it reads as it was written. */
static void plain(char *text)
{
    for (char *c = text; *c; c++)
        if (*c < ' ' || *c > '~' || strchr("\"'\\=`$", *c))
            *c = '?';
}

void page_reason(const struct assess_node *n, long job, char reason[PAGE_REASON_SIZE])
{
    char what[PAGE_REASON_SIZE] = "", tail[32];

    if (n->metric >= 0)
        text_add(what, sizeof what, "%s %.0f %% behind its class", node_metric_row(n->metric)->name,
                 n->loss);
    else
        text_add(what, sizeof what, "%s", n->text);
    snprintf(tail, sizeof tail, " (job %ld)", job);
    int room = REASON_BYTES - (int)strlen("hpcai500: ") - (int)strlen(tail);
    snprintf(reason, PAGE_REASON_SIZE, "hpcai500: %.*s%s", room, what, tail);
    plain(reason);
}

void page_verdict(const struct page *p, int i, struct verdict_line *v)
{
    const struct assess_node *n = &p->a->nodes[i];
    const struct node_result *r = n->lines[0];
    const char *cluster = getenv("SLURM_CLUSTER_NAME");

    *v = (struct verdict_line){
        .loss = n->loss, .limit = n->limit, .blind = n->blind, .gated = n->gated, .job = p->job};
    snprintf(v->node, sizeof v->node, "%s", n->name);
    snprintf(v->word, sizeof v->word, "%s", verdict_word(n->verdict));
    snprintf(v->run, sizeof v->run, "%s", p->run);
    snprintf(v->cluster, sizeof v->cluster, "%s", cluster ? cluster : "");
    if (n->metric >= 0)
        snprintf(v->metric, sizeof v->metric, "%s", node_metric_row(n->metric)->name);
    if (n->verdict != VERDICT_GOOD)
        page_reason(n, p->job, v->reason);
    if (!r)
        return;
    snprintf(v->class, sizeof v->class, "%s", r->class);
    snprintf(v->boot_id, sizeof v->boot_id, "%s", r->boot_id);
    snprintf(v->serial, sizeof v->serial, "%s", r->serial);
    v->time = r->time;
}

/* ---- the table ---- */

struct classes {
    int n;
    const char *of[CLASSES];
};

static char letter_of(struct classes *c, const char *class)
{
    int i = 0;

    while (i < c->n && strcmp(c->of[i], class) != 0)
        i++;
    if (i == c->n && i < CLASSES)
        c->of[c->n++] = class;
    return i < CLASSES ? (char)('A' + i) : '*';
}

static void print_row(const struct assess *a, const struct assess_node *n, struct classes *c,
                      int width, FILE *f)
{
    const char *class = n->lines[0] ? n->lines[0]->class : NULL;
    char value[24], like[24];
    int left = PAGE_COLUMNS - width - FIRST_OF_TEXT;

    fprintf(f, "%-*.*s %c     %-13s ", width, width, n->name, class ? letter_of(c, class) : '-',
            verdict_word(n->verdict));
    if (n->metric >= 0)
        fprintf(f, "%-17s %9s %9s %5.1f %5.1f\n", node_metric_row(n->metric)->name,
                page_number(value, n->metric, n->value), page_number(like, n->metric, n->like),
                -n->loss, n->limit);
    else if (n->verdict != VERDICT_GOOD)
        fprintf(f, "%.*s\n", left, n->text);
    else if (isfinite(n->blind))
        fprintf(f, "%*s\n", left, (snprintf(value, sizeof value, "(%4.1f)", n->blind), value));
    else
        fprintf(f, "%s\n",
                a->n_groups ? "not slower than 15 %: noise" : "its speed was not judged");
}

static void print_table(const struct page *p, struct classes *c, FILE *f)
{
    const struct assess *a = p->a;
    int width = 4;

    for (int i = 0; i < a->n; i++) {
        int length = (int)strlen(a->nodes[i].name);
        width = length > width ? length : width;
    }
    width = width > NAME_WIDTH ? NAME_WIDTH : width;
    fprintf(f, "%-*s CLASS VERDICT       METRIC                VALUE     CLASS LOSS%% LIMIT\n",
            width, "NODE");
    for (int i = 0; i < a->n; i++)
        print_row(a, &a->nodes[i], c, width, f);
    for (int i = 0; i < c->n; i++)
        fprintf(f, "class %c: %.60s\n", 'A' + i, c->of[i][0] ? c->of[i] : "not known");
    fprintf(f, "(4.3): the smallest loss, in %%, that this run sees nine times in ten\n");
}

/* ---- what it cannot see ---- */

/* Words of a text, in lines of PAGE_COLUMNS that begin with so many blanks; `at`: columns
 * that the first line has already. */
static void print_words(const char *text, int at, int indent, FILE *f)
{
    for (const char *word = text; *word;) {
        int n = (int)strcspn(word, " ");
        if (at + 1 + n > PAGE_COLUMNS && at > indent) {
            fprintf(f, "\n%*s", indent, "");
            at = indent;
        }
        at += fprintf(f, "%s%.*s", at > indent ? " " : "", n, word);
        word += n + strspn(word + n, " ");
    }
    fputc('\n', f);
}

/* Which baseline the nodes of each class were compared with. */
static void print_baselines(const struct assess *a, FILE *f)
{
    const struct assess_group *last = NULL;

    for (int g = 0; g < a->n_groups; g++) {
        const struct assess_group *is = &a->groups[g];
        if (!is->class || (last && strcmp(last->class, is->class) == 0))
            continue;
        const struct baseline *b = baseline_newest(a->baselines, a->n_baselines, is->class);
        int joined = 0;
        for (int k = g; k < a->n_groups; k++)
            if (a->groups[k].class && strcmp(a->groups[k].class, is->class) == 0)
                joined += a->groups[k].version > 0;
        last = is;
        if (b && joined > 0)
            fprintf(f, "%.40s: baseline %d, %d metrics\n", is->class, b->version, joined);
        else if (b)
            fprintf(f,
                    "%.40s: baseline %d is of %.40s:\nits values are not used; hpcai500 "
                    "baseline propose\n",
                    is->class, b->version, b->software);
    }
}

static void print_blind(const struct page *p, FILE *f)
{
    char line[512] = "noise hides losses of 15 % and more in:";
    size_t empty = strlen(line);
    int priors = 0, groups = p->a->n_groups, runs = 0;

    for (int g = 0; g < groups; g++) {
        const struct assess_group *is = &p->a->groups[g];
        double blind = assess_blind(is);
        priors += !is->look.h.known;
        runs = is->runs > runs ? is->runs : runs;
        if (blind > JUDGE_HIDDEN)
            text_add(line, sizeof line, "%s %s %.0f %%", line[empty] ? "," : "",
                     node_metric_row(is->metric)->name, blind);
    }
    if (line[empty])
        print_words(line, 0, 0, f);
    if (groups > 0 && priors == groups)
        fprintf(f, "no history: judged by shipped priors, which see little; %d runs make one\n",
                VARIANCE_RUNS);
    else if (groups > 0)
        fprintf(f, "noise of %d of %d metrics is known from up to %d runs\n", groups - priors,
                groups, runs);
    print_baselines(p->a, f);
    if (strcmp(p->profile, "deep") != 0)
        fprintf(f, "%s ends before a node is warm: it finds no fault of cooling\n", p->profile);
}

/* ---- paragraphs ---- */

static void print_rounds(const struct assess_node *n, FILE *f)
{
    if (n->rounds == 0)
        return;
    fprintf(f, "     measured again:");
    for (int k = 0; k < n->rounds; k++)
        fprintf(f, "%s %+.1f", k ? "," : "", -n->d[k]);
    fprintf(f, " %% of the controls\n");
}

static void print_paragraph(const struct assess_node *n, FILE *f)
{
    char head[PAGE_COLUMNS + 1], action[16] = "";
    const char *look = look_for(n);

    if (verdict_action(n->verdict) != ACTION_NONE)
        snprintf(action, sizeof action, "[%s]", action_word(verdict_action(n->verdict)));
    if (n->metric >= 0)
        snprintf(head, sizeof head, "%.30s %s: %s", n->name, verdict_word(n->verdict),
                 node_metric_row(n->metric)->name);
    else
        snprintf(head, sizeof head, "%.30s %s", n->name, verdict_word(n->verdict));
    fprintf(f, "%s%*s\n", head, PAGE_COLUMNS - (int)strlen(head), action);
    if (n->metric >= 0)
        fprintf(f,
                "     %.1f %% behind its like, significant from %.1f %%; P(false) < 1 %% a run\n",
                n->loss, n->limit);
    if (n->text[0])
        fputs("     ", f), print_words(n->text, 5, 5, f);
    print_rounds(n, f);
    if (n->metric >= 0)
        fprintf(f, "     perhaps: %s\n", node_metric_row(n->metric)->what);
    if (n->gated)
        fprintf(f, "     it stood out and was not measured again\n");
    if (look)
        fprintf(f, "     look: %s\n", look);
}

/* ---- commands ---- */

static bool leaves(enum verdict v)
{
    return v == VERDICT_GOOD || v == VERDICT_TRANSIENT;
}

static bool fails(enum verdict v)
{
    return v == VERDICT_SLOW || v == VERDICT_FAULTY;
}

static int count(const struct assess *a, bool (*is)(enum verdict))
{
    int n = 0;

    for (int i = 0; i < a->n; i++)
        n += is(a->nodes[i].verdict);
    return n;
}

/* Slurm fills a reservation that is left empty with other nodes: the last one ends it. */
static void print_leaving(const struct page *p, FILE *f)
{
    const struct assess *a = p->a;
    const char *comma = "";

    if (count(a, leaves) == a->n) {
        fprintf(f, "  scontrol delete reservationname=%s\n", p->reservation);
        return;
    }
    fprintf(f, "  scontrol update reservationname=%s nodes-=", p->reservation);
    for (int i = 0; i < a->n; i++)
        if (leaves(a->nodes[i].verdict)) {
            fprintf(f, "%s%s", comma, a->nodes[i].name);
            comma = ",";
        }
    fputc('\n', f);
}

static void print_commands(const struct page *p, FILE *f)
{
    const struct assess *a = p->a;
    const bool leaving = p->reservation && count(a, leaves) > 0;
    char reason[PAGE_REASON_SIZE];

    fputs(leaving || count(a, fails) > 0 ? "\nhpcai500 validate act --apply would do:\n"
                                         : "\nNothing would be changed in Slurm.\n",
          f);
    if (leaving)
        print_leaving(p, f);
    for (int i = 0; i < a->n; i++) {
        if (!fails(a->nodes[i].verdict))
            continue;
        page_reason(&a->nodes[i], p->job, reason);
        fprintf(f, "  scontrol update nodename=%s state=drain \\\n      reason=\"%s\"\n",
                a->nodes[i].name, reason);
    }
    for (int i = 0; i < a->n && p->reservation; i++)
        if (!leaves(a->nodes[i].verdict) && !fails(a->nodes[i].verdict))
            fprintf(f, "  %s stays in %s\n", a->nodes[i].name, p->reservation);
}

static void print_last(const struct page *p, FILE *f)
{
    int counts[VERDICT_COUNT];
    const char *comma = "";

    page_count(p->a, counts);
    for (int v = 0; v < VERDICT_COUNT; v++) {
        char word[16];
        snprintf(word, sizeof word, "%s", verdict_word((enum verdict)v));
        for (char *c = word; *c; c++)
            *c = (char)(*c | 0x20);
        if (counts[v] > 0) {
            fprintf(f, "%s%d %s", comma, counts[v], word);
            comma = ", ";
        }
    }
    fprintf(f, ": %s\n", alarm_word(verdict_alarm(counts)));
    if (p->where)
        fprintf(f, "all of it: %s\n", p->where);
}

void page_text(const struct page *p, FILE *f)
{
    struct classes c = {.n = 0};
    bool any = false;

    print_table(p, &c, f);
    print_blind(p, f);
    for (int v = VERDICT_COUNT - 1; v > VERDICT_GOOD; v--)
        for (int i = 0; i < p->a->n; i++)
            if (p->a->nodes[i].verdict == (enum verdict)v) {
                fputs(any ? "" : "\n", f);
                any = true;
                print_paragraph(&p->a->nodes[i], f);
            }
    print_commands(p, f);
    print_last(p, f);
}
