/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/core/option.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "reports/core/nearest.h"

enum { MOST = 64, NAME = 64 };

/* optopt is the value of an option that is known and was used wrongly. */
static int used_wrongly(const struct option *o, struct err *e)
{
    return o->has_arg == required_argument ? err_set(e, "--%s needs a value", o->name)
                                           : err_set(e, "--%s takes no value", o->name);
}

int option_refuse(char *const *argv, const struct option *longs, struct err *e)
{
    const char *names[MOST], *word = argv[optind - 1];
    char name[NAME];
    bool is_long = strncmp(word, "--", 2) == 0;
    int n = 0;

    for (; longs[n].name && n < MOST; n++) {
        names[n] = longs[n].name;
        if (is_long && optopt && longs[n].val == optopt)
            return used_wrongly(&longs[n], e);
    }
    if (!is_long)
        return err_set(e, "there is no option '-%c', or its value is missing; --help lists them",
                       optopt ? optopt : word[1]);
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
    const char *near = nearest(name, names, n);
    if (near)
        return err_set(e, "there is no option '--%s'; the nearest is '--%s'", name, near);
    return err_set(e, "there is no option '--%s'; --help lists them", name);
}

int option_help(int argc, char **argv, struct err *e)
{
    static const struct option longs[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};

    opterr = 0;
    switch (getopt_long(argc, argv, "h", longs, NULL)) {
    case 'h':
        return 1;
    case -1:
        return 0;
    default:
        return option_refuse(argv, longs, e);
    }
}
