/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hpcai500 show: a record on one screen, for a person; --json for machines.
 */
#include <config.h>

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reports/core/conf.h"
#include "reports/core/option.h"
#include "reports/core/out.h"
#include "reports/record/fields.h"
#include "reports/report/prices.h"
#include "reports/tools/ceilings.h"
#include "reports/tools/find.h"
#include "reports/tools/repeats.h"
#include "reports/tools/show_buy.h"
#include "reports/tools/show_profile.h"
#include "reports/tools/show_screen.h"
#include "reports/tools/show_text.h"

enum page { PAGE_SCREEN, PAGE_PROFILE, PAGE_ROOFLINE, PAGE_BUY };

struct options {
    enum page page;
    bool reasons, why, colour, json;
    const char *dir;
    const char *ceilings; /* run whose micro rows are the roofs; NULL: the shown one's */
    const char *svg;      /* NULL: no picture */
    const char *what;     /* questions for --buy; NULL: none */
    const char *prices;   /* a price file; NULL: the site's */
};

static int usage(FILE *f)
{
    fprintf(
        f,
        "usage: hpcai500 show [--json | --profile | --roofline | --buy] [OPTION]... FILE|JOBID...\n"
        "  -j, --json      the record itself; with --buy: its answers\n"
        "  -p, --profile   where a training step's time goes, operator by operator\n"
        "  -l, --roofline  how far work is from what the machine can do\n"
        "  -o, --output=FILE.svg  the roofline as a picture, too\n"
        "  -c, --ceilings=FILE|JOBID  what the machine can do is in that run\n"
        "  -b, --buy       what would make training faster: for nothing, and for money\n"
        "  -P, --prices=FILE  the price file\n"
        "  -q, --what=NAME:FACTOR[,...]  a question of your own for --buy: network_bandwidth:4\n"
        "  -w, --why       where a step's time went, and from what the verdict follows\n"
        "  -r, --reasons   the reason for each missing value\n"
        "  -d, --dir=DIR   look for jobs here first\n"
        "JOBID is 4711, 4711_7 (array), 4711+1 (het), 4711.0 (step) or lab-4711.0.3.\n");
    return f == stdout ? 0 : 2;
}

/* Ceilings from another run than *doc: the one that is named, else where it has none of
 * its own, the latest of the history. */
static int find_ceilings(const struct conf *c, const cJSON *doc, const struct options *o,
                         struct found *f, struct err *e)
{
    if (o->ceilings && find_record(c, o->ceilings, o->dir, f, e) < 0)
        return -1;
    const bool latest = !o->ceilings && ceilings_missing(doc) && ceilings_find(c, doc, f);
    if (f->doc)
        json_clean(f->doc);
    if (latest && !o->json)
        show_line("ceilings: of %s, %.10s, the latest of these nodes with this build",
                  json_text(f->doc, "id", "?"), json_text(f->doc, "time.start", "?"));
    return 0;
}

/* The pages that need ceilings. 1: there is nothing to show. */
static int show_work(const struct conf *c, const cJSON *doc, const struct options *o, struct err *e)
{
    struct found f = FOUND_INIT;
    int rc = find_ceilings(c, doc, o, &f, e);

    const cJSON *ceilings = f.doc ? f.doc : doc;
    if (rc == 0)
        rc = o->page == PAGE_PROFILE ? show_profile(doc, ceilings, e)
                                     : show_roofline(doc, ceilings, o->svg, e);
    found_fini(&f);
    return rc;
}

static int show_worth(const struct conf *c, const struct found *f, const struct options *o,
                      struct err *e)
{
    static struct prices prices; /* 10 KiB */
    const char *name = o->prices;
    struct buy_options buy = {.what = o->what, .json = o->json};
    struct found roofs = FOUND_INIT;

    if (prices_find(&prices, &name, e) < 0)
        return -1;
    void *bytes = find_steps(c, f, &buy.size, e);
    int rc = bytes ? find_ceilings(c, f->doc, o, &roofs, e) : -1;
    buy.steps = bytes;
    buy.prices = name ? &prices : NULL;
    buy.ceilings = roofs.doc;
    if (rc == 0)
        rc = show_buy(f->doc, &buy, e);
    found_fini(&roofs);
    free(bytes);
    return rc;
}

