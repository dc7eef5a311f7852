/* SPDX-License-Identifier: BSD-3-Clause */
/* hpcai500 validate: the options and the main. */
#include <config.h>

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/option.h"
#include "reports/core/out.h"
#include "spank/validate/validate.h"

static int usage(FILE *f)
{
    validate_measure_usage(f);
    fprintf(
        f,
        "       hpcai500 validate simulate [--full | --runs=N] [--seed=N] [--nodes=N]\n"
        "                                  [--metrics=M] [--site] [--conf=FILE] [--keep=FOLDER]\n"
        "How small a loss is seen, and how often a healthy node is named: by simulation.\n");
#if VALIDATE_ACTS
    fprintf(
        f, "       hpcai500 validate act ...\n"
           "       hpcai500 validate file ...\n"
           "       hpcai500 validate unvalidated [--prometheus=FILE] [--conf=FILE]\n"
           "What follows from verdicts, and verdicts of a site's own: hpcai500-validate-act(8).\n");
#endif
    return f == stdout ? 0 : VALIDATE_USAGE;
}

/* A whole number between least and most. */
static int number(const char *option, const char *text, long least, long most, long *n,
                  struct err *e)
{
    char *end;
    long v = strtol(text, &end, 10);

    if (!*text || *end || v < least || v > most)
        return err_set(e, "%s='%.32s' is not a number from %ld to %ld", option, text, least, most);
    *n = v;
    return 0;
}

static int set_option(struct simulate_options *o, int c, const char *text, struct err *e)
{
    long n = 0;
    int rc = 0;

    if (c == 'F')
        o->full = true;
    else if (c == 'S')
        o->site = true;
    else if (c == 'c')
        o->conf = text;
    else if (c == 'k')
        o->keep = text;
    else if (c == 'r')
        rc = number("--runs", text, 100, 10000000, &o->runs, e);
    else if (c == 's' && (rc = number("--seed", text, 0, 2000000000, &n, e)) == 0)
        o->seed = (uint64_t)n;
    else if (c == 'n' && (rc = number("--nodes", text, 1, 4096, &n, e)) == 0)
        o->nodes = (int)n;
    else if (c == 'm' && (rc = number("--metrics", text, 1, 100, &n, e)) == 0)
        o->metrics = (int)n;
    return rc;
}

/* 0, 1 help, -1 and a sentence. */
static int parse(struct simulate_options *o, int argc, char **argv, struct err *e)
{
    static const struct option longs[] = {
        {"full", no_argument, NULL, 'F'},          {"runs", required_argument, NULL, 'r'},
        {"seed", required_argument, NULL, 's'},    {"nodes", required_argument, NULL, 'n'},
        {"metrics", required_argument, NULL, 'm'}, {"site", no_argument, NULL, 'S'},
        {"conf", required_argument, NULL, 'c'},    {"keep", required_argument, NULL, 'k'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
    int c;

    *o = (struct simulate_options){.seed = 20261130, .nodes = 64};
    opterr = 0;
    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1)
        if (c == 'h' || c == '?' || set_option(o, c, optarg, e) < 0)
            return c == 'h' ? 1 : c == '?' ? option_refuse(argv, longs, e) : -1;
    if (optind == argc)
        return err_set(e, "what is to be done is missing: simulate");
    if (strcmp(argv[optind], "simulate") != 0)
        return err_set(e, "'%.32s' is not a task of validate; simulate is", argv[optind]);
    if (optind + 1 < argc)
        return err_set(e, "'%.32s' is one word too many", argv[optind + 1]);
    if (o->full && o->runs)
        return err_set(e, "--full and --runs exclude each other");
    return 0;
}

/* Tasks with a main of their own. */
static const struct {
    const char *name;
    int (*main)(int argc, char **argv);
} tasks[] = {
#if VALIDATE_ACTS
    {"act", validate_act},
    {"file", validate_file},
    {"unvalidated", validate_unvalidated},
#endif
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    struct simulate_options o;
    struct err e = ERR_INIT;

    out_guard("hpcai500 validate");
    for (int i = 0; argc > 1 && tasks[i].name; i++)
        if (strcmp(tasks[i].name, argv[1]) == 0)
            return tasks[i].main(argc - 1, argv + 1);
    if (argc > 1 && argv[1][0] == '-' && strcmp(argv[1], "-h") != 0 &&
        strcmp(argv[1], "--help") != 0)
        return validate_measure_main(argc, argv);
    int rc = parse(&o, argc, argv, &e);
    if (rc > 0)
        return usage(stdout);
    if (rc == 0 && validate_simulate(&o, stdout, &e) == 0)
        return fflush(stdout) ? VALIDATE_FAILED : 0;
    fprintf(stderr, "hpcai500 validate: %s\n", e.text);
    return rc < 0 ? VALIDATE_USAGE : VALIDATE_FAILED;
}
