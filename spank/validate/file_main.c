/* SPDX-License-Identifier: BSD-3-Clause */
/* hpcai500 validate file: verdicts of other tests become verdicts of the site. */
#include <config.h>

#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/conf.h"
#include "reports/core/option.h"
#include "reports/validate/verdicts.h"
#include "spank/validate/validate.h"

enum { LINES_MOST = 100000 };

static int usage(FILE *f)
{
    fprintf(f, "usage: hpcai500 validate file [--conf=FILE] < VERDICTS\n"
               "Files verdicts on nodes, a line of JSON each, for `hpcai500 validate act`.\n");
    return f == stdout ? 0 : VALIDATE_USAGE;
}

/* 0, 1 help, -1 and a sentence. */
static int parse(const char **conf, int argc, char **argv, struct err *e)
{
    static const struct option longs[] = {{"conf", required_argument, NULL, 'c'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        if (c == 'h' || c == '?')
            return c == 'h' ? 1 : option_refuse(argv, longs, e);
        *conf = optarg;
    }
    return optind < argc ? err_set(e, "'%.64s' is one word too many", argv[optind]) : 0;
}

/* All of standard input, or none of it. */
static int read_lines(struct verdict_line **lines, int *n, struct err *e)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    int rc = 0;

    *lines = NULL;
    *n = 0;
    while (rc == 0 && (size = getline(&line, &room, stdin)) > 0) {
        struct verdict_line *more = realloc(*lines, (size_t)(*n + 1) * sizeof **lines);
        if (more)
            *lines = more;
        if (!more || *n == LINES_MOST)
            rc = err_set(e, "more than %d verdicts, or no memory for them", *n);
        else if (verdict_line_parse(line, &more[(*n)++]) < 0)
            rc = err_set(e, "line %d is not a verdict: '%.60s'", *n, line);
        else if (!more[*n - 1].run[0])
            rc = err_set(e, "line %d does not say which run it is of", *n);
    }
    free(line);
    if (rc == 0 && ferror(stdin))
        rc = err_set(e, "cannot read standard input");
    return rc;
}

static int file_lines(const char *conf_file, struct err *e)
{
    static struct conf conf;
    struct verdict_line *lines = NULL;
    char path[PATH_MAX];
    int n;

    if (conf_load(&conf, conf_file, CONF_PRIVILEGED, e) < 0 ||
        verdicts_path(conf.history, path, sizeof path, e) < 0)
        return -1;
    int rc = read_lines(&lines, &n, e);
    if (rc == 0 && n > 0)
        rc = verdicts_append(path, lines, n, e);
    free(lines);
    return rc;
}

int validate_file(int argc, char **argv)
{
    struct err e = ERR_INIT;
    const char *conf = NULL;
    const int rc = parse(&conf, argc, argv, &e);

    if (rc > 0)
        return usage(stdout);
    if (rc == 0 && file_lines(conf, &e) == 0)
        return 0;
    fprintf(stderr, "hpcai500 validate file: %s\n", e.text);
    return rc < 0 ? VALIDATE_USAGE : VALIDATE_FAILED;
}