static int show_one(const struct conf *c, const char *word, const struct options *o, struct err *e)
{
    struct found f = FOUND_INIT;
    int rc = find_record(c, word, o->dir, &f, e);

    if (rc == 0 && f.n > 1)
        fprintf(stderr, "hpcai500 show: %d runs of %s, this is the latest: %s\n", f.n, word,
                f.name);
    if (rc == 0 && o->json && o->page != PAGE_BUY) {
        fwrite(f.text, 1, f.size, stdout);
    } else if (rc == 0) {
        json_clean(f.doc);
        if (o->page == PAGE_SCREEN)
            repeats_confirm(c, f.doc, o->dir ? o->dir : ".");
        if (o->page == PAGE_SCREEN)
            show_screen(f.doc, &(struct show_options){o->colour, o->why, o->reasons, f.seen});
        else if (o->page == PAGE_BUY)
            rc = show_worth(c, &f, o, e);
        else
            rc = show_work(c, f.doc, o, e);
    }
    found_fini(&f);
    return rc;
}

static bool wants_colour(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && !(no && *no) && !(term && strcmp(term, "dumb") == 0);
}

static const struct option longs[] = {{"json", no_argument, NULL, 'j'},
                                      {"profile", no_argument, NULL, 'p'},
                                      {"roofline", no_argument, NULL, 'l'},
                                      {"output", required_argument, NULL, 'o'},
                                      {"ceilings", required_argument, NULL, 'c'},
                                      {"why", no_argument, NULL, 'w'},
                                      {"buy", no_argument, NULL, 'b'},
                                      {"prices", required_argument, NULL, 'P'},
                                      {"what", required_argument, NULL, 'q'},
                                      {"reasons", no_argument, NULL, 'r'},
                                      {"dir", required_argument, NULL, 'd'},
                                      {"help", no_argument, NULL, 'h'},
                                      {NULL, 0, NULL, 0}};

/* -1: to show; else an exit code. */
static int take_options(int argc, char **argv, struct options *o)
{
    struct err bad = ERR_INIT;
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, "jplbo:c:P:q:wrd:h", longs, NULL)) != -1) {
        switch (c) {
        case 'j':
            o->json = true;
            break;
        case 'p':
            o->page = PAGE_PROFILE;
            break;
        case 'l':
            o->page = PAGE_ROOFLINE;
            break;
        case 'b':
            o->page = PAGE_BUY;
            break;
        case 'P':
            o->prices = optarg;
            break;
        case 'q':
            o->what = optarg;
            break;
        case 'o':
            o->svg = optarg;
            break;
        case 'c':
            o->ceilings = optarg;
            break;
        case 'w':
            o->why = true;
            break;
        case 'r':
            o->reasons = true;
            break;
        case 'd':
            o->dir = optarg;
            break;
        case 'h':
            return usage(stdout);
        default:
            option_refuse(argv, longs, &bad);
            fprintf(stderr, "hpcai500 show: %s\n", bad.text);
            return 2;
        }
    }
    if (o->svg && (o->page != PAGE_ROOFLINE || optind + 1 < argc)) {
        fprintf(stderr, "hpcai500 show: --output is the picture of one run's --roofline\n");
        return 2;
    }
    return optind == argc ? usage(stderr) : -1;
}

int main(int argc, char **argv)
{
    static struct conf site; /* 40 KiB */
    struct options o = {.dir = NULL};

    out_guard("hpcai500 show");
    int rc = take_options(argc, argv, &o);
    if (rc >= 0)
        return rc;
    rc = 0;
    o.colour = wants_colour();
    if (conf_load(&site, NULL, 0, NULL))
        conf_defaults(&site); /* files are shown whatever the site says */
    for (int i = optind; i < argc; i++) {
        struct err e = ERR_INIT;
        if (i > optind && !o.json)
            printf("\n");
        if (show_one(&site, argv[i], &o, &e) != 0) {
            fflush(stdout);
            fprintf(stderr, "hpcai500 show: %s\n", e.text);
            rc = 3;
        }
    }
    return fflush(stdout) ? 3 : rc;
}
