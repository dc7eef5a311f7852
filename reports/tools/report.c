/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hpcai500 report: runs as one page, for who decides and for who doubts it.
 */
#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reports/core/conf.h"
#include "reports/core/option.h"
#include "reports/core/out.h"
#include "reports/record/fields.h"
#include "reports/report/page.h"
#include "reports/tools/ceilings.h"
#include "reports/tools/earlier.h"
#include "reports/tools/library.h"
#include "reports/tools/pdf.h"

struct options {
    const char *out, *dir, *prices, *history;
    enum language lang;
    bool redact, pdf, earlier;
};

static int usage(FILE *f)
{
    fprintf(f,
            "usage: hpcai500 report [-o FILE] [--lang=en|ja] [--redact] [--pdf] [--prices=FILE]\n"
            "                       [--history[=FILE]] [--dir=DIR] FILE|JOBID...\n"
            "  -o, --output=FILE   the page (report.html)\n"
            "  -l, --lang=en|ja    its language (en)\n"
            "  -r, --redact        names of users, hosts, jobs and folders are replaced\n"
            "  -p, --pdf           FILE.pdf beside it, by Chromium\n"
            "  -P, --prices=FILE   the price file (%s)\n"
            "  -H, --history[=FILE]  earlier runs out of the site's history, too\n"
            "  -d, --dir=DIR       look for jobs here first\n"
            "Several runs of one workload are repeats; the first run is the page's.\n",
            prices_default);
    return f == stdout ? 0 : 2;
}

static int language(struct options *o, const char *word, struct err *e)
{
    if (strcmp(word, "en") != 0 && strcmp(word, "ja") != 0)
        return err_set(e, "there is no report in '%.16s'; the languages are en and ja", word);
    o->lang = word[0] == 'j' ? LANGUAGE_JA : LANGUAGE_EN;
    return 0;
}

static int take(struct options *o, int c, struct err *e)
{
    switch (c) {
    case 'o':
        o->out = optarg;
        return 0;
    case 'l':
        return language(o, optarg, e);
    case 'r':
        o->redact = true;
        return 0;
    case 'p':
        o->pdf = true;
        return 0;
    case 'H':
        o->earlier = true;
        o->history = optarg;
        return 0;
    case 'P':
        o->prices = optarg;
        return 0;
    default:
        o->dir = optarg;
        return 0;
    }
}

struct shelf {
    const struct library *runs;
    const struct conf *site;
};

static void *steps_of(void *from, int record, size_t *size)
{
    const struct shelf *s = from;

    return library_steps(s->runs, s->site, record, size);
}

/* The site's verdicts on nodes, beside its history; *may_read false: not to this user. */
static int find_verdicts(const struct options *o, const struct conf *site, struct node_verdicts *v,
                         bool *may_read, struct err *e)
{
    const char *history = o->history ? o->history : site->history;
    struct verdict_line *lines;
    char path[PATH_MAX];
    int n;

    if (verdicts_path(history, path, sizeof path, e))
        return -1;
    *may_read = access(path, R_OK) == 0 || errno != EACCES;
    if (!*may_read)
        return 0;
    if (verdicts_read(path, &lines, &n, e))
        return -1;
    return node_verdicts_of(v, lines, n, e);
}

/* What the site knows besides the records. */
struct known {
    struct past_runs earlier;
    struct node_verdicts verdicts;
    bool has_verdicts;
    struct found found[LIBRARY_MOST]; /* of each run its ceilings, where it has none */
    const cJSON *ceilings[LIBRARY_MOST];
};

/* Not in a redacted report: runs are found by the names of nodes. */
static void find_ceilings(const struct options *o, const struct conf *site,
                          const struct library *runs, struct known *k)
{
    for (int i = 0; !o->redact && i < runs->n; i++)
        if (ceilings_missing(runs->runs[i].doc) &&
            ceilings_find(site, runs->runs[i].doc, &k->found[i])) {
            json_clean(k->found[i].doc);
            k->ceilings[i] = k->found[i].doc;
        }
}

