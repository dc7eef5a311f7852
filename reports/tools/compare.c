/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hpcai500 compare: systems, runs or dates side by side.
 */
#include <config.h>

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/conf.h"
#include "reports/core/option.h"
#include "reports/core/out.h"
#include "reports/record/fields.h"
#include "reports/report/compare_show.h"
#include "reports/tools/library.h"

static int usage(FILE *f)
{
    fprintf(
        f,
        "usage: hpcai500 compare [--json] [--html=FILE] [--lang=en|ja] [--bonus] [--redact]\n"
        "                        [--dir=DIR] A B [C...]\n"
        "  -j, --json         for a machine\n"
        "  -H, --html=FILE    as a page\n"
        "  -l, --lang=en|ja   its language (en)\n"
        "  -b, --bonus        a quality better than its target counts as published\n"
        "  -r, --redact       names of users, hosts, jobs and folders are replaced\n"
        "  -d, --dir=DIR      look for jobs here first\n"
        "A, B are a system each: FILE or JOBID, or several with commas, repeats of each other.\n");
    return f == stdout ? 0 : 2;
}

struct options {
    bool json, bonus, redact;
    const char *html, *dir;
    enum language lang;
};

static int take(struct options *o, int c, struct err *e)
{
    if (c == 'j')
        o->json = true;
    else if (c == 'b')
        o->bonus = true;
    else if (c == 'r')
        o->redact = true;
    else if (c == 'H')
        o->html = optarg;
    else if (c == 'd')
        o->dir = optarg;
    else if (strcmp(optarg, "ja") == 0)
        o->lang = LANGUAGE_JA;
    else if (strcmp(optarg, "en") != 0)
        return err_set(e, "there is no comparison in '%.16s'; the languages are en and ja", optarg);
    return 0;
}

/* "4711,4712": the runs of one system. */
static int add_side(struct comparison *c, struct library *runs, const struct conf *site,
                    const char *word, const struct options *o, struct err *e)
{
    struct side *s = &c->sides[c->n];
    char *words = strdup(word), *at = words, *one;
    int rc = words && (s->book = calloc(1, sizeof *s->book)) ? 0 : err_set(e, "out of memory");

    s->name = word;
    while (rc == 0 && (one = strsep(&at, ","))) {
        rc = library_add(runs, site, one, o->dir, o->redact, e);
        if (rc == 0)
            rc = book_add(s->book, runs->runs[runs->n - 1].doc, e);
    }
    free(words);
    if (rc)
        return -1;
    book_close(s->book);
    if (o->redact) /* the words on the command line are names, too */
        s->name = json_text(s->book->records[0], "id", "?");
    c->n++;
    return 0;
}

static int show(const struct options *o, const struct comparison *c, struct err *e)
{
    if (o->html)
        return compare_page(o->html, c, e);
    if (o->json)
        return compare_json(stdout, c, e);
    compare_text(stdout, c);
    return 0;
}

static int compare(const struct options *o, char *const *words, int n, struct err *e)
{
    static struct conf site; /* 40 KiB */
    static struct library runs;
    struct comparison c = {.bonus = o->bonus, .lang = o->lang};
    int rc = 0;

    if (conf_load(&site, NULL, 0, NULL))
        conf_defaults(&site);
    for (int i = 0; rc == 0 && i < n; i++)
        rc = add_side(&c, &runs, &site, words[i], o, e);
    if (rc == 0)
        rc = show(o, &c, e);
    for (int i = 0; i < COMPARE_SIDES; i++)
        free(c.sides[i].book);
    library_fini(&runs);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {
        {"json", no_argument, NULL, 'j'},       {"html", required_argument, NULL, 'H'},
        {"lang", required_argument, NULL, 'l'}, {"bonus", no_argument, NULL, 'b'},
        {"redact", no_argument, NULL, 'r'},     {"dir", required_argument, NULL, 'd'},
        {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0}};
    struct options o = {.dir = NULL};
    struct err e = ERR_INIT;
    int c, rc = 0;

    opterr = 0;
    out_guard("hpcai500 compare");
    while (rc == 0 && (c = getopt_long(argc, argv, "jH:l:brd:h", longs, NULL)) != -1) {
        if (c == 'h')
            return usage(stdout);
        rc = c == '?' ? option_refuse(argv, longs, &e) : take(&o, c, &e);
    }
    int n = argc - optind;
    if (rc == 0 && n > COMPARE_SIDES)
        rc = err_set(&e, "at most %d systems are compared at once", COMPARE_SIDES);
    if (rc) {
        fprintf(stderr, "hpcai500 compare: %s\n", e.text);
        return 2;
    }
    if (n < 2)
        return usage(stderr);
    rc = compare(&o, argv + optind, n, &e);
    if (rc)
        fprintf(stderr, "hpcai500 compare: %s\n", e.text);
    return rc ? 3 : 0;
}
