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
#include "reports/tools/find.h"
#include "reports/tools/show_screen.h"

struct options {
    bool json, reasons, why, colour;
    const char *dir;
};

static int usage(FILE *f)
{
    fprintf(f, "usage: hpcai500 show [--json] [--why] [--reasons] [--dir=DIR] FILE|JOBID...\n"
               "  -j, --json      the record itself\n"
               "  -w, --why       where a step's time went, and from what the verdict follows\n"
               "  -r, --reasons   the reason for each missing value\n"
               "  -d, --dir=DIR   look for jobs here first\n"
               "JOBID is 4711, 4711_7 (array), 4711+1 (het), 4711.0 (step) or lab-4711.0.3.\n");
    return f == stdout ? 0 : 2;
}

static int show_one(const struct conf *c, const char *word, const struct options *o, struct err *e)
{
    struct found f = FOUND_INIT;
    int rc = find_record(c, word, o->dir, &f, e);

    if (rc == 0 && f.n > 1)
        fprintf(stderr, "hpcai500 show: %d runs of %s, this is the latest: %s\n", f.n, word,
                f.name);
    if (rc == 0 && o->json) {
        fwrite(f.text, 1, f.size, stdout);
    } else if (rc == 0) {
        json_clean(f.doc);
        show_screen(f.doc, &(struct show_options){o->colour, o->why, o->reasons, f.seen});
    }
    found_fini(&f);
    return rc;
}

static bool wants_colour(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && !(no && *no) && !(term && strcmp(term, "dumb") == 0);
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {
        {"json", no_argument, NULL, 'j'},    {"why", no_argument, NULL, 'w'},
        {"reasons", no_argument, NULL, 'r'}, {"dir", required_argument, NULL, 'd'},
        {"help", no_argument, NULL, 'h'},    {NULL, 0, NULL, 0}};
    static struct conf site; /* 40 KiB */
    struct options o = {.dir = NULL};
    struct err bad = ERR_INIT;
    int c, rc = 0;

    opterr = 0;
    out_guard("hpcai500 show");
    while ((c = getopt_long(argc, argv, "jwrd:h", longs, NULL)) != -1) {
        switch (c) {
        case 'j':
            o.json = true;
            break;
        case 'w':
            o.why = true;
            break;
        case 'r':
            o.reasons = true;
            break;
        case 'd':
            o.dir = optarg;
            break;
        case 'h':
            return usage(stdout);
        default:
            option_refuse(argv, longs, &bad);
            fprintf(stderr, "hpcai500 show: %s\n", bad.text);
            return 2;
        }
    }
    if (optind == argc)
        return usage(stderr);
    o.colour = wants_colour();
    if (conf_load(&site, NULL, 0, NULL))
        conf_defaults(&site); /* files are shown whatever the site says */
    for (int i = optind; i < argc; i++) {
        struct err e = ERR_INIT;
        if (i > optind && !o.json)
            printf("\n");
        if (show_one(&site, argv[i], &o, &e) < 0) {
            fflush(stdout);
            fprintf(stderr, "hpcai500 show: %s\n", e.text);
            rc = 3;
        }
    }
    return fflush(stdout) ? 3 : rc;
}