static int know(const struct options *o, const struct conf *site, const struct book *book,
                struct known *k, struct err *e)
{
    if (earlier_find(&k->earlier, site, o->history, book, e))
        return -1;
    return find_verdicts(o, site, &k->verdicts, &k->has_verdicts, e);
}

static void forget(struct known *k)
{
    for (int i = 0; i < LIBRARY_MOST; i++)
        found_fini(&k->found[i]);
    past_runs_fini(&k->earlier);
    node_verdicts_fini(&k->verdicts);
}

static int make(const struct options *o, const struct library *runs, const struct conf *site,
                struct err *e)
{
    static struct book book;     /* 70 KiB */
    static struct prices prices; /* 10 KiB */
    struct page_source sources[LIBRARY_MOST];
    static struct known known;
    const char *prices_name = o->prices;
    struct shelf shelf = {runs, site};

    if (prices_find(&prices, &prices_name, e))
        return -1;
    for (int i = 0; i < runs->n; i++) {
        sources[i] = (struct page_source){runs->runs[i].name, runs->sha256[i]};
        if (book_add(&book, runs->runs[i].doc, e))
            return -1;
    }
    book_close(&book);
    if (o->earlier && know(o, site, &book, &known, e)) {
        forget(&known);
        return -1;
    }
    find_ceilings(o, site, runs, &known);
    const struct page_options page = {.lang = o->lang,
                                      .redacted = o->redact,
                                      .prices = prices_name ? &prices : NULL,
                                      .prices_name = o->redact ? NULL : prices_name,
                                      .sources = sources,
                                      .earlier = o->earlier ? &known.earlier : NULL,
                                      .ceilings = known.ceilings,
                                      .verdicts = known.has_verdicts ? &known.verdicts : NULL,
                                      .steps = steps_of,
                                      .steps_from = &shelf};
    int rc = page_write(o->out, &book, &page, e);
    forget(&known);
    if (rc)
        return -1;
    return o->pdf ? pdf_print(o->out, e) : 0;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {{"output", required_argument, NULL, 'o'},
                                          {"lang", required_argument, NULL, 'l'},
                                          {"redact", no_argument, NULL, 'r'},
                                          {"pdf", no_argument, NULL, 'p'},
                                          {"prices", required_argument, NULL, 'P'},
                                          {"history", optional_argument, NULL, 'H'},
                                          {"dir", required_argument, NULL, 'd'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    static struct conf site; /* 40 KiB */
    static struct library runs;
    struct options o = {.out = "report.html"};
    struct err e = ERR_INIT;
    int c, rc = 0;

    opterr = 0;
    out_guard("hpcai500 report");
    while (rc == 0 && (c = getopt_long(argc, argv, "o:l:rpP:H::d:h", longs, NULL)) != -1) {
        if (c == 'h')
            return usage(stdout);
        rc = c == '?' ? option_refuse(argv, longs, &e) : take(&o, c, &e);
    }
    if (rc == 0 && o.redact && o.earlier)
        rc = err_set(&e, "--redact takes the names by which --history finds earlier runs; "
                         "leave one of them out");
    if (rc) {
        fprintf(stderr, "hpcai500 report: %s\n", e.text);
        return 2;
    }
    if (optind == argc)
        return usage(stderr);
    if (conf_load(&site, NULL, 0, NULL))
        conf_defaults(&site); /* files are shown whatever the site says */
    for (; rc == 0 && optind < argc; optind++)
        rc = library_add(&runs, &site, argv[optind], o.dir, o.redact, &e);
    if (rc == 0)
        rc = make(&o, &runs, &site, &e);
    library_fini(&runs);
    if (rc)
        fprintf(stderr, "hpcai500 report: %s\n", e.text);
    return rc ? 3 : 0;
}
