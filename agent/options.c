/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/option.h"

static const double default_timeout_seconds = 300;

enum { OPTION_JSON = 256, OPTION_DRY_RUN, OPTION_TIMEOUT, OPTION_VERSION };

static const struct row {
    int value;
    const char *name, *argument, *help;
} rows[] = {
    {'v', "verbose", NULL, "every rank says what it does"},
    {OPTION_JSON, "json", NULL, "print the record to standard output, too"},
    {OPTION_DRY_RUN, "dry-run", NULL, "print the plan (sizes, memory, files, time) and stop"},
    {OPTION_TIMEOUT, "timeout", "SECONDS", "longest wait for another rank [300]"},
    {'h', "help", NULL, "this text"},
    {OPTION_VERSION, "version", NULL, "release and build id"},
};
enum { N_ROWS = sizeof rows / sizeof rows[0] };

static int parse_seconds(const char *what, const char *text, double *seconds, struct err *e)
{
    char *end;
    double s = strtod(text, &end);

    if (end == text || *end || !(s > 0) || s > 1e6)
        return err_set(e, "%s='%s' is not a number of seconds", what, text);
    *seconds = s;
    return 0;
}

static int take(struct options *o, int value, const char *argument, struct err *e)
{
    switch (value) {
    case 'v':
        o->verbose = true;
        return 0;
    case OPTION_JSON:
        o->json = true;
        return 0;
    case OPTION_DRY_RUN:
        o->dry_run = true;
        return 0;
    case OPTION_TIMEOUT:
        return parse_seconds("--timeout", argument, &o->timeout_seconds, e);
    case 'h':
        o->help = true;
        return 0;
    case OPTION_VERSION:
        o->version = true;
        return 0;
    }
    return -1;
}

int options_parse(struct options *o, int argc, char **argv, struct err *e)
{
    struct option table[N_ROWS + 1] = {{0}};
    const char *timeout = getenv("HPCAI500_TIMEOUT");
    int value;

    *o =
        (struct options){.run = getenv("HPCAI500_RUN"), .timeout_seconds = default_timeout_seconds};
    for (int i = 0; i < N_ROWS; i++)
        table[i] = (struct option){rows[i].name, rows[i].argument != NULL, NULL, rows[i].value};
    if (timeout && *timeout &&
        parse_seconds("HPCAI500_TIMEOUT", timeout, &o->timeout_seconds, e) < 0)
        return -1;
    opterr = 0;
    optind = 1;
    while ((value = getopt_long(argc, argv, "hv", table, NULL)) != -1) {
        if (value == '?')
            return option_refuse(argv, table, e);
        if (take(o, value, optarg, e) < 0)
            return -1;
    }
    if (argc - optind > 1)
        return err_set(e, "only one RUN is allowed; '%s' is extra", argv[optind + 1]);
    if (optind < argc)
        o->run = argv[optind];
    if (o->run && !*o->run)
        o->run = NULL;
    o->by_option = o->run && optind == argc;
    return 0;
}

void options_help(FILE *f)
{
    fputs("usage: hpcai500-agent [options] [RUN]\n"
          "RUN is SUITE-or-WORKLOAD[+WORKLOAD...][,key=value]...; 'help' explains it, 'list'\n"
          "shows what can be run. Without RUN, HPCAI500_RUN of the environment is taken.\n\n",
          f);
    for (int i = 0; i < N_ROWS; i++) {
        char left[64];
        char letter[8] = "";
        if (rows[i].value < OPTION_JSON)
            snprintf(letter, sizeof letter, "-%c, ", rows[i].value);
        snprintf(left, sizeof left, "%s--%s%s%s", letter, rows[i].name, rows[i].argument ? " " : "",
                 rows[i].argument ? rows[i].argument : "");
        fprintf(f, "  %-22s %s\n", left, rows[i].help);
    }
}
